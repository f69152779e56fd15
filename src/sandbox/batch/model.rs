//! What Batch's service model says of values that no other check looks at, wherever in a request they stand: choices, lengths,
//! how many tags. AWS's words for these refusals are not in public text.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_Types.html>

use aws_sdk_batch::types as sdk;
use serde_json::Value;

use super::error::{Result, invalid};
use super::request::Object;

/// The member around it, the member, and what it may be.
const CHOICES: &[(&str, &str, &[&str])] = &[
    ("accessEntry", "desiredState", sdk::EksAccessEntryDesiredState::values()),
    ("authorizationConfig", "iam", sdk::EfsAuthorizationConfigIam::values()),
    ("devices", "permissions", sdk::DeviceCgroupPermission::values()),
    ("ecsSettings", "containerInsights", sdk::ContainerInsights::values()),
    ("efsVolumeConfiguration", "transitEncryption", sdk::EfsTransitEncryption::values()),
    ("firelensConfiguration", "type", sdk::FirelensConfigurationType::values()),
    ("launchTemplate", "userdataType", sdk::UserdataType::values()),
    ("logConfiguration", "logDriver", sdk::LogDriver::values()),
    ("networkConfiguration", "assignPublicIp", sdk::AssignPublicIp::values()),
    ("overrides", "userdataType", sdk::UserdataType::values()),
];

/// The same with the least and the most characters.
const LENGTHS: &[(&str, &str, usize, usize)] = &[
    ("ec2Configuration", "imageIdOverride", 1, 256),
    ("ec2Configuration", "imageKubernetesVersion", 1, 256),
    ("ec2Configuration", "imageType", 1, 256),
    ("emptyDir", "sizeLimit", 1, 256),
];

/// Checks a whole request.
pub(super) fn check(request: &Object) -> Result<()> {
    request.iter().try_for_each(|(name, value)| within(name, value))
}

fn within(around: &str, value: &Value) -> Result<()> {
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| within(around, item)),
        Value::Object(members) => members.iter().try_for_each(|(field, value)| {
            if field == "capacityTags" {
                return tags(value);
            }
            let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            texts.iter().filter_map(Value::as_str).try_for_each(|text| of_text(around, field, text))?;
            within(field, value)
        }),
        _ => Ok(()),
    }
}

fn of_text(around: &str, field: &str, value: &str) -> Result<()> {
    let here = |of: &str, name: &str| of == around && name == field;
    let choice = CHOICES.iter().find(|(of, name, _)| here(of, name));
    if let Some((.., allowed)) = choice.filter(|(.., allowed)| !allowed.contains(&value)) {
        invalid!("{field} {value} is not valid. Valid values: [{}]", allowed.join(", "));
    }
    let length = LENGTHS.iter().find(|(of, name, ..)| here(of, name));
    if let Some((.., least, most)) = length
        && !(*least..=*most).contains(&value.chars().count())
    {
        invalid!("{field} must have between {least} and {most} characters.");
    }
    Ok(())
}

/// API_ComputeResource, `capacityTags`.
fn tags(tags: &Value) -> Result<()> {
    let tags = tags.as_object().into_iter().flatten();
    if tags.clone().count() > 50 {
        invalid!("capacityTags can hold at most 50 entries.");
    }
    for (key, value) in tags {
        let value = value.as_str().unwrap_or_default();
        if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
            invalid!("Keys of capacityTags have 1 to 128 characters, values up to 256: {key}.");
        }
    }
    Ok(())
}
