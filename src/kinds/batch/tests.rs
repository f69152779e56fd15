//! The kinds of Batch on the sandbox: made, changed field by field, drifted, healed, deleted.

use aws_sdk_batch::types as sdk;
use serde_json::{Value, json};

use crate::kinds::trial::Trial;
use crate::resource::{Incarnation, OnDelete, Readiness};
use crate::services::batch::Batch;
use crate::services::ec2::Ec2;
use crate::services::iam::Iam;

/// Two subnets, and a security group.
async fn network(trial: &Trial) -> (Vec<String>, String) {
    let client = trial.client::<Ec2>();
    let vpc = client.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).unwrap().to_owned();
    let mut subnets = Vec::new();
    for block in ["10.0.0.0/24", "10.0.1.0/24"] {
        let made = client.create_subnet().vpc_id(&vpc).cidr_block(block).send().await.unwrap();
        subnets.push(made.subnet().and_then(|subnet| subnet.subnet_id()).unwrap().to_owned());
    }
    let group = client.create_security_group().vpc_id(&vpc).group_name("jobs").description("jobs");
    let group = group.send().await.unwrap().group_id().unwrap().to_owned();
    (subnets, group)
}

/// An instance profile.
async fn profile(trial: &Trial, name: &str) -> String {
    let made =
        trial.client::<Iam>().create_instance_profile().instance_profile_name(name).send().await.unwrap();
    made.instance_profile().unwrap().arn().to_owned()
}

/// A launch template of so many versions.
async fn template(trial: &Trial, name: &str, versions: usize) -> String {
    let ec2 = trial.client::<Ec2>();
    let data = || aws_sdk_ec2::types::RequestLaunchTemplateData::builder().ebs_optimized(true).build();
    let made = ec2.create_launch_template().launch_template_name(name).launch_template_data(data());
    let id = made.send().await.unwrap().launch_template.unwrap().launch_template_id.unwrap();
    for _ in 1..versions {
        let more = ec2.create_launch_template_version().launch_template_id(&id).launch_template_data(data());
        more.send().await.unwrap();
    }
    id
}

async fn gone(trial: &Trial) {
    // Disable, delete.
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert!(trial.look(true).await.unwrap().is_some());
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
    assert_eq!(trial.look(false).await.unwrap(), None);
}

/// Settles each spec in turn, and sees that a fresh look differs in nothing.
async fn settles(trial: &Trial, specs: &[Value]) -> Incarnation {
    let mut last = None;
    for spec in specs {
        let live = trial.settle(spec).await;
        assert_eq!(live.readiness, Readiness::Ready, "{spec}");
        assert_eq!(trial.differs(&trial.look(false).await.unwrap().unwrap(), spec), []);
        last = Some(live);
    }
    last.unwrap()
}

fn with(spec: &Value, changes: &[(&str, Value)]) -> Value {
    let mut spec = spec.clone();
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        spec.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    spec
}

#[tokio::test]
async fn a_fargate_environment_lives() {
    let trial = Trial::new("batch/ComputeEnvironment", "fargate").await;
    let (subnets, group) = network(&trial).await;
    let spec = json!({"type": "MANAGED", "computeResources": {
        "type": "FARGATE", "maxvCpus": 4, "subnets": [subnets[0]], "securityGroupIds": [group]}});
    settles(
        &trial,
        &[
            spec.clone(),
            with(
                &spec,
                &[("/computeResources/maxvCpus", json!(8)), ("/computeResources/subnets", json!(subnets))],
            ),
            with(
                &spec,
                &[("/state", json!("DISABLED")), ("/ecsSettings", json!({"containerInsights": "ENABLED"}))],
            ),
            with(&spec, &[("/updatePolicy", json!({"terminateJobsOnUpdate": true}))]),
            spec.clone(),
        ],
    )
    .await;
    let client = trial.client::<Batch>();
    let change = sdk::ComputeResourceUpdate::builder().maxv_cpus(1).build();
    let drift = client.update_compute_environment().compute_environment("fargate").compute_resources(change);
    drift.state(sdk::CeState::Disabled).send().await.unwrap();
    let drifted = trial.look(true).await.unwrap().unwrap();
    let paths: Vec<String> = trial.differs(&drifted, &spec).into_iter().map(|change| change.path).collect();
    assert_eq!(paths, ["computeResources.maxvCpus", "state"]);
    settles(&trial, &[spec]).await;
    gone(&trial).await;
}

#[tokio::test]
async fn an_environment_of_instances_changes_field_by_field() {
    let trial = Trial::new("batch/ComputeEnvironment", "instances").await;
    let (subnets, group) = network(&trial).await;
    let (profile, other) = (profile(&trial, "batch").await, profile(&trial, "other").await);
    let template = template(&trial, "jobs", 3).await;
    let spec = json!({"type": "MANAGED", "computeResources": {
        "type": "EC2", "allocationStrategy": "BEST_FIT_PROGRESSIVE", "maxvCpus": 4,
        "instanceTypes": ["m5", "c5"], "instanceRole": profile, "subnets": [subnets[0]], "securityGroupIds": [group]}});
    let mut steps = vec![spec.clone()];
    for (field, value) in [
        ("minvCpus", json!(1)),
        ("instanceTypes", json!(["m5"])),
        ("instanceRole", json!(other)),
        ("imageId", json!("ami-12345678")),
        ("ec2KeyPair", json!("key")),
        ("placementGroup", json!("group")),
        ("subnets", json!(subnets)),
        ("tags", json!({"team": "a"})),
        ("ec2Configuration", json!([{"imageType": "ECS_AL2023_NVIDIA", "imageIdOverride": "ami-12345678"}])),
        ("scalingPolicy", json!({"minScaleDownDelayMinutes": 30})),
        ("launchTemplate", json!({"launchTemplateName": "jobs", "version": "3"})),
        ("launchTemplate", json!({"launchTemplateId": template})),
    ] {
        // There and back again: what is no longer declared is taken away.
        steps.push(with(&spec, &[(&format!("/computeResources/{field}"), value)]));
        steps.push(spec.clone());
    }
    steps.push(with(
        &spec,
        &[
            ("/computeResources/type", json!("SPOT")),
            ("/computeResources/allocationStrategy", json!("SPOT_CAPACITY_OPTIMIZED")),
            ("/computeResources/bidPercentage", json!(60)),
            ("/updatePolicy", json!({"jobExecutionTimeoutMinutes": 60})),
        ],
    ));
    settles(&trial, &steps).await;
    gone(&trial).await;
}

#[tokio::test]
async fn a_missing_profile_can_be_repaired() {
    let trial = Trial::new("batch/ComputeEnvironment", "early").await;
    let (subnets, group) = network(&trial).await;
    let spec = json!({"type": "MANAGED", "computeResources": {
        "type": "EC2", "allocationStrategy": "BEST_FIT_PROGRESSIVE", "maxvCpus": 4, "instanceTypes": ["m5"],
        "instanceRole": trial.place.iam_arn("instance-profile/batch"), "subnets": subnets, "securityGroupIds": [group]}});
    let live = trial.settle(&spec).await;
    assert!(
        matches!(&live.readiness, Readiness::Repairable(why) if why.contains("IamInstanceProfile")),
        "{live:?}"
    );
    profile(&trial, "batch").await;
    trial.update(&spec).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap().unwrap().readiness, Readiness::Ready);
}

#[tokio::test]
async fn a_queue_lives() {
    let trial = Trial::new("batch/JobQueue", "jobs").await;
    let (subnets, group) = network(&trial).await;
    for name in ["first", "second"] {
        let resources = sdk::ComputeResource::builder()
            .r#type(sdk::CrType::Fargate)
            .maxv_cpus(4)
            .set_subnets(Some(subnets.clone()))
            .security_group_ids(&group);
        let call = trial.client::<Batch>().create_compute_environment().compute_environment_name(name);
        call.r#type(sdk::CeType::Managed).compute_resources(resources.build()).send().await.unwrap();
    }
    let first = json!({"computeEnvironment": trial.place.arn("batch", "compute-environment/first")});
    let second = json!({"computeEnvironment": "second"});
    let spec = json!({"priority": 1, "computeEnvironmentOrder": [first]});
    let order = |entries: Value| with(&spec, &[("/computeEnvironmentOrder", entries)]);
    let limit = json!([{"reason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", "state": "RUNNABLE",
        "maxTimeSeconds": 600, "action": "CANCEL"}]);
    settles(
        &trial,
        &[
            spec.clone(),
            order(json!([second, first])),
            order(json!([first, second])),
            order(json!([{"computeEnvironment": "second", "order": 5}, {"computeEnvironment": "first", "order": 9}])),
            order(json!([second])),
            with(&spec, &[("/priority", json!(7)), ("/state", json!("DISABLED"))]),
            with(&spec, &[("/jobStateTimeLimitActions", limit)]),
            spec.clone(),
        ],
    )
    .await;
    gone(&trial).await;
}

#[tokio::test]
async fn a_change_of_a_job_definition_is_a_revision() {
    let trial = Trial::new("batch/JobDefinition", "payments").await;
    let spec = json!({
        "type": "container",
        "platformCapabilities": ["FARGATE"],
        "containerProperties": {
            "image": "worker@sha256:aa",
            "command": ["summarize", "Ref::file"],
            "executionRoleArn": trial.place.iam_arn("role/execution"),
            "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}, {"name": "C", "value": ""}],
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "jobs"}},
            "runtimePlatform": {"cpuArchitecture": "X86_64"},
        },
        "parameters": {"file": "a.csv"},
        "retryStrategy": {"attempts": 2, "evaluateOnExit": [{"onExitCode": "1", "action": "retry"}]},
        "timeout": {"attemptDurationSeconds": 60},
    });
    let first = settles(&trial, std::slice::from_ref(&spec)).await;
    assert_eq!((first.revision, first.outputs["name"].clone()), (Some(1), json!("payments")));
    let next = with(&spec, &[("/containerProperties/image", json!("worker@sha256:bb"))]);
    assert_eq!(trial.differs(&first, &next).len(), 1);
    trial.create(&next).await.unwrap();
    let second = trial.look(true).await.unwrap().unwrap();
    assert_eq!((second.revision, trial.differs(&second, &next)), (Some(2), vec![]));
    assert_eq!(second.outputs["arnWithoutRevision"], first.outputs["arnWithoutRevision"]);
    assert_eq!(second.outputs["arn"], json!(trial.place.arn("batch", "job-definition/payments:2")));
    assert_eq!(trial.all(false).await.unwrap().len(), 2);
    // The newest goes, the one before it stays.
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap().unwrap().revision, Some(1));
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}

#[tokio::test]
async fn definitions_of_other_forms_settle() {
    let ecs = json!({"type": "container", "ecsProperties": {"taskProperties": [{"containers": [
        {"name": "main", "image": "worker", "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
            "dependsOn": [{"containerName": "helper", "condition": "START"}]},
        {"name": "helper", "image": "side", "essential": false, "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]}]}]}});
    let eks = json!({"type": "container", "eksProperties": {"podProperties": {"containers": [
        {"image": "worker", "env": [{"name": "A", "value": "1"}], "resources": {"limits": {"memory": "1024Mi", "cpu": "1"}}}]}}});
    let nodes = json!({"type": "multinode", "nodeProperties": {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [
        {"targetNodes": "0:1", "container": {"image": "worker", "vcpus": 1, "memory": 512}}]}});
    let legacy = json!({"type": "container", "containerProperties": {"image": "worker", "vcpus": 1, "memory": 512,
        "privileged": true, "linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]},
        "volumes": [{"name": "data", "host": {"sourcePath": "/data"}}], "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]}});
    for (name, spec) in [("ecs", ecs), ("eks", eks), ("nodes", nodes), ("legacy", legacy)] {
        let trial = Trial::new("batch/JobDefinition", name).await;
        settles(&trial, &[spec]).await;
    }
}

/// Each field, at any depth, is required or says what its absence means.
#[test]
fn every_field_has_a_class() {
    fn look(path: &str, schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(object) => {
                let required = object.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
                for (name, field) in object.get("properties").and_then(Value::as_object).into_iter().flatten()
                {
                    let said = field.get("default").is_some() || field.get("x-absent").is_some();
                    if said == required.contains(&json!(name)) || field.get("description").is_none() {
                        found.push(format!("{path}.{name}"));
                    }
                }
                object.iter().for_each(|(key, inner)| look(&format!("{path}/{key}"), inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| look(path, inner, found)),
            _ => {}
        }
    }
    for name in ["batch/ComputeEnvironment", "batch/JobQueue", "batch/JobDefinition"] {
        let mut found = Vec::new();
        look(name, &crate::kinds::kind(name).unwrap().facts().schema, &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
