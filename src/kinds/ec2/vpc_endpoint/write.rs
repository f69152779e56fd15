//! Creating, changing and deleting VPC endpoints.

use aws_sdk_ec2::operation::modify_vpc_endpoint::builders::ModifyVpcEndpointFluentBuilder as Modify;
use aws_sdk_ec2::types::{DnsOptionsSpecification, ResourceType};

use super::{DnsOptions, Spec, VpcEndpoint, everything};
use crate::kind::prelude::*;
use crate::services::Reached;
use crate::services::ec2::{assigned, tag_on_create};
use crate::value::policy;

pub(super) async fn create(cx: &Cx<'_, VpcEndpoint>, want: &Spec) -> Result<String> {
    let interface = want.vpc_endpoint_type != "Gateway";
    let policy = (!lets_everything_through(want)).then(|| want.policy_document.text());
    let call = cx
        .client
        .create_vpc_endpoint()
        .vpc_id(&want.vpc_id)
        .vpc_endpoint_type(want.vpc_endpoint_type.as_str().into())
        .set_service_name(want.service_name.clone())
        .set_service_region(want.service_region.clone())
        .set_policy_document(policy)
        .set_route_table_ids(some(&want.route_table_ids))
        .set_subnet_ids(some(&want.subnet_ids))
        .set_security_group_ids(some(&want.security_group_ids))
        .set_private_dns_enabled(interface.then_some(want.private_dns_enabled))
        .set_ip_address_type(want.ip_address_type.as_deref().map(Into::into))
        .set_dns_options(want.dns_options.as_ref().map(sdk_options))
        .set_resource_configuration_arn(want.resource_configuration_arn.clone())
        .set_service_network_arn(want.service_network_arn.clone())
        .client_token(cx.token)
        .tag_specifications(tag_on_create(ResourceType::VpcEndpoint, cx.tags));
    let answer = call.send().await.map_err(failed)?;
    assigned(answer.vpc_endpoint().and_then(|endpoint| endpoint.vpc_endpoint_id()), "CreateVpcEndpoint")
}

pub(super) async fn update(
    cx: &Cx<'_, VpcEndpoint>,
    live: &Live<VpcEndpoint>,
    want: &Spec,
    diff: &Diff,
) -> Result<()> {
    let mut call = cx.client.modify_vpc_endpoint().vpc_endpoint_id(&live.physical);
    if diff.touches("policyDocument") {
        call = if lets_everything_through(want) {
            call.reset_policy(true)
        } else {
            call.policy_document(want.policy_document.text())
        };
    }
    call = put_ends(call, live, want, diff);
    if diff.touches("privateDnsEnabled") {
        call = call.private_dns_enabled(want.private_dns_enabled);
    }
    if diff.touches("ipAddressType") {
        call = call.set_ip_address_type(want.ip_address_type.as_deref().map(Into::into));
    }
    if diff.touches("dnsOptions") {
        call = call.dns_options(changed_options(live, want));
    }
    call.send().await.map_err(failed)?;
    Ok(())
}

/// The lists that say what is added and what is removed.
fn put_ends(mut call: Modify, live: &Live<VpcEndpoint>, want: &Spec, diff: &Diff) -> Modify {
    let live = &live.spec;
    if diff.touches("routeTableIds") {
        call = call
            .set_add_route_table_ids(missing(&want.route_table_ids, &live.route_table_ids))
            .set_remove_route_table_ids(missing(&live.route_table_ids, &want.route_table_ids));
    }
    if diff.touches("subnetIds") {
        call = call
            .set_add_subnet_ids(missing(&want.subnet_ids, &live.subnet_ids))
            .set_remove_subnet_ids(missing(&live.subnet_ids, &want.subnet_ids));
    }
    if diff.touches("securityGroupIds") {
        call = call
            .set_add_security_group_ids(missing(&want.security_group_ids, &live.security_group_ids))
            .set_remove_security_group_ids(missing(&live.security_group_ids, &want.security_group_ids));
    }
    call
}

pub(super) async fn delete(cx: &Cx<'_, VpcEndpoint>, live: &Live<VpcEndpoint>) -> Result<()> {
    if live.outputs.state == "deleting" {
        return Ok(());
    }
    let call = cx.client.delete_vpc_endpoints().vpc_endpoint_ids(&live.physical);
    let answer = call.send().await.map_err(failed)?;
    // The call succeeds as a whole; what it could not delete is in its answer.
    let Some(error) = answer.unsuccessful().first().and_then(|item| item.error()) else { return Ok(()) };
    Err(Error {
        service: "ec2",
        operation: "DeleteVpcEndpoints",
        code: error.code().map(str::to_owned),
        message: error.message().unwrap_or_default().to_owned(),
        request_id: None,
        reached: Reached::Answered,
        retry_after: None,
    })
}

fn lets_everything_through(want: &Spec) -> bool {
    policy::same(&want.policy_document.0, &everything().0)
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}

fn missing(these: &[String], those: &[String]) -> Option<Vec<String>> {
    let missing: Vec<String> = these.iter().filter(|one| !those.contains(one)).cloned().collect();
    some(&missing)
}

/// On create an endpoint says only what it turns on: not every service takes the word. What is on is turned off by name.
pub(super) fn changed_options(live: &Live<VpcEndpoint>, want: &Spec) -> DnsOptionsSpecification {
    let is_on = |spec: &Spec| {
        let options = spec.dns_options.as_ref();
        options.is_some_and(|options| options.private_dns_only_for_inbound_resolver_endpoint)
    };
    let mut sent = sdk_options(&want.dns_options.clone().unwrap_or_default());
    if is_on(&live.spec) && !is_on(want) {
        sent.private_dns_only_for_inbound_resolver_endpoint = Some(false);
    }
    sent
}

fn sdk_options(options: &DnsOptions) -> DnsOptionsSpecification {
    DnsOptionsSpecification::builder()
        .set_dns_record_ip_type(options.dns_record_ip_type.as_deref().map(Into::into))
        .set_private_dns_only_for_inbound_resolver_endpoint(
            options.private_dns_only_for_inbound_resolver_endpoint.then_some(true),
        )
        .set_private_dns_preference(options.private_dns_preference.clone())
        .set_private_dns_specified_domains(some(&options.private_dns_specified_domains))
        .build()
}
