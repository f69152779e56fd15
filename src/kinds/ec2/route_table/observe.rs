//! What AWS reports of a route table, in the words of its manifest.

use aws_sdk_ec2::types::{
    RouteTable as Reported, RouteTableAssociation, RouteTableAssociationStateCode as Code,
};

use super::{Outputs, Route, RouteTable, Spec};
use crate::kind::prelude::*;
use crate::services::ec2::tags;

pub(super) fn live(table: &Reported, place: &Place) -> Option<Live<RouteTable>> {
    let id = table.route_table_id()?.to_owned();
    let arn = place.arn("ec2", &format!("route-table/{id}"));
    let present = || table.associations().iter().filter(|one| present(one));
    let mut associations = BTreeMap::new();
    for one in present() {
        let end = one.subnet_id().or(one.gateway_id());
        if let (Some(end), Some(id)) = (end, one.route_table_association_id()) {
            associations.insert(end.to_owned(), id.to_owned());
        }
    }
    let changing = present().any(|one| code(one) == Some(&Code::Associating));
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec {
            vpc_id: table.vpc_id().unwrap_or_default().to_owned(),
            routes: table.routes().iter().filter_map(Route::observe).collect(),
            subnet_ids: present().filter_map(|one| one.subnet_id()).map(str::to_owned).collect(),
            gateway_ids: present().filter_map(|one| one.gateway_id()).map(str::to_owned).collect(),
            propagating_vpn_gateway_ids: table
                .propagating_vgws()
                .iter()
                .filter_map(|gateway| gateway.gateway_id())
                .map(str::to_owned)
                .collect(),
        },
        outputs: Outputs { id, arn, owner_id: table.owner_id().map(str::to_owned), associations },
        tags: tags(table.tags()),
        readiness: if changing { Readiness::Pending("associating".to_owned()) } else { Readiness::Ready },
        revision: None,
    })
}

fn code(one: &RouteTableAssociation) -> Option<&Code> {
    one.association_state().and_then(|state| state.state())
}

fn present(one: &RouteTableAssociation) -> bool {
    !matches!(code(one), Some(Code::Disassociated | Code::Disassociating | Code::Failed))
}
