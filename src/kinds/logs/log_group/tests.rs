use aws_sdk_cloudwatchlogs::types::LogGroup as SdkGroup;
use aws_sdk_cloudwatchlogs::types::builders::LogGroupBuilder;
use serde_json::{Value, json};

use super::*;
use crate::diff;
use crate::kind::{AnyKind, Erased, Manner};
use crate::kinds::trial::Trial;

static KIND: Erased<LogGroup> = Erased::new();

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

/// A group as DescribeLogGroups shows it.
fn group() -> LogGroupBuilder {
    SdkGroup::builder()
        .log_group_name("/batch/payments")
        .arn("arn:aws:logs:eu-west-1:111122223333:log-group:/batch/payments:*")
        .log_group_arn("arn:aws:logs:eu-west-1:111122223333:log-group:/batch/payments")
        .log_group_class(LogGroupClass::Standard)
        .creation_time(1)
        .metric_filter_count(0)
        .stored_bytes(0)
        .deletion_protection_enabled(false)
}

fn observed(group: LogGroupBuilder) -> Live<LogGroup> {
    LogGroup::live("/batch/payments", &(group.build(), Tags::new()), &place()).unwrap()
}

fn changes(group: LogGroupBuilder, want: Value) -> Vec<FieldChange> {
    let want = KIND.normal(&want, &place()).unwrap();
    let live = serde_json::to_value(observed(group).spec).unwrap();
    diff::walk(&live, &want, &KIND.facts().rules, &[])
}

#[test]
fn what_aws_fills_in_is_no_drift() {
    assert_eq!(changes(group(), json!({})), []);
}

#[test]
fn a_group_is_reported_whole_and_in_the_manifests_words() {
    let live = observed(
        group()
            .retention_in_days(30)
            .kms_key_id("arn:aws:kms:eu-west-1:111122223333:key/1")
            .log_group_class(LogGroupClass::InfrequentAccess)
            .deletion_protection_enabled(true)
            .stored_bytes(7),
    );
    insta::assert_json_snapshot!(json!({"spec": live.spec, "outputs": live.outputs}), @r#"
{
  "outputs": {
    "arn": "arn:aws:logs:eu-west-1:111122223333:log-group:/batch/payments",
    "storedBytes": 7
  },
  "spec": {
    "deletionProtectionEnabled": true,
    "kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1",
    "logGroupClass": "INFREQUENT_ACCESS",
    "retentionInDays": 30
  }
}
"#);
}

#[test]
fn the_arn_has_one_form() {
    let old = SdkGroup::builder().arn("arn:aws:logs:eu-west-1:111122223333:log-group:/batch/payments:*");
    let spec = serde_json::from_value(json!({})).unwrap();
    assert_eq!(observed(old).outputs.arn, LogGroup::predict("/batch/payments", &spec, &place())["arn"]);
}

#[test]
fn a_policy_of_the_account_decides_in_place_of_the_group() {
    let under_policy = || group().retention_in_days(90).retention_policy_name("ninety");
    assert_eq!(changes(under_policy(), json!({})), []);
    let want = json!({"retentionInDays": 30});
    let found = changes(under_policy(), want.clone());
    let paths: Vec<&str> = found.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["retentionInDays"]);
    let live = serde_json::to_value(observed(under_policy()).spec).unwrap();
    let want = KIND.normal(&want, &place()).unwrap();
    let (effect, _) = KIND.effect(&live, &want, &found);
    insta::assert_json_snapshot!(effect, @r#"
{
  "is": "impossible",
  "how": "the account's retention policy \"ninety\" decides how long events are kept; remove retentionInDays, or list it in metadata.ignore"
}
"#);
    let (effect, _) = KIND.effect(&live, &want, &[]);
    assert_eq!(effect, Effect::Update(Manner::InPlace));
}

#[test]
fn a_class_cannot_change() {
    let found = changes(group(), json!({"logGroupClass": "INFREQUENT_ACCESS"}));
    let live = serde_json::to_value(observed(group()).spec).unwrap();
    let (effect, reason) = KIND.effect(&live, &live, &found);
    assert!(matches!(effect, Effect::Replace(_)), "{effect:?}");
    assert_eq!(reason.to_string(), "logGroupClass is create-only");
}

#[test]
fn mistakes_are_told() {
    let spec = serde_json::from_value(json!({"retentionInDays": 31, "retentionPolicyName": "x"})).unwrap();
    let found = LogGroup::validate(&spec, &place()).into_iter();
    let found: String = found.map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect();
    insta::assert_snapshot!(found, @r#"
retentionInDays: 31 is not a retention that AWS offers; the next longer is 60
retentionPolicyName: AWS says this, a manifest does not; remove it
"#);
    assert_eq!(
        LogGroup::validate(&serde_json::from_value(json!({"retentionInDays": 30})).unwrap(), &place()),
        []
    );
    // What is 0 elsewhere means for ever; nothing shorter than what was asked for is proposed.
    let of = |spec: serde_json::Value| {
        let spec = KIND.normal(&spec, &place()).unwrap();
        KIND.validate(&spec, &place())
            .into_iter()
            .map(|invalid| invalid.message)
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (days, said) in [
        (0, "0 is not a retention that AWS offers: leave it out to keep events for ever"),
        (-1, "-1 is not a retention that AWS offers: leave it out to keep events for ever"),
        (2, "2 is not a retention that AWS offers; the next longer is 3"),
        (
            4000,
            "4000 is not a retention that AWS offers; the longest is 3653; leave it out to keep events for ever",
        ),
        (
            2147483647,
            "2147483647 is not a retention that AWS offers; the longest is 3653; leave it out to keep events for ever",
        ),
    ] {
        assert_eq!(of(json!({"retentionInDays": days})), said);
    }
    let delivery = |days: i32| of(json!({"retentionInDays": days, "logGroupClass": "DELIVERY"}));
    assert_eq!(delivery(2), "");
    assert_eq!(delivery(30), "has no effect on class DELIVERY, whose events AWS keeps 2 days: remove it");
    for key in [
        "5f1cd1a8-0f6a-4fd5-a6b1-2c94bd0a01ae",
        "alias/logs",
        "arn:aws:kms:eu-west-1:111122223333:alias/logs",
    ] {
        assert!(of(json!({"kmsKeyId": key})).contains("is not a key's ARN"), "{key}");
    }
}

#[test]
fn names_are_checked_as_cloudwatch_checks_them() {
    for good in ["/batch/payments", "a", "a.b-c_d#1"] {
        assert_eq!(LogGroup::NAMES.wrong(LogGroup::NAME, good), None, "{good}");
    }
    for bad in ["", "a b", "aws/batch", "a:b", &"a".repeat(513)] {
        assert!(LogGroup::NAMES.wrong(LogGroup::NAME, bad).is_some(), "{bad}");
    }
}

#[test]
fn every_property_is_said_or_listed_as_not_managed() {
    // AWS::Logs::LogGroup without what only AWS writes.
    let properties = "bearerTokenAuthenticationEnabled dataProtectionPolicy deletionProtectionEnabled fieldIndexPolicies \
        kmsKeyId logGroupClass logGroupName resourcePolicyDocument retentionInDays tags";
    for property in properties.split_whitespace() {
        let said = KIND.facts().rules.fields.contains_key(property);
        let listed = NOT_MANAGED.iter().any(|(name, _)| *name == property);
        assert!(said != listed, "{property}: said {said}, not managed {listed}");
    }
}

#[tokio::test]
async fn every_aspect_is_written_changed_and_taken_back() {
    let trial = Trial::new("logs/LogGroup", "/trial/every-aspect").await;
    let everything = |key: &str, days: i32, protect: bool| json!({"retentionInDays": days, "kmsKeyId": trial.place.arn("kms", &format!("key/{key}")), "deletionProtectionEnabled": protect});
    trial.settle(&everything("1", 30, true)).await;
    trial.settle(&everything("2", 14, false)).await;
    trial.settle(&json!({})).await;
    trial.settle(&json!({"deletionProtectionEnabled": true})).await;
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}

#[tokio::test]
async fn a_group_that_was_written_to_goes_only_when_that_is_said() {
    let trial = Trial::new("logs/LogGroup", "/trial/written").await;
    trial.settle(&json!({})).await;
    let client = trial.client::<Logs>();
    client.create_log_stream().log_group_name("/trial/written").log_stream_name("a").send().await.unwrap();
    let error = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(error.message.contains("metadata.onDelete"), "{error}");
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}

#[tokio::test]
async fn a_look_at_a_group_takes_two_calls_and_reads_no_namesake() {
    let trial = Trial::new("logs/LogGroup", "/trial/look").await;
    let client = trial.client::<Logs>();
    client.create_log_group().log_group_name("/trial/look-alike").send().await.unwrap();
    assert_eq!(trial.look(false).await.unwrap(), None);
    trial.settle(&json!({})).await;
    trial.sandbox.reset_stats();
    assert!(trial.look(false).await.unwrap().is_some());
    let stats = trial.sandbox.stats();
    assert_eq!((stats.count(), stats.writes(), stats.depth()), (2, 0, 2), "{:?}", stats.per_action());
}
