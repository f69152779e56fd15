//! Changes to a route table in place.

use super::{Route, RouteTable, Spec};
use crate::kind::prelude::*;

pub(super) async fn update(
    cx: &Cx<'_, RouteTable>,
    live: &Live<RouteTable>,
    want: &Spec,
    diff: &Diff,
) -> Result<()> {
    // Routes first: a subnet that joins finds them there. What leaves goes before what joins, so that two tables that exchange
    // subnets do not wait for each other.
    if diff.touches("routes") {
        put_routes(cx, live, want).await?;
    }
    if diff.touches("propagatingVpnGatewayIds") {
        put_propagation(cx, live, want).await?;
    }
    if diff.touches("subnetIds") {
        end(cx, live, missing(&live.spec.subnet_ids, &want.subnet_ids)).await?;
        for subnet in missing(&want.subnet_ids, &live.spec.subnet_ids) {
            let call = cx.client.associate_route_table().route_table_id(&live.physical).subnet_id(subnet);
            call.send().await.map_err(failed)?;
        }
    }
    if diff.touches("gatewayIds") {
        end(cx, live, missing(&live.spec.gateway_ids, &want.gateway_ids)).await?;
        for gateway in missing(&want.gateway_ids, &live.spec.gateway_ids) {
            let call = cx.client.associate_route_table().route_table_id(&live.physical).gateway_id(gateway);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

fn missing<'a>(these: &'a [String], those: &'a [String]) -> impl Iterator<Item = &'a String> {
    these.iter().filter(|one| !those.contains(one))
}

async fn end(
    cx: &Cx<'_, RouteTable>,
    live: &Live<RouteTable>,
    ends: impl Iterator<Item = &String>,
) -> Result<()> {
    for association in ends.filter_map(|end| live.outputs.associations.get(end)) {
        disassociate(cx, association).await?;
    }
    Ok(())
}

pub(super) async fn disassociate(cx: &Cx<'_, RouteTable>, association: &str) -> Result<()> {
    let call = cx.client.disassociate_route_table().association_id(association);
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_routes(cx: &Cx<'_, RouteTable>, live: &Live<RouteTable>, want: &Spec) -> Result<()> {
    for route in &want.routes {
        match live.spec.routes.iter().find(|other| other.is_twin(route)) {
            None => create(cx, live, route).await?,
            Some(there) if !route.goes_like(there) => replace(cx, live, route).await?,
            Some(_) => {}
        }
    }
    for route in &live.spec.routes {
        if !want.routes.iter().any(|other| other.is_twin(route)) {
            let call = cx
                .client
                .delete_route()
                .route_table_id(&live.physical)
                .set_destination_cidr_block(route.destination_cidr_block.clone())
                .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block.clone())
                .set_destination_prefix_list_id(route.destination_prefix_list_id.clone());
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn create(cx: &Cx<'_, RouteTable>, live: &Live<RouteTable>, route: &Route) -> Result<()> {
    let call = cx
        .client
        .create_route()
        .route_table_id(&live.physical)
        .set_destination_cidr_block(route.destination_cidr_block.clone())
        .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block.clone())
        .set_destination_prefix_list_id(route.destination_prefix_list_id.clone())
        .set_gateway_id(route.gateway_id.clone())
        .set_nat_gateway_id(route.nat_gateway_id.clone())
        .set_vpc_endpoint_id(route.vpc_endpoint_id.clone())
        .set_transit_gateway_id(route.transit_gateway_id.clone())
        .set_vpc_peering_connection_id(route.vpc_peering_connection_id.clone())
        .set_egress_only_internet_gateway_id(route.egress_only_internet_gateway_id.clone())
        .set_instance_id(route.instance_id.clone())
        .set_network_interface_id(route.network_interface_id.clone())
        .set_local_gateway_id(route.local_gateway_id.clone())
        .set_carrier_gateway_id(route.carrier_gateway_id.clone())
        .set_core_network_arn(route.core_network_arn.clone())
        .set_odb_network_arn(route.odb_network_arn.clone());
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn replace(cx: &Cx<'_, RouteTable>, live: &Live<RouteTable>, route: &Route) -> Result<()> {
    let call = cx
        .client
        .replace_route()
        .route_table_id(&live.physical)
        .set_destination_cidr_block(route.destination_cidr_block.clone())
        .set_destination_ipv6_cidr_block(route.destination_ipv6_cidr_block.clone())
        .set_destination_prefix_list_id(route.destination_prefix_list_id.clone())
        .set_gateway_id(route.gateway_id.clone())
        .set_nat_gateway_id(route.nat_gateway_id.clone())
        .set_vpc_endpoint_id(route.vpc_endpoint_id.clone())
        .set_transit_gateway_id(route.transit_gateway_id.clone())
        .set_vpc_peering_connection_id(route.vpc_peering_connection_id.clone())
        .set_egress_only_internet_gateway_id(route.egress_only_internet_gateway_id.clone())
        .set_instance_id(route.instance_id.clone())
        .set_network_interface_id(route.network_interface_id.clone())
        .set_local_gateway_id(route.local_gateway_id.clone())
        .set_carrier_gateway_id(route.carrier_gateway_id.clone())
        .set_core_network_arn(route.core_network_arn.clone())
        .set_odb_network_arn(route.odb_network_arn.clone());
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_propagation(cx: &Cx<'_, RouteTable>, live: &Live<RouteTable>, want: &Spec) -> Result<()> {
    for gateway in missing(&want.propagating_vpn_gateway_ids, &live.spec.propagating_vpn_gateway_ids) {
        let call = cx.client.enable_vgw_route_propagation();
        let call = call.route_table_id(&live.physical).gateway_id(gateway);
        call.send().await.map_err(failed)?;
    }
    for gateway in missing(&live.spec.propagating_vpn_gateway_ids, &want.propagating_vpn_gateway_ids) {
        let call = cx.client.disable_vgw_route_propagation();
        let call = call.route_table_id(&live.physical).gateway_id(gateway);
        call.send().await.map_err(failed)?;
    }
    Ok(())
}
