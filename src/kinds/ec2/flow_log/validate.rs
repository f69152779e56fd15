//! What AWS refuses of a flow log, known before it is asked: API_CreateFlowLogs, of each parameter what it goes with.

use aws_sdk_ec2::types::LogDestinationType;

use super::Spec;
use crate::kind::prelude::*;

pub(super) fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
    let to = spec.log_destination_type.as_str();
    let is_to = |one: LogDestinationType| to == one.as_str();
    let is_logs = is_to(LogDestinationType::CloudWatchLogs);
    let has_no_traffic =
        ["TransitGateway", "CoreNetwork"].iter().any(|of| spec.resource_type.starts_with(of));
    let (has_group, has_arn) = (spec.log_group_name.is_some(), spec.log_destination.is_some());
    let has_role = spec.deliver_logs_permission_arn.is_some();
    let rules = [
        ("trafficType", !has_no_traffic && spec.traffic_type.is_none(), "is needed: ACCEPT, REJECT or ALL"),
        (
            "trafficType",
            has_no_traffic && spec.traffic_type.is_some(),
            "transit gateways and Cloud WAN have none: remove it",
        ),
        (
            "logGroupName",
            is_logs && !has_group && !has_arn,
            "name a log group, such as ${logs/LogGroup/flows.name}",
        ),
        ("logGroupName", !is_logs && has_group, "is of cloud-watch-logs: remove it, or logDestinationType"),
        (
            "logDestination",
            is_logs && has_group && has_arn,
            "is the log group again, which logGroupName names: remove one of the two",
        ),
        ("logDestination", !is_logs && !has_arn, "is needed: the ARN of where records go"),
        (
            "logDestination",
            spec.log_destination.as_deref().is_some_and(in_aws_logs),
            "names the folder AWSLogs, which AWS keeps for itself: choose another",
        ),
        (
            "deliverLogsPermissionArn",
            is_logs && !has_role,
            "is needed with cloud-watch-logs: the role by which records are written, such as ${iam/Role/flows.arn}",
        ),
        (
            "deliverLogsPermissionArn",
            is_to(LogDestinationType::S3) && has_role,
            "is not for buckets, whose policy decides: remove it",
        ),
        (
            "destinationOptions",
            !is_to(LogDestinationType::S3) && spec.destination_options.is_some(),
            "is for buckets: remove it, or set logDestinationType to s3",
        ),
        (
            "maxAggregationInterval",
            ![60, 600].contains(&spec.max_aggregation_interval),
            "is 60 or 600 seconds, and nothing else",
        ),
        (
            "maxAggregationInterval",
            has_no_traffic && spec.max_aggregation_interval == 600,
            "has to be 60 for transit gateways and Cloud WAN: say 60",
        ),
        (
            "logFormat",
            spec.log_format.as_deref().is_some_and(|format| format.trim().is_empty()),
            "has no field: name at least one, or leave it out",
        ),
    ];
    let broken = rules.into_iter().filter(|rule| rule.1).map(|(path, _, what)| Invalid::new(path, what));
    broken.chain(wrong_arn(spec)).chain(keys(spec)).collect()
}

/// What each destination's ARN looks like: API_CreateFlowLogs, `LogDestination`.
fn wrong_arn(spec: &Spec) -> Option<Invalid> {
    let arn = spec.log_destination.as_deref().filter(|arn| !arn.contains("${"))?;
    let (service, resource, such) = match spec.log_destination_type.as_str() {
        "s3" => ("s3", "", "arn:aws:s3:::my-bucket/my-folder"),
        "kinesis-data-firehose" => (
            "firehose",
            "deliverystream/",
            "arn:aws:firehose:eu-west-1:111122223333:deliverystream/my-stream",
        ),
        _ => ("logs", "log-group:", "arn:aws:logs:eu-west-1:111122223333:log-group:my-group"),
    };
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let fits = matches!(parts.as_slice(), ["arn", _, of, _, _, rest]
        if *of == service && rest.strip_prefix(resource).is_some_and(|name| !name.is_empty()));
    let what = format!("`{arn}` is not where {} writes: such as {such}", spec.log_destination_type);
    (!fits).then(|| Invalid::new("logDestination", what))
}

/// "Note that you can't use AWSLogs as a subfolder name."
fn in_aws_logs(arn: &str) -> bool {
    arn.split_once(":s3:::").and_then(|(_, path)| path.split('/').nth(1)) == Some("AWSLogs")
}

/// API_TagFieldSpecification: keys have 1 to 128 characters.
fn keys(spec: &Spec) -> impl Iterator<Item = Invalid> {
    let each = spec.tag_field_specifications.iter().enumerate();
    let each = each.flat_map(|(index, one)| one.tag_keys.iter().enumerate().map(move |it| (index, it)));
    each.filter(|(_, (_, key))| !(1..=128).contains(&key.chars().count())).map(|(index, (at, _))| {
        let path = format!("tagFieldSpecifications[{index}].tagKeys[{at}]");
        Invalid::new(path, "a tag's key has 1 to 128 characters")
    })
}
