//! What S3 refuses in lifecycle rules (PutBucketLifecycleConfiguration; S3 user guide, "Lifecycle configuration elements").

use crate::kind::prelude::*;
use std::collections::BTreeSet;

use super::{LifecycleConfiguration, Rule, Transition, day};

const MOST_RULES: usize = 1000;
const LONGEST_ID: usize = 255;
/// Both infrequent-access classes take objects of this age only, and an archive takes them so much later ("Transitioning objects":
/// unsupported transitions and minimum storage).
const DAYS_BEFORE_IA: i32 = 30;
/// Objects move down this list and never up.
const DOWN: &[&str] =
    &["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];
const LONGEST_TAG: (usize, usize) = (128, 256);

pub(in super::super) fn check(configuration: &LifecycleConfiguration, found: &mut Vec<Invalid>) {
    let rules = &configuration.rules;
    if rules.len() > MOST_RULES {
        let what = format!("{} rules, but S3 takes at most {MOST_RULES}", rules.len());
        found.push(Invalid::new("lifecycleConfiguration.rules", what));
    }
    if rules.is_empty() {
        let what = "no rule moves anything: add one, or leave lifecycleConfiguration out";
        found.push(Invalid::new("lifecycleConfiguration.transitionDefaultMinimumObjectSize", what));
    }
    let mut ids = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let mut rule_check =
            RuleCheck { rule, path: format!("lifecycleConfiguration.rules[{index}]"), found };
        if !ids.insert(&rule.id) {
            rule_check.wrong(".id", format!("{:?} names another rule already", rule.id));
        }
        rule_check.all();
    }
}

struct RuleCheck<'a> {
    rule: &'a Rule,
    path: String,
    found: &'a mut Vec<Invalid>,
}

impl RuleCheck<'_> {
    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.found.push(Invalid::new(format!("{}{field}", self.path), message));
    }

    fn all(&mut self) {
        let rule = self.rule;
        if rule.id.is_empty() || rule.id.chars().count() > LONGEST_ID {
            self.wrong(".id", format!("expected 1 to {LONGEST_ID} characters"));
        }
        let actions = rule.expiration_in_days.is_some()
            || rule.expiration_date.is_some()
            || rule.expired_object_delete_marker
            || rule.noncurrent_version_expiration.is_some()
            || !rule.transitions.is_empty()
            || !rule.noncurrent_version_transitions.is_empty()
            || rule.abort_incomplete_multipart_upload.is_some();
        if !actions {
            self.wrong("", "does nothing; add an action such as expirationInDays, or remove the rule");
        }
        self.filter();
        self.expiration();
        self.noncurrent();
        self.order();
        for (index, transition) in rule.transitions.iter().enumerate() {
            self.transition(index, transition);
        }
    }

    fn filter(&mut self) {
        let rule = self.rule;
        let (more, less) = (rule.object_size_greater_than, rule.object_size_less_than);
        if let (Some(more), Some(less)) = (more, less)
            && more >= less
        {
            self.wrong(
                ".objectSizeLessThan",
                format!("no object has more than {more} and fewer than {less} bytes"),
            );
        }
        for (field, size) in [(".objectSizeGreaterThan", more), (".objectSizeLessThan", less)] {
            if size.is_some_and(|size| size < 0) {
                self.wrong(field, "expected a number of bytes, 0 or more");
            }
        }
        let narrow = !rule.tag_filters.is_empty() || more.is_some() || less.is_some();
        if narrow && rule.abort_incomplete_multipart_upload.is_some() {
            let what = "goes by prefix only; put it into a rule without tagFilters and sizes";
            self.wrong(".abortIncompleteMultipartUpload", what);
        }
        if !rule.tag_filters.is_empty() && rule.expired_object_delete_marker {
            let what = "delete markers carry no tags; put it into a rule without tagFilters";
            self.wrong(".expiredObjectDeleteMarker", what);
        }
        let mut keys = BTreeSet::new();
        for (index, tag) in rule.tag_filters.iter().enumerate() {
            let is_long = |text: &str, most: usize| text.chars().count() > most;
            if tag.key.is_empty() || is_long(&tag.key, LONGEST_TAG.0) || is_long(&tag.value, LONGEST_TAG.1) {
                let what = "expected a key of 1 to 128 characters and a value of up to 256";
                self.wrong(&format!(".tagFilters[{index}]"), what);
            }
            if !keys.insert(&tag.key) {
                self.wrong(
                    &format!(".tagFilters[{index}].key"),
                    format!("{:?} is asked for already", tag.key),
                );
            }
        }
    }

    fn expiration(&mut self) {
        let rule = self.rule;
        let ways = usize::from(rule.expiration_in_days.is_some())
            + usize::from(rule.expiration_date.is_some())
            + usize::from(rule.expired_object_delete_marker);
        if ways > 1 {
            let what =
                "expirationInDays, expirationDate and expiredObjectDeleteMarker exclude each other; keep one";
            self.wrong("", what);
        }
        self.more_than_none(".expirationInDays", rule.expiration_in_days, "leave it out to keep objects");
        self.midnight(".expirationDate", rule.expiration_date.as_deref());
        let dates = rule.transitions.iter().any(|t| t.transition_date.is_some());
        let days = rule.transitions.iter().any(|t| t.transition_in_days.is_some());
        if ways < 2
            && (dates || rule.expiration_date.is_some())
            && (days || rule.expiration_in_days.is_some())
        {
            self.wrong("", "mixes days and dates; a rule goes by either");
        }
    }

    fn noncurrent(&mut self) {
        let rule = self.rule;
        if let Some(expiration) = &rule.noncurrent_version_expiration {
            let path = ".noncurrentVersionExpiration";
            let days = Some(expiration.noncurrent_days);
            let how = "leave noncurrentVersionExpiration out to keep versions";
            self.more_than_none(&format!("{path}.noncurrentDays"), days, how);
            self.kept(path, expiration.newer_noncurrent_versions);
        }
        for (index, transition) in rule.noncurrent_version_transitions.iter().enumerate() {
            let path = format!(".noncurrentVersionTransitions[{index}]");
            let least = least_days(&transition.storage_class);
            self.at_least(&format!("{path}.transitionInDays"), Some(transition.transition_in_days), least);
            self.kept(&path, transition.newer_noncurrent_versions);
        }
        let abort = rule.abort_incomplete_multipart_upload.as_ref().map(|abort| abort.days_after_initiation);
        let how = "leave abortIncompleteMultipartUpload out to give none up";
        self.more_than_none(".abortIncompleteMultipartUpload.daysAfterInitiation", abort, how);
    }

    /// Later transitions lead further down, and versions go after they have moved.
    fn order(&mut self) {
        let rule = self.rule;
        let current = rule.transitions.iter().enumerate();
        let dated =
            current.filter_map(|(index, it)| Some((index, it.transition_in_days?, &it.storage_class)));
        self.downwards("transitions", dated.collect());
        let versions = &rule.noncurrent_version_transitions;
        let old = versions.iter().enumerate();
        let old = old.map(|(index, it)| (index, it.transition_in_days, &it.storage_class)).collect();
        self.downwards("noncurrentVersionTransitions", old);
        let Some(gone) = rule.noncurrent_version_expiration.as_ref().map(|it| it.noncurrent_days) else {
            return;
        };
        for (index, version) in versions.iter().enumerate().filter(|(_, it)| it.transition_in_days >= gone) {
            let path = format!(".noncurrentVersionTransitions[{index}].transitionInDays");
            let days = version.transition_in_days;
            self.wrong(&path, format!("versions go after {gone} days, before they would move after {days}"));
        }
    }

    fn downwards(&mut self, field: &str, moves: Vec<(usize, i32, &String)>) {
        let rank = |class: &str| DOWN.iter().position(|known| *known == class);
        for (index, days, class) in &moves {
            for (_, earlier, from) in moves.iter().filter(|(_, earlier, _)| earlier < days) {
                let path = format!(".{field}[{index}]");
                let (Some(above), Some(below)) = (rank(from), rank(class)) else { continue };
                if above > below {
                    self.wrong(&path, format!("objects that are in {from} by then do not move to {class}"));
                } else if from.ends_with("_IA")
                    && above < below
                    && days - earlier < DAYS_BEFORE_IA
                    && !class.ends_with("_IA")
                    && *class != "INTELLIGENT_TIERING"
                {
                    let what = format!(
                        "objects stay in {from} for {DAYS_BEFORE_IA} days, from day {earlier}: move them on from day {} on",
                        earlier + DAYS_BEFORE_IA
                    );
                    self.wrong(&path, what);
                }
            }
        }
    }

    fn transition(&mut self, index: usize, transition: &Transition) {
        let path = format!(".transitions[{index}]");
        let class = &transition.storage_class;
        if transition.transition_in_days.is_some() == transition.transition_date.is_some() {
            self.wrong(&path, "expected either transitionInDays or transitionDate");
        }
        self.at_least(&format!("{path}.transitionInDays"), transition.transition_in_days, least_days(class));
        self.midnight(&format!("{path}.transitionDate"), transition.transition_date.as_deref());
        if let (Some(moves), Some(goes)) = (transition.transition_in_days, self.rule.expiration_in_days)
            && moves >= goes
        {
            let what = format!("objects go after {goes} days, before they would move; move them earlier");
            self.wrong(&format!("{path}.transitionInDays"), what);
        }
        let twice = self.rule.transitions.iter().take(index).any(|other| other.storage_class == *class);
        if twice {
            self.wrong(
                &format!("{path}.storageClass"),
                format!("another transition moves to {class} already"),
            );
        }
    }

    fn at_least(&mut self, field: &str, value: Option<i32>, least: i32) {
        if let Some(value) = value.filter(|value| *value < least) {
            self.wrong(field, format!("{value}, but S3 takes {least} or more"));
        }
    }

    /// Elsewhere 0 means never: who follows "1 or more" would lose everything after a day.
    fn more_than_none(&mut self, field: &str, value: Option<i32>, how: &str) {
        if let Some(value) = value.filter(|value| *value < 1) {
            self.wrong(field, format!("{value} is no number of days that S3 takes: {how}"));
        }
    }

    fn kept(&mut self, path: &str, versions: Option<i32>) {
        if let Some(versions) = versions.filter(|versions| !(1..=100).contains(versions)) {
            self.wrong(
                &format!("{path}.newerNoncurrentVersions"),
                format!("{versions}, but S3 takes 1 to 100"),
            );
        }
    }

    fn midnight(&mut self, field: &str, date: Option<&str>) {
        let Some(text) = date.filter(|text| !text.contains("${")) else { return };
        match day(text) {
            Some(date) if date.secs() % (24 * 60 * 60) == 0 => {}
            Some(_) => self.wrong(field, format!("{text:?} is not midnight UTC; write only the day")),
            None => self.wrong(field, format!("{text:?} is not a day such as 2027-01-01")),
        }
    }
}

fn least_days(class: &str) -> i32 {
    if class.ends_with("_IA") { DAYS_BEFORE_IA } else { 0 }
}
