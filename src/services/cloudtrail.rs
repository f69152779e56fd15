//! CloudTrail: who changed something. Asked only where drift was found; not being allowed to ask is no error of the run.

use aws_config::SdkConfig;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};

use super::{Result, failed};

/// A call that changed a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The user, or the role's session.
    pub actor: String,
    /// The call, such as `PutRolePolicy`.
    pub event: String,
    /// Seconds since 1970.
    pub at: i64,
}

/// Where a partition's CloudTrail records what IAM is asked to do; nothing, if nobody has said so.
pub fn region_of_iam(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-cn" => Some("cn-north-1"),
        "aws-us-gov" => Some("us-gov-west-1"),
        _ => None,
    }
}

/// The last call of the past 90 days that changed a resource of this name, id or ARN. What is global is recorded in one
/// region only, which is then named.
pub async fn last_change(
    config: &SdkConfig,
    region: Option<&'static str>,
    resource: &str,
) -> Result<Option<Change>> {
    /// CloudTrail allows two look-ups a second: one page has to do.
    const PAGE: i32 = 50;
    let name = LookupAttribute::builder()
        .attribute_key(LookupAttributeKey::ResourceName)
        .attribute_value(resource)
        .build()
        .map_err(|error| super::Error::malformed("cloudtrail", "LookupEvents", error.to_string()))?;
    let mut config = aws_sdk_cloudtrail::config::Builder::from(config);
    if let Some(region) = region {
        config = config.region(aws_sdk_cloudtrail::config::Region::new(region));
    }
    let answer = aws_sdk_cloudtrail::Client::from_conf(config.build())
        .lookup_events()
        .lookup_attributes(name)
        .max_results(PAGE)
        .send()
        .await
        .map_err(failed)?;
    Ok(latest(answer.events()))
}

fn latest(events: &[Event]) -> Option<Change> {
    let writes = events.iter().filter(|event| event.read_only() == Some("false"));
    let read = |event: &Event| {
        Some(Change {
            actor: event.username().unwrap_or("somebody").to_owned(),
            event: event.event_name()?.to_owned(),
            at: event.event_time()?.secs(),
        })
    };
    writes.filter_map(read).max_by_key(|change| change.at)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    fn event(name: &str, user: &str, read_only: &str, at: i64) -> Event {
        let event = Event::builder().event_name(name).username(user).read_only(read_only);
        event.event_time(DateTime::from_secs(at)).build()
    }

    #[test]
    fn the_last_write_counts_and_reads_do_not() {
        let events = [
            event("GetRole", "alice", "true", 30),
            event("PutRolePolicy", "bob", "false", 20),
            event("AttachRolePolicy", "carol", "false", 10),
        ];
        let found = latest(&events).unwrap();
        assert_eq!((found.actor.as_str(), found.event.as_str(), found.at), ("bob", "PutRolePolicy", 20));
        assert_eq!(latest(&events[..1]), None);
    }
}
