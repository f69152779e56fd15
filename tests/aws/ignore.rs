//! Fields that somebody else owns (P8, P27): `ignore` leaves them alone in every way in which a resource is changed.

use std::fs;

use crate::world::{World, load};
use aws_sdk_batch::types::{ComputeEnvironmentDetail, ComputeResourceUpdate};
use batchwright::manifest::{self, Options};
use batchwright::plan::{Action, Guard, Plan};
use batchwright::render::{Paint, notes};
use batchwright::resource::Desired;

const ENVIRONMENT: &str =
    "project: acme/ignore\naccount: \"711111111111\"\nregion: eu-west-1\nnamePrefix: test-\nstacks: [main]\n";
const STACK: &str = "\
apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata:
  name: main
  ignore: [computeResources.maxvCpus, updatePolicy.jobExecutionTimeoutMinutes]
spec:
  type: MANAGED
  updatePolicy: {jobExecutionTimeoutMinutes: 60, terminateJobsOnUpdate: false}
  computeResources:
    type: FARGATE
    maxvCpus: 16
    subnets: [subnet-0123456789abcdef0]
    securityGroupIds: [sg-0123456789abcdef0]
---
apiVersion: batchwright/v1
kind: batch/JobQueue
metadata:
  name: work
spec:
  priority: 1
  computeEnvironmentOrder:
    - computeEnvironment: ${batch/ComputeEnvironment/main.arn}
";

fn folder(stack: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("test")).unwrap();
    fs::create_dir_all(folder.path().join("stacks/main")).unwrap();
    fs::write(folder.path().join("test/environment.yaml"), ENVIRONMENT).unwrap();
    fs::write(folder.path().join("stacks/main/all.yaml"), stack).unwrap();
    folder
}

fn desired(stack: &str) -> Desired {
    load(folder(stack).path(), "test", &Options::default())
}

struct Stand {
    world: World,
    batch: aws_sdk_batch::Client,
    network: [String; 2],
}

impl Stand {
    async fn new() -> Self {
        let world = World::of(&desired(STACK)).await;
        let ec2 = aws_sdk_ec2::Client::new(&world.sandbox.sdk_config());
        let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
        let vpc = vpc.vpc().and_then(|vpc| vpc.vpc_id()).unwrap().to_owned();
        let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").send().await.unwrap();
        let subnet = subnet.subnet().and_then(|subnet| subnet.subnet_id()).unwrap().to_owned();
        let group = ec2.create_security_group().vpc_id(&vpc).group_name("jobs").description("jobs").send();
        let group = group.await.unwrap().group_id().unwrap().to_owned();
        let batch = aws_sdk_batch::Client::new(&world.sandbox.sdk_config());
        Self { world, batch, network: [subnet, group] }
    }

    fn desired(&self, edits: &[(&str, &str)]) -> Desired {
        let [subnet, group] = &self.network;
        let stack = STACK.replace("subnet-0123456789abcdef0", subnet).replace("sg-0123456789abcdef0", group);
        desired(&edits.iter().fold(stack, |stack, (from, to)| {
            assert!(stack.contains(from), "{from}");
            stack.replace(from, to)
        }))
    }

    async fn apply(&self, edits: &[(&str, &str)]) -> Plan {
        self.world.apply(&self.desired(edits), &Guard::default()).await
    }

    /// What AWS has: the environment of this name.
    async fn live(&self, name: &str) -> ComputeEnvironmentDetail {
        let call = self.batch.describe_compute_environments().compute_environments(name);
        call.send().await.unwrap().compute_environments.unwrap_or_default().remove(0)
    }

    async fn most(&self, name: &str) -> (i32, i64) {
        let live = self.live(name).await;
        let most = live.compute_resources().and_then(|resources| resources.maxv_cpus()).unwrap();
        (most, live.update_policy().and_then(|policy| policy.job_execution_timeout_minutes()).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_owns_stays_through_updates_and_blue_green() {
    let stand = Stand::new().await;
    stand.apply(&[]).await;
    assert_eq!(stand.most("test-main").await, (16, 60));

    // Another controller moves both fields: no change, no drift, and a note for who asks.
    let update = stand.batch.update_compute_environment().compute_environment("test-main");
    let policy = aws_sdk_batch::types::UpdatePolicy::builder().job_execution_timeout_minutes(90).build();
    let resources = ComputeResourceUpdate::builder().maxv_cpus(128).build();
    update.compute_resources(resources).update_policy(policy).send().await.unwrap();
    let (plan, _) = stand.world.plan(&stand.desired(&[]), &Guard::default()).await;
    assert!(plan.is_empty(), "{:#?}", plan.changes);
    insta::assert_snapshot!(notes(&plan, Paint::none()), @r#"
    = batch/ComputeEnvironment/main left as it is (metadata.ignore)
        (ignored: computeResources.maxvCpus: live has 128, git says 16)
        (ignored: updatePolicy.jobExecutionTimeoutMinutes: live has 90, git says 60)
    "#);

    // An update that sends the whole sub-document, and a call in which Batch wants maxvCpus beside what differs.
    let disabled = [
        ("terminateJobsOnUpdate: false", "terminateJobsOnUpdate: true"),
        ("  type: MANAGED\n", "  type: MANAGED\n  ecsSettings: {containerInsights: ENABLED}\n"),
    ];
    let plan = stand.apply(&disabled).await;
    let paths: Vec<&str> = plan.changes[0].fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(paths, ["ecsSettings", "updatePolicy.terminateJobsOnUpdate"]);
    assert_eq!(stand.most("test-main").await, (128, 90));

    // Another generation begins as the old one was.
    let plan = stand.apply(&[disabled[0], disabled[1], ("type: FARGATE\n", "type: FARGATE_SPOT\n")]).await;
    assert_eq!(plan.count(Action::Replace), 1);
    assert_eq!(stand.most("test-main-g2").await, (128, 90));
}

/// P8: Batch moves the number all day long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vcpus_that_batch_moves_are_neither_compared_nor_sent() {
    let stand = Stand::new().await;
    let iam = aws_sdk_iam::Client::new(&stand.world.sandbox.sdk_config());
    iam.create_instance_profile().instance_profile_name("nodes").send().await.unwrap();
    let instances = [
        (
            "    type: FARGATE\n",
            "    type: EC2\n    allocationStrategy: BEST_FIT_PROGRESSIVE\n    instanceTypes: [m6i]\n    instanceRole: nodes\n",
        ),
        ("computeResources.maxvCpus, ", ""),
        ("maxvCpus: 16", "maxvCpus: 64"),
    ];
    stand.apply(&instances).await;
    let running = async || {
        let live = stand.live("test-main").await;
        let resources = live.compute_resources().unwrap();
        (resources.desiredv_cpus().unwrap(), resources.maxv_cpus().unwrap())
    };
    for moved in [8, 44] {
        let resources = ComputeResourceUpdate::builder().desiredv_cpus(moved).build();
        let update = stand.batch.update_compute_environment().compute_environment("test-main");
        update.compute_resources(resources).send().await.unwrap();
        let (plan, _) = stand.world.plan(&stand.desired(&instances), &Guard::default()).await;
        assert_eq!((plan.is_empty(), plan.warnings.len()), (true, 0), "{:#?}", plan.changes);
    }
    let raised = [instances[0], instances[1], ("maxvCpus: 16", "maxvCpus: 96")];
    stand.apply(&raised).await;
    assert_eq!(running().await, (44, 96));

    // A ceiling below what runs is a warning, before Batch refuses it.
    let lowered = [instances[0], instances[1], ("maxvCpus: 16", "maxvCpus: 12")];
    let (plan, _) = stand.world.plan(&stand.desired(&lowered), &Guard::default()).await;
    assert_eq!(plan.objections, vec![]);
    let messages: Vec<&str> = plan.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "44 vCPUs are running: Batch refuses maxvCpus 12 until they are gone; an apply waits ten minutes for that"
        ]
    );
}

#[test]
fn a_path_that_is_no_field_is_an_error() {
    let wrong = STACK.replace("computeResources.maxvCpus,", "computeResources.maxvCpu,");
    let errors = manifest::load(folder(&wrong).path(), "test", &Options::default()).unwrap_err();
    let [error] = &errors.0[..] else { panic!("{errors}") };
    assert_eq!(error.message, "`computeResources.maxvCpu` is no field of this kind");
    assert_eq!(
        (error.position().line, error.help.clone()),
        (5, vec!["did you mean `computeResources.maxvCpus`?".to_owned()])
    );
}
