//! What holds on to something of ours from outside: instance profiles, users and groups.

use aws_sdk_batch::types::{CeType, ComputeResource, CrType};
use batchwright::plan::{Guard, Verb};

use super::{EC2, objections};
use crate::world::stage::{Stage, environment, queue, role};

fn iam(stage: &Stage) -> aws_sdk_iam::Client {
    aws_sdk_iam::Client::new(&stage.world.sandbox.sdk_config())
}

/// The instances of an environment run by a profile that somebody has put a role of ours into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_does_not_go_out_of_an_instance_profile() {
    let stage = Stage::new().await;
    let rest = [environment("work", "", EC2), queue("jobs", "", &["work"])];
    let all = [vec![role("inst"), role("keeps")], rest.to_vec()].concat();
    stage.world.apply(&stage.desired(&all), &Guard::default()).await;
    let put = iam(&stage).add_role_to_instance_profile().instance_profile_name("batch");
    put.role_name("t-inst").send().await.unwrap();

    let without = stage.desired(&[vec![role("keeps")], rest.to_vec()].concat());
    let held =
        "iam/Role/inst: t-inst is to go, while the instance profile batch, which is not ours, holds it";
    let used = |who: &str| {
        vec![format!(
            "{held}, and the instances of {who} run by that: give that another role before this apply, or keep this one"
        )]
    };
    assert_eq!(objections(&stage, &without, &[]).await, used("batch/ComputeEnvironment/work"));

    // So is the old one of a replacement.
    let moved = [vec![role("inst") + "  path: /other/\n", role("keeps")], rest.to_vec()].concat();
    assert_eq!(objections(&stage, &stage.desired(&moved), &[]).await, used("batch/ComputeEnvironment/work"));

    // Nobody of ours runs by it any more.
    let allow = ["batch/ComputeEnvironment/work", "batch/JobQueue/jobs", "iam/Role/inst"];
    let unused = [format!(
        "{held}: take it out of that, or delete the profile, once no instances run by it; or keep the role"
    )];
    assert_eq!(objections(&stage, &stage.desired(&[role("keeps")]), &allow).await, unused);

    // Once it is out, the role goes, and the profile stays.
    let take = iam(&stage).remove_role_from_instance_profile().instance_profile_name("batch");
    take.role_name("t-inst").send().await.unwrap();
    let plan = stage.world.apply(&without, &Guard::default()).await;
    assert!(plan.steps.iter().any(|step| step.verb == Verb::Delete && step.physical == "t-inst"));
    iam(&stage).get_instance_profile().instance_profile_name("batch").send().await.unwrap();
}

/// Somebody else's environment names a profile only: nothing of it names anything of ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_profile_under_a_strangers_environment_is_told_with_it() {
    let stage = Stage::new().await;
    stage.world.apply(&stage.desired(&[role("inst"), role("keeps")]), &Guard::default()).await;
    let put = iam(&stage).add_role_to_instance_profile().instance_profile_name("batch");
    put.role_name("t-inst").send().await.unwrap();
    let desired = stage.desired(&[environment("x", "", EC2)]);
    let spec = &desired.resources[&"batch/ComputeEnvironment/x".parse().unwrap()].spec["computeResources"];
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let resources = ComputeResource::builder().r#type(CrType::Ec2).minv_cpus(0).maxv_cpus(4);
    let resources = resources.instance_types("m5").instance_role(text(&spec["instanceRole"]));
    let resources =
        resources.subnets(text(&spec["subnets"][0])).security_group_ids(text(&spec["securityGroupIds"][0]));
    let foreign = stage.batch.create_compute_environment().compute_environment_name("theirs");
    let foreign = foreign.r#type(CeType::Managed).compute_resources(resources.build());
    foreign.send().await.unwrap();
    let found = objections(&stage, &stage.desired(&[role("keeps")]), &[]).await;
    assert_eq!(
        found,
        [
            "iam/Role/inst: t-inst is to go, while the instance profile batch, which is not ours, holds it, and the instances of the ComputeEnvironment theirs of nobody we know run by that: give that another role before this apply, or keep this one"
        ]
    );
}

const POLICY: &str = "apiVersion: batchwright/v1
kind: iam/Policy
metadata: {name: read}
spec:
  policyDocument:
    Version: \"2012-10-17\"
    Statement: [{Effect: Allow, Action: s3:GetObject, Resource: \"*\"}]
";

/// No read of all tells of users and groups, but for how many things have a policy attached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_does_not_go_from_a_user_or_a_group() {
    let stage = Stage::new().await;
    let all = stage.desired(&[role("keeps"), POLICY.to_owned()]);
    stage.world.apply(&all, &Guard::default()).await;
    let without = stage.desired(&[role("keeps")]);
    stage.world.sandbox.reset_stats();
    assert_eq!(objections(&stage, &without, &["iam/Policy/read"]).await, Vec::<String>::new());
    assert_eq!(stage.world.sandbox.stats().of("iam", "ListEntitiesForPolicy"), 0, "it is attached to nobody");

    let (iam, account) = (iam(&stage), stage.world.sandbox.account());
    let arn = format!("arn:aws:iam::{account}:policy/t-read");
    iam.create_user().user_name("bob").send().await.unwrap();
    iam.attach_user_policy().user_name("bob").policy_arn(&arn).send().await.unwrap();
    iam.create_group().group_name("people").send().await.unwrap();
    iam.attach_group_policy().group_name("people").policy_arn(&arn).send().await.unwrap();
    let held = |who: &str| {
        format!(
            "iam/Policy/read: t-read is to go, while {who}, which is not ours, has it attached: detach it there first, or keep it"
        )
    };
    let found = objections(&stage, &without, &["iam/Policy/read"]).await;
    assert_eq!(found, [held("group/people"), held("user/bob")]);
}
