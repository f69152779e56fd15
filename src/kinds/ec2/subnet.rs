//! `ec2/Subnet`: a part of a VPC in one availability zone.

use aws_sdk_ec2::types::{HostnameType, ResourceType};

use super::types::cidr::{self, Cidr};
use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, once, tag_on_create};

mod clashes;
mod observe;
#[cfg(test)]
mod tests;
mod write;

/// A subnet.
pub struct Subnet;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("DryRun", "a plan does not ask AWS"),
    ("TagSpecifications", "metadata.tags"),
    ("DisableLniAtDeviceIndex", "it is said by leaving enableLniAtDeviceIndex out"),
];

/// What a manifest declares of a subnet.
#[spec]
pub struct Spec {
    /// The VPC that it is a part of.
    #[field(create_only, refers("ec2/Vpc.id"))]
    pub vpc_id: String,
    /// Its range of IPv4 addresses within its VPC's, /16 to /28; absent: `ipv4IpamPoolId` gives one, or it has none.
    #[field(server, create_only)]
    pub cidr_block: Option<String>,
    /// The IPAM pool that its IPv4 range comes from. AWS does not report it.
    #[field(empty, write_only, regex(r"^ipam-pool-[0-9a-f]+$"))]
    pub ipv4_ipam_pool_id: Option<String>,
    /// How large a range `ipv4IpamPoolId` gives: the prefix length. AWS does not report it.
    #[field(empty, write_only)]
    pub ipv4_netmask_length: Option<i32>,
    /// The availability zone by name, such as `${env.region}a`; absent: AWS chooses.
    #[field(server, create_only)]
    pub availability_zone: Option<String>,
    /// The availability zone by id, such as `euw1-az1`: the same place in every account.
    #[field(server, create_only)]
    pub availability_zone_id: Option<String>,
    /// Its range of IPv6 addresses within its VPC's, /44 to /64. Where IPAM chooses, list this field under
    /// `metadata.ignore`.
    #[field(empty)]
    pub ipv6_cidr_block: Option<String>,
    /// The IPAM pool that its IPv6 range comes from. AWS does not report it.
    #[field(empty, write_only, regex(r"^ipam-pool-[0-9a-f]+$"))]
    pub ipv6_ipam_pool_id: Option<String>,
    /// How large a range `ipv6IpamPoolId` gives: the prefix length. AWS does not report it.
    #[field(empty, write_only)]
    pub ipv6_netmask_length: Option<i32>,
    /// Whether it has no IPv4 addresses at all.
    #[field(default, create_only)]
    pub ipv6_native: bool,
    /// Whether network interfaces made in it get a public IPv4 address.
    #[field(default)]
    pub map_public_ip_on_launch: bool,
    /// Whether network interfaces made in it get an IPv6 address.
    #[field(default)]
    pub assign_ipv6_address_on_creation: bool,
    /// Whether DNS answers with synthetic IPv6 addresses for names that have IPv4 ones only.
    #[serde(rename = "enableDns64")]
    #[field(default)]
    pub enable_dns64: bool,
    /// What instances in it are called in DNS.
    #[field(empty)]
    pub private_dns_name_options_on_launch: Option<PrivateDnsNameOptions>,
    /// The position (1 for `eth1`) of network interfaces on the local network of an Outpost.
    #[field(empty)]
    pub enable_lni_at_device_index: Option<i32>,
    /// The Outpost that it is on.
    #[field(empty, create_only)]
    pub outpost_arn: Option<String>,
    /// Whether network interfaces made in it get an address of `customerOwnedIpv4Pool`; on an Outpost only.
    #[field(default)]
    pub map_customer_owned_ip_on_launch: bool,
    /// The Outpost's pool of customer-owned addresses.
    #[field(empty)]
    pub customer_owned_ipv4_pool: Option<String>,
}

/// What instances in a subnet are called in DNS.
#[spec(default)]
pub struct PrivateDnsNameOptions {
    /// `ip-name`: after the address; `resource-name`: after the instance's id, the only way without IPv4.
    #[field(default = HostnameType::IpName.as_str(), one_of(HostnameType::values()))]
    pub hostname_type: String,
    /// Whether the resource name has an A record.
    #[serde(rename = "enableResourceNameDnsARecord")]
    #[field(default)]
    pub enable_resource_name_dns_a_record: bool,
    /// Whether the resource name has an AAAA record.
    #[serde(rename = "enableResourceNameDnsAAAARecord")]
    #[field(default)]
    pub enable_resource_name_dns_aaaa_record: bool,
}

/// What AWS assigns to a subnet.
#[outputs]
pub struct Outputs {
    /// Its id: `subnet-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The VPC that it is a part of.
    pub vpc_id: Option<String>,
    /// Its range of IPv4 addresses.
    pub cidr_block: Option<String>,
    /// Its availability zone by name.
    pub availability_zone: Option<String>,
    /// Its availability zone by id.
    pub availability_zone_id: Option<String>,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
    /// Whether AWS made it, as the one of its zone in the default VPC.
    #[serde(default)]
    pub default_for_az: bool,
    /// The id of its association with its IPv6 range, which removing it takes.
    pub ipv6_association_id: Option<String>,
}

impl Kind for Subnet {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/Subnet";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "A subnet: a part of a VPC in one availability zone.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::Subnet";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeSubnets])],
        write: &[
            Grant::on(actions![ec2: CreateSubnet], &[On::Regional("ec2", "subnet/*")])
                .when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateSubnet], &[On::Regional("ec2", "vpc/*")]),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "subnet/*")])
                .when(When::TaggedBy(&["CreateSubnet"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags AssociateSubnetCidrBlock DeleteSubnet
                    DisassociateSubnetCidrBlock ModifySubnetAttribute],
                &[On::Regional("ec2", "subnet/*")],
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: AssociateSubnetCidrBlock CreateSubnet],
                &[On::Shared("ec2", "ipam-pool/*")],
            )
            .given(Given::Has(&["ipv4IpamPoolId", "ipv6IpamPoolId"])),
        ],
    };
    const DEFAULT_BY: Option<&'static str> = Some("defaultForAz");
    const IDENTITY: Identity = Identity::Assigned;
    const HELD_BY_TASKS: bool = true;
    const EXAMPLE: &'static str = include_str!("subnet.example.yaml");

    fn validate(spec: &Spec, place: &Place) -> Vec<Invalid> {
        let mut wrong = Vec::new();
        let say = |path: &str, message: &str| Invalid::new(path, message);
        if let Some(range) = &spec.cidr_block {
            wrong.extend(cidr::check("cidrBlock", range, true, 16..=28));
        } else if spec.ipv4_ipam_pool_id.is_none() && !spec.ipv6_native {
            wrong.push(say(
                "cidrBlock",
                "a subnet needs a range of addresses: add one such as 10.0.0.0/20, or ipv4IpamPoolId, or set ipv6Native",
            ));
        }
        if spec.cidr_block.is_some() && spec.ipv6_native {
            wrong.push(say("cidrBlock", "with ipv6Native a subnet has no IPv4 addresses: remove it"));
        }
        if let Some(range) = &spec.ipv6_cidr_block {
            let path = "ipv6CidrBlock";
            wrong.extend(cidr::check(path, range, false, 44..=64).or_else(|| cidr::check_step(path, range)));
        } else if spec.ipv6_native && spec.ipv6_ipam_pool_id.is_none() {
            wrong.push(say(
                "ipv6CidrBlock",
                "with ipv6Native a subnet needs a range of IPv6 addresses: add one",
            ));
        }
        if let Some(zone) = spec.availability_zone.as_ref().filter(|zone| !zone.contains("${"))
            && !zone.starts_with(&place.region)
        {
            let message =
                format!("{zone} is not a zone of {}: expected one such as {}a", place.region, place.region);
            wrong.push(Invalid::new("availabilityZone", message));
        }
        if spec.outpost_arn.is_some()
            && spec.availability_zone.is_none()
            && spec.availability_zone_id.is_none()
        {
            wrong.push(say("availabilityZone", "on an Outpost AWS wants the Outpost's zone: add it"));
        }
        if spec.availability_zone.is_some() && spec.availability_zone_id.is_some() {
            wrong.push(say("availabilityZoneId", "AWS takes either this or availabilityZone: remove one"));
        }
        if spec.map_customer_owned_ip_on_launch != spec.customer_owned_ipv4_pool.is_some() {
            wrong.push(say(
                "customerOwnedIpv4Pool",
                "it goes with mapCustomerOwnedIpOnLaunch: declare both or neither",
            ));
        }
        wrong.extend(ignored(spec));
        wrong
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.cidr_block.iter_mut().for_each(cidr::canonical);
        spec.ipv6_cidr_block.iter_mut().for_each(cidr::respell);
        if spec.ipv6_native {
            // There is no other way, and AWS sets both by itself.
            spec.assign_ipv6_address_on_creation = true;
            spec.private_dns_name_options_on_launch.get_or_insert_with(|| PrivateDnsNameOptions {
                hostname_type: HostnameType::ResourceName.as_str().to_owned(),
                ..PrivateDnsNameOptions::default()
            });
        }
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        let range = |spec: &Spec| spec.cidr_block.as_ref().and_then(|text| text.parse::<Cidr>().ok());
        let apart = changes.iter().any(|change| change.path == "vpcId")
            || range(live).zip(range(want)).is_some_and(|(live, want)| !live.overlaps(&want));
        match strongest(changes, Self::IDENTITY) {
            (Effect::Replace(_), Reason(why)) if !apart => (
                Effect::Replace(Order::DeleteFirst),
                Reason(format!("{why}, and its addresses are taken while it exists")),
            ),
            other => other,
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.subnets.values().filter_map(|subnet| observe::live(subnet, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_subnet()
            .vpc_id(&want.vpc_id)
            .set_cidr_block(want.cidr_block.clone())
            .set_ipv4_ipam_pool_id(want.ipv4_ipam_pool_id.clone())
            .set_ipv4_netmask_length(want.ipv4_netmask_length)
            .set_availability_zone(want.availability_zone.clone())
            .set_availability_zone_id(want.availability_zone_id.clone())
            .set_ipv6_cidr_block(want.ipv6_cidr_block.clone())
            .set_ipv6_ipam_pool_id(want.ipv6_ipam_pool_id.clone())
            .set_ipv6_netmask_length(want.ipv6_netmask_length)
            .set_ipv6_native(want.ipv6_native.then_some(true))
            .set_outpost_arn(want.outpost_arn.clone())
            .tag_specifications(tag_on_create(ResourceType::Subnet, cx.tags));
        let call = call.customize().config_override(once());
        let answer = call.send().await.map_err(failed)?;
        assigned(answer.subnet().and_then(|subnet| subnet.subnet_id()), "CreateSubnet")
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_subnet().subnet_id(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// What has no effect beside the rest of a subnet, or is refused for it.
fn ignored(spec: &Spec) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    let mut unless = |needed: bool, path: &str, said: bool, why: &str| {
        if said && !needed {
            wrong.push(Invalid::new(path, why));
        }
    };
    let by_address = spec.private_dns_name_options_on_launch.as_ref();
    let by_address = by_address.is_some_and(|options| options.hostname_type == HostnameType::IpName.as_str());
    unless(
        !spec.ipv6_native,
        "privateDnsNameOptionsOnLaunch.hostnameType",
        by_address,
        "has to be resource-name with ipv6Native: there are no IPv4 addresses to call instances after",
    );
    let pool = spec.ipv4_ipam_pool_id.is_some();
    let ranges = spec.ipv6_cidr_block.is_some() || spec.ipv6_ipam_pool_id.is_some();
    unless(
        pool && spec.cidr_block.is_none(),
        "ipv4NetmaskLength",
        spec.ipv4_netmask_length.is_some(),
        "is for ipv4IpamPoolId without cidrBlock: add the pool, or remove it",
    );
    unless(
        spec.ipv6_ipam_pool_id.is_some() && spec.ipv6_cidr_block.is_none(),
        "ipv6NetmaskLength",
        spec.ipv6_netmask_length.is_some(),
        "is for ipv6IpamPoolId without ipv6CidrBlock: add the pool, or remove it",
    );
    unless(
        ranges || spec.ipv6_native,
        "assignIpv6AddressOnCreation",
        spec.assign_ipv6_address_on_creation,
        "needs a range of IPv6 addresses: add ipv6CidrBlock, or remove it",
    );
    unless(
        !spec.ipv6_native,
        "mapPublicIpOnLaunch",
        spec.map_public_ip_on_launch,
        "has no effect with ipv6Native, without IPv4 addresses: remove one of the two",
    );
    unless(
        spec.outpost_arn.is_some(),
        "enableLniAtDeviceIndex",
        spec.enable_lni_at_device_index.is_some(),
        "is for subnets on an Outpost: add outpostArn, or remove it",
    );
    unless(
        spec.outpost_arn.is_some(),
        "customerOwnedIpv4Pool",
        spec.customer_owned_ipv4_pool.is_some() && spec.map_customer_owned_ip_on_launch,
        "is for subnets on an Outpost: add outpostArn, or remove it",
    );
    wrong
}
