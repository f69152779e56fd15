//! A plain name where a reference is meant, in every field of every kind that takes one: doubted at once, and refused where
//! AWS has nothing of that name.

use std::fs;

use batchwright::kinds::{self, KINDS};
use batchwright::manifest::{self, Options};
use batchwright::plan::{self, Guard, Objector, Request};
use batchwright::resource::{Desired, Listing, Observed, ResourceId};

use super::enums::{ENVIRONMENT, Step, manifests, put, steps_of};
use super::{facts, none, properties};

/// What a kind's contract declares, and its subject.
fn desired(kind: &str) -> (Desired, ResourceId) {
    let folder = tempfile::tempdir().unwrap();
    let (documents, subject) = manifests(kinds::kind(kind).unwrap().facts());
    let text: Vec<String> = documents.iter().map(|it| serde_yaml::to_string(it).unwrap()).collect();
    fs::create_dir_all(folder.path().join("dev")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/all")).unwrap();
    fs::write(folder.path().join("dev/environment.yaml"), ENVIRONMENT).unwrap();
    fs::write(folder.path().join("stacks/all/a.yaml"), text.join("---\n")).unwrap();
    let desired = manifest::load(folder.path(), "dev", &Options::default());
    let name = documents[subject]["metadata"]["name"].as_str().unwrap();
    (desired.unwrap_or_else(|errors| panic!("{errors}")), ResourceId::new(kind, name))
}

#[test]
fn a_plain_name_in_any_field_that_takes_a_reference_is_doubted_and_refused() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for facts in facts() {
        let (declared, subject) = desired(facts.name);
        for property in properties(facts) {
            let of_items = &property.schema["items"]["x-refers"];
            let targets = if of_items.is_array() { of_items } else { &property.schema["x-refers"] };
            let targets: Vec<&str> =
                targets.as_array().into_iter().flatten().flat_map(|it| it.as_str()).collect();
            let mut known =
                targets.iter().filter_map(|it| it.split_once('.')).filter(|it| kinds::kind(it.0).is_some());
            let Some((kind, output)) = known.next() else { continue };
            seen += 1;
            let mut steps = steps_of(facts, &property.path);
            if of_items.is_array() {
                steps.push(Step::Item);
            }
            let mut desired = declared.clone();
            let (others, other) = self::desired(kind);
            let id = ResourceId::new(kind, "neighbour");
            let mut target = others.resources[&other].clone();
            (target.id, target.physical_name) = (id.clone(), "the-neighbour".to_owned());
            target.spec = serde_json::json!({});
            desired.resources.insert(id.clone(), target);
            let all_listed = targets.iter().map(|it| it.split('.').next().unwrap());
            let all_known = all_listed.clone().all(|it| kinds::kind(it).is_some());
            let observed = Observed {
                listed: all_listed.map(|kind| (kind.to_owned(), Listing::default())).collect(),
                ..Observed::default()
            };
            for (text, in_aws) in [("neighbour", false), ("the-neighbour", true)] {
                let spec = &mut desired.resources.get_mut(&subject).unwrap().spec;
                put(&facts.schema, &facts.schema, spec, &steps, text);
                let warnings = plan::warnings(&desired, None, KINDS);
                let reference = format!("write `${{{id}.{output}}}`");
                let about =
                    |it: &&plan::Warning| it.id.as_ref() == Some(&subject) && it.message.contains(&reference);
                let told =
                    warnings.iter().filter(about).any(|it| it.message.contains("is called in AWS") == in_aws);
                if !told {
                    wrong.push(format!("{}: {text} is not doubted: {warnings:?}", property.path));
                }
                let plan = plan::plan(&Request::new(&desired, &observed, KINDS, &Guard::default()));
                let refused = plan.objections.iter().any(|it| {
                    it.id == subject && it.objector == Objector::Nowhere && it.message.contains(&reference)
                });
                let beyond = property.schema["x-beyond"] == true;
                let must_be = all_known && !beyond;
                let may_be = must_be || !all_known;
                if refused != must_be && !(refused && may_be) {
                    wrong.push(format!(
                        "{}: {text}: refused: {refused}: {:?}",
                        property.path, plan.objections
                    ));
                }
            }
        }
    }
    none("names where references are meant", &wrong);
    println!("{seen} fields");
    assert!(seen > 25, "{seen}");
}
