//! IAM: global, so the same from every region of a partition.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_iam::Client;
use aws_sdk_iam::operation::get_open_id_connect_provider::GetOpenIdConnectProviderOutput;
use aws_sdk_iam::types::{self, EntityType, InstanceProfile, ManagedPolicyDetail, RoleDetail, Tag};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    AT_ONCE, Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, own_tags, settings,
};
use crate::resource::{Listing, OWNER_TAG, Owner, Place, Readiness, Tags};

mod named;
mod profiles;
mod tag;

/// IAM.
pub struct Iam;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Roles by name, service-linked ones among them.
    pub roles: BTreeMap<String, Role>,
    /// The account's own managed policies by ARN.
    pub policies: BTreeMap<String, Policy>,
    /// The instance profiles that may concern us, by name.
    pub profiles: BTreeMap<String, InstanceProfile>,
    /// OpenID Connect providers by host and path.
    pub providers: BTreeMap<String, GetOpenIdConnectProviderOutput>,
}

/// A role, with what GetAccountAuthorizationDetails leaves out.
#[derive(Debug, Clone)]
pub struct Role {
    /// Documents, attachments, inline policies, instance profiles, boundary, tags.
    pub detail: RoleDetail,
    /// Its description; unknown of roles that nobody declares.
    pub description: Option<String>,
    /// How long its sessions last at most, in seconds; unknown of roles that nobody declares.
    pub max_session_duration: Option<i32>,
    /// The instance profiles that hold it and are not ours; of roles that are neither declared nor ours, nobody asks.
    pub profiles_elsewhere: BTreeSet<String>,
}

impl Role {
    /// Its ARN, and whether IAM has it to give: just after a role was made its unique id may stand there
    /// (`waitRoleARNIsNotUniqueID` of hashicorp/terraform-provider-aws). Then it is the one that the role will have.
    pub fn arn(&self, place: &Place) -> (String, Readiness) {
        if let Some(arn) = self.detail.arn().filter(|arn| arn.starts_with("arn:")) {
            return (arn.to_owned(), Readiness::Ready);
        }
        let (path, name) = (self.detail.path().unwrap_or("/"), self.detail.role_name().unwrap_or_default());
        let why = "IAM still gives its unique id for its ARN".to_owned();
        (place.iam_arn(&format!("role{path}{name}")), Readiness::Pending(why))
    }

    /// Its own tags.
    pub fn tags(&self) -> Tags {
        own_tags(self.detail.tags().iter().map(|tag| (tag.key(), tag.value())))
    }
}

/// A managed policy, its tags and what it is attached to.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its versions with their documents.
    pub detail: ManagedPolicyDetail,
    /// Its tags; not read of policies that are neither declared nor ours.
    pub tags: Tags,
    /// The roles of this environment that it is attached to.
    pub attached: BTreeSet<String>,
    /// Others that it is attached to, such as `role/x` or `user/y`.
    pub attached_elsewhere: BTreeSet<String>,
}

impl Service for Iam {
    const NAME: &'static str = "iam";
    const ALWAYS_READ: bool = true;
    const PROPAGATES: bool = true;
    const GLOBAL: bool = true;
    // The service model's tagKeyType and tagValueType.
    const TAGS: TagRules = TagRules::common("IAM");
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_iam, config).build())
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        // A poll asks for single things by name: GetAccountAuthorizationDetails is a report that lags behind the
        // writes that the poll waits for, and costs a page of a thousand entities to learn about one.
        if scope.only {
            return named::read(client, scope).await;
        }
        let described = async {
            // Descriptions and session lengths matter to nobody but those who declare roles.
            let declared =
                ["iam/Role", "iam/ServiceLinkedRole"].iter().any(|k| scope.names(k).next().is_some());
            if declared { descriptions(client).await } else { Ok(BTreeMap::new()) }
        };
        let policy_arns = scope.place.iam_arn("policy/");
        let ((roles, policies), described, swept, providers) = futures::try_join!(
            details(client),
            described,
            scope.swept(&policy_arns),
            named::providers(client, scope)
        )?;
        let mut roles = with_descriptions(roles, described);
        let profiles = profiles::read(client, scope, &mut roles).await?;
        let policies = with_attachments(policies, &roles, &scope.owner);
        let swept = swept.iter().map(|rest| format!("{policy_arns}{rest}")).collect();
        let policies = with_tags(client, scope, policies, &swept).await?;
        Ok(Snapshot { roles, policies, profiles, providers })
    }

    fn listed(snapshot: &Snapshot) -> BTreeMap<&'static str, Listing> {
        // A role is named by its name, with its path before it, or by its ARN.
        let with_path = |arn: &str| arn.split_once(":role/").map(|(_, path)| path.to_owned());
        let roles = snapshot.roles.iter().flat_map(|(name, role)| {
            let arn = role.detail.arn();
            [Some(name.clone()), arn.map(str::to_owned), arn.and_then(with_path)].into_iter().flatten()
        });
        let roles = Listing::named(roles).but_made_by_aws(":role/aws-service-role/");
        BTreeMap::from([
            ("iam/Policy", Listing::named(snapshot.policies.keys())),
            ("iam/Role", roles.clone()),
            ("iam/ServiceLinkedRole", roles),
        ])
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        tag::tag(client, target, set, unset).await
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        let minutes = Duration::from_secs(120);
        match error.code.as_deref() {
            // What was made a moment ago is not seen by every server of IAM yet.
            Some("NoSuchEntity") if needs_another(error.operation) => Fault::Propagating(minutes),
            Some("NoSuchEntity") => Fault::Gone,
            Some("EntityAlreadyExists") => Fault::Exists,
            Some("InvalidInput") if error.message.contains("has been taken in this account") => Fault::Exists,
            Some("MalformedPolicyDocument") if error.message.contains("Invalid principal in policy") => {
                Fault::Propagating(minutes)
            }
            Some("InvalidParameterValue") if error.message.contains("Invalid IAM Instance Profile") => {
                Fault::Propagating(minutes)
            }
            Some("DeleteConflict" | "ConcurrentModification" | "EntityTemporarilyUnmodifiable") => {
                Fault::Settling(minutes)
            }
            _ => error::classify(error),
        }
    }
}

/// Whether an operation's "does not exist" speaks of something that must exist, not of what is to go.
fn needs_another(operation: &str) -> bool {
    ["Attach", "Put", "Create", "Update", "Tag", "SetDefault", "Add"]
        .iter()
        .any(|verb| operation.starts_with(verb))
}

/// Every role and every policy of the account, with their documents: the one bulk read that IAM has.
async fn details(client: &Client) -> Result<(Vec<RoleDetail>, Vec<ManagedPolicyDetail>)> {
    let filter = vec![EntityType::Role, EntityType::LocalManagedPolicy];
    let call = client.get_account_authorization_details().set_filter(Some(filter)).max_items(1000);
    let mut pages = call.into_paginator().send();
    let (mut roles, mut policies) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.map_err(failed)?;
        roles.extend(page.role_detail_list.unwrap_or_default());
        policies.extend(page.policies.unwrap_or_default());
    }
    Ok((roles, policies))
}

type Described = BTreeMap<String, (Option<String>, Option<i32>)>;

async fn descriptions(client: &Client) -> Result<Described> {
    let mut roles = client.list_roles().max_items(1000).into_paginator().items().send();
    let mut found = BTreeMap::new();
    while let Some(role) = roles.next().await {
        let role = role.map_err(failed)?;
        found.insert(role.role_name, (role.description, role.max_session_duration));
    }
    Ok(found)
}

fn with_descriptions(roles: Vec<RoleDetail>, mut described: Described) -> BTreeMap<String, Role> {
    roles
        .into_iter()
        .filter_map(|detail| {
            let name = detail.role_name()?.to_owned();
            let (description, max_session_duration) = described.remove(&name).unwrap_or_default();
            let profiles_elsewhere = BTreeSet::new();
            Some((name, Role { detail, description, max_session_duration, profiles_elsewhere }))
        })
        .collect()
}

fn with_attachments(
    policies: Vec<ManagedPolicyDetail>,
    roles: &BTreeMap<String, Role>,
    owner: &Owner,
) -> BTreeMap<String, Policy> {
    let mut found: BTreeMap<String, Policy> =
        policies.into_iter().filter_map(|detail| Some((detail.arn()?.to_owned(), plain(detail)))).collect();
    for (name, role) in roles {
        let ours = is_of(&role.tags(), owner);
        for arn in role.detail.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn()) {
            if let Some(policy) = found.get_mut(arn) {
                policy.attach(ours, "role", name);
            }
        }
    }
    found
}

fn plain(detail: ManagedPolicyDetail) -> Policy {
    Policy { detail, tags: Tags::new(), attached: BTreeSet::new(), attached_elsewhere: BTreeSet::new() }
}

impl Policy {
    fn attach(&mut self, ours: bool, entity: &str, name: &str) {
        if ours && entity == "role" {
            self.attached.insert(name.to_owned());
        } else {
            self.attached_elsewhere.insert(format!("{entity}/{name}"));
        }
    }

    /// Whether it is attached to more than the roles that were seen to have it.
    fn has_more_than_roles(&self) -> bool {
        let count = self.detail.attachment_count().and_then(|count| usize::try_from(count).ok());
        count.is_some_and(|count| count > self.attached.len() + self.attached_elsewhere.len())
    }
}

fn is_of(tags: &Tags, owner: &Owner) -> bool {
    tags.get(OWNER_TAG) == Some(&owner.0)
}

/// Reads the tags and descriptions of the policies that may concern us: declared, found by the tag search, or attached
/// to a role of ours (the search lags behind). The bulk read lacks the ones and does not promise the others. Nor does it tell
/// of users and groups, but for their number: where there are some, they are asked for.
async fn with_tags(
    client: &Client,
    scope: &Scope,
    mut policies: BTreeMap<String, Policy>,
    swept: &BTreeSet<String>,
) -> Result<BTreeMap<String, Policy>> {
    let declared: BTreeSet<&str> = scope.names("iam/Policy").collect();
    let looked_up = scope.looked_up.contains_key("iam/Policy");
    let concerns = |arn: &String, policy: &Policy| {
        looked_up
            || policy.detail.policy_name().is_some_and(|name| declared.contains(name))
            || swept.contains(arn)
            || !policy.attached.is_empty()
    };
    let candidates: Vec<(String, bool)> = policies
        .iter()
        .filter(|(arn, policy)| concerns(arn, policy))
        .map(|(arn, policy)| (arn.clone(), policy.has_more_than_roles()))
        .collect();
    let got: Vec<(String, Option<types::Policy>, Vec<String>)> = stream::iter(candidates)
        .map(|(arn, more)| async move {
            let people = async { if more { named::people(client, &arn).await } else { Ok(Vec::new()) } };
            let (got, people) = futures::try_join!(named::get_policy(client, &arn), people)?;
            Ok::<_, Error>((arn, got, people))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    for (arn, got, people) in got {
        match (got, policies.get_mut(&arn)) {
            (Some(got), Some(policy)) => {
                policy.attached_elsewhere.extend(people);
                policy.tags = own_tags(got.tags().iter().map(|tag| (tag.key(), tag.value())));
                policy.detail.description = got.description;
            }
            // Deleted since it was listed.
            _ => {
                policies.remove(&arn);
            }
        }
    }
    Ok(policies)
}

/// Tags as IAM's calls take them.
pub fn tags(tags: &Tags) -> Result<Vec<Tag>> {
    let build = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter()
        .map(build)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::malformed("iam", "Tag", error.to_string()))
}

/// `Ok(None)` for what does not exist.
fn if_there<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is("NoSuchEntity") => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Iam;
    use crate::services::{Error, Fault, Reached, Service};

    #[test]
    fn errors_mean_what_iam_means_by_them() {
        let minutes = Duration::from_secs(120);
        for (operation, code, message, fault) in [
            ("GetRole", "NoSuchEntity", "The role with name x cannot be found.", Fault::Gone),
            ("DetachRolePolicy", "NoSuchEntity", "", Fault::Gone),
            ("AttachRolePolicy", "NoSuchEntity", "Policy … does not exist", Fault::Propagating(minutes)),
            ("CreateRole", "EntityAlreadyExists", "Role with name x already exists.", Fault::Exists),
            (
                "CreateServiceLinkedRole",
                "InvalidInput",
                "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix.",
                Fault::Exists,
            ),
            ("CreateServiceLinkedRole", "InvalidInput", "no such service", Fault::Terminal),
            (
                "CreateRole",
                "MalformedPolicyDocument",
                "Invalid principal in policy: \"AWS\":\"arn:aws:iam::111122223333:role/x\"",
                Fault::Propagating(minutes),
            ),
            ("CreateRole", "MalformedPolicyDocument", "Syntax errors in policy.", Fault::Terminal),
            ("DeleteRole", "DeleteConflict", "", Fault::Settling(minutes)),
            ("CreateRole", "ConcurrentModification", "", Fault::Settling(minutes)),
            ("UpdateRole", "EntityTemporarilyUnmodifiable", "", Fault::Settling(minutes)),
            ("CreateRole", "LimitExceeded", "", Fault::Terminal),
            ("DeleteRole", "UnmodifiableEntity", "", Fault::Terminal),
            ("CreateRole", "AccessDenied", "", Fault::Terminal),
            ("CreateRole", "Throttling", "", Fault::Throttled),
            ("CreateRole", "ServiceFailure", "", Fault::Unknown),
        ] {
            let error = Error {
                service: "iam",
                operation,
                code: Some(code.to_owned()),
                message: message.to_owned(),
                request_id: None,
                reached: Reached::Answered,
                retry_after: None,
            };
            assert_eq!(Iam::classify(&error, Duration::ZERO), fault, "{operation} {code} {message}");
        }
    }
}
