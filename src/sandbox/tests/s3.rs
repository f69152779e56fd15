//! S3's buckets as AWS serves them.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    AbacStatus, AbortIncompleteMultipartUpload, BucketAbacStatus, BucketLifecycleConfiguration,
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, Event,
    EventBridgeConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator,
    LifecycleRuleFilter, NoncurrentVersionExpiration, NotificationConfiguration, QueueConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};

use super::super::Sandbox;
use super::sandbox;

async fn bucket(sandbox: &Sandbox, name: &str) -> (Client, String) {
    let s3 = Client::new(&sandbox.sdk_config());
    let bucket = format!("{name}-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    (s3, bucket)
}

#[tokio::test]
async fn a_new_bucket_is_encrypted_and_closed() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "new").await;
    let encryption = s3.get_bucket_encryption().bucket(&name).send().await.unwrap();
    let rule = encryption.server_side_encryption_configuration().unwrap().rules()[0].clone();
    assert_eq!(rule.bucket_key_enabled(), Some(false));
    let default = rule.apply_server_side_encryption_by_default.unwrap();
    assert_eq!(default.sse_algorithm, ServerSideEncryption::Aes256);
    let block = s3.get_public_access_block().bucket(&name).send().await.unwrap();
    let block = block.public_access_block_configuration.unwrap();
    let all = [
        block.block_public_acls,
        block.block_public_policy,
        block.ignore_public_acls,
        block.restrict_public_buckets,
    ];
    assert_eq!(all, [Some(true); 4]);
    let ownership = s3.get_bucket_ownership_controls().bucket(&name).send().await.unwrap();
    assert_eq!(
        ownership.ownership_controls().unwrap().rules()[0].object_ownership().as_str(),
        "BucketOwnerEnforced"
    );
    s3.delete_public_access_block().bucket(&name).send().await.unwrap();
    let missing = s3.get_public_access_block().bucket(&name).send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchPublicAccessBlockConfiguration"));
    assert_eq!(s3.get_bucket_versioning().bucket(&name).send().await.unwrap().status(), None);
    let notification = s3.get_bucket_notification_configuration().bucket(&name).send().await.unwrap();
    assert!(notification.event_bridge_configuration().is_none());
    let missing = s3.get_bucket_tagging().bucket(&name).send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchTagSet"));
}

#[tokio::test]
async fn deleting_the_encryption_brings_back_the_default() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "kms").await;
    let by = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms);
    let by = by.kms_master_key_id("alias/a").build().unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by)
        .bucket_key_enabled(true);
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap();
    s3.put_bucket_encryption()
        .bucket(&name)
        .server_side_encryption_configuration(configuration.clone())
        .send()
        .await
        .unwrap();
    let got = async || {
        let got = s3.get_bucket_encryption().bucket(&name).send().await.unwrap();
        got.server_side_encryption_configuration.unwrap()
    };
    assert_eq!(got().await, configuration);
    s3.delete_bucket_encryption().bucket(&name).send().await.unwrap();
    let default = got().await.rules()[0].apply_server_side_encryption_by_default.clone().unwrap();
    assert_eq!(default.sse_algorithm, ServerSideEncryption::Aes256);
}

#[tokio::test]
async fn a_lifecycle_comes_back_whole() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "life").await;
    let missing = s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchLifecycleConfiguration"));
    let tag = Tag::builder().key("a").value("b").build().unwrap();
    let and =
        LifecycleRuleAndOperator::builder().prefix("logs/").tags(tag).object_size_greater_than(1024).build();
    let noncurrent =
        NoncurrentVersionExpiration::builder().noncurrent_days(3).newer_noncurrent_versions(2).build();
    let rule = LifecycleRule::builder().id("one").status(ExpirationStatus::Enabled);
    let rule = rule.filter(LifecycleRuleFilter::builder().and(and).build());
    let rule = rule.expiration(LifecycleExpiration::builder().days(30).build());
    let rule = rule.noncurrent_version_expiration(noncurrent);
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build();
    let rule = rule.abort_incomplete_multipart_upload(abort).build().unwrap();
    let nameless = LifecycleRule::builder().status(ExpirationStatus::Disabled);
    let nameless = nameless.filter(LifecycleRuleFilter::builder().prefix("tmp/").build());
    let nameless = nameless.expiration(LifecycleExpiration::builder().days(1).build()).build().unwrap();
    let configuration =
        BucketLifecycleConfiguration::builder().rules(rule.clone()).rules(nameless).build().unwrap();
    s3.put_bucket_lifecycle_configuration()
        .bucket(&name)
        .lifecycle_configuration(configuration)
        .send()
        .await
        .unwrap();
    let got = s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.unwrap();
    assert_eq!(got.rules()[0], rule);
    assert!(got.rules()[1].id().is_some_and(|id| !id.is_empty()), "AWS names a rule that has no name");
    s3.delete_bucket_lifecycle().bucket(&name).send().await.unwrap();
    let missing = s3.get_bucket_lifecycle_configuration().bucket(&name).send().await.unwrap_err();
    assert_eq!(missing.code(), Some("NoSuchLifecycleConfiguration"));
}

#[tokio::test]
async fn a_policy_that_denies_plain_http_leaves_objects_alone_and_a_plain_denial_does_not() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "tls").await;
    let deny = |condition: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::{name}","arn:aws:s3:::{name}/*"]{condition}}}]}}"#
        )
    };
    let tls = deny(r#","Condition":{"Bool":{"aws:SecureTransport":"false"}}"#);
    s3.put_bucket_policy().bucket(&name).policy(tls).send().await.unwrap();
    s3.put_object().bucket(&name).key("k").body(ByteStream::from_static(b"v")).send().await.unwrap();
    let got = s3.get_object().bucket(&name).key("k").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes().as_ref(), b"v");
    s3.put_bucket_policy().bucket(&name).policy(deny("")).send().await.unwrap();
    s3.get_object().bucket(&name).key("k").send().await.unwrap_err();
}

#[tokio::test]
async fn a_malformed_or_public_policy_is_refused() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "policy").await;
    let put = |policy: String| s3.put_bucket_policy().bucket(&name).policy(policy).send();
    for wrong in ["{", "{}", r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow"}]}"#] {
        assert_eq!(put(wrong.to_owned()).await.unwrap_err().code(), Some("MalformedPolicy"), "{wrong}");
    }
    let statement = |principal: &str, bucket: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject","Resource":"arn:aws:s3:::{bucket}/*"}}]}}"#
        )
    };
    let me = format!(r#"{{"AWS":"arn:aws:iam::{}:root"}}"#, sandbox.account());
    assert_eq!(put(statement(&me, "other")).await.unwrap_err().code(), Some("MalformedPolicy"));
    assert_eq!(put(statement("\"*\"", &name)).await.unwrap_err().code(), Some("AccessDenied"));
    assert_eq!(
        s3.get_bucket_policy().bucket(&name).send().await.unwrap_err().code(),
        Some("NoSuchBucketPolicy")
    );
    put(statement(&me, &name)).await.unwrap();
    let got = s3.get_bucket_policy().bucket(&name).send().await.unwrap();
    assert_eq!(got.policy(), Some(statement(&me, &name).as_str()));
    s3.put_object().bucket(&name).key("a").body(ByteStream::from_static(b"a")).send().await.unwrap();
}

#[tokio::test]
async fn notifications_come_back_whole_and_go_nowhere_unknown() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "notify").await;
    let queue = format!("arn:aws:sqs:us-east-1:{}:none", sandbox.account());
    let queue =
        QueueConfiguration::builder().queue_arn(queue).events(Event::S3ObjectCreated).build().unwrap();
    let configuration = NotificationConfiguration::builder().queue_configurations(queue).build();
    let put =
        |it| s3.put_bucket_notification_configuration().bucket(&name).notification_configuration(it).send();
    assert_eq!(put(configuration).await.unwrap_err().code(), Some("InvalidArgument"));
    let bridge = EventBridgeConfiguration::builder().build();
    put(NotificationConfiguration::builder().event_bridge_configuration(bridge).build()).await.unwrap();
    let got = s3.get_bucket_notification_configuration().bucket(&name).send().await.unwrap();
    assert!(got.event_bridge_configuration().is_some());
    put(NotificationConfiguration::builder().build()).await.unwrap();
    let got = s3.get_bucket_notification_configuration().bucket(&name).send().await.unwrap();
    assert!(got.event_bridge_configuration().is_none() && got.queue_configurations().is_empty());
}

#[tokio::test]
async fn buckets_are_listed_in_pages() {
    let sandbox = sandbox().await;
    let mut names = Vec::new();
    for name in ["c", "a", "b"] {
        names.push(bucket(&sandbox, &format!("list-{name}")).await.1);
    }
    names.sort();
    let s3 = Client::new(&sandbox.sdk_config());
    let mut pages = s3.list_buckets().prefix("list-").max_buckets(2).into_paginator().send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let buckets = page.unwrap().buckets.unwrap();
        assert!(buckets.iter().all(|bucket| bucket.bucket_region() == Some("us-east-1")));
        listed.push(buckets.into_iter().filter_map(|bucket| bucket.name).collect::<Vec<_>>());
    }
    assert_eq!(listed, [names[..2].to_vec(), names[2..].to_vec()]);
}

#[tokio::test]
async fn a_bucket_with_any_version_in_it_is_not_empty() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "full").await;
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(&name).versioning_configuration(on).send().await.unwrap();
    s3.put_object().bucket(&name).key("a").body(ByteStream::from_static(b"a")).send().await.unwrap();
    s3.delete_object().bucket(&name).key("a").send().await.unwrap();
    let refused = s3.delete_bucket().bucket(&name).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("BucketNotEmpty"));
    let versions = s3.list_object_versions().bucket(&name).send().await.unwrap();
    let objects = versions.versions().iter().map(|it| it.version_id());
    for id in objects.chain(versions.delete_markers().iter().map(|it| it.version_id())) {
        s3.delete_object().bucket(&name).key("a").set_version_id(id.map(str::to_owned)).send().await.unwrap();
    }
    s3.delete_bucket().bucket(&name).send().await.unwrap();
    assert!(s3.head_bucket().bucket(&name).send().await.unwrap_err().into_service_error().is_not_found());
}

#[tokio::test]
async fn tags_can_be_given_in_the_call_that_makes_the_bucket() {
    let sandbox = sandbox().await;
    let config = sandbox.sdk_config().into_builder().region(aws_config::Region::new("eu-west-1")).build();
    let s3 = Client::new(&config);
    let name = format!("tagged-{}", sandbox.account());
    let tag = Tag::builder().key("a").value("b").build().unwrap();
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1);
    let create = || {
        s3.create_bucket()
            .bucket(&name)
            .create_bucket_configuration(place.clone().tags(tag.clone()).build())
            .send()
    };
    create().await.unwrap();
    assert_eq!(create().await.unwrap_err().code(), Some("BucketAlreadyOwnedByYou"));
    assert_eq!(s3.get_bucket_tagging().bucket(&name).send().await.unwrap().tag_set(), [tag]);
    let other = Tag::builder().key("c").value("d").build().unwrap();
    let tagging = Tagging::builder().tag_set(other.clone()).build().unwrap();
    s3.put_bucket_tagging().bucket(&name).tagging(tagging).send().await.unwrap();
    assert_eq!(s3.get_bucket_tagging().bucket(&name).send().await.unwrap().tag_set(), [other]);
    let location = s3.get_bucket_location().bucket(&name).send().await.unwrap();
    assert_eq!(location.location_constraint(), Some(&BucketLocationConstraint::EuWest1));
}

#[tokio::test]
async fn another_accounts_bucket_is_forbidden() {
    let (mine, other) = (sandbox().await, sandbox().await);
    let (_, name) = bucket(&mine, "mine").await;
    let s3 = Client::new(&other.sdk_config());
    let taken = s3.create_bucket().bucket(&name).send().await.unwrap_err();
    assert_eq!(taken.code(), Some("BucketAlreadyExists"));
    let denied = s3.get_bucket_versioning().bucket(&name).send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDenied"));
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAbac.html>: "You can no longer use the PutBucketTagging and
/// DeleteBucketTagging actions to tag your bucket."
#[tokio::test]
async fn tags_of_a_bucket_with_attribute_based_access_control_are_refused() {
    let sandbox = sandbox().await;
    let (s3, name) = bucket(&sandbox, "abac").await;
    let tag = || Tag::builder().key("a").value("b").build().unwrap();
    let tagging = || Tagging::builder().tag_set(tag()).build().unwrap();
    s3.put_bucket_tagging().bucket(&name).tagging(tagging()).send().await.unwrap();
    for (status, refused) in [(BucketAbacStatus::Enabled, true), (BucketAbacStatus::Disabled, false)] {
        let status = AbacStatus::builder().status(status).build();
        s3.put_bucket_abac().bucket(&name).abac_status(status).send().await.unwrap();
        let put = s3.put_bucket_tagging().bucket(&name).tagging(tagging()).send().await;
        assert_eq!(put.is_err(), refused, "{put:?}");
        let deleted = s3.delete_bucket_tagging().bucket(&name).send().await;
        assert_eq!(deleted.is_err(), refused, "{deleted:?}");
    }
}
