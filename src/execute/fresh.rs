//! Roles that were made or changed a moment ago: AWS does not see them everywhere yet, and says so in words that it also
//! has for roles that are wrong.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::Value;
use tokio::time::Instant;

use crate::plan::{Step, Verb};
use crate::resource::{Document, Incarnation, Observed};

/// What is known of young roles.
#[derive(Debug, Default)]
pub(super) struct Fresh(Mutex<Option<Instant>>);

impl Fresh {
    /// A step is done: a role may have changed with it.
    pub fn note(&self, step: &Step) {
        if step.resource.service() == "iam" && matches!(step.verb, Verb::Create | Verb::Update) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Whether what a document names may be too young to be seen: changed by this run, or made shortly before it.
    pub fn concerns(&self, want: &Document, observed: &Observed, young: Duration) -> bool {
        let changed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if changed.is_some_and(|at| at.elapsed() < young) {
            return true;
        }
        let roles = observed.resources.iter().filter(|(id, _)| id.service() == "iam");
        let mut named = roles.flat_map(|(_, seen)| seen.iter()).filter(|role| names(want, role));
        named.any(|role| age(role).is_some_and(|age| age < young))
    }
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
