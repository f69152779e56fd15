//! What an environment needs to be allowed, as an IAM policy document: added up from what stands beside each kind. Pure.
//!
//! Names that begin with the environment's prefix are allowed by that prefix, others by themselves. Every kind may be read and
//! deleted under that prefix, or by the owner tag, also where nothing of it is declared: so the last of a kind can go.
//! What is said of roles stands in [`roles`].

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::kind::{Access, Facts, Given, Grant, On, When};
use crate::kinds;
use crate::resource::{Declared, Desired, Document, Incarnation, OWNER_TAG, Observed, ResourceId, Source};
use crate::value::existing;
use crate::value::reference::{self, Reference};

mod roles;
mod split;

pub use split::{MANAGED, ROLE, size, split};

/// Who needs the permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// Who plans and looks for drift: reads.
    Plan,
    /// Who applies: reads and writes.
    Apply,
    /// Who pushes images.
    Push,
    /// Who submits jobs and follows them.
    Submit,
}

/// What every plan reads, whatever is declared (docs/architecture.md, "What a plan reads").
const ALWAYS: &[Grant] = &[Grant::any(&[
    "batch:DescribeComputeEnvironments",
    "batch:DescribeJobQueues",
    "cloudtrail:LookupEvents",
    "iam:GetAccountAuthorizationDetails",
    "tag:GetResources",
])];

const LOG_IN: &[Grant] = &[Grant::any(&["ecr:GetAuthorizationToken"])];

const PUSH: &[Grant] = &[Grant::on(
    &[
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
    ],
    &[On::Regional("ecr", "repository/{name}")],
)];

const FOLLOW: &[Grant] = &[Grant::any(&[
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
])];

/// What a statement is about: whether it writes, its condition, its resources.
type About = (bool, Option<String>, BTreeSet<String>);

/// The actions of each statement.
#[derive(Default)]
struct Statements(BTreeMap<About, BTreeSet<&'static str>>);

/// Whether actions only look. Those that write stand in statements of their own, for whoever reads the policy.
const READS: bool = false;
const WRITES: bool = true;

/// The policy document.
pub fn document(desired: &Desired, purpose: For) -> Value {
    let mut statements = Statements::default();
    if purpose == For::Push {
        statements.add(READS, LOG_IN, desired, None);
        // One repository each, whatever else begins with the environment's prefix.
        let exact = Desired { name_prefix: String::new(), ..desired.clone() };
        for image in desired.images.values() {
            statements.add(WRITES, PUSH, &exact, desired.resources.get(&image.repository));
        }
        return statements.document(Vec::new());
    }
    if purpose == For::Submit {
        statements.add(READS, FOLLOW, desired, None);
        for declared in desired.resources.values() {
            let Some(kind) = kinds::kind(&declared.id.kind) else { continue };
            statements.add(WRITES, kind.facts().submit, desired, Some(declared));
        }
        return statements.document(Vec::new());
    }
    statements.add(READS, ALWAYS, desired, None);
    statements.looked_up(desired);
    statements.no_longer_declared(desired, purpose);
    for declared in desired.resources.values() {
        let Some(kind) = kinds::kind(&declared.id.kind) else { continue };
        let grants = &kind.facts().grants;
        statements.add(READS, grants.read, desired, Some(declared));
        if purpose == For::Apply {
            statements.add(WRITES, grants.write, desired, Some(declared));
        }
    }
    statements.document(if purpose == For::Apply { denied(desired) } else { Vec::new() })
}

impl Statements {
    /// What is not ours is read under its own name, or all of its kind where none is said.
    fn looked_up(&mut self, desired: &Desired) {
        let place = &desired.place;
        let mut read = |action: &'static str, on: String| {
            self.0.entry((READS, None, BTreeSet::from([on]))).or_default().insert(action);
        };
        if existing::are_zones_named(desired) {
            read("ec2:DescribeAvailabilityZones", "*".to_owned());
        }
        for lookup in desired.existing.values() {
            if let Source::Parameter(name) = &lookup.source {
                // Public parameters belong to no account.
                let account = if name.starts_with("/aws/") { "" } else { &place.account };
                let name = name.trim_start_matches('/');
                read(
                    "ssm:GetParameters",
                    format!("arn:{}:ssm:{}:{account}:parameter/{name}", place.partition, place.region),
                );
            }
        }
        for lookup in desired.existing.values() {
            let Some(kind) = lookup.kind().and_then(kinds::kind) else { continue };
            let names: BTreeSet<&str> = lookup.names().collect();
            let names = if names.is_empty() { BTreeSet::from(["*"]) } else { names };
            // An ARN's last part is the name.
            let last = |name: &'_ str| -> String {
                let of_arn = name.starts_with("arn:").then(|| name.rsplit(['/', ':']).next()).flatten();
                of_arn.unwrap_or(name).to_owned()
            };
            let names = names.into_iter().map(last);
            for name in names {
                let looked_for = Declared::named(ResourceId::new(kind.facts().name, name.as_str()), name);
                self.add(READS, kind.facts().grants.read, desired, Some(&looked_for));
            }
        }
    }

    /// Every kind is read, and may be deleted: what is no longer declared has to be seen, and to go.
    fn no_longer_declared(&mut self, desired: &Desired, purpose: For) {
        for facts in kinds::KINDS.iter().map(|kind| kind.facts()) {
            self.add(READS, facts.grants.read, desired, None);
            if purpose == For::Apply {
                self.add_some(WRITES, facts.grants.write, desired, None, &|action| removes(facts, action));
            }
        }
    }

    fn add(&mut self, writes: bool, grants: &[Grant], desired: &Desired, declared: Option<&Declared>) {
        self.add_some(writes, grants, desired, declared, &|_| true);
    }

    /// Those of the actions that are asked for.
    fn add_some(
        &mut self,
        writes: bool,
        grants: &[Grant],
        desired: &Desired,
        declared: Option<&Declared>,
        asked: &dyn Fn(&str) -> bool,
    ) {
        let boundaries = roles::boundaries(desired);
        let needed = |grant: &&Grant| match (grant.given, declared) {
            (Some(given), Some(declared)) => is_given(given, &declared.spec),
            (None, _) | (_, None) => true,
        };
        for grant in grants.iter().filter(needed) {
            let on: BTreeSet<String> = grant.on.iter().flat_map(|on| arns(*on, desired, declared)).collect();
            let of = grant.actions.first().and_then(|action| action.split(':').next()).unwrap_or_default();
            let when = grant.when.map_or(Some(json!({})), |when| condition(when, of, desired));
            let Some(when) = when else { continue };
            for action in grant.actions.iter().filter(|action| !on.is_empty() && asked(action)) {
                if let Some(when) = roles::bounded(action, when.clone(), &boundaries) {
                    let when = Some(when.to_string()).filter(|when| when != "{}");
                    self.0.entry((writes, when, on.clone())).or_default().insert(action);
                }
            }
        }
    }

    /// Resources with the same actions under the same condition come together.
    fn document(self, last: Vec<Value>) -> Value {
        type Same = (bool, Option<String>, BTreeSet<&'static str>);
        let mut merged: BTreeMap<Same, BTreeSet<String>> = BTreeMap::new();
        for ((writes, when, on), actions) in self.0 {
            merged.entry((writes, when, actions)).or_default().extend(on);
        }
        let mut statements: Vec<Value> = merged
            .into_iter()
            .map(|((_, when, actions), on)| {
                let on = shortest(on);
                let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": on });
                let when = when.and_then(|when| serde_json::from_str::<Value>(&when).ok());
                if let (Some(when), Some(statement)) = (when, statement.as_object_mut()) {
                    statement.insert("Condition".to_owned(), when);
                }
                statement
            })
            .collect();
        statements.extend(last);
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

/// Whether an action removes a resource of a kind or switches it off: as its verb says, or as the kind does.
pub fn removes(facts: &Facts, action: &str) -> bool {
    const VERBS: &[&str] =
        &["Abort", "Delete", "Deregister", "Detach", "Disassociate", "Remove", "Retire", "Revoke"];
    let verb = action.split_once(':').map_or(action, |(_, verb)| verb);
    VERBS.iter().any(|it| verb.starts_with(it)) || facts.removed_by.contains(&action)
}

/// Without what another pattern covers already.
fn shortest(patterns: BTreeSet<String>) -> BTreeSet<String> {
    let covered = |pattern: &String| {
        patterns.iter().any(|other| {
            other != pattern && other.strip_suffix('*').is_some_and(|prefix| pattern.starts_with(prefix))
        })
    };
    patterns.iter().filter(|pattern| !covered(pattern)).cloned().collect()
}

fn arns(on: On, desired: &Desired, declared: Option<&Declared>) -> Vec<String> {
    if on == On::NamedRoles {
        return declared.map(|it| roles::named(&it.spec, desired)).into_iter().flatten().collect();
    }
    let Some((prefix, rest)) = on.pattern(&desired.place) else { return vec!["*".to_owned()] };
    filled(rest, desired, declared).map(|filled| prefix + &filled).into_iter().collect()
}

/// A pattern with what is declared in it, or with all names of the environment; nothing, if it says nothing of that.
fn filled(pattern: &str, desired: &Desired, declared: Option<&Declared>) -> Option<String> {
    let mut text = pattern.to_owned();
    if text.contains("{name}") {
        let prefix = desired.name_prefix.as_str();
        let name = match declared.map(|it| &it.physical_name) {
            Some(name) if prefix.is_empty() || !name.starts_with(prefix) => name.clone(),
            None if prefix.is_empty() => return None,
            _ => format!("{prefix}*"),
        };
        text = text.replace("{name}", &name).replace("**", "*");
    }
    if let Some((before, rest)) = text.clone().split_once("{spec.") {
        let (path, after) = rest.split_once('}')?;
        let value = path.split('.').try_fold(&declared?.spec, |value, field| value.get(field))?.as_str()?;
        let value =
            value.rsplit_once('/').filter(|_| value.starts_with("arn:")).map_or(value, |(_, last)| last);
        text = format!("{before}{value}{after}");
    }
    Some(text)
}

/// Whether a spec says what a grant is for. What is empty is not there.
fn is_given(given: Given, spec: &Value) -> bool {
    match given {
        Given::Has(fields) => fields.iter().any(|field| has(spec, field)),
        Given::Lacks(field) => !has(&without_linked(spec), field),
    }
}

/// Without the roles that services make for themselves: a normal form names them where a manifest names none.
fn without_linked(spec: &Value) -> Value {
    let is_linked =
        |value: &Value| value.as_str().is_some_and(|text| text.contains(":role/aws-service-role/"));
    match spec {
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(_, value)| !is_linked(value));
            fields.map(|(name, value)| (name.clone(), without_linked(value))).collect()
        }
        other => other.clone(),
    }
}

fn has(value: &Value, field: &str) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    match value {
        Value::Array(items) => items.iter().any(|item| has(item, field)),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| (key == field && !is_empty(value)) || has(value, field))
        }
        _ => false,
    }
}

/// A condition on actions of a service; nothing, where it can't be met.
fn condition(when: When, of: &str, desired: &Desired) -> Option<Value> {
    let owner = desired.owner.to_string();
    Some(match when {
        When::Owned => json!({ "StringEquals": { (format!("aws:ResourceTag/{OWNER_TAG}")): owner } }),
        When::OwnerWritten => json!({ "StringEquals": { (format!("aws:RequestTag/{OWNER_TAG}")): owner } }),
        When::TaggedBy(calls) => json!({ "StringEquals": { (format!("{of}:CreateAction")): calls } }),
        When::PassedTo(services) => json!({ "StringEquals": { "iam:PassedToService": services } }),
        When::LinkedTo(service) => json!({ "StringEquals": { "iam:AWSServiceName": service } }),
        When::Via(service) => {
            let place = &desired.place;
            let callers = BTreeSet::from([place.dns_suffix(), "amazonaws.com"])
                .into_iter()
                .map(|suffix| format!("{service}.{}.{suffix}", place.region));
            json!({ "StringEquals": { "kms:ViaService": callers.collect::<Vec<_>>() } })
        }
        When::DeclaredPolicy => {
            let policies = roles::attachable(desired);
            let any = !policies.is_empty();
            any.then(|| json!({ "ArnLike": { "iam:PolicyARN": policies } }))?
        }
    })
}

/// What the kind of a resource has to do with who may do what.
fn access(id: &ResourceId) -> Access {
    kinds::kind(&id.kind).map_or(Access::None, |kind| kind.facts().access)
}

fn lets_in(id: &ResourceId, spec: &Document) -> bool {
    access(id) == Access::Actor && kinds::kind(&id.kind).is_some_and(|kind| kind.lets_in(spec))
}

/// The same of what AWS has, whatever the manifests say now: what is no longer declared guards itself still.
pub fn live_gate(observed: &Observed) -> BTreeSet<ResourceId> {
    let currents = || observed.resources.iter().flat_map(|(id, it)| it.iter().map(move |live| (id, live)));
    let mut found = BTreeSet::new();
    for (id, role) in currents().filter(|(id, live)| lets_in(id, &live.spec)) {
        found.insert(id.clone());
        let text = role.spec.to_string();
        let named =
            |live: &Incarnation| live.arn.as_ref().is_some_and(|arn| text.contains(&format!("{arn:?}")));
        let part = |(id, live): &(&ResourceId, &Incarnation)| {
            matches!(access(id), Access::Policy | Access::Provider) && named(live)
        };
        found.extend(currents().filter(part).map(|(id, _)| id.clone()));
    }
    let bounds = currents().filter_map(|(id, live)| roles::boundary(id, &live.spec));
    let bounds: BTreeSet<String> = bounds.collect();
    let is_bound = |live: &Incarnation| live.arn.as_ref().is_some_and(|arn| bounds.contains(arn));
    found.extend(currents().filter(|(_, live)| is_bound(live)).map(|(id, _)| id.clone()));
    found
}

/// Resources of the environment that say who may act from GitHub, and the boundaries of what its roles may: changed by people,
/// never by a workflow (D36).
pub fn gate(desired: &Desired) -> BTreeSet<ResourceId> {
    let mut found: BTreeSet<ResourceId> = roles::declared_boundaries(desired).collect();
    for role in desired.resources.values().filter(|it| lets_in(&it.id, &it.spec)) {
        found.insert(role.id.clone());
        reference::each(&role.spec, "", &mut |_, of| {
            if let Reference::Output { id, .. } = of
                && matches!(access(&id), Access::Policy | Access::Provider)
            {
                found.insert(id);
            }
        });
    }
    found
}

/// Whoever applies may not open the gate wider that it came in through.
fn denied(desired: &Desired) -> Vec<Value> {
    let gate = gate(desired);
    let mut statements = Statements::default();
    for declared in gate.iter().filter_map(|id| desired.resources.get(id)) {
        let Some(kind) = kinds::kind(&declared.id.kind) else { continue };
        for grant in kind.facts().grants.write {
            // What names nothing of it is no part of the gate: other roles' instance profiles, for example.
            let on = grant.on.iter().filter_map(|on| match on {
                On::Iam(rest) if rest.contains("{name}") => {
                    Some(desired.place.iam_arn(&rest.replace("{name}", &declared.physical_name)))
                }
                _ => None,
            });
            let on: BTreeSet<String> = on.collect();
            if !on.is_empty() {
                statements.0.entry((WRITES, None, on)).or_default().extend(grant.actions);
            }
        }
    }
    // A boundary that is declared elsewhere.
    for boundary in roles::boundaries(desired) {
        let policies = kinds::KINDS.iter().map(|kind| kind.facts()).filter(|it| it.access == Access::Policy);
        let on = BTreeSet::from([boundary]);
        let actions = policies.flat_map(|facts| facts.grants.write).flat_map(|grant| grant.actions);
        statements.0.entry((WRITES, None, on)).or_default().extend(actions);
    }
    let Value::Object(mut document) = statements.document(Vec::new()) else { return Vec::new() };
    let Some(Value::Array(mut statements)) = document.remove("Statement") else { return Vec::new() };
    for statement in &mut statements {
        if let Some(fields) = statement.as_object_mut() {
            fields.insert("Effect".to_owned(), "Deny".into());
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_begins_like_it() {
        let of = |patterns: &[&str]| shortest(patterns.iter().map(|it| (*it).to_owned()).collect());
        assert_eq!(of(&["a:x-*", "a:x-1", "a:x-*:y", "a:z"]), BTreeSet::from(["a:x-*".into(), "a:z".into()]));
        assert_eq!(of(&["*", "a:x"]), BTreeSet::from(["*".to_owned()]));
    }
}
