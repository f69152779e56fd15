use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;

use super::*;

/// The size of the object that the server claims to have.
const SIZE: u64 = 1 << 30;

/// How long each answer takes, as the clock of the test says, and how many there were.
type Answers = Arc<AtomicU64>;

/// The next 1,000 bytes, then a break: what a reader sees of a server that stalls, once the SDK has noticed.
async fn dripping(State(answers): State<Answers>, headers: HeaderMap) -> Response {
    answers.fetch_add(1, Ordering::Relaxed);
    let range = headers.get("range").map(|range| range.to_str().unwrap().to_owned()).unwrap_or_default();
    let from: u64 = range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap_or(0);
    let pieces =
        futures::stream::iter([Ok(Bytes::from(vec![b'x'; 1000])), Err(std::io::Error::other("cut"))]);
    // The break comes only after what stands before it was flushed.
    let pieces = pieces.then(|piece| async {
        tokio::task::yield_now().await;
        piece
    });
    Response::builder()
        .status(if range.is_empty() { 200 } else { 206 })
        .header("etag", "\"1\"")
        .header("content-length", SIZE - from)
        .header("content-range", format!("bytes {from}-{}/{SIZE}", SIZE - 1))
        .body(Body::from_stream(pieces))
        .unwrap()
}

#[tokio::test]
async fn a_server_that_gives_a_little_and_stalls_each_time_is_given_up() {
    let answers = Answers::default();
    let router = axum::Router::new().fallback(dripping).with_state(Arc::clone(&answers));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "a test"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    let (bucket, key) = ("b".to_owned(), "k".to_owned());
    let place = Place::s3("b", "k");
    let source = Source { client: Client::from_conf(config), bucket, key, place, span: Span::default() };
    // Each answer takes six seconds of this clock.
    let shown = Arc::clone(&answers);
    let clock = Arc::new(move || Duration::from_secs(6 * shown.load(Ordering::Relaxed)));
    let patience = Patience::new(Duration::from_secs(120), clock);
    let mut download = Download::of(source, patience).await.unwrap();
    let mut bytes = 0;
    let error = loop {
        match download.next().await {
            Ok(Some(piece)) => bytes += piece.len(),
            Ok(None) => panic!("a gigabyte came"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.cause(), Cause::Trouble);
    let text = error.to_string();
    assert!(text.contains("the download has stalled: 19000 bytes came in 120 s"), "{text}");
    assert_eq!((bytes, answers.load(Ordering::Relaxed)), (19_000, 20));
}
