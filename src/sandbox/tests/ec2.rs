//! EC2's networking as AWS serves it.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, Filter, IpPermission, IpRange, Ipv6Range, ResourceType, Tag, TagSpecification,
    UserIdGroupPair, VpcAttributeName, VpcEndpointType,
};

use super::sandbox;

fn tagged(kind: ResourceType, value: &str) -> TagSpecification {
    TagSpecification::builder()
        .resource_type(kind)
        .tags(Tag::builder().key("owner").value(value).build())
        .build()
}

fn owned_by(value: &str) -> Filter {
    Filter::builder().name("tag:owner").values(value).build()
}

async fn vpc(ec2: &Client) -> String {
    let make = ec2.create_vpc().cidr_block("10.0.0.0/16").tag_specifications(tagged(ResourceType::Vpc, "me"));
    make.send().await.unwrap().vpc.unwrap().vpc_id.unwrap()
}

async fn subnet(ec2: &Client, vpc: &str, third: u8) -> String {
    let make = ec2.create_subnet().vpc_id(vpc).cidr_block(format!("10.0.{third}.0/24"));
    let made = make.tag_specifications(tagged(ResourceType::Subnet, "me")).send().await.unwrap();
    made.subnet.unwrap().subnet_id.unwrap()
}

async fn group(ec2: &Client, vpc: &str, name: &str) -> String {
    let make = ec2.create_security_group().vpc_id(vpc).group_name(name).description("d");
    let made = make.tag_specifications(tagged(ResourceType::SecurityGroup, "me")).send().await.unwrap();
    made.group_id.unwrap()
}

async fn route_table(ec2: &Client, vpc: &str) -> String {
    let make = ec2.create_route_table().vpc_id(vpc).client_token("one");
    let made = make.tag_specifications(tagged(ResourceType::RouteTable, "me")).send().await.unwrap();
    made.route_table.unwrap().route_table_id.unwrap()
}

#[tokio::test]
async fn describes_come_in_pages_and_by_tag() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    for third in 0..7 {
        subnet(&ec2, &vpc, third).await;
    }
    let page = ec2.describe_subnets().filters(owned_by("me")).max_results(5).send().await.unwrap();
    assert_eq!(page.subnets().len(), 5);
    let rest = ec2.describe_subnets().filters(owned_by("me")).max_results(5).set_next_token(page.next_token);
    let rest = rest.send().await.unwrap();
    assert_eq!((rest.subnets().len(), rest.next_token()), (2, None));
    assert!(rest.subnets().iter().all(|subnet| subnet.map_public_ip_on_launch() == Some(false)));
    assert!(rest.subnets().iter().all(|subnet| subnet.default_for_az() == Some(false)));
    let few = ec2.describe_subnets().max_results(4).send().await.unwrap_err();
    assert_eq!(few.code(), Some("InvalidParameterValue"));
    let none = ec2.describe_vpcs().filters(owned_by("you")).send().await.unwrap();
    assert!(none.vpcs().is_empty());
}

#[tokio::test]
async fn what_is_missing_is_not_found() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let code = ec2.describe_vpcs().vpc_ids("vpc-0123456789abcdef0").send().await.unwrap_err();
    assert_eq!(code.code(), Some("InvalidVpcID.NotFound"));
    let code = ec2.describe_subnets().subnet_ids("subnet-0123456789abcdef0").send().await.unwrap_err();
    assert_eq!(code.code(), Some("InvalidSubnetID.NotFound"));
    let code = ec2.describe_security_groups().group_ids("sg-0123456789abcdef0").send().await.unwrap_err();
    assert_eq!(code.code(), Some("InvalidGroup.NotFound"));
    let code = ec2.describe_route_tables().route_table_ids("rtb-0123456789abcdef0").send().await.unwrap_err();
    assert_eq!(code.code(), Some("InvalidRouteTableID.NotFound"));
    let code = ec2.describe_internet_gateways().internet_gateway_ids("igw-0123456789abcdef0").send().await;
    assert_eq!(code.unwrap_err().code(), Some("InvalidInternetGatewayID.NotFound"));
    let code =
        ec2.describe_vpc_endpoints().vpc_endpoint_ids("vpce-0123456789abcdef0").send().await.unwrap_err();
    assert_eq!(code.code(), Some("InvalidVpcEndpointId.NotFound"));
}

#[tokio::test]
async fn a_dry_run_does_nothing() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let before = ec2.describe_vpcs().send().await.unwrap().vpcs().len();
    let asked = ec2.create_vpc().cidr_block("10.0.0.0/16").dry_run(true).send().await.unwrap_err();
    assert_eq!(asked.code(), Some("DryRunOperation"));
    assert_eq!(ec2.describe_vpcs().send().await.unwrap().vpcs().len(), before);
}

#[tokio::test]
async fn dns_attributes_of_a_vpc_are_read_and_changed() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let read = |name| ec2.describe_vpc_attribute().vpc_id(&vpc).attribute(name).send();
    let support = read(VpcAttributeName::EnableDnsSupport).await.unwrap();
    assert_eq!(support.enable_dns_support.unwrap().value, Some(true));
    let names = read(VpcAttributeName::EnableDnsHostnames).await.unwrap();
    assert_eq!(names.enable_dns_hostnames.unwrap().value, Some(false));
    let on = AttributeBooleanValue::builder().value(true).build();
    ec2.modify_vpc_attribute().vpc_id(&vpc).enable_dns_hostnames(on).send().await.unwrap();
    let names = read(VpcAttributeName::EnableDnsHostnames).await.unwrap();
    assert_eq!(names.enable_dns_hostnames.unwrap().value, Some(true));
}

#[tokio::test]
async fn a_new_security_group_lets_everything_out_and_nothing_in() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let id = group(&ec2, &vpc, "a").await;
    let described = ec2.describe_security_groups().group_ids(&id).send().await.unwrap();
    let [group] = described.security_groups() else { panic!("{described:?}") };
    assert!(group.ip_permissions().is_empty());
    let [egress] = group.ip_permissions_egress() else { panic!("{group:?}") };
    assert_eq!((egress.ip_protocol(), egress.from_port()), (Some("-1"), None));
    assert_eq!(egress.ip_ranges()[0].cidr_ip(), Some("0.0.0.0/0"));
    assert_eq!(group.tags()[0].value(), Some("me"));
    let make = ec2.create_security_group().vpc_id(&vpc).group_name("a").description("d").send().await;
    assert_eq!(make.unwrap_err().code(), Some("InvalidGroup.Duplicate"));
    let https = || {
        let range = IpRange::builder().cidr_ip("10.0.0.0/8").description("why").build();
        IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ip_ranges(range).build()
    };
    let authorize = || ec2.authorize_security_group_ingress().group_id(&id).ip_permissions(https()).send();
    authorize().await.unwrap();
    assert_eq!(authorize().await.unwrap_err().code(), Some("InvalidPermission.Duplicate"));
    let described = ec2.describe_security_groups().group_ids(&id).send().await.unwrap();
    let [ingress] = described.security_groups()[0].ip_permissions() else { panic!("{described:?}") };
    assert_eq!(ingress.ip_ranges()[0].description(), Some("why"));
    let revoke = || ec2.revoke_security_group_ingress().group_id(&id).ip_permissions(https()).send();
    revoke().await.unwrap();
    assert_eq!(revoke().await.unwrap_err().code(), Some("InvalidPermission.NotFound"));
    // Rules for IPv6 come and go, whether the VPC has such addresses or not.
    let range = Ipv6Range::builder().cidr_ipv6("::/0").build();
    let everywhere =
        IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443).ipv6_ranges(range).build();
    let authorize = ec2.authorize_security_group_egress().group_id(&id);
    authorize.ip_permissions(everywhere.clone()).send().await.unwrap();
    let revoke = ec2.revoke_security_group_egress().group_id(&id);
    revoke.ip_permissions(everywhere).send().await.unwrap();
    let described = ec2.describe_security_groups().group_ids(&id).send().await.unwrap();
    assert_eq!(described.security_groups()[0].ip_permissions_egress().len(), 1);
}

#[tokio::test]
async fn nothing_is_deleted_that_something_else_needs() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let refused =
        |done: bool, code: Option<&str>| assert_eq!((done, code), (false, Some("DependencyViolation")));
    let delete_vpc = async || {
        let deleted = ec2.delete_vpc().vpc_id(&vpc).send().await;
        (deleted.is_ok(), deleted.err().and_then(|error| error.code().map(str::to_owned)))
    };
    let gateway = ec2.create_internet_gateway().send().await.unwrap().internet_gateway.unwrap();
    let gateway = gateway.internet_gateway_id.unwrap();
    ec2.attach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.unwrap();
    let (done, code) = delete_vpc().await;
    refused(done, code.as_deref());
    let deleted = ec2.delete_internet_gateway().internet_gateway_id(&gateway).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    ec2.detach_internet_gateway().vpc_id(&vpc).internet_gateway_id(&gateway).send().await.unwrap();
    ec2.delete_internet_gateway().internet_gateway_id(&gateway).send().await.unwrap();

    let (one, two) = (group(&ec2, &vpc, "one").await, group(&ec2, &vpc, "two").await);
    let pair = UserIdGroupPair::builder().group_id(&one).build();
    let rule = || IpPermission::builder().ip_protocol("-1").user_id_group_pairs(pair.clone()).build();
    ec2.authorize_security_group_ingress().group_id(&two).ip_permissions(rule()).send().await.unwrap();
    let deleted = ec2.delete_security_group().group_id(&one).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    ec2.revoke_security_group_ingress().group_id(&two).ip_permissions(rule()).send().await.unwrap();
    ec2.delete_security_group().group_id(&one).send().await.unwrap();
    let (done, code) = delete_vpc().await;
    refused(done, code.as_deref());
    ec2.delete_security_group().group_id(&two).send().await.unwrap();

    let (subnet, table) = (subnet(&ec2, &vpc, 0).await, route_table(&ec2, &vpc).await);
    ec2.associate_route_table().route_table_id(&table).subnet_id(&subnet).send().await.unwrap();
    let deleted = ec2.delete_route_table().route_table_id(&table).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    ec2.delete_subnet().subnet_id(&subnet).send().await.unwrap();
    let (done, code) = delete_vpc().await;
    refused(done, code.as_deref());
    ec2.delete_route_table().route_table_id(&table).send().await.unwrap();
    assert_eq!(delete_vpc().await, (true, None));
    let gone = ec2.describe_vpcs().vpc_ids(&vpc).send().await.unwrap_err();
    assert_eq!(gone.code(), Some("InvalidVpcID.NotFound"));
}

#[tokio::test]
async fn the_default_group_and_the_main_route_table_stay_with_their_vpc() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let mine = || Filter::builder().name("vpc-id").values(&vpc).build();
    let groups = ec2.describe_security_groups().filters(mine()).send().await.unwrap();
    let default = groups.security_groups()[0].group_id().unwrap();
    let deleted = ec2.delete_security_group().group_id(default).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("CannotDelete"));
    let tables = ec2.describe_route_tables().filters(mine()).send().await.unwrap();
    let main = tables.route_tables()[0].route_table_id().unwrap();
    assert_eq!(tables.route_tables()[0].associations()[0].main(), Some(true));
    let deleted = ec2.delete_route_table().route_table_id(main).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    ec2.delete_vpc().vpc_id(&vpc).send().await.unwrap();
}

#[tokio::test]
async fn a_gateway_endpoint_puts_routes_into_its_tables() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let (one, two) = (route_table(&ec2, &vpc).await, {
        let made = ec2.create_route_table().vpc_id(&vpc).client_token("two").send().await.unwrap();
        made.route_table.unwrap().route_table_id.unwrap()
    });
    assert_eq!(route_table(&ec2, &vpc).await, one, "the same client token makes the same table");
    let create = |token: &str| {
        let make = ec2.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.us-east-1.s3");
        let make = make.route_table_ids(&one).client_token(token);
        make.tag_specifications(tagged(ResourceType::VpcEndpoint, "me")).send()
    };
    let made = create("x").await.unwrap().vpc_endpoint.unwrap();
    let id = made.vpc_endpoint_id().unwrap();
    assert_eq!(made.vpc_endpoint_type(), Some(&VpcEndpointType::Gateway));
    assert_eq!(made.state().map(|state| state.as_str().to_lowercase()), Some("available".to_owned()));
    assert_eq!(made.private_dns_enabled(), Some(false));
    assert_eq!(create("x").await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id(), Some(id));
    assert_eq!(create("y").await.unwrap_err().code(), Some("RouteAlreadyExists"));
    let routes = async |table: &str| {
        let described = ec2.describe_route_tables().route_table_ids(table).send().await.unwrap();
        let routes = described.route_tables()[0].routes().to_vec();
        routes
            .iter()
            .filter(|route| route.destination_prefix_list_id().is_some() && route.gateway_id() == Some(id))
            .count()
    };
    assert_eq!((routes(&one).await, routes(&two).await), (1, 0));
    let modify =
        ec2.modify_vpc_endpoint().vpc_endpoint_id(id).add_route_table_ids(&two).remove_route_table_ids(&one);
    let nobody = r#"{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
    modify.policy_document(nobody).send().await.unwrap();
    assert_eq!((routes(&one).await, routes(&two).await), (0, 1));
    let mine = Filter::builder().name("vpc-id").values(&vpc).build();
    let described = ec2.describe_vpc_endpoints().filters(mine).filters(owned_by("me")).send().await.unwrap();
    let [endpoint] = described.vpc_endpoints() else { panic!("{described:?}") };
    assert_eq!(
        (endpoint.route_table_ids(), endpoint.policy_document()),
        ([two.clone()].as_slice(), Some(nobody))
    );
    let deleted = ec2.delete_vpc().vpc_id(&vpc).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    let delete = || ec2.delete_vpc_endpoints().vpc_endpoint_ids(id).send();
    assert!(delete().await.unwrap().unsuccessful().is_empty());
    assert_eq!(routes(&two).await, 0);
    let again = delete().await.unwrap();
    assert_eq!(again.unsuccessful()[0].error().unwrap().code(), Some("InvalidVpcEndpoint.NotFound"));
    assert!(ec2.describe_vpc_endpoints().send().await.unwrap().vpc_endpoints().is_empty());
}

#[tokio::test]
async fn an_interface_endpoint_holds_its_subnets_and_groups() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let (one, two) = (subnet(&ec2, &vpc, 1).await, subnet(&ec2, &vpc, 2).await);
    let (first, second) = (group(&ec2, &vpc, "first").await, group(&ec2, &vpc, "second").await);
    let make = ec2.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.us-east-1.ecr.api");
    let make = make
        .vpc_endpoint_type(VpcEndpointType::Interface)
        .private_dns_enabled(false)
        .subnet_ids(&one)
        .security_group_ids(&first);
    let id = make.send().await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
    assert_eq!(
        ec2.delete_subnet().subnet_id(&one).send().await.unwrap_err().code(),
        Some("DependencyViolation")
    );
    let deleted = ec2.delete_security_group().group_id(&first).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("DependencyViolation"));
    let modify = ec2.modify_vpc_endpoint().vpc_endpoint_id(&id).add_subnet_ids(&two).remove_subnet_ids(&one);
    let modify = modify.add_security_group_ids(&second).remove_security_group_ids(&first);
    modify.private_dns_enabled(false).send().await.unwrap();
    let described = ec2.describe_vpc_endpoints().vpc_endpoint_ids(&id).send().await.unwrap();
    let endpoint = &described.vpc_endpoints()[0];
    assert_eq!(endpoint.subnet_ids(), std::slice::from_ref(&two));
    assert_eq!(endpoint.groups()[0].group_id(), Some(second.as_str()));
    assert_eq!(endpoint.network_interface_ids().len(), 1);
    assert_eq!(endpoint.private_dns_enabled(), Some(false));
    assert_eq!(endpoint.ip_address_type().map(|kind| kind.as_str()), Some("ipv4"));
    ec2.delete_subnet().subnet_id(&one).send().await.unwrap();
    ec2.delete_security_group().group_id(&first).send().await.unwrap();
    ec2.delete_vpc_endpoints().vpc_endpoint_ids(&id).send().await.unwrap();
    ec2.delete_subnet().subnet_id(&two).send().await.unwrap();
}

#[tokio::test]
async fn an_endpoint_names_a_service_of_its_region() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let make = ec2.create_vpc_endpoint().vpc_id(&vpc).service_name("com.amazonaws.eu-west-1.s3").send().await;
    assert_eq!(make.unwrap_err().code(), Some("InvalidServiceName"));
}

#[tokio::test]
async fn endpoints_are_found_by_a_filter_of_ids() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let region = sandbox.sdk_config().region().unwrap().to_string();
    let make = |service| {
        ec2.create_vpc_endpoint()
            .vpc_id(&vpc)
            .service_name(format!("com.amazonaws.{region}.{service}"))
            .send()
    };
    let id = make("s3").await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
    make("dynamodb").await.unwrap();
    let filter = Filter::builder().name("vpc-endpoint-id").values(&id).values("vpce-0").build();
    let found = ec2.describe_vpc_endpoints().filters(filter).send().await.unwrap().vpc_endpoints.unwrap();
    assert_eq!(found.iter().map(|it| it.vpc_endpoint_id()).collect::<Vec<_>>(), [Some(id.as_str())]);
}

/// Ports are for tcp, udp, icmp and icmpv6; with any other protocol they are left out, whatever was sent, and numbers that
/// have a name are answered by it (API reference: IpPermission).
#[tokio::test]
async fn rules_have_the_ports_of_their_protocol() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let group = group(&ec2, &vpc, "ports").await;
    let authorize = async |protocol: &str, ports: Option<(i32, i32)>, cidr: &str| {
        let range = IpRange::builder().cidr_ip(cidr).build();
        let rule = IpPermission::builder().ip_protocol(protocol).ip_ranges(range);
        let rule = rule.set_from_port(ports.map(|it| it.0)).set_to_port(ports.map(|it| it.1)).build();
        ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(rule).send().await
    };
    authorize("50", None, "10.0.0.0/16").await.unwrap();
    authorize("47", Some((1, 2)), "10.0.0.0/16").await.unwrap();
    authorize("58", None, "10.0.0.0/16").await.unwrap();
    authorize("ALL", Some((8080, 8080)), "10.0.0.0/16").await.unwrap();
    authorize("6", Some((1, 2)), "10.0.0.0/16").await.unwrap();
    for (protocol, ports) in
        [("tcp", None), ("17", None), ("icmp", None), ("esp", Some((1, 2))), ("256", None)]
    {
        let refused = authorize(protocol, ports, "10.1.0.0/16").await.unwrap_err();
        assert_eq!(refused.code(), Some("InvalidParameterValue"), "{protocol}");
    }
    let groups = ec2.describe_security_groups().group_ids(&group).send().await.unwrap();
    let mut rules: Vec<_> = groups.security_groups()[0]
        .ip_permissions()
        .iter()
        .map(|rule| (rule.ip_protocol().unwrap(), rule.from_port(), rule.to_port()))
        .collect();
    rules.sort();
    let ports = |from, to| (Some(from), Some(to));
    let (icmp, tcp) = (ports(-1, -1), ports(1, 2));
    assert_eq!(
        rules,
        [
            ("-1", None, None),
            ("47", None, None),
            ("50", None, None),
            ("icmpv6", icmp.0, icmp.1),
            ("tcp", tcp.0, tcp.1)
        ]
    );
}

/// A zone of another region is none of this one's, and the refusal names this one's.
#[tokio::test]
async fn zones_are_those_of_the_region() {
    let sandbox = sandbox().await;
    let ec2 = Client::new(&sandbox.sdk_config());
    let vpc = vpc(&ec2).await;
    let make = |zone: &str| {
        ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.9.0/24").availability_zone(zone).send()
    };
    let region = sandbox.sdk_config().region().unwrap().to_string();
    for elsewhere in ["sa-east-1a", "nowhere-1z"] {
        let refused = make(elsewhere).await.unwrap_err();
        assert_eq!(refused.code(), Some("InvalidParameterValue"));
        let said = refused.message().unwrap();
        assert!(said.contains(&format!("{region}a")) && said.len() < 300, "{said}");
    }
    let made = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.0.9.0/24").send().await.unwrap();
    let zone = made.subnet().unwrap().availability_zone().unwrap().to_owned();
    assert!(zone.starts_with(&region), "{zone}");
}
