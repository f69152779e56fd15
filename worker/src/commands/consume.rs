//! `consume`: transforms each object that S3 tells of through a queue.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::Error;
use super::record::Record;
use super::transform::{object, threads};
use crate::bad_rows::BadRows;
use crate::calculation::Chosen;
use crate::place::{self, Cause, Place, Places};
use crate::queue::{self, ANSWER, Event, Message, Queue};

/// After so many failures in a row to reach the queue the command ends.
const FAILURES: u32 = 5;

/// How long to wait after each of them.
const PAUSE: Duration = Duration::from_secs(2);

/// Transform each object that S3 tells of through a queue, and write it to another bucket
///
/// A message is deleted once its output is complete. One that can't be used goes back at once, until the queue's redrive policy
/// moves it to the dead-letter queue.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The URL of the SQS queue
    #[arg(long, value_name = "URL")]
    queue: String,
    /// Where the objects are written, under their own keys: s3://BUCKET/PREFIX/, s3://BUCKET or a folder
    #[arg(long, value_name = "PLACE")]
    destination: String,
    /// The bucket whose objects are transformed; without it, the first that a message tells of
    ///
    /// Objects of other buckets are refused: one under the same key would have the same output.
    #[arg(long, visible_alias = "source_bucket", value_name = "BUCKET")]
    source_bucket: Option<String>,
    /// What is done with lines that can't be used: fail, skip, or skip up to a share such as 0.5%
    #[arg(long, value_name = "fail|skip|N%", default_value_t)]
    bad_rows: BadRows,
    /// How many objects at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    concurrency: u32,
    /// For how many seconds a message is kept; it is kept on for as long as its object takes
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(3..=43200))]
    visibility: u64,
    /// How many seconds to wait for a message at a time
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=20))]
    wait: u64,
    /// End once the queue has no more messages
    #[arg(long)]
    until_empty: bool,
    /// After SIGTERM, for how many seconds to go on with what is held before giving it back: less than the container's stop
    /// time-out
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    grace: u64,
}

/// What every message needs.
struct Consumer {
    queue: Queue,
    places: Arc<Places>,
    destination: Place,
    /// The one bucket whose objects are taken, once it is known.
    bucket: OnceLock<String>,
    bad_rows: BadRows,
    threads: usize,
    visibility: Duration,
    record: Record,
}

/// What became of a message.
enum Ended {
    Done,
    Failed(Error),
    GivenBack,
}

/// Works until `stop` says so; then what is held is finished, or given back when the grace is over.
pub async fn run(args: &Args, places: Arc<Places>, stop: watch::Receiver<bool>) -> Result<(), Error> {
    let destination = destination(&args.destination)?;
    let queue = Queue::connect(&args.queue).await.map_err(of_queue)?;
    let many = args.concurrency as usize;
    let consumer = Arc::new(Consumer {
        queue,
        places,
        destination,
        bucket: args.source_bucket.clone().map(OnceLock::from).unwrap_or_default(),
        bad_rows: args.bad_rows,
        threads: threads(many),
        visibility: Duration::from_secs(args.visibility),
        record: Record::new(args.until_empty),
    });
    tracing::info!(queue = args.queue, destination = %consumer.destination, "consuming");
    let late = watch::Sender::new(false);
    let receiving =
        Receiving { args, consumer: &consumer, free: Arc::new(Semaphore::new(many)), late: &late };
    let mut held = JoinSet::new();
    let (result, stopped) = receiving.run(&mut held, stop).await;
    let holding = held.len();
    if holding > 0 {
        tracing::info!(messages = holding, seconds = args.grace, "finishing what is held");
    }
    let finished = async { while held.join_next().await.is_some() {} };
    let end = stopped.unwrap_or_else(Instant::now) + Duration::from_secs(args.grace);
    if tokio::time::timeout_at(end, finished).await.is_err() {
        late.send_replace(true);
        while held.join_next().await.is_some() {}
    }
    consumer.record.say();
    result.and_then(|()| consumer.record.result(&args.queue))
}

/// What it takes to receive.
struct Receiving<'a> {
    args: &'a Args,
    consumer: &'a Arc<Consumer>,
    free: Arc<Semaphore>,
    late: &'a watch::Sender<bool>,
}

impl Receiving<'_> {
    /// Hands each message to a task of its own, until there is none left, the queue can't be reached, or `stop` says so: then
    /// also when.
    async fn run(
        &self,
        held: &mut JoinSet<()>,
        mut stop: watch::Receiver<bool>,
    ) -> (Result<(), Error>, Option<Instant>) {
        let mut failures = 0;
        loop {
            while held.try_join_next().is_some() {}
            let most = tokio::select! {
                biased;
                () = told(&mut stop) => return (Ok(()), Some(Instant::now())),
                most = self.ready() => most,
            };
            let wait = Duration::from_secs(self.args.wait);
            let mut pending =
                std::pin::pin!(self.consumer.queue.receive(most, wait, self.consumer.visibility));
            let answer = tokio::select! {
                answer = &mut pending => answer,
                () = told(&mut stop) => {
                    let now = Instant::now();
                    tracing::info!("waiting for what the queue may be handing out");
                    // What the queue is handing out right now would be nobody's for as long as it is visible to nobody.
                    let end = now + Duration::from_secs(self.args.grace);
                    if let Ok(Ok(messages)) = tokio::time::timeout_at(end, pending).await {
                        self.consumer.give_back(messages).await;
                    }
                    return (Ok(()), Some(now));
                }
            };
            let pause = match answer {
                Ok(messages) if messages.is_empty() && self.args.until_empty => {
                    // What is held may come back.
                    if held.is_empty() {
                        return (Ok(()), None);
                    }
                    failures = 0;
                    tokio::select! {
                        _ = held.join_next() => {}
                        () = told(&mut stop) => {}
                    }
                    continue;
                }
                Ok(messages) => {
                    failures = 0;
                    let unasked = self.hand_over(messages, held);
                    self.consumer.give_back(unasked).await;
                    continue;
                }
                Err(error) if error.may_pass && failures < FAILURES => {
                    tracing::warn!("failed to {error}; trying again");
                    PAUSE
                }
                Err(error) => return (Err(of_queue(error)), None),
            };
            failures += 1;
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told(&mut stop) => {}
            }
        }
    }

    /// Waits until a message may be taken; returns how many.
    ///
    /// That is when somebody can work on it at once, as its time runs from then on, and when its object may be in reach.
    async fn ready(&self) -> usize {
        loop {
            let pause = self.consumer.record.pause();
            if pause.is_zero() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        // Only this loop takes permits, so that they are still there afterwards. The semaphore is never closed.
        let _ = self.free.acquire().await;
        self.free.available_permits().max(1)
    }

    /// Gives each message to a task of its own; returns those that came without being asked for, and would wait.
    fn hand_over(&self, messages: Vec<Message>, held: &mut JoinSet<()>) -> Vec<Message> {
        let mut unasked = Vec::new();
        for message in messages {
            let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
                unasked.push(message);
                continue;
            };
            let (consumer, late) = (Arc::clone(self.consumer), self.late.subscribe());
            held.spawn(async move {
                consumer.handle(message, late).await;
                drop(permit);
            });
        }
        unasked
    }
}

impl Consumer {
    /// Works on a message, keeps it meanwhile, and says to the queue how that ended.
    async fn handle(&self, message: Message, mut late: watch::Receiver<bool>) {
        let ended = tokio::select! {
            result = self.work(&message) => result.map_or_else(Ended::Failed, |()| Ended::Done),
            () = told(&mut late) => Ended::GivenBack,
            never = self.keep_on(&message) => match never {},
        };
        let told = match ended {
            Ended::Done => {
                self.record.done(&message);
                self.queue.delete(&message).await
            }
            Ended::GivenBack => {
                self.record.given_back();
                tracing::warn!(id = message.id, "gave back a message before its end");
                self.queue.keep(&message, Duration::ZERO, ANSWER).await
            }
            Ended::Failed(error) => {
                let rest = self.record.failed(&message, &error);
                tracing::error!(id = message.id, received = message.received, "failed to {error}");
                self.queue.keep(&message, rest, ANSWER).await
            }
        };
        if let Err(error) = told {
            tracing::warn!(id = message.id, "failed to {error}; it will come again, which changes nothing");
        }
    }

    /// Keeps a message again and again, while others work on it.
    ///
    /// A try that gets no answer ends in time for the next one, which still comes before the message is anybody's.
    async fn keep_on(&self, message: &Message) -> Infallible {
        let third = self.visibility / 3;
        let mut due = tokio::time::interval_at(Instant::now() + third, third);
        due.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            due.tick().await;
            if let Err(error) = self.queue.keep(message, self.visibility, third.min(ANSWER)).await {
                tracing::warn!(id = message.id, "failed to {error}; somebody else may work on it too");
            }
        }
    }

    /// Gives back messages that nobody has begun with, all at once.
    async fn give_back(&self, messages: Vec<Message>) {
        let mut told = JoinSet::new();
        for message in messages {
            self.record.given_back();
            let queue = self.queue.clone();
            told.spawn(async move {
                if let Err(error) = queue.keep(&message, Duration::ZERO, ANSWER).await {
                    tracing::warn!(
                        id = message.id,
                        "failed to {error}; it comes again after its visibility time-out"
                    );
                }
            });
        }
        while told.join_next().await.is_some() {}
    }

    /// Transforms all objects that a message tells of.
    async fn work(&self, message: &Message) -> Result<(), Error> {
        let unusable = |what| Error::unusable("use", format!("message {}", message.id), what);
        let objects = match queue::read(&message.body).map_err(unusable)? {
            Event::Test => {
                tracing::info!(id = message.id, "S3 tried the queue");
                return Ok(());
            }
            Event::Created(objects) => objects,
        };
        for created in objects {
            let source = Place::s3(&created.bucket, &created.key);
            if covers_bucket(&self.destination, &source) {
                // Deleting the message would say that this was done.
                let what = format!(
                    "it lies where outputs are written, {}: name a prefix or another bucket",
                    self.destination
                );
                return Err(Error::unusable("transform", &source, what));
            }
            if source.lies_under(&self.destination) {
                tracing::warn!(object = %source, "left alone what is an output itself");
                continue;
            }
            self.check_own_output(&created.bucket, &created.key)
                .map_err(|what| Error::unusable("transform", &source, what))?;
            let destination = self.destination.followed_by(&created.key);
            self.places.make_folder_of(&destination, &self.destination)?;
            let totals =
                object::<Chosen>(&self.places, &source, &destination, self.bad_rows, self.threads).await?;
            let (rows, bytes, skipped) = (totals.rows, totals.bytes, totals.skipped.rows);
            tracing::info!(id = message.id, rows, skipped, bytes, destination = %destination, "transformed");
        }
        Ok(())
    }

    /// Fails if the output of `key` in `bucket` may be that of another object, too.
    fn check_own_output(&self, bucket: &str, key: &str) -> Result<(), String> {
        let known = self.bucket.get_or_init(|| {
            tracing::info!(bucket, "taking objects of this bucket, and of no other");
            bucket.to_owned()
        });
        if known != bucket {
            return Err(format!(
                "it is in another bucket than {known}: its output could be that of an object there"
            ));
        }
        let plain = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if matches!(self.destination, Place::Local(_)) && !plain {
            return Err(
                "a part of its key is empty, . or ..: in a folder it could be another key's".to_owned()
            );
        }
        Ok(())
    }
}

/// Returns once the other side says so, or is gone.
async fn told(by: &mut watch::Receiver<bool>) {
    let _ = by.wait_for(|said| *said).await;
}

fn of_queue(error: queue::Error) -> Error {
    Error::Service { may_pass: error.may_pass, what: error.to_string() }
}

/// Reads the place that outputs are written under: a bucket, a prefix or a folder, with or without its last slash.
fn destination(text: &str) -> Result<Place, place::Error> {
    let slashed = if text.ends_with('/') { text.to_owned() } else { format!("{text}/") };
    match slashed.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        Some(("", _)) => Err(place::Error::new("use", text, Cause::Refused, "the bucket has no name")),
        Some((bucket, prefix)) => Ok(Place::s3(bucket, prefix)),
        None => Place::parse(&slashed),
    }
}

/// Whether all of the object's bucket is where outputs are written.
fn covers_bucket(destination: &Place, object: &Place) -> bool {
    match (destination, object) {
        (Place::S3 { bucket, key }, Place::S3 { bucket: other, .. }) => bucket == other && key.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_bucket_a_prefix_or_a_folder() {
        let texts = ["s3://out", "s3://out/", "s3://out/a/b", "/data/out", "s3://"];
        let places = texts.map(|text| match destination(text) {
            Ok(place) => place.followed_by("x/y").to_string(),
            Err(error) => format!("failed to {error}"),
        });
        insta::assert_snapshot!(places.join("\n"), @r"
        s3://out/x/y
        s3://out/x/y
        s3://out/a/b/x/y
        /data/out/x/y
        failed to use s3://: an object is written s3://BUCKET/KEY
        ");
    }

    #[test]
    fn what_was_written_is_not_read_again() {
        let under = |place: &Place, text: &str| place.lies_under(&destination(text).unwrap());
        let place = Place::s3("b", "out/x");
        assert!(under(&place, "s3://b/out/") && under(&place, "s3://b"));
        assert!(!under(&place, "s3://b/other/") && !under(&place, "s3://c"));
    }
}
