//! What a statement allows or denies, and of what: its actions and resources
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>; the text of each refusal:
//! badmintoncryer/cdk-preflight, and moto's `policy_validation.py`).

use crate::kind::prelude::*;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::document::{Attached, items};

/// "AssumeRole policy may only specify STS AssumeRole actions", no wildcard among them.
const OF_TRUST: &[&str] = &[
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "SetContext",
    "SetSourceIdentity",
    "TagSession",
];

const PARTITIONS: &[&str] =
    &["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "*"];

/// "IAM resource path must either be "*" or start with" these.
const OF_IAM: &[&str] = &[
    "user",
    "federated-user",
    "role",
    "group",
    "instance-profile",
    "mfa",
    "server-certificate",
    "policy",
    "sms-mfa",
    "saml-provider",
    "oidc-provider",
    "report",
    "access-report",
];

/// What is wrong with the actions and resources of a statement.
pub(super) fn check(path: &str, fields: &Map<String, Value>, attached: Attached, found: &mut Vec<Invalid>) {
    for field in ["Action", "NotAction"] {
        each(path, fields, field, &|text| wrong_action(text, attached), found);
    }
    for field in ["Resource", "NotResource"] {
        each(path, fields, field, &wrong_resource, found);
    }
}

/// "Syntax errors in policy", "Policy statement must contain actions" and "… resources": one text or a list of some.
fn each(
    path: &str,
    fields: &Map<String, Value>,
    field: &str,
    wrong: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<Invalid>,
) {
    let Some(value) = fields.get(field) else { return };
    let path = format!("{path}.{field}");
    let items = items(&path, value);
    if items.is_empty() {
        found.push(Invalid::new(&path, "is empty: name at least one, or remove the statement"));
    }
    for (path, item) in items {
        let message = item.as_str().map_or_else(|| Some(no_text(item)), wrong);
        found.extend(message.map(|message| Invalid::new(path, message)));
    }
}

fn no_text(value: &Value) -> String {
    match value.as_object().and_then(|fields| fields.keys().next()) {
        Some(function) if function == "Ref" || function.starts_with("Fn::") => format!(
            "is CloudFormation's `{function}`, which nothing here resolves: write a reference such as `${{s3/Bucket/data.arn}}`"
        ),
        _ => "is neither a text nor a list of texts".to_owned(),
    }
}

/// An action is `*` or `<service>:<name>`, whose name alone has wildcards.
fn wrong_action(action: &str, attached: Attached) -> Option<String> {
    if action.contains("${") {
        return None;
    }
    let said = |why: &str| {
        Some(format!(
            "`{action}` is not an action{why}: expected `<service>:<Operation>`, such as `s3:GetObject`"
        ))
    };
    let (service, name) = match action.split_once(':') {
        _ if action == "*" => ("*", "*"),
        Some((service, name)) if !service.is_empty() && !name.is_empty() => (service, name),
        _ => return said(""),
    };
    if name.contains(':') {
        return said(", it has two colons");
    }
    if action.chars().any(char::is_whitespace) {
        return said(", it has a blank");
    }
    if service != "*" && service.contains(['*', '?']) {
        return said(", its service has a wildcard");
    }
    if service != "*" && !service.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
        return said(", its service has other characters than letters, digits and `-`");
    }
    let of = |wanted: &str| service.eq_ignore_ascii_case(wanted);
    match attached {
        Attached::Trust if !of("sts") || !OF_TRUST.iter().any(|it| it.eq_ignore_ascii_case(name)) => {
            Some(format!("`{action}` has no place in a trust policy: expected `sts:AssumeRole`"))
        }
        // "Policy has invalid action."
        Attached::Bucket if action != "*" && !of("s3") => {
            Some(format!("`{action}` is none of S3's actions, and a bucket policy has no others"))
        }
        Attached::Queue if action != "*" && !of("sqs") => {
            Some(format!("`{action}` is none of SQS's actions, and a queue's policy has no others"))
        }
        Attached::FileSystem if action != "*" && !of("elasticfilesystem") => {
            Some(format!("`{action}` is none of EFS's actions, and a file system's policy has no others"))
        }
        Attached::Repository if action != "*" && !of("ecr") => {
            Some(format!("`{action}` is none of ECR's actions, and a repository's policy has no others"))
        }
        _ => None,
    }
}

/// A resource is `*` or an ARN.
fn wrong_resource(text: &str) -> Option<String> {
    if text == "*" || text.starts_with("${") {
        return None;
    }
    let plain = VARIABLE.replace_all(text, UNKNOWN);
    let parts: Vec<&str> = plain.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return match parts.first() {
            Some(&"arn") if plain.contains(UNKNOWN) => None,
            Some(&"arn") => Some(format!(
                "`{text}` has {} of the six parts of an ARN: expected `arn:aws:<service>:<region>:<account>:<resource>`, parts that are empty included",
                parts.len()
            )),
            _ => Some(format!("`{text}` is no ARN: expected one, or `*`")),
        };
    };
    let known = |part: &str| !part.contains(UNKNOWN);
    let said = |part: &str| known(part) && part.chars().any(|c| !matches!(c, '*' | '?'));
    if *arn != "arn" {
        return Some(format!("`{text}` is no ARN: expected one, or `*`"));
    }
    if known(partition) && !PARTITIONS.contains(partition) {
        return Some(format!(
            "`{text}` is of no partition: expected `arn:aws:…`, `arn:aws-cn:…`, `arn:aws-us-gov:…` or `arn:*:…`"
        ));
    }
    if service.is_empty() || service.contains(['*', '?']) {
        return Some(format!(
            "`{text}` does not say its service whole: wildcards stand behind it, or for all as `*`"
        ));
    }
    // "Resource … can not contain region information": a bucket has neither, other resources of S3 have both.
    let is_bucket = *service == "s3" && known(resource) && !resource.contains('/');
    if (*service == "iam" || is_bucket) && said(region) {
        return Some(format!(
            "`{text}` has a region, and its service has none in ARNs: leave that part empty"
        ));
    }
    if is_bucket && said(account) {
        return Some(format!(
            "`{text}` has an account, and buckets have none in ARNs: leave that part empty"
        ));
    }
    let kind = resource.split_once('/').map_or(*resource, |(kind, _)| kind);
    let is_of_iam = *resource == "*" || !known(kind) || (resource.contains('/') && OF_IAM.contains(&kind));
    (*service == "iam" && !is_of_iam).then(|| {
        format!(
            "`{text}` is no resource of IAM: expected `*`, or one that begins with {}/",
            OF_IAM.join("/, ")
        )
    })
}

/// Stands for a variable or a reference, which may be anything.
const UNKNOWN: &str = "\0";

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\$\{[^}]*\}").expect("the pattern of a variable"));

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(statement: Value, attached: Attached) -> String {
        let mut found = Vec::new();
        let Value::Object(fields) = statement else { return String::new() };
        check("s", &fields, attached, &mut found);
        found.iter().map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
    }

    /// Forms of AWS's own managed policies, and of the guide's pages.
    #[test]
    fn what_aws_takes_passes() {
        let statement = json!({
            "Action": ["*", "*:*", "s3:*", "S3:getobject", "execute-api:Invoke", "ec2:Describe*", "iam:?etRole", "${var.action}"],
            "NotResource": [
                "*", "${s3/Bucket/a.arn}/*", "${var.any}", "arn:aws:s3:::b/${aws:username}/*", "arn:${env.partition}:s3:::b",
                "arn:*:ec2:*:*:vpc/*", "arn:*:kms:*:::*", "arn:aws:logs:*:*:log-group:/aws/datasync:log-stream:*",
                "arn:aws:s3:*:*:accesspoint/x", "arn:aws:s3:*:*:access-grants/default", "arn:aws:s3:eu-west-1:111122223333:job/1",
                "arn:aws-us-gov:iam::*:role/a*", "arn:aws:iam::111122223333:*", "arn:aws:iam::1:${var.kind}/a",
                "arn:aws:dynamodb:${var.rest}", "arn:aws:apigateway:us-east-1::/restapis/*", "arn:aws:s3:*:*:b",
            ],
        });
        assert_eq!(said(statement, Attached::Identity), "");
        let all: Vec<String> = OF_TRUST.iter().map(|name| format!("sts:{name}")).collect();
        assert_eq!(said(json!({"Action": all, "NotAction": "STS:assumerole"}), Attached::Trust), "");
        assert_eq!(
            said(json!({"Action": ["ecr:*", "*", "ECR:GetRepositoryPolicy"]}), Attached::Repository),
            ""
        );
        assert_eq!(said(json!({"Action": ["s3:*", "*"]}), Attached::Bucket), "");
        assert_eq!(
            said(json!({"Action": ["s3:*", "dynamodb:GetItem"], "Resource": "*"}), Attached::Endpoint),
            ""
        );
    }

    #[test]
    fn what_it_refuses_is_told_at_its_place() {
        insta::assert_snapshot!(said(json!({
            "Action": ["GetObject", "s3:Get:Object", "s3: GetObject", "s3:", "s3*:Get", "s_3:Get", 5, null],
            "NotAction": {"Ref": "Actions"},
            "Resource": {"Fn::GetAtt": ["B", "Arn"]},
            "NotResource": [],
        }), Attached::Identity), @r#"
s.Action[0]: `GetObject` is not an action: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[1]: `s3:Get:Object` is not an action, it has two colons: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[2]: `s3: GetObject` is not an action, it has a blank: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[3]: `s3:` is not an action: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[4]: `s3*:Get` is not an action, its service has a wildcard: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[5]: `s_3:Get` is not an action, its service has other characters than letters, digits and `-`: expected `<service>:<Operation>`, such as `s3:GetObject`
s.Action[6]: is neither a text nor a list of texts
s.Action[7]: is neither a text nor a list of texts
s.NotAction: is CloudFormation's `Ref`, which nothing here resolves: write a reference such as `${s3/Bucket/data.arn}`
s.Resource: is CloudFormation's `Fn::GetAtt`, which nothing here resolves: write a reference such as `${s3/Bucket/data.arn}`
s.NotResource: is empty: name at least one, or remove the statement
"#);
        insta::assert_snapshot!(said(json!({"Resource": [
            "bucket/*", "bkt:a:b:c:d:e", "arn:aws:s3:bucket", "arn:awz:s3:::bucket", "arn:aws:*:::bucket", "arn:aws:::x:bucket",
            "arn:aws:s3:eu-west-1::bucket", "arn:aws:s3::111122223333:bucket", "arn:aws:iam:eu-west-1:1:role/a", "arn:aws:iam::1:root",
        ]}), Attached::Bucket), @r#"
s.Resource[0]: `bucket/*` is no ARN: expected one, or `*`
s.Resource[1]: `bkt:a:b:c:d:e` is no ARN: expected one, or `*`
s.Resource[2]: `arn:aws:s3:bucket` has 4 of the six parts of an ARN: expected `arn:aws:<service>:<region>:<account>:<resource>`, parts that are empty included
s.Resource[3]: `arn:awz:s3:::bucket` is of no partition: expected `arn:aws:…`, `arn:aws-cn:…`, `arn:aws-us-gov:…` or `arn:*:…`
s.Resource[4]: `arn:aws:*:::bucket` does not say its service whole: wildcards stand behind it, or for all as `*`
s.Resource[5]: `arn:aws:::x:bucket` does not say its service whole: wildcards stand behind it, or for all as `*`
s.Resource[6]: `arn:aws:s3:eu-west-1::bucket` has a region, and its service has none in ARNs: leave that part empty
s.Resource[7]: `arn:aws:s3::111122223333:bucket` has an account, and buckets have none in ARNs: leave that part empty
s.Resource[8]: `arn:aws:iam:eu-west-1:1:role/a` has a region, and its service has none in ARNs: leave that part empty
s.Resource[9]: `arn:aws:iam::1:root` is no resource of IAM: expected `*`, or one that begins with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/
"#);
        for (attached, bad) in [
            (Attached::Trust, "*"),
            (Attached::Trust, "s3:*"),
            (Attached::Trust, "sts:*"),
            (Attached::Trust, "sts:GetCallerIdentity"),
            (Attached::Repository, "s3:GetObject"),
            (Attached::Bucket, "ecr:BatchGetImage"),
        ] {
            assert_ne!(said(json!({"Action": bad}), attached), "", "{bad}");
        }
    }
}
