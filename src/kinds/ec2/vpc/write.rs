//! Changes to a VPC in place.

use crate::kind::prelude::*;
use aws_sdk_ec2::types::{AttributeBooleanValue, VpcTenancy};

use super::{Spec, Vpc};

pub(super) async fn update(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, want: &Spec, diff: &Diff) -> Result<()> {
    if diff.touches("instanceTenancy") && want.instance_tenancy == "default" {
        let call = cx.client.modify_vpc_tenancy().vpc_id(&live.physical);
        let call = call.instance_tenancy(VpcTenancy::Default);
        call.send().await.map_err(failed)?;
    }
    // One attribute per call; names need the server, so it comes first and goes last.
    if diff.touches("enableDnsSupport") && want.enable_dns_support {
        put_support(cx, live, true).await?;
    }
    if diff.touches("enableDnsHostnames") {
        put_hostnames(cx, live, want.enable_dns_hostnames).await?;
    }
    if diff.touches("enableDnsSupport") && !want.enable_dns_support {
        put_support(cx, live, false).await?;
    }
    if diff.touches("secondaryCidrBlocks") {
        for range in missing(&want.secondary_cidr_blocks, &live.spec.secondary_cidr_blocks) {
            let call = cx.client.associate_vpc_cidr_block().vpc_id(&live.physical).cidr_block(range);
            call.send().await.map_err(failed)?;
        }
        for range in missing(&live.spec.secondary_cidr_blocks, &want.secondary_cidr_blocks) {
            disassociate(cx, live, range).await?;
        }
    }
    if diff.touches("amazonProvidedIpv6CidrBlock") {
        put_amazon_range(cx, live, want).await?;
    }
    if diff.touches("ipv6CidrBlocks") {
        for range in missing(&want.ipv6_cidr_blocks, &live.spec.ipv6_cidr_blocks) {
            add_ipv6(cx, live, want, range).await?;
        }
        for range in missing(&live.spec.ipv6_cidr_blocks, &want.ipv6_cidr_blocks) {
            disassociate(cx, live, range).await?;
        }
    }
    Ok(())
}

fn missing<'a>(these: &'a [String], those: &'a [String]) -> impl Iterator<Item = &'a String> {
    these.iter().filter(|one| !those.contains(one))
}

fn attribute(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

async fn put_support(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, on: bool) -> Result<()> {
    let call = cx.client.modify_vpc_attribute().vpc_id(&live.physical).enable_dns_support(attribute(on));
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_hostnames(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, on: bool) -> Result<()> {
    let call = cx.client.modify_vpc_attribute().vpc_id(&live.physical).enable_dns_hostnames(attribute(on));
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn put_amazon_range(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, want: &Spec) -> Result<()> {
    match (&live.outputs.ipv6_cidr_block, want.amazon_provided_ipv6_cidr_block) {
        (Some(range), false) => disassociate(cx, live, range).await,
        (None, true) => {
            let call = cx
                .client
                .associate_vpc_cidr_block()
                .vpc_id(&live.physical)
                .amazon_provided_ipv6_cidr_block(true)
                .set_ipv6_cidr_block_network_border_group(want.ipv6_cidr_block_network_border_group.clone());
            call.send().await.map_err(failed)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn add_ipv6(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, want: &Spec, range: &str) -> Result<()> {
    let call = cx
        .client
        .associate_vpc_cidr_block()
        .vpc_id(&live.physical)
        .ipv6_cidr_block(range)
        .set_ipv6_pool(want.ipv6_pool.clone())
        .set_ipv6_ipam_pool_id(want.ipv6_ipam_pool_id.clone());
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn disassociate(cx: &Cx<'_, Vpc>, live: &Live<Vpc>, range: &str) -> Result<()> {
    let Some(id) = live.outputs.cidr_block_associations.get(range) else { return Ok(()) };
    let call = cx.client.disassociate_vpc_cidr_block().association_id(id);
    call.send().await.map_err(failed)?;
    Ok(())
}
