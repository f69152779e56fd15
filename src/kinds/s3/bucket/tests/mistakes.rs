//! What is refused before S3 is asked.

use serde_json::{Value, json};

use super::super::*;
use super::place;

fn complaints(spec: Value) -> String {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let found = Bucket::validate(&spec, &place()).into_iter();
    found.map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
}

#[test]
fn the_example_is_valid() {
    let manifest: Value = serde_yaml::from_str(Bucket::EXAMPLE).unwrap();
    assert_eq!(complaints(manifest["spec"].clone()), "");
    assert_eq!(
        Bucket::NAMES.wrong(Bucket::NAME, manifest["metadata"]["physicalName"].as_str().unwrap()),
        None
    );
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
lifecycleConfiguration.rules[1].expirationInDays: 0 is no number of days that S3 takes: leave it out to keep objects
lifecycleConfiguration.rules[2].expirationDate: "soon" is not a day such as 2027-01-01
lifecycleConfiguration.rules[3].expirationDate: "2027-01-01T12:00:00Z" is not midnight UTC; write only the day
lifecycleConfiguration.rules[4].transitions[2]: objects stay in STANDARD_IA for 30 days, from day 10: move them on from day 40 on
lifecycleConfiguration.rules[4].transitions[0].transitionInDays: 10, but S3 takes 30 or more
lifecycleConfiguration.rules[4].transitions[1]: expected either transitionInDays or transitionDate
lifecycleConfiguration.rules[4].transitions[2].transitionInDays: objects go after 20 days, before they would move; move them earlier
lifecycleConfiguration.rules[4].transitions[2].storageClass: another transition moves to GLACIER already
lifecycleConfiguration.rules[5].abortIncompleteMultipartUpload: goes by prefix only; put it into a rule without tagFilters and sizes
lifecycleConfiguration.rules[5].expiredObjectDeleteMarker: delete markers carry no tags; put it into a rule without tagFilters
lifecycleConfiguration.rules[5].tagFilters[1].key: "k" is asked for already
lifecycleConfiguration.rules[5].abortIncompleteMultipartUpload.daysAfterInitiation: 0 is no number of days that S3 takes: leave abortIncompleteMultipartUpload out to give none up
lifecycleConfiguration.rules[6].objectSizeLessThan: no object has more than 10 and fewer than 10 bytes
lifecycleConfiguration.rules[6].noncurrentVersionExpiration.newerNoncurrentVersions: 101, but S3 takes 1 to 100
lifecycleConfiguration.rules[6].noncurrentVersionTransitions[0].transitionInDays: 1, but S3 takes 30 or more
lifecycleConfiguration.rules[6].noncurrentVersionTransitions[0].transitionInDays: versions go after 1 days, before they would move after 1
"#);
}

/// S3 user guide, "Transitioning objects using Amazon S3 Lifecycle": unsupported transitions, constraints.
#[test]
fn objects_move_down_and_stay_a_while() {
    let rule = |field: &str, moves: &[(&str, i32)]| {
        let moves =
            moves.iter().map(|(class, days)| json!({"storageClass": class, "transitionInDays": days}));
        let mut rule = json!({"id": "a", "status": "Enabled"});
        rule[field] = moves.collect();
        complaints(json!({"lifecycleConfiguration": {"rules": [rule]}}))
    };
    for field in ["transitions", "noncurrentVersionTransitions"] {
        let right = [("STANDARD_IA", 30), ("GLACIER_IR", 60), ("GLACIER", 61), ("DEEP_ARCHIVE", 365)];
        assert_eq!(rule(field, &right), "");
        assert_eq!(rule(field, &[("STANDARD_IA", 30), ("INTELLIGENT_TIERING", 31)]), "");
        assert!(rule(field, &[("STANDARD_IA", 30), ("GLACIER", 59)]).contains("from day 60 on"));
        assert!(rule(field, &[("ONEZONE_IA", 90), ("GLACIER", 30)]).contains("do not move to ONEZONE_IA"));
    }
    let gone = json!({"id": "a", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30},
        "noncurrentVersionTransitions": [{"storageClass": "GLACIER", "transitionInDays": 30}]});
    let told = complaints(json!({"lifecycleConfiguration": {"rules": [gone]}}));
    assert!(told.contains("versions go after 30 days"), "{told}");
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
            "topicConfigurations": [{"event": "s3:ObjectCreated:Put", "topic": "arn:aws:sns:eu-west-1:111122223333:t", "filter": {"s3Key": {"rules":
                [{"name": "prefix", "value": "a"}, {"name": "Prefix", "value": "b"}, {"name": "middle", "value": "c"}]}}}],
        },
    })), @r#"
bucketEncryption.serverSideEncryptionConfiguration: 2 rules, but S3 takes exactly one
bucketEncryption.serverSideEncryptionConfiguration[0].serverSideEncryptionByDefault.kmsMasterKeyID: AES256 takes no KMS key; set sseAlgorithm to `aws:kms`, or leave the key out
bucketEncryption.serverSideEncryptionConfiguration[0].bucketKeyEnabled: AES256 has no bucket key; only `aws:kms` has one
ownershipControls.rules: 0 rules, but S3 takes exactly one
policy.Statement[1]: has no Action: add one
policy.Statement[1]: has no Resource: add one
policy.Statement[1]: has no Principal: add one
policy.Statement[0]: allows everybody, which publicAccessBlockConfiguration.blockPublicPolicy refuses; name the principals, or add a Condition that narrows it down
notificationConfiguration.topicConfigurations[0].filter: more than one prefix; keep one
notificationConfiguration.topicConfigurations[0].filter: "middle" is neither `prefix` nor `suffix`
notificationConfiguration.topicConfigurations[0]: overlaps with queueConfigurations[0]: S3 tells of an event once; narrow one of the filters
"#);
    assert_eq!(
        complaints(json!({"policy": "no policy"})),
        "policy: is not a policy document: expected an object with Version and Statement\n"
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
        assert_eq!(Bucket::NAMES.wrong(Bucket::NAME, good), None, "{good}");
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
        assert!(Bucket::NAMES.wrong(Bucket::NAME, bad).is_some(), "{bad}");
    }
}
