use aws_sdk_ec2::types::{
    RouteTable, RouteTableAssociation, SecurityGroup, Tag, Tenancy, Vpc as Reported, VpcCidrBlockAssociation,
    VpcCidrBlockState, VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation, VpcState,
};
use serde_json::json;

use super::{Spec, Vpc};
use crate::diff::{Rules, walk};
use crate::kind::{AnyKind, Effect, Erased, Kind, Manner, Order};
use crate::resource::Place;
use crate::services::ec2::{Dns, Snapshot};

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn state(code: VpcCidrBlockStateCode) -> VpcCidrBlockState {
    VpcCidrBlockState::builder().state(code).build()
}

fn range(text: &str, id: &str, code: VpcCidrBlockStateCode) -> VpcCidrBlockAssociation {
    VpcCidrBlockAssociation::builder()
        .cidr_block(text)
        .association_id(id)
        .cidr_block_state(state(code))
        .build()
}

fn snapshot() -> Snapshot {
    use VpcCidrBlockStateCode::{Associated, Disassociating};
    let vpc = Reported::builder()
        .vpc_id("vpc-1")
        .owner_id("111122223333")
        .cidr_block("10.0.0.0/16")
        .state(VpcState::Available)
        .instance_tenancy(Tenancy::Default)
        .cidr_block_association_set(range("10.0.0.0/16", "a-1", Associated))
        .cidr_block_association_set(range("10.1.0.0/16", "a-2", Associated))
        .cidr_block_association_set(range("10.2.0.0/16", "a-3", Disassociating))
        .ipv6_cidr_block_association_set(
            VpcIpv6CidrBlockAssociation::builder()
                .ipv6_cidr_block("2001:db8::/56")
                .association_id("a-4")
                .ipv6_pool("Amazon")
                .network_border_group("eu-west-1")
                .ipv6_cidr_block_state(state(Associated))
                .build(),
        )
        .tags(Tag::builder().key("team").value("data").build())
        .tags(Tag::builder().key("aws:cloudformation:stack-name").value("theirs").build())
        .build();
    let main = RouteTableAssociation::builder().main(true).build();
    let table = RouteTable::builder().route_table_id("rtb-1").vpc_id("vpc-1").associations(main).build();
    let group = SecurityGroup::builder().group_id("sg-1").vpc_id("vpc-1").group_name("default").build();
    Snapshot {
        vpcs: [("vpc-1".to_owned(), vpc)].into(),
        dns: [("vpc-1".to_owned(), Dns { support: true, hostnames: true })].into(),
        route_tables: [("rtb-1".to_owned(), table)].into(),
        security_groups: [("sg-1".to_owned(), group)].into(),
        ..Snapshot::default()
    }
}

#[test]
fn what_aws_reports_reads_like_a_manifest() {
    let mut all = Vpc::observe(&snapshot(), &place());
    let live = all.remove(0);
    assert!(all.is_empty());
    insta::assert_json_snapshot!(live.spec, @r#"
    {
      "cidrBlock": "10.0.0.0/16",
      "secondaryCidrBlocks": [
        "10.1.0.0/16"
      ],
      "amazonProvidedIpv6CidrBlock": true,
      "ipv6CidrBlockNetworkBorderGroup": "eu-west-1",
      "enableDnsSupport": true,
      "enableDnsHostnames": true,
      "instanceTenancy": "default"
    }
    "#);
    insta::assert_json_snapshot!(live.outputs, @r#"
    {
      "id": "vpc-1",
      "arn": "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1",
      "cidrBlock": "10.0.0.0/16",
      "ipv6CidrBlock": "2001:db8::/56",
      "defaultSecurityGroupId": "sg-1",
      "mainRouteTableId": "rtb-1",
      "ownerId": "111122223333",
      "isDefault": false,
      "cidrBlockAssociations": {
        "10.0.0.0/16": "a-1",
        "10.1.0.0/16": "a-2",
        "2001:db8::/56": "a-4"
      }
    }
    "#);
    assert_eq!(live.tags, [("team".to_owned(), "data".to_owned())].into());
}

fn spec(json: serde_json::Value) -> Spec {
    serde_json::from_value(json).unwrap()
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    let live = serde_json::to_value(&Vpc::observe(&snapshot(), &place()).remove(0).spec).unwrap();
    let want = json!({"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true, "ipv4NetmaskLength": 16,
        "secondaryCidrBlocks": ["10.1.0.0/16"], "amazonProvidedIpv6CidrBlock": true});
    let rules: &Rules = &Erased::<Vpc>::new().facts().rules;
    assert_eq!(walk(&live, &want, rules, &[]), []);
    assert_eq!(walk(&live, &serde_json::to_value(spec(want)).unwrap(), rules, &[]), []);
}

#[test]
fn tenancy_changes_in_place_in_one_direction_only() {
    let rules: &Rules = &Erased::<Vpc>::new().facts().rules;
    let effect = |live: &str, want: &str, range: &str| {
        let (live, want) = (
            spec(json!({"cidrBlock": "10.0.0.0/16", "instanceTenancy": live})),
            spec(json!({"cidrBlock": range, "instanceTenancy": want})),
        );
        let documents = (serde_json::to_value(&live).unwrap(), serde_json::to_value(&want).unwrap());
        Vpc::effect(&live, &want, &walk(&documents.0, &documents.1, rules, &[])).0
    };
    let replace = Effect::Replace(Order::CreateFirst);
    assert_eq!(effect("dedicated", "default", "10.0.0.0/16"), Effect::Update(Manner::InPlace));
    assert_eq!(effect("default", "dedicated", "10.0.0.0/16"), replace);
    assert_eq!(effect("dedicated", "default", "10.1.0.0/16"), replace);
}

#[test]
fn complaints() {
    let complaints = |json| {
        let wrong = Vpc::validate(&spec(json), &place());
        wrong.into_iter().map(|w| format!("{}: {}", w.path, w.message)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        complaints(json!({"cidrBlock": "10.0.0.0/16", "secondaryCidrBlocks": ["10.0.4.1/24"],
            "enableDnsSupport": false, "enableDnsHostnames": true})),
        @r#"
    secondaryCidrBlocks[0]: 10.0.4.1/24 has bits set after its prefix; AWS would make it 10.0.4.0/24, so write that
    secondaryCidrBlocks[0]: 10.0.4.1/24 overlaps 10.0.0.0/16; the ranges of a VPC must not
    enableDnsHostnames: DNS names need DNS: set enableDnsSupport to true as well
    "#
    );
    insta::assert_snapshot!(complaints(json!({})), @"cidrBlock: a VPC needs a range of addresses: add one such as 10.0.0.0/16, or ipv4IpamPoolId");
    assert_eq!(complaints(json!({"cidrBlock": "${ec2/Vpc/other.cidrBlock}"})), "");
    insta::assert_snapshot!(
        complaints(json!({"cidrBlock": "10.0.0.0/16", "ipv4IpamPoolId": "ipam-pool-1", "ipv4NetmaskLength": 20, "ipv6Pool": "p",
            "ipv6NetmaskLength": 56, "ipv6CidrBlockNetworkBorderGroup": "eu-west-1"})),
        @r#"
    ipv4NetmaskLength: is for ipv4IpamPoolId without cidrBlock: add the pool, or remove it
    ipv6Pool: is where ipv6CidrBlocks come from: add those, or remove it
    ipv6NetmaskLength: is for ipv6IpamPoolId without ipv6CidrBlocks: add the pool, or remove it
    ipv6CidrBlockNetworkBorderGroup: is for the addresses that AWS gives: set amazonProvidedIpv6CidrBlock to true, or remove it
    "#
    );
}

#[test]
fn what_comes_from_pools_has_the_sizes_that_aws_offers() {
    let wrong = |more: serde_json::Value| {
        let mut json = json!({"ipv4IpamPoolId": "p"});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Vpc::validate(&spec(json), &place()).into_iter().map(|it| it.path).collect::<Vec<_>>()
    };
    assert_eq!(wrong(json!({"ipv4NetmaskLength": 28})), [""; 0]);
    assert_eq!(wrong(json!({"ipv4NetmaskLength": 29})), ["ipv4NetmaskLength"]);
    assert_eq!(wrong(json!({"ipv6NetmaskLength": 56, "ipv6IpamPoolId": "p"})), [""; 0]);
    assert_eq!(wrong(json!({"ipv6NetmaskLength": 57, "ipv6IpamPoolId": "p"})), ["ipv6NetmaskLength"]);
    assert_eq!(wrong(json!({"ipv6CidrBlocks": ["2001:db8::/50"], "ipv6Pool": "p"})), ["ipv6CidrBlocks[0]"]);
    let both = json!({"amazonProvidedIpv6CidrBlock": true, "ipv6IpamPoolId": "p"});
    assert_eq!(wrong(both), ["amazonProvidedIpv6CidrBlock"]);
}
