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
