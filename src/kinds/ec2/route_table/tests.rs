use aws_sdk_ec2::types::{
    Route as Route_, RouteOrigin, RouteState, RouteTable as Reported, RouteTableAssociation,
    RouteTableAssociationState, RouteTableAssociationStateCode as Code,
};
use serde_json::{Value, json};

use super::{RouteTable, Spec};
use crate::diff::walk;
use crate::kind::{AnyKind, Erased, Kind, Live};
use crate::resource::Place;
use crate::services::ec2::Snapshot;

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn route(destination: &str, target: &str) -> aws_sdk_ec2::types::builders::RouteBuilder {
    Route_::builder()
        .destination_cidr_block(destination)
        .gateway_id(target)
        .origin(RouteOrigin::CreateRoute)
        .state(RouteState::Active)
}

fn association(subnet: &str, code: Code) -> RouteTableAssociation {
    RouteTableAssociation::builder()
        .route_table_association_id(format!("rtbassoc-{subnet}"))
        .subnet_id(subnet)
        .association_state(RouteTableAssociationState::builder().state(code).build())
        .build()
}

fn live() -> Live<RouteTable> {
    let endpoint = Route_::builder()
        .destination_prefix_list_id("pl-1")
        .gateway_id("vpce-1")
        .origin(RouteOrigin::CreateRoute)
        .state(RouteState::Active);
    let instance = Route_::builder()
        .destination_cidr_block("172.16.0.0/12")
        .instance_id("i-1")
        .network_interface_id("eni-1")
        .origin(RouteOrigin::CreateRoute);
    let table = Reported::builder()
        .route_table_id("rtb-1")
        .vpc_id("vpc-1")
        .routes(route("10.0.0.0/16", "local").origin(RouteOrigin::CreateRouteTable).build())
        .routes(route("192.168.0.0/16", "vgw-1").origin(RouteOrigin::EnableVgwRoutePropagation).build())
        .routes(endpoint.build())
        .routes(route("0.0.0.0/0", "igw-1").build())
        .routes(route("100.64.0.0/10", "vpce-2").build())
        .routes(route("198.18.0.0/15", "igw-gone").state(RouteState::Blackhole).build())
        .routes(instance.build())
        .associations(association("subnet-1", Code::Associated))
        .associations(association("subnet-2", Code::Disassociating))
        .associations(RouteTableAssociation::builder().main(true).route_table_association_id("main").build())
        .build();
    let snapshot = Snapshot { route_tables: [("rtb-1".to_owned(), table)].into(), ..Snapshot::default() };
    RouteTable::observe(&snapshot, &place()).remove(0)
}

#[test]
fn what_aws_reports_reads_like_a_manifest() {
    let live = live();
    insta::assert_json_snapshot!(live.spec, @r#"
    {
      "vpcId": "vpc-1",
      "routes": [
        {
          "destinationCidrBlock": "0.0.0.0/0",
          "gatewayId": "igw-1"
        },
        {
          "destinationCidrBlock": "100.64.0.0/10",
          "vpcEndpointId": "vpce-2"
        },
        {
          "destinationCidrBlock": "198.18.0.0/15"
        },
        {
          "destinationCidrBlock": "172.16.0.0/12",
          "instanceId": "i-1",
          "networkInterfaceId": "eni-1"
        }
      ],
      "subnetIds": [
        "subnet-1"
      ]
    }
    "#);
    insta::assert_json_snapshot!(live.outputs, @r#"
    {
      "id": "rtb-1",
      "arn": "arn:aws:ec2:eu-west-1:111122223333:route-table/rtb-1",
      "ownerId": null,
      "associations": {
        "subnet-1": "rtbassoc-subnet-1"
      }
    }
    "#);
}

fn changes(routes: Value) -> Vec<String> {
    let rules = &Erased::<RouteTable>::new().facts().rules;
    let live = serde_json::to_value(live().spec).unwrap();
    let want = json!({"vpcId": "vpc-1", "subnetIds": ["subnet-1"], "routes": routes});
    walk(&live, &want, rules, &[]).into_iter().map(|change| change.path).collect()
}

#[test]
fn a_route_that_goes_nowhere_is_drift() {
    let mut routes = json!([
        {"destinationCidrBlock": "172.16.0.0/12", "instanceId": "i-1"},
        {"destinationCidrBlock": "100.64.0.0/10", "vpcEndpointId": "vpce-2"},
        {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"},
        {"destinationCidrBlock": "198.18.0.0/15", "gatewayId": "igw-gone"},
    ]);
    assert_eq!(changes(routes.clone()), ["routes"]);
    // As it would be if the route had a target, seen from the other side: nothing else differs.
    routes[3] = json!({"destinationCidrBlock": "198.18.0.0/15"});
    assert_eq!(changes(routes.clone()), Vec::<String>::new());
    routes[0] = json!({"destinationCidrBlock": "172.16.0.0/12", "networkInterfaceId": "eni-1"});
    assert_eq!(changes(routes.clone()), Vec::<String>::new());
    routes[0] = json!({"destinationCidrBlock": "172.16.0.0/12", "networkInterfaceId": "eni-2"});
    assert_eq!(changes(routes), ["routes"]);
}

#[test]
fn complaints() {
    let complaints = |json| {
        let spec: Spec = serde_json::from_value(json).unwrap();
        let wrong = RouteTable::validate(&spec, &place());
        wrong.into_iter().map(|w| format!("{}: {}", w.path, w.message)).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(
        complaints(json!({"vpcId": "vpc-1", "routes": [
            {"destinationCidrBlock": "0.0.0.0/0"},
            {"destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1", "natGatewayId": "nat-1"},
            {"gatewayId": "igw-1"},
            {"destinationIpv6CidrBlock": "10.0.0.0/8", "gatewayId": "${ec2/InternetGateway/main.id}"},
        ]})),
        @r#"
    routes[0]: a route has exactly one target, such as gatewayId or natGatewayId: split it, or add or remove one
    routes[1]: a route has exactly one target, such as gatewayId or natGatewayId: split it, or add or remove one
    routes[1]: routes[0] is for the same destination; a table has one route for each
    routes[2]: a route has exactly one of destinationCidrBlock, destinationIpv6CidrBlock and destinationPrefixListId
    routes[3].destinationIpv6CidrBlock: 10.0.0.0/8 is not a range of IPv6 addresses, such as 2001:db8::/56
    "#
    );
}
