//! `batch/ServiceEnvironment`: how much of another service jobs may take.

use std::collections::BTreeSet;

use aws_sdk_batch::types::{self as sdk, ServiceEnvironmentState, ServiceEnvironmentStatus};

use super::types::name;
use crate::kind::prelude::*;
use crate::kinds::mirror::{Field, Part};
use crate::services::batch::{Batch, Client};

/// A Batch service environment.
pub struct ServiceEnvironment;

/// What a manifest declares of a service environment.
#[spec]
pub struct Spec {
    /// The service that runs the jobs: `SAGEMAKER_TRAINING`.
    #[field(create_only, one_of(sdk::ServiceEnvironmentType::values()))]
    pub service_environment_type: String,
    /// `ENABLED`, or `DISABLED`: no further jobs are placed.
    #[field(default = ServiceEnvironmentState::Enabled.as_str(), one_of(ServiceEnvironmentState::values()))]
    pub state: String,
    /// How much of the service its jobs may take at once.
    #[field(required, keyed("capacityUnit"), length(1..))]
    pub capacity_limits: Vec<CapacityLimit>,
}

/// How much of something jobs may take at once.
#[spec(mirrors = sdk::CapacityLimit)]
pub struct CapacityLimit {
    /// What is counted: `NUM_INSTANCES`; where the queue has quotas, a type of instance such as `ml.m5.large`.
    #[field(regex(r"^(NUM_INSTANCES|ml\.[a-z0-9.-]+)$"))]
    pub capacity_unit: String,
    /// How many.
    #[field(range(0..))]
    pub max_capacity: i32,
}

/// What AWS assigns to a service environment.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// `CREATING`, `UPDATING`, `DELETING`, `VALID` or `INVALID`.
    pub status: String,
}

impl Outputs {
    /// Whether Batch is at work on it: it refuses every change meanwhile.
    fn is_busy(&self) -> bool {
        use ServiceEnvironmentStatus::{Creating, Deleting, Updating};
        matches!(ServiceEnvironmentStatus::from(self.status.as_str()), Creating | Deleting | Updating)
    }
}

/// How many names DescribeServiceEnvironments takes at once.
const PAGE: usize = 100;
const ENVIRONMENTS: &[On] = &[On::Regional("batch", "service-environment/{name}")];
/// Whose role Batch makes for itself, with the caller's rights, at the first one.
/// <https://docs.aws.amazon.com/batch/latest/userguide/using-service-linked-roles-batch-sagemaker.html>
const QUEUING: &str = "sagemaker-queuing.batch.amazonaws.com";

impl Kind for ServiceEnvironment {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = sdk::ServiceEnvironmentDetail;

    const NAME: &'static str = "batch/ServiceEnvironment";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ARN: Option<On> = Some(On::Regional("batch", "service-environment/{name}"));
    const REMOVAL: Removal = Removal::SwitchedOff { field: "state", off: "DISABLED" };
    const ABOUT: &'static str =
        "A Batch service environment: how much of SageMaker the jobs of a queue may take.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::ServiceEnvironment";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("serviceEnvironmentName", "metadata.physicalName"), ("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![batch: DescribeServiceEnvironments])],
        write: &[
            Grant::on(
                actions![batch: CreateServiceEnvironment DeleteServiceEnvironment TagResource UntagResource
                    UpdateServiceEnvironment],
                ENVIRONMENTS,
            ),
            Grant::on(
                actions![iam: CreateServiceLinkedRole],
                &[On::Iam("role/aws-service-role/sagemaker-queuing.batch.amazonaws.com/*")],
            )
            .when(When::LinkedTo(QUEUING)),
        ],
    };
    const REMOVED_BY: &'static [&'static str] = actions![batch: UpdateServiceEnvironment];
    const EXAMPLE: &'static str = include_str!("service_environment.example.yaml");
    const READ_BY_NAME: bool = true;

    /// All of a page with one call.
    async fn read(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Self::Seen>> {
        let prefix = scope.place.arn("batch", "service-environment/");
        let declared: BTreeSet<String> = scope.names(Self::NAME).map(str::to_owned).collect();
        let swept = async {
            let swept = scope.swept(&prefix).await?;
            named(client, swept.difference(&declared).cloned().collect()).await
        };
        let (mut found, more) = futures::try_join!(named(client, declared.iter().cloned().collect()), swept)?;
        found.extend(more);
        Ok(found)
    }

    fn live(name: &str, seen: &Self::Seen, place: &Place) -> Option<Live<Self>> {
        let status = seen.status().cloned().unwrap_or(ServiceEnvironmentStatus::Valid);
        // Batch may show one that is gone for a while, as it does compute environments.
        if status == ServiceEnvironmentStatus::Deleted {
            return None;
        }
        let spec = Spec {
            service_environment_type: seen.service_environment_type().map(Part::of).unwrap_or_default(),
            state: Field::read(seen.state(), Spec::default_state),
            capacity_limits: seen.capacity_limits().iter().map(Part::of).collect(),
        };
        let arn = place.arn("batch", &format!("service-environment/{name}"));
        let outputs = Outputs { arn: arn.clone(), status: status.as_str().to_owned() };
        let readiness = match status {
            ServiceEnvironmentStatus::Valid => Readiness::Ready,
            ServiceEnvironmentStatus::Invalid => Readiness::Failed("INVALID".to_owned()),
            status => Readiness::Pending(status.as_str().to_owned()),
        };
        let live = Live::new(name, spec, outputs).with(arn, own_tags(seen.tags().into_iter().flatten()));
        Some(Live { readiness, ..live })
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_service_environment().service_environment_name(cx.name);
        let call = call
            .service_environment_type(want.service_environment_type.as_str().into())
            .state(want.state.as_str().into())
            .set_capacity_limits(want.capacity_limits.write());
        call.set_tags(Some(cx.tags.clone().into_iter().collect())).send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if live.outputs.is_busy() {
            return Ok(());
        }
        let mut call = cx.client.update_service_environment().service_environment(&live.outputs.arn);
        if diff.touches("state") {
            call = call.state(want.state.as_str().into());
        }
        if diff.touches("capacityLimits") {
            call = call.set_capacity_limits(want.capacity_limits.write());
        }
        call.send().await.map_err(failed)?;
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        if live.outputs.is_busy() {
            return Ok(());
        }
        let arn = &live.outputs.arn;
        if live.spec.state == ServiceEnvironmentState::Enabled.as_str() {
            let call = cx.client.update_service_environment().service_environment(arn);
            call.state(ServiceEnvironmentState::Disabled).send().await.map_err(failed)?;
            return Ok(());
        }
        let call = cx.client.delete_service_environment().service_environment(arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// The environments of these names that there are.
async fn named(
    client: &Client,
    names: Vec<String>,
) -> Result<BTreeMap<String, sdk::ServiceEnvironmentDetail>> {
    let mut found = BTreeMap::new();
    for page in names.chunks(PAGE) {
        let call = client.describe_service_environments().set_service_environments(Some(page.to_vec()));
        let mut items = call.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let item = item.map_err(failed)?;
            found.insert(item.service_environment_name.clone().unwrap_or_default(), item);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::trial::Trial;

    #[tokio::test]
    async fn an_environment_is_made_changed_switched_off_and_taken_away() {
        let trial = Trial::new("batch/ServiceEnvironment", "training").await;
        let spec = |state: &str, most: i32| {
            json!({"serviceEnvironmentType": "SAGEMAKER_TRAINING", "state": state,
                "capacityLimits": [{"capacityUnit": "NUM_INSTANCES", "maxCapacity": most}]})
        };
        trial.settle(&spec("ENABLED", 5)).await;
        let live = trial.settle(&spec("ENABLED", 50)).await;
        assert_eq!((&live.readiness, &live.outputs["status"]), (&Readiness::Ready, &json!("VALID")));
        trial.delete(OnDelete::Refuse).await.unwrap();
        assert_eq!(trial.look(true).await.unwrap().unwrap().spec["state"], "DISABLED");
        trial.delete(OnDelete::Refuse).await.unwrap();
        assert_eq!(trial.look(true).await.unwrap(), None);
    }
}
