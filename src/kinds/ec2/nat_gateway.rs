//! `ec2/NatGateway`: the way out of private subnets.

use aws_sdk_ec2::types::{AvailabilityMode, ConnectivityType};

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot};

mod observe;
mod write;

/// A NAT gateway.
pub struct NatGateway;

/// What a manifest declares of a NAT gateway.
#[spec(default)]
pub struct Spec {
    /// The subnet that it is in: one with a route to an internet gateway, for a public one. Regional gateways have none.
    #[field(empty, create_only, refers("ec2/Subnet.id"))]
    pub subnet_id: Option<String>,
    /// The elastic IP address that traffic leaves from; of public gateways.
    #[field(empty, create_only, refers("ec2/ElasticIp.allocationId", "ec2/ElasticIp.id"))]
    pub allocation_id: Option<String>,
    /// `public`: to the internet. `private`: to other networks.
    #[field(default = ConnectivityType::Public.as_str(), create_only, one_of(ConnectivityType::values()))]
    pub connectivity_type: String,
    /// Its private address; absent: AWS chooses.
    #[field(server, create_only)]
    pub private_ip_address: Option<String>,
    /// Further elastic IP addresses; of public gateways.
    #[field(empty, set, items_refer("ec2/ElasticIp.allocationId", "ec2/ElasticIp.id"))]
    pub secondary_allocation_ids: Vec<String>,
    /// Further private addresses; absent: AWS chooses.
    #[field(server, set)]
    pub secondary_private_ip_addresses: Vec<String>,
    /// How many further private addresses AWS chooses, 1 to 31; of private gateways.
    #[field(server, range(1..=31))]
    pub secondary_private_ip_address_count: Option<i32>,
    /// `zonal`: in one subnet. `regional`: in every zone of its VPC.
    #[field(default = AvailabilityMode::Zonal.as_str(), create_only, one_of(AvailabilityMode::values()))]
    pub availability_mode: String,
    /// The VPC, of a regional gateway.
    #[field(server, create_only, refers("ec2/Vpc.id"))]
    pub vpc_id: Option<String>,
    /// The elastic IP addresses of each zone, of a regional gateway; absent: AWS chooses zones and addresses.
    #[field(server, set)]
    pub availability_zone_addresses: Vec<ZoneAddresses>,
    /// How many seconds connections get to end when an address is taken away, 1 to 4000.
    #[field(server, write_only, range(1..=4000))]
    pub max_drain_duration_seconds: Option<i32>,
}

/// The elastic IP addresses of a zone.
#[spec]
pub struct ZoneAddresses {
    /// The addresses.
    #[field(required, set, items_refer("ec2/ElasticIp.allocationId", "ec2/ElasticIp.id"))]
    pub allocation_ids: Vec<String>,
    /// The zone, by name.
    #[field(server)]
    pub availability_zone: Option<String>,
    /// The zone, by id.
    #[field(server)]
    pub availability_zone_id: Option<String>,
}

/// What AWS assigns to a NAT gateway.
#[outputs]
pub struct Outputs {
    /// Its id: `nat-…`.
    pub id: String,
    /// The same, as CloudFormation calls it.
    pub nat_gateway_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its public address, of public gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// Its network interface.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eni_id: Option<String>,
    /// The route table of a regional gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route_table_id: Option<String>,
    /// Its state, as AWS calls it.
    pub state: String,
    /// Its further addresses, with what they are taken away by.
    #[serde(default)]
    pub associations: Vec<Association>,
}

/// An address that a gateway has.
#[outputs]
pub struct Association {
    /// The elastic IP address.
    pub allocation_id: String,
    /// By which it is taken away.
    pub association_id: String,
    /// The private address that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<String>,
    /// The zone that it is in, of a regional gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// The same zone, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone_id: Option<String>,
}

const GATEWAYS: &[On] = &[On::Regional("ec2", "natgateway/*")];

impl Kind for NatGateway {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/NatGateway";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "A NAT gateway: the way out of private subnets.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::NatGateway";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeInternetGateways DescribeNatGateways DescribeSubnets])],
        write: &[
            Grant::on(actions![ec2: CreateNatGateway], GATEWAYS).when(When::OwnerWritten),
            Grant::on(
                actions![ec2: CreateNatGateway],
                &[
                    On::Regional("ec2", "elastic-ip/*"),
                    On::Regional("ec2", "subnet/*"),
                    On::Regional("ec2", "vpc/*"),
                ],
            ),
            Grant::on(actions![ec2: CreateTags], GATEWAYS).when(When::TaggedBy(&["CreateNatGateway"])),
            Grant::on(
                actions![ec2: AssignPrivateNatGatewayAddress AssociateNatGatewayAddress CreateTags
                    DeleteNatGateway DeleteTags DisassociateNatGatewayAddress UnassignPrivateNatGatewayAddress],
                GATEWAYS,
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: AssociateNatGatewayAddress DisassociateNatGatewayAddress],
                &[On::Regional("ec2", "elastic-ip/*")],
            ),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("nat_gateway.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let is_public = spec.connectivity_type == ConnectivityType::Public.as_str();
        let is_regional = spec.availability_mode == AvailabilityMode::Regional.as_str();
        let of_zonal = "is of zonal gateways: remove it, or availabilityMode";
        let of_regional = "is of regional gateways: remove it, or set availabilityMode to `regional`";
        let of_public = "is of public gateways: remove it, or connectivityType";
        let of_private = "is of private gateways: remove it, or set connectivityType to `private`";
        let count = spec.secondary_private_ip_address_count.is_some();
        let rules = [
            ("subnetId", !is_regional && spec.subnet_id.is_none(), "a zonal gateway needs its subnet"),
            ("subnetId", is_regional && spec.subnet_id.is_some(), of_zonal),
            (
                "allocationId",
                is_public && !is_regional && spec.allocation_id.is_none(),
                "a public gateway needs an elastic IP address, such as ${ec2/ElasticIp/nat.allocationId}",
            ),
            ("allocationId", is_regional && spec.allocation_id.is_some(), of_zonal),
            ("allocationId", !is_public && spec.allocation_id.is_some(), of_public),
            ("secondaryAllocationIds", !is_public && !spec.secondary_allocation_ids.is_empty(), of_public),
            ("secondaryAllocationIds", is_regional && !spec.secondary_allocation_ids.is_empty(), of_zonal),
            ("secondaryPrivateIpAddressCount", is_public && count, of_private),
            (
                "secondaryPrivateIpAddressCount",
                count && !spec.secondary_private_ip_addresses.is_empty(),
                "is for addresses that AWS chooses, and secondaryPrivateIpAddresses says them: remove one of the two",
            ),
            ("vpcId", is_regional && spec.vpc_id.is_none(), "a regional gateway needs its VPC"),
            (
                "availabilityZoneAddresses",
                !is_regional && !spec.availability_zone_addresses.is_empty(),
                of_regional,
            ),
            ("connectivityType", is_regional && !is_public, "a regional gateway is a public one"),
        ];
        let broken = rules.into_iter().filter(|rule| rule.1);
        broken.map(|(path, _, what)| Invalid::new(path, what)).collect()
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        match strongest(changes, Self::IDENTITY) {
            // An address is in one place at a time: another gateway beside this one could never be made.
            (Effect::Replace(_), Reason(why))
                if addresses(live).any(|one| addresses(want).any(|it| it == one)) =>
            {
                let reason = format!(
                    "{why}; the old one has the address until it goes: name another allocationId to keep one of them up"
                );
                (Effect::Replace(Order::DeleteFirst), Reason(reason))
            }
            other => other,
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.nat_gateways.values().filter_map(|gateway| observe::live(gateway, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        write::create(cx, want).await
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        write::delete(cx, live).await
    }
}

/// The elastic IP addresses that a spec names.
fn addresses(spec: &Spec) -> impl Iterator<Item = &String> {
    let of_zones = spec.availability_zone_addresses.iter().flat_map(|zone| &zone.allocation_ids);
    spec.allocation_id.iter().chain(&spec.secondary_allocation_ids).chain(of_zones)
}

#[cfg(test)]
mod tests;
