//! The smoke job, run by the sandbox: a program of this machine in the place of the worker's image.

use std::fmt::Write;
use std::path::PathBuf;

use super::{Scene, went_well, went_wrong, write};
use crate::forge::REPOSITORY;

/// The stack of [`super::manifests`], with a queue, and a definition that runs on it.
async fn stack(scene: &Scene) {
    let ec2 = aws_sdk_ec2::Client::new(&scene.sandbox.sdk_config());
    let subnets = ec2.describe_subnets().send().await.unwrap();
    let groups = ec2.describe_security_groups().send().await.unwrap();
    let subnet = subnets.subnets()[0].subnet_id().unwrap();
    let group = groups.security_groups()[0].group_id().unwrap();
    let mut text = "apiVersion: batchwright/v1
kind: logs/LogGroup
metadata: {name: jobs}
spec: {retentionInDays: 7}
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: execution}
spec:
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement:
      - {Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: \"sts:AssumeRole\"}
---
apiVersion: batchwright/v1
kind: batch/JobQueue
metadata: {name: payments}
spec:
  priority: 1
  computeEnvironmentOrder:
    - computeEnvironment: ${batch/ComputeEnvironment/fargate.arn}
---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {name: payments}
spec:
  type: container
  platformCapabilities: [FARGATE]
  parameters: {source_file: none, destination_file: none}
  containerProperties:
    image: ${image.worker}
    command: [Ref::source_file, Ref::destination_file]
    executionRoleArn: ${iam/Role/execution.arn}
    resourceRequirements:
      - {type: VCPU, value: \"1\"}
      - {type: MEMORY, value: \"2048\"}
    logConfiguration:
      logDriver: awslogs
      options: {awslogs-group: \"${logs/LogGroup/jobs.name}\", awslogs-region: eu-west-1, awslogs-stream-prefix: smoke}
---
"
    .to_owned();
    let _ = write!(
        text,
        "apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata: {{name: fargate}}
spec:
  type: MANAGED
  computeResources: {{type: FARGATE, maxvCpus: 4, subnets: [{subnet}], securityGroupIds: [{group}]}}
"
    );
    write(scene.repository.path(), "manifests/stacks/main/main.yaml", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smoke_job_is_run_after_the_apply_and_decides() {
    let scene = Scene::set("633333333345").await;
    stack(&scene).await;
    let repository = "633333333345.dkr.ecr.eu-west-1.amazonaws.com/prod-batch-payment-processing";
    let script = "echo \"read $0, wrote $1\"; test \"$0\" = good.csv";
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    scene.sandbox.batch().map_image(repository, PathBuf::from("/bin/sh"), arguments);
    let number = scene.forge.world().open("alice", true, "First");
    let mut runner = scene.runner();
    went_well(&runner.run("plan.yml", &scene.push(number, 1, REPOSITORY)).await, "plan");

    // It fails: what was applied stays, and somebody is told.
    let mut merge = scene.merge(number, 1, 10);
    merge.vars["SMOKE_FILE"] = "bad.csv".into();
    let ran = runner.run("deploy.yml", &merge).await;
    went_wrong(&ran, "deploy");
    let log = &ran["deploy"].log;
    assert!(log.contains("read bad.csv, wrote smoke.json") && log.contains("== exit Some(9)"), "{log}");
    assert_eq!(scene.images().await.len(), 1, "it was applied");
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "open");

    // It succeeds, for the same commit.
    merge.vars["SMOKE_FILE"] = "good.csv".into();
    let ran = runner.run("deploy.yml", &merge).await;
    went_well(&ran, "deploy");
    assert!(ran["deploy"].log.contains("read good.csv, wrote smoke.json"), "{}", ran["deploy"].log);
    assert_eq!(scene.issue("Deployment failed: prod").unwrap()["state"], "closed");

    // Without the variable there is none.
    let mut without = merge;
    without.vars.as_object_mut().unwrap().remove("SMOKE_FILE");
    let ran = runner.run("deploy.yml", &without).await;
    went_well(&ran, "deploy");
    assert!(!ran["deploy"].log.contains("Run a smoke job"), "{}", ran["deploy"].log);
}
