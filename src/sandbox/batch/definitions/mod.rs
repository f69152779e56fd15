//! Job definitions: revisions are registered, described and deregistered; none is ever changed.

mod check;
mod container;
mod fargate;
mod fill;
mod pod;
mod volumes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Batch;
use super::arn::name_of;
use super::error::{Result, invalid, refuse};
use super::model;
use super::page::page;
use super::request::{Fields, Object};
use super::state::State;

pub(super) use check::{retry, span, timeout};
pub(super) use fill::retry as filled_retry;

/// All revisions under one name. The counter never goes back, also when every revision is deregistered.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Family {
    pub newest: u64,
    pub revisions: BTreeMap<u64, Object>,
}

impl Batch {
    pub(super) fn register_job_definition(&self, request: Object) -> Result<Value> {
        check::registration(&request)?;
        model::check(&request)?;
        let settings = self.settings();
        let name = request.required("jobDefinitionName")?.to_owned();
        let mut detail = fill::stored(&request);
        self.with(|state, _| {
            let family = state.definitions.entry(name.clone()).or_default();
            family.newest += 1;
            let arn = settings.arn("job-definition", &format!("{name}:{}", family.newest));
            detail.insert("jobDefinitionArn".into(), arn.as_str().into());
            detail.insert("revision".into(), family.newest.into());
            detail.insert("status".into(), "ACTIVE".into());
            let answer =
                json!({ "jobDefinitionName": name, "jobDefinitionArn": arn, "revision": family.newest });
            family.revisions.insert(family.newest, detail);
            Ok(answer)
        })
    }

    /// Registers so many revisions at once: an account that has been used for years. Fails as RegisterJobDefinition does.
    pub fn seed_job_definitions(&self, request: &Value, count: usize) -> std::result::Result<(), String> {
        let request = request.as_object().ok_or("a job definition is an object")?;
        for _ in 0..count {
            self.register_job_definition(request.clone()).map_err(|refused| format!("{refused:?}"))?;
        }
        Ok(())
    }

    pub(super) fn deregister_job_definition(&self, request: Object) -> Result<Value> {
        let reference = request.required("jobDefinition")?;
        let (name, revision) = parts(reference);
        let Some(revision) = revision else {
            invalid!("jobDefinition must be given with its revision: {reference}.");
        };
        self.with(|state, _| {
            let family = state.definitions.get_mut(name);
            let Some(detail) = family.and_then(|family| family.revisions.get_mut(&revision)) else {
                refuse!("Job definition {reference} does not exist");
            };
            detail.insert("status".into(), "INACTIVE".into());
            Ok(json!({}))
        })
    }

    pub(super) fn describe_job_definitions(&self, request: Object) -> Result<Value> {
        let wanted = request.texts("jobDefinitions")?;
        let name = request.text("jobDefinitionName")?;
        let status = request.text("status")?;
        if wanted.len() > 100 {
            invalid!("jobDefinitions can hold at most 100 items.");
        }
        if !wanted.is_empty() && (name.is_some() || status.is_some() || request.contains_key("maxResults")) {
            invalid!("jobDefinitions cannot be combined with other parameters.");
        }
        self.with(|state, _| {
            let mut items = Vec::new();
            for (family, revision, detail) in all(state) {
                let arn = detail.shown("jobDefinitionArn");
                let short = format!("{family}:{revision}");
                let asked = wanted.is_empty() || wanted.iter().any(|want| *want == short || want == arn);
                let named = name.is_none_or(|name| name == family);
                let alive = status.is_none_or(|status| status == detail.shown("status"));
                if asked && named && alive {
                    // Newest first within a name, and a key that a page can go on from.
                    items.push((format!("{family} {:010}", u32::MAX as u64 - revision), json!(detail)));
                }
            }
            items.sort_by(|(a, _), (b, _)| a.cmp(b));
            page(&request, "jobDefinitions", items)
        })
    }
}

fn all(state: &State) -> impl Iterator<Item = (&String, u64, &Object)> {
    state.definitions.iter().flat_map(|(name, family)| {
        family.revisions.iter().map(move |(revision, detail)| (name, *revision, detail))
    })
}

/// The name and the revision, if one is given, of `name`, `name:rev` or an ARN.
fn parts(reference: &str) -> (&str, Option<u64>) {
    let short = if reference.starts_with("arn:") { name_of(reference) } else { reference };
    match short.rsplit_once(':').map(|(name, revision)| (name, revision.parse())) {
        Some((name, Ok(revision))) => (name, Some(revision)),
        _ => (short, None),
    }
}

/// The definition that a submission means: the revision, or the newest active one.
pub(super) fn find_active<'a>(state: &'a State, reference: &str) -> Result<&'a Object> {
    let (name, revision) = parts(reference);
    let family = state.definitions.get(name);
    let active = |detail: &&Object| detail.shown("status") == "ACTIVE";
    let found = family.and_then(|family| match revision {
        Some(revision) => family.revisions.get(&revision).filter(active),
        None => family.revisions.values().rev().find(active),
    });
    match found {
        Some(detail) => Ok(detail),
        // AWS's exact words are not in public text.
        None => refuse!("Job definition {reference} does not exist or is not in ACTIVE status"),
    }
}

#[cfg(test)]
mod tests;
