//! CloudWatch Logs.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::LogGroup;

use super::{Error, Fault, Result, Scope, Service, Target, error, failed, own_tags};
use crate::resource::Tags;

/// CloudWatch Logs.
pub struct Logs;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The log groups that matter and their tags, by name.
    pub groups: BTreeMap<String, (LogGroup, Tags)>,
}

impl Service for Logs {
    const NAME: &'static str = "logs";
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::new(config)
    }

    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        if !scope.wants("logs/LogGroup") {
            return Ok(Snapshot::default());
        }
        // A declared group is asked for by its name: an account has thousands of groups that nobody here cares about.
        let arn = scope.place.arn("logs", "log-group:");
        let groups = scope.read_each("logs/LogGroup", &arn, |name| read_one(client, name)).await?;
        Ok(Snapshot { groups })
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        let arn = target.arn.unwrap_or(target.physical);
        if !set.is_empty() {
            let set = set.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
            client
                .tag_resource()
                .resource_arn(arn)
                .set_tags(Some(set))
                .send()
                .await
                .map_err(failed("logs", "TagResource"))?;
        }
        if !unset.is_empty() {
            let call = client.untag_resource().resource_arn(arn).set_tag_keys(Some(unset.to_vec()));
            call.send().await.map_err(failed("logs", "UntagResource"))?;
        }
        Ok(())
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        match error.code.as_deref() {
            Some("ResourceNotFoundException") => Fault::Gone,
            Some("ResourceAlreadyExistsException") => Fault::Exists,
            Some("OperationAbortedException") => Fault::Settling(Duration::from_secs(120)),
            _ => error::classify(error),
        }
    }
}

async fn read_one(client: &Client, name: String) -> Result<Option<(LogGroup, Tags)>> {
    let mut pages = client.describe_log_groups().log_group_name_prefix(&name).into_paginator().items().send();
    while let Some(group) = pages.next().await {
        let group = group.map_err(failed("logs", "DescribeLogGroups"))?;
        // The names come in order: the group itself is first among those that begin with its name.
        if group.log_group_name() != Some(name.as_str()) {
            continue;
        }
        let arn = group.log_group_arn().or(group.arn()).unwrap_or_default().trim_end_matches(":*").to_owned();
        let tags = client.list_tags_for_resource().resource_arn(arn).send().await;
        let tags = tags.map_err(failed("logs", "ListTagsForResource"))?;
        let tags = own_tags(tags.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        return Ok(Some((group, tags)));
    }
    Ok(None)
}
