//! `iam/Role`: whom jobs, compute environments and pipelines act as.

use aws_smithy_types::date_time::Format;

use super::types::document::{self, Attached};
use super::types::{name, text};
use crate::kind::prelude::*;
use crate::services::iam::{self, Iam, Snapshot};

pub(in crate::kinds) mod trust;
mod write;

/// An IAM role.
pub struct Role;

/// What a manifest declares of a role.
#[spec]
pub struct Spec {
    /// Who may assume the role: a policy document of up to 2,048 characters.
    pub assume_role_policy_document: Policy,
    /// The path in its ARN, such as `/jobs/`.
    #[field(default = name::root(), create_only)]
    pub path: String,
    /// What it is for; up to 1,000 characters.
    #[field(empty)]
    pub description: Option<String>,
    /// How long its sessions last at most, in seconds: 3600 to 43200.
    #[field(default = 3600)]
    pub max_session_duration: i32,
    /// The ARN of the policy that limits what its policies can grant.
    #[field(empty, refers("iam/Policy.arn"))]
    pub permissions_boundary: Option<String>,
    /// The ARNs of all its managed policies, AWS's own among them; others are detached. At most 10.
    #[field(default, set, items_refer("iam/Policy.arn"))]
    pub managed_policy_arns: Vec<String>,
    /// All its inline policies; others are removed. At most 10,240 characters together.
    #[field(default, keyed("policyName"))]
    pub policies: Vec<InlinePolicy>,
}

/// A policy that is part of a role.
#[spec]
pub struct InlinePolicy {
    /// Its name within the role.
    pub policy_name: String,
    /// What it allows.
    pub policy_document: Policy,
}

/// What AWS assigns to a role.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// Its unique id, `AROA…`: another one if it is made again under the same name.
    pub role_id: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_date: Option<String>,
    /// The instance profiles that hold it.
    #[serde(default)]
    pub instance_profiles: Vec<String>,
    /// Those of them that are not this environment's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(skip)]
    pub instance_profiles_elsewhere: Vec<String>,
}

/// An instance profile has a role, and so have the instances that run by it.
fn in_profile(profile: &str) -> ExternalUser {
    ExternalUser {
        says: format!("the instance profile {profile}, which is not ours, holds it"),
        way_out: "take it out of that, or delete the profile, once no instances run by it; or keep the role",
        denoted: vec![
            Denoted::InField("instanceRole", profile.to_owned()),
            Denoted::ByArn("instance-profile", profile.to_owned()),
        ],
        says_used: ", and the instances of {} run by that: give that another role before this apply, or keep this one",
    }
}

/// How many managed policies a role takes, unless AWS raised it (20 at most).
const MOST_ATTACHED: usize = 10;
/// How many characters its inline policies have together.
const MOST_INLINE: usize = 10_240;
/// How many characters its trust policy has, unless AWS raised it (4,096 at most).
const MOST_TRUST: usize = 2048;

impl Kind for Role {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Iam;
    type Seen = ();

    const NAME: &'static str = "iam/Role";
    const NAMES: NameRule = NameRule::checked(64, |name| name::invalid(name, 64));
    const ABOUT: &'static str =
        "An IAM role: whom jobs, compute environments and pipelines act as, and what they may do.";
    // CreateRole and CreatePolicy: "names are not distinguished by case".
    const CASELESS_NAMES: bool = true;
    // Of roles and users alone (IAM user guide, "Rules for tagging in IAM and AWS STS").
    const TAGS: TagRules = TagRules { caseless: true, ..Iam::TAGS };
    const CLOUDFORMATION: &'static str = "AWS::IAM::Role";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[("roleName", "metadata.physicalName")];
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![iam: GetAccountAuthorizationDetails ListRoles]),
            // Whose an instance profile is that holds it, only the profile's tags tell.
            Grant::on(actions![iam: GetInstanceProfile], &[On::Iam("instance-profile/*")]),
            Grant::on(
                actions![iam: GetRole GetRolePolicy ListAttachedRolePolicies
                    ListInstanceProfilesForRole ListRolePolicies ListRoleTags],
                &[On::Iam("role/{name}"), On::Iam("role/*/{name}")],
            ),
        ],
        write: &[
            Grant::on(actions![iam: AttachRolePolicy], &[On::Iam("role/{name}"), On::Iam("role/*/{name}")])
                .when(When::DeclaredPolicy),
            Grant::on(
                actions![iam: CreateRole DeleteRole DeleteRolePermissionsBoundary
                    DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary PutRolePolicy
                    TagRole UntagRole UpdateAssumeRolePolicy UpdateRole],
                &[On::Iam("role/{name}"), On::Iam("role/*/{name}")],
            ),
        ],
    };
    const ACCESS: Access = Access::Actor;
    const EXAMPLE: &'static str = include_str!("role.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = name::path(&spec.path);
        let trust = "assumeRolePolicyDocument";
        document::check(trust, &spec.assume_role_policy_document, Attached::Trust, &mut found);
        document::too_large(trust, &spec.assume_role_policy_document, MOST_TRUST, &mut found);
        if !(3600..=43_200).contains(&spec.max_session_duration) {
            let message = format!("{} is outside 3600 to 43200 seconds", spec.max_session_duration);
            found.push(Invalid::new("maxSessionDuration", message));
        }
        text::description("description", spec.description.as_ref(), &mut found);
        attachments(spec, &mut found);
        inline(spec, &mut found);
        found
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.description = spec.description.take().filter(|text| !text.is_empty());
    }

    fn predict(name: &str, spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        if spec.path.contains("${") {
            return BTreeMap::new();
        }
        BTreeMap::from([("arn".to_owned(), place.iam_arn(&format!("role{}{name}", spec.path)))])
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        // Service-linked roles are a kind of their own.
        let own = |role: &&iam::Role| {
            !role.detail.path().is_some_and(|path| path.starts_with("/aws-service-role/"))
        };
        snapshot.roles.values().filter(own).map(|role| live(role, place)).collect()
    }

    fn lets_in(spec: &Spec) -> bool {
        spec.assume_role_policy_document.0.to_string().contains("sts:AssumeRoleWithWebIdentity")
    }

    fn boundary(spec: &Spec) -> Option<String> {
        spec.permissions_boundary.clone()
    }

    fn attached(spec: &Spec) -> Vec<String> {
        spec.managed_policy_arns.clone()
    }

    /// An instance profile has it by its name.
    fn denoted_by(live: &Live<Self>) -> Vec<Denoted> {
        vec![Denoted::InField("roles", live.physical.clone())]
    }

    /// Tasks act as roles that let them; nothing else of a job's roles has to last until it is over.
    fn held_by_jobs(live: &Live<Self>) -> Option<String> {
        let trust = live.spec.assume_role_policy_document.0.to_string();
        trust.contains("ecs-tasks.").then(|| live.arn.clone()).flatten()
    }

    fn external_users(live: &Live<Self>) -> Vec<ExternalUser> {
        live.outputs.instance_profiles_elsewhere.iter().map(|profile| in_profile(profile)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_role()
            .role_name(cx.name)
            .path(&want.path)
            .assume_role_policy_document(want.assume_role_policy_document.text())
            .max_session_duration(want.max_session_duration)
            .set_description(want.description.clone())
            .set_permissions_boundary(want.permissions_boundary.clone())
            .set_tags(Some(iam::tags(cx.tags)?));
        call.send().await.map_err(failed)?;
        for policy in &want.policies {
            write::put(cx, policy).await?;
        }
        for arn in &want.managed_policy_arns {
            write::attach(cx, arn).await?;
        }
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, &live.spec, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        // A plan says so before; by now somebody may have put it into one, and instances may run by that. Those of ours go before
        // it, and IAM refuses until they have.
        if !live.outputs.instance_profiles_elsewhere.is_empty() {
            let profiles = live.outputs.instance_profiles_elsewhere.join(", ");
            let what =
                format!("{} is in the instance profile {profiles}: take it out of that first", cx.name);
            return Err(Error::malformed("iam", "DeleteRole", what));
        }
        for arn in &live.spec.managed_policy_arns {
            write::detach(cx, arn).await?;
        }
        for policy in &live.spec.policies {
            write::remove(cx, &policy.policy_name).await?;
        }
        let call = cx.client.delete_role().role_name(cx.name);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

fn attachments(spec: &Spec, found: &mut Vec<Invalid>) {
    let arns = &spec.managed_policy_arns;
    if arns.len() > MOST_ATTACHED {
        let message = format!(
            "{} policies are attached; a role takes {MOST_ATTACHED}: join some of them, or make some inline",
            arns.len()
        );
        found.push(Invalid::new("managedPolicyArns", message));
    }
    let fields = arns.iter().enumerate().map(|(index, arn)| (format!("managedPolicyArns[{index}]"), arn));
    let boundary = spec.permissions_boundary.iter().map(|arn| ("permissionsBoundary".to_owned(), arn));
    for (path, arn) in fields.chain(boundary) {
        if !arn.contains("${") && !text::is_policy_arn(arn) {
            let message = format!(
                "`{arn}` is not a policy's ARN: expected `arn:<partition>:iam::<account>:policy/<name>` or `${{iam/Policy/<name>.arn}}`"
            );
            found.push(Invalid::new(path, message));
        }
    }
}

fn inline(spec: &Spec, found: &mut Vec<Invalid>) {
    let mut names = BTreeMap::new();
    for (index, policy) in spec.policies.iter().enumerate() {
        let path = format!("policies[{index}]");
        document::check(
            &format!("{path}.policyDocument"),
            &policy.policy_document,
            Attached::Identity,
            found,
        );
        if let Some(why) =
            name::invalid(&policy.policy_name, 128).filter(|_| !policy.policy_name.contains("${"))
        {
            found.push(Invalid::new(format!("{path}.policyName"), why));
        }
        if let Some(first) = names.insert(&policy.policy_name, index) {
            let message = format!("`{}` is the name of policies[{first}] as well", policy.policy_name);
            found.push(Invalid::new(format!("{path}.policyName"), message));
        }
    }
    let size =
        spec.policies.iter().filter_map(|policy| document::size(&policy.policy_document)).sum::<usize>();
    if size > MOST_INLINE {
        let message = format!(
            "have {size} characters together, without white space; a role takes {MOST_INLINE}: make some of them iam/Policy"
        );
        found.push(Invalid::new("policies", message));
    }
}

fn live(role: &iam::Role, place: &Place) -> Live<Role> {
    let detail = &role.detail;
    let (arn, readiness) = role.arn(place);
    let policies = detail.role_policy_list().iter().map(|policy| InlinePolicy {
        policy_name: policy.policy_name().unwrap_or_default().to_owned(),
        policy_document: Policy::parse(policy.policy_document().unwrap_or_default()),
    });
    let profiles = detail.instance_profile_list().iter();
    Live {
        physical: detail.role_name().unwrap_or_default().to_owned(),
        arn: Some(arn.clone()),
        spec: Spec {
            assume_role_policy_document: Policy::parse(
                detail.assume_role_policy_document().unwrap_or_default(),
            ),
            path: detail.path().unwrap_or("/").to_owned(),
            description: role.description.clone(),
            max_session_duration: role
                .max_session_duration
                .unwrap_or_else(Spec::default_max_session_duration),
            permissions_boundary: detail
                .permissions_boundary()
                .and_then(|boundary| boundary.permissions_boundary_arn())
                .map(str::to_owned),
            managed_policy_arns: detail
                .attached_managed_policies()
                .iter()
                .filter_map(|policy| policy.policy_arn().map(str::to_owned))
                .collect(),
            policies: policies.collect(),
        },
        outputs: Outputs {
            arn,
            role_id: detail.role_id().unwrap_or_default().to_owned(),
            create_date: detail.create_date().and_then(|date| date.fmt(Format::DateTime).ok()),
            instance_profiles: profiles.map(|profile| profile.instance_profile_name().to_owned()).collect(),
            instance_profiles_elsewhere: role.profiles_elsewhere.iter().cloned().collect(),
        },
        tags: role.tags(),
        readiness,
        revision: None,
    }
}

#[cfg(test)]
mod tests;
