//! How long jobs took that succeeded lately, by definition: what may be expected of one that runs.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{JobStatus, JobSummary};

use crate::services::{Result, failed};

/// The longest of each family of definitions, in seconds, among a page of what succeeded in each queue. Batch keeps jobs for
/// seven days.
pub(super) async fn longest(client: &Client, queues: BTreeSet<String>) -> Result<BTreeMap<String, u64>> {
    let mut found = BTreeMap::new();
    for queue in queues {
        let call = client.list_jobs().job_queue(queue).job_status(JobStatus::Succeeded);
        let page = call.send().await.map_err(failed)?;
        page.job_summary_list().iter().for_each(|job| note(&mut found, job));
    }
    Ok(found)
}

fn note(found: &mut BTreeMap<String, u64>, job: &JobSummary) {
    // The parent of an array takes as long as all of its children.
    if job.array_properties().is_some() {
        return;
    }
    let took = job.started_at().zip(job.stopped_at()).map(|(from, to)| to.saturating_sub(from) / 1000);
    let took = took.and_then(|seconds| u64::try_from(seconds).ok());
    if let (Some(definition), Some(took)) = (job.job_definition(), took) {
        let longest = found.entry(family(definition).to_owned()).or_default();
        *longest = took.max(*longest);
    }
}

/// The ARN of a definition without its revision.
pub(super) fn family(definition: &str) -> &str {
    match definition.rsplit_once(':') {
        Some((family, revision)) if revision.bytes().all(|byte| byte.is_ascii_digit()) => family,
        _ => definition,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_batch::types::ArrayPropertiesSummary;

    use super::*;

    #[test]
    fn the_longest_of_each_family_counts() {
        let arn = |tail: &str| format!("arn:aws:batch:eu-west-1:123456789012:job-definition/{tail}");
        let job = |definition: &str, minutes: i64| {
            let ended = JobSummary::builder().job_definition(arn(definition)).started_at(60_000);
            ended.stopped_at(60_000 + minutes * 60_000)
        };
        let array = job("sum:3", 300).array_properties(ArrayPropertiesSummary::builder().size(9).build());
        let killed = JobSummary::builder().job_definition(arn("lost:1")).started_at(60_000);
        let mut found = BTreeMap::new();
        for job in [job("sum:1", 20), job("sum:2", 40), job("sum:2", 5), job("mean:7", 1), array, killed] {
            note(&mut found, &job.build());
        }
        assert_eq!(found, BTreeMap::from([(arn("mean"), 60), (arn("sum"), 2400)]));
    }
}
