//! How often calls are sent again: each call has its tries and its time, and no other call uses them up.

use aws_sdk_iam::config::retry::{RetryPartition, TokenBucket};

/// The settings of a client of `$sdk`, with tries that no other call uses up.
///
/// By default all calls of a process to a service share 500 tokens, a try again takes 5, and a call that finds none
/// left fails with its first error: on a bad day at AWS a plan of many reads would fail of that, not of AWS. What bounds
/// a call is `AWS_MAX_ATTEMPTS`, and its time; the waits between its tries grow, and go by chance.
macro_rules! settings {
    ($sdk:ident, $config:expr) => {
        $sdk::config::Builder::from($config).retry_partition($crate::services::retries::own())
    };
}
pub(super) use settings;

/// See [`settings!`].
pub(super) fn own() -> RetryPartition {
    RetryPartition::custom("batchwright").token_bucket(TokenBucket::unlimited()).build()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use aws_config::retry::RetryConfig;
    use aws_credential_types::Credentials;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use crate::services::{Service, batch::Batch, ecr::Ecr, logs::Logs, sqs::Sqs};

    /// Answers every third request. What a first try again takes, the SDK gives back when it succeeds.
    #[derive(Debug)]
    struct BadDay(Arc<AtomicUsize>);

    impl HttpConnector for BadDay {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            let bad = self.0.fetch_add(1, Ordering::Relaxed) % 3 < 2;
            let (status, body) = if bad { (500, r#"{"__type": "InternalFailure"}"#) } else { (200, "{}") };
            let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            HttpConnectorFuture::ready(Ok(answer))
        }
    }

    fn config() -> aws_config::SdkConfig {
        let requests = Arc::default();
        let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-west-1"))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
                Credentials::new("AKIADUMMYDUMMYDUMMY0", "dummy", None, None, "dummy"),
            ))
            .retry_config(retry)
            .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(BadDay(Arc::clone(&requests)))))
            .build()
    }

    /// More calls than the SDK's common tokens would pay for.
    const CALLS: usize = 150;

    #[tokio::test]
    async fn a_call_has_its_tries_whatever_befell_those_before() {
        let config = config();
        let (batch, ecr, logs, sqs) =
            (Batch::client(&config), Ecr::client(&config), Logs::client(&config), Sqs::client(&config));
        for call in 0..CALLS {
            let said = format!("call {call}");
            batch.describe_job_queues().send().await.expect(&said);
            ecr.describe_repositories().send().await.expect(&said);
            logs.describe_log_groups().send().await.expect(&said);
            sqs.list_queues().send().await.expect(&said);
        }
    }
}
