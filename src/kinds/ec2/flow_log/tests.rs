use serde_json::{Value, json};

use super::*;
use crate::kind::{AnyKind, Erased};
use crate::kinds::trial::Trial;
use crate::services::Fault;

fn complaints(spec: Value) -> Vec<String> {
    let place = Place::new("111122223333", "eu-west-1");
    let mut spec: Spec = serde_json::from_value(spec).unwrap();
    FlowLog::normalise(&mut spec, &place);
    FlowLog::validate(&spec, &place).into_iter().map(|found| found.path).collect()
}

/// API_CreateFlowLogs.
#[test]
fn what_does_not_go_together_is_refused() {
    let role = "arn:aws:iam::111122223333:role/flows";
    let with = |change: Value| {
        let mut spec = json!({"resourceType": "VPC", "resourceId": "vpc-1", "trafficType": "ALL"});
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        spec
    };
    let bucket = "arn:aws:s3:::flows/of/dev";
    for (spec, expected) in [
        (with(json!({"logGroupName": "flows", "deliverLogsPermissionArn": role})), &[][..]),
        (with(json!({"logDestinationType": "s3", "logDestination": bucket})), &[]),
        (with(json!({})), &["logGroupName", "deliverLogsPermissionArn"]),
        (
            with(
                json!({"logDestinationType": "s3", "logDestination": bucket, "deliverLogsPermissionArn": role, "logGroupName": "a"}),
            ),
            &["logGroupName", "deliverLogsPermissionArn"],
        ),
        (
            with(json!({"logDestinationType": "s3", "logDestination": "arn:aws:s3:::flows/AWSLogs"})),
            &["logDestination"],
        ),
        (
            with(
                json!({"logGroupName": "a", "deliverLogsPermissionArn": role, "destinationOptions": {"fileFormat": "parquet"}, "maxAggregationInterval": 300}),
            ),
            &["destinationOptions", "maxAggregationInterval"],
        ),
        (
            json!({"resourceType": "TransitGateway", "resourceId": "tgw-1", "trafficType": "ALL", "logDestinationType": "s3", "logDestination": bucket}),
            &["trafficType", "maxAggregationInterval"],
        ),
    ] {
        assert_eq!(complaints(spec.clone()), expected, "{spec}");
    }
}

#[test]
fn a_group_is_called_by_name_and_one_log_goes_before_another_to_the_same_place() {
    let kind = Erased::<FlowLog>::new();
    let place = Place::new("111122223333", "eu-west-1");
    let normal = |group: Value, traffic: &str| {
        let mut spec = json!({"resourceType": "VPC", "resourceId": "vpc-1", "trafficType": traffic,
            "deliverLogsPermissionArn": "arn:aws:iam::111122223333:role/flows"});
        spec.as_object_mut().unwrap().extend(group.as_object().unwrap().clone());
        kind.normal(&spec, &place).unwrap()
    };
    let by_name = normal(json!({"logGroupName": "flows"}), "ALL");
    let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:flows:*";
    assert_eq!(by_name, normal(json!({"logDestination": arn}), "ALL"));
    let effect = |after: &Value| {
        kind.effect(&by_name, after, &crate::diff::walk(&by_name, after, &kind.facts().rules, &[]))
    };
    let (same, why) = effect(&normal(json!({"logGroupName": "flows"}), "REJECT"));
    assert_eq!(same, Effect::Replace(Order::DeleteFirst));
    insta::assert_snapshot!(why, @"trafficType is create-only, and AWS takes no second log of a resource to one place");
    let (another, _) = effect(&normal(json!({"logGroupName": "others"}), "ALL"));
    assert_eq!(another, Effect::Replace(Order::CreateFirst));
}

#[tokio::test]
async fn what_could_not_be_made_says_why() {
    let trial = Trial::new("ec2/FlowLog", "unnamed").await;
    let ec2 = trial.client::<Ec2>();
    let vpc = ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let spec = json!({"resourceType": "VPC", "resourceId": vpc, "trafficType": "ALL", "logDestinationType": "s3",
        "logDestination": "arn:aws:s3:::nobodys-bucket/flows"});
    let refused = trial.create(&spec).await.unwrap_err();
    assert!(refused.to_string().contains("nobodys-bucket does not exist"), "{refused}");
    let gone = Ec2::classify(
        &Error {
            code: Some("InvalidFlowLogId.NotFound".into()),
            ..Error::malformed("ec2", "DeleteFlowLogs", "")
        },
        std::time::Duration::ZERO,
    );
    assert_eq!(gone, Fault::Gone);
}
