//! The order of names decides nothing: with every logical name exchanged, the plan is the same plan, and what it does comes to the
//! same. On stacks whose resources name each other in every way that AWS allows, in a cloud in which steps overtake each other.

use std::collections::{BTreeMap, BTreeSet};

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::kinds::{KINDS, kind};
use batchwright::plan::{Guard, Plan, check, plan};
use batchwright::resource::{
    Declared, Desired, Lifecycle, Limits, Observed, OnDelete, Owner, Place, Position, ResourceId,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Run, cases, now};

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

/// Which logical name stands for which label; the label is what the thing is called in AWS.
#[derive(Clone, Copy)]
struct Named(u64);

impl Named {
    /// The labels of a kind, in the order in which their names are given out.
    fn order(self, prefix: &str, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        let key = |label: &usize| {
            let text = format!("{}{prefix}{label}", self.0);
            text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
        };
        if self.0 > 0 {
            order.sort_by_key(key);
        }
        order
    }

    fn of(self, prefix: &str, label: usize, count: usize) -> String {
        let place = self.order(prefix, count).iter().position(|other| *other == label);
        format!("{prefix}{}x", place.expect("it is one of them"))
    }

    /// Every logical name with the one that the same thing has where nothing is exchanged.
    fn back(self, prefix: &str, count: usize) -> impl Iterator<Item = (String, String)> {
        (0..count).map(move |label| (self.of(prefix, label, count), Named(0).of(prefix, label, count)))
    }
}

const MOST: usize = 5;

impl Drawn {
    fn desired(&self, named: Named) -> Desired {
        let place = Place::new("111111111111", "us-east-1");
        let mut desired = Desired {
            environment: "dev".to_owned(),
            owner: Owner("acme/laws/dev".to_owned()),
            place: place.clone(),
            name_prefix: "t-".to_owned(),
            resources: BTreeMap::new(),
            images: BTreeMap::new(),
            limits: Limits::default(),
            allow_delete: Vec::new(),
        };
        let mut add = |of_kind: &str, name: String, label: &str, spec: Value| {
            let kind = kind(of_kind).expect("a kind");
            let spec = kind.normal(&spec, &place).unwrap_or_else(|error| panic!("{of_kind} {spec}: {error}"));
            let id = ResourceId::new(of_kind, name);
            let declared = Declared {
                physical_name: kind.physical(&spec, &format!("t-{label}"), &place),
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
        let group = |label: usize| named.of("g", label, MOST);
        let role = |label: usize| named.of("r", label, MOST);
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
                    false => format!("arn:aws:iam::111111111111:role{path}t-r{target}"),
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
        let policy = about(&self.bucket, "s3:GetObject", Some("arn:aws:s3:::t-b/*"));
        add("s3/Bucket", named.of("b", 0, 1), "b", json!({"policy": policy}));
        let text = about(&self.repository, "ecr:BatchGetImage", None);
        add("ecr/Repository", named.of("i", 0, 1), "i", json!({"repositoryPolicyText": text}));
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
fn shape(plan: &Plan, observed: &Observed, named: Named) -> Vec<String> {
    let mut ids: Vec<(String, String)> = Vec::new();
    for (id, seen) in &observed.resources {
        for live in seen.iter().filter(|live| live.physical.starts_with("sim-")) {
            let generation = live.generation();
            ids.push((live.physical.clone(), format!("<{id} {generation}>")));
        }
    }
    let exchanged: BTreeMap<String, String> = named.back("g", MOST).chain(named.back("r", MOST)).collect();
    let word = regex::Regex::new(r"\b[gr]\dx\b").expect("a pattern");
    let back = |value: &Value| {
        let mut text = value.to_string();
        for (id, name) in &ids {
            text = text.replace(id, name);
        }
        word.replace_all(&text, |found: &regex::Captures<'_>| exchanged[&found[0]].clone()).into_owned()
    };
    let line = |text: String| sorted(&serde_json::from_str(&text).expect("JSON")).to_string();
    let mut lines = Vec::new();
    for change in &plan.changes {
        let mut change = json!(change);
        change.as_object_mut().expect("an object").remove("seal");
        lines.push(format!("change {}", line(back(&change))));
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
        lines.push(format!("step {}", line(back(&value))));
    }
    for objection in &plan.objections {
        lines.push(format!("objection {}", line(back(&json!(objection)))));
    }
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
    let guard = Guard { allow_delete: all, destroy: true, ..Guard::default() };
    let plan = plan(desired, &observed, KINDS, &guard);
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

/// Before, after, and nothing: each applied, and planned under both names.
fn law(before: &Drawn, after: &Drawn, exchange: u64, seed: u64) -> Result<(), TestCaseError> {
    let mut shapes: Vec<Vec<Vec<String>>> = Vec::new();
    for named in [Named(0), Named(exchange)] {
        let cloud = Simulated::new(KINDS, Place::new("111111111111", "us-east-1")).slow(seed);
        let mut planned_here = Vec::new();
        let mut nothing = before.desired(named);
        nothing.resources.clear();
        for desired in [before.desired(named), after.desired(named), nothing] {
            let (plan, observed) = planned(&cloud, &desired);
            planned_here.push(shape(&plan, &observed, named));
            apply(&cloud, &desired)?;
        }
        shapes.push(planned_here);
    }
    for (of_names, of_others) in shapes[0].iter().zip(&shapes[1]) {
        prop_assert_eq!(of_names, of_others);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(120), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_names_decides_nothing(before in drawn(), after in drawn(), exchange in 1..u64::MAX, seed in any::<u64>()) {
        law(&before, &after, exchange, seed)?;
    }
}
