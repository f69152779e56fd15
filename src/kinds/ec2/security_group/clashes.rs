//! Security groups that a VPC cannot have together, and rules that name groups of another one.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>: "You can't have two security groups for
//! the same VPC with the same name." <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>: a rule names
//! groups of its VPC, of a peered one, or of one that is attached to the same transit gateway.

use super::{EgressRule, IngressRule, SecurityGroup, Spec};
use crate::kind::prelude::*;
use crate::kinds::ec2::route_table::RouteTable;
use crate::kinds::ec2::types::network::Network;

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found: Vec<Clash> = twin(spec, id, beside).into_iter().collect();
    let Some(network) = spec.vpc_id.as_deref().and_then(Network::named) else { return found };
    // Whether VPCs are peered is told by the routes of that.
    if beside.all::<RouteTable>().any(|table| table.field("routes").is_some_and(leaves)) {
        return found;
    }
    let ingress = spec.security_group_ingress.iter().enumerate().filter(|(_, rule)| rule.is_at_home());
    let ingress = ingress.filter_map(|(index, rule): (usize, &IngressRule)| {
        let path = format!("securityGroupIngress[{index}].sourceSecurityGroupId");
        Some((path, rule.source_security_group_id.as_ref()?))
    });
    let egress = spec.security_group_egress.iter().enumerate();
    let egress = egress.filter_map(|(index, rule): (usize, &EgressRule)| {
        let path = format!("securityGroupEgress[{index}].destinationSecurityGroupId");
        Some((path, rule.destination_security_group_id.as_ref()?))
    });
    let why =
        "a rule names groups of its own VPC, or of one that routes lead to by peering or a transit gateway";
    found.extend(network.strangers(ingress.chain(egress), beside, why));
    found
}

/// Another group of the same VPC and the same name; without a VPC both are in the account's default one.
fn twin(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Option<Clash> {
    let own = beside.get(id)?;
    let network = spec.vpc_id.as_deref().map(Network::named);
    if network == Some(None) {
        return None;
    }
    let other = beside.before::<SecurityGroup>(id).find(|other| {
        other.physical == own.physical
            && !other.ignores("vpcId")
            && other.text("vpcId").map(Network::named) == network
    })?;
    let message = format!(
        "{} is called {} as well, and in one VPC names are unique: give one of them another metadata.physicalName",
        other.id, own.physical
    );
    Some(Clash::new("", other.id, message))
}

/// Whether one of these routes leads to another VPC.
fn leaves(routes: &serde_json::Value) -> bool {
    let to = ["vpcPeeringConnectionId", "transitGatewayId", "coreNetworkArn"];
    let routes = routes.as_array().into_iter().flatten();
    routes.into_iter().any(|route| to.iter().any(|field| route.get(field).is_some()))
}
