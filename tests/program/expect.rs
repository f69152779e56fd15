//! Exactly what was reviewed (D19): whatever an apply was cut off at, what is left is what was reviewed; anything else is
//! stale, by name, and nothing is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Event, Limits, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::review::Verdict;
use batchwright::plan::{Action, Guard, Objector, Plan, Request, check, plan};
use batchwright::resource::{Desired, Observed, ResourceId};
use proptest::prelude::*;
use serde_json::json;

mod commands;

/// Payments with its worker at this digest; without one, the image is not known yet.
fn payments(environment: &str, digit: Option<char>) -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let plain = manifest::load(&root, environment, &manifest::Options::default()).unwrap();
    let Some(digit) = digit else { return plain };
    let digest = digit.to_string().repeat(64);
    let place = &plain.place;
    let image = format!(
        "{}.dkr.ecr.{}.amazonaws.com/{environment}-worker@sha256:{digest}",
        place.account, place.region
    );
    let options =
        manifest::Options { images: BTreeMap::from([("worker".to_owned(), image)]), ..Default::default() };
    manifest::load(&root, environment, &options).unwrap()
}

static DEV: LazyLock<Desired> = LazyLock::new(|| payments("dev", Some('0')));
static PROD: LazyLock<Desired> = LazyLock::new(|| payments("prod", Some('0')));

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn planned(cloud: &Simulated, desired: &Desired, only: &[&str]) -> (Plan, Observed) {
    let observed = now(cloud.observe(&Scope::of(desired))).unwrap();
    let only = (!only.is_empty()).then(|| only.iter().map(|id| id.parse().unwrap()).collect());
    let guard = Guard { allow_delete: desired.resources.keys().cloned().collect(), only, ..Guard::default() };
    let plan = plan(&Request::new(desired, &observed, KINDS, &guard));
    assert_eq!(check(&plan), Vec::<String>::new());
    (plan, observed)
}

/// Executes these steps of a plan, as if the process had been killed after them.
fn run(cloud: &Simulated, plan: &Plan, observed: &Observed, steps: usize) {
    let mut plan = plan.clone();
    plan.steps.truncate(steps);
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let report = now(execute(&plan, observed, cloud, KINDS, &Limits::default(), stop, &mut |_: Event| ()));
    let failed: Vec<_> = report.failures().map(|(step, failure)| (&plan.steps[step], failure)).collect();
    assert!(report.complete(), "{failed:#?}");
}

fn differences(reviewed: &str, plan: &Plan) -> Vec<String> {
    let expected: batchwright::plan::review::Expected = reviewed.parse().unwrap();
    expected.differences(plan).iter().map(ToString::to_string).collect()
}

fn id(text: &str) -> ResourceId {
    text.parse().unwrap()
}

/// The stack with some edits: in place, a revision, a replacement, tags on everything.
fn edited(edits: &BTreeSet<u8>) -> Desired {
    let mut desired = DEV.clone();
    let mut set = |name: &str, pointer: &str, value| {
        *desired.resources.get_mut(&id(name)).unwrap().spec.pointer_mut(pointer).unwrap() = value;
    };
    for edit in edits {
        match edit {
            0 => set("batch/JobQueue/payments", "/priority", json!(77)),
            1 => set("logs/LogGroup/jobs", "/retentionInDays", json!(90)),
            2 => set("batch/JobDefinition/payments", "/timeout/attemptDurationSeconds", json!(90)),
            3 => set("batch/ComputeEnvironment/fargate", "/computeResources/type", json!("FARGATE_SPOT")),
            _ => {}
        }
    }
    if edits.contains(&4) {
        let tagged =
            |d: &mut batchwright::resource::Declared| drop(d.tags.insert("team".into(), "data".into()));
        desired.resources.values_mut().for_each(tagged);
    }
    desired
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// A first rollout that was cut off anywhere goes on with the same review, also where references make resources in
    /// two steps.
    #[test]
    fn what_is_left_of_a_rollout_was_reviewed(share in 0.0..1.0_f64, prod in any::<bool>()) {
        let desired = if prod { &*PROD } else { &*DEV };
        let cloud = Simulated::new(KINDS, desired.place.clone());
        let (first, observed) = planned(&cloud, desired, &[]);
        let reviewed = first.reviewed().to_string();
        prop_assert_eq!(differences(&reviewed, &first), Vec::<String>::new());
        run(&cloud, &first, &observed, (first.steps.len() as f64 * share) as usize);
        let (rest, observed) = planned(&cloud, desired, &[]);
        prop_assert_eq!(differences(&reviewed, &rest), Vec::<String>::new());
        run(&cloud, &rest, &observed, usize::MAX);
        prop_assert!(planned(&cloud, desired, &[]).0.is_empty());
    }

    /// The same of changes to what is there; and a change more than was reviewed is named.
    #[test]
    fn what_is_left_of_an_update_was_reviewed(edits in proptest::collection::btree_set(0_u8..5, 1..5), share in 0.0..1.0_f64) {
        let cloud = Simulated::new(KINDS, DEV.place.clone());
        let (first, observed) = planned(&cloud, &DEV, &[]);
        run(&cloud, &first, &observed, usize::MAX);
        let desired = edited(&edits);
        let (plan, observed) = planned(&cloud, &desired, &[]);
        let reviewed = plan.reviewed().to_string();
        let more = (0..5).find(|edit| !edits.contains(edit)).unwrap();
        let another = edited(&edits.iter().copied().chain([more]).collect());
        let further = planned(&cloud, &another, &[]).0;
        prop_assert!(!differences(&reviewed, &further).is_empty(), "{more} was not reviewed");
        run(&cloud, &plan, &observed, (plan.steps.len() as f64 * share) as usize);
        let (rest, _) = planned(&cloud, &desired, &[]);
        prop_assert_eq!(differences(&reviewed, &rest), Vec::<String>::new());
    }
}

#[test]
fn an_image_that_this_run_declares_needs_no_review() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    // Reviewed before the image was there, applied once it was pushed.
    let (first, _) = planned(&cloud, &payments("dev", None), &[]);
    let reviewed = first.reviewed().to_string();
    let (fresh, observed) = planned(&cloud, &DEV, &[]);
    assert_eq!(differences(&reviewed, &fresh), Vec::<String>::new());
    run(&cloud, &fresh, &observed, usize::MAX);

    // Nothing differs on the pull request; the merge brings another digest.
    let nothing = planned(&cloud, &DEV, &[]).0.reviewed();
    let mut moved = payments("dev", Some('1'));
    let (plan, _) = planned(&cloud, &moved, &[]);
    let standings: Vec<(String, Verdict)> = nothing
        .standings(&plan)
        .into_iter()
        .map(|(change, standing)| (change.id.to_string(), standing))
        .collect();
    let declared = Verdict::Declared(vec!["worker".to_owned()]);
    assert_eq!(standings, vec![("batch/JobDefinition/payments".to_owned(), declared)]);

    // A digest that the registry alone knows was declared by nobody.
    let image = moved.images.get_mut("worker").unwrap().resolved.take().unwrap();
    let mut observed = now(cloud.observe(&Scope::of(&moved))).unwrap();
    observed.images.insert("worker".to_owned(), image);
    let unsaid = batchwright::plan::plan(&Request::new(&moved, &observed, KINDS, &Guard::default()));
    assert_eq!(
        differences(&nothing.to_string(), &unsaid),
        [
            "batch/JobDefinition/payments: only the image moved since the review; say which it is with --image worker=<repository>@sha256:…"
        ]
    );

    // Another field beside the image is another change.
    let mut more = payments("dev", Some('1'));
    let job = more.resources.get_mut(&id("batch/JobDefinition/payments")).unwrap();
    job.spec["timeout"]["attemptDurationSeconds"] = json!(90);
    let (plan, _) = planned(&cloud, &more, &[]);
    assert_eq!(
        differences(&nothing.to_string(), &plan),
        ["batch/JobDefinition/payments: this change was not reviewed"]
    );
    // Reviewed with the old image, it is good with the new one.
    let mut before = more.clone();
    before.images.clone_from(&DEV.images);
    let with_old_image = planned(&cloud, &before, &[]).0.reviewed().to_string();
    assert_eq!(differences(&with_old_image, &plan), Vec::<String>::new());
}

#[test]
fn a_part_needs_no_image_and_deletes_nothing() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    let unknown = payments("dev", None);
    let (whole, _) = planned(&cloud, &unknown, &[]);
    assert!(whole.objections.iter().any(|objection| objection.objector == Objector::Image));

    let (part, observed) = planned(&cloud, &unknown, &["ecr/Repository/worker"]);
    let made: Vec<String> = part.changes.iter().map(|change| change.id.to_string()).collect();
    assert_eq!((made, part.objections.len()), (vec!["ecr/Repository/worker".to_owned()], 0));
    assert_eq!(differences(&whole.reviewed().to_string(), &part), Vec::<String>::new());
    run(&cloud, &part, &observed, usize::MAX);

    let (queue, observed) = planned(&cloud, &DEV, &["batch/JobQueue/payments"]);
    let kinds: BTreeSet<&str> = queue.changes.iter().map(|change| change.id.kind.as_str()).collect();
    assert!(kinds.contains("ec2/Vpc") && kinds.contains("batch/ComputeEnvironment"), "{kinds:?}");
    assert!(!kinds.contains("batch/JobDefinition") && !kinds.contains("s3/Bucket"), "{kinds:?}");
    run(&cloud, &queue, &observed, usize::MAX);
    let (rest, observed) = planned(&cloud, &DEV, &[]);
    run(&cloud, &rest, &observed, usize::MAX);

    // What is no longer declared stays where only a part is planned.
    let mut fewer = DEV.clone();
    fewer.resources.remove(&id("batch/JobDefinition/payments"));
    assert_eq!(planned(&cloud, &fewer, &[]).0.changes.len(), 1);
    assert!(planned(&cloud, &fewer, &["batch/JobQueue/payments"]).0.is_empty());

    // What is replaced would be left behind by what is not in the part.
    let spot = edited(&BTreeSet::from([3]));
    let (alone, _) = planned(&cloud, &spot, &["batch/ComputeEnvironment/fargate"]);
    let messages: Vec<&str> = alone.objections.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages,
        ["it would be replaced, and what uses it would be left behind: add --only=batch/JobQueue/payments"]
    );
    assert_eq!(planned(&cloud, &spot, &["batch/JobQueue/payments"]).0.objections, vec![]);
}

/// Whether it is protected and what becomes of its data are tags of a new resource: another plan than the one reviewed.
#[test]
fn what_guards_a_new_resource_was_reviewed_with_it() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    let (reviewed, _) = planned(&cloud, &DEV, &[]);
    let mut bare = DEV.clone();
    let repository = id("ecr/Repository/worker");
    let declared = bare.resources.get_mut(&repository).unwrap();
    declared.protect = !declared.protect;
    let (plan, _) = planned(&cloud, &bare, &[]);
    assert_eq!(
        differences(&reviewed.fingerprint(), &plan),
        ["its fingerprint is not the one that was reviewed"]
    );
    assert_eq!(
        differences(&reviewed.reviewed().to_string(), &plan),
        ["ecr/Repository/worker: another change of it was reviewed"]
    );
}

/// To replace and to delete are two decisions.
#[test]
fn a_delete_was_not_reviewed_where_a_replacement_was() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    let (first, observed) = planned(&cloud, &DEV, &[]);
    run(&cloud, &first, &observed, first.steps.len());
    let role = id("iam/Role/job");
    let mut replaced = DEV.clone();
    replaced.resources.get_mut(&role).unwrap().spec["path"] = json!("/batch/");
    let (reviewed, _) = planned(&cloud, &replaced, &[]);
    let action = |plan: &Plan| plan.changes.iter().find(|change| change.id == role).unwrap().action;
    assert_eq!(action(&reviewed), Action::Replace);
    let mut gone = DEV.clone();
    gone.resources.remove(&role);
    let (plan, _) = planned(&cloud, &gone, &[]);
    assert_eq!(action(&plan), Action::Delete);
    let differences = differences(&reviewed.reviewed().to_string(), &plan);
    assert!(differences.contains(&format!("{role}: another change of it was reviewed")), "{differences:?}");
}

/// How many revisions stay was reviewed, not which go: a run that comes later takes another one, and no other number.
#[test]
fn fewer_revisions_than_was_reviewed_do_not_stay() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    let job = id("batch/JobDefinition/payments");
    let wanted = |timeout: u64, keep: u32| {
        let mut desired = DEV.clone();
        let declared = desired.resources.get_mut(&job).unwrap();
        declared.spec["timeout"]["attemptDurationSeconds"] = json!(timeout);
        declared.lifecycle.keep_revisions = Some(keep);
        desired
    };
    for timeout in [100, 200, 300] {
        let (plan, observed) = planned(&cloud, &wanted(timeout, 9), &[]);
        run(&cloud, &plan, &observed, usize::MAX);
    }
    // Nothing goes at nine, one goes at three, with the new one.
    let reviewed = |keep: u32| planned(&cloud, &wanted(400, keep), &[]).0;
    let (nine, three) = (reviewed(9), reviewed(3));
    let told = |count: u32| {
        vec![format!("{job}: revisions would go by keepRevisions: {count}, which is not what was reviewed")]
    };
    assert_eq!(differences(&nine.reviewed().to_string(), &three), told(3));
    assert_eq!(differences(&three.reviewed().to_string(), &reviewed(2)), told(2));
    assert_ne!(three.fingerprint(), nine.fingerprint());
    // What is left of it, or comes to it later, was reviewed with the number.
    let observed = now(cloud.observe(&Scope::of(&DEV))).unwrap();
    let registers =
        three.steps.iter().position(|step| step.verb == batchwright::plan::Verb::Register).unwrap();
    run(&cloud, &three, &observed, registers + 1);
    let (left, _) = planned(&cloud, &wanted(400, 3), &[]);
    assert_eq!(left.changes.len(), 1);
    assert_eq!(differences(&three.reviewed().to_string(), &left), Vec::<String>::new());
    assert_eq!(differences(&nine.reviewed().to_string(), &left), told(3));
}

/// A queue that is replaced is first switched off: a run that is cut off there goes on with the same review.
#[test]
fn a_queue_switched_off_to_be_replaced_was_reviewed() {
    let cloud = Simulated::new(KINDS, DEV.place.clone());
    let (first, observed) = planned(&cloud, &DEV, &[]);
    run(&cloud, &first, &observed, usize::MAX);
    let queue = id("batch/JobQueue/payments");
    let with = |fields: &[(&str, serde_json::Value)]| {
        let mut desired = DEV.clone();
        let spec = &mut desired.resources.get_mut(&queue).unwrap().spec;
        fields.iter().for_each(|(field, value)| spec[*field] = value.clone());
        desired
    };
    let policy = json!("arn:aws:batch:eu-west-1:111111111111:scheduling-policy/fair");
    let fair = with(&[("schedulingPolicyArn", policy.clone())]);
    let (reviewed, _) = planned(&cloud, &fair, &[]);
    assert_eq!(reviewed.changes[0].action, Action::Replace);
    let reviewed = reviewed.reviewed().to_string();
    let (off, observed) = planned(&cloud, &with(&[("state", json!("DISABLED"))]), &[]);
    run(&cloud, &off, &observed, usize::MAX);
    let (left, _) = planned(&cloud, &fair, &[]);
    assert_eq!(differences(&reviewed, &left), Vec::<String>::new());
    // That it shall stay off was not reviewed, nor another field.
    for more in [("state", json!("DISABLED")), ("priority", json!(99))] {
        let (other, _) = planned(&cloud, &with(&[("schedulingPolicyArn", policy.clone()), more]), &[]);
        assert_eq!(differences(&reviewed, &other), [format!("{queue}: another change of it was reviewed")]);
    }
}
