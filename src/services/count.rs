//! How many calls a command makes, and how many of them ran one after the other: counted where requests leave, retries
//! included. What is sent again is logged here, and here calls wait for room.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::time::Instant;

use super::limiter::{Concurrency, Limiter, Operation};
use super::whole::whole;

/// Counts the calls of all clients that share a configuration, and bounds how many are under way at once.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<Mutex<Calls>>, Arc<Limiter>, Arc<Slow>);

/// After so long, whoever waits is told for what.
pub const SLOW: Duration = Duration::from_secs(3);

/// So long after it was told, it is told again.
const AGAIN: Duration = Duration::from_secs(10);

type Tell = Box<dyn Fn(&str) + Send + Sync>;

/// Whom to tell that AWS does not answer.
#[derive(Default)]
struct Slow {
    tell: OnceLock<(Duration, Tell)>,
    last: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Slow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slow").finish_non_exhaustive()
    }
}

impl Slow {
    /// Says it for as long as it is polled.
    async fn watch(&self, operation: &Operation) -> Infallible {
        let began = Instant::now();
        let Some((after, tell)) = self.tell.get() else { return std::future::pending().await };
        let mut pause = *after;
        loop {
            tokio::time::sleep(pause).await;
            pause = AGAIN;
            let is_news = {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                // One line speaks for all that wait.
                let is_news = last.is_none_or(|last| last.elapsed() >= AGAIN);
                *last = if is_news { Some(Instant::now()) } else { *last };
                is_news
            };
            if is_news {
                let Operation { service, action, attempt, .. } = operation;
                let seconds = began.elapsed().as_secs();
                tell(&format!("  AWS has not answered {service} {action} for {seconds} s (try {attempt})"));
            }
        }
    }
}

/// Starts and ends on a clock that ticks at each of them.
#[derive(Debug, Default)]
struct Calls {
    clock: u64,
    spans: Vec<(u64, Option<u64>)>,
}

impl Counter {
    /// The configuration, with a client of its own that counts. All services share its connections.
    pub fn counting(&self, config: SdkConfig) -> SdkConfig {
        let counter = self.clone();
        around(&config, move |inner| Counting { inner, counter: counter.clone() })
    }

    /// Whom to tell that AWS has not answered for so long: the first one named.
    pub fn tell_slow(&self, after: Duration, tell: impl Fn(&str) + Send + Sync + 'static) {
        drop(self.2.tell.set((after, Box::new(tell))));
    }

    /// Lets so many calls of each service be under way at once.
    pub fn limit(&self, width: Concurrency) {
        self.1.set(width);
    }

    /// How many calls left so far.
    pub fn count(&self) -> usize {
        self.lock().spans.len()
    }

    /// The most calls of which no two overlapped: the critical path in round trips, as it ran. Where AWS answers sooner
    /// than requests can be sent (a sandbox without latency), calls that need not wait for each other count too.
    pub fn depth(&self) -> usize {
        let mut spans: Vec<(u64, u64)> =
            self.lock().spans.iter().map(|(start, end)| (end.unwrap_or(u64::MAX), *start)).collect();
        spans.sort_unstable();
        // Taking the call that ends first, again and again, gives the longest chain.
        let (mut depth, mut free_from) = (0, 0);
        for (end, start) in spans {
            if start >= free_from {
                depth += 1;
                free_from = end;
            }
        }
        depth
    }

    /// Forgets the calls so far.
    pub fn reset(&self) {
        *self.lock() = Calls::default();
    }

    fn begin(&self) -> usize {
        let mut calls = self.lock();
        calls.clock += 1;
        let start = calls.clock;
        calls.spans.push((start, None));
        calls.spans.len() - 1
    }

    fn end(&self, call: usize) {
        let mut calls = self.lock();
        calls.clock += 1;
        let now = calls.clock;
        if let Some((_, end)) = calls.spans.get_mut(call) {
            *end = Some(now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration with something around each connector of its client, or of the one that the SDK would make.
pub(super) fn around<C: HttpConnector + 'static>(
    config: &SdkConfig,
    wrap: impl Fn(SharedHttpConnector) -> C + Send + Sync + 'static,
) -> SdkConfig {
    let client = config.http_client().unwrap_or_else(|| {
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        aws_smithy_http_client::Builder::new().tls_provider(tls).build_https()
    });
    let client = http_client_fn(move |settings, components| {
        SharedHttpConnector::new(wrap(client.http_connector(settings, components)))
    });
    config.to_builder().http_client(client).build()
}

#[derive(Debug)]
struct Counting {
    inner: SharedHttpConnector,
    counter: Counter,
}

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (counter, inner, operation) = (self.counter.clone(), self.inner.clone(), Operation::of(&request));
        HttpConnectorFuture::new(async move {
            let _room = counter.1.enter(&operation).await;
            let call = counter.begin();
            let answering = async {
                let answer = inner.call(request).await;
                counter.end(call);
                whole(&operation, answer?).await
            };
            let answer = tokio::select! {
                answer = answering => answer,
                never = counter.2.watch(&operation) => match never {},
            };
            tell(&operation, answer.as_ref().map(|answer| answer.status().as_u16()));
            answer
        })
    }
}

/// Retries are the SDK's own affair, and would go unseen.
fn tell(operation: &Operation, answer: Result<u16, &ConnectorError>) {
    let Operation { service, action, attempt, .. } = operation;
    match answer {
        Ok(status) if *attempt > 1 => tracing::info!(service, action, attempt, status, "sent again"),
        Ok(status @ 300..) => tracing::debug!(service, action, status, "refused"),
        Ok(_) => tracing::trace!(service, action, "answered"),
        Err(error) => tracing::info!(service, action, attempt, %error, "no answer came"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_the_longest_chain_of_calls_that_do_not_overlap() {
        let counter = Counter::default();
        let first = counter.begin();
        counter.end(first);
        let (left, right) = (counter.begin(), counter.begin());
        counter.end(left);
        let last = counter.begin();
        counter.end(last);
        counter.end(right);
        assert_eq!((counter.count(), counter.depth()), (4, 3));
        counter.reset();
        assert_eq!((counter.count(), counter.depth()), (0, 0));
    }
}
