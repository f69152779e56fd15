//! `batch/JobDefinition`: what a job runs. Every change is a new revision.

use aws_sdk_batch::types as sdk;

use super::types::container_properties::ContainerProperties;
use super::types::ecs::EcsProperties;
use super::types::eks::EksProperties;
use super::types::job_settings::{ConsumableResources, NodeProperties, RetryStrategy, Timeout};
use super::types::name;
use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part, sent};
use crate::services::batch::{Batch, Snapshot};

mod clashes;
mod fargate;
mod normal;
mod secrets;
mod unknown;
mod validate;

/// A family of Batch job definitions.
pub struct JobDefinition;

/// What a manifest declares of a job definition.
#[spec]
pub struct Spec {
    /// `container`, or `multinode` for jobs that span nodes.
    #[field(one_of(sdk::JobDefinitionType::values()))]
    pub r#type: String,
    /// The container of a job. Exactly one of `containerProperties`, `ecsProperties`, `eksProperties` and `nodeProperties` is said.
    #[field(empty)]
    pub container_properties: Option<ContainerProperties>,
    /// The containers of a job that has several.
    #[field(empty)]
    pub ecs_properties: Option<EcsProperties>,
    /// The pod of a job on EKS.
    #[field(empty)]
    pub eks_properties: Option<EksProperties>,
    /// The nodes of a multi-node job.
    #[field(empty)]
    pub node_properties: Option<NodeProperties>,
    /// Default values of the parameters that commands name as `Ref::name`.
    #[field(empty, free)]
    pub parameters: BTreeMap<String, String>,
    /// Where jobs may run: `EC2`, `FARGATE`, `MANAGED_INSTANCES`. Absent: `EC2`. Not for EKS.
    #[field(empty, set, items_one_of(sdk::PlatformCapability::values()))]
    pub platform_capabilities: Vec<String>,
    /// Whether the tasks of jobs get the tags of the job and its definition. Not for EKS.
    #[field(default)]
    pub propagate_tags: bool,
    /// How often a job is tried; absent: once.
    #[field(empty)]
    pub retry_strategy: Option<RetryStrategy>,
    /// How long an attempt may take; absent: for ever.
    #[field(empty)]
    pub timeout: Option<Timeout>,
    /// Which jobs go first in a queue that is shared fairly: 0 to 9999, higher first.
    #[field(empty, range(0..=9999))]
    pub scheduling_priority: Option<i32>,
    /// Consumable resources that a job takes.
    #[field(empty)]
    pub consumable_resource_properties: Option<ConsumableResources>,
}

/// What AWS assigns to a revision.
#[outputs]
#[derive(Default)]
pub struct Outputs {
    /// The ARN of the newest revision, with its number: what refers to it follows each change.
    pub arn: String,
    /// The newest revision's number.
    pub revision: u64,
    /// The fields of the newest revision that this program does not know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub unknown_fields: Vec<String>,
    /// The family's ARN: whoever submits to it gets the newest ACTIVE revision. A policy that allows it needs `<arn>:*` as well.
    pub arn_without_revision: String,
}

impl Kind for JobDefinition {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = ();

    const NAME: &'static str = "batch/JobDefinition";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ABOUT: &'static str =
        "A Batch job definition: what a job runs. Every change registers a new revision.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::JobDefinition";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("jobDefinitionName", "metadata.physicalName"),
        ("tags", "metadata.tags"),
        ("jobDefinitionArn", "AWS assigns it: remove the line"),
        ("revision", "AWS assigns it: remove the line"),
        ("status", "AWS reports it: remove the line"),
        ("containerOrchestrationType", "AWS reports it: remove the line"),
        ("resourceRetentionPolicy", "metadata.lifecycle.keepRevisions"),
    ];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![batch: DescribeJobDefinitions])],
        write: &[
            Grant::on(
                actions![batch: DeregisterJobDefinition RegisterJobDefinition TagResource
                    UntagResource],
                &[
                    On::Regional("batch", "job-definition/{name}"),
                    On::Regional("batch", "job-definition/{name}:*"),
                ],
            ),
            Grant::on(
                actions![batch: RegisterJobDefinition],
                &[On::Regional("batch", "consumable-resource/*")],
            )
            .given(Given::Has(&["consumableResourceProperties"])),
            // AWS's page names ecs-tasks; policies that work elsewhere name Batch, which is who gets the call.
            // <https://docs.aws.amazon.com/service-authorization/latest/reference/list_batch.html>
            Grant::pass_role(&["batch.amazonaws.com", "ecs-tasks.amazonaws.com"]),
        ],
    };
    const IDENTITY: Identity = Identity::Revisioned;
    // A job without a log group of its own writes into Batch's.
    const SUBMIT: &'static [Grant] = &[
        Grant::on(actions![batch: SubmitJob], &[On::Regional("batch", "consumable-resource/*")])
            .given(Given::Has(&["consumableResourceProperties"])),
        Grant::on(
            actions![batch: SubmitJob],
            &[
                On::Regional("batch", "job-definition/{name}"),
                On::Regional("batch", "job-definition/{name}:*"),
            ],
        ),
        Grant::on(actions![logs: GetLogEvents], &[On::Regional("logs", "log-group:/aws/batch/job:*")]),
    ];
    const EXAMPLE: &'static str = include_str!("job_definition.example.yaml");
    const READ_BY_NAME: bool = true;
    const DEFINES_JOBS: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        validate::validate(spec)
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    fn validate_written(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        validate::validate(spec)
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        normal::normalise(spec);
    }

    fn predict(name: &str, _spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        let family = place.arn("batch", &format!("job-definition/{name}"));
        BTreeMap::from([("arnWithoutRevision".to_owned(), family)])
    }

    fn observe(snapshot: &Snapshot, _place: &Place) -> Vec<Live<Self>> {
        let active = |one: &&sdk::JobDefinition| one.status().is_none_or(|status| status == "ACTIVE");
        let unknown = |one: &sdk::JobDefinition| {
            let written = snapshot.written.get(one.job_definition_arn()?)?;
            let rules = &crate::kinds::kind(Self::NAME)?.facts().rules;
            Some(unknown::fields(written, rules))
        };
        let live = |one| live(one, unknown(one).unwrap_or_default());
        snapshot.job_definitions.iter().filter(active).map(live).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        // A second try after a lost answer would register a second revision: the executor looks first (D25).
        let once = aws_sdk_batch::config::Builder::new()
            .retry_config(aws_sdk_batch::config::retry::RetryConfig::disabled());
        register(cx, want).customize().config_override(once).send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(_cx: &Cx<'_, Self>, live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        let what = format!("revision {} is immutable: a change registers a new one", live.outputs.revision);
        Err(Error::malformed("batch", "RegisterJobDefinition", what))
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.deregister_job_definition().job_definition(&live.outputs.arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

type Register =
    aws_sdk_batch::operation::register_job_definition::builders::RegisterJobDefinitionFluentBuilder;

fn register(cx: &Cx<'_, JobDefinition>, want: &Spec) -> Register {
    cx.client
        .register_job_definition()
        .job_definition_name(cx.name)
        .r#type(want.r#type.as_str().into())
        .set_container_properties(want.container_properties.write())
        .set_ecs_properties(want.ecs_properties.write())
        .set_eks_properties(want.eks_properties.write())
        .set_node_properties(want.node_properties.write())
        .set_parameters(want.parameters.write())
        .set_platform_capabilities(want.platform_capabilities.write())
        .set_propagate_tags(sent::flag(&want.propagate_tags))
        .set_retry_strategy(want.retry_strategy.write())
        .set_timeout(want.timeout.write())
        .set_scheduling_priority(want.scheduling_priority)
        .set_consumable_resource_properties(want.consumable_resource_properties.write())
        .set_tags(Some(cx.tags.clone().into_iter().collect()))
}

fn live(detail: &sdk::JobDefinition, unknown_fields: Vec<String>) -> Live<JobDefinition> {
    let arn = detail.job_definition_arn().unwrap_or_default().to_owned();
    let revision = detail.revision().and_then(|revision| u64::try_from(revision).ok()).unwrap_or_default();
    let family = arn.rsplit_once(':').map_or(arn.as_str(), |(family, _)| family).to_owned();
    Live {
        physical: detail.job_definition_name().unwrap_or_default().to_owned(),
        arn: Some(arn.clone()),
        spec: project(detail),
        outputs: Outputs { arn, revision, unknown_fields, arn_without_revision: family },
        tags: own_tags(detail.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()))),
        readiness: Readiness::Ready,
        revision: Some(revision),
    }
}

fn project(detail: &sdk::JobDefinition) -> Spec {
    Spec {
        r#type: detail.r#type().unwrap_or_default().to_owned(),
        container_properties: detail.container_properties().map(Part::of),
        ecs_properties: detail.ecs_properties().map(Part::of),
        eks_properties: detail.eks_properties().map(Part::of),
        node_properties: detail.node_properties().map(Part::of),
        parameters: Field::read(detail.parameters(), BTreeMap::new),
        platform_capabilities: detail.platform_capabilities().iter().map(Part::of).collect(),
        propagate_tags: detail.propagate_tags().unwrap_or_default(),
        retry_strategy: detail.retry_strategy().map(Part::of),
        timeout: detail.timeout().map(Part::of),
        scheduling_priority: detail.scheduling_priority(),
        consumable_resource_properties: detail.consumable_resource_properties().map(Part::of),
    }
}

#[cfg(test)]
mod tests;
