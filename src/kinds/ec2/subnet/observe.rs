//! What AWS reports of a subnet, in the words of its manifest.

use aws_sdk_ec2::types::{
    Subnet as Reported, SubnetCidrBlockStateCode as Code, SubnetIpv6CidrBlockAssociation, SubnetState,
};

use super::{Outputs, PrivateDnsNameOptions, Spec, Subnet};
use crate::kind::prelude::*;
use crate::services::ec2::tags;

pub(super) fn live(subnet: &Reported, place: &Place) -> Option<Live<Subnet>> {
    let id = subnet.subnet_id()?.to_owned();
    let ipv6 = subnet.ipv6_cidr_block_association_set().iter().find(|one| present(one));
    let arn = subnet.subnet_arn().map_or_else(|| place.arn("ec2", &format!("subnet/{id}")), str::to_owned);
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec {
            vpc_id: subnet.vpc_id().unwrap_or_default().to_owned(),
            cidr_block: text(subnet.cidr_block()),
            ipv4_ipam_pool_id: None,
            ipv4_netmask_length: None,
            availability_zone: text(subnet.availability_zone()),
            availability_zone_id: text(subnet.availability_zone_id()),
            ipv6_cidr_block: ipv6.and_then(|one| text(one.ipv6_cidr_block())),
            ipv6_ipam_pool_id: None,
            ipv6_netmask_length: None,
            ipv6_native: subnet.ipv6_native().unwrap_or_default(),
            map_public_ip_on_launch: subnet.map_public_ip_on_launch().unwrap_or_default(),
            assign_ipv6_address_on_creation: subnet.assign_ipv6_address_on_creation().unwrap_or_default(),
            enable_dns64: subnet.enable_dns64().unwrap_or_default(),
            private_dns_name_options_on_launch: subnet.private_dns_name_options_on_launch().map(|options| {
                PrivateDnsNameOptions {
                    hostname_type: options
                        .hostname_type()
                        .map_or_else(PrivateDnsNameOptions::default_hostname_type, |t| t.as_str().to_owned()),
                    enable_resource_name_dns_a_record: options
                        .enable_resource_name_dns_a_record()
                        .unwrap_or_default(),
                    enable_resource_name_dns_aaaa_record: options
                        .enable_resource_name_dns_aaaa_record()
                        .unwrap_or_default(),
                }
            }),
            enable_lni_at_device_index: subnet.enable_lni_at_device_index().filter(|index| *index > 0),
            outpost_arn: text(subnet.outpost_arn()),
            map_customer_owned_ip_on_launch: subnet.map_customer_owned_ip_on_launch().unwrap_or_default(),
            customer_owned_ipv4_pool: text(subnet.customer_owned_ipv4_pool()),
        },
        outputs: Outputs {
            arn,
            vpc_id: text(subnet.vpc_id()),
            cidr_block: text(subnet.cidr_block()),
            availability_zone: text(subnet.availability_zone()),
            availability_zone_id: text(subnet.availability_zone_id()),
            owner_id: text(subnet.owner_id()),
            default_for_az: subnet.default_for_az() == Some(true),
            ipv6_association_id: ipv6.and_then(|one| text(one.association_id())),
            id,
        },
        tags: tags(subnet.tags()),
        readiness: readiness(subnet, ipv6),
        revision: None,
    })
}

/// An empty text is how EC2 says nothing.
fn text(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn code(one: &SubnetIpv6CidrBlockAssociation) -> Option<&Code> {
    one.ipv6_cidr_block_state().and_then(|state| state.state())
}

fn present(one: &SubnetIpv6CidrBlockAssociation) -> bool {
    !matches!(code(one), Some(Code::Disassociated | Code::Disassociating | Code::Failed | Code::Failing))
}

fn readiness(subnet: &Reported, ipv6: Option<&SubnetIpv6CidrBlockAssociation>) -> Readiness {
    match subnet.state() {
        Some(SubnetState::Pending) => Readiness::Pending("AWS is making it".to_owned()),
        Some(state @ (SubnetState::Failed | SubnetState::FailedInsufficientCapacity)) => {
            Readiness::Failed(format!("its state is {}", state.as_str()))
        }
        _ if ipv6.and_then(code) == Some(&Code::Associating) => {
            Readiness::Pending("associating its range of IPv6 addresses".to_owned())
        }
        _ => Readiness::Ready,
    }
}
