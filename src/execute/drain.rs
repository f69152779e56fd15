//! Waiting until no job runs on what is on its way out, as long as this apply is to wait (D16, D20).

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, Limits};
use crate::cloud::Cloud;
use crate::kind::AnyKind;
use crate::plan::Step;
use crate::resource::{Incarnation, Job, JobsOf};
use crate::services::Fault;

/// How a drain ended.
pub(super) enum Drained {
    /// Nothing runs on it.
    Empty,
    /// Something does, and this apply waits no longer.
    Later(String),
}

/// Looks at the jobs until none is on `live`. It has been switched off before: no further job is placed on it. A look that
/// fails in a way that passes is repeated, for so long since the last good one as a step may take.
pub(super) async fn drain(
    cloud: &dyn Cloud,
    kind: &dyn AnyKind,
    step: &Step,
    live: Option<&Incarnation>,
    limits: &Limits,
    waiting: &(dyn Fn(String) + Send + Sync),
) -> Result<Drained, Failure> {
    let Some(live) = live else { return Ok(Drained::Empty) };
    let cluster = kind.cluster(live);
    let cluster = cluster.as_deref();
    let timeout = Duration::from_secs(step.drain_timeout.unwrap_or_default());
    let everywhere = JobsOf { queues: None, waiting: false, past: false, needs: false };
    let (started, mut pause) = (Instant::now(), limits.poll);
    let mut failing: Option<Instant> = None;
    let (mut untold, mut later): (Option<BTreeSet<String>>, Option<String>) = (None, None);
    loop {
        let why = match cloud.jobs(&everywhere).await {
            Ok(jobs) => {
                failing = None;
                // A job of which AWS does not tell where it runs counts if it ran already at the first look.
                let first = untold.get_or_insert_with(|| {
                    let untold = jobs.list.iter().filter(|job| job.runs_in(cluster).is_none());
                    untold.map(|job| job.id.clone()).collect()
                });
                let is_on = |job: &&Job| job.runs_in(cluster).unwrap_or_else(|| first.contains(&job.id));
                let left: Vec<&Job> = jobs.list.iter().filter(is_on).collect();
                if left.is_empty() {
                    return Ok(Drained::Empty);
                }
                let (told, whose) = (told(&left), if left.len() == 1 { "its" } else { "their" });
                later = Some(format!(
                    "{told} on {}: it is switched off, and an apply after {whose} end deletes it",
                    live.physical
                ));
                told
            }
            Err(error) => {
                let failing = failing.get_or_insert_with(Instant::now).elapsed();
                match cloud.classify(&step.resource, &error, failing) {
                    Fault::Throttled | Fault::Unknown if failing < limits.step_timeout => error.to_string(),
                    _ => return Err(Failure::from(&error)),
                }
            }
        };
        if let Some(later) = later.take_if(|_| started.elapsed() >= timeout) {
            return Ok(Drained::Later(later));
        }
        waiting(why);
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(limits.slowest_poll);
    }
}

/// `2 jobs still run (sum 0f…, mean 1a…)`.
fn told(jobs: &[&Job]) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> =
        jobs.iter().take(SHOWN).map(|job| format!("{} {}", job.name, job.id)).collect();
    if jobs.len() > SHOWN {
        names.push("…".to_owned());
    }
    match jobs.len() {
        1 => format!("1 job still runs ({})", names.join(", ")),
        count => format!("{count} jobs still run ({})", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use futures::FutureExt;
    use futures::future::BoxFuture;
    use serde_json::json;

    use super::*;
    use crate::cloud::{Act, Scope};
    use crate::resource::{Jobs, Observed, Readiness, ResourceId};
    use crate::services::{Error, Result as Called};

    /// Answers each look at the jobs as it is told, and refuses everything else.
    struct Script(Mutex<VecDeque<Called<Jobs>>>);

    fn refused() -> Error {
        Error::malformed("batch", "ListJobs", "Too Many Requests".to_owned())
    }

    impl Cloud for Script {
        fn observe<'a>(&'a self, _: &'a Scope) -> BoxFuture<'a, Called<Observed>> {
            async { Err(refused()) }.boxed()
        }

        fn perform<'a>(&'a self, _: Act<'a>) -> BoxFuture<'a, Called<Option<String>>> {
            async { Err(refused()) }.boxed()
        }

        fn jobs<'a>(&'a self, _: &'a JobsOf) -> BoxFuture<'a, Called<Jobs>> {
            let next = self.0.lock().unwrap().pop_front().unwrap();
            async { next }.boxed()
        }

        fn data<'a>(
            &'a self,
            _: &'a ResourceId,
            _: &'a Incarnation,
        ) -> BoxFuture<'a, Called<Option<String>>> {
            async { Err(refused()) }.boxed()
        }

        fn classify(&self, _: &ResourceId, _: &Error, _: Duration) -> Fault {
            Fault::Throttled
        }
    }

    fn busy() -> Called<Jobs> {
        let job = json!({"id": "0f", "name": "long", "queue": "q", "status": "RUNNING", "cluster": "c"});
        Ok(Jobs { list: vec![serde_json::from_value(job).unwrap()], ..Jobs::default() })
    }

    async fn drained(
        timeout: u64,
        step_timeout: Duration,
        looks: Vec<Called<Jobs>>,
    ) -> Result<Drained, Failure> {
        let step = json!({
            "id": 0, "resource": "batch/ComputeEnvironment/work", "verb": "drain", "physical": "t-work",
            "want": {}, "tags": {}, "drainTimeout": timeout, "after": [],
        });
        let live = Incarnation {
            physical: "t-work".to_owned(),
            arn: None,
            spec: json!({"type": "MANAGED"}),
            outputs: [
                ("arn".to_owned(), json!("")),
                ("status".to_owned(), json!("VALID")),
                ("ecsClusterArn".to_owned(), json!("arn:aws:ecs:eu-west-1:1:cluster/c")),
            ]
            .into(),
            tags: [].into(),
            readiness: Readiness::Ready,
            revision: None,
            named_generation: None,
        };
        let poll = Duration::from_millis(30);
        let limits = Limits { poll, slowest_poll: poll, step_timeout, ..Limits::default() };
        let kind = crate::kinds::kind("batch/ComputeEnvironment").unwrap();
        let (cloud, step) = (Script(Mutex::new(looks.into())), serde_json::from_value(step).unwrap());
        drain(&cloud, kind, &step, Some(&live), &limits, &|_| ()).await
    }

    /// The jobs take longer than any step may, and only then a look is refused: that is no reason to give up.
    #[tokio::test]
    async fn a_look_that_fails_late_is_repeated() {
        let mut looks: Vec<_> = (0..5).map(|_| busy()).collect();
        looks.extend([Err(refused()), Ok(Jobs::default())]);
        let ended = drained(3600, Duration::from_millis(100), looks).await;
        assert!(matches!(ended, Ok(Drained::Empty)));
    }

    #[tokio::test]
    async fn looks_that_go_on_failing_end_it() {
        let ended = drained(3600, Duration::ZERO, vec![busy(), Err(refused())]).await;
        assert!(ended.is_err_and(|failure| failure.message.contains("Too Many Requests")));
    }

    #[tokio::test]
    async fn a_look_that_fails_at_the_end_of_its_time_is_no_failure() {
        let looks = vec![Err(refused()), busy()];
        let ended = drained(0, Duration::from_secs(60), looks).await;
        assert!(
            matches!(ended, Ok(Drained::Later(why)) if why.starts_with("1 job still runs (long 0f) on t-work"))
        );
    }
}
