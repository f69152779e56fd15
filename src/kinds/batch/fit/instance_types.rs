//! The instance types of EC2, as it describes them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::value::instance_type::{Architecture, family};

/// An instance type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstanceType {
    /// Such as `m5.xlarge`.
    pub name: &'static str,
    /// How many vCPUs it has.
    pub vcpus: f64,
    /// Its memory in MiB, of which the system and the ECS agent keep some.
    pub memory: f64,
    /// How many GPUs of NVIDIA it has: Batch knows no other.
    pub gpus: f64,
    /// What its processors understand.
    pub architecture: Architecture,
}

/// All of them, by name. See `instance_types.py` for where they are from.
static ALL: LazyLock<BTreeMap<&str, InstanceType>> = LazyLock::new(|| {
    let lines = include_str!("instance_types.txt").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(read).map(|of| (of.name, of)).collect()
});

fn read(line: &'static str) -> Option<InstanceType> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let mut number = || words.next()?.parse().ok();
    let (vcpus, memory, gpus) = (number()?, number()?, number()?);
    let architecture = match words.next()? {
        "ARM64" => Architecture::Arm64,
        _ => Architecture::X86,
    };
    Some(InstanceType { name, vcpus, memory, gpus, architecture })
}

impl InstanceType {
    /// Whether it is a machine of its own, without a hypervisor: what a family stands for does not have it.
    pub fn is_metal(&self) -> bool {
        self.name.contains(".metal")
    }
}

/// All of them, in order of their names.
pub fn all() -> impl Iterator<Item = InstanceType> {
    ALL.values().copied()
}

/// The types that a type or a family stands for; none, if EC2 is not known to have it.
pub fn of(text: &str) -> Vec<InstanceType> {
    match ALL.get(text) {
        Some(one) => vec![*one],
        None if text.contains('.') => Vec::new(),
        None => all().filter(|one| family(one.name) == text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::instance_type::architecture;

    /// <https://docs.aws.amazon.com/ec2/latest/instancetypes/gp.html> and `ac.html`, read on 2026-11-30.
    #[test]
    fn the_table_is_what_aws_publishes() {
        let of = |name: &str| of(name).first().copied().unwrap();
        let figures = |name: &str| (of(name).vcpus, of(name).memory, of(name).gpus, of(name).architecture);
        assert_eq!(figures("m5.xlarge"), (4.0, 16.0 * 1024.0, 0.0, Architecture::X86));
        assert_eq!(figures("m7g.2xlarge"), (8.0, 32.0 * 1024.0, 0.0, Architecture::Arm64));
        assert_eq!(figures("g4dn.12xlarge"), (48.0, 192.0 * 1024.0, 4.0, Architecture::X86));
        assert_eq!(figures("p4d.24xlarge"), (96.0, 1152.0 * 1024.0, 8.0, Architecture::X86));
        assert_eq!(ALL.len() + 2, include_str!("instance_types.txt").lines().count());
    }

    #[test]
    fn names_tell_what_the_table_says_of_processors() {
        let macs = |one: &InstanceType| one.name.starts_with("mac");
        for one in all().filter(|one| !macs(one)) {
            assert_eq!(architecture(one.name).unwrap_or(Architecture::X86), one.architecture, "{}", one.name);
        }
    }

    #[test]
    fn a_family_is_its_types() {
        assert!(super::of("c5").len() > 5);
        assert!(super::of("m99").is_empty() && super::of("m5.huge").is_empty());
    }
}
