//! `ec2/Vpc`: a network of one's own.

use aws_sdk_ec2::types::{ResourceType, Tenancy};
use serde_json::Value;

use super::types::cidr;
use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, once, tag_on_create};

mod check;
mod encryption;
mod observe;
#[cfg(test)]
mod tests;
mod write;

pub use encryption::EncryptionControl;

/// A VPC.
pub struct Vpc;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("DryRun", "a plan does not ask AWS"),
    ("TagSpecifications", "metadata.tags"),
    (
        "EnableNetworkAddressUsageMetrics",
        "reading it takes another call per VPC and plan; it changes nothing but metrics",
    ),
    ("Ipv6CidrBlock", "it is an item of ipv6CidrBlocks"),
];

/// What a manifest declares of a VPC.
#[spec]
pub struct Spec {
    /// Its primary range of IPv4 addresses, /16 to /28, such as `10.0.0.0/16`; absent: `ipv4IpamPoolId` gives one.
    #[field(server, create_only)]
    pub cidr_block: Option<String>,
    /// The IPAM pool that the primary range comes from. AWS does not report it.
    #[field(empty, write_only, regex(r"^ipam-pool-[0-9a-f]+$"))]
    pub ipv4_ipam_pool_id: Option<String>,
    /// How large a range `ipv4IpamPoolId` gives: the prefix length. AWS does not report it.
    #[field(empty, write_only)]
    pub ipv4_netmask_length: Option<i32>,
    /// Further ranges of IPv4 addresses, /16 to /28.
    #[field(default, set)]
    pub secondary_cidr_blocks: Vec<String>,
    /// Whether AWS gives it a /56 of IPv6 addresses.
    #[field(default)]
    pub amazon_provided_ipv6_cidr_block: bool,
    /// Ranges of IPv6 addresses out of `ipv6Pool` or `ipv6IpamPoolId`. Where IPAM chooses, list this field under
    /// `metadata.ignore`.
    #[field(default, set)]
    pub ipv6_cidr_blocks: Vec<String>,
    /// Your own pool that `ipv6CidrBlocks` come from.
    #[field(empty, write_only)]
    pub ipv6_pool: Option<String>,
    /// The IPAM pool that IPv6 addresses come from. AWS does not report it.
    #[field(empty, write_only, regex(r"^ipam-pool-[0-9a-f]+$"))]
    pub ipv6_ipam_pool_id: Option<String>,
    /// How large a range `ipv6IpamPoolId` gives: the prefix length. AWS does not report it.
    #[field(empty, write_only)]
    pub ipv6_netmask_length: Option<i32>,
    /// Where AWS advertises the IPv6 addresses from, such as a local zone group; absent: AWS chooses the region.
    #[field(server, create_only)]
    pub ipv6_cidr_block_network_border_group: Option<String>,
    /// Whether the DNS server of Amazon answers in it.
    #[field(default = true)]
    pub enable_dns_support: bool,
    /// Whether instances with public addresses get public DNS names. Interface endpoints with private DNS need it.
    #[field(default)]
    pub enable_dns_hostnames: bool,
    /// `default`, or `dedicated`: instances run on hardware of their own. Only from `dedicated` to `default` is a change
    /// in place.
    #[field(default = Tenancy::Default.as_str(), create_only, one_of("default", "dedicated"))]
    pub instance_tenancy: String,
    /// Whether traffic in it must be encrypted; absent: left as it is.
    #[field(server, create_only)]
    pub vpc_encryption_control: Option<EncryptionControl>,
}

/// What AWS assigns to a VPC.
#[outputs]
pub struct Outputs {
    /// Its id: `vpc-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Its primary range of IPv4 addresses.
    pub cidr_block: Option<String>,
    /// The range of IPv6 addresses that AWS gave it.
    pub ipv6_cidr_block: Option<String>,
    /// The security group of whatever names none.
    pub default_security_group_id: Option<String>,
    /// The route table of subnets that have none of their own.
    pub main_route_table_id: Option<String>,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
    /// Whether it is the one that AWS made for the account in the region.
    #[serde(default)]
    pub is_default: bool,
    /// By range: the id of its association, which removing it takes.
    #[serde(default)]
    pub cidr_block_associations: BTreeMap<String, String>,
}

impl Kind for Vpc {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/Vpc";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "A VPC: a network of one's own, and its ranges of addresses.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::VPC";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeVpcAttribute DescribeVpcs])],
        write: &[
            Grant::on(actions![ec2: CreateVpc], &[On::Regional("ec2", "vpc/*")]).when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "vpc/*")])
                .when(When::TaggedBy(&["CreateVpc"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags AssociateVpcCidrBlock DeleteVpc
                    DisassociateVpcCidrBlock ModifyVpcAttribute ModifyVpcTenancy],
                &[On::Regional("ec2", "vpc/*")],
            )
            .when(When::Owned),
            Grant::on(actions![ec2: AssociateVpcCidrBlock CreateVpc], &[On::Shared("ec2", "ipam-pool/*")])
                .given(Given::Has(&["ipv4IpamPoolId", "ipv6IpamPoolId"])),
            Grant::on(
                actions![ec2: AssociateVpcCidrBlock CreateVpc],
                &[On::Regional("ec2", "ipv6pool-ec2/*")],
            )
            .given(Given::Has(&["ipv6Pool"])),
            // Asked of CreateVpc where it says so; the VPC is not there yet, and has no tags.
            Grant::on(
                actions![ec2: CreateVpcEncryptionControl],
                &[On::Regional("ec2", "vpc/*"), On::Regional("ec2", "vpc-encryption-control/*")],
            )
            .given(Given::Has(&["vpcEncryptionControl"])),
        ],
    };
    const DEFAULT_BY: Option<&'static str> = Some("isDefault");
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("vpc.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut wrong = check::check(spec);
        wrong.extend(ignored(spec));
        wrong
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.cidr_block.iter_mut().for_each(cidr::canonical);
        spec.secondary_cidr_blocks.iter_mut().chain(&mut spec.ipv6_cidr_blocks).for_each(cidr::respell);
    }

    fn effect(_live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        // ModifyVpcTenancy goes one way only.
        let others: Vec<FieldChange> = changes
            .iter()
            .filter(|change| {
                change.path != "instanceTenancy"
                    || change.before != Some(Value::from("dedicated"))
                    || change.after != Some(Value::from("default"))
            })
            .cloned()
            .collect();
        strongest(&others, Self::IDENTITY)
    }

    /// Its own table takes nothing from under others; its default group does, by its rules.
    fn comes_with(live: &Live<Self>) -> Vec<Companion> {
        let Outputs { main_route_table_id, default_security_group_id, .. } = &live.outputs;
        let with = |id: &Option<String>, holds| id.clone().map(|physical| Companion { physical, holds });
        with(main_route_table_id, false).into_iter().chain(with(default_security_group_id, true)).collect()
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.vpcs.values().filter_map(|vpc| observe::live(snapshot, vpc, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_vpc()
            .set_cidr_block(want.cidr_block.clone())
            .set_ipv4_ipam_pool_id(want.ipv4_ipam_pool_id.clone())
            .set_ipv4_netmask_length(want.ipv4_netmask_length)
            .amazon_provided_ipv6_cidr_block(want.amazon_provided_ipv6_cidr_block)
            .set_ipv6_cidr_block_network_border_group(want.ipv6_cidr_block_network_border_group.clone())
            .instance_tenancy(want.instance_tenancy.as_str().into())
            .set_vpc_encryption_control(want.vpc_encryption_control.as_ref().map(EncryptionControl::sdk))
            .tag_specifications(tag_on_create(ResourceType::Vpc, cx.tags));
        // Named ranges are added by the next update; only IPAM's own choice must be made here.
        let chosen = want.ipv6_ipam_pool_id.clone().filter(|_| want.ipv6_cidr_blocks.is_empty());
        let call = call.set_ipv6_netmask_length(want.ipv6_netmask_length.filter(|_| chosen.is_some()));
        let call = call.set_ipv6_ipam_pool_id(chosen).customize().config_override(once());
        let answer = call.send().await.map_err(failed)?;
        assigned(answer.vpc().and_then(|vpc| vpc.vpc_id()), "CreateVpc")
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_vpc().vpc_id(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// What no call would take along, beside the rest of a VPC.
fn ignored(spec: &Spec) -> Vec<Invalid> {
    let named = !spec.ipv6_cidr_blocks.is_empty();
    let mut wrong = Vec::new();
    for (path, ignored, why) in [
        (
            "ipv4NetmaskLength",
            spec.ipv4_netmask_length.is_some()
                && (spec.ipv4_ipam_pool_id.is_none() || spec.cidr_block.is_some()),
            "is for ipv4IpamPoolId without cidrBlock: add the pool, or remove it",
        ),
        (
            "ipv6Pool",
            spec.ipv6_pool.is_some() && !named,
            "is where ipv6CidrBlocks come from: add those, or remove it",
        ),
        (
            "ipv6NetmaskLength",
            spec.ipv6_netmask_length.is_some() && (spec.ipv6_ipam_pool_id.is_none() || named),
            "is for ipv6IpamPoolId without ipv6CidrBlocks: add the pool, or remove it",
        ),
        (
            "ipv6CidrBlockNetworkBorderGroup",
            spec.ipv6_cidr_block_network_border_group.is_some()
                && !spec.amazon_provided_ipv6_cidr_block
                && !named
                && spec.ipv6_ipam_pool_id.is_none(),
            "is for the addresses that AWS gives: set amazonProvidedIpv6CidrBlock to true, or remove it",
        ),
    ] {
        if ignored {
            wrong.push(Invalid::new(path, why));
        }
    }
    wrong
}
