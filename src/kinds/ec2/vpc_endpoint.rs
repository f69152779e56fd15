//! `ec2/VpcEndpoint`: a private way from a VPC to a service.

use aws_sdk_ec2::types::{DnsRecordIpType, IpAddressType, VpcEndpointType};
use serde_json::json;

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot};

mod clashes;
mod observe;
#[cfg(test)]
mod tests;
mod validate;
mod write;

/// A VPC endpoint.
pub struct VpcEndpoint;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("DryRun", "a plan does not ask AWS"),
    ("TagSpecifications", "metadata.tags"),
    ("ClientToken", "it comes from the step that creates"),
    ("SubnetConfigurations", "the addresses of its network interfaces are not reported with it"),
    ("ResetPolicy", "it is said by leaving policyDocument out"),
    ("AddRouteTableIds", "it follows from routeTableIds"),
    ("RemoveRouteTableIds", "it follows from routeTableIds"),
    ("AddSubnetIds", "it follows from subnetIds"),
    ("RemoveSubnetIds", "it follows from subnetIds"),
    ("AddSecurityGroupIds", "it follows from securityGroupIds"),
    ("RemoveSecurityGroupIds", "it follows from securityGroupIds"),
];

/// What a manifest declares of a VPC endpoint.
#[spec]
pub struct Spec {
    /// The VPC that it serves.
    #[field(create_only, refers("ec2/Vpc.id"))]
    pub vpc_id: String,
    /// The service, such as `com.amazonaws.${env.region}.s3`.
    #[field(server, create_only)]
    pub service_name: Option<String>,
    /// The region of the service, where it is another one.
    #[field(server, create_only)]
    pub service_region: Option<String>,
    /// `Gateway`: routes, for S3 and DynamoDB, free. `Interface`: network interfaces in subnets. Others as AWS has them.
    #[field(default = VpcEndpointType::Gateway.as_str(), create_only, one_of(VpcEndpointType::values()))]
    pub vpc_endpoint_type: String,
    /// What may be done through it; absent: everything.
    #[field(default = everything())]
    pub policy_document: Policy,
    /// Of a `Gateway`: the route tables that get a route to the service.
    #[field(default, set, items_refer("ec2/RouteTable.id", "ec2/Vpc.mainRouteTableId"))]
    pub route_table_ids: Vec<String>,
    /// Of an `Interface`: the subnets that get a network interface, one for each zone.
    #[field(default, set, items_refer("ec2/Subnet.id"))]
    pub subnet_ids: Vec<String>,
    /// Of an `Interface`: who may talk to its network interfaces; absent: the VPC's default group, or what it has.
    #[field(
        server,
        set,
        items_refer("ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId")
    )]
    pub security_group_ids: Vec<String>,
    /// Of an `Interface`: whether the service's public name leads here. The VPC needs `enableDnsSupport` and
    /// `enableDnsHostnames`.
    #[field(default)]
    pub private_dns_enabled: bool,
    /// Which kind of addresses it has; absent: AWS chooses.
    #[field(server, one_of(IpAddressType::values()))]
    pub ip_address_type: Option<String>,
    /// How DNS answers.
    #[field(empty)]
    pub dns_options: Option<DnsOptions>,
    /// Of a `Resource` endpoint: the resource configuration that it leads to.
    #[field(empty, create_only)]
    pub resource_configuration_arn: Option<String>,
    /// Of a `ServiceNetwork` endpoint: the service network that it leads to.
    #[field(empty, create_only)]
    pub service_network_arn: Option<String>,
}

/// How DNS answers for an endpoint.
#[spec(default)]
pub struct DnsOptions {
    /// Which kind of records it has; absent: AWS chooses.
    #[field(server, one_of(DnsRecordIpType::values()))]
    pub dns_record_ip_type: Option<String>,
    /// Whether private names are for traffic from outside the VPC only; for services with a gateway endpoint too.
    #[field(default)]
    pub private_dns_only_for_inbound_resolver_endpoint: bool,
    /// Which private names are used, of `Resource` and `ServiceNetwork` endpoints.
    #[field(server, create_only)]
    pub private_dns_preference: Option<String>,
    /// The private names to use, where the preference is for specified ones.
    #[field(default, set, create_only)]
    pub private_dns_specified_domains: Vec<String>,
}

/// What AWS gives an endpoint that is given none.
fn everything() -> Policy {
    Policy(json!({
        "Version": "2008-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }))
}

/// What AWS assigns to a VPC endpoint.
#[outputs]
pub struct Outputs {
    /// Its id: `vpce-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
    /// Its first name in DNS, of an `Interface`.
    pub dns_name: Option<String>,
    /// Its network interfaces.
    #[serde(default)]
    pub network_interface_ids: Vec<String>,
    /// Its state, as AWS calls it.
    #[serde(default)]
    pub state: String,
}

impl Kind for VpcEndpoint {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/VpcEndpoint";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "A VPC endpoint: a private way from a VPC to a service.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::VPCEndpoint";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeVpcEndpoints])],
        write: &[
            Grant::on(actions![ec2: CreateVpcEndpoint], &[On::Regional("ec2", "vpc-endpoint/*")])
                .when(When::OwnerWritten),
            Grant::on(
                actions![ec2: CreateVpcEndpoint],
                &[
                    On::Regional("ec2", "vpc/*"),
                    On::Regional("ec2", "subnet/*"),
                    On::Regional("ec2", "route-table/*"),
                    On::Regional("ec2", "security-group/*"),
                ],
            ),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "vpc-endpoint/*")])
                .when(When::TaggedBy(&["CreateVpcEndpoint"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags DeleteVpcEndpoints ModifyVpcEndpoint],
                &[On::Regional("ec2", "vpc-endpoint/*")],
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: ModifyVpcEndpoint],
                &[
                    On::Regional("ec2", "subnet/*"),
                    On::Regional("ec2", "route-table/*"),
                    On::Regional("ec2", "security-group/*"),
                ],
            ),
            Grant::any(actions![route53: AssociateVPCWithHostedZone]),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("vpc_endpoint.example.yaml");

    fn validate(spec: &Spec, place: &Place) -> Vec<Invalid> {
        validate::check(spec, place)
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    fn effect(_live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        match strongest(changes, Self::IDENTITY) {
            // Two ways to one service in one VPC are two routes or two private names for the same destination.
            (Effect::Replace(_), Reason(why))
                if changes.iter().all(|change| change.path != "vpcId" && change.path != "serviceName") =>
            {
                (Effect::Replace(Order::DeleteFirst), Reason(format!("{why}, and both cannot exist at once")))
            }
            other => other,
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.vpc_endpoints.values().filter_map(|endpoint| observe::live(endpoint, place)).collect()
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
