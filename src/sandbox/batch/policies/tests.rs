//! Scheduling policies from creation to deletion.

use serde_json::{Value, json};

use crate::batch::tests::Bench;

#[tokio::test]
async fn a_policy_lives_and_dies() {
    let bench = Bench::new();
    let shares = json!([{ "shareIdentifier": "a" }, { "shareIdentifier": "b*", "weightFactor": 2.5 }]);
    let request = json!({ "name": "p", "fairsharePolicy": { "shareDistribution": shares } });
    let arn = bench.ok("CreateSchedulingPolicy", request).await["arn"].clone();
    let shown = async || {
        let answer = bench.ok("DescribeSchedulingPolicies", json!({ "arns": [arn] })).await;
        answer["schedulingPolicies"].clone()
    };
    insta::assert_json_snapshot!(shown().await, @r#"
    [
      {
        "arn": "arn:aws:batch:us-east-1:123456789012:scheduling-policy/p",
        "fairsharePolicy": {
          "computeReservation": 0,
          "shareDecaySeconds": 0,
          "shareDistribution": [
            {
              "shareIdentifier": "a",
              "weightFactor": 1.0
            },
            {
              "shareIdentifier": "b*",
              "weightFactor": 2.5
            }
          ]
        },
        "name": "p",
        "tags": {}
      }
    ]
    "#);
    bench
        .ok("UpdateSchedulingPolicy", json!({ "arn": arn, "fairsharePolicy": { "computeReservation": 5 } }))
        .await;
    assert_eq!(
        shown().await[0]["fairsharePolicy"],
        json!({ "computeReservation": 5, "shareDecaySeconds": 0, "shareDistribution": [] })
    );
    bench.ok("DeleteSchedulingPolicy", json!({ "arn": arn })).await;
    assert_eq!(shown().await, json!([]));
}

#[tokio::test]
async fn policies_that_aws_refuses_are_refused() {
    let bench = Bench::new();
    bench.ok("CreateSchedulingPolicy", json!({ "name": "taken" })).await;
    let fair = |policy: Value| json!({ "name": "p", "fairsharePolicy": policy });
    let share = |items: Value| fair(json!({ "shareDistribution": items }));
    for (request, message) in [
        (json!({ "name": "taken" }), "Object already exists"),
        (json!({ "name": "a b" }), "Scheduling policy name should match a valid pattern."),
        (
            json!({ "name": "p", "fairsharePolicy": {}, "quotaSharePolicy": { "idleResourceAssignmentStrategy": "FIFO" } }),
            "A scheduling policy can have either fairsharePolicy or quotaSharePolicy",
        ),
        (fair(json!({ "computeReservation": 100 })), "computeReservation must be between 0 and 99."),
        (
            share(json!([{ "shareIdentifier": "a", "weightFactor": 1000 }])),
            "Weight factor should be between 0.0001 and 999.9999.",
        ),
        (
            share(json!([{ "shareIdentifier": "a" }, { "shareIdentifier": "a" }])),
            "Cannot have two or more identical shareIdentifiers.",
        ),
        (
            share(json!([{ "shareIdentifier": "a*" }, { "shareIdentifier": "ab" }])),
            "Share identifier ab matches another share identifier a*",
        ),
    ] {
        let error = bench.call("CreateSchedulingPolicy", request).await.unwrap_err();
        let error = error.replace("Error executing request, Exception : ", "");
        assert_eq!(error, format!("ClientException: {message}"));
    }
}
