use serde_json::{Value, json};

use super::{Policy, same};

#[test]
fn spelling_means_nothing() {
    let a = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["b", "a", "a"],
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Condition": {"Bool": {"aws:SecureTransport": false}}}});
    let b = json!({"Statement": [{"Action": ["s3:getobject"], "Effect": "allow", "Resource": ["a", "b"], "Sid": "",
        "Principal": {"AWS": ["111122223333"]}, "Condition": {"Bool": {"AWS:SecureTransport": "false"}}}], "Version": "2012-10-17"});
    assert!(same(&a, &b));
    assert!(same(&json!(b.to_string()), &a));
    assert!(same(
        &json!({"Statement": [{"Principal": "*"}]}),
        &json!({"Statement": [{"Principal": {"AWS": "*"}}], "Version": "2008-10-17"})
    ));
}

#[test]
fn a_text_that_holds_no_document_stays_as_it_is() {
    for text in ["null", "true", "7", "[{}]", r#""{}""#, "%22%7B%7D%22", "%257B%257D", "a%20b", "{", ""] {
        assert_eq!(Policy::parse(text).0, json!(text));
        let read: Policy = serde_json::from_value(json!(text)).unwrap();
        assert_eq!(read.0, json!(text));
    }
    assert_eq!(Policy::parse("%7B%22a%22%3A+1%7D").0, json!("%7B%22a%22%3A+1%7D"));
    assert_eq!(Policy::parse("%7B%22a%22%3A%201%7D").0, json!({"a": 1}));
}

#[test]
fn principals_are_told_from_other_texts() {
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Principal": {"AWS": ["a", "b"], "Service": "c"}, "Resource": "d", "Condition": {"StringEquals": {"e": "f"}}},
        {"NotPrincipal": "g"},
    ]});
    let mut found = Vec::new();
    super::each(&document, &mut |principal, text| {
        if principal && text.len() == 1 {
            found.push(text.to_owned());
        }
    });
    assert_eq!(found, ["a", "b", "c", "g"]);
    let mut within_text = 0;
    super::each(&json!(document.to_string()), &mut |principal, text| {
        within_text += usize::from(principal && text.len() == 1);
    });
    assert_eq!(within_text, 4);
}

#[test]
fn a_statement_about_nobody_is_left_out() {
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ["a", "b"], "Service": "s"}, "Action": "x:Y"},
        {"Effect": "Allow", "Principal": {"AWS": "a"}, "Action": "x:Z"},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ["a", "c"]}, "Action": "x:Y"},
    ]});
    let without = |gone: &[&str]| super::without_principals(&document, &|name| gone.contains(&name));
    assert_eq!(
        without(&["a"]).unwrap()["Statement"],
        json!([
            {"Effect": "Allow", "Principal": {"AWS": ["b"], "Service": "s"}, "Action": "x:Y"},
            {"Effect": "Deny", "NotPrincipal": {"AWS": ["c"]}, "Action": "x:Y"},
        ])
    );
    assert_eq!(without(&["a", "b", "c", "s"]), None, "an empty NotPrincipal would be everybody");
    assert_eq!(without(&[]), Some(document));
}

/// Two statements with every element that a policy has
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>).
fn whole() -> Value {
    json!({"Version": "2012-10-17", "Id": "all", "Statement": [
        {"Sid": "first", "Effect": "Allow", "Principal": {"AWS": ["111122223333", "444455556666"], "Service": "ecs.amazonaws.com"},
            "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a", "b"],
            "Condition": {"StringEquals": {"aws:SourceAccount": ["1", "2"], "aws:SourceVpc": "v"}, "ArnLike": {"aws:SourceArn": "c"}}},
        {"Sid": "second", "Effect": "Deny", "NotPrincipal": {"AWS": ["777788889999", "111122223333"]},
            "NotAction": ["s3:ListBucket", "s3:GetObject"], "NotResource": ["d", "e"]},
    ]})
}

/// Every document that differs from this one in one thing: a key or an item less, another key, another text.
fn mutations(document: &Value) -> Vec<(String, Value)> {
    fn places(at: &str, value: &Value, found: &mut Vec<String>) {
        let inside: Vec<(String, &Value)> = match value {
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (format!("{at}/{key}"), value)).collect()
            }
            Value::Array(items) => {
                items.iter().enumerate().map(|(index, value)| (format!("{at}/{index}"), value)).collect()
            }
            _ => Vec::new(),
        };
        for (at, value) in inside {
            found.push(at.clone());
            places(&at, value, found);
        }
    }
    let mut found = Vec::new();
    places("", document, &mut found);
    let mut all = Vec::new();
    for place in found {
        let (around, key) = place.rsplit_once('/').unwrap();
        let mut less = document.clone();
        let mut other_key = document.clone();
        match (less.pointer_mut(around).unwrap(), other_key.pointer_mut(around).unwrap()) {
            (Value::Object(fields), Value::Object(others)) => {
                fields.remove(key);
                let value = others.remove(key).unwrap();
                // `Action` for `NotAction` and the other way round; elsewhere any other.
                let other = key.strip_prefix("Not").map_or_else(|| format!("Not{key}"), str::to_owned);
                others.insert(other, value);
                all.push((format!("{place} called otherwise"), other_key));
            }
            (Value::Array(items), _) => drop(items.remove(key.parse().unwrap())),
            _ => {}
        }
        all.push((format!("{place} left out"), less));
        let mut other = document.clone();
        if let Some(value @ Value::String(_)) = other.pointer_mut(&place) {
            *value = json!(format!("{}x", value.as_str().unwrap()));
            all.push((format!("{place} otherwise"), other));
        }
    }
    all
}

#[test]
fn whatever_a_policy_says_means_something() {
    let whole = whole();
    let all = mutations(&whole);
    assert!(all.len() > 70, "{}", all.len());
    for (what, other) in &all {
        assert!(!same(&whole, other), "{what}");
    }
    // And no two of them mean the same. AWS refuses an element that holds nothing, and it counts as not there.
    let hollow = "/Statement/1/NotPrincipal/AWS left out";
    for (at, (what, one)) in all.iter().enumerate().filter(|(_, (what, _))| what != hollow) {
        for (other, two) in all[..at].iter().filter(|(what, _)| what != hollow) {
            assert!(one == two || !same(one, two), "{what}; {other}");
        }
    }
}

#[test]
fn what_a_policy_says_does_mean_something() {
    let base = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "a"}]});
    let statement = |element: &str, value: Value| {
        let mut other = base.clone();
        other["Statement"][0][element] = value;
        other
    };
    for other in [
        statement("Effect", json!("Deny")),
        statement("Action", json!(["s3:GetObject", "s3:PutObject"])),
        statement("Resource", json!("b")),
        statement("Resource", json!("A")),
        // What is there only in the other.
        statement("Condition", json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})),
        statement("NotAction", json!("s3:PutObject")),
        statement("NotResource", json!("b")),
        statement("Principal", json!("*")),
        statement("NotPrincipal", json!({"AWS": "111122223333"})),
        statement("Sid", json!("one")),
        json!({"Version": "2008-10-17", "Statement": base["Statement"]}),
        json!({"Statement": base["Statement"]}),
    ] {
        assert!(!same(&base, &other), "{other}");
    }
}
