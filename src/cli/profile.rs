//! A profile that was named: its credentials and no others.
//!
//! The SDK's default chain goes on to web identity, containers and instances where a profile gives nothing: the user reads
//! of an instance that they never heard of, or works as somebody whom they did not name.

use aws_config::profile::{self, Profile, ProfileFileCredentialsProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::os_shim_internal::{Env, Fs};

use super::{Error, Result};
use crate::manifest::{did_you_mean, listed};
use crate::services::error;

/// A profile, and what its section says.
pub struct Named {
    name: String,
    section: Profile,
}

/// Where AWS's tools look for profiles, and what names another file.
const FILES: [(&str, &str); 2] =
    [("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")];

impl Named {
    /// The profile that AWS_PROFILE names. None, where it is not set, or keys in the environment come first, as in the SDKs.
    pub async fn of_environment() -> Result<Option<Self>> {
        let is_set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        match is_set("AWS_PROFILE") {
            Some(name) if !keys.iter().all(|key| is_set(key).is_some()) => Self::load(name).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn load(name: String) -> Result<Self> {
        let [config, credentials] = FILES.map(|(variable, usual)| {
            std::env::var(variable).ok().filter(|file| !file.is_empty()).unwrap_or_else(|| usual.to_owned())
        });
        let found = profile::load(&Fs::real(), &Env::real(), &Default::default(), None).await;
        let found = found.map_err(|error| Error::Profile {
            message: format!("{config} and {credentials} can't be read: {}", error::chain(&error)),
            help: vec![format!("correct the file, or unset AWS_PROFILE (it is `{name}`)")],
        })?;
        if let Some(section) = found.get_profile(&name) {
            return Ok(Self { section: section.clone(), name });
        }
        let mut names: Vec<&str> = found.profiles().collect();
        names.sort_unstable();
        let mut help: Vec<String> = did_you_mean(&name, names.iter().copied()).into_iter().collect();
        help.push(match listed(names.iter().copied()) {
            none if none.is_empty() => {
                format!("there are no profiles yet: `aws configure sso --profile {name}` makes one")
            }
            names => format!("profiles are: {names}; set AWS_PROFILE to one of them, or unset it"),
        });
        let message =
            format!("there is no profile `{name}` in {config} or {credentials} (AWS_PROFILE names it)");
        Err(Error::Profile { message, help })
    }

    /// Where its credentials come from.
    pub async fn provider(&self) -> SharedCredentialsProvider {
        let builder = ProfileFileCredentialsProvider::builder().profile_name(&self.name);
        SharedCredentialsProvider::new(
            builder.configure(&ProviderConfig::with_default_region().await).build(),
        )
    }

    /// Why it gave none, and what to do.
    pub fn refused(&self, error: &CredentialsError) -> Error {
        let Self { name, .. } = self;
        // The outermost layer names a provider, and means nothing to whoever wrote the profile.
        let why = std::error::Error::source(error).map_or_else(|| error.to_string(), error::chain);
        let why = why.strip_prefix("ProfileFile provider could not be built: ").unwrap_or(&why);
        let has = |key: &str| self.section.get(key).is_some();
        let is_sso = ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"].into_iter().any(has);
        let sources =
            ["aws_access_key_id", "aws_secret_access_key", "role_arn", "credential_process", "login_session"];
        let (why, help) = if is_sso {
            let right = "see that it names sso_session (or sso_start_url and sso_region), sso_account_id and sso_role_name";
            (why.to_owned(), format!("run `aws sso login --profile {name}`; if that fails, {right}"))
        } else if has("login_session") {
            (why.to_owned(), format!("run `aws login --profile {name}`"))
        } else if has("role_arn") && has("mfa_serial") {
            // The SDK knows no mfa_serial: it asks for the role without a code, and is denied.
            let export =
                format!("eval \"$(aws configure export-credentials --profile {name} --format env)\"");
            let help = format!(
                "it has mfa_serial, and nobody is asked for the code here: export keys first (`{export}`), or give it a credential_process"
            );
            (why.to_owned(), help)
        } else if has("role_arn") {
            let help = "see its role_arn and source_profile (or credential_source), and that the role lets you assume it";
            (why.to_owned(), help.to_owned())
        } else if !sources.into_iter().any(has) {
            let why = "it names no credentials, neither keys nor a role nor IAM Identity Center".to_owned();
            (
                why,
                format!(
                    "complete it with `aws configure sso --profile {name}`, or set AWS_PROFILE to another"
                ),
            )
        } else {
            (
                why.to_owned(),
                format!(
                    "correct it, or set AWS_PROFILE to another; `aws configure list --profile {name}` shows it"
                ),
            )
        };
        Error::Profile {
            message: format!("the profile `{name}` gives no credentials: {why}"),
            help: vec![help],
        }
    }
}
