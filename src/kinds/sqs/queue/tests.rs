#![allow(clippy::unwrap_used, clippy::panic, reason = "a test: what it reads is there, or it fails")]

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::kinds::trial::Trial;
use crate::services::Fault;

fn wrong(spec: Value) -> Vec<String> {
    let place = Place::new("111122223333", "eu-west-1");
    let spec = serde_json::from_value(spec).unwrap();
    Queue::validate(&spec, &place).into_iter().map(|it| format!("{}: {}", it.path, it.message)).collect()
}

#[test]
fn what_sqs_refuses_is_told_before_it_is_asked() {
    let arn = "arn:aws:sqs:eu-west-1:111122223333:dead";
    for right in [
        json!({}),
        json!({"fifoQueue": true, "contentBasedDeduplication": true, "deduplicationScope": "queue"}),
        json!({"fifoQueue": true, "deduplicationScope": "messageGroup", "fifoThroughputLimit": "perMessageGroupId"}),
        json!({"kmsMasterKeyId": "alias/aws/sqs"}),
        json!({"redriveAllowPolicy": {"redrivePermission": "byQueue", "sourceQueueArns": [arn]}}),
    ] {
        assert_eq!(wrong(right.clone()), Vec::<String>::new(), "{right}");
    }
    let found: Vec<String> = [
        json!({"contentBasedDeduplication": true}),
        json!({"deduplicationScope": "queue"}),
        json!({"fifoQueue": true, "deduplicationScope": "queue", "fifoThroughputLimit": "perMessageGroupId"}),
        json!({"sqsManagedSseEnabled": true, "kmsMasterKeyId": "alias/aws/sqs"}),
        json!({"kmsDataKeyReusePeriodSeconds": 600}),
        json!({"policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}}),
        json!({"redriveAllowPolicy": {"redrivePermission": "denyAll", "sourceQueueArns": [arn]}}),
        json!({"redriveAllowPolicy": {"redrivePermission": "byQueue"}}),
    ]
    .into_iter()
    .flat_map(wrong)
    .collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    contentBasedDeduplication: is of FIFO queues: set fifoQueue to true, or remove it
    deduplicationScope: is of FIFO queues: set fifoQueue to true, or remove it
    fifoThroughputLimit: needs deduplicationScope `messageGroup`
    sqsManagedSseEnabled: is another way to encrypt than kmsMasterKeyId: remove one of them
    kmsDataKeyReusePeriodSeconds: is of kmsMasterKeyId: add that, or remove it
    policy.Statement[0].Action: `s3:GetObject` is none of SQS's actions, and a queue's policy has no others
    redriveAllowPolicy.sourceQueueArns: is of redrivePermission `byQueue`
    redriveAllowPolicy: needs 1 to 10 sourceQueueArns with `byQueue`
    ");
}

#[test]
fn names_are_those_that_sqs_takes() {
    for good in ["a", "payments-9_x", "orders.fifo", &"x".repeat(80)] {
        assert_eq!(Queue::NAMES.wrong(Queue::NAME, good), None, "{good}");
    }
    for bad in
        ["", ".fifo", "a b", "a.b", "a.fifo.fifo", &"x".repeat(81), &format!("{}.fifo", "x".repeat(76))]
    {
        assert!(Queue::NAMES.wrong(Queue::NAME, bad).is_some(), "{bad}");
    }
    let (fifo, other) = (Spec { fifo_queue: true, ..Spec::default() }, Spec::default());
    let place = Place::new("111122223333", "eu-west-1");
    assert_eq!(Queue::physical(&fifo, "orders", &place), "orders.fifo");
    assert_eq!(Queue::physical(&fifo, "orders.fifo", &place), "orders.fifo");
    assert!(Queue::misnamed(&other, "orders.fifo").is_some() && Queue::misnamed(&other, "orders").is_none());
}

/// The codes of SQS's service model, and those that it sends beside them to clients of its older protocol.
#[test]
fn errors_are_told_apart() {
    for (code, fault) in [
        ("QueueDoesNotExist", Fault::Gone),
        ("AWS.SimpleQueueService.NonExistentQueue", Fault::Gone),
        ("QueueNameExists", Fault::Exists),
        ("QueueDeletedRecently", Fault::Settling(Duration::from_secs(180))),
        ("RequestThrottled", Fault::Throttled),
        ("InvalidAttributeValue", Fault::Terminal),
    ] {
        let error = Error { code: Some(code.to_owned()), ..Error::malformed("sqs", "CreateQueue", "") };
        assert_eq!(Sqs::classify(&error, Duration::ZERO), fault, "{code}");
    }
    let what = "Invalid value for the parameter Policy.";
    let error = Error {
        code: Some("InvalidAttributeValue".to_owned()),
        ..Error::malformed("sqs", "CreateQueue", what)
    };
    assert_eq!(Sqs::classify(&error, Duration::ZERO), Fault::Propagating(Duration::from_secs(120)));
}

#[tokio::test]
async fn every_aspect_is_set_changed_and_taken_back() {
    let trial = Trial::new("sqs/Queue", "trial").await;
    let dead = trial.place.arn("sqs", "dead");
    trial.client::<Sqs>().create_queue().queue_name("dead").send().await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*"
    }]});
    trial.settle(&json!({"visibilityTimeout": 900, "policy": policy})).await;
    trial
        .settle(&json!({
            "visibilityTimeout": 60, "messageRetentionPeriod": 60, "delaySeconds": 5, "maximumMessageSize": 2048,
            "receiveMessageWaitTimeSeconds": 20, "kmsMasterKeyId": "alias/aws/sqs", "policy": policy,
            "kmsDataKeyReusePeriodSeconds": 60, "redrivePolicy": {"deadLetterTargetArn": dead, "maxReceiveCount": 3},
            "redriveAllowPolicy": {"redrivePermission": "denyAll"}
        }))
        .await;
    trial.settle(&json!({"redriveAllowPolicy": {"redrivePermission": "allowAll"}})).await;
    trial.settle(&json!({"sqsManagedSseEnabled": false, "visibilityTimeout": 60})).await;
    trial.settle(&json!({})).await;
    let url =
        trial.client::<Sqs>().get_queue_url().queue_name("trial").send().await.unwrap().queue_url.unwrap();
    trial.client::<Sqs>().send_message().queue_url(&url).message_body("1").send().await.unwrap();
    let refused = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(refused.message.contains("it holds messages"), "{refused}");
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}
