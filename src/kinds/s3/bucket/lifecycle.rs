//! When objects move to a cheaper storage class, and when they go.

use crate::kind::prelude::*;
use aws_sdk_s3::operation::get_bucket_lifecycle_configuration::GetBucketLifecycleConfigurationOutput;
use aws_sdk_s3::types::{ExpirationStatus, TransitionDefaultMinimumObjectSize, TransitionStorageClass};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

mod check;
mod sdk;

pub(super) use check::check;

/// A bucket's lifecycle rules.
#[spec]
pub struct LifecycleConfiguration {
    /// The rules, by id; at most 1000.
    #[field(required, keyed("id"))]
    pub rules: Vec<Rule>,
    /// `all_storage_classes_128K`: objects under 128 KB never move; `varies_by_storage_class`: only the Glacier classes
    /// take them. A filter by size comes before either.
    #[field(default = TransitionDefaultMinimumObjectSize::AllStorageClasses128K.as_str(), one_of(TransitionDefaultMinimumObjectSize::values()))]
    pub transition_default_minimum_object_size: String,
}

/// One lifecycle rule: what it is for (prefix, tags, size), and what happens when. It needs at least one action.
#[spec(default)]
pub struct Rule {
    /// Its name among the bucket's rules: at most 255 characters.
    pub id: String,
    /// `Enabled` or `Disabled`.
    #[field(one_of(ExpirationStatus::values()))]
    pub status: String,
    /// For objects whose key begins with this; absent: for all.
    #[field(empty)]
    pub prefix: Option<String>,
    /// For objects that carry all of these tags; absent: whatever they carry.
    #[field(default, keyed("key"))]
    pub tag_filters: Vec<TagFilter>,
    /// For objects of more than so many bytes; absent: whatever their size.
    #[field(empty)]
    pub object_size_greater_than: Option<i64>,
    /// For objects of fewer than so many bytes; absent: whatever their size.
    #[field(empty)]
    pub object_size_less_than: Option<i64>,
    /// Objects are deleted so many days after they were written; absent: they are not.
    #[field(empty)]
    pub expiration_in_days: Option<i32>,
    /// Objects are deleted from this day on (midnight UTC, such as `2027-01-01`); absent: they are not.
    #[field(empty)]
    pub expiration_date: Option<String>,
    /// Whether delete markers that hide no version any more are deleted.
    #[field(default)]
    pub expired_object_delete_marker: bool,
    /// When versions that are no longer the newest are deleted; absent: they are not.
    #[field(empty)]
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    /// When objects move to another storage class, at most once to each.
    #[field(default, keyed("storageClass"))]
    pub transitions: Vec<Transition>,
    /// When versions that are no longer the newest move to another storage class, at most once to each.
    #[field(default, keyed("storageClass"))]
    pub noncurrent_version_transitions: Vec<NoncurrentVersionTransition>,
    /// When uploads in parts that were never finished are given up; absent: never.
    #[field(empty)]
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

/// A tag that an object must carry.
#[spec]
pub struct TagFilter {
    /// The tag's key.
    pub key: String,
    /// The tag's value.
    pub value: String,
}

/// When versions that are no longer the newest are deleted.
#[spec]
pub struct NoncurrentVersionExpiration {
    /// So many days after a newer version was written.
    pub noncurrent_days: i32,
    /// So many of them are kept all the same: 1 to 100; absent: none.
    #[field(empty)]
    pub newer_noncurrent_versions: Option<i32>,
}

/// A move of objects to another storage class.
#[spec]
pub struct Transition {
    /// The class that they move to.
    #[field(one_of(TransitionStorageClass::values()))]
    pub storage_class: String,
    /// So many days after they were written; not beside `transitionDate`.
    #[field(empty)]
    pub transition_in_days: Option<i32>,
    /// From this day on (midnight UTC, such as `2027-01-01`); not beside `transitionInDays`.
    #[field(empty)]
    pub transition_date: Option<String>,
}

/// A move of versions that are no longer the newest.
#[spec]
pub struct NoncurrentVersionTransition {
    /// The class that they move to.
    #[field(one_of(TransitionStorageClass::values()))]
    pub storage_class: String,
    /// So many days after a newer version was written.
    pub transition_in_days: i32,
    /// So many of them stay where they are: 1 to 100; absent: none.
    #[field(empty)]
    pub newer_noncurrent_versions: Option<i32>,
}

/// When uploads in parts that were never finished are given up.
#[spec]
pub struct AbortIncompleteMultipartUpload {
    /// So many days after they began.
    pub days_after_initiation: i32,
}

impl LifecycleConfiguration {
    /// `None` if there is no rule.
    pub(super) fn from_sdk(sdk: &GetBucketLifecycleConfigurationOutput) -> Option<Self> {
        let rules: Vec<Rule> = sdk.rules().iter().map(Rule::from_sdk).collect();
        let size = sdk.transition_default_minimum_object_size();
        (!rules.is_empty()).then(|| Self {
            rules,
            transition_default_minimum_object_size: size
                .map_or_else(Self::default_transition_default_minimum_object_size, |size| {
                    size.as_str().to_owned()
                }),
        })
    }
}

/// The form in which rules that mean the same are equal; `None` if there is none.
pub(super) fn normal(mut configuration: LifecycleConfiguration) -> Option<LifecycleConfiguration> {
    for rule in &mut configuration.rules {
        rule.prefix = rule.prefix.take().filter(|prefix| !prefix.is_empty());
        let transitions = rule.transitions.iter_mut().map(|transition| &mut transition.transition_date);
        for date in transitions.chain([&mut rule.expiration_date]) {
            *date = date.take().map(|text| day(&text).map_or(text, |date| written(&date)));
        }
    }
    // A size that nothing moves by would be lost with the rules.
    let says_nothing = configuration.rules.is_empty()
        && configuration.transition_default_minimum_object_size
            == LifecycleConfiguration::default_transition_default_minimum_object_size();
    (!says_nothing).then_some(configuration)
}

/// A day or an instant, as a manifest writes it.
fn day(text: &str) -> Option<DateTime> {
    let instant = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
    DateTime::from_str(&instant, Format::DateTimeWithOffset).ok()
}

/// The way in which this program writes an instant.
fn written(date: &DateTime) -> String {
    date.fmt(Format::DateTime).unwrap_or_else(|_| date.secs().to_string())
}
