//! A small S3: GetObject with ranges, conditions, breaks and faults, HeadObject, PutObject, lists and multipart uploads, by path.

mod uploads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;

/// What the server holds and how it behaves.
#[derive(Default)]
pub struct Bucket {
    pub objects: BTreeMap<String, Bytes>,
    /// The next answers break after this many bytes, one after the other.
    pub breaks: Vec<usize>,
    /// All objects change after the first answer.
    pub changes: bool,
    /// `Range` is ignored.
    pub no_ranges: bool,
    /// Requests of this method get this status and code.
    pub fault: Option<(&'static str, u16, &'static str)>,
    /// After its first bytes the stream says nothing more.
    pub stalls: bool,
    /// The CRC32 that answers claim, in base64.
    pub checksum: Option<&'static str>,
    /// What was asked for: method, path, range, condition.
    pub asked: Vec<String>,
    /// Multipart uploads that are neither complete nor aborted: their parts.
    pub uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    /// Who may strike at a call.
    pub storm: Option<Arc<crate::queue::storm::Storm>>,
    /// Told when an object is asked for.
    pub on_get: Option<std::sync::mpsc::Sender<()>>,
}

/// A server on its own thread, until it is dropped.
pub struct Server {
    pub endpoint: String,
    bucket: Arc<Mutex<Bucket>>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn start(bucket: Bucket) -> Server {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bucket = Arc::new(Mutex::new(bucket));
        let router = Router::new()
            .route(
                "/{bucket}/{*key}",
                axum::routing::get(get).put(put).post(uploads::post).delete(uploads::delete),
            )
            .route("/{bucket}", axum::routing::get(list))
            .route("/{bucket}/", axum::routing::get(list))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn_with_state(bucket.clone(), in_storm))
            .with_state(bucket.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Server { endpoint, bucket, _runtime: runtime }
    }

    /// The same for whoever outlives the server.
    pub fn shared(&self) -> Arc<Mutex<Bucket>> {
        self.bucket.clone()
    }

    pub fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap()
    }
}

type Shared = State<Arc<Mutex<Bucket>>>;

async fn in_storm(
    State(bucket): Shared,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let storm = bucket.lock().unwrap().storm.clone();
    match storm {
        Some(storm) => storm.pass(crate::queue::storm::Call::Object, next.run(request)).await,
        None => next.run(request).await,
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("-", |value| value.to_str().unwrap())
}

fn error(status: u16, code: &str) -> Response {
    let body = format!(
        "<Error><Code>{code}</Code><Message>said by the test</Message><RequestId>R1</RequestId></Error>"
    );
    (StatusCode::from_u16(status).unwrap(), [("x-amz-request-id", "R1")], body).into_response()
}

async fn list(
    State(bucket): Shared,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    bucket.asked.push(format!("LIST {name}/{prefix}"));
    if let Some(("LIST", status, code)) = bucket.fault {
        return error(status, code);
    }
    let found: String = bucket
        .objects
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(&format!("{name}/"))?, text)))
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, text)| {
            format!("<Contents><Key>{key}</Key><Size>{}</Size><ETag>\"1\"</ETag></Contents>", text.len())
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>").into_response()
}

async fn get(
    State(bucket): Shared,
    Path((name, key)): Path<(String, String)>,
    method: axum::http::Method,
    headers: HeaderMap,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let path = format!("{name}/{key}");
    let (range, condition) = (text(&headers, "range"), text(&headers, "if-match"));
    let first = bucket.asked.is_empty();
    bucket.asked.push(format!("{method} {path} {range} {condition}"));
    if let Some(on_get) = &bucket.on_get {
        on_get.send(()).unwrap();
    }
    if let Some(("GET", status, code)) = bucket.fault {
        return error(status, code);
    }
    if !bucket.objects.keys().any(|known| known.starts_with(&format!("{name}/"))) {
        return error(404, "NoSuchBucket");
    }
    let Some(object) = bucket.objects.get(&path).cloned() else { return error(404, "NoSuchKey") };
    let etag = if bucket.changes && !first { "\"2\"" } else { "\"1\"" };
    if condition != "-" && condition != etag {
        return error(412, "PreconditionFailed");
    }
    let (from, to) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).unwrap_or_default();
    let start: Option<usize> = from.parse().ok().filter(|_| !bucket.no_ranges);
    let end = to.parse().map_or(object.len(), |last: usize| (last + 1).min(object.len()));
    let rest = object.slice(start.unwrap_or(0)..if start.is_some() { end } else { object.len() });
    let response = Response::builder().header("etag", etag).header("content-length", rest.len());
    let response = match bucket.checksum {
        Some(checksum) => response.header("x-amz-checksum-crc32", checksum),
        None => response,
    };
    let response = match start {
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", end - 1, object.len());
            response.status(206).header("content-range", range)
        }
        None => response,
    };
    let cut = if bucket.breaks.is_empty() { rest.len() } else { bucket.breaks.remove(0).min(rest.len()) };
    response.body(body(rest, cut, bucket.stalls)).unwrap()
}

/// The first `cut` bytes in small pieces, then a break (or silence), unless these are all.
fn body(rest: Bytes, cut: usize, stalls: bool) -> Body {
    let whole = cut == rest.len();
    let pieces: Vec<Bytes> =
        (0..cut).step_by(64 << 10).map(|at| rest.slice(at..(at + (64 << 10)).min(cut))).collect();
    let pieces = futures::stream::iter(pieces).map(Ok::<_, std::io::Error>);
    if stalls {
        return Body::from_stream(pieces.chain(futures::stream::pending()));
    }
    let end = (!whole).then(|| Err(std::io::Error::other("cut")));
    // The break comes only after what stands before it was flushed.
    let end = futures::stream::iter(end).then(|end| async {
        tokio::task::yield_now().await;
        end
    });
    Body::from_stream(pieces.chain(end))
}

async fn put(
    State(bucket): Shared,
    Path((name, key)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let body = if text(&headers, "content-encoding").contains("aws-chunked") {
        uploads::unchunked(&body)
    } else {
        body
    };
    if let Some(number) = query.get("partNumber") {
        return uploads::part(&mut bucket, &query["uploadId"], number.parse().unwrap(), body);
    }
    bucket.asked.push(format!("PUT {name}/{key} {}", text(&headers, "content-type")));
    if let Some(("PUT", status, code)) = bucket.fault {
        return error(status, code);
    }
    bucket.objects.insert(format!("{name}/{key}"), body);
    StatusCode::OK.into_response()
}
