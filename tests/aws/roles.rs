//! Roles of compute environments: too young, wrong, gone, and on their way out (P9, P10).

use std::fs;
use std::time::Duration;

use crate::stack::{everything_goes, failures, run};
use crate::world::{hasty, load, planned};
use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::{Limits, Report};
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, Verb};
use batchwright::render::{Paint, report};
use batchwright::resource::Desired;
use batchwright::sandbox::{Call, MotoSource, Options, Sandbox};

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"222222222222\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n";

/// A compute environment with a service role of its own, which this service may assume: manifests that let in another one than
/// Batch are refused before.
fn desired(trusted: &str) -> Desired {
    let mut desired = declared(&include_str!("roles/main.yaml").replace("TRUSTED", "batch.amazonaws.com"));
    for declared in desired.resources.values_mut().filter(|it| it.id.kind == "iam/Role") {
        declared.spec["assumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] = trusted.into();
    }
    desired
}

fn declared(main: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("dev")).unwrap();
    fs::create_dir_all(root.join("stacks/main")).unwrap();
    fs::write(root.join("dev/environment.yaml"), ENVIRONMENT).unwrap();
    fs::write(root.join("stacks/main/main.yaml"), main).unwrap();
    let mut desired = load(root, "dev", &manifest::Options::default());
    // Where the folder lies is nobody's business.
    for declared in desired.resources.values_mut() {
        declared.position.file = "manifests/stacks/main/main.yaml".to_owned();
    }
    desired
}

fn nothing(desired: &Desired) -> Desired {
    Desired { resources: std::collections::BTreeMap::new(), ..desired.clone() }
}

async fn apply(sandbox: &Sandbox, desired: &Desired, guard: &Guard, limits: &Limits) -> (Plan, Report) {
    let config = sandbox.sdk_config();
    let aws = Aws::new(&config, desired.place.clone(), None);
    let observed = aws.observe(&Scope::of(desired)).await.unwrap();
    let plan = planned(desired, &observed, guard);
    assert_eq!(plan.objections, vec![]);
    let report = run(&config, &plan, &observed, limits).await;
    (plan, report)
}

async fn applied(sandbox: &Sandbox, desired: &Desired, guard: &Guard) -> Plan {
    let (plan, report) = apply(sandbox, desired, guard, &hasty()).await;
    assert!(report.complete(), "{}", failures(&plan, &report));
    plan
}

/// Each test has its own: they all live in one account.
async fn sandbox() -> Sandbox {
    let Desired { place, .. } = desired("batch.amazonaws.com");
    let (account, region) = (place.account, place.region);
    let options = Options { account, region, moto: MotoSource::Own, ..Options::isolated() };
    Sandbox::start(options, &mut |_| ()).await.unwrap()
}

/// The environment's status and what Batch says of it.
async fn status(sandbox: &Sandbox) -> Option<(String, String)> {
    let batch = aws_sdk_batch::Client::new(&sandbox.sdk_config());
    let found = batch.describe_compute_environments().send().await.unwrap();
    let one = found.compute_environments().first()?;
    let status = one.status().map(|status| status.as_str().to_owned()).unwrap_or_default();
    Some((status, one.status_reason().unwrap_or_default().to_owned()))
}

/// Somebody removes the role.
async fn remove_the_role(sandbox: &Sandbox) {
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let arn = format!("arn:aws:iam::{}:policy/dev-batch", sandbox.account());
    iam.detach_role_policy().role_name("dev-batch").policy_arn(arn).send().await.unwrap();
    iam.delete_role().role_name("dev-batch").send().await.unwrap();
}

/// Somebody removes the role, and Batch finds out.
async fn lose_the_role(sandbox: &Sandbox) {
    remove_the_role(sandbox).await;
    let update = aws_sdk_batch::Client::new(&sandbox.sdk_config()).update_compute_environment();
    let resources = aws_sdk_batch::types::ComputeResourceUpdate::builder().maxv_cpus(4).build();
    update.compute_environment("dev-jobs").compute_resources(resources).send().await.unwrap();
    assert_eq!(status(sandbox).await.unwrap().0, "INVALID");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_too_young_to_be_seen_is_waited_for() {
    let sandbox = sandbox().await;
    let mut settings = sandbox.batch().settings();
    settings.role_propagation = Duration::from_millis(300);
    sandbox.batch().set_settings(settings);
    applied(&sandbox, &desired("batch.amazonaws.com"), &Guard::default()).await;
    assert_eq!(status(&sandbox).await.unwrap().0, "VALID");
    assert!(sandbox.stats().of("batch", "UpdateComputeEnvironment") > 0, "it was never INVALID");
}

/// Nobody declares the role that is too young then: ECS's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_use_of_ecs_in_an_account_is_waited_out() {
    let sandbox = sandbox().await;
    let main = include_str!("roles/main.yaml").replace("  serviceRole: ${iam/Role/batch.arn}\n", "");
    let documents = main.split("---\n").filter(|it| !it.contains("kind: iam/")).collect::<Vec<_>>();
    let desired = declared(&documents.join("---\n"));
    let mut settings = sandbox.batch().settings();
    settings.first_clusters = 3;
    sandbox.batch().set_settings(settings);
    applied(&sandbox, &desired, &Guard::default()).await;
    assert_eq!(status(&sandbox).await.unwrap().0, "VALID");
    assert_eq!(sandbox.stats().of("batch", "UpdateComputeEnvironment"), 3);
    assert_eq!(sandbox.stats().of("iam", "CreateRole"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_batch_may_not_assume_fails_at_once_with_the_reason_and_what_to_do() {
    let sandbox = sandbox().await;
    // No role is young here: what Batch says is taken at its word.
    let limits = Limits { propagation: Duration::ZERO, ..hasty() };
    let (plan, ended) =
        apply(&sandbox, &desired("ecs-tasks.amazonaws.com"), &Guard::default(), &limits).await;
    insta::assert_snapshot!(report(&plan, &ended, Paint::new(false)));
    assert_eq!(sandbox.stats().of("batch", "UpdateComputeEnvironment"), 0, "it went on trying");
    // Corrected, it is repaired where it stands.
    applied(&sandbox, &desired("batch.amazonaws.com"), &Guard::default()).await;
    assert_eq!(status(&sandbox).await.unwrap().0, "VALID");
    assert_eq!(sandbox.stats().of("batch", "CreateComputeEnvironment"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_whose_role_is_gone_is_repaired() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    lose_the_role(&sandbox).await;
    applied(&sandbox, &desired, &Guard::default()).await;
    assert_eq!(status(&sandbox).await.unwrap().0, "VALID");
    assert_eq!(sandbox.stats().of("batch", "CreateComputeEnvironment"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_whose_role_is_gone_is_destroyed_with_a_role_that_stands_in() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    lose_the_role(&sandbox).await;
    applied(&sandbox, &nothing(&desired), &everything_goes()).await;
    assert_eq!(status(&sandbox).await, None);
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let roles = iam.list_roles().send().await.unwrap();
    assert_eq!(roles.roles().iter().map(|role| role.role_name()).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Batch finds out that a role is gone when it next needs it: until then it calls the environment VALID.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_that_has_not_noticed_that_its_role_is_gone_is_destroyed_at_once() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    remove_the_role(&sandbox).await;
    assert_eq!(status(&sandbox).await.unwrap().0, "VALID");
    let plan = applied(&sandbox, &nothing(&desired), &everything_goes()).await;
    assert!(plan.changes.iter().any(|change| change.reason.0.contains("it is gone, and AWS deletes")));
    assert_eq!(status(&sandbox).await, None);
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    assert!(iam.list_roles().send().await.unwrap().roles().is_empty());
}

/// What somebody else has made under the same name is neither gone nor ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_of_somebody_elses_is_not_taken_for_gone() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    remove_the_role(&sandbox).await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"batch.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.create_role().role_name("dev-batch").assume_role_policy_document(trust).send().await.unwrap();
    let plan = applied(&sandbox, &nothing(&desired), &everything_goes()).await;
    assert!(plan.steps.iter().all(|step| step.verb != Verb::Create), "{:?}", plan.steps);
    assert_eq!(status(&sandbox).await, None);
    let roles = iam.list_roles().send().await.unwrap();
    assert_eq!(roles.roles().iter().map(|role| role.role_name()).collect::<Vec<_>>(), ["dev-batch"]);
}

/// A run that is cut off while the role stands in goes on with the same review, and leaves no role behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_stands_in_is_no_news_to_the_next_run() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    lose_the_role(&sandbox).await;
    let (config, gone) = (sandbox.sdk_config(), nothing(&desired));
    let aws = Aws::new(&config, gone.place.clone(), None);
    let observed = aws.observe(&Scope::of(&gone)).await.unwrap();
    let reviewed = planned(&gone, &observed, &everything_goes());
    let made = reviewed.steps.iter().position(|step| step.verb == Verb::Create).expect("a role stands in");
    let mut cut = reviewed.clone();
    cut.steps.truncate(made + 1);
    assert!(run(&config, &cut, &observed, &hasty()).await.complete());

    let observed = aws.observe(&Scope::of(&gone)).await.unwrap();
    let left = planned(&gone, &observed, &everything_goes());
    assert_eq!(reviewed.reviewed().differences(&left), vec![]);
    assert!(run(&config, &left, &observed, &hasty()).await.complete());
    let iam = aws_sdk_iam::Client::new(&config);
    assert!(iam.list_roles().send().await.unwrap().roles().is_empty());
    assert_eq!(status(&sandbox).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_go_after_the_environment_is_seen_to_be_gone() {
    let sandbox = sandbox().await;
    let desired = desired("batch.amazonaws.com");
    applied(&sandbox, &desired, &Guard::default()).await;
    let mut settings = sandbox.batch().settings();
    settings.transition = Duration::from_millis(100);
    sandbox.batch().set_settings(settings);
    sandbox.reset_stats();
    applied(&sandbox, &nothing(&desired), &everything_goes()).await;
    let calls = sandbox.stats().calls;
    assert_eq!(status(&sandbox).await, None);
    let takes_away = |call: &Call| {
        call.service == "iam" && ["Detach", "Delete"].iter().any(|it| call.action.starts_with(it))
    };
    let first = calls.iter().position(takes_away).expect("the role goes too");
    let delete = calls.iter().position(|call| call.action == "DeleteComputeEnvironment").unwrap();
    let looks = calls[delete..first].iter().filter(|call| call.action == "DescribeComputeEnvironments");
    assert!(delete < first && looks.count() > 1, "{calls:#?}");
    assert!(!calls[first..].iter().any(|call| call.action == "DescribeComputeEnvironments"), "{calls:#?}");
}
