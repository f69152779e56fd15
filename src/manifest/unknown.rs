//! Kinds and fields that do not exist: what was meant, or what to do without one.

use std::collections::BTreeSet;

use super::error::Complaint;
use super::nearest::nearest;
use super::source::Span;
use super::tree::shortened;
use crate::diff::Rules;
use crate::kind::{Facts, Identity, Ownership};
use crate::kinds::KINDS;

/// Says that there is no such kind. `as_written`: what would stand there if it were this one.
pub fn unknown_kind(kind: &str, span: Span, as_written: &dyn Fn(&str) -> String) -> Complaint {
    let complaint = Complaint::new(span, format!("unknown kind `{}`", shortened(kind)));
    if is_referred_to(kind) {
        // Another kind of nearly the same name is another thing.
        return complaint.help(
            "it can't be declared yet: make it outside, and write its name, id or ARN where it is needed",
        );
    }
    let names = || KINDS.iter().map(|kind| kind.facts().name);
    // `JobQueue` alone, or in another service, is more likely than a slip in both parts.
    let last = kind.rsplit('/').next().unwrap_or(kind);
    let bare = names().find(|known| known.ends_with(&format!("/{last}")));
    match bare.or_else(|| nearest(kind, names())) {
        Some(near) => complaint.help(format!("did you mean `{}`?", as_written(near))),
        None => complaint.help(format!("there are: {}", names().collect::<Vec<_>>().join(", "))),
    }
}

/// Whether a field of some kind takes references to this one, also where it is no kind itself.
fn is_referred_to(kind: &str) -> bool {
    let mut found = BTreeSet::new();
    KINDS.iter().for_each(|kind| targets(&kind.facts().rules, &mut found));
    found.contains(kind)
}

fn targets<'r>(rules: &'r Rules, into: &mut BTreeSet<&'r str>) {
    into.extend(rules.refers.iter().filter_map(|target| target.split('.').next()));
    let inside = [rules.items.as_deref(), rules.values.as_deref()];
    inside.into_iter().flatten().chain(rules.fields.values()).for_each(|rules| targets(rules, into));
}

/// Where a kind says what stands in every spec that is pasted from AWS: its tags and its name.
pub fn said_elsewhere(facts: &Facts, field: &str) -> Option<&'static str> {
    let is_ours = matches!(facts.ownership, Ownership::Tagged | Ownership::TagAfterCreate);
    if field.eq_ignore_ascii_case("tags") {
        return Some(match is_ours {
            true => "metadata.tags",
            false => "this kind has none, since it is the account's and not this environment's",
        });
    }
    let kind = facts.name.rsplit('/').next().unwrap_or(facts.name);
    let is_name = field.eq_ignore_ascii_case(&format!("{kind}Name"));
    (is_ours && is_name && facts.identity != Identity::Assigned).then_some("metadata.physicalName")
}
