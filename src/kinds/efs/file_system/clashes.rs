//! File systems that cannot have their mount targets, or their replication.
//!
//! <https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html>: the subnets are in one VPC, each in a zone of its own, and the
//! one of a One Zone file system is in its zone; the security groups "must be for the same VPC as subnet specified".

use super::{FileSystem, MountTarget, Spec};
use crate::kind::prelude::*;
use crate::kinds::ec2::subnet::Subnet;
use crate::kinds::ec2::types::cidr::Cidr;
use crate::kinds::ec2::types::network::{Network, one_zone, placed};
use crate::value::reference::{self, Reference};

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let subnets = || {
        let targets = spec.mount_targets.iter().enumerate();
        targets.map(|(index, it)| (format!("mountTargets[{index}].subnetId"), &it.subnet_id))
    };
    let mut found = one_zone(subnets(), beside, "a file system has one mount target in each zone");
    found.extend(another_zone(spec, subnets(), beside));
    found.extend(another_range(spec, beside));
    found.extend(another_vpc(spec, subnets(), beside));
    found.extend(another_resource(spec, id));
    found.extend(unprepared(spec, id, beside));
    found
}

/// The mount target of a One Zone file system is in its zone.
fn another_zone<'t>(
    spec: &'t Spec,
    subnets: impl Iterator<Item = (String, &'t String)>,
    beside: &Beside<'_>,
) -> Vec<Clash> {
    let Some(zone) = spec.availability_zone_name.as_ref().filter(|zone| !zone.contains("${")) else {
        return Vec::new();
    };
    let clash = |(path, text): (String, &String)| {
        let (id, subnet) = beside.find::<Subnet>(text)?;
        let theirs = subnet.availability_zone.filter(|theirs| theirs != zone && !theirs.contains("${"))?;
        let message = format!("{id} is in {theirs}, and the file system in {zone} alone");
        Some(Clash::new(path, id, message))
    };
    subnets.filter_map(clash).collect()
}

/// An address is one of its subnet's.
fn another_range(spec: &Spec, beside: &Beside<'_>) -> Vec<Clash> {
    let clash = |(index, target): (usize, &MountTarget)| {
        let text = target.ip_address.as_ref()?;
        let (address, (id, subnet)) =
            (format!("{text}/32").parse::<Cidr>().ok()?, beside.find::<Subnet>(&target.subnet_id)?);
        let range = subnet.cidr_block?.parse::<Cidr>().ok().filter(|range| !range.holds(&address))?;
        let message = format!("{text} is not in {range}, the range of {id}");
        Some(Clash::new(format!("mountTargets[{index}].ipAddress"), id, message))
    };
    spec.mount_targets.iter().enumerate().filter_map(clash).collect()
}

fn another_vpc<'t>(
    spec: &'t Spec,
    subnets: impl Iterator<Item = (String, &'t String)>,
    beside: &Beside<'_>,
) -> Vec<Clash> {
    let groups = spec.mount_targets.iter().enumerate().flat_map(|(index, it)| {
        let path = format!("mountTargets[{index}].securityGroups");
        placed(&path, &it.security_groups).collect::<Vec<_>>()
    });
    let mut all = subnets.chain(groups).filter_map(|(path, text)| Some((path, Network::of(text, beside)?)));
    let Some((_, (first, vpc))) = all.next() else { return Vec::new() };
    all.filter(|(_, (_, other))| vpc.is_apart(other))
        .map(|(path, (id, other))| {
            let message = format!(
                "{id} is in the VPC {other}, and {first} in {vpc}: a file system is mounted in one VPC"
            );
            Clash::new(path, &first, message)
        })
        .collect()
}

/// A policy speaks of its own file system.
fn another_resource(spec: &Spec, id: &ResourceId) -> Vec<Clash> {
    let mut found = Vec::new();
    let Some(policy) = &spec.file_system_policy else { return found };
    let text = policy.text();
    for part in text.split('"').filter(|part| part.starts_with("${efs/FileSystem/")) {
        if let Some(Reference::Output { id: other, .. }) = reference::whole(part)
            && other != *id
        {
            let message =
                format!("speaks of {other}: a policy is for its own file system, remove the Resource");
            found.push(Clash::new("fileSystemPolicy", &other, message));
        }
    }
    found
}

/// A replication overwrites only what is not protected from that.
fn unprepared(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let destinations = spec.replication_configuration.iter().flat_map(|it| &it.destinations).enumerate();
    let clash = |(index, text): (usize, &String)| {
        let path = format!("replicationConfiguration.destinations[{index}].fileSystemId");
        let (other, theirs) = beside.find::<FileSystem>(text)?;
        if other == id {
            return Some(Clash::new(path, other, "is the file system itself: name another"));
        }
        let protection = theirs.file_system_protection.replication_overwrite_protection;
        let message = format!(
            "{other} is protected from being overwritten: set its fileSystemProtection.replicationOverwriteProtection to `DISABLED`"
        );
        if protection == "ENABLED" {
            return Some(Clash::new(path, other, message));
        }
        // CreateReplicationConfiguration, ConflictException.
        let message = format!("{other} is not encrypted, and this is: a copy of what is encrypted is so too");
        (spec.encrypted && !theirs.encrypted).then(|| Clash::new(path, other, message))
    };
    destinations
        .filter_map(|(index, it)| Some((index, it.file_system_id.as_ref()?)))
        .filter_map(clash)
        .collect()
}
