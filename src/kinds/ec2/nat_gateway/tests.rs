use serde_json::{Value, json};

use super::{NatGateway, Spec};
use crate::diff::walk;
use crate::kind::{AnyKind, Effect, Erased, Kind, Order};
use crate::kinds::trial::Trial;
use crate::resource::{OnDelete, Place, Readiness};
use crate::services::ec2::Ec2;

const IP: &str = "eipalloc-0123456789abcdef0";

fn complaints(spec: Value) -> Vec<String> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let place = Place::new("111122223333", "eu-west-1");
    NatGateway::validate(&spec, &place).into_iter().map(|found| found.path).collect()
}

/// CreateNatGateway: what each mode and each connectivity has.
#[test]
fn what_does_not_go_together_is_refused() {
    for (spec, expected) in [
        (json!({"subnetId": "subnet-1", "allocationId": IP}), &[][..]),
        (json!({"subnetId": "subnet-1", "connectivityType": "private"}), &[]),
        (json!({"vpcId": "vpc-1", "availabilityMode": "regional"}), &[]),
        (json!({"subnetId": "subnet-1"}), &["allocationId"]),
        (json!({"allocationId": IP}), &["subnetId"]),
        (
            json!({"subnetId": "subnet-1", "connectivityType": "private", "allocationId": IP}),
            &["allocationId"],
        ),
        (json!({"availabilityMode": "regional"}), &["vpcId"]),
        (json!({"vpcId": "vpc-1", "availabilityMode": "regional", "subnetId": "subnet-1"}), &["subnetId"]),
        (
            json!({"subnetId": "subnet-1", "allocationId": IP, "secondaryPrivateIpAddressCount": 2}),
            &["secondaryPrivateIpAddressCount"],
        ),
    ] {
        assert_eq!(complaints(spec.clone()), expected, "{spec}");
    }
}

#[test]
fn a_gateway_that_keeps_its_address_goes_before_another_is_made() {
    let kind = Erased::<NatGateway>::new();
    let effect = |before: Value, after: Value| {
        let place = Place::new("111122223333", "eu-west-1");
        let (before, after) = (kind.normal(&before, &place).unwrap(), kind.normal(&after, &place).unwrap());
        kind.effect(&before, &after, &walk(&before, &after, &kind.facts().rules, &[]))
    };
    let of = |subnet: &str, ip: &str| json!({"subnetId": subnet, "allocationId": ip});
    let (kept, why) = effect(of("subnet-1", IP), of("subnet-2", IP));
    assert_eq!(kept, Effect::Replace(Order::DeleteFirst));
    insta::assert_snapshot!(why, @"subnetId is create-only; the old one has the address until it goes: name another allocationId to keep one of them up");
    let (another, why) = effect(of("subnet-1", IP), of("subnet-1", "eipalloc-2"));
    assert_eq!(another, Effect::Replace(Order::CreateFirst));
    insta::assert_snapshot!(why, @"allocationId is create-only");
}

/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>
#[tokio::test]
async fn a_gateway_waits_for_the_internet_and_says_why_it_failed() {
    let trial = Trial::new("ec2/NatGateway", "unnamed").await;
    let ec2 = trial.client::<Ec2>();
    let vpc = ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.20.0.0/20").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    let ip = ec2.allocate_address().send().await.unwrap().allocation_id.unwrap();
    let spec = json!({"subnetId": subnet, "allocationId": ip});
    let refused = trial.create(&spec).await.unwrap_err();
    assert!(refused.is("Gateway.NotAttached"), "{refused}");

    let made = ec2.create_nat_gateway().subnet_id(&subnet).allocation_id(&ip).send().await.unwrap();
    let id = made.nat_gateway.unwrap().nat_gateway_id.unwrap();
    let trial = trial.named(&id);
    assert_eq!(
        trial.look(true).await.unwrap().unwrap().readiness,
        Readiness::Pending("it is pending".into())
    );
    let failed = trial.look(true).await.unwrap().unwrap().readiness;
    let why = format!("Gateway.NotAttached: Network {vpc} has no Internet gateway attached");
    assert_eq!(failed, Readiness::Failed(why));

    // It goes in steps, and only then its address.
    assert!(ec2_release(trial.client::<Ec2>(), &ip).await.is_err());
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(
        trial.look(true).await.unwrap().unwrap().readiness,
        Readiness::Pending("it is deleting".into())
    );
    assert_eq!(trial.look(true).await.unwrap(), None);
    ec2_release(trial.client::<Ec2>(), &ip).await.unwrap();
}

async fn ec2_release(ec2: &aws_sdk_ec2::Client, id: &str) -> Result<(), String> {
    let sent = ec2.release_address().allocation_id(id).send().await;
    sent.map(|_| ()).map_err(|error| format!("{error:?}"))
}
