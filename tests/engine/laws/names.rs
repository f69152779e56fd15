//! The order of names decides nothing: with every logical name exchanged, the plan is the same plan, and what it does comes to the
//! same. On stacks whose resources name each other in every way that AWS allows, in a cloud in which steps overtake each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::kinds::{KINDS, kind};
use batchwright::plan::{Guard, Plan, Request, check, plan};
use batchwright::resource::{
    Declared, Desired, Lifecycle, Limits, Observed, OnDelete, Owner, Place, Position, ResourceId,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Run, cases, edited, edits, now};

/// A stack, drawn: what is there, and who names whom. Numbers are taken modulo how many there are.
#[derive(Debug, Clone)]
pub struct Drawn {
    groups: Vec<Group>,
    roles: Vec<Role>,
    /// Whom the bucket's policy and the repository's are about.
    bucket: Vec<usize>,
    repository: Vec<usize>,
    /// What the managed policy allows to be passed.
    policy: Vec<usize>,
    /// Whether the job definition is there, and its role.
    job: Option<usize>,
}

#[derive(Debug, Clone)]
struct Group {
    there: bool,
    description: bool,
    from: Vec<usize>,
    to: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Role {
    there: bool,
    path: bool,
    /// Who may assume it, by a reference or by its ARN.
    trusts: Vec<(usize, bool)>,
    service: bool,
    /// What its inline policy allows it to assume.
    names: Vec<usize>,
    attached: bool,
}

fn some(most: usize) -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..8_usize, 0..=most)
}

prop_compose! {
    fn group()(there in prop::bool::weighted(0.8), description in any::<bool>(), from in some(2), to in some(1)) -> Group {
        Group { there, description, from, to }
    }
}

prop_compose! {
    fn role()(
        there in prop::bool::weighted(0.8),
        path in any::<bool>(),
        trusts in proptest::collection::vec((0..8_usize, any::<bool>()), 0..=2),
        service in any::<bool>(),
        names in some(2),
        attached in any::<bool>(),
    ) -> Role {
        Role { there, path, trusts, service, names, attached }
    }
}

prop_compose! {
    pub fn drawn()(
        groups in proptest::collection::vec(group(), 1..5),
        roles in proptest::collection::vec(role(), 1..5),
        bucket in some(2),
        repository in some(2),
        policy in some(2),
        job in proptest::option::weighted(0.3, 0..8_usize),
    ) -> Drawn {
        Drawn { groups, roles, bucket, repository, policy, job }
    }
}

/// The same environment with the logical names of each kind exchanged among each other; and for each id, whose it was before.
fn exchanged(desired: &Desired, seed: u64) -> (Desired, BTreeMap<ResourceId, ResourceId>) {
    let mut of_kind: BTreeMap<&str, Vec<&ResourceId>> = BTreeMap::new();
    for id in desired.resources.keys() {
        of_kind.entry(&id.kind).or_default().push(id);
    }
    let mut to: BTreeMap<ResourceId, ResourceId> = BTreeMap::new();
    for ids in of_kind.into_values() {
        let mut others = ids.clone();
        let key = |id: &&ResourceId| {
            format!("{seed}{id}").bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        };
        if seed > 0 {
            others.sort_by_key(key);
        }
        to.extend(ids.into_iter().cloned().zip(others.into_iter().cloned()));
    }
    let named = |id: &ResourceId| to.get(id).cloned().unwrap_or_else(|| id.clone());
    let mut other = desired.clone();
    other.resources = desired
        .resources
        .values()
        .map(|declared| {
            let mut declared = declared.clone();
            declared.id = named(&declared.id);
            declared.depends_on = declared.depends_on.iter().map(named).collect();
            declared.spec = with_names(&declared.spec, &to);
            (declared.id.clone(), declared)
        })
        .collect();
    for image in other.images.values_mut() {
        image.repository = named(&image.repository);
    }
    (other, to.into_iter().map(|(before, after)| (after, before)).collect())
}

/// A document in which other ids stand in the places of these.
pub fn with_names(value: &Value, names: &BTreeMap<ResourceId, ResourceId>) -> Value {
    static ID: LazyLock<regex::Regex> = LazyLock::new(|| {
        regex::Regex::new(r"[a-z0-9]+/[A-Z][A-Za-z0-9]*/[A-Za-z][A-Za-z0-9_-]*").expect("a pattern")
    });
    let text = value.to_string();
    let other = ID.replace_all(&text, |found: &regex::Captures<'_>| {
        let id = found[0].parse::<ResourceId>().expect("an id");
        names.get(&id).unwrap_or(&id).to_string()
    });
    serde_json::from_str(&other).expect("JSON")
}

impl Drawn {
    pub fn desired(&self, place: &Place) -> Desired {
        let mut desired = Desired {
            environment: "dev".to_owned(),
            owner: Owner("acme/laws/dev".to_owned()),
            place: place.clone(),
            name_prefix: "t-".to_owned(),
            resources: BTreeMap::new(),
            images: BTreeMap::new(),
            limits: Limits::default(),
            allow_delete: Vec::new(),
            existing: BTreeMap::new(),
            outputs: BTreeMap::new(),
        };
        let mut add = |of_kind: &str, name: String, label: &str, spec: Value| {
            let kind = kind(of_kind).expect("a kind");
            let spec = kind.normal(&spec, place).unwrap_or_else(|error| panic!("{of_kind} {spec}: {error}"));
            let id = ResourceId::new(of_kind, name);
            let declared = Declared {
                physical_name: kind.physical(&spec, &format!("t-{label}"), place),
                id: id.clone(),
                spec,
                tags: BTreeMap::new(),
                stack: "main".to_owned(),
                protect: false,
                ignore: Vec::new(),
                on_delete: OnDelete::Refuse,
                depends_on: Vec::new(),
                renamed_from: None,
                lifecycle: Lifecycle::default(),
                runs_on: Default::default(),
                position: Position { file: format!("{label}.yaml"), line: 1, column: 1 },
                positions: BTreeMap::new(),
            };
            desired.resources.insert(id, declared);
        };
        add("ec2/Vpc", "v".to_owned(), "v", json!({"cidrBlock": "10.0.0.0/16"}));
        let there =
            |count: usize, of: &dyn Fn(usize) -> bool| (0..count).filter(|it| of(*it)).collect::<Vec<_>>();
        let groups = there(self.groups.len(), &|at| self.groups[at].there);
        let roles = there(self.roles.len(), &|at| self.roles[at].there);
        let pick = |from: &[usize], at: usize| (!from.is_empty()).then(|| from[at % from.len()]);
        let group = |label: usize| format!("g{label}");
        let role = |label: usize| format!("r{label}");
        let role_arn = |label: usize| format!("${{iam/Role/{}.arn}}", role(label));
        for label in &groups {
            let drawn = &self.groups[*label];
            let rules = |of: &[usize], field: &str| {
                let targets: BTreeSet<usize> = of.iter().filter_map(|at| pick(&groups, *at)).collect();
                let rule = |target: usize| json!({"ipProtocol": "tcp", "fromPort": 5432, "toPort": 5432, field: format!("${{ec2/SecurityGroup/{}.id}}", group(target))});
                targets.into_iter().map(rule).collect::<Vec<_>>()
            };
            let spec = json!({
                "groupDescription": if drawn.description { "one" } else { "another" },
                "vpcId": "${ec2/Vpc/v.id}",
                "securityGroupIngress": rules(&drawn.from, "sourceSecurityGroupId"),
                "securityGroupEgress": rules(&drawn.to, "destinationSecurityGroupId"),
            });
            add("ec2/SecurityGroup", group(*label), &format!("g{label}"), spec);
        }
        let statement = |principal: Value, action: &str| json!({"Effect": "Allow", "Principal": principal, "Action": action});
        for label in &roles {
            let drawn = &self.roles[*label];
            let mut trust = Vec::new();
            for (at, by_reference) in &drawn.trusts {
                let Some(target) = pick(&roles, *at) else { continue };
                let path = if self.roles[target].path { "/batch/" } else { "/" };
                let arn = match by_reference {
                    true => role_arn(target),
                    false => place.iam_arn(&format!("role{path}t-r{target}")),
                };
                trust.push(statement(json!({"AWS": arn}), "sts:AssumeRole"));
            }
            if drawn.service || trust.is_empty() {
                trust.push(statement(json!({"Service": "ecs-tasks.amazonaws.com"}), "sts:AssumeRole"));
            }
            let resources: BTreeSet<String> =
                drawn.names.iter().filter_map(|at| pick(&roles, *at)).map(role_arn).collect();
            let policies = match resources.is_empty() {
                true => json!([]),
                false => {
                    json!([{"policyName": "p", "policyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resources}]}}])
                }
            };
            let attached = if drawn.attached { json!(["${iam/Policy/p.arn}"]) } else { json!([]) };
            let spec = json!({
                "path": if drawn.path { "/batch/" } else { "/" },
                "assumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": trust},
                "policies": policies,
                "managedPolicyArns": attached,
            });
            add("iam/Role", role(*label), &format!("r{label}"), spec);
        }
        let arns = |of: &[usize]| -> Option<Vec<String>> {
            let found: BTreeSet<usize> = of.iter().filter_map(|at| pick(&roles, *at)).collect();
            (!found.is_empty()).then(|| found.into_iter().map(role_arn).collect())
        };
        let passed = arns(&self.policy).unwrap_or_else(|| vec!["*".to_owned()]);
        let document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:PassRole", "Resource": passed}]});
        add("iam/Policy", "p".to_owned(), "p", json!({"policyDocument": document}));
        let about = |of: &[usize], action: &str, resource: Option<&str>| {
            let mut statement = statement(json!({"AWS": arns(of)?}), action);
            if let Some(resource) = resource {
                statement["Resource"] = json!(resource);
            }
            Some(json!({"Version": "2012-10-17", "Statement": [statement]}))
        };
        let bucket = format!("b{}", place.account);
        let policy = about(&self.bucket, "s3:GetObject", Some(&format!("arn:aws:s3:::t-{bucket}/*")));
        add("s3/Bucket", "b".to_owned(), &bucket, json!({"policy": policy}));
        let text = about(&self.repository, "ecr:BatchGetImage", None);
        add("ecr/Repository", "i".to_owned(), "i", json!({"repositoryPolicyText": text}));
        if let Some(role) = self.job.and_then(|at| pick(&roles, at)) {
            let container = json!({"image": "busybox:1", "jobRoleArn": role_arn(role), "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]});
            add(
                "batch/JobDefinition",
                "j".to_owned(),
                "j",
                json!({"type": "container", "containerProperties": container}),
            );
        }
        desired
    }
}

/// What a plan comes to, whatever its resources are called: sorted, with the names of the stack in which nothing is exchanged.
fn shape(plan: &Plan, observed: &Observed, before: &BTreeMap<ResourceId, ResourceId>) -> Vec<String> {
    let mut ids: Vec<(String, String)> = Vec::new();
    for (id, seen) in &observed.resources {
        for live in seen.iter().filter(|live| live.physical.starts_with("sim-")) {
            ids.push((live.physical.clone(), format!("<{id} {}>", live.generation())));
        }
    }
    let line = |value: &Value| {
        let mut text = value.to_string();
        for (id, name) in &ids {
            text = text.replace(id, name);
        }
        sorted(&with_names(&serde_json::from_str(&text).expect("JSON"), before)).to_string()
    };
    let mut lines = Vec::new();
    for change in &plan.changes {
        let mut change = json!(change);
        change.as_object_mut().expect("an object").remove("digests");
        lines.push(format!("change {}", line(&change)));
    }
    for step in &plan.steps {
        let named = |id: &usize| {
            let step = &plan.steps[*id];
            format!("{:?} {} {} {}", step.verb, step.resource, step.physical, step.without.len())
        };
        let mut value = json!(step);
        let after: BTreeSet<String> = step.after.iter().map(named).collect();
        value["after"] = json!(after);
        value["id"] = json!(0);
        lines.push(format!("step {}", line(&value)));
    }
    // How to say that something was only renamed hangs on its names by nature: what bears a name of its own in AWS is made anew.
    let renamed = regex::Regex::new("; or, if it is only renamed[^\"]*").expect("a pattern");
    let objections = plan.objections.iter().map(|objection| format!("objection {}", line(&json!(objection))));
    lines.extend(objections.map(|objection| renamed.replace_all(&objection, "").into_owned()));
    let warnings = plan.warnings.iter().map(|warning| format!("warning {}", line(&json!(warning))));
    lines.extend(warnings.filter(|warning| !warning.contains("renamedFrom")));
    lines.extend(plan.due.iter().map(|due| format!("due {}", line(&json!(due)))));
    lines.sort();
    lines
}

/// Lists in order: the order of a set says nothing, and names decide it.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(sorted).collect();
            items.sort_by_cached_key(Value::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
        other => other.clone(),
    }
}

fn planned(cloud: &Simulated, desired: &Desired) -> (Plan, Observed) {
    let observed = now(cloud.observe(&Scope::of(desired))).expect("memory can be read");
    let all = observed.resources.keys().chain(desired.resources.keys()).cloned().collect();
    let guard = Guard { allow_delete: all, ..Guard::default() };
    let plan = plan(&Request::new(desired, &observed, KINDS, &guard));
    assert_eq!(check(&plan), Vec::<String>::new(), "{:#?}", plan.steps);
    (plan, observed)
}

/// Applies what is planned; whether it could be.
fn apply(cloud: &Simulated, desired: &Desired) -> Result<bool, TestCaseError> {
    let (plan, observed) = planned(cloud, desired);
    if !plan.objections.is_empty() {
        return Ok(false);
    }
    let report = Run { cloud, desired }.execute(&plan, &observed);
    let failures: Vec<_> = report.failures().map(|(id, failure)| (&plan.steps[id], failure)).collect();
    prop_assert!(report.complete(), "{failures:#?}");
    let (left, _) = planned(cloud, desired);
    prop_assert!(left.is_empty(), "after an apply that succeeded: {:#?}", left.changes);
    Ok(true)
}

/// Each stage applied, one after the other, and planned under both names.
fn law(stages: &[Desired], exchange: u64, seed: u64) -> Result<(), TestCaseError> {
    let mut shapes: Vec<Vec<Vec<String>>> = Vec::new();
    for names in [0, exchange] {
        let cloud = Simulated::new(KINDS, stages[0].place.clone()).slow(seed);
        let mut planned_here = Vec::new();
        for stage in stages {
            let (desired, before) = exchanged_within(stage, stages, names);
            let (plan, observed) = planned(&cloud, &desired);
            planned_here.push(shape(&plan, &observed, &before));
            apply(&cloud, &desired)?;
        }
        shapes.push(planned_here);
    }
    for (of_names, of_others) in shapes[0].iter().zip(&shapes[1]) {
        prop_assert_eq!(of_names, of_others);
    }
    Ok(())
}

/// A stage with names exchanged in the same way as in all others.
fn exchanged_within(
    stage: &Desired,
    stages: &[Desired],
    seed: u64,
) -> (Desired, BTreeMap<ResourceId, ResourceId>) {
    let mut all = stage.clone();
    for other in stages {
        for (id, declared) in &other.resources {
            all.resources.entry(id.clone()).or_insert_with(|| declared.clone());
        }
    }
    let (mut desired, before) = exchanged(&all, seed);
    desired.resources.retain(|id, _| before.get(id).is_some_and(|id| stage.resources.contains_key(id)));
    (desired, before)
}

fn nothing(desired: &Desired) -> Desired {
    Desired { resources: BTreeMap::new(), ..desired.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(50), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_names_decides_nothing(before in drawn(), after in drawn(), exchange in 1..u64::MAX, seed in any::<u64>()) {
        let place = Place::new("111111111111", "us-east-1");
        let (before, after) = (before.desired(&place), after.desired(&place));
        law(&[before.clone(), after, nothing(&before)], exchange, seed)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(12), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nor_does_it_in_the_payments_stack(before in edits(), after in edits(), exchange in 1..u64::MAX, seed in any::<u64>()) {
        let (before, after) = (edited(&before), edited(&after));
        law(&[before.clone(), after, nothing(&before)], exchange, seed)?;
    }
}
