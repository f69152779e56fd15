//! What AWS says of permissions, none of it ours: its service authorization reference (tests/data/service_authorization.json, which
//! authorization.py writes), what CloudFormation's handlers need (tests/data/cfn_permissions.json), and where neither knows, the
//! tables of `asked.rs`, a source a row.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;

use super::asked::OPERATIONS;

static REFERENCE: LazyLock<Value> = LazyLock::new(|| data("service_authorization.json"));

static HANDLERS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let data = data("cfn_permissions.json");
    let types = data["types"].as_object().unwrap().values();
    types.flat_map(|it| it.as_array().unwrap()).map(|it| it.as_str().unwrap().to_lowercase()).collect()
});

fn data(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Whether a handler of CloudFormation's needs an action.
pub fn a_handler_needs(action: &str) -> bool {
    HANDLERS.contains(&action.to_lowercase())
}

/// What the reference says of an action; nothing, if it does not know it.
pub fn action(name: &str) -> Option<&'static Value> {
    let (service, action) = name.split_once(':')?;
    REFERENCE["services"][service]["actions"].get(action)
}

fn list<'a>(of: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    of[key].as_array().into_iter().flatten().map(|it| it.as_str().unwrap())
}

/// The types of resources that an action needs to be allowed on.
pub fn required(name: &str) -> Vec<&'static str> {
    action(name).map(|it| list(it, "required").collect()).unwrap_or_default()
}

/// All types of resources that an action knows.
pub fn types(name: &str) -> Vec<&'static str> {
    let Some(action) = action(name) else { return Vec::new() };
    list(action, "required").chain(list(action, "optional")).collect()
}

/// The actions that an action needs beside itself.
pub fn also(name: &str) -> impl Iterator<Item = &'static str> {
    action(name).into_iter().flat_map(|it| list(it, "also"))
}

/// The form of a type's ARNs, with `${…}` for what differs.
pub fn form(of: &str, service: &str) -> &'static str {
    let form = &REFERENCE["services"][service]["resources"][of];
    form.as_str().unwrap_or_else(|| panic!("the reference has no form of {service}'s {of}"))
}

/// Whether an action can be conditioned by a key, on a type of resource.
pub fn knows_key(name: &str, of: &str, key: &str) -> bool {
    // The keys of tags stand there once for all tags.
    let key = match key.split_once('/') {
        Some((kind, _)) if kind.starts_with("aws:") => format!("{kind}/${{TagKey}}"),
        _ => key.to_owned(),
    };
    let by_tag = name.split_once(':').map(|(service, _)| &REFERENCE["services"][service]["by_tag"]);
    if key == "aws:ResourceTag/${TagKey}"
        && by_tag.and_then(Value::as_array).is_some_and(|it| it.iter().any(|it| it == of))
    {
        return types(name).contains(&of);
    }
    let keys = &action(name).unwrap_or(&Value::Null)["keys"];
    ["", of].iter().any(|of| list(keys, of).any(|it| it == key))
}

/// The actions that an operation is allowed by; nothing, if nobody knows it.
pub fn actions_of(service: &str, operation: &str) -> Option<Vec<String>> {
    // The tagging API signs as another service than it is called in policies.
    let service = if service == "tagging" { "tag" } else { service };
    if let Some((_, actions, _)) = OPERATIONS.iter().find(|(it, ..)| *it == format!("{service}:{operation}"))
    {
        return Some(actions.iter().map(|it| (*it).to_owned()).collect());
    }
    let known = REFERENCE["services"][service]["actions"].as_object()?;
    if known.contains_key(operation) {
        return Some(vec![format!("{service}:{operation}")]);
    }
    let explained = known.iter().filter(|(_, it)| it["operation"] == operation);
    let found: Vec<String> = explained.map(|(name, _)| format!("{service}:{name}")).collect();
    let own = format!("{service}:{operation}");
    match found.is_empty() {
        true => a_handler_needs(&own).then(|| vec![own]),
        false => Some(found),
    }
}

#[test]
fn the_reference_is_read_as_it_is_meant() {
    assert_eq!(actions_of("s3", "PutBucketEncryption").unwrap(), ["s3:PutEncryptionConfiguration"]);
    assert_eq!(actions_of("batch", "SubmitJob").unwrap(), ["batch:SubmitJob"]);
    assert_eq!(actions_of("tagging", "GetResources").unwrap(), ["tag:GetResources"]);
    assert_eq!(actions_of("batch", "MakeCoffee"), None);
    assert_eq!(required("ec2:EnableVgwRoutePropagation"), ["route-table", "vpn-gateway"]);
    assert!(knows_key("ec2:CreateVpc", "vpc", "aws:RequestTag/batchwright:owner"));
    assert!(!knows_key("ec2:CreateVpc", "vpc", "aws:ResourceTag/batchwright:owner"));
    assert!(a_handler_needs("batch:SetCapacityTags") && !a_handler_needs("batch:MakeCoffee"));
}
