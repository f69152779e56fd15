//! Subnets that a VPC cannot have.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html>: "A subnet CIDR block must not overlap the CIDR
//! block of an existing subnet in the VPC." <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>:
//! `InvalidSubnet.Conflict`, `InvalidSubnet.Range`.

use super::{Spec, Subnet};
use crate::kind::prelude::*;
use crate::kinds::ec2::types::cidr::Cidr;
use crate::kinds::ec2::types::network::Network;

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let Some(network) = Network::named(&spec.vpc_id) else { return Vec::new() };
    let ranges = [("cidrBlock", &spec.cidr_block), ("ipv6CidrBlock", &spec.ipv6_cidr_block)];
    let mut found = Vec::new();
    for (field, text) in ranges {
        let Some(range) = text.as_ref().and_then(|text| text.parse::<Cidr>().ok()) else { continue };
        found.extend(outside(field, &range, &network, beside));
        found.extend(taken(field, &range, &network, id, beside));
    }
    found
}

fn outside(field: &str, range: &Cidr, network: &Network, beside: &Beside<'_>) -> Option<Clash> {
    let (vpc, ranges) = network.ranges(range.is_ipv4(), beside)?;
    if ranges.iter().any(|whole| whole.holds(range)) {
        return None;
    }
    let has = match ranges.as_slice() {
        [] => "no addresses of this family".to_owned(),
        ranges => ranges.iter().map(Cidr::to_string).collect::<Vec<_>>().join(", "),
    };
    let message = format!("{} is outside its VPC: {vpc} has {has}", range.network());
    Some(Clash::new(field, vpc, message))
}

fn taken(
    field: &str,
    range: &Cidr,
    network: &Network,
    id: &ResourceId,
    beside: &Beside<'_>,
) -> Option<Clash> {
    beside.before::<Subnet>(id).find_map(|other| {
        let theirs: Cidr = other.text(field)?.parse().ok()?;
        let same = other.text("vpcId").and_then(Network::named).as_ref() == Some(network);
        (same && theirs.overlaps(range)).then(|| {
            let message = format!(
                "{} overlaps {theirs} of {}: the subnets of a VPC must not",
                range.network(),
                other.id
            );
            Clash::new(field, other.id, message)
        })
    })
}
