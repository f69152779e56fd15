//! Single things, asked for by their names: these reads are as fresh as IAM gets.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use aws_sdk_iam::types::{
    self, AttachedPolicy, InstanceProfile, ManagedPolicyDetail, PolicyDetail, PolicyScopeType, PolicyVersion,
    RoleDetail,
};
use futures::future::try_join_all;

use super::super::{Result, Scope, failed, own_tags};
use super::{Policy, Role, Snapshot, if_there, is_of, plain, profiles as instance_profiles};

/// Reads what a poll waits for, and nothing else.
pub(super) async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
    let roles = try_join_all(scope.names("iam/Role").map(|name| role(client, name)));
    let linked = try_join_all(scope.names("iam/ServiceLinkedRole").map(|name| linked(client, name)));
    let policies = try_join_all(scope.names("iam/Policy").map(|name| policy(client, scope, name)));
    let (roles, linked, policies, providers) =
        futures::try_join!(roles, linked, policies, providers(client, scope))?;
    let roles = roles.into_iter().flatten().chain(linked.into_iter().flatten());
    let mut roles = roles.filter_map(|role| Some((role.detail.role_name()?.to_owned(), role))).collect();
    Ok(Snapshot {
        profiles: instance_profiles::read(client, scope, &mut roles).await?,
        roles,
        policies: policies
            .into_iter()
            .flatten()
            .filter_map(|policy| Some((policy.detail.arn()?.to_owned(), policy)))
            .collect(),
        providers,
    })
}

/// The OpenID Connect providers that matter: their ARNs follow from their URLs, so none is searched for.
pub(super) async fn providers(
    client: &Client,
    scope: &Scope,
) -> Result<BTreeMap<String, GetOpenIdConnectProviderOutput>> {
    let prefix = scope.place.iam_arn("oidc-provider/");
    let read = |url: String| {
        let arn = format!("{prefix}{url}");
        async move {
            let call = client.get_open_id_connect_provider().open_id_connect_provider_arn(arn);
            if_there(call.send().await.map_err(failed))
        }
    };
    scope.read_each("iam/OidcProvider", &prefix, read).await
}

async fn role(client: &Client, name: &str) -> Result<Option<Role>> {
    let got = async {
        let got = client.get_role().role_name(name).send().await.map_err(failed)?;
        Ok(got.role)
    };
    // Only GetRole says whether the role exists: just after its creation the lists may not have heard of it yet.
    let (got, attached, inline, profiles) =
        futures::join!(got, attached(client, name), inline(client, name), profiles(client, name));
    let Some(Some(role)) = if_there(got)? else { return Ok(None) };
    let attached = if_there(attached)?.unwrap_or_default();
    let inline = if_there(inline)?.unwrap_or_default();
    let profiles = if_there(profiles)?.unwrap_or_default();
    let types::Role { description, max_session_duration, .. } = role.clone();
    let detail = RoleDetail::builder()
        .path(role.path)
        .role_name(role.role_name)
        .role_id(role.role_id)
        .arn(role.arn)
        .create_date(role.create_date)
        .set_assume_role_policy_document(role.assume_role_policy_document)
        .set_permissions_boundary(role.permissions_boundary)
        .set_tags(role.tags)
        .set_attached_managed_policies(Some(attached))
        .set_role_policy_list(Some(inline))
        .set_instance_profile_list(Some(profiles))
        .build();
    Ok(Some(Role { detail, description, max_session_duration, profiles_elsewhere: BTreeSet::new() }))
}

async fn attached(client: &Client, role: &str) -> Result<Vec<AttachedPolicy>> {
    let pages = client.list_attached_role_policies().role_name(role).into_paginator().items().send();
    pages.try_collect().await.map_err(failed)
}

async fn inline(client: &Client, role: &str) -> Result<Vec<PolicyDetail>> {
    let names = client.list_role_policies().role_name(role).into_paginator().items().send();
    let names: Vec<String> = names.try_collect().await.map_err(failed)?;
    let policies = try_join_all(names.into_iter().map(|name| async move {
        let got = client.get_role_policy().role_name(role).policy_name(&name).send().await;
        let got = if_there(got.map_err(failed))?;
        Ok(got.map(|got| {
            PolicyDetail::builder().policy_name(name).policy_document(got.policy_document).build()
        }))
    }));
    Ok(policies.await?.into_iter().flatten().collect())
}

async fn profiles(client: &Client, role: &str) -> Result<Vec<InstanceProfile>> {
    let pages = client.list_instance_profiles_for_role().role_name(role).into_paginator().items().send();
    pages.try_collect().await.map_err(failed)
}

/// A service-linked role by its name, or, where a service's spelling is not known, by the service that it is linked to.
async fn linked(client: &Client, name: &str) -> Result<Vec<Role>> {
    if !name.contains('.') {
        return Ok(role(client, name).await?.into_iter().collect());
    }
    let service = name.split('/').next().unwrap_or(name);
    let path = format!("/aws-service-role/{service}/");
    let pages = client.list_roles().path_prefix(path).into_paginator().items().send();
    let listed: Vec<types::Role> = pages.try_collect().await.map_err(failed)?;
    let roles = try_join_all(listed.iter().map(|listed| role(client, listed.role_name()))).await?;
    Ok(roles.into_iter().flatten().collect())
}

async fn policy(client: &Client, scope: &Scope, name: &str) -> Result<Option<Policy>> {
    // Most policies have no path. The others are searched for: a name is unique in an account whatever its path.
    let arn = scope.place.iam_arn(&format!("policy/{name}"));
    if let Some(found) = policy_at(client, scope, arn).await? {
        return Ok(Some(found));
    }
    let pages = client.list_policies().scope(PolicyScopeType::Local).max_items(1000).into_paginator();
    let listed: Vec<types::Policy> = pages.items().send().try_collect().await.map_err(failed)?;
    let arn = listed.into_iter().find(|policy| policy.policy_name() == Some(name)).and_then(|p| p.arn);
    match arn {
        Some(arn) => policy_at(client, scope, arn).await,
        None => Ok(None),
    }
}

async fn policy_at(client: &Client, scope: &Scope, arn: String) -> Result<Option<Policy>> {
    let (policy, versions, holders) =
        futures::join!(get_policy(client, &arn), versions(client, &arn), holders(client, scope, &arn));
    let Some(policy) = policy? else { return Ok(None) };
    let versions = if_there(versions)?.unwrap_or_default();
    let holders = if_there(holders)?.unwrap_or_default();
    let tags = own_tags(policy.tags().iter().map(|tag| (tag.key(), tag.value())));
    let detail = ManagedPolicyDetail::builder()
        .set_policy_name(policy.policy_name)
        .set_policy_id(policy.policy_id)
        .set_arn(policy.arn)
        .set_path(policy.path)
        .set_default_version_id(policy.default_version_id)
        .set_attachment_count(policy.attachment_count)
        .set_permissions_boundary_usage_count(policy.permissions_boundary_usage_count)
        .is_attachable(policy.is_attachable)
        .set_description(policy.description)
        .set_policy_version_list(Some(versions))
        .build();
    let mut found = Policy { tags, ..plain(detail) };
    for (ours, entity, name) in holders {
        found.attach(ours, entity, &name);
    }
    Ok(Some(found))
}

/// A managed policy without its documents; `None` if there is none of this ARN.
pub(super) async fn get_policy(client: &Client, arn: &str) -> Result<Option<types::Policy>> {
    let got = client.get_policy().policy_arn(arn).send().await.map_err(failed);
    Ok(if_there(got)?.and_then(|got| got.policy))
}

async fn versions(client: &Client, arn: &str) -> Result<Vec<PolicyVersion>> {
    let listed = client.list_policy_versions().policy_arn(arn).into_paginator().items().send();
    let listed: Vec<PolicyVersion> = listed.try_collect().await.map_err(failed)?;
    let versions = try_join_all(listed.into_iter().map(|version| async move {
        let call = client.get_policy_version().policy_arn(arn).set_version_id(version.version_id);
        let got = if_there(call.send().await.map_err(failed))?;
        Ok(got.and_then(|got| got.policy_version))
    }));
    Ok(versions.await?.into_iter().flatten().collect())
}

/// The users and groups that a policy is attached to, such as `user/x`.
pub(super) async fn people(client: &Client, arn: &str) -> Result<Vec<String>> {
    let (_, people) = if_there(entities(client, arn).await)?.unwrap_or_default();
    Ok(people.into_iter().map(|(entity, name)| format!("{entity}/{name}")).collect())
}

/// Whom a policy is attached to: whether it is a role of ours, what it is, its name.
async fn holders(client: &Client, scope: &Scope, arn: &str) -> Result<Vec<(bool, &'static str, String)>> {
    let (roles, people) = entities(client, arn).await?;
    let roles = try_join_all(roles.into_iter().map(|name| async move {
        let tags = client.list_role_tags().role_name(&name).into_paginator().items().send();
        let tags = if_there(tags.try_collect().await.map_err(failed))?;
        let tags = own_tags(tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)));
        Ok::<_, super::Error>((is_of(&tags, &scope.owner), "role", name))
    }))
    .await?;
    let people = people.into_iter().map(|(entity, name)| (false, entity, name));
    Ok(roles.into_iter().chain(people).collect())
}

/// The roles by name, and the users and groups with what they are.
type Entities = (Vec<String>, Vec<(&'static str, String)>);

async fn entities(client: &Client, arn: &str) -> Result<Entities> {
    let mut pages = client.list_entities_for_policy().policy_arn(arn).into_paginator().send();
    let (mut roles, mut people) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed)?;
        roles.extend(page.policy_roles.unwrap_or_default().into_iter().filter_map(|role| role.role_name));
        let users = page.policy_users.unwrap_or_default().into_iter().filter_map(|user| user.user_name);
        people.extend(users.map(|name| ("user", name)));
        let groups = page.policy_groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name);
        people.extend(groups.map(|name| ("group", name)));
    }
    Ok((roles, people))
}
