//! The policies that `permissions` prints: every call of a real plan, apply, push and submit is allowed by them, and no plan may write.
//!
//! Which permissions a call needs, on which resources and under which conditions, is read off each request and AWS's own tables
//! ([`authorization`]), never taken from the kinds' own. A call that nobody knows fails.

mod asked;
mod authorization;
mod bootstrap;
mod calls;

mod ec2;
mod efs;
mod evaluate;
mod guarded;
mod oracle;
mod roles;
mod sending;
mod stack;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::world::{World, in_account, load};
use batchwright::cloud::Aws;
use batchwright::jobs::{Pace, Request, find, follow, submit};
use batchwright::manifest::Options;
use batchwright::permissions::{For, MANAGED, document, gate, size, split};
use batchwright::plan::Guard;
use batchwright::resource::Desired;
use batchwright::services::batch::Batch;
use batchwright::services::ecr;
use calls::{Need, forbidden};
use evaluate::actions;
use sending::Sending;
use serde_json::Value;

fn desired(environment: &str) -> Desired {
    desired_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests"), environment)
}

fn desired_of(root: &Path, environment: &str) -> Desired {
    let account = if environment == "dev" { "1" } else { "2" }.repeat(12);
    let image =
        format!("{account}.dkr.ecr.us-east-1.amazonaws.com/{environment}-worker@sha256:{}", "a".repeat(64));
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    load(root, environment, &Options { images, ..Options::default() })
}

/// `prod` of a project that is not called like its repository.
fn in_another_project() -> Desired {
    let folder = tempfile::tempdir().unwrap();
    crate::world::copy::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests"), folder.path());
    let file = folder.path().join("prod/environment.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let other = text.replace("project: acme/payments-batch", "project: billing");
    assert_ne!(text, other);
    fs::write(&file, other).unwrap();
    desired_of(folder.path(), "prod")
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

/// Plans and applies an environment for real, and holds every call against the policies that are printed for it.
async fn every_call_is_allowed(desired: &Desired) {
    let sending = Sending::default();
    let World { sandbox, account, .. } = World::of(desired).await;
    // A boundary is somebody else's to make, and there before.
    let roles = desired.resources.values();
    let mut boundaries =
        roles.filter_map(|it| it.spec.get("permissionsBoundary")?.as_str()?.rsplit_once('/'));
    if let Some((_, name)) = boundaries.next().filter(|(arn, _)| arn.ends_with(":policy")) {
        let document = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
        iam.create_policy().policy_name(name).policy_document(document).send().await.unwrap();
    }
    let noting = sending.noting(sandbox.sdk_config());
    let cloud = Aws::new(&noting, desired.place.clone(), None);
    let world = World { sandbox, cloud, account };
    let (plan, apply) = (document(desired, For::Plan), document(desired, For::Apply));
    let fits = |policy: &Value, of: &str| {
        let needs = sending.needs(desired);
        assert!(!needs.is_empty(), "of {of}");
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
        let applied = sending.needs(desired);
        assert!(!forbidden(&apply, &applied).is_empty(), "a workflow may not open the gate");
    }
    world.apply(desired, &Guard::default()).await;
    let applied = fits(&apply, "an apply");
    world.plan(desired, &Guard::default()).await;
    fits(&plan, "a plan of what is there");

    // Who plans may not apply: the check can fail.
    let refused = forbidden(&plan, &applied);
    let has_bucket = desired.resources.keys().any(|id| id.kind == "s3/Bucket");
    let of_bucket = has_bucket.then_some("s3:TagResource");
    for action in ["batch:CreateJobQueue", "ec2:CreateVpc", "iam:PassRole", "iam:CreateRole"]
        .into_iter()
        .chain(of_bucket)
    {
        assert!(refused.iter().any(|need| need.action == action), "{action} of {refused:?}");
    }

    if desired.environment == "prod" {
        submitted(&world, desired).await;
        let called = fits(&document(desired, For::Submit), "a job");
        assert!(called.iter().any(|need| need.action == "batch:SubmitJob"));
        pushed(&world, desired, &aws_sdk_ecr::Client::new(&noting)).await;
        let called = fits(&document(desired, For::Push), "an image");
        assert!(called.iter().any(|need| need.action == "ecr:PutImage"));
    } else {
        // Here nothing holds up the end.
        let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..desired.clone() };
        world.apply(&nothing, &Guard { destroy: true, ..Guard::default() }).await;
        fits(&apply, "the end of everything");
    }
}

/// Submits a job, and looks at it once.
async fn submitted(world: &World, desired: &Desired) {
    let target = find(desired, &world.cloud, "payments", None).await.unwrap();
    let request = Request { target, parameters: BTreeMap::new(), depends_on: Vec::new(), array: None };
    let clients = world.cloud.clients();
    let job = submit(clients.of::<Batch>().unwrap(), &request, Pace::default()).await.unwrap();
    // However it goes on.
    drop(follow(clients, &job.id, None, &mut |_| ()).await);
}

/// Asks for a commit's image, and moves the tag `latest` to it; the image itself is pushed by docker.
async fn pushed(world: &World, desired: &Desired, client: &aws_sdk_ecr::Client) {
    let repository = &desired.resources[&desired.images["worker"].repository].physical_name;
    let manifest =
        r#"{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}"#;
    let docker = aws_sdk_ecr::Client::new(&world.sandbox.sdk_config());
    let put = docker.put_image().repository_name(repository).image_tag("commit").image_manifest(manifest);
    put.send().await.unwrap();
    assert!(ecr::image_digest(client, repository, "commit").await.unwrap().is_some());
    assert!(ecr::point(client, repository, "next", "commit").await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dev_calls_nothing_that_its_policies_forbid() {
    every_call_is_allowed(&desired("dev")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prod_calls_nothing_that_its_policies_forbid() {
    // Another account than that of the tests of `bootstrap`.
    every_call_is_allowed(&in_account(&in_another_project(), "222222222223")).await;
}

/// Instances, and the network that they are in: what the payments stack has not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_on_ec2_calls_nothing_that_its_policies_forbid() {
    every_call_is_allowed(&crate::templates::desired("700000000013", 30, "BEST_FIT_PROGRESSIVE")).await;
}

/// Files that jobs share, and what EFS does with the rights of whoever asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_with_files_calls_nothing_that_its_policies_forbid() {
    every_call_is_allowed(&crate::files::desired("700000000022")).await;
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
    const EVERYWHERE: &[&str] = &[
        "ec2:",
        "logs:DeleteLogDelivery",
        "elasticfilesystem:",
        "route53:AssociateVPCWithHostedZone",
        "iam:RemoveRole",
        "kms:RetireGrant",
    ];
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
    // The ids of EC2 and EFS say nothing: there the owner tag does, wherever something is changed or removed.
    let text = serde_json::to_string(&apply).unwrap();
    assert!(text.contains(r#""aws:ResourceTag/batchwright:owner":"acme/payments-batch/prod""#), "{text}");
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
