//! Placement groups, which moto has not.

use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{Filter, Placement, PlacementStrategy};

use super::sandbox;

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html>
#[tokio::test]
async fn a_group_stays_for_as_long_as_instances_are_in_it() {
    let sandbox = sandbox().await;
    let ec2 = aws_sdk_ec2::Client::new(&sandbox.sdk_config());
    let near = Placement::builder().group_name("near").build();
    let run = || {
        ec2.run_instances()
            .image_id("ami-0123456789abcdef0")
            .min_count(1)
            .max_count(1)
            .placement(near.clone())
    };
    let unknown = run().send().await.unwrap_err();
    assert_eq!(unknown.code(), Some("InvalidPlacementGroup.Unknown"));
    let make = ec2.create_placement_group().group_name("near").strategy(PlacementStrategy::Partition);
    let made = make.send().await.unwrap().placement_group.unwrap();
    assert_eq!(made.partition_count(), Some(2));

    let id = run().send().await.unwrap().instances()[0].instance_id().unwrap().to_owned();
    let delete = || ec2.delete_placement_group().group_name("near").send();
    assert_eq!(delete().await.unwrap_err().code(), Some("InvalidPlacementGroup.InUse"));
    ec2.terminate_instances().instance_ids(id).send().await.unwrap();
    delete().await.unwrap();
    assert_eq!(delete().await.unwrap_err().code(), Some("InvalidPlacementGroup.Unknown"));
    let of_strategy = Filter::builder().name("strategy").values("partition").build();
    let left = ec2.describe_placement_groups().filters(of_strategy).send().await.unwrap();
    assert!(left.placement_groups().is_empty());
}
