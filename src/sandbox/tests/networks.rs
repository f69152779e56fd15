//! Odd requests about networks: refused as EC2 refuses them, and nothing is left that breaks what comes after.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{GatewayType, VpcEndpointType};

use super::sandbox;

fn code<T: std::fmt::Debug, E: ProvideErrorMetadata>(answer: Result<T, E>) -> String {
    answer.err().unwrap().code().unwrap_or_default().to_owned()
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
#[tokio::test]
async fn a_pool_that_is_not_there_makes_no_network() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let pool = "ipam-pool-0123456789abcdef0";
    let made = ec2.create_vpc().ipv4_ipam_pool_id(pool).ipv4_netmask_length(24).send().await;
    assert_eq!(code(made), "InvalidIpamPoolId.NotFound");
    let made = ec2.associate_vpc_cidr_block().vpc_id(&vpc).ipv6_ipam_pool_id(pool).send().await;
    assert_eq!(code(made), "InvalidIpamPoolId.NotFound");
    let made = ec2.associate_vpc_cidr_block().vpc_id(&vpc).ipv6_pool("ipv6pool-ec2-1").send().await;
    assert_eq!(code(made), "InvalidPublicIpv6PoolId.NotFound");
    let made = ec2.create_subnet().vpc_id(&vpc).ipv4_ipam_pool_id(pool).send().await;
    assert_eq!(code(made), "InvalidIpamPoolId.NotFound");
    assert_eq!(code(ec2.create_vpc().send().await), "MissingParameter");
    assert_eq!(code(ec2.create_vpc().cidr_block("10.0.0.0").send().await), "InvalidParameterValue");
    assert_eq!(code(ec2.create_subnet().vpc_id(&vpc).send().await), "MissingParameter");
    let made = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.1.0/24").ipv6_cidr_block("nonsense");
    assert_eq!(code(made.send().await), "InvalidParameterValue");
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    assert!(vpcs.vpcs().iter().any(|it| it.vpc_id() == Some(vpc.as_str())));
    assert_eq!(code(ec2.describe_vpcs().next_token("no token").send().await), "InvalidParameterValue");
    let endpoint =
        ec2.create_vpc_endpoint().vpc_id("vpc-00000000").service_name("com.amazonaws.us-east-1.sqs");
    let endpoint = endpoint.vpc_endpoint_type(VpcEndpointType::Interface).send().await;
    assert_eq!(code(endpoint), "InvalidVpcID.NotFound");
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableVgwRoutePropagation.html>
#[tokio::test]
async fn a_gateway_that_is_attached_tells_a_table_its_routes() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let table = ec2.create_route_table().vpc_id(&vpc).send().await.unwrap();
    let table = table.route_table.unwrap().route_table_id.unwrap();
    let gateway = ec2.create_vpn_gateway().r#type(GatewayType::Ipsec1).send().await.unwrap();
    let gateway = gateway.vpn_gateway.unwrap().vpn_gateway_id.unwrap();
    let enable =
        |gateway: &str| ec2.enable_vgw_route_propagation().route_table_id(&table).gateway_id(gateway).send();
    let told = async || {
        let tables = ec2.describe_route_tables().route_table_ids(&table).send().await.unwrap();
        let gateways = tables.route_tables()[0].propagating_vgws().to_vec();
        gateways.into_iter().map(|it| it.gateway_id.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(code(enable("vgw-00000000").await), "InvalidVpnGatewayID.NotFound");
    assert_eq!(code(enable(&gateway).await), "Gateway.NotAttached");
    ec2.attach_vpn_gateway().vpc_id(&vpc).vpn_gateway_id(&gateway).send().await.unwrap();
    for _ in 0..2 {
        enable(&gateway).await.unwrap();
    }
    assert_eq!(told().await, [gateway.as_str()]);
    let disable = ec2.disable_vgw_route_propagation().route_table_id(&table).gateway_id(&gateway);
    disable.send().await.unwrap();
    assert!(told().await.is_empty());
}

/// The texts and codes: src/sandbox/fixes/ec2_vpcs.py.
#[tokio::test]
async fn what_is_another_vpcs_is_refused() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = async |range: &str| ec2.create_vpc().cidr_block(range).send().await.unwrap().vpc.unwrap();
    let ours = vpc("10.1.2.3/16").await;
    assert_eq!(ours.cidr_block(), Some("10.1.0.0/16"), "CreateVpc: \"we modify it to its canonical form\"");
    let (ours, theirs) = (ours.vpc_id.unwrap(), vpc("10.1.0.0/16").await.vpc_id.unwrap());
    let subnet = async |vpc: &str, range: &str| {
        let call = ec2.create_subnet().vpc_id(vpc).cidr_block(range).availability_zone("us-east-1a");
        call.send().await.unwrap().subnet.unwrap()
    };
    let a = subnet(&ours, "10.1.0.9/24").await;
    assert_eq!(a.cidr_block(), Some("10.1.0.0/24"));
    let (a, b) = (a.subnet_id.unwrap(), subnet(&ours, "10.1.1.0/24").await.subnet_id.unwrap());
    let strange = subnet(&theirs, "10.1.0.0/24").await.subnet_id.unwrap();
    let table = async |vpc: &str| {
        let made = ec2.create_route_table().vpc_id(vpc).send().await.unwrap().route_table.unwrap();
        made.route_table_id.unwrap()
    };
    let (table, other, far) = (table(&ours).await, table(&ours).await, table(&theirs).await);
    let associate = |table: &str, subnet: &str| {
        ec2.associate_route_table().route_table_id(table).subnet_id(subnet).send()
    };
    assert_eq!(code(associate(&table, &strange).await), "InvalidParameterValue");
    associate(&table, &a).await.unwrap();
    assert_eq!(code(associate(&other, &a).await), "Resource.AlreadyAssociated");

    let gateway = async || {
        let made = ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
        made.internet_gateway_id.unwrap()
    };
    let (first, second) = (gateway().await, gateway().await);
    let attach =
        |gateway: &str| ec2.attach_internet_gateway().vpc_id(&ours).internet_gateway_id(gateway).send();
    let route = |table: &str, range: &str| {
        let call = ec2.create_route().route_table_id(table).destination_cidr_block(range);
        call.gateway_id(&first).send()
    };
    assert_eq!(code(route(&table, "0.0.0.0/0").await), "InvalidParameterValue", "it is not attached");
    attach(&first).await.unwrap();
    assert_eq!(code(attach(&second).await), "InvalidParameterValue");
    assert_eq!(code(route(&far, "0.0.0.0/0").await), "InvalidParameterValue");
    assert_eq!(code(route(&table, "10.1.0.0/16").await), "InvalidParameterValue");
    assert_eq!(code(route(&table, "10.1.7.0/24").await), "InvalidParameterValue");
    route(&table, "192.0.2.7/24").await.unwrap();
    let tables = ec2.describe_route_tables().route_table_ids(&table).send().await.unwrap();
    let routes = tables.route_tables()[0].routes();
    assert!(routes.iter().any(|it| it.destination_cidr_block() == Some("192.0.2.0/24")), "{routes:?}");

    let endpoint = |service: &str| {
        let call = ec2.create_vpc_endpoint().vpc_id(&ours).private_dns_enabled(false);
        call.service_name(format!("com.amazonaws.us-east-1.{service}"))
    };
    let interface = |service: &str| endpoint(service).vpc_endpoint_type(VpcEndpointType::Interface);
    assert_eq!(code(endpoint("s3").route_table_ids(&far).send().await), "InvalidParameter");
    assert_eq!(code(endpoint("sqs").route_table_ids(&table).send().await), "InvalidParameter");
    assert_eq!(code(interface("sqs").subnet_ids(&strange).send().await), "InvalidParameter");
    let both = interface("sqs").subnet_ids(&a).subnet_ids(&b);
    assert_eq!(code(both.send().await), "DuplicateSubnetsInSameZone");
    let named = || interface("sqs").subnet_ids(&a).private_dns_enabled(true).send();
    assert_eq!(code(named().await), "InvalidParameter", "the VPC has no names");
    let on = aws_sdk_ec2::types::AttributeBooleanValue::builder().value(true).build();
    ec2.modify_vpc_attribute().vpc_id(&ours).enable_dns_hostnames(on).send().await.unwrap();
    named().await.unwrap();
    assert_eq!(code(named().await), "InvalidParameter", "its name is taken");
}
