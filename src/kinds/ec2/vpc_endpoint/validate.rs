//! What AWS would refuse of an endpoint, told before it is asked.

use super::{Spec, everything};
use crate::kind::prelude::*;
use crate::kinds::iam::types::document::{self, Attached};
use crate::value::policy;

/// What is wrong with an endpoint.
pub(super) fn check(spec: &Spec, place: &Place) -> Vec<Invalid> {
    let kind = spec.vpc_endpoint_type.as_str();
    let mut wrong = Vec::new();
    document::check("policyDocument", &spec.policy_document, Attached::Endpoint, &mut wrong);
    if kind.contains("${") {
        return wrong;
    }
    let mut only = |wanted: &str, path: &str, said: bool| {
        if said && kind != wanted {
            let message =
                format!("only endpoints of type {wanted} have it, and this one is of type {kind}: remove it");
            wrong.push(Invalid::new(path, message));
        }
    };
    only("Gateway", "routeTableIds", !spec.route_table_ids.is_empty());
    let elsewhere = spec.service_region.as_ref().is_some_and(|region| *region != place.region);
    only("Interface", "serviceRegion", elsewhere);
    only("Resource", "resourceConfigurationArn", spec.resource_configuration_arn.is_some());
    only("ServiceNetwork", "serviceNetworkArn", spec.service_network_arn.is_some());
    if matches!(kind, "Resource" | "ServiceNetwork") && spec.service_name.is_some() {
        let message = format!(
            "an endpoint of type {kind} leads to no service by name: remove it, or change vpcEndpointType"
        );
        wrong.push(Invalid::new("serviceName", message));
    }
    if kind == "GatewayLoadBalancer" {
        let why = "an endpoint of type GatewayLoadBalancer has none: remove it";
        for (path, said) in [
            ("policyDocument", !policy::same(&spec.policy_document.0, &everything().0)),
            ("securityGroupIds", !spec.security_group_ids.is_empty()),
            ("privateDnsEnabled", spec.private_dns_enabled),
        ] {
            if said {
                wrong.push(Invalid::new(path, why));
            }
        }
    }
    if kind == "Gateway" {
        let why = "an endpoint of type Gateway has no network interfaces: remove it, or set vpcEndpointType to Interface";
        for (path, said) in [
            ("subnetIds", !spec.subnet_ids.is_empty()),
            ("securityGroupIds", !spec.security_group_ids.is_empty()),
            ("privateDnsEnabled", spec.private_dns_enabled),
        ] {
            if said {
                wrong.push(Invalid::new(path, why));
            }
        }
    }
    let (path, target) = match kind {
        "Resource" => ("resourceConfigurationArn", &spec.resource_configuration_arn),
        "ServiceNetwork" => ("serviceNetworkArn", &spec.service_network_arn),
        _ => ("serviceName", &spec.service_name),
    };
    if target.is_none() {
        wrong.push(Invalid::new(path, format!("an endpoint of type {kind} leads to one: add it")));
    }
    wrong.extend(of_no_service(spec, place));
    wrong.extend(private_names(spec));
    wrong.extend(of_another_region(spec, place));
    if kind == "GatewayLoadBalancer" && spec.subnet_ids.len() > 1 {
        wrong.push(Invalid::new(
            "subnetIds",
            "an endpoint of type GatewayLoadBalancer stands in one subnet: keep one",
        ));
    }
    if let Some(options) = &spec.dns_options
        && options.private_dns_only_for_inbound_resolver_endpoint
        && !spec.private_dns_enabled
    {
        wrong.push(Invalid::new(
            "dnsOptions.privateDnsOnlyForInboundResolverEndpoint",
            "it narrows private names: set privateDnsEnabled to true as well",
        ));
    }
    wrong
}

/// EC2's `DnsOptionsSpecification`, and the registry's schema of AWS::EC2::VPCEndpoint.
const PREFERENCES: &[&str] = &[
    "VERIFIED_DOMAINS_ONLY",
    "ALL_DOMAINS",
    "VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS",
    "SPECIFIED_DOMAINS_ONLY",
];
const MOST_DOMAINS: usize = 10;

fn domains_of(domains: &[String]) -> Vec<Invalid> {
    const PATH: &str = "dnsOptions.privateDnsSpecifiedDomains";
    let mut wrong = Vec::new();
    if domains.len() > MOST_DOMAINS {
        let message = format!("has {} domains: AWS takes up to {MOST_DOMAINS}", domains.len());
        wrong.push(Invalid::new(PATH, message));
    }
    for (index, domain) in domains.iter().enumerate().filter(|(_, it)| it.is_empty() || it.len() > 255) {
        let message = format!("has {} characters: AWS takes 1 to 255", domain.len());
        wrong.push(Invalid::new(format!("{PATH}[{index}]"), message));
    }
    wrong
}

/// Which private names are used is asked of two types only, and which ones by name of two preferences only.
fn private_names(spec: &Spec) -> Vec<Invalid> {
    let Some(options) = &spec.dns_options else { return Vec::new() };
    let kind = spec.vpc_endpoint_type.as_str();
    let preference = options.private_dns_preference.as_deref();
    let domains = !options.private_dns_specified_domains.is_empty();
    let mut wrong = domains_of(&options.private_dns_specified_domains);
    if let Some(unknown) = preference.filter(|text| !text.contains("${") && !PREFERENCES.contains(text)) {
        let message = format!("is {unknown:?}: expected one of {}", PREFERENCES.join(", "));
        wrong.push(Invalid::new("dnsOptions.privateDnsPreference", message));
    }
    if !matches!(kind, "Resource" | "ServiceNetwork") {
        let why = format!(
            "an endpoint of type {kind} has it not, only Resource and ServiceNetwork have: remove it"
        );
        for (field, said) in
            [("privateDnsPreference", preference.is_some()), ("privateDnsSpecifiedDomains", domains)]
        {
            if said {
                wrong.push(Invalid::new(format!("dnsOptions.{field}"), why.clone()));
            }
        }
    } else if domains
        && preference.is_none_or(|text| !text.contains("SPECIFIED_DOMAINS") && !text.contains("${"))
    {
        wrong.push(Invalid::new(
            "dnsOptions.privateDnsSpecifiedDomains",
            "they count only with privateDnsPreference VERIFIED_DOMAINS_AND_SPECIFIED_DOMAINS or SPECIFIED_DOMAINS_ONLY: set it, or remove them",
        ));
    }
    wrong
}

/// How names of services begin: <https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html>, in China
/// (`cn.com.amazonaws.`) and in partitions with domains of their own.
const SERVICES: &[&str] = &["com.amazonaws.", "cn.com.amazonaws.", "aws.", "eu.", "gov.", "uk."];

/// The services that routes lead to: <https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html>, and
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-networking.html>.
const BY_ROUTES: &[&str] = &["s3", "dynamodb", "s3express"];

/// A name that is none of a service, or of one that has no endpoints of this type.
fn of_no_service(spec: &Spec, place: &Place) -> Option<Invalid> {
    let name = spec.service_name.as_deref().filter(|name| !name.contains("${"))?;
    let message = if !SERVICES.iter().any(|begin| name.starts_with(begin)) {
        let region = if place.region.is_empty() { "eu-west-1" } else { &place.region };
        format!("is {name:?}, and no service is called so: expected a name such as com.amazonaws.{region}.s3")
    } else if spec.vpc_endpoint_type == "Gateway"
        && !BY_ROUTES.iter().any(|it| name.ends_with(&format!(".{it}")))
    {
        format!("is {name}, which has no endpoints of type Gateway: set vpcEndpointType to Interface")
    } else {
        return None;
    };
    Some(Invalid::new("serviceName", message))
}

/// A service's name holds its region: that of another one is found only where `serviceRegion` says so.
fn of_another_region(spec: &Spec, place: &Place) -> Option<Invalid> {
    let name = spec.service_name.as_deref().filter(|name| !name.contains("${"))?;
    let rest = name.strip_prefix("cn.").unwrap_or(name).strip_prefix("com.amazonaws.")?;
    let region = rest.split('.').next().filter(|part| part.ends_with(|c: char| c.is_ascii_digit()))?;
    let is_region = region.matches('-').count() >= 2;
    let wanted = spec.service_region.as_deref().unwrap_or(&place.region);
    (is_region && region != wanted && !wanted.is_empty() && !wanted.contains("${")).then(|| {
        let message = format!(
            "{name} is a service of {region}, and here is {wanted}: write `${{env.region}}` in its place"
        );
        Invalid::new("serviceName", message)
    })
}
