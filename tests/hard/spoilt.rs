//! Answers that are spoilt on their way: of each read that plans make, cut, empty, of another form, with members missing that AWS's
//! models call required. Each is an error of the whole read; what could not be read never passes for what is not there.
//!
//! One sandbox is asked once; then its answers are given again without it, one of them spoilt at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use batchwright::cloud::{self, Aws, Cloud, Scope};
use batchwright::kinds::{KINDS, kind};
use batchwright::plan::{Guard, Plan};
use batchwright::resource::{Desired, OnDelete, ResourceId};
use batchwright::services::count::Counter;
use batchwright::services::{Error, sts};
use regex::Regex;
use serde_json::{Value, json};

use crate::stack::{apply, everything_goes, nothing, on_spot, payments, sandbox};

/// What the models call required; see the file itself.
const REQUIRED: &str = include_str!("../../src/services/required.txt");

/// An answer as it came.
#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    kind: String,
    body: Vec<u8>,
}

/// Answers by request, and the one that is spoilt.
#[derive(Debug, Default)]
struct Tape {
    answers: BTreeMap<String, Answer>,
    spoilt: Option<(String, Vec<u8>)>,
}

/// Asks a sandbox and notes its answers, or gives those again.
#[derive(Debug, Clone)]
struct Player {
    tape: Arc<Mutex<Tape>>,
    live: Option<SharedHttpConnector>,
}

fn key(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    format!("{} {} {target} {body}", request.method(), request.uri())
}

/// EFS's reads: <https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html>.
const EFS: &[(&str, &str)] = &[
    ("access-points", "DescribeAccessPoints"),
    ("backup-policy", "DescribeBackupPolicy"),
    ("file-systems", "DescribeFileSystems"),
    ("lifecycle-configuration", "DescribeLifecycleConfiguration"),
    ("mount-targets", "DescribeMountTargets"),
    ("policy", "DescribeFileSystemPolicy"),
    ("replication-configurations", "DescribeReplicationConfigurations"),
    ("security-groups", "DescribeMountTargetSecurityGroups"),
];

/// What a request asks: the operation, of Batch the end of the path, of S3 the aspect of a bucket.
fn asks(key: &str) -> String {
    let words: Vec<&str> = key.splitn(4, ' ').collect();
    let (uri, target, body) = (words[1], words[2], words[3]);
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let target = target.rsplit_once('.').map(|(_, action)| action);
    let path = uri.split_once("/v1/").map(|(_, path)| path);
    // EFS's paths say it by their last word.
    let efs = uri.split_once("/2015-02-01/").and_then(|(_, path)| path.split('?').next()?.rsplit('/').next());
    let efs = efs.and_then(|word| EFS.iter().find(|(end, _)| *end == word)).map(|(_, operation)| *operation);
    let aspect = uri.split_once('?').and_then(|(_, query)| query.split('&').next());
    target.or(action).or(path).or(efs).or(aspect).unwrap_or(uri).trim_end_matches('=').to_owned()
}

impl HttpConnector for Player {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (key, player) = (key(&request), self.clone());
        HttpConnectorFuture::new(async move {
            if let Some(live) = &player.live {
                let mut answer = live.call(request).await?;
                let body = ByteStream::new(answer.take_body()).collect().await.unwrap().to_vec();
                let kind = answer.headers().get("content-type").unwrap_or_default().to_owned();
                let answer = Answer { status: answer.status().as_u16(), kind, body };
                player.tape.lock().unwrap().answers.insert(key.clone(), answer);
            }
            let tape = player.tape.lock().unwrap();
            let Some(answer) = tape.answers.get(&key) else {
                return Err(ConnectorError::other(format!("nobody asked this before: {key}").into(), None));
            };
            let spoilt = tape.spoilt.as_ref().filter(|(asked, _)| *asked == asks(&key));
            let body = spoilt.map_or_else(|| answer.body.clone(), |(_, body)| body.clone());
            let mut response =
                HttpResponse::new(StatusCode::try_from(answer.status).unwrap(), SdkBody::from(body));
            response.headers_mut().insert("content-type", answer.kind.clone());
            Ok(response)
        })
    }
}

fn through(player: Player, config: &SdkConfig) -> SdkConfig {
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(player.clone()));
    let config = config.to_builder().http_client(client).retry_config(RetryConfig::disabled()).build();
    Counter::default().counting(config)
}

/// What a plan is made through: clients take longer to make than answers to read.
struct Line {
    config: SdkConfig,
    aws: Aws,
}

impl Line {
    fn new(player: Player, config: &SdkConfig, desired: &Desired) -> Self {
        let config = through(player, config);
        let aws = Aws::new(&config, desired.place.clone(), None);
        Self { config, aws }
    }

    async fn planned(&self, desired: &Desired, guard: &Guard) -> Result<Plan, Error> {
        sts::caller(&self.config).await?;
        let observed = self.aws.observe(&Scope::of(desired)).await?;
        Ok(cloud::plan(&self.aws, desired, observed, KINDS, guard).await?.0)
    }
}

/// Spoilt forms of an answer, each with its name. `asked`: what it answers.
fn spoilt(asked: &str, answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let html = "<!DOCTYPE html>\n<html><body>Sign in</body></html>";
    let mut all = vec![
        ("cut".to_owned(), text[..text.len() * 2 / 3].to_owned()),
        ("empty".to_owned(), String::new()),
        ("an object of nothing".to_owned(), "{}".to_owned()),
        ("HTML".to_owned(), html.to_owned()),
        ("a list".to_owned(), "[\"not\", \"an\", \"object\"]".to_owned()),
        ("another root in JSON".to_owned(), "{\"unexpected\": []}".to_owned()),
    ];
    match serde_json::from_str::<Value>(&text) {
        // A document, and no answer's envelope: what it may hold is everybody's own.
        Ok(Value::Object(_)) if asked == "policy" => {
            all.retain(|(what, _)| what != "another root in JSON" && what != "an object of nothing")
        }
        Ok(Value::Object(fields)) => {
            for (name, value) in fields.iter().filter(|(name, _)| !name.to_lowercase().ends_with("token")) {
                let with = |other: Value| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), other);
                    Value::Object(fields).to_string()
                };
                if value.is_array() || value.is_object() || name.ends_with("Text") {
                    all.push((format!("{name} is null"), with(Value::Null)));
                    all.push((format!("{name} is a number"), with(7.into())));
                    all.push((format!("{name} is true"), with(true.into())));
                }
            }
        }
        _ => {
            let root = Regex::new(r"<([A-Za-z]+)[ />]").unwrap().captures(&text).unwrap()[1].to_owned();
            let end = text.rfind("</").or_else(|| text.rfind("/>")).unwrap();
            all.push(("without its root's end".to_owned(), text[..end].to_owned()));
            all.push(("another root".to_owned(), text.replace(&root, "Unexpected")));
            all.push((
                "another operation's".to_owned(),
                "<ListThingsResponse><Things/></ListThingsResponse>".to_owned(),
            ));
            // These say by silence that nothing was ever set.
            let silent = ["versioning", "notification", "publicAccessBlock", "lifecycle", "logging"];
            if !silent.contains(&asked) {
                all.push(("a root of nothing".to_owned(), format!("<{root}/>")));
            }
        }
    }
    all.into_iter().chain(without(asked, &text)).map(|(what, text)| (what, text.into_bytes())).collect()
}

/// The answer without each of the members that the model calls required, wherever it stands.
fn without(asked: &str, text: &str) -> Vec<(String, String)> {
    let paths = REQUIRED.lines().filter_map(|line| line.split_once(' '));
    let of = paths.filter(|(what, _)| what.rsplit(':').next() == Some(asked)).map(|(_, path)| path);
    let spoil = |path: &str| {
        let spoilt = match serde_json::from_str::<Value>(text) {
            Ok(mut answer) => {
                drop_at(&mut answer, &path.split('.').collect::<Vec<_>>());
                answer.to_string()
            }
            Err(_) => {
                let name = path.rsplit('.').next().unwrap_or(path).trim_end_matches(['*', '?']);
                let element = Regex::new(&format!("(?s)<{name}>.*?</{name}>|<{name}/>")).unwrap();
                element.replace_all(text, "").into_owned()
            }
        };
        let same = match (serde_json::from_str::<Value>(text), serde_json::from_str::<Value>(&spoilt)) {
            (Ok(before), Ok(after)) => before == after,
            _ => spoilt == text,
        };
        (!same).then(|| (format!("without {path}"), spoilt))
    };
    of.filter_map(spoil).collect()
}

fn drop_at(value: &mut Value, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else { return };
    let name = step.trim_end_matches(['*', '?']);
    if rest.is_empty() {
        value.as_object_mut().and_then(|fields| fields.remove(name));
        return;
    }
    match value.get_mut(name) {
        Some(Value::Array(items)) => items.iter_mut().for_each(|item| drop_at(item, rest)),
        Some(inner) => drop_at(inner, rest),
        None => {}
    }
}

/// Others beside it: of services and kinds that the stack itself has nothing of.
fn with_more(mut desired: Desired) -> Desired {
    let data = json!({"launchTemplateData": {"keyName": "jobs"}});
    let files = json!({
        "backupPolicy": {"status": "ENABLED"},
        "lifecyclePolicies": [{"transitionToIA": "AFTER_30_DAYS"}],
        "fileSystemPolicy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "elasticfilesystem:ClientMount"}
        ]},
        "mountTargets": [{"subnetId": "${ec2/Subnet/a.id}"}],
        "replicationConfiguration": {"destinations": [{"region": "us-west-2"}]},
    });
    let point = json!({"fileSystemId": "${efs/FileSystem/orders.id}", "posixUser": {"uid": 1, "gid": 1}});
    for (of, spec, on_delete) in [
        ("sqs/Queue", json!({}), OnDelete::Refuse),
        ("ec2/ElasticIp", json!({}), OnDelete::Refuse),
        ("ec2/LaunchTemplate", data, OnDelete::Refuse),
        // Files are counted late: none is empty for sure.
        ("efs/FileSystem", files, OnDelete::Empty),
        ("efs/AccessPoint", point, OnDelete::Refuse),
    ] {
        let mut one = desired.resources.values().next().expect("a stack has resources").clone();
        one.id = ResourceId::new(of, "orders");
        one.physical_name = "payments-orders".to_owned();
        one.spec = kind(of).expect("a kind").normal(&spec, &desired.place).expect("a spec");
        (one.protect, one.on_delete, one.renamed_from) = (false, on_delete, None);
        (one.depends_on, one.ignore) = (Vec::new(), Vec::new());
        desired.resources.insert(one.id.clone(), one);
    }
    desired
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_spoilt_answer_passes_for_what_is_not_there() {
    let sandbox = sandbox().await;
    apply(&sandbox, &with_more(payments()), &Guard::default()).await.unwrap();
    let config = sandbox.sdk_config();
    let live = SharedHttpConnector::new(aws_smithy_http_client::Connector::builder().build_http());
    let plans = [
        ("as it is", with_more(payments()), Guard::default()),
        ("replaced", on_spot(), Guard::default()),
        ("destroyed", nothing(), everything_goes()),
    ];
    let (mut walked, mut tried, mut passed) = (BTreeSet::new(), 0, Vec::new());
    let mut table: BTreeMap<String, usize> = BTreeMap::new();
    for (what, desired, guard) in plans {
        let tape = Arc::new(Mutex::new(Tape::default()));
        let asking =
            Line::new(Player { tape: Arc::clone(&tape), live: Some(live.clone()) }, &config, &desired);
        let plan = asking.planned(&desired, &guard).await.unwrap();
        let again = Line::new(Player { tape: Arc::clone(&tape), live: None }, &config, &desired);
        let same = again.planned(&desired, &guard).await.unwrap();
        assert_eq!(plan.fingerprint(), same.fingerprint(), "{what}: its answers tell the same again");
        let answers = tape.lock().unwrap().answers.clone();
        for (key, answer) in answers.iter().filter(|(_, answer)| answer.status == 200) {
            let asked = asks(key);
            if !walked.insert(asked.clone()) {
                continue;
            }
            for (how, body) in spoilt(&asked, answer) {
                tape.lock().unwrap().spoilt = Some((asked.clone(), body));
                tried += 1;
                *table.entry(asked.clone()).or_default() += 1;
                match again.planned(&desired, &guard).await {
                    // So AWS tells of a queue without a tag: it is somebody else's then, and left alone.
                    Ok(plan) if asked == "ListQueueTags" && !plan.objections.is_empty() => {}
                    Ok(plan) => passed.push(format!("{asked} {how}: {} changes", plan.changes.len())),
                    Err(error) => assert_eq!(error.code, None, "{asked} {how}: {error}"),
                }
            }
            tape.lock().unwrap().spoilt = None;
        }
    }
    for (asked, forms) in &table {
        println!("{asked}: {forms} spoilt forms");
    }
    println!("{} operations, {tried} spoilt answers", table.len());
    assert!(passed.is_empty(), "{passed:#?}");
    let more = ["GetQueueAttributes", "DescribeAddresses", "DescribeLaunchTemplateVersions"];
    for asked in more.into_iter().chain(EFS.iter().map(|(_, operation)| *operation)) {
        assert!(table.contains_key(asked), "{asked}: {table:?}");
    }
    assert!(table.len() > 20 && tried > 200, "{tried} of {table:?}");
}
