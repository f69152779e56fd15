//! The same service through the real SDK: modelled errors, pages, tags in the path.

use aws_sdk_batch::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_batch::error::DisplayErrorContext;
use aws_sdk_batch::types::{CeType, ComputeEnvironmentOrder, ComputeResource, CrType, JqState};
use axum::extract::{Request, State};

use super::Bench;
use crate::batch::Batch;

async fn client(batch: Batch) -> aws_sdk_batch::Client {
    let serve = async |State(batch): State<Batch>, request: Request| {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        batch.handle(&head.method, path, &body).await.map(axum::body::Body::from)
    };
    let app = axum::Router::new().fallback(serve).with_state(batch);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let config = aws_sdk_batch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{address}"))
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .build();
    aws_sdk_batch::Client::from_conf(config)
}

fn fargate() -> ComputeResource {
    ComputeResource::builder()
        .r#type(CrType::Fargate)
        .maxv_cpus(4)
        .subnets("subnet-1")
        .security_group_ids("sg-1")
        .build()
}

#[tokio::test]
async fn errors_parse_as_modelled() {
    let bench = Bench::new();
    let client = client(bench.batch.clone()).await;
    let create = client
        .create_compute_environment()
        .compute_environment_name("ce")
        .r#type(CeType::Managed)
        .compute_resources(fargate());
    create.clone().send().await.unwrap();
    let error = create.send().await.unwrap_err().into_service_error();
    assert!(error.is_client_exception(), "{}", DisplayErrorContext(&error));
    assert_eq!(error.meta().message(), Some("Object already exists"));
    let error = client.delete_compute_environment().compute_environment("ce").send().await.unwrap_err();
    assert!(error.into_service_error().is_client_exception());
}

#[tokio::test]
async fn a_queue_lives_and_dies() {
    let bench = Bench::new();
    let client = client(bench.batch.clone()).await;
    bench.ok("CreateComputeEnvironment", super::fargate("ce")).await;
    let order = ComputeEnvironmentOrder::builder().order(1).compute_environment("ce").build();
    let created = client
        .create_job_queue()
        .job_queue_name("q")
        .priority(5)
        .compute_environment_order(order)
        .tags("owner", "me")
        .send()
        .await
        .unwrap();
    let arn = created.job_queue_arn().unwrap().to_owned();
    let listed = client.describe_job_queues().into_paginator().items().send().collect::<Result<Vec<_>, _>>();
    let listed = listed.await.unwrap();
    assert_eq!(
        listed[0].compute_environment_order()[0].compute_environment(),
        Some("arn:aws:batch:us-east-1:123456789012:compute-environment/ce")
    );
    client.tag_resource().resource_arn(&arn).tags("team", "x y").send().await.unwrap();
    client.untag_resource().resource_arn(&arn).tag_keys("owner").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags().unwrap().iter().collect::<Vec<_>>(), [(&"team".to_owned(), &"x y".to_owned())]);
    client.update_job_queue().job_queue("q").state(JqState::Disabled).send().await.unwrap();
    client.delete_job_queue().job_queue(&arn).send().await.unwrap();
    assert!(client.describe_job_queues().send().await.unwrap().job_queues().is_empty());
}
