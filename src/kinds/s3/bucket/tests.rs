use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_versioning::GetBucketVersioningOutput;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BlockedEncryptionTypes, BucketVersioningStatus, EncryptionType, Event,
    EventBridgeConfiguration, ExpirationStatus, FilterRule, FilterRuleName, LifecycleExpiration,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration,
    NotificationConfigurationFilter, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
    PublicAccessBlockConfiguration, QueueConfiguration, S3KeyFilter, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag,
    Transition, TransitionStorageClass,
};
use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use super::*;
use crate::diff;
use crate::kind::{AnyKind, Erased};

mod mistakes;
mod sandbox;

static KIND: Erased<Bucket> = Erased::new();

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

/// A new bucket, as AWS fills it in.
fn new() -> BucketRead {
    let by = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
    let blocked = BlockedEncryptionTypes::builder().encryption_type(EncryptionType::SseC).build();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by.build().unwrap())
        .bucket_key_enabled(false)
        .blocked_encryption_types(blocked);
    let owner = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::BucketOwnerEnforced);
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(true)
        .restrict_public_buckets(true);
    BucketRead {
        logging: None,
        cors: Vec::new(),
        encryption: Some(ServerSideEncryptionConfiguration::builder().rules(rule.build()).build().unwrap()),
        versioning: GetBucketVersioningOutput::builder().build(),
        public_access_block: Some(block.build()),
        ownership_controls: Some(OwnershipControls::builder().rules(owner.build().unwrap()).build().unwrap()),
        lifecycle: None,
        notification: GetBucketNotificationConfigurationOutput::builder().build(),
        policy: None,
        tags: [("team".to_owned(), "payments".to_owned())].into(),
    }
}

fn spec_of(read: BucketRead) -> Value {
    let snapshot = Snapshot { buckets: [("source".to_owned(), read)].into() };
    let mut live = Bucket::observe(&snapshot, &place()).remove(0);
    Bucket::normalise(&mut live.spec, &place());
    serde_json::to_value(&live.spec).unwrap()
}

fn differs(read: BucketRead, want: Value) -> Vec<String> {
    let want = KIND.normal(&want, &place()).unwrap();
    let found = diff::walk(&spec_of(read), &want, &KIND.facts().rules, &[]);
    found.into_iter().map(|change| change.path).collect()
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    assert_eq!(differs(new(), json!({})), [] as [String; 0]);
}

#[test]
fn what_s3_blocks_by_itself_stays_when_the_encryption_changes() {
    let live: Spec = serde_json::from_value(spec_of(new())).unwrap();
    let want = json!({"serverSideEncryptionConfiguration": [{"serverSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]});
    let want: BucketEncryption = serde_json::from_value(want).unwrap();
    let sent = want.keeping(&live.bucket_encryption).to_sdk().unwrap();
    let read = BucketRead { encryption: Some(sent), ..new() };
    insta::assert_json_snapshot!(spec_of(read)["bucketEncryption"], @r#"
{
  "serverSideEncryptionConfiguration": [
    {
      "blockedEncryptionTypes": {
        "encryptionType": [
          "SSE-C"
        ]
      },
      "bucketKeyEnabled": false,
      "serverSideEncryptionByDefault": {
        "sseAlgorithm": "aws:kms"
      }
    }
  ]
}
"#);
}

#[test]
fn an_old_bucket_that_never_said_anything_is_open() {
    let old = BucketRead { encryption: None, public_access_block: None, ownership_controls: None, ..new() };
    assert_eq!(
        differs(old, json!({})),
        [
            "ownershipControls.rules[0].objectOwnership",
            "publicAccessBlockConfiguration.blockPublicAcls",
            "publicAccessBlockConfiguration.blockPublicPolicy",
            "publicAccessBlockConfiguration.ignorePublicAcls",
            "publicAccessBlockConfiguration.restrictPublicBuckets",
        ]
    );
}

#[test]
fn a_bucket_is_reported_whole_and_in_the_manifests_words() {
    let tag = Tag::builder().key("keep").value("no").build().unwrap();
    let and = LifecycleRuleAndOperator::builder().prefix("tmp/").tags(tag).object_size_greater_than(1024);
    let moves = Transition::builder()
        .date(DateTime::from_secs(1_798_761_600))
        .storage_class(TransitionStorageClass::Glacier);
    let rule = LifecycleRule::builder()
        .id("tmp")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().and(and.build()).build())
        .transitions(moves.build());
    let keep = NoncurrentVersionExpiration::builder().noncurrent_days(30).newer_noncurrent_versions(3);
    let old = LifecycleRule::builder()
        .id("old")
        .status(ExpirationStatus::Disabled)
        .filter(LifecycleRuleFilter::builder().prefix("").build())
        .expiration(LifecycleExpiration::builder().expired_object_delete_marker(true).build())
        .noncurrent_version_expiration(keep.build())
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build(),
        );
    let prefix = FilterRule::builder().name(FilterRuleName::from("Prefix")).value("in/").build();
    let key = S3KeyFilter::builder().filter_rules(prefix).build();
    let queue = QueueConfiguration::builder()
        .id("generated")
        .queue_arn("arn:aws:sqs:eu-west-1:111122223333:jobs")
        .events(Event::S3ObjectCreatedPut)
        .events(Event::S3ObjectRemovedDelete)
        .filter(NotificationConfigurationFilter::builder().key(key).build());
    let read = BucketRead {
        versioning: GetBucketVersioningOutput::builder().status(BucketVersioningStatus::Enabled).build(),
        lifecycle: Some(
            GetBucketLifecycleConfigurationOutput::builder()
                .rules(rule.build().unwrap())
                .rules(old.build().unwrap())
                .build(),
        ),
        notification: GetBucketNotificationConfigurationOutput::builder()
            .queue_configurations(queue.build().unwrap())
            .event_bridge_configuration(EventBridgeConfiguration::builder().build())
            .build(),
        policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
        ..new()
    };
    insta::assert_json_snapshot!(spec_of(read), @r#"
{
  "bucketEncryption": {
    "serverSideEncryptionConfiguration": [
      {
        "blockedEncryptionTypes": {
          "encryptionType": [
            "SSE-C"
          ]
        },
        "bucketKeyEnabled": false,
        "serverSideEncryptionByDefault": {
          "sseAlgorithm": "AES256"
        }
      }
    ]
  },
  "lifecycleConfiguration": {
    "rules": [
      {
        "expiredObjectDeleteMarker": false,
        "id": "tmp",
        "objectSizeGreaterThan": 1024,
        "prefix": "tmp/",
        "status": "Enabled",
        "tagFilters": [
          {
            "key": "keep",
            "value": "no"
          }
        ],
        "transitions": [
          {
            "storageClass": "GLACIER",
            "transitionDate": "2027-01-01T00:00:00Z"
          }
        ]
      },
      {
        "abortIncompleteMultipartUpload": {
          "daysAfterInitiation": 7
        },
        "expiredObjectDeleteMarker": true,
        "id": "old",
        "noncurrentVersionExpiration": {
          "newerNoncurrentVersions": 3,
          "noncurrentDays": 30
        },
        "status": "Disabled"
      }
    ],
    "transitionDefaultMinimumObjectSize": "all_storage_classes_128K"
  },
  "notificationConfiguration": {
    "eventBridgeConfiguration": {
      "eventBridgeEnabled": true
    },
    "queueConfigurations": [
      {
        "event": "s3:ObjectCreated:Put",
        "filter": {
          "s3Key": {
            "rules": [
              {
                "name": "prefix",
                "value": "in/"
              }
            ]
          }
        },
        "queue": "arn:aws:sqs:eu-west-1:111122223333:jobs"
      },
      {
        "event": "s3:ObjectRemoved:Delete",
        "filter": {
          "s3Key": {
            "rules": [
              {
                "name": "prefix",
                "value": "in/"
              }
            ]
          }
        },
        "queue": "arn:aws:sqs:eu-west-1:111122223333:jobs"
      }
    ]
  },
  "ownershipControls": {
    "rules": [
      {
        "objectOwnership": "BucketOwnerEnforced"
      }
    ]
  },
  "policy": {
    "Statement": [],
    "Version": "2012-10-17"
  },
  "publicAccessBlockConfiguration": {
    "blockPublicAcls": true,
    "blockPublicPolicy": true,
    "ignorePublicAcls": true,
    "restrictPublicBuckets": true
  },
  "versioningConfiguration": {
    "status": "Enabled"
  }
}
"#);
}

#[test]
fn outputs_follow_from_the_name() {
    let spec = serde_json::from_value(json!({})).unwrap();
    let china = Place::new("111122223333", "cn-north-1");
    insta::assert_json_snapshot!(Bucket::predict("jobs", &spec, &china), @r#"
{
  "arn": "arn:aws-cn:s3:::jobs",
  "domainName": "jobs.s3.amazonaws.com.cn",
  "regionalDomainName": "jobs.s3.cn-north-1.amazonaws.com.cn"
}
"#);
}

#[test]
fn every_property_is_said_or_listed_as_not_managed() {
    // AWS::S3::Bucket without what only AWS writes.
    let properties = "abacStatus accelerateConfiguration accessControl analyticsConfigurations bucketEncryption bucketName \
        bucketNamePrefix bucketNamespace corsConfiguration intelligentTieringConfigurations inventoryConfigurations \
        lifecycleConfiguration loggingConfiguration metadataConfiguration metadataTableConfiguration metricsConfigurations \
        notificationConfiguration objectLockConfiguration objectLockEnabled ownershipControls publicAccessBlockConfiguration \
        replicationConfiguration tags versioningConfiguration websiteConfiguration";
    for property in properties.split_whitespace() {
        let said = KIND.facts().rules.fields.contains_key(property);
        let listed = NOT_MANAGED.iter().any(|(name, _)| *name == property);
        assert!(said != listed, "{property}: said {said}, not managed {listed}");
    }
}

#[test]
fn what_is_sent_of_notifications_is_what_comes_back() {
    let filter = |name: &str| json!({"s3Key": {"rules": [{"name": name, "value": "x"}]}});
    let want = KIND.normal(
        &json!({"notificationConfiguration": {
            "eventBridgeConfiguration": {"eventBridgeEnabled": true},
            "lambdaConfigurations": [{"event": "s3:ObjectCreated:*", "function": "f", "filter": filter("Prefix")}],
            "queueConfigurations": [{"event": "s3:ObjectRemoved:*", "queue": "q", "filter": filter("suffix")}],
            "topicConfigurations": [{"event": "s3:ObjectRestore:*", "topic": "t"}],
        }}),
        &place(),
    );
    let want = want.unwrap();
    let spec: Spec = serde_json::from_value(want.clone()).unwrap();
    let sent = spec.notification_configuration.unwrap().to_sdk().unwrap();
    let answer = GetBucketNotificationConfigurationOutput::builder()
        .set_event_bridge_configuration(sent.event_bridge_configuration)
        .set_lambda_function_configurations(sent.lambda_function_configurations)
        .set_queue_configurations(sent.queue_configurations)
        .set_topic_configurations(sent.topic_configurations);
    assert_eq!(differs(BucketRead { notification: answer.build(), ..new() }, want), [] as [String; 0]);
}

#[test]
fn nobody_told_is_no_configuration() {
    let want =
        json!({"notificationConfiguration": {"eventBridgeConfiguration": {"eventBridgeEnabled": false}}});
    assert_eq!(KIND.normal(&want, &place()).unwrap(), KIND.normal(&json!({}), &place()).unwrap());
}
