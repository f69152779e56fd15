//! Kinds that nobody has written, each with what a later one will bring: the engine knows them by their facts and hooks alone.

use std::collections::BTreeMap;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::diff::Diff;
use batchwright::kind::{AnyKind, Cx, Erased, Grant, Grants, Identity, Kind, Live, NameRule, On};
use batchwright::kinds::{KINDS, kind};
use batchwright::permissions;
use batchwright::plan::{Action, Guard, Plan, Request, Verb, check, plan};
use batchwright::resource::{
    Declared, Desired, Incarnation, Incarnations, Lifecycle, Limits, NAME_TAG, OWNER_TAG, Observed, OnDelete,
    Owner, Place, Position, Readiness, ResourceId, Tags,
};
use batchwright::services::{self, Result, logs::Logs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Spec {
    /// Whether it is on.
    state: String,
    /// What it stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uses: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
struct Outputs {
    arn: String,
}

const NO_GRANTS: Grants = Grants { read: &[], write: &[] };

/// A kind that is never asked for anything in AWS.
macro_rules! made_up {
    ($name:ident, $called:literal, { $($fact:item)* }) => {
        struct $name;

        impl Kind for $name {
            type Spec = Spec;
            type Outputs = Outputs;
            type Service = Logs;
            type Seen = ();
            const NAME: &'static str = $called;
            const NAMES: NameRule = NameRule::NONE;
            const ABOUT: &'static str = "A kind of a test.";
            const EXAMPLE: &'static str = "";
            const CLOUDFORMATION: &'static str = "Test::Test::Test";
            $($fact)*

            fn observe(_: &<Logs as services::Service>::Snapshot, _: &Place) -> Vec<Live<Self>> {
                Vec::new()
            }

            async fn create(cx: &Cx<'_, Self>, _: &Spec) -> Result<String> {
                Ok(cx.name.to_owned())
            }

            async fn update(_: &Cx<'_, Self>, _: &Live<Self>, _: &Spec, _: &Diff) -> Result<()> {
                Ok(())
            }

            async fn delete(_: &Cx<'_, Self>, _: &Live<Self>) -> Result<()> {
                Ok(())
            }
        }
    };
}

made_up!(Schedule, "test/Schedule", {
    const GRANTS: Grants = NO_GRANTS;
});
made_up!(Task, "test/Task", {
    const IDENTITY: Identity = Identity::Revisioned;
    const GRANTS: Grants = NO_GRANTS;
});
made_up!(Key, "test/Key", {
    const GRANTS: Grants = Grants {
        read: &[],
        write: &[Grant::on(&["kms:ScheduleKeyDeletion", "kms:PutKeyPolicy"], &[On::Anything])],
    };
    const REMOVED_BY: &'static [&'static str] = &["kms:ScheduleKeyDeletion"];
});

static SCHEDULE: Erased<Schedule> = Erased::new();
static TASK: Erased<Task> = Erased::new();
static KEY: Erased<Key> = Erased::new();
static MADE_UP: &[&dyn AnyKind] = &[&SCHEDULE, &TASK];

fn owner() -> Owner {
    Owner("acme/test".to_owned())
}

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn declared(kind: &str, name: &str, spec: Value) -> Declared {
    Declared {
        id: ResourceId::new(kind, name),
        physical_name: name.to_owned(),
        spec,
        tags: Tags::new(),
        stack: "main".to_owned(),
        protect: false,
        ignore: Vec::new(),
        on_delete: OnDelete::Refuse,
        depends_on: Vec::new(),
        renamed_from: None,
        lifecycle: Lifecycle { keep_revisions: Some(2), ..Lifecycle::default() },
        runs_on: Default::default(),
        position: Position { file: "main.yaml".to_owned(), line: 1, column: 1 },
        positions: BTreeMap::new(),
    }
}

fn desired(declared: Vec<Declared>) -> Desired {
    Desired {
        environment: "test".to_owned(),
        owner: owner(),
        place: place(),
        name_prefix: String::new(),
        resources: declared.into_iter().map(|one| (one.id.clone(), one)).collect(),
        images: BTreeMap::new(),
        limits: Limits { deletes_percent: 100, ..Limits::default() },
        allow_delete: Vec::new(),
        existing: BTreeMap::new(),
        outputs: BTreeMap::new(),
    }
}

/// Something of ours, of the type that stands in its ARN.
fn live(kind: &str, name: &str, of: &str, spec: Value, revision: Option<u64>) -> Incarnation {
    let number = revision.map_or_else(String::new, |number| format!(":{number}"));
    let arn = format!("arn:aws:test:eu-west-1:111122223333:{of}/{name}{number}");
    let tags =
        [(OWNER_TAG, owner().0), (NAME_TAG, format!("{kind}/{name}")), ("batchwright:stack", "main".into())];
    Incarnation {
        physical: name.to_owned(),
        arn: Some(arn.clone()),
        spec,
        outputs: BTreeMap::from([("arn".to_owned(), json!(arn))]),
        tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        readiness: Readiness::Ready,
        revision,
        named_generation: None,
    }
}

fn planned(desired: &Desired, observed: &Observed, kinds: &[&'static dyn AnyKind]) -> Plan {
    let plan = plan(&Request::new(desired, observed, kinds, &Guard::default()));
    assert_eq!(check(&plan), Vec::<String>::new());
    plan
}

/// Rules and schedules have a `state`, too: that alone makes nobody switch them off and wait before they are deleted.
#[test]
fn what_has_a_state_is_not_drained_for_that() {
    let gone = live("test/Schedule", "nightly", "schedule", json!({"state": "ENABLED"}), None);
    let id = ResourceId::new("test/Schedule", "nightly");
    let seen = Incarnations { current: Some(gone), others: Vec::new() };
    let observed = Observed { resources: BTreeMap::from([(id.clone(), seen)]), ..Observed::default() };
    let plan = planned(&desired(Vec::new()), &observed, MADE_UP);
    let verbs: Vec<Verb> = plan.steps.iter().map(|step| step.verb).collect();
    assert_eq!((verbs, plan.count(Action::Delete)), (vec![Verb::Delete], 1));
}

/// Its revision is named as a job definition's is, with another type in the ARN, and is not deregistered under whoever names it.
#[test]
fn a_revision_that_is_named_by_its_arn_stays_whatever_its_type() {
    let spec = |state: &str| json!({"state": state});
    let task =
        |number| live("test/Task", "sum", "task-definition", spec(&format!("v{number}")), Some(number));
    let names = |of: &str| {
        let arn = format!("arn:aws:test:eu-west-1:111122223333:{of}/sum:1");
        declared("test/Schedule", "nightly", json!({"state": "ENABLED", "uses": arn}))
    };
    let of = |schedule: Declared| {
        let live_schedule = live("test/Schedule", "nightly", "schedule", schedule.spec.clone(), None);
        let desired = desired(vec![declared("test/Task", "sum", spec("v4")), schedule]);
        let tasks = Incarnations { current: Some(task(4)), others: vec![task(3), task(2), task(1)] };
        let schedules = Incarnations { current: Some(live_schedule), others: Vec::new() };
        let resources = BTreeMap::from([
            (ResourceId::new("test/Task", "sum"), tasks),
            (ResourceId::new("test/Schedule", "nightly"), schedules),
        ]);
        let plan = planned(&desired, &Observed { resources, ..Observed::default() }, MADE_UP);
        let gone = plan.steps.iter().filter(|step| step.verb == Verb::Deregister);
        gone.filter_map(|step| step.revision).collect::<Vec<u64>>()
    };
    assert_eq!(of(names("task-definition")), [2], "revision 1 is named");
    assert_eq!(of(names("job-definition")), [2, 1], "that names one of another kind");
}

/// What is no longer declared may be removed by whoever applies, though the verb does not say that it removes.
#[test]
fn a_removal_with_an_unusual_verb_is_one() {
    let removes = |action| permissions::removes(KEY.facts(), action);
    assert!(removes("kms:ScheduleKeyDeletion") && !removes("kms:PutKeyPolicy"));
    assert!(removes("kms:DeleteAlias"), "as its verb says");
}

/// Somebody else's thing of another service that stands on ours holds it up.
#[tokio::test]
async fn a_user_in_another_service_is_seen() {
    let role = "arn:aws:iam::111122223333:role/job";
    let kinds: &'static [&'static dyn AnyKind] =
        Box::leak(KINDS.iter().copied().chain([&SCHEDULE as _]).collect());
    let cloud = Simulated::new(kinds, place());
    let mut foreign =
        live("test/Schedule", "theirs", "schedule", json!({"state": "ENABLED", "uses": role}), None);
    foreign.tags.insert(OWNER_TAG.to_owned(), "acme/other".to_owned());
    cloud.put("test/Schedule", foreign);
    let trust = json!({"assumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}]}});
    let spec = kind("iam/Role").unwrap().normal(&trust, &place()).unwrap();
    let mut ours = live("iam/Role", "job", "role", spec, None);
    ours.arn = Some(role.to_owned());
    ours.outputs = BTreeMap::from([("arn".to_owned(), json!(role)), ("roleId".to_owned(), json!("AROA1"))]);
    cloud.put("iam/Role", ours);
    let desired = desired(Vec::new());
    let observed = cloud.observe(&Scope::of(&desired)).await.unwrap();
    let plan = plan(&Request::new(&desired, &observed, kinds, &Guard::default()));
    let messages: Vec<&str> = plan.objections.iter().map(|it| it.message.as_str()).collect();
    let held = "job is to go, while the Schedule theirs of the owner acme/other needs it (uses)";
    assert!(messages.iter().any(|message| message.starts_with(held)), "{messages:?}");
}
