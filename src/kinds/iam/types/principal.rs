//! Whom a document names: what AWS refuses from the text alone. Whether a role is there, only the account knows.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>

use crate::kind::prelude::*;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::document::{items, known};

/// What is wrong with the principals of a resource's statement: "NotPrincipal must be used with Effect: Deny" among it.
pub(super) fn check(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    principals(path, fields, true, found);
    let effect = fields.get("Effect").and_then(Value::as_str).unwrap_or_default();
    if fields.contains_key("NotPrincipal") && effect == "Allow" {
        let message = "would let in everybody else, and AWS takes it with `Effect: Deny` alone: name whom it lets in with Principal";
        found.push(Invalid::new(format!("{path}.NotPrincipal"), message));
    }
}

/// The same of a role's trust policy, which says whom it lets in: "You cannot use the NotPrincipal element in … an IAM role trust
/// policy."
pub(super) fn of_trust(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    if fields.contains_key("NotPrincipal") {
        let message = "has no place in a trust policy: name with Principal whom the statement is about";
        found.push(Invalid::new(format!("{path}.NotPrincipal"), message));
    } else if !fields.contains_key("Principal") {
        found.push(Invalid::new(path, "has no Principal: add one"));
    }
    principals(path, fields, false, found);
}

/// The forms of what `Principal` and `NotPrincipal` say. `"*"` alone is taken of a resource's policy, not of a trust policy
/// ("AssumeRolepolicy contained an invalid principal", "Principal must be a JSON object"; badmintoncryer/cdk-preflight,
/// versity/versitygw).
fn principals(path: &str, fields: &Map<String, Value>, star: bool, found: &mut Vec<Invalid>) {
    const KINDS: &[&str] = &["AWS", "Service", "Federated", "CanonicalUser"];
    for field in ["Principal", "NotPrincipal"] {
        let path = format!("{path}.{field}");
        let message = match fields.get(field) {
            None => continue,
            Some(Value::String(all)) if all.contains("${") => continue,
            Some(Value::String(all)) if all == "*" && star => continue,
            Some(Value::String(all)) if all == "*" => {
                "stands for everybody in resources' policies alone: a trust policy says it as {AWS: \"*\"}"
            }
            Some(Value::Object(kinds)) if kinds.is_empty() => {
                "names nobody: expected such as {Service: ecs-tasks.amazonaws.com}"
            }
            Some(Value::Object(kinds)) => {
                known(&path, kinds, KINDS, found);
                for (kind, value) in kinds.iter().filter(|(kind, _)| KINDS.contains(&kind.as_str())) {
                    named(&format!("{path}.{kind}"), kind, value, found);
                }
                continue;
            }
            Some(_) => {
                "is not a principal: expected `\"*\"` or an object such as {Service: ecs-tasks.amazonaws.com}"
            }
        };
        found.push(Invalid::new(path, message));
    }
}

/// Those of one kind.
fn named(path: &str, kind: &str, value: &Value, found: &mut Vec<Invalid>) {
    let items = items(path, value);
    if items.is_empty() {
        found.push(Invalid::new(path, "names nobody: remove it, or name whom the statement is about"));
    }
    for (path, one) in items {
        let message = match (kind, one.as_str()) {
            (_, Some(text)) if text.contains("${") => None,
            ("AWS", text) => wrong_account(one, text.unwrap_or_default()),
            (_, None) => Some("is neither a text nor a list of texts".to_owned()),
            ("Service", Some(text)) if text.contains(['*', '?']) => {
                Some(format!("`{text}` has a wildcard, and AWS takes whole names of services: name each"))
            }
            // "Invalid principal in policy: "SERVICE":"ecs-tasks""
            ("Service", Some(text)) if !text.contains('.') => Some(format!(
                "`{text}` is no service: expected a whole name, such as `ecs-tasks.amazonaws.com`"
            )),
            ("Federated", Some(text)) if !text.contains('.') && !text.starts_with("arn:") => Some(format!(
                "`{text}` is no identity provider: expected its ARN, or a name such as `cognito-identity.amazonaws.com`"
            )),
            _ => None,
        };
        found.extend(message.map(|message| Invalid::new(path, message)));
    }
}

/// Accounts, roles and users.
fn wrong_account(one: &Value, text: &str) -> Option<String> {
    if text != "*" && text.contains(['*', '?']) {
        return Some(format!(
            "`{text}` has a wildcard, and AWS takes whole ARNs, or `*`: name each, or add a condition on aws:PrincipalArn"
        ));
    }
    (!ACCOUNT.is_match(text)).then(|| {
        format!("{one} is no principal: expected the ARN of a role, a user or an account, its number, or `*`")
    })
}

/// Everybody, an account by its number, a role or user by its unique id, or an ARN.
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static ACCOUNT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(\*|[0-9]{12}|A(ROA|IDA)[A-Z0-9]{12,}|arn:[a-z-]+:(iam|sts)::([0-9]{12}|cloudfront):(root|[a-z-]+/.+))$",
    )
    .expect("the pattern of a principal")
});

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(statement: Value) -> String {
        let mut found = Vec::new();
        let Value::Object(fields) = statement else { return String::new() };
        check("s", &fields, &mut found);
        found.iter().map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
    }

    #[test]
    fn the_forms_of_the_guide_pass() {
        for aws in [
            "*",
            "123456789012",
            "arn:aws:iam::123456789012:root",
            "arn:aws-cn:iam::123456789012:user/division/user-name",
            "arn:aws:iam::123456789012:role/role-name",
            "arn:aws:sts::123456789012:assumed-role/role-name/role-session-name",
            "arn:aws:sts::123456789012:federated-user/user-name",
            "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE",
            "AROAEXAMPLEEXAMPLE12",
            "${iam/Role/a.arn}",
        ] {
            assert_eq!(said(json!({"Effect": "Deny", "NotPrincipal": {"AWS": aws}})), "", "{aws}");
            assert_eq!(said(json!({"Effect": "Allow", "Principal": {"AWS": ["*", aws]}})), "", "{aws}");
        }
    }

    #[test]
    fn what_names_nobody_is_told() {
        insta::assert_snapshot!(said(json!({
            "Effect": "Allow",
            "Principal": {
                "AWS": ["worker", "12345", "arn:aws:iam::123456789012:role/*", 5, "arn:aws:s3:::bucket"],
                "Service": ["ecs-tasks", "*.amazonaws.com", "${var.service}", "s3.amazonaws.com"],
                "Federated": ["google", "accounts.google.com", "arn:aws:iam::123456789012:saml-provider/p"],
                "CanonicalUser": [],
            },
            "NotPrincipal": {},
        })), @r#"
s.Principal.AWS[0]: "worker" is no principal: expected the ARN of a role, a user or an account, its number, or `*`
s.Principal.AWS[1]: "12345" is no principal: expected the ARN of a role, a user or an account, its number, or `*`
s.Principal.AWS[2]: `arn:aws:iam::123456789012:role/*` has a wildcard, and AWS takes whole ARNs, or `*`: name each, or add a condition on aws:PrincipalArn
s.Principal.AWS[3]: 5 is no principal: expected the ARN of a role, a user or an account, its number, or `*`
s.Principal.AWS[4]: "arn:aws:s3:::bucket" is no principal: expected the ARN of a role, a user or an account, its number, or `*`
s.Principal.CanonicalUser: names nobody: remove it, or name whom the statement is about
s.Principal.Federated[0]: `google` is no identity provider: expected its ARN, or a name such as `cognito-identity.amazonaws.com`
s.Principal.Service[0]: `ecs-tasks` is no service: expected a whole name, such as `ecs-tasks.amazonaws.com`
s.Principal.Service[1]: `*.amazonaws.com` has a wildcard, and AWS takes whole names of services: name each
s.NotPrincipal: names nobody: expected such as {Service: ecs-tasks.amazonaws.com}
s.NotPrincipal: would let in everybody else, and AWS takes it with `Effect: Deny` alone: name whom it lets in with Principal
"#);
        let mut found = Vec::new();
        let Value::Object(fields) = json!({"Principal": "*"}) else { return };
        of_trust("s", &fields, &mut found);
        check("s", &fields, &mut found);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
