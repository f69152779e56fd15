//! `consume` behind a queue with a dead-letter queue.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_s3::Client as S3;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use batchwright::sandbox::{Options, Sandbox};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::{object, program};

/// Calls SQS as its JSON protocol has it, for which the program has no SDK of its own.
async fn sqs(sandbox: &Sandbox, operation: &str, input: Value) -> Value {
    let target = format!("AmazonSQS.{operation}");
    let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target.as_str())];
    let body = input.to_string();
    let signable = SignableRequest::new(
        "POST",
        sandbox.endpoint(),
        headers.into_iter(),
        SignableBody::Bytes(body.as_bytes()),
    );
    let config = sandbox.sdk_config();
    let identity = config.credentials_provider().unwrap().provide_credentials().await.unwrap().into();
    let by = v4::SigningParams::builder().identity(&identity).region("us-east-1").name("sqs");
    let by = by.time(SystemTime::now()).settings(SigningSettings::default()).build().unwrap().into();
    let (signature, _) = sign(signable.unwrap(), &by).unwrap().into_parts();
    let mut request = http::Request::post(sandbox.endpoint());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut request = request.body(Full::new(Bytes::from(body))).unwrap();
    signature.apply_to_request_http1x(&mut request);
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let answer = client.request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "{operation}: {status} {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).unwrap_or_default()
}

async fn queue(sandbox: &Sandbox, name: &str, attributes: Value) -> String {
    let made = sqs(sandbox, "CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
    made["QueueUrl"].as_str().unwrap().to_owned()
}

async fn send(sandbox: &Sandbox, queue: &str, body: &str) {
    sqs(sandbox, "SendMessage", json!({"QueueUrl": queue, "MessageBody": body})).await;
}

async fn count(sandbox: &Sandbox, queue: &str) -> (String, String) {
    let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    let found = sqs(sandbox, "GetQueueAttributes", json!({"QueueUrl": queue, "AttributeNames": names})).await;
    let count = |name: &str| found["Attributes"][name].as_str().unwrap().to_owned();
    (count(names[0]), count(names[1]))
}

fn created(keys: &[&str]) -> Value {
    let records: Vec<_> = keys
        .iter()
        .map(|key| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "incoming"}, "object": {"key": key}}}))
        .collect();
    json!({ "Records": records })
}

/// Every form of a message does its work once it is all written; poison ends in the dead-letter queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_worked_off_and_poison_goes_to_the_dead_letter_queue() {
    let options = Options { region: "us-east-1".to_owned(), ..Options::isolated() };
    let sandbox = Sandbox::start(options, &mut |_| ()).await.unwrap();
    let s3 = S3::new(&sandbox.sdk_config());
    for bucket in ["incoming", "outgoing"] {
        s3.create_bucket().bucket(bucket).send().await.unwrap();
    }
    let line = |count: u32| format!("{{\"stars\":2.5,\"review_count\":{count}}}\n");
    for (key, body) in
        [("a b/é.jsonl", line(1) + &line(2)), ("x", line(3)), ("y", line(4)), ("bad", "{\n".to_owned())]
    {
        s3.put_object().bucket("incoming").key(key).body(body.into_bytes().into()).send().await.unwrap();
    }
    let dead = queue(&sandbox, "dead", json!({})).await;
    let arn = format!("arn:aws:sqs:us-east-1:{}:dead", sandbox.account());
    let redrive = json!({"deadLetterTargetArn": arn, "maxReceiveCount": "3"}).to_string();
    let incoming = queue(&sandbox, "incoming", json!({"RedrivePolicy": redrive})).await;
    let encoded = created(&["a+b/%C3%A9.jsonl"]).to_string();
    let wrapped = json!({"Type": "Notification", "Message": created(&["x", "y"]).to_string()}).to_string();
    let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"incoming"}"#;
    let (bad, gone) = (created(&["bad"]).to_string(), created(&["gone"]).to_string());
    for body in [&encoded, &encoded, &wrapped, test, &bad, &gone, "hello"] {
        send(&sandbox, &incoming, body).await;
    }

    let mut command = tokio::process::Command::new(program());
    command.env_clear().envs(sandbox.environment()).args(["consume", "--until-empty", "--wait", "1"]);
    let ended =
        command.args(["--queue", &incoming, "--destination", "s3://outgoing/scored"]).output().await.unwrap();
    let log = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "not everything was done: {log}");

    let score = |count: u32| {
        format!("{{\"stars\":2.5,\"review_count\":{count},\"review_score\":{:?}}}\n", 2.5 * f64::from(count))
    };
    assert_eq!(object(&s3, "outgoing", "scored/a b/é.jsonl").await, Some(score(1) + &score(2)));
    assert_eq!(object(&s3, "outgoing", "scored/x").await, Some(score(3)));
    assert_eq!(object(&s3, "outgoing", "scored/y").await, Some(score(4)));
    let written = s3.list_objects_v2().bucket("outgoing").send().await.unwrap();
    assert_eq!(written.key_count(), Some(3), "{log}");
    assert_eq!(count(&sandbox, &incoming).await, ("0".to_owned(), "0".to_owned()), "{log}");
    assert_eq!(count(&sandbox, &dead).await.0, "3", "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("\"received\":3")).count(), 3, "{log}");
}
