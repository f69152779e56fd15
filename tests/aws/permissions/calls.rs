//! What each request needs: its actions as AWS's own tables name them, the resources that it names, and the condition keys that AWS
//! would see. What the reference requires beside what a request names is needed on any resource of its type.

use std::collections::BTreeMap;

use batchwright::resource::{Desired, Place};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::asked::{LINKED, PASSED, WITH};
use super::authorization::{actions_of, also, form, required, types};
use super::ec2;
use super::efs;
use super::evaluate::{may, meet};
use super::sending::Sent;

/// A permission that a request needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub action: String,
    pub resource: String,
    pub context: Vec<(String, String)>,
}

impl Need {
    pub fn of(action: &str, resource: impl Into<String>) -> Self {
        Self { action: action.to_owned(), resource: resource.into(), context: Vec::new() }
    }

    pub fn with(mut self, key: &str, value: &str) -> Self {
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

/// What a request is: its operation, what it is about, and all that it says.
struct Request {
    operation: String,
    on: Vec<String>,
    said: Value,
}

/// `bounds`: the boundaries that roles carry by now.
pub fn needs_of(sent: &Sent, desired: &Desired, bounds: &mut BTreeMap<String, String>) -> Vec<Need> {
    let place = &desired.place;
    let request = match sent.service.as_str() {
        "ec2" => return ec2::needs(sent, desired),
        "elasticfilesystem" => return efs::needs(sent, desired),
        "iam" => of_iam(sent, place),
        "ecr" => of_json(sent, |body| ecr(body, place)),
        "logs" => of_json(sent, |body| logs(body, place)),
        "cloudtrail" | "tagging" => of_json(sent, |_| "*".to_owned()),
        "batch" => of_batch(sent, place),
        "s3" => of_s3(sent, place),
        "sqs" => of_json(sent, |body| sqs(body, place)),
        "sts" => Request { operation: "GetCallerIdentity".into(), on: Vec::new(), said: Value::Null },
        other => panic!("nobody has written how the requests of {other} are read"),
    };
    let operation = format!("{}:{}", sent.service, request.operation);
    let actions = actions_of(&sent.service, &request.operation);
    let actions = actions.unwrap_or_else(|| panic!("which permission {operation} needs is known to nobody"));
    let mut needs = Vec::new();
    for action in &actions {
        // Who asks for objects of a bucket names the bucket.
        let on = request.on.iter().map(|on| match types(action).contains(&"object") {
            true => format!("{on}/key"),
            false => on.clone(),
        });
        needs.extend(on.map(|on| Need::of(action, on)));
        needs.extend(unnamed(action, &needs, place));
    }
    needs.extend(beside(&operation, &request, desired));
    if sent.service == "iam" {
        needs.iter_mut().for_each(|need| conditions_of_roles(need, &request, bounds));
    }
    needs
}

/// The types that the reference requires of an action, and no need names.
pub fn unnamed(action: &str, needs: &[Need], place: &Place) -> Vec<Need> {
    let service = action.split_once(':').unwrap().0;
    let named = |form: &str| needs.iter().any(|it| it.action == action && meet(&it.resource, form));
    let forms = required(action).into_iter().map(|of| form(of, service)).filter(|form| !named(form));
    forms.map(|form| Need::of(action, filled(form, place))).collect()
}

/// An ARN of a form, of some resource here.
pub fn filled(form: &str, place: &Place) -> String {
    let mut text = form.replace("${Partition}", &place.partition).replace("${Account}", &place.account);
    text = text.replace("${Region}", &place.region);
    while let Some((before, rest)) = text.clone().split_once("${") {
        text = format!("{before}any{}", rest.split_once('}').unwrap().1);
    }
    text
}

/// What a request needs beside the action that is called like it.
fn beside(operation: &str, request: &Request, desired: &Desired) -> Vec<Need> {
    let place = &desired.place;
    let mut needs = Vec::new();
    for (_, field, action, _) in WITH.iter().filter(|it| it.0 == operation) {
        if !said(&request.said, field).is_empty() {
            // Of what the request is about, the type that the action knows and is not only referred to.
            needs.push(Need::of(action, request.on[0].clone()));
        }
    }
    for (_, field, to, _) in PASSED.iter().filter(|it| it.0 == operation) {
        for role in said(&request.said, field).into_iter().filter_map(Value::as_str) {
            let role = match role.split_once(":instance-profile/") {
                // In these tests a profile that is declared has a role that is called like it, as one has that AWS's console makes.
                Some((_, name)) => place.iam_arn(&format!("role/{name}")),
                None if role.starts_with("arn:") => role.to_owned(),
                None => place.iam_arn(&format!("role/{role}")),
            };
            needs.push(Need::of("iam:PassRole", role).with("iam:PassedToService", to));
        }
    }
    let (creates, service, role) = LINKED;
    if operation == creates && said(&request.said, "serviceRole").is_empty() {
        let role = place.iam_arn(&format!("role/aws-service-role/{service}/{role}"));
        needs.push(Need::of("iam:CreateServiceLinkedRole", role).with("iam:AWSServiceName", service));
    }
    needs
}

/// What a field of this name says, at any depth; nothing of what is empty.
fn said<'a>(value: &'a Value, field: &str) -> Vec<&'a Value> {
    let is_empty = |it: &Value| {
        it.is_null()
            || it == ""
            || it.as_object().is_some_and(serde_json::Map::is_empty)
            || it == &serde_json::json!([])
    };
    match value {
        Value::Array(items) => items.iter().flat_map(|item| said(item, field)).collect(),
        Value::Object(fields) => {
            let here = fields.get(field).filter(|it| !is_empty(it));
            here.into_iter().chain(fields.values().flat_map(|it| said(it, field))).collect()
        }
        _ => Vec::new(),
    }
}

fn of_iam(sent: &Sent, place: &Place) -> Request {
    let form = sent.form();
    let get = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let on = if let Some(role) = get("RoleName") {
        match get("InstanceProfileName") {
            Some(profile) => place.iam_arn(&format!("instance-profile/{profile}")),
            // The path of a service's own role is the service's.
            None if role == "AWSServiceRoleForBatch" => {
                place.iam_arn(&format!("role/aws-service-role/batch.amazonaws.com/{role}"))
            }
            None => place.iam_arn(&format!("role{}{role}", get("Path").unwrap_or("/"))),
        }
    } else if let Some(profile) = get("InstanceProfileName") {
        place.iam_arn(&format!("instance-profile{}{profile}", get("Path").unwrap_or("/")))
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
    let mut said = serde_json::Map::new();
    for (key, value) in &form {
        // `Tags.member.1.Key` is a part of `Tags`.
        said.insert(key.split('.').next().unwrap().to_owned(), value.clone().into());
    }
    Request { operation: get("Action").unwrap().to_owned(), on: vec![on], said: said.into() }
}

/// The keys that IAM knows of calls on roles: the policy, the boundary that the role carries or is to carry, the service.
fn conditions_of_roles(need: &mut Need, request: &Request, bounds: &mut BTreeMap<String, String>) {
    let get = |name: &str| request.said[name].as_str();
    if let Some(service) = get("AWSServiceName") {
        need.context.push(("iam:AWSServiceName".into(), service.to_owned()));
    }
    let Some(role) = get("RoleName") else { return };
    if let Some(policy) = get("PolicyArn") {
        need.context.push(("iam:PolicyARN".into(), policy.to_owned()));
    }
    if let Some(boundary) = get("PermissionsBoundary") {
        bounds.insert(role.to_owned(), boundary.to_owned());
    }
    if let Some(boundary) = bounds.get(role) {
        need.context.push(("iam:PermissionsBoundary".into(), boundary.clone()));
    }
}

fn of_json(sent: &Sent, on: impl Fn(&Value) -> String) -> Request {
    let target = sent.target.as_deref().and_then(|target| target.rsplit_once('.'));
    let said: Value = serde_json::from_slice(&sent.body).unwrap();
    Request { operation: target.expect("it says what it asks").1.to_owned(), on: vec![on(&said)], said }
}

fn ecr(body: &Value, place: &Place) -> String {
    match (&body["repositoryName"], &body["resourceArn"]) {
        (Value::String(name), _) => place.arn("ecr", &format!("repository/{name}")),
        (_, Value::String(arn)) => arn.clone(),
        _ => "*".to_owned(),
    }
}

fn logs(body: &Value, place: &Place) -> String {
    let named = ["logGroupName", "logGroupIdentifier"].iter().find_map(|key| body[*key].as_str());
    let group = match (named, body["resourceArn"].as_str()) {
        (Some(name), _) if !name.starts_with("arn:") => place.arn("logs", &format!("log-group:{name}")),
        (Some(arn), _) | (None, Some(arn)) => arn.to_owned(),
        (None, None) => "*".to_owned(),
    };
    match body["logStreamName"].as_str() {
        Some(stream) => format!("{group}:log-stream:{stream}"),
        None => group,
    }
}

/// A queue by its name, or by the end of its URL.
fn sqs(body: &Value, place: &Place) -> String {
    let url = body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next());
    body["QueueName"].as_str().or(url).map_or_else(|| "*".to_owned(), |name| place.arn("sqs", name))
}

/// Batch's operations, as their paths call them.
const BATCH: &[&str] = &[
    "CreateComputeEnvironment",
    "CreateConsumableResource",
    "CreateJobQueue",
    "CreateServiceEnvironment",
    "DeleteComputeEnvironment",
    "DeleteConsumableResource",
    "DeleteJobQueue",
    "DeleteServiceEnvironment",
    "DeregisterJobDefinition",
    "DescribeComputeEnvironments",
    "DescribeConsumableResource",
    "DescribeJobDefinitions",
    "DescribeJobQueues",
    "DescribeJobs",
    "DescribeServiceEnvironments",
    "ListConsumableResources",
    "ListJobs",
    "RegisterJobDefinition",
    "SubmitJob",
    "UpdateComputeEnvironment",
    "UpdateConsumableResource",
    "UpdateJobQueue",
    "UpdateServiceEnvironment",
];
/// What its requests name, in which fields; first what they are about.
const NAMED: &[(&str, &str)] = &[
    ("computeEnvironmentName", "compute-environment"),
    ("jobQueueName", "job-queue"),
    ("jobDefinitionName", "job-definition"),
    ("jobQueue", "job-queue"),
    ("jobDefinition", "job-definition"),
    ("computeEnvironment", "compute-environment"),
    ("schedulingPolicyArn", "scheduling-policy"),
    ("serviceEnvironment", "service-environment"),
    ("serviceEnvironmentName", "service-environment"),
    ("consumableResource", "consumable-resource"),
    ("consumableResourceName", "consumable-resource"),
];

fn of_batch(sent: &Sent, place: &Place) -> Request {
    let path = sent.path.trim_start_matches("v1/");
    if let Some(arn) = path.strip_prefix("tags/") {
        let arn = percent_decode_str(arn).decode_utf8_lossy().into_owned();
        let operation = match sent.method.as_str() {
            "POST" => "TagResource",
            "DELETE" => "UntagResource",
            other => panic!("{other} of tags"),
        };
        return Request { operation: operation.into(), on: vec![arn], said: Value::Null };
    }
    let operation = BATCH.iter().find(|it| it.eq_ignore_ascii_case(path));
    let operation = operation.unwrap_or_else(|| panic!("nobody has written what {path} is"));
    let said: Value = serde_json::from_slice(&sent.body).unwrap();
    // What is listed is known to no action.
    let is_named = *operation == "DescribeConsumableResource";
    if !is_named && (operation.starts_with("Describe") || operation.starts_with("List")) {
        return Request { operation: (*operation).into(), on: vec!["*".into()], said };
    }
    let arn = |kind: &str, name: &str| match name.starts_with("arn:") {
        true => name.to_owned(),
        false => place.arn("batch", &format!("{kind}/{name}")),
    };
    let named = NAMED.iter().flat_map(|(field, kind)| {
        self::said(&said, field)
            .into_iter()
            .filter_map(Value::as_str)
            .map(|it| arn(kind, it))
            .collect::<Vec<_>>()
    });
    Request { operation: (*operation).into(), on: named.collect(), said }
}

/// S3's sub-resources, as their operations call them when they are read, written and deleted:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>.
const ASPECTS: &[(&str, &str, &str, &str)] = &[
    ("cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
    ("encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
    (
        "lifecycle",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    ),
    ("logging", "GetBucketLogging", "PutBucketLogging", "-"),
    ("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", "-"),
    (
        "ownershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
    ("policy", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    ("publicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
    ("tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
    ("uploads", "ListMultipartUploads", "-", "-"),
    ("versioning", "GetBucketVersioning", "PutBucketVersioning", "-"),
    ("versions", "ListObjectVersions", "-", "-"),
];

fn of_s3(sent: &Sent, place: &Place) -> Request {
    let bucket = sent.path.trim_matches('/');
    assert!(!bucket.is_empty() && !bucket.contains('/'), "a bucket's own calls: {sent:?}");
    let has = |key: &str| sent.query.iter().any(|(it, _)| it == key);
    let aspect = ASPECTS.iter().find(|(key, ..)| has(key));
    let operation = match (sent.method.as_str(), aspect) {
        ("POST", _) if has("delete") => "DeleteObjects",
        ("GET", Some(&(_, read, ..))) => read,
        ("PUT", Some(&(_, _, write, _))) => write,
        ("DELETE", Some(&(.., remove))) => remove,
        ("GET", None) => "ListObjectsV2",
        ("PUT", None) => "CreateBucket",
        ("DELETE", None) => "DeleteBucket",
        ("HEAD", None) => "HeadBucket",
        other => panic!("nobody has written what {other:?} is: {sent:?}"),
    };
    let tags = String::from_utf8_lossy(&sent.body).contains("<Tags>");
    let said = serde_json::json!({ "Tags": if tags { "some" } else { "" } });
    Request { operation: operation.into(), on: vec![format!("arn:{}:s3:::{bucket}", place.partition)], said }
}

#[test]
fn what_a_request_needs_is_what_aws_says() {
    let place = Place::new("222222222222", "us-east-1");
    let submit = unnamed("batch:SubmitJob", &[], &place);
    let arns: Vec<&str> = submit.iter().map(|it| it.resource.as_str()).collect();
    assert_eq!(
        arns,
        [
            "arn:aws:batch:us-east-1:222222222222:job/any",
            "arn:aws:batch:us-east-1:222222222222:job-queue/any"
        ]
    );
    assert!(also("ec2:CreateVpc").any(|it| it == "ec2:CreateTags"));
}

/// A service more needs words of its own here: else its permissions would be proved by nobody.
#[test]
#[should_panic(expected = "nobody has written how the requests of sns are read")]
fn a_service_that_nobody_knows_fails() {
    let sent = Sent {
        service: "sns".to_owned(),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: Vec::new(),
        target: Some("AmazonSNS.CreateTopic".to_owned()),
        body: br#"{"Name":"orders"}"#.to_vec(),
    };
    needs_of(&sent, &super::desired("prod"), &mut BTreeMap::new());
}
