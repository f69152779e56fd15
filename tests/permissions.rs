//! The policies that `permissions` prints: every call of a real plan and apply is allowed by them, and no plan may write.
//!
//! Which permission a call needs is taken from CloudFormation's schemas and a list written by hand, never from the kinds' own
//! table (D38). Of the requests to IAM, Batch, S3, ECR and CloudWatch Logs, resources and conditions are checked as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: what fails here fails it"
)]

#[path = "permissions/bootstrap.rs"]
mod bootstrap;
#[path = "permissions/calls.rs"]
mod calls;
#[path = "world/copy.rs"]
mod copy;
#[path = "permissions/evaluate.rs"]
mod evaluate;
#[path = "permissions/roles.rs"]
mod roles;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use batchwright::cloud::Aws;
use batchwright::manifest::Options;
use batchwright::permissions::{For, MANAGED, ROLE, document, gate, size, split};
use batchwright::plan::Guard;
use batchwright::resource::Desired;
use batchwright::sandbox::Stats;
use calls::{Need, Sending, forbidden};
use evaluate::{actions, may};
use serde_json::Value;
use world::{World, load};

/// Operations whose permission has another name: <https://docs.aws.amazon.com/AmazonS3/latest/API/> says it of each, and so
/// does the service authorization reference.
const OTHERWISE: &[(&str, &[&str])] = &[
    ("s3:HeadBucket", &["s3:ListBucket"]),
    ("s3:GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    ("s3:GetBucketLifecycleConfiguration", &["s3:GetLifecycleConfiguration"]),
    ("s3:GetBucketNotificationConfiguration", &["s3:GetBucketNotification"]),
    ("s3:GetPublicAccessBlock", &["s3:GetBucketPublicAccessBlock"]),
    ("s3:PutBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3:PutBucketLifecycleConfiguration", &["s3:PutLifecycleConfiguration"]),
    ("s3:PutBucketNotificationConfiguration", &["s3:PutBucketNotification"]),
    ("s3:PutPublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3:DeleteBucketLifecycle", &["s3:PutLifecycleConfiguration"]),
    ("s3:DeleteBucketTagging", &["s3:PutBucketTagging"]),
    ("s3:DeletePublicAccessBlock", &["s3:PutBucketPublicAccessBlock"]),
    ("s3:ListObjectVersions", &["s3:ListBucketVersions"]),
    ("s3:ListMultipartUploads", &["s3:ListBucketMultipartUploads"]),
    ("s3:DeleteObjects", &["s3:DeleteObject", "s3:DeleteObjectVersion"]),
    ("tagging:GetResources", &["tag:GetResources"]),
    ("ecr:BatchGetImage", &["ecr:BatchGetImage"]),
    ("ecr:DescribeImages", &["ecr:DescribeImages"]),
    ("iam:GetAccountAuthorizationDetails", &["iam:GetAccountAuthorizationDetails"]),
    ("iam:ListPolicyTags", &["iam:ListPolicyTags"]),
    ("iam:ListRoleTags", &["iam:ListRoleTags"]),
    ("iam:ListInstanceProfilesForRole", &["iam:ListInstanceProfilesForRole"]),
    ("iam:TagPolicy", &["iam:TagPolicy"]),
    ("iam:UntagPolicy", &["iam:UntagPolicy"]),
    ("iam:DeletePolicyVersion", &["iam:DeletePolicyVersion"]),
    ("iam:SetDefaultPolicyVersion", &["iam:SetDefaultPolicyVersion"]),
    ("logs:DescribeLogStreams", &["logs:DescribeLogStreams"]),
    ("batch:ListJobs", &["batch:ListJobs"]),
    ("batch:DescribeJobs", &["batch:DescribeJobs"]),
];

/// What else a call needs: tags in a create call, and roles that are handed to a service.
const WITH: &[(&str, &[&str])] = &[
    ("batch:CreateComputeEnvironment", &["batch:TagResource", "iam:PassRole"]),
    ("s3:CreateBucket", &["s3:TagResource"]),
    ("batch:CreateJobQueue", &["batch:TagResource"]),
    ("batch:RegisterJobDefinition", &["batch:TagResource", "iam:PassRole"]),
    ("ecr:CreateRepository", &["ecr:TagResource"]),
    ("iam:CreateOpenIDConnectProvider", &["iam:TagOpenIDConnectProvider"]),
    ("iam:CreatePolicy", &["iam:TagPolicy"]),
    ("iam:CreateRole", &["iam:TagRole"]),
    ("logs:CreateLogGroup", &["logs:TagResource"]),
    ("ec2:CreateInternetGateway", &["ec2:CreateTags"]),
    ("ec2:CreateRouteTable", &["ec2:CreateTags"]),
    ("ec2:CreateSecurityGroup", &["ec2:CreateTags"]),
    ("ec2:CreateSubnet", &["ec2:CreateTags"]),
    ("ec2:CreateVpc", &["ec2:CreateTags"]),
    ("ec2:CreateVpcEndpoint", &["ec2:CreateTags"]),
];

fn desired(environment: &str) -> Desired {
    let account = if environment == "dev" { "1" } else { "2" }.repeat(12);
    let image =
        format!("{account}.dkr.ecr.us-east-1.amazonaws.com/{environment}-worker@sha256:{}", "a".repeat(64));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    load(&root, environment, &Options { images, ..Options::default() })
}

/// The same in an account of its own: sandboxes of one process share what they pass calls on to.
fn in_account(desired: &Desired, account: &str) -> Desired {
    let text = serde_json::to_string(desired).unwrap().replace(&desired.place.account, account);
    serde_json::from_str(&text).unwrap()
}

/// A policy document as it stands in a manifest of the github stack: with variables in the place of what they stand for.
fn with_variables(policy: &Value, indent: &str) -> String {
    let text = serde_yaml::to_string(policy).unwrap();
    let text: String = text.lines().map(|line| format!("{indent}{line}\n")).collect();
    let variables = [
        ("arn:aws:", "arn:${env.partition}:"),
        ("222222222222", "${env.account}"),
        ("us-east-1", "${env.region}"),
        ("prod-", "${env.name}-"),
        ("acme/payments-batch/prod", "${env.owner}"),
    ];
    variables.iter().fold(text, |text, (value, variable)| text.replace(value, variable))
}

/// A role of the github stack, with the policy that is printed.
fn role(
    name: &str,
    description: &str,
    subjects: &[&str],
    policies: &[(&str, &Value)],
    attached: &str,
) -> String {
    let subjects: String =
        subjects.iter().map(|it| format!("\n              - ${{var.subject}}:{it}")).collect();
    let policies: String = policies
        .iter()
        .map(|(name, policy)| {
            let document = with_variables(policy, "        ");
            format!("    - policyName: {name}\n      policyDocument:\n{document}")
        })
        .collect();
    format!(
        "# Written by `BLESS=1 cargo test --test permissions`: may what `batchwright permissions prod --for {name}` prints.
apiVersion: batchwright/v1
kind: iam/Role
metadata:
  name: {name}
  physicalName: ${{env.name}}-github-{name}
spec:
  description: {description}
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement:
      - Effect: Allow
        Principal: {{Federated: \"${{iam/OidcProvider/github.arn}}\"}}
        Action: sts:AssumeRoleWithWebIdentity
        Condition:
          StringEquals:
            token.actions.githubusercontent.com:aud: sts.amazonaws.com
            token.actions.githubusercontent.com:sub:{subjects}
{attached}  policies:
{policies}"
    )
}

/// The network's part of a policy, and the rest: a role takes 10,240 characters of inline policies, a policy 6,144.
fn parted(policy: &Value) -> (Value, Value) {
    let network = |statement: &Value| {
        let actions = statement["Action"].as_array().unwrap();
        actions.iter().all(|it| ["ec2:", "route53:"].iter().any(|of| it.as_str().unwrap().starts_with(of)))
    };
    let statements = policy["Statement"].as_array().unwrap().iter().cloned();
    let (network, rest): (Vec<Value>, Vec<Value>) = statements.partition(network);
    let document =
        |statements: Vec<Value>| serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    (document(network), document(rest))
}

#[test]
fn the_github_stacks_roles_have_the_policies_that_are_printed() {
    let desired = desired("prod");
    let (plan, apply) = (document(&desired, For::Plan), document(&desired, For::Apply));
    let (network, rest) = parted(&apply);
    let reads = ["pull_request", "ref:refs/heads/${var.defaultBranch}"];
    let attached = "  maxSessionDuration: 7200\n  managedPolicyArns: [\"${iam/Policy/apply-network.arn}\"]\n";
    let policy = format!(
        "---\n# The network's part of it: more than fits into the role itself.\napiVersion: batchwright/v1\nkind: iam/Policy\nmetadata:\n  name: apply-network\nspec:\n  description: Applies the network from GitHub Actions\n  policyDocument:\n{}",
        with_variables(&network, "    ")
    );
    // Whoever applies runs the smoke job too.
    let submit = document(&desired, For::Submit);
    let both = [("apply", &rest), ("submit", &submit)];
    assert!(size(&rest) + size(&submit) <= ROLE && size(&network) <= MANAGED && size(&plan) <= ROLE);
    let files = [
        (
            "plan",
            role("plan", "Plans and looks for drift from GitHub Actions", &reads, &[("plan", &plan)], ""),
        ),
        (
            "apply",
            role("apply", "Applies from GitHub Actions", &["environment:${env.name}"], &both, attached)
                + &policy,
        ),
    ];
    for (name, text) in files {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("manifests/stacks/github/{name}.yaml"));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let stale = "is not what is needed now; BLESS=1 cargo test --test permissions writes it";
        assert!(there == text, "{} {stale}", path.display());
    }
}

#[test]
fn what_is_printed_is_taken_by_iam() {
    for (environment, purpose) in [("prod", For::Apply), ("prod", For::Plan), ("dev", For::Apply)] {
        let whole = document(&desired(environment), purpose);
        let documents = split(&whole, MANAGED);
        let sizes: Vec<usize> = documents.iter().map(size).collect();
        assert!(sizes.iter().all(|size| *size <= 6144), "{environment}: {sizes:?}");
        assert_eq!(documents.len() > 1, size(&whole) > 6144, "{environment}: {sizes:?}");
        let statements = |of: &Value| of["Statement"].as_array().unwrap().clone();
        assert_eq!(documents.iter().flat_map(statements).collect::<Vec<_>>(), statements(&whole));
    }
}

/// Every permission that CloudFormation's handlers name, in small letters.
fn known() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/cfn_permissions.json");
    let data: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let types = data["types"].as_object().unwrap().values();
    types.flat_map(|it| it.as_array().unwrap()).map(|it| it.as_str().unwrap().to_lowercase()).collect()
}

/// The permissions that the calls need; panics over a call of which nobody says what it needs.
fn needed(stats: &Stats) -> BTreeSet<String> {
    let known = known();
    let find = |list: &[(&str, &'static [&'static str])], call: &str| {
        list.iter().find(|(name, _)| *name == call).map(|(_, actions)| *actions)
    };
    let mut needed = BTreeSet::new();
    for call in stats.per_action().into_keys() {
        match find(OTHERWISE, &call) {
            Some(actions) => needed.extend(actions.iter().map(|it| (*it).to_owned())),
            None if known.contains(&call.to_lowercase()) => drop(needed.insert(call.clone())),
            None => panic!("which permission {call} needs is written nowhere"),
        }
        needed.extend(find(WITH, &call).into_iter().flatten().map(|it| (*it).to_owned()));
    }
    needed
}

/// What is needed and not allowed.
fn missing(stats: &Stats, policy: &Value) -> Vec<String> {
    let allowed = actions(policy, "Allow");
    needed(stats).into_iter().filter(|action| !allowed.contains(action)).collect()
}

/// Plans and applies an environment for real, and holds every call against the policies that are printed for it.
async fn every_call_is_allowed(desired: &Desired) {
    let sending = Sending::default();
    let World { sandbox, .. } = World::of(desired).await;
    let cloud = Aws::new(&sending.noting(sandbox.sdk_config()), desired.place.clone(), None);
    let world = World { sandbox, cloud };
    let (plan, apply) = (document(desired, For::Plan), document(desired, For::Apply));
    let begin = || {
        world.sandbox.reset_stats();
        sending.needs(&desired.place)
    };
    let fits = |policy: &Value, of: &str| {
        let stats = world.sandbox.stats();
        assert_eq!(missing(&stats, policy), Vec::<String>::new(), "of {of}");
        let needs = begin();
        assert!(!needs.is_empty() && !stats.calls.is_empty(), "of {of}");
        assert_eq!(forbidden(policy, &needs), Vec::<Need>::new(), "of {of}");
        needs
    };

    world.plan(desired, &Guard::default()).await;
    fits(&plan, "a first plan");
    // The gate is a person's; who came in through it applies the rest.
    let of_gate: BTreeSet<_> = gate(desired);
    if !of_gate.is_empty() {
        let of_github = desired.resources.values().filter(|it| it.stack == "github");
        let only = Some(of_github.map(|it| it.id.clone()).collect());
        world.apply(desired, &Guard { only, ..Guard::default() }).await;
        let applied = begin();
        assert!(!forbidden(&apply, &applied).is_empty(), "a workflow may not open the gate");
    }
    begin();
    world.apply(desired, &Guard::default()).await;
    let applied = fits(&apply, "an apply");
    world.plan(desired, &Guard::default()).await;
    fits(&plan, "a plan of what is there");

    // Who plans may not apply: the check can fail.
    let refused = forbidden(&plan, &applied);
    for action in ["batch:CreateJobQueue", "iam:PassRole", "iam:CreateRole", "s3:CreateBucket"] {
        assert!(refused.iter().any(|need| need.action == action), "{action} of {refused:?}");
    }

    if desired.environment == "dev" {
        begin();
        let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..desired.clone() };
        world.apply(&nothing, &Guard { destroy: true, ..Guard::default() }).await;
        fits(&apply, "the end of everything");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_calls_nothing_that_its_policies_forbid() {
    every_call_is_allowed(&desired("dev")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prod_calls_nothing_that_its_policies_forbid() {
    // Another account than that of the tests of `bootstrap`.
    every_call_is_allowed(&in_account(&desired("prod"), "222222222223")).await;
}

#[test]
fn who_plans_can_change_nothing() {
    for environment in ["dev", "prod"] {
        for action in actions(&document(&desired(environment), For::Plan), "Allow") {
            let verb = action.split_once(':').unwrap().1;
            let reads =
                ["BatchGet", "Describe", "Get", "List", "Lookup"].iter().any(|it| verb.starts_with(it));
            assert!(reads, "{environment}: {action}");
            // It would hand out a credential, and data.
            assert!(!["ecr:GetAuthorizationToken", "s3:GetObject"].contains(&action.as_str()), "{action}");
        }
    }
}

#[test]
fn nothing_is_written_outside_the_environments_names() {
    const EVERYWHERE: &[&str] =
        &["ec2:", "route53:AssociateVPCWithHostedZone", "iam:RemoveRole", "kms:RetireGrant"];
    let desired = desired("prod");
    let (plan, apply) = (document(&desired, For::Plan), document(&desired, For::Apply));
    let reads = actions(&plan, "Allow");
    for statement in apply["Statement"].as_array().unwrap().iter().filter(|it| it["Effect"] == "Allow") {
        let actions: Vec<&str> =
            statement["Action"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        if actions.iter().all(|action| reads.contains(*action)) {
            continue;
        }
        let everywhere = actions.iter().all(|action| EVERYWHERE.iter().any(|it| action.starts_with(it)));
        for resource in statement["Resource"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()) {
            let ours = [
                "prod-",
                "prod/",
                "/batch/prod-payments",
                "oidc-provider/token.actions",
                "aws-service-role/batch.",
            ];
            let part_of =
                ["compute-environment/*", "scheduling-policy/*"].iter().any(|it| resource.ends_with(it));
            let named = ours.iter().any(|it| resource.contains(it));
            assert!(named || part_of || everywhere, "{actions:?} on {resource}");
        }
    }
    // EC2's ids say nothing: there the owner tag does, wherever something is changed or removed.
    let text = serde_json::to_string(&apply).unwrap();
    assert!(text.contains(r#""aws:ResourceTag/batchwright:owner":"acme/payments-batch/prod""#), "{text}");
}

#[test]
fn who_applies_may_not_open_the_gate_it_came_in_through() {
    let desired = desired("prod");
    let gate: Vec<String> = gate(&desired).into_iter().map(|id| id.to_string()).collect();
    assert!(
        gate.contains(&"iam/Role/push".to_owned()) && gate.contains(&"iam/OidcProvider/github".to_owned()),
        "{gate:?}"
    );
    assert!(!gate.contains(&"iam/Role/job".to_owned()), "{gate:?}");
    let apply = document(&desired, For::Apply);
    let denied = actions(&apply, "Deny");
    for action in
        ["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:CreatePolicyVersion"]
    {
        assert!(denied.contains(action), "{action} of {denied:?}");
    }
    // Nothing but the gate is denied: each write on something else is allowed still.
    let iam = |rest: &str| format!("arn:aws:iam::222222222222:{rest}");
    for (action, resource, expected) in [
        ("iam:PutRolePolicy", "role/prod-payments-job", true),
        ("iam:PutRolePolicy", "role/prod-github-apply", false),
        ("iam:PutRolePolicy", "role/some/path/prod-github-push", false),
        ("iam:PutRolePolicy", "role/other", false),
        ("iam:RemoveRoleFromInstanceProfile", "instance-profile/prod-payments-instance", false),
        ("iam:CreatePolicyVersion", "policy/prod-payments", true),
        ("iam:CreatePolicyVersion", "policy/prod-ecr-push", false),
        (
            "iam:UpdateOpenIDConnectProviderThumbprint",
            "oidc-provider/token.actions.githubusercontent.com",
            false,
        ),
    ] {
        assert_eq!(may(&apply, action, &iam(resource), &[]), expected, "{action} on {resource}");
    }
}

#[test]
fn who_pushes_may_push_to_one_repository_and_nothing_else() {
    let push = document(&desired("prod"), For::Push);
    insta::assert_json_snapshot!(push, @r#"
    {
      "Statement": [
        {
          "Action": [
            "ecr:GetAuthorizationToken"
          ],
          "Effect": "Allow",
          "Resource": [
            "*"
          ]
        },
        {
          "Action": [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:UploadLayerPart"
          ],
          "Effect": "Allow",
          "Resource": [
            "arn:aws:ecr:us-east-1:222222222222:repository/prod-batch-payment-processing"
          ]
        }
      ],
      "Version": "2012-10-17"
    }
    "#);
}
