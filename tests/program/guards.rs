//! What is refused, by whom, and what to do about it (P14, P15): by the program itself, on a sandbox. Nothing is ever
//! written where something speaks against it.

use std::fmt::Write;

mod names;

use crate::world::program::{Ran, Stand};

const MEDIA_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"ACCOUNT\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n";

/// So many roles, named after these.
fn roles(names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let _ = write!(
            text,
            "---\napiVersion: batchwright/v1\nkind: iam/Role\nmetadata:\n  name: {name}\nspec:\n  assumeRolePolicyDocument:\n    Version: \"2012-10-17\"\n    Statement: [{{Effect: Allow, Principal: {{Service: ecs-tasks.amazonaws.com}}, Action: sts:AssumeRole}}]\n"
        );
    }
    text
}

fn log_group(name: &str, metadata: &str) -> String {
    format!(
        "---\napiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata:\n  name: {name}\n{metadata}spec: {{}}\n"
    )
}

/// What speaks against a plan, line by line; after a refusal nothing was written.
fn objections(ran: &Ran) -> Vec<String> {
    assert_eq!((ran.code, ran.writes), (3, 0), "{}{}", ran.out, ran.err);
    let from = ran.out.find("Refused, as it stands:").unwrap_or_else(|| panic!("{}", ran.out));
    let lines = ran.out[from..].lines().skip(1).take_while(|line| !line.is_empty());
    lines.filter(|line| !line.starts_with("    -->")).map(|line| line.trim().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn protection_outlives_its_manifest() {
    let stand = Stand::new(ENVIRONMENT).await;
    let kept = roles(&["kept"]).replace("name: kept\n", "name: kept\n  protect: true\n");
    stand.stack(&(kept + &roles(&["other"])));
    assert_eq!(stand.apply(&[]).await.code, 0);

    stand.stack(&roles(&["other"]));
    let allowed = stand.apply(&["--allow-delete", "iam/Role/kept"]).await;
    assert_eq!(
        objections(&allowed),
        [
            "iam/Role/kept: it is protected by its tag batchwright:protect: first apply it with `protect: false`, then delete it"
        ]
    );
    let destroyed = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(objections(&destroyed).len(), 1, "{}", destroyed.out);

    // Two commits: first it is protected no longer, then it goes.
    stand.stack(&roles(&["kept", "other"]));
    assert_eq!(stand.apply(&[]).await.code, 0);
    stand.stack(&roles(&["other"]));
    let gone = stand.apply(&[]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_have_limits_however_little_there_is() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&roles(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"]));
    assert_eq!(stand.apply(&[]).await.code, 0);

    // Of one kind: each is named. Together, and as a share of all: once.
    stand.stack(&roles(&["l"]));
    let many = objections(&stand.apply(&[]).await);
    let of_kind = "11 deletes of iam/Role are more than the limit of 3 in one apply";
    assert_eq!(many.iter().filter(|line| line.contains(of_kind)).count(), 11, "{many:#?}");
    let way = "allow each with --allow-delete=<service>/<Kind>/<name> or in allowDelete, or destroy the environment";
    assert!(many.contains(&format!(
        "iam/Role/a: 11 deletes are more than the limit of 10 in one apply (limits.deletes): {way}"
    )));
    assert!(many.contains(&format!(
        "iam/Role/a: 11 of the environment's 12 resources would be deleted, and the limit is 50 % in one apply (limits.deletesPercent): {way}"
    )));

    // A reviewed line for each lifts the limits for them; so does the command line.
    let lines: String =
        ["a", "b", "c", "d", "e", "f"].iter().map(|it| format!("  - iam/Role/{it}\n")).collect();
    stand.environment(&format!("{ENVIRONMENT}allowDelete:\n{lines}"));
    let three = ["g", "h", "i"].map(|name| format!("--allow-delete=iam/Role/{name}"));
    let fewer = stand.apply(&three.each_ref().map(String::as_str)).await;
    assert_eq!(fewer.code, 0, "{}{}", fewer.out, fewer.err);

    // The last one is everything; and limits can be set.
    stand.environment(ENVIRONMENT);
    stand.stack(&log_group("jobs", "  onDelete: retain\n"));
    let all = objections(&stand.apply(&[]).await);
    assert!(all[0].contains("everything that the environment has would be deleted"), "{all:?}");
    stand.environment(&format!("{ENVIRONMENT}limits: {{deletesPercent: 100}}\n"));
    let set = stand.apply(&[]).await;
    assert_eq!(set.code, 0, "{}{}", set.out, set.err);
    stand.environment(&format!("{ENVIRONMENT}limits: {{deletesPercent: 101}}\n"));
    assert_eq!(stand.apply(&[]).await.code, 1);
}

/// What stays in AWS by its `onDelete` and is given up is as lost to the manifests as what is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_has_the_same_limits_and_protection() {
    let stand = Stand::new(ENVIRONMENT).await;
    let retained = |metadata: &str| log_group("kept", &format!("  onDelete: retain\n{metadata}"));
    let others = roles(&["a", "b"]);
    stand.stack(&(others.clone() + &retained("  protect: true\n")));
    assert_eq!(stand.apply(&[]).await.code, 0);
    stand.stack(&others);
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "logs/LogGroup/kept: it is protected by its tag batchwright:protect: first apply it with `protect: false`, then give it up"
        ]
    );
    stand.stack(&(others.clone() + &retained("")));
    assert_eq!(stand.apply(&[]).await.code, 0);
    stand.environment(&format!("{ENVIRONMENT}limits: {{deletesPerKind: 0}}\n"));
    stand.stack(&others);
    let limit = "logs/LogGroup/kept: 1 deletes of logs/LogGroup are more than the limit of 0 in one apply; allow each with --allow-delete=logs/LogGroup/kept";
    assert_eq!(objections(&stand.apply(&[]).await), [limit]);
    let given_up = stand.apply(&["--allow-delete=logs/LogGroup/kept"]).await;
    assert_eq!(given_up.code, 0, "{}{}", given_up.out, given_up.err);
}

/// Data is not found out about in the middle: what holds some refuses the whole, and nothing has gone.
#[tokio::test(flavor = "multi_thread")]
async fn data_is_asked_for_before_anything_goes() {
    let stand = Stand::new(ENVIRONMENT).await;
    let account = stand.sandbox.account();
    let data = format!(
        "---\napiVersion: batchwright/v1\nkind: s3/Bucket\nmetadata: {{name: data, physicalName: dev-data-{account}}}\nspec: {{}}\n---\napiVersion: batchwright/v1\nkind: ecr/Repository\nmetadata: {{name: images}}\nspec: {{}}\n"
    );
    stand.stack(
        &(roles(&["a"]) + &log_group("jobs", "") + &log_group("emptied", "  onDelete: empty\n") + &data),
    );
    assert_eq!(stand.apply(&[]).await.code, 0);
    let config = stand.sandbox.sdk_config();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    for group in ["dev-jobs", "dev-emptied"] {
        logs.create_log_stream().log_group_name(group).log_stream_name("a").send().await.unwrap();
    }
    let path_style = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(path_style);
    let put = s3.put_object().bucket(format!("dev-data-{account}")).key("a").body(b"a".to_vec().into());
    put.send().await.unwrap();
    let image = r#"{"schemaVersion":2,"config":{"digest":"sha256:1"},"layers":[]}"#;
    let push = aws_sdk_ecr::Client::new(&config).put_image().repository_name("dev-images").image_tag("a");
    push.image_manifest(image).image_manifest_media_type(MEDIA_TYPE).send().await.unwrap();

    let destroyed = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    let way = "apply it with metadata.onDelete `empty` (they go with it) or `retain` (it stays in AWS), or empty it first";
    assert_eq!(
        objections(&destroyed),
        [
            format!("ecr/Repository/images: dev-images holds images: {way}"),
            format!("logs/LogGroup/jobs: dev-jobs holds logs: {way}"),
            format!("s3/Bucket/data: dev-data-{account} holds objects: {way}"),
        ]
    );
    assert_eq!(stand.owned().await, ["dev-a"]);

    // With a word for each, everything goes.
    let emptied = data
        .replace("name: data,", "name: data, onDelete: empty,")
        .replace("{name: images}", "{name: images, onDelete: empty}");
    stand.stack(&(roles(&["a"]) + &log_group("jobs", "  onDelete: retain\n") + &emptied));
    let words = stand.apply(&["--allow-delete=logs/LogGroup/emptied"]).await;
    assert_eq!(words.code, 0, "{}{}", words.out, words.err);
    let gone = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_that_say_nothing_delete_nothing() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&roles(&["a"]));
    assert_eq!(stand.apply(&[]).await.code, 0);
    let calls_nobody = async |what: &str, args: &[&str]| {
        let ran = stand.run(args).await;
        assert_eq!((ran.code, ran.calls, ran.out.as_str()), (1, 0, ""), "{what}: {}", ran.err);
        ran.err
    };
    let apply = ["apply", "dev", "--yes"];
    stand.stack("");
    let empty = calls_nobody("an empty file", &apply).await;
    assert!(empty.contains("declares no resources") && empty.contains("batchwright destroy dev"), "{empty}");
    stand.stack(&roles(&["a"]).replace("name: a\n", "name: a\n  when: false\n"));
    calls_nobody("everything switched off", &apply).await;
    stand.stack("kind: [");
    calls_nobody("no YAML", &apply).await;
    stand.bytes("manifests/stacks/main/main.yaml", b"\xff\xfe");
    calls_nobody("no text", &apply).await;
    stand.stack(&roles(&["a"]));
    for (what, folder) in [
        ("wrongly rooted", "manifests/stacks"),
        ("not there", "manifest"),
        ("a file", "manifests/dev/environment.yaml"),
    ] {
        calls_nobody(what, &["apply", "dev", "--yes", "--manifests", folder]).await;
    }
    std::fs::remove_dir_all(stand.folder.path().join("manifests/stacks/main")).unwrap();
    calls_nobody("a stack that is gone", &apply).await;
    assert_eq!(stand.owned().await, ["dev-a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_refused_with_its_owner_and_the_way_out() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&(roles(&["taken"]) + &log_group("jobs", "")));
    assert_eq!(stand.apply(&[]).await.code, 0);
    stand.iam_role("dev-free").await;

    // Another project with the same names, and one that nobody owns: all of it at once.
    stand.environment(&ENVIRONMENT.replace("acme/jobs", "other/team"));
    stand.stack(&(roles(&["taken", "free"]) + &log_group("jobs", "")));
    let refused = stand.apply(&[]).await;
    insta::assert_snapshot!(objections(&refused).join("\n"), @r#"
    iam/Role/free: dev-free exists and has no owner: take it over with `batchwright adopt dev iam/Role/free`, or rename it here
    iam/Role/taken: dev-taken exists and belongs to acme/jobs/dev: rename it here, or let acme/jobs/dev give it up first
    logs/LogGroup/jobs: dev-jobs exists and belongs to acme/jobs/dev: rename it here, or let acme/jobs/dev give it up first
    "#);

    // The way out: adopt what nobody owns. What belongs to somebody is never taken.
    let adopted = stand.run(&["adopt", "dev", "iam/Role/free", "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}{}", adopted.out, adopted.err);
    let stolen = stand.run(&["adopt", "dev", "iam/Role/taken", "--yes"]).await;
    assert_eq!((stolen.code, stolen.writes), (1, 0), "{}", stolen.err);
    assert!(stolen.err.contains("dev-taken belongs to acme/jobs/dev"), "{}", stolen.err);
    assert_eq!(objections(&stand.apply(&[]).await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_or_region_is_refused_before_anything_is_read() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&roles(&["a"]));
    let elsewhere = stand.with("AWS_REGION", "us-east-1").run(&["plan", "dev"]).await;
    assert_eq!((elsewhere.code, elsewhere.calls), (3, 0), "{}", elsewhere.err);
    insta::assert_snapshot!(elsewhere.err, @r#"
    error: AWS_REGION is us-east-1, but the environment lives in eu-west-1
      = help: unset AWS_REGION, set it to eu-west-1, or name another environment
    "#);
    stand.environment(&ENVIRONMENT.replace("ACCOUNT", "999999999999"));
    let other = stand.run(&["apply", "dev", "--yes"]).await;
    assert_eq!((other.code, other.calls), (3, 1), "{}", other.err);
    assert!(other.err.contains("lives in account 999999999999"), "{}", other.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_are_in_nobodys_way() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(FROZEN);
    insta::assert_snapshot!(stand.run(&["validate", "dev"]).await.out, @r#"
    Warnings:
      batch/ComputeEnvironment/spot: $Latest is looked at when Batch next replaces the infrastructure, and then frozen: a newer version of the template goes unnoticed; refer to its latestVersion, or say a number
        --> manifests/stacks/main/main.yaml:16:7
      batch/ComputeEnvironment/spot: Batch makes no new environment with ECS_AL2 since 2026-06-30: set imageType to ECS_AL2023; one that exists goes on
        --> manifests/stacks/main/main.yaml:19:7

    dev: 1 resource is declared, and nothing is wrong with it.
    "#);
    let json = stand.run(&["validate", "dev", "--json"]).await;
    assert_eq!(json.code, 0);
    assert!(json.out.contains(r#""type":"warning""#) && json.out.contains(r#""line":16"#), "{}", json.out);
    // Batch makes no new environment with Amazon Linux 2: that is an objection, not a warning.
    let plan = stand.run(&["plan", "dev"]).await;
    insta::assert_snapshot!(objections(&plan).join("\n"), @"batch/ComputeEnvironment/spot: Batch makes no new environment with ECS_AL2 since 2026-06-30: set imageType to ECS_AL2023");
    assert!(plan.out.contains("Warnings:") && plan.out.contains("$Latest"), "{}", plan.out);
    stand.stack(&FROZEN.replace("ECS_AL2\n", "ECS_AL2023\n"));
    let good = stand.run(&["plan", "dev"]).await;
    assert_eq!(good.code, 0, "{}", good.out);
    assert!(good.out.contains("$Latest"), "{}", good.out);
}

const FROZEN: &str = "\
apiVersion: batchwright/v1
kind: batch/ComputeEnvironment
metadata:
  name: spot
spec:
  type: MANAGED
  computeResources:
    type: SPOT
    allocationStrategy: SPOT_PRICE_CAPACITY_OPTIMIZED
    maxvCpus: 16
    instanceTypes: [m6i]
    instanceRole: batch
    subnets: [subnet-1]
    securityGroupIds: [sg-1]
    launchTemplate:
      version: $Latest
      launchTemplateName: nodes
    ec2Configuration:
    - imageType: ECS_AL2
";

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_of_somebody_elses_stays_and_every_plan_says_so() {
    let stand = Stand::new(ENVIRONMENT).await;
    let job = "apiVersion: batchwright/v1
kind: batch/JobDefinition
metadata: {name: job}
spec:
  type: container
  containerProperties:
    image: public.ecr.aws/docker/library/busybox:latest
    resourceRequirements: [{type: VCPU, value: \"1\"}, {type: MEMORY, value: \"512\"}]
";
    stand.stack(job);
    assert_eq!(stand.apply(&[]).await.code, 0);
    let foreign = serde_json::json!({"jobDefinitionName": "dev-job", "type": "container", "containerProperties": {
        "image": "busybox", "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]}});
    stand.sandbox.batch().seed_job_definitions(&foreign, 2).unwrap();
    let healed = stand.apply(&[]).await;
    assert_eq!(healed.code, 0, "{}{}", healed.out, healed.err);

    // Where its manifest is taken out.
    stand.stack("apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: logs}\nspec: {}\n");
    let plan = stand.run(&["plan", "dev"]).await;
    let why = "it is not in the manifests of dev; revisions 2, 3 stay: they are not ours";
    assert!(plan.out.contains(why), "{}", plan.out);
    stand.stack(job);

    let gone = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    let why = "everything that dev owns is destroyed; revisions 2, 3 stay: they are not ours";
    assert!(gone.out.contains(why), "{}", gone.out);

    // Nothing of the family is ours any more; the way out is named, and leads out.
    assert_eq!(
        objections(&stand.apply(&[]).await),
        [
            "batch/JobDefinition/job: dev-job exists and has no owner: take it over with `batchwright adopt dev batch/JobDefinition/job`, or rename it here"
        ]
    );
    let adopted = stand.run(&["adopt", "dev", "batch/JobDefinition/job", "--yes"]).await;
    assert_eq!(adopted.code, 0, "{}{}", adopted.out, adopted.err);
    let applied = stand.apply(&[]).await;
    assert_eq!(applied.code, 0, "{}{}", applied.out, applied.err);

    // The family was taken over as a whole: all of it goes.
    let gone = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    assert!(!gone.out.contains("not ours"), "{}", gone.out);
}
