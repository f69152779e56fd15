//! What is wrong with a file system without asking AWS
//! (<https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html>, `API_CreateMountTarget`, `API_PutLifecycleConfiguration`,
//! `API_CreateReplicationConfiguration`).

use std::collections::BTreeSet;

use aws_sdk_efs::types::{IpAddressType, PerformanceMode, ThroughputMode};

use super::{Destination, LifecyclePolicy, MountTarget, Spec};
use crate::kind::prelude::*;
use crate::kinds::iam::types::document::{self, Attached};

/// The most characters of a policy (PutFileSystemPolicy).
const MOST: usize = 20_000;

pub(super) fn check(spec: &Spec) -> Vec<Invalid> {
    let mut found = whole(spec);
    lifecycle(spec, &mut found);
    mount_targets(&spec.mount_targets, &mut found);
    if let Some(policy) = &spec.file_system_policy {
        document::check("fileSystemPolicy", policy, Attached::FileSystem, &mut found);
        let characters = policy.text().chars().count();
        if characters > MOST {
            let message = format!("has {characters} characters; EFS takes {MOST}: say less");
            found.push(Invalid::new("fileSystemPolicy", message));
        }
    }
    for (index, destination) in
        spec.replication_configuration.iter().flat_map(|it| &it.destinations).enumerate()
    {
        let path = format!("replicationConfiguration.destinations[{index}]");
        replication(&path, destination, &mut found);
    }
    found
}

/// What fields say together.
fn whole(spec: &Spec) -> Vec<Invalid> {
    let provisioned = spec.throughput_mode == ThroughputMode::Provisioned.as_str();
    let elastic = spec.throughput_mode == ThroughputMode::Elastic.as_str();
    let max_io = spec.performance_mode == PerformanceMode::MaxIo.as_str();
    let one_zone = spec.availability_zone_name.is_some();
    let rules = [
        (
            "kmsKeyId",
            spec.kms_key_id.is_some() && !spec.encrypted,
            "is of what is encrypted: set encrypted to true",
        ),
        (
            "provisionedThroughputInMibps",
            provisioned && spec.provisioned_throughput_in_mibps.is_none(),
            "is needed with throughputMode `provisioned`: say how many MiB a second",
        ),
        (
            "provisionedThroughputInMibps",
            !provisioned && spec.provisioned_throughput_in_mibps.is_some(),
            "is of throughputMode `provisioned`: set that, or remove it",
        ),
        (
            "performanceMode",
            max_io && one_zone,
            "`maxIO` is not for One Zone file systems: remove one of the two",
        ),
        ("performanceMode", max_io && elastic, "`maxIO` has no `elastic` throughput: remove one of the two"),
        (
            "mountTargets",
            one_zone && spec.mount_targets.len() > 1,
            "a One Zone file system has one mount target, in its zone: keep that one",
        ),
        (
            "bypassPolicyLockoutSafetyCheck",
            spec.bypass_policy_lockout_safety_check.is_some() && spec.file_system_policy.is_none(),
            "is of fileSystemPolicy: add that, or remove it",
        ),
    ];
    let broken = rules.into_iter().filter(|rule| rule.1);
    broken.map(|(path, _, what)| Invalid::new(path, what)).collect()
}

/// "Each LifecyclePolicy object can have only a single transition", and Archive comes after Infrequent Access.
fn lifecycle(spec: &Spec, found: &mut Vec<Invalid>) {
    type Transition = fn(&LifecyclePolicy) -> Option<&String>;
    let transitions: [(&str, Transition); 3] = [
        ("transitionToIA", |it| it.transition_to_ia.as_ref()),
        ("transitionToArchive", |it| it.transition_to_archive.as_ref()),
        ("transitionToPrimaryStorageClass", |it| it.transition_to_primary_storage_class.as_ref()),
    ];
    let mut seen = BTreeSet::new();
    for (index, policy) in spec.lifecycle_policies.iter().enumerate() {
        let path = format!("lifecyclePolicies[{index}]");
        let said: Vec<&str> =
            transitions.iter().filter(|(_, of)| of(policy).is_some()).map(|(name, _)| *name).collect();
        match said.as_slice() {
            [] => found.push(Invalid::new(&path, "says no transition: add one, or remove the item")),
            [one] if !seen.insert(*one) => {
                found.push(Invalid::new(format!("{path}.{one}"), "is said twice: keep one"));
            }
            [_] => {}
            several => {
                let message = format!("says {}: one transition an item", several.join(" and "));
                found.push(Invalid::new(&path, message));
            }
        }
        if policy.transition_to_archive.is_some() && spec.throughput_mode != ThroughputMode::Elastic.as_str()
        {
            let message = "is for `elastic` throughput: set throughputMode to that, or remove it";
            found.push(Invalid::new(format!("{path}.transitionToArchive"), message));
        }
    }
    let days = |of: Transition| spec.lifecycle_policies.iter().filter_map(of).find_map(|it| days(it));
    if let (Some(ia), Some(archive)) = (days(transitions[0].1), days(transitions[1].1))
        && archive <= ia
    {
        let message = format!(
            "has files in Archive after {archive} days, not later than in Infrequent Access: {ia} days"
        );
        found.push(Invalid::new("lifecyclePolicies", message));
    }
}

/// 30 of `AFTER_30_DAYS`.
fn days(rule: &str) -> Option<u32> {
    rule.strip_prefix("AFTER_")?.split('_').next()?.parse().ok()
}

fn mount_targets(targets: &[MountTarget], found: &mut Vec<Invalid>) {
    let mut seen = BTreeSet::new();
    for (index, target) in targets.iter().enumerate() {
        let path = format!("mountTargets[{index}]");
        if !seen.insert(&target.subnet_id) {
            found.push(Invalid::new(
                format!("{path}.subnetId"),
                "is there twice: a zone has one mount target",
            ));
        }
        let kind = target.ip_address_type.as_str();
        if target.ip_address.is_some() && kind == IpAddressType::Ipv6Only.as_str() {
            let message = "is of IPv4: remove it, or ipAddressType";
            found.push(Invalid::new(format!("{path}.ipAddress"), message));
        }
        if target.ipv6_address.is_some() && kind == IpAddressType::Ipv4Only.as_str() {
            let message = "is of IPv6: remove it, or set ipAddressType to `IPV6_ONLY` or `DUAL_STACK`";
            found.push(Invalid::new(format!("{path}.ipv6Address"), message));
        }
        let is_ipv4 = |text: &String| text.contains("${") || text.parse::<std::net::Ipv4Addr>().is_ok();
        if let Some(text) = target.ip_address.as_ref().filter(|text| !is_ipv4(text)) {
            found.push(Invalid::new(format!("{path}.ipAddress"), format!("`{text}` is no IPv4 address")));
        }
        let is_ipv6 = |text: &String| text.contains("${") || text.parse::<std::net::Ipv6Addr>().is_ok();
        if let Some(text) = target.ipv6_address.as_ref().filter(|text| !is_ipv6(text)) {
            found.push(Invalid::new(format!("{path}.ipv6Address"), format!("`{text}` is no IPv6 address")));
        }
    }
}

/// DestinationToCreate: what is there has its zone and key already.
fn replication(path: &str, destination: &Destination, found: &mut Vec<Invalid>) {
    if destination.file_system_id.is_some() {
        for (field, said) in [
            ("availabilityZoneName", destination.availability_zone_name.is_some()),
            ("kmsKeyId", destination.kms_key_id.is_some()),
        ] {
            if said {
                let message = "is for a copy that EFS makes, and fileSystemId names one that is there: remove one of the two";
                found.push(Invalid::new(format!("{path}.{field}"), message));
            }
        }
    } else if destination.region.is_none() && destination.availability_zone_name.is_none() {
        found.push(Invalid::new(path, "says nowhere: add region, availabilityZoneName or fileSystemId"));
    }
}
