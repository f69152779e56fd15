//! Environment variables, and values that Batch fetches when a job starts.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::{Complaints, looks_like};
use crate::kinds::batch::types::container::Secret;

/// Variables at `path`; `secrets` is where those belong that look like secrets.
pub(super) fn environment<'a>(
    path: &str,
    secrets: &str,
    variables: impl Iterator<Item = (&'a str, &'a str)>,
    found: &mut Complaints,
) {
    let mut seen = BTreeSet::new();
    for (index, (name, value)) in variables.enumerate() {
        let place = format!("{path}[{index}].name");
        if name.is_empty() {
            found.say(&place, "has to be given: a variable without a name is refused");
        }
        if name.starts_with("AWS_BATCH") {
            found.say(
                &place,
                format!("{name}: names that begin with AWS_BATCH are Batch's own: choose another"),
            );
        }
        if !seen.insert(name) {
            found.say(&place, format!("{name} is there twice: remove one"));
        }
        // The value itself is not repeated: messages are shown and logged.
        if let Some(what) = looks_like(name, value) {
            found.say(
                format!("{path}[{index}].value"),
                format!("{name} looks like {what}: keep it in Secrets Manager or a parameter, and name that in {secrets}"),
            );
        }
    }
}

/// Names that are distinct, and sources that can be fetched.
pub(super) fn secrets(path: &str, secrets: &[Secret], found: &mut Complaints) {
    let mut seen = BTreeSet::new();
    for (index, secret) in secrets.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if secret.name.is_empty() {
            found.say(format!("{path}.name"), "has to be given");
        }
        if !seen.insert(&secret.name) {
            found.say(format!("{path}.name"), format!("{} is there twice: remove one", secret.name));
        }
        let from = secret.value_from.as_str();
        if !from.contains("${") && !SOURCE.is_match(from) {
            let message = format!(
                "{from:?} is neither the ARN of a secret or of a parameter, nor the name of a parameter"
            );
            found.say(format!("{path}.valueFrom"), message);
        }
    }
}

/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_Secret.html>; the characters are those of a parameter's name.
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+|arn:[a-z-]+:ssm:[a-z0-9-]+:[0-9]{12}:parameter/.+|[A-Za-z0-9_./-]+)$",
    )
    .expect("the pattern of a secret's source")
});

#[cfg(test)]
mod tests {
    use super::SOURCE;

    #[test]
    fn sources_are_arns_of_secrets_and_parameters_or_names_of_parameters() {
        for from in [
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf",
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf:password::",
            "arn:aws-cn:ssm:cn-north-1:111122223333:parameter/db/password",
            "/db/password",
            "password",
        ] {
            assert!(SOURCE.is_match(from), "{from}");
        }
        for from in
            ["", "arn:aws:s3:::bucket", "db:password", "pass word", "arn:aws:ssm:eu-west-1:1:parameter/a"]
        {
            assert!(!SOURCE.is_match(from), "{from}");
        }
    }
}
