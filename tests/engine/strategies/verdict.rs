//! What the program says of one change: by its own planner, and in every form in which it shows a plan.

use std::collections::BTreeMap;

use batchwright::kind::{AnyKind, Effect, Manner, Order};
use batchwright::kinds::{self, KINDS};
use batchwright::plan::{Guard, Request, plan};
use batchwright::render::{self, Paint, json};
use batchwright::resource::{
    Declared, Desired, Incarnation, Incarnations, Lifecycle, Limits, NAME_TAG, OWNER_TAG, Observed, OnDelete,
    Owner, Place, Position, Readiness, ResourceId, STACK_TAG, Strategy, Tags,
};
use serde_json::Value;

/// The outcome of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub word: &'static str,
    pub reason: String,
}

fn kind() -> &'static dyn AnyKind {
    kinds::kind("batch/ComputeEnvironment").unwrap()
}

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

/// Whether a manifest may say this.
pub fn is_valid(spec: &Value) -> bool {
    kind().normal(spec, &place()).is_ok_and(|spec| kind().validate(&spec, &place()).is_empty())
}

fn desired(spec: &Value, strategy: Strategy) -> Desired {
    let id = ResourceId::new("batch/ComputeEnvironment", "main");
    let declared = Declared {
        id: id.clone(),
        physical_name: "main".to_owned(),
        spec: kind().normal(spec, &place()).unwrap(),
        tags: Tags::new(),
        stack: "main".to_owned(),
        protect: false,
        ignore: Vec::new(),
        on_delete: OnDelete::Refuse,
        depends_on: Vec::new(),
        renamed_from: None,
        lifecycle: Lifecycle { strategy, ..Lifecycle::default() },
        runs_on: Default::default(),
        position: Position { file: "main.yaml".to_owned(), line: 1, column: 1 },
        positions: BTreeMap::new(),
    };
    Desired {
        environment: "test".to_owned(),
        owner: Owner("acme/test".to_owned()),
        place: place(),
        name_prefix: String::new(),
        resources: BTreeMap::from([(id, declared)]),
        images: BTreeMap::new(),
        limits: Limits::default(),
        allow_delete: Vec::new(),
        existing: BTreeMap::new(),
        outputs: BTreeMap::new(),
    }
}

/// What the tables refer to, and its ARN: it is there, as whatever else the environment does not make itself.
const LINKED: (&str, &str) = (
    "${iam/ServiceLinkedRole/batch.arn}",
    "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch_linked",
);

fn linked() -> (ResourceId, Incarnations) {
    let current = Incarnation {
        physical: "AWSServiceRoleForBatch_linked".to_owned(),
        arn: Some(LINKED.1.to_owned()),
        spec: Value::Null,
        outputs: BTreeMap::from([("arn".to_owned(), LINKED.1.into())]),
        tags: Tags::new(),
        readiness: Readiness::Ready,
        revision: None,
        named_generation: None,
    };
    let id = ResourceId::new("iam/ServiceLinkedRole", "batch");
    (id, Incarnations { current: Some(current), others: Vec::new() })
}

/// Plans the change of an environment, and reads the outcome off the plan.
pub fn verdict(live: &Value, want: &Value, strategy: Strategy) -> Verdict {
    let desired = desired(want, strategy);
    let id = desired.resources.keys().next().unwrap().clone();
    let tags =
        [(OWNER_TAG, desired.owner.0.clone()), (NAME_TAG, id.to_string()), (STACK_TAG, "main".to_owned())];
    let live: Value = serde_json::from_str(&live.to_string().replace(LINKED.0, LINKED.1)).unwrap();
    let incarnation = Incarnation {
        physical: "main".to_owned(),
        arn: Some("arn:aws:batch:eu-west-1:111122223333:compute-environment/main".to_owned()),
        spec: kind().normal(&live, &place()).unwrap(),
        outputs: BTreeMap::new(),
        tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        readiness: Readiness::Ready,
        revision: None,
        named_generation: None,
    };
    let seen = Incarnations { current: Some(incarnation), others: Vec::new() };
    let observed = Observed { resources: BTreeMap::from([(id, seen), linked()]), ..Observed::default() };
    let plan = plan(&Request::new(&desired, &observed, KINDS, &Guard::default()));
    let [change] = &plan.changes[..] else {
        assert_eq!(plan.changes, vec![]);
        return Verdict { word: "never compared", reason: "not a difference".to_owned() };
    };
    let mut reason = change.reason.0.clone();
    let word = match change.effect.as_ref().unwrap() {
        Effect::Update(Manner::Repair) => "repair",
        Effect::Update(manner) => manner.name(),
        Effect::Replace(Order::CreateFirst) => "blue/green",
        Effect::Impossible(why) => {
            reason.clone_from(why);
            "impossible"
        }
        other => panic!("a compute environment is never changed by {other:?}"),
    };
    assert!(!reason.contains('\n') && reason.len() < 300, "not one line: {reason}");
    // Every form of the plan says which it is, and why, on one line each.
    let terminal = render::plan(&plan, Paint::none());
    let markdown = render::markdown(&plan).to_string();
    let records = json::document(&plan);
    if word != "impossible" {
        assert!(terminal.lines().any(|line| line.contains(word)), "{word}: {terminal}");
        assert!(
            markdown.lines().any(|line| line.starts_with("| ") && line.contains(word)),
            "{word}: {markdown}"
        );
    }
    assert!(records.contains(&format!(r#""strategy":"{word}""#)), "{word}: {records}");
    assert!(terminal.lines().any(|line| line.contains(&reason)), "{reason}: {terminal}");
    let unescaped = markdown.replace('\\', "");
    assert!(unescaped.lines().any(|line| line.contains(&reason)), "{reason}: {markdown}");
    Verdict { word, reason }
}
