//! What AWS would refuse of an endpoint, told before it is asked.

use super::Spec;
use crate::kind::Invalid;

/// What is wrong with an endpoint.
pub(super) fn check(spec: &Spec) -> Vec<Invalid> {
    let kind = spec.vpc_endpoint_type.as_str();
    if kind.contains("${") {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    let mut only = |wanted: &str, path: &str, said: bool| {
        if said && kind != wanted {
            let message =
                format!("only endpoints of type {wanted} have it, and this one is of type {kind}: remove it");
            wrong.push(Invalid::new(path, message));
        }
    };
    only("Gateway", "routeTableIds", !spec.route_table_ids.is_empty());
    only("Resource", "resourceConfigurationArn", spec.resource_configuration_arn.is_some());
    only("ServiceNetwork", "serviceNetworkArn", spec.service_network_arn.is_some());
    if kind == "Gateway" {
        let why = "an endpoint of type Gateway has no network interfaces: remove it, or set vpcEndpointType to Interface";
        for (path, said) in [
            ("subnetIds", !spec.subnet_ids.is_empty()),
            ("securityGroupIds", !spec.security_group_ids.is_empty()),
            ("privateDnsEnabled", spec.private_dns_enabled),
        ] {
            if said {
                wrong.push(Invalid::new(path, why));
            }
        }
    }
    let (path, target) = match kind {
        "Resource" => ("resourceConfigurationArn", &spec.resource_configuration_arn),
        "ServiceNetwork" => ("serviceNetworkArn", &spec.service_network_arn),
        _ => ("serviceName", &spec.service_name),
    };
    if target.is_none() {
        wrong.push(Invalid::new(path, format!("an endpoint of type {kind} leads to one: add it")));
    }
    if let Some(options) = &spec.dns_options
        && options.private_dns_only_for_inbound_resolver_endpoint
        && !spec.private_dns_enabled
    {
        wrong.push(Invalid::new(
            "dnsOptions.privateDnsOnlyForInboundResolverEndpoint",
            "it narrows private names: set privateDnsEnabled to true as well",
        ));
    }
    wrong
}
