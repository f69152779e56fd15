//! Line-delimited JSON: a version record, then what differs, what speaks against it, and a summary.
//!
//! Sensitive values are masked; where two of them differ, salted digests say so (D19).

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::surroundings;
use super::terminal::strategy;
use super::value::masked;
use crate::diff::FieldChange;
use crate::execute::{Event, Outcome, Report};
use crate::manifest;
use crate::plan::review::Difference;
use crate::plan::{Action, Change, Plan, Warning};
use crate::resource::{Desired, Observed, Readiness, ResourceId};

/// The version of the stream's records.
pub const SCHEMA: &str = "1.0";

/// The first record of every stream.
pub fn version() -> Value {
    json!({"@level": "info", "type": "version", "batchwright": env!("CARGO_PKG_VERSION"), "schema": SCHEMA})
}

/// What a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What an apply would do.
    Plan,
    /// How AWS differs from the manifests.
    Drift,
}

/// How many calls were made, and how many round trips deep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// All of them.
    pub calls: usize,
    /// The most of which no two overlapped, as the run went: the round trips that wait for each other, and more where answers
    /// come sooner than requests can leave.
    pub depth: usize,
}

/// The records of a plan after the first.
pub fn plan(plan: &Plan, view: View, calls: Option<Calls>) -> Vec<Value> {
    let kind = match view {
        View::Plan => "planned_change",
        View::Drift => "resource_drift",
    };
    let mut records: Vec<Value> =
        plan.changes.iter().map(|change| self::change(plan, change, kind)).collect();
    records.splice(0..0, plan.looked_up.iter().map(surroundings::record));
    records.extend(plan.objections.iter().map(|objection| {
        let level = if objection.only_stops_apply() { "warn" } else { "error" };
        json!({
            "@level": level, "type": "objection", "resource": objection.id, "objector": objection.objector,
            "message": objection.message, "position": objection.position,
        })
    }));
    records.extend(plan.impact.iter().map(|impact| {
        let cut_off = impact.cut_off().count();
        let level = if impact.allowed || cut_off == 0 { "warn" } else { "error" };
        json!({
            "@level": level, "type": "job_impact", "resource": impact.id, "end": impact.end, "jobs": impact.jobs,
            "more": impact.more, "cutOff": cut_off, "allowed": impact.allowed,
        })
    }));
    records.extend(plan.warnings.iter().map(warning));
    records.extend(plan.notes.iter().map(|note| {
        let fields: Vec<Value> = note.ignored.iter().map(|it| field(plan, &note.id, it)).collect();
        json!({
            "@level": "info", "type": "note", "resource": note.id, "message": note.message, "ignored": fields,
        })
    }));
    records.extend(plan.due.iter().map(|due| {
        let mut record = json!({
            "@level": "info", "type": "due", "resource": due.id, "physical": due.physical, "message": due.what,
        });
        if let (Some(fields), Some(change)) = (record.as_object_mut(), &due.change) {
            fields.insert("digest".to_owned(), json!(change.digests.digest));
        }
        record
    }));
    records.push(summary(plan, calls));
    records
}

/// A plan as a file holds it: one record a line.
pub fn document(plan: &Plan) -> String {
    let records = std::iter::once(version()).chain(self::plan(plan, View::Plan, None));
    records.map(|record| record.to_string() + "\n").collect()
}

fn summary(plan: &Plan, calls: Option<Calls>) -> Value {
    let count = |action| plan.count(action);
    let mut record = json!({
        "@level": "info", "type": "change_summary", "environment": plan.environment,
        "account": plan.place.account, "region": plan.place.region,
        "add": count(Action::Create), "change": count(Action::Update), "replace": count(Action::Replace),
        "delete": count(Action::Delete), "adopt": count(Action::Adopt), "forget": count(Action::Forget),
        "unchanged": plan.unchanged, "steps": plan.steps.len(), "objections": plan.objections.len(),
        "warnings": plan.warnings.len(),
        "fingerprint": plan.fingerprint(), "reviewed": plan.reviewed().to_string(),
    });
    if let (Some(fields), Some(calls)) = (record.as_object_mut(), calls) {
        fields.insert("calls".to_owned(), json!(calls.calls));
        fields.insert("depth".to_owned(), json!(calls.depth));
    }
    record
}

fn change(plan: &Plan, change: &Change, kind: &str) -> Value {
    let fields: Vec<Value> = change.fields.iter().map(|field| self::field(plan, &change.id, field)).collect();
    let mut record = json!({
        "@level": "info", "type": kind, "resource": change.id, "action": change.action, "effect": change.effect,
        "strategy": strategy(change),
        "reason": change.reason, "physical": change.physical, "fields": fields, "unchanged": change.unchanged,
        "position": change.position, "digest": change.digests.digest,
    });
    // It comes of nothing but a lookup that finds something else.
    if let (true, Some(fields)) = (plan.is_moved(change), record.as_object_mut()) {
        fields.insert("moved".to_owned(), json!(true));
    }
    record
}

fn field(plan: &Plan, id: &ResourceId, field: &FieldChange) -> Value {
    let (before, after) = masked(&id.kind, field);
    let hidden = before != field.before || after != field.after;
    let mut record = json!({"path": field.path, "before": before, "after": after, "rule": field.rule});
    if let (true, Some(fields)) = (hidden, record.as_object_mut()) {
        fields.insert("sensitive".to_owned(), json!(true));
        // Salted with what stays the same from plan to plan, so that a change can be told and the value cannot.
        let digest = |value: &Value| {
            let text = format!("{}\n{}\n{}\n{value}", plan.owner, id, field.path);
            let hash = Sha256::digest(text.as_bytes());
            hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>()
        };
        fields.insert("beforeDigest".to_owned(), json!(field.before.as_ref().map(digest)));
        fields.insert("afterDigest".to_owned(), json!(field.after.as_ref().map(digest)));
    }
    record
}

/// What happens while a plan is applied.
pub fn event(plan: &Plan, event: &Event) -> Option<Value> {
    let of = |step: usize, kind: &str, level: &str| {
        let step = plan.steps.get(step)?;
        Some(json!({
            "@level": level, "type": kind, "step": step.id, "resource": step.resource, "verb": step.verb,
            "physical": step.physical,
        }))
    };
    let with = |record: Option<Value>, key: &str, value: Value| {
        let mut record = record?;
        record.as_object_mut()?.insert(key.to_owned(), value);
        Some(record)
    };
    match event {
        Event::Started { step } => of(*step, "apply_start", "info"),
        Event::Waiting { step, why } => with(of(*step, "apply_progress", "info"), "message", json!(why)),
        Event::Finished { step } => of(*step, "apply_complete", "info"),
        Event::Postponed { step, why } => with(of(*step, "apply_postponed", "info"), "message", json!(why)),
        Event::Failed { step, failure } => {
            with(of(*step, "apply_errored", "error"), "failure", json!(failure))
        }
    }
}

/// What became of a plan.
pub fn report(plan: &Plan, report: &Report) -> Value {
    let of = |wanted: fn(&Outcome) -> bool| -> Vec<Value> {
        let steps = plan.steps.iter().filter(|step| report.outcomes.get(&step.id).is_some_and(wanted));
        steps.map(|step| json!({"step": step.id, "resource": step.resource, "verb": step.verb})).collect()
    };
    json!({
        "@level": if report.complete() { "info" } else { "error" }, "type": "apply_summary",
        "done": of(|outcome| *outcome == Outcome::Done),
        "failed": of(|outcome| matches!(outcome, Outcome::Failed(_))),
        "blocked": of(|outcome| matches!(outcome, Outcome::Blocked { .. })),
        "postponed": of(|outcome| matches!(outcome, Outcome::Postponed { .. })),
        "unfinished": of(|outcome| matches!(outcome, Outcome::Unfinished { .. })),
        "notStarted": of(|outcome| *outcome == Outcome::NotStarted),
        "interrupted": report.interrupted,
    })
}

/// What an environment's resources are right now: a record for each incarnation, and for each that is missing.
pub fn status(desired: &Desired, observed: &Observed) -> Vec<Value> {
    let ids: BTreeSet<&ResourceId> = desired.resources.keys().chain(observed.resources.keys()).collect();
    let mut records = Vec::new();
    for id in ids {
        let declared = desired.resources.contains_key(id);
        let seen = observed.resources.get(id);
        let mut found = seen.into_iter().flat_map(|seen| seen.iter()).peekable();
        if found.peek().is_none() {
            records.push(json!({
                "@level": "warn", "type": "resource_status", "resource": id, "declared": declared, "physical": null,
            }));
        }
        for live in found {
            let is_current = seen.and_then(|seen| seen.current.as_ref()) == Some(live);
            records.push(json!({
                "@level": if live.readiness == Readiness::Ready { "info" } else { "warn" },
                "type": "resource_status", "resource": id, "declared": declared, "physical": live.physical,
                "arn": live.arn, "owner": live.owner(), "readiness": live.readiness, "revision": live.revision,
                "generation": live.generation(), "current": is_current,
            }));
        }
    }
    records
}

/// What is doubtful, and in nobody's way.
pub fn warning(warning: &Warning) -> Value {
    json!({
        "@level": "warn", "type": "warning", "resource": warning.id, "message": warning.message,
        "position": warning.position,
    })
}

/// In what a plan is not what was reviewed.
pub fn difference(difference: &Difference) -> Value {
    json!({
        "@level": "error", "type": "not_reviewed", "resource": difference.id,
        "message": difference.to_string(),
    })
}

/// How many more errors there are in the manifests, if not all are told.
pub fn more_diagnostics(errors: &manifest::Errors) -> Option<Value> {
    let message = format!("and {} more", errors.1);
    (errors.1 > 0).then(
        || json!({"@level": "error", "type": "more_diagnostics", "message": message, "count": errors.1}),
    )
}

/// The record of a lookup that does not say what is meant.
pub fn unfound(one: &crate::value::existing::Unfound) -> Value {
    json!({
        "@level": "error", "type": "diagnostic", "message": one.message, "label": null,
        "position": one.position, "help": one.help,
    })
}

/// One error in the manifests.
pub fn diagnostic(error: &manifest::ManifestError) -> Value {
    json!({
        "@level": "error", "type": "diagnostic", "message": error.message, "label": error.at.label,
        "position": error.position(), "help": error.help,
    })
}
