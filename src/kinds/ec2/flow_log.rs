//! `ec2/FlowLog`: who talks to whom in a network, written down.

use aws_sdk_ec2::types::{
    self as sdk, DestinationFileFormat, FlowLog as Reported, LogDestinationType, ResourceType,
    TaggableResourceType, TrafficType,
};

use crate::kind::prelude::*;
use crate::kinds::iam::role::trust;
use crate::kinds::mirror::{Field, Part};
use crate::services::ec2::{Ec2, Snapshot, assigned, tag_on_create, tags, unsuccessful};

mod validate;

/// A flow log.
pub struct FlowLog;

/// What a manifest declares of a flow log.
#[spec]
pub struct Spec {
    /// What is watched: `VPC`, `Subnet`, `NetworkInterface`, a gateway, or a part of Cloud WAN.
    #[field(create_only, one_of(WATCHED))]
    pub resource_type: String,
    /// The id of what is watched.
    #[field(
        create_only,
        refers("ec2/NatGateway.id", "ec2/NatGateway.natGatewayId", "ec2/Subnet.id", "ec2/Vpc.id")
    )]
    pub resource_id: String,
    /// `ACCEPT`, `REJECT` or `ALL`; transit gateways and Cloud WAN have none, everything else needs it.
    #[field(server, create_only, one_of(TrafficType::values()))]
    pub traffic_type: Option<String>,
    /// Where to: `cloud-watch-logs`, `s3` or `kinesis-data-firehose`.
    #[field(default = "cloud-watch-logs", create_only, one_of(LogDestinationType::values()))]
    pub log_destination_type: String,
    /// The log group, by name; with `cloud-watch-logs`, in place of `logDestination`.
    #[field(empty, create_only, refers("logs/LogGroup.name"))]
    pub log_group_name: Option<String>,
    /// The ARN of the log group, the bucket, with a folder behind it or none, or the delivery stream. A bucket's policy has to let
    /// `delivery.logs.amazonaws.com` in: AWS adds that to one that lacks it, if who applies may write it, and it is drift then.
    #[field(empty, create_only, refers("logs/LogGroup.arn", "s3/Bucket.arn"))]
    pub log_destination: Option<String>,
    /// The role by which it is written, which lets `vpc-flow-logs.amazonaws.com` in; needed with `cloud-watch-logs`.
    #[field(empty, create_only, refers("iam/Role.arn"))]
    pub deliver_logs_permission_arn: Option<String>,
    /// The role in another account, by which it is written there.
    #[field(empty, create_only, refers("iam/Role.arn"))]
    pub deliver_cross_account_role: Option<String>,
    /// The fields of each record, such as `$${srcaddr} $${dstaddr}`; absent: AWS's own choice.
    #[field(server, create_only)]
    pub log_format: Option<String>,
    /// For how many seconds packets are added up to one record, at most: 60 or 600; of transit gateways and Cloud WAN 60.
    #[field(default = 600, create_only)]
    pub max_aggregation_interval: i32,
    /// How objects in a bucket are written; with `s3` only.
    #[field(empty, create_only)]
    pub destination_options: Option<DestinationOptions>,
    /// The tags of instances and the like whose values stand in records.
    #[field(empty, create_only, keyed("resourceType"), length(1..=3))]
    pub tag_field_specifications: Vec<TagFieldSpecification>,
}

/// How objects in a bucket are written.
#[spec(mirrors = sdk::DestinationOptionsRequest, told = sdk::DestinationOptionsResponse)]
pub struct DestinationOptions {
    /// `plain-text` or `parquet`.
    #[field(default = "plain-text", one_of(DestinationFileFormat::values()))]
    pub file_format: String,
    /// Whether names of objects have `name=value` parts, as Hive wants them.
    #[field(default)]
    pub hive_compatible_partitions: bool,
    /// Whether each hour has a folder.
    #[field(default)]
    pub per_hour_partition: bool,
}

/// Tags whose values stand in records.
#[spec(mirrors = sdk::TagFieldSpecificationRequest, told = sdk::TagFieldSpecificationResponse)]
pub struct TagFieldSpecification {
    /// Whose: `network-interface`, `instance` or `auto-scaling-group`.
    #[field(one_of(TaggableResourceType::values()))]
    pub resource_type: String,
    /// Their keys, one or two.
    #[field(required, length(1..=2))]
    pub tag_keys: Vec<String>,
}

/// What AWS assigns to a flow log.
#[outputs]
pub struct Outputs {
    /// Its id: `fl-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Whether records arrive: `SUCCESS` or `FAILED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_logs_status: Option<String>,
    /// Why they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_logs_error_message: Option<String>,
}

/// The last three are newer than the SDK, which passes on what it does not know (API_CreateFlowLogs, `ResourceType`).
const WATCHED: &[&str] = &[
    "VPC",
    "Subnet",
    "NetworkInterface",
    "RegionalNatGateway",
    "TransitGateway",
    "TransitGatewayAttachment",
    "CoreNetwork",
    "CoreNetworkEdge",
    "CoreNetworkAttachment",
];
const LOGS: &[On] = &[On::Regional("ec2", "vpc-flow-log/*")];
/// Who writes records to log groups: <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html>.
const WRITER: &[&str] = &["vpc-flow-logs.amazonaws.com"];

impl Kind for FlowLog {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/FlowLog";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str =
        "A flow log: who talks to whom in a network, written to a log group or a bucket.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::FlowLog";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeFlowLogs])],
        write: &[
            Grant::on(actions![ec2: CreateFlowLogs], LOGS).when(When::OwnerWritten),
            Grant::on(
                actions![ec2: CreateFlowLogs],
                &[
                    On::Regional("ec2", "natgateway/*"),
                    On::Regional("ec2", "network-interface/*"),
                    On::Regional("ec2", "subnet/*"),
                    On::Regional("ec2", "transit-gateway/*"),
                    On::Regional("ec2", "transit-gateway-attachment/*"),
                    On::Regional("ec2", "vpc/*"),
                ],
            ),
            Grant::on(actions![ec2: CreateTags], LOGS).when(When::TaggedBy(&["CreateFlowLogs"])),
            Grant::on(actions![ec2: CreateTags DeleteFlowLogs DeleteTags], LOGS).when(When::Owned),
            Grant::pass_role(WRITER),
            // <https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-create-flow-log.html>
            Grant::any(actions![logs: CreateLogDelivery DeleteLogDelivery])
                .given(Given::Has(&["logDestination"])),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("flow_log.example.yaml");

    fn validate(spec: &Spec, place: &Place) -> Vec<Invalid> {
        validate::validate(spec, place)
    }

    fn clashes(spec: &Spec, _id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        let role = spec.deliver_logs_permission_arn.as_deref();
        let path = "deliverLogsPermissionArn";
        role.and_then(|role| trust::keeps_out(path, role, WRITER, beside)).into_iter().collect()
    }

    /// AWS tells a log group by its name, and options that are its own not at all.
    fn normalise(spec: &mut Spec, place: &Place) {
        if spec.log_destination_type == LogDestinationType::CloudWatchLogs.as_str() {
            let own = place.arn("logs", "log-group:");
            let arn = spec.log_destination.as_deref();
            let name = arn.and_then(|arn| arn.strip_prefix(&own)).map(|name| name.trim_end_matches(":*"));
            if let Some(name) = name.filter(|_| spec.log_group_name.is_none()).map(str::to_owned) {
                (spec.log_group_name, spec.log_destination) = (Some(name), None);
            }
        }
        let usual = DestinationOptions {
            file_format: DestinationFileFormat::PlainText.as_str().to_owned(),
            hive_compatible_partitions: false,
            per_hour_partition: false,
        };
        spec.destination_options = spec.destination_options.take().filter(|options| *options != usual);
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        let whereto = |spec: &Spec| {
            let Spec { resource_id, log_group_name, log_destination, .. } = spec.clone();
            (resource_id, log_group_name, log_destination)
        };
        match strongest(changes, Self::IDENTITY) {
            (Effect::Replace(_), Reason(why)) if whereto(live) == whereto(want) => (
                Effect::Replace(Order::DeleteFirst),
                Reason(format!("{why}, and AWS takes no second log of a resource to one place")),
            ),
            other => other,
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.flow_logs.iter().filter_map(|log| live(log, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_flow_logs().client_token(cx.token);
        let call = call
            .resource_type(want.resource_type.as_str().into())
            .resource_ids(&want.resource_id)
            .set_traffic_type(want.traffic_type.as_deref().map(Into::into))
            .log_destination_type(want.log_destination_type.as_str().into())
            .set_log_group_name(want.log_group_name.clone())
            .set_log_destination(want.log_destination.clone())
            .set_deliver_logs_permission_arn(want.deliver_logs_permission_arn.clone())
            .set_deliver_cross_account_role(want.deliver_cross_account_role.clone())
            .set_log_format(want.log_format.clone())
            .max_aggregation_interval(want.max_aggregation_interval)
            .set_destination_options(want.destination_options.write())
            .set_tag_field_specifications(want.tag_field_specifications.write());
        let call = call.tag_specifications(tag_on_create(ResourceType::VpcFlowLog, cx.tags));
        let answer = call.send().await.map_err(failed)?;
        unsuccessful("CreateFlowLogs", answer.unsuccessful())?;
        assigned(answer.flow_log_ids().first().map(String::as_str), "CreateFlowLogs")
    }

    async fn update(_cx: &Cx<'_, Self>, _live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        // Nothing of it changes in place but its tags.
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_flow_logs().flow_log_ids(&live.physical);
        let answer = call.send().await.map_err(failed)?;
        unsuccessful("DeleteFlowLogs", answer.unsuccessful())
    }
}

fn live(log: &Reported, place: &Place) -> Option<Live<FlowLog>> {
    let id = log.flow_log_id()?.to_owned();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let resource_id = log.resource_id().unwrap_or_default().to_owned();
    let spec = Spec {
        resource_type: watched(&resource_id).to_owned(),
        resource_id,
        traffic_type: log.traffic_type().map(|it| it.as_str().to_owned()),
        log_destination_type: Field::read(log.log_destination_type(), Spec::default_log_destination_type),
        log_group_name: text(log.log_group_name()),
        log_destination: text(log.log_destination()),
        deliver_logs_permission_arn: text(log.deliver_logs_permission_arn()),
        deliver_cross_account_role: text(log.deliver_cross_account_role()),
        log_format: text(log.log_format()),
        max_aggregation_interval: log
            .max_aggregation_interval()
            .unwrap_or_else(Spec::default_max_aggregation_interval),
        destination_options: log.destination_options().map(Part::of),
        tag_field_specifications: log.tag_field_specifications().iter().map(Part::of).collect(),
    };
    let arn = place.arn("ec2", &format!("vpc-flow-log/{id}"));
    let outputs = Outputs {
        id: id.clone(),
        arn: arn.clone(),
        deliver_logs_status: text(log.deliver_logs_status()),
        deliver_logs_error_message: text(log.deliver_logs_error_message()),
    };
    Some(Live::new(id, spec, outputs).with(arn, tags(log.tags())))
}

/// DescribeFlowLogs does not say what is watched, but its id: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>.
fn watched(id: &str) -> &'static str {
    let prefixes = [
        ("subnet-", "Subnet"),
        ("eni-", "NetworkInterface"),
        ("nat-", "RegionalNatGateway"),
        ("tgw-attach-", "TransitGatewayAttachment"),
        ("tgw-", "TransitGateway"),
        ("core-network-edge-", "CoreNetworkEdge"),
        ("core-network-", "CoreNetwork"),
        ("attachment-", "CoreNetworkAttachment"),
    ];
    prefixes.iter().find(|(prefix, _)| id.starts_with(prefix)).map_or("VPC", |(_, of)| of)
}

#[cfg(test)]
mod tests;
