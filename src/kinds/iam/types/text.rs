//! Texts that IAM takes: descriptions, and the ARNs of policies (the service model's patterns).

use crate::kind::prelude::*;
use std::sync::LazyLock;

use regex::Regex;

/// `roleDescriptionType`; `policyDescriptionType` has the same length, and no pattern.
const LONGEST_DESCRIPTION: usize = 1000;

static POLICY_ARN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^arn:aws[a-zA-Z-]*:iam::([0-9]{12}|aws):policy/[a-zA-Z0-9+=,.@_/-]+$").ok()
});

/// What is wrong with a description that may hold any character.
pub(in crate::kinds::iam) fn length(path: &str, text: Option<&String>, found: &mut Vec<Invalid>) {
    let length = text.map_or(0, |text| text.chars().count());
    if length > LONGEST_DESCRIPTION {
        let message = format!("has {length} characters: IAM takes up to {LONGEST_DESCRIPTION}");
        found.push(Invalid::new(path, message));
    }
}

/// What is wrong with the description of a role: it is written in ASCII or Latin-1, line feeds and tabs included.
pub(in crate::kinds::iam) fn description(path: &str, text: Option<&String>, found: &mut Vec<Invalid>) {
    length(path, text, found);
    let is_taken = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    if let Some(bad) = text.into_iter().flat_map(|text| text.chars()).find(|&c| !is_taken(c)) {
        let message = format!("holds {bad:?}: IAM takes the characters of ASCII and Latin-1 here");
        found.push(Invalid::new(path, message));
    }
}

/// Whether a text is the ARN of a managed policy.
pub(in crate::kinds::iam) fn is_policy_arn(text: &str) -> bool {
    (20..=2048).contains(&text.len()) && POLICY_ARN.as_ref().is_none_or(|arn| arn.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::{description, is_policy_arn};

    #[test]
    fn descriptions_of_roles_are_latin() {
        let wrong = |text: &str| {
            let mut found = Vec::new();
            description("description", Some(&text.to_owned()), &mut found);
            found.into_iter().map(|invalid| invalid.message).collect::<String>()
        };
        assert_eq!(wrong("Größe: 5 §\n\tand more"), "");
        insta::assert_snapshot!(wrong("jobs – nightly"), @"holds '–': IAM takes the characters of ASCII and Latin-1 here");
        insta::assert_snapshot!(wrong(&"x".repeat(1001)), @"has 1001 characters: IAM takes up to 1000");
        assert!(!wrong("a\u{a0}b").is_empty() && !wrong("a\u{7f}").is_empty());
    }

    #[test]
    fn arns_of_policies() {
        for arn in [
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "arn:aws-us-gov:iam::111122223333:policy/jobs/read+write",
            "arn:aws-cn:iam::aws:policy/service-role/AWSBatchServiceRole",
        ] {
            assert!(is_policy_arn(arn), "{arn}");
        }
        for text in [
            "arn:aws:iam::aws:policy/",
            "arn:aws:iam::1234:policy/x",
            "arn:aws:iam::aws:role/policy/x",
            "arn:aws:iam::aws:policy/a b",
        ] {
            assert!(!is_policy_arn(text), "{text}");
        }
    }
}
