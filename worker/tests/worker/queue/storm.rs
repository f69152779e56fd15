//! `consume` killed at every call, with every call failing, and under a flood: no message is lost, and none is deleted before its
//! outputs are complete.
//!
//! A seeded sample of the faults; all of them with `BATCHWRIGHT_CRASH=all`.

use std::collections::BTreeMap;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::bucket::{Bucket, Server};
use crate::program::{Ended, worker_with_s3};

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strike {
    /// It is not heard, and the caller is killed.
    KillBefore,
    /// It is done, and the caller is killed before it hears of that.
    KillAfter,
    /// Refused as too much.
    Throttled,
    /// Refused with an internal error.
    Internal,
    /// The connection breaks before anything is done.
    Cut,
    /// It is done, and the connection breaks.
    LostReply,
    /// Refused because all consumers together hold as many messages as may be in flight.
    Full,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// To S3.
    Object,
    /// For messages.
    Receive,
    /// Says what becomes of one.
    Tell,
}

const FAULTS: [Strike; 4] = [Strike::Throttled, Strike::Internal, Strike::Cut, Strike::LostReply];

/// Who counts the calls of one world, and strikes.
#[derive(Default)]
pub struct Storm {
    counted: Mutex<Counted>,
    struck: Condvar,
}

#[derive(Default)]
struct Counted {
    calls: u64,
    /// At which call, and how.
    strike: Option<(u64, Strike)>,
    is_struck: bool,
    /// One call in so many to say what becomes of a message is refused.
    refuses: Option<u64>,
}

impl Storm {
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap()
    }

    /// Lets a call through, or not.
    pub async fn pass(&self, of: Call, call: impl Future<Output = Response>) -> Response {
        let strike = {
            let mut counted = self.counted();
            counted.calls += 1;
            let at = counted.calls;
            counted.strike.filter(|(nth, _)| *nth == at).map(|(_, strike)| strike).or_else(|| {
                counted
                    .refuses
                    .filter(|many| of == Call::Tell && at.is_multiple_of(*many))
                    .map(|_| Strike::Throttled)
            })
        };
        match strike {
            None => call.await,
            Some(Strike::Throttled) if of == Call::Object => refused(of, 503, "SlowDown"),
            Some(Strike::Throttled) => refused(of, 400, "RequestThrottled"),
            Some(Strike::Internal) => refused(of, 500, "InternalError"),
            Some(Strike::Full) => refused(of, 400, "OverLimit"),
            Some(Strike::Cut) => cut(),
            Some(Strike::LostReply) => {
                call.await;
                cut()
            }
            Some(kill) => {
                if kill == Strike::KillAfter {
                    call.await;
                }
                self.counted().is_struck = true;
                self.struck.notify_all();
                std::future::pending().await
            }
        }
    }

    /// Kills the process at the call that is to be struck; it may end before.
    fn kill(&self, child: &mut Child) -> bool {
        let mut counted = self.counted();
        while !counted.is_struck && child.try_wait().unwrap().is_none() {
            counted = self.struck.wait_timeout(counted, std::time::Duration::from_millis(5)).unwrap().0;
        }
        let struck = counted.is_struck;
        drop(counted);
        let _ = child.kill();
        child.wait().unwrap();
        struck
    }
}

/// In the words of S3, or of SQS.
fn refused(of: Call, status: u16, code: &str) -> Response {
    let body = match of {
        Call::Object => format!("<Error><Code>{code}</Code><Message>said by the test</Message></Error>"),
        _ => {
            json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": "said by the test"}).to_string()
        }
    };
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

/// An answer that breaks off.
fn cut() -> Response {
    let broken = futures::stream::iter([Err::<Bytes, _>(std::io::Error::other("cut"))]);
    Response::builder().header("content-length", 100).body(Body::from_stream(broken)).unwrap()
}

/// A message of the queue.
struct Kept {
    body: String,
    keys: Vec<String>,
    received: u32,
    is_hidden: bool,
}

/// A queue as SQS has it: what was received is hidden until it is deleted, given back, or its time is over.
#[derive(Default)]
struct Queue {
    messages: BTreeMap<u64, Kept>,
    /// Hands out more than was asked for.
    is_generous: bool,
    /// Hands out every message twice, at once.
    repeats: bool,
    given_back: usize,
    wrong: Vec<String>,
    /// How many messages are in hand, and how many may be.
    in_hand: usize,
    at_once: usize,
}

/// A queue, S3, and the program between them.
struct World {
    storm: Arc<Storm>,
    queue: Arc<Mutex<Queue>>,
    s3: Server,
    endpoint: String,
    _runtime: tokio::runtime::Runtime,
}

type Shared = (Arc<Storm>, Arc<Mutex<Queue>>, Arc<Mutex<Bucket>>);

const LINE: &str = "{\"stars\":2.5,\"review_count\":4}\n";
const SCORED: &str = "{\"stars\":2.5,\"review_count\":4,\"review_score\":10.0}\n";

fn body(keys: &[String]) -> String {
    let record = |key: &String| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "in"}, "object": {"key": key}}});
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}

impl World {
    /// One message for each list of keys.
    fn new(messages: &[&[&str]]) -> World {
        let storm = Arc::new(Storm::default());
        let mut queue = Queue { at_once: usize::MAX, ..Queue::default() };
        let mut objects = BTreeMap::new();
        for (id, keys) in (0..).zip(messages) {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            for key in &keys {
                objects.insert(format!("in/{key}"), Bytes::from(LINE.repeat(20)));
            }
            queue.messages.insert(id, Kept { body: body(&keys), keys, received: 0, is_hidden: false });
        }
        let bucket = Bucket { objects, storm: Some(storm.clone()), ..Bucket::default() };
        let (queue, s3) = (Arc::new(Mutex::new(queue)), Server::start(bucket));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared: Shared = (storm.clone(), queue.clone(), s3.shared());
        let router = Router::new().fallback(answer).with_state(shared);
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        World { storm, queue, s3, endpoint, _runtime: runtime }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap()
    }

    fn spawn(&self, more: &[&str]) -> Child {
        let url = format!("{}/1/q", self.endpoint);
        let consume =
            ["consume", "--queue", &url, "--destination", "s3://out", "--wait", "0", "--until-empty"];
        let mut command = worker_with_s3(&self.s3.endpoint, &[&consume[..], more].concat());
        command.env("AWS_ENDPOINT_URL_SQS", &self.endpoint).spawn().unwrap()
    }

    /// Runs it undisturbed once all times are over, and says what is wrong with the end.
    fn end(&self) -> Vec<String> {
        *self.storm.counted() = Counted::default();
        let left = {
            let mut queue = self.queue();
            queue.messages.values_mut().for_each(|kept| kept.is_hidden = false);
            (queue.in_hand, queue.at_once) = (0, usize::MAX);
            queue.messages.len()
        };
        let ended = Ended::with(self.spawn(&[]).wait_with_output().unwrap());
        let mut wrong = self.queue().wrong.clone();
        if ended.code != Some(0) {
            wrong.push(ended.last());
        }
        // Each message that was left is done, once.
        let done = ended.log.iter().rev().find_map(|line| line["done"].as_u64()).unwrap_or_default();
        if done != left as u64 {
            wrong.push(format!("{done} done of {left} left"));
        }
        if !self.queue().messages.is_empty() {
            wrong.push("messages are left".to_owned());
        }
        let bucket = self.s3.bucket();
        let (inputs, outputs): (Vec<_>, Vec<_>) =
            bucket.objects.iter().partition(|(key, _)| key.starts_with("in/"));
        wrong.extend(
            outputs
                .iter()
                .filter(|(_, text)| **text != SCORED.repeat(20))
                .map(|(key, _)| format!("{key} is wrong")),
        );
        if inputs.len() != outputs.len() {
            wrong.push(format!("{} outputs of {} objects", outputs.len(), inputs.len()));
        }
        wrong
    }
}

async fn answer(State((storm, queue, s3)): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap().to_owned();
    let input: Value = serde_json::from_slice(&body).unwrap();
    let of = if target == "AmazonSQS.ReceiveMessage" { Call::Receive } else { Call::Tell };
    if of == Call::Tell && input["VisibilityTimeout"] != 120 {
        let mut queue = queue.lock().unwrap();
        queue.in_hand = queue.in_hand.saturating_sub(1);
    }
    storm.pass(of, async { told(&queue, &s3, &target, &input) }).await
}

fn told(queue: &Mutex<Queue>, s3: &Mutex<Bucket>, target: &str, input: &Value) -> Response {
    let mut queue = queue.lock().unwrap();
    if target == "AmazonSQS.ReceiveMessage" {
        return handed_out(&mut queue, input);
    }
    let receipt = input["ReceiptHandle"].as_str().unwrap();
    let id: u64 = receipt.split('-').next().unwrap().parse().unwrap();
    match target {
        "AmazonSQS.DeleteMessage" => {
            let keys = queue.messages.remove(&id).map(|kept| kept.keys).unwrap_or_default();
            let objects = &s3.lock().unwrap().objects;
            for key in keys.iter().filter(|key| !objects.contains_key(&format!("out/{key}"))) {
                queue.wrong.push(format!("deleted before {key} was there"));
            }
        }
        "AmazonSQS.ChangeMessageVisibility" => {
            let now = input["VisibilityTimeout"] == 0;
            queue.given_back += usize::from(now);
            if let Some(kept) = queue.messages.get_mut(&id) {
                kept.is_hidden &= !now;
            }
        }
        other => panic!("{other}"),
    }
    "{}".into_response()
}

fn handed_out(queue: &mut Queue, input: &Value) -> Response {
    let asked = usize::try_from(input["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
    let most = if queue.is_generous { asked + 7 } else { asked };
    let mut messages = Vec::new();
    let repeats = queue.repeats;
    for (id, kept) in queue.messages.iter_mut().filter(|(_, kept)| !kept.is_hidden).take(most) {
        kept.received += 1;
        // Handed out a second time, to whoever asks next.
        kept.is_hidden = !(repeats && kept.received == 1);
        let received = kept.received;
        let attributes = json!({"ApproximateReceiveCount": received.to_string()});
        messages.push(json!({"MessageId": format!("m{id}"), "ReceiptHandle": format!("{id}-{received}"), "Body": kept.body, "Attributes": attributes}));
    }
    // Who asks for some has hands free for them.
    if queue.in_hand + asked > queue.at_once {
        queue.wrong.push(format!("asked for {asked} with {} in hand", queue.in_hand));
    }
    queue.in_hand += messages.len();
    json!({ "Messages": messages }).to_string().into_response()
}

const MESSAGES: &[&[&str]] = &[&["a"], &["b", "c"], &["d"]];

fn all() -> bool {
    std::env::var("BATCHWRIGHT_CRASH").is_ok_and(|it| it == "all")
}

/// How many calls a run makes that nobody disturbs.
fn calls() -> u64 {
    let world = World::new(MESSAGES);
    assert_eq!(world.end(), Vec::<String>::new());
    world.storm.counted().calls
}

/// Strikes at one call, and runs it to its end then: whether it came to that, and what is wrong.
fn struck(nth: u64, strike: Strike) -> (bool, Vec<String>) {
    let world = World::new(MESSAGES);
    world.storm.counted().strike = Some((nth, strike));
    let mut child = world.spawn(&[]);
    let mut wrong = Vec::new();
    let came = match strike {
        Strike::KillBefore | Strike::KillAfter => world.storm.kill(&mut child),
        _ => {
            let ended = Ended::with(child.wait_with_output().unwrap());
            // A job that ends with 1 is not tried again.
            if !matches!(ended.code, Some(0 | 2)) {
                wrong.push(ended.last());
            }
            world.storm.counted().calls >= nth
        }
    };
    wrong.extend(world.end());
    (came, wrong.into_iter().map(|wrong| format!("{strike:?} at {nth}: {wrong}")).collect())
}

/// Several worlds side by side: most of the time they wait.
fn struck_at(points: Vec<(u64, Strike)>) -> usize {
    let (points, results) = (Mutex::new(points), Mutex::new((0, Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some((nth, strike)) = points.lock().unwrap().pop() else { return };
                    let (came, wrong) = struck(nth, strike);
                    let mut results = results.lock().unwrap();
                    results.0 += usize::from(came);
                    results.1.extend(wrong);
                }
            });
        }
    });
    let (came, wrong) = results.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    came
}

#[test]
fn killed_at_any_call_it_loses_no_message_and_deletes_none_too_early() {
    let points = (1..=calls()).flat_map(|nth| [(nth, Strike::KillBefore), (nth, Strike::KillAfter)]);
    let points: Vec<_> = points.filter(|(nth, _)| all() || nth % 3 == 0).collect();
    let count = points.len();
    let came = struck_at(points);
    println!("consume: killed at {came} of {count} points");
    assert!(came * 2 > count, "{came} of {count}");
}

#[test]
fn whichever_call_fails_no_message_is_lost_or_deleted_too_early() {
    let points = (1..=calls()).flat_map(|nth| FAULTS.map(|fault| (nth, fault)));
    let points: Vec<_> =
        points.enumerate().filter(|(at, _)| all() || at % 7 == 1).map(|(_, point)| point).collect();
    let count = points.len();
    let came = struck_at(points);
    println!("consume: {came} of {count} calls failed");
    assert!(came * 2 > count, "{came} of {count}");
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html#API_ReceiveMessage_Errors>: that is so
/// until some of them are deleted or given back.
#[test]
fn a_queue_with_too_much_in_flight_is_asked_again() {
    let world = World::new(MESSAGES);
    world.storm.counted().strike = Some((1, Strike::Full));
    let ended = Ended::with(world.spawn(&[]).wait_with_output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.last());
}

#[test]
fn a_flood_is_worked_off_by_as_many_as_were_asked_for() {
    let many = if all() { 5_000 } else { 100 };
    let keys: Vec<String> = (0..many).map(|n| format!("k{}", n % 40)).collect();
    let keys: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let messages: Vec<&[&str]> = keys.iter().map(<[&str; 1]>::as_slice).collect();
    let world = World::new(&messages);
    world.storm.counted().refuses = Some(7);
    {
        let mut queue = world.queue();
        (queue.is_generous, queue.repeats, queue.at_once) = (true, true, 4);
    }
    let ended = Ended::with(world.spawn(&["--concurrency", "4"]).wait_with_output().unwrap());
    let given_back = world.queue().given_back;
    let summed = ended.log.iter().rev().find(|line| line["message"] == "consumed").unwrap();
    let peak = summed["peak_bytes"].as_u64().unwrap();
    println!(
        "consume: {many} messages, each handed out twice: {} done, {given_back} given back, {} MB",
        summed["done"],
        peak >> 20
    );
    assert!(peak < 100 << 20, "{peak} bytes");
    // What came unasked for was given back, and not begun with.
    assert!(given_back > 0, "{ended:?}", ended = ended.last());
    assert_eq!(world.end(), Vec::<String>::new());
}
