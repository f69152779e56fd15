//! The service driven by plain requests, with a surrounding that exists only in memory and a clock that stands still.

mod refusals;
mod sdk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::world::{Answer, Line, Template, TemplateName};
use super::{Batch, Clock, Programs, Settings, Upstream, World, lock};

/// IAM, EC2 and CloudWatch Logs as far as a test needs them.
#[derive(Default)]
pub(super) struct Fake {
    pub trust: Mutex<BTreeMap<String, String>>,
    pub profiles: Mutex<Vec<String>>,
    pub subnets: Mutex<Vec<String>>,
    pub groups: Mutex<Vec<String>>,
    /// Launch templates by id or name, with the user data that they have; any other is there, and has none.
    pub templates: Mutex<BTreeMap<String, Template>>,
    pub log_groups: Mutex<Vec<String>>,
    pub streams: Mutex<BTreeMap<(String, String), Vec<String>>>,
}

impl World for Fake {
    fn trust_policy<'a>(&'a self, role: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move { Ok(lock(&self.trust).get(role).cloned()) })
    }
    fn has_instance_profile<'a>(&'a self, name: &'a str) -> Answer<'a, bool> {
        Box::pin(async move { Ok(lock(&self.profiles).iter().any(|one| one == name)) })
    }
    fn missing_subnet<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>> {
        Box::pin(async move { Ok(ids.iter().find(|id| !lock(&self.subnets).contains(id)).cloned()) })
    }
    fn missing_security_group<'a>(&'a self, ids: &'a [String]) -> Answer<'a, Option<String>> {
        Box::pin(async move { Ok(ids.iter().find(|id| !lock(&self.groups).contains(id)).cloned()) })
    }
    fn launch_template<'a>(&'a self, asked: &'a TemplateName, _version: &'a str) -> Answer<'a, Template> {
        let (TemplateName::Id(name) | TemplateName::Name(name)) = asked;
        Box::pin(async move {
            let found = lock(&self.templates).get(name).cloned();
            Ok(found.unwrap_or(Template::Found { user_data: None }))
        })
    }
    fn open_stream<'a>(&'a self, group: &'a str, stream: &'a str, with_group: bool) -> Answer<'a, ()> {
        Box::pin(async move {
            if !with_group && !lock(&self.log_groups).iter().any(|one| one == group) {
                return Err("ResourceNotFoundException: The specified log group does not exist.".into());
            }
            lock(&self.streams).insert((group.into(), stream.into()), Vec::new());
            Ok(())
        })
    }
    fn put_lines<'a>(&'a self, group: &'a str, stream: &'a str, lines: Vec<Line>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut streams = lock(&self.streams);
            let held = streams.entry((group.into(), stream.into())).or_default();
            held.extend(lines.into_iter().map(|(_, text)| text));
            Ok(())
        })
    }
}

/// A service with its surrounding, and the short way to talk to it.
pub(super) struct Bench {
    pub batch: Batch,
    pub fake: Arc<Fake>,
    pub clock: Clock,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        let fake = Arc::new(Fake::default());
        lock(&fake.subnets).push("subnet-1".into());
        lock(&fake.groups).push("sg-1".into());
        lock(&fake.profiles).push("instances".into());
        let clock = Clock::standing();
        let world: Arc<dyn World> = fake.clone();
        let upstream = Upstream::at("http://127.0.0.1:9");
        let batch = Batch::with_world(settings, upstream, Programs::default(), world, clock.clone());
        Self { batch, fake, clock }
    }

    /// Calls an operation; an error is "exception: message".
    pub async fn call(&self, operation: &str, body: Value) -> Result<Value, String> {
        self.send(Method::POST, &format!("/v1/{}", operation.to_lowercase()), body).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Result<Value, String> {
        let response = self.batch.handle(&method, path, body.to_string().as_bytes()).await;
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        match response.headers().get("x-amzn-errortype") {
            None => Ok(answer),
            Some(exception) => {
                let message = answer["message"].as_str().unwrap();
                // The request's id differs each time.
                let message = message.split(", RequestId: ").next().unwrap();
                Err(format!("{}: {message}", exception.to_str().unwrap()))
            }
        }
    }

    /// Calls an operation that must succeed.
    pub async fn ok(&self, operation: &str, body: Value) -> Value {
        self.call(operation, body).await.unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    pub async fn environment(&self, name: &str) -> Value {
        let answer = self.ok("DescribeComputeEnvironments", json!({ "computeEnvironments": [name] })).await;
        answer["computeEnvironments"][0].clone()
    }

    pub async fn queue(&self, name: &str) -> Value {
        self.ok("DescribeJobQueues", json!({ "jobQueues": [name] })).await["jobQueues"][0].clone()
    }

    /// A Fargate environment and a queue on it.
    pub async fn with_fargate(&self, environment: &str, queue: &str) {
        self.ok("CreateComputeEnvironment", fargate(environment)).await;
        self.ok("CreateJobQueue", queue_on(queue, &[environment])).await;
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A request for a Fargate environment.
pub(super) fn fargate(name: &str) -> Value {
    json!({
        "computeEnvironmentName": name, "type": "MANAGED",
        "computeResources": {
            "type": "FARGATE", "maxvCpus": 16, "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"],
        },
    })
}

/// A request for an EC2 environment that can be updated in place.
pub(super) fn ec2(name: &str) -> Value {
    json!({
        "computeEnvironmentName": name, "type": "MANAGED",
        "computeResources": {
            "type": "EC2", "allocationStrategy": "BEST_FIT_PROGRESSIVE", "minvCpus": 0, "maxvCpus": 16,
            "instanceTypes": ["m5.large"], "instanceRole": "arn:aws:iam::123456789012:instance-profile/instances",
            "subnets": ["subnet-1"], "securityGroupIds": ["sg-1"],
        },
    })
}

/// A request for a queue on these environments, in their order.
pub(super) fn queue_on(name: &str, environments: &[&str]) -> Value {
    let order: Vec<Value> = environments
        .iter()
        .enumerate()
        .map(|(at, name)| json!({ "order": at + 1, "computeEnvironment": name }))
        .collect();
    json!({ "jobQueueName": name, "priority": 1, "computeEnvironmentOrder": order })
}

/// A request for a job definition for Fargate.
pub(super) fn definition(name: &str, command: &[&str]) -> Value {
    json!({
        "jobDefinitionName": name, "type": "container", "platformCapabilities": ["FARGATE"],
        "containerProperties": {
            "image": "worker:1", "command": command,
            "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
            "resourceRequirements": [{ "type": "VCPU", "value": "1" }, { "type": "MEMORY", "value": "2048" }],
        },
    })
}

/// `value` with the members of `change` put over it, at any depth; `null` removes.
pub(super) fn changed(mut value: Value, change: Value) -> Value {
    fn merge(value: &mut Value, change: Value) {
        match change {
            Value::Object(members) if value.is_object() => {
                for (name, member) in members {
                    if member.is_null() {
                        value.as_object_mut().unwrap().remove(&name);
                    } else {
                        merge(&mut value[name], member);
                    }
                }
            }
            other => *value = other,
        }
    }
    merge(&mut value, change);
    value
}

fn slow() -> Settings {
    Settings { transition: Duration::from_secs(10), ..Settings::default() }
}

#[tokio::test]
async fn states_take_time_and_unsafe_deletions_are_refused() {
    let bench = Bench::with(slow());
    bench.ok("CreateComputeEnvironment", fargate("ce")).await;
    assert_eq!(bench.environment("ce").await["status"], "CREATING");
    let queue = queue_on("q", &["ce"]);
    assert_eq!(
        bench.call("CreateJobQueue", queue.clone()).await.unwrap_err(),
        "ClientException: Error executing request, Exception : Compute Environments must be created and valid before \
         attaching them to a job queue"
    );
    bench.advance(10);
    assert_eq!(bench.environment("ce").await["status"], "VALID");
    bench.ok("CreateJobQueue", queue).await;
    bench.advance(10);

    let refused = async |operation: &str, body: Value| bench.call(operation, body).await.unwrap_err();
    let delete = json!({ "computeEnvironment": "ce" });
    assert_eq!(
        refused("DeleteComputeEnvironment", delete.clone()).await,
        "ClientException: Cannot delete, compute environment must be in DISABLED state"
    );
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "ce", "state": "DISABLED" })).await;
    assert_eq!(
        refused("DeleteComputeEnvironment", delete.clone()).await,
        "ClientException: Cannot delete, resource is being modified."
    );
    bench.advance(10);
    assert_eq!(
        refused("DeleteComputeEnvironment", delete.clone()).await,
        "ClientException: Cannot delete, found existing JobQueue relationship"
    );
    assert_eq!(
        refused("DeleteJobQueue", json!({ "jobQueue": "q" })).await,
        "ClientException: Cannot delete, job queue must be in DISABLED state"
    );
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "state": "DISABLED" })).await;
    assert_eq!(
        refused("DeleteJobQueue", json!({ "jobQueue": "q" })).await,
        "ClientException: Cannot delete, resource is being modified."
    );
    bench.advance(10);
    bench.ok("DeleteJobQueue", json!({ "jobQueue": "q" })).await;
    assert_eq!(bench.queue("q").await["status"], "DELETING");
    // A queue on its way out still holds on to its environment.
    assert_eq!(
        refused("DeleteComputeEnvironment", delete.clone()).await,
        "ClientException: Cannot delete, found existing JobQueue relationship"
    );
    bench.advance(10);
    assert_eq!(bench.queue("q").await, Value::Null);
    bench.ok("DeleteComputeEnvironment", delete).await;
    assert_eq!(bench.environment("ce").await["status"], "DELETING");
    bench.advance(10);
    assert_eq!(bench.environment("ce").await, Value::Null);
}

#[tokio::test]
async fn the_history_shows_every_state_a_queue_was_in() {
    let bench = Bench::with(slow());
    bench.ok("CreateComputeEnvironment", fargate("a")).await;
    bench.ok("CreateComputeEnvironment", fargate("b")).await;
    bench.advance(10);
    bench.ok("CreateJobQueue", queue_on("q", &["a"])).await;
    bench.advance(30);
    let order = queue_on("q", &["b", "a"])["computeEnvironmentOrder"].clone();
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "computeEnvironmentOrder": order })).await;
    bench.advance(30);
    let start = bench.batch.queue_history()[0].at;
    let told: Vec<String> = bench
        .batch
        .queue_history()
        .iter()
        .map(|one| {
            let names: Vec<&str> = one.environments.iter().map(|(name, ..)| name.as_str()).collect();
            format!("{}s {} {} {}", (one.at - start) / 1000, one.queue, one.status, names.join("+"))
        })
        .collect();
    assert_eq!(told, ["0s q CREATING a", "10s q VALID a", "30s q UPDATING b+a", "40s q VALID b+a"]);
}

#[tokio::test]
async fn a_relationship_may_outlast_the_queue() {
    let bench = Bench::with(Settings { relationship_lag: 2, ..Settings::default() });
    bench.ok("CreateComputeEnvironment", fargate("old")).await;
    bench.ok("CreateComputeEnvironment", fargate("new")).await;
    bench.ok("CreateJobQueue", queue_on("q", &["old"])).await;
    let order = queue_on("q", &["new"])["computeEnvironmentOrder"].clone();
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "computeEnvironmentOrder": order })).await;
    bench.ok("UpdateComputeEnvironment", json!({ "computeEnvironment": "old", "state": "DISABLED" })).await;
    for _ in 0..2 {
        assert_eq!(
            bench.call("DeleteComputeEnvironment", json!({ "computeEnvironment": "old" })).await.unwrap_err(),
            "ClientException: Cannot delete, found existing JobQueue relationship"
        );
    }
    bench.ok("DeleteComputeEnvironment", json!({ "computeEnvironment": "old" })).await;
}

#[tokio::test]
async fn pages_are_honoured_everywhere() {
    let bench = Bench::new();
    for at in 0..5 {
        bench.ok("CreateComputeEnvironment", fargate(&format!("ce{at}"))).await;
        bench.ok("CreateJobQueue", queue_on(&format!("q{at}"), &[&format!("ce{at}")])).await;
        bench.ok("RegisterJobDefinition", definition("jd", &["run"])).await;
        bench.ok("CreateSchedulingPolicy", json!({ "name": format!("p{at}") })).await;
    }
    for (operation, list) in [
        ("DescribeComputeEnvironments", "computeEnvironments"),
        ("DescribeJobQueues", "jobQueues"),
        ("DescribeJobDefinitions", "jobDefinitions"),
        ("ListSchedulingPolicies", "schedulingPolicies"),
    ] {
        let (mut token, mut sizes) = (Value::Null, Vec::new());
        loop {
            let answer = bench.ok(operation, json!({ "maxResults": 2, "nextToken": token })).await;
            sizes.push(answer[list].as_array().unwrap().len());
            token = answer["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(sizes, [2, 2, 1], "{operation}");
    }
}

#[tokio::test]
async fn tags_are_set_and_taken_away() {
    let bench = Bench::new();
    let arn = bench.ok("CreateComputeEnvironment", fargate("ce")).await["computeEnvironmentArn"].clone();
    let path = format!("/v1/tags/{}", arn.as_str().unwrap().replace(':', "%3A").replace('/', "%2F"));
    bench.send(Method::POST, &path, json!({ "tags": { "a b": "1", "c": "2" } })).await.unwrap();
    assert_eq!(
        bench.send(Method::GET, &path, json!({})).await.unwrap(),
        json!({ "tags": { "a b": "1", "c": "2" } })
    );
    assert_eq!(bench.environment("ce").await["tags"], json!({ "a b": "1", "c": "2" }));
    bench.send(Method::DELETE, &format!("{path}?tagKeys=a%20b"), json!({})).await.unwrap();
    assert_eq!(bench.environment("ce").await["tags"], json!({ "c": "2" }));
    assert_eq!(
        bench.send(Method::POST, &path, json!({ "tags": { "aws:x": "1" } })).await.unwrap_err(),
        "ClientException: Error executing request, Exception : Tag keys cannot start with aws: aws:x."
    );
    // Netflix/metaflow#1345
    let strange = json!({ "tags": { "version": "2.8.1+mc(0.10.0)" } });
    let said = "BadRequestException: '2.8.1+mc(0.10.0)' is not a valid value for TagValue - it contains illegal characters";
    assert_eq!(bench.send(Method::POST, &path, strange.clone()).await.unwrap_err(), said);
    let mut other = fargate("other");
    other["tags"] = strange["tags"].clone();
    assert_eq!(bench.call("CreateComputeEnvironment", other).await.unwrap_err(), said);
    bench.send(Method::POST, &path, json!({ "tags": { "ümlaut": "_.:/=+-@ 1" } })).await.unwrap();
}

#[tokio::test]
async fn arns_carry_the_partition() {
    for (region, partition) in
        [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), ("eu-west-1", "aws")]
    {
        let bench = Bench::with(Settings::new("111122223333", region));
        let answer = bench.ok("RegisterJobDefinition", definition("jd", &["run"])).await;
        assert_eq!(
            answer["jobDefinitionArn"],
            format!("arn:{partition}:batch:{region}:111122223333:job-definition/jd:1")
        );
    }
}

#[tokio::test]
async fn a_snapshot_brings_everything_back() {
    let bench = Bench::new();
    bench.with_fargate("ce", "q").await;
    let before = bench.batch.snapshot();
    bench.ok("UpdateJobQueue", json!({ "jobQueue": "q", "state": "DISABLED" })).await;
    bench.ok("DeleteJobQueue", json!({ "jobQueue": "q" })).await;
    bench.batch.restore(before.clone()).unwrap();
    assert_eq!(bench.batch.snapshot(), before);
    assert_eq!(bench.queue("q").await["state"], "ENABLED");
}

#[tokio::test]
async fn what_is_not_served_says_so() {
    let bench = Bench::new();
    assert_eq!(
        bench.call("CreateQuotaShare", json!({})).await.unwrap_err(),
        "ClientException: POST createquotashare: this operation of AWS Batch is not served by the sandbox"
    );
}
