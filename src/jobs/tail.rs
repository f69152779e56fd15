//! The log of one job: the streams of all its attempts, each from where it was read last.

use aws_sdk_batch::types::{JobDetail, LogConfiguration, LogDriver};
use aws_sdk_cloudwatchlogs::Client;

use crate::services::{Result, logs};

/// The group that jobs write to when their definition names none.
const DEFAULT_GROUP: &str = "/aws/batch/job";

/// Where one container of one attempt writes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stream {
    group: String,
    name: String,
}

/// All streams of one job.
#[derive(Debug, Default)]
pub(super) struct Tails(Vec<(Stream, Option<String>)>);

impl Tails {
    /// Takes up the streams that a description names for the first time.
    pub(super) fn learn(&mut self, detail: &JobDetail) {
        for stream in streams(detail) {
            if self.0.iter().all(|(known, _)| *known != stream) {
                self.0.push((stream, None));
            }
        }
    }

    /// Reads what was written since the last time. A stream that does not exist yet has nothing.
    pub(super) async fn read(&mut self, client: &Client) -> Result<Vec<logs::Event>> {
        let mut events = Vec::new();
        for (stream, token) in &mut self.0 {
            loop {
                let page = logs::events(client, &stream.group, &stream.name, token.as_deref()).await?;
                events.extend(page.events);
                if page.token.is_some() {
                    *token = page.token;
                }
                if page.end {
                    break;
                }
            }
        }
        Ok(events)
    }
}

/// The streams that a job's description names, those of earlier attempts first.
fn streams(detail: &JobDetail) -> Vec<Stream> {
    let mut found = Vec::new();
    let mut add = |group: Option<String>, name: Option<&str>| {
        if let Some((group, name)) = group.zip(name) {
            found.push(Stream { group, name: name.to_owned() });
        }
    };
    let container = detail.container();
    let group = || container.and_then(|container| group_of(container.log_configuration()));
    let tasks = detail.ecs_properties().map(|ecs| ecs.task_properties()).unwrap_or_default();
    let containers = || tasks.iter().flat_map(|task| task.containers());
    let group_named = |name: Option<&str>| {
        let container = containers().find(|container| container.name() == name)?;
        group_of(container.log_configuration())
    };
    for attempt in detail.attempts() {
        add(group(), attempt.container().and_then(|container| container.log_stream_name()));
        for container in attempt.task_properties().iter().flat_map(|task| task.containers()) {
            add(group_named(container.name()), container.log_stream_name());
        }
    }
    add(group(), container.and_then(|container| container.log_stream_name()));
    for container in containers() {
        add(group_of(container.log_configuration()), container.log_stream_name());
    }
    found
}

/// The group that a container writes to; `None` if it writes elsewhere than to CloudWatch Logs.
fn group_of(configuration: Option<&LogConfiguration>) -> Option<String> {
    let Some(configuration) = configuration else { return Some(DEFAULT_GROUP.to_owned()) };
    if configuration.log_driver() != Some(&LogDriver::Awslogs) {
        return None;
    }
    let named = configuration.options().and_then(|options| options.get("awslogs-group"));
    Some(named.map_or_else(|| DEFAULT_GROUP.to_owned(), Clone::clone))
}
