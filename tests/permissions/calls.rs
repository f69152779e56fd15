//! What each request of a real plan or apply needs: read off the request itself, with the resources that it names and the
//! condition keys that AWS would see. Of EC2 and Route 53, whose calls touch several resources each, only the actions are checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use batchwright::resource::Place;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::evaluate::may;

/// One request, as it left.
#[derive(Debug, Clone)]
pub struct Sent {
    service: String,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    target: Option<String>,
    body: Vec<u8>,
}

/// All requests that left, in their order; and the boundaries that roles carry by now.
#[derive(Debug, Clone, Default)]
pub struct Sending(Arc<Mutex<Vec<Sent>>>, Arc<Mutex<BTreeMap<String, String>>>);

impl Sending {
    /// The configuration, with a client that writes down what it sends.
    pub fn noting(&self, config: SdkConfig) -> SdkConfig {
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let inner = aws_smithy_http_client::Builder::new().tls_provider(tls).build_https();
        config.into_builder().http_client(Noting { inner, sending: self.clone() }).build()
    }

    /// What the requests needed that were sent since the last time this was asked: of services whose requests name what they
    /// are about.
    pub fn needs(&self, place: &Place) -> Vec<Need> {
        let sent = std::mem::take(&mut *self.0.lock().unwrap());
        let mut bounds = self.1.lock().unwrap();
        let of = |sent: &Sent| match sent.service.as_str() {
            "iam" => of_iam(sent, place, &mut bounds),
            "ecr" => of_ecr(sent, place),
            "logs" => of_logs(sent, place),
            "batch" => of_batch(sent, place),
            "s3" => of_s3(sent, place),
            _ => Vec::new(),
        };
        sent.iter().flat_map(of).collect()
    }
}

#[derive(Debug)]
struct Noting<T> {
    inner: T,
    sending: Sending,
}

impl HttpClient for Noting<SharedHttpClient> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Noting { inner, sending: self.sending.clone() })
    }
}

impl HttpConnector for Noting<SharedHttpConnector> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let scope = request.headers().get("authorization").and_then(|it| it.split_once("Credential="));
        let service = scope.and_then(|(_, rest)| rest.split(',').next()?.split('/').nth(3));
        let uri = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let sent = Sent {
            service: service.unwrap_or_default().to_owned(),
            method: request.method().to_owned(),
            path: path.split_once('/').map_or("", |(_, path)| path).to_owned(),
            query: pairs(query),
            target: request.headers().get("x-amz-target").map(str::to_owned),
            body: request.body().bytes().unwrap_or_default().to_vec(),
        };
        self.sending.0.lock().unwrap().push(sent);
        self.inner.call(request)
    }
}

fn pairs(form: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        pair.split_once('=').map_or((decoded(pair), String::new()), |(k, v)| (decoded(k), decoded(v)))
    };
    form.split('&').filter(|it| !it.is_empty()).map(pair).collect()
}

/// A permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub action: String,
    pub resource: String,
    pub context: Vec<(String, String)>,
}

impl Need {
    fn of(action: &str, resource: String) -> Self {
        Self { action: action.to_owned(), resource, context: Vec::new() }
    }

    fn with(mut self, key: &str, value: &str) -> Self {
        self.context.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// What of these needs a policy does not allow, each once.
pub fn forbidden(policy: &Value, needs: &[Need]) -> Vec<Need> {
    let allowed = |need: &Need| {
        let context: Vec<(&str, &str)> =
            need.context.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        may(policy, &need.action, &need.resource, &context)
    };
    let mut found: Vec<Need> = needs.iter().filter(|need| !allowed(need)).cloned().collect();
    found.sort();
    found.dedup();
    found
}

/// `bounds`: the boundaries that roles carry by now.
fn of_iam(sent: &Sent, place: &Place, bounds: &mut BTreeMap<String, String>) -> Vec<Need> {
    let form = pairs(std::str::from_utf8(&sent.body).unwrap());
    let get = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let action = get("Action").unwrap();
    let resource = if let Some(role) = get("RoleName") {
        match get("InstanceProfileName") {
            Some(profile) => place.iam_arn(&format!("instance-profile/{profile}")),
            // The path of a service's own role is the service's.
            None if role == "AWSServiceRoleForBatch" => {
                place.iam_arn(&format!("role/aws-service-role/batch.amazonaws.com/{role}"))
            }
            None => place.iam_arn(&format!("role{}{role}", get("Path").unwrap_or("/"))),
        }
    } else if let Some(arn) = get("PolicyArn").or(get("OpenIDConnectProviderArn")) {
        arn.to_owned()
    } else if let Some(policy) = get("PolicyName") {
        place.iam_arn(&format!("policy{}{policy}", get("Path").unwrap_or("/")))
    } else if let Some(url) = get("Url") {
        place.iam_arn(&format!("oidc-provider/{}", url.trim_start_matches("https://")))
    } else if let Some(service) = get("AWSServiceName") {
        place.iam_arn(&format!("role/aws-service-role/{service}/AWSServiceRoleForX"))
    } else {
        "*".to_owned()
    };
    let mut need = Need::of(&format!("iam:{action}"), resource.clone());
    if let Some(role) = get("RoleName") {
        if let Some(policy) = get("PolicyArn") {
            need = need.with("iam:PolicyARN", policy);
        }
        if let Some(boundary) = get("PermissionsBoundary") {
            bounds.insert(role.to_owned(), boundary.to_owned());
        }
        if let Some(boundary) = bounds.get(role) {
            need = need.with("iam:PermissionsBoundary", boundary);
        }
    }
    let tags = form.iter().any(|(key, _)| key.starts_with("Tags.")) && action.starts_with("Create");
    let tagging = format!("iam:Tag{}", action.trim_start_matches("Create"));
    let mut needs = vec![need];
    needs.extend(tags.then(|| Need::of(&tagging, resource)));
    needs
}

fn of_ecr(sent: &Sent, place: &Place) -> Vec<Need> {
    let (action, body) = json_of(sent);
    let resource = match (&body["repositoryName"], &body["resourceArn"]) {
        (Value::String(name), _) => place.arn("ecr", &format!("repository/{name}")),
        (_, Value::String(arn)) => arn.clone(),
        _ => "*".to_owned(),
    };
    let mut needs = vec![Need::of(&format!("ecr:{action}"), resource.clone())];
    needs.extend(body["tags"].is_array().then(|| Need::of("ecr:TagResource", resource)));
    needs
}

fn of_logs(sent: &Sent, place: &Place) -> Vec<Need> {
    let (action, body) = json_of(sent);
    let named = ["logGroupName", "logGroupNamePrefix", "logGroupIdentifier"];
    let named = named.iter().find_map(|key| body[*key].as_str());
    let resource = match (named, body["resourceArn"].as_str()) {
        (Some(name), _) if !name.starts_with("arn:") => place.arn("logs", &format!("log-group:{name}")),
        (Some(arn), _) | (None, Some(arn)) => arn.to_owned(),
        (None, None) => "*".to_owned(),
    };
    let mut needs = vec![Need::of(&format!("logs:{action}"), resource.clone())];
    needs.extend(
        (action == "CreateLogGroup" && body["tags"].is_object())
            .then(|| Need::of("logs:TagResource", resource)),
    );
    needs
}

fn json_of(sent: &Sent) -> (String, Value) {
    let target = sent.target.as_deref().and_then(|target| target.rsplit_once('.'));
    (target.expect("it says what it asks").1.to_owned(), serde_json::from_slice(&sent.body).unwrap())
}

/// The permissions of Batch that change something.
const BATCH: &[&str] = &[
    "CreateComputeEnvironment",
    "CreateJobQueue",
    "DeleteComputeEnvironment",
    "DeleteJobQueue",
    "DeregisterJobDefinition",
    "RegisterJobDefinition",
    "UpdateComputeEnvironment",
    "UpdateJobQueue",
];

fn of_batch(sent: &Sent, place: &Place) -> Vec<Need> {
    let operation = sent.path.trim_start_matches("v1/");
    if let Some(arn) = operation.strip_prefix("tags/") {
        let arn = percent_decode_str(arn).decode_utf8_lossy().into_owned();
        let action = match sent.method.as_str() {
            "POST" => "batch:TagResource",
            "DELETE" => "batch:UntagResource",
            other => panic!("{other} of tags"),
        };
        return vec![Need::of(action, arn)];
    }
    let Some(action) = BATCH.iter().find(|action| action.eq_ignore_ascii_case(operation)) else {
        assert!(operation.starts_with("describe") || operation.starts_with("list"), "{operation}");
        return Vec::new();
    };
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    let kind = match *action {
        it if it.ends_with("ComputeEnvironment") => "compute-environment",
        it if it.ends_with("JobQueue") => "job-queue",
        _ => "job-definition",
    };
    let arn = |kind: &str, name: &str| match name.starts_with("arn:") {
        true => name.to_owned(),
        false => place.arn("batch", &format!("{kind}/{name}")),
    };
    let keys = [
        "computeEnvironmentName",
        "computeEnvironment",
        "jobQueueName",
        "jobQueue",
        "jobDefinitionName",
        "jobDefinition",
    ];
    let name = keys.iter().find_map(|key| body[*key].as_str()).expect("it names what it is about");
    let resource = arn(kind, name);
    let mut needs = vec![Need::of(&format!("batch:{action}"), resource.clone())];
    for on in body["computeEnvironmentOrder"].as_array().into_iter().flatten() {
        let name = on["computeEnvironment"].as_str().unwrap();
        needs.push(Need::of(&format!("batch:{action}"), arn("compute-environment", name)));
    }
    if body["tags"].is_object() {
        needs.push(Need::of("batch:TagResource", resource));
    }
    passed(&body, &mut needs);
    needs
}

/// The roles that a request hands to a service.
fn passed(value: &Value, needs: &mut Vec<Need>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| passed(item, needs)),
        Value::Object(fields) => {
            for (key, value) in fields {
                let to: &[&str] = match key.as_str() {
                    "jobRoleArn" | "executionRoleArn" => &["batch.amazonaws.com", "ecs-tasks.amazonaws.com"],
                    "serviceRole" => &["batch.amazonaws.com"],
                    _ => {
                        passed(value, needs);
                        continue;
                    }
                };
                let role = value.as_str().unwrap();
                let need =
                    |to: &&str| Need::of("iam:PassRole", role.to_owned()).with("iam:PassedToService", to);
                needs.extend(to.iter().map(need));
            }
        }
        _ => {}
    }
}

/// S3's sub-resources, with the permissions to read, write and delete them.
const ASPECTS: &[(&str, &str, &str, &str)] = &[
    ("encryption", "GetEncryptionConfiguration", "PutEncryptionConfiguration", "PutEncryptionConfiguration"),
    ("lifecycle", "GetLifecycleConfiguration", "PutLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("notification", "GetBucketNotification", "PutBucketNotification", "-"),
    (
        "ownershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "PutBucketOwnershipControls",
    ),
    ("policy", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    (
        "publicAccessBlock",
        "GetBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
        "PutBucketPublicAccessBlock",
    ),
    ("tagging", "GetBucketTagging", "PutBucketTagging", "PutBucketTagging"),
    ("uploads", "ListBucketMultipartUploads", "-", "-"),
    ("versioning", "GetBucketVersioning", "PutBucketVersioning", "-"),
    ("versions", "ListBucketVersions", "-", "-"),
];

fn of_s3(sent: &Sent, place: &Place) -> Vec<Need> {
    let bucket = sent.path.trim_matches('/');
    assert!(!bucket.is_empty() && !bucket.contains('/'), "a bucket's own calls: {sent:?}");
    let arn = format!("arn:{}:s3:::{bucket}", place.partition);
    let has = |key: &str| sent.query.iter().any(|(it, _)| it == key);
    if has("delete") {
        return ["s3:DeleteObject", "s3:DeleteObjectVersion"]
            .map(|it| Need::of(it, format!("{arn}/x")))
            .to_vec();
    }
    let action = match ASPECTS.iter().find(|(key, ..)| has(key)) {
        Some((_, read, write, remove)) => match sent.method.as_str() {
            "GET" => read,
            "PUT" => write,
            _ => remove,
        },
        None => match sent.method.as_str() {
            "PUT" => "CreateBucket",
            "DELETE" => "DeleteBucket",
            _ => "ListBucket",
        },
    };
    let tagged = String::from_utf8_lossy(&sent.body).contains("<Tags>");
    let tags = (action == "CreateBucket" && tagged).then(|| Need::of("s3:TagResource", arn.clone()));
    [Need::of(&format!("s3:{action}"), arn)].into_iter().chain(tags).collect()
}
