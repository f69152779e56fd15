//! The other services as they are really asked: over HTTP, with the SDK.

use aws_credential_types::Credentials;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::error::display::DisplayErrorContext;
use percent_encoding::percent_decode_str;

use super::Settings;
use super::world::{Answer, Line, Template, TemplateName, World};

/// Where the other services are, and who asks.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Base URL at which the Batch service itself asks IAM and EC2 and writes logs: moto, so that nothing is counted.
    pub services: String,
    /// Base URL that jobs get as `AWS_ENDPOINT_URL`: the sandbox.
    pub jobs: String,
    /// Access key of both.
    pub access_key_id: String,
    /// Secret key of both.
    pub secret_access_key: String,
}

impl Upstream {
    /// The same endpoint for the service and for jobs, with dummy credentials.
    pub fn at(endpoint: &str) -> Self {
        Self {
            services: endpoint.into(),
            jobs: endpoint.into(),
            access_key_id: "sandbox".into(),
            secret_access_key: "sandbox".into(),
        }
    }

    /// Clients for the services at `services`.
    pub(super) fn world(&self, settings: &Settings) -> Services {
        let (key, secret) = (&self.access_key_id, &self.secret_access_key);
        let credentials = Credentials::new(key, secret, None, None, "sandbox");
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::Config::builder()
                        .behavior_version($sdk::config::BehaviorVersion::latest())
                        .endpoint_url(&self.services)
                        .region($sdk::config::Region::new(settings.region.clone()))
                        .credentials_provider(credentials.clone())
                        .interceptor(AsAccount(settings.account.clone()))
                        .build(),
                )
            };
        }
        Services {
            iam: client!(aws_sdk_iam),
            ec2: client!(aws_sdk_ec2),
            logs: client!(aws_sdk_cloudwatchlogs),
        }
    }
}

/// Tells moto which account a call is for; credentials alone would all mean its default account.
#[derive(Debug)]
struct AsAccount(String);

impl Intercept for AsAccount {
    fn name(&self) -> &'static str {
        "AsAccount"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().try_insert("x-moto-account-id", self.0.clone())?;
        Ok(())
    }
}

/// IAM, EC2 and CloudWatch Logs behind one endpoint.
pub(super) struct Services {
    iam: aws_sdk_iam::Client,
    ec2: aws_sdk_ec2::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

fn told(error: impl std::error::Error) -> String {
    DisplayErrorContext(error).to_string()
}

impl World for Services {
    fn trust_policy<'a>(&'a self, role: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            match self.iam.get_role().role_name(role).send().await {
                Ok(found) => {
                    let role = found.role;
                    let encoded = role.and_then(|role| role.assume_role_policy_document).unwrap_or_default();
                    Ok(Some(percent_decode_str(&encoded).decode_utf8_lossy().into_owned()))
                }
                Err(error) if error.code() == Some("NoSuchEntity") => Ok(None),
                Err(error) => Err(told(error)),
            }
        })
    }

    fn has_instance_profile<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async move {
            match self.iam.get_instance_profile().instance_profile_name(name).send().await {
                Ok(_) => Ok(true),
                Err(error) if error.code() == Some("NoSuchEntity") => Ok(false),
                Err(error) => Err(told(error)),
            }
        })
    }

    fn missing_subnet<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(None);
            }
            let filter =
                aws_sdk_ec2::types::Filter::builder().name("subnet-id").set_values(Some(ids.to_vec()));
            let found = self.ec2.describe_subnets().filters(filter.build()).send().await.map_err(told)?;
            let known: Vec<&str> = found.subnets().iter().filter_map(|one| one.subnet_id()).collect();
            Ok(ids.iter().find(|id| !known.contains(&id.as_str())).cloned())
        })
    }

    fn missing_security_group<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(None);
            }
            let filter =
                aws_sdk_ec2::types::Filter::builder().name("group-id").set_values(Some(ids.to_vec()));
            let found =
                self.ec2.describe_security_groups().filters(filter.build()).send().await.map_err(told)?;
            let known: Vec<&str> = found.security_groups().iter().filter_map(|one| one.group_id()).collect();
            Ok(ids.iter().find(|id| !known.contains(&id.as_str())).cloned())
        })
    }

    fn launch_template<'a>(&'a self, asked: &'a TemplateName, version: &'a str) -> Answer<'a, Template> {
        Box::pin(async move {
            let call = self.ec2.describe_launch_template_versions().versions(version);
            let call = match asked {
                TemplateName::Id(id) => call.launch_template_id(id),
                TemplateName::Name(name) => call.launch_template_name(name),
            };
            match call.send().await {
                Ok(found) => {
                    let data =
                        found.launch_template_versions().first().and_then(|it| it.launch_template_data());
                    Ok(match data {
                        Some(data) => Template::Found { user_data: data.user_data().map(str::to_owned) },
                        None => Template::NoVersion,
                    })
                }
                Err(error) => match error.code() {
                    Some(code) if code.contains("VersionNotFound") => Ok(Template::NoVersion),
                    Some(code) if code.contains("NotFound") => Ok(Template::None),
                    _ => Err(told(error)),
                },
            }
        })
    }

    fn open_stream<'a>(&'a self, group: &'a str, stream: &'a str, with_group: bool) -> Answer<'a, ()> {
        Box::pin(async move {
            if with_group
                && let Err(error) = self.logs.create_log_group().log_group_name(group).send().await
                && error.code() != Some("ResourceAlreadyExistsException")
            {
                return Err(told(error));
            }
            let request = self.logs.create_log_stream().log_group_name(group).log_stream_name(stream);
            match request.send().await {
                Ok(_) => Ok(()),
                Err(error) => match error.code().zip(error.message()) {
                    Some((code, message)) => Err(format!("{code}: {message}")),
                    None => Err(told(error)),
                },
            }
        })
    }

    fn put_lines<'a>(&'a self, group: &'a str, stream: &'a str, lines: Vec<Line>) -> Answer<'a, ()> {
        Box::pin(async move {
            let events = lines
                .into_iter()
                .map(|(at, text)| {
                    let at = i64::try_from(at).unwrap_or(i64::MAX);
                    InputLogEvent::builder().timestamp(at).message(text).build().map_err(told)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let request = self.logs.put_log_events().log_group_name(group).log_stream_name(stream);
            request.set_log_events(Some(events)).send().await.map(|_| ()).map_err(told)
        })
    }
}
