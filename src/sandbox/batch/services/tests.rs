//! Service environments from creation to deletion, and a queue on one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::Settings;
use crate::batch::tests::Bench;

fn training(name: &str) -> Value {
    json!({ "serviceEnvironmentName": name, "serviceEnvironmentType": "SAGEMAKER_TRAINING",
        "capacityLimits": [{ "capacityUnit": "NUM_INSTANCES", "maxCapacity": 5 }] })
}

fn queue(environment: &str) -> Value {
    json!({ "jobQueueName": "q", "priority": 1,
        "serviceEnvironmentOrder": [{ "order": 1, "serviceEnvironment": environment }] })
}

#[tokio::test]
async fn an_environment_goes_when_it_is_off_and_no_queue_has_it() {
    let bench = Bench::with(Settings { transition: Duration::from_secs(10), ..Settings::default() });
    bench.ok("CreateServiceEnvironment", training("t")).await;
    let shown = async || {
        let answer = bench.ok("DescribeServiceEnvironments", json!({ "serviceEnvironments": ["t"] })).await;
        answer["serviceEnvironments"][0].clone()
    };
    assert_eq!(shown().await["status"], "CREATING");
    let early = bench.call("CreateJobQueue", queue("t")).await.unwrap_err();
    assert!(early.contains("must be created and valid"), "{early}");
    bench.advance(10);
    assert_eq!(shown().await["status"], "VALID");
    bench.ok("CreateJobQueue", queue("t")).await;
    bench.advance(10);
    let of_queue = bench.queue("q").await;
    assert_eq!(
        (&of_queue["jobQueueType"], &of_queue["computeEnvironmentOrder"]),
        (&json!("SAGEMAKER_TRAINING"), &json!([]))
    );
    let delete = async || bench.call("DeleteServiceEnvironment", json!({ "serviceEnvironment": "t" })).await;
    assert!(delete().await.unwrap_err().contains("must be in DISABLED state"));
    bench.ok("UpdateServiceEnvironment", json!({ "serviceEnvironment": "t", "state": "DISABLED" })).await;
    assert!(delete().await.unwrap_err().contains("resource is being modified"));
    bench.advance(10);
    assert!(delete().await.unwrap_err().contains("found existing JobQueue relationship"));
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "state": "DISABLED" })).await;
    bench.advance(10);
    bench.ok("DeleteJobQueue", json!({ "jobQueue": "q" })).await;
    bench.advance(10);
    delete().await.unwrap();
    assert_eq!(shown().await["status"], "DELETING");
    bench.advance(10);
    assert_eq!(shown().await, Value::Null);
}
