//! Policy documents: what is taken of them means the same however it is spelt, and something else once it says something else.

use batchwright::kinds;
use batchwright::manifest;
use batchwright::resource::Place;
use batchwright::value::policy;
use serde_json::{Value, json};

use super::mutate::{Said, Target, run};
use super::skeleton;

const WORDS: &[&str] = &[
    "Version: 2012-10-17",
    "Version: 2008-10-17",
    "Id",
    "Statement",
    "Sid",
    "Effect",
    "Allow",
    "Deny",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "AWS",
    "Service",
    "Federated",
    "CanonicalUser",
    "StringEquals",
    "StringLike",
    "ForAnyValue:StringEquals",
    "Bool",
    "NumericLessThan",
    "IpAddress",
    "Null",
    "ArnLike",
    "aws:SourceArn",
    "aws:SecureTransport",
    "aws:username",
    "${aws:username}",
    "${*}",
    "${iam/Role/ground.arn}",
    "s3:GetObject",
    "s3:*",
    "S3:getobject",
    "sts:AssumeRole",
    "ecr:BatchGetImage",
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:iam::111122223333:root",
    "111122223333",
    "arn:aws:iam::111122223333:role/x",
    "ecs-tasks.amazonaws.com",
    "true",
    "false",
    "10.0.0.0/8",
    "[]",
    "{}",
    "null",
    "''",
    "1",
    "\"1\"",
    "[a, b]",
    "{a: b}",
];

/// Where documents are kept: the kind, the field, and the rest of its spec.
fn homes() -> Vec<(&'static str, &'static str, Value)> {
    let endpoint = json!({"vpcId": "vpc-0123456789abcdef0", "serviceName": "com.amazonaws.eu-west-1.s3"});
    vec![
        ("iam/Policy", "policyDocument", json!({})),
        ("iam/Role", "assumeRolePolicyDocument", json!({})),
        ("s3/Bucket", "policy", json!({})),
        ("ecr/Repository", "repositoryPolicyText", json!({})),
        ("ec2/VpcEndpoint", "policyDocument", endpoint),
    ]
}

/// A document in a kind's field: its normal form there, and what is said against it.
fn kept(home: &(&str, &str, Value), document: &Value) -> Result<(Value, Vec<String>), String> {
    let (name, field, rest) = home;
    let place = Place::new("111111111111", "eu-west-1");
    let kind = kinds::kind(name).ok_or("there is no such kind")?;
    let mut spec = rest.clone();
    spec[field] = document.clone();
    let normal = match kind.normal(&spec, &place) {
        Ok(normal) => normal,
        Err(error) => return Ok((Value::Null, vec![error.to_string()])),
    };
    let again = kind
        .normal(&normal, &place)
        .map_err(|error| format!("{name}: its normal form can't be read: {error}"))?;
    if again != normal {
        return Err(format!("{name}: the normal form of the normal form is another: {normal:#} {again:#}"));
    }
    let mut said = kind.validate_written(&spec, &place);
    said.extend(kind.validate(&normal, &place));
    if said != [kind.validate_written(&spec, &place), kind.validate(&normal, &place)].concat() {
        return Err(format!("{name}: asked twice, something else is said"));
    }
    if let Some(elsewhere) = said.iter().find(|it| !it.path.starts_with(field)) {
        return Err(format!("{name}: {} is complained about, which is fine", elsewhere.path));
    }
    if said.len() > 2000 {
        return Err(format!("{name}: {} complaints", said.len()));
    }
    Ok((normal, said.into_iter().map(|it| format!("{}: {}", it.path, it.message)).collect()))
}

/// The same document in other words: lists of one, everything twice and backwards, actions in capitals.
fn respelt(document: &Value) -> Value {
    fn list(value: &Value, to: &dyn Fn(&str) -> String) -> Value {
        let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        let items: Vec<Value> =
            items.iter().rev().map(|it| it.as_str().map_or(it.clone(), |it| to(it).into())).collect();
        items.iter().chain(&items).cloned().collect()
    }
    let mut document = document.clone();
    let Some(fields) = document.as_object_mut() else { return document };
    let statements = fields.get("Statement").cloned().unwrap_or_default();
    let statements = statements.as_array().cloned().unwrap_or_else(|| vec![statements]);
    let other = |statement: &Value| -> Value {
        let Some(fields) = statement.as_object() else { return statement.clone() };
        let spelt = fields.iter().map(|(key, value)| {
            let value = match key.as_str() {
                "Action" | "NotAction" => list(value, &|it| it.to_ascii_uppercase()),
                "Resource" | "NotResource" => list(value, &str::to_owned),
                "Principal" | "NotPrincipal" if value == "*" => json!({"AWS": ["*"]}),
                _ => value.clone(),
            };
            (key.clone(), value)
        });
        spelt.collect()
    };
    fields.insert("Statement".to_owned(), statements.iter().rev().map(other).collect());
    document
}

/// The same document but for one word that matters.
fn otherwise(document: &Value) -> Vec<Value> {
    let mut others = Vec::new();
    if !document.is_object() {
        return others;
    }
    let count = document["Statement"].as_array().map_or(1, Vec::len);
    for nth in 0..count {
        for (key, value) in
            [("Effect", json!("Deny")), ("Effect", json!("Allow")), ("Action", json!("s3:PutBucketAcl"))]
        {
            let mut other = document.clone();
            let statement = match other["Statement"].is_array() {
                true => &mut other["Statement"][nth],
                false => &mut other["Statement"],
            };
            let there = statement.get(key).cloned().unwrap_or_default();
            if there.is_null() || policy_texts(&there) == policy_texts(&value) {
                continue;
            }
            statement[key] = value;
            // A statement that is there twice is the same as one: two that become one differ, or one that joins another.
            others.push(other);
        }
    }
    others
}

fn policy_texts(value: &Value) -> Vec<String> {
    let items = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    let mut texts: Vec<String> =
        items.iter().map(|it| it.as_str().unwrap_or_default().to_ascii_lowercase()).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// What holds of every document, whatever it says.
fn read(document: &Value) -> Result<(), String> {
    let text = Value::String(document.to_string());
    if document.is_object() && !policy::same(document, &text) {
        return Err("as a text, it means something else".to_owned());
    }
    let texts = |of: &Value| {
        let mut seen = Vec::new();
        policy::each(of, &mut |principal, text| seen.push((principal, text.to_owned())));
        seen
    };
    if document.is_object() && texts(document) != texts(&text) {
        return Err("as a text, it holds other texts".to_owned());
    }
    let nobody = policy::nobody(document);
    if nobody["Statement"][0]["Effect"] != "Deny" || nobody["Statement"].as_array().map_or(0, Vec::len) != 1 {
        return Err(format!("its stand-in lets somebody in: {nobody}"));
    }
    if policy::with_principals(document, &|_| None) != *document {
        return Err("with the same principals, it is another".to_owned());
    }
    Ok(())
}

fn tried(text: &str) -> Result<Said, String> {
    let mut said = Said { taken: false, like: Default::default() };
    let Ok(documents) = manifest::value("a.yaml", text) else { return Ok(said) };
    let Some(document) = documents.first() else { return Ok(said) };
    read(document)?;
    for home in homes() {
        let (_, wrong) = kept(&home, document)?;
        said.like.extend(wrong.iter().map(|it| format!("{} {}", home.0, skeleton(it))));
        if document.is_object() && kept(&home, &document.to_string().into())?.1.is_empty() != wrong.is_empty()
        {
            return Err(format!("{}: as a text, it is judged otherwise: {wrong:?}", home.0));
        }
        if !wrong.is_empty() {
            continue;
        }
        said.taken = true;
        let left = policy::without_principals(document, &|_| false);
        if left.is_none_or(|left| !policy::same(&left, document)) {
            return Err(format!("{}: without nobody, it is another", home.0));
        }
        let spelt = respelt(document);
        if !policy::same(document, &spelt) {
            return Err(format!("{}: spelt otherwise, it means something else: {spelt}", home.0));
        }
        let (_, wrong) = kept(&home, &spelt)?;
        // A Sid is there once.
        if !wrong.is_empty() && !wrong.iter().all(|it| it.contains("characters")) {
            return Err(format!("{}: spelt otherwise, it is refused: {wrong:?} {spelt}", home.0));
        }
        if let Some(other) = otherwise(document).iter().find(|other| policy::same(document, other)) {
            return Err(format!("{}: this is taken for the same: {other}", home.0));
        }
    }
    Ok(said)
}

#[test]
fn policy_documents_mean_what_they_say() {
    run(&Target {
        name: "policies",
        more: Vec::new(),
        words: WORDS,
        is_yaml: true,
        cases: 150,
        attempt: &tried,
    });
}
