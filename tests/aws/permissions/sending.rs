//! Every request that leaves, as it leaves.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use batchwright::resource::Desired;
use percent_encoding::percent_decode_str;

use super::calls::{Need, needs_of};

/// One request, as it left.
#[derive(Debug, Clone)]
pub struct Sent {
    pub service: String,
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub target: Option<String>,
    pub body: Vec<u8>,
}

impl Sent {
    /// The fields of a form.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(std::str::from_utf8(&self.body).unwrap())
    }
}

/// All requests that left, in their order; and the boundaries that roles carry by now.
#[derive(Debug, Clone, Default)]
pub struct Sending(Arc<Mutex<Vec<Sent>>>, Arc<Mutex<BTreeMap<String, String>>>);

impl Sending {
    /// The configuration, with a client that writes down what it sends.
    pub fn noting(&self, config: SdkConfig) -> SdkConfig {
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let inner = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        config.into_builder().http_client(Noting { inner, sending: self.clone() }).build()
    }

    /// What the requests needed that were sent since the last time this was asked.
    pub fn needs(&self, desired: &Desired) -> Vec<Need> {
        let sent = std::mem::take(&mut *self.0.lock().unwrap());
        let mut bounds = self.1.lock().unwrap();
        sent.iter().flat_map(|sent| needs_of(sent, desired, &mut bounds)).collect()
    }
}

#[derive(Debug)]
struct Noting<T> {
    inner: T,
    sending: Sending,
}

impl HttpClient for Noting<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Noting { inner, sending: self.sending.clone() })
    }
}

impl HttpConnector for Noting<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let scope = request.headers().get("authorization").and_then(|it| it.split_once("Credential="));
        let service = scope.and_then(|(_, rest)| rest.split(',').next()?.split('/').nth(3));
        let uri = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let sent = Sent {
            service: service.unwrap_or_default().to_owned(),
            method: request.method().to_owned(),
            path: path.split_once('/').map_or("", |(_, path)| path).to_owned(),
            query: pairs(query),
            target: request.headers().get("x-amz-target").map(str::to_owned),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        self.sending.0.lock().unwrap().push(sent);
        self.inner.call(request)
    }
}

fn pairs(form: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        pair.split_once('=').map_or((decoded(pair), String::new()), |(k, v)| (decoded(k), decoded(v)))
    };
    form.split('&').filter(|it| !it.is_empty()).map(pair).collect()
}
