//! What ECR refuses (API reference: CreateRepository, PutLifecyclePolicy; user guide: "Lifecycle policy properties").

use std::collections::BTreeSet;

use serde_json::Value;

use super::{LifecyclePolicy, Spec, rule};
use crate::kind::prelude::*;
use crate::kinds::iam::types::document::{self, Attached};
use crate::value::policy;

const MOST_FILTERS: usize = 5;
const LONGEST_POLICY: usize = 10_240;
const LONGEST_LIFECYCLE: usize = 30_720;

pub(super) fn check(spec: &Spec) -> Vec<Invalid> {
    let mut found = Vec::new();
    filters(spec, &mut found);
    let encryption = &spec.encryption_configuration;
    if encryption.encryption_type == "AES256" && encryption.kms_key.is_some() {
        let what = "AES256 takes no KMS key; set encryptionType to `KMS`, or leave the key out";
        found.push(Invalid::new("encryptionConfiguration.kmsKey", what));
    }
    let key = encryption.kms_key.as_deref().unwrap_or_default();
    if key.starts_with("alias/") || key.contains(":alias/") {
        // ECR reports that key from then on, so nothing would tell an alias that moved from one that did not.
        let what = format!(
            "`{key}` is an alias: ECR takes the key that it stands for now, and keeps that one; write the key's ARN or id"
        );
        found.push(Invalid::new("encryptionConfiguration.kmsKey", what));
    }
    if encryption.kms_key.as_ref().is_some_and(|key| key.is_empty() || key.len() > 2048) {
        let what = "expected 1 to 2048 characters: a key's ARN or id";
        found.push(Invalid::new("encryptionConfiguration.kmsKey", what));
    }
    if let Some(policy) = &spec.repository_policy_text {
        document::check("repositoryPolicyText", policy, Attached::Repository, &mut found);
        let size = policy.text().len();
        if size > LONGEST_POLICY {
            let what = format!("{size} characters, but ECR takes at most {LONGEST_POLICY}");
            found.push(Invalid::new("repositoryPolicyText", what));
        }
    }
    if let Some(policy) = &spec.lifecycle_policy {
        lifecycle(policy, &mut found);
    }
    found
}

fn filters(spec: &Spec, found: &mut Vec<Invalid>) {
    const PATH: &str = "imageTagMutabilityExclusionFilters";
    let filters = &spec.image_tag_mutability_exclusion_filters;
    let excludes = spec.image_tag_mutability.ends_with("_WITH_EXCLUSION");
    if excludes && filters.is_empty() {
        let what = format!("{} needs 1 to {MOST_FILTERS} filters; add one", spec.image_tag_mutability);
        found.push(Invalid::new(PATH, what));
    }
    if !excludes && !filters.is_empty() {
        let mutability = &spec.image_tag_mutability;
        let what =
            format!("{mutability} takes no filters; set imageTagMutability to `{mutability}_WITH_EXCLUSION`");
        found.push(Invalid::new(PATH, what));
    }
    if filters.len() > MOST_FILTERS {
        let what = format!("{} filters, but ECR takes at most {MOST_FILTERS}", filters.len());
        found.push(Invalid::new(PATH, what));
    }
    for (index, filter) in filters.iter().enumerate() {
        let value = &filter.image_tag_mutability_exclusion_filter_value;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '*');
        let wildcards = value.matches('*').count();
        if !value.contains("${")
            && (value.is_empty() || value.len() > 128 || !value.chars().all(fits) || wildcards > 2)
        {
            let what =
                format!("{value:?}: expected 1 to 128 letters, digits, `.`, `_`, `-` and at most two `*`");
            let path = format!("{PATH}[{index}].imageTagMutabilityExclusionFilterValue");
            found.push(Invalid::new(path, what));
        }
    }
}

fn lifecycle(lifecycle: &LifecyclePolicy, found: &mut Vec<Invalid>) {
    const PATH: &str = "lifecyclePolicy.lifecyclePolicyText";
    let document = &lifecycle.lifecycle_policy_text.0;
    let Some(rules) = document.get("rules").and_then(Value::as_array).filter(|rules| !rules.is_empty())
    else {
        let fault = document.as_str().and_then(policy::fault);
        let what = fault
            .unwrap_or_else(|| "not a lifecycle policy: expected an object with a list `rules`".to_owned());
        found.push(Invalid::new(PATH, what));
        return;
    };
    let size = lifecycle.text().len();
    if !(100..=LONGEST_LIFECYCLE).contains(&size) {
        let what = format!("{size} characters, but ECR takes 100 to {LONGEST_LIFECYCLE}");
        found.push(Invalid::new(PATH, what));
    }
    let mut priorities = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut wrong = |field: &str, what: String| {
            found.push(Invalid::new(format!("{PATH}.rules[{index}]{field}"), what));
        };
        match rule.get("rulePriority").and_then(Value::as_i64) {
            Some(priority) if priority < 1 => {
                wrong(".rulePriority", format!("{priority}, but ECR takes 1 or more"));
            }
            Some(priority) if !priorities.insert(priority) => {
                wrong(".rulePriority", format!("{priority} belongs to another rule already"));
            }
            Some(_) => {}
            None => wrong("", "lacks `rulePriority`, a whole number".to_owned()),
        }
        if rule.pointer("/action/type").is_none() {
            wrong("", "lacks `action: {type: expire}`".to_owned());
        }
        let Some(selection) = rule.get("selection") else {
            wrong("", "lacks `selection`: which images it is for".to_owned());
            continue;
        };
        for (field, what) in rule::check(rule, selection) {
            wrong(field, what);
        }
        let lists = ["tagPrefixList", "tagPatternList"].iter().any(|list| selection.get(list).is_some());
        let status = selection.get("tagStatus").and_then(Value::as_str);
        match status {
            Some("tagged") if !lists => {
                wrong(".selection", "`tagStatus: tagged` needs tagPrefixList or tagPatternList".to_owned());
            }
            Some("tagged" | "untagged" | "any") => {}
            _ => wrong(".selection.tagStatus", "expected `tagged`, `untagged` or `any`".to_owned()),
        }
        // Images in standard storage and in the archive are chosen from separately.
        let class = selection.get("storageClass");
        let rivals = rules.iter().filter(|rule| rule.pointer("/selection/storageClass") == class);
        let last = rivals.filter_map(|rule| rule.get("rulePriority")?.as_i64()).max();
        if status == Some("any") && rule.get("rulePriority").and_then(Value::as_i64) != last {
            wrong(
                ".rulePriority",
                "a rule for `any` images comes last: give it the highest number".to_owned(),
            );
        }
    }
}

/// The rules for repository names (CreateRepository, `repositoryName`).
pub(super) fn check_name(name: &str) -> Option<String> {
    if !(2..=256).contains(&name.len()) {
        return Some(format!("a repository's name has 2 to 256 characters, this one has {}", name.len()));
    }
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let part = |part: &str| {
        let between: Vec<&str> = part.split(plain).filter(|between| !between.is_empty()).collect();
        part.starts_with(plain)
            && part.ends_with(plain)
            && between.iter().all(|b| matches!(*b, "." | "_" | "__") || b.chars().all(|c| c == '-'))
    };
    (!name.split('/').all(part)).then(|| {
        "a repository's name is lower-case letters and digits, joined by `.`, `_`, `-`, and `/` between parts"
            .to_owned()
    })
}
