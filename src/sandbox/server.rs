//! The server itself: names a request, counts it, breaks it if told, and hands it to whoever serves it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::admin;
use super::batch::Batch;
use super::count::Recorder;
use super::door::{self, Keys};
#[cfg(feature = "faults")]
use super::faults;
use super::moto::Moto;
use super::options::Options;
use super::payload::{self, Finding, Wrong};
use super::reply::{self, Body, BodyError};
use super::request::{Target, wants_body};
use super::rounds::Rounds;
use super::tagging;

/// Which account moto answers as.
const ACCOUNT_HEADER: HeaderName = HeaderName::from_static("x-moto-account-id");
/// What moto answers nobody without.
const SECRET_HEADER: HeaderName = HeaderName::from_static("x-batchwright-secret");
/// Says that the sandbox itself asks for something that is no AWS call.
const INSIDE_HEADER: HeaderName = HeaderName::from_static("x-batchwright-inside");
/// The largest body that is read whole; those of S3 are passed on as they come.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// All that a sandbox's connections share.
pub struct State {
    pub account: String,
    pub region: String,
    pub keys: Keys,
    pub recorder: Recorder,
    #[cfg(feature = "faults")]
    pub faults: faults::Disturbance,
    pub rounds: Rounds,
    pub batch: Batch,
    pub moto: Arc<Moto>,
    client: Client<HttpConnector, Body>,
}

/// The line is cut: no answer goes out.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
pub struct Cut;

impl State {
    pub fn new(options: &Options, keys: Keys, moto: Arc<Moto>, batch: Batch) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            account: options.account.clone(),
            region: options.region.clone(),
            keys,
            recorder: Recorder::default(),
            #[cfg(feature = "faults")]
            faults: faults::Disturbance::default(),
            rounds: Rounds::default(),
            batch,
            moto,
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(Duration::from_secs(20))
                .build(connector),
        }
    }

    /// Asks moto something that is no AWS call.
    pub async fn ask_moto(&self, mut request: Request<Body>) -> Result<(StatusCode, Bytes), String> {
        let uri = format!("http://127.0.0.1:{}{}", self.moto.port(), request.uri());
        *request.uri_mut() = uri.parse().map_err(|error| format!("{error}"))?;
        let account = HeaderValue::from_str(&self.account).map_err(|error| error.to_string())?;
        request.headers_mut().insert(ACCOUNT_HEADER, account);
        request.headers_mut().insert(INSIDE_HEADER, HeaderValue::from_static("1"));
        self.introduce(&mut request);
        let response = self.client.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
        Ok((status, body.to_bytes()))
    }

    /// Has moto take the request for one of ours.
    fn introduce(&self, request: &mut Request<Body>) {
        if let Ok(secret) = HeaderValue::from_str(self.moto.secret().reveal()) {
            request.headers_mut().insert(SECRET_HEADER, secret);
        }
    }
}

/// An order to cut all connections, answered when that is done.
pub type HangUp = oneshot::Sender<()>;

/// Accepts connections until dropped; its connections go with it.
pub async fn accept(listener: TcpListener, state: Arc<State>, mut orders: mpsc::Receiver<HangUp>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            Some(done) = orders.recv() => {
                connections.shutdown().await;
                let _ = done.send(());
            }
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(converse(stream, Arc::clone(&state)));
            },
        }
    }
}

async fn converse(stream: TcpStream, state: Arc<State>) {
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
    let forbidden = |message| Ok(reply::json(StatusCode::FORBIDDEN, &json!({ "message": message })));
    if !door::is_local(request.headers()) {
        return forbidden("no calls from web pages");
    }
    if let Some(rest) = request.uri().path().strip_prefix(admin::PREFIX) {
        if !door::opens(&state, request.headers()) {
            return forbidden("the header x-batchwright-token must have what BATCHWRIGHT_SANDBOX_TOKEN says");
        }
        let (rest, method) = (rest.to_owned(), request.method().clone());
        let body = request.into_body().collect().await.map_err(|_| Cut)?.to_bytes();
        return Ok(admin::answer(&state, &method, &rest, &body).await);
    }
    #[cfg(feature = "faults")]
    let flight = faults::Flight::begin(&state);
    // A caller that goes away must not cut its call's work short: it runs on in a task of its own.
    let work = async move {
        #[cfg(feature = "faults")]
        let _counted = flight;
        call(&state, request).await
    };
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
    let presigned = match door::admit(state, &target, &parts, &known).await {
        Ok(presigned) => presigned,
        Err(refused) => return Ok(refused),
    };
    let (stream, finding) = match stream {
        None => (None, Finding::default()),
        Some(body) => match payload::checked(&parts, presigned, body) {
            Ok((body, finding)) => (Some(body), finding),
            Err(wrong) => return Ok(wrong.answer()),
        },
    };
    parts.headers.insert(ACCOUNT_HEADER, HeaderValue::from_str(&state.account).map_err(|_| Cut)?);
    let work = Work { target, parts, known, stream, finding };
    if work.target.own {
        return Ok(work.done(state).await);
    }
    let target = &work.target;
    let ticket = state.recorder.begin(&target.service, &target.action, target.write);
    let round = state.rounds.enter();
    #[cfg(feature = "faults")]
    let answer = faults::disturbed(state, work, ticket, round).await;
    #[cfg(not(feature = "faults"))]
    let answer = undisturbed(state, work, ticket, round).await;
    answer
}

/// Does a call's work as it comes.
#[cfg(not(feature = "faults"))]
async fn undisturbed(
    state: &State,
    work: Work,
    mut ticket: super::count::Ticket<'_>,
    round: Option<super::rounds::Member<'_>>,
) -> Result<Response<Body>, Cut> {
    let response = work.done(state).await;
    if let Some(round) = round {
        round.answered().await;
    }
    ticket.answered(response.status().as_u16());
    Ok(response)
}

/// A request that was let in.
pub struct Work {
    pub target: Target,
    pub parts: Parts,
    /// The body, where it was read whole.
    pub known: Bytes,
    /// The body, where it was not.
    pub stream: Option<Body>,
    pub finding: Finding,
}

impl Work {
    /// Hands it to whoever serves it; what its body turned out to be goes before the answer.
    pub async fn done(self, state: &State) -> Response<Body> {
        let response = serve(state, &self.target, self.parts, self.known, self.stream).await;
        self.finding.wrong().map_or(response, Wrong::answer)
    }
}

/// Hands a request to whoever serves it.
pub async fn serve(
    state: &State,
    target: &Target,
    mut parts: Parts,
    known: Bytes,
    stream: Option<Body>,
) -> Response<Body> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if target.service == "batch" {
        return state.batch.handle(&parts.method, path, &known).await.map(reply::whole);
    }
    let body = match stream {
        Some(stream) => stream,
        None if target.service == "tagging" => {
            let body = tagging::with_batch(&state.batch, target, &known).await;
            parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
            reply::whole(body)
        }
        None => reply::whole(known),
    };
    serve_by_moto(state, target, Request::from_parts(parts, body)).await
}

/// Has moto serve a request.
pub async fn serve_by_moto(state: &State, target: &Target, mut request: Request<Body>) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    match format!("http://127.0.0.1:{}{path}", state.moto.port()).parse::<Uri>() {
        Ok(uri) => *request.uri_mut() = uri,
        Err(error) => return reply::unserved(target, &format!("its address can't be passed on: {error}")),
    }
    request.headers_mut().remove(INSIDE_HEADER);
    state.introduce(&mut request);
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
