//! Lifecycle rules to the SDK's structures and back.

use crate::kind::prelude::*;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload as SdkAbort, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter,
    NoncurrentVersionExpiration as SdkNoncurrentExpiration,
    NoncurrentVersionTransition as SdkNoncurrentTransition, Tag, Transition as SdkTransition,
    TransitionStorageClass,
};
use aws_smithy_types::error::operation::BuildError;

use super::super::incomplete;
use super::{
    AbortIncompleteMultipartUpload, LifecycleConfiguration, NoncurrentVersionExpiration,
    NoncurrentVersionTransition, Rule, TagFilter, Transition, day, written,
};

impl LifecycleConfiguration {
    /// All rules: S3 only replaces them together.
    pub(in super::super) fn to_sdk(&self) -> Result<BucketLifecycleConfiguration> {
        let rules: std::result::Result<Vec<_>, _> = self.rules.iter().map(Rule::to_sdk).collect();
        rules
            .and_then(|rules| BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build())
            .map_err(incomplete("PutBucketLifecycleConfiguration"))
    }
}

impl Rule {
    pub(super) fn from_sdk(sdk: &LifecycleRule) -> Self {
        let filter = Filter::from_sdk(sdk);
        let expiration = sdk.expiration();
        let noncurrent = sdk.noncurrent_version_expiration();
        let abort = sdk.abort_incomplete_multipart_upload();
        Self {
            id: sdk.id().unwrap_or_default().to_owned(),
            status: sdk.status().as_str().to_owned(),
            prefix: filter.prefix,
            tag_filters: filter.tags,
            object_size_greater_than: filter.greater_than,
            object_size_less_than: filter.less_than,
            expiration_in_days: expiration.and_then(LifecycleExpiration::days),
            expiration_date: expiration.and_then(LifecycleExpiration::date).map(written),
            expired_object_delete_marker: expiration
                .and_then(LifecycleExpiration::expired_object_delete_marker)
                .unwrap_or_default(),
            noncurrent_version_expiration: noncurrent.map(|expiration| NoncurrentVersionExpiration {
                noncurrent_days: expiration.noncurrent_days().unwrap_or_default(),
                newer_noncurrent_versions: expiration.newer_noncurrent_versions(),
            }),
            transitions: sdk.transitions().iter().map(Transition::from_sdk).collect(),
            noncurrent_version_transitions: sdk
                .noncurrent_version_transitions()
                .iter()
                .map(NoncurrentVersionTransition::from_sdk)
                .collect(),
            abort_incomplete_multipart_upload: abort
                .and_then(SdkAbort::days_after_initiation)
                .map(|days| AbortIncompleteMultipartUpload { days_after_initiation: days }),
        }
    }

    fn to_sdk(&self) -> std::result::Result<LifecycleRule, BuildError> {
        let noncurrent = self.noncurrent_version_expiration.as_ref().map(|expiration| {
            SdkNoncurrentExpiration::builder()
                .noncurrent_days(expiration.noncurrent_days)
                .set_newer_noncurrent_versions(expiration.newer_noncurrent_versions)
                .build()
        });
        let abort = self
            .abort_incomplete_multipart_upload
            .as_ref()
            .map(|abort| SdkAbort::builder().days_after_initiation(abort.days_after_initiation).build());
        let transitions: Vec<_> = self.transitions.iter().map(Transition::to_sdk).collect();
        let noncurrent_transitions: Vec<_> =
            self.noncurrent_version_transitions.iter().map(NoncurrentVersionTransition::to_sdk).collect();
        LifecycleRule::builder()
            .id(&self.id)
            .status(ExpirationStatus::from(self.status.as_str()))
            .filter(Filter::of(self).to_sdk()?)
            .set_expiration(self.expiration())
            .set_noncurrent_version_expiration(noncurrent)
            .set_transitions(some(transitions))
            .set_noncurrent_version_transitions(some(noncurrent_transitions))
            .set_abort_incomplete_multipart_upload(abort)
            .build()
    }

    fn expiration(&self) -> Option<LifecycleExpiration> {
        let date = self.expiration_date.as_deref().and_then(day);
        let marker = self.expired_object_delete_marker.then_some(true);
        let expiration = LifecycleExpiration::builder()
            .set_days(self.expiration_in_days)
            .set_date(date)
            .set_expired_object_delete_marker(marker)
            .build();
        let any = self.expiration_in_days.is_some() || date.is_some() || marker.is_some();
        any.then_some(expiration)
    }
}

impl Transition {
    fn from_sdk(sdk: &SdkTransition) -> Self {
        Self {
            storage_class: sdk.storage_class().map(|class| class.as_str().to_owned()).unwrap_or_default(),
            transition_in_days: sdk.days(),
            transition_date: sdk.date().map(written),
        }
    }

    fn to_sdk(&self) -> SdkTransition {
        SdkTransition::builder()
            .storage_class(TransitionStorageClass::from(self.storage_class.as_str()))
            .set_days(self.transition_in_days)
            .set_date(self.transition_date.as_deref().and_then(day))
            .build()
    }
}

impl NoncurrentVersionTransition {
    fn from_sdk(sdk: &SdkNoncurrentTransition) -> Self {
        Self {
            storage_class: sdk.storage_class().map(|class| class.as_str().to_owned()).unwrap_or_default(),
            transition_in_days: sdk.noncurrent_days().unwrap_or_default(),
            newer_noncurrent_versions: sdk.newer_noncurrent_versions(),
        }
    }

    fn to_sdk(&self) -> SdkNoncurrentTransition {
        SdkNoncurrentTransition::builder()
            .storage_class(TransitionStorageClass::from(self.storage_class.as_str()))
            .noncurrent_days(self.transition_in_days)
            .set_newer_noncurrent_versions(self.newer_noncurrent_versions)
            .build()
    }
}

/// What a rule is for. S3 says it in four places, and in another one again if it says more than one thing.
#[derive(Debug, Default)]
struct Filter {
    prefix: Option<String>,
    tags: Vec<TagFilter>,
    greater_than: Option<i64>,
    less_than: Option<i64>,
}

impl Filter {
    fn of(rule: &Rule) -> Self {
        Self {
            prefix: rule.prefix.clone(),
            tags: rule.tag_filters.clone(),
            greater_than: rule.object_size_greater_than,
            less_than: rule.object_size_less_than,
        }
    }

    fn from_sdk(rule: &LifecycleRule) -> Self {
        #[allow(deprecated, reason = "rules written before filters existed carry their prefix here")]
        let old = rule.prefix().map(str::to_owned);
        let tag = |tag: &Tag| TagFilter { key: tag.key().to_owned(), value: tag.value().to_owned() };
        let Some(filter) = rule.filter() else { return Self { prefix: old, ..Self::default() } };
        match filter.and() {
            Some(and) => Self {
                prefix: and.prefix().map(str::to_owned).or(old),
                tags: and.tags().iter().map(tag).collect(),
                greater_than: and.object_size_greater_than(),
                less_than: and.object_size_less_than(),
            },
            None => Self {
                prefix: filter.prefix().map(str::to_owned).or(old),
                tags: filter.tag().into_iter().map(tag).collect(),
                greater_than: filter.object_size_greater_than(),
                less_than: filter.object_size_less_than(),
            },
        }
    }

    fn to_sdk(&self) -> std::result::Result<LifecycleRuleFilter, BuildError> {
        let tags: Vec<Tag> = self
            .tags
            .iter()
            .map(|tag| Tag::builder().key(&tag.key).value(&tag.value).build())
            .collect::<std::result::Result<_, _>>()?;
        let sizes = [self.greater_than, self.less_than].into_iter().flatten().count();
        let filter = LifecycleRuleFilter::builder();
        if usize::from(self.prefix.is_some()) + tags.len() + sizes > 1 {
            let and = LifecycleRuleAndOperator::builder()
                .set_prefix(self.prefix.clone())
                .set_tags(some(tags))
                .set_object_size_greater_than(self.greater_than)
                .set_object_size_less_than(self.less_than)
                .build();
            return Ok(filter.and(and).build());
        }
        // A rule for everything says so with an empty prefix.
        let everything = tags.is_empty() && sizes == 0;
        let prefix = self.prefix.clone().or_else(|| everything.then(String::new));
        Ok(filter
            .set_prefix(prefix)
            .set_tag(tags.into_iter().next())
            .set_object_size_greater_than(self.greater_than)
            .set_object_size_less_than(self.less_than)
            .build())
    }
}

/// S3 reads an empty list as a malformed one.
fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}
