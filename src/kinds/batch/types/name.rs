//! Names of what Batch holds: job definitions, queues, environments, policies, consumable resources.

use crate::kind::prelude::*;

/// Why Batch would refuse a name: 1 to 128 letters, digits, hyphens and underscores, the first a letter or digit.
///
/// The characters and the length are those of
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateJobQueue.html>; what comes first is what Batch answers
/// (hashicorp/terraform-provider-aws#2108, aws-semantics §14).
pub(in crate::kinds::batch) fn invalid(name: &str) -> Option<String> {
    let length = name.chars().count();
    if !(1..=128).contains(&length) {
        return Some(format!("`{name}` has {length} characters; Batch takes 1 to 128"));
    }
    if let Some(wrong) = name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))) {
        return Some(format!("`{name}` holds {wrong:?}; Batch takes letters, digits, - and _ in names"));
    }
    let first = name.chars().next().filter(|first| !first.is_ascii_alphanumeric())?;
    Some(format!("`{name}` begins with {first:?}; names of Batch begin with a letter or digit"))
}

/// Why what is referred to cannot exist: neither a name that Batch takes, nor an ARN of this place that ends in one.
pub(in crate::kinds::batch) fn invalid_reference(kind: &str, text: &str, place: &Place) -> Option<String> {
    if text.contains("${") {
        return None;
    }
    if !text.starts_with("arn:") {
        return invalid(text);
    }
    let own = place.arn("batch", &format!("{kind}/"));
    match text.strip_prefix(&own) {
        Some(name) => invalid(name),
        None => {
            Some(format!("`{text}` is no ARN of a {kind} of this account and region: they begin with {own}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_batch_takes() {
        for name in ["a", "9", "payments-job_1", &"x".repeat(128)] {
            assert_eq!(invalid(name), None);
        }
        for name in ["", "team.etl/v1", "q 2.dots", "-a", "_a", "ümlaut", &"x".repeat(129)] {
            assert!(invalid(name).is_some(), "{name}");
        }
        insta::assert_snapshot!(invalid("team.etl").unwrap_or_default(), @"`team.etl` holds '.'; Batch takes letters, digits, - and _ in names");
        insta::assert_snapshot!(invalid("-a").unwrap_or_default(), @"`-a` begins with '-'; names of Batch begin with a letter or digit");
    }

    #[test]
    fn what_is_referred_to_is_of_this_place() {
        let place = Place::new("111122223333", "eu-west-1");
        let wrong = |text: &str| invalid_reference("compute-environment", text, &place).is_some();
        assert!(!wrong("fargate"));
        assert!(!wrong("${batch/ComputeEnvironment/fargate.arn}"));
        assert!(!wrong("arn:aws:batch:eu-west-1:111122223333:compute-environment/fargate"));
        assert!(wrong("q 2.dots"));
        assert!(wrong("arn:aws:batch:eu-west-1:111122223333:job-queue/fargate"));
        assert!(wrong("arn:aws:batch:us-east-1:111122223333:compute-environment/fargate"));
        assert!(wrong("arn:aws:batch:eu-west-1:111122223333:compute-environment/a b"));
    }
}
