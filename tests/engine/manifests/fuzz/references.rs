//! Texts with `${…}` in them: what is read of them, and what they become, held against a model of a few lines.

use batchwright::value::reference::{self, Reference};
use serde_json::Value;

use super::mutate::{Said, Target, run};
use super::{AROUND, GROUND, bounded, folder, load, placed, skeleton};

const WORDS: &[&str] = &[
    "${iam/Role/ground.arn}",
    "${iam/Role/ground.name}",
    "${logs/LogGroup/ground.arn}",
    "${image.worker}",
    "${var.team}",
    "${var.days}",
    "${var.on}",
    "${var.many}",
    "${var.dollar}",
    "${var.open}",
    "${env.name}",
    "${env.owner}",
    "$${",
    "${",
    "}",
    "$",
    "{iam/Role/ground.arn}",
    "iam/Role/ground.arn",
    "image.worker",
    "var.",
    "env.",
    "aws:username",
    "${aws:username}",
    "${*}",
    "${?}",
    "${$}",
    "${AWS::Region}",
    "${self:a}",
    "{{resolve:ssm:/a}}",
    ".",
    "/",
    "_",
    "-",
    "arn",
    "Role",
];

/// What a text becomes: as docs/manifests.md has it, piece by piece. `None`: something in it stands for nothing of ours.
fn model(text: &str) -> Option<String> {
    let known = |name: &str| match name {
        "var.team" => Some("payments"),
        "var.days" => Some("30"),
        "var.on" => Some("true"),
        "var.off" => Some("false"),
        "var.dollar" => Some("$"),
        "var.open" => Some("${"),
        "env.name" => Some("dev"),
        "env.project" => Some("acme/jobs"),
        "env.owner" => Some("acme/jobs/dev"),
        "env.account" => Some("111111111111"),
        "env.region" => Some("us-east-1"),
        "env.partition" => Some("aws"),
        "env.dnsSuffix" => Some("amazonaws.com"),
        _ => None,
    };
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find("${") {
        out += &rest[..at];
        if out.ends_with('$') && at > 0 && rest[..at].ends_with('$') {
            out.pop();
            out += "${";
            rest = &rest[at + 2..];
            continue;
        }
        let end = rest[at..].find('}')? + at + 1;
        let whole = &rest[at..end];
        match known(&whole[2..whole.len() - 1]) {
            Some(value) => out += value,
            // IAM's own variables, and references, stay as they are.
            None if whole.contains(':') || reference::whole(whole).is_some() => out += whole,
            None if matches!(whole, "${*}" | "${?}" | "${$}") => out += whole,
            None => return None,
        }
        rest = &rest[end..];
    }
    Some(out + rest)
}

/// What holds of every text, whoever wrote it.
fn read(text: &str) -> Result<(), String> {
    let found = reference::references(text);
    let mut rest = text;
    for reference in &found {
        let written = reference.to_string();
        if reference::whole(&written).as_ref() != Some(reference) {
            return Err(format!("{written} is not read as what it was written from"));
        }
        let Some(at) = rest.find(&written) else { return Err(format!("{written} is not in the text")) };
        rest = &rest[at + written.len()..];
    }
    let itself = |reference: &Reference| Some(reference.to_string());
    let nothing = |_: &Reference| None;
    if reference::replace(text, &itself) != text || reference::replace(text, &nothing) != text {
        return Err("replaced by itself, it is another text".to_owned());
    }
    let mark = |_: &Reference| Some("\u{1}".to_owned());
    let marks = |text: &str| text.matches('\u{1}').count();
    if marks(&reference::replace(text, &mark)) != found.len() + marks(text) {
        return Err("not each of them is replaced once".to_owned());
    }
    let value = Value::String(text.to_owned());
    if reference::is_unknown(&value) == found.is_empty() || reference::first(&value) != found.first().cloned()
    {
        return Err("what is unknown of it is not what it refers to".to_owned());
    }
    let whole = found.first().is_some_and(|it| found.len() == 1 && it.to_string() == text);
    if reference::whole(text).is_some() != whole {
        return Err("it is taken for one reference, or is not".to_owned());
    }
    Ok(())
}

fn tried(text: &str) -> Result<Said, String> {
    read(text)?;
    let quoted = serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f");
    let manifest = format!(
        "apiVersion: batchwright/v1\nkind: batch/JobDefinition\nmetadata: {{name: a}}\nspec:\n  type: container\n  parameters:\n    of: {quoted}\n  containerProperties: {{image: 'x', resourceRequirements: [{{type: VCPU, value: '1'}}, {{type: MEMORY, value: '512'}}]}}\n"
    );
    let folder = folder(AROUND, &manifest);
    match load(folder.0.path()) {
        Ok(desired) => {
            let declared = desired.resources.values().find(|it| it.id.kind == "batch/JobDefinition").unwrap();
            let became = declared.spec["parameters"]["of"].as_str().unwrap_or_default();
            match model(text) {
                Some(expected) if expected == became => {}
                expected => return Err(format!("it became {became:?}; expected {expected:?}")),
            }
            // What was put together of pieces refers to nothing that nobody wrote.
            if reference::references(became).len() > reference::references(text).len() {
                return Err(format!("it became {became:?}, which refers to more than was written"));
            }
            Ok(Said { taken: true, like: [without_words(text)].into() })
        }
        Err(errors) => {
            if !text.contains(['$', '{', '#']) && text.chars().all(|c| !c.is_control()) && !text.is_empty() {
                return Err(format!("a plain text is refused: {errors}"));
            }
            bounded(&errors)?;
            let texts = [("environment.yaml", AROUND), ("a.yaml", &*manifest), ("ground.yaml", GROUND)];
            errors.0.iter().try_for_each(|error| placed(error, &texts))?;
            Ok(Said { taken: false, like: errors.0.iter().map(|error| skeleton(&error.message)).collect() })
        }
    }
}

fn without_words(text: &str) -> String {
    let mut kept: Vec<char> = text.chars().filter(|c| !c.is_alphanumeric()).take(12).collect();
    kept.dedup();
    kept.into_iter().collect()
}

#[test]
fn references_are_read_and_replaced_as_they_are_written() {
    run(&Target {
        name: "references",
        more: Vec::new(),
        words: WORDS,
        is_yaml: false,
        cases: 40,
        attempt: &tried,
    });
}
