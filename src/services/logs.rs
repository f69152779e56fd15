//! CloudWatch Logs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogGroup;

use super::{Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, own_tags};
use crate::resource::Tags;

/// CloudWatch Logs.
pub struct Logs;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The log groups that matter and their tags, by name.
    pub groups: BTreeMap<String, (LogGroup, Tags)>,
}

impl Service for Logs {
    const NAME: &'static str = "logs";
    // The service model's TagKey and TagValue.
    const TAGS: TagRules = TagRules::common("CloudWatch Logs");
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::new(config)
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        if !scope.wants("logs/LogGroup") {
            return Ok(Snapshot::default());
        }
        // A declared group is asked for by its name: an account has thousands of groups that nobody here cares about.
        let arn = scope.place.arn("logs", "log-group:");
        let groups = scope.read_each("logs/LogGroup", &arn, |name| read_one(client, name)).await?;
        Ok(Snapshot { groups })
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        let arn = target.arn.unwrap_or(target.physical);
        if !set.is_empty() {
            let set = set.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            client.tag_resource().resource_arn(arn).set_tags(Some(set)).send().await.map_err(failed)?;
        }
        if !unset.is_empty() {
            let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.to_vec()));
            call.send().await.map_err(failed)?;
        }
        Ok(())
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        match error.code.as_deref() {
            Some("ResourceNotFoundException") => Fault::Gone,
            Some("ResourceAlreadyExistsException") => Fault::Exists,
            Some("OperationAbortedException") => Fault::Settling(Duration::from_secs(120)),
            Some("ServiceUnavailableException") => Fault::Unknown,
            _ => error::classify(error),
        }
    }
}

async fn read_one(client: &Client, name: String) -> Result<Option<(LogGroup, Tags)>> {
    let mut pages = client.describe_log_groups().log_group_name_prefix(&name).into_paginator().items().send();
    while let Some(group) = pages.next().await {
        let group = group.map_err(failed)?;
        // The names come in order: the group itself is first among those that begin with its name.
        if group.log_group_name() != Some(name.as_str()) {
            continue;
        }
        let arn = group.log_group_arn().or(group.arn()).unwrap_or_default().trim_end_matches(":*").to_owned();
        let tags = client.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = match tags.map_err(failed) {
            // It went since it was listed.
            Err(error) if error.is("ResourceNotFoundException") => return Ok(None),
            answer => answer?,
        };
        let tags = own_tags(tags.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        return Ok(Some((group, tags)));
    }
    Ok(None)
}

/// Whether anything was ever written to a group: its size lags hours behind, its streams are there at once.
pub async fn has_streams(client: &Client, group: &str) -> Result<bool> {
    let page = client.describe_log_streams().log_group_name(group).limit(1).send().await;
    Ok(!page.map_err(failed)?.log_streams().is_empty())
}

/// One event of a log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened: milliseconds since 1970, UTC.
    pub timestamp: i64,
    /// What the writer wrote, without the line's end.
    pub message: String,
}

/// Some events of a log stream, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// What asks for those that follow; `None`: there is no stream yet.
    pub token: Option<String>,
    /// Whether these are the last ones for now.
    pub end: bool,
}

/// The events of a stream from its beginning, or those that follow on `token`. A stream (or group) that nobody has
/// written to yet has none: jobs are submitted before they write.
pub async fn events(client: &Client, group: &str, stream: &str, token: Option<&str>) -> Result<Page> {
    let call = client.get_log_events().log_group_name(group).log_stream_name(stream).start_from_head(true);
    let answer = call.set_next_token(token.map(str::to_owned)).send().await;
    let answer = match answer.map_err(failed) {
        Err(error) if error.is("ResourceNotFoundException") => {
            return Ok(Page { end: true, ..Page::default() });
        }
        answer => answer?,
    };
    // The end of a stream answers with the token that it was asked with.
    let end = answer.next_forward_token().is_none_or(|next| Some(next) == token);
    let event = |event: &aws_sdk_cloudwatchlogs::types::OutputLogEvent| Event {
        timestamp: event.timestamp().unwrap_or_default(),
        message: event.message().unwrap_or_default().trim_end_matches(['\r', '\n']).to_owned(),
    };
    Ok(Page { events: answer.events().iter().map(event).collect(), token: answer.next_forward_token, end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Options, Sandbox};

    #[test]
    fn errors_mean() {
        for (code, fault) in [
            ("ResourceNotFoundException", Fault::Gone),
            ("ResourceAlreadyExistsException", Fault::Exists),
            ("OperationAbortedException", Fault::Settling(Duration::from_secs(120))),
            ("LimitExceededException", Fault::Terminal),
            ("AccessDeniedException", Fault::Terminal),
            ("ThrottlingException", Fault::Throttled),
            ("ServiceUnavailableException", Fault::Unknown),
        ] {
            let error =
                Error { code: Some(code.to_owned()), ..Error::malformed("logs", "CreateLogGroup", "") };
            assert_eq!(Logs::classify(&error, Duration::ZERO), fault, "{code}");
        }
    }

    #[tokio::test]
    async fn a_stream_is_followed_from_before_it_is_there_to_its_end() {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
        let client = Client::new(&sandbox.sdk_config());
        let none = Page { events: Vec::new(), token: None, end: true };
        assert_eq!(events(&client, "/jobs", "a", None).await.unwrap(), none);
        client.create_log_group().log_group_name("/jobs").send().await.unwrap();
        assert_eq!(events(&client, "/jobs", "a", None).await.unwrap(), none);
        assert!(!has_streams(&client, "/jobs").await.unwrap());
        client.create_log_stream().log_group_name("/jobs").log_stream_name("a").send().await.unwrap();
        assert!(has_streams(&client, "/jobs").await.unwrap());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_millis()).unwrap();
        let write = async |message: &str| {
            let event =
                aws_sdk_cloudwatchlogs::types::InputLogEvent::builder().timestamp(now).message(message);
            let put = client.put_log_events().log_group_name("/jobs").log_stream_name("a");
            put.log_events(event.build().unwrap()).send().await.unwrap();
        };
        let (mut heard, mut token) = (Vec::new(), None);
        for message in ["one\n", "two"] {
            write(message).await;
            // An end is where nothing follows: not where a page is short.
            loop {
                let page = events(&client, "/jobs", "a", token.as_deref()).await.unwrap();
                heard.extend(page.events.into_iter().map(|event| event.message));
                token = page.token;
                if page.end {
                    break;
                }
            }
        }
        assert_eq!(heard, ["one", "two"]);
    }
}
