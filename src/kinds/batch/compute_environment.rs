//! `batch/ComputeEnvironment`: where jobs run.

use aws_sdk_batch::types::{CeState, CeStatus, CeType, ComputeEnvironmentDetail};

use super::types::compute_resources::ComputeResources;
use super::types::environment_settings::{EcsSettings, EksConfiguration, UpdatePolicy};
use super::types::name;
use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part, prune};
use crate::services::batch::{Batch, Snapshot};

mod clashes;
mod effect;
mod scaffold;
pub(in crate::kinds::batch) mod validate;
mod write;

/// A Batch compute environment.
pub struct ComputeEnvironment;

/// The cluster that an environment on EKS names: Batch looks at it, and writes its access entry, as the caller.
const CLUSTER: On = On::Regional("eks", "cluster/{spec.eksConfiguration.eksClusterArn}");

/// What a manifest declares of a compute environment.
#[spec]
pub struct Spec {
    /// `MANAGED`: Batch launches what jobs need. `UNMANAGED`: you do, into the environment's ECS cluster.
    #[field(create_only, one_of(CeType::values()))]
    pub r#type: String,
    /// `ENABLED`, or `DISABLED`: no further jobs are placed, `minvCpus` are still kept running.
    #[field(default = CeState::Enabled.as_str(), one_of(CeState::values()))]
    pub state: String,
    /// The vCPUs that an `UNMANAGED` environment counts as, for shares.
    #[field(server, range(0..))]
    pub unmanagedv_cpus: Option<i32>,
    /// What a `MANAGED` environment launches.
    #[field(empty)]
    pub compute_resources: Option<ComputeResources>,
    /// The role with which Batch works, by name or ARN. Absent: the service-linked role `AWSServiceRoleForBatch`, which alone allows
    /// instances to be updated in place.
    #[field(empty, name_or_arn, refers("iam/Role.arn", "iam/Role.name", "iam/ServiceLinkedRole.arn"))]
    pub service_role: Option<String>,
    /// What becomes of running jobs when an update replaces instances.
    #[field(empty)]
    pub update_policy: Option<UpdatePolicy>,
    /// The EKS cluster that jobs run in; absent: ECS.
    #[field(empty)]
    pub eks_configuration: Option<EksConfiguration>,
    /// Settings of the ECS cluster that Batch makes.
    #[field(empty)]
    pub ecs_settings: Option<EcsSettings>,
    /// Reserved by AWS.
    #[field(server)]
    pub context: Option<String>,
}

/// What AWS assigns to a compute environment.
#[outputs]
#[derive(Default)]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// The ECS cluster that Batch made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecs_cluster_arn: Option<String>,
    /// `ECS` or `EKS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_orchestration_type: Option<String>,
    /// Tells it from an earlier one of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// `CREATING`, `UPDATING`, `DELETING`, `VALID` or `INVALID`.
    pub status: String,
}

impl Outputs {
    /// Whether Batch is at work on it: it refuses every change meanwhile.
    fn is_busy(&self) -> bool {
        matches!(
            CeStatus::from(self.status.as_str()),
            CeStatus::Creating | CeStatus::Updating | CeStatus::Deleting
        )
    }
}

impl Kind for ComputeEnvironment {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = ();

    const NAME: &'static str = "batch/ComputeEnvironment";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ARN: Option<On> = Some(On::Regional("batch", "compute-environment/{name}"));
    const REMOVAL: Removal = Removal::Staged { field: "state", off: "DISABLED" };
    const WORK: Work = Work::Runs;
    const ABOUT: &'static str =
        "A Batch compute environment: where jobs run, on Fargate, on EC2 or Spot instances, or on EKS.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::ComputeEnvironment";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("replaceComputeEnvironment", "the plan says what is replaced, and when"),
        ("computeEnvironmentName", "metadata.physicalName"),
        ("tags", "metadata.tags"),
        ("computeEnvironmentArn", "AWS assigns it: remove the line"),
        ("ecsClusterArn", "AWS assigns it: remove the line"),
        ("uuid", "AWS assigns it: remove the line"),
        ("status", "AWS reports it: remove the line"),
        ("statusReason", "AWS reports it: remove the line"),
        ("containerOrchestrationType", "AWS reports it: remove the line"),
        ("batchImageStatus", "AWS reports it: remove the line"),
    ];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![batch: DescribeComputeEnvironments DescribeJobQueues DescribeJobs
                    ListJobs])],
        write: &[
            Grant::on(
                actions![batch: CreateComputeEnvironment DeleteComputeEnvironment TagResource
                    UntagResource UpdateComputeEnvironment],
                &[
                    On::Regional("batch", "compute-environment/{name}"),
                    On::Regional("batch", "compute-environment/{name}-g*"),
                ],
            ),
            // Not an operation of its own: asked where tags are given.
            // <https://docs.aws.amazon.com/batch/latest/userguide/capacity-tags-access-policy.html>
            Grant::on(
                actions![batch: SetCapacityTags],
                &[
                    On::Regional("batch", "compute-environment/{name}"),
                    On::Regional("batch", "compute-environment/{name}-g*"),
                ],
            )
            .given(Given::Has(&["capacityTags", "managedInstancesProvider"])),
            // Each of <https://docs.aws.amazon.com/service-authorization/latest/reference/list_batch.html>; China's EC2 has a name of
            // its own.
            Grant::pass_role(&[
                "batch.amazonaws.com",
                "ec2.amazonaws.com",
                "ec2.amazonaws.com.cn",
                "ecs.amazonaws.com",
                "spotfleet.amazonaws.com",
            ]),
            // Batch makes its own role with the caller's rights, where no other is named.
            // <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html>
            Grant::on(
                actions![iam: CreateServiceLinkedRole],
                &[On::Iam("role/aws-service-role/batch.amazonaws.com/*")],
            )
            .when(When::LinkedTo("batch.amazonaws.com"))
            .given(Given::Lacks("serviceRole")),
            Grant::any(actions![ec2: DescribeLaunchTemplateVersions]).given(Given::Has(&["launchTemplate"])),
            Grant::on(actions![eks: DescribeCluster], &[CLUSTER]),
            Grant::on(actions![eks: CreateAccessEntry], &[CLUSTER]).given(Given::Has(&["accessEntry"])),
            Grant::on(
                actions![eks: AssociateAccessPolicy DeleteAccessEntry DescribeAccessEntry
                    ListAssociatedAccessPolicies],
                &[On::Regional("eks", "access-entry/{spec.eksConfiguration.eksClusterArn}/*")],
            )
            .given(Given::Has(&["accessEntry"])),
        ],
    };
    const REMOVED_BY: &'static [&'static str] = actions![batch: UpdateComputeEnvironment];
    const EXAMPLE: &'static str = include_str!("compute_environment.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        validate::validate(spec)
    }

    fn clashes(spec: &Spec, _id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, beside)
    }

    fn validate_written(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        validate::validate(spec)
    }

    fn normalise(spec: &mut Spec, place: &Place) {
        // AWS reports the role that it took by itself; both sides name it. A name without its path would denote another role.
        let role = spec.service_role.take().filter(|role| !role.is_empty());
        spec.service_role = Some(match role {
            Some(role) if role != SERVICE_LINKED_ROLE => role,
            _ => service_linked_role(place),
        });
        let on_eks = spec.eks_configuration.is_some();
        if let Some(resources) = &mut spec.compute_resources {
            normalise_resources(resources, on_eks);
        }
        prune(&mut spec.update_policy);
        prune(&mut spec.ecs_settings);
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        effect::effect(live, want, changes)
    }

    fn interrupts(want: &Spec, manner: Manner) -> Interrupt {
        effect::interrupts(want, manner)
    }

    fn cluster(outputs: &Outputs) -> Option<String> {
        outputs.ecs_cluster_arn.as_deref()?.rsplit_once(":cluster/").map(|(_, name)| name.to_owned())
    }

    fn scaffold(live: &Live<Self>, place: &Place) -> Option<Scaffold> {
        scaffold::service_role(live.spec.service_role.as_deref()?, place)
    }

    fn retired(spec: &Spec) -> Option<Invalid> {
        effect::retired(spec)
    }

    fn warnings(spec: &Spec, live: Option<&Spec>) -> Vec<Invalid> {
        effect::warnings(spec, live)
    }

    fn observe(snapshot: &Snapshot, _place: &Place) -> Vec<Live<Self>> {
        // Batch shows a deleted environment for a while.
        let there = |one: &&ComputeEnvironmentDetail| one.status() != Some(&CeStatus::Deleted);
        snapshot.compute_environments.iter().filter(there).map(live).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        write::create(cx, want).await
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        write::delete(cx, live).await
    }
}

/// The name of the role that Batch takes by itself.
const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBatch";

fn service_linked_role(place: &Place) -> String {
    place.iam_arn(&format!("role/aws-service-role/batch.amazonaws.com/{SERVICE_LINKED_ROLE}"))
}

fn normalise_resources(resources: &mut ComputeResources, on_eks: bool) {
    if resources.allocation_strategy.is_none() && resources.has_instances() && !on_eks {
        resources.allocation_strategy = Some("BEST_FIT".to_owned());
    }
    for instance_type in &mut resources.instance_types {
        if instance_type == "default_x86_64" {
            *instance_type = "optimal".to_owned();
        }
    }
    if !resources.is_ordered() {
        resources.instance_types.sort();
        resources.instance_types.dedup();
    }
    resources.bid_percentage = resources.bid_percentage.filter(|bid| !matches!(bid, 0 | 100));
    prune(&mut resources.scaling_policy);
    let template =
        resources.managed_instances_provider.as_mut().and_then(|p| p.instance_launch_template.as_mut());
    if let Some(template) = template {
        prune(&mut template.network_configuration);
        prune(&mut template.instance_requirements);
        prune(&mut template.storage_configuration);
        prune(&mut template.capacity_reservations);
        prune(&mut template.local_storage_configuration);
    }
}

fn live(detail: &ComputeEnvironmentDetail) -> Live<ComputeEnvironment> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let status = detail.status().map(CeStatus::as_str).unwrap_or_default().to_owned();
    let arn = detail.compute_environment_arn().unwrap_or_default().to_owned();
    Live {
        physical: detail.compute_environment_name().unwrap_or_default().to_owned(),
        arn: Some(arn.clone()),
        spec: Spec {
            r#type: Field::read(detail.r#type(), || CeType::Managed.as_str().to_owned()),
            state: Field::read(detail.state(), Spec::default_state),
            unmanagedv_cpus: detail.unmanagedv_cpus(),
            compute_resources: detail.compute_resources().map(Part::of),
            service_role: text(detail.service_role()),
            update_policy: detail.update_policy().map(Part::of),
            eks_configuration: detail.eks_configuration().map(Part::of),
            ecs_settings: detail.ecs_settings().map(Part::of),
            context: text(detail.context()),
        },
        outputs: Outputs {
            arn,
            ecs_cluster_arn: text(detail.ecs_cluster_arn()),
            container_orchestration_type: detail.container_orchestration_type().map(Part::of),
            uuid: text(detail.uuid()),
            status,
        },
        tags: own_tags(detail.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()))),
        readiness: readiness(detail),
        revision: None,
    }
}

/// What a status reason names, in any case, when a role or an instance profile is missing, or so new that Batch does not see it
/// yet; the service-linked role is ECS's own, at the first cluster of an account.
const OF_ROLES: &[&str] = &[
    "sts:assumerole",
    "not authorized to perform",
    "is not authorized",
    "iaminstanceprofile",
    "instance profile",
    "service role",
    "servicerole",
    "service linked role",
    "service-linked role",
];

fn readiness(detail: &ComputeEnvironmentDetail) -> Readiness {
    let reason = detail.status_reason().unwrap_or_default();
    let of_roles = |reason: &str| {
        let reason = reason.to_lowercase();
        OF_ROLES.iter().any(|part| reason.contains(part))
    };
    let said = |status: &str| match reason {
        "" => status.to_owned(),
        reason => format!("{status}: {reason}"),
    };
    match detail.status() {
        Some(CeStatus::Valid) => Readiness::Ready,
        Some(CeStatus::Invalid) if of_roles(reason) => Readiness::Repairable(said("INVALID")),
        Some(CeStatus::Invalid) => Readiness::Failed(said("INVALID")),
        Some(status) => Readiness::Pending(said(status.as_str())),
        None => Readiness::Pending("no status yet".to_owned()),
    }
}

#[cfg(test)]
mod tests;
