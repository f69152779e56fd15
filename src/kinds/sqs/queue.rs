//! `sqs/Queue`: messages that wait for a consumer.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use serde_json::Value;

use crate::kind::prelude::*;
use crate::kinds::iam::types::document::{self, Attached};
use crate::kinds::{attributes, kind};
use crate::services::sqs::{self, Sqs};

/// An SQS queue.
pub struct Queue;

/// What a manifest declares of a queue.
#[spec(default)]
pub struct Spec {
    /// How many seconds a message stays hidden once a consumer has received it.
    #[field(default = 30, range(0..=43_200))]
    pub visibility_timeout: i32,
    /// How many seconds a message is kept.
    #[field(default = 345_600, range(60..=1_209_600))]
    pub message_retention_period: i32,
    /// How many seconds a new message stays hidden.
    #[field(default, range(0..=900))]
    pub delay_seconds: i32,
    /// How many bytes a message may have. Queues made before August 2025 have 262144.
    #[field(default = 1_048_576, range(1024..=1_048_576))]
    pub maximum_message_size: i32,
    /// How many seconds a receive call waits for a message.
    #[field(default, range(0..=20))]
    pub receive_message_wait_time_seconds: i32,
    /// Where messages go that were received too often.
    #[field(empty)]
    pub redrive_policy: Option<RedrivePolicy>,
    /// Which queues may use this one as their dead-letter queue; absent: all of the account.
    #[field(empty)]
    pub redrive_allow_policy: Option<RedriveAllowPolicy>,
    /// Who may do what with it, beside the account's own policies.
    #[field(empty)]
    pub policy: Option<Policy>,
    /// The KMS key that encrypts messages, by id, ARN or alias; absent: `sqsManagedSseEnabled` decides.
    #[field(empty, refers("kms/Key.arn", "kms/Key.id"))]
    pub kms_master_key_id: Option<String>,
    /// How many seconds a data key of that KMS key is reused.
    #[field(default = 300, range(60..=86_400))]
    pub kms_data_key_reuse_period_seconds: i32,
    /// Whether SQS encrypts messages with a key of its own; not beside `kmsMasterKeyId`.
    #[field(server)]
    pub sqs_managed_sse_enabled: Option<bool>,
    /// Whether it keeps the order and delivers each message once. Its name in AWS then ends in `.fifo`.
    #[field(default, create_only)]
    pub fifo_queue: bool,
    /// Whether the content of a message says that it is the same; of FIFO queues.
    #[field(default)]
    pub content_based_deduplication: bool,
    /// Within what a message counts once; of FIFO queues.
    #[field(server, one_of("queue", "messageGroup"))]
    pub deduplication_scope: Option<String>,
    /// What the limit of throughput applies to; of FIFO queues.
    #[field(server, one_of("perQueue", "perMessageGroupId"))]
    pub fifo_throughput_limit: Option<String>,
}

/// Where messages go that were received too often.
#[spec]
pub struct RedrivePolicy {
    /// The dead-letter queue, of the same type.
    #[field(refers("sqs/Queue.arn"))]
    pub dead_letter_target_arn: String,
    /// How often a message may be received.
    #[field(range(1..=1000))]
    pub max_receive_count: i32,
}

/// Which queues may use a queue as their dead-letter queue.
#[spec]
pub struct RedriveAllowPolicy {
    /// Which ones: `allowAll`, `denyAll` or `byQueue`.
    #[field(one_of("allowAll", "byQueue", "denyAll"))]
    pub redrive_permission: String,
    /// The queues, of `byQueue`.
    #[field(empty, length(..=10), set, items_refer("sqs/Queue.arn"))]
    pub source_queue_arns: Vec<String>,
}

/// What AWS assigns to a queue.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// Where messages are sent to.
    pub url: String,
}

/// What SQS says of a queue.
pub struct Seen {
    url: String,
    spec: Spec,
    tags: Tags,
}

impl Kind for Queue {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Sqs;
    type Seen = Seen;

    const NAME: &'static str = "sqs/Queue";
    const NAMES: NameRule = NameRule::checked(80, wrong_name);
    const ARN: Option<On> = Some(On::Regional("sqs", "{name}"));
    const ABOUT: &'static str = "An SQS queue: messages that wait for a consumer.";
    const CLOUDFORMATION: &'static str = "AWS::SQS::Queue";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("queueName", "metadata.physicalName"), ("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::on(
            actions![sqs: GetQueueAttributes GetQueueUrl ListQueueTags],
            &[On::Regional("sqs", "{name}")],
        )],
        write: &[Grant::on(
            actions![sqs: CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue],
            &[On::Regional("sqs", "{name}")],
        )],
    };
    const HOLDS_DATA: bool = true;
    const SHOWN_LATE: bool = true;
    const EXAMPLE: &'static str = include_str!("queue.example.yaml");
    const READ_BY_NAME: bool = true;

    /// The names of FIFO queues end in `.fifo`, whatever they are called here.
    fn physical(spec: &Spec, name: &str, _place: &Place) -> String {
        let suffix = if spec.fifo_queue && !name.ends_with(".fifo") { ".fifo" } else { "" };
        format!("{name}{suffix}")
    }

    fn misnamed(spec: &Spec, name: &str) -> Option<String> {
        let of_another = !spec.fifo_queue && name.ends_with(".fifo");
        of_another.then(|| {
            "only the names of FIFO queues end in `.fifo`: set fifoQueue, or name it otherwise".into()
        })
    }

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let grouped = spec.deduplication_scope.as_deref() == Some("messageGroup");
        let by_group = spec.fifo_throughput_limit.as_deref() == Some("perMessageGroupId");
        let allowed = spec.redrive_allow_policy.as_ref();
        let by_queue = allowed.is_some_and(|it| it.redrive_permission == "byQueue");
        let named = allowed.is_some_and(|it| !it.source_queue_arns.is_empty());
        let of_fifo = "is of FIFO queues: set fifoQueue to true, or remove it";
        let rules = [
            ("contentBasedDeduplication", spec.content_based_deduplication && !spec.fifo_queue, of_fifo),
            ("deduplicationScope", spec.deduplication_scope.is_some() && !spec.fifo_queue, of_fifo),
            ("fifoThroughputLimit", spec.fifo_throughput_limit.is_some() && !spec.fifo_queue, of_fifo),
            ("fifoThroughputLimit", by_group && !grouped, "needs deduplicationScope `messageGroup`"),
            (
                "sqsManagedSseEnabled",
                spec.sqs_managed_sse_enabled == Some(true) && spec.kms_master_key_id.is_some(),
                "is another way to encrypt than kmsMasterKeyId: remove one of them",
            ),
            // AWS tells the seconds only where there is a key.
            (
                "kmsDataKeyReusePeriodSeconds",
                spec.kms_data_key_reuse_period_seconds != Spec::default_kms_data_key_reuse_period_seconds()
                    && spec.kms_master_key_id.is_none(),
                "is of kmsMasterKeyId: add that, or remove it",
            ),
            ("redriveAllowPolicy.sourceQueueArns", named && !by_queue, "is of redrivePermission `byQueue`"),
            ("redriveAllowPolicy", by_queue && !named, "needs 1 to 10 sourceQueueArns with `byQueue`"),
        ];
        let broken = rules.into_iter().filter(|rule| rule.1);
        let mut found: Vec<Invalid> = broken.map(|(path, _, what)| Invalid::new(path, what)).collect();
        if let Some(policy) = &spec.policy {
            document::check("policy", policy, Attached::Queue, &mut found);
        }
        found
    }

    /// Every queue of the account may use one that says nothing of it (SetQueueAttributes, RedriveAllowPolicy).
    fn normalise(spec: &mut Spec, _place: &Place) {
        let says =
            |it: &RedriveAllowPolicy| it.redrive_permission != "allowAll" || !it.source_queue_arns.is_empty();
        spec.redrive_allow_policy = spec.redrive_allow_policy.take().filter(says);
    }

    /// The dead-letter queue of a FIFO queue is one, and that of another queue is none (CreateQueue, RedrivePolicy).
    fn clashes(spec: &Spec, _id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        let policy = spec.redrive_policy.iter();
        let found = policy.filter_map(|it| beside.find::<Self>(&it.dead_letter_target_arn));
        let other = found.filter(|(_, other)| other.fifo_queue != spec.fifo_queue);
        let what = "is of another type: fifoQueue is the same in a queue and its dead-letter queue";
        other
            .map(|(id, _)| Clash::new("redrivePolicy.deadLetterTargetArn", id, format!("{id} {what}")))
            .collect()
    }

    async fn read(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Seen>> {
        let prefix = scope.place.arn("sqs", "");
        scope.read_each(Self::NAME, &prefix, |name| read_one(client, name)).await
    }

    fn live(name: &str, seen: &Seen, place: &Place) -> Option<Live<Self>> {
        let outputs = Outputs { arn: place.arn("sqs", name), url: seen.url.clone() };
        Some(Live::new(name, seen.spec.clone(), outputs).with(place.arn("sqs", name), seen.tags.clone()))
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let attributes = attributes::unusual(&json(want), &json(&Spec::default()));
        let call = cx.client.create_queue().queue_name(cx.name).set_attributes(Some(attributes));
        let call = call.set_tags(Some(cx.tags.clone().into_iter().collect()));
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        let changed = attributes::changed(&json(want), diff);
        let call = cx.client.set_queue_attributes().queue_url(&live.outputs.url);
        call.set_attributes(Some(changed)).send().await.map_err(failed)?;
        Ok(())
    }

    async fn data(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<Option<&'static str>> {
        let call = cx.client.get_queue_attributes().queue_url(&live.outputs.url).attribute_names(Name::All);
        let told = call.send().await.map_err(failed)?.attributes.unwrap_or_default();
        let counts = told.iter().filter(|(name, _)| name.as_str().starts_with("ApproximateNumberOfMessages"));
        Ok(counts.into_iter().any(|(_, count)| count != "0").then_some("messages"))
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        cx.refuse_data(live, "DeleteQueue").await?;
        cx.client.delete_queue().queue_url(&live.outputs.url).send().await.map_err(failed)?;
        Ok(())
    }
}

/// Letters, digits, hyphens and underscores; those of FIFO queues end in `.fifo`
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>).
fn wrong_name(name: &str) -> Option<String> {
    if !(1..=80).contains(&name.chars().count()) {
        return Some(format!("a queue's name has 1 to 80 characters, `{name}` has {}", name.chars().count()));
    }
    let bare = name.strip_suffix(".fifo").unwrap_or(name);
    let wrong = bare.chars().find(|c| !c.is_ascii_alphanumeric() && !"-_".contains(*c));
    let wrong = wrong.or(bare.is_empty().then_some('.'))?;
    Some(format!("{wrong:?} may not stand in a queue's name: letters, digits, `-` and `_` may"))
}

fn json(spec: &Spec) -> Value {
    serde_json::to_value(spec).unwrap_or_default()
}

/// What SQS says of one queue; `None` if there is none.
async fn read_one(client: &Client, name: String) -> Result<Option<Seen>> {
    let url = match sqs::url(client, &name).await {
        Err(error) if sqs::is_gone(&error) => return Ok(None),
        url => url?,
    };
    let attributes = client.get_queue_attributes().queue_url(&url).attribute_names(Name::All);
    let tags = client.list_queue_tags().queue_url(&url);
    let (attributes, tags) = futures::join!(attributes.send(), tags.send());
    match (attributes.map_err(failed), tags.map_err(failed)) {
        // It went since it was asked for.
        (Err(error), _) | (_, Err(error)) if sqs::is_gone(&error) => Ok(None),
        (attributes, tags) => {
            let spec = spec_of(&attributes?.attributes.unwrap_or_default())?;
            Ok(Some(Seen { url, spec, tags: own_tags(tags?.tags.unwrap_or_default()) }))
        }
    }
}

fn spec_of(told: &HashMap<Name, String>) -> Result<Spec> {
    const CALL: (&str, &str) = ("sqs", "GetQueueAttributes");
    let schema = kind(Queue::NAME).map(|kind| &kind.facts().schema).unwrap_or(&Value::Null);
    let mut spec = attributes::read(told, schema, CALL)?;
    // It is told as it was set: as a number, or as a text.
    if let Some(count) = spec.pointer_mut("/redrivePolicy/maxReceiveCount")
        && let Some(number) = count.as_str().and_then(|text| text.parse::<i32>().ok())
    {
        *count = number.into();
    }
    serde_json::from_value(spec).map_err(|error| Error::malformed(CALL.0, CALL.1, error.to_string()))
}

#[cfg(test)]
mod tests;
