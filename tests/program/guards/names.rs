//! Names that mean nothing, and names that have changed: what is said of them is right when it is typed.

use super::{ENVIRONMENT, Stand, objections, roles};

/// A compute environment under this logical name, and a queue on what is written there.
fn queue_on(name: &str, environment: &str) -> String {
    let trust = roles(&["batch"]).replace("ecs-tasks", "batch");
    format!(
        "{trust}---
apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata:
  name: {name}
spec: {{type: UNMANAGED, serviceRole: \"${{iam/Role/batch.arn}}\", unmanagedvCpus: 8}}
---
apiVersion: batchwright/v1
kind: batch/JobQueue
metadata:
  name: jobs
spec:
  priority: 1
  computeEnvironmentOrder:
  - computeEnvironment: {environment}
"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_name_where_a_reference_is_meant_is_doubted_and_refused() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&queue_on("spot", "spot"));
    let valid = stand.run(&["validate", "dev"]).await;
    insta::assert_snapshot!(valid.out, @"
    Warnings:
      batch/JobQueue/jobs: `spot` is looked for in AWS under this very name; if batch/ComputeEnvironment/spot is meant, which is declared here, write `${batch/ComputeEnvironment/spot.arn}`
        --> manifests/stacks/main/main.yaml:24:5

    dev: 3 resources are declared, and nothing is wrong with them.
    ");
    assert_eq!(valid.code, 0);
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "batch/JobQueue/jobs: computeEnvironmentOrder[0].computeEnvironment names `spot`, and there is no batch/ComputeEnvironment of that name in AWS: write `${batch/ComputeEnvironment/spot.arn}` for batch/ComputeEnvironment/spot, which is declared here"
        ]
    );
    // As it is called in AWS, and not made yet: nothing would wait for it.
    stand.stack(&queue_on("spot", "dev-spot"));
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "batch/JobQueue/jobs: computeEnvironmentOrder[0].computeEnvironment names `dev-spot`, and there is no batch/ComputeEnvironment of that name in AWS yet: write `${batch/ComputeEnvironment/spot.arn}`, so that batch/ComputeEnvironment/spot comes first"
        ]
    );
    stand.stack(&queue_on("spot", "spott"));
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "batch/JobQueue/jobs: computeEnvironmentOrder[0].computeEnvironment names `spott`, and there is no batch/ComputeEnvironment of that name in AWS: did you mean `${batch/ComputeEnvironment/spot.arn}`?"
        ]
    );
    stand.stack(&queue_on("spot", "else"));
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "batch/JobQueue/jobs: computeEnvironmentOrder[0].computeEnvironment names `else`, and there is no batch/ComputeEnvironment of that name in AWS: correct the name, make it first, or declare it here and refer to it"
        ]
    );
    // As it is printed.
    stand.stack(&queue_on("spot", "${batch/ComputeEnvironment/spot.arn}"));
    let applied = stand.apply(&[]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    // Now there is one of that name: doubtful, and in nobody's way.
    stand.stack(&queue_on("spot", "dev-spot"));
    let calm = stand.run(&["plan", "dev"]).await;
    assert_eq!(calm.code, 0, "{}", calm.out);
    assert!(calm.out.contains("write `${batch/ComputeEnvironment/spot.arn}`"), "{}", calm.out);
    assert!(calm.out.ends_with("No changes. 3 resources are as declared.\n"), "{}", calm.out);
}

/// The text in the first pair of backticks after `write `.
fn written(text: &str) -> &str {
    text.split_once("write `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .unwrap_or_else(|| panic!("{text}"))
        .0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_only_renamed_is_told_how_to_say_so_and_then_nothing_is_deleted() {
    let stand = Stand::new(ENVIRONMENT).await;
    let reference = "${batch/ComputeEnvironment/spot.arn}";
    stand.stack(&queue_on("spot", reference));
    let applied = stand.apply(&[]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);
    let renamed = queue_on("nightly", &reference.replace("spot", "nightly"))
        .replace("name: jobs\n", "name: tasks\n")
        .replace("name: batch\n", "name: service\n")
        .replace("iam/Role/batch.arn", "iam/Role/service.arn");
    stand.stack(&renamed);
    let refused = stand.apply(&[]).await;
    let objections = objections(&refused);
    let told: Vec<&String> = objections.iter().filter(|line| line.contains("renamedFrom")).collect();
    assert_eq!(
        told,
        [
            "batch/ComputeEnvironment/spot: deleting it needs a word of its own: --allow-delete=batch/ComputeEnvironment/spot, or a line in allowDelete of environment.yaml; or, if it is only renamed, write `renamedFrom: spot` under the `metadata` of batch/ComputeEnvironment/nightly",
            "batch/JobQueue/jobs: deleting it needs a word of its own: --allow-delete=batch/JobQueue/jobs, or a line in allowDelete of environment.yaml; or, if it is only renamed, write `renamedFrom: jobs` under the `metadata` of batch/JobQueue/tasks",
        ]
    );
    let mut mended = renamed;
    for (new, old) in [("nightly", "spot"), ("tasks", "jobs"), ("service", "batch")] {
        let told = refused
            .out
            .lines()
            .find(|line| line.contains("if that is only renamed") && line.contains(&format!("/{new}:")));
        let told = written(told.unwrap_or_else(|| panic!("{new}: {}", refused.out)));
        assert_eq!(told, format!("renamedFrom: {old}"));
        mended = mended.replace(&format!("name: {new}\n"), &format!("name: {new}\n  {told}\n"));
    }
    stand.stack(&mended);
    let good = stand.apply(&[]).await;
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    assert!(good.out.contains("Applied: 0 added, 3 changed, 0 replaced, 0 deleted."), "{}", good.out);
    assert!(stand.run(&["plan", "dev"]).await.out.ends_with("No changes. 3 resources are as declared.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unlike_is_not_taken_for_renamed() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&roles(&["a", "b"]));
    assert_eq!(stand.apply(&[]).await.code, 0);
    let other = roles(&["c"]).replace("ecs-tasks.amazonaws.com", "batch.amazonaws.com");
    stand.stack(
        &(roles(&["a"])
            + &other.replace("spec:\n", "spec:\n  description: another\n  maxSessionDuration: 7200\n")),
    );
    let plan = stand.run(&["plan", "dev"]).await;
    assert!(!plan.out.contains("renamedFrom"), "{}", plan.out);
}
