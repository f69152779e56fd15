//! Fifteen changes behind the program's back, each on the payments stack as it was applied: a plan sees it, names the
//! field, and an apply heals it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::world::{World, changes, in_free_account, load, planned};
use aws_sdk_batch::types::{CeState, PlatformCapability, ResourceType};
use aws_sdk_ec2::types::{IpPermission, IpRange, Tag};
use aws_sdk_ecr::types::ImageTagMutability;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use batchwright::manifest::Options;
use batchwright::plan::Guard;
use batchwright::resource::{Desired, ResourceId};
use batchwright::services::{batch::Batch, ec2::Ec2, ecr::Ecr, iam::Iam, logs::Logs, s3::S3};

const IMAGE: &str = "111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

const READ_ALL: &str =
    r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"#;
const ANYBODY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}"#;
const LOG_IN: &str = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "LogIn", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}]}"#;

fn desired() -> Desired {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), IMAGE.to_owned())]);
    load(&root, "dev", &Options { images, ..Options::default() })
}

/// Somebody at the console.
struct Somebody<'a> {
    batch: &'a aws_sdk_batch::Client,
    ec2: &'a aws_sdk_ec2::Client,
    ecr: &'a aws_sdk_ecr::Client,
    iam: &'a aws_sdk_iam::Client,
    logs: &'a aws_sdk_cloudwatchlogs::Client,
    s3: &'a aws_sdk_s3::Client,
    account: &'a str,
    /// The ids of the VPC and of the jobs' security group.
    vpc: String,
    group: String,
}

const DRIFTS: [&str; 15] = [
    "queue priority",
    "policy statement removed",
    "security group rule altered",
    "security group rule added",
    "trust policy changed",
    "policy detached",
    "policy attached",
    "inline policy added",
    "log retention",
    "new revision with twice the memory",
    "versioning suspended",
    "VPC tag removed",
    "compute environment disabled",
    "image tags mutable",
    "log group deleted",
];

impl Somebody<'_> {
    async fn does(&self, drift: &str) {
        match drift {
            "queue priority" => {
                let call = self.batch.update_job_queue().job_queue("dev-payments").priority(7);
                call.send().await.expect("an update");
            }
            "new revision with twice the memory" => self.registers().await,
            "compute environment disabled" => {
                let call = self.batch.update_compute_environment().state(CeState::Disabled);
                call.compute_environment("dev-payments-fargate").send().await.expect("an update");
            }
            "security group rule altered" => {
                let revoke = self.ec2.revoke_security_group_egress().group_id(&self.group);
                revoke.ip_permissions(tcp(443)).send().await.expect("a rule less");
                let authorize = self.ec2.authorize_security_group_egress().group_id(&self.group);
                authorize.ip_permissions(tcp(8443)).send().await.expect("a rule more");
            }
            "security group rule added" => {
                let call = self.ec2.authorize_security_group_ingress().group_id(&self.group);
                call.ip_permissions(tcp(22)).send().await.expect("a rule more");
            }
            "VPC tag removed" => {
                let call = self.ec2.delete_tags().resources(&self.vpc);
                call.tags(Tag::builder().key("Application").build()).send().await.expect("a tag less");
            }
            "log retention" => {
                let call = self.logs.put_retention_policy().log_group_name("/batch/dev-payments");
                call.retention_in_days(365).send().await.expect("a retention");
            }
            "log group deleted" => {
                let call = self.logs.delete_log_group().log_group_name("/batch/dev-payments");
                call.send().await.expect("a group less");
            }
            "versioning suspended" => {
                let suspended =
                    VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
                let bucket = format!("dev-source-payments-{}", self.account);
                let call = self.s3.put_bucket_versioning().bucket(bucket);
                call.versioning_configuration(suspended).send().await.expect("no versions");
            }
            "image tags mutable" => {
                let call =
                    self.ecr.put_image_tag_mutability().repository_name("dev-batch-payment-processing");
                call.image_tag_mutability(ImageTagMutability::Mutable).send().await.expect("mutable tags");
            }
            _ => self.touches_iam(drift).await,
        }
    }

    async fn touches_iam(&self, drift: &str) {
        const ROLE: &str = "dev-payments-job";
        match drift {
            "policy statement removed" => {
                let call = self.iam.put_role_policy().role_name("dev-payments-execution");
                let call = call.policy_name("pull-image").policy_document(LOG_IN);
                call.send().await.expect("a statement less");
            }
            "trust policy changed" => {
                let call = self.iam.update_assume_role_policy().role_name(ROLE).policy_document(ANYBODY);
                call.send().await.expect("another trust");
            }
            "policy detached" => {
                let call = self.iam.detach_role_policy().role_name(ROLE);
                let call = call.policy_arn(format!("arn:aws:iam::{}:policy/dev-read-source", self.account));
                call.send().await.expect("a policy less");
            }
            "policy attached" => {
                let call = self.iam.attach_role_policy().role_name(ROLE);
                let call = call.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess");
                call.send().await.expect("a policy more");
            }
            "inline policy added" => {
                let call = self.iam.put_role_policy().role_name(ROLE).policy_name("all");
                call.policy_document(READ_ALL).send().await.expect("a policy more");
            }
            other => panic!("nobody does {other}"),
        }
    }

    async fn registers(&self) {
        let call = self.batch.describe_job_definitions().job_definition_name("dev-payments");
        let answer = call.status("ACTIVE").send().await.expect("definitions");
        let newest = answer.job_definitions().iter().max_by_key(|one| one.revision()).expect("a revision");
        let mut container = newest.container_properties().expect("a container").clone();
        for requirement in container.resource_requirements.iter_mut().flatten() {
            if requirement.r#type() == Some(&ResourceType::Memory) {
                requirement.value = Some("4096".to_owned());
            }
        }
        let call = self.batch.register_job_definition().job_definition_name("dev-payments");
        call.r#type("container".into())
            .platform_capabilities(PlatformCapability::Fargate)
            .container_properties(container)
            .set_parameters(newest.parameters().cloned())
            .set_retry_strategy(newest.retry_strategy().cloned())
            .set_timeout(newest.timeout().cloned())
            .send()
            .await
            .expect("a revision");
    }
}

fn tcp(port: i32) -> IpPermission {
    let everywhere = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    IpPermission::builder().ip_protocol("tcp").from_port(port).to_port(port).ip_ranges(everywhere).build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_changes_is_seen_and_healed() {
    let desired = in_free_account(&desired());
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;
    let observed = world.observe(&desired).await;
    let physical = |kind: &str, name: &str| {
        let seen = observed.resources.get(&ResourceId::new(kind, name)).expect("it was made");
        seen.current.as_ref().expect("it is there").physical.clone()
    };
    let clients = world.cloud.clients();
    let somebody = Somebody {
        batch: clients.of::<Batch>().expect("a client"),
        ec2: clients.of::<Ec2>().expect("a client"),
        ecr: clients.of::<Ecr>().expect("a client"),
        iam: clients.of::<Iam>().expect("a client"),
        logs: clients.of::<Logs>().expect("a client"),
        s3: clients.of::<S3>().expect("a client"),
        account: world.sandbox.account(),
        vpc: physical("ec2/Vpc", "main"),
        group: physical("ec2/SecurityGroup", "jobs"),
    };
    let mut told = String::new();
    for drift in DRIFTS {
        somebody.does(drift).await;
        let observed = world.observe(&desired).await;
        let plan = world.apply_to(&desired, &observed, &Guard::default()).await;
        told += &format!("{drift}: {}\n", changes(&plan).join("; "));
    }
    let observed = world.observe(&desired).await;
    assert_eq!(changes(&planned(&desired, &observed, &Guard::default())), Vec::<String>::new());
    insta::assert_snapshot!(told, @r"
queue priority: Update batch/JobQueue/payments priority
policy statement removed: Update iam/Role/execution policies[pull-image].policyDocument
security group rule altered: Update ec2/SecurityGroup/jobs securityGroupEgress
security group rule added: Update ec2/SecurityGroup/jobs securityGroupIngress
trust policy changed: Update iam/Role/job assumeRolePolicyDocument
policy detached: Update iam/Role/job managedPolicyArns
policy attached: Update iam/Role/job managedPolicyArns
inline policy added: Update iam/Role/job policies
log retention: Update logs/LogGroup/jobs retentionInDays
new revision with twice the memory: Update batch/JobDefinition/payments containerProperties.resourceRequirements[MEMORY].value
versioning suspended: Update s3/Bucket/source versioningConfiguration.status
VPC tag removed: Update ec2/Vpc/main tags.Application
compute environment disabled: Update batch/ComputeEnvironment/fargate state
image tags mutable: Update ecr/Repository/worker imageTagMutability imageTagMutabilityExclusionFilters
log group deleted: Create logs/LogGroup/jobs retentionInDays
");
}
