//! Changes to a subnet in place: ModifySubnetAttribute takes one attribute per call.

use crate::kind::prelude::*;
use aws_sdk_ec2::operation::modify_subnet_attribute::builders::ModifySubnetAttributeFluentBuilder as Modify;
use aws_sdk_ec2::types::AttributeBooleanValue;

use super::{Spec, Subnet};

pub(super) async fn update(cx: &Cx<'_, Subnet>, live: &Live<Subnet>, want: &Spec, diff: &Diff) -> Result<()> {
    let modify = || cx.client.modify_subnet_attribute().subnet_id(&live.physical);
    // Addresses on creation need a range: off before it goes, on after it has come.
    let assigns = diff.touches("assignIpv6AddressOnCreation");
    if assigns && !want.assign_ipv6_address_on_creation {
        send(modify().assign_ipv6_address_on_creation(flag(false))).await?;
    }
    if diff.touches("ipv6CidrBlock") && !put_range(cx, live, want).await? {
        // One range at a time: the new one is added when the old one is seen to be gone.
        return Ok(());
    }
    if assigns && want.assign_ipv6_address_on_creation {
        send(modify().assign_ipv6_address_on_creation(flag(true))).await?;
    }
    if diff.touches("mapPublicIpOnLaunch") {
        send(modify().map_public_ip_on_launch(flag(want.map_public_ip_on_launch))).await?;
    }
    if diff.touches("enableDns64") {
        send(modify().enable_dns64(flag(want.enable_dns64))).await?;
    }
    if diff.touches("enableLniAtDeviceIndex") {
        send(match want.enable_lni_at_device_index {
            Some(index) => modify().enable_lni_at_device_index(index),
            None => modify().disable_lni_at_device_index(flag(true)),
        })
        .await?;
    }
    if diff.touches("mapCustomerOwnedIpOnLaunch") || diff.touches("customerOwnedIpv4Pool") {
        let call = modify().map_customer_owned_ip_on_launch(flag(want.map_customer_owned_ip_on_launch));
        send(call.set_customer_owned_ipv4_pool(want.customer_owned_ipv4_pool.clone())).await?;
    }
    put_names(&modify, live, want).await
}

async fn put_names(modify: &impl Fn() -> Modify, live: &Live<Subnet>, want: &Spec) -> Result<()> {
    let live = live.spec.private_dns_name_options_on_launch.clone().unwrap_or_default();
    let want = want.private_dns_name_options_on_launch.clone().unwrap_or_default();
    if want.hostname_type != live.hostname_type {
        send(modify().private_dns_hostname_type_on_launch(want.hostname_type.as_str().into())).await?;
    }
    if want.enable_resource_name_dns_a_record != live.enable_resource_name_dns_a_record {
        let on = flag(want.enable_resource_name_dns_a_record);
        send(modify().enable_resource_name_dns_a_record_on_launch(on)).await?;
    }
    if want.enable_resource_name_dns_aaaa_record != live.enable_resource_name_dns_aaaa_record {
        let on = flag(want.enable_resource_name_dns_aaaa_record);
        send(modify().enable_resource_name_dns_aaaa_record_on_launch(on)).await?;
    }
    Ok(())
}

/// Whether the range is as wanted when the call has been done.
async fn put_range(cx: &Cx<'_, Subnet>, live: &Live<Subnet>, want: &Spec) -> Result<bool> {
    if let Some(id) = &live.outputs.ipv6_association_id {
        let call = cx.client.disassociate_subnet_cidr_block().association_id(id);
        call.send().await.map_err(failed)?;
        return Ok(want.ipv6_cidr_block.is_none());
    }
    if let Some(range) = &want.ipv6_cidr_block {
        let call = cx.client.associate_subnet_cidr_block().subnet_id(&live.physical).ipv6_cidr_block(range);
        call.send().await.map_err(failed)?;
    }
    Ok(true)
}

fn flag(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

async fn send(call: Modify) -> Result<()> {
    call.send().await.map_err(failed)?;
    Ok(())
}
