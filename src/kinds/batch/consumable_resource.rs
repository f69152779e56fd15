//! `batch/ConsumableResource`: what jobs take beside vCPUs and memory.

use std::collections::BTreeSet;

use aws_sdk_batch::operation::describe_consumable_resource::DescribeConsumableResourceOutput as Reported;
use aws_sdk_batch::types::KeyValuesPair;

use super::types::name;
use crate::kind::prelude::*;
use crate::services::batch::{Batch, Client};

/// A Batch consumable resource.
pub struct ConsumableResource;

/// What a manifest declares of a consumable resource.
#[spec]
pub struct Spec {
    /// Whether jobs give back what they took when they are over: `REPLENISHABLE`, such as seats of a licence, or
    /// `NON_REPLENISHABLE`, such as a budget.
    #[field(default = "REPLENISHABLE", create_only, one_of("REPLENISHABLE", "NON_REPLENISHABLE"))]
    pub resource_type: String,
    /// How much there is. Of what is `NON_REPLENISHABLE` jobs take from this figure itself, and an apply would fill it up again:
    /// `metadata.ignore: [totalQuantity]` leaves what is left.
    #[field(range(0..))]
    pub total_quantity: i64,
}

/// What AWS assigns to a consumable resource.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

const REPLENISHABLE: &str = "REPLENISHABLE";
const NON_REPLENISHABLE: &str = "NON_REPLENISHABLE";
/// How many ListConsumableResources answers at once.
const PAGE: usize = 100;

impl Kind for ConsumableResource {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = Reported;

    const NAME: &'static str = "batch/ConsumableResource";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ARN: Option<On> = Some(On::Regional("batch", "consumable-resource/{name}"));
    const ABOUT: &'static str =
        "A Batch consumable resource: what jobs take beside vCPUs and memory, such as licences.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::ConsumableResource";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("consumableResourceName", "metadata.physicalName"), ("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![batch: ListConsumableResources]),
            Grant::on(actions![batch: DescribeConsumableResource], RESOURCES),
        ],
        write: &[Grant::on(
            actions![batch: CreateConsumableResource DeleteConsumableResource TagResource UntagResource
                UpdateConsumableResource],
            RESOURCES,
        )],
    };
    const EXAMPLE: &'static str = include_str!("consumable_resource.example.yaml");
    const READ_BY_NAME: bool = true;

    fn warnings(spec: &Spec, _live: Option<&Spec>) -> Vec<Invalid> {
        let what = "is what jobs use up, and each apply fills it up again: `metadata.ignore: [totalQuantity]` leaves what is left";
        let is_used_up = spec.resource_type == NON_REPLENISHABLE;
        is_used_up.then(|| Invalid::new("totalQuantity", what)).into_iter().collect()
    }

    /// A revision of its job definitions that names the new one comes before the old one goes.
    fn effect(_live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        match strongest(changes, Self::IDENTITY) {
            (Effect::Replace(_), why) => (Effect::Replace(Order::CreateFirst), why),
            other => other,
        }
    }

    /// Which there are says a list; what tags they have says each alone. Batch has no code for what is not there, and what could
    /// not be read never passes for that.
    async fn read(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Reported>> {
        let prefix = scope.place.arn("batch", "consumable-resource/");
        let declared: BTreeSet<String> = scope.names(Self::NAME).map(str::to_owned).collect();
        let swept = async {
            let swept = scope.swept(&prefix).await?;
            there(client, swept.difference(&declared).cloned().collect()).await
        };
        let (mut there, more) = futures::try_join!(there(client, declared.clone()), swept)?;
        there.extend(more);
        let mut found = BTreeMap::new();
        for name in there {
            let call = client.describe_consumable_resource().consumable_resource(&name);
            found.insert(name, call.send().await.map_err(failed)?);
        }
        Ok(found)
    }

    fn live(name: &str, seen: &Reported, place: &Place) -> Option<Live<Self>> {
        let spec = Spec {
            resource_type: seen.resource_type().unwrap_or(REPLENISHABLE).to_owned(),
            total_quantity: seen.total_quantity().unwrap_or_default(),
        };
        let outputs = Outputs { arn: place.arn("batch", &format!("consumable-resource/{name}")) };
        let arn = outputs.arn.clone();
        Some(Live::new(name, spec, outputs).with(arn, own_tags(seen.tags().into_iter().flatten())))
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_consumable_resource().consumable_resource_name(cx.name);
        let call = call.resource_type(&want.resource_type).total_quantity(want.total_quantity);
        call.set_tags(Some(cx.tags.clone().into_iter().collect())).send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, _diff: &Diff) -> Result<()> {
        let call = cx.client.update_consumable_resource().consumable_resource(&live.outputs.arn);
        let call = call.operation("SET").quantity(want.total_quantity).client_token(cx.token);
        call.send().await.map_err(failed)?;
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_consumable_resource().consumable_resource(&live.outputs.arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

const RESOURCES: &[On] = &[On::Regional("batch", "consumable-resource/{name}")];

/// Which of these names there are.
async fn there(client: &Client, names: BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let names: Vec<String> = names.into_iter().collect();
    for page in names.chunks(PAGE) {
        let filter =
            KeyValuesPair::builder().name("CONSUMABLE_RESOURCE_NAME").set_values(Some(page.to_vec()));
        let call = client.list_consumable_resources().filters(filter.build());
        let mut items = call.into_paginator().items().send();
        while let Some(item) = items.next().await {
            found.insert(item.map_err(failed)?.consumable_resource_name.unwrap_or_default());
        }
    }
    // The filter knows no case.
    found.retain(|name| names.contains(name));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::{AnyKind, Effect, Erased};
    use crate::kinds::trial::Trial;

    #[tokio::test]
    async fn a_resource_is_made_changed_and_taken_away() {
        let trial = Trial::new("batch/ConsumableResource", "licences").await;
        trial.settle(&json!({"totalQuantity": 5})).await;
        let live = trial.settle(&json!({"totalQuantity": 0})).await;
        assert_eq!(live.spec["resourceType"], REPLENISHABLE);
        trial.delete(OnDelete::Refuse).await.unwrap();
        assert_eq!(trial.look(true).await.unwrap(), None);
    }

    #[test]
    fn what_jobs_use_up_is_doubted_and_another_type_is_another_resource() {
        let spec = |of: &str| Spec { resource_type: of.to_owned(), total_quantity: 5 };
        assert!(ConsumableResource::warnings(&spec(REPLENISHABLE), None).is_empty());
        assert_eq!(ConsumableResource::warnings(&spec(NON_REPLENISHABLE), None)[0].path, "totalQuantity");
        let kind = Erased::<ConsumableResource>::new();
        let place = Place::new("111122223333", "eu-west-1");
        let [before, after] = [REPLENISHABLE, NON_REPLENISHABLE]
            .map(|of| kind.normal(&json!({"resourceType": of, "totalQuantity": 5}), &place).unwrap());
        let changes = crate::diff::walk(&before, &after, &kind.facts().rules, &[]);
        let (effect, _) = kind.effect(&before, &after, &changes);
        assert_eq!(effect, Effect::Replace(Order::CreateFirst));
    }
}
