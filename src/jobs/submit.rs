//! One job, submitted once: a call whose answer was lost is looked up before it is made again (D25).

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_batch::Client;
use aws_sdk_batch::config::retry::RetryConfig;
use aws_sdk_batch::types::{ArrayProperties, JobDependency, KeyValuesPair};

use super::{Error, Pace, Result, Target};
use crate::services::batch::Batch;
use crate::services::{self, Fault, Service, failed};

/// How often a job is submitted before we give up.
const TRIES: usize = 6;
/// How often a job that may be there is looked for: a listing may lag behind for some seconds.
const LOOKS: usize = 4;

/// What is to run, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Definition and queue.
    pub target: Target,
    /// What stands for `Ref::<name>` in the job's command, over the definition's own.
    pub parameters: BTreeMap<String, String>,
    /// Ids of jobs that must succeed first.
    pub depends_on: Vec<String>,
    /// An array of so many children, 2 to 10,000.
    pub array: Option<u32>,
}

/// A job that AWS has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Its id.
    pub id: String,
    /// Its name, which no other job has.
    pub name: String,
}

/// Submits the job, and makes sure that it is submitted only once.
pub async fn submit(client: &Client, request: &Request, pace: Pace) -> Result<Submitted> {
    let name = unique_name(&request.target.family);
    let mut wait = Duration::ZERO;
    let mut last = None;
    for _ in 0..TRIES {
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        wait = pace.next(wait, false);
        let error = match call(client, request, &name).await {
            Ok(id) => return Ok(Submitted { id, name }),
            Err(error) => error,
        };
        match Batch::classify(&error, Duration::ZERO) {
            Fault::Throttled => {}
            Fault::Unknown => {
                if let Some(id) = look_up(client, &request.target.queue, &name, pace).await? {
                    return Ok(Submitted { id, name });
                }
            }
            _ => return Err(error.into()),
        }
        last = Some(error);
    }
    let last =
        last.unwrap_or_else(|| services::Error::malformed("batch", "SubmitJob", "it was never called"));
    Err(Error::NotSubmitted { name, last: Box::new(last) })
}

/// A name that no other job has: 128 characters at most.
fn unique_name(family: &str) -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let family: String = family.chars().take(111).collect();
    format!("{family}-{}", unique.chars().take(16).collect::<String>())
}

async fn call(client: &Client, request: &Request, name: &str) -> services::Result<String> {
    let mut call = client
        .submit_job()
        .job_name(name)
        .job_queue(&request.target.queue)
        .job_definition(&request.target.definition);
    for (key, value) in &request.parameters {
        call = call.parameters(key, value);
    }
    for id in &request.depends_on {
        call = call.depends_on(JobDependency::builder().job_id(id).build());
    }
    if let Some(size) = request.array {
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        call = call.array_properties(ArrayProperties::builder().size(size).build());
    }
    // The SDK's own second try would be a second job.
    let once = aws_sdk_batch::config::Builder::new().retry_config(RetryConfig::disabled());
    let answer = call.customize().config_override(once).send().await.map_err(failed)?;
    answer.job_id.ok_or_else(|| services::Error::malformed("batch", "SubmitJob", "the answer names no job"))
}

/// The id of the job of this name, if it is there after all.
async fn look_up(client: &Client, queue: &str, name: &str, pace: Pace) -> Result<Option<String>> {
    let mut wait = Duration::ZERO;
    for _ in 0..LOOKS {
        wait = pace.next(wait, false);
        let filter = KeyValuesPair::builder().name("JOB_NAME").values(name).build();
        let answer = client.list_jobs().job_queue(queue).filters(filter).send().await;
        let answer = answer.map_err(failed)?;
        let found = answer.job_summary_list().iter().find(|job| job.job_name() == Some(name));
        if let Some(id) = found.and_then(|job| job.job_id()) {
            return Ok(Some(id.to_owned()));
        }
        tokio::time::sleep(wait).await;
    }
    Ok(None)
}
