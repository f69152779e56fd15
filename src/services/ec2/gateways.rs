//! NAT gateways and the addresses that they have.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Address, NatGateway};

use super::read::{PAGE, by_id, matters, wanted};
use crate::services::{Result, Scope, failed};

/// Elastic IP addresses by their allocation's id, in one call: AWS has no pages of them.
pub(super) async fn addresses(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Address>> {
    const KIND: &str = "ec2/ElasticIp";
    if !matters(scope, KIND, "elastic-ip/").await? {
        return Ok(BTreeMap::new());
    }
    let Some(filters) = wanted(scope, KIND, "allocation-id", "eipalloc-") else { return Ok(BTreeMap::new()) };
    let found = client.describe_addresses().set_filters(Some(filters)).send().await.map_err(failed)?;
    Ok(by_id(found.addresses.unwrap_or_default(), Address::allocation_id))
}

/// NAT gateways.
pub(super) async fn nat_gateways(client: &Client, scope: &Scope) -> Result<BTreeMap<String, NatGateway>> {
    const KIND: &str = "ec2/NatGateway";
    if !matters(scope, KIND, "natgateway/").await? {
        return Ok(BTreeMap::new());
    }
    let Some(filters) = wanted(scope, KIND, "nat-gateway-id", "nat-") else { return Ok(BTreeMap::new()) };
    let call = client.describe_nat_gateways().set_filter(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    Ok(by_id(items.map_err(failed)?, NatGateway::nat_gateway_id))
}
