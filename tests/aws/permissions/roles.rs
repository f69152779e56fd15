//! What who applies may do with roles: pass them on, attach policies to them, and write them at all.

use std::collections::BTreeMap;

use batchwright::permissions::{For, document, gate};
use batchwright::resource::{Desired, Place};
use serde_json::{Value, json};

use super::evaluate::may;
use super::{desired, every_call_is_allowed};
use crate::world::in_account;

fn iam(rest: &str) -> String {
    format!("arn:aws:iam::222222222222:{rest}")
}

fn field<'a>(desired: &'a mut Desired, id: &str, pointer: &str) -> &'a mut Value {
    let declared = desired.resources.get_mut(&id.parse().unwrap()).expect("it is declared");
    declared.spec.pointer_mut(pointer).expect("it has the field")
}

#[test]
fn only_named_roles_are_passed_on_and_only_to_who_needs_them() {
    let passed = |desired: &Desired, role: &str, service: &str| {
        let apply = document(desired, For::Apply);
        may(&apply, "iam:PassRole", &iam(role), &[("iam:PassedToService", service)])
    };
    let mut desired = desired("prod");
    let batch_own = "role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch";
    for (role, service, expected) in [
        ("role/prod-payments-job", "ecs-tasks.amazonaws.com", true),
        ("role/prod-payments-job", "lambda.amazonaws.com", false),
        ("role/prod-payments-job", "batch.amazonaws.com", true),
        ("role/prod-payments-job", "ec2.amazonaws.com", false),
        ("role/other", "ecs-tasks.amazonaws.com", false),
        ("role/tasks/other", "ecs-tasks.amazonaws.com", false),
        (batch_own, "batch.amazonaws.com", true),
        (batch_own, "ecs-tasks.amazonaws.com", false),
    ] {
        assert_eq!(passed(&desired, role, service), expected, "{role} to {service}");
    }
    // A role of somebody else's is passed on where it is named, and no other beside it.
    let role = iam("role/tasks/other");
    *field(&mut desired, "batch/JobDefinition/payments", "/containerProperties/executionRoleArn") =
        json!(role);
    assert!(passed(&desired, "role/tasks/other", "ecs-tasks.amazonaws.com"));
    assert!(!passed(&desired, "role/tasks/another", "ecs-tasks.amazonaws.com"));
}

/// In China EC2 has a name of its own, and the others have none (aws/aws-cdk, region-info: `ec2.${URL_SUFFIX}`): C9 of the
/// review of first contacts.
#[test]
fn in_china_roles_are_passed_on_to_ec2_by_its_name_there() {
    let mut desired = desired("prod");
    desired.place = Place::new("222222222222", "cn-north-1");
    let role = "arn:aws-cn:iam::222222222222:role/batch";
    *field(&mut desired, "batch/ComputeEnvironment/fargate", "/serviceRole") = json!(role);
    let apply = document(&desired, For::Apply);
    let passed = |service: &str| may(&apply, "iam:PassRole", role, &[("iam:PassedToService", service)]);
    for service in ["ec2.amazonaws.com.cn", "batch.amazonaws.com", "ecs.amazonaws.com"] {
        assert!(passed(service), "{service}");
    }
    assert!(!passed("lambda.amazonaws.com.cn"));
}

#[test]
fn only_declared_policies_are_attached() {
    let of_tasks = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    let mut desired = desired("prod");
    let execution = desired.resources.get_mut(&"iam/Role/execution".parse().unwrap()).unwrap();
    execution.spec["managedPolicyArns"] = json!([of_tasks]);
    let apply = document(&desired, For::Apply);
    let attach = |role: &str, policy: &str| {
        may(&apply, "iam:AttachRolePolicy", &iam(role), &[("iam:PolicyARN", policy)])
    };
    assert!(attach("role/prod-payments-execution", of_tasks));
    assert!(attach("role/prod-payments-execution", &iam("policy/prod-something")));
    assert!(!attach("role/prod-payments-execution", "arn:aws:iam::aws:policy/AdministratorAccess"));
    assert!(!attach("role/prod-payments-execution", &iam("policy/other")));
    assert!(!attach("role/prod-github-apply", of_tasks), "the gate");
    assert!(!attach("role/other", of_tasks));
}

/// Every role of the environment carries this boundary, but for those that let GitHub in.
pub fn bounded(environment: &str, boundary: &str) -> Desired {
    let mut desired = desired(environment);
    let gate = gate(&desired);
    let roles =
        desired.resources.values_mut().filter(|it| it.id.kind == "iam/Role" && !gate.contains(&it.id));
    for role in roles {
        role.spec["permissionsBoundary"] = boundary.into();
    }
    desired
}

#[test]
fn where_roles_have_a_boundary_none_is_written_without_it() {
    let boundary = iam("policy/prod-boundary");
    let apply = document(&bounded("prod", &boundary), For::Apply);
    let role = iam("role/prod-payments-job");
    for action in
        ["iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary", "iam:DetachRolePolicy"]
    {
        let with = |given: &[(&str, &str)]| may(&apply, action, &role, given);
        assert!(with(&[("iam:PermissionsBoundary", &boundary)]), "{action}");
        assert!(!with(&[]), "{action}");
        assert!(!with(&[("iam:PermissionsBoundary", &iam("policy/prod-wider"))]), "{action}");
    }
    let carries = ("iam:PermissionsBoundary", boundary.as_str());
    assert!(!may(&apply, "iam:DeleteRolePermissionsBoundary", &role, &[carries]));
    // And nobody makes it wider.
    for action in ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"] {
        assert!(!may(&apply, action, &boundary, &[]), "{action}");
        assert!(may(&apply, action, &iam("policy/prod-other"), &[]), "{action}");
    }
    // One role without it, and it is not demanded: that role could not be made.
    let mut some = bounded("prod", &boundary);
    let job = some.resources.get_mut(&"iam/Role/job".parse().unwrap()).unwrap();
    job.spec.as_object_mut().unwrap().remove("permissionsBoundary");
    assert!(may(&document(&some, For::Apply), "iam:CreateRole", &role, &[]));
}

#[test]
fn a_declared_boundary_is_a_part_of_the_gate() {
    let mut desired = desired("prod");
    let id = "iam/Policy/ecr-login".parse().unwrap();
    assert!(gate(&desired).contains(&id));
    desired.resources.retain(|id, _| id.kind != "iam/Role" || id.name == "job");
    assert!(!gate(&desired).contains(&id));
    let job = desired.resources.get_mut(&"iam/Role/job".parse().unwrap()).unwrap();
    job.spec["permissionsBoundary"] = "${iam/Policy/ecr-login.arn}".into();
    assert!(gate(&desired).contains(&id));
    let apply = document(&desired, For::Apply);
    assert!(!may(&apply, "iam:CreatePolicyVersion", &iam("policy/prod-ecr-login"), &[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_with_a_boundary_calls_nothing_that_its_policies_forbid() {
    let desired = bounded("dev", "arn:aws:iam::111111111111:policy/dev-boundary");
    every_call_is_allowed(&in_account(&desired, "111111111112")).await;
}

/// Nothing is declared any more, and everything can be seen and go; nothing can be made, and nobody else's can go.
#[test]
fn the_last_of_a_kind_can_go() {
    let prod = desired("prod");
    let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..prod };
    let [plan, apply] = [For::Plan, For::Apply].map(|purpose| document(&nothing, purpose));
    let of = |service: &str, rest: &str| format!("arn:aws:{service}:us-east-1:222222222222:{rest}");
    let owned: &[(&str, &str)] = &[("aws:ResourceTag/batchwright:owner", "acme/payments-batch/prod")];
    for (action, resource, context) in [
        ("batch:UpdateJobQueue", of("batch", "job-queue/prod-payments"), &[][..]),
        ("batch:DeleteJobQueue", of("batch", "job-queue/prod-payments"), &[]),
        ("batch:DeregisterJobDefinition", of("batch", "job-definition/prod-payments:3"), &[]),
        ("ecr:DeleteRepository", of("ecr", "repository/prod-worker"), &[]),
        ("iam:DeleteRole", iam("role/prod-payments-job"), &[]),
        ("s3:DeleteBucket", "arn:aws:s3:::prod-source".to_owned(), &[]),
        ("ec2:DeleteVpc", of("ec2", "vpc/vpc-1"), owned),
    ] {
        assert!(may(&apply, action, &resource, context), "{action} on {resource}");
        assert!(!may(&plan, action, &resource, context), "who plans: {action} on {resource}");
    }
    assert!(may(&plan, "batch:DescribeJobQueues", "*", &[]));
    assert!(!may(&apply, "batch:CreateJobQueue", &of("batch", "job-queue/prod-payments"), &[]));
    assert!(!may(&apply, "batch:DeleteJobQueue", &of("batch", "job-queue/other"), &[]));
    assert!(!may(&apply, "ec2:DeleteVpc", &of("ec2", "vpc/vpc-1"), &[]));
}
