//! Tags: each kind of entity has calls of its own.

use aws_sdk_iam::Client;

use super::super::{Error, Result, Target, failed};
use crate::resource::Tags;

/// Sets and removes tags: of roles and instance profiles by name, of all else by ARN.
pub(super) async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
    let keys = || Some(unset.to_vec());
    let arn = target.arn.unwrap_or(target.physical);
    if !set.is_empty() {
        let tags = Some(super::tags(set)?);
        match target.kind {
            "iam/Policy" => {
                let call = client.tag_policy().policy_arn(arn).set_tags(tags);
                call.send().await.map_err(failed)?;
            }
            "iam/OidcProvider" => {
                let call = client.tag_open_id_connect_provider().open_id_connect_provider_arn(arn);
                call.set_tags(tags).send().await.map_err(failed)?;
            }
            "iam/InstanceProfile" => {
                let call = client.tag_instance_profile().instance_profile_name(target.physical);
                call.set_tags(tags).send().await.map_err(failed)?;
            }
            "iam/Role" | "iam/ServiceLinkedRole" => {
                let call = client.tag_role().role_name(role_of(target)).set_tags(tags);
                call.send().await.map_err(failed)?;
            }
            kind => return Err(unknown(kind)),
        }
    }
    if unset.is_empty() {
        return Ok(());
    }
    match target.kind {
        "iam/Policy" => {
            let call = client.untag_policy().policy_arn(arn).set_tag_keys(keys());
            call.send().await.map_err(failed)?;
        }
        "iam/OidcProvider" => {
            let call = client.untag_open_id_connect_provider().open_id_connect_provider_arn(arn);
            call.set_tag_keys(keys()).send().await.map_err(failed)?;
        }
        "iam/InstanceProfile" => {
            let call = client.untag_instance_profile().instance_profile_name(target.physical);
            call.set_tag_keys(keys()).send().await.map_err(failed)?;
        }
        "iam/Role" | "iam/ServiceLinkedRole" => {
            let call = client.untag_role().role_name(role_of(target)).set_tag_keys(keys());
            call.send().await.map_err(failed)?;
        }
        kind => return Err(unknown(kind)),
    }
    Ok(())
}

/// The name at the end of a role's ARN: a service-linked role goes by its service's name where AWS's is not known.
fn role_of<'a>(target: Target<'a>) -> &'a str {
    target.arn.and_then(|arn| arn.rsplit('/').next()).unwrap_or(target.physical)
}

fn unknown(kind: &str) -> Error {
    Error::malformed("iam", "Tag", format!("there is no call that tags a {kind}"))
}
