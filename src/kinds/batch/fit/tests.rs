use serde_json::{Value, json};

use super::needs;
use super::offer::{Fit, fit};
use crate::value::instance_type::Architecture;

fn verdict(job: Value, resources: Value) -> String {
    verdict_of(job, resources, None)
}

fn verdict_of(job: Value, resources: Value, architecture: Option<Architecture>) -> String {
    let mut job = job;
    job["type"] = if job["nodeProperties"].is_null() { json!("container") } else { json!("multinode") };
    let job = serde_json::from_value(job).unwrap();
    let mut environment = json!({"type": "MANAGED", "computeResources": resources});
    for (name, value) in [("subnets", json!(["subnet-1"])), ("maxvCpus", json!(256))] {
        let all = environment["computeResources"].as_object_mut().unwrap();
        all.entry(name).or_insert(value);
    }
    let environment = serde_json::from_value(environment).unwrap();
    let needs = needs::of(&job).into_iter().map(|needs| needs::Needs { architecture, ..needs });
    let fits = needs.map(|needs| fit(&needs, &environment, "ce"));
    match fits.max_by_key(Fit::rank).unwrap() {
        Fit::Sure => "fits".to_owned(),
        Fit::Doubtful(gap) => format!("perhaps: {}", gap.message),
        Fit::Not(gap) => format!("no: {}", gap.message),
    }
}

fn container(requirements: &[(&str, &str)]) -> Value {
    let all: Vec<Value> =
        requirements.iter().map(|(kind, value)| json!({"type": kind, "value": value})).collect();
    json!({"containerProperties": {"image": "worker", "resourceRequirements": all}})
}

fn job(vcpus: &str, memory: &str) -> Value {
    container(&[("VCPU", vcpus), ("MEMORY", memory)])
}

fn on(types: &[&str]) -> Value {
    json!({"type": "EC2", "instanceTypes": types, "instanceRole": "ecsInstanceRole"})
}

/// A first system's lesson: "if you want to use an m5.xlarge, specify 15000 […]. This falls slightly below the 16384 […] available".
#[test]
fn an_instance_keeps_some_of_its_memory() {
    assert_eq!(verdict(job("4", "15000"), on(&["m5.xlarge"])), "fits");
    insta::assert_snapshot!(verdict(job("4", "16384"), on(&["m5.xlarge"])), @"no: needs 16384 MiB; of the 16384 MiB of m5.xlarge, the largest of ce for it, the system and the ECS agent keep some: ask for 15532 or less, or add m5.2xlarge to its computeResources.instanceTypes");
    insta::assert_snapshot!(verdict(job("4", "15900"), on(&["m5.xlarge"])), @"perhaps: needs 15900 MiB; m5.xlarge of ce has 16384, of which the system and the ECS agent keep some: 15532 MiB are left in any case");
    // "job needs 8096 MiB on an instance with 7680".
    insta::assert_snapshot!(verdict(job("2", "8192"), on(&["m5.large", "c5"])), @"fits");
    insta::assert_snapshot!(verdict(job("2", "8192"), on(&["m5.large"])), @"no: needs 8192 MiB; of the 8192 MiB of m5.large, the largest of ce for it, the system and the ECS agent keep some: ask for 7750 or less, or add m5.xlarge to its computeResources.instanceTypes");
}

#[test]
fn the_smallest_change_is_named() {
    insta::assert_snapshot!(verdict(job("8", "1024"), on(&["m5.xlarge"])), @"no: needs 8 vCPUs, and ce has no instance type with more than 4 (m5.xlarge): ask for 4 or less, or add m5.2xlarge to its computeResources.instanceTypes");
    insta::assert_snapshot!(verdict(container(&[("GPU", "1"), ("VCPU", "4"), ("MEMORY", "4096")]), on(&["m5"])), @"no: needs 1 GPU, and ce has no instance type with a GPU: add g4dn.xlarge to its computeResources.instanceTypes");
    insta::assert_snapshot!(verdict(container(&[("GPU", "2"), ("VCPU", "4"), ("MEMORY", "4096")]), on(&["g4dn.xlarge"])), @"no: needs 2 GPUs, and ce has none with more than 1 (g4dn.xlarge): add g4dn.12xlarge to its computeResources.instanceTypes");
    let mut small = on(&["m5"]);
    small["maxvCpus"] = json!(4);
    insta::assert_snapshot!(verdict(job("8", "1024"), small), @"no: needs 8 vCPUs, and ce never has more than 4: set its computeResources.maxvCpus to 8 or more");
    insta::assert_snapshot!(verdict(job("900", "1024"), {
        let mut all = on(&["m5"]);
        all["maxvCpus"] = json!(2000);
        all
    }), @"no: needs 900 vCPUs, and ce has no instance type with more than 96 (m5.24xlarge): ask for 96 or less");
}

/// What Batch chooses depends on the region and the day: sure is what the oldest families hold, and impossible what none does.
#[test]
fn what_batch_chooses_is_known_within_limits() {
    assert_eq!(verdict(job("2", "4096"), on(&["optimal"])), "fits");
    insta::assert_snapshot!(verdict(job("128", "4096"), on(&["optimal"])), @"perhaps: fits c6i.32xlarge, which Batch may choose for ce or not: say which in its computeResources.instanceTypes");
    insta::assert_snapshot!(verdict(container(&[("GPU", "1")]), on(&["optimal"])), @"no: needs 1 GPU, and ce has no instance type with a GPU: add g6f.large to its computeResources.instanceTypes");
    insta::assert_snapshot!(verdict(job("2", "4096"), on(&["m99.large"])), @"perhaps: may run on m99.large of ce, of which nothing is known here");
}

#[test]
fn a_job_runs_where_its_platform_is() {
    let fargate = json!({"type": "FARGATE", "securityGroupIds": ["sg-1"]});
    insta::assert_snapshot!(verdict(job("2", "4096"), fargate.clone()), @"no: runs on EC2, and ce is FARGATE: set platformCapabilities to [FARGATE], or give a queue an environment of EC2");
    let mut both = job("2", "4096");
    both["platformCapabilities"] = json!(["EC2", "FARGATE"]);
    assert_eq!(verdict(both, fargate), "fits");
    let mut windows = job("2", "4096");
    windows["platformCapabilities"] = json!(["FARGATE"]);
    windows["containerProperties"]["runtimePlatform"] =
        json!({"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64"});
    insta::assert_snapshot!(verdict(windows, json!({"type": "FARGATE_SPOT"})), @"no: runs on Windows, and ce is FARGATE_SPOT, which has Linux only: use FARGATE");
}

/// <https://docs.aws.amazon.com/batch/latest/userguide/mnp-ce.html>
#[test]
fn all_nodes_count_and_none_is_on_spot() {
    let node = json!({"targetNodes": "0:", "container": job("8", "4096")["containerProperties"]});
    let nodes = json!({"nodeProperties": {"numNodes": 40, "mainNode": 0, "nodeRangeProperties": [node]}});
    insta::assert_snapshot!(verdict(nodes.clone(), on(&["m5"])), @"no: needs 320 vCPUs, and ce never has more than 256: set its computeResources.maxvCpus to 320 or more");
    let mut spot = on(&["m5"]);
    spot["type"] = json!("SPOT");
    spot["maxvCpus"] = json!(1000);
    insta::assert_snapshot!(verdict(nodes, spot), @"no: has several nodes, which Spot does not take: ce would have to be EC2");
}

/// "exec format error": <https://docs.aws.amazon.com/batch/latest/userguide/arm64.html> (images have to be built for the processors).
#[test]
fn an_image_is_built_for_the_processors_that_may_come() {
    let of = |types: &[&str], architecture| verdict_of(job("2", "4096"), on(types), Some(architecture));
    assert_eq!(of(&["m7g"], Architecture::Arm64), "fits");
    assert_eq!(of(&["m5", "m7g"], Architecture::Arm64), "fits");
    assert_eq!(of(&["default_arm64"], Architecture::Arm64), "fits");
    insta::assert_snapshot!(of(&["m5", "c5"], Architecture::Arm64), @"no: has an image for ARM64, and every instance type of ce is X86_64: build it for X86_64, or name types of ARM64");
    insta::assert_snapshot!(of(&["default_arm64"], Architecture::X86), @"no: has an image for X86_64, and every instance type of ce is ARM64: build it for ARM64, or name types of X86_64");
}
