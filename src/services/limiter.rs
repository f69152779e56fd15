//! How many calls are under way at once, for each service and class: AWS limits reads and writes apart.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::promised::Form;

/// How many calls of one service are under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// Of those that only look.
    pub reads: usize,
    /// Of those that may change something.
    pub writes: usize,
}

impl Default for Concurrency {
    fn default() -> Self {
        Self { reads: 32, writes: 8 }
    }
}

/// Lets so many calls pass at once, and holds the others.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    width: Mutex<Concurrency>,
    open: Mutex<BTreeMap<(String, bool), Arc<Semaphore>>>,
}

impl Limiter {
    /// From now on; what is under way goes on.
    pub fn set(&self, width: Concurrency) {
        *self.width.lock().unwrap_or_else(PoisonError::into_inner) = width;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns when there is room; the room is taken for as long as the answer lives.
    pub async fn enter(&self, operation: &Operation) -> Option<OwnedSemaphorePermit> {
        let width = *self.width.lock().unwrap_or_else(PoisonError::into_inner);
        let room = if operation.reads() { width.reads } else { width.writes };
        let lane = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (operation.service.clone(), operation.reads());
            Arc::clone(open.entry(key).or_insert_with(|| Arc::new(Semaphore::new(room.max(1)))))
        };
        // Nobody closes a lane.
        lane.acquire_owned().await.ok()
    }
}

/// What a request is for, as it can be read off the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// The service's signing name.
    pub service: String,
    /// The operation; of S3, the method.
    pub action: String,
    /// Which attempt of the SDK it is.
    pub attempt: u32,
    /// What is asked: the operation, in Batch's own spelling of its path; of S3, which aspect of a bucket.
    pub asks: String,
    /// The form of the answer.
    pub form: Form,
}

impl Operation {
    pub fn of(request: &HttpRequest) -> Self {
        let header = |name: &str| request.headers().get(name);
        let scope = header("authorization").and_then(|it| it.split_once("Credential="));
        let service = scope.and_then(|(_, rest)| rest.split(',').next()?.split('/').nth(3));
        let attempt = header("amz-sdk-request").and_then(|it| it.strip_prefix("attempt="));
        let attempt = attempt.and_then(|it| it.split(';').next()?.trim().parse().ok());
        let action = action(request, header("x-amz-target"));
        let (asks, form) = asked(request, &action, header("x-amz-target").is_some());
        Self {
            service: service.unwrap_or("unsigned").to_owned(),
            action,
            attempt: attempt.unwrap_or(1),
            asks,
            form,
        }
    }

    /// Whether it only looks.
    pub fn reads(&self) -> bool {
        ["Batch", "Describe", "Get", "List", "GET", "HEAD", "Filter"]
            .iter()
            .any(|look| self.action.starts_with(look) && !self.action.starts_with("BatchDelete"))
    }
}

/// The reads of EFS by the ends of their paths, which begin with its API's version (service model 2015-02-01).
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

/// What is asked, and in which form the answer comes.
fn asked(request: &HttpRequest, action: &str, has_target: bool) -> (String, Form) {
    let uri = request.uri();
    let path = uri.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if has_target {
        return (action.to_owned(), Form::Json);
    }
    if let Some(asked) = path.strip_prefix("2015-02-01/").filter(|_| request.method() == "GET") {
        let end = asked.rsplit('/').next();
        let known = EFS.iter().find(|(path, _)| Some(*path) == end).map(|(_, operation)| *operation);
        return (known.unwrap_or(asked).to_owned(), Form::Json);
    }
    if let Some(asked) = path.strip_prefix("v1/").filter(|_| request.method() == "POST") {
        return (asked.to_owned(), Form::Json);
    }
    if request.method() == "GET" {
        let aspect = query.split('&').map(|part| part.trim_end_matches('=')).find(|part| !part.contains('='));
        return (aspect.unwrap_or_default().to_owned(), Form::S3);
    }
    let is_query = request.method() == "POST" && action != "POST";
    (action.to_owned(), if is_query { Form::Query } else { Form::Other })
}

fn action(request: &HttpRequest, target: Option<&str>) -> String {
    if let Some((_, action)) = target.and_then(|target| target.rsplit_once('.')) {
        return action.to_owned();
    }
    let form = request.body().bytes().and_then(|body| std::str::from_utf8(body).ok());
    if let Some(action) = form.and_then(|form| form.split('&').find_map(|pair| pair.strip_prefix("Action=")))
    {
        return action.to_owned();
    }
    let path = request.uri().split_once("://").map_or(request.uri(), |(_, rest)| rest);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    match path.strip_prefix("v1/describe").or(path.strip_prefix("v1/list")) {
        Some(_) => "Describe".to_owned(),
        None => request.method().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&'static str, &'static str)], body: &str) -> Operation {
        let mut request = http::Request::builder().method(method).uri(uri);
        let scope = "AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/x/aws4_request, SignedHeaders=host";
        request = request.header("authorization", scope);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = aws_smithy_types::body::SdkBody::from(body);
        Operation::of(&HttpRequest::try_from(request.body(body).unwrap()).unwrap())
    }

    #[test]
    fn each_protocol_says_in_its_own_place_what_it_asks() {
        let target =
            [("x-amz-target", "Logs_20140328.PutRetentionPolicy"), ("amz-sdk-request", "attempt=3; max=8")];
        let json = request("POST", "https://logs.example/", &target, "{}");
        assert_eq!((json.action.as_str(), json.attempt, json.reads()), ("PutRetentionPolicy", 3, false));
        let query = request("POST", "https://iam.example/", &[], "Version=2010-05-08&Action=ListRoles");
        assert_eq!((query.service.as_str(), query.action.as_str(), query.reads()), ("x", "ListRoles", true));
        assert!(request("POST", "https://batch.example/v1/describejobqueues", &[], "{}").reads());
        assert!(!request("POST", "https://batch.example/v1/createjobqueue", &[], "{}").reads());
        let tags = request("GET", "https://s3.example/bucket?tagging&x-id=GetBucketTagging", &[], "");
        assert!(tags.reads());
        assert_eq!((tags.asks.as_str(), tags.form), ("tagging", Form::S3));
        assert_eq!((json.asks.as_str(), json.form), ("PutRetentionPolicy", Form::Json));
        assert_eq!((query.asks.as_str(), query.form), ("ListRoles", Form::Query));
        let queues = request("POST", "https://batch.example/v1/describejobqueues", &[], "{}");
        assert_eq!((queues.asks.as_str(), queues.form), ("describejobqueues", Form::Json));
        assert!(!request("PUT", "https://s3.example/bucket", &[], "").reads());
        let systems =
            request("GET", "https://efs.example/2015-02-01/file-systems?FileSystemId=fs-1", &[], "");
        assert_eq!(
            (systems.asks.as_str(), systems.form, systems.reads()),
            ("DescribeFileSystems", Form::Json, true)
        );
        let policy = request("GET", "https://efs.example/2015-02-01/file-systems/fs-1/policy", &[], "");
        assert_eq!(policy.asks, "DescribeFileSystemPolicy");
        assert!(!request("PUT", "https://efs.example/2015-02-01/file-systems/fs-1/policy", &[], "").reads());
    }

    #[tokio::test]
    async fn a_full_lane_holds_its_own_calls_only() {
        let lanes = Limiter::default();
        lanes.set(Concurrency { reads: 2, writes: 1 });
        let call = |action: &str| Operation {
            service: "iam".into(),
            action: action.into(),
            attempt: 1,
            asks: action.into(),
            form: Form::Query,
        };
        let first = lanes.enter(&call("CreateRole")).await;
        let mut second = Box::pin(async { lanes.enter(&call("DeleteRole")).await });
        assert!(futures::poll!(&mut second).is_pending());
        let _reads = (lanes.enter(&call("GetRole")).await, lanes.enter(&call("ListRoles")).await);
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert!(futures::poll!(&mut second).is_ready());
    }
}
