//! What is looked up that is not ours, on a cloud in memory: found, moved, held, and in another environment.

use std::fs;
use std::path::Path;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Limits, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest::{self, Options};
use batchwright::permissions::{self, For};
use batchwright::plan::{Guard, Plan, Request, plan};
use batchwright::render::{self, Paint};
use batchwright::resource::{Desired, Observed};
use batchwright::value::existing::unfound;

const HEAD: &str = "project: acme/jobs\naccount: \"111111111111\"\nregion: eu-west-1\nstacks: [STACK]\nnamePrefix: ${env.name}-\n";
const TRUST: &str = "assumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]}";

/// The environment `dev` of stack `jobs`, and `net` of stack `net`, each with what is said of it.
fn folder(dev: &str, jobs: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("dev/environment.yaml", &(HEAD.replace("STACK", "jobs") + dev));
    write("net/environment.yaml", &HEAD.replace("STACK", "net"));
    write("stacks/jobs/jobs.yaml", jobs);
    write(
        "stacks/net/net.yaml",
        "apiVersion: batchwright/v1\nkind: ec2/Vpc\nmetadata: {name: main, tags: {Tier: a}}\nspec: {cidrBlock: 10.0.0.0/16}\n",
    );
    folder
}

fn load(root: &Path, name: &str) -> Desired {
    let loaded = manifest::load(root, name, &Options::default());
    loaded.unwrap_or_else(|errors| panic!("{}", errors.to_string().replace(&*root.to_string_lossy(), "")))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn observed(cloud: &Simulated, desired: &Desired) -> Observed {
    now(cloud.observe(&Scope::of(desired))).unwrap()
}

fn planned(cloud: &Simulated, desired: &Desired) -> Plan {
    plan(&Request::new(desired, &observed(cloud, desired), KINDS, &Guard::default()))
}

fn apply(cloud: &Simulated, desired: &Desired) -> Plan {
    let seen = observed(cloud, desired);
    assert_eq!(unfound(desired, &seen.surroundings), []);
    let made = plan(&Request::new(desired, &seen, KINDS, &Guard::default()));
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let report = now(execute(&made, &seen, cloud, KINDS, &Limits::default(), stop, &mut |_| ()));
    assert!(report.complete(), "{:?}", report.failures().collect::<Vec<_>>());
    made
}

/// The lines of a text about these words, without the folder that they name.
fn lines(text: &str, words: &[&str]) -> String {
    let about = |line: &&str| words.iter().any(|word| line.contains(word));
    text.lines().filter(about).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_parameter_that_moves_is_a_change_of_its_own_and_none_where_it_is_held() {
    let ami = "existing: {ami: {ssm: /ecs/image}}\n";
    let role = format!(
        "apiVersion: batchwright/v1\nkind: iam/Role\nmetadata: {{name: job}}\nspec: {{description: \"${{existing.ami.value}}\", {TRUST}}}\n"
    );
    let folder = folder(ami, &role);
    let desired = load(folder.path(), "dev");
    let cloud = Simulated::new(KINDS, desired.place.clone());
    cloud.set_parameter("/ecs/image", "ami-1");
    apply(&cloud, &desired);
    assert!(planned(&cloud, &desired).is_empty());

    cloud.set_parameter("/ecs/image", "ami-2");
    let moved = planned(&cloud, &desired);
    insta::assert_snapshot!(lines(&render::plan(&moved, Paint::none()), &["ami", "Plan:"]), @r#"
      existing.ami  ami-2  parameter /ecs/image
        ~ description: "ami-1" → "ami-2"
    Plan: 0 to add, 1 to change, 0 to replace, 0 to delete.
    "#);
    insta::assert_snapshot!(lines(&render::drift(&moved, Paint::none()), &["oved", "ami"]), @r#"
    Moved: what is looked up is another now than what AWS has:
      existing.ami  ami-2  parameter /ecs/image
        description: live has "ami-1", git says "ami-2"
    Drift: 0 missing, 0 different, 0 not declared, 1 moved, 0 as declared.
    "#);

    // Held, nothing rolls: the newer one is only told.
    let file = folder.path().join("dev/environment.yaml");
    let held = manifest::held(&fs::read_to_string(&file).unwrap(), "ami", "ami-1").unwrap();
    fs::write(&file, held).unwrap();
    let desired = load(folder.path(), "dev");
    let kept = planned(&cloud, &desired);
    assert!(kept.is_empty(), "{}", render::plan(&kept, Paint::none()));
    insta::assert_snapshot!(lines(&render::plan(&kept, Paint::none()), &["ami"]), @"  existing.ami  ami-1  parameter /ecs/image, held; found now is ami-2; `batchwright hold dev ami` takes it");
}

#[test]
fn what_another_environment_has_is_found_and_neither_owned_nor_deleted() {
    let existing = "existing:\n  vpc: {environment: net, resource: ec2/Vpc/main}\n  same: {kind: ec2/Vpc, tags: {Tier: a}}\n  here: {kind: ec2/SecurityGroup, where: {vpcId: \"${existing.vpc.id}\"}, all: true}\noutputs: {vpc: \"${existing.same.cidrBlock}\"}\n";
    let group = "apiVersion: batchwright/v1\nkind: ec2/SecurityGroup\nmetadata: {name: jobs}\nspec: {groupDescription: jobs, vpcId: \"${existing.vpc.id}\"}\n";
    let folder = folder(existing, group);
    let (net, dev) = (load(folder.path(), "net"), load(folder.path(), "dev"));
    let cloud = Simulated::new(KINDS, dev.place.clone());
    let before = unfound(&dev, &observed(&cloud, &dev).surroundings);
    let said: Vec<&str> = before.iter().map(|it| it.message.as_str()).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    `existing.here` finds nothing: there is no ec2/SecurityGroup whose vpcId is ${existing.vpc.id} in 111111111111 eu-west-1
    `existing.same` finds nothing: there is no ec2/Vpc tagged Tier=a in 111111111111 eu-west-1
    `existing.vpc` finds nothing: there is no ec2/Vpc/main of acme/jobs/net in 111111111111 eu-west-1
    ");
    apply(&cloud, &net);
    let vpc = observed(&cloud, &net).resources.into_values().find_map(|seen| seen.current).unwrap();
    let mut seen = observed(&cloud, &dev);
    assert_eq!(unfound(&dev, &seen.surroundings).len(), 1, "no group yet");
    assert_eq!(seen.surroundings.found["vpc"].matches[0].physical, vpc.physical);
    seen.surroundings.found.remove("here");
    let made = plan(&Request::new(&dev, &seen, KINDS, &Guard::default()));
    assert_eq!(made.steps[0].want["vpcId"], vpc.physical);
    // Nothing of it is in any step, also where all of ours goes.
    let destroy = Guard { destroy: true, ..Guard::default() };
    assert!(plan(&Request::new(&dev, &seen, KINDS, &destroy)).steps.is_empty());
}

#[test]
fn what_a_lookup_reads_is_allowed() {
    let existing = "existing:\n  ami: {ssm: /aws/service/x}\n  own: {ssm: mine}\n  role: {kind: iam/Role, name: admin}\n  data: {kind: s3/Bucket, name: shared-data}\noutputs: {zone: \"${zones.0}\"}\n";
    let group = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\n";
    let folder = folder(existing, group);
    let text = permissions::document(&load(folder.path(), "dev"), For::Plan).to_string();
    for said in [
        "\"arn:aws:ssm:eu-west-1::parameter/aws/service/x\"",
        "\"arn:aws:ssm:eu-west-1:111111111111:parameter/mine\"",
        "ssm:GetParameters",
        "ec2:DescribeAvailabilityZones",
        "\"arn:aws:s3:::shared-data\"",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let without = load(folder.path(), "net");
    let text = permissions::document(&without, For::Plan).to_string();
    assert!(!text.contains("ssm:") && !text.contains("DescribeAvailabilityZones"), "{text}");
}

/// A stack's `*` means what the stack declares, though another's name begins with its own.
#[test]
fn all_of_a_stack_are_its_own() {
    let group = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\n";
    let policy = "spec: {policyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: logs:PutLogEvents, Resource: [\"${logs/LogGroup/*.arn}\"]}]}}";
    let stack = format!(
        "{group}---\napiVersion: batchwright/v1\nkind: iam/Policy\nmetadata: {{name: write}}\n{policy}\n"
    );
    let folder = folder("", &stack);
    let file = folder.path().join("dev/environment.yaml");
    let head = fs::read_to_string(&file).unwrap();
    fs::write(&file, head.replace("[jobs]", "[{use: jobs, name: gpu}, {use: jobs, name: gpu-big}]")).unwrap();
    let desired = load(folder.path(), "dev");
    let resources = |name: &str| {
        let policy = &desired.resources[&format!("iam/Policy/{name}").parse().unwrap()];
        policy.spec["policyDocument"]["Statement"][0]["Resource"].to_string()
    };
    assert_eq!(resources("gpu-write"), "[\"${logs/LogGroup/gpu-jobs.arn}\"]");
    assert_eq!(resources("gpu-big-write"), "[\"${logs/LogGroup/gpu-big-jobs.arn}\"]");
}

/// What a lookup finds has to have what is asked of it, and stands for itself.
#[test]
fn what_is_found_is_looked_at_before_anything_is_planned() {
    let existing = "existing:\n  one: {ssm: /one}\n  vpc: {environment: net, resource: ec2/Vpc/main}\noutputs: {zone: \"${zones.9}\"}\n";
    let role = format!(
        "apiVersion: batchwright/v1\nkind: iam/Role\nmetadata: {{name: job}}\nspec: {{description: \"${{existing.one.value}} ${{existing.vpc.ipv6CidrBlock}}\", {TRUST}}}\n"
    );
    let folder = folder(existing, &role);
    let (net, dev) = (load(folder.path(), "net"), load(folder.path(), "dev"));
    let cloud = Simulated::new(KINDS, dev.place.clone());
    apply(&cloud, &net);
    cloud.set_parameter("/one", "see ${iam/Role/job.arn}");
    let mut seen = observed(&cloud, &dev);
    let vpc = &mut seen.surroundings.found.get_mut("vpc").unwrap().matches[0];
    vpc.outputs.remove("ipv6CidrBlock");
    let said: Vec<String> = unfound(&dev, &seen.surroundings).into_iter().map(|it| it.message).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    what `existing.one` finds holds `${…}`, which would be taken for a reference
    `${zones.9}` is none of the zones that the account has in eu-west-1
    sim-0001, which `existing.vpc` finds, has no `ipv6CidrBlock`
    ");
}

/// What somebody changed by hand is no lookup that moved, where the lookup is held.
#[test]
fn what_is_held_does_not_move() {
    let ami = "existing: {ami: {ssm: /ecs/image, held: ami-1}}\n";
    let role = format!(
        "apiVersion: batchwright/v1\nkind: iam/Role\nmetadata: {{name: job}}\nspec: {{description: \"${{existing.ami.value}}\", {TRUST}}}\n"
    );
    let folder = folder(ami, &role);
    let desired = load(folder.path(), "dev");
    let cloud = Simulated::new(KINDS, desired.place.clone());
    apply(&cloud, &desired);
    let seen = observed(&cloud, &desired);
    let mut role = seen.resources[&"iam/Role/job".parse().unwrap()].current.clone().unwrap();
    role.spec["description"] = "by hand".into();
    cloud.put("iam/Role", role);
    let drift = render::drift(&planned(&cloud, &desired), Paint::none());
    insta::assert_snapshot!(lines(&drift, &["Drift:"]), @"Drift: 0 missing, 1 different, 0 not declared, 0 as declared.");
}
