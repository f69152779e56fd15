//! `iam/Policy`: a managed policy of the account's own.

use aws_sdk_iam::config::retry::RetryConfig;
use sha2::{Digest, Sha256};

use super::types::document::{self, Attached};
use super::types::{name, text};
use crate::kind::prelude::*;
use crate::services::iam::{self, Iam, Snapshot};
use crate::value::{self, policy};

mod observe;

/// A customer-managed IAM policy.
pub struct Policy;

/// What a manifest declares of a policy.
#[spec]
pub struct Spec {
    /// What it allows: a policy document of up to 6,144 characters. A change makes a new default version.
    pub policy_document: value::Policy,
    /// What it is for; up to 1,000 characters.
    #[field(empty, create_only)]
    pub description: Option<String>,
    /// The path in its ARN, such as `/jobs/`.
    #[field(default = name::root(), create_only)]
    pub path: String,
}

/// What AWS assigns to a policy.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// Its unique id, `ANPA…`.
    pub policy_id: String,
    /// The version in force, such as `v3`.
    pub default_version_id: String,
    /// All its versions, the oldest first.
    #[serde(default)]
    pub versions: Vec<Version>,
    /// The roles of this environment that it is attached to.
    #[serde(default)]
    pub attached_roles: Vec<String>,
    /// Whom else it is attached to, as far as it is known.
    #[serde(default)]
    pub attached_elsewhere: Vec<String>,
}

/// A version of a policy.
#[outputs]
pub struct Version {
    /// Such as `v2`.
    pub id: String,
    /// Equal for documents that mean the same.
    pub meaning: String,
}

/// How many characters a document has.
const LARGEST: usize = 6144;
/// How many versions a policy has.
const MOST_VERSIONS: usize = 5;

impl Kind for Policy {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Iam;
    type Seen = ();

    const NAME: &'static str = "iam/Policy";
    const NAMES: NameRule = NameRule::checked(128, |name| name::invalid(name, 128));
    const ABOUT: &'static str = "A managed IAM policy: what the roles that it is attached to may do.";
    // CreateRole and CreatePolicy: "names are not distinguished by case".
    const CASELESS_NAMES: bool = true;
    const CLOUDFORMATION: &'static str = "AWS::IAM::ManagedPolicy";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("groups", "no job is a person"),
        ("managedPolicyName", "metadata.physicalName"),
        ("roles", "a role names its policies: iam/Role.managedPolicyArns"),
        ("users", "no job is a person"),
    ];
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![iam: GetAccountAuthorizationDetails ListPolicies]),
            Grant::on(
                actions![iam: GetPolicy GetPolicyVersion ListEntitiesForPolicy
                    ListPolicyVersions],
                &[On::Iam("policy/{name}"), On::Iam("policy/*/{name}")],
            ),
        ],
        write: &[Grant::on(
            actions![iam: CreatePolicy CreatePolicyVersion DeletePolicy
                    DeletePolicyVersion SetDefaultPolicyVersion TagPolicy UntagPolicy],
            &[On::Iam("policy/{name}"), On::Iam("policy/*/{name}")],
        )],
    };
    const ACCESS: Access = Access::Policy;
    const EXAMPLE: &'static str = include_str!("policy.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = name::policy_path(&spec.path);
        document::check("policyDocument", &spec.policy_document, Attached::Identity, &mut found);
        document::of_newer_version("policyDocument", &spec.policy_document, &mut found);
        document::too_large("policyDocument", &spec.policy_document, LARGEST, &mut found);
        text::length("description", spec.description.as_ref(), &mut found);
        found
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.description = spec.description.take().filter(|text| !text.is_empty());
    }

    fn predict(name: &str, spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        if spec.path.contains("${") {
            return BTreeMap::new();
        }
        BTreeMap::from([("arn".to_owned(), place.iam_arn(&format!("policy{}{name}", spec.path)))])
    }

    fn observe(snapshot: &Snapshot, _place: &Place) -> Vec<Live<Self>> {
        snapshot.policies.values().map(observe::live).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_policy()
            .policy_name(cx.name)
            .path(&want.path)
            .policy_document(want.policy_document.text())
            .set_description(want.description.clone())
            .set_tags(Some(iam::tags(cx.tags)?));
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if !diff.touches("policyDocument") {
            return Ok(());
        }
        let Outputs { arn, versions, default_version_id, .. } = &live.outputs;
        // Going back to what was in force once is no new version.
        let meaning = meaning(&want.policy_document);
        if let Some(version) = versions.iter().find(|version| version.meaning == meaning) {
            let call = cx.client.set_default_policy_version().policy_arn(arn).version_id(&version.id);
            call.send().await.map_err(failed)?;
            return Ok(());
        }
        let oldest = versions.iter().find(|version| version.id != *default_version_id);
        if let Some(oldest) = oldest.filter(|_| versions.len() >= MOST_VERSIONS) {
            delete_version(cx, arn, &oldest.id).await?;
        }
        create_version(cx, arn, &want.policy_document).await
    }

    /// A role that has it attached names it in its own document.
    fn external_users(live: &Live<Self>) -> Vec<ExternalUser> {
        let people = live.outputs.attached_elsewhere.iter().filter(|who| !who.starts_with("role/"));
        let user = |who: &String| ExternalUser {
            says: format!("{who}, which is not ours, has it attached"),
            way_out: "detach it there first, or keep it",
            denoted: Vec::new(),
            says_used: "",
        };
        people.map(user).collect()
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let Outputs { arn, versions, default_version_id, attached_roles, attached_elsewhere, .. } =
            &live.outputs;
        if !attached_elsewhere.is_empty() {
            let what = format!(
                "{arn} is attached to {}, which this environment does not own: detach it there first",
                attached_elsewhere.join(", ")
            );
            return Err(Error::malformed("iam", "DeletePolicy", what));
        }
        for role in attached_roles {
            let call = cx.client.detach_role_policy().role_name(role).policy_arn(arn);
            call.send().await.map_err(failed)?;
        }
        for version in versions.iter().filter(|version| version.id != *default_version_id) {
            delete_version(cx, arn, &version.id).await?;
        }
        let call = cx.client.delete_policy().policy_arn(arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

async fn create_version(cx: &Cx<'_, Policy>, arn: &str, document: &value::Policy) -> Result<()> {
    // A second version of the same would push out another one: the executor looks before it tries again.
    let once = aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
    let call = cx.client.create_policy_version().policy_arn(arn).policy_document(document.text());
    let call = call.set_as_default(true).customize().config_override(once);
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn delete_version(cx: &Cx<'_, Policy>, arn: &str, id: &str) -> Result<()> {
    let call = cx.client.delete_policy_version().policy_arn(arn).version_id(id);
    call.send().await.map_err(failed)?;
    Ok(())
}

fn meaning(document: &value::Policy) -> String {
    let digest = Sha256::digest(policy::normal(&document.0).to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::{ManagedPolicyDetail, PolicyVersion};
    use serde_json::{Value, json};

    use super::{Policy, Spec};
    use crate::kind::Kind;
    use crate::resource::{Place, Tags};
    use crate::services::iam::{self, Snapshot};

    fn place() -> Place {
        Place::new("111122223333", "eu-west-1")
    }

    fn version(id: &str, default: bool, action: &str) -> PolicyVersion {
        let document = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}});
        let build = PolicyVersion::builder().version_id(id).is_default_version(default);
        build.document(document.to_string()).build()
    }

    #[test]
    fn the_version_in_force_is_what_is_declared() {
        let detail = ManagedPolicyDetail::builder()
            .policy_name("read")
            .policy_id("ANPAEXAMPLE")
            .arn("arn:aws:iam::111122223333:policy/jobs/read")
            .path("/jobs/")
            .default_version_id("v2")
            .policy_version_list(version("v10", false, "s3:GetObject"))
            .policy_version_list(version("v2", true, "s3:*"))
            .policy_version_list(version("v1", false, "s3:getobject"))
            .build();
        let policy = iam::Policy {
            detail,
            tags: Tags::from([("team".to_owned(), "data".to_owned())]),
            attached: ["job".to_owned()].into(),
            attached_elsewhere: ["user/someone".to_owned()].into(),
        };
        let mut snapshot = Snapshot::default();
        snapshot.policies.insert("arn:aws:iam::111122223333:policy/jobs/read".to_owned(), policy);
        let live = Policy::observe(&snapshot, &place()).remove(0);
        insta::assert_json_snapshot!((&live.physical, &live.arn, &live.spec, &live.tags), @r#"
[
  "read",
  "arn:aws:iam::111122223333:policy/jobs/read",
  {
    "policyDocument": {
      "Statement": {
        "Action": "s3:*",
        "Effect": "Allow",
        "Resource": "*"
      },
      "Version": "2012-10-17"
    },
    "path": "/jobs/"
  },
  {
    "team": "data"
  }
]
"#);
        let versions = &live.outputs.versions;
        let ids: Vec<&str> = versions.iter().map(|version| version.id.as_str()).collect();
        assert_eq!(ids, ["v1", "v2", "v10"], "the oldest first, by number");
        assert_eq!(versions[0].meaning, versions[2].meaning, "the case of an action means nothing");
        assert_ne!(versions[0].meaning, versions[1].meaning);
        assert_eq!(live.outputs.attached_elsewhere, ["user/someone"]);
    }

    #[test]
    fn the_example_is_valid_and_limits_are_told() {
        let complaints = |spec: Value| -> String {
            let spec: Spec = serde_json::from_value(spec).unwrap();
            Policy::validate(&spec, &place())
                .iter()
                .map(|found| format!("{}: {}\n", found.path, found.message))
                .collect()
        };
        let manifest: Value = serde_yaml::from_str(Policy::EXAMPLE).unwrap();
        assert_eq!(complaints(manifest["spec"].clone()), "");
        let statement = json!({"Effect": "Allow", "Action": format!("s3:{}", "x".repeat(6144)), "Resource": "*", "Principal": "*"});
        insta::assert_snapshot!(complaints(json!({"path": "/jobs", "policyDocument": {"Version": "2012-10-17", "Statement": statement}})), @r#"
path: `/jobs` is not a path: it begins and ends with a slash, such as `/jobs/`, and has up to 512 characters
policyDocument.Statement.Principal: has no place in an identity's policy, which speaks of whom it is attached to: remove it
policyDocument: has 6245 characters without white space; IAM takes 6144: split it, or use wildcards
"#);
        let old = |version: Value| {
            let statement = json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*"});
            complaints(json!({"policyDocument": {"Version": version, "Statement": statement}}))
        };
        assert_eq!(old(json!("2012-10-17")), "");
        insta::assert_snapshot!(old(json!("2008-10-17")), @r#"policyDocument.Version: is older than IAM takes in managed policies: write "2012-10-17""#);
        let none = json!({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}});
        insta::assert_snapshot!(complaints(json!({"policyDocument": none})), @r#"policyDocument: has no Version, and so means 2008-10-17, which IAM takes in no managed policy: add `Version: "2012-10-17"`"#);
    }
}
