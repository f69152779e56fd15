use aws_sdk_ec2::types::{
    DnsEntry, DnsOptions, DnsRecordIpType, IpAddressType, SecurityGroupIdentifier, State,
    VpcEndpoint as Reported, VpcEndpointType,
};
use serde_json::{Value, json};

use super::{Spec, VpcEndpoint, everything, write};
use crate::diff::walk;
use crate::kind::{AnyKind, Effect, Erased, Kind, Live, Order};
use crate::resource::{Place, Readiness};
use crate::services::ec2::Snapshot;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn reported(state: &str) -> aws_sdk_ec2::types::builders::VpcEndpointBuilder {
    Reported::builder()
        .vpc_endpoint_id("vpce-1")
        .vpc_id("vpc-1")
        .owner_id("111122223333")
        .service_name("com.amazonaws.eu-west-1.sqs")
        .service_region("eu-west-1")
        .vpc_endpoint_type(VpcEndpointType::Interface)
        .state(State::from(state))
        .policy_document(everything().text())
        .subnet_ids("subnet-1")
        .groups(SecurityGroupIdentifier::builder().group_id("sg-1").group_name("default").build())
        .ip_address_type(IpAddressType::Ipv4)
        .dns_options(DnsOptions::builder().dns_record_ip_type(DnsRecordIpType::Ipv4).build())
        .private_dns_enabled(true)
        .network_interface_ids("eni-1")
        .dns_entries(DnsEntry::builder().dns_name("vpce-1.sqs.eu-west-1.vpce.amazonaws.com").build())
}

fn observe(reported: Reported) -> Option<Live<VpcEndpoint>> {
    let snapshot =
        Snapshot { vpc_endpoints: [("vpce-1".to_owned(), reported)].into(), ..Snapshot::default() };
    VpcEndpoint::observe(&snapshot, &place()).pop()
}

fn live() -> Live<VpcEndpoint> {
    observe(reported("available").build()).unwrap()
}

#[test]
fn what_aws_reports_reads_like_a_manifest() {
    insta::assert_json_snapshot!(live().spec, @r#"
    {
      "vpcId": "vpc-1",
      "serviceName": "com.amazonaws.eu-west-1.sqs",
      "serviceRegion": "eu-west-1",
      "vpcEndpointType": "Interface",
      "policyDocument": {
        "Statement": [
          {
            "Action": "*",
            "Effect": "Allow",
            "Principal": "*",
            "Resource": "*"
          }
        ],
        "Version": "2008-10-17"
      },
      "subnetIds": [
        "subnet-1"
      ],
      "securityGroupIds": [
        "sg-1"
      ],
      "privateDnsEnabled": true,
      "ipAddressType": "ipv4",
      "dnsOptions": {
        "dnsRecordIpType": "ipv4",
        "privateDnsOnlyForInboundResolverEndpoint": false
      }
    }
    "#);
    insta::assert_json_snapshot!(live().outputs, @r#"
    {
      "id": "vpce-1",
      "arn": "arn:aws:ec2:eu-west-1:111122223333:vpc-endpoint/vpce-1",
      "ownerId": "111122223333",
      "dnsName": "vpce-1.sqs.eu-west-1.vpce.amazonaws.com",
      "networkInterfaceIds": [
        "eni-1"
      ],
      "state": "available"
    }
    "#);
}

#[test]
fn states_are_read_in_any_case() {
    let readiness =
        |state| observe(reported(state).failure_reason("no addresses").build()).map(|l| l.readiness);
    assert_eq!(readiness("available"), Some(Readiness::Ready));
    assert_eq!(readiness("Available"), Some(Readiness::Ready));
    assert_eq!(readiness("pendingAcceptance"), Some(Readiness::Ready));
    assert_eq!(readiness("pending"), Some(Readiness::Pending("its state is pending".to_owned())));
    assert_eq!(readiness("deleting"), Some(Readiness::Pending("its state is deleting".to_owned())));
    assert_eq!(readiness("failed"), Some(Readiness::Failed("its state is failed: no addresses".to_owned())));
    assert_eq!(readiness("deleted"), None);
}

fn changes(live: &Spec, want: &Value) -> Vec<crate::diff::FieldChange> {
    let want: Spec = serde_json::from_value(want.clone()).unwrap();
    let documents = (serde_json::to_value(live).unwrap(), serde_json::to_value(want).unwrap());
    walk(&documents.0, &documents.1, &Erased::<VpcEndpoint>::new().facts().rules, &[])
}

fn paths(want: &Value) -> Vec<String> {
    changes(&live().spec, want).into_iter().map(|change| change.path).collect()
}

fn declared() -> Value {
    json!({"vpcId": "vpc-1", "serviceName": "com.amazonaws.eu-west-1.sqs", "vpcEndpointType": "Interface",
        "subnetIds": ["subnet-1"], "privateDnsEnabled": true})
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    let mut want = declared();
    assert_eq!(paths(&want), Vec::<String>::new());
    want["policyDocument"] = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["*"], "Resource": "*"}});
    assert_eq!(paths(&want), Vec::<String>::new());
    want["policyDocument"]["Statement"]["Action"] = json!("sqs:SendMessage");
    want["securityGroupIds"] = json!(["sg-2"]);
    want["subnetIds"] = json!([]);
    want["dnsOptions"] = json!({"dnsRecordIpType": "dualstack"});
    assert_eq!(
        paths(&want),
        ["dnsOptions.dnsRecordIpType", "policyDocument", "securityGroupIds", "subnetIds"]
    );

    let none = observe(reported("available").set_policy_document(None).build()).unwrap();
    assert_eq!(changes(&none.spec, &declared()), []);
}

#[test]
fn what_is_on_is_turned_off_by_name() {
    let (off, mut on) = (live(), live());
    let options = on.spec.dns_options.as_mut().unwrap();
    options.private_dns_only_for_inbound_resolver_endpoint = true;
    let sent = |live: &Live<VpcEndpoint>, want: &Live<VpcEndpoint>| {
        write::changed_options(live, &want.spec).private_dns_only_for_inbound_resolver_endpoint()
    };
    assert_eq!([sent(&off, &on), sent(&on, &off), sent(&off, &off)], [Some(true), Some(false), None]);
}

#[test]
fn two_ways_to_one_service_cannot_exist_at_once() {
    let effect = |key: &str, value: &str| {
        let mut want = declared();
        want[key] = json!(value);
        let changes = changes(&live().spec, &want);
        VpcEndpoint::effect(&live().spec, &serde_json::from_value(want).unwrap(), &changes).0
    };
    assert_eq!(effect("vpcEndpointType", "GatewayLoadBalancer"), Effect::Replace(Order::DeleteFirst));
    assert_eq!(effect("vpcId", "vpc-2"), Effect::Replace(Order::CreateFirst));
    assert_eq!(effect("serviceName", "com.amazonaws.eu-west-1.sns"), Effect::Replace(Order::CreateFirst));
}

#[test]
fn complaints() {
    let complaints = |json| {
        let wrong = VpcEndpoint::validate(&serde_json::from_value(json).unwrap(), &place());
        wrong.into_iter().map(|w| format!("{}: {}", w.path, w.message)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "subnetIds": ["subnet-1"], "privateDnsEnabled": true})),
        @r#"
    subnetIds: an endpoint of type Gateway has no network interfaces: remove it, or set vpcEndpointType to Interface
    privateDnsEnabled: an endpoint of type Gateway has no network interfaces: remove it, or set vpcEndpointType to Interface
    serviceName: an endpoint of type Gateway leads to one: add it
    "#
    );
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "vpcEndpointType": "Interface", "serviceName": "com.amazonaws.eu-west-1.s3",
            "routeTableIds": ["rtb-1"], "dnsOptions": {"privateDnsOnlyForInboundResolverEndpoint": true}})),
        @r#"
    routeTableIds: only endpoints of type Gateway have it, and this one is of type Interface: remove it
    dnsOptions.privateDnsOnlyForInboundResolverEndpoint: it narrows private names: set privateDnsEnabled to true as well
    "#
    );
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "vpcEndpointType": "GatewayLoadBalancer", "serviceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1", "securityGroupIds": ["sg-1"],
            "privateDnsEnabled": true, "policyDocument": {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}}, "serviceRegion": "us-east-1"})),
        @r#"
    serviceRegion: only endpoints of type Interface have it, and this one is of type GatewayLoadBalancer: remove it
    policyDocument: an endpoint of type GatewayLoadBalancer has none: remove it
    securityGroupIds: an endpoint of type GatewayLoadBalancer has none: remove it
    privateDnsEnabled: an endpoint of type GatewayLoadBalancer has none: remove it
    "#
    );
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "vpcEndpointType": "Resource", "serviceName": "com.amazonaws.eu-west-1.s3", "resourceConfigurationArn": "arn:aws:x",
            "dnsOptions": {"privateDnsSpecifiedDomains": ["a.example"]}})),
        @r#"
    serviceName: an endpoint of type Resource leads to no service by name: remove it, or change vpcEndpointType
    dnsOptions.privateDnsSpecifiedDomains: they count only with privateDnsPreference VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS or SPECIFIED_DOMAINS_ONLY: set it, or remove them
    "#
    );
    assert_eq!(
        complaints(
            json!({"vpcId": "vpc-1", "serviceName": "com.amazonaws.eu-west-1.s3", "dnsOptions": {"privateDnsPreference": "ALL_DOMAINS"}})
        ),
        "dnsOptions.privateDnsPreference: an endpoint of type Gateway has it not, only Resource and ServiceNetwork have: remove it"
    );
    assert_eq!(complaints(declared()), "");
}

#[test]
fn a_service_of_another_region_says_so() {
    let wrong = |more: serde_json::Value| {
        let mut json = json!({"vpcId": "vpc-1"});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = VpcEndpoint::validate(&serde_json::from_value(json).unwrap(), &place());
        found.into_iter().map(|it| it.path).collect::<Vec<_>>()
    };
    for name in [
        "com.amazonaws.eu-west-1.s3",
        "com.amazonaws.s3-global.accesspoint",
        "com.amazonaws.vpce.us-east-1.vpce-svc-1",
    ] {
        assert_eq!(wrong(json!({"vpcEndpointType": "Interface", "serviceName": name})), [""; 0], "{name}");
    }
    let there = "com.amazonaws.us-east-1.ecr.api";
    assert_eq!(wrong(json!({"vpcEndpointType": "Interface", "serviceName": there})), ["serviceName"]);
    let named = json!({"vpcEndpointType": "Interface", "serviceName": there, "serviceRegion": "us-east-1"});
    assert_eq!(wrong(named), [""; 0]);
    let one = json!({"vpcEndpointType": "GatewayLoadBalancer", "serviceName": "com.amazonaws.eu-west-1.s3", "subnetIds": ["subnet-1", "subnet-2"]});
    assert_eq!(wrong(one), ["subnetIds"]);
}
