//! Values that look like secrets: they do not belong into a manifest.

use std::sync::LazyLock;

use regex::Regex;

/// What a value looks like, if it looks like a secret.
pub(super) fn looks_like(name: &str, value: &str) -> Option<&'static str> {
    if value.contains("${") {
        return None;
    }
    let by_shape = SHAPES.iter().find(|(_, shape)| shape.is_match(value)).map(|(what, _)| *what);
    by_shape.or_else(|| (SECRET_NAME.is_match(name) && is_literal(value)).then_some("a password or token"))
}

/// Not a pointer to where the secret is, nor a word such as `true`.
fn is_literal(value: &str) -> bool {
    let points = ["arn:", "http://", "https://", "/", "Ref::"].iter().any(|start| value.starts_with(start));
    !points && value.len() >= 8
}

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static SECRET_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:^|_)(?:password|passwd|pwd|secret|token|api_?key|secret_?key|access_?key|private_?key)$",
    )
    .expect("the pattern of a secret's name")
});

#[allow(clippy::expect_used, reason = "constant patterns; a test compiles them")]
static SHAPES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("an AWS access key id", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
        ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}"),
        ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
        ("a Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{16,}"),
        ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("a JSON web token", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        ("a URL with a password", r"://[^/\s:@]+:[^/\s:@]+@"),
    ]
    .into_iter()
    .map(|(what, shape)| (what, Regex::new(shape).expect("the pattern of a secret")))
    .collect()
});

#[cfg(test)]
mod tests {
    use super::looks_like;

    #[test]
    fn secrets_are_told_by_their_shape_or_their_name() {
        for (name, value) in [
            ("A", "AKIAIOSFODNN7EXAMPLE"),
            ("A", "-----BEGIN RSA PRIVATE KEY-----\nMII"),
            ("A", "ghp_0123456789abcdefghijklmnopqrstuvwxyz"),
            ("A", "xoxb-1234567890-abc"),
            ("A", "postgres://app:hunter2@db/payments"),
            ("A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
            ("DB_PASSWORD", "correct horse"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("API_KEY", "0123456789abcdef"),
        ] {
            assert!(looks_like(name, value).is_some(), "{name}={value}");
        }
        for (name, value) in [
            ("A", "eu-west-1"),
            ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db"),
            ("API_TOKEN", "${secretsmanager/Secret/api.arn}"),
            ("TOKEN_TTL", "3600000000"),
            ("USE_TOKEN", "true"),
            ("DB_URL", "postgres://db/payments"),
            ("SECRET", "/payments/api-key"),
        ] {
            assert_eq!(looks_like(name, value), None, "{name}={value}");
        }
    }
}
