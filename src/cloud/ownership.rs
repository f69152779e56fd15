//! Which logical resource each observed incarnation is: by our tags, else by its name (D8, D14).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Reach, Scope};
use crate::diff;
use crate::kind::{AnyKind, Companion, Denotations, Facts, Identity};
use crate::kinds::kind;
use crate::plan::{generation_of_name, is_generation_name};
use crate::resource::{
    GENERATION_TAG, Incarnation, Incarnations, NAME_TAG, Observed, Outsider, Owner, Place, ResourceId,
};
use crate::value;

/// The incarnations of one kind: those that concern an environment, by logical resource, and all others.
pub struct Identified {
    /// What carries our tags, or bears a name that is looked for.
    pub found: BTreeMap<ResourceId, Incarnations>,
    /// The rest.
    pub others: Vec<Incarnation>,
}

/// Sorts the incarnations of one kind by logical resource.
pub fn identify(facts: &Facts, seen: Vec<Incarnation>, scope: &Scope, by_name: bool) -> Identified {
    let (kind, Scope { owner, names, renamed, reach, .. }) = (facts.name, scope);
    let mut looked_for: BTreeMap<&str, &ResourceId> = BTreeMap::new();
    for (id, names) in names.iter().filter(|(id, _)| id.kind == kind && by_name) {
        looked_for.extend(names.iter().map(|name| (name.as_str(), id)));
    }
    let mut found: BTreeMap<ResourceId, Vec<Incarnation>> = BTreeMap::new();
    let mut others = Vec::new();
    for mut incarnation in seen {
        let ours = incarnation.owner().as_ref() == Some(owner);
        let tagged =
            incarnation.tags.get(NAME_TAG).filter(|_| ours).and_then(|name| name.parse::<ResourceId>().ok());
        // Batch copies tags to what it makes itself: a tag that names another kind says nothing of this one.
        let tagged = tagged.filter(|id| id.kind == kind);
        let tagged = tagged.map(|id| renamed.get(&id).cloned().unwrap_or(id));
        let named = looked_for.get(incarnation.physical.as_str()).map(|id| (*id).clone());
        // Who polls a name knows whose it is; its tags may be what is being changed.
        let id = if *reach == Reach::Named { named.or(tagged) } else { tagged.or(named) };
        match id {
            Some(id) => {
                incarnation.named_generation = named_generation(&incarnation, names.get(&id), facts);
                found.entry(id).or_default().push(incarnation);
            }
            None => others.push(incarnation),
        }
    }
    if facts.identity == Identity::Revisioned {
        others = join_families(&mut found, others, names);
    }
    let mut ranked = BTreeMap::new();
    for (id, incarnations) in found {
        let (incarnations, foreign) = rank(incarnations, owner);
        ranked.insert(id, incarnations);
        others.extend(foreign);
    }
    Identified { found: ranked, others }
}

/// A family that nobody declares any more is looked for by no name: somebody else's revisions in it are told by ours.
fn join_families(
    found: &mut BTreeMap<ResourceId, Vec<Incarnation>>,
    others: Vec<Incarnation>,
    declared: &BTreeMap<ResourceId, BTreeSet<String>>,
) -> Vec<Incarnation> {
    let undeclared = found.iter().filter(|(id, _)| !declared.contains_key(*id));
    let names =
        undeclared.flat_map(|(id, seen)| seen.iter().map(move |one| (one.physical.clone(), id.clone())));
    let families: BTreeMap<String, ResourceId> = names.collect();
    let (theirs, rest): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|one| families.contains_key(&one.physical));
    for one in theirs {
        if let Some(seen) = families.get(&one.physical).and_then(|id| found.get_mut(id)) {
            seen.push(one);
        }
    }
    rest
}

/// Which generation of a declared name it bears, where its tag is lost: else it would be taken for the first, and its own
/// successor would have its name.
fn named_generation(
    incarnation: &Incarnation,
    declared: Option<&BTreeSet<String>>,
    facts: &Facts,
) -> Option<u32> {
    let declared = declared.filter(|names| !names.contains(&incarnation.physical))?;
    if facts.identity != Identity::Named || incarnation.tags.contains_key(GENERATION_TAG) {
        return None;
    }
    declared.iter().find_map(|base| generation_of_name(&incarnation.physical, base, facts.longest_name))
}

/// The newest that is not retiring is current. What is not ours counts only if nothing else is there, or if it is a
/// newer revision of a family that is ours; else it comes second.
fn rank(incarnations: Vec<Incarnation>, owner: &Owner) -> (Incarnations, Vec<Incarnation>) {
    let revisioned = incarnations.iter().any(|i| i.revision.is_some());
    let is_ours = |i: &Incarnation| i.owner().as_ref() == Some(owner);
    let only_ours = !revisioned && incarnations.iter().any(is_ours);
    let (mut incarnations, foreign): (Vec<_>, Vec<_>) =
        incarnations.into_iter().partition(|i| !only_ours || is_ours(i));
    incarnations.sort_by_key(|i| Reverse((!i.retiring(), i.revision, i.generation())));
    let mut incarnations = incarnations.into_iter();
    let first = incarnations.next();
    let (current, retiring) = match first {
        Some(first) if first.retiring() => (None, Some(first)),
        first => (first, None),
    };
    (Incarnations { current, others: retiring.into_iter().chain(incarnations).collect() }, foreign)
}

/// What AWS needs to delete something and is not there any more, by ARN: the account's roles are read whole, whoever owns them.
pub fn missing_roles(observed: &Observed, others: &[Other], place: &Place) -> BTreeSet<String> {
    let ours = || observed.resources.iter().flat_map(|(id, seen)| seen.iter().map(move |live| (id, live)));
    let seen = ours().map(|(_, live)| live).chain(others.iter().map(|(_, live)| live));
    let there: BTreeSet<&str> = seen.filter_map(|live| live.arn.as_deref()).collect();
    let needed = ours().filter_map(|(id, live)| Some(kind(&id.kind)?.scaffold(live, place)?.arn));
    needed.filter(|arn| !there.contains(arn.as_str())).collect()
}

/// What is no resource of an environment.
pub type Other = (&'static dyn AnyKind, Incarnation);

/// By what texts the resources of an environment are named.
#[derive(Default)]
struct Names {
    /// ARNs and ids.
    texts: BTreeSet<String>,
    /// What else they, or what holds them, are called by.
    denoted: Denotations<()>,
    /// What AWS made together with them, by name or id; and the texts that name what it was made with.
    companions: BTreeMap<String, (Companion, BTreeSet<String>)>,
}

impl Names {
    fn of(observed: &Observed) -> Self {
        let mut names = Self::default();
        for (id, seen) in &observed.resources {
            let Some(kind) = kind(&id.kind) else { continue };
            for live in seen.iter() {
                let own =
                    live.outputs.get("id").and_then(Value::as_str).into_iter().chain(live.arn.as_deref());
                let own: BTreeSet<String> = own.map(str::to_owned).collect();
                for companion in kind.comes_with(live) {
                    names.companions.insert(companion.physical.clone(), (companion, own.clone()));
                }
                names.texts.extend(own);
                let holding = kind.external_users(live).into_iter().flat_map(|it| it.denoted);
                for denoted in kind.denoted_by(live).into_iter().chain(holding) {
                    names.denoted.add(denoted, ());
                }
            }
        }
        names
    }

    /// Whether something names one of them, in policies aside: what these name need not exist.
    fn named_by(&self, kind: &dyn AnyKind, live: &Incarnation) -> bool {
        let companion = self.companions.get(&live.physical);
        if companion.is_some_and(|(companion, _)| !companion.holds) {
            return false;
        }
        let mut found = false;
        diff::fields(&live.spec, "", Some(&kind.facts().rules), &mut |path, text| {
            found |= self.texts.contains(text) || self.denoted.find(path, text).is_some();
        });
        found
    }

    /// With what a companion was made with, it goes: that holds nothing up.
    fn let_go(&self, live: &mut Incarnation) {
        if let (Some((_, with)), Some(fields)) =
            (self.companions.get(&live.physical), live.spec.as_object_mut())
        {
            fields.retain(|_, value| !value.as_str().is_some_and(|text| with.contains(text)));
        }
    }
}

/// Keeps what a plan has to know of the incarnations that are no resource of the environment: those that name one, and names that
/// a new generation can't have. Beside them, what may be one of its resources that lost its tags.
pub fn keep_outsiders(observed: &mut Observed, others: Vec<Other>, scope: &Scope) {
    let declared: BTreeSet<(&str, &str)> = scope
        .names
        .iter()
        .flat_map(|(id, names)| names.iter().map(|name| (id.kind.as_str(), name.as_str())))
        .collect();
    let names = Names::of(observed);
    let named = named_by_ours(observed, &scope.owner);
    let (mut outsiders, mut astray) = (Vec::new(), Vec::new());
    let mut taken = BTreeMap::<String, BTreeMap<String, Option<Owner>>>::new();
    for (kind, mut live) in others {
        let facts = kind.facts();
        names.let_go(&mut live);
        if is_generation_name(&live.physical) || declared.contains(&(facts.name, live.physical.as_str())) {
            taken.entry(facts.name.to_owned()).or_default().insert(live.physical.clone(), live.owner());
        }
        let is_outsider = names.named_by(kind, &live);
        let comes_along = names.companions.get(&live.physical).is_some_and(|(companion, _)| !companion.holds);
        let by_tags = facts.identity == Identity::Assigned && !comes_along;
        if by_tags && (is_outsider || named.contains(&live.physical)) {
            astray.push(Outsider { kind: facts.name.to_owned(), live: live.clone() });
        }
        if is_outsider {
            outsiders.push(Outsider { kind: facts.name.to_owned(), live });
        }
    }
    (observed.outsiders, observed.taken, observed.astray) = (outsiders, taken, astray);
}

/// Every text in what an owner has.
fn named_by_ours(observed: &Observed, owner: &Owner) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    let seen = observed.resources.values().flat_map(Incarnations::iter);
    for live in seen.filter(|live| live.owner().as_ref() == Some(owner)) {
        value::strings(&live.spec, &mut |text| {
            named.insert(text.to_owned());
        });
    }
    named
}
