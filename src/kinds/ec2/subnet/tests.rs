use aws_sdk_ec2::types::{
    HostnameType, PrivateDnsNameOptionsOnLaunch, Subnet as Reported, SubnetCidrBlockState,
    SubnetCidrBlockStateCode, SubnetIpv6CidrBlockAssociation, SubnetState,
};
use serde_json::{Value, json};

use super::{Spec, Subnet};
use crate::diff::walk;
use crate::kind::{AnyKind, Effect, Erased, Kind, Manner, Order};
use crate::resource::Place;
use crate::services::ec2::Snapshot;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn spec(json: Value) -> Spec {
    serde_json::from_value(json).unwrap()
}

fn ipv6(range: &str, code: SubnetCidrBlockStateCode) -> SubnetIpv6CidrBlockAssociation {
    SubnetIpv6CidrBlockAssociation::builder()
        .association_id(format!("subnet-cidr-assoc-{range}"))
        .ipv6_cidr_block(range)
        .ipv6_cidr_block_state(SubnetCidrBlockState::builder().state(code).build())
        .build()
}

fn reported() -> Reported {
    Reported::builder()
        .subnet_id("subnet-1")
        .subnet_arn("arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1")
        .vpc_id("vpc-1")
        .state(SubnetState::Available)
        .cidr_block("10.0.0.0/20")
        .availability_zone("eu-west-1a")
        .availability_zone_id("euw1-az1")
        .available_ip_address_count(4091)
        .map_public_ip_on_launch(true)
        .customer_owned_ipv4_pool("")
        .private_dns_name_options_on_launch(
            PrivateDnsNameOptionsOnLaunch::builder()
                .hostname_type(HostnameType::IpName)
                .enable_resource_name_dns_a_record(false)
                .build(),
        )
        .ipv6_cidr_block_association_set(ipv6("2001:db8::/64", SubnetCidrBlockStateCode::Disassociating))
        .ipv6_cidr_block_association_set(ipv6("2001:db8:0:1::/64", SubnetCidrBlockStateCode::Associated))
        .build()
}

fn live(reported: Reported) -> crate::kind::Live<Subnet> {
    let snapshot = Snapshot { subnets: [("subnet-1".to_owned(), reported)].into(), ..Snapshot::default() };
    Subnet::observe(&snapshot, &place()).remove(0)
}

#[test]
fn what_aws_reports_reads_like_a_manifest() {
    let live = live(reported());
    insta::assert_json_snapshot!(live.spec, @r#"
    {
      "vpcId": "vpc-1",
      "cidrBlock": "10.0.0.0/20",
      "availabilityZone": "eu-west-1a",
      "availabilityZoneId": "euw1-az1",
      "ipv6CidrBlock": "2001:db8:0:1::/64",
      "ipv6Native": false,
      "mapPublicIpOnLaunch": true,
      "assignIpv6AddressOnCreation": false,
      "enableDns64": false,
      "privateDnsNameOptionsOnLaunch": {
        "hostnameType": "ip-name",
        "enableResourceNameDnsARecord": false,
        "enableResourceNameDnsAAAARecord": false
      },
      "mapCustomerOwnedIpOnLaunch": false
    }
    "#);
    insta::assert_json_snapshot!(live.outputs, @r#"
    {
      "id": "subnet-1",
      "arn": "arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-1",
      "vpcId": "vpc-1",
      "cidrBlock": "10.0.0.0/20",
      "availabilityZone": "eu-west-1a",
      "availabilityZoneId": "euw1-az1",
      "ownerId": null,
      "defaultForAz": false,
      "ipv6AssociationId": "subnet-cidr-assoc-2001:db8:0:1::/64"
    }
    "#);
}

fn changes(live: &Spec, want: Value) -> Vec<String> {
    let (mut live, mut want) = (live.clone(), spec(want));
    Subnet::normalise(&mut live, &place());
    Subnet::normalise(&mut want, &place());
    let rules = &Erased::<Subnet>::new().facts().rules;
    let documents = (serde_json::to_value(live).unwrap(), serde_json::to_value(want).unwrap());
    walk(&documents.0, &documents.1, rules, &[]).into_iter().map(|change| change.path).collect()
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    let live = live(reported()).spec;
    let same = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/20", "mapPublicIpOnLaunch": true,
        "ipv6CidrBlock": "2001:DB8:0:1::/64"});
    assert_eq!(changes(&live, same), Vec::<String>::new());
    assert_eq!(
        changes(
            &live,
            json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/20", "enableDns64": true,
            "privateDnsNameOptionsOnLaunch": {"enableResourceNameDnsAAAARecord": true}})
        ),
        [
            "enableDns64",
            "ipv6CidrBlock",
            "mapPublicIpOnLaunch",
            "privateDnsNameOptionsOnLaunch.enableResourceNameDnsAAAARecord",
        ]
    );
}

#[test]
fn a_subnet_without_ipv4_has_aws_own_settings() {
    let mut native = live(reported()).spec;
    native.ipv6_native = true;
    native.cidr_block = None;
    native.map_public_ip_on_launch = false;
    native.assign_ipv6_address_on_creation = true;
    if let Some(options) = &mut native.private_dns_name_options_on_launch {
        options.hostname_type = "resource-name".to_owned();
    }
    let want = json!({"vpcId": "vpc-1", "ipv6Native": true, "ipv6CidrBlock": "2001:db8:0:1::/64"});
    assert_eq!(changes(&native, want), Vec::<String>::new());
}

#[test]
fn complaints() {
    let complaints = |json| {
        let wrong = Subnet::validate(&spec(json), &place());
        wrong.into_iter().map(|w| format!("{}: {}", w.path, w.message)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "availabilityZone": "a", "availabilityZoneId": "b",
            "ipv6CidrBlock": "2001:db8::1/64", "customerOwnedIpv4Pool": "p"})),
        @r#"
    cidrBlock: a subnet needs a range of addresses: add one such as 10.0.0.0/20, or ipv4IpamPoolId, or set ipv6Native
    ipv6CidrBlock: 2001:db8::1/64 has bits set after its prefix; AWS would make it 2001:db8::/64, so write that
    availabilityZone: a is not a zone of eu-west-1: expected one such as eu-west-1a
    availabilityZoneId: AWS takes either this or availabilityZone: remove one
    customerOwnedIpv4Pool: it goes with mapCustomerOwnedIpOnLaunch: declare both or neither
    "#
    );
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "ipv6Native": true, "cidrBlock": "10.0.0.0/29"})),
        @r#"
    cidrBlock: /29 is not a size that AWS offers here; choose between /16 and /28
    cidrBlock: with ipv6Native a subnet has no IPv4 addresses: remove it
    ipv6CidrBlock: with ipv6Native a subnet needs a range of IPv6 addresses: add one
    "#
    );
    assert_eq!(complaints(json!({"vpcId": "${ec2/Vpc/main.id}", "cidrBlock": "10.0.0.0/28"})), "");
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "ipv6Native": true, "ipv6CidrBlock": "2001:db8::/64", "mapPublicIpOnLaunch": true,
            "ipv4NetmaskLength": 24, "ipv6NetmaskLength": 64, "enableLniAtDeviceIndex": 1,
            "privateDnsNameOptionsOnLaunch": {"hostnameType": "ip-name"}})),
        @r#"
    privateDnsNameOptionsOnLaunch.hostnameType: has to be resource-name with ipv6Native: there are no IPv4 addresses to call instances after
    ipv4NetmaskLength: is for ipv4IpamPoolId without cidrBlock: add the pool, or remove it
    ipv6NetmaskLength: is for ipv6IpamPoolId without ipv6CidrBlock: add the pool, or remove it
    mapPublicIpOnLaunch: has no effect with ipv6Native, without IPv4 addresses: remove one of the two
    enableLniAtDeviceIndex: is for subnets on an Outpost: add outpostArn, or remove it
    "#
    );
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/28", "assignIpv6AddressOnCreation": true,
            "mapCustomerOwnedIpOnLaunch": true, "customerOwnedIpv4Pool": "p"})),
        @r#"
    assignIpv6AddressOnCreation: needs a range of IPv6 addresses: add ipv6CidrBlock, or remove it
    customerOwnedIpv4Pool: is for subnets on an Outpost: add outpostArn, or remove it
    "#
    );
}

#[test]
fn addresses_are_free_before_another_subnet_takes_them() {
    let rules = &Erased::<Subnet>::new().facts().rules;
    let live = live(reported()).spec;
    let effect = |json: Value| {
        let want = spec(json);
        let documents = (serde_json::to_value(&live).unwrap(), serde_json::to_value(&want).unwrap());
        Subnet::effect(&live, &want, &walk(&documents.0, &documents.1, rules, &[])).0
    };
    let zone = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/20", "availabilityZone": "eu-west-1b"});
    assert_eq!(effect(zone), Effect::Replace(Order::DeleteFirst));
    let range = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.16.0/20"});
    assert_eq!(effect(range), Effect::Replace(Order::CreateFirst));
    let vpc = json!({"vpcId": "${ec2/Vpc/main.id}", "cidrBlock": "10.0.0.0/20"});
    assert_eq!(effect(vpc), Effect::Replace(Order::CreateFirst));
    let same = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/20", "enableDns64": true});
    assert_eq!(effect(same), Effect::Update(Manner::InPlace));
}

#[test]
fn zones_and_sizes_that_aws_does_not_have_are_refused() {
    let wrong = |more: Value| {
        let mut json = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.0.0/24"});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Subnet::validate(&spec(json), &place()).into_iter().map(|it| it.path).collect::<Vec<_>>()
    };
    assert_eq!(wrong(json!({"availabilityZone": "us-east-1a"})), ["availabilityZone"]);
    assert_eq!(wrong(json!({"availabilityZone": "eu-west-1-xyz-1a"})), [""; 0]);
    assert_eq!(wrong(json!({"ipv6CidrBlock": "2001:db8::/62"})), ["ipv6CidrBlock"]);
    assert_eq!(wrong(json!({"ipv6CidrBlock": "2001:db8::/64"})), [""; 0]);
    assert_eq!(
        wrong(json!({"outpostArn": "arn:aws:outposts:eu-west-1:1:outpost/op-1"})),
        ["availabilityZone"]
    );
}
