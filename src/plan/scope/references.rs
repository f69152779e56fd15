//! Who needs whom: what references say about the order of resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::{Stands, texts};
use crate::kind::Identity;
use crate::plan::request::Registry;
use crate::plan::scope::order::Edges;
use crate::resource::{Declared, Desired, ResourceId};
use crate::value::reference::{self, Reference};

/// What can be said beforehand of what is declared: what follows from names alone.
pub type Predicted = BTreeMap<ResourceId, BTreeMap<String, String>>;

/// What the references of an environment say about order (D17).
pub struct Links {
    /// What must be there before it: references and `dependsOn`.
    pub needs: Edges,
    /// What must be there for AWS to take all that it says, itself included: a rule for another group, a principal of a policy.
    /// Where resources wait for each other, it is made without, and told the rest afterwards.
    pub weak: Edges,
    /// What it names by a text that is known beforehand: an ARN that a policy allows to be used. Nothing waits for it.
    pub named: Edges,
    pub predicted: Predicted,
}

impl Links {
    /// The links of everything declared.
    pub fn of(desired: &Desired, kinds: &Registry) -> Self {
        let predicted = predicted(desired, kinds);
        let arns: BTreeMap<&str, &ResourceId> =
            predicted.iter().filter_map(|(id, outputs)| Some((outputs.get("arn")?.as_str(), id))).collect();
        let (mut needs_of, mut weak_of, mut named_of) = (Edges::new(), Edges::new(), Edges::new());
        for (id, declared) in &desired.resources {
            let mut found = Found::default();
            let rules = kinds.of(&id.kind).map(|kind| &kind.facts().rules);
            texts(&declared.spec, rules, Stands::Alone, &mut |stands, text| {
                for reference in reference::references(text) {
                    match reference {
                        Reference::Output { id: target, output } => {
                            let known = || predicted.get(&target).is_some_and(|it| it.contains_key(&output));
                            found.add(stands, known, target.clone());
                        }
                        Reference::Image(name) => {
                            found
                                .needs
                                .extend(desired.images.get(&name).map(|image| image.repository.clone()));
                        }
                        Reference::Existing { .. } | Reference::Zone(_) => {}
                    }
                }
                if let (Stands::AsPrincipal, Some(target)) = (stands, arns.get(text)) {
                    found.weak.insert((*target).clone());
                }
            });
            found.needs.extend(declared.depends_on.iter().cloned());
            found.needs.remove(id);
            // A revision can't be told the rest afterwards.
            if kinds.of(&id.kind).is_some_and(|kind| kind.facts().identity == Identity::Revisioned) {
                found.needs.append(&mut found.weak);
            }
            for (edges, targets) in
                [(&mut needs_of, found.needs), (&mut weak_of, found.weak), (&mut named_of, found.named)]
            {
                let declared = targets.into_iter().filter(|target| desired.resources.contains_key(target));
                edges.insert(id.clone(), declared.collect());
            }
        }
        Self { needs: needs_of, weak: weak_of, named: named_of, predicted }
    }

    /// What names a resource, in whatever way.
    pub fn naming(&self, id: &ResourceId) -> BTreeSet<&ResourceId> {
        let all = [&self.needs, &self.weak, &self.named];
        let naming = all.into_iter().flatten().filter(|(_, targets)| targets.contains(id));
        naming.map(|(user, _)| user).filter(|user| *user != id).collect()
    }

    /// Whether one names another in a way that lets it be compared before the other is.
    pub fn looks_ahead(&self, changed: &dyn Fn(&ResourceId) -> bool) -> bool {
        self.weak.values().chain(self.named.values()).flatten().any(changed)
    }
}

#[derive(Default)]
struct Found {
    needs: BTreeSet<ResourceId>,
    weak: BTreeSet<ResourceId>,
    named: BTreeSet<ResourceId>,
}

impl Found {
    fn add(&mut self, stands: Stands, known: impl Fn() -> bool, target: ResourceId) {
        match stands {
            Stands::Deferrable | Stands::AsPrincipal => self.weak.insert(target),
            Stands::InPolicy if known() => self.named.insert(target),
            Stands::InPolicy | Stands::Alone => self.needs.insert(target),
        };
    }
}

fn predicted(desired: &Desired, kinds: &Registry) -> Predicted {
    let outputs = |declared: &Declared| {
        let kind = kinds.of(&declared.id.kind)?;
        Some((declared.id.clone(), kind.predict(&declared.physical_name, &declared.spec, &desired.place)))
    };
    desired.resources.values().filter_map(outputs).collect()
}
