//! What somebody took away or stripped of its owner behind our back: it is made again, or the plan says what stands in the way
//! before its first write.

use std::collections::BTreeMap;
use std::path::Path;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::Report;
use batchwright::kind::Ownership;
use batchwright::kinds::{KINDS, kind};
use batchwright::manifest;
use batchwright::plan::{Action, Guard, Objector, Plan, check, not_ours, plan};
use batchwright::resource::{Desired, Incarnation, OWNER_TAG, Observed, ResourceId};
use serde_json::json;

use super::{PAYMENTS, Run, now};

/// A stack as it stands in a cloud of its own.
struct Stood {
    desired: Desired,
    cloud: Simulated,
    live: BTreeMap<ResourceId, Incarnation>,
}

impl Stood {
    fn of(desired: &Desired) -> Self {
        let cloud = Simulated::new(KINDS, desired.place.clone());
        let run = Run { cloud: &cloud, desired };
        let (plan, observed) = run.plan();
        assert!(run.execute(&plan, &observed).complete());
        let seen = observed_in(&cloud, desired).resources;
        let live = seen.into_iter().map(|(id, seen)| (id, seen.current.expect("it is there"))).collect();
        Self { desired: desired.clone(), cloud, live }
    }
}

fn observed_in(cloud: &Simulated, desired: &Desired) -> Observed {
    now(cloud.observe(&Scope::of(desired))).expect("memory can be read")
}

fn prod() -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let image = format!("222222222222.dkr.ecr.us-east-1.amazonaws.com/prod-worker@sha256:{}", "0".repeat(64));
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    let options = manifest::Options { images, ..Default::default() };
    manifest::load(&root, "prod", &options).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What destroys everything.
fn end(cloud: &Simulated, desired: &Desired) -> (Plan, Observed) {
    let nothing = Desired { resources: BTreeMap::new(), ..desired.clone() };
    let observed = observed_in(cloud, desired);
    let plan = plan(&nothing, &observed, KINDS, &Guard { destroy: true, ..Guard::default() });
    assert_eq!(check(&plan), Vec::<String>::new());
    (plan, observed)
}

fn failures(plan: &Plan, report: &Report) -> String {
    report.failures().map(|(id, failure)| format!("\n{:?}: {failure:?}", plan.steps[id])).collect()
}

#[test]
fn whatever_is_deleted_alone_or_in_pairs_is_made_again() {
    let Stood { desired, cloud: whole, live } = Stood::of(&PAYMENTS);
    let ids: Vec<&ResourceId> = live.keys().collect();
    let mut tried = 0;
    for (at, first) in ids.iter().enumerate() {
        for second in &ids[at..] {
            let cloud = whole.copy();
            for id in [first, second] {
                cloud.take(&id.kind, &live[*id].physical);
            }
            let run = Run { cloud: &cloud, desired: &desired };
            let (plan, observed) = run.plan();
            assert_eq!(plan.objections, vec![], "{first} and {second} are gone");
            let report = run.execute(&plan, &observed);
            let failed = failures(&plan, &report);
            assert!(report.complete(), "{first} and {second} are gone: {failed}");
            let left = run.plan().0;
            assert!(left.is_empty(), "{first} and {second} are gone: {:#?}", left.changes);
            tried += 1;
        }
    }
    assert_eq!(tried, ids.len() * (ids.len() + 1) / 2);
}

/// What a plan and an apply make of a resource whose owner is another.
fn applied(stood: &Stood, id: &ResourceId, lost: &Incarnation) -> String {
    let cloud = stood.cloud.copy();
    cloud.put(&id.kind, lost.clone());
    let run = Run { cloud: &cloud, desired: &stood.desired };
    let (plan, observed) = run.plan();
    if !plan.objections.is_empty() {
        let mut owned = plan.objections.iter().filter(|one| one.objector == Objector::Owner);
        let objection = owned.find(|one| one.id == *id);
        let objection = objection.unwrap_or_else(|| panic!("{id}: {:#?}", plan.objections));
        let way_out = format!("batchwright adopt {} {id}", stood.desired.environment);
        assert_eq!(objection.message.contains(&way_out), lost.owner().is_none(), "{}", objection.message);
        return "refused".to_owned();
    }
    let report = run.execute(&plan, &observed);
    assert!(report.complete(), "{id}: {}", failures(&plan, &report));
    assert!(run.plan().0.is_empty(), "{id}: {:#?}", run.plan().0.changes);
    match plan.changes.iter().find(|change| change.id == *id) {
        Some(change) if change.action == Action::Create => "another is made".to_owned(),
        Some(_) => "tagged again".to_owned(),
        None => "no change".to_owned(),
    }
}

/// What a destroy does beside it.
fn destroyed(stood: &Stood, id: &ResourceId, lost: &Incarnation) -> String {
    let cloud = stood.cloud.copy();
    cloud.put(&id.kind, lost.clone());
    let (plan, observed) = end(&cloud, &stood.desired);
    let named = not_ours(&stood.desired, &observed, &kind).into_iter().any(|note| note.id == *id);
    if let Some(objection) = plan.objections.first() {
        let is_named = plan.objections.iter().any(|it| it.message.contains(&lost.physical));
        assert!(is_named, "{id}: {:#?}", plan.objections);
        return format!("refused: {}", objection.id);
    }
    let run = Run { cloud: &cloud, desired: &stood.desired };
    let report = run.execute(&plan, &observed);
    assert!(report.complete(), "destroyed around {id}: {}", failures(&plan, &report));
    format!("done, {}", if named { "and it is named" } else { "and nothing is said" })
}

/// Each resource loses its owner, or gets another: `plan` and `apply` make no second one beside it, and `destroy` takes nothing
/// from under it and names it. Of the larger stack every third is tried.
#[test]
fn nothing_goes_from_under_what_lost_its_owner() {
    for (desired, each) in [(&*PAYMENTS, 1), (&prod(), 3)] {
        let stood = Stood::of(desired);
        for (id, owner) in
            stood.live.keys().step_by(each).flat_map(|id| [(id, None), (id, Some("somebody/else"))])
        {
            let mut lost = stood.live[id].clone();
            match owner {
                Some(owner) => drop(lost.tags.insert(OWNER_TAG.to_owned(), owner.to_owned())),
                None => drop(lost.tags.remove(OWNER_TAG)),
            }
            let (applied, destroyed) = (applied(&stood, id, &lost), destroyed(&stood, id, &lost));
            println!(
                "{:5} {id:36} {:14} apply: {applied:16} destroy: {destroyed}",
                desired.environment,
                owner.unwrap_or("nobody")
            );
            if kind(&id.kind).expect("a kind").facts().ownership != Ownership::Shared {
                assert_eq!(applied, "refused", "{id} with the owner {owner:?}");
                assert!(!destroyed.ends_with("nothing is said"), "{id} with {owner:?}: {destroyed}");
            }
        }
    }
}

/// Somebody points the compute environment to a group of theirs, and ours goes: it is made again, and theirs is left alone.
#[test]
fn advice_never_names_what_is_somebody_elses() {
    let Stood { desired, cloud, live } = Stood::of(&PAYMENTS);
    let group = ResourceId::new("ec2/SecurityGroup", "jobs");
    let environment = ResourceId::new("batch/ComputeEnvironment", "fargate");
    for (name, description) in [("theirs", "Payments jobs, egress only"), ("dev-jobs", "Theirs")] {
        let cloud = cloud.copy();
        let mut theirs = live[&group].clone();
        theirs.physical = "sg-theirs".to_owned();
        theirs.tags.clear();
        theirs.arn = Some("arn:aws:ec2:us-east-1:111111111111:security-group/sg-theirs".to_owned());
        theirs.spec["groupDescription"] = json!(description);
        theirs.outputs.insert("name".to_owned(), json!(name));
        theirs.outputs.insert("id".to_owned(), json!("sg-theirs"));
        cloud.put(&group.kind, theirs);
        let mut pointed = live[&environment].clone();
        pointed.spec["computeResources"]["securityGroupIds"] = json!(["sg-theirs"]);
        cloud.put(&environment.kind, pointed);
        cloud.take(&group.kind, &live[&group].physical);
        let run = Run { cloud: &cloud, desired: &desired };
        let (plan, observed) = run.plan();
        assert_eq!(plan.objections, vec![], "{name}");
        let report = run.execute(&plan, &observed);
        assert!(report.complete(), "{}", failures(&plan, &report));
        let (left, observed) = run.plan();
        assert!(left.is_empty(), "{:#?}", left.changes);
        let now = &observed.resources[&environment].current.as_ref().expect("it is there").spec;
        assert_ne!(now["computeResources"]["securityGroupIds"], json!(["sg-theirs"]));
    }
}

/// Set by hand, the tag may say `True` or `yes`: only `false` says that nothing is protected.
#[test]
fn any_protect_tag_but_false_protects() {
    let stood = Stood::of(&PAYMENTS);
    let vpc = ResourceId::new("ec2/Vpc", "main");
    let protected = |value: &str| {
        let cloud = stood.cloud.copy();
        let mut live = stood.live[&vpc].clone();
        live.tags.insert("batchwright:protect".to_owned(), value.to_owned());
        cloud.put(&vpc.kind, live);
        let objections = end(&cloud, &stood.desired).0.objections;
        objections.iter().any(|one| one.id == vpc && one.objector == Objector::Protected)
    };
    for value in ["true", "True", "yes", "1", "on", "", "no"] {
        assert!(protected(value), "{value:?}");
    }
    for value in ["false", "False", " false "] {
        assert!(!protected(value), "{value:?}");
    }
}
