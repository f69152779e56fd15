use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, SecurityGroup as Reported, UserIdGroupPair,
};
use serde_json::{Value, json};

use super::{SecurityGroup, Spec};
use crate::diff::walk;
use crate::kind::{AnyKind, Effect, Erased, Kind, Live, Order};
use crate::resource::Place;
use crate::services::ec2::Snapshot;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn spec(json: Value) -> Spec {
    let mut spec = serde_json::from_value(json).unwrap();
    SecurityGroup::normalise(&mut spec, &place());
    spec
}

fn everything() -> IpPermission {
    let range = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    IpPermission::builder().ip_protocol("-1").ip_ranges(range).build()
}

fn reported() -> Reported {
    let https = IpPermission::builder()
        .ip_protocol("tcp")
        .from_port(443)
        .to_port(443)
        .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").description("offices").build())
        .ip_ranges(IpRange::builder().cidr_ip("192.168.0.0/16").build())
        .ipv6_ranges(Ipv6Range::builder().cidr_ipv6("2001:db8::/32").build())
        .prefix_list_ids(PrefixListId::builder().prefix_list_id("pl-1").build())
        .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").user_id("111122223333").build())
        .build();
    let ping = IpPermission::builder()
        .ip_protocol("icmp")
        .from_port(-1)
        .to_port(-1)
        .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
        .build();
    Reported::builder()
        .group_id("sg-1")
        .group_name("dev-jobs")
        .description("Batch jobs")
        .vpc_id("vpc-1")
        .owner_id("111122223333")
        .ip_permissions(https)
        .ip_permissions(ping)
        .ip_permissions_egress(everything())
        .build()
}

fn live() -> Live<SecurityGroup> {
    let snapshot =
        Snapshot { security_groups: [("sg-1".to_owned(), reported())].into(), ..Snapshot::default() };
    SecurityGroup::observe(&snapshot, &place()).remove(0)
}

#[test]
fn what_aws_reports_reads_like_a_manifest() {
    let live = live();
    insta::assert_json_snapshot!(live.spec, @r#"
    {
      "groupDescription": "Batch jobs",
      "vpcId": "vpc-1",
      "securityGroupIngress": [
        {
          "ipProtocol": "tcp",
          "fromPort": 443,
          "toPort": 443,
          "cidrIp": "10.0.0.0/8",
          "description": "offices"
        },
        {
          "ipProtocol": "tcp",
          "fromPort": 443,
          "toPort": 443,
          "cidrIp": "192.168.0.0/16"
        },
        {
          "ipProtocol": "tcp",
          "fromPort": 443,
          "toPort": 443,
          "cidrIpv6": "2001:db8::/32"
        },
        {
          "ipProtocol": "tcp",
          "fromPort": 443,
          "toPort": 443,
          "sourcePrefixListId": "pl-1"
        },
        {
          "ipProtocol": "tcp",
          "fromPort": 443,
          "toPort": 443,
          "sourceSecurityGroupId": "sg-1"
        },
        {
          "ipProtocol": "icmp",
          "fromPort": -1,
          "toPort": -1,
          "cidrIp": "10.0.0.0/8"
        }
      ],
      "securityGroupEgress": [
        {
          "ipProtocol": "-1",
          "cidrIp": "0.0.0.0/0"
        }
      ]
    }
    "#);
    insta::assert_json_snapshot!(live.outputs, @r#"
    {
      "id": "sg-1",
      "groupId": "sg-1",
      "arn": "arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1",
      "name": "dev-jobs",
      "vpcId": "vpc-1",
      "ownerId": "111122223333"
    }
    "#);
}

fn changes(want: Value) -> Vec<String> {
    let rules = &Erased::<SecurityGroup>::new().facts().rules;
    let live = serde_json::to_value(live().spec).unwrap();
    let want = serde_json::to_value(spec(want)).unwrap();
    walk(&live, &want, rules, &[]).into_iter().map(|change| change.path).collect()
}

/// What [`reported`] says, in other words and another order.
fn ingress() -> Value {
    json!([
        {"ipProtocol": "1", "cidrIp": "10.0.0.0/8"},
        {"ipProtocol": "6", "fromPort": 443, "toPort": 443, "sourceSecurityGroupId": "sg-1",
            "sourceSecurityGroupOwnerId": "111122223333"},
        {"ipProtocol": "TCP", "fromPort": 443, "toPort": 443, "sourcePrefixListId": "pl-1"},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv6": "2001:DB8:0::/32"},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "192.168.0.0/16"},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8", "description": "offices"},
    ])
}

#[test]
fn rules_are_compared_by_what_they_let_through() {
    let base = json!({"groupDescription": "Batch jobs", "vpcId": "vpc-1", "securityGroupIngress": ingress()});
    assert_eq!(changes(base.clone()), Vec::<String>::new());

    let mut all_out = base.clone();
    all_out["securityGroupEgress"] =
        json!([{"ipProtocol": "all", "fromPort": 0, "toPort": 0, "cidrIp": "0.0.0.0/0"}]);
    assert_eq!(changes(all_out), Vec::<String>::new());

    let mut none_out = base.clone();
    none_out["securityGroupEgress"] = json!([]);
    assert_eq!(changes(none_out), ["securityGroupEgress"]);

    let mut described = base.clone();
    described["securityGroupIngress"][1]["description"] = json!("itself");
    assert_eq!(changes(described), ["securityGroupIngress"]);

    let mut fewer = base;
    fewer["securityGroupIngress"] = json!([]);
    assert_eq!(changes(fewer), ["securityGroupIngress"]);
}

/// Names in any case and numbers are one form, and numbers without a name stay numbers (IpPermission, `IpProtocol`).
#[test]
fn a_protocol_has_one_form() {
    let written = |protocol: &str| {
        let ports = json!({"ipProtocol": protocol, "fromPort": 0, "toPort": 0, "cidrIp": "10.0.0.0/8"});
        let spec = spec(json!({"groupDescription": "d", "securityGroupIngress": [ports]}));
        spec.security_group_ingress[0].ip_protocol.clone()
    };
    for (forms, one) in [
        (["tcp", "TCP", "Tcp", "6", "06", "006"], "tcp"),
        (["udp", "UDP", "Udp", "17", "017", "uDP"], "udp"),
        (["icmp", "ICMP", "Icmp", "1", "01", "001"], "icmp"),
        (["icmpv6", "ICMPV6", "ICMPv6", "58", "058", "Icmpv6"], "icmpv6"),
        (["-1", "all", "ALL", "All", "aLL", "alL"], "-1"),
        (["50", "050", "50", "50", "50", "50"], "50"),
    ] {
        for form in forms {
            assert_eq!(written(form), one, "{form}");
        }
    }
    assert_eq!(written("${var.protocol}"), "${var.protocol}");
}

#[test]
fn a_range_of_port_0_alone_is_doubted() {
    let rule = |protocol: &str| {
        spec(json!({"groupDescription": "d", "securityGroupEgress": [
            {"ipProtocol": protocol, "fromPort": 0, "toPort": 0, "cidrIp": "10.0.0.0/8"}]}))
    };
    let doubts = SecurityGroup::warnings(&rule("tcp"), None);
    assert_eq!(doubts.first().map(|doubt| doubt.path.as_str()), Some("securityGroupEgress[0].toPort"));
    assert!(
        SecurityGroup::warnings(&rule("-1"), None).is_empty()
            && SecurityGroup::warnings(&rule("icmp"), None).is_empty()
    );
}

#[test]
fn a_group_leaves_before_another_takes_its_name() {
    let rules = &Erased::<SecurityGroup>::new().facts().rules;
    let effect = |vpc: &str| {
        let want = spec(json!({"groupDescription": "Other", "vpcId": vpc}));
        let documents = (serde_json::to_value(live().spec).unwrap(), serde_json::to_value(&want).unwrap());
        let changes = walk(&documents.0, &documents.1, rules, &[]);
        SecurityGroup::effect(&live().spec, &want, &changes).0
    };
    assert_eq!(effect("vpc-1"), Effect::Replace(Order::DeleteFirst));
    assert_eq!(effect("vpc-2"), Effect::Replace(Order::CreateFirst));
}

#[test]
fn complaints() {
    let complaints = |json| {
        let wrong = SecurityGroup::validate(&spec(json), &place());
        wrong.into_iter().map(|w| format!("{}: {}", w.path, w.message)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        complaints(json!({"groupDescription": "ünïcode", "securityGroupIngress": [
            {"ipProtocol": "tcp", "fromPort": 80, "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "tcp", "fromPort": 80, "toPort": 22, "cidrIp": "10.0.0.1/8"},
            {"ipProtocol": "sctp2", "cidrIp": "10.0.0.0/8", "cidrIpv6": "::/0"},
            {"ipProtocol": "-1", "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "-1", "cidrIp": "10.0.0.0/8", "description": "again"},
        ]})),
        @r#"
    groupDescription: holds 'ü': AWS takes letters, digits, spaces and ._-:/()#,@[]+=&;{}!$* here
    securityGroupIngress[0].toPort: tcp needs fromPort and toPort; for all ports write 0 and 65535
    securityGroupIngress[1].toPort: 22 comes before fromPort 80; exchange them
    securityGroupIngress[2].ipProtocol: "sctp2" is none of tcp, udp, icmp, icmpv6, -1 and the numbers from 0 to 255
    securityGroupIngress[2]: a rule has exactly one of cidrIp, cidrIpv6, a prefix list and a security group: split it or add one
    securityGroupIngress[4]: it lets through what securityGroupIngress[3] does; AWS refuses that, so remove one
    "#
    );
    assert_eq!(
        complaints(json!({"groupDescription": "for ${env.name}", "securityGroupEgress": [
            {"ipProtocol": "132", "destinationSecurityGroupId": "${ec2/SecurityGroup/jobs.id}"}]})),
        ""
    );
    insta::assert_snapshot!(
        complaints(json!({"groupDescription": "d", "securityGroupIngress": [
            {"ipProtocol": "-1", "fromPort": 8080, "toPort": 8080, "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "ALL", "toPort": 443, "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "50", "fromPort": 0, "toPort": 65535, "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "1", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8"},
            {"ipProtocol": "icmpv6", "toPort": 3, "cidrIpv6": "::/0"},
            {"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIp": "10.0.0.0/8", "sourceSecurityGroupOwnerId": "1"},
        ]})),
        @r#"
    securityGroupIngress[0].fromPort: has no effect with protocol -1: AWS lets everything through, whatever the ports; write `ipProtocol: tcp` (or udp) for these ports, or leave both out
    securityGroupIngress[1].toPort: has no effect with protocol -1: AWS lets everything through, whatever the ports; write `ipProtocol: tcp` (or udp) for these ports, or leave both out
    securityGroupIngress[2].fromPort: has no effect with protocol 50: AWS lets all of protocol 50 through, whatever the ports; write `ipProtocol: tcp` (or udp) for these ports, or leave both out
    securityGroupIngress[3].fromPort: icmp has no ports: fromPort is the type and toPort the code of messages, from 0 to 255, or -1 for all; for ports write tcp or udp
    securityGroupIngress[4].toPort: code 3 goes with one type of icmpv6 message: write its type in fromPort, or -1 here
    securityGroupIngress[5].sourceSecurityGroupOwnerId: has no effect without sourceSecurityGroupId, whose account it is: add that, or remove it
    "#
    );
    // "All" in the ways of Terraform, CloudFormation and the console.
    for (from, to) in
        [(json!(null), json!(null)), (json!(-1), json!(-1)), (json!(0), json!(0)), (json!(-1), json!(null))]
    {
        let rule = json!({"ipProtocol": "-1", "fromPort": from, "toPort": to, "cidrIp": "10.0.0.0/8"});
        let said = complaints(json!({"groupDescription": "d", "securityGroupIngress": [rule]}));
        assert_eq!(said, "", "{from} {to}");
    }
    assert!(SecurityGroup::NAMES.wrong(SecurityGroup::NAME, "sg-mine").is_some());
    assert!(SecurityGroup::NAMES.wrong(SecurityGroup::NAME, "dev-jobs").is_none());
}

#[test]
fn texts_messages_and_owners_are_what_ec2_takes() {
    let wrong = |rule: Value| {
        let spec = json!({"groupDescription": "x", "vpcId": "vpc-1", "securityGroupIngress": [rule]});
        let found = SecurityGroup::validate(&serde_json::from_value(spec).unwrap(), &place());
        found.into_iter().map(|it| it.path.replace("securityGroupIngress[0].", "")).collect::<Vec<_>>()
    };
    let rule = |more: Value| {
        let mut rule = json!({"ipProtocol": "tcp", "fromPort": 1, "toPort": 2, "cidrIp": "10.0.0.0/8"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wrong(rule)
    };
    // "Allowed characters are a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*" (EC2 API, IpRange).
    assert_eq!(rule(json!({"description": "a Z 9 ._-:/()#,@[]+=&;{}!$*"})), [""; 0]);
    for text in ["the ALB's", "jobs – more", "a>b", "x".repeat(256).as_str()] {
        assert_eq!(rule(json!({"description": text})), ["description"], "{text}");
    }
    assert_eq!(rule(json!({"ipProtocol": "icmp", "fromPort": 8, "toPort": -1})), [""; 0]);
    assert_eq!(rule(json!({"ipProtocol": "icmp", "fromPort": 256, "toPort": -1})), ["fromPort"]);
    assert_eq!(rule(json!({"ipProtocol": "icmpv6", "fromPort": 1, "toPort": -2})), ["toPort"]);
    assert_eq!(rule(json!({"sourceSecurityGroupOwnerId": "111122223333"})), ["sourceSecurityGroupOwnerId"]);
    let group = |owner: &str| {
        wrong(
            json!({"ipProtocol": "-1", "sourceSecurityGroupId": "sg-1", "sourceSecurityGroupOwnerId": owner}),
        )
    };
    assert_eq!(
        (group("111122223333"), group("1111")),
        (vec![], vec!["sourceSecurityGroupOwnerId".to_owned()])
    );
}
