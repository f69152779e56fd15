//! How a run ended: every document and tag that is owned, and a raw look at the account, without ids.

use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::kind::Identity;
use batchwright::kinds::kind;
use batchwright::plan::Guard;
use batchwright::resource::{Desired, Observed};
use batchwright::sandbox::Sandbox;
use serde_json::{Value, json};

use crate::inventory::inventory;
use crate::world::{changes, planned};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    documents: Vec<String>,
    account: Vec<String>,
    /// What a further apply would do: nothing.
    left_to_do: Vec<String>,
}

impl Ending {
    pub async fn of(sandbox: &Sandbox, desired: &Desired, guard: &Guard) -> Result<Self, String> {
        let aws = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
        let scope = Scope::of(desired);
        let (observed, account) = futures::join!(aws.observe(&scope), inventory(sandbox));
        let observed = observed.map_err(|error| format!("look at the ending: {error}"))?;
        let plan = planned(desired, &observed, guard);
        let mut left_to_do = changes(&plan);
        left_to_do.extend(plan.steps.iter().map(|step| format!("{:?} {}", step.verb, step.resource)));
        Ok(Self { documents: documents(&observed), account, left_to_do })
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.left_to_do.is_empty()
    }

    /// What is here and not there, and the other way round.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let all = |ending: &Self| [&ending.documents[..], &ending.account, &ending.left_to_do].concat();
        let (mine, theirs) = (all(self), all(other));
        let mut found = minus(&mine, &theirs, '+');
        found.extend(minus(&theirs, &mine, '-'));
        found
    }
}

/// The lines of one list that the other lacks, each as often as it lacks it.
fn minus(these: &[String], those: &[String], sign: char) -> Vec<String> {
    let mut rest = those.to_vec();
    let mut found = Vec::new();
    for line in these {
        match rest.iter().position(|other| other == line) {
            Some(at) => drop(rest.swap_remove(at)),
            None => found.push(format!("{sign} {line}")),
        }
    }
    found
}

/// Everything that is owned or bears a declared name, one line each; ids are replaced by our names.
fn documents(observed: &Observed) -> Vec<String> {
    let mut ids = Vec::new();
    for (id, seen) in &observed.resources {
        if kind(&id.kind).is_some_and(|kind| kind.facts().identity == Identity::Assigned) {
            ids.extend(seen.iter().map(|it| (it.physical.clone(), format!("<{id}>"))));
        }
    }
    let mut lines = Vec::new();
    for (id, seen) in &observed.resources {
        for one in seen.iter() {
            let document = json!({
                "physical": one.physical, "spec": one.spec, "tags": one.tags,
                "readiness": one.readiness, "revision": one.revision,
            });
            let mut text = document.to_string();
            for (assigned, name) in &ids {
                text = text.replace(assigned.as_str(), name);
            }
            let mut document: Value = serde_json::from_str(&text).expect("ids are plain text");
            sort(&mut document);
            lines.push(format!("{id} {document}"));
        }
    }
    lines
}

/// The order of texts in a list depends on ids and on which call came first: what it means, the plan tells.
fn sort(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(sort);
            if items.iter().all(Value::is_string) {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(sort),
        _ => {}
    }
}
