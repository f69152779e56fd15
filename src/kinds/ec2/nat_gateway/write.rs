//! The calls that make, change and delete a NAT gateway.

use aws_sdk_ec2::types::{AvailabilityZoneAddress, ConnectivityType, NatGatewayState, ResourceType};

use super::{Association, NatGateway, Spec, ZoneAddresses};
use crate::kind::prelude::*;
use crate::services::ec2::{assigned, filter_by, once, tag_on_create};

/// Makes it, once the internet can be reached from its VPC: AWS would take the call, and the gateway would fail a minute later.
pub(super) async fn create(cx: &Cx<'_, NatGateway>, want: &Spec) -> Result<String> {
    if want.connectivity_type == ConnectivityType::Public.as_str() {
        refuse_without_internet(cx, want).await?;
    }
    let zones: Vec<AvailabilityZoneAddress> = want.availability_zone_addresses.iter().map(zone).collect();
    let call = cx.client.create_nat_gateway();
    let call = call
        .set_subnet_id(want.subnet_id.clone())
        .set_allocation_id(want.allocation_id.clone())
        .connectivity_type(want.connectivity_type.as_str().into())
        .set_private_ip_address(want.private_ip_address.clone())
        .set_secondary_allocation_ids(some(&want.secondary_allocation_ids))
        .set_secondary_private_ip_addresses(some(&want.secondary_private_ip_addresses))
        .set_secondary_private_ip_address_count(want.secondary_private_ip_address_count)
        .set_vpc_id(want.vpc_id.clone().filter(|_| want.subnet_id.is_none()))
        .set_availability_zone_addresses(Some(zones).filter(|zones| !zones.is_empty()));
    let regional = (want.availability_mode != Spec::default_availability_mode())
        .then(|| want.availability_mode.as_str().into());
    let call = call.set_availability_mode(regional);
    let call = call.tag_specifications(tag_on_create(ResourceType::Natgateway, cx.tags));
    // A client token would give back a gateway that was made for the same plan and deleted since.
    let answer = call.customize().config_override(once()).send().await.map_err(failed)?;
    assigned(answer.nat_gateway().and_then(|gateway| gateway.nat_gateway_id()), "CreateNatGateway")
}

/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>: "Network vpc-… has no Internet gateway
/// attached". Nothing of a manifest says which comes first: an internet gateway names the VPC, and so does the subnet.
async fn refuse_without_internet(cx: &Cx<'_, NatGateway>, want: &Spec) -> Result<()> {
    let vpc = match (&want.subnet_id, &want.vpc_id) {
        (Some(subnet), _) => {
            let call = cx.client.describe_subnets().filters(filter_by("subnet-id", vec![subnet.clone()]));
            let found = call.send().await.map_err(failed)?;
            found.subnets().first().and_then(|subnet| subnet.vpc_id()).map(str::to_owned)
        }
        (None, vpc) => vpc.clone(),
    };
    // What is not there, AWS refuses itself.
    let Some(vpc) = vpc else { return Ok(()) };
    let call = cx.client.describe_internet_gateways();
    let call = call.filters(filter_by("attachment.vpc-id", vec![vpc.clone()]));
    if !call.send().await.map_err(failed)?.internet_gateways().is_empty() {
        return Ok(());
    }
    let message = format!("Network {vpc} has no Internet gateway attached");
    let error = Error::malformed("ec2", "CreateNatGateway", message);
    Err(Error { code: Some("Gateway.NotAttached".to_owned()), ..error })
}

fn zone(zone: &ZoneAddresses) -> AvailabilityZoneAddress {
    AvailabilityZoneAddress::builder()
        .set_allocation_ids(Some(zone.allocation_ids.clone()))
        .set_availability_zone(zone.availability_zone.clone())
        .set_availability_zone_id(zone.availability_zone_id.clone())
        .build()
}

fn some(texts: &[String]) -> Option<Vec<String>> {
    (!texts.is_empty()).then(|| texts.to_vec())
}

/// Takes away the further addresses that are too many, and adds those that are missing.
pub(super) async fn update(
    cx: &Cx<'_, NatGateway>,
    live: &Live<NatGateway>,
    want: &Spec,
    diff: &Diff,
) -> Result<()> {
    if live.outputs.state == NatGatewayState::Failed.as_str() {
        let id = &live.physical;
        let what = format!(
            "{id} has failed, and AWS takes it away within the hour: mend the reason, and run this again then, or right after \
             `aws ec2 delete-nat-gateway --nat-gateway-id {id}`"
        );
        return Err(Error::malformed("ec2", "DescribeNatGateways", what));
    }
    if want.connectivity_type == ConnectivityType::Private.as_str() {
        return private(cx, live, want, diff).await;
    }
    let fields = ["secondaryAllocationIds", "secondaryPrivateIpAddresses", "availabilityZoneAddresses"];
    if fields.iter().any(|field| diff.touches(field)) {
        elastic(cx, live, want).await?;
    }
    Ok(())
}

/// Elastic IP addresses, of public gateways.
async fn elastic(cx: &Cx<'_, NatGateway>, live: &Live<NatGateway>, want: &Spec) -> Result<()> {
    let (stay, extra): (Vec<&Association>, Vec<&Association>) =
        live.outputs.associations.iter().partition(|one| stays(one, want));
    let extra: Vec<String> = extra.iter().map(|one| one.association_id.clone()).collect();
    if !extra.is_empty() {
        let call = cx.client.disassociate_nat_gateway_address().nat_gateway_id(&live.physical);
        let call = call.set_association_ids(Some(extra));
        let call = call.set_max_drain_duration_seconds(want.max_drain_duration_seconds);
        call.send().await.map_err(failed)?;
    }
    let has = |id: &&String| stay.iter().any(|one| one.allocation_id == **id);
    let missing = |ids: &[String]| ids.iter().filter(|id| !has(id)).cloned().collect::<Vec<String>>();
    let is_free = |ip: &&String| !stay.iter().any(|one| one.private_ip.as_ref() == Some(ip));
    let free: Vec<String> = want.secondary_private_ip_addresses.iter().filter(is_free).cloned().collect();
    let zonal = (None, None, missing(&want.secondary_allocation_ids));
    let zones = want.availability_zone_addresses.iter().map(|zone| {
        (zone.availability_zone.clone(), zone.availability_zone_id.clone(), missing(&zone.allocation_ids))
    });
    for (name, id, missing) in [zonal].into_iter().chain(zones).filter(|(.., missing)| !missing.is_empty()) {
        let call = cx.client.associate_nat_gateway_address().nat_gateway_id(&live.physical);
        let private: Vec<String> = free.iter().take(missing.len()).cloned().collect();
        let call = call.set_allocation_ids(Some(missing)).set_private_ip_addresses(some(&private));
        let call = call.set_availability_zone(name).set_availability_zone_id(id);
        call.send().await.map_err(failed)?;
    }
    Ok(())
}

/// Whether an address that a gateway has stays where it is: it is wanted, in the zone and with the private address that it has.
fn stays(one: &Association, want: &Spec) -> bool {
    let Association { allocation_id, private_ip, availability_zone, availability_zone_id, .. } = one;
    let private = &want.secondary_private_ip_addresses;
    if !private.is_empty() && !private_ip.as_ref().is_some_and(|ip| private.contains(ip)) {
        return false;
    }
    let mut zones = want.availability_zone_addresses.iter();
    let same =
        |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || has.is_none() || wanted == has;
    want.secondary_allocation_ids.contains(allocation_id)
        || zones.any(|zone| {
            zone.allocation_ids.contains(allocation_id)
                && same(&zone.availability_zone, availability_zone)
                && same(&zone.availability_zone_id, availability_zone_id)
        })
}

/// Private addresses, of private gateways: those that are said, or so many.
async fn private(cx: &Cx<'_, NatGateway>, live: &Live<NatGateway>, want: &Spec, diff: &Diff) -> Result<()> {
    let has = &live.spec.secondary_private_ip_addresses;
    let (mut extra, mut missing, mut count) = (Vec::new(), Vec::new(), None);
    if diff.touches("secondaryPrivateIpAddresses") {
        let wanted = &want.secondary_private_ip_addresses;
        extra = has.iter().filter(|one| !wanted.contains(one)).cloned().collect();
        missing = wanted.iter().filter(|one| !has.contains(one)).cloned().collect();
    } else if let Some(wanted) =
        want.secondary_private_ip_address_count.filter(|_| diff.touches("secondaryPrivateIpAddressCount"))
    {
        let now = i32::try_from(has.len()).unwrap_or_default();
        count = Some(wanted.saturating_sub(now)).filter(|more| *more > 0);
        extra = has.iter().skip(usize::try_from(wanted).unwrap_or_default()).cloned().collect();
    }
    if !extra.is_empty() {
        let call = cx.client.unassign_private_nat_gateway_address().nat_gateway_id(&live.physical);
        let call = call.set_private_ip_addresses(Some(extra));
        let call = call.set_max_drain_duration_seconds(want.max_drain_duration_seconds);
        call.send().await.map_err(failed)?;
    }
    if !missing.is_empty() || count.is_some() {
        let call = cx.client.assign_private_nat_gateway_address().nat_gateway_id(&live.physical);
        let call = call.set_private_ip_addresses(some(&missing)).set_private_ip_address_count(count);
        call.send().await.map_err(failed)?;
    }
    Ok(())
}

/// Deletes it; nothing while AWS is at it.
pub(super) async fn delete(cx: &Cx<'_, NatGateway>, live: &Live<NatGateway>) -> Result<()> {
    if live.outputs.state == NatGatewayState::Deleting.as_str() {
        return Ok(());
    }
    cx.client.delete_nat_gateway().nat_gateway_id(&live.physical).send().await.map_err(failed)?;
    Ok(())
}
