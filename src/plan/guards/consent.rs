//! What goes only if somebody says so: what is protected, what holds data or work, and more deletes than a limit (D22).

use std::collections::BTreeMap;

use crate::kind::{Effect, Order, Work};
use crate::plan::guards::input::Input;
use crate::plan::model::{Action, Change, Objection, Objector};
use crate::plan::scope::Scope;
use crate::resource::{Desired, Incarnation, Incarnations, Observed, OnDelete, PROTECT_TAG};

/// What is deferred is no news, and guarded as if it were: nothing goes that nobody was asked about.
fn guarded<'a>(input: &Input<'a>) -> Vec<&'a Change> {
    let declared = input.compared.decisions.iter().map(|decision| &decision.change);
    let deferred = input.removals.deferred.iter().filter_map(|due| due.change.as_deref());
    let mut guarded: Vec<&Change> = declared.chain(&input.removals.changes).chain(deferred).collect();
    guarded.dedup();
    guarded
}

/// Objections to what the changes do, by action, kind, live tags and what was allowed.
pub fn objections(input: &Input<'_>) -> Vec<Objection> {
    let Scope { desired, observed, guard, kinds, .. } = input.scope;
    let changes = guarded(input);
    let declared = |change: &Change| desired.resources.get(&change.id);
    let mut found = Vec::new();
    let mut deletes: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        // What is given up (onDelete: retain) is as lost to the manifests as what is deleted.
        if !matches!(change.action, Action::Delete | Action::Replace | Action::Forget) {
            continue;
        }
        let seen = observed.resources.get(&change.id);
        let live = seen.and_then(|seen| {
            // Of a family, the newest revision of ours: somebody else may have registered a newer one.
            let ours = |live: &&Incarnation| live.owner().as_ref() == Some(&desired.owner);
            let named = || seen.iter().filter(|live| live.physical == change.physical);
            named().find(ours).or_else(|| named().next()).or(seen.current.as_ref())
        });
        if live.is_some_and(protected) {
            found.push(refuse(change, Objector::Protected, protected_message(change)));
        }
        let allowed = guard.allow_delete.contains(&change.id) || desired.allow_delete.contains(&change.id);
        let facts = kinds.of(&change.id.kind).map(|kind| kind.facts());
        let holds_data = facts.is_some_and(|facts| facts.holds_data);
        // What jobs run on or wait in is never deleted in passing.
        let work = facts.map_or(Work::None, |facts| facts.work);
        if change.action == Action::Replace {
            // A queue that is replaced loses the jobs that wait in it.
            let gap = work != Work::None && change.effect == Some(Effect::Replace(Order::DeleteFirst));
            if (holds_data || gap || work == Work::Waits) && !allowed {
                let stays = declared(change).is_some_and(|it| it.on_delete == OnDelete::Retain);
                let loss = if holds_data && stays { "gives up" } else { "loses" };
                let message = format!(
                    "replacing it {loss} what it holds ({}): allow it with --allow-delete={}",
                    change.reason, change.id
                );
                found.push(refuse(change, Objector::Delete, message));
            }
            continue;
        }
        // The rest of a replacement that was agreed to, unless there is data in it.
        let is_rest = matches!(change.effect, Some(Effect::Replace(_))) && !holds_data;
        if !allowed && !guard.destroy && !is_rest {
            deletes.entry(&change.id.kind).or_default().push(change);
            if change.action == Action::Delete && (holds_data || work != Work::None) {
                let message = format!(
                    "deleting it needs a word of its own: --allow-delete={}, or a line in allowDelete of environment.yaml",
                    change.id
                );
                found.push(refuse(change, Objector::Delete, message));
            }
        }
    }
    found.extend(of_the_whole(&deletes.values().flatten().copied().collect::<Vec<_>>(), desired, observed));
    for (kind, deletes) in deletes {
        let limit = desired.limits.deletes_per_kind as usize;
        if deletes.len() > limit {
            for change in &deletes {
                let message = format!(
                    "{} deletes of {kind} are more than the limit of {limit} in one apply; allow each with --allow-delete={}",
                    deletes.len(),
                    change.id
                );
                found.push(refuse(change, Objector::Limit, message));
            }
        }
    }
    found
}

/// Limits on all deletes together: in number, and as a share of what there is. There is no size below which they do not
/// hold: most environments are small.
fn of_the_whole(deletes: &[&Change], desired: &Desired, observed: &Observed) -> Vec<Objection> {
    let ours = |seen: &&Incarnations| seen.iter().any(|i| i.owner().as_ref() == Some(&desired.owner));
    let (count, owned) = (deletes.len(), observed.resources.values().filter(ours).count());
    let (most, percent) = (desired.limits.deletes as usize, desired.limits.deletes_percent as usize);
    let Some(first) = deletes.first() else { return Vec::new() };
    let way = "allow each with --allow-delete=<service>/<Kind>/<name> or in allowDelete, or destroy the environment";
    let mut found = Vec::new();
    if count > most {
        let message =
            format!("{count} deletes are more than the limit of {most} in one apply (limits.deletes): {way}");
        found.push(refuse(first, Objector::Limit, message));
    }
    if count * 100 > percent * owned {
        let share = match count >= owned {
            true => "everything that the environment has would be deleted".to_owned(),
            false => format!("{count} of the environment's {owned} resources would be deleted"),
        };
        let message =
            format!("{share}, and the limit is {percent} % in one apply (limits.deletesPercent): {way}");
        found.push(refuse(first, Objector::Limit, message));
    }
    found
}

/// Whether its tag protects it. Whoever sets that by hand may write `True` or `yes`: all but `false` protects.
fn protected(live: &Incarnation) -> bool {
    live.tags.get(PROTECT_TAG).is_some_and(|value| !value.trim().eq_ignore_ascii_case("false"))
}

fn protected_message(change: &Change) -> String {
    let what = match change.action {
        Action::Delete => "delete it",
        Action::Forget => "give it up",
        _ => "replace it",
    };
    format!("it is protected by its tag {PROTECT_TAG}: first apply it with `protect: false`, then {what}")
}

fn refuse(change: &Change, objector: Objector, message: String) -> Objection {
    Objection { id: change.id.clone(), objector, message, position: change.position.clone() }
}
