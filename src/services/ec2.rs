//! EC2: networks and what guards them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{
    Address, Filter, FlowLog, InternetGateway, LaunchTemplate, LaunchTemplateVersion, NatGateway,
    PlacementGroup, ResourceType, RouteTable, SecurityGroup, Subnet, Tag, TagSpecification, UnsuccessfulItem,
    Vpc, VpcEndpoint,
};

use super::{Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, own_tags, settings};
use crate::resource::{Listing, Tags};

mod gateways;
mod placement;
mod read;
pub mod templates;

/// EC2.
pub struct Ec2;

/// What was read, each by its id.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// VPCs.
    pub vpcs: BTreeMap<String, Vpc>,
    /// The DNS attributes of the VPCs that are ours: they take two calls for each.
    pub dns: BTreeMap<String, Dns>,
    /// Subnets.
    pub subnets: BTreeMap<String, Subnet>,
    /// Internet gateways.
    pub internet_gateways: BTreeMap<String, InternetGateway>,
    /// Route tables.
    pub route_tables: BTreeMap<String, RouteTable>,
    /// Security groups.
    pub security_groups: BTreeMap<String, SecurityGroup>,
    /// VPC endpoints.
    pub vpc_endpoints: BTreeMap<String, VpcEndpoint>,
    /// Elastic IP addresses, by their allocations' ids.
    pub addresses: BTreeMap<String, Address>,
    /// NAT gateways, those that went within the hour among them.
    pub nat_gateways: BTreeMap<String, NatGateway>,
    /// Flow logs.
    pub flow_logs: Vec<FlowLog>,
    /// Placement groups.
    pub placement_groups: Vec<PlacementGroup>,
    /// Launch templates.
    pub launch_templates: BTreeMap<String, LaunchTemplate>,
    /// The newest versions of the launch templates that are declared or ours.
    pub launch_template_versions: BTreeMap<String, Vec<LaunchTemplateVersion>>,
}

/// What DescribeVpcs does not say of a VPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dns {
    /// `enableDnsSupport`.
    pub support: bool,
    /// `enableDnsHostnames`.
    pub hostnames: bool,
}

impl Service for Ec2 {
    const NAME: &'static str = "ec2";
    // "EC2 allows for any character in its tags": EC2 user guide, "Tag restrictions"; its keys are case-sensitive.
    const TAGS: TagRules = TagRules { service: "EC2", any_character: true, caseless: false };
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_ec2, config).build())
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        read::read(client, scope).await
    }

    fn listed(snapshot: &Snapshot) -> BTreeMap<&'static str, Listing> {
        BTreeMap::from([
            ("ec2/Vpc", Listing::of_ids("vpc-", snapshot.vpcs.keys())),
            ("ec2/Subnet", Listing::of_ids("subnet-", snapshot.subnets.keys())),
            ("ec2/InternetGateway", Listing::of_ids("igw-", snapshot.internet_gateways.keys())),
            ("ec2/RouteTable", Listing::of_ids("rtb-", snapshot.route_tables.keys())),
            ("ec2/SecurityGroup", Listing::of_ids("sg-", snapshot.security_groups.keys())),
            ("ec2/VpcEndpoint", Listing::of_ids("vpce-", snapshot.vpc_endpoints.keys())),
        ])
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        let group = placement::id(client, target).await?;
        // A launch template is called by its name, and tagged by its id.
        let own = target.arn.and_then(|arn| arn.rsplit_once('/')).map_or(target.physical, |(_, id)| id);
        let id = group.as_deref().unwrap_or(own);
        if !set.is_empty() {
            let call = client.create_tags().resources(id).set_tags(Some(sdk_tags(set)));
            call.send().await.map_err(failed)?;
        }
        if !unset.is_empty() {
            let keys = unset.iter().map(|key| Tag::builder().key(key).build()).collect();
            let call = client.delete_tags().resources(id).set_tags(Some(keys));
            call.send().await.map_err(failed)?;
        }
        Ok(())
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        let Some(code) = error.code.as_deref() else { return error::classify(error) };
        match code {
            // What holds it goes away by itself: network interfaces of ended tasks linger for minutes.
            "DependencyViolation"
            | "InvalidGroup.InUse"
            | "InvalidIPAddress.InUse"
            | "ResourceInUse"
            | "InvalidPlacementGroup.InUse" => Fault::Settling(minutes(20)),
            "InvalidPermission.Duplicate" | "RouteAlreadyExists" | "InvalidGroup.Duplicate" => Fault::Exists,
            "InvalidLaunchTemplateName.AlreadyExistsException" | "InvalidPlacementGroup.Duplicate" => {
                Fault::Exists
            }
            // Of two runs that make the same subnet, one is refused its range.
            "InvalidSubnet.Conflict" | "FlowLogAlreadyExists" => Fault::Exists,
            // A part is not as it was when we looked: the next look tells.
            templates::VERSIONS_LEFT
            | "InvalidPermission.NotFound"
            | "InvalidRoute.NotFound"
            | "InvalidAssociationID.NotFound"
            | "Gateway.NotAttached"
            | "IncorrectState"
            | "InvalidState" => Fault::Settling(minutes(2)),
            // A subnet moves between route tables: it has to leave the other one first.
            "Resource.AlreadyAssociated" => Fault::Settling(minutes(5)),
            "Unavailable" | "ServerInternal" => Fault::Unknown,
            "InvalidParameterValue" if error.message.contains("belong to different networks") => {
                Fault::Propagating(minutes(2))
            }
            missing if is_missing(missing) && removes(error.operation) => Fault::Gone,
            missing if is_missing(missing) => Fault::Propagating(minutes(2)),
            _ => error::classify(error),
        }
    }
}

/// The zones that the account has in the region, apart from local ones and those of networks.
pub async fn zones(client: &Client) -> Result<BTreeSet<String>> {
    let regular = Filter::builder().name("zone-type").values("availability-zone").build();
    let usable = Filter::builder().name("state").values("available").build();
    let call = client.describe_availability_zones().filters(regular).filters(usable);
    let answer = call.send().await.map_err(failed)?;
    Ok(answer.availability_zones().iter().filter_map(|zone| zone.zone_name()).map(str::to_owned).collect())
}

/// Whether what is not there is what was wanted.
fn removes(operation: &str) -> bool {
    operation.starts_with("Delete") || operation.starts_with("Release")
}

/// Such as `InvalidVpcID.NotFound` and `InvalidLaunchTemplateName.NotFoundException`.
fn is_missing(code: &str) -> bool {
    code.trim_end_matches("Exception").ends_with("NotFound") || code == "InvalidPlacementGroup.Unknown"
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// A resource's tags, without AWS's own.
pub fn tags(tags: &[Tag]) -> Tags {
    own_tags(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// Tags for the create call itself.
pub fn tag_on_create(resource: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(resource).set_tags(Some(sdk_tags(tags))).build()
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// What a listing is to be narrowed to.
pub fn filter_by(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// For creates that AWS would do twice: the SDK must not send them again by itself (D25).
pub fn once() -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::Config::builder().retry_config(RetryConfig::disabled())
}

/// What a call that went well tells of what it could not do.
pub fn unsuccessful(operation: &'static str, items: &[UnsuccessfulItem]) -> Result<()> {
    let Some(error) = items.iter().find_map(UnsuccessfulItem::error) else { return Ok(()) };
    let message = error.message().unwrap_or("AWS does not say why");
    let code = error.code().map(str::to_owned);
    Err(Error { code, ..Error::malformed("ec2", operation, message) })
}

/// The id in the answer to a create.
pub fn assigned(id: Option<&str>, operation: &'static str) -> Result<String> {
    id.map(str::to_owned)
        .ok_or_else(|| Error::malformed("ec2", operation, "the answer does not say which id it was given"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Ec2;
    use crate::services::{Error, Fault, Service};

    fn fault(operation: &'static str, code: &str, message: &str) -> Fault {
        let error = Error { code: Some(code.to_owned()), ..Error::malformed("ec2", operation, message) };
        Ec2::classify(&error, Duration::ZERO)
    }

    #[test]
    fn errors_are_told_apart() {
        let settling = |minutes: u64| Fault::Settling(Duration::from_secs(60 * minutes));
        let propagating = Fault::Propagating(Duration::from_secs(120));
        for (operation, code, expected) in [
            ("DeleteVpc", "DependencyViolation", settling(20)),
            ("DetachInternetGateway", "DependencyViolation", settling(20)),
            ("DeleteSecurityGroup", "InvalidGroup.InUse", settling(20)),
            ("DeleteVpc", "InvalidVpcID.NotFound", Fault::Gone),
            ("DeleteSecurityGroup", "InvalidGroup.NotFound", Fault::Gone),
            ("DeleteVpcEndpoints", "InvalidVpcEndpoint.NotFound", Fault::Gone),
            ("DeleteRoute", "InvalidRoute.NotFound", settling(2)),
            ("CreateSubnet", "InvalidVpcID.NotFound", propagating),
            ("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", propagating),
            ("CreateRoute", "NatGatewayNotFound", propagating),
            ("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate", Fault::Exists),
            ("RevokeSecurityGroupEgress", "InvalidPermission.NotFound", settling(2)),
            ("CreateSecurityGroup", "InvalidGroup.Duplicate", Fault::Exists),
            ("CreateSubnet", "InvalidSubnet.Conflict", Fault::Exists),
            ("AssociateRouteTable", "Resource.AlreadyAssociated", settling(5)),
            ("CreateLaunchTemplate", "InvalidLaunchTemplateName.AlreadyExistsException", Fault::Exists),
            ("DeleteLaunchTemplate", "InvalidLaunchTemplateId.NotFound", Fault::Gone),
            ("DeleteLaunchTemplate", "VersionsLeft", settling(2)),
            ("DeleteLaunchTemplateVersions", "InvalidLaunchTemplateName.NotFoundException", Fault::Gone),
            ("ReleaseAddress", "InvalidIPAddress.InUse", settling(20)),
            ("ReleaseAddress", "InvalidAllocationID.NotFound", Fault::Gone),
            ("DeleteNatGateway", "NatGatewayNotFound", Fault::Gone),
            ("CreatePlacementGroup", "InvalidPlacementGroup.Duplicate", Fault::Exists),
            ("DeletePlacementGroup", "InvalidPlacementGroup.InUse", settling(20)),
            ("DeletePlacementGroup", "InvalidPlacementGroup.Unknown", Fault::Gone),
            ("CreateFlowLogs", "FlowLogAlreadyExists", Fault::Exists),
            ("CreateNatGateway", "Gateway.NotAttached", settling(2)),
            ("CreateNatGateway", "InvalidAllocationID.NotFound", propagating),
            ("AllocateAddress", "AddressLimitExceeded", Fault::Terminal),
            ("CreateVpc", "RequestLimitExceeded", Fault::Throttled),
            ("CreateVpc", "VpcLimitExceeded", Fault::Terminal),
            ("CreateVpc", "UnauthorizedOperation", Fault::Terminal),
        ] {
            assert_eq!(fault(operation, code, ""), expected, "{operation} {code}");
        }
        let message = "route table rtb-1 and network gateway igw-1 belong to different networks";
        assert_eq!(fault("CreateRoute", "InvalidParameterValue", message), propagating);
        assert_eq!(fault("CreateRoute", "InvalidParameterValue", "another"), Fault::Terminal);
    }
}
