//! SSM: the values of parameters, for lookups. One call of a service whose SDK takes a minute to compile: it is made on the SDK's own
//! runtime, with its signing, tries and errors (docs/build-budget.md).

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::orchestrator::operation::{Operation, OperationBuilder};
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::{Value, json};

use super::{Error, Result, failed, retries};
use crate::resource::partition_of;

/// How many names one call takes (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>).
const AT_ONCE: usize = 10;

/// What the service answers when it refuses.
#[derive(Debug)]
struct GetParametersError(ErrorMetadata);

impl std::fmt::Display for GetParametersError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for GetParametersError {}

impl ProvideErrorMetadata for GetParametersError {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// What parameters hold.
#[derive(Debug, Default)]
pub struct Parameters {
    /// The values of those that exist and are no secrets, by name.
    pub values: BTreeMap<String, String>,
    /// The names of secrets. Their values are not kept: what a manifest says is shown.
    pub secrets: BTreeSet<String>,
}

/// Reads parameters, each once.
pub async fn parameters(config: &SdkConfig, names: BTreeSet<&str>) -> Result<Parameters> {
    let mut found = Parameters::default();
    let names: Vec<&str> = names.into_iter().collect();
    for names in names.chunks(AT_ONCE) {
        let answer = operation(config).invoke(json!({"Names": names})).await;
        let answer = answer.map_err(|error| Error { service: "ssm", operation: GET, ..failed(error) })?;
        let malformed = |what: &str| Error::malformed("ssm", GET, what);
        let listed = answer.get("Parameters").and_then(Value::as_array);
        for parameter in listed.ok_or_else(|| malformed("the answer lists no parameters"))? {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str);
            let (Some(name), Some(value)) = (text("Name"), text("Value")) else {
                return Err(malformed("a parameter has no name or no value"));
            };
            if text("Type") == Some("SecureString") {
                found.secrets.insert(name.to_owned());
                continue;
            }
            found.values.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok(found)
}

/// The operation.
const GET: &str = "GetParameters";

fn operation(config: &SdkConfig) -> Operation<Value, Value, GetParametersError> {
    let region = config.region().map(ToString::to_string).unwrap_or_default();
    let suffix = if partition_of(&region) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint =
        config.endpoint_url().map_or_else(|| format!("https://ssm.{region}.{suffix}"), str::to_owned);
    let mut settings = Layer::new("ssm");
    settings.store_put(AuthSchemeOptionResolverParams::new(()));
    settings.store_put(SigningName::from_static("ssm"));
    settings.store_put(SigV4OperationSigningConfig {
        signing_options: SigningOptions::default(),
        ..Default::default()
    });
    settings.store_put(retries::own());
    if let Some(region) = config.region() {
        settings.store_put(SigningRegion::from(region.clone()));
    }
    let mut parts = RuntimeComponentsBuilder::new("ssm")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )))
        .with_identity_cache(config.identity_cache())
        .with_http_client(config.http_client())
        .with_sleep_impl(config.sleep_impl())
        .with_time_source(config.time_source());
    if let Some(provider) = config.credentials_provider() {
        parts.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(provider));
    }
    let mut builder: OperationBuilder<(), (), ()> = Operation::builder()
        .service_name("SSM")
        .operation_name(GET)
        .endpoint_url(&endpoint)
        .retry_classifier(TransientErrorClassifier::<GetParametersError>::new())
        .retry_classifier(AwsErrorCodeClassifier::<GetParametersError>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .runtime_plugin(
            StaticRuntimePlugin::new().with_config(settings.freeze()).with_runtime_components(parts),
        );
    if let Some(version) = config.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(tries) = config.retry_config() {
        builder = builder.standard_retry(tries);
    }
    if let Some(timeouts) = config.timeout_config() {
        builder = builder.timeout_config(timeouts.clone());
    }
    builder.serializer(request).deserializer(answer).build()
}

/// The request, in the protocol AWS JSON 1.1 (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).
fn request(input: Value) -> std::result::Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(input.to_string()));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request.headers_mut().try_insert("content-type", "application/x-amz-json-1.1")?;
    request.headers_mut().try_insert("x-amz-target", format!("AmazonSSM.{GET}"))?;
    Ok(request)
}

fn answer(answer: &HttpResponse) -> std::result::Result<Value, OrchestratorError<GetParametersError>> {
    let body = answer.body().bytes().unwrap_or_default();
    let value: std::result::Result<Value, _> = serde_json::from_slice(body);
    if answer.status().is_success() {
        return value.map_err(|error| OrchestratorError::other(error.to_string()));
    }
    let value = value.unwrap_or_default();
    let text = |keys: [&str; 2]| keys.iter().find_map(|key| value.get(*key)).and_then(Value::as_str);
    let mut error = ErrorMetadata::builder();
    // `com.amazonaws.ssm#InternalServerError`, or without what stands before.
    if let Some(code) = text(["__type", "code"]) {
        error = error.code(code.rsplit('#').next().unwrap_or(code));
    }
    if let Some(message) = text(["message", "Message"]) {
        error = error.message(message);
    }
    let id = answer.headers().get("x-amzn-requestid").map(str::to_owned);
    let error = id.into_iter().fold(error, |error, id| error.custom("aws_request_id", id));
    Err(OrchestratorError::operation(GetParametersError(error.build())))
}
