//! What the real AWS does and a sandbox does not by itself: regions that an organization closes, and what is shown late.

use std::fs;
use std::path::Path;

use crate::world::{World, changes, load};
use batchwright::cloud::{Cloud, Scope};
use batchwright::manifest;
use batchwright::plan::Guard;
use batchwright::render::{Paint, plan as shown};
use batchwright::resource::Desired;
use batchwright::sandbox::{Exact, Fault, Faults, Lag, Regional};

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"ACCOUNT\"\nregion: REGION\nnamePrefix: pACCOUNT-\nstacks: [main]\n";

/// These manifests, in an account of their own.
fn desired(account: &str, region: &str, main: &str) -> Desired {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path: &Path = &folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.replace("ACCOUNT", account).replace("REGION", region)).unwrap();
    };
    write("dev/environment.yaml", ENVIRONMENT);
    write("stacks/main/main.yaml", main);
    load(folder.path(), "dev", &manifest::Options::default())
}

const GROUP: &str = "
apiVersion: batchwright/v1
kind: logs/LogGroup
metadata: {name: jobs}
spec: {retentionInDays: 7}
";

fn tag_search(region: &str, fault: Fault) -> Faults {
    let search = Regional {
        region: region.to_owned(),
        service: "tagging".to_owned(),
        action: "GetResources".to_owned(),
        fault,
    };
    Faults { regional: vec![search], ..Faults::default() }
}

/// The region-deny example of Organizations exempts IAM and STS, not the tag search
/// (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html>).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_is_denied_in_the_home_region_alone_finds_nothing_and_says_so() {
    let desired = desired("510000000001", "eu-west-1", GROUP);
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;

    world.sandbox.set_faults(tag_search("us-east-1", Fault::DenyByOrganization));
    let (plan, _) = world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_idle(), "{:?}", plan.steps);
    let [warning] = plan.warnings.as_slice() else { panic!("{:?}", plan.warnings) };
    assert!(warning.message.contains("us-east-1 was refused") && warning.message.contains("IAM policy"));
    assert!(shown(&plan, Paint::new(false)).contains(&warning.message), "it is shown with the plan");

    // The search here, and any other failure of the one there, is a failure as ever.
    for faults in [
        tag_search("eu-west-1", Fault::DenyByOrganization),
        tag_search("eu-west-1", Fault::Deny),
        tag_search("us-east-1", Fault::Internal),
        tag_search("us-east-1", Fault::Throttle),
    ] {
        world.sandbox.set_faults(faults.clone());
        let seen = world.cloud.observe(&Scope::of(&desired)).await;
        assert!(seen.is_err(), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_home_region_itself_a_denied_search_is_an_error() {
    let desired = desired("510000000002", "us-east-1", GROUP);
    let world = World::of(&desired).await;
    world.sandbox.set_faults(tag_search("us-east-1", Fault::DenyByOrganization));
    assert!(world.cloud.observe(&Scope::of(&desired)).await.is_err());
}

const BUCKET: &str = "
apiVersion: batchwright/v1
kind: s3/Bucket
metadata: {name: data}
spec:
  versioningConfiguration: {status: STATUS}
  lifecycleConfiguration: {rules: [{id: old, status: Enabled, expirationInDays: DAYS}]}
";

fn bucket(account: &str, status: &str, days: &str) -> Desired {
    desired(account, "eu-west-1", &BUCKET.replace("STATUS", status).replace("DAYS", days))
}

/// hashicorp/terraform-provider-aws waits for equal reads of what it wrote (`bucket_lifecycle_configuration.go`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_shows_its_older_state_now_and_then_is_written_once_and_waited_out() {
    let before = bucket("510000000003", "Enabled", "30");
    let world = World::of(&before).await;
    world.apply(&before, &Guard::default()).await;

    let after = bucket("510000000003", "Suspended", "60");
    let lag = Lag { bucket_reads: 3, ..Lag::default() };
    world.sandbox.set_faults(Faults { lag, ..Faults::default() });
    world.sandbox.reset_stats();
    world.apply(&after, &Guard::default()).await;
    for action in ["PutBucketVersioning", "PutBucketLifecycleConfiguration"] {
        assert_eq!(world.sandbox.stats().of("s3", action), 1, "{action}");
    }
    let (plan, _) = world.plan(&after, &Guard::default()).await;
    assert!(plan.is_idle(), "{:?}", changes(&plan));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_of_a_bucket_counts_only_when_a_second_look_sees_it_too() {
    let desired = bucket("510000000004", "Enabled", "30");
    let world = World::of(&desired).await;
    world.apply(&desired, &Guard::default()).await;
    // Somebody suspends it and thinks better of it; S3 forgets the moment in between only slowly.
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&world.sandbox.sdk_config()).force_path_style(true).build(),
    );
    let name = desired.resources.values().next().unwrap().physical_name.clone();
    let put = async |status: &str| {
        let versioning = aws_sdk_s3::types::VersioningConfiguration::builder().status(status.into()).build();
        let call = s3.put_bucket_versioning().bucket(&name).versioning_configuration(versioning);
        call.send().await.unwrap();
    };
    let status = async || {
        let got = s3.get_bucket_versioning().bucket(&name).send().await.unwrap();
        got.status().map(|status| status.as_str().to_owned()).unwrap_or_default()
    };
    put("Suspended").await;
    let lag = Lag { bucket_reads: 1, ..Lag::default() };
    world.sandbox.set_faults(Faults { lag, ..Faults::default() });
    put("Enabled").await;
    assert_eq!(status().await, "Enabled");
    let (plan, _) = world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_empty(), "{:?}", changes(&plan));
    world.sandbox.set_faults(Faults { lag, ..Faults::default() });
    put("Suspended").await;
    put("Enabled").await;
    assert_eq!((status().await, status().await), ("Enabled".to_owned(), "Suspended".to_owned()));

    // What is really so counts.
    world.sandbox.set_faults(Faults::default());
    put("Suspended").await;
    let (plan, _) = world.plan(&desired, &Guard::default()).await;
    assert_eq!(changes(&plan), ["Update s3/Bucket/data versioningConfiguration.status"]);
}

const NAMED: &str = r#"
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: worker}
spec:
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: "sts:AssumeRole"}]
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: reader}
spec:
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {AWS: "${iam/Role/worker.arn}"}, Action: "sts:AssumeRole"}]
---
apiVersion: batchwright/v1
kind: s3/Bucket
metadata: {name: shared}
spec:
  publicAccessBlockConfiguration: {blockPublicPolicy: false, restrictPublicBuckets: false}
  policy:
    Version: "2012-10-17"
    Statement:
      - {Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::pACCOUNT-shared/*"}
      - {Effect: Allow, Principal: {AWS: "${iam/Role/worker.arn}"}, Action: "s3:PutObject", Resource: "arn:aws:s3:::pACCOUNT-shared/*"}
---
apiVersion: batchwright/v1
kind: ecr/Repository
metadata: {name: worker}
spec:
  repositoryPolicyText:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {AWS: "${iam/Role/worker.arn}"}, Action: ["ecr:BatchGetImage"]}]
---
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {name: work}
spec:
  type: container
  containerProperties:
    image: busybox
    jobRoleArn: ${iam/Role/worker.arn}
    resourceRequirements: [{type: VCPU, value: "1"}, {type: MEMORY, value: "512"}]
"#;

/// A role is not seen at once, has its unique id for an ARN, and is no principal to other services yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_is_waited_for_until_everybody_sees_it() {
    let desired = desired("510000000005", "eu-west-1", NAMED);
    let world = World::of(&desired).await;
    let lag = Lag { role_reads: 2, role_ids: 3, principals: 4, public_policies: 2, ..Lag::default() };
    world.sandbox.set_faults(Faults { lag, ..Faults::default() });
    world.apply(&desired, &Guard::default()).await;
    let stats = world.sandbox.stats();
    assert_eq!(stats.of("iam", "CreateRole"), 2 + refused(&stats, "CreateRole"));
    assert!(refused(&stats, "PutBucketPolicy") >= 2, "{:?}", stats.per_action());
    world.sandbox.set_faults(Faults::default());
    let (plan, observed) = world.plan(&desired, &Guard::default()).await;
    assert!(plan.is_idle(), "{:?}", changes(&plan));
    let work = observed.resources.iter().find(|(id, _)| id.kind == "batch/JobDefinition").unwrap().1;
    let role = work.current.as_ref().unwrap().spec["containerProperties"]["jobRoleArn"].clone();
    assert_eq!(role, "arn:aws:iam::510000000005:role/p510000000005-worker");
    assert_eq!(world.sandbox.stats().of("batch", "RegisterJobDefinition"), 1);
}

fn refused(stats: &batchwright::sandbox::Stats, action: &str) -> usize {
    stats.calls.iter().filter(|call| call.action == action && call.status >= Some(400)).count()
}

/// The commit is written with each change: where tags go by another call, that must not end each apply.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_whose_tags_go_by_another_call_is_changed_and_its_tags_are_told() {
    let before = bucket("510000000006", "Enabled", "30");
    let world = World::of(&before).await;
    world.apply(&before, &Guard::default()).await;
    let s3 = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&world.sandbox.sdk_config()).force_path_style(true).build(),
    );
    let on = aws_sdk_s3::types::AbacStatus::builder().status("Enabled".into()).build();
    s3.put_bucket_abac().bucket("p510000000006-data").abac_status(on).send().await.unwrap();
    let committed = batchwright::cloud::Aws::new(
        &world.sandbox.sdk_config(),
        before.place.clone(),
        Some("0123456789".to_owned()),
    );
    let world = World { cloud: committed, ..world };
    world.apply(&bucket("510000000006", "Suspended", "30"), &Guard::default()).await;

    let mut tagged = bucket("510000000006", "Suspended", "30");
    tagged.resources.values_mut().for_each(|it| drop(it.tags.insert("team".to_owned(), "a".to_owned())));
    let (plan, observed) = world.plan(&tagged, &Guard::default()).await;
    let report = world.execute(&plan, &observed).await;
    let (_, failure) = report.failures().next().expect("the tag is not written");
    assert!(failure.message.contains("put-bucket-abac --bucket p510000000006-data"), "{failure:?}");
}

const ON_EKS: &str = "
apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {name: pods}
spec:
  type: container
  eksProperties:
    podProperties:
      containers: [{name: main, image: IMAGE, resources: {limits: {cpu: '1', memory: 1024Mi}}}]
";

/// `EksPodProperties.securityContext` is in botocore 1.44.8 and not in aws-sdk-batch 1.138: the SDK drops it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_the_sdk_does_not_know_is_not_lost_with_the_next_revision() {
    let of = |image: &str| desired("510000000007", "eu-west-1", &ON_EKS.replace("IMAGE", image));
    let world = World::of(&of("busybox")).await;
    world.apply(&of("busybox"), &Guard::default()).await;
    // Another tool registers a revision with what is new, and keeps our tags.
    let observed = world.observe(&of("busybox")).await;
    let live = observed.resources.values().next().unwrap().current.clone().unwrap();
    let mut pods = live.spec["eksProperties"].clone();
    pods["podProperties"]["securityContext"] = serde_json::json!({ "runAsNonRoot": true });
    let body = serde_json::json!({
        "jobDefinitionName": live.physical, "type": "container", "eksProperties": pods, "tags": live.tags,
    });
    let text = body.to_string();
    let register = aws_sdk_batch::Client::new(&world.sandbox.sdk_config()).register_job_definition();
    let register = register.job_definition_name("x").r#type("container".into()).customize();
    let as_written = register.mutate_request(move |request| {
        request.headers_mut().insert("content-length", text.len().to_string());
        *request.body_mut() = text.clone().into();
    });
    as_written.send().await.unwrap();

    let (plan, _) = world.plan(&of("busybox"), &Guard::default()).await;
    assert!(plan.is_idle(), "nothing that a manifest says differs: {:?}", changes(&plan));
    let (plan, _) = world.plan(&of("alpine"), &Guard::default()).await;
    let [refused] = plan.objections.as_slice() else { panic!("{:?}", plan.objections) };
    assert!(
        refused.message.contains("revision 2 has eksProperties.podProperties.securityContext"),
        "{refused:?}"
    );
}

#[test]
fn named_calls_and_lag_are_set_by_the_same_words_in_other_processes() {
    let text = r#"{"regional":[{"region":"us-east-1","service":"tagging","action":"GetResources","fault":"denyByOrganization"}],
        "lag":{"bucketReads":1,"roleIds":2}}"#;
    let faults: Faults = serde_json::from_str(text).unwrap();
    assert_eq!(faults.regional, tag_search("us-east-1", Fault::DenyByOrganization).regional);
    assert_eq!(faults.lag, Lag { bucket_reads: 1, role_ids: 2, ..Lag::default() });
    assert_eq!(faults.exact, Vec::<Exact>::new());
}
