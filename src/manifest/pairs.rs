//! Pairs of resources that cannot go together, as their kinds say.

use std::collections::BTreeMap;

use super::error::Complaint;
use super::resources::{Resource, spec_of, with_subject};
use super::tree::{Node, Step, path_steps};
use crate::kind::Beside;

/// Complains of what cannot be together with others that the environment declares.
pub fn check(resources: &[Resource]) -> Vec<Complaint> {
    let ignored: Vec<Vec<String>> = resources.iter().map(ignored).collect();
    let places: BTreeMap<_, _> = resources.iter().map(|resource| (&resource.id, resource.at)).collect();
    let mut beside = Beside::default();
    for (resource, ignored) in resources.iter().zip(&ignored) {
        if let (Some(physical), Some(spec)) = (&resource.physical, resource.spec()) {
            let runs_on = resource.declared.as_ref().map(|declared| &declared.runs_on);
            beside.add(&resource.id, physical, (spec, runs_on), ignored);
        }
    }
    let mut complaints = Vec::new();
    for resource in resources.iter().filter(|resource| resource.spec().is_some()) {
        let (written, at) = spec_of(&resource.tree);
        let clashes = resource.kind.clashes(&written.to_json(), &resource.id, &beside);
        for clash in clashes.into_iter().filter(|clash| !clash.is_doubt) {
            let of_ours = clash.invalid.path.starts_with("metadata.");
            let mut path = Vec::new();
            path.extend((!of_ours).then(|| Step::Key("spec".to_owned())));
            path.extend(path_steps(&clash.invalid.path));
            let at = if clash.invalid.path.is_empty() { at } else { resource.tree.follow(&path).1 };
            let complaint = Complaint::new(at, with_subject(&path, clash.invalid.message));
            let other = clash.with.and_then(|id| Some((*places.get(&id)?, format!("{id} is declared here"))));
            complaints.push(match other {
                Some((place, label)) => complaint.related(place, label),
                None => complaint,
            });
        }
    }
    complaints
}

/// The paths in which AWS may hold something else than what is declared.
fn ignored(resource: &Resource) -> Vec<String> {
    let list = resource.tree.get("metadata").and_then(|it| it.get("ignore"));
    list.map(Node::items).unwrap_or_default().iter().filter_map(Node::text).map(str::to_owned).collect()
}
