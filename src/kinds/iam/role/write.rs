//! The calls that change a role.

use super::{InlinePolicy, MOST_ATTACHED, MOST_INLINE, Role, Spec, document};
use crate::kind::prelude::*;

/// One pass over what differs; each call is idempotent, and any may be the last.
pub(super) async fn update(cx: &Cx<'_, Role>, live: &Spec, want: &Spec, diff: &Diff) -> Result<()> {
    if diff.touches("assumeRolePolicyDocument") {
        let call = cx.client.update_assume_role_policy().role_name(cx.name);
        let call = call.policy_document(want.assume_role_policy_document.text());
        call.send().await.map_err(failed)?;
    }
    describe(cx, live, want, diff).await?;
    // The boundary comes before the policies: what they newly grant is limited from the first moment.
    if diff.touches("permissionsBoundary") {
        bound(cx, want).await?;
    }
    if diff.touches("policies") {
        inline(cx, live, want, diff).await?;
    }
    if diff.touches("managedPolicyArns") {
        attachments(cx, live, want).await?;
    }
    Ok(())
}

/// UpdateRole resets the session's length if it is not told one: each field is sent, as wanted or as it is.
async fn describe(cx: &Cx<'_, Role>, live: &Spec, want: &Spec, diff: &Diff) -> Result<()> {
    let (described, lasting) = (diff.touches("description"), diff.touches("maxSessionDuration"));
    if !described && !lasting {
        return Ok(());
    }
    let description = if described { want } else { live }.description.clone().unwrap_or_default();
    let seconds = if lasting { want } else { live }.max_session_duration;
    let call = cx.client.update_role().role_name(cx.name);
    let call = call.description(description).max_session_duration(seconds);
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn bound(cx: &Cx<'_, Role>, want: &Spec) -> Result<()> {
    match &want.permissions_boundary {
        Some(arn) => {
            let call = cx.client.put_role_permissions_boundary().role_name(cx.name);
            let call = call.permissions_boundary(arn);
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_role_permissions_boundary().role_name(cx.name);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

/// New policies come before old ones go, so that nothing is forbidden in between; unless both do not fit.
async fn inline(cx: &Cx<'_, Role>, live: &Spec, want: &Spec, diff: &Diff) -> Result<()> {
    let wanted = |name: &str| want.policies.iter().any(|policy| policy.policy_name == name);
    let extra: Vec<&InlinePolicy> = live.policies.iter().filter(|p| !wanted(&p.policy_name)).collect();
    let differs = |policy: &&InlinePolicy| diff_names(diff, live, &policy.policy_name);
    let size = |policies: &[&InlinePolicy]| -> usize {
        policies.iter().filter_map(|policy| document::size(&policy.policy_document)).sum()
    };
    let all: Vec<&InlinePolicy> = want.policies.iter().chain(extra.iter().copied()).collect();
    let first = size(&all) > MOST_INLINE;
    if first {
        remove_all(cx, &extra).await?;
    }
    for policy in want.policies.iter().filter(differs) {
        put(cx, policy).await?;
    }
    if !first {
        remove_all(cx, &extra).await?;
    }
    Ok(())
}

/// Whether an inline policy of this name differs, or the whole list does (it is new, or has one name twice).
fn diff_names(diff: &Diff, live: &Spec, name: &str) -> bool {
    let whole = diff.0.iter().any(|change| change.path == "policies");
    let there = live.policies.iter().any(|policy| policy.policy_name == name);
    whole || !there || diff.touches(&format!("policies[{name}]"))
}

async fn remove_all(cx: &Cx<'_, Role>, policies: &[&InlinePolicy]) -> Result<()> {
    for policy in policies {
        remove(cx, &policy.policy_name).await?;
    }
    Ok(())
}

async fn attachments(cx: &Cx<'_, Role>, live: &Spec, want: &Spec) -> Result<()> {
    let beyond = |these: &Spec, those: &Spec| -> Vec<String> {
        let those = &those.managed_policy_arns;
        these.managed_policy_arns.iter().filter(|arn| !those.contains(arn)).cloned().collect()
    };
    let (missing, extra) = (beyond(want, live), beyond(live, want));
    let first = live.managed_policy_arns.len() + missing.len() > MOST_ATTACHED;
    if first {
        detach_all(cx, &extra).await?;
    }
    for arn in &missing {
        attach(cx, arn).await?;
    }
    if !first {
        detach_all(cx, &extra).await?;
    }
    Ok(())
}

async fn detach_all(cx: &Cx<'_, Role>, arns: &[String]) -> Result<()> {
    for arn in arns {
        detach(cx, arn).await?;
    }
    Ok(())
}

/// Writes an inline policy.
pub(super) async fn put(cx: &Cx<'_, Role>, policy: &InlinePolicy) -> Result<()> {
    let call = cx.client.put_role_policy().role_name(cx.name).policy_name(&policy.policy_name);
    let call = call.policy_document(policy.policy_document.text());
    call.send().await.map_err(failed)?;
    Ok(())
}

/// Removes an inline policy.
pub(super) async fn remove(cx: &Cx<'_, Role>, name: &str) -> Result<()> {
    let call = cx.client.delete_role_policy().role_name(cx.name).policy_name(name);
    call.send().await.map_err(failed)?;
    Ok(())
}

/// Attaches a managed policy.
pub(super) async fn attach(cx: &Cx<'_, Role>, arn: &str) -> Result<()> {
    let call = cx.client.attach_role_policy().role_name(cx.name).policy_arn(arn);
    call.send().await.map_err(failed)?;
    Ok(())
}

/// Detaches a managed policy.
pub(super) async fn detach(cx: &Cx<'_, Role>, arn: &str) -> Result<()> {
    let call = cx.client.detach_role_policy().role_name(cx.name).policy_arn(arn);
    call.send().await.map_err(failed)?;
    Ok(())
}
