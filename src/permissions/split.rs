//! A policy in documents that IAM takes: its statements, dealt out in their order. Pure.

use serde_json::{Value, json};

/// The most characters of a managed policy, of all inline policies of a role together, and of a user; white space is not counted.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub const MANAGED: usize = 6_144;
/// Of all inline policies of a role together.
pub const ROLE: usize = 10_240;

/// The characters that IAM counts of a document that has no white space in its texts.
pub fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|it| !it.is_whitespace()).count()
}

/// The same permissions in documents of at most so many characters; one, where it fits.
pub fn split(document: &Value, most: usize) -> Vec<Value> {
    let whole = |statements: &[Value]| json!({ "Version": document["Version"], "Statement": statements });
    let statements = document["Statement"].as_array().into_iter().flatten();
    let mut rest: Vec<Value> = statements.rev().cloned().collect();
    let mut documents: Vec<Vec<Value>> = vec![Vec::new()];
    while let Some(statement) = rest.pop() {
        if size(&whole(std::slice::from_ref(&statement))) > most
            && let Some([first, second]) = halves(&statement)
        {
            rest.extend([second, first]);
            continue;
        }
        match documents.last_mut() {
            Some(last)
                if last.is_empty()
                    || size(&whole(&[last.as_slice(), std::slice::from_ref(&statement)].concat()))
                        <= most =>
            {
                last.push(statement);
            }
            _ => documents.push(vec![statement]),
        }
    }
    documents.iter().map(|statements| whole(statements)).collect()
}

/// A statement as two that say the same together: each with a half of its resources, or of its actions.
fn halves(statement: &Value) -> Option<[Value; 2]> {
    let field = ["Resource", "Action"]
        .into_iter()
        .find(|field| statement[*field].as_array().is_some_and(|it| it.len() > 1))?;
    let all = statement[field].as_array()?;
    let (first, second) = all.split_at(all.len() / 2);
    Some([first, second].map(|part| {
        let mut statement = statement.clone();
        statement[field] = part.into();
        statement
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &[(&[&str], usize)]) -> Value {
        let statement = |(actions, resources): &(&[&str], usize)| {
            let resources: Vec<String> =
                (0..*resources).map(|it| format!("arn:aws:s3:::bucket-{it:04}")).collect();
            json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
        };
        json!({ "Version": "2012-10-17", "Statement": statements.iter().map(statement).collect::<Vec<_>>() })
    }

    /// Every pair of an action and a resource.
    fn pairs(documents: &[Value]) -> Vec<String> {
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let mut found = Vec::new();
        for statement in documents.iter().flat_map(|it| list(&it["Statement"])) {
            for action in list(&statement["Action"]) {
                found.extend(
                    list(&statement["Resource"])
                        .iter()
                        .map(|it| format!("{} {action} {it}", statement["Effect"])),
                );
            }
        }
        found.sort();
        found
    }

    #[test]
    fn what_fits_stays_one_document() {
        let small = policy(&[(&["s3:GetObject"], 3), (&["s3:PutObject"], 2)]);
        assert_eq!(split(&small, MANAGED), [small]);
        let nothing = policy(&[]);
        assert_eq!(split(&nothing, MANAGED), [nothing]);
    }

    #[test]
    fn what_does_not_fit_is_dealt_out_and_says_the_same() {
        for statements in [
            &[(&["s3:A", "s3:B"][..], 60), (&["s3:C"], 150), (&["s3:D"], 90), (&["s3:E"], 1)][..],
            // One statement that is too large by itself.
            &[(&["s3:A", "s3:B"], 1), (&["s3:C", "s3:D"], 700), (&["s3:E"], 1)],
        ] {
            let whole = policy(statements);
            let documents = split(&whole, MANAGED);
            assert!(documents.len() > 1 && documents.iter().all(|it| size(it) <= MANAGED));
            assert!(documents.iter().all(|it| it["Version"] == "2012-10-17"));
            assert_eq!(pairs(&documents), pairs(&[whole]));
        }
    }

    #[test]
    fn white_space_is_not_counted() {
        let policy: Value = serde_json::from_str("{ \"Statement\": [ ] }").unwrap_or_default();
        assert_eq!(size(&policy), "{\"Statement\":[]}".len());
    }
}
