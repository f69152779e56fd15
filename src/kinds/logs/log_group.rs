//! `logs/LogGroup`: where jobs' output goes.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::{self as sdk, LogGroupClass};

use crate::kind;
use crate::kind::prelude::*;
use crate::kinds::mirror::Field;
use crate::services::logs::{Logs, has_streams};

/// A CloudWatch log group.
pub struct LogGroup;

/// What a manifest declares of a log group.
#[spec]
pub struct Spec {
    /// How many days events are kept; absent: for ever.
    #[field(empty)]
    pub retention_in_days: Option<i32>,
    /// The ARN of the KMS key that new events are encrypted with; absent: CloudWatch's own.
    #[field(empty, refers("kms/Key.arn"))]
    pub kms_key_id: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS`, `ESSENTIALS` or `DELIVERY`: what can be done with the events, and what they cost.
    #[field(default = LogGroupClass::Standard.as_str(), create_only, one_of(CLASSES))]
    pub log_group_class: String,
    /// Whether AWS refuses to delete the group.
    #[field(default)]
    pub deletion_protection_enabled: bool,
    /// The account-level policy that decides in place of `retentionInDays`: AWS says it, it is not declared.
    #[field(server, runtime_owned)]
    pub retention_policy_name: Option<String>,
}

/// Newer than the SDK, which passes on what it does not know: `ESSENTIALS`
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html>).
const CLASSES: &[&str] = &["STANDARD", "INFREQUENT_ACCESS", "ESSENTIALS", "DELIVERY"];

/// What AWS assigns to a log group.
#[outputs]
pub struct Outputs {
    /// Its ARN, without `:*`.
    pub arn: String,
    /// How many bytes it holds.
    pub stored_bytes: i64,
}

/// Logs takes the key by its ARN alone (AssociateKmsKey; CloudFormation's pattern of KmsKeyId, without aliases).
fn is_key_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, key] = parts.as_slice() else { return false };
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let is_key = key.strip_prefix("key/").is_some_and(|id| !id.is_empty());
    let is_account = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    *arn == "arn" && *service == "kms" && plain(partition) && plain(region) && is_account && is_key
}

/// The numbers of days that PutRetentionPolicy takes (API reference, `retentionInDays`).
const RETENTIONS: &[i32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/// How many days events stay in a group of class `DELIVERY`, whatever is asked for (CreateLogGroup, `logGroupClass`).
const DELIVERED_IN: i32 = 2;

/// Properties of AWS::Logs::LogGroup that are left as they are, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("bearerTokenAuthenticationEnabled", "for writers outside AWS; jobs write through their execution role"),
    ("dataProtectionPolicy", "masks what jobs print: set up for an account, not for a stack"),
    ("fieldIndexPolicies", "speeds up searches, changes nothing that jobs need"),
    ("logGroupName", "metadata.physicalName"),
    ("resourcePolicyDocument", "for other services that write; jobs write through their execution role"),
    ("tags", "metadata.tags"),
];

fn wrong_name(name: &str) -> Option<String> {
    name.starts_with("aws/").then(|| "AWS keeps names that begin with `aws/` for itself".to_owned())
}

/// What CloudWatch Logs says of a group, and its tags.
type Seen = (sdk::LogGroup, Tags);

impl Kind for LogGroup {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Logs;
    type Seen = Seen;

    const NAME: &'static str = "logs/LogGroup";
    const NAMES: NameRule = NameRule::of(1..=512, ".-_/#").also(wrong_name);
    const ARN: Option<On> = Some(On::Regional("logs", "log-group:{name}"));
    const ABOUT: &'static str = "A CloudWatch log group: where jobs' output goes, and how long it is kept.";
    const CLOUDFORMATION: &'static str = "AWS::Logs::LogGroup";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[
            Grant::any(actions![logs: DescribeLogGroups]),
            Grant::on(
                actions![logs: DescribeLogStreams ListTagsForResource],
                &[On::Regional("logs", "log-group:{name}"), On::Regional("logs", "log-group:{name}:*")],
            ),
        ],
        write: &[Grant::on(
            actions![logs: AssociateKmsKey CreateLogGroup DeleteLogGroup
                    DeleteRetentionPolicy DisassociateKmsKey PutLogGroupDeletionProtection
                    PutRetentionPolicy TagResource UntagResource],
            &[On::Regional("logs", "log-group:{name}"), On::Regional("logs", "log-group:{name}:*")],
        )],
    };
    const OWNERSHIP: Ownership = Ownership::Tagged;
    const HOLDS_DATA: bool = true;
    const SUBMIT: &'static [Grant] =
        &[Grant::on(actions![logs: GetLogEvents], &[On::Regional("logs", "log-group:{name}:*")])];
    const EXAMPLE: &'static str = include_str!("log_group.example.yaml");
    const READ_BY_NAME: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        if let Some(what) =
            spec.retention_in_days.and_then(|days| wrong_retention(days, &spec.log_group_class))
        {
            found.push(Invalid::new("retentionInDays", what));
        }
        // An id is refused by the call (hashicorp/terraform-provider-aws#25258); an alias moves on without a word.
        let is_arn = |key: &str| key.len() <= 256 && is_key_arn(key);
        let key = spec.kms_key_id.as_deref().filter(|key| !key.contains("${") && !is_arn(key));
        if let Some(key) = key {
            let what =
                format!("`{key}` is not a key's ARN: write arn:<partition>:kms:<region>:<account>:key/<id>");
            found.push(Invalid::new("kmsKeyId", what));
        }
        if spec.retention_policy_name.is_some() {
            let what = "AWS says this, a manifest does not; remove it";
            found.push(Invalid::new("retentionPolicyName", what));
        }
        found
    }

    fn held_by_jobs(live: &Live<Self>) -> Option<String> {
        Some(live.physical.clone())
    }

    fn denoted_by(live: &Live<Self>) -> Vec<Denoted> {
        vec![Denoted::InField("awslogs-group", live.physical.clone())]
    }

    /// Groups for delivery have their days from AWS, which reports them.
    fn normalise(spec: &mut Spec, _place: &Place) {
        if spec.log_group_class == LogGroupClass::Delivery.as_str() {
            spec.retention_in_days = spec.retention_in_days.filter(|days| *days != DELIVERED_IN);
        }
    }

    /// Where an account-level policy decides, a retention of the group's own would never be seen.
    fn effect(live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        let retention = changes.iter().any(|change| change.path == "retentionInDays");
        match &live.retention_policy_name {
            Some(policy) if retention => {
                let what = format!(
                    "the account's retention policy {policy:?} decides how long events are kept; remove \
                     retentionInDays, or list it in metadata.ignore"
                );
                (Effect::Impossible(what), Reason::default())
            }
            _ => kind::strongest(changes, Self::IDENTITY),
        }
    }

    /// By its name: an account has thousands of groups that nobody here cares about.
    async fn read(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Seen>> {
        let prefix = scope.place.arn("logs", "log-group:");
        scope.read_each(Self::NAME, &prefix, |name| read_one(client, name)).await
    }

    fn live(name: &str, (group, tags): &Seen, _place: &Place) -> Option<Live<Self>> {
        let arn = arn(group);
        let spec = Spec {
            // Under an account-level policy AWS tells that one's days, not the group's own.
            retention_in_days: group.retention_in_days().filter(|_| group.retention_policy_name().is_none()),
            kms_key_id: group.kms_key_id().map(str::to_owned),
            log_group_class: Field::read(group.log_group_class(), Spec::default_log_group_class),
            deletion_protection_enabled: group.deletion_protection_enabled().unwrap_or_default(),
            retention_policy_name: group.retention_policy_name().map(str::to_owned),
        };
        let outputs = Outputs { arn: arn.clone(), stored_bytes: group.stored_bytes().unwrap_or_default() };
        Some(Live::new(name, spec, outputs).with(arn, tags.clone()))
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx
            .client
            .create_log_group()
            .log_group_name(cx.name)
            .set_tags(Some(cx.tags.clone().into_iter().collect()));
        let call = call
            .set_kms_key_id(want.kms_key_id.clone())
            .log_group_class(want.log_group_class.as_str().into());
        let call = call.deletion_protection_enabled(want.deletion_protection_enabled);
        call.send().await.map_err(failed)?;
        if want.retention_in_days.is_some() {
            put_retention(cx, want).await?;
        }
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, _live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if diff.touches("retentionInDays") {
            put_retention(cx, want).await?;
        }
        if diff.touches("kmsKeyId") {
            put_key(cx, want).await?;
        }
        if diff.touches("deletionProtectionEnabled") {
            put_protection(cx, want.deletion_protection_enabled).await?;
        }
        Ok(())
    }

    async fn data(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<Option<&'static str>> {
        let holds = live.outputs.stored_bytes > 0 || has_streams(cx.client, cx.name).await?;
        Ok(holds.then_some("logs"))
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        cx.refuse_data(live, "DeleteLogGroup").await?;
        if live.spec.deletion_protection_enabled {
            put_protection(cx, false).await?;
        }
        cx.client.delete_log_group().log_group_name(cx.name).send().await.map_err(failed)?;
        Ok(())
    }
}

/// What is wrong with a number of days. Nothing is proposed that would keep events shorter than asked for: elsewhere 0 (or -1)
/// means for ever.
fn wrong_retention(days: i32, class: &str) -> Option<String> {
    if class == LogGroupClass::Delivery.as_str() {
        return Some(format!(
            "has no effect on class {class}, whose events AWS keeps {DELIVERED_IN} days: remove it"
        ));
    }
    if RETENTIONS.contains(&days) {
        return None;
    }
    let no = format!("{days} is not a retention that AWS offers");
    let for_ever = "leave it out to keep events for ever";
    Some(match RETENTIONS.iter().find(|offered| **offered > days) {
        _ if days <= 0 => format!("{no}: {for_ever}"),
        Some(longer) => format!("{no}; the next longer is {longer}"),
        None => {
            format!("{no}; the longest is {}; {for_ever}", RETENTIONS.last().copied().unwrap_or_default())
        }
    })
}

/// Two forms of the ARN exist; the one with `:*` is for IAM statements only.
fn arn(group: &sdk::LogGroup) -> String {
    group.log_group_arn().or(group.arn()).unwrap_or_default().trim_end_matches(":*").to_owned()
}

async fn read_one(client: &Client, name: String) -> Result<Option<Seen>> {
    let mut pages = client.describe_log_groups().log_group_name_prefix(&name).into_paginator().items().send();
    while let Some(group) = pages.next().await {
        let group = group.map_err(failed)?;
        // The names come in order: the group itself is first among those that begin with its name.
        if group.log_group_name() != Some(name.as_str()) {
            continue;
        }
        let tags = client.list_tags_for_resource().resource_arn(arn(&group)).send().await;
        return match tags.map_err(failed) {
            // It went since it was listed.
            Err(error) if error.is("ResourceNotFoundException") => Ok(None),
            tags => Ok(Some((group, own_tags(tags?.tags.unwrap_or_default())))),
        };
    }
    Ok(None)
}

async fn put_retention(cx: &Cx<'_, LogGroup>, want: &Spec) -> Result<()> {
    match want.retention_in_days {
        Some(days) => {
            let call = cx.client.put_retention_policy().log_group_name(cx.name).retention_in_days(days);
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_retention_policy().log_group_name(cx.name);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn put_key(cx: &Cx<'_, LogGroup>, want: &Spec) -> Result<()> {
    match &want.kms_key_id {
        Some(key) => {
            let call = cx.client.associate_kms_key().log_group_name(cx.name).kms_key_id(key);
            call.send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.disassociate_kms_key().log_group_name(cx.name);
            call.send().await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn put_protection(cx: &Cx<'_, LogGroup>, on: bool) -> Result<()> {
    let call = cx
        .client
        .put_log_group_deletion_protection()
        .log_group_identifier(cx.name)
        .deletion_protection_enabled(on);
    call.send().await.map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests;
