//! Tags of every resource that AWS Batch holds: `GET`, `POST` and `DELETE` on `/v1/tags/{arn}`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::Batch;
use super::arn::name_of;
use super::error::{Error, Result, invalid, refuse};
use super::request::{Fields, Object};
use super::state::State;

impl Batch {
    pub(super) fn tags(
        &self,
        method: &http::Method,
        arn: &str,
        query: &str,
        request: &Object,
    ) -> Result<Value> {
        let arn = decoded(arn);
        self.with(|state, _| {
            let Some(tags) = tags_of(state, &arn) else { refuse!("Resource {arn} does not exist") };
            match method.as_str() {
                "GET" => return Ok(json!({ "tags": tags })),
                "POST" => {
                    let new = request.object("tags")?.cloned().unwrap_or_default();
                    check(&new)?;
                    let keys = tags.keys().chain(new.keys()).collect::<std::collections::BTreeSet<_>>();
                    if keys.len() > 50 {
                        invalid!("A resource cannot have more than 50 tags.");
                    }
                    tags.extend(new);
                }
                _ => {
                    for pair in query.split('&') {
                        if let Some(key) = pair.strip_prefix("tagKeys=") {
                            tags.remove(&decoded(&key.replace('+', " ")));
                        }
                    }
                }
            }
            Ok(json!({}))
        })
    }
}

impl Batch {
    /// ARN and tags of everything that has tags, for the tagging API. Jobs are not among them, as on AWS.
    pub fn tagged(&self) -> BTreeMap<String, Value> {
        self.with(|state, _| Ok(tagged(state))).unwrap_or_default()
    }
}

fn tagged(state: &State) -> BTreeMap<String, Value> {
    let environments =
        state.environments.values().map(|one| (one.detail.shown("computeEnvironmentArn"), &one.detail));
    let queues = state.queues.values().map(|one| (one.detail.shown("jobQueueArn"), &one.detail));
    let revisions = state.definitions.values().flat_map(|family| family.revisions.values());
    let definitions = revisions.map(|one| (one.shown("jobDefinitionArn"), one));
    let policies = state.policies.iter().map(|(arn, detail)| (arn.as_str(), detail));
    let consumables = state.consumables.values().map(|one| (one.shown("consumableResourceArn"), one));
    let services =
        state.services.values().map(|one| (one.detail.shown("serviceEnvironmentArn"), &one.detail));
    environments
        .chain(services)
        .chain(consumables)
        .chain(queues)
        .chain(definitions)
        .chain(policies)
        .filter_map(|(arn, detail)| Some((arn.to_owned(), detail.get("tags")?.clone())))
        .collect()
}

/// Refuses tags that AWS would not take
/// (<https://docs.aws.amazon.com/batch/latest/userguide/using-tags.html#tag-restrictions>). Of which characters it says so,
/// and how: Netflix/metaflow#1345, nf-core/hic#224.
pub(super) fn check(tags: &Map<String, Value>) -> Result<()> {
    if tags.len() > 50 {
        invalid!("A resource cannot have more than 50 tags.");
    }
    for (key, value) in tags {
        let Some(value) = value.as_str() else { invalid!("The value of tag {key} must be a string.") };
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            invalid!("Tag keys have 1 to 128 characters, values up to 256: {key}.");
        }
        for (text, kind) in [(key.as_str(), "TagKey"), (value, "TagValue")] {
            if !text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)) {
                let said =
                    format!("'{text}' is not a valid value for {kind} - it contains illegal characters");
                return Err(Error::BadRequest(said));
            }
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            invalid!("Tag keys cannot start with aws: {key}.");
        }
    }
    Ok(())
}

fn tags_of<'a>(state: &'a mut State, arn: &str) -> Option<&'a mut Map<String, Value>> {
    let kind = arn.splitn(6, ':').nth(5)?.split('/').next()?;
    let name = name_of(arn);
    let detail = match kind {
        "compute-environment" => {
            let held = &mut state.environments.get_mut(name)?.detail;
            (held.shown("computeEnvironmentArn") == arn).then_some(held)
        }
        "job-queue" => {
            let held = &mut state.queues.get_mut(name)?.detail;
            (held.shown("jobQueueArn") == arn).then_some(held)
        }
        "job-definition" => {
            let (family, revision) = name.rsplit_once(':')?;
            let held = state.definitions.get_mut(family)?.revisions.get_mut(&revision.parse().ok()?)?;
            (held.shown("jobDefinitionArn") == arn).then_some(held)
        }
        "scheduling-policy" => state.policies.get_mut(arn),
        "service-environment" => {
            let held = &mut state.services.get_mut(name)?.detail;
            (held.shown("serviceEnvironmentArn") == arn).then_some(held)
        }
        "consumable-resource" => {
            let held = state.consumables.get_mut(name)?;
            (held.shown("consumableResourceArn") == arn).then_some(held)
        }
        "job" => {
            let held = state.jobs.get_mut(name)?;
            (held.arn == arn).then_some(&mut held.facts)
        }
        _ => None,
    }?;
    detail.entry("tags").or_insert_with(|| json!({})).as_object_mut()
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
