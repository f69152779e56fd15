//! What AWS reports of a VPC, in the words of its manifest.

use aws_sdk_ec2::types::{
    IpSource, Vpc as Reported, VpcCidrBlockState, VpcCidrBlockStateCode as Code, VpcIpv6CidrBlockAssociation,
    VpcState,
};

use super::{EncryptionControl, Outputs, Spec, Vpc};
use crate::kind::prelude::*;
use crate::services::ec2::{Snapshot, tags};

pub(super) fn live(snapshot: &Snapshot, vpc: &Reported, place: &Place) -> Option<Live<Vpc>> {
    let id = vpc.vpc_id()?.to_owned();
    let primary = vpc.cidr_block().map(str::to_owned);
    let mut associations = BTreeMap::new();
    let mut changing = Vec::new();
    let mut secondary = Vec::new();
    for one in vpc.cidr_block_association_set() {
        let Some(range) = one.cidr_block().filter(|_| present(one.cidr_block_state())) else { continue };
        associations.insert(range.to_owned(), one.association_id().unwrap_or_default().to_owned());
        changing.extend(on_its_way(range, one.cidr_block_state()));
        if primary.as_deref() != Some(range) {
            secondary.push(range.to_owned());
        }
    }
    let (mut amazon, mut ipv6, mut border_group) = (None, Vec::new(), None);
    for one in vpc.ipv6_cidr_block_association_set() {
        let Some(range) = one.ipv6_cidr_block().filter(|_| present(one.ipv6_cidr_block_state())) else {
            continue;
        };
        associations.insert(range.to_owned(), one.association_id().unwrap_or_default().to_owned());
        changing.extend(on_its_way(range, one.ipv6_cidr_block_state()));
        border_group = border_group.or_else(|| one.network_border_group().map(str::to_owned));
        if is_amazons(one) {
            amazon = Some(range.to_owned());
        } else {
            ipv6.push(range.to_owned());
        }
    }
    let dns = snapshot.dns.get(&id);
    let arn = place.arn("ec2", &format!("vpc/{id}"));
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec {
            cidr_block: primary.clone(),
            ipv4_ipam_pool_id: None,
            ipv4_netmask_length: None,
            secondary_cidr_blocks: secondary,
            amazon_provided_ipv6_cidr_block: amazon.is_some(),
            ipv6_cidr_blocks: ipv6,
            ipv6_pool: None,
            ipv6_ipam_pool_id: None,
            ipv6_netmask_length: None,
            ipv6_cidr_block_network_border_group: border_group,
            enable_dns_support: dns.is_none_or(|dns| dns.support),
            enable_dns_hostnames: dns.is_some_and(|dns| dns.hostnames),
            instance_tenancy: vpc
                .instance_tenancy()
                .map_or_else(Spec::default_instance_tenancy, |t| t.as_str().to_owned()),
            vpc_encryption_control: vpc.encryption_control().and_then(EncryptionControl::observe),
        },
        outputs: Outputs {
            arn,
            cidr_block: primary,
            ipv6_cidr_block: amazon,
            default_security_group_id: default_group(snapshot, &id),
            main_route_table_id: main_route_table(snapshot, &id),
            owner_id: vpc.owner_id().map(str::to_owned),
            is_default: vpc.is_default() == Some(true),
            cidr_block_associations: associations,
            id,
        },
        tags: tags(vpc.tags()),
        readiness: match vpc.state() {
            Some(VpcState::Pending) => Readiness::Pending("AWS is making it".to_owned()),
            _ if !changing.is_empty() => Readiness::Pending(changing.join(", ")),
            _ => Readiness::Ready,
        },
        revision: None,
    })
}

/// Amazon's pool is called `Amazon`. The source alone does not tell: IPAM gives out Amazon's addresses as well.
fn is_amazons(one: &VpcIpv6CidrBlockAssociation) -> bool {
    match one.ipv6_pool() {
        Some(pool) => pool.eq_ignore_ascii_case("amazon"),
        None => one.ip_source() == Some(&IpSource::Amazon),
    }
}

fn present(state: Option<&VpcCidrBlockState>) -> bool {
    !matches!(
        state.and_then(VpcCidrBlockState::state),
        Some(Code::Disassociated | Code::Disassociating | Code::Failed | Code::Failing)
    )
}

fn on_its_way(range: &str, state: Option<&VpcCidrBlockState>) -> Option<String> {
    (state.and_then(VpcCidrBlockState::state) == Some(&Code::Associating))
        .then(|| format!("associating {range}"))
}

fn default_group(snapshot: &Snapshot, vpc: &str) -> Option<String> {
    let group = snapshot
        .security_groups
        .values()
        .find(|group| group.vpc_id() == Some(vpc) && group.group_name() == Some("default"))?;
    group.group_id().map(str::to_owned)
}

fn main_route_table(snapshot: &Snapshot, vpc: &str) -> Option<String> {
    let table = snapshot.route_tables.values().find(|table| {
        table.vpc_id() == Some(vpc) && table.associations().iter().any(|a| a.main() == Some(true))
    })?;
    table.route_table_id().map(str::to_owned)
}
