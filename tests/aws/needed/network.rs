//! What lives in a network of ours from outside: told by the plan, where AWS refuses the delete of the VPC for ever.

use batchwright::plan::Guard;
use batchwright::resource::Desired;

use super::objections;
use crate::world::stage::{Stage, role};

const NETWORK: &str = "apiVersion: batchwright/v1
kind: ec2/Vpc
metadata: {name: net}
spec: {cidrBlock: 10.7.0.0/16}
---
apiVersion: batchwright/v1
kind: ec2/Subnet
metadata: {name: a}
spec: {vpcId: \"${ec2/Vpc/net.id}\", cidrBlock: 10.7.1.0/24}
---
apiVersion: batchwright/v1
kind: ec2/SecurityGroup
metadata: {name: jobs}
spec: {groupDescription: jobs, vpcId: \"${ec2/Vpc/net.id}\"}
";

async fn id_of(stage: &Stage, desired: &Desired, id: &str) -> String {
    let observed = stage.world.observe(desired).await;
    observed.resources[&id.parse().unwrap()].current.as_ref().unwrap().physical.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_does_not_go_while_somebody_else_lives_in_it() {
    let stage = Stage::new().await;
    let all = stage.desired(&[NETWORK.to_owned(), role("keeps")]);
    stage.world.apply(&all, &Guard::default()).await;
    let without = stage.desired(&[role("keeps")]);
    // What AWS itself made with the VPC goes with it.
    assert_eq!(objections(&stage, &without, &[]).await, Vec::<String>::new());

    let vpc = id_of(&stage, &all, "ec2/Vpc/net").await;
    let jobs = id_of(&stage, &all, "ec2/SecurityGroup/jobs").await;
    let ec2 = aws_sdk_ec2::Client::new(&stage.world.sandbox.sdk_config());
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.7.9.0/24").send().await.unwrap();
    let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
    let group = ec2.create_security_group().vpc_id(&vpc).group_name("theirs").description("theirs");
    let group = group.send().await.unwrap().group_id.unwrap();
    let pair = aws_sdk_ec2::types::UserIdGroupPair::builder().group_id(&jobs).build();
    let rule = aws_sdk_ec2::types::IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair);
    let rule = ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(rule.build());
    rule.send().await.unwrap();
    let table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = table.route_table.unwrap().route_table_id.unwrap();
    let gateway = ec2.create_internet_gateway().send().await.unwrap();
    let gateway = gateway.internet_gateway.unwrap().internet_gateway_id.unwrap();
    ec2.attach_internet_gateway().internet_gateway_id(&gateway).vpc_id(&vpc).send().await.unwrap();

    let mut told = objections(&stage, &without, &[]).await;
    for told in &mut told {
        for (id, name) in [
            (&vpc, "VPC"),
            (&jobs, "JOBS"),
            (&subnet, "THEIR-SUBNET"),
            (&group, "THEIR-GROUP"),
            (&table, "THEIR-TABLE"),
            (&gateway, "THEIR-GATEWAY"),
        ] {
            *told = told.replace(id.as_str(), name);
        }
    }
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r"
    ec2/SecurityGroup/jobs: JOBS is to go, while the SecurityGroup THEIR-GROUP of nobody we know needs it (securityGroupIngress[0].sourceSecurityGroupId): it has to go first, or to let go of it
    ec2/Vpc/net: VPC is to go, while the InternetGateway THEIR-GATEWAY of nobody we know needs it (vpcId): it has to go first, or to let go of it
    ec2/Vpc/net: VPC is to go, while the RouteTable THEIR-TABLE of nobody we know needs it (vpcId): it has to go first, or to let go of it
    ec2/Vpc/net: VPC is to go, while the SecurityGroup THEIR-GROUP of nobody we know needs it (vpcId): it has to go first, or to let go of it
    ec2/Vpc/net: VPC is to go, while the Subnet THEIR-SUBNET of nobody we know needs it (vpcId): it has to go first, or to let go of it
    ");

    // Neighbours hinder nothing else.
    let less = stage.desired(&[NETWORK.split("---\n").next().unwrap().to_owned(), role("keeps")]);
    let less: Vec<String> = objections(&stage, &less, &[]).await;
    assert_eq!(less.len(), 1, "{less:?}");
    assert!(less[0].starts_with("ec2/SecurityGroup/jobs: "), "{less:?}");
}

/// The default group of a VPC goes with it, and holds up whatever its rules name until then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_does_not_go_while_the_default_group_names_it() {
    let stage = Stage::new().await;
    let all = stage.desired(&[NETWORK.to_owned(), role("keeps")]);
    stage.world.apply(&all, &Guard::default()).await;
    let vpc = id_of(&stage, &all, "ec2/Vpc/net").await;
    let jobs = id_of(&stage, &all, "ec2/SecurityGroup/jobs").await;
    let ec2 = aws_sdk_ec2::Client::new(&stage.world.sandbox.sdk_config());
    let of_vpc = aws_sdk_ec2::types::Filter::builder().name("vpc-id").values(&vpc).build();
    let by_name = aws_sdk_ec2::types::Filter::builder().name("group-name").values("default").build();
    let groups = ec2.describe_security_groups().filters(of_vpc).filters(by_name).send().await.unwrap();
    let default = groups.security_groups.unwrap()[0].group_id.clone().unwrap();
    let pair = aws_sdk_ec2::types::UserIdGroupPair::builder().group_id(&jobs).build();
    let rule =
        aws_sdk_ec2::types::IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair).build();
    let put = ec2.authorize_security_group_ingress().group_id(&default).ip_permissions(rule.clone());
    put.send().await.unwrap();
    let held = format!(
        "ec2/SecurityGroup/jobs: {jobs} is to go, while the SecurityGroup {default} of nobody we know needs it (securityGroupIngress["
    );
    let told = objections(&stage, &stage.desired(&[role("keeps")]), &[]).await;
    assert!(told.len() == 1 && told[0].starts_with(&held), "{told:?}");
    let take = ec2.revoke_security_group_ingress().group_id(&default).ip_permissions(rule);
    take.send().await.unwrap();
    assert_eq!(objections(&stage, &stage.desired(&[role("keeps")]), &[]).await, Vec::<String>::new());
}
