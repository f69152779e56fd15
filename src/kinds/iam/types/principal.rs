//! Whom a document names: what AWS refuses from the text alone. Whether a role is there, only the account knows.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::document::{known, statements};
use crate::kind::Invalid;
use crate::value::Policy;

/// What is wrong with the principals of a resource's document.
pub(in crate::kinds) fn check(path: &str, policy: &Policy, found: &mut Vec<Invalid>) {
    for (path, statement) in statements(path, policy) {
        let Some(fields) = statement.as_object() else { continue };
        principals(&path, fields, found);
        only_denied(&path, fields, found);
    }
}

/// "NotPrincipal must be used with Effect: Deny."
pub(in crate::kinds) fn only_denied(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
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
    principals(path, fields, found);
}

/// The forms of what `Principal` and `NotPrincipal` say.
pub(super) fn principals(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    const KINDS: &[&str] = &["AWS", "Service", "Federated", "CanonicalUser"];
    for field in ["Principal", "NotPrincipal"] {
        let path = format!("{path}.{field}");
        match fields.get(field) {
            None => {}
            Some(Value::String(all)) if all == "*" || all.contains("${") => {}
            Some(Value::Object(kinds)) => {
                known(&path, kinds, KINDS, found);
                if let Some(named) = kinds.get("AWS") {
                    accounts(&format!("{path}.AWS"), named, found);
                }
            }
            Some(_) => {
                let message = "is not a principal: expected `\"*\"` or an object such as {Service: ecs-tasks.amazonaws.com}";
                found.push(Invalid::new(path, message));
            }
        }
    }
}

/// Accounts, roles and users.
fn accounts(path: &str, named: &Value, found: &mut Vec<Invalid>) {
    let named: Vec<(String, &Value)> = match named {
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, it)| (format!("{path}[{index}]"), it)).collect()
        }
        one => vec![(path.to_owned(), one)],
    };
    for (path, one) in named {
        let text = match one {
            Value::String(text) if text.contains("${") => continue,
            Value::String(text) => text.as_str(),
            _ => "",
        };
        let message = match text {
            text if text != "*" && text.contains(['*', '?']) => format!(
                "`{text}` has a wildcard, and AWS takes whole ARNs, or `*`: name each, or add a condition on aws:PrincipalArn"
            ),
            text if ACCOUNT.is_match(text) => continue,
            _ => {
                format!(
                    "{one} is no principal: expected the ARN of a role, a user or an account, its number, or `*`"
                )
            }
        };
        found.push(Invalid::new(path, message));
    }
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

    fn said(statement: serde_json::Value) -> String {
        let mut found = Vec::new();
        check("doc", &Policy(json!({"Statement": statement})), &mut found);
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
            assert_eq!(said(json!([{"Effect": "Allow", "Principal": {"AWS": ["*", aws]}}])), "", "{aws}");
        }
    }

    #[test]
    fn what_names_nobody_is_told() {
        insta::assert_snapshot!(said(json!([
            {"Effect": "Allow", "Principal": {"AWS": ["worker", "arn:aws:iam::123456789012:role/*", 5]}},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:s3:::bucket"}},
            {"Effect": "Allow", "NotPrincipal": {"AWS": "123456789012"}},
        ])), @r#"
doc.Statement[0].Principal.AWS[0]: "worker" is no principal: expected the ARN of a role, a user or an account, its number, or `*`
doc.Statement[0].Principal.AWS[1]: `arn:aws:iam::123456789012:role/*` has a wildcard, and AWS takes whole ARNs, or `*`: name each, or add a condition on aws:PrincipalArn
doc.Statement[0].Principal.AWS[2]: 5 is no principal: expected the ARN of a role, a user or an account, its number, or `*`
doc.Statement[1].Principal.AWS: "arn:aws:s3:::bucket" is no principal: expected the ARN of a role, a user or an account, its number, or `*`
doc.Statement[2].NotPrincipal: would let in everybody else, and AWS takes it with `Effect: Deny` alone: name whom it lets in with Principal
"#);
    }
}
