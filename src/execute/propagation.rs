//! What was made or changed a moment ago, such as a role: AWS does not see it everywhere yet, and says so in words that it also
//! has for one that is wrong.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;
use tokio::time::Instant;

use crate::plan::{Step, Verb};
use crate::resource::{Document, Incarnation, Observed, ResourceId};
use crate::services::service;

/// What is known of what is young.
#[derive(Debug, Default)]
pub(super) struct Propagation(Mutex<Option<Instant>>);

impl Propagation {
    /// A step is done: something that AWS shows late may have changed with it.
    pub fn note(&self, step: &Step) {
        if propagates(&step.resource) && matches!(step.verb, Verb::Create | Verb::Update) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Whether what a document names may be too young to be seen: changed by this run, or made shortly before it.
    pub fn concerns(&self, want: &Document, observed: &Observed, young: Duration) -> bool {
        let changed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if changed.is_some_and(|at| at.elapsed() < young) {
            return true;
        }
        let roles = observed.resources.iter().filter(|(id, _)| propagates(id));
        let mut named = roles.flat_map(|(_, seen)| seen.iter()).filter(|role| names(want, role));
        named.any(|role| age(role).is_some_and(|age| age < young))
    }
}

fn propagates(id: &ResourceId) -> bool {
    service(id.service()).is_some_and(|service| service.propagates())
}

/// How long ago it was made.
fn age(role: &Incarnation) -> Option<Duration> {
    let made = role.outputs.get("createDate")?.as_str()?;
    let made = SystemTime::try_from(DateTime::from_str(made, Format::DateTime).ok()?).ok()?;
    SystemTime::now().duration_since(made).ok()
}

fn names(value: &Value, role: &Incarnation) -> bool {
    match value {
        Value::String(text) => Some(text.as_str()) == role.arn.as_deref(),
        Value::Array(items) => items.iter().any(|item| names(item, role)),
        Value::Object(fields) => fields.values().any(|value| names(value, role)),
        _ => false,
    }
}
