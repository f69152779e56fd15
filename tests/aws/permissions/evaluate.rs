//! A policy document as IAM reads it: a call is allowed if some statement allows it and none denies it.

use std::collections::BTreeSet;

use serde_json::Value;

/// All actions of the statements with an effect.
pub fn actions(policy: &Value, effect: &str) -> BTreeSet<String> {
    let found = statements(policy, effect).flat_map(|it| it["Action"].as_array().unwrap());
    found.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The statements with an effect.
pub fn statements<'a>(policy: &'a Value, effect: &'a str) -> impl Iterator<Item = &'a Value> {
    policy["Statement"].as_array().unwrap().iter().filter(move |statement| statement["Effect"] == effect)
}

/// Whether a policy allows a call: on this resource, with these condition keys. A key that the call does not have meets no
/// condition.
pub fn may(policy: &Value, action: &str, resource: &str, context: &[(&str, &str)]) -> bool {
    let says = |statement: &Value| {
        let any = |key: &str, text: &str| statement[key].as_array().unwrap().iter().any(|it| fits(it, text));
        any("Action", action) && any("Resource", resource) && holds(statement, context)
    };
    statements(policy, "Allow").any(says) && !statements(policy, "Deny").any(says)
}

fn holds(statement: &Value, context: &[(&str, &str)]) -> bool {
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut wanted = conditions.flat_map(|(operator, keys)| {
        let keys = keys.as_object().expect("a condition names keys");
        keys.iter().map(move |(key, values)| (operator.as_str(), key, values))
    });
    wanted.all(|(operator, key, values)| {
        let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        context.iter().filter(|(of, _)| of == key).any(|(_, given)| {
            values.iter().any(|value| match operator {
                "StringEquals" => value == given,
                "ArnLike" => fits(value, given),
                other => panic!("nobody has written what {other} means"),
            })
        })
    })
}

/// Whether a text fits a pattern, in which `*` stands for any characters.
fn fits(pattern: &Value, text: &str) -> bool {
    let pattern = pattern.as_str().unwrap();
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

/// Whether some ARN fits both a pattern of a policy's and a form of the reference's.
pub fn meet(pattern: &str, form: &str) -> bool {
    // A bucket's name has no slash: an object is no bucket. Nor has what comes before the kind of a resource.
    let plain = ["${BucketName}", "${Partition}", "${Region}", "${Account}", "${P}", "${R}", "${A}"];
    let form = plain.iter().fold(form.to_owned(), |form, name| form.replace(name, "?"));
    let mut form_of: String = String::new();
    let mut rest = form.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        form_of += before;
        form_of.push('*');
        rest = after.split_once('}').unwrap().1;
    }
    form_of += rest;
    meets(pattern.as_bytes(), form_of.as_bytes())
}

/// `*` stands for any characters on both sides, `?` on the right for any but a slash.
fn meets(left: &[u8], right: &[u8]) -> bool {
    match (left, right) {
        ([], []) => true,
        ([b'*', more @ ..], _) if meets(more, right) => true,
        (_, [b'*' | b'?', more @ ..]) if meets(left, more) => true,
        // Both go on: whatever the one stands for, the other does too.
        ([b'*', ..], [b'*' | b'?', ..]) => false,
        ([b'*', ..], [_, more @ ..]) => meets(left, more),
        ([b'/', ..], [b'?', ..]) => false,
        ([_, more @ ..], [b'*' | b'?', ..]) => meets(more, right),
        ([one, more @ ..], [other, others @ ..]) => one == other && meets(more, others),
        _ => false,
    }
}

#[test]
fn patterns_are_read_as_iam_reads_them() {
    for (pattern, text, expected) in [
        ("role/prod-*", "role/prod-job", true),
        ("role/prod-*", "role/other", false),
        ("role/*/prod-*", "role/prod-job", false),
        ("role/*/prod-*", "role/a/b/prod-job", true),
        ("job-definition/x", "job-definition/x:1", false),
        ("*", "", true),
    ] {
        assert_eq!(fits(&pattern.into(), text), expected, "{pattern} {text}");
    }
}

#[test]
fn patterns_meet_forms() {
    for (pattern, form, expected) in [
        ("*", "arn:${Partition}:s3:::${BucketName}", true),
        ("arn:aws:s3:::prod-*", "arn:${Partition}:s3:::${BucketName}", true),
        ("arn:aws:s3:::prod-x/key", "arn:${Partition}:s3:::${BucketName}", false),
        ("arn:aws:s3:::prod-x/key", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", true),
        ("arn:aws:ec2:r:1:vpc/*", "arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}", true),
        (
            "arn:aws:ec2:r:1:vpc/*",
            "arn:${Partition}:ec2:${Region}:${Account}:vpc-endpoint/${VpcEndpointId}",
            false,
        ),
        ("arn:aws:ec2::*:ipam-pool/*", "arn:${Partition}:ec2::${Account}:ipam-pool/${IpamPoolId}", true),
        (
            "arn:aws:batch:r:1:job-definition/x-*",
            "arn:${P}:batch:${R}:${A}:job-definition/${Name}:${Revision}",
            true,
        ),
        (
            "arn:aws:batch:r:1:job-definition/x",
            "arn:${P}:batch:${R}:${A}:job-definition/${Name}:${Revision}",
            false,
        ),
    ] {
        assert_eq!(meet(pattern, form), expected, "{pattern} {form}");
    }
}
