//! A queue of SQS that S3 sends its events to.

mod event;

pub use event::{Event, Object, read};

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::MessageSystemAttributeName;

use crate::place::chain;

/// How long the queue has to answer, waiting for messages apart.
pub const ANSWER: Duration = Duration::from_secs(5);

/// A failure to talk to the queue; its text is one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{verb} {queue}: {what}")]
pub struct Error {
    verb: &'static str,
    queue: String,
    what: String,
    /// Whether the same call may succeed later.
    pub may_pass: bool,
}

/// A message that is ours for a while.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its name in logs.
    pub id: String,
    /// What it says.
    pub body: String,
    /// How often it was handed out, this time included.
    pub received: u32,
    receipt: String,
}

/// A queue, by its URL.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// Takes credentials, region and endpoint from where every AWS tool takes them.
    pub async fn connect(url: &str) -> Result<Queue, Error> {
        let settings = aws_config::load_from_env().await;
        if settings.region().is_none() {
            let what = "no region is set: AWS_REGION names it".to_owned();
            return Err(Error { verb: "use", queue: url.to_owned(), what, may_pass: false });
        }
        Ok(Queue { client: Client::new(&settings), url: url.to_owned() })
    }

    /// Waits up to `wait` for up to `most` messages (at most 10), and has them to itself for `visibility`.
    pub async fn receive(
        &self,
        most: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, Error> {
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(most.min(10)).unwrap_or(10))
            .wait_time_seconds(seconds(wait))
            .visibility_timeout(seconds(visibility))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = self.answered("receive from", wait + ANSWER, request.send()).await?;
        let messages = answer.messages.unwrap_or_default().into_iter().map(|message| {
            let attributes = message.attributes.unwrap_or_default();
            let received = attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount);
            Message {
                id: message.message_id.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                received: received.and_then(|count| count.parse().ok()).unwrap_or(1),
                receipt: message.receipt_handle.unwrap_or_default(),
            }
        });
        Ok(messages.collect())
    }

    /// Says that the message is done with.
    pub async fn delete(&self, message: &Message) -> Result<(), Error> {
        let request = self.client.delete_message().queue_url(&self.url).receipt_handle(&message.receipt);
        self.answered("delete a message of", ANSWER, request.send()).await.map(|_| ())
    }

    /// Keeps the message for so long from now; for no time gives it back at once. The answer must come `within` a time.
    pub async fn keep(&self, message: &Message, visibility: Duration, within: Duration) -> Result<(), Error> {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let request = request.receipt_handle(&message.receipt).visibility_timeout(seconds(visibility));
        self.answered("keep a message of", within, request.send()).await.map(|_| ())
    }

    /// Waits for an answer, but not longer than `within`.
    async fn answered<T, E>(
        &self,
        verb: &'static str,
        within: Duration,
        answer: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        match tokio::time::timeout(within, answer).await {
            Ok(result) => result.map_err(|error| self.failure(verb, &error)),
            Err(_) => {
                let what = format!("there was no answer in {} s", within.as_secs());
                Err(Error { verb, queue: self.url.clone(), what, may_pass: true })
            }
        }
    }

    fn failure<E>(&self, verb: &'static str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        let failed =
            |what: String, may_pass| Error { verb, queue: self.url.clone(), what: one_line(&what), may_pass };
        let Some(response) = error.raw_response() else { return failed(chain(error), true) };
        let (status, code) = (response.status().as_u16(), error.code().unwrap_or_default());
        // So many messages are in flight, of all consumers: until some of them are done.
        let full = code.ends_with("OverLimit");
        let busy = full || code.contains("Throttl") || code == "ExpiredToken" || code == "RequestTimeout";
        let what = match error.message() {
            Some(message) => format!("{code}: {message} (HTTP {status})"),
            None => format!("{} (HTTP {status})", chain(error)),
        };
        failed(what, busy || status == 429 || status >= 500)
    }
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
