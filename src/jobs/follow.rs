//! A job, followed to its end: what becomes of it, and what it writes.

use std::collections::VecDeque;
use std::time::Duration;

use aws_sdk_batch::types::JobDetail;
use aws_sdk_cloudwatchlogs::Client as LogsClient;

use super::tail::Tails;
use super::{Error, Outcome, Pace, Result};
use crate::services::batch::Batch;
use crate::services::logs::Logs;
use crate::services::{Clients, failed};

/// DescribeJobs takes so many ids at once.
const PAGE: usize = 100;
/// Of an array, so many children are looked at in one round; the others have their turn in the next.
const CHILDREN_AT_ONCE: usize = 300;

/// What is seen of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The job, or a child of the array, came into another status. The job's own end is its [`Outcome`].
    Status {
        /// Which child; `None`: the job itself.
        child: Option<u32>,
        /// Such as `RUNNABLE`.
        status: String,
        /// What Batch says about it.
        reason: Option<String>,
    },
    /// An attempt ended, and another will follow.
    Retried {
        /// Which child; `None`: the job itself.
        child: Option<u32>,
        /// How it ended.
        attempt: super::Attempt,
    },
    /// The job wrote a line.
    Line {
        /// Which child; `None`: the job itself.
        child: Option<u32>,
        /// Milliseconds since 1970, UTC.
        at: i64,
        /// The line.
        text: String,
    },
}

/// One job under watch: a single one, or a child of an array.
#[derive(Default)]
struct Watched {
    id: String,
    child: Option<u32>,
    status: String,
    attempts: usize,
    tails: Tails,
    over: bool,
}

impl Watched {
    fn new(id: String, child: Option<u32>) -> Self {
        Self { id, child, ..Self::default() }
    }

    /// Tells what is new in a description.
    fn learn(&mut self, detail: &JobDetail, on: &mut (dyn FnMut(Event) + Send)) -> bool {
        let outcome = Outcome::of(detail);
        let child = self.child;
        self.tails.learn(detail);
        self.over = outcome.over();
        let mut news = false;
        // The last attempt of a job that is over is told by its outcome.
        let told = if self.over { outcome.attempts.len().saturating_sub(1) } else { outcome.attempts.len() };
        for attempt in outcome.attempts.iter().take(told).skip(self.attempts) {
            on(Event::Retried { child, attempt: attempt.clone() });
            self.attempts += 1;
            news = true;
        }
        if self.status != outcome.status {
            self.status.clone_from(&outcome.status);
            news = true;
            // The end of the whole is told by its outcome, after its last lines.
            if child.is_some() || !self.over {
                on(Event::Status { child, status: outcome.status, reason: outcome.status_reason });
            }
        }
        news
    }

    /// Tells what was written since the last time.
    async fn read(&mut self, client: &LogsClient, on: &mut (dyn FnMut(Event) + Send)) -> Result<bool> {
        let lines = self.tails.read(client).await?;
        let news = !lines.is_empty();
        for line in lines {
            on(Event::Line { child: self.child, at: line.timestamp, text: line.message });
        }
        Ok(news)
    }
}

/// Follows a job, or an array and its children, and tells what is seen. To its end with a pace; without one, a single
/// look. May be dropped at any time: the job goes on.
pub async fn follow(
    clients: &Clients,
    id: &str,
    pace: Option<Pace>,
    on: &mut (dyn FnMut(Event) + Send),
) -> Result<Outcome> {
    let logs = clients.of::<Logs>()?;
    let mut job = Watched::new(id.to_owned(), None);
    let mut open: Option<VecDeque<Watched>> = None;
    // What is over is read once more in the next round: its last lines come late.
    let mut ending: Vec<Watched> = Vec::new();
    let mut wait = Duration::ZERO;
    loop {
        let detail = describe(clients, &[id]).await?.pop().ok_or_else(|| Error::NoSuchJob(id.to_owned()))?;
        let mut news = job.learn(&detail, on);
        let children = open.get_or_insert_with(|| children(id, &detail));
        let was_over = std::mem::take(&mut ending);
        news |= look(clients, children, &mut ending, on).await?;
        news |= job.read(logs, on).await?;
        for mut child in was_over {
            news |= child.read(logs, on).await?;
        }
        let outcome = Outcome::of(&detail);
        let Some(pace) = pace else {
            // Every child has its turn in the one look: those that had none stand in front.
            for _ in 0..children.len().div_ceil(CHILDREN_AT_ONCE) {
                if children.front().is_some_and(|child| child.status.is_empty()) {
                    look(clients, children, &mut ending, on).await?;
                }
            }
            return Ok(outcome);
        };
        if outcome.over() && children.is_empty() {
            loop {
                tokio::time::sleep(pace.linger).await;
                let mut late = job.read(logs, on).await?;
                for child in &mut ending {
                    late |= child.read(logs, on).await?;
                }
                if !late {
                    return Ok(outcome);
                }
            }
        }
        wait = pace.next(wait, news);
        tokio::time::sleep(wait).await;
    }
}

/// The children of an array; none of a single job.
fn children(id: &str, detail: &JobDetail) -> VecDeque<Watched> {
    let size =
        detail.array_properties().filter(|array| array.index().is_none()).and_then(|array| array.size());
    let size = u32::try_from(size.unwrap_or_default()).unwrap_or_default();
    (0..size).map(|index| Watched::new(format!("{id}:{index}"), Some(index))).collect()
}

/// Looks at the next few children; those that are over move to `ending`.
async fn look(
    clients: &Clients,
    open: &mut VecDeque<Watched>,
    ending: &mut Vec<Watched>,
    on: &mut (dyn FnMut(Event) + Send),
) -> Result<bool> {
    let logs = clients.of::<Logs>()?;
    let mut news = false;
    let mut turn: Vec<Watched> = open.drain(..open.len().min(CHILDREN_AT_ONCE)).collect();
    for chunk in turn.chunks_mut(PAGE) {
        let ids: Vec<&str> = chunk.iter().map(|child| child.id.as_str()).collect();
        let details = describe(clients, &ids).await?;
        for child in chunk {
            if let Some(detail) = details.iter().find(|detail| detail.job_id() == Some(child.id.as_str())) {
                news |= child.learn(detail, on);
                news |= child.read(logs, on).await?;
            }
        }
    }
    for child in turn {
        if child.over { ending.push(child) } else { open.push_back(child) }
    }
    Ok(news)
}

async fn describe(clients: &Clients, ids: &[&str]) -> Result<Vec<JobDetail>> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let answer = clients.of::<Batch>()?.describe_jobs().set_jobs(Some(ids)).send().await;
    Ok(answer.map_err(failed)?.jobs.unwrap_or_default())
}
