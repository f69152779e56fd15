//! Buckets over the real SDK.

use aws_sdk_s3::primitives::ByteStream;
use serde_json::{Value, json};

use super::super::*;
use crate::kinds::trial::Trial;

/// Everything that a bucket can say, with S3's own way of telling EventBridge.
fn everything(bucket: &str, status: &str, days: i32) -> Value {
    json!({
        "bucketEncryption": {"serverSideEncryptionConfiguration": [
            {"serverSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}, "bucketKeyEnabled": days > 30}]},
        "versioningConfiguration": {"status": status},
        "publicAccessBlockConfiguration": {"blockPublicPolicy": days > 30, "restrictPublicBuckets": days > 30},
        "ownershipControls": {"rules": [{"objectOwnership": if days > 30 { "ObjectWriter" } else { "BucketOwnerPreferred" }}]},
        "lifecycleConfiguration": {"rules": [
            {"id": "one", "status": "Enabled", "prefix": "tmp/", "expirationInDays": days + 100,
                "transitions": [{"storageClass": "GLACIER", "transitionInDays": days + 30}, {"storageClass": "STANDARD_IA", "transitionInDays": 30}]},
            {"id": "two", "status": "Disabled", "tagFilters": [{"key": "a", "value": "b"}, {"key": "c", "value": "d"}],
                "objectSizeGreaterThan": 1000, "objectSizeLessThan": days * 1000, "expirationDate": "2030-01-01"},
            {"id": "three", "status": "Enabled", "expiredObjectDeleteMarker": true, "abortIncompleteMultipartUpload": {"daysAfterInitiation": days},
                "noncurrentVersionExpiration": {"noncurrentDays": days + 40, "newerNoncurrentVersions": 2},
                "noncurrentVersionTransitions": [{"storageClass": "GLACIER_IR", "transitionInDays": days, "newerNoncurrentVersions": 1}]},
            {"id": "four", "status": "Enabled", "objectSizeLessThan": 5, "expirationInDays": days},
        ]},
        "notificationConfiguration": {"eventBridgeConfiguration": {"eventBridgeEnabled": true}},
        "policy": {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": format!("arn:aws:s3:::{bucket}/{days}/*"), "Condition": {"Bool": {"aws:SecureTransport": false}}}},
    })
}

#[tokio::test]
async fn every_aspect_is_written_changed_and_taken_back() {
    let trial = Trial::new("s3/Bucket", "trial-every-aspect").await;
    trial.settle(&json!({})).await;
    trial.settle(&everything("trial-every-aspect", "Enabled", 60)).await;
    trial.settle(&everything("trial-every-aspect", "Suspended", 30)).await;
    trial.settle(&json!({"publicAccessBlockConfiguration":
        {"blockPublicAcls": false, "ignorePublicAcls": false, "blockPublicPolicy": false, "restrictPublicBuckets": false}})).await;
    trial.settle(&json!({})).await;
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}

#[tokio::test]
async fn a_look_at_a_bucket_takes_ten_calls_all_at_once() {
    let trial = Trial::new("s3/Bucket", "trial-calls").await;
    trial.settle(&json!({})).await;
    trial.sandbox.answer_in_rounds(std::time::Duration::from_millis(400));
    trial.sandbox.reset_stats();
    assert!(trial.look(false).await.unwrap().is_some());
    let stats = trial.sandbox.stats();
    assert_eq!((stats.count(), stats.writes(), stats.depth()), (10, 0, 1), "{:?}", stats.per_action());
}

#[tokio::test]
async fn another_accounts_bucket_is_an_error_and_not_absent() {
    let (ours, theirs) =
        (Trial::new("s3/Bucket", "trial-foreign").await, Trial::new("s3/Bucket", "trial-foreign").await);
    assert_eq!(ours.look(true).await.unwrap(), None);
    theirs.settle(&json!({})).await;
    let error = ours.look(false).await.unwrap_err();
    assert!(
        error.message.starts_with("bucket \"trial-foreign\" exists, but belongs to another account"),
        "{error}"
    );
}

#[tokio::test]
async fn objects_versions_and_unfinished_uploads_go_only_when_that_is_said() {
    let trial = Trial::new("s3/Bucket", "trial-full").await;
    trial.settle(&json!({"versioningConfiguration": {"status": "Enabled"}})).await;
    let s3 = trial.client::<S3>();
    for key in ["a", "a", "b/ c?"] {
        let object = ByteStream::from_static(b"1");
        s3.put_object().bucket("trial-full").key(key).body(object).send().await.unwrap();
    }
    s3.delete_object().bucket("trial-full").key("a").send().await.unwrap();
    s3.create_multipart_upload().bucket("trial-full").key("c").send().await.unwrap();
    let error = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(error.is("BucketNotEmpty") && error.message.contains("metadata.onDelete"), "{error}");
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}
