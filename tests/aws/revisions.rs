//! Revisions of job definitions (D20): how many stay, which stay whatever their age, and what a plan costs in an account
//! that has thousands of them.

use std::fs;

use crate::world::{World, load, planned};
use batchwright::manifest::Options;
use batchwright::plan::{Guard, Verb};
use batchwright::resource::{Desired, Observed};
use serde_json::json;

const ENVIRONMENT: &str = "project: acme/revisions\naccount: \"444444444444\"\nregion: eu-west-1\nnamePrefix: test-\nstacks: [main]\n";

/// A job definition, and a role that may submit it; `pin` is what else the role may submit.
fn desired(account: u64, keep: u32, priority: u32, pin: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    let environment = ENVIRONMENT.replace("444444444444", &account.to_string());
    fs::write(folder.path().join("test/environment.yaml"), environment).unwrap();
    let stack = format!(
        "apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata:
  name: job
  lifecycle: {{keepRevisions: {keep}}}
spec:
  type: container
  schedulingPriority: {priority}
  containerProperties:
    image: public.ecr.aws/docker/library/busybox:latest
    resourceRequirements: [{{type: VCPU, value: \"1\"}}, {{type: MEMORY, value: \"512\"}}]
---
apiVersion: batchwright/v1
kind: iam/Role
metadata:
  name: caller
spec:
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement: [{{Effect: Allow, Principal: {{Service: states.amazonaws.com}}, Action: sts:AssumeRole}}]
  policies:
    - policyName: submit
      policyDocument:
        Version: \"2012-10-17\"
        Statement: [{{Effect: Allow, Action: batch:SubmitJob, Resource: [\"${{batch/JobDefinition/job.arn}}\"{pin}]}}]
"
    );
    fs::write(folder.path().join("stacks/main/all.yaml"), stack).unwrap();
    load(folder.path(), "test", &Options::default())
}

/// The revisions that AWS has ACTIVE, newest first.
fn active(observed: &Observed) -> Vec<u64> {
    let seen = &observed.resources[&"batch/JobDefinition/job".parse().unwrap()];
    seen.iter().filter_map(|live| live.revision).collect()
}

fn role(observed: &Observed) -> String {
    let seen = &observed.resources[&"iam/Role/caller".parse().unwrap()];
    seen.current.as_ref().unwrap().spec["policies"].to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_stay_and_who_uses_them_has_the_newest() {
    let world = World::of(&desired(700_000_000_001, 3, 1, "")).await;
    let mut left = Vec::new();
    for priority in 1..=6 {
        let desired = desired(700_000_000_001, 3, priority, "");
        let before = world.observe(&desired).await;
        let plan = world.apply_to(&desired, &before, &Guard::default()).await;
        // Never the one that was newest when the run began, though it is old by the end of it.
        let newest =
            before.resources.get(&"batch/JobDefinition/job".parse().unwrap()).map(|_| active(&before)[0]);
        let gone: Vec<Option<u64>> = plan
            .steps
            .iter()
            .filter(|step| step.verb == Verb::Deregister)
            .map(|step| step.revision)
            .collect();
        assert!(newest.is_none() || !gone.contains(&newest), "{gone:?} of {:?}", active(&before));
        let (rest, observed) = world.plan(&desired, &Guard::default()).await;
        assert!(rest.is_empty(), "nothing is left for the next run: {:#?}", rest.changes);
        assert!(
            role(&observed).contains(&format!("job-definition/test-job:{priority}\"")),
            "{}",
            role(&observed)
        );
        left.push(active(&observed));
    }
    let expected: [&[u64]; 6] = [&[1], &[2, 1], &[3, 2, 1], &[4, 3, 2], &[5, 4, 3], &[6, 5, 4]];
    assert_eq!(left, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_something_names_stays_and_the_plan_says_why() {
    let account = 700_000_000_002;
    let arn =
        |revision: u32| format!(", \"arn:aws:batch:eu-west-1:{account}:job-definition/test-job:{revision}\"");
    let world = World::of(&desired(account, 2, 1, "")).await;
    world.apply(&desired(account, 2, 1, ""), &Guard::default()).await;
    let mut reasons = Vec::new();
    for (priority, pin) in [(2, arn(1)), (3, arn(1)), (4, arn(1)), (5, String::new())] {
        let plan = world.apply(&desired(account, 2, priority, &pin), &Guard::default()).await;
        let job = plan.changes.iter().find(|change| change.id.kind == "batch/JobDefinition").unwrap();
        reasons.push(job.reason.0.clone());
    }
    // The pin is off: the role lets go first, and the next run collects what it named.
    let last = desired(account, 2, 5, "");
    let (plan, observed) = world.plan(&last, &Guard::default()).await;
    reasons.push(plan.changes[0].reason.0.clone());
    assert_eq!(active(&observed), [5, 4, 1]);
    world.apply_to(&last, &observed, &Guard::default()).await;
    assert_eq!(active(&world.observe(&last).await), [5, 4]);
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    revisions are immutable
    revisions are immutable; revision 1 stays: iam/Role/caller names it
    revisions are immutable; revision 2 is deregistered (keepRevisions: 2); revision 1 stays: iam/Role/caller names it
    revisions are immutable; revision 3 is deregistered (keepRevisions: 2); revision 1 stays: iam/Role/caller names it
    revision 1 is deregistered (keepRevisions: 2)
    "#);
    // Under --verbose, a plan in which nothing else differs says it too.
    world.apply(&desired(account, 2, 5, &arn(4)), &Guard::default()).await;
    world.apply(&desired(account, 2, 6, &arn(4)), &Guard::default()).await;
    world.apply(&desired(account, 2, 7, &arn(4)), &Guard::default()).await;
    let (calm, _) = world.plan(&desired(account, 2, 7, &arn(4)), &Guard::default()).await;
    let notes: Vec<&str> = calm.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!((calm.is_empty(), notes), (true, vec!["revision 4 stays: iam/Role/caller names it"]));
}

/// P26: by the name, ACTIVE ones only, page by page: what others have costs nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_revisions_cost_a_page_each_hundred() {
    let account = 700_000_000_003;
    let first = desired(account, 3, 1, "");
    let world = World::of(&first).await;
    world.apply(&first, &Guard::default()).await;
    let observed = world.observe(&first).await;
    let tags =
        &observed.resources[&"batch/JobDefinition/job".parse().unwrap()].current.as_ref().unwrap().tags;
    let definition = |name: &str, tags: serde_json::Value| {
        json!({"jobDefinitionName": name, "type": "container", "tags": tags, "containerProperties": {"image": "busybox",
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]}})
    };
    let batch = world.sandbox.batch();
    batch.seed_job_definitions(&definition("test-job", json!(tags)), 2_499).unwrap();
    for family in 0..10 {
        batch.seed_job_definitions(&definition(&format!("foreign-{family}"), json!({})), 1_000).unwrap();
    }
    world.sandbox.reset_stats();
    let observed = world.observe(&first).await;
    assert_eq!(active(&observed).len(), 2_500);
    let stats = world.sandbox.stats();
    let describes = stats.of("batch", "DescribeJobDefinitions");
    assert_eq!(describes, 25, "{:?}", stats.per_action());

    let plan = planned(&first, &observed, &Guard::default());
    let job = plan.changes.iter().find(|change| change.id.kind == "batch/JobDefinition").unwrap();
    assert_eq!(
        job.reason.0,
        "revisions are immutable; 2497 revisions from 2 to 2498 are deregistered (keepRevisions: 3); \
         revision 1 stays: iam/Role/caller names it"
    );
}
