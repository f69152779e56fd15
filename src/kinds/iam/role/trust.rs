//! Whom a declared role lets in, as far as its trust policy tells.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;

use super::Role;
use crate::kind::{Beside, Clash, Kind};
use crate::value::reference::{self, Reference};

/// Why a service can't act as the role that a field refers to, where that is declared beside it: one of several names of it has
/// to be let in, the first being the one that is told.
pub fn keeps_out(path: &str, text: &str, services: &[&str], beside: &Beside<'_>) -> Option<Clash> {
    let service = services.first()?;
    let Some(Reference::Output { id, .. }) = reference::whole(text) else { return None };
    let role = beside.get(&id).filter(|it| it.id.kind == Role::NAME)?;
    if lets_in(role.field("assumeRolePolicyDocument")?, services) {
        return None;
    }
    let message = format!(
        "{id} does not let {service} in, which is to act as it: name that as a Service among the principals of its assumeRolePolicyDocument"
    );
    Some(Clash::new(path, &id, message))
}

/// Whether a statement lets a service in. What is not known yet, or let in by another word, is not judged.
fn lets_in(trust: &Value, services: &[&str]) -> bool {
    let Some(statements) = trust.get("Statement") else { return true };
    each(statements).any(|statement| {
        let principal = statement.get("Principal").unwrap_or(&Value::Null);
        let of = |kind: &str| principal.get(kind).into_iter().flat_map(each).filter_map(Value::as_str);
        statement.get("Effect").and_then(Value::as_str) == Some("Allow")
            && (principal.is_string()
                || of("AWS").any(|text| text == "*")
                || of("Service").any(|text| services.contains(&text) || text.contains("${")))
    })
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice).iter()
}
