//! Subnets and security groups that an environment cannot have together.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html>: the subnets are within one VPC; a security
//! group is of the VPC that it is used in.

use super::Spec;
use crate::kind::{Beside, Invalid};
use crate::kinds::ec2::security_group::SecurityGroup;
use crate::kinds::ec2::subnet::Subnet;

pub(super) fn clashes(spec: &Spec, beside: &Beside<'_>) -> Vec<Invalid> {
    let Some(resources) = &spec.compute_resources else { return Vec::new() };
    let subnets = resources.subnets.iter().enumerate().filter_map(|(index, text)| {
        let (id, subnet) = beside.find::<Subnet>(text)?;
        Some((format!("computeResources.subnets[{index}]"), id, subnet.vpc_id))
    });
    let groups = resources.security_group_ids.iter().enumerate().filter_map(|(index, text)| {
        let (id, group) = beside.find::<SecurityGroup>(text)?;
        Some((format!("computeResources.securityGroupIds[{index}]"), id, group.vpc_id?))
    });
    let mut all = subnets.chain(groups);
    let Some((_, first, vpc)) = all.next() else { return Vec::new() };
    let apart = |other: &str| other.contains("${") == vpc.contains("${") && *other != vpc;
    all.filter(|(_, _, other)| apart(other))
        .map(|(path, id, other)| {
            let message =
                format!("{id} is in the VPC {other}, and {first} in {vpc}: an environment is in one VPC");
            Invalid::new(path, message)
        })
        .collect()
}
