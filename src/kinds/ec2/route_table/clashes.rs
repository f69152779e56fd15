//! Route tables that cannot stand beside others, or in their VPC.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html>: "Associates a subnet in your VPC or an
//! internet gateway or virtual private gateway attached to your VPC with a route table in your VPC."
//! <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html>: "A subnet can only be associated with one route table
//! at a time."
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html>: `GatewayId` is "attached to your VPC",
//! `VpcEndpointId` is "supported for Gateway Load Balancer endpoints only".

use super::{Route, RouteTable, Spec};
use crate::kind::prelude::*;
use crate::kinds::ec2::internet_gateway::InternetGateway;
use crate::kinds::ec2::types::cidr::Cidr;
use crate::kinds::ec2::types::network::{Network, placed};
use crate::kinds::ec2::vpc_endpoint::VpcEndpoint;
use crate::value::reference::{self, Reference};

const GATEWAYS: &str = "a gateway serves the route tables of its own VPC";

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found = associated("subnetIds", &spec.subnet_ids, id, beside);
    found.extend(associated("gatewayIds", &spec.gateway_ids, id, beside));
    found.extend(placed("gatewayIds", &spec.gateway_ids).filter_map(|(path, it)| idle(&path, it, beside)));
    let network = Network::named(&spec.vpc_id);
    if let Some(network) = &network {
        let why = "a route table serves subnets of its own VPC";
        found.extend(network.strangers(placed("subnetIds", &spec.subnet_ids), beside, why));
        found.extend(network.strangers(placed("gatewayIds", &spec.gateway_ids), beside, GATEWAYS));
    }
    for (index, route) in spec.routes.iter().enumerate() {
        found.extend(of_route(&format!("routes[{index}]"), route, network.as_ref(), beside));
    }
    found
}

/// A subnet and a gateway each have one table.
fn associated(field: &str, texts: &[String], id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found = Vec::new();
    for other in beside.before::<RouteTable>(id) {
        for (path, text) in placed(field, texts) {
            if other.texts(field).any(|theirs| theirs == text) {
                let message = format!("{text} has the route table {} already: it can have one", other.id);
                found.push(Clash::new(path, other.id, message));
            }
        }
    }
    found
}

/// An internet gateway that is attached to no VPC.
fn idle(path: &str, text: &str, beside: &Beside<'_>) -> Option<Clash> {
    let Some(Reference::Output { id, .. }) = reference::whole(text) else { return None };
    let gateway = beside.get(&id).filter(|it| it.id.kind == InternetGateway::NAME)?;
    let attached = gateway.field("vpcId").is_some() || gateway.ignores("vpcId");
    let message = format!("{id} is attached to no VPC: give it the vpcId of this table");
    (!attached).then(|| Clash::new(path, &id, message))
}

fn of_route(path: &str, route: &Route, network: Option<&Network>, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found = Vec::new();
    if let Some(gateway) = &route.gateway_id {
        let at = format!("{path}.gatewayId");
        found.extend(idle(&at, gateway, beside));
        let named = std::iter::once((at, gateway));
        found.extend(network.map(|it| it.strangers(named, beside, GATEWAYS)).unwrap_or_default());
    }
    let endpoint = route.vpc_endpoint_id.as_ref().and_then(|text| beside.find::<VpcEndpoint>(text));
    if let Some((id, endpoint)) = endpoint
        && !matches!(endpoint.vpc_endpoint_type.as_str(), "GatewayLoadBalancer")
        && !endpoint.vpc_endpoint_type.contains("${")
    {
        let kind = endpoint.vpc_endpoint_type;
        let message =
            format!("{id} is of type {kind}: routes lead to endpoints of type GatewayLoadBalancer only");
        found.push(Clash::new(format!("{path}.vpcEndpointId"), id, message));
    }
    found.extend(network.and_then(|network| within(path, route, network, beside)));
    found
}

/// What is inside the VPC goes its own way. EC2 says of others: "The destination CIDR block … is equal to or more specific than
/// one of this VPC's CIDR blocks. This route can target only an interface or an instance."; since then also NAT gateways and
/// endpoints of Gateway Load Balancers (<https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html>).
fn within(path: &str, route: &Route, network: &Network, beside: &Beside<'_>) -> Option<Clash> {
    let may =
        [&route.instance_id, &route.network_interface_id, &route.nat_gateway_id, &route.vpc_endpoint_id];
    if may.into_iter().any(Option::is_some) {
        return None;
    }
    let (field, text) = match (&route.destination_cidr_block, &route.destination_ipv6_cidr_block) {
        (Some(text), _) => ("destinationCidrBlock", text),
        (None, Some(text)) => ("destinationIpv6CidrBlock", text),
        (None, None) => return None,
    };
    let destination: Cidr = text.parse().ok()?;
    let (vpc, ranges) = network.ranges(destination.is_ipv4(), beside)?;
    let range = ranges.iter().find(|range| range.holds(&destination))?;
    let message = format!(
        "{} is inside {range} of {vpc}: such traffic stays in the VPC, or goes to a network interface, an instance, a NAT gateway or a Gateway Load Balancer's endpoint",
        destination.network()
    );
    Some(Clash::new(format!("{path}.{field}"), vpc, message))
}
