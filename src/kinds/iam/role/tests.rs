use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, PolicyDetail, RoleDetail, Tag};
use serde_json::{Value, json};

use super::{Role, Spec};
use crate::diff::Rules;
use crate::kind::{AnyKind, Erased, Kind};
use crate::resource::{Place, Readiness};
use crate::services::iam::{self, Snapshot};

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ecs-tasks.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn snapshot() -> Snapshot {
    let detail = RoleDetail::builder()
        .role_name("job")
        .role_id("AROAEXAMPLE")
        .path("/jobs/")
        .arn("arn:aws:iam::111122223333:role/jobs/job")
        .assume_role_policy_document(TRUST)
        .attached_managed_policies(
            AttachedPolicy::builder().policy_arn("arn:aws:iam::aws:policy/ReadOnlyAccess").build(),
        )
        .role_policy_list(
            PolicyDetail::builder()
                .policy_name("extra")
                .policy_document("%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D")
                .build(),
        )
        .permissions_boundary(
            AttachedPermissionsBoundary::builder()
                .permissions_boundary_arn("arn:aws:iam::111122223333:policy/limit")
                .build(),
        )
        .tags(Tag::builder().key("team").value("data").build().unwrap())
        .tags(Tag::builder().key("aws:cloudformation:stack-name").value("x").build().unwrap())
        .build();
    let linked = RoleDetail::builder()
        .role_name("AWSServiceRoleForBatch")
        .path("/aws-service-role/batch.amazonaws.com/")
        .build();
    let role = |detail: RoleDetail| iam::Role {
        profiles_elsewhere: Default::default(),
        detail,
        description: Some(String::new()),
        max_session_duration: Some(7200),
    };
    let mut snapshot = Snapshot::default();
    snapshot.roles.insert("job".to_owned(), role(detail));
    snapshot.roles.insert("AWSServiceRoleForBatch".to_owned(), role(linked));
    snapshot
}

#[test]
fn a_role_is_reported_whole_and_in_the_manifests_words() {
    let mut live = Role::observe(&snapshot(), &place());
    assert_eq!(live.len(), 1, "a service-linked role is none of these");
    let mut live = live.remove(0);
    Role::normalise(&mut live.spec, &place());
    insta::assert_json_snapshot!((&live.physical, &live.arn, &live.spec, &live.outputs, &live.tags), @r#"
[
  "job",
  "arn:aws:iam::111122223333:role/jobs/job",
  {
    "assumeRolePolicyDocument": {
      "Statement": [
        {
          "Action": "sts:AssumeRole",
          "Effect": "Allow",
          "Principal": {
            "Service": "ecs-tasks.amazonaws.com"
          }
        }
      ],
      "Version": "2012-10-17"
    },
    "path": "/jobs/",
    "maxSessionDuration": 7200,
    "permissionsBoundary": "arn:aws:iam::111122223333:policy/limit",
    "managedPolicyArns": [
      "arn:aws:iam::aws:policy/ReadOnlyAccess"
    ],
    "policies": [
      {
        "policyName": "extra",
        "policyDocument": {
          "Statement": [],
          "Version": "2012-10-17"
        }
      }
    ]
  },
  {
    "arn": "arn:aws:iam::111122223333:role/jobs/job",
    "roleId": "AROAEXAMPLE",
    "instanceProfiles": []
  },
  {
    "team": "data"
  }
]
"#);
}

/// `waitRoleARNIsNotUniqueID` of hashicorp/terraform-provider-aws: nothing may refer to the role by that.
#[test]
fn a_role_that_has_its_unique_id_for_an_arn_is_waited_for_and_goes_by_the_arn_it_will_have() {
    let mut snapshot = snapshot();
    let ready = Role::observe(&snapshot, &place()).remove(0);
    assert_eq!(ready.readiness, Readiness::Ready);
    snapshot.roles.get_mut("job").unwrap().detail.arn = Some("AROAEXAMPLE".to_owned());
    let young = Role::observe(&snapshot, &place()).remove(0);
    assert!(matches!(young.readiness, Readiness::Pending(_)), "{:?}", young.readiness);
    assert_eq!((young.arn, young.outputs.arn), (ready.arn, ready.outputs.arn));
}

fn differs(live: &Value, want: &Value) -> Vec<String> {
    let kind = Erased::<Role>::new();
    let normal = |spec: &Value| kind.normal(spec, &place()).unwrap();
    let rules: &Rules = &kind.facts().rules;
    crate::diff::walk(&normal(live), &normal(want), rules, &[])
        .into_iter()
        .map(|change| change.path)
        .collect()
}

#[test]
fn what_nobody_declared_is_drift() {
    let want = json!({"assumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "managedPolicyArns": ["a", "b"], "policies": [{"policyName": "p", "policyDocument": {"Statement": []}}]});
    assert!(differs(&want, &want).is_empty());
    let mut live = want.clone();
    live["managedPolicyArns"] = json!(["b", "a", "c"]);
    live["policies"] = json!([{"policyName": "q", "policyDocument": {}}, want["policies"][0]]);
    live["maxSessionDuration"] = json!(7200);
    live["description"] = json!("by hand");
    assert_eq!(
        differs(&live, &want),
        ["description", "managedPolicyArns", "maxSessionDuration", "policies[q]"]
    );
}

#[test]
fn a_principal_that_lost_its_role_is_drift() {
    let trust = |principal: &str| {
        json!({"assumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}]}})
    };
    let want = trust("arn:aws:iam::111122223333:role/x");
    assert_eq!(differs(&trust("AROAEXAMPLE"), &want), ["assumeRolePolicyDocument"]);
    assert!(differs(&want, &want).is_empty());
}

fn complaints(spec: Value) -> String {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    Role::validate(&spec, &place())
        .iter()
        .map(|found| format!("{}: {}\n", found.path, found.message))
        .collect()
}

#[test]
fn the_example_is_valid() {
    let manifest: Value = serde_yaml::from_str(Role::EXAMPLE).unwrap();
    assert_eq!(complaints(manifest["spec"].clone()), "");
}

#[test]
fn limits_are_told() {
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]});
    let allow = |action: String| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
    insta::assert_snapshot!(complaints(json!({
        "assumeRolePolicyDocument": trust,
        "path": "jobs",
        "maxSessionDuration": 60,
        "permissionsBoundary": "limit",
        "managedPolicyArns": (0..11).map(|i| format!("arn:aws:iam::aws:policy/p{i}")).collect::<Vec<_>>(),
        "policies": [
            {"policyName": "big one", "policyDocument": allow(format!("s3:{}", "x".repeat(10_240)))},
            {"policyName": "a", "policyDocument": allow("s3:*".to_owned())},
            {"policyName": "a", "policyDocument": allow("s3:*".to_owned())},
        ],
    })), @r#"
path: `jobs` is not a path: it begins and ends with a slash, such as `/jobs/`, and has up to 512 characters
maxSessionDuration: 60 is outside 3600 to 43200 seconds
managedPolicyArns: 11 policies are attached; a role takes 10: join some of them, or make some inline
permissionsBoundary: `limit` is not a policy's ARN: expected `arn:<partition>:iam::<account>:policy/<name>` or `${iam/Policy/<name>.arn}`
policies[0].policyName: `big one` holds ' '; IAM takes letters, digits and _+=,.@- in names
policies[2].policyName: `a` is the name of policies[1] as well
policies: have 10503 characters together, without white space; a role takes 10240: make some of them iam/Policy
"#);
}

/// A boundary that a variable left empty is none, and must not be dropped without a word.
#[test]
fn an_empty_boundary_is_refused() {
    use crate::kind::AnyKind;
    let kind = crate::kind::Erased::<Role>::new();
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]});
    let spec = json!({"assumeRolePolicyDocument": trust, "permissionsBoundary": ""});
    let found = kind.validate(&kind.normal(&spec, &place()).unwrap(), &place());
    assert_eq!(found.iter().map(|found| found.path.as_str()).collect::<Vec<_>>(), ["permissionsBoundary"]);
}
