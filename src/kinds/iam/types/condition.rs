//! Under which conditions a statement holds: "Invalid Condition type", "Conditions must be prefaced by a vendor", and values of which
//! IAM says "The policy failed legacy parsing"
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>; the text of each refusal:
//! badmintoncryer/cdk-preflight).

use crate::kind::prelude::*;
use std::net::IpAddr;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// Operators; each may begin with `ForAllValues:` or `ForAnyValue:` and end with `IfExists`.
const OPERATORS: &[&str] = &[
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "BinaryEquals",
    "Bool",
    "DateEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateNotEquals",
    "IpAddress",
    "NotIpAddress",
    "Null",
    "NumericEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericNotEquals",
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
];

/// What is wrong with the condition of a statement.
pub(super) fn check(path: &str, fields: &Map<String, Value>, found: &mut Vec<Invalid>) {
    let Some(condition) = fields.get("Condition") else { return };
    let path = format!("{path}.Condition");
    let Some(operators) = condition.as_object() else {
        if !is_unknown(condition) {
            let message = "is not a condition: expected {<operator>: {<key>: <value>}}";
            found.push(Invalid::new(path, message));
        }
        return;
    };
    for (operator, keys) in operators.iter().filter(|(operator, _)| !operator.contains("${")) {
        let path = format!("{path}.{operator}");
        let plain = plain(operator);
        if !OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(plain)) {
            found.push(Invalid::new(&path, no_operator(plain)));
        }
        match keys.as_object() {
            Some(keys) => {
                for (key, value) in keys {
                    if !key.contains([':', '$']) {
                        let message =
                            format!("`{key}` is no key of a condition: expected one such as aws:SourceArn");
                        found.push(Invalid::new(&path, message));
                    }
                    values(&format!("{path}[\"{key}\"]"), plain, value, found);
                }
            }
            None if is_unknown(keys) => {}
            None => found.push(Invalid::new(&path, "holds no keys: expected {<key>: <value>}")),
        }
    }
}

fn is_unknown(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("${"))
}

/// An operator without what may stand around it.
fn plain(operator: &str) -> &str {
    let is_set =
        |text: &str| text.eq_ignore_ascii_case("ForAllValues") || text.eq_ignore_ascii_case("ForAnyValue");
    let bare = operator.split_once(':').filter(|(set, _)| is_set(set)).map_or(operator, |it| it.1);
    bare.strip_suffix("IfExists").unwrap_or(bare)
}

fn no_operator(plain: &str) -> String {
    let near = |name: &&&str| strsim::damerau_levenshtein(&name.to_lowercase(), &plain.to_lowercase());
    let hint = match OPERATORS.iter().min_by_key(near).filter(|name| near(name) <= 2) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "expected one such as StringEquals or ArnLike".to_owned(),
    };
    format!("is no operator of a condition; {hint}")
}

/// So many mistakes in one document are as good as all; each holds its path, in which keys of any length stand.
const MOST: usize = 100;

fn values(path: &str, operator: &str, value: &Value, found: &mut Vec<Invalid>) {
    let Some(list) = value.as_array() else {
        found.extend(no_value(operator, value).map(|message| Invalid::new(path, message)));
        return;
    };
    for (index, one) in list.iter().enumerate() {
        if found.len() >= MOST {
            return;
        }
        if let Some(message) = no_value(operator, one) {
            found.push(Invalid::new(format!("{path}[{index}]"), message));
        }
    }
}

fn no_value(operator: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains("${") => None,
        Value::String(text) => wrong(operator, text),
        Value::Number(number) => wrong(operator, &number.to_string()),
        Value::Bool(word) => wrong(operator, &word.to_string()),
        _ => Some("is no value of a condition: expected a text or a list of texts".to_owned()),
    }
}

/// What is wrong with a value for an operator.
fn wrong(operator: &str, value: &str) -> Option<String> {
    let operator = operator.to_ascii_lowercase();
    if operator.starts_with("date") {
        return (!DATE.is_match(value)).then(|| {
            format!("`{value}` is no date: expected one such as 2030-12-31T00:00:00Z, or seconds since 1970")
        });
    }
    if operator.starts_with("numeric") {
        let is_number = value.parse::<f64>().is_ok_and(f64::is_finite);
        return (!is_number).then(|| format!("`{value}` is no number"));
    }
    match operator.as_str() {
        // YAML 1.2 reads `no` as a text, and such a condition is never met.
        "bool" | "null" => {
            (!value.eq_ignore_ascii_case("true") && !value.eq_ignore_ascii_case("false")).then(|| {
                format!(
                    "`{value}` is neither true nor false, so that the condition is never met: write `true` or `false`"
                )
            })
        }
        "ipaddress" | "notipaddress" => (!is_network(value))
            .then(|| format!("`{value}` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32")),
        _ => None,
    }
}

/// An address, or a range of them in CIDR form.
fn is_network(text: &str) -> bool {
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    length.is_none_or(|length| length.parse::<u8>().is_ok_and(|length| length <= most))
}

/// ISO 8601 as W3C takes it, or seconds since 1970.
#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^([0-9]+|[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])([Tt][0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?)$",
    )
    .expect("the pattern of a date")
});

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn said(condition: Value) -> String {
        let mut found = Vec::new();
        let Value::Object(fields) = json!({"Condition": condition}) else { return String::new() };
        super::check("s", &fields, &mut found);
        found.iter().map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
    }

    #[test]
    fn values_of_the_guide_pass() {
        let condition = json!({
            "Bool": {"aws:SecureTransport": "true", "aws:ViaAWSService": [true, "False"]},
            "NullIfExists": {"aws:TokenIssueTime": "TRUE"},
            "DateGreaterThan": {"aws:CurrentTime": ["2020-04-01T00:00:01Z", "2020-04-01", "2020", "1585699201", 1_585_699_201, "2020-04-01T12:30:45+02:00", "2020-04-01T12:30:45.5Z"]},
            "NumericLessThanEquals": {"s3:max-keys": ["10", 10, "1.2", "-1"]},
            "NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:DB8:1234:5678::/64", "10.0.0.1"]},
            "ForAnyValue:IpAddressIfExists": {"aws:SourceIp": "${var.office}"},
            "StringEquals": {"aws:RequestTag/backup": "no", "aws:PrincipalTag/${aws:username}": []},
            "${var.operator}": {"x": {}}, "ArnLike": "${var.keys}",
        });
        assert_eq!(said(condition), "");
    }

    #[test]
    fn values_that_no_request_has_are_told() {
        insta::assert_snapshot!(said(json!({
            "Bool": {"aws:SecureTransport": ["no", "true"]},
            "DateLessThan": {"aws:CurrentTime": ["soon", "2020-13-01", "2020-04-01 12:00"]},
            "NumericEquals": {"s3:max-keys": ["ten", "NaN", ""]},
            "IpAddress": {"aws:SourceIp": ["example.org", "10.0.0.0/33", "10.0.0", "::/129", "10.0.0.0/"]},
            "StringLike": {"aws:PrincipalTag/a": {"Ref": "X"}, "aws:PrincipalTag/b.c": [null]},
        })), @r#"
s.Condition.Bool["aws:SecureTransport"][0]: `no` is neither true nor false, so that the condition is never met: write `true` or `false`
s.Condition.DateLessThan["aws:CurrentTime"][0]: `soon` is no date: expected one such as 2030-12-31T00:00:00Z, or seconds since 1970
s.Condition.DateLessThan["aws:CurrentTime"][1]: `2020-13-01` is no date: expected one such as 2030-12-31T00:00:00Z, or seconds since 1970
s.Condition.DateLessThan["aws:CurrentTime"][2]: `2020-04-01 12:00` is no date: expected one such as 2030-12-31T00:00:00Z, or seconds since 1970
s.Condition.IpAddress["aws:SourceIp"][0]: `example.org` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32
s.Condition.IpAddress["aws:SourceIp"][1]: `10.0.0.0/33` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32
s.Condition.IpAddress["aws:SourceIp"][2]: `10.0.0` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32
s.Condition.IpAddress["aws:SourceIp"][3]: `::/129` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32
s.Condition.IpAddress["aws:SourceIp"][4]: `10.0.0.0/` is no address: expected one such as 203.0.113.0/24 or 2001:db8::/32
s.Condition.NumericEquals["s3:max-keys"][0]: `ten` is no number
s.Condition.NumericEquals["s3:max-keys"][1]: `NaN` is no number
s.Condition.NumericEquals["s3:max-keys"][2]: `` is no number
s.Condition.StringLike["aws:PrincipalTag/a"]: is no value of a condition: expected a text or a list of texts
s.Condition.StringLike["aws:PrincipalTag/b.c"][0]: is no value of a condition: expected a text or a list of texts
"#);
    }
}
