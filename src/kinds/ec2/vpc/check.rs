//! What AWS would refuse of a VPC, told before it is asked (VPC user guide, "VPC CIDR blocks").

use super::Spec;
use crate::kind::prelude::*;
use crate::kinds::ec2::types::cidr::{self, Cidr};

/// What is wrong with a VPC.
pub(super) fn check(spec: &Spec) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    if spec.cidr_block.is_none() && spec.ipv4_ipam_pool_id.is_none() {
        wrong.push(Invalid::new(
            "cidrBlock",
            "a VPC needs a range of addresses: add one such as 10.0.0.0/16, or ipv4IpamPoolId",
        ));
    }
    ranges(spec, &mut wrong);
    for (index, range) in spec.ipv6_cidr_blocks.iter().enumerate() {
        let path = format!("ipv6CidrBlocks[{index}]");
        wrong.extend(cidr::check(&path, range, false, 44..=60).or_else(|| cidr::check_step(&path, range)));
    }
    pools(spec, &mut wrong);
    if spec.enable_dns_hostnames && !spec.enable_dns_support {
        wrong.push(Invalid::new(
            "enableDnsHostnames",
            "DNS names need DNS: set enableDnsSupport to true as well",
        ));
    }
    wrong
}

/// The IPv4 ranges: their sizes, and that none overlaps another.
fn ranges(spec: &Spec, wrong: &mut Vec<Invalid>) {
    let further = spec.secondary_cidr_blocks.iter().enumerate();
    let further = further.map(|(index, range)| (format!("secondaryCidrBlocks[{index}]"), range));
    let mut seen: Vec<Cidr> = Vec::new();
    for (path, text) in spec.cidr_block.iter().map(|range| ("cidrBlock".to_owned(), range)).chain(further) {
        wrong.extend(cidr::check(&path, text, true, 16..=28));
        let Ok(range) = text.parse::<Cidr>() else { continue };
        if let Some(other) = seen.iter().find(|other| other.overlaps(&range)) {
            wrong.push(Invalid::new(path, format!("{range} overlaps {other}; the ranges of a VPC must not")));
        }
        seen.push(range);
    }
}

/// The sizes of what IPAM's pools give; and what Amazon gives goes with no pool.
fn pools(spec: &Spec, wrong: &mut Vec<Invalid>) {
    let lengths = [
        ("ipv4NetmaskLength", spec.ipv4_netmask_length, 16..=28, 1),
        ("ipv6NetmaskLength", spec.ipv6_netmask_length, 44..=60, 4),
    ];
    for (path, length, sizes, step) in lengths {
        let Some(length) = length.filter(|length| !sizes.contains(length) || length % step != 0) else {
            continue;
        };
        let every = if step == 1 { String::new() } else { format!(", in steps of {step}") };
        let (least, most) = (sizes.start(), sizes.end());
        let message =
            format!("{length} is not a size that AWS offers here: choose between {least} and {most}{every}");
        wrong.push(Invalid::new(path, message));
    }
    let from_pool = spec.ipv6_pool.is_some() || spec.ipv6_ipam_pool_id.is_some();
    if spec.amazon_provided_ipv6_cidr_block && from_pool {
        wrong.push(Invalid::new(
            "amazonProvidedIpv6CidrBlock",
            "its IPv6 addresses come from Amazon or from a pool of yours: keep one of the two",
        ));
    }
}
