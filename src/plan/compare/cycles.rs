//! Resources that wait for each other: each is made without what names the others, and told the rest afterwards (D17).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::diff::{self, Absent, Compare, Rules, Stands};
use crate::kind::AnyKind;
use crate::plan::compare::decision::{Decision, Decisions, First, Operation};
use crate::plan::compare::resolve::Resolver;
use crate::plan::scope::order::Edges;
use crate::plan::scope::{Scope, order};
use crate::resource::{Document, ResourceId};
use crate::value::policy;
use crate::value::reference::{self, Reference};

/// Splits what is in a cycle into two moves, and says what comes before what.
pub fn split(decisions: &mut Decisions, resolver: &Resolver<'_>, scope: &Scope<'_>) -> Edges {
    let links = &scope.links;
    let changed: BTreeSet<ResourceId> = decisions.iter().map(|decision| decision.change.id.clone()).collect();
    let renewed = |id: &ResourceId| resolver.renewed.outputs.contains_key(id);
    let mut before = Edges::new();
    let mut weak = Edges::new();
    for id in &changed {
        let needs = links.needs.get(id).into_iter().flatten().filter(|need| changed.contains(*need));
        let names = links.weak.get(id).into_iter().flatten();
        let names = names.filter(|name| changed.contains(*name) && renewed(name));
        weak.insert(id.clone(), names.cloned().collect());
        before.insert(id.clone(), needs.cloned().collect());
    }
    let mut all = before.clone();
    for (id, names) in &weak {
        all.entry(id.clone()).or_default().extend(names.iter().cloned());
    }
    let component = order::components(&all);
    let mut cut: BTreeMap<ResourceId, BTreeSet<ResourceId>> = BTreeMap::new();
    for (id, names) in weak {
        let (within, ahead): (BTreeSet<_>, BTreeSet<_>) =
            names.into_iter().partition(|name| component.get(name) == component.get(&id));
        before.entry(id.clone()).or_default().extend(ahead);
        if !within.is_empty() {
            cut.insert(id, within);
        }
    }
    for decision in decisions.iter_mut() {
        if let Some(without) = cut.remove(&decision.change.id)
            && let Some(kind) = scope.kinds.of(&decision.change.id.kind)
        {
            decision.first = first(decision, kind, without, resolver);
        }
    }
    before
}

/// What a resource is at first: of what is made, all but what names these; of what exists, what it is now where it is to
/// name them.
fn first(
    decision: &Decision,
    kind: &dyn AnyKind,
    without: BTreeSet<ResourceId>,
    resolver: &Resolver<'_>,
) -> Option<First> {
    let declared = resolver.desired.resources.get(&decision.change.id)?;
    let rules = &kind.facts().rules;
    let arns: BTreeSet<&str> = without.iter().flat_map(|id| resolver.arns(id)).collect();
    let names = |text: &str| arns.contains(text) || refers(text, &without);
    let whole = resolver.resolve_without(&declared.spec, &without);
    let stripped = stripped(&whole, rules, &names).unwrap_or_default();
    let want = match decision.operation {
        Operation::Create { .. } | Operation::Replace { .. } => {
            // What names them elsewhere, and is known beforehand, need not wait.
            Some(kind.normal(&resolver.resolve(&stripped), &resolver.desired.place).ok()?)
        }
        Operation::Update { tags_only: false } => {
            let live = &resolver.observed.resources.get(&declared.id)?.current.as_ref()?.spec;
            let kept = kept(live, &decision.want, (&whole, &stripped));
            let differs = !diff::walk(live, &kept, rules, &decision.ignore).is_empty();
            differs.then_some(kept)
        }
        Operation::Update { tags_only: true } | Operation::Register | Operation::Trim => return None,
    };
    Some(First { want, without })
}

/// Whether a text refers to one of these.
fn refers(text: &str, targets: &BTreeSet<ResourceId>) -> bool {
    reference::references(text)
        .iter()
        .any(|found| matches!(found, Reference::Output { id, .. } if targets.contains(id)))
}

/// What is wanted, with the live value of each field of which something was stripped.
fn kept(live: &Document, want: &Document, (whole, stripped): (&Value, &Value)) -> Document {
    let mut kept = want.clone();
    for (field, value) in whole.as_object().into_iter().flatten() {
        if stripped.get(field) != Some(value)
            && let Some(fields) = kept.as_object_mut()
        {
            match live.get(field) {
                Some(live) => drop(fields.insert(field.clone(), live.clone())),
                None => drop(fields.remove(field)),
            }
        }
    }
    kept
}

/// A document without what names some others, in the fields that can do without: items of lists and fields of what is filled in
/// afterwards, and principals of policies. `None`: nothing is left of it.
fn stripped(value: &Value, rules: &Rules, names: &dyn Fn(&str) -> bool) -> Option<Value> {
    without_names(value, rules, names, true)
}

/// The same of what goes: policies keep nothing in AWS that they name.
pub fn released(value: &Value, rules: &Rules, names: &dyn Fn(&str) -> bool) -> Value {
    without_names(value, rules, names, false).unwrap_or_default()
}

fn without_names(
    value: &Value,
    rules: &Rules,
    names: &dyn Fn(&str) -> bool,
    principals: bool,
) -> Option<Value> {
    if rules.compare == Compare::Policy {
        let mut any = false;
        policy::each(value, &mut |principal, text| any |= principals && principal && names(text));
        return match (any, policy::without_principals(value, names)) {
            (false, _) => Some(value.clone()),
            (true, Some(less)) => Some(less),
            (true, None) if rules.absent == Absent::Empty => None,
            (true, None) => Some(policy::nobody(value)),
        };
    }
    if rules.deferrable {
        return without(value, names);
    }
    match value {
        Value::Array(items) => {
            let Some(rules) = rules.items.as_deref() else { return Some(value.clone()) };
            let without = |item| without_names(item, rules, names, principals);
            Some(items.iter().filter_map(without).collect())
        }
        Value::Object(fields) => {
            let inner = |key: &String| rules.fields.get(key).or(rules.values.as_deref());
            let fields = fields.iter().filter_map(|(key, value)| {
                let value = match inner(key) {
                    Some(rules) => without_names(value, rules, names, principals)?,
                    None => value.clone(),
                };
                Some((key.clone(), value))
            });
            Some(fields.collect())
        }
        _ => Some(value.clone()),
    }
}

/// The value without the items that name some others; nothing, if it names them itself.
fn without(value: &Value, names: &dyn Fn(&str) -> bool) -> Option<Value> {
    match value {
        Value::String(text) => (!names(text)).then(|| value.clone()),
        Value::Array(items) => Some(items.iter().filter(|item| !any(item, names)).cloned().collect()),
        Value::Object(fields) => {
            let fields = fields.iter().filter_map(|(key, value)| Some((key.clone(), without(value, names)?)));
            Some(fields.collect())
        }
        _ => Some(value.clone()),
    }
}

fn any(value: &Value, names: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    diff::texts(value, None, Stands::Alone, &mut |_, text| found |= names(text));
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds;

    fn left(kind: &str, spec: &Value, gone: &str) -> Value {
        let rules = &kinds::kind(kind).unwrap().facts().rules;
        stripped(spec, rules, &|text| text == gone).unwrap()
    }

    #[test]
    fn a_rule_that_names_what_is_not_there_is_left_out() {
        let rule = |group: &str| json!({"ipProtocol": "-1", "sourceSecurityGroupId": group});
        let spec = json!({"groupDescription": "a", "securityGroupIngress": [rule("a"), rule("b")]});
        let less = json!({"groupDescription": "a", "securityGroupIngress": [rule("b")]});
        assert_eq!(left("ec2/SecurityGroup", &spec, "a"), less);
    }

    #[test]
    fn a_trust_policy_lets_nobody_in_until_there_is_somebody() {
        let trust = |principal: Value| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]});
        let spec = json!({"assumeRolePolicyDocument": trust(json!({"AWS": ["a", "b"]}))});
        assert_eq!(
            left("iam/Role", &spec, "a"),
            json!({"assumeRolePolicyDocument": trust(json!({"AWS": ["b"]}))})
        );
        let alone = json!({"assumeRolePolicyDocument": trust(json!({"AWS": "a"}))});
        let closed = left("iam/Role", &alone, "a");
        assert_eq!(closed["assumeRolePolicyDocument"]["Statement"][0]["Effect"], "Deny", "{closed}");
        let bucket = json!({"policy": trust(json!({"AWS": "a"}))});
        assert_eq!(left("s3/Bucket", &bucket, "a"), json!({}));
    }
}
