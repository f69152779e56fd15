//! Job definitions as AWS wrote them: the SDK drops what it does not know, and a revision without that would be another one.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::services::settings;

/// The SDK's client, and the revisions that it was told of. A revision never changes, so that its ARN tells it.
#[derive(Debug, Clone)]
pub struct Client {
    sdk: aws_sdk_batch::Client,
    revisions: Revisions,
}

type Revisions = Arc<Mutex<BTreeMap<String, Value>>>;

impl Client {
    /// A client that keeps what it is told of job definitions.
    pub fn new(config: &SdkConfig) -> Self {
        let revisions = Revisions::default();
        let listener = Listener(Arc::clone(&revisions));
        let config = settings!(aws_sdk_batch, config).interceptor(listener).build();
        Self { sdk: aws_sdk_batch::Client::from_conf(config), revisions }
    }

    /// A revision as AWS wrote it.
    pub fn revision(&self, arn: &str) -> Option<Value> {
        self.revisions.lock().unwrap_or_else(PoisonError::into_inner).get(arn).cloned()
    }
}

impl Deref for Client {
    type Target = aws_sdk_batch::Client;

    fn deref(&self) -> &aws_sdk_batch::Client {
        &self.sdk
    }
}

#[derive(Debug)]
struct Listener(Revisions);

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "JobDefinitionsAsWritten"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        // What no JSON is, the SDK has complained of already.
        let Ok(Value::Object(mut answer)) = serde_json::from_slice(body) else { return Ok(()) };
        let Some(Value::Array(definitions)) = answer.remove("jobDefinitions") else { return Ok(()) };
        let mut revisions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in definitions {
            if let Some(arn) = one.get("jobDefinitionArn").and_then(Value::as_str).map(str::to_owned) {
                revisions.insert(arn, one);
            }
        }
        Ok(())
    }
}
