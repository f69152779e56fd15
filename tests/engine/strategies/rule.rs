//! What has to come out, apart from the program: CloudFormation's lists of what can be updated in place, and what AWS
//! Batch's guide adds to them for instances, roles and types (aws-semantics §2.1).

use std::collections::BTreeSet;

use serde_json::Value;

use super::environments::{Context, SERVICE_LINKED};

/// Between these an infrastructure update may move.
const UPDATABLE: [&str; 3] =
    ["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"];

/// What a change to one field amounts to.
pub fn of_field(field: &str, context: &Context) -> &'static str {
    let with_service_linked = context.role != "custom role";
    let instances = matches!(context.launches, "EC2" | "SPOT");
    let allowed = !instances || with_service_linked && UPDATABLE.contains(&context.allocation);
    of_fields(&BTreeSet::from([field.to_owned()]), allowed)
}

/// What it takes to make one environment of another.
pub fn of_transition(live: &Value, want: &Value) -> &'static str {
    let mut changed = BTreeSet::new();
    differences(live, want, "", &mut changed);
    let roles = [role(live), role(want)];
    if roles == [Role::ServiceLinked; 2] {
        changed.remove("serviceRole");
    }
    let types = [of(live, "type"), of(want, "type")];
    let both = |allowed: &[&str], of: [&str; 2]| of.iter().all(|one| allowed.contains(one));
    if types[0] != types[1] && !both(&["EC2", "SPOT"], types)
        || (roles[0] == Role::Own) != (roles[1] == Role::Own)
    {
        return "blue/green";
    }
    let allocations = [of(live, "allocationStrategy"), of(want, "allocationStrategy")];
    let instances = both(&["EC2", "SPOT"], types);
    of_fields(&changed, !instances || !roles.contains(&Role::Own) && both(&UPDATABLE, allocations))
}

/// `allowed`: whether an infrastructure update is.
fn of_fields(fields: &BTreeSet<String>, allowed: bool) -> &'static str {
    let never = ["computeResources.desiredvCpus", "computeResources.updateToLatestImageVersion"];
    let compared: Vec<&String> = fields.iter().filter(|field| !never.contains(&field.as_str())).collect();
    let any = |of: &dyn Fn(&str) -> bool| compared.iter().any(|field| of(field));
    if compared.is_empty() {
        "never compared"
    } else if any(&|field| listed(field, "createOnly")) {
        "blue/green"
    } else if any(&|field| listed(field, "conditionalCreateOnly")) {
        if allowed { "infrastructure update" } else { "blue/green" }
    } else if any(&|field| {
        ["state", "computeResources.minvCpus", "computeResources.maxvCpus"].contains(&field)
    }) {
        "scale"
    } else {
        "in place"
    }
}

/// Whether a field, or one that it is in, is in one of CloudFormation's lists.
fn listed(field: &str, list: &str) -> bool {
    let data: Value = serde_json::from_str(include_str!("../../data/cfn_batch_updates.json")).unwrap();
    let properties = data["types"]["AWS::Batch::ComputeEnvironment"][list].as_array().unwrap();
    properties.iter().map(|property| property.as_str().unwrap()).any(|property| {
        let of_field = capitalised(field);
        of_field.strip_prefix(property).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// `computeResources.ec2Configuration[0].imageType` as CloudFormation writes it.
fn capitalised(field: &str) -> String {
    let part = |part: &str| {
        let part = part.split('[').next().unwrap_or_default();
        part[..1].to_uppercase() + &part[1..]
    };
    field.split('.').map(part).collect::<Vec<_>>().join("/")
}

/// The paths of the leaves in which two documents differ; lists are leaves.
fn differences(one: &Value, other: &Value, path: &str, found: &mut BTreeSet<String>) {
    let fields = |value: &Value| value.as_object().map(|o| o.keys().cloned().collect::<BTreeSet<_>>());
    match (fields(one), fields(other)) {
        (None, None) if one == other => {}
        (None, None) => drop(found.insert(path.to_owned())),
        (one_has, other_has) => {
            for name in one_has.into_iter().chain(other_has).flatten().collect::<BTreeSet<_>>() {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let field = |value: &Value| value.get(&name).cloned().unwrap_or_default();
                differences(&field(one), &field(other), &path, found);
            }
        }
    }
}

fn of<'a>(spec: &'a Value, field: &str) -> &'a str {
    spec["computeResources"][field].as_str().unwrap_or_default()
}

/// Whose role it works with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    ServiceLinked,
    /// Service-linked once it is known: until then it is another text.
    Reference,
    Own,
}

fn role(spec: &Value) -> Role {
    match spec["serviceRole"].as_str() {
        None | Some("AWSServiceRoleForBatch" | SERVICE_LINKED) => Role::ServiceLinked,
        Some(text) if text.starts_with("${iam/ServiceLinkedRole/") => Role::Reference,
        Some(_) => Role::Own,
    }
}
