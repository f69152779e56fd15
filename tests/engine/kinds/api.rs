//! D34: whatever the writing operations of AWS take, a spec can say, or `tests/data/api_members.txt` tells why not.

use std::collections::BTreeSet;
use std::process::Command;

use batchwright::kinds;
use batchwright::sandbox::install;

use super::none;

const TABLE: &str = include_str!("../../data/api_members.txt");
const SCRIPT: &str = include_str!("api.py");

/// Members that are the same everywhere: tags are metadata, and how a request travels is no property of a resource.
const EVERYWHERE: &[&str] = &["dryrun", "clienttoken", "tags", "tagspecifications"];

/// What the table says of a kind.
pub struct Section {
    pub kind: &'static str,
    pub operations: Vec<&'static str>,
    pub lines: Vec<Line>,
}

/// What it says of a member.
pub struct Line {
    pub operation: &'static str,
    pub member: &'static str,
    pub said: Said,
}

/// By which field a manifest says it, or why not at all.
pub enum Said {
    By(&'static str),
    Not(&'static str),
}

impl Line {
    pub fn covers(&self, operation: &str, member: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with('.');
        (self.operation == "*" || self.operation == operation)
            && member.strip_prefix(self.member).is_some_and(below)
    }
}

pub fn sections() -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for text in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((kind, operations)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
            let operations = operations.split_whitespace().collect();
            sections.push(Section { kind, operations, lines: Vec::new() });
            continue;
        }
        let (operation, rest) = text.split_once(' ').unwrap();
        let line = match (rest.split_once(" = "), rest.split_once(" : ")) {
            (Some((member, field)), None) => Line { operation, member, said: Said::By(field) },
            (None, Some((member, why))) if !why.is_empty() => {
                Line { operation, member, said: Said::Not(why) }
            }
            _ => panic!("neither `member = field` nor `member : why`: {text}"),
        };
        sections.last_mut().unwrap().lines.push(line);
    }
    sections
}

/// `operation member` of every input member that holds a value, as botocore's service models have them.
async fn members(operations: &[&str]) -> Vec<(String, String)> {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let output = Command::new(install::python(&home)).args(["-c", SCRIPT]).args(operations).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let pair = |line: &str| line.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    text.lines().map(pair).collect()
}

#[tokio::test]
async fn every_input_member_can_be_said_or_is_listed_with_a_reason() {
    let sections = sections();
    let listed: Vec<&str> = sections.iter().map(|section| section.kind).collect();
    assert_eq!(listed, super::facts().map(|facts| facts.name).collect::<Vec<_>>(), "kinds of the table");
    let operations: Vec<&str> = sections.iter().flat_map(|section| section.operations.clone()).collect();
    let members = members(&operations).await;
    assert!(members.len() > 600, "hardly anything was compared: {}", members.len());
    let mut wrong = Vec::new();
    for Section { kind, operations, lines } in &sections {
        let rules = &kinds::kind(kind).unwrap().facts().rules;
        let mut used = BTreeSet::new();
        for (operation, member) in members.iter().filter(|(it, _)| operations.contains(&it.as_str())) {
            let first = member.split('.').next().unwrap_or_default().to_lowercase();
            if EVERYWHERE.contains(&first.as_str()) || has(rules, member) {
                continue;
            }
            match lines.iter().position(|line| line.covers(operation, member)) {
                Some(line) => drop(used.insert(line)),
                None => wrong.push(format!("{kind}: {operation} takes {member}")),
            }
        }
        for (index, line) in lines.iter().enumerate() {
            if !used.contains(&index) {
                wrong.push(format!("{kind}: {} {} is listed needlessly", line.operation, line.member));
            }
            if let Said::By(field) = line.said
                && !has(rules, field)
            {
                wrong.push(format!("{kind}: {field} is no field"));
            }
        }
    }
    none("input members that nobody can say (D34)", &wrong);
}

/// Whether a spec has this field; the letters' case apart, which AWS handles in many ways.
fn has(rules: &batchwright::diff::Rules, path: &str) -> bool {
    let mut at = rules;
    for part in path.split('.') {
        while let Some(inner) = at.items.as_deref().or(at.values.as_deref()) {
            at = inner;
        }
        match at.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(part)) {
            Some((_, rules)) => at = rules,
            None => return false,
        }
    }
    true
}
