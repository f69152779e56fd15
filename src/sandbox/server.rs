//! The server itself: names a request, counts it, breaks it if told, and hands it to whoever serves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::admin;
use super::count::Recorder;
use super::faults::{Fault, Judge, StopWhen, Verdict};
use super::moto::Moto;
use super::options::Options;
use super::reply::{self, Body, BodyError};
use super::request::{Target, wants_body};

/// Which account moto answers as.
const ACCOUNT_HEADER: HeaderName = HeaderName::from_static("x-moto-account-id");
/// The largest body that is read whole; those of S3 are passed on as they come.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// All that a sandbox's connections share.
pub struct State {
    pub account: String,
    pub region: String,
    pub recorder: Recorder,
    pub faults: Judge,
    refuse_writes: AtomicBool,
    latency: AtomicU64,
    moto: Arc<Moto>,
    client: Client<HttpConnector, Body>,
}

/// The line is cut: no answer goes out.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

impl State {
    pub fn new(options: &Options, moto: Arc<Moto>, _endpoint: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            account: options.account.clone(),
            region: options.region.clone(),
            recorder: Recorder::default(),
            faults: Judge::default(),
            refuse_writes: AtomicBool::new(false),
            latency: AtomicU64::new(0),
            moto,
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(Duration::from_secs(20))
                .build(connector),
        }
    }

    pub fn set_refuse_writes(&self, refuse: bool) {
        self.refuse_writes.store(refuse, Ordering::Relaxed);
    }

    pub fn set_latency(&self, latency: Duration) {
        self.latency.store(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn verdict(&self, target: &Target) -> Verdict {
        if target.write && self.refuse_writes.load(Ordering::Relaxed) {
            return Verdict::Break(Fault::Deny);
        }
        self.faults.judge(&target.service, &target.action, target.write)
    }
}

/// Accepts connections until dropped; its connections go with it.
pub async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(serve(stream, Arc::clone(&state)));
            },
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let state = Arc::clone(&state);
        async move { answer(state, request).await }
    });
    let served =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::trace!("a connection ended: {error}");
    }
}

async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let path = request.uri().path();
    if let Some(rest) = path.strip_prefix(admin::PREFIX) {
        let (rest, method) = (rest.to_owned(), request.method().clone());
        let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
        return Ok(admin::answer(&state, &method, &rest, &body));
    }
    // A caller that goes away must not cut its call's work short: it runs on in a task of its own.
    let work = async move { call(&state, request).await };
    tokio::spawn(work).await.unwrap_or(Err(Cut))
}

async fn call(state: &State, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (mut parts, incoming) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let (known, stream) = if wants_body(&query, &parts.headers) {
        let read = Limited::new(incoming, BODY_LIMIT).collect().await.map_err(|_| Cut)?;
        (read.to_bytes(), None)
    } else {
        (Bytes::new(), Some(incoming))
    };
    let target = Target::of(&parts.method, parts.uri.path(), &query, &parts.headers, &known);
    let mut ticket = state.recorder.begin(&target.service, &target.action, target.write);
    let latency = state.latency.load(Ordering::Relaxed);
    if latency > 0 {
        tokio::time::sleep(Duration::from_micros(latency)).await;
    }
    let verdict = state.verdict(&target);
    match verdict {
        Verdict::Break(fault @ (Fault::Throttle | Fault::Internal | Fault::Reset | Fault::Deny)) => {
            ticket.broken(&format!("{fault:?}"));
            let response = reply::fault(fault, &target).ok_or(Cut)?;
            ticket.answered(response.status().as_u16());
            return Ok(response);
        }
        Verdict::Stop(StopWhen::Before) | Verdict::Dead => {
            ticket.broken("Stop");
            return Err(Cut);
        }
        Verdict::Pass | Verdict::Break(Fault::LostReply) | Verdict::Stop(StopWhen::After) => {}
    }
    parts.headers.insert(ACCOUNT_HEADER, HeaderValue::from_str(&state.account).map_err(|_| Cut)?);
    let body = match stream {
        Some(stream) => stream.map_err(BodyError::from).boxed(),
        None => reply::whole(known),
    };
    let response = serve_by_moto(state, &target, Request::from_parts(parts, body)).await;
    match verdict {
        Verdict::Pass => {
            ticket.answered(response.status().as_u16());
            Ok(response)
        }
        lost => {
            // The work must be over, its answer's last byte included, before the caller is cut off.
            let _ = response.into_body().collect().await;
            ticket.broken(if lost == Verdict::Break(Fault::LostReply) { "LostReply" } else { "Stop" });
            if matches!(lost, Verdict::Stop(_)) {
                state.faults.announce_stop();
            }
            Err(Cut)
        }
    }
}

async fn serve_by_moto(state: &State, target: &Target, mut request: Request<Body>) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match format!("http://127.0.0.1:{}{path}", state.moto.port()).parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return reply::unserved(target, &format!("its address can't be passed on: {error}")),
    }
    match state.client.request(request).await {
        Ok(response) if fell_over(&response) => {
            let said = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            reply::unserved(target, String::from_utf8_lossy(&said).trim())
        }
        Ok(response) => response.map(|body| body.map_err(BodyError::from).boxed()),
        Err(error) => reply::unserved(target, &format!("moto can't be reached: {error}")),
    }
}

/// Our wrapper answers 501 for what moto doesn't implement or crashes over; some it answers with a page for people.
fn fell_over(response: &Response<Incoming>) -> bool {
    let page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"));
    let status = response.status();
    status == StatusCode::NOT_IMPLEMENTED || (page && status.is_server_error())
}
