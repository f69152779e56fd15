//! What AWS reports of a VPC endpoint, in the words of its manifest.

use aws_sdk_ec2::types::VpcEndpoint as Reported;

use super::{DnsOptions, Outputs, Spec, VpcEndpoint, everything};
use crate::kind::prelude::*;
use crate::services::ec2::tags;

pub(super) fn live(endpoint: &Reported, place: &Place) -> Option<Live<VpcEndpoint>> {
    let id = endpoint.vpc_endpoint_id()?.to_owned();
    // The model writes states in capitals, the wire does not.
    let state = endpoint.state().map(|state| state.as_str().to_ascii_lowercase()).unwrap_or_default();
    if state == "deleted" {
        return None;
    }
    let arn = place.arn("ec2", &format!("vpc-endpoint/{id}"));
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let groups = endpoint.groups().iter().filter_map(|group| text(group.group_id()));
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec {
            vpc_id: endpoint.vpc_id().unwrap_or_default().to_owned(),
            service_name: text(endpoint.service_name()),
            service_region: text(endpoint.service_region()),
            vpc_endpoint_type: endpoint
                .vpc_endpoint_type()
                .map_or_else(Spec::default_vpc_endpoint_type, |kind| kind.as_str().to_owned()),
            // Services that know no policies let everything through.
            policy_document: text(endpoint.policy_document())
                .map_or_else(everything, |document| Policy::parse(&document)),
            route_table_ids: endpoint.route_table_ids().to_vec(),
            subnet_ids: endpoint.subnet_ids().to_vec(),
            security_group_ids: groups.collect(),
            private_dns_enabled: endpoint.private_dns_enabled().unwrap_or_default(),
            ip_address_type: endpoint.ip_address_type().map(|kind| kind.as_str().to_owned()),
            dns_options: endpoint.dns_options().map(|options| DnsOptions {
                dns_record_ip_type: options.dns_record_ip_type().map(|kind| kind.as_str().to_owned()),
                private_dns_only_for_inbound_resolver_endpoint: options
                    .private_dns_only_for_inbound_resolver_endpoint()
                    .unwrap_or_default(),
                private_dns_preference: text(options.private_dns_preference()),
                private_dns_specified_domains: options.private_dns_specified_domains().to_vec(),
            }),
            resource_configuration_arn: text(endpoint.resource_configuration_arn()),
            service_network_arn: text(endpoint.service_network_arn()),
        },
        outputs: Outputs {
            id,
            arn,
            owner_id: text(endpoint.owner_id()),
            dns_name: endpoint.dns_entries().first().and_then(|entry| text(entry.dns_name())),
            network_interface_ids: endpoint.network_interface_ids().to_vec(),
            state: state.clone(),
        },
        tags: tags(endpoint.tags()),
        readiness: readiness(endpoint, &state),
        revision: None,
    })
}

fn readiness(endpoint: &Reported, state: &str) -> Readiness {
    let why = || {
        let error = endpoint.last_error().and_then(|error| error.message());
        let why = endpoint.failure_reason().or(error).unwrap_or("AWS gives no reason");
        format!("its state is {state}: {why}")
    };
    match state {
        "pending" | "deleting" => Readiness::Pending(format!("its state is {state}")),
        "failed" | "rejected" | "expired" | "partial" => Readiness::Failed(why()),
        // Whether the service's owner accepts it (`pendingacceptance`) is not ours to wait for.
        _ => Readiness::Ready,
    }
}
