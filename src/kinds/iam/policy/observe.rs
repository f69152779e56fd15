//! What IAM reports of a policy, in the manifest's words.

use aws_sdk_iam::types::PolicyVersion;

use super::{Outputs, Policy, Spec, Version, meaning};
use crate::kind::prelude::*;
use crate::services::iam;
use crate::value;

/// The policy, its version in force and the others.
pub(super) fn live(found: &iam::Policy) -> Live<Policy> {
    let detail = &found.detail;
    let mut versions: Vec<&PolicyVersion> = detail.policy_version_list().iter().collect();
    versions.sort_by_key(|version| number(version));
    let default = versions.iter().find(|version| version.is_default_version());
    let arn = detail.arn().unwrap_or_default().to_owned();
    Live {
        physical: detail.policy_name().unwrap_or_default().to_owned(),
        arn: Some(arn.clone()),
        spec: Spec {
            policy_document: parse(default.and_then(|version| version.document())),
            description: detail.description().map(str::to_owned),
            path: detail.path().unwrap_or("/").to_owned(),
        },
        outputs: Outputs {
            arn,
            policy_id: detail.policy_id().unwrap_or_default().to_owned(),
            default_version_id: detail.default_version_id().unwrap_or_default().to_owned(),
            versions: versions
                .iter()
                .map(|version| Version {
                    id: version.version_id().unwrap_or_default().to_owned(),
                    meaning: meaning(&parse(version.document())),
                })
                .collect(),
            attached_roles: found.attached.iter().cloned().collect(),
            attached_elsewhere: found.attached_elsewhere.iter().cloned().collect(),
        },
        tags: found.tags.clone(),
        readiness: Readiness::Ready,
        revision: None,
    }
}

fn parse(document: Option<&str>) -> value::Policy {
    value::Policy::parse(document.unwrap_or_default())
}

/// Versions count up, `v1` first; IAM never gives a number twice.
fn number(version: &PolicyVersion) -> u32 {
    let id = version.version_id().unwrap_or_default();
    id.trim_start_matches('v').parse().unwrap_or_default()
}
