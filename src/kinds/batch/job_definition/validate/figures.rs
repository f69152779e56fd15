//! vCPUs, memory and GPUs. Batch reads them as its own grammar has it, not as numbers: off Fargate it takes `1` and refuses
//! `1.0` (kestra-io/plugin-aws#504).
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html>

use std::collections::BTreeSet;

use super::{Complaints, Platform};
use crate::kinds::batch::types::container::ResourceRequirement;

/// The least memory of a job, in MiB.
pub(super) const LEAST_MEMORY: i32 = 4;

/// A whole number above nought: digits, and nothing else.
pub(super) fn whole(text: &str) -> Option<i32> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

/// A number above nought: digits, and perhaps a point with digits behind it. Neither signs nor exponents, `inf` or `NaN`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (before, behind) = text.split_once('.').unwrap_or((text, "0"));
    let plain = digits(before) && digits(behind) && text.len() <= 16;
    text.parse().ok().filter(|number| plain && *number > 0.0)
}

/// Each kind once, in the grammar of its kind.
pub(super) fn requirements(
    path: &str,
    requirements: &[ResourceRequirement],
    platform: Platform,
    found: &mut Complaints,
) {
    let mut seen = BTreeSet::new();
    for (index, requirement) in requirements.iter().enumerate() {
        let path = format!("{path}.resourceRequirements[{index}]");
        let (kind, value) = (requirement.r#type.as_str(), requirement.value.as_str());
        if !seen.insert(kind) {
            found.say(format!("{path}.type"), format!("{kind} is there twice: remove one"));
        }
        if value.contains("${") {
            continue;
        }
        if let Some(message) = wrong(kind, value, platform) {
            found.say(format!("{path}.value"), message);
        }
    }
}

/// What is wrong with a figure, and what to write.
fn wrong(kind: &str, value: &str, platform: Platform) -> Option<String> {
    match (kind, platform, whole(value)) {
        ("VCPU", Platform::Fargate, _) => decimal(value)
            .is_none()
            .then(|| format!("VCPU {value:?} is not a number, such as \"0.25\" or \"1\"")),
        ("MEMORY", _, Some(memory)) if memory < LEAST_MEMORY => {
            Some(format!("MEMORY {value} is below 4 MiB: it is given in MiB"))
        }
        (_, _, Some(_)) => None,
        ("MEMORY", _, None) => {
            let instead = mebibytes(value).unwrap_or(512);
            Some(format!("MEMORY {value:?} is not a whole number of MiB, such as \"{instead}\""))
        }
        ("VCPU", ..) => {
            let instead = decimal(value).map_or(1.0, f64::ceil);
            if value.parse::<f64>().is_ok_and(|number| number <= 0.0) {
                return Some(format!("VCPU {value:?} is not above 0, such as \"1\""));
            }
            let parts = match decimal(value).is_some_and(|number| number.fract() != 0.0) {
                true => ", and parts of a vCPU are for FARGATE",
                false => "",
            };
            Some(format!("VCPU {value:?} is not a whole number{parts}: write \"{instead}\""))
        }
        _ => Some(format!("{kind} {value:?} is not a whole number above 0, such as \"1\"")),
    }
}

/// How much a text such as `4GB` or `512.5` means, rounded up.
fn mebibytes(text: &str) -> Option<u32> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let number = decimal(digits)?;
    let factor = match text.get(digits.len()..).map(str::trim).map(str::to_ascii_lowercase).as_deref() {
        Some("" | "m" | "mb" | "mi" | "mib") => 1.0,
        Some("g" | "gb" | "gi" | "gib") => 1024.0,
        _ => return None,
    };
    let mebibytes = (number * factor).ceil();
    (mebibytes <= f64::from(i32::MAX)).then_some(mebibytes as u32)
}

/// A kind that a container cannot do without.
pub(super) fn missing(path: &str, kind: &str, found: &mut Complaints) {
    let message = format!("{kind} is missing: add {{type: {kind}, value: \"…\"}}");
    found.say(format!("{path}.resourceRequirements"), message);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_batch_reads_them() {
        for (text, expected) in [
            ("1", Some(1)),
            ("96", Some(96)),
            ("0", None),
            ("01", None),
            ("1.0", None),
            ("+1", None),
            ("1e3", None),
            ("", None),
            ("99999999999", None),
        ] {
            assert_eq!(whole(text), expected, "{text}");
        }
        for (text, expected) in [
            ("0.25", Some(0.25)),
            ("1.0", Some(1.0)),
            ("1", Some(1.0)),
            (".5", None),
            ("1.", None),
            ("inf", None),
            ("NaN", None),
            ("-1", None),
            ("1e1", None),
            ("0.0", None),
        ] {
            assert_eq!(decimal(text), expected, "{text}");
        }
    }

    #[test]
    fn what_to_write_is_said() {
        let said = |kind: &str, value: &str| wrong(kind, value, Platform::Ec2).unwrap_or_default();
        insta::assert_snapshot!(said("VCPU", "0.5"), @r#"VCPU "0.5" is not a whole number, and parts of a vCPU are for FARGATE: write "1""#);
        insta::assert_snapshot!(said("VCPU", "0"), @r#"VCPU "0" is not above 0, such as "1""#);
        insta::assert_snapshot!(said("VCPU", "1.0"), @r#"VCPU "1.0" is not a whole number: write "1""#);
        insta::assert_snapshot!(said("VCPU", "inf"), @r#"VCPU "inf" is not a whole number: write "1""#);
        insta::assert_snapshot!(said("MEMORY", "4GB"), @r#"MEMORY "4GB" is not a whole number of MiB, such as "4096""#);
        insta::assert_snapshot!(said("MEMORY", "512.5"), @r#"MEMORY "512.5" is not a whole number of MiB, such as "513""#);
        insta::assert_snapshot!(said("MEMORY", "NaN"), @r#"MEMORY "NaN" is not a whole number of MiB, such as "512""#);
        insta::assert_snapshot!(said("MEMORY", "2"), @"MEMORY 2 is below 4 MiB: it is given in MiB");
        insta::assert_snapshot!(said("GPU", "0.5"), @r#"GPU "0.5" is not a whole number above 0, such as "1""#);
    }
}
