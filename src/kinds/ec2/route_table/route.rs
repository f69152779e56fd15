//! A route: one destination, one target.

use aws_sdk_ec2::types::{Route as Reported, RouteOrigin, RouteState};

use crate::kind::prelude::*;
use crate::kinds::ec2::types::cidr;

/// One destination and one target.
#[spec(default)]
pub struct Route {
    /// For these IPv4 addresses.
    #[field(empty)]
    pub destination_cidr_block: Option<String>,
    /// For these IPv6 addresses.
    #[field(empty)]
    pub destination_ipv6_cidr_block: Option<String>,
    /// For the addresses in this prefix list.
    #[field(empty, regex(r"^pl-[0-9a-f]+$"))]
    pub destination_prefix_list_id: Option<String>,
    /// To an internet or a virtual private gateway.
    #[field(empty, refers("ec2/InternetGateway.id"))]
    pub gateway_id: Option<String>,
    /// To a NAT gateway.
    #[field(empty, refers("ec2/NatGateway.id"), regex(r"^nat-[0-9a-f]+$"))]
    pub nat_gateway_id: Option<String>,
    /// To an endpoint of a Gateway Load Balancer.
    #[field(empty, refers("ec2/VpcEndpoint.id"), regex(r"^vpce-[0-9a-f]+$"))]
    pub vpc_endpoint_id: Option<String>,
    /// To a transit gateway.
    #[field(empty, regex(r"^tgw-[0-9a-f]+$"))]
    pub transit_gateway_id: Option<String>,
    /// To a peered VPC.
    #[field(empty, regex(r"^pcx-[0-9a-f]+$"))]
    pub vpc_peering_connection_id: Option<String>,
    /// To an egress-only internet gateway; for IPv6.
    #[field(empty, regex(r"^eigw-[0-9a-f]+$"))]
    pub egress_only_internet_gateway_id: Option<String>,
    /// To an instance that forwards; it has exactly one network interface.
    #[field(server, regex(r"^i-[0-9a-f]+$"))]
    pub instance_id: Option<String>,
    /// To a network interface.
    #[field(server, regex(r"^eni-[0-9a-f]+$"))]
    pub network_interface_id: Option<String>,
    /// To a local gateway of an Outpost.
    #[field(empty, regex(r"^lgw-[0-9a-f]+$"))]
    pub local_gateway_id: Option<String>,
    /// To a carrier gateway of a Wavelength zone.
    #[field(empty, regex(r"^cagw-[0-9a-f]+$"))]
    pub carrier_gateway_id: Option<String>,
    /// To a core network of Cloud WAN.
    #[field(empty)]
    pub core_network_arn: Option<String>,
    /// To an ODB network.
    #[field(empty)]
    pub odb_network_arn: Option<String>,
}

impl Route {
    pub(super) fn normalise(&mut self) {
        self.destination_cidr_block.iter_mut().for_each(cidr::canonical);
        self.destination_ipv6_cidr_block.iter_mut().for_each(cidr::respell);
    }

    /// Whether both are for the same destination: a table has one route for each.
    pub(super) fn is_twin(&self, other: &Self) -> bool {
        self.destinations() == other.destinations()
    }

    /// Whether both go the same way. An instance is reported together with its network interface: one suffices.
    pub(super) fn goes_like(&self, live: &Self) -> bool {
        let mut live = live.clone();
        if self.instance_id.is_none() {
            live.instance_id = None;
        }
        if self.network_interface_id.is_none() {
            live.network_interface_id = None;
        }
        *self == live
    }

    fn destinations(&self) -> [&Option<String>; 3] {
        [&self.destination_cidr_block, &self.destination_ipv6_cidr_block, &self.destination_prefix_list_id]
    }

    fn targets(&self) -> [&Option<String>; 12] {
        [
            &self.gateway_id,
            &self.nat_gateway_id,
            &self.vpc_endpoint_id,
            &self.transit_gateway_id,
            &self.vpc_peering_connection_id,
            &self.egress_only_internet_gateway_id,
            &self.instance_id,
            &self.network_interface_id,
            &self.local_gateway_id,
            &self.carrier_gateway_id,
            &self.core_network_arn,
            &self.odb_network_arn,
        ]
    }

    /// A route that somebody wrote into the table. Others come and go with gateways and endpoints.
    pub(super) fn observe(route: &Reported) -> Option<Self> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let gateway = route.gateway_id();
        let endpoint = gateway.filter(|id| id.starts_with("vpce-"));
        let of_endpoint = endpoint.is_some() && route.destination_prefix_list_id().is_some();
        if route.origin() != Some(&RouteOrigin::CreateRoute) || of_endpoint {
            return None;
        }
        let destination = Self {
            destination_cidr_block: text(route.destination_cidr_block()),
            destination_ipv6_cidr_block: text(route.destination_ipv6_cidr_block()),
            destination_prefix_list_id: text(route.destination_prefix_list_id()),
            ..Self::default()
        };
        if route.state() == Some(&RouteState::Blackhole) {
            // Its target is gone or not attached: it goes nowhere, whatever it names.
            return Some(destination);
        }
        Some(Self {
            gateway_id: text(gateway.filter(|_| endpoint.is_none())),
            nat_gateway_id: text(route.nat_gateway_id()),
            vpc_endpoint_id: text(endpoint),
            transit_gateway_id: text(route.transit_gateway_id()),
            vpc_peering_connection_id: text(route.vpc_peering_connection_id()),
            egress_only_internet_gateway_id: text(route.egress_only_internet_gateway_id()),
            instance_id: text(route.instance_id()),
            network_interface_id: text(route.network_interface_id()),
            local_gateway_id: text(route.local_gateway_id()),
            carrier_gateway_id: text(route.carrier_gateway_id()),
            core_network_arn: text(route.core_network_arn()),
            odb_network_arn: text(route.odb_network_arn()),
            ..destination
        })
    }
}

/// What is wrong with the routes of a table.
pub(super) fn check(field: &str, routes: &[Route]) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    for (index, route) in routes.iter().enumerate() {
        let path = format!("{field}[{index}]");
        if route.destinations().into_iter().flatten().count() != 1 {
            wrong.push(Invalid::new(
                &path,
                "a route has exactly one of destinationCidrBlock, destinationIpv6CidrBlock and destinationPrefixListId",
            ));
        }
        if route.targets().into_iter().flatten().count() != 1 {
            wrong.push(Invalid::new(
                &path,
                "a route has exactly one target, such as gatewayId or natGatewayId: split it, or add or remove one",
            ));
        }
        // API_CreateRoute: "[IPv6 traffic only] The ID of an egress-only internet gateway."
        if route.destination_cidr_block.is_some() && route.egress_only_internet_gateway_id.is_some() {
            wrong.push(Invalid::new(
                format!("{path}.egressOnlyInternetGatewayId"),
                "takes IPv6 traffic only: write destinationIpv6CidrBlock, or another target such as natGatewayId",
            ));
        }
        if let Some(range) = &route.destination_cidr_block {
            wrong.extend(cidr::check(&format!("{path}.destinationCidrBlock"), range, true, 0..=32));
        }
        if let Some(range) = &route.destination_ipv6_cidr_block {
            wrong.extend(cidr::check(&format!("{path}.destinationIpv6CidrBlock"), range, false, 0..=128));
        }
        if let Some(twin) = routes.iter().take(index).position(|other| other.is_twin(route)) {
            wrong.push(Invalid::new(
                &path,
                format!("{field}[{twin}] is for the same destination; a table has one route for each"),
            ));
        }
    }
    wrong
}
