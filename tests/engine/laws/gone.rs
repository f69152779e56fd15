//! What somebody took away or stripped of its owner behind our back: it is made again, or the plan says what stands in the way
//! before its first write.

#![allow(clippy::print_stdout, reason = "how many were tried, and the table, are worth a line")]

use std::collections::BTreeMap;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::Report;
use batchwright::kind::{Identity, Ownership};
use batchwright::kinds::{KINDS, kind};
use batchwright::plan::{Action, Guard, Objector, Plan, Request, check, plan};
use batchwright::resource::{Desired, Incarnation, OWNER_TAG, Observed, ResourceId};
use serde_json::json;

use super::stacks::stacks;
use super::{PAYMENTS, Run, all, now};

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
        let report = run.execute(&plan, &observed);
        assert!(report.complete(), "{}", failures(&plan, &report));
        let seen = observed_in(&cloud, desired).resources;
        let live = seen.into_iter().map(|(id, seen)| (id, seen.current.expect("it is there"))).collect();
        Self { desired: desired.clone(), cloud, live }
    }
}

pub fn observed_in(cloud: &Simulated, desired: &Desired) -> Observed {
    now(cloud.observe(&Scope::of(desired))).expect("memory can be read")
}

/// What destroys everything.
pub fn end(cloud: &Simulated, desired: &Desired) -> (Plan, Observed) {
    let observed = observed_in(cloud, desired);
    let plan = plan(&Request::new(desired, &observed, KINDS, &Guard { destroy: true, ..Guard::default() }));
    assert_eq!(check(&plan), Vec::<String>::new());
    (plan, observed)
}

pub fn failures(plan: &Plan, report: &Report) -> String {
    report.failures().map(|(id, failure)| format!("\n{:?}: {failure:?}", plan.steps[id])).collect()
}

/// AWS deletes neither a subnet nor a VPC with a gateway in it, whoever asks
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/delete-vpc.html>). One that stayed would keep its address from another.
fn keeps_its_ground(live: &BTreeMap<ResourceId, Incarnation>, gone: [&ResourceId; 2]) -> bool {
    let stays = |id: &&ResourceId| id.kind == "ec2/NatGateway" && !gone.contains(id);
    let ground = |id: &&ResourceId| ["ec2/Subnet", "ec2/Vpc"].contains(&id.kind.as_str());
    live.keys().any(|id| stays(&id)) && gone.iter().any(ground)
}

/// Payments whole; of every other stack a third of the resources, alone or each with one other, and all pairs if all is asked for.
#[test]
fn whatever_is_deleted_alone_or_in_pairs_is_made_again() {
    for (nth, (name, desired)) in stacks().into_iter().enumerate() {
        let Stood { desired, cloud: whole, live } = Stood::of(&desired);
        let ids: Vec<&ResourceId> = live.keys().collect();
        let pairs = (0..ids.len()).flat_map(|first| (first..ids.len()).map(move |second| (first, second)));
        let drawn = |(first, second): &(usize, usize)| {
            let partner = (first * 7 + nth * 3 + 1) % ids.len();
            nth == 0 || all() || (first % 3 == nth % 3 && *second == (*first).max(partner))
        };
        let (of, mut tried) = (ids.len() * (ids.len() + 1) / 2, 0);
        for (first, second) in pairs.filter(drawn).map(|(first, second)| (ids[first], ids[second])) {
            tried += 1;
            if keeps_its_ground(&live, [first, second]) {
                continue;
            }
            let cloud = whole.copy();
            for id in [first, second] {
                cloud.take(&id.kind, &live[id].physical);
            }
            let run = Run { cloud: &cloud, desired: &desired };
            let (plan, observed) = run.plan();
            assert_eq!(plan.objections, vec![], "{name}: {first} and {second} are gone");
            let report = run.execute(&plan, &observed);
            let failed = failures(&plan, &report);
            assert!(report.complete(), "{name}: {first} and {second} are gone: {failed}");
            let left = run.plan().0;
            assert!(left.is_empty(), "{name}: {first} and {second} are gone: {:#?}", left.changes);
        }
        println!("{name}: {tried} of {of} pairs");
        assert!(tried >= ids.len() / 3 && (nth > 0 || tried == of), "{name}: {tried} of {of}");
    }
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
    let named = plan.notes.iter().any(|note| note.stays && note.id == *id);
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

/// Whether it is told apart by its id alone, and nothing else of ours names it or is named by it: nothing shows then that it was ours.
fn is_alone(desired: &Desired, id: &ResourceId) -> bool {
    let assigned = kind(&id.kind).expect("a kind").facts().identity == Identity::Assigned;
    let names = |from: &ResourceId, text: &str| desired.resources[from].spec.to_string().contains(text);
    let named = desired.resources.keys().any(|other| names(other, &format!("${{{id}.")));
    assigned && !named && !names(id, "${")
}

/// Each resource loses its owner, or gets another: `plan` and `apply` make no second one beside it, and `destroy` takes nothing
/// from under it and names it. Payments whole; of every other stack every fourth, and every one if all is asked for.
#[test]
fn nothing_goes_from_under_what_lost_its_owner() {
    println!("| stack | resource | owner | plan and apply | destroy |\n|---|---|---|---|---|");
    for (nth, (name, desired)) in stacks().into_iter().enumerate() {
        let stood = Stood::of(&desired);
        let each = if nth == 0 || all() { 1 } else { 4 };
        for (id, owner) in
            stood.live.keys().step_by(each).flat_map(|id| [(id, None), (id, Some("somebody/else"))])
        {
            let mut lost = stood.live[id].clone();
            match owner {
                Some(owner) => drop(lost.tags.insert(OWNER_TAG.to_owned(), owner.to_owned())),
                None => drop(lost.tags.remove(OWNER_TAG)),
            }
            let (applied, destroyed) = (applied(&stood, id, &lost), destroyed(&stood, id, &lost));
            println!("| {name} | {id} | {} | {applied} | {destroyed} |", owner.unwrap_or("nobody"));
            let shared = kind(&id.kind).expect("a kind").facts().ownership == Ownership::Shared;
            if !shared && !is_alone(&desired, id) {
                assert_eq!(applied, "refused", "{name}: {id} with the owner {owner:?}");
                assert!(!destroyed.ends_with("nothing is said"), "{name}: {id} with {owner:?}: {destroyed}");
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
