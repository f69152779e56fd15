//! Consumable resources from creation to deletion, and jobs that wait for them.

use serde_json::{Value, json};

use crate::batch::tests::{Bench, changed, definition};

async fn quantities(bench: &Bench, name: &str) -> [i64; 3] {
    let shown = bench.ok("DescribeConsumableResource", json!({ "consumableResource": name })).await;
    ["totalQuantity", "inUseQuantity", "availableQuantity"].map(|member| shown[member].as_i64().unwrap())
}

#[tokio::test]
async fn a_resource_lives_and_dies() {
    let bench = Bench::new();
    let request = json!({ "consumableResourceName": "licences", "totalQuantity": 5, "tags": { "a": "b" } });
    let made = bench.ok("CreateConsumableResource", request.clone()).await;
    assert_eq!(
        bench.call("CreateConsumableResource", request).await.unwrap_err(),
        "ClientException: Object already exists"
    );
    let arn = made["consumableResourceArn"].clone();
    let shown = bench.ok("DescribeConsumableResource", json!({ "consumableResource": arn })).await;
    assert_eq!((&shown["resourceType"], &shown["tags"]), (&json!("REPLENISHABLE"), &json!({ "a": "b" })));
    for (operation, quantity, total) in [("ADD", 2, 7), ("REMOVE", 3, 4), ("SET", 9, 9)] {
        let request =
            json!({ "consumableResource": "licences", "operation": operation, "quantity": quantity });
        assert_eq!(bench.ok("UpdateConsumableResource", request).await["totalQuantity"], total);
    }
    let filters =
        |value: &str| json!({ "filters": [{ "name": "CONSUMABLE_RESOURCE_NAME", "values": [value] }] });
    for (value, count) in [("LIC*", 1), ("licences", 1), ("lic", 0)] {
        let listed = bench.ok("ListConsumableResources", filters(value)).await;
        assert_eq!(listed["consumableResources"].as_array().unwrap().len(), count, "{value}");
    }
    bench.ok("DeleteConsumableResource", json!({ "consumableResource": arn })).await;
    let gone = bench.call("DescribeConsumableResource", json!({ "consumableResource": "licences" })).await;
    assert_eq!(gone.unwrap_err(), "ClientException: Consumable resource licences does not exist");
}

/// `REPLENISHABLE` comes back when a job is over; the rest is gone, from the total as well.
#[tokio::test]
async fn jobs_wait_for_what_they_take() {
    let bench = Bench::new();
    bench.batch.map_image("worker", "/bin/sh".into(), vec!["-c".into()]);
    bench.with_fargate("ce", "q").await;
    for (name, of) in [("seats", "REPLENISHABLE"), ("coupons", "NON_REPLENISHABLE")] {
        let request = json!({ "consumableResourceName": name, "totalQuantity": 3, "resourceType": of });
        bench.ok("CreateConsumableResource", request).await;
    }
    let takes = json!({ "consumableResourceProperties": { "consumableResourceList": [
        { "consumableResource": "seats", "quantity": 2 }, { "consumableResource": "coupons", "quantity": 1 },
    ] } });
    bench.ok("RegisterJobDefinition", changed(definition("jd", &["exec tail -f /dev/null"]), takes)).await;
    let submit = async || {
        let request = json!({ "jobName": "job", "jobQueue": "q", "jobDefinition": "jd" });
        bench.ok("SubmitJob", request).await["jobId"].as_str().unwrap().to_owned()
    };
    let status = async |id: &str| -> String {
        bench.ok("DescribeJobs", json!({ "jobs": [id] })).await["jobs"][0]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let until = async |id: &str, wanted: &[&str]| {
        let wait = async {
            while !wanted.contains(&status(id).await.as_str()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), wait)
            .await
            .unwrap_or_else(|_| panic!("{wanted:?}"));
    };
    let first = submit().await;
    until(&first, &["STARTING", "RUNNING"]).await;
    assert_eq!(quantities(&bench, "seats").await, [3, 2, 1]);
    assert_eq!(quantities(&bench, "coupons").await, [2, 1, 2]);
    let second = submit().await;
    until(&second, &["RUNNABLE"]).await;
    let of_seats = json!({ "consumableResource": "seats", "filters": [{ "name": "JOB_STATUS", "values": ["RUNNABLE"] }] });
    let waiting: Value = bench.ok("ListJobsByConsumableResource", of_seats).await["jobs"].clone();
    assert_eq!((waiting.as_array().unwrap().len(), &waiting[0]["quantity"]), (1, &json!(2)));
    bench.ok("TerminateJob", json!({ "jobId": first, "reason": "enough" })).await;
    until(&second, &["STARTING", "RUNNING"]).await;
    assert_eq!(quantities(&bench, "seats").await, [3, 2, 1]);
    assert_eq!(quantities(&bench, "coupons").await, [1, 1, 1]);
    bench.ok("TerminateJob", json!({ "jobId": second, "reason": "enough" })).await;
    until(&second, &["FAILED"]).await;
    assert_eq!(quantities(&bench, "seats").await, [3, 0, 3]);
}
