//! What EC2 reports of a NAT gateway, in the manifest's words.

use aws_sdk_ec2::types::{
    AvailabilityMode, ConnectivityType, NatGateway as Reported, NatGatewayAddress, NatGatewayAddressStatus,
    NatGatewayState,
};

use super::{Association, NatGateway, Outputs, Spec, ZoneAddresses};
use crate::kind::prelude::*;
use crate::kinds::mirror::Field;
use crate::services::ec2::tags;

/// The gateway; one that has gone stays listed for about an hour.
pub(super) fn live(gateway: &Reported, place: &Place) -> Option<Live<NatGateway>> {
    let id = gateway.nat_gateway_id()?.to_owned();
    let state = gateway.state().filter(|state| **state != NatGatewayState::Deleted)?;
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let mode = Field::read(gateway.availability_mode(), Spec::default_availability_mode);
    let is_regional = mode == AvailabilityMode::Regional.as_str();
    let (first, rest) = split(gateway, is_regional);
    let connectivity = Field::read(gateway.connectivity_type(), Spec::default_connectivity_type);
    let is_private = connectivity == ConnectivityType::Private.as_str();
    let spec = Spec {
        subnet_id: text(gateway.subnet_id()).filter(|_| !is_regional),
        allocation_id: first.and_then(|it| text(it.allocation_id())),
        private_ip_address: first.and_then(|it| text(it.private_ip())),
        secondary_allocation_ids: match is_regional {
            true => Vec::new(),
            false => rest.iter().filter_map(|it| text(it.allocation_id())).collect(),
        },
        secondary_private_ip_addresses: rest.iter().filter_map(|it| text(it.private_ip())).collect(),
        secondary_private_ip_address_count: i32::try_from(rest.len()).ok().filter(|it| is_private && *it > 0),
        vpc_id: text(gateway.vpc_id()),
        availability_zone_addresses: if is_regional { zones(&rest) } else { Vec::new() },
        connectivity_type: connectivity,
        availability_mode: mode,
        max_drain_duration_seconds: None,
    };
    let associations = rest.iter().filter_map(|it| {
        Some(Association {
            allocation_id: text(it.allocation_id())?,
            association_id: text(it.association_id())?,
            private_ip: text(it.private_ip()),
            availability_zone: text(it.availability_zone()),
            availability_zone_id: text(it.availability_zone_id()),
        })
    });
    let arn = place.arn("ec2", &format!("natgateway/{id}"));
    let outputs = Outputs {
        id: id.clone(),
        nat_gateway_id: id.clone(),
        arn: arn.clone(),
        public_ip: first.and_then(|it| text(it.public_ip())),
        eni_id: first.and_then(|it| text(it.network_interface_id())),
        route_table_id: text(gateway.route_table_id()),
        state: state.as_str().to_owned(),
        associations: associations.collect(),
    };
    let live = Live::new(id, spec, outputs).with(arn, tags(gateway.tags()));
    Some(Live { readiness: readiness(gateway, state), ..live })
}

/// The address that a zonal gateway is made with, and the others. Those that are leaving, or never came, are none.
fn split(gateway: &Reported, is_regional: bool) -> (Option<&NatGatewayAddress>, Vec<&NatGatewayAddress>) {
    let none = [
        NatGatewayAddressStatus::Disassociating,
        NatGatewayAddressStatus::Failed,
        NatGatewayAddressStatus::Unassigning,
    ];
    let failed = gateway.state() == Some(&NatGatewayState::Failed);
    let there = |it: &&NatGatewayAddress| failed || it.status().is_none_or(|status| !none.contains(status));
    let all: Vec<&NatGatewayAddress> = gateway.nat_gateway_addresses().iter().filter(there).collect();
    if is_regional {
        return (None, all);
    }
    let first = all.iter().position(|it| it.is_primary() == Some(true)).unwrap_or_default();
    let rest = all.iter().enumerate().filter(|(index, _)| *index != first).map(|(_, it)| *it);
    (all.get(first).copied(), rest.collect())
}

/// The addresses of each zone, of a regional gateway.
fn zones(addresses: &[&NatGatewayAddress]) -> Vec<ZoneAddresses> {
    let mut zones: BTreeMap<(Option<&str>, Option<&str>), Vec<String>> = BTreeMap::new();
    for one in addresses {
        if let Some(id) = one.allocation_id() {
            let zone = (one.availability_zone(), one.availability_zone_id());
            zones.entry(zone).or_default().push(id.to_owned());
        }
    }
    let zone = |((name, id), allocation_ids): ((Option<&str>, Option<&str>), Vec<String>)| ZoneAddresses {
        allocation_ids,
        availability_zone: name.map(str::to_owned),
        availability_zone_id: id.map(str::to_owned),
    };
    zones.into_iter().map(zone).collect()
}

fn readiness(gateway: &Reported, state: &NatGatewayState) -> Readiness {
    let moving = gateway.nat_gateway_addresses().iter().filter_map(|it| it.status()).find(|status| {
        !matches!(status, NatGatewayAddressStatus::Succeeded | NatGatewayAddressStatus::Failed)
    });
    match (state, moving) {
        (NatGatewayState::Available, None) => Readiness::Ready,
        (NatGatewayState::Available, Some(status)) => {
            Readiness::Pending(format!("an address of it is {}", status.as_str()))
        }
        // https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
        (NatGatewayState::Failed, _) => {
            let code = gateway.failure_code().unwrap_or("failed");
            let message = gateway.failure_message().unwrap_or_default();
            Readiness::Failed(format!("{code}: {message}"))
        }
        (state, _) => Readiness::Pending(format!("it is {}", state.as_str())),
    }
}
