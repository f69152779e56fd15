//! Simple Queue Service.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;

use super::{Error, Fault, Result, Service, TagRules, Target, error, failed, settings};
use crate::resource::Tags;

/// Simple Queue Service.
pub struct Sqs;

/// A queue's name is free a minute after it was deleted (CreateQueue, QueueDeletedRecently).
const FREED: Fault = Fault::Settling(Duration::from_secs(180));

impl Service for Sqs {
    const NAME: &'static str = "sqs";
    // SQS developer guide, "Amazon SQS cost allocation tags".
    const TAGS: TagRules = TagRules::common("SQS");
    // The names of both its protocols: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
    const FAULTS: &'static [(&'static str, Fault)] = &[
        ("QueueDoesNotExist", Fault::Gone),
        ("AWS.SimpleQueueService.NonExistentQueue", Fault::Gone),
        ("QueueNameExists", Fault::Exists),
        ("QueueAlreadyExists", Fault::Exists),
        ("QueueDeletedRecently", FREED),
        ("AWS.SimpleQueueService.QueueDeletedRecently", FREED),
        ("KmsThrottled", Fault::Throttled),
    ];
    type Client = Client;
    type Snapshot = ();

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_sqs, config).build())
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        let url = url(client, target.physical).await?;
        if !set.is_empty() {
            let set = set.clone().into_iter().collect();
            client.tag_queue().queue_url(&url).set_tags(Some(set)).send().await.map_err(failed)?;
        }
        if !unset.is_empty() {
            let call = client.untag_queue().queue_url(&url).set_tag_keys(Some(unset.to_vec()));
            call.send().await.map_err(failed)?;
        }
        Ok(())
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        // A principal that was made a moment ago is not seen everywhere yet.
        if error.is("InvalidAttributeValue") && error.message.contains("parameter Policy") {
            return Fault::Propagating(Duration::from_secs(120));
        }
        error::of_code(Self::FAULTS, error)
    }
}

/// Where a queue of this name is asked.
pub async fn url(client: &Client, name: &str) -> Result<String> {
    let answer = client.get_queue_url().queue_name(name).send().await.map_err(failed)?;
    answer.queue_url.ok_or_else(|| Error::malformed("sqs", "GetQueueUrl", "the answer lacks QueueUrl"))
}

/// Whether an error says that there is no such queue.
pub fn is_gone(error: &Error) -> bool {
    Sqs::classify(error, Duration::ZERO) == Fault::Gone
}
