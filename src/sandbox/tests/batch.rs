//! Batch behind the same door: counted, tagged, broken and kept like every other service.

use std::collections::BTreeSet;
use std::path::PathBuf;

use aws_sdk_batch::Client;
use aws_sdk_batch::types::{AssignPublicIp, JobDefinitionType, NetworkConfiguration, PlatformCapability};
use aws_sdk_batch::types::{
    CeType, ComputeEnvironmentOrder, ComputeResource, ContainerProperties, CrType, JobStatus,
};
use aws_sdk_batch::types::{ResourceRequirement, ResourceType};
use serde_json::{Value, json};

use super::super::Sandbox;
use super::{TRUST, sandbox};

async fn environment(sandbox: &Sandbox) -> (Client, String) {
    let config = sandbox.sdk_config();
    let subnets = aws_sdk_ec2::Client::new(&config).describe_subnets().send().await.unwrap();
    let groups = aws_sdk_ec2::Client::new(&config).describe_security_groups().send().await.unwrap();
    let resources = ComputeResource::builder().r#type(CrType::Fargate).maxv_cpus(4);
    let resources = resources.subnets(subnets.subnets()[0].subnet_id().unwrap());
    let resources = resources.security_group_ids(groups.security_groups()[0].group_id().unwrap()).build();
    let batch = Client::new(&config);
    let make = batch.create_compute_environment().compute_environment_name("ce").r#type(CeType::Managed);
    let made = make.compute_resources(resources).tags("owner", "me").send().await.unwrap();
    (batch, made.compute_environment_arn.unwrap())
}

async fn queue(batch: &Client, environment: &str) -> String {
    let order = ComputeEnvironmentOrder::builder().order(1).compute_environment(environment).build();
    let make = batch.create_job_queue().job_queue_name("q").priority(1).compute_environment_order(order);
    make.tags("owner", "me").send().await.unwrap().job_queue_arn.unwrap()
}

#[tokio::test]
async fn batch_answers_as_the_sandboxs_account_and_is_counted() {
    let sandbox = sandbox().await;
    let (batch, arn) = environment(&sandbox).await;
    assert_eq!(arn, format!("arn:aws:batch:us-east-1:{}:compute-environment/ce", sandbox.account()));
    let described = batch.describe_compute_environments().send().await.unwrap();
    assert_eq!(described.compute_environments()[0].status().unwrap().as_str(), "VALID");
    let stats = sandbox.stats();
    assert_eq!((stats.of("batch", "CreateComputeEnvironment"), stats.writes()), (1, 1));
    assert_eq!(stats.count(), 4, "what Batch itself asks is not counted: {:?}", stats.per_action());
}

#[tokio::test]
async fn the_tagging_api_sees_and_changes_the_tags_of_batch() {
    let sandbox = sandbox().await;
    let (batch, environment) = environment(&sandbox).await;
    let queue = queue(&batch, &environment).await;
    let tagging = aws_sdk_resourcegroupstagging::Client::new(&sandbox.sdk_config());
    let owner =
        || aws_sdk_resourcegroupstagging::types::TagFilter::builder().key("owner").values("me").build();
    let found = async || {
        let found = tagging.get_resources().tag_filters(owner()).send().await.unwrap();
        let arns = found.resource_tag_mapping_list.unwrap().into_iter().filter_map(|one| one.resource_arn);
        arns.collect::<BTreeSet<_>>()
    };
    assert_eq!(found().await, BTreeSet::from([environment.clone(), queue.clone()]));
    tagging.untag_resources().resource_arn_list(&queue).tag_keys("owner").send().await.unwrap();
    assert_eq!(found().await, BTreeSet::from([environment.clone()]));
    let tagged =
        tagging.tag_resources().resource_arn_list(&queue).tags("owner", "me").tags("a b", "c").send();
    tagged.await.unwrap();
    let tags = batch.list_tags_for_resource().resource_arn(&queue).send().await.unwrap().tags.unwrap();
    assert_eq!(tags.get("a b").map(String::as_str), Some("c"));
    assert_eq!(found().await.len(), 2);
}

#[tokio::test]
async fn a_job_runs_and_writes_its_log_to_the_same_account() {
    let sandbox = sandbox().await;
    let config = sandbox.sdk_config();
    let iam = aws_sdk_iam::Client::new(&config);
    let role = iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let role = role.role.unwrap().arn;
    aws_sdk_cloudwatchlogs::Client::new(&config)
        .create_log_group()
        .log_group_name("/aws/batch/job")
        .send()
        .await
        .unwrap();
    let (batch, environment) = environment(&sandbox).await;
    queue(&batch, &environment).await;
    sandbox.batch().map_image("worker", PathBuf::from("/bin/sh"), vec!["-c".to_owned()]);
    let need = |kind, value: &str| ResourceRequirement::builder().r#type(kind).value(value).build();
    let container = ContainerProperties::builder().image("worker:latest").command("echo $AWS_ENDPOINT_URL");
    let container = container.execution_role_arn(&role).job_role_arn(&role);
    let container = container.resource_requirements(need(ResourceType::Vcpu, "1"));
    let container = container.resource_requirements(need(ResourceType::Memory, "2048"));
    let network = NetworkConfiguration::builder().assign_public_ip(AssignPublicIp::Enabled).build();
    let register =
        batch.register_job_definition().job_definition_name("d").r#type(JobDefinitionType::Container);
    let register = register.platform_capabilities(PlatformCapability::Fargate);
    register.container_properties(container.network_configuration(network).build()).send().await.unwrap();
    let job = batch.submit_job().job_name("j").job_queue("q").job_definition("d").send().await.unwrap();
    let id = job.job_id.unwrap();
    let detail = loop {
        let described = batch.describe_jobs().jobs(&id).send().await.unwrap();
        let detail = described.jobs()[0].clone();
        if matches!(detail.status(), Some(JobStatus::Succeeded | JobStatus::Failed)) {
            break detail;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(detail.status(), Some(&JobStatus::Succeeded), "{:?}", detail.status_reason());
    let stream = detail.container().unwrap().log_stream_name().unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    let events =
        logs.get_log_events().log_group_name("/aws/batch/job").log_stream_name(stream).send().await.unwrap();
    assert_eq!(events.events()[0].message(), Some(sandbox.endpoint()));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_snapshot_brings_back_every_service() {
    let sandbox = sandbox().await;
    let config = sandbox.sdk_config();
    let (batch, environment) = environment(&sandbox).await;
    let s3 = aws_sdk_s3::Client::new(&config);
    let bucket = format!("kept-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    s3.put_object().bucket(&bucket).key("k").body(b"v".to_vec().into()).send().await.unwrap();
    let iam = aws_sdk_iam::Client::new(&config);
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let kept = sandbox.snapshot().await.unwrap();
    for _ in 0..2 {
        s3.delete_object().bucket(&bucket).key("k").send().await.unwrap();
        s3.delete_bucket().bucket(&bucket).send().await.unwrap();
        iam.delete_role().role_name("r").send().await.unwrap();
        queue(&batch, &environment).await;
        sandbox.restore(&kept).await.unwrap();
        let object = s3.get_object().bucket(&bucket).key("k").send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().into_bytes().as_ref(), b"v");
        iam.get_role().role_name("r").send().await.unwrap();
        assert!(batch.describe_job_queues().send().await.unwrap().job_queues().is_empty());
        assert_eq!(
            batch.describe_compute_environments().send().await.unwrap().compute_environments().len(),
            1
        );
    }
    sandbox.reset().await.unwrap();
    assert!(s3.list_buckets().send().await.unwrap().buckets().is_empty());
    assert!(iam.list_roles().send().await.unwrap().roles().is_empty());
    assert!(batch.describe_compute_environments().send().await.unwrap().compute_environments().is_empty());
}

async fn admin(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    body: &Value,
    origin: Option<&str>,
) -> (u16, Value) {
    use http_body_util::{BodyExt, Full};
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<bytes::Bytes>>();
    let mut request =
        http::Request::builder().method(method).uri(format!("{}/_batchwright/{path}", sandbox.endpoint()));
    request = request.header("x-batchwright-token", sandbox.token());
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let response = client.request(request.body(Full::from(body.to_string())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn other_processes_reach_the_same_settings_over_http() {
    let sandbox = sandbox().await;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sandbox.sdk_config());
    logs.describe_log_groups().send().await.unwrap();
    let (status, stats) = admin(&sandbox, "GET", "stats", &json!({}), None).await;
    assert_eq!((status, &stats["count"], &stats["depth"]), (200, &json!(1), &json!(1)));
    let kept = admin(&sandbox, "POST", "snapshot", &json!({}), None).await.1;
    logs.create_log_group().log_group_name("a").send().await.unwrap();
    assert_eq!(admin(&sandbox, "POST", "restore", &kept, None).await, (200, json!({})));
    assert!(logs.describe_log_groups().send().await.unwrap().log_groups().is_empty());
    let times = json!({ "transitionMilliseconds": 7, "relationshipLag": 2 });
    assert_eq!(admin(&sandbox, "POST", "settings", &times, None).await.0, 200);
    assert_eq!(sandbox.batch().settings().transition.as_millis(), 7);
    assert_eq!(sandbox.batch().settings().relationship_lag, 2);
    assert_eq!(admin(&sandbox, "POST", "settings", &json!({ "unknown": 1 }), None).await.0, 400);
    assert_eq!(admin(&sandbox, "POST", "refuse-writes", &json!({ "refuse": true }), None).await.0, 200);
    logs.create_log_group().log_group_name("b").send().await.unwrap_err();
    assert_eq!(admin(&sandbox, "POST", "reset-counters", &json!({}), None).await.0, 200);
    assert_eq!(sandbox.stats().count(), 0);
    assert_eq!(admin(&sandbox, "GET", "nothing", &json!({}), None).await.0, 400);
}

#[tokio::test]
async fn a_web_page_is_turned_away() {
    let sandbox = sandbox().await;
    let (status, _) = admin(&sandbox, "POST", "reset", &json!({}), Some("https://example.com")).await;
    assert_eq!(status, 403);
}
