//! A sandbox with a network and an instance profile, and manifests of compute environments and queues on it.

use std::path::{Path, PathBuf};

use aws_sdk_batch::types::{
    ContainerProperties, JobDefinitionType, JobStatus, ResourceRequirement, ResourceType,
};
use batchwright::cloud::Aws;
use batchwright::manifest::Options as ManifestOptions;
use batchwright::resource::{Desired, Place};
use batchwright::sandbox::batch::QueueMoment;
use batchwright::sandbox::{Options, Sandbox};

use super::{World, load};

pub struct Stage {
    pub world: World,
    pub batch: aws_sdk_batch::Client,
    folder: tempfile::TempDir,
    network: [(&'static str, String); 3],
}

impl Stage {
    pub async fn new() -> Self {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.expect("the sandbox starts");
        let config = sandbox.sdk_config();
        let ec2 = aws_sdk_ec2::Client::new(&config);
        let subnets = ec2.describe_subnets().send().await.expect("subnets").subnets.expect("subnets");
        let subnet = subnets.first().and_then(|one| one.subnet_id()).expect("a subnet").to_owned();
        let groups = ec2.describe_security_groups().send().await.expect("groups").security_groups;
        let group = groups.and_then(|all| all.first()?.group_id.clone()).expect("a group");
        let profile =
            aws_sdk_iam::Client::new(&config).create_instance_profile().instance_profile_name("batch");
        let profile = profile.send().await.expect("a profile").instance_profile.expect("a profile").arn;
        let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
        logs.create_log_group().log_group_name("/aws/batch/job").send().await.expect("a log group");
        let place = Place::new(sandbox.account(), "us-east-1");
        let cloud = Aws::new(&config, place, None);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("manifests/test")).expect("a folder");
        std::fs::create_dir_all(folder.path().join("manifests/stacks/main")).expect("a folder");
        let environment = format!(
            "project: acme/stage\naccount: \"{}\"\nregion: us-east-1\nnamePrefix: t-\nstacks: [main]\n",
            sandbox.account()
        );
        std::fs::write(folder.path().join("manifests/test/environment.yaml"), environment).expect("written");
        sandbox.batch().map_image("worker", PathBuf::from("/bin/sh"), vec!["-c".to_owned()]);
        Self {
            world: World { sandbox, cloud, account: None },
            batch: aws_sdk_batch::Client::new(&config),
            folder,
            network: [("SUBNET", subnet), ("GROUP", group), ("PROFILE", profile)],
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What these manifests declare; `SUBNET`, `GROUP`, `PROFILE` and `ACCOUNT` stand for what is there.
    pub fn desired(&self, manifests: &[String]) -> Desired {
        let mut text = manifests.join("---\n");
        for (name, value) in &self.network {
            text = text.replace(name, value);
        }
        text = text.replace("ACCOUNT", self.world.sandbox.account());
        let root = self.folder.path().join("manifests");
        std::fs::write(root.join("stacks/main/all.yaml"), text).expect("written");
        load(&root, "test", &ManifestOptions::default())
    }

    /// Submits a job that runs until [`Stage::release`], and returns its id once it runs.
    pub async fn running_job(&self, queue: &str, name: &str) -> String {
        let gate = self.folder.path().join("gate");
        let wait = format!("until [ -e {} ]; do sleep 0.02; done", gate.display());
        let id = self.submit(queue, name, &wait).await;
        self.until(&id, &JobStatus::Running).await;
        id
    }

    /// Lets every waiting job end.
    pub fn release(&self) {
        std::fs::write(self.folder.path().join("gate"), "").expect("written");
    }

    pub async fn submit(&self, queue: &str, name: &str, command: &str) -> String {
        let need = |kind, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
        let container = ContainerProperties::builder()
            .image("worker:latest")
            .command(command)
            .resource_requirements(need(ResourceType::Vcpu, "1"))
            .resource_requirements(need(ResourceType::Memory, "512"))
            .build();
        let register = self.batch.register_job_definition().job_definition_name("waits");
        let register = register.r#type(JobDefinitionType::Container).container_properties(container);
        let definition = register.send().await.expect("registered").job_definition_arn.expect("an ARN");
        let job = self.batch.submit_job().job_name(name).job_queue(queue).job_definition(definition);
        job.send().await.expect("submitted").job_id.expect("an id")
    }

    /// Returns once the job has this status; fails if it ended with another.
    pub async fn until(&self, id: &str, wanted: &JobStatus) {
        loop {
            let answer = self.batch.describe_jobs().jobs(id).send().await.expect("described");
            let job = answer.jobs.and_then(|jobs| jobs.into_iter().next()).expect("the job");
            match job.status() {
                Some(status) if status == wanted => return,
                Some(JobStatus::Succeeded | JobStatus::Failed) => {
                    panic!("{:?}: {:?}", job.status(), job.status_reason())
                }
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// How a job stands.
    pub async fn status_of(&self, id: &str) -> String {
        let answer = self.batch.describe_jobs().jobs(id).send().await.expect("described");
        let job = answer.jobs.and_then(|jobs| jobs.into_iter().next()).expect("the job");
        job.status().expect("a status").as_str().to_owned()
    }
}

/// Whether at this moment the queue has a place for its jobs, or needs none any more.
pub fn has_ground(moment: &QueueMoment) -> bool {
    let usable = |(_, state, status): &(String, String, String)| state == "ENABLED" && status == "VALID";
    matches!(moment.status.as_str(), "DELETING" | "DELETED") || moment.environments.iter().any(usable)
}

/// A compute environment of instances; `metadata` as JSON after its name, such as `, protect: true`.
pub fn environment(name: &str, metadata: &str, resources: &str) -> String {
    format!(
        "apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata: {{name: {name}{metadata}}}
spec:
  type: MANAGED
  computeResources: {{{resources}, maxvCpus: 8, instanceTypes: [m5], instanceRole: PROFILE, subnets: [SUBNET], securityGroupIds: [GROUP]}}
"
    )
}

/// A queue on these environments: logical names, or ARNs.
pub fn queue(name: &str, metadata: &str, environments: &[&str]) -> String {
    let order: Vec<String> = environments
        .iter()
        .map(|it| match it.starts_with("arn:") {
            true => format!("{{computeEnvironment: \"{it}\"}}"),
            false => format!("{{computeEnvironment: \"${{batch/ComputeEnvironment/{it}.arn}}\"}}"),
        })
        .collect();
    format!(
        "apiVersion: batchwright/v1
kind: batch/JobQueue
metadata: {{name: {name}{metadata}}}
spec: {{priority: 1, computeEnvironmentOrder: [{}]}}
",
        order.join(", ")
    )
}

/// A role that AWS Batch may assume.
pub fn role(name: &str) -> String {
    format!(
        "apiVersion: batchwright/v1
kind: iam/Role
metadata: {{name: {name}}}
spec:
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement: [{{Effect: Allow, Principal: {{Service: batch.amazonaws.com}}, Action: sts:AssumeRole}}]
"
    )
}
