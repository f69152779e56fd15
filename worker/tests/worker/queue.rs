//! `consume` against a small SQS: what it says to the queue, and when.

pub mod storm;

use std::io::BufRead;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, names, worker_with_s3};

/// What the queue still hands out, and what it was told.
#[derive(Default)]
struct Queue {
    messages: Vec<String>,
    told: Vec<String>,
    fault: Option<(u16, &'static str)>,
    /// The next request for messages is told of, and answered only when somebody says so.
    polled: Option<(std::sync::mpsc::Sender<()>, Arc<tokio::sync::Notify>)>,
    /// A request to keep a message is told of, and never answered.
    mute: Option<std::sync::mpsc::Sender<()>>,
}

pub struct Sqs {
    endpoint: String,
    queue: Arc<Mutex<Queue>>,
    _runtime: tokio::runtime::Runtime,
}

impl Sqs {
    pub fn start(messages: &[&str], fault: Option<(u16, &'static str)>) -> Sqs {
        let messages = messages.iter().map(|body| (*body).to_owned()).collect();
        let queue = Arc::new(Mutex::new(Queue { messages, fault, ..Queue::default() }));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = Router::new().fallback(answer).with_state(queue.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Sqs { endpoint, queue, _runtime: runtime }
    }

    pub fn told(&self) -> Vec<String> {
        self.queue.lock().unwrap().told.clone()
    }

    /// The program, to consume this queue and write into the bucket `out`.
    pub fn consume(&self, s3: &Server, more: &[&str]) -> Command {
        self.consume_to("s3://out", s3, more)
    }

    fn consume_to(&self, destination: &str, s3: &Server, more: &[&str]) -> Command {
        let url = format!("{}/1/q", self.endpoint);
        let arguments = ["consume", "--queue", &url, "--destination", destination, "--wait", "0"];
        let mut command = worker_with_s3(&s3.endpoint, &[&arguments[..], more].concat());
        command.env("AWS_ENDPOINT_URL_SQS", &self.endpoint);
        command
    }
}

async fn answer(State(queue): State<Arc<Mutex<Queue>>>, headers: HeaderMap, body: Bytes) -> Response {
    let polled = queue.lock().unwrap().polled.take();
    if let Some((tell, go)) = polled {
        tell.send(()).unwrap();
        go.notified().await;
    }
    let keeps = headers["x-amz-target"] == "AmazonSQS.ChangeMessageVisibility";
    let mute = queue.lock().unwrap().mute.clone().filter(|_| keeps);
    if let Some(mute) = mute {
        // Nobody may listen any more.
        let _ = mute.send(());
        return std::future::pending().await;
    }
    let mut queue = queue.lock().unwrap();
    if let Some((status, code)) = queue.fault {
        let body = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "said by the test"});
        return (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    }
    let input: Value = serde_json::from_slice(&body).unwrap();
    let told = match headers["x-amz-target"].to_str().unwrap() {
        "AmazonSQS.ReceiveMessage" => {
            let Some(body) = queue.messages.pop() else { return "{}".into_response() };
            let attributes = json!({"ApproximateReceiveCount": "1"});
            let message =
                json!({"MessageId": "m", "ReceiptHandle": "r", "Body": body, "Attributes": attributes});
            return json!({"Messages": [message]}).to_string().into_response();
        }
        "AmazonSQS.DeleteMessage" => "delete".to_owned(),
        "AmazonSQS.ChangeMessageVisibility" => format!("keep for {}", input["VisibilityTimeout"]),
        other => panic!("{other}"),
    };
    queue.told.push(told);
    "{}".into_response()
}

const CREATED: &str =
    r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"in"},"object":{"key":"a"}}}]}"#;

fn lines() -> Bucket {
    let text = Bytes::from("{\"stars\":1,\"review_count\":1}\n".repeat(2000));
    Bucket { objects: [("in/a".to_owned(), text)].into(), ..Bucket::default() }
}

#[test]
fn a_message_is_deleted_when_its_output_is_there() {
    let (sqs, s3) = (Sqs::start(&[CREATED], None), Server::start(lines()));
    assert_eq!(Ended::of(sqs.consume(&s3, &["--until-empty"])).code, Some(0));
    assert_eq!(sqs.told(), ["delete"]);
    assert_eq!(s3.bucket().objects["out/a"].split(|byte| *byte == b'\n').count(), 2001);
}

#[test]
fn a_message_goes_back_at_once_or_after_a_rest_by_what_is_wrong() {
    for (fault, told, code) in
        [((403, "AccessDenied"), "keep for 0", 1), ((503, "SlowDown"), "keep for 30", 2)]
    {
        let (sqs, s3) = (
            Sqs::start(&[CREATED], None),
            Server::start(Bucket { fault: Some(("GET", fault.0, fault.1)), ..lines() }),
        );
        // What is still to do when the queue seems empty is not done.
        assert_eq!(Ended::of(sqs.consume(&s3, &["--until-empty"])).code, Some(code));
        assert_eq!(sqs.told(), [told]);
    }
    let (sqs, s3) = (Sqs::start(&["hello", "{}"], None), Server::start(lines()));
    let ended = Ended::of(sqs.consume(&s3, &["--until-empty"]));
    let last = ended.last().replace(&sqs.endpoint, "http://sqs");
    insta::assert_snapshot!(last, @"1 ERROR failed to empty http://sqs/1/q: 0 messages rest after trouble, 1 can't be used");
    let summed = &ended.log[ended.log.len() - 2];
    assert_eq!((&summed["message"], &summed["failed"]), (&json!("consumed"), &json!(2)));
    assert_eq!(sqs.told(), ["keep for 0", "keep for 0"]);
}

#[test]
fn a_destination_that_is_the_incoming_bucket_loses_no_message() {
    let (sqs, s3) = (Sqs::start(&[CREATED], None), Server::start(lines()));
    let ended = Ended::of(sqs.consume_to("s3://in", &s3, &["--until-empty"]));
    assert_eq!((ended.code, sqs.told()), (Some(1), vec!["keep for 0".to_owned()]));
    let (sqs, s3) = (Sqs::start(&[CREATED], None), Server::start(lines()));
    let ended = Ended::of(sqs.consume_to("s3://in/out", &s3, &["--until-empty"]));
    assert_eq!((ended.code, sqs.told()), (Some(0), vec!["delete".to_owned()]));
    assert!(s3.bucket().objects.contains_key("in/out/a"));
}

#[test]
fn keys_with_slashes_become_folders_and_lead_out_of_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut bucket = lines();
    let text = bucket.objects["in/a"].clone();
    bucket.objects.insert("in/b/c/d".to_owned(), text);
    let created = |key: &str| CREATED.replace("\"key\":\"a\"", &format!("\"key\":\"{key}\""));
    let (good, bad) = (created("b/c/d"), created("b/../../../x"));
    let (sqs, s3) = (Sqs::start(&[&good, &bad], None), Server::start(bucket));
    let out = folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    Ended::of(sqs.consume_to(out.to_str().unwrap(), &s3, &["--until-empty", "--concurrency", "1"]));
    assert_eq!(sqs.told(), ["keep for 0", "delete"]);
    assert!(out.join("b/c/d").is_file());
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn no_two_objects_have_one_output() {
    let mut bucket = lines();
    let text = bucket.objects["in/a"].clone();
    for name in ["other/a", "in/b//c", "in/b/c", "in/./a"] {
        bucket.objects.insert(name.to_owned(), text.clone());
    }
    let s3 = Server::start(bucket);
    let created = |bucket: &str, key: &str| {
        CREATED
            .replace("{\"name\":\"in\"}", &format!("{{\"name\":\"{bucket}\"}}"))
            .replace("\"key\":\"a\"", &format!("\"key\":\"{key}\""))
    };
    let refused = |ended: &Ended| -> Vec<String> {
        let said = ended.log.iter().filter(|line| line["id"] == "m" && line["level"] == "ERROR");
        said.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    };
    // The queue hands out the last first.
    let two = [&*created("other", "a"), CREATED];
    let sqs = Sqs::start(&two, None);
    let ended = Ended::of(sqs.consume(&s3, &["--until-empty", "--concurrency", "1"]));
    assert_eq!((ended.code, sqs.told()), (Some(1), vec!["delete".to_owned(), "keep for 0".to_owned()]));
    let mut said = refused(&ended);
    let sqs = Sqs::start(&two, None);
    let declared = ["--until-empty", "--concurrency", "1", "--source-bucket", "other"];
    let ended = Ended::of(sqs.consume(&s3, &declared));
    assert_eq!(sqs.told(), ["keep for 0", "delete"]);
    said.extend(refused(&ended));

    let folder = tempfile::tempdir().unwrap();
    let keys = ["b//c", "./a", "b/c"].map(|key| created("in", key));
    let sqs = Sqs::start(&keys.each_ref().map(String::as_str), None);
    let more = ["--until-empty", "--concurrency", "1"];
    let ended = Ended::of(sqs.consume_to(folder.path().to_str().unwrap(), &s3, &more));
    assert_eq!(sqs.told(), ["delete", "keep for 0", "keep for 0"]);
    said.extend(refused(&ended));
    insta::assert_snapshot!(said.join("\n"), @r"
    failed to transform s3://other/a: it is in another bucket than in: its output could be that of an object there
    failed to transform s3://in/a: it is in another bucket than other: its output could be that of an object there
    failed to transform s3://in/./a: a part of its key is empty, . or ..: in a folder it could be another key's
    failed to transform s3://in/b//c: a part of its key is empty, . or ..: in a folder it could be another key's
    ");
    // To S3 they are keys like any other.
    let sqs = Sqs::start(&[&keys[0], &keys[2]], None);
    assert_eq!(Ended::of(sqs.consume(&s3, &["--until-empty"])).code, Some(0));
    assert!(["out/b//c", "out/b/c"].iter().all(|name| s3.bucket().objects.contains_key(*name)));
}

#[test]
fn what_the_queue_hands_out_during_a_stop_is_given_back() {
    let (sqs, s3) = (Sqs::start(&[CREATED], None), Server::start(lines()));
    let (tell, asked) = std::sync::mpsc::channel();
    let go = Arc::new(tokio::sync::Notify::new());
    sqs.queue.lock().unwrap().polled = Some((tell, go.clone()));
    let mut child = sqs.consume(&s3, &["--grace", "600"]).spawn().unwrap();
    let mut log = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    asked.recv().unwrap();
    terminate(&child);
    assert!(log.any(|line| line.unwrap().contains("waiting for what the queue may be handing out")));
    go.notify_one();
    let rest: Vec<String> = log.map(Result::unwrap).collect();
    assert_eq!(
        (child.wait().unwrap().code(), sqs.told()),
        (Some(143), vec!["keep for 0".to_owned()]),
        "{rest:?}"
    );
}

/// A child of ours is sent SIGTERM.
pub fn terminate(child: &std::process::Child) {
    let kill = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

#[test]
fn what_is_held_is_kept_on_and_given_back_when_there_is_no_time_left() {
    let s3 = Server::start(Bucket { stalls: true, breaks: vec![40_000], ..lines() });
    let sqs = Sqs::start(&[CREATED], None);
    let mut child = sqs.consume(&s3, &["--visibility", "3", "--grace", "0"]).spawn().unwrap();
    while sqs.told().len() < 2 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    terminate(&child);
    let ended = Ended::with(child.wait_with_output().unwrap());
    assert_eq!(ended.last(), "143 WARN stopped by a signal before the end");
    let told = sqs.told();
    assert_eq!(told.last().unwrap(), "keep for 0", "{told:?}");
    assert!(told[..told.len() - 1].iter().all(|told| told == "keep for 3"), "{told:?}");
    let bucket = s3.bucket();
    assert_eq!((bucket.objects.len(), bucket.uploads.len()), (1, 0));
}

/// Each try to keep the message is given up in time for the next, and the work goes on meanwhile.
#[test]
fn a_queue_that_does_not_answer_holds_up_nothing() {
    let sqs = Sqs::start(&[CREATED], None);
    let (mute, asked) = std::sync::mpsc::channel();
    sqs.queue.lock().unwrap().mute = Some(mute);
    let s3 = Server::start(lines());
    // Nothing is answered while this is held.
    let held = s3.bucket();
    let child = sqs.consume(&s3, &["--visibility", "3", "--until-empty"]).spawn().unwrap();
    asked.recv().unwrap();
    asked.recv().unwrap();
    drop(held);
    let ended = Ended::with(child.wait_with_output().unwrap());
    assert_eq!((ended.code, sqs.told()), (Some(0), vec!["delete".to_owned()]));
    let warned =
        ended.log.iter().filter_map(|line| line["message"].as_str()).find(|said| said.contains("keep"));
    let warned = warned.unwrap().replace(&sqs.endpoint, "http://sqs");
    insta::assert_snapshot!(warned, @"failed to keep a message of http://sqs/1/q: there was no answer in 1 s; somebody else may work on it too");
}

#[test]
fn what_is_held_is_finished_if_there_is_time() {
    let sqs = Sqs::start(&[CREATED], None);
    let (on_get, got) = std::sync::mpsc::channel();
    let s3 = Server::start(Bucket { on_get: Some(on_get), ..lines() });
    // Nothing is answered while this is held: neither the object nor its output.
    let child = sqs.consume(&s3, &[]).spawn().unwrap();
    got.recv().unwrap();
    let held = s3.bucket();
    terminate(&child);
    drop(held);
    let ended = Ended::with(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(143));
    assert_eq!(sqs.told(), ["delete"]);
    assert!(s3.bucket().objects.contains_key("out/a"));
}

#[test]
fn a_queue_that_refuses_or_cannot_be_reached_ends_it() {
    let s3 = Server::start(lines());
    let outcomes = [(400, "QueueDoesNotExist"), (403, "AccessDeniedException")].map(|fault| {
        let sqs = Sqs::start(&[], Some(fault));
        Ended::of(sqs.consume(&s3, &[])).last().replace(&sqs.endpoint, "http://sqs")
    });
    insta::assert_snapshot!(outcomes.join("\n"), @r"
    1 ERROR failed to receive from http://sqs/1/q: QueueDoesNotExist: said by the test (HTTP 400)
    1 ERROR failed to receive from http://sqs/1/q: AccessDeniedException: said by the test (HTTP 403)
    ");
}
