//! The Resource Groups Tagging API as AWS serves it.

use std::collections::BTreeSet;

use aws_sdk_resourcegroupstagging::Client;
use aws_sdk_resourcegroupstagging::error::ProvideErrorMetadata;
use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::super::Sandbox;
use super::{TRUST, sandbox};

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

fn in_region(sandbox: &Sandbox, region: &'static str) -> aws_config::SdkConfig {
    sandbox.sdk_config().into_builder().region(aws_config::Region::new(region)).build()
}

fn mine() -> TagFilter {
    TagFilter::builder().key("owner").values("me").values("us").build()
}

async fn found(config: &aws_config::SdkConfig) -> BTreeSet<String> {
    let mut pages = Client::new(config).get_resources().tag_filters(mine()).into_paginator().send();
    let mut arns = BTreeSet::new();
    while let Some(page) = pages.next().await {
        arns.extend(
            page.unwrap().resource_tag_mapping_list.unwrap().into_iter().filter_map(|it| it.resource_arn),
        );
    }
    arns
}

async fn tag_one_of_each(sandbox: &Sandbox, config: &aws_config::SdkConfig) -> BTreeSet<String> {
    let account = sandbox.account();
    let region = config.region().unwrap().as_ref().to_owned();
    let ecr = aws_sdk_ecr::Client::new(config).create_repository().repository_name("aa");
    let tag = aws_sdk_ecr::types::Tag::builder().key("owner").value("me").build().unwrap();
    ecr.tags(tag).send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    logs.create_log_group().log_group_name("a").tags("owner", "us").send().await.unwrap();
    logs.create_log_group().log_group_name("b").tags("owner", "them").send().await.unwrap();
    let spec =
        aws_sdk_ec2::types::TagSpecification::builder().resource_type(aws_sdk_ec2::types::ResourceType::Vpc);
    let tag = aws_sdk_ec2::types::Tag::builder().key("owner").value("me").build();
    let vpc = aws_sdk_ec2::Client::new(config).create_vpc().cidr_block("10.0.0.0/16");
    let vpc =
        vpc.tag_specifications(spec.tags(tag).build()).send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    BTreeSet::from([
        format!("arn:aws:ecr:{region}:{account}:repository/aa"),
        format!("arn:aws:logs:{region}:{account}:log-group:a"),
        format!("arn:aws:ec2:{region}:{account}:vpc/{vpc}"),
    ])
}

#[tokio::test]
async fn it_finds_what_each_service_tagged_in_its_own_region() {
    let sandbox = sandbox().await;
    let (home, away) = (in_region(&sandbox, "us-east-1"), in_region(&sandbox, "eu-west-1"));
    let mut at_home = tag_one_of_each(&sandbox, &home).await;
    let abroad = tag_one_of_each(&sandbox, &away).await;
    let bucket = format!("tagging-{}", sandbox.account());
    let s3 = aws_sdk_s3::Client::new(&home);
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    let tag = aws_sdk_s3::types::Tag::builder().key("owner").value("me").build().unwrap();
    let tagging = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
    s3.put_bucket_tagging().bucket(&bucket).tagging(tagging).send().await.unwrap();
    at_home.insert(format!("arn:aws:s3:::{bucket}"));
    let iam = aws_sdk_iam::Client::new(&home);
    let tag = || aws_sdk_iam::types::Tag::builder().key("owner").value("me").build().unwrap();
    let policy =
        iam.create_policy().policy_name("p").policy_document(POLICY).tags(tag()).send().await.unwrap();
    at_home.insert(policy.policy.unwrap().arn.unwrap());
    let oidc =
        iam.create_open_id_connect_provider().url("https://example.com").tags(tag()).send().await.unwrap();
    at_home.insert(oidc.open_id_connect_provider_arn.unwrap());
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).tags(tag()).send().await.unwrap();
    assert_eq!(found(&home).await, at_home, "global resources show at home, roles nowhere");
    assert_eq!(found(&away).await, abroad);
}

#[tokio::test]
async fn it_gives_a_hundred_to_a_page() {
    let sandbox = sandbox().await;
    let config = sandbox.sdk_config();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    for number in 0..101 {
        logs.create_log_group()
            .log_group_name(format!("g{number:03}"))
            .tags("owner", "me")
            .send()
            .await
            .unwrap();
    }
    let page = Client::new(&config).get_resources().tag_filters(mine()).send().await.unwrap();
    assert_eq!(page.resource_tag_mapping_list().len(), 100);
    assert!(page.pagination_token().is_some_and(|token| !token.is_empty()));
    assert_eq!(found(&config).await.len(), 101);
    let few = Client::new(&config).get_resources().resource_type_filters("logs").resources_per_page(2).send();
    assert_eq!(few.await.unwrap().resource_tag_mapping_list().len(), 2);
    let none = Client::new(&config).get_resources().resource_type_filters("s3").send().await.unwrap();
    assert!(none.resource_tag_mapping_list().is_empty());
    let many = Client::new(&config).get_resources().resources_per_page(101).send().await.unwrap_err();
    assert_eq!(many.code(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn it_tags_and_untags_what_it_is_told_and_says_what_failed() {
    let sandbox = sandbox().await;
    let config = sandbox.sdk_config();
    aws_sdk_ecr::Client::new(&config).create_repository().repository_name("aa").send().await.unwrap();
    let arn = |name: &str| format!("arn:aws:ecr:us-east-1:{}:repository/{name}", sandbox.account());
    let tagging = Client::new(&config);
    let tag = tagging.tag_resources().resource_arn_list(arn("aa")).resource_arn_list(arn("bb"));
    let failed = tag.tags("owner", "me").send().await.unwrap().failed_resources_map.unwrap_or_default();
    assert_eq!(failed.into_keys().collect::<Vec<_>>(), [arn("bb")]);
    assert_eq!(found(&config).await, BTreeSet::from([arn("aa")]));
    tagging.untag_resources().resource_arn_list(arn("aa")).tag_keys("owner").send().await.unwrap();
    assert!(found(&config).await.is_empty());
}
