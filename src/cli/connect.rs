//! How AWS is reached: credentials and region as in every AWS tool, an endpoint, or a sandbox of our own.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use http::uri::Authority;

use super::profile::Named;
use super::{Error, Globals, Output, Result};
use crate::resource::{Desired, Place};
use crate::sandbox::{self, Sandbox};
use crate::services::count::{Counter, SLOW};
use crate::services::{error, sts};

/// Names the endpoint of a sandbox that runs already, with its key.
const SANDBOX: &str = "BATCHWRIGHT_SANDBOX";

/// AWS, as this command reaches it; with the sandbox that was made for it.
pub struct Connection {
    place: Place,
    config: SdkConfig,
    /// The profile whose credentials these are, if one was named.
    profile: Option<Named>,
    sandbox: Option<Sandbox>,
    calls: Counter,
}

impl Connection {
    /// Finds credentials, an endpoint and the place's region, and starts the sandbox if it is asked for.
    pub async fn open(globals: &Globals, place: &Place, out: &Output) -> Result<Self> {
        let running = std::env::var(SANDBOX).ok().filter(|url| !url.is_empty());
        let endpoint = match (globals.sandbox, running) {
            (true, None) => return Self::to_own_sandbox(place, out).await,
            (true, Some(url)) => return Ok(Self::with(to_sandbox(place, &url).await?, None, place, out)),
            (false, _) => {
                check_region(place)?;
                globals.endpoint_url.clone()
            }
        };
        let profile = Named::of_environment().await?;
        let config = load(place, endpoint.as_deref(), profile.as_ref()).await;
        Ok(Self { profile, ..Self::with(config, None, place, out) })
    }

    /// Starts a sandbox of this command's own, whatever the command line and the environment say.
    pub async fn to_own_sandbox(place: &Place, out: &Output) -> Result<Self> {
        let sandbox = start(place, out).await?;
        Ok(Self::with(sandbox.sdk_config(), Some(sandbox), place, out))
    }

    fn with(config: SdkConfig, sandbox: Option<Sandbox>, place: &Place, out: &Output) -> Self {
        let (calls, out) = (Counter::default(), *out);
        calls.tell_slow(SLOW, move |line| out.talk(line));
        Self { place: place.clone(), config: calls.counting(config), profile: None, sandbox, calls }
    }

    /// Where it leads.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The configuration for clients.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The calls so far.
    pub fn calls(&self) -> &Counter {
        &self.calls
    }

    /// The sandbox that was made for this command.
    pub fn sandbox(&self) -> Option<&Sandbox> {
        self.sandbox.as_ref()
    }

    /// Refuses credentials of another account than the environment's, and says whose they are.
    pub async fn check_account(&self, desired: &Desired) -> Result<String> {
        if let Some(provider) = self.config.credentials_provider() {
            let found = provider.provide_credentials().await;
            found.map_err(|error| match &self.profile {
                Some(profile) => profile.refused(&error),
                None => Error::Credentials { why: error::chain(&error) },
            })?;
        }
        let (actual, identity) =
            sts::caller(&self.config).await.map_err(Error::aws("ask AWS whose the credentials are"))?;
        if actual == desired.place.account {
            return Ok(identity);
        }
        let (environment, expected) = (desired.environment.clone(), desired.place.account.clone());
        Err(Error::Account { environment, expected, actual, identity })
    }

    /// Stops the sandbox, with everything that runs in it.
    pub async fn close(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

/// Refuses to work in one region while the shell says another: one of the two is a mistake.
fn check_region(place: &Place) -> Result<()> {
    let said = std::env::var("AWS_REGION").ok().filter(|said| !said.is_empty() && *said != place.region);
    match said {
        Some(actual) => Err(Error::Region { expected: place.region.clone(), actual }),
        None => Ok(()),
    }
}

/// Starts a sandbox that answers as this account and region.
async fn start(place: &Place, out: &Output) -> Result<Sandbox> {
    let options = sandbox::Options {
        account: place.account.clone(),
        region: place.region.clone(),
        ..sandbox::Options::default().kept()
    };
    let mut tell = |step: sandbox::Progress| out.talk(&step.to_string());
    Ok(Sandbox::start(options, &mut tell).await?)
}

/// How long one attempt at a call may take: a server that accepts and never answers would hold a step for ever.
const ATTEMPT: Duration = Duration::from_secs(30);

/// How long a call may take with all its attempts, and the pauses between them: then it is given up.
const CALL: Duration = Duration::from_secs(150);

/// How often the SDK sends a call before it gives up: a plan fails with any of its reads. It waits a second at first, by
/// chance and longer each time, and as AWS asks where it does.
const TRIES: u32 = 8;

fn timeouts(attempt: Duration, call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(attempt).operation_timeout(call).build()
}

fn loader(place: &Place) -> ConfigLoader {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(place.region.clone()))
        .timeout_config(timeouts(ATTEMPT, CALL));
    if std::env::var_os("AWS_MAX_ATTEMPTS").is_none() {
        loader = loader.retry_config(RetryConfig::standard().with_max_attempts(TRIES));
    }
    loader
}

async fn load(place: &Place, endpoint: Option<&str>, profile: Option<&Named>) -> SdkConfig {
    let mut loader = loader(place);
    if let Some(profile) = profile {
        loader = loader.credentials_provider(profile.provider().await);
    }
    let Some(endpoint) = endpoint else { return loader.load().await };
    let mut loader = loader.endpoint_url(endpoint);
    if is_loopback(endpoint) && profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_none() {
        loader = loader.credentials_provider(dummy());
    }
    loader.load().await
}

/// A sandbox that runs already, at an endpoint of this machine, with the key that it printed.
///
/// Whatever listens there by now is told nobody's credentials: the key is the sandbox's own, and no request carries its secret.
async fn to_sandbox(place: &Place, invitation: &str) -> Result<SdkConfig> {
    let help = format!("set {SANDBOX} to what `batchwright sandbox` printed, or unset it to start another");
    // Nothing of the text but its host is repeated: it holds a secret.
    let Some((endpoint, id, secret)) = accepted(invitation) else {
        return Err(Error::with_help(
            format!("{SANDBOX} is not an address with a key, http://KEY:SECRET@127.0.0.1:PORT"),
            help,
        ));
    };
    if !is_loopback(&endpoint) {
        return Err(Error::with_help(
            format!(
                "{SANDBOX} is at {endpoint}, which is not this machine: a sandbox listens on 127.0.0.1 only"
            ),
            help,
        ));
    }
    let key = SharedCredentialsProvider::new(Credentials::new(id, secret, None, None, "sandbox"));
    Ok(loader(place).endpoint_url(endpoint).credentials_provider(key).load().await)
}

/// The endpoint, the access key's id and its secret, of `http://ID:SECRET@HOST:PORT`.
fn accepted(invitation: &str) -> Option<(String, &str, &str)> {
    let (key, host) = invitation.strip_prefix("http://")?.trim_end_matches('/').rsplit_once('@')?;
    let (id, secret) = key.split_once(':')?;
    let whole = !id.is_empty() && !secret.is_empty() && host.parse::<Authority>().is_ok();
    whole.then(|| (format!("http://{host}"), id, secret))
}

fn dummy() -> SharedCredentialsProvider {
    SharedCredentialsProvider::new(Credentials::new("AKIADUMMYDUMMYDUMMY0", "dummy", None, None, "dummy"))
}

fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let Ok(authority) = rest.split(['/', '?', '#']).next().unwrap_or_default().parse::<Authority>() else {
        return false;
    };
    let host = authority.host().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::*;

    /// Takes every request and never answers.
    #[derive(Debug)]
    struct Hanging;

    impl HttpConnector for Hanging {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    #[tokio::test]
    async fn a_read_that_hangs_is_told_and_given_up() {
        const { assert!(SLOW.as_secs() == 3 && ATTEMPT.as_secs() == 30 && CALL.as_secs() == 150) };
        let client = http_client_fn(|_, _| SharedHttpConnector::new(Hanging));
        let loader = ConfigLoader::default().region(Region::new("eu-west-1"));
        let loader = loader
            .behavior_version(BehaviorVersion::latest())
            .timeout_config(timeouts(Duration::from_millis(200), Duration::from_millis(400)));
        let config = loader.credentials_provider(dummy()).http_client(client).load().await;
        let (calls, lines) = (Counter::default(), Arc::new(Mutex::new(Vec::new())));
        let told = Arc::clone(&lines);
        calls.tell_slow(Duration::from_millis(1), move |line| told.lock().unwrap().push(line.to_owned()));
        let error = sts::caller(&calls.counting(config)).await.unwrap_err();
        assert_eq!(error.reached, crate::services::Reached::Unknown, "{error}");
        let lines = lines.lock().unwrap();
        let first = "  AWS has not answered sts GetCallerIdentity for 0 s (try 1)";
        assert_eq!(lines.first().map(String::as_str), Some(first));
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:80", "http://localhost/x", "https://[::1]:1", "127.0.0.2:5"] {
            assert!(is_loopback(url), "{url}");
        }
        let elsewhere = [
            "http://10.0.0.1",
            "https://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1:80@example.com",
            "http://example.com?127.0.0.1",
        ];
        for url in elsewhere {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn an_invitation_has_an_endpoint_and_a_key() {
        let (endpoint, id, secret) = accepted("http://AKIA:s3cret@127.0.0.1:4566/").unwrap();
        assert_eq!((endpoint.as_str(), id, secret), ("http://127.0.0.1:4566", "AKIA", "s3cret"));
        for text in
            ["http://127.0.0.1:4566", "http://AKIA@127.0.0.1:1", "https://A:b@127.0.0.1:1", "http://A:b@", ""]
        {
            assert!(accepted(text).is_none(), "{text}");
        }
        // What is asked is what was checked, whatever stands before the last `@`.
        assert_eq!(accepted("http://A:b@127.0.0.1:1@example.com").unwrap().0, "http://example.com");
    }
}
