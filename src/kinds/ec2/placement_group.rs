//! `ec2/PlacementGroup`: how near to each other instances are put.

use aws_sdk_ec2::types::{
    PlacementGroup as Reported, PlacementGroupState, PlacementStrategy, ResourceType, SpreadLevel,
};

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, tag_on_create, tags};

/// A placement group.
pub struct PlacementGroup;

/// What a manifest declares of a placement group.
#[spec]
pub struct Spec {
    /// `cluster`: near to each other in one zone, for jobs whose nodes talk much; `partition`: in parts that share no hardware;
    /// `spread`: each on hardware of its own; `precision-time`: where clocks agree most.
    #[field(create_only, one_of(PlacementStrategy::values()))]
    pub strategy: String,
    /// How many parts, 1 to 7 in each zone; with `partition` only. Absent: AWS chooses.
    #[field(server, create_only, range(1..=7))]
    pub partition_count: Option<i32>,
    /// What is shared by no two instances: `rack`, or `host`, which Outposts alone have; with `spread` only. Absent: AWS chooses.
    #[field(server, create_only, one_of(SpreadLevel::values()))]
    pub spread_level: Option<String>,
    /// The group that it is a part of, by id; with `cluster` only.
    #[field(empty, create_only, refers("ec2/PlacementGroup.id"))]
    pub parent_group_id: Option<String>,
}

/// What AWS assigns to a placement group.
#[outputs]
pub struct Outputs {
    /// Its id: `pg-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
}

const GROUPS: &[On] = &[On::Regional("ec2", "placement-group/*")];

impl Kind for PlacementGroup {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/PlacementGroup";
    const NAMES: NameRule = NameRule::checked(255, wrong_name);
    const ARN: Option<On> = Some(On::Regional("ec2", "placement-group/{name}"));
    const ABOUT: &'static str =
        "A placement group: how near to each other the instances of a compute environment are put.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::PlacementGroup";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("groupName", "metadata.physicalName"),
        ("tags", "metadata.tags"),
        ("linkedGroupId", "AWS reserves it for future use"),
        ("operator", "a group that a service manages is the service's"),
    ];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribePlacementGroups])],
        write: &[
            Grant::on(actions![ec2: CreatePlacementGroup], GROUPS).when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateTags], GROUPS).when(When::TaggedBy(&["CreatePlacementGroup"])),
            Grant::on(actions![ec2: CreateTags DeletePlacementGroup DeleteTags], GROUPS).when(When::Owned),
        ],
    };
    const EXAMPLE: &'static str = include_str!("placement_group.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let only_with = [
            ("partitionCount", PlacementStrategy::Partition, spec.partition_count.is_some()),
            ("spreadLevel", PlacementStrategy::Spread, spec.spread_level.is_some()),
            ("parentGroupId", PlacementStrategy::Cluster, spec.parent_group_id.is_some()),
        ];
        let wrong = only_with.into_iter().filter(|(_, strategy, said)| {
            *said && spec.strategy != strategy.as_str() && !spec.strategy.contains("${")
        });
        wrong
            .map(|(field, strategy, _)| {
                let (strategy, is) = (strategy.as_str(), &spec.strategy);
                Invalid::new(
                    field,
                    format!("goes with strategy `{strategy}` alone, and it is `{is}`: remove it"),
                )
            })
            .collect()
    }

    /// Instances stay in the group that they were launched into: who refers to it goes to another one, then the old one can go.
    fn effect(_live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        match strongest(changes, Self::IDENTITY) {
            (Effect::Replace(_), why) => (Effect::Replace(Order::CreateFirst), why),
            other => other,
        }
    }

    fn denoted_by(live: &Live<Self>) -> Vec<Denoted> {
        ["placementGroup", "groupName"].map(|field| Denoted::InField(field, live.physical.clone())).into()
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.placement_groups.iter().filter_map(|group| live(group, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_placement_group().group_name(cx.name);
        let call = call
            .strategy(want.strategy.as_str().into())
            .set_partition_count(want.partition_count)
            .set_spread_level(want.spread_level.as_deref().map(Into::into))
            .set_parent_group_id(want.parent_group_id.clone());
        let call = call.tag_specifications(tag_on_create(ResourceType::PlacementGroup, cx.tags));
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(_cx: &Cx<'_, Self>, _live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        // Nothing of it changes in place but its tags.
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_placement_group().group_name(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// CreatePlacementGroup, `GroupName`: "Up to 255 ASCII characters".
fn wrong_name(name: &str) -> Option<String> {
    if let Some(bad) = name.chars().find(|it| !it.is_ascii() || it.is_ascii_control()) {
        return Some(format!("{bad:?} may not stand in a placement group's name: ASCII characters may"));
    }
    let length = name.len();
    let is_wrong = !(1..=255).contains(&length);
    is_wrong.then(|| format!("a placement group's name has 1 to 255 characters, this one has {length}"))
}

fn live(group: &Reported, place: &Place) -> Option<Live<PlacementGroup>> {
    let name = group.group_name()?;
    let state = group.state().filter(|state| **state != PlacementGroupState::Deleted)?;
    let spec = Spec {
        strategy: group.strategy().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        partition_count: group.partition_count(),
        spread_level: group.spread_level().map(|it| it.as_str().to_owned()),
        parent_group_id: group.parent_group_id().map(str::to_owned),
    };
    let arn =
        group.group_arn().map_or_else(|| place.arn("ec2", &format!("placement-group/{name}")), str::to_owned);
    let outputs = Outputs { id: group.group_id().unwrap_or_default().to_owned(), arn: arn.clone() };
    let readiness = match state {
        PlacementGroupState::Available => Readiness::Ready,
        state => Readiness::Pending(format!("it is {}", state.as_str())),
    };
    Some(Live { readiness, ..Live::new(name, spec, outputs).with(arn, tags(group.tags())) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::kinds::trial::Trial;
    use crate::services::{Fault, Service};

    fn complaints(spec: Value) -> Vec<String> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let place = Place::new("111122223333", "eu-west-1");
        PlacementGroup::validate(&spec, &place).into_iter().map(|found| found.path).collect()
    }

    /// CreatePlacementGroup: what each strategy has.
    #[test]
    fn what_is_of_another_strategy_is_refused() {
        for (spec, expected) in [
            (json!({"strategy": "cluster", "parentGroupId": "pg-1"}), &[][..]),
            (json!({"strategy": "partition", "partitionCount": 3}), &[]),
            (json!({"strategy": "spread", "spreadLevel": "rack"}), &[]),
            (
                json!({"strategy": "cluster", "partitionCount": 3, "spreadLevel": "rack"}),
                &["partitionCount", "spreadLevel"],
            ),
            (json!({"strategy": "spread", "parentGroupId": "pg-1"}), &["parentGroupId"]),
        ] {
            assert_eq!(complaints(spec.clone()), expected, "{spec}");
        }
        assert!(wrong_name("tüv").is_some() && wrong_name(&"a".repeat(256)).is_some());
        assert_eq!(wrong_name("hpc, rack 7"), None);
    }

    #[tokio::test]
    async fn a_group_is_made_once_and_taken_away() {
        let trial = Trial::new("ec2/PlacementGroup", "near").await;
        let spec = json!({"strategy": "partition", "partitionCount": 2});
        let live = trial.settle(&spec).await;
        assert_eq!(live.arn.as_deref(), live.outputs["arn"].as_str());
        let again = trial.create(&spec).await.unwrap_err();
        assert_eq!(Ec2::classify(&again, Default::default()), Fault::Exists);
        trial.delete(OnDelete::Refuse).await.unwrap();
        assert_eq!(trial.look(true).await.unwrap(), None);
    }
}
