//! CloudWatch Logs as AWS serves it.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, LogGroupClass};

use super::super::Sandbox;
use super::sandbox;

fn client(sandbox: &Sandbox) -> Client {
    Client::new(&sandbox.sdk_config())
}

#[tokio::test]
async fn groups_come_in_pages_of_fifty_in_order_of_their_names() {
    let sandbox = sandbox().await;
    let logs = client(&sandbox);
    for number in 0..52 {
        logs.create_log_group().log_group_name(format!("/a/{number:02}")).send().await.unwrap();
    }
    let page = logs.describe_log_groups().log_group_name_prefix("/a/").send().await.unwrap();
    assert_eq!(page.log_groups().len(), 50);
    let rest = logs.describe_log_groups().log_group_name_prefix("/a/").set_next_token(page.next_token);
    let rest = rest.send().await.unwrap();
    assert_eq!((rest.log_groups()[1].log_group_name(), rest.next_token()), (Some("/a/51"), None));
    assert_eq!(
        logs.describe_log_groups().limit(51).send().await.unwrap_err().code(),
        Some("InvalidParameterException")
    );
    let again = logs.create_log_group().log_group_name("/a/00").send().await.unwrap_err();
    assert_eq!(again.code(), Some("ResourceAlreadyExistsException"));
}

#[tokio::test]
async fn a_group_has_a_class_a_key_a_retention_and_a_protection() {
    let sandbox = sandbox().await;
    let logs = client(&sandbox);
    let make = logs.create_log_group().log_group_name("a").tags("owner", "me");
    make.log_group_class(LogGroupClass::InfrequentAccess)
        .deletion_protection_enabled(true)
        .send()
        .await
        .unwrap();
    let described = async || logs.describe_log_groups().send().await.unwrap().log_groups.unwrap().remove(0);
    let group = described().await;
    assert_eq!(group.log_group_class(), Some(&LogGroupClass::InfrequentAccess));
    assert_eq!((group.retention_in_days(), group.kms_key_id()), (None, None));
    assert_eq!(group.deletion_protection_enabled(), Some(true));
    let retain = |days| logs.put_retention_policy().log_group_name("a").retention_in_days(days).send();
    assert_eq!(retain(15).await.unwrap_err().code(), Some("InvalidParameterException"));
    retain(14).await.unwrap();
    let key = format!("arn:aws:kms:us-east-1:{}:key/0", sandbox.account());
    logs.associate_kms_key().log_group_name("a").kms_key_id(&key).send().await.unwrap();
    let group = described().await;
    assert_eq!((group.retention_in_days(), group.kms_key_id()), (Some(14), Some(key.as_str())));
    logs.delete_retention_policy().log_group_name("a").send().await.unwrap();
    logs.disassociate_kms_key().log_group_name("a").send().await.unwrap();
    let group = described().await;
    assert_eq!((group.retention_in_days(), group.kms_key_id()), (None, None));
    let refused = logs.delete_log_group().log_group_name("a").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    let unprotect = logs.put_log_group_deletion_protection().log_group_identifier("a");
    unprotect.deletion_protection_enabled(false).send().await.unwrap();
    logs.delete_log_group().log_group_name("a").send().await.unwrap();
    let missing = logs.delete_log_group().log_group_name("a").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));
}

#[tokio::test]
async fn a_new_group_has_none_of_the_tags_of_its_namesake() {
    let sandbox = sandbox().await;
    let logs = client(&sandbox);
    let arn = format!("arn:aws:logs:us-east-1:{}:log-group:a", sandbox.account());
    let tags = async || logs.list_tags_for_resource().resource_arn(&arn).send().await;
    assert_eq!(tags().await.unwrap_err().code(), Some("ResourceNotFoundException"));
    logs.create_log_group().log_group_name("a").tags("owner", "me").send().await.unwrap();
    logs.tag_resource().resource_arn(&arn).tags("b", "c").send().await.unwrap();
    assert_eq!(tags().await.unwrap().tags.unwrap().len(), 2);
    logs.delete_log_group().log_group_name("a").send().await.unwrap();
    logs.create_log_group().log_group_name("a").send().await.unwrap();
    assert!(tags().await.unwrap().tags.unwrap_or_default().is_empty());
}

#[tokio::test]
async fn events_are_read_and_filtered_in_order() {
    let sandbox = sandbox().await;
    let logs = client(&sandbox);
    logs.create_log_group().log_group_name("a").send().await.unwrap();
    logs.create_log_stream().log_group_name("a").log_stream_name("s").send().await.unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = i64::try_from(now).unwrap();
    let event = |at, text: &str| InputLogEvent::builder().timestamp(at).message(text).build().unwrap();
    let put = logs.put_log_events().log_group_name("a").log_stream_name("s");
    put.log_events(event(now, "one")).log_events(event(now + 1, "two")).send().await.unwrap();
    let read = logs.get_log_events().log_group_name("a").log_stream_name("s").start_from_head(true);
    let read = read.send().await.unwrap();
    let texts: Vec<_> = read.events().iter().filter_map(|event| event.message()).collect();
    assert_eq!(texts, ["one", "two"]);
    let next = logs.get_log_events().log_group_name("a").log_stream_name("s").start_from_head(true);
    let next = next.set_next_token(read.next_forward_token.clone()).send().await.unwrap();
    assert!(next.events().is_empty());
    assert_eq!(
        next.next_forward_token(),
        read.next_forward_token(),
        "the end of the stream repeats its token"
    );
    let found = logs.filter_log_events().log_group_name("a").filter_pattern("two").send().await.unwrap();
    assert_eq!(found.events()[0].message(), Some("two"));
}
