//! `iam/InstanceProfile`: by which the instances of a compute environment get a role.

use aws_sdk_iam::types::InstanceProfile as Reported;
use aws_smithy_types::date_time::Format;

use super::role::trust;
use super::types::name;
use crate::kind::prelude::*;
use crate::services::iam::{self, Iam, Snapshot};

/// An IAM instance profile.
pub struct InstanceProfile;

/// What a manifest declares of an instance profile.
#[spec]
pub struct Spec {
    /// The path in its ARN, such as `/jobs/`.
    #[field(default = name::root(), create_only)]
    pub path: String,
    /// The name of the role that instances act as; one at most. A change takes the old one out before the new one is put in:
    /// instances that run go on for as long as their credentials last.
    #[field(required, set, length(..=1), items_refer("iam/Role.name"))]
    pub roles: Vec<String>,
}

/// What AWS assigns to an instance profile.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
    /// Its unique id, `AIPA…`: another one if it is made again under the same name.
    pub instance_profile_id: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_date: Option<String>,
}

impl Kind for InstanceProfile {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Iam;
    type Seen = ();

    const NAME: &'static str = "iam/InstanceProfile";
    const NAMES: NameRule = NameRule::checked(128, |name| name::invalid(name, 128));
    const ABOUT: &'static str =
        "An IAM instance profile: by which the instances of a compute environment act as a role.";
    // "Names of users, groups, roles, and instance profiles must be unique within the account. Names are not distinguished by
    // case": <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
    const CASELESS_NAMES: bool = true;
    const CLOUDFORMATION: &'static str = "AWS::IAM::InstanceProfile";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("instanceProfileName", "metadata.physicalName")];
    const GRANTS: Grants = Grants {
        // Of others, too: whose a profile is that holds a role of ours, only its tags tell.
        read: &[Grant::on(actions![iam: GetInstanceProfile], &[On::Iam("instance-profile/*")])],
        write: &[
            Grant::on(
                actions![iam: AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile
                    RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile],
                &[On::Iam("instance-profile/{name}"), On::Iam("instance-profile/*/{name}")],
            ),
            Grant::pass_role(&["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]),
        ],
    };
    const EXAMPLE: &'static str = include_str!("instance_profile.example.yaml");
    const READ_BY_NAME: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = name::path(&spec.path);
        for (index, role) in spec.roles.iter().enumerate().filter(|(_, role)| !role.contains("${")) {
            if let Some(why) = name::invalid(role, 64) {
                found.push(Invalid::new(format!("roles[{index}]"), why));
            }
        }
        found
    }

    /// EC2 hands out credentials of a role that trusts it, and of no other.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html>
    fn clashes(spec: &Spec, _id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        let each = spec.roles.iter().enumerate();
        each.filter_map(|(index, role)| {
            trust::keeps_out(&format!("roles[{index}]"), role, OF_INSTANCES, beside)
        })
        .collect()
    }

    fn predict(name: &str, spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        if spec.path.contains("${") {
            return BTreeMap::new();
        }
        BTreeMap::from([("arn".to_owned(), place.iam_arn(&format!("instance-profile{}{name}", spec.path)))])
    }

    fn observe(snapshot: &Snapshot, _place: &Place) -> Vec<Live<Self>> {
        snapshot.profiles.values().map(live).collect()
    }

    fn denoted_by(live: &Live<Self>) -> Vec<Denoted> {
        vec![
            Denoted::InField("instanceRole", live.physical.clone()),
            Denoted::InField("iamInstanceProfile.name", live.physical.clone()),
            Denoted::ByArn("instance-profile", live.physical.clone()),
        ]
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_instance_profile().instance_profile_name(cx.name).path(&want.path);
        call.set_tags(Some(iam::tags(cx.tags)?)).send().await.map_err(failed)?;
        for role in &want.roles {
            add(cx, role).await?;
        }
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if !diff.touches("roles") {
            return Ok(());
        }
        for role in live.spec.roles.iter().filter(|role| !want.roles.contains(role)) {
            remove(cx, role).await?;
        }
        for role in want.roles.iter().filter(|role| !live.spec.roles.contains(role)) {
            add(cx, role).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        for role in &live.spec.roles {
            remove(cx, role).await?;
        }
        let call = cx.client.delete_instance_profile().instance_profile_name(cx.name);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// Who hands out credentials of a role to an instance; China's EC2 has a name of its own.
const OF_INSTANCES: &[&str] = &["ec2.amazonaws.com", "ec2.amazonaws.com.cn"];

async fn add(cx: &Cx<'_, InstanceProfile>, role: &str) -> Result<()> {
    let call = cx.client.add_role_to_instance_profile().instance_profile_name(cx.name).role_name(role);
    call.send().await.map_err(failed)?;
    Ok(())
}

async fn remove(cx: &Cx<'_, InstanceProfile>, role: &str) -> Result<()> {
    let call = cx.client.remove_role_from_instance_profile().instance_profile_name(cx.name).role_name(role);
    call.send().await.map_err(failed)?;
    Ok(())
}

fn live(profile: &Reported) -> Live<InstanceProfile> {
    let arn = profile.arn().to_owned();
    let spec = Spec {
        path: profile.path().to_owned(),
        roles: profile.roles().iter().map(|role| role.role_name().to_owned()).collect(),
    };
    let outputs = Outputs {
        arn: arn.clone(),
        instance_profile_id: profile.instance_profile_id().to_owned(),
        create_date: profile.create_date().fmt(Format::DateTime).ok(),
    };
    let tags = own_tags(profile.tags().iter().map(|tag| (tag.key(), tag.value())));
    Live::new(profile.instance_profile_name(), spec, outputs).with(arn, tags)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::kinds::trial::Trial;
    use crate::resource::OnDelete;
    use crate::services::Fault;
    use crate::services::iam::Iam;
    use crate::services::{Error, Service};

    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

    /// Made, given another role, given none, taken away; and a role that it holds does not go before it.
    #[tokio::test]
    async fn a_role_is_put_in_taken_out_and_let_go() {
        let trial = Trial::new("iam/InstanceProfile", "batch").await;
        let iam = trial.client::<Iam>();
        for role in ["one", "two"] {
            iam.create_role().role_name(role).assume_role_policy_document(TRUST).send().await.unwrap();
        }
        let made = trial.settle(&json!({"path": "/jobs/", "roles": ["one"]})).await;
        let arn = format!("arn:aws:iam::{}:instance-profile/jobs/batch", trial.place.account);
        assert_eq!(made.outputs["arn"], arn);
        assert_eq!(trial.look(false).await.unwrap(), trial.look(true).await.unwrap());
        trial.settle(&json!({"path": "/jobs/", "roles": ["two"]})).await;
        trial.settle(&json!({"path": "/jobs/", "roles": []})).await;
        trial.settle(&json!({"path": "/jobs/", "roles": ["one"]})).await;
        assert!(iam.delete_role().role_name("one").send().await.is_err());
        trial.delete(OnDelete::Refuse).await.unwrap();
        assert_eq!(trial.look(true).await.unwrap(), None);
        iam.delete_role().role_name("one").send().await.unwrap();
    }

    /// hashicorp/terraform-provider-aws, resource_aws_iam_instance_profile.go: both texts are tried again for two minutes.
    #[test]
    fn what_iam_does_not_see_yet_is_waited_for() {
        for (code, message) in [
            ("NoSuchEntity", "The role with name one cannot be found."),
            (
                "InvalidParameterValue",
                "Value (batch) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
            ),
        ] {
            let error = Error {
                code: Some(code.into()),
                ..Error::malformed("iam", "AddRoleToInstanceProfile", message)
            };
            assert!(
                matches!(Iam::classify(&error, std::time::Duration::ZERO), Fault::Propagating(_)),
                "{code}"
            );
        }
    }
}
