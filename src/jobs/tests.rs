//! Jobs as the sandbox runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_batch::types::{
    AssignPublicIp, CeType, ComputeEnvironmentOrder, ComputeResource, ContainerProperties, CrType,
    JobDefinitionType, LogConfiguration, LogDriver, NetworkConfiguration, PlatformCapability,
    ResourceRequirement, ResourceType, RetryStrategy,
};

use super::{Event, Outcome, Pace, Request, Submitted, Target, find, follow, submit};
use crate::cloud::Aws;
use crate::manifest;
use crate::resource::{Desired, ResourceId};
use crate::sandbox::{Exact, Fault, Faults, Options, Sandbox};
use crate::services::Clients;
use crate::services::batch::Batch;

const PACE: Pace =
    Pace { first: Duration::from_millis(5), slowest: Duration::from_millis(20), linger: Duration::ZERO };

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// An account in which jobs run a shell's command, twice if need be.
struct World {
    sandbox: Sandbox,
    clients: Clients,
}

impl World {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
        sandbox.batch().map_image("shell", PathBuf::from("/bin/sh"), vec!["-c".to_owned()]);
        let clients = Clients::new(&sandbox.sdk_config());
        let world = Self { sandbox, clients };
        world.queue().await;
        world
    }

    async fn queue(&self) {
        let config = self.sandbox.sdk_config();
        let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
        logs.create_log_group().log_group_name("/jobs").send().await.unwrap();
        let subnets = aws_sdk_ec2::Client::new(&config).describe_subnets().send().await.unwrap();
        let groups = aws_sdk_ec2::Client::new(&config).describe_security_groups().send().await.unwrap();
        let resources = ComputeResource::builder().r#type(CrType::Fargate).maxv_cpus(4);
        let resources = resources.subnets(subnets.subnets()[0].subnet_id().unwrap());
        let resources = resources.security_group_ids(groups.security_groups()[0].group_id().unwrap());
        let batch = self.clients.of::<Batch>().unwrap();
        let make = batch.create_compute_environment().compute_environment_name("ce").r#type(CeType::Managed);
        make.compute_resources(resources.build()).send().await.unwrap();
        let order = ComputeEnvironmentOrder::builder().order(1).compute_environment("ce").build();
        let make = batch.create_job_queue().job_queue_name("q").priority(1);
        make.compute_environment_order(order).send().await.unwrap();
    }

    /// What runs this command.
    async fn request(&self, command: &str) -> Request {
        let iam = aws_sdk_iam::Client::new(&self.sandbox.sdk_config());
        let role = iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
        let need = |kind, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
        let log = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", "/jobs")
            .build();
        let network = NetworkConfiguration::builder().assign_public_ip(AssignPublicIp::Enabled).build();
        let container = ContainerProperties::builder()
            .image("shell")
            .command(command)
            .execution_role_arn(role.role.unwrap().arn)
            .resource_requirements(need(ResourceType::Vcpu, "1"))
            .resource_requirements(need(ResourceType::Memory, "2048"))
            .log_configuration(log)
            .network_configuration(network);
        let batch = self.clients.of::<Batch>().unwrap();
        let registered = batch
            .register_job_definition()
            .job_definition_name("d")
            .r#type(JobDefinitionType::Container)
            .platform_capabilities(PlatformCapability::Fargate)
            .retry_strategy(RetryStrategy::builder().attempts(2).build())
            .container_properties(container.build())
            .send()
            .await
            .unwrap();
        let target = Target {
            definition: registered.job_definition_arn.unwrap(),
            family: "d".to_owned(),
            queue: "q".to_owned(),
        };
        Request { target, parameters: BTreeMap::new(), depends_on: Vec::new(), array: None }
    }

    async fn submit(&self, request: &Request) -> Submitted {
        submit(self.clients.of::<Batch>().unwrap(), request, PACE).await.unwrap()
    }

    /// Everything but the statuses, whose number depends on when one looks; and the end, without the job's own name.
    async fn follow(&self, job: &Submitted) -> (Vec<String>, Outcome, String) {
        let mut seen = Vec::new();
        let mut see = |event| match event {
            Event::Status { .. } => {}
            Event::Retried { attempt, .. } => {
                seen.push(format!("attempt {} ended with {:?}", attempt.number, attempt.exit_code));
            }
            Event::Line { child: Some(child), text, .. } => seen.push(format!("[{child}] {text}")),
            Event::Line { text, .. } => seen.push(text),
        };
        let outcome = follow(&self.clients, &job.id, Some(PACE), &mut see).await.unwrap();
        let shown = outcome.to_string().replace(&job.name, "NAME");
        (seen, outcome, shown)
    }
}

#[tokio::test]
async fn a_job_is_followed_through_its_attempts() {
    let world = World::new().await;
    let request =
        world.request("echo try $AWS_BATCH_JOB_ATTEMPT; [ $AWS_BATCH_JOB_ATTEMPT = 2 ] || exit 3").await;
    let job = world.submit(&request).await;
    let (mut seen, outcome, shown) = world.follow(&job).await;
    // The first attempt's line may be read before or after its end.
    seen.sort();
    assert_eq!(seen, ["attempt 1 ended with Some(3)", "try 1", "try 2"]);
    assert!(outcome.succeeded());
    insta::assert_snapshot!(shown, @"job NAME SUCCEEDED: attempt 2, exit code 0, Essential container in task exited");
    world.sandbox.stop().await;
}

#[tokio::test]
async fn an_array_is_followed_with_its_children() {
    let world = World::new().await;
    let request = world.request("echo $AWS_BATCH_JOB_ARRAY_INDEX; [ $AWS_BATCH_JOB_ARRAY_INDEX != 1 ]").await;
    let job = world.submit(&Request { array: Some(3), ..request }).await;
    let (mut seen, outcome, shown) = world.follow(&job).await;
    seen.retain(|line| line.starts_with('['));
    seen.sort();
    assert_eq!(seen, ["[0] 0", "[1] 1", "[1] 1", "[2] 2"]);
    assert!(outcome.over() && !outcome.succeeded());
    assert_eq!(outcome.children, Some([2, 1, 0]));
    assert!(shown.starts_with("job NAME FAILED: 2 of 3 children succeeded, 1 failed"), "{shown}");
    world.sandbox.stop().await;
}

#[tokio::test]
async fn one_look_tells_what_is_there_now() {
    let world = World::new().await;
    let job = world.submit(&world.request("echo done").await).await;
    world.follow(&job).await;
    let mut lines = Vec::new();
    let mut see = |event| {
        if let Event::Line { text, .. } = event {
            lines.push(text);
        }
    };
    let outcome = follow(&world.clients, &job.id, None, &mut see).await.unwrap();
    assert!(outcome.succeeded());
    assert_eq!(lines, ["done"]);
    let unknown = follow(&world.clients, "no-such-job", None, &mut |_| ()).await.unwrap_err();
    assert!(unknown.to_string().starts_with("find the job no-such-job: AWS knows no job of this id"));
    world.sandbox.stop().await;
}

#[tokio::test]
async fn a_job_whose_submission_got_no_answer_is_not_submitted_twice() {
    let world = World::new().await;
    let request = world.request("true").await;
    for (fault, calls) in [(Fault::LostReply, 1), (Fault::Reset, 2), (Fault::Throttle, 2)] {
        world.sandbox.reset_stats();
        let exact = Exact { service: "batch".into(), action: "SubmitJob".into(), nth: 1, fault };
        world.sandbox.set_faults(Faults { exact: vec![exact], ..Faults::default() });
        let job = world.submit(&request).await;
        assert_eq!(world.sandbox.stats().of("batch", "SubmitJob"), calls, "{fault:?}");
        world.sandbox.set_faults(Faults::default());
        let name = aws_sdk_batch::types::KeyValuesPair::builder().name("JOB_NAME").values(&job.name).build();
        let batch = world.clients.of::<Batch>().unwrap();
        let found = batch.list_jobs().job_queue("q").filters(name).send().await.unwrap();
        let ids: Vec<_> = found.job_summary_list().iter().filter_map(|one| one.job_id()).collect();
        assert_eq!(ids, [job.id.as_str()], "{fault:?}");
    }
    world.sandbox.stop().await;
}

fn dev() -> Desired {
    manifest::load(Path::new("manifests"), "dev", &manifest::Options::default()).unwrap()
}

#[tokio::test]
async fn what_is_not_declared_or_not_applied_is_said() {
    let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
    let mut desired = dev();
    let cloud = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
    let missing = find(&desired, &cloud, "payment", None).await.unwrap_err().to_string();
    insta::assert_snapshot!(missing, @"find the job definition `payment`: the environment declares no such job definition; did you mean `payments`? (it declares: payments)");
    let early = find(&desired, &cloud, "batch/JobDefinition/payments", None).await.unwrap_err().to_string();
    insta::assert_snapshot!(early, @"find batch/JobDefinition/payments in AWS: it is declared, but not applied yet; run `batchwright apply dev`");
    let queue = ResourceId::new("batch/JobQueue", "payments");
    let mut second = desired.resources.get(&queue).unwrap().clone();
    second.id.name = "urgent".to_owned();
    desired.resources.insert(second.id.clone(), second);
    let several = find(&desired, &cloud, "payments", None).await.unwrap_err().to_string();
    insta::assert_snapshot!(several, @"choose a job queue: the environment declares several, name one with --queue: payments, urgent");
    // What fits one queue and not the other is refused where it does not, before AWS is asked.
    let environment = ResourceId::new("batch/ComputeEnvironment", "fargate");
    let mut small = desired.resources.get(&environment).unwrap().clone();
    small.id.name = "none".to_owned();
    small.physical_name = "dev-none".to_owned();
    small.spec["computeResources"]["maxvCpus"] = 0.into();
    let urgent = desired.resources.get_mut(&ResourceId::new("batch/JobQueue", "urgent")).unwrap();
    urgent.spec["computeEnvironmentOrder"][0]["computeEnvironment"] = format!("${{{}.arn}}", small.id).into();
    desired.resources.insert(small.id.clone(), small);
    let wrong = find(&desired, &cloud, "payments", Some("urgent")).await.unwrap_err().to_string();
    insta::assert_snapshot!(wrong, @"submit batch/JobDefinition/payments to batch/JobQueue/urgent: the job needs 1 vCPU, and batch/ComputeEnvironment/none never has more than 0: set its computeResources.maxvCpus to 1 or more, or name another queue with --queue");
}
