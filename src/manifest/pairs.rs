//! Pairs of resources that cannot go together, as their kinds say.

use super::error::Complaint;
use super::resources::{Resource, spec_of, with_subject};
use super::tree::{Step, path_steps};
use crate::kind::Beside;

/// Complains of what cannot be together with others that the environment declares.
pub fn check(resources: &[Resource]) -> Vec<Complaint> {
    let mut beside = Beside::default();
    for resource in resources {
        if let (Some(physical), Some(spec)) = (&resource.physical, &resource.spec) {
            beside.add(&resource.id, physical, spec);
        }
    }
    let mut complaints = Vec::new();
    for resource in resources.iter().filter(|resource| resource.spec.is_some()) {
        let (written, at) = spec_of(&resource.tree);
        beside.ask(resource.physical.as_deref());
        for invalid in resource.kind.clashes(&written.to_json(), &beside) {
            let mut path = vec![Step::Key("spec".to_owned())];
            path.extend(path_steps(&invalid.path));
            let at = if invalid.path.is_empty() { at } else { resource.tree.follow(&path).1 };
            complaints.push(Complaint::new(at, with_subject(&path, invalid.message)));
        }
    }
    complaints
}
