//! Who is told of what happens to objects.

use crate::kind::prelude::*;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
    NotificationConfiguration as SdkNotification, NotificationConfigurationFilter, QueueConfiguration,
    S3KeyFilter, TopicConfiguration,
};

use super::incomplete;

/// Who is told of what happens to objects. The order of configurations means nothing.
#[spec(default)]
pub struct NotificationConfiguration {
    /// EventBridge is told of everything; absent: of nothing.
    #[field(empty)]
    pub event_bridge_configuration: Option<EventBridge>,
    /// Lambda functions that are called.
    #[field(default, set)]
    pub lambda_configurations: Vec<Lambda>,
    /// SQS queues that get a message.
    #[field(default, set)]
    pub queue_configurations: Vec<Queue>,
    /// SNS topics that get a message.
    #[field(default, set)]
    pub topic_configurations: Vec<Topic>,
}

/// Whether EventBridge is told.
#[spec]
pub struct EventBridge {
    /// `false` is the same as no `eventBridgeConfiguration`.
    pub event_bridge_enabled: bool,
}

/// A Lambda function that is called; its permission must allow S3 to.
#[spec]
pub struct Lambda {
    /// The event, such as `s3:ObjectCreated:*`.
    #[field(one_of(Event::values()))]
    pub event: String,
    /// The function's ARN.
    #[field(refers("lambda/Function.arn"), deferrable)]
    pub function: String,
    /// For which objects; absent: for all.
    #[field(empty)]
    pub filter: Option<Filter>,
}

/// An SQS queue that gets a message; its policy must allow S3 to send.
#[spec]
pub struct Queue {
    /// The event, such as `s3:ObjectCreated:*`.
    #[field(one_of(Event::values()))]
    pub event: String,
    /// The queue's ARN; not a FIFO queue.
    #[field(refers("sqs/Queue.arn"), deferrable)]
    pub queue: String,
    /// For which objects; absent: for all.
    #[field(empty)]
    pub filter: Option<Filter>,
}

/// An SNS topic that gets a message; its policy must allow S3 to publish.
#[spec]
pub struct Topic {
    /// The event, such as `s3:ObjectCreated:*`.
    #[field(one_of(Event::values()))]
    pub event: String,
    /// The topic's ARN; not a FIFO topic.
    #[field(refers("sns/Topic.arn"), deferrable)]
    pub topic: String,
    /// For which objects; absent: for all.
    #[field(empty)]
    pub filter: Option<Filter>,
}

/// For which objects.
#[spec]
pub struct Filter {
    /// By their keys.
    pub s3_key: KeyFilter,
}

/// For objects with such keys.
#[spec]
pub struct KeyFilter {
    /// At most one `prefix` and one `suffix`; both must fit.
    #[field(required, set)]
    pub rules: Vec<KeyRule>,
}

/// What a key begins or ends with.
#[spec]
pub struct KeyRule {
    /// `prefix` or `suffix`, in any case.
    #[field(caseless)]
    pub name: String,
    /// What the key begins or ends with.
    pub value: String,
}

impl NotificationConfiguration {
    /// One configuration for each event, as CloudFormation has it; S3's ids are left out. `None` if nobody is told.
    pub(super) fn from_sdk(sdk: &GetBucketNotificationConfigurationOutput) -> Option<Self> {
        let bridge = sdk.event_bridge_configuration();
        normal(Self {
            event_bridge_configuration: bridge.map(|_| EventBridge { event_bridge_enabled: true }),
            lambda_configurations: sdk
                .lambda_function_configurations()
                .iter()
                .flat_map(|told| {
                    each(told.events(), told.filter(), |event, filter| Lambda {
                        event,
                        function: told.lambda_function_arn().to_owned(),
                        filter,
                    })
                })
                .collect(),
            queue_configurations: sdk
                .queue_configurations()
                .iter()
                .flat_map(|told| {
                    each(told.events(), told.filter(), |event, filter| Queue {
                        event,
                        queue: told.queue_arn().to_owned(),
                        filter,
                    })
                })
                .collect(),
            topic_configurations: sdk
                .topic_configurations()
                .iter()
                .flat_map(|told| {
                    each(told.events(), told.filter(), |event, filter| Topic {
                        event,
                        topic: told.topic_arn().to_owned(),
                        filter,
                    })
                })
                .collect(),
        })
    }

    /// All of it: S3 only replaces it together.
    pub(super) fn to_sdk(&self) -> Result<SdkNotification> {
        type Built<T> = std::result::Result<Vec<T>, aws_smithy_types::error::operation::BuildError>;
        let event = |event: &str| Event::from(event);
        let lambdas: Built<_> = self
            .lambda_configurations
            .iter()
            .map(|told| {
                let told_to = LambdaFunctionConfiguration::builder().lambda_function_arn(&told.function);
                told_to.events(event(&told.event)).set_filter(sdk_filter(told.filter.as_ref())).build()
            })
            .collect();
        let queues: Built<_> = self
            .queue_configurations
            .iter()
            .map(|told| {
                let told_to = QueueConfiguration::builder().queue_arn(&told.queue);
                told_to.events(event(&told.event)).set_filter(sdk_filter(told.filter.as_ref())).build()
            })
            .collect();
        let topics: Built<_> = self
            .topic_configurations
            .iter()
            .map(|told| {
                let told_to = TopicConfiguration::builder().topic_arn(&told.topic);
                told_to.events(event(&told.event)).set_filter(sdk_filter(told.filter.as_ref())).build()
            })
            .collect();
        let bridge = self.event_bridge_configuration.as_ref().filter(|bridge| bridge.event_bridge_enabled);
        let invalid = incomplete("PutBucketNotificationConfiguration");
        Ok(SdkNotification::builder()
            .set_lambda_function_configurations(Some(lambdas.map_err(&invalid)?))
            .set_queue_configurations(Some(queues.map_err(&invalid)?))
            .set_topic_configurations(Some(topics.map_err(&invalid)?))
            .set_event_bridge_configuration(bridge.map(|_| EventBridgeConfiguration::builder().build()))
            .build())
    }

    fn filters_mut(&mut self) -> impl Iterator<Item = &mut Option<Filter>> {
        let lambdas = self.lambda_configurations.iter_mut().map(|told| &mut told.filter);
        let queues = self.queue_configurations.iter_mut().map(|told| &mut told.filter);
        let topics = self.topic_configurations.iter_mut().map(|told| &mut told.filter);
        lambdas.chain(queues).chain(topics)
    }
}

fn each<T>(
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
    told: impl Fn(String, Option<Filter>) -> T,
) -> Vec<T> {
    let rules = filter.and_then(|filter| filter.key()).map(S3KeyFilter::filter_rules).unwrap_or_default();
    let rules: Vec<KeyRule> = rules
        .iter()
        .map(|rule| KeyRule {
            name: rule.name().map(|name| name.as_str().to_owned()).unwrap_or_default(),
            value: rule.value().unwrap_or_default().to_owned(),
        })
        .collect();
    let filter = (!rules.is_empty()).then_some(Filter { s3_key: KeyFilter { rules } });
    events.iter().map(|event| told(event.as_str().to_owned(), filter.clone())).collect()
}

fn sdk_filter(filter: Option<&Filter>) -> Option<NotificationConfigurationFilter> {
    let rules = filter?.s3_key.rules.iter().map(|rule| {
        let name = FilterRuleName::from(rule.name.to_ascii_lowercase().as_str());
        FilterRule::builder().name(name).value(&rule.value).build()
    });
    let key = S3KeyFilter::builder().set_filter_rules(Some(rules.collect())).build();
    Some(NotificationConfigurationFilter::builder().key(key).build())
}

/// The form in which configurations that mean the same are equal; `None` if nobody is told.
pub(super) fn normal(mut configuration: NotificationConfiguration) -> Option<NotificationConfiguration> {
    for filter in configuration.filters_mut() {
        let rules = filter.iter_mut().flat_map(|filter| &mut filter.s3_key.rules);
        // S3 answers `Prefix` where it was sent `prefix`.
        rules.for_each(|rule| rule.name.make_ascii_lowercase());
        // An empty prefix or suffix fits everything.
        if let Some(filter) = filter {
            filter.s3_key.rules.retain(|rule| !rule.value.is_empty());
        }
        if filter.as_ref().is_some_and(|filter| filter.s3_key.rules.is_empty()) {
            *filter = None;
        }
    }
    let bridge = &mut configuration.event_bridge_configuration;
    *bridge = bridge.take().filter(|bridge| bridge.event_bridge_enabled);
    (configuration != NotificationConfiguration::default()).then_some(configuration)
}

/// S3 takes at most this many configurations of a bucket.
const MOST: usize = 100;

pub(super) fn check(configuration: &NotificationConfiguration, found: &mut Vec<Invalid>) {
    arns(configuration, found);
    let lambdas = configuration.lambda_configurations.iter().enumerate();
    let lambdas = lambdas.map(|(i, told)| (format!("lambdaConfigurations[{i}]"), &told.event, &told.filter));
    let queues = configuration.queue_configurations.iter().enumerate();
    let queues = queues.map(|(i, told)| (format!("queueConfigurations[{i}]"), &told.event, &told.filter));
    let topics = configuration.topic_configurations.iter().enumerate();
    let topics = topics.map(|(i, told)| (format!("topicConfigurations[{i}]"), &told.event, &told.filter));
    let all: Vec<_> = lambdas.chain(queues).chain(topics).collect();
    if all.len() > MOST {
        let what = format!("{} configurations, but S3 takes at most {MOST}", all.len());
        found.push(Invalid::new("notificationConfiguration", what));
    }
    for (index, (path, event, filter)) in all.iter().enumerate() {
        let path = format!("notificationConfiguration.{path}");
        let rules = filter.as_ref().map(|filter| filter.s3_key.rules.as_slice()).unwrap_or_default();
        for name in ["prefix", "suffix"] {
            if rules.iter().filter(|rule| rule.name.eq_ignore_ascii_case(name)).count() > 1 {
                found.push(Invalid::new(format!("{path}.filter"), format!("more than one {name}; keep one")));
            }
        }
        for rule in rules {
            if !["prefix", "suffix"].iter().any(|name| rule.name.eq_ignore_ascii_case(name)) {
                let what = format!("{:?} is neither `prefix` nor `suffix`", rule.name);
                found.push(Invalid::new(format!("{path}.filter"), what));
            }
        }
        let same = all.iter().take(index).find(|(_, other, by)| overlap(event, other) && meet(filter, by));
        if let Some((other, ..)) = same {
            let what = format!("overlaps with {other}: S3 tells of an event once; narrow one of the filters");
            found.push(Invalid::new(path, what));
        }
    }
}

/// "The ARN could not be parsed": who is told is named by an ARN of its service.
fn arns(configuration: &NotificationConfiguration, found: &mut Vec<Invalid>) {
    let lambdas = configuration.lambda_configurations.iter().map(|told| &told.function);
    let queues = configuration.queue_configurations.iter().map(|told| &told.queue);
    let topics = configuration.topic_configurations.iter().map(|told| &told.topic);
    let of = |service: &'static str, list: &'static str, field: &'static str| (service, list, field);
    let all = lambdas.enumerate().map(|it| (of("lambda", "lambdaConfigurations", "function"), it));
    let all = all.chain(queues.enumerate().map(|it| (of("sqs", "queueConfigurations", "queue"), it)));
    let all = all.chain(topics.enumerate().map(|it| (of("sns", "topicConfigurations", "topic"), it)));
    for ((service, list, field), (index, arn)) in all.filter(|(_, (_, arn))| !arn.contains("${")) {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let is_arn = matches!(parts.as_slice(), ["arn", _, of, region, account, name]
            if *of == service && !region.is_empty() && account.len() == 12 && !name.is_empty());
        if !is_arn {
            let what = format!(
                "{arn:?} is no ARN of {service}: expected arn:<partition>:{service}:<region>:<account>:…"
            );
            found.push(Invalid::new(format!("notificationConfiguration.{list}[{index}].{field}"), what));
        }
    }
}

/// Whether some event fits both: one may end in `*`.
fn overlap(a: &str, b: &str) -> bool {
    let covers = |all: &str, one: &str| all.strip_suffix('*').is_some_and(|begin| one.starts_with(begin));
    a == b || covers(a, b) || covers(b, a)
}

/// Whether some key fits both filters.
fn meet(a: &Option<Filter>, b: &Option<Filter>) -> bool {
    let value = |filter: &Option<Filter>, name: &str| {
        let rules = filter.as_ref().map(|filter| filter.s3_key.rules.as_slice()).unwrap_or_default();
        let rule = rules.iter().find(|rule| rule.name.eq_ignore_ascii_case(name));
        rule.map(|rule| rule.value.clone()).unwrap_or_default()
    };
    let (before, other) = (value(a, "prefix"), value(b, "prefix"));
    let (after, last) = (value(a, "suffix"), value(b, "suffix"));
    (before.starts_with(&other) || other.starts_with(&before))
        && (after.ends_with(&last) || last.ends_with(&after))
}
