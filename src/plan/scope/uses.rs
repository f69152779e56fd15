//! Who uses whom in AWS, as it reports it.

use std::collections::BTreeMap;

use crate::diff::{self, Stands};
use crate::kind::Denotations;
use crate::plan::request::Registry;
use crate::plan::scope::order::Edges;
use crate::resource::{Incarnation, Observed, ResourceId};

/// For each observed resource, those that use it as AWS reports it: that name its ARN or its id.
#[derive(Default)]
pub struct Users {
    /// In whatever field.
    pub all: Edges,
    /// In a field of its own, neither in a policy nor in what can do without.
    pub alone: Edges,
    /// In what can do without: a rule of a group.
    pub deferrable: Edges,
}

impl Users {
    pub fn of(observed: &Observed, kinds: &Registry) -> Self {
        let mut denotes: BTreeMap<&str, &ResourceId> = BTreeMap::new();
        let mut names: Denotations<&ResourceId> = Denotations::default();
        for (id, seen) in &observed.resources {
            denotes.extend(seen.iter().flat_map(denoted).map(|text| (text, id)));
            let by_name = kinds.of(&id.kind).map(|kind| seen.iter().flat_map(|live| kind.denoted_by(live)));
            by_name.into_iter().flatten().for_each(|name| names.add(name, id));
        }
        let mut users = Self::default();
        for (id, seen) in &observed.resources {
            let rules = kinds.of(&id.kind).map(|kind| &kind.facts().rules);
            for incarnation in seen.iter() {
                diff::texts(&incarnation.spec, rules, Stands::Alone, &mut |stands, text| {
                    if let Some(target) = denotes.get(text).filter(|target| **target != id) {
                        users.all.entry((*target).clone()).or_default().insert(id.clone());
                        let apart = match stands {
                            Stands::Alone => &mut users.alone,
                            Stands::Deferrable => &mut users.deferrable,
                            Stands::AsPrincipal | Stands::InPolicy => return,
                        };
                        apart.entry((*target).clone()).or_default().insert(id.clone());
                    }
                });
                diff::fields(&incarnation.spec, "", rules, &mut |path, text| {
                    if let Some(target) = names.find(path, text).filter(|target| **target != id) {
                        for edges in [&mut users.all, &mut users.alone] {
                            edges.entry((*target).clone()).or_default().insert(id.clone());
                        }
                    }
                });
            }
        }
        users
    }
}

/// The texts by which others name an incarnation.
pub fn denoted(live: &Incarnation) -> impl Iterator<Item = &str> {
    let outputs = ["arn", "id"].into_iter().filter_map(|name| live.outputs.get(name)?.as_str());
    outputs.chain(live.arn.as_deref())
}
