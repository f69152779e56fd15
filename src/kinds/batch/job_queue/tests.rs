use aws_sdk_batch::types as sdk;
use serde_json::{Value, json};

use super::*;
use crate::diff::walk;
use crate::kind::{AnyKind, Erased};
use crate::resource::Document;

static KIND: Erased<JobQueue> = Erased::new();
const CE: &str = "arn:aws:batch:eu-west-1:111122223333:compute-environment";

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn normal(spec: Value) -> Document {
    KIND.normal(&spec, &place()).unwrap()
}

fn detail() -> sdk::builders::JobQueueDetailBuilder {
    let entry = |order: i32, name: &str| {
        sdk::ComputeEnvironmentOrder::builder()
            .order(order)
            .compute_environment(format!("{CE}/{name}"))
            .build()
    };
    sdk::JobQueueDetail::builder()
        .job_queue_name("jobs")
        .job_queue_arn("arn:aws:batch:eu-west-1:111122223333:job-queue/jobs")
        .state(sdk::JqState::Enabled)
        .status(sdk::JqStatus::Valid)
        .priority(1)
        .compute_environment_order(entry(20, "second"))
        .compute_environment_order(entry(10, "first"))
        .job_queue_type(sdk::JobQueueType::EcsFargate)
        .tags("team", "data")
        .tags("aws:x", "y")
}

fn observe(detail: sdk::JobQueueDetail) -> Option<Live<JobQueue>> {
    let snapshot = Snapshot { job_queues: vec![detail], ..Snapshot::default() };
    JobQueue::observe(&snapshot, &place()).pop()
}

#[test]
fn aws_is_reported_in_the_manifests_words() {
    let mut live = observe(detail().build()).unwrap();
    JobQueue::normalise(&mut live.spec, &place());
    insta::assert_json_snapshot!(
        json!({"physical": live.physical, "spec": live.spec, "outputs": live.outputs, "tags": live.tags}),
        @r#"
        {
          "outputs": {
            "arn": "arn:aws:batch:eu-west-1:111122223333:job-queue/jobs",
            "status": "VALID"
          },
          "physical": "jobs",
          "spec": {
            "computeEnvironmentOrder": [
              {
                "computeEnvironment": "arn:aws:batch:eu-west-1:111122223333:compute-environment/first"
              },
              {
                "computeEnvironment": "arn:aws:batch:eu-west-1:111122223333:compute-environment/second"
              }
            ],
            "jobQueueType": "ECS_FARGATE",
            "priority": 1,
            "state": "ENABLED"
          },
          "tags": {
            "team": "data"
          }
        }
        "#
    );
}

#[test]
fn the_order_of_the_list_counts_and_the_numbers_do_not() {
    let mut live = observe(detail().build()).unwrap().spec;
    JobQueue::normalise(&mut live, &place());
    let live = serde_json::to_value(live).unwrap();
    let changes = |entries: Value| {
        let want = normal(json!({"priority": 1, "computeEnvironmentOrder": entries}));
        walk(&live, &want, &KIND.facts().rules, &[]).len()
    };
    assert_eq!(
        changes(json!([{"computeEnvironment": "first"}, {"computeEnvironment": format!("{CE}/second")}])),
        0
    );
    assert_eq!(
        changes(json!([
            {"computeEnvironment": "second", "order": 2},
            {"computeEnvironment": "first", "order": 1},
        ])),
        0
    );
    assert_eq!(changes(json!([{"computeEnvironment": "second"}, {"computeEnvironment": "first"}])), 2);
    assert_eq!(changes(json!([{"computeEnvironment": "first"}])), 1);
}

#[test]
fn entries_are_numbered_in_the_lists_order() {
    let spec = normal(json!({"priority": 1, "computeEnvironmentOrder": [
        {"computeEnvironment": "b", "order": 7}, {"computeEnvironment": "a", "order": 3}]}));
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let sent: Vec<_> = numbered(&spec).into_iter().map(|e| (e.order, e.compute_environment)).collect();
    assert_eq!(sent, [(Some(1), format!("{CE}/a")), (Some(2), format!("{CE}/b"))]);
}

#[test]
fn a_policy_comes_and_goes_only_with_the_queue() {
    let spec = |policy: Option<&str>, kind: &str| {
        let mut spec = json!({"priority": 1, "jobQueueType": kind, "computeEnvironmentOrder": [{"computeEnvironment": "a"}]});
        if let Some(policy) = policy {
            spec["schedulingPolicyArn"] = json!(policy);
        }
        normal(spec)
    };
    let effect = |live: Document, want: Document| {
        let changes = walk(&live, &want, &KIND.facts().rules, &[]);
        KIND.effect(&live, &want, &changes).0
    };
    let replace = Effect::Replace(Order::DeleteFirst);
    assert_eq!(effect(spec(Some("a"), "ECS"), spec(Some("b"), "ECS")), Effect::Update(Manner::InPlace));
    assert_eq!(effect(spec(None, "ECS"), spec(Some("b"), "ECS")), replace);
    assert_eq!(effect(spec(Some("a"), "ECS"), spec(None, "ECS")), replace);
    assert_eq!(effect(spec(None, "ECS"), spec(None, "EKS")), replace);
}

#[test]
fn status_says_whether_it_is_ready() {
    let of = |status: sdk::JqStatus| observe(detail().status(status).status_reason("why").build());
    let readiness = |status| of(status).map(|live| live.readiness);
    assert_eq!(readiness(sdk::JqStatus::Valid), Some(Readiness::Ready));
    assert_eq!(readiness(sdk::JqStatus::Updating), Some(Readiness::Pending("UPDATING: why".to_owned())));
    assert_eq!(readiness(sdk::JqStatus::Invalid), Some(Readiness::Failed("INVALID: why".to_owned())));
    assert_eq!(readiness(sdk::JqStatus::Deleted), None);
}

#[test]
fn what_batch_refuses_is_known_before() {
    let entry = |name: &str, order: Option<i32>| match order {
        Some(order) => json!({"computeEnvironment": name, "order": order}),
        None => json!({"computeEnvironment": name}),
    };
    let complaints = |spec: Value| -> Vec<String> {
        // As manifests are read: normalised first.
        let spec = serde_json::from_value(normal(spec)).unwrap();
        JobQueue::validate(&spec, &place()).into_iter().map(|invalid| invalid.path).collect()
    };
    let queue = |entries: Vec<Value>| json!({"priority": 1, "computeEnvironmentOrder": entries});
    assert_eq!(complaints(queue(vec![entry("a", None), entry("b", None)])), Vec::<String>::new());
    assert_eq!(complaints(queue(vec![entry("a", Some(2)), entry("b", Some(1))])), Vec::<String>::new());
    assert_eq!(complaints(queue(vec![])), ["computeEnvironmentOrder"]);
    assert_eq!(
        complaints(queue(vec![entry("a", Some(1)), entry("b", Some(1))])),
        ["computeEnvironmentOrder"]
    );
    assert_eq!(complaints(queue(vec![entry("a", Some(1)), entry("b", None)])), ["computeEnvironmentOrder"]);
    let four = ["a", "b", "c", "d"].map(|name| entry(name, None));
    assert_eq!(complaints(queue(four.to_vec())), ["computeEnvironmentOrder"]);
    assert_eq!(
        complaints(queue(vec![entry("a", None), entry("a", None)])),
        ["computeEnvironmentOrder[1].computeEnvironment"]
    );
    let limit = |reason: &str, action: &str| json!({"reason": reason, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": action});
    let limited = |service: bool, limits: Value| {
        let mut queue = queue(vec![entry("a", None)]);
        if service {
            queue = json!({"priority": 1, "serviceEnvironmentOrder": [{"serviceEnvironment": "a"}]});
        }
        queue["jobStateTimeLimitActions"] = limits;
        complaints(queue)
    };
    let (capacity, service) =
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "MISCONFIGURATION:SERVICE_ENVIRONMENT_MAX_RESOURCE");
    assert_eq!(limited(false, json!([limit(capacity, "CANCEL")])), Vec::<String>::new());
    assert_eq!(
        limited(true, json!([limit(capacity, "TERMINATE"), limit(service, "TERMINATE")])),
        Vec::<String>::new()
    );
    assert_eq!(limited(true, json!([limit(service, "CANCEL")])), ["jobStateTimeLimitActions[0].action"]);
    assert_eq!(limited(false, json!([limit(service, "CANCEL")])), ["jobStateTimeLimitActions[0].reason"]);
    assert_eq!(
        limited(false, json!([limit(capacity, "CANCEL"), limit(capacity, "CANCEL")])),
        ["jobStateTimeLimitActions[1].reason"]
    );
}
