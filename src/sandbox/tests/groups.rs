//! Security groups and their rules as EC2 serves them
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>).

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, UserIdGroupPair};

use super::sandbox;

/// A VPC and a group `g` in it.
async fn group(ec2: &Client) -> (String, String) {
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let made =
        ec2.create_security_group().vpc_id(&vpc).group_name("g").description("d").send().await.unwrap();
    (vpc, made.group_id.unwrap())
}

fn rule(protocol: &str, ports: Option<(i32, i32)>) -> IpPermission {
    let range = IpRange::builder().cidr_ip("10.1.0.0/16").build();
    let rule = IpPermission::builder().ip_protocol(protocol).ip_ranges(range);
    let (first, last) = ports.unzip();
    rule.set_from_port(first).set_to_port(last).build()
}

/// What is refused, and how: code and message.
async fn refused(ec2: &Client, group: &str, rule: IpPermission) -> (String, String) {
    let call = ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule);
    let error = call.send().await.unwrap_err();
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

async fn ingress(ec2: &Client, group: &str) -> Vec<IpPermission> {
    let groups = ec2.describe_security_groups().group_ids(group).send().await.unwrap();
    groups.security_groups()[0].ip_permissions().to_vec()
}

#[tokio::test]
async fn a_protocol_is_a_name_or_a_number_and_most_have_no_ports() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let (_, group) = group(&ec2).await;
    let given = [
        ("50", None),
        ("2", Some((1, 2))),
        ("-1", Some((0, 0))),
        ("6", Some((22, 22))),
        ("ICMP", Some((8, 0))),
        ("58", None),
    ];
    for (protocol, ports) in given {
        for direction in ["ingress", "egress"] {
            let rule = rule(protocol, ports);
            if direction == "ingress" {
                ec2.authorize_security_group_ingress()
                    .group_id(&group)
                    .ip_permissions(rule)
                    .send()
                    .await
                    .unwrap();
            } else {
                ec2.authorize_security_group_egress()
                    .group_id(&group)
                    .ip_permissions(rule)
                    .send()
                    .await
                    .unwrap();
            }
        }
    }
    let shown: Vec<_> = ingress(&ec2, &group)
        .await
        .iter()
        .map(|rule| (rule.ip_protocol.clone().unwrap(), rule.from_port.zip(rule.to_port)))
        .collect();
    let expected = [
        ("50", None),
        ("2", None),
        ("-1", None),
        ("tcp", Some((22, 22))),
        ("icmp", Some((8, 0))),
        ("icmpv6", Some((-1, -1))),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, ports)| ((*name).to_owned(), *ports)).collect();
    assert_eq!(shown, expected);
    let revoke = ec2.revoke_security_group_ingress().group_id(&group);
    revoke.ip_permissions(rule("50", None)).ip_permissions(rule("tcp", Some((22, 22)))).send().await.unwrap();
    assert_eq!(ingress(&ec2, &group).await.len(), 4);
}

/// The texts: aws-cloudformation/cfn-lint#1323, awsdocs/aws-cloudformation-user-guide#217 (ICMP), boto/boto3#336 (out of range).
#[tokio::test]
async fn rules_without_what_their_protocol_needs_are_refused() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let (_, group) = group(&ec2).await;
    let both = "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
    let icmp = "Invalid value 'Must specify both from and to ports with ICMP.' for portRange.";
    let half = IpPermission::builder().ip_protocol("tcp").from_port(22);
    let half = half.ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build()).build();
    for (rule, code, message) in [
        (rule("tcp", None), "InvalidParameterValue", both),
        (half, "InvalidParameterValue", both),
        (rule("17", None), "InvalidParameterValue", both),
        (rule("icmp", None), "InvalidParameterValue", icmp),
        (rule("tcp", Some((-1, 80))), "InvalidPermission.Malformed", "TCP/UDP port (-1) out of range"),
        (rule("udp", Some((80, 65536))), "InvalidPermission.Malformed", "TCP/UDP port (65536) out of range"),
        (
            rule("esp", None),
            "InvalidParameterValue",
            "Invalid value 'esp' for IP protocol. Unknown protocol.",
        ),
        (
            rule("256", None),
            "InvalidParameterValue",
            "Invalid value '256' for IP protocol. Unknown protocol.",
        ),
    ] {
        assert_eq!(refused(&ec2, &group, rule).await, (code.to_owned(), message.to_owned()));
    }
    assert_eq!(refused(&ec2, &group, rule("tcp", Some((80, 22)))).await.0, "InvalidPermission.Malformed");
}

#[tokio::test]
async fn all_rules_of_a_call_are_written_or_none_and_none_twice() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let (_, group) = group(&ec2).await;
    let call = || ec2.authorize_security_group_ingress().group_id(&group);
    call().ip_permissions(rule("tcp", Some((22, 22)))).send().await.unwrap();
    let twice = call().ip_permissions(rule("udp", Some((53, 53)))).ip_permissions(rule("6", Some((22, 22))));
    assert_eq!(twice.send().await.unwrap_err().code(), Some("InvalidPermission.Duplicate"));
    assert_eq!(ingress(&ec2, &group).await.len(), 1);
    let pair = |description: &str| {
        let pair = UserIdGroupPair::builder().group_id(&group).description(description).build();
        IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair).build()
    };
    call().ip_permissions(pair("one")).send().await.unwrap();
    let again = call().ip_permissions(pair("two")).send().await.unwrap_err();
    assert_eq!(again.code(), Some("InvalidPermission.Duplicate"), "a description does not make it another");
    let loose = IpRange::builder().cidr_ip("10.1.2.3/16").build();
    let loose = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(loose).build();
    let again = call().ip_permissions(loose).send().await.unwrap_err();
    assert_eq!(
        again.code(),
        Some("InvalidPermission.Duplicate"),
        "AWS writes ranges in their canonical form"
    );
}

#[tokio::test]
async fn descriptions_hold_only_some_characters_and_can_be_changed_on_any_rule() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let (vpc, group) = group(&ec2).await;
    let pair = |description: Option<&str>| {
        let pair = UserIdGroupPair::builder().group_id(&group);
        let pair = pair.set_description(description.map(str::to_owned)).build();
        IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair).build()
    };
    for wrong in ["it's", "ümlaut", &"x".repeat(256)] {
        let (code, message) = refused(&ec2, &group, pair(Some(wrong))).await;
        assert_eq!(code, "InvalidParameterValue");
        assert!(
            message.starts_with("Invalid rule description. Valid descriptions are strings less than 256"),
            "{message}"
        );
        let make = ec2.create_security_group().vpc_id(&vpc).group_name("h").description(wrong);
        assert_eq!(make.send().await.unwrap_err().code(), Some("InvalidParameterValue"));
    }
    let call = ec2.authorize_security_group_ingress().group_id(&group);
    call.ip_permissions(pair(Some("a-z. (1)"))).send().await.unwrap();
    let update = |rule| {
        ec2.update_security_group_rule_descriptions_ingress().group_id(&group).ip_permissions(rule).send()
    };
    let described = async || ingress(&ec2, &group).await[0].user_id_group_pairs()[0].description.clone();
    update(pair(Some("new"))).await.unwrap();
    assert_eq!(described().await.as_deref(), Some("new"));
    update(pair(None)).await.unwrap();
    assert_eq!(described().await, None);
    let ipv6 = Ipv6Range::builder().cidr_ipv6("::/0").description("x").build();
    let missing = IpPermission::builder().ip_protocol("-1").ipv6_ranges(ipv6).build();
    assert_eq!(update(missing).await.unwrap_err().code(), Some("InvalidPermission.NotFound"));
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>
#[tokio::test]
async fn a_group_may_not_be_called_like_an_id_or_like_the_default() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let (vpc, _) = group(&ec2).await;
    for name in ["sg-jobs", "SG-jobs", "default", "ümlaut", " blank", &"x".repeat(256)] {
        let make = ec2.create_security_group().vpc_id(&vpc).group_name(name).description("d");
        assert_eq!(make.send().await.unwrap_err().code(), Some("InvalidParameterValue"), "{name}");
    }
    let make = ec2.create_security_group().vpc_id(&vpc).group_name("g").description("d");
    assert_eq!(make.send().await.unwrap_err().code(), Some("InvalidGroup.Duplicate"));
}
