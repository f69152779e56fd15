//! The reads of EC2: one paged call for each kind, then the DNS attributes of our VPCs.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    Filter, FlowLog, InternetGateway, RouteTable, SecurityGroup, Subnet, Vpc, VpcAttributeName, VpcEndpoint,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{Dns, Snapshot, filter_by, gateways, placement, tags, templates};
use crate::resource::OWNER_TAG;
use crate::services::{AT_ONCE, Result, Scope, failed};

/// EC2 limits listings that name neither a page size nor a filter more strictly (aws-semantics §1.5).
pub(super) const PAGE: i32 = 1000;
/// DescribeRouteTables takes no more.
const ROUTE_TABLES_PAGE: i32 = 100;

/// Reads whatever kind the scope wants, all at once.
pub(super) async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
    let networks = async {
        futures::try_join!(
            vpcs_and_dns(client, scope),
            subnets(client, scope),
            internet_gateways(client, scope),
            route_tables(client, scope),
            security_groups(client, scope),
            vpc_endpoints(client, scope),
        )
    };
    let (networks, addresses, nat_gateways, flow_logs, placement_groups, templates) = futures::try_join!(
        networks,
        gateways::addresses(client, scope),
        gateways::nat_gateways(client, scope),
        flow_logs(client, scope),
        placement::groups(client, scope),
        templates::read(client, scope),
    )?;
    let ((vpcs, dns), subnets, internet_gateways, route_tables, security_groups, vpc_endpoints) = networks;
    let (launch_templates, launch_template_versions) = templates;
    Ok(Snapshot {
        vpcs,
        dns,
        subnets,
        internet_gateways,
        route_tables,
        security_groups,
        vpc_endpoints,
        addresses,
        nat_gateways,
        flow_logs,
        placement_groups,
        launch_templates,
        launch_template_versions,
    })
}

/// Which resources of a kind a call is to list: `None` for no call at all, no filter for everything.
///
/// A poll asks by filter, never by ids: an id that is not there is then an empty answer and not an error.
pub(super) fn wanted(scope: &Scope, kind: &str, filter: &str, prefix: &str) -> Option<Vec<Filter>> {
    if !scope.wants(kind) {
        return None;
    }
    if scope.kind.is_some() {
        return Some(vec![filter_by(&format!("tag:{OWNER_TAG}"), vec![scope.owner.0.clone()])]);
    }
    let ids: Vec<String> = scope.names(kind).map(str::to_owned).collect();
    if !scope.only || ids.iter().any(|id| !id.starts_with(prefix)) {
        return Some(Vec::new());
    }
    Some(vec![filter_by(filter, ids)])
}

/// Whether anything of a kind may be there that concerns us: declared, looked for, or found by the tag search. Other kinds are listed whatever
/// is declared; a stack without this one is not to pay for it.
pub(super) async fn matters(scope: &Scope, kind: &str, arns: &str) -> Result<bool> {
    let named = scope.names(kind).next().is_some() || scope.looked_up.contains_key(kind);
    if scope.only || scope.kind.is_some() || named {
        return Ok(scope.wants(kind));
    }
    Ok(!scope.swept(&scope.place.arn("ec2", arns)).await?.is_empty())
}

pub(super) fn by_id<T>(items: Vec<T>, id: impl Fn(&T) -> Option<&str>) -> BTreeMap<String, T> {
    items.into_iter().filter_map(|item| Some((id(&item)?.to_owned(), item))).collect()
}

async fn vpcs_and_dns(
    client: &Client,
    scope: &Scope,
) -> Result<(BTreeMap<String, Vpc>, BTreeMap<String, Dns>)> {
    let mut vpcs = vpcs(client, scope).await?;
    // Who looks at the kind asks only whether there is one.
    let looked_up = scope.looked_up.get("ec2/Vpc");
    let by_dns = looked_up.is_some_and(|fields| fields.iter().any(|field| field.starts_with("enableDns")));
    let ours: Vec<String> = vpcs
        .iter()
        .filter(|_| scope.kind.is_none())
        .filter(|(id, vpc)| {
            by_dns
                || tags(vpc.tags()).get(OWNER_TAG) == Some(&scope.owner.0)
                || scope.names("ec2/Vpc").any(|name| name == id.as_str())
        })
        .map(|(id, _)| id.clone())
        .collect();
    let found: Vec<(String, Option<Dns>)> = stream::iter(ours)
        .map(|id| async move {
            let dns = dns(client, &id).await?;
            Ok::<_, crate::services::Error>((id, dns))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let mut all = BTreeMap::new();
    for (id, dns) in found {
        match dns {
            Some(dns) => {
                all.insert(id, dns);
            }
            None => {
                vpcs.remove(&id);
            }
        }
    }
    Ok((vpcs, all))
}

async fn vpcs(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Vpc>> {
    let Some(filters) = wanted(scope, "ec2/Vpc", "vpc-id", "vpc-") else { return Ok(BTreeMap::new()) };
    let call = client.describe_vpcs().set_filters(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    Ok(by_id(items.map_err(failed)?, Vpc::vpc_id))
}

/// The DNS attributes of a VPC; `None` if it has gone since it was listed, or is too young to be seen everywhere.
async fn dns(client: &Client, id: &str) -> Result<Option<Dns>> {
    let ask = |attribute: VpcAttributeName| async move {
        let call = client.describe_vpc_attribute().vpc_id(id).attribute(attribute);
        match call.send().await.map_err(failed) {
            Err(error) if error.is("InvalidVpcID.NotFound") => Ok(None),
            answer => answer.map(Some),
        }
    };
    let (support, hostnames) = futures::try_join!(
        ask(VpcAttributeName::EnableDnsSupport),
        ask(VpcAttributeName::EnableDnsHostnames)
    )?;
    Ok(support.zip(hostnames).map(|(support, hostnames)| Dns {
        support: support.enable_dns_support().and_then(|a| a.value()).unwrap_or_default(),
        hostnames: hostnames.enable_dns_hostnames().and_then(|a| a.value()).unwrap_or_default(),
    }))
}

async fn subnets(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Subnet>> {
    let Some(filters) = wanted(scope, "ec2/Subnet", "subnet-id", "subnet-") else {
        return Ok(BTreeMap::new());
    };
    let call = client.describe_subnets().set_filters(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    Ok(by_id(items.map_err(failed)?, Subnet::subnet_id))
}

async fn internet_gateways(client: &Client, scope: &Scope) -> Result<BTreeMap<String, InternetGateway>> {
    let Some(filters) = wanted(scope, "ec2/InternetGateway", "internet-gateway-id", "igw-") else {
        return Ok(BTreeMap::new());
    };
    let call = client.describe_internet_gateways().set_filters(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    let items = items.map_err(failed)?;
    Ok(by_id(items, InternetGateway::internet_gateway_id))
}

async fn route_tables(client: &Client, scope: &Scope) -> Result<BTreeMap<String, RouteTable>> {
    let mut found = BTreeMap::new();
    let asked = wanted(scope, "ec2/RouteTable", "route-table-id", "rtb-");
    let main = beside_vpcs(scope, filter_by("association.main", vec!["true".to_owned()]));
    for filters in asked.into_iter().chain(main) {
        let call = client.describe_route_tables().set_filters(Some(filters)).max_results(ROUTE_TABLES_PAGE);
        let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
        let items = items.map_err(failed)?;
        found.extend(by_id(items, RouteTable::route_table_id));
    }
    Ok(found)
}

async fn security_groups(client: &Client, scope: &Scope) -> Result<BTreeMap<String, SecurityGroup>> {
    let mut found = BTreeMap::new();
    let asked = wanted(scope, "ec2/SecurityGroup", "group-id", "sg-");
    let default = beside_vpcs(scope, filter_by("group-name", vec!["default".to_owned()]));
    for filters in asked.into_iter().chain(default) {
        let call = client.describe_security_groups().set_filters(Some(filters)).max_results(PAGE);
        let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
        let items = items.map_err(failed)?;
        found.extend(by_id(items, SecurityGroup::group_id));
    }
    Ok(found)
}

/// A VPC's outputs name its main route table and default group: a poll for VPCs reads those as well.
fn beside_vpcs(scope: &Scope, which: Filter) -> Option<Vec<Filter>> {
    let vpcs: Vec<String> = scope.names("ec2/Vpc").map(str::to_owned).collect();
    (scope.only && !vpcs.is_empty()).then(|| vec![filter_by("vpc-id", vpcs), which])
}

async fn flow_logs(client: &Client, scope: &Scope) -> Result<Vec<FlowLog>> {
    const KIND: &str = "ec2/FlowLog";
    if !matters(scope, KIND, "vpc-flow-log/").await? {
        return Ok(Vec::new());
    }
    let Some(filters) = wanted(scope, KIND, "flow-log-id", "fl-") else { return Ok(Vec::new()) };
    let call = client.describe_flow_logs().set_filter(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    items.map_err(failed)
}

async fn vpc_endpoints(client: &Client, scope: &Scope) -> Result<BTreeMap<String, VpcEndpoint>> {
    let Some(filters) = wanted(scope, "ec2/VpcEndpoint", "vpc-endpoint-id", "vpce-") else {
        return Ok(BTreeMap::new());
    };
    let call = client.describe_vpc_endpoints().set_filters(Some(filters)).max_results(PAGE);
    let items = call.into_paginator().items().send().collect::<std::result::Result<Vec<_>, _>>().await;
    Ok(by_id(items.map_err(failed)?, VpcEndpoint::vpc_endpoint_id))
}
