//! When AWS last answered a call: whatever it said, each answer shows that it is in reach.

use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::time::Instant;

use super::count::around;

/// Hears every answer to the clients that share a configuration.
#[derive(Debug, Clone, Default)]
pub struct Heard(Arc<Mutex<Option<Instant>>>);

impl Heard {
    /// The configuration, with a client that is listened to.
    pub fn hearing(&self, config: &SdkConfig) -> SdkConfig {
        let heard = self.clone();
        around(config, move |inner| Hearing { inner, heard: heard.clone() })
    }

    /// When the last answer came; nothing before the first.
    pub fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[derive(Debug)]
struct Hearing {
    inner: SharedHttpConnector,
    heard: Heard,
}

impl HttpConnector for Hearing {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (heard, inner) = (self.heard.clone(), self.inner.clone());
        HttpConnectorFuture::new(async move {
            let answer = inner.call(request).await;
            if answer.is_ok() {
                heard.hear();
            }
            answer
        })
    }
}
