use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::operation::get_bucket_versioning::GetBucketVersioningOutput;
use aws_sdk_s3::primitives::ByteStream;
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
use crate::kinds::trial::Trial;

const KIND: Erased<Bucket> = Erased::new();

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

fn complaints(spec: Value) -> String {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let found = Bucket::validate(&spec, &place()).into_iter();
    found.map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
}

#[test]
fn the_example_is_valid() {
    let manifest: Value = serde_yaml::from_str(Bucket::EXAMPLE).unwrap();
    assert_eq!(complaints(manifest["spec"].clone()), "");
    assert_eq!(Bucket::validate_name(manifest["metadata"]["physicalName"].as_str().unwrap()), None);
}

#[test]
fn lifecycle_mistakes_are_told() {
    let rules = json!([
        {"id": "a", "status": "Enabled"},
        {"id": "a", "status": "Enabled", "expirationInDays": 0, "expirationDate": "2027-01-01"},
        {"id": "b", "status": "Enabled", "expirationDate": "soon"},
        {"id": "c", "status": "Enabled", "expirationDate": "2027-01-01T12:00:00Z"},
        {"id": "d", "status": "Enabled", "expirationInDays": 20, "transitions": [
            {"storageClass": "STANDARD_IA", "transitionInDays": 10}, {"storageClass": "GLACIER"}, {"storageClass": "GLACIER", "transitionInDays": 25}]},
        {"id": "e", "status": "Enabled", "tagFilters": [{"key": "k", "value": "v"}, {"key": "k", "value": "w"}],
            "expiredObjectDeleteMarker": true, "abortIncompleteMultipartUpload": {"daysAfterInitiation": 0}},
        {"id": "f", "status": "Enabled", "objectSizeGreaterThan": 10, "objectSizeLessThan": 10,
            "noncurrentVersionExpiration": {"noncurrentDays": 1, "newerNoncurrentVersions": 101},
            "noncurrentVersionTransitions": [{"storageClass": "ONEZONE_IA", "transitionInDays": 1}]},
    ]);
    insta::assert_snapshot!(complaints(json!({"lifecycleConfiguration": {"rules": rules}})), @r#"
lifecycleConfiguration.rules[0]: does nothing; add an action such as expirationInDays, or remove the rule
lifecycleConfiguration.rules[1].id: "a" names another rule already
lifecycleConfiguration.rules[1]: expirationInDays, expirationDate and expiredObjectDeleteMarker exclude each other; keep one
lifecycleConfiguration.rules[1].expirationInDays: 0, but S3 takes 1 or more
lifecycleConfiguration.rules[2].expirationDate: "soon" is not a day such as 2027-01-01
lifecycleConfiguration.rules[3].expirationDate: "2027-01-01T12:00:00Z" is not midnight UTC; write only the day
lifecycleConfiguration.rules[4].transitions[0].transitionInDays: 10, but S3 takes 30 or more
lifecycleConfiguration.rules[4].transitions[1]: expected either transitionInDays or transitionDate
lifecycleConfiguration.rules[4].transitions[2].transitionInDays: objects go after 20 days, before they would move; move them earlier
lifecycleConfiguration.rules[4].transitions[2].storageClass: another transition moves to GLACIER already
lifecycleConfiguration.rules[5].abortIncompleteMultipartUpload: goes by prefix only; put it into a rule without tagFilters and sizes
lifecycleConfiguration.rules[5].expiredObjectDeleteMarker: delete markers carry no tags; put it into a rule without tagFilters
lifecycleConfiguration.rules[5].tagFilters[1].key: "k" is asked for already
lifecycleConfiguration.rules[5].abortIncompleteMultipartUpload.daysAfterInitiation: 0, but S3 takes 1 or more
lifecycleConfiguration.rules[6].objectSizeLessThan: no object has more than 10 and fewer than 10 bytes
lifecycleConfiguration.rules[6].noncurrentVersionExpiration.newerNoncurrentVersions: 101, but S3 takes 1 to 100
lifecycleConfiguration.rules[6].noncurrentVersionTransitions[0].transitionInDays: 1, but S3 takes 30 or more
"#);
}

#[test]
fn other_mistakes_are_told() {
    let queue = "arn:aws:sqs:eu-west-1:111122223333:jobs";
    let everybody = json!({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"});
    insta::assert_snapshot!(complaints(json!({
        "bucketEncryption": {"serverSideEncryptionConfiguration": [
            {"serverSideEncryptionByDefault": {"sseAlgorithm": "AES256", "kmsMasterKeyID": "k"}, "bucketKeyEnabled": true},
            {},
        ]},
        "ownershipControls": {"rules": []},
        "policy": {"Statement": [everybody, {"Effect": "Deny"}]},
        "notificationConfiguration": {
            "queueConfigurations": [{"event": "s3:ObjectCreated:*", "queue": queue}],
            "topicConfigurations": [{"event": "s3:ObjectCreated:Put", "topic": "t", "filter": {"s3Key": {"rules":
                [{"name": "prefix", "value": "a"}, {"name": "Prefix", "value": "b"}, {"name": "middle", "value": "c"}]}}}],
        },
    })), @r#"
bucketEncryption.serverSideEncryptionConfiguration: 2 rules, but S3 takes exactly one
bucketEncryption.serverSideEncryptionConfiguration[0].serverSideEncryptionByDefault.kmsMasterKeyID: AES256 takes no KMS key; set sseAlgorithm to `aws:kms`, or leave the key out
bucketEncryption.serverSideEncryptionConfiguration[0].bucketKeyEnabled: AES256 has no bucket key; only `aws:kms` has one
ownershipControls.rules: 0 rules, but S3 takes exactly one
policy.Statement[0]: allows everybody, which publicAccessBlockConfiguration.blockPublicPolicy refuses; name the principals, or add a Condition that narrows it down
policy.Statement[1]: lacks Principal or NotPrincipal, which every statement of a bucket policy needs
policy.Statement[1]: lacks Action or NotAction, which every statement of a bucket policy needs
policy.Statement[1]: lacks Resource or NotResource, which every statement of a bucket policy needs
notificationConfiguration.topicConfigurations[0].filter: more than one prefix; keep one
notificationConfiguration.topicConfigurations[0].filter: "middle" is neither `prefix` nor `suffix`
notificationConfiguration.topicConfigurations[0]: overlaps with queueConfigurations[0]: S3 tells of an event once; narrow one of the filters
"#);
    assert_eq!(
        complaints(json!({"policy": "no policy"})),
        "policy: not a policy document: expected an object with `Version` and `Statement`\n"
    );
    let narrow = |suffix: &str| json!({"s3Key": {"rules": [{"name": "suffix", "value": suffix}]}});
    assert_eq!(
        complaints(json!({
            "publicAccessBlockConfiguration": {"blockPublicPolicy": false},
            "policy": {"Statement": everybody},
            "notificationConfiguration": {"queueConfigurations": [
                {"event": "s3:ObjectCreated:*", "queue": queue, "filter": narrow(".csv")},
                {"event": "s3:ObjectCreated:*", "queue": queue, "filter": narrow(".json")},
            ]},
        })),
        ""
    );
}

#[test]
fn names_are_checked_as_s3_checks_them() {
    for good in ["payments-source-111122223333", "a.b.c", "0aa"] {
        assert_eq!(Bucket::validate_name(good), None, "{good}");
    }
    for bad in [
        "ab",
        "Payments",
        "-abc",
        "abc-",
        "a..b",
        "10.0.0.1",
        "a_b",
        "xn--abc",
        "abc-s3alias",
        &"a".repeat(64),
    ] {
        assert!(Bucket::validate_name(bad).is_some(), "{bad}");
    }
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

#[tokio::test]
async fn a_look_at_a_bucket_takes_nine_calls_at_most_all_at_once() {
    let trial = Trial::new("s3/Bucket", "trial-calls").await;
    trial.settle(&json!({})).await;
    trial.sandbox.reset_stats();
    assert!(trial.look(false).await.unwrap().is_some());
    let stats = trial.sandbox.stats();
    assert_eq!((stats.count(), stats.writes(), stats.depth()), (8, 0, 1), "{:?}", stats.per_action());
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
