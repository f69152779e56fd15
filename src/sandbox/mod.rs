//! An AWS to try things on: loopback only, no account needed.
//!
//! A [`Sandbox`] is a server on a free port of 127.0.0.1. It knows which service and operation every request is
//! for, counts it ([`Stats`]), may delay, refuse or break it ([`Faults`]), and then hands it on: AWS Batch to the
//! native implementation in this program, everything else to moto, which [`install`] puts into the cache folder once
//! and [`moto`] runs as a child. What moto gets wrong is put right under `fixes/`, one file per service.

mod admin;
pub mod batch;
mod count;
mod door;
#[cfg(feature = "faults")]
mod faults;
pub mod install;
pub mod keeper;
mod keys;
pub mod moto;
mod operations;
mod options;
mod payload;
mod reply;
mod request;
mod rounds;
mod server;
mod signature;
mod tagging;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use batch::Batch;
pub use count::{Call, Stats};
#[cfg(feature = "faults")]
pub use faults::{Exact, Fault, Faults, Held, Lag, Operation, Rates, Regional, Snapshot, Stop, StopWhen};
pub use options::{MotoSource, Options, Progress};

use door::{ACCESS_KEY, Keys};
use server::State;

/// Why a sandbox could not be started, or its state not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Moto could not be put into the cache folder.
    #[error("installing moto failed: {0}")]
    Install(#[from] install::Error),
    /// Moto did not come up.
    #[error("moto did not start: {0}")]
    Moto(#[from] moto::Error),
    /// No port of the loopback interface could be had.
    #[error("no port on 127.0.0.1 could be opened: {0}")]
    Listen(#[source] std::io::Error),
    /// A snapshot could not be taken or put back.
    #[error("the account's state could not be kept or put back: {0}")]
    Snapshot(String),
}

/// A running sandbox: one AWS account in one partition, on a port of its own.
pub struct Sandbox {
    state: Arc<State>,
    endpoint: String,
    accepting: tokio::task::JoinHandle<()>,
    #[cfg(feature = "faults")]
    hang_ups: tokio::sync::mpsc::Sender<server::HangUp>,
}

impl Sandbox {
    /// Installs moto if need be, starts it, and listens. `progress` hears of each phase.
    pub async fn start(options: Options, progress: &mut (dyn FnMut(Progress) + Send)) -> Result<Self, Error> {
        let moto = options.moto.open(progress).await?;
        let listener =
            tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await.map_err(Error::Listen)?;
        let endpoint = format!("http://{}", listener.local_addr().map_err(Error::Listen)?);
        let settings = batch::Settings {
            transition: options.transition,
            job_step: options.job_step,
            keeper: options.keeper.clone(),
            ..batch::Settings::new(&options.account, &options.region)
        };
        let keys = Keys::random();
        let upstream = batch::Upstream {
            access_key_id: request::OWN_ACCESS_KEY.to_owned(),
            secret_access_key: keys.own.reveal().to_owned(),
            ..batch::Upstream::at(&endpoint)
        };
        let batch = Batch::new(settings, upstream, batch::Programs::default());
        let state = Arc::new(State::new(&options, keys, moto, batch));
        #[cfg_attr(not(feature = "faults"), expect(unused_variables, reason = "only tests cut connections"))]
        let (hang_ups, orders) = tokio::sync::mpsc::channel(1);
        let accepting = tokio::spawn(server::accept(listener, Arc::clone(&state), orders));
        progress(Progress::Ready { endpoint: endpoint.clone() });
        Ok(Self {
            state,
            endpoint,
            accepting,
            #[cfg(feature = "faults")]
            hang_ups,
        })
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The AWS account it answers as.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.state.account
    }

    /// What BATCHWRIGHT_SANDBOX is set to, for `--sandbox` to use this one: where it listens, with the key that it asks for.
    #[must_use]
    pub fn invitation(&self) -> String {
        let host = self.endpoint.trim_start_matches("http://");
        format!("http://{ACCESS_KEY}:{}@{host}", self.state.keys.user.reveal())
    }

    /// What requests to its admin door, the paths under `/_batchwright/`, must have in the header `x-batchwright-token`.
    #[must_use]
    pub fn token(&self) -> &str {
        self.state.keys.token.reveal()
    }

    /// The variables that point any AWS tool at it.
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", self.state.keys.user.reveal()),
            ("AWS_REGION", self.state.region.as_str()),
            ("AWS_DEFAULT_REGION", self.state.region.as_str()),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// A configuration for the SDKs' clients: its own credentials, this endpoint, this region, and short waits before a
    /// call is sent again.
    ///
    /// S3 needs no setting of its own: with an IP address for an endpoint the SDK puts the bucket into the path.
    #[must_use]
    pub fn sdk_config(&self) -> aws_config::SdkConfig {
        let secret = self.state.keys.user.reveal();
        let credentials = aws_credential_types::Credentials::new(ACCESS_KEY, secret, None, None, "sandbox");
        aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(aws_config::Region::new(self.state.region.clone()))
            .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
            .retry_config(hasty())
            .build()
    }

    /// What was called since the start or the last [`Sandbox::reset_stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state.recorder.stats()
    }

    /// Forgets the calls so far, and starts the counting of faults anew.
    pub fn reset_stats(&self) {
        self.state.recorder.reset();
        #[cfg(feature = "faults")]
        self.state.faults.judge.rewind();
    }

    /// Answers calls round by round, a round being over once nothing has come in for so long: what did not wait for an
    /// answer overlaps, however slow the machine, so that [`Stats::depth`] is the depth. Zero ends it.
    pub fn answer_in_rounds(&self, quiet: Duration) {
        self.state.rounds.set(quiet);
    }

    /// Its AWS Batch: settings, images, the history of its queues.
    #[must_use]
    pub fn batch(&self) -> &Batch {
        &self.state.batch
    }

    /// Ends the jobs' processes, then stops listening; an own moto goes with it.
    pub async fn stop(self) {
        self.state.batch.shutdown().await;
        self.accepting.abort();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Nobody but a test throttles here.
fn hasty() -> aws_config::retry::RetryConfig {
    let retry = aws_config::retry::RetryConfig::standard().with_max_attempts(14);
    retry.with_initial_backoff(Duration::from_millis(5)).with_max_backoff(Duration::from_millis(100))
}
