//! The Batch parts of three public stacks, written anew in small (their sources are
//! aws-samples/aws-genomics-workflows, outerbounds/metaflow-tools and ASFHyP3/hyp3): each from nothing to nothing, with a change
//! behind our back, and a launch template that changes.

use std::path::Path;

use aws_sdk_batch::types::{ComputeResourceUpdate, ContainerProperties, ResourceRequirement, ResourceType};
use batchwright::kind::{Effect, Manner, Order};
use batchwright::manifest::Options;
use batchwright::plan::{Action, Guard, Plan};
use batchwright::resource::{Desired, ResourceId};

use crate::world::copy::copy;
use crate::world::{World, changes, in_free_account, load, planned};

struct Public {
    folder: tempfile::TempDir,
    account: String,
    world: World,
}

impl Public {
    async fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/public_stacks").join(name),
            folder.path(),
        );
        let desired = in_free_account(&load(folder.path(), "dev", &Options::default()));
        let account = desired.place.account.clone();
        let file = folder.path().join("dev/environment.yaml");
        let text = std::fs::read_to_string(&file).unwrap().replace("111111111111", &account);
        std::fs::write(&file, text).unwrap();
        Self { account, world: World::of(&desired).await, folder }
    }

    fn desired(&self) -> Desired {
        load(self.folder.path(), "dev", &Options::default())
    }

    /// Writes something else in a file of its manifests.
    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} holds {old}");
        std::fs::write(path, text.replace(old, new)).unwrap();
    }

    async fn left(&self) -> Plan {
        let desired = self.desired();
        planned(&desired, &self.world.observe(&desired).await, &Guard::default())
    }

    /// Applies, and nothing is left to do.
    async fn applied(&self, guard: &Guard) -> Plan {
        let plan = self.world.apply(&self.desired(), guard).await;
        let left = self.left().await;
        assert!(left.is_empty(), "{:#?}", changes(&left));
        plan
    }

    /// Somebody changes the most vCPUs of an environment by hand: it is seen, and made good.
    async fn heals(&self, environment: &str, id: &str) {
        let batch = aws_sdk_batch::Client::new(&self.world.sandbox.sdk_config());
        let more = ComputeResourceUpdate::builder().maxv_cpus(9999).build();
        let call = batch.update_compute_environment().compute_environment(environment);
        call.compute_resources(more).send().await.unwrap();
        assert_eq!(changes(&self.left().await), [format!("Update {id} computeResources.maxvCpus")]);
        self.applied(&Guard::default()).await;
    }

    /// Destroys it: of ours stays what says so.
    async fn destroyed(&self, kept: &[&str]) {
        let nothing = Desired { resources: Default::default(), ..self.desired() };
        let plan = self.world.apply(&nothing, &Guard { destroy: true, ..Guard::default() }).await;
        let forgotten = plan.changes.iter().filter(|change| change.action == Action::Forget);
        assert_eq!(
            forgotten.map(|change| change.id.to_string()).collect::<Vec<_>>(),
            kept,
            "{}",
            self.account
        );
        let left = planned(&nothing, &self.world.observe(&nothing).await, &Guard::default());
        assert!(left.is_empty(), "{:#?}", changes(&left));
    }
}

fn effect(plan: &Plan, id: &str) -> Effect {
    let id: ResourceId = id.parse().unwrap();
    plan.changes.iter().find(|change| change.id == id).unwrap().effect.clone().unwrap()
}

/// A template serves two environments: Spot is updated in place by new instances, and BEST_FIT by another environment beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workflows_of_genomics_on_spot() {
    let stack = Public::of("genomics").await;
    stack.applied(&Guard::default()).await;
    stack.heals("genomics-spot", "batch/ComputeEnvironment/spot").await;
    stack.edit("dev/environment.yaml", "scratchGiB: 200", "scratchGiB: 500");
    let plan = stack.applied(&Guard::default()).await;
    assert_eq!(effect(&plan, "ec2/LaunchTemplate/scratch"), Effect::NewRevision);
    assert_eq!(effect(&plan, "batch/ComputeEnvironment/spot"), Effect::Update(Manner::ReplacesInstances));
    assert_eq!(effect(&plan, "batch/ComputeEnvironment/ondemand"), Effect::Replace(Order::CreateFirst));
    stack.destroyed(&["s3/Bucket/results"]).await;
}

/// Flows register their own definitions: they are nobody's of ours, and stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_of_data_scientists() {
    let stack = Public::of("metaflow").await;
    stack.applied(&Guard::default()).await;
    let batch = aws_sdk_batch::Client::new(&stack.world.sandbox.sdk_config());
    let needs =
        |kind: ResourceType, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
    let container = ContainerProperties::builder().image("python");
    let container = container.resource_requirements(needs(ResourceType::Vcpu, "1"));
    let container = container.resource_requirements(needs(ResourceType::Memory, "2048"));
    let definition = batch.register_job_definition().job_definition_name("metaflow_step");
    let definition = definition.r#type("container".into()).container_properties(container.build());
    definition.send().await.unwrap();
    assert!(stack.left().await.is_empty());
    stack.heals("metaflow-cpu", "batch/ComputeEnvironment/cpu").await;
    stack.edit("dev/environment.yaml", "hopLimit: 2", "hopLimit: 1");
    let plan = stack.applied(&Guard::default()).await;
    assert_eq!(effect(&plan, "batch/ComputeEnvironment/cpu"), Effect::Replace(Order::CreateFirst));
    stack.destroyed(&["s3/Bucket/artifacts"]).await;
    let found = batch.describe_job_definitions().job_definition_name("metaflow_step").send().await.unwrap();
    assert_eq!(found.job_definitions()[0].status(), Some("ACTIVE"));
}

/// A sort of processor is a key of a map: one more is an environment and a queue more, and touches no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenes_of_many_users_who_share() {
    let stack = Public::of("hyp3").await;
    stack.applied(&Guard::default()).await;
    stack.heals("hyp3-scenes-large", "batch/ComputeEnvironment/scenes-large").await;
    let batch = aws_sdk_batch::Client::new(&stack.world.sandbox.sdk_config());
    let submit = |share: &'static str| {
        let call = batch.submit_job().job_name("scene").job_queue("hyp3-scenes-default");
        let call = call.job_definition("hyp3-insar").parameters("granules", "S1A");
        call.share_identifier(share).send()
    };
    for share in ["ann", "ben"] {
        submit(share).await.unwrap();
    }
    stack.edit(
        "dev/environment.yaml",
        "    large: {",
        "    huge: {types: [r6id.16xlarge], capacity: EC2, maxvCpus: 64}\n    large: {",
    );
    let plan = stack.applied(&Guard::default()).await;
    let more: Vec<String> = plan.changes.iter().map(|it| format!("{:?} {}", it.action, it.id)).collect();
    assert_eq!(more, ["Create batch/ComputeEnvironment/scenes-huge", "Create batch/JobQueue/scenes-huge"]);
    stack.edit("stacks/processing/all.yaml", "mkfs.xfs /dev/nvme1n1", "mkfs.xfs -f /dev/nvme1n1");
    let guard = Guard {
        allow_interrupt: ["batch/ComputeEnvironment/scenes-default".parse().unwrap()].into(),
        ..Guard::default()
    };
    let plan = stack.applied(&guard).await;
    for environment in ["default", "huge", "large"] {
        let id = format!("batch/ComputeEnvironment/scenes-{environment}");
        assert_eq!(effect(&plan, &id), Effect::Update(Manner::ReplacesInstances), "{id}");
    }
}
