//! CloudWatch Logs.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;

use super::{Fault, Result, Service, TagRules, Target, failed, settings, tag_by_arn};
use crate::resource::Tags;

/// CloudWatch Logs.
pub struct Logs;

impl Service for Logs {
    const NAME: &'static str = "logs";
    // The service model's TagKey and TagValue.
    const TAGS: TagRules = TagRules::common("CloudWatch Logs");
    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("ResourceNotFoundException", Fault::Gone),
        ("ResourceAlreadyExistsException", Fault::Exists),
        ("OperationAbortedException", Fault::Settling(Duration::from_secs(120))),
        ("ServiceUnavailableException", Fault::Unknown),
    ];
    type Client = Client;
    type Snapshot = ();

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_cloudwatchlogs, config).build())
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        tag_by_arn!(client, target, set, unset, set.clone().into_iter().collect())
    }
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
    use crate::services::Error;

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
