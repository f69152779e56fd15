//! Endpoints that cannot stand beside others, or in their VPC.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html>: "To use a private hosted zone, you must set
//! the following VPC attributes to true: enableDnsHostnames and enableDnsSupport."
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>: `DuplicateSubnetsInSameZone`,
//! `RouteAlreadyExists`. EC2 says "private-dns-enabled cannot be set because there is already a conflicting DNS domain for … in the
//! VPC" (`InvalidParameter`).

use super::{Spec, VpcEndpoint};
use crate::kind::prelude::*;
use crate::kinds::ec2::types::network::{Network, one_zone, placed};
use crate::kinds::ec2::vpc;

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    // An interface endpoint has one subnet in each zone.
    let subnets = placed("subnetIds", &spec.subnet_ids).filter(|_| spec.vpc_endpoint_type == "Interface");
    let mut found = one_zone(subnets, beside, "an endpoint has one subnet in each zone");
    let Some(network) = Network::named(&spec.vpc_id) else { return found };
    for (field, texts, why) in [
        ("subnetIds", &spec.subnet_ids, "an endpoint stands in subnets of its own VPC"),
        ("securityGroupIds", &spec.security_group_ids, "an endpoint carries groups of its own VPC"),
        ("routeTableIds", &spec.route_table_ids, "an endpoint adds routes to tables of its own VPC"),
    ] {
        found.extend(network.strangers(placed(field, texts), beside, why));
    }
    if spec.private_dns_enabled && spec.vpc_endpoint_type == "Interface" {
        found.extend(without_names(&network, beside));
    }
    found.extend(twins(spec, &network, id, beside));
    found
}

/// Private names need a VPC that answers with names.
fn without_names(network: &Network, beside: &Beside<'_>) -> Option<Clash> {
    let vpc = network.declared(beside)?;
    let spec: vpc::Spec = vpc.read()?;
    let missing =
        [("enableDnsHostnames", spec.enable_dns_hostnames), ("enableDnsSupport", spec.enable_dns_support)];
    let (field, _) = missing.into_iter().find(|(field, set)| !set && !vpc.ignores(field))?;
    let message = format!("needs a VPC with {field}: set it to true in {}", vpc.id);
    Some(Clash::new("privateDnsEnabled", vpc.id, message))
}

/// Two ways to one service: one private name, and one route in a table, cannot lead both ways.
fn twins(spec: &Spec, network: &Network, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let Some(service) = spec.service_name.as_deref().filter(|name| !name.contains("${")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for other in beside.before::<VpcEndpoint>(id).filter(|it| it.text("serviceName") == Some(service)) {
        let Some(theirs) = other.read::<Spec>() else { continue };
        let kinds = [spec.vpc_endpoint_type.as_str(), theirs.vpc_endpoint_type.as_str()];
        if Network::named(&theirs.vpc_id).as_ref() != Some(network) {
            continue;
        }
        let named = spec.private_dns_enabled && theirs.private_dns_enabled;
        if named && kinds == ["Interface"; 2] && !other.ignores("privateDnsEnabled") {
            let message = format!(
                "{} has the private names of {service} in {network} already: set it to false in one of the two",
                other.id
            );
            found.push(Clash::new("privateDnsEnabled", other.id, message));
        }
        if kinds != ["Gateway"; 2] || other.ignores("routeTableIds") {
            continue;
        }
        for (path, table) in placed("routeTableIds", &spec.route_table_ids) {
            if theirs.route_table_ids.contains(table) {
                let message = format!("{table} has a route to {service} by {} already", other.id);
                found.push(Clash::new(path, other.id, message));
            }
        }
    }
    found
}
