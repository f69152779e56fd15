//! What a policy says of roles: which may be passed on, which policies may be attached to them, and the boundary that each of
//! them has to carry. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{access, gate};
use crate::kind::Access;
use crate::kinds;
use crate::resource::{Declared, Desired, Document, ResourceId};
use crate::value::reference::{self, Reference};

/// Writes to a role that AWS ties to the boundary which it carries or is to carry: the condition key `iam:PermissionsBoundary` of
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>.
const BOUNDED: &[&str] = &[
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
];
/// Takes a boundary off: not allowed where one is demanded.
const UNBOUND: &str = "iam:DeleteRolePermissionsBoundary";

/// The condition of an action, and that the role carries one of these boundaries; nothing, if it would take one off.
pub(super) fn bounded(action: &str, mut when: Value, boundaries: &BTreeSet<String>) -> Option<Value> {
    if boundaries.is_empty() {
        return Some(when);
    }
    if BOUNDED.contains(&action) {
        let equal = when.as_object_mut()?.entry("StringEquals").or_insert_with(|| json!({}));
        equal.as_object_mut()?.insert("iam:PermissionsBoundary".to_owned(), json!(boundaries));
    }
    (action != UNBOUND).then_some(when)
}

/// The boundaries of the roles that a workflow may write; none, unless each of them has one.
pub(super) fn boundaries(desired: &Desired) -> BTreeSet<String> {
    let of = |role: &Declared| arn_of(&boundary(&role.id, &role.spec)?, desired);
    let all: Option<BTreeSet<String>> = writable(desired).map(of).collect();
    all.unwrap_or_default()
}

/// The policy that bounds what an actor may, as it is written.
pub(super) fn boundary(id: &ResourceId, spec: &Document) -> Option<String> {
    kinds::kind(&id.kind).filter(|kind| kind.facts().access == Access::Actor)?.boundary(spec)
}

/// The declared policies that are a role's boundary.
pub(super) fn declared_boundaries(desired: &Desired) -> impl Iterator<Item = ResourceId> {
    desired.resources.values().filter_map(|role| match reference::whole(&boundary(&role.id, &role.spec)?)? {
        Reference::Output { id, .. } => Some(id),
        Reference::Image(_) | Reference::Existing { .. } | Reference::Zone(_) => None,
    })
}

/// The managed policies that may be attached to a role: the environment's own, by its prefix, and those that a role which a
/// workflow may write is declared with.
pub(super) fn attachable(desired: &Desired) -> BTreeSet<String> {
    let lists = writable(desired).filter_map(|role| Some(kinds::kind(&role.id.kind)?.attached(&role.spec)));
    let attached = lists.flatten().filter_map(|arn| arn_of(&arn, desired));
    let own = desired.resources.values().filter(|it| access(&it.id) == Access::Policy);
    let own = own.filter_map(|it| predicted(&it.id, desired));
    attached.chain(own).map(|arn| by_prefix(arn, desired)).collect()
}

/// The roles that a spec names. Of an instance profile that is declared, the roles in it; of another one, the role of the same
/// name: those that AWS's console makes are called so.
pub(super) fn named(spec: &Document, desired: &Desired) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each(spec, "", &mut |key, text| {
        let ends = ["Role", "RoleArn", "InstanceProfileArn", "PermissionArn"];
        if !ends.iter().any(|end| key.ends_with(end)) && key != "roles" {
            return;
        }
        if let Some(profile) = declared_profile(text, desired) {
            found.extend(named(&profile.spec, desired));
            return;
        }
        let arn = match (text.split_once(":instance-profile/"), text.starts_with("arn:")) {
            (Some((_, name)), _) => Some(desired.place.iam_arn(&format!("role/{name}"))),
            (None, true) => Some(text.to_owned()),
            (None, false) if text.contains("${") => arn_of(text, desired),
            (None, false) => Some(desired.place.iam_arn(&format!("role/{text}"))),
        };
        found.extend(arn.map(|arn| by_prefix(arn, desired)));
    });
    found
}

/// The instance profile that a text refers to or names, where it is declared: it has no policies, but roles.
fn declared_profile<'d>(text: &str, desired: &'d Desired) -> Option<&'d Declared> {
    let arn = arn_of(text, desired).filter(|arn| arn.contains(":instance-profile/"))?;
    desired.resources.values().find(|it| predicted(&it.id, desired).as_ref() == Some(&arn))
}

/// Roles that a workflow may write: all but those that let it in.
fn writable(desired: &Desired) -> impl Iterator<Item = &Declared> {
    let gate = gate(desired);
    desired.resources.values().filter(move |it| access(&it.id) == Access::Actor && !gate.contains(&it.id))
}

/// The ARN that a text is, or refers to.
fn arn_of(text: &str, desired: &Desired) -> Option<String> {
    match reference::whole(text) {
        Some(Reference::Output { id, .. }) => predicted(&id, desired),
        Some(Reference::Image(_) | Reference::Existing { .. } | Reference::Zone(_)) => None,
        None => Some(text.to_owned()).filter(|text| text.starts_with("arn:")),
    }
}

fn predicted(id: &ResourceId, desired: &Desired) -> Option<String> {
    let declared = desired.resources.get(id)?;
    kinds::kind(&id.kind)?.predict(&declared.physical_name, &declared.spec, &desired.place).remove("arn")
}

/// All of the environment's own in the same path, where it is one of them.
fn by_prefix(arn: String, desired: &Desired) -> String {
    let prefix = desired.name_prefix.as_str();
    match arn.rsplit_once('/') {
        Some((path, name)) if !prefix.is_empty() && name.starts_with(prefix) => format!("{path}/{prefix}*"),
        _ => arn,
    }
}

/// Each text that is a field's value, or in its list.
fn each(value: &Value, key: &str, found: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => found(key, text),
        Value::Array(items) => items.iter().for_each(|item| each(item, key, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| each(value, key, found)),
        _ => {}
    }
}
