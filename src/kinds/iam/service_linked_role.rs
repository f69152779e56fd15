//! `iam/ServiceLinkedRole`: the role that an AWS service uses for itself.

use super::types::{name, text};
use crate::kind::prelude::*;
use crate::services::iam::{self, Iam, Snapshot};

/// A service-linked role.
pub struct ServiceLinkedRole;

/// What a manifest declares of a service-linked role.
#[spec]
pub struct Spec {
    /// The service's principal, such as `batch.amazonaws.com`.
    #[field(create_only)]
    pub aws_service_name: String,
    /// What its name ends in after an underscore; few services take one (Auto Scaling does).
    #[field(empty, create_only)]
    pub custom_suffix: Option<String>,
    /// What it is for; absent: whatever the service or somebody else wrote.
    #[field(server)]
    pub description: Option<String>,
}

/// What AWS assigns to a service-linked role.
#[outputs]
pub struct Outputs {
    /// Its name, such as `AWSServiceRoleForBatch`.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its unique id, `AROA…`.
    pub role_id: String,
}

/// Whether a text denotes a service-linked role: its ARN, or a reference to one.
pub fn denotes(role: &str) -> bool {
    role.contains(":role/aws-service-role/") || role.starts_with(&format!("${{{}/", ServiceLinkedRole::NAME))
}

/// How services spell themselves in `AWSServiceRoleFor…`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html> and each service's guide).
const SPELLINGS: &[(&str, &str)] = &[
    ("autoscaling", "AutoScaling"),
    ("batch", "Batch"),
    ("ec2fleet", "EC2Fleet"),
    ("ecs", "ECS"),
    ("ecs.application-autoscaling", "ApplicationAutoScaling_ECSService"),
    ("eks", "AmazonEKS"),
    ("eks-fargate", "AmazonEKSForFargate"),
    ("eks-nodegroup", "AmazonEKSNodegroup"),
    ("elasticloadbalancing", "ElasticLoadBalancing"),
    ("events", "CloudWatchEvents"),
    ("pullthroughcache.ecr", "ECRPullThroughCache"),
    ("replication.ecr", "ECRReplication"),
    ("spot", "EC2Spot"),
    ("spotfleet", "EC2SpotFleet"),
];

const ROLE_PATH: &str = "/aws-service-role/";

impl Kind for ServiceLinkedRole {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Iam;
    type Seen = ();

    const NAME: &'static str = "iam/ServiceLinkedRole";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "The role that an AWS service uses for itself, such as AWSServiceRoleForBatch. The account's, so never deleted.";
    const CLOUDFORMATION: &'static str = "AWS::IAM::ServiceLinkedRole";
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![iam: GetAccountAuthorizationDetails ListRoles]),
            Grant::on(
                actions![iam: GetRole ListAttachedRolePolicies ListInstanceProfilesForRole
                    ListRolePolicies],
                &[On::Iam("role/aws-service-role/{spec.awsServiceName}/*")],
            ),
        ],
        write: &[Grant::on(
            actions![iam: CreateServiceLinkedRole UpdateRole],
            &[On::Iam("role/aws-service-role/{spec.awsServiceName}/*")],
        )],
    };
    const OWNERSHIP: Ownership = Ownership::Shared;
    const EXAMPLE: &'static str = include_str!("service_linked_role.example.yaml");

    /// AWS's name of the role; of services whose spelling is not known, the service and the suffix.
    fn physical(spec: &Spec, _name: &str, _place: &Place) -> String {
        let suffix = spec.custom_suffix.as_deref().filter(|suffix| !suffix.is_empty());
        match (spelling(&spec.aws_service_name), suffix) {
            (Some(base), None) => base,
            (Some(base), Some(suffix)) => format!("{base}_{suffix}"),
            (None, None) => spec.aws_service_name.clone(),
            (None, Some(suffix)) => format!("{}/{suffix}", spec.aws_service_name),
        }
    }

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        let service = &spec.aws_service_name;
        let principal = service.contains(".amazonaws.com") && name::invalid(service, 128).is_none();
        // Both name the role: no reference stands for a part of them.
        if !principal {
            let hint = service.split('.').next().unwrap_or_default();
            let message = format!(
                "`{service}` is not a service's principal: expected one such as `{hint}.amazonaws.com`"
            );
            found.push(Invalid::new("awsServiceName", message));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if spec.custom_suffix.as_ref().is_some_and(|s| s.len() > 64 || !s.chars().all(allowed)) {
            let message = "has to have up to 64 letters, digits and _+=,.@-";
            found.push(Invalid::new("customSuffix", message));
        }
        text::description("description", spec.description.as_ref(), &mut found);
        found
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.custom_suffix = spec.custom_suffix.take().filter(|text| !text.is_empty());
        spec.description = spec.description.take().filter(|text| !text.is_empty());
    }

    fn predict(name: &str, spec: &Spec, place: &Place) -> BTreeMap<String, String> {
        if spelling(&spec.aws_service_name).is_none() {
            return BTreeMap::new();
        }
        let role = format!("role{ROLE_PATH}{}/{name}", spec.aws_service_name);
        BTreeMap::from([("arn".to_owned(), place.iam_arn(&role))])
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.roles.values().filter_map(|role| live(role, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_service_linked_role()
            .aws_service_name(&want.aws_service_name)
            .set_custom_suffix(want.custom_suffix.clone())
            .set_description(want.description.clone());
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if diff.touches("description") {
            let call = cx.client.update_role().role_name(&live.outputs.name);
            let call = call.set_description(want.description.clone());
            call.send().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn delete(_cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let what = format!("{} is the whole account's, so it is never deleted", live.outputs.name);
        Err(Error::malformed("iam", "DeleteServiceLinkedRole", what))
    }
}

/// What the name of a service's role begins with.
fn spelling(service: &str) -> Option<String> {
    let service = service.trim_end_matches(".cn").strip_suffix(".amazonaws.com")?;
    let (_, spelling) = SPELLINGS.iter().find(|(name, _)| *name == service)?;
    Some(format!("AWSServiceRoleFor{spelling}"))
}

fn live(role: &iam::Role, place: &Place) -> Option<Live<ServiceLinkedRole>> {
    let detail = &role.detail;
    let service = detail.path()?.strip_prefix(ROLE_PATH)?.trim_end_matches('/').to_owned();
    let name = detail.role_name()?.to_owned();
    let custom_suffix = match spelling(&service) {
        Some(base) => name.strip_prefix(&base)?.strip_prefix('_').map(str::to_owned),
        None => name.split_once('_').map(|(_, suffix)| suffix.to_owned()),
    };
    let spec = Spec { aws_service_name: service, custom_suffix, description: role.description.clone() };
    let (arn, readiness) = role.arn(place);
    Some(Live {
        physical: match spelling(&spec.aws_service_name) {
            Some(_) => name.clone(),
            None => match &spec.custom_suffix {
                Some(suffix) => format!("{}/{suffix}", spec.aws_service_name),
                None => spec.aws_service_name.clone(),
            },
        },
        arn: Some(arn.clone()),
        spec,
        outputs: Outputs { name, arn, role_id: detail.role_id().unwrap_or_default().to_owned() },
        tags: role.tags(),
        readiness,
        revision: None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::RoleDetail;
    use serde_json::{Value, json};

    use super::{ServiceLinkedRole, Spec};
    use crate::kind::Kind;
    use crate::resource::Place;
    use crate::services::iam::{self, Snapshot};

    fn place() -> Place {
        Place::new("111122223333", "eu-west-1")
    }

    fn bare(detail: RoleDetail) -> iam::Role {
        iam::Role {
            detail,
            description: None,
            max_session_duration: None,
            profiles_elsewhere: Default::default(),
        }
    }

    #[test]
    fn what_is_declared_and_what_is_found_go_by_one_name() {
        let mut snapshot = Snapshot::default();
        for (service, name) in [
            ("batch.amazonaws.com", "AWSServiceRoleForBatch"),
            ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling_jobs"),
            (
                "ecs.application-autoscaling.amazonaws.com",
                "AWSServiceRoleForApplicationAutoScaling_ECSService",
            ),
            ("new.amazonaws.com", "AWSServiceRoleForSomethingNew"),
            ("new.amazonaws.com", "AWSServiceRoleForSomethingNew_two"),
        ] {
            let detail =
                RoleDetail::builder().role_name(name).path(format!("/aws-service-role/{service}/")).build();
            snapshot.roles.insert(name.to_owned(), bare(detail));
        }
        let other = RoleDetail::builder().role_name("job").path("/").build();
        snapshot.roles.insert("job".to_owned(), bare(other));
        let found = ServiceLinkedRole::observe(&snapshot, &place());
        let lines: Vec<String> = found
            .iter()
            .map(|live| {
                assert_eq!(ServiceLinkedRole::physical(&live.spec, "", &place()), live.physical);
                format!(
                    "{} {:?} = {} = {}",
                    live.spec.aws_service_name, live.spec.custom_suffix, live.physical, live.outputs.name
                )
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
ecs.application-autoscaling.amazonaws.com None = AWSServiceRoleForApplicationAutoScaling_ECSService = AWSServiceRoleForApplicationAutoScaling_ECSService
autoscaling.amazonaws.com Some("jobs") = AWSServiceRoleForAutoScaling_jobs = AWSServiceRoleForAutoScaling_jobs
batch.amazonaws.com None = AWSServiceRoleForBatch = AWSServiceRoleForBatch
new.amazonaws.com None = new.amazonaws.com = AWSServiceRoleForSomethingNew
new.amazonaws.com Some("two") = new.amazonaws.com/two = AWSServiceRoleForSomethingNew_two
"#);
    }

    #[test]
    fn the_example_is_valid_and_its_arn_is_known_beforehand() {
        let manifest: Value = serde_yaml::from_str(ServiceLinkedRole::EXAMPLE).unwrap();
        let spec: Spec = serde_json::from_value(manifest["spec"].clone()).unwrap();
        assert!(ServiceLinkedRole::validate(&spec, &place()).is_empty());
        let name = ServiceLinkedRole::physical(&spec, "batch", &place());
        assert_eq!(
            ServiceLinkedRole::predict(&name, &spec, &place())["arn"],
            "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
        );
        let wrong: Spec =
            serde_json::from_value(json!({"awsServiceName": "batch", "customSuffix": "a b"})).unwrap();
        let found = ServiceLinkedRole::validate(&wrong, &place());
        let found: Vec<String> =
            found.iter().map(|found| format!("{}: {}", found.path, found.message)).collect();
        insta::assert_snapshot!(found.join("\n"), @r#"
awsServiceName: `batch` is not a service's principal: expected one such as `batch.amazonaws.com`
customSuffix: has to have up to 64 letters, digits and _+=,.@-
"#);
    }
}
