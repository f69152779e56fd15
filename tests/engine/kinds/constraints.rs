//! What AWS's own models say of a value, field by field: whoever breaks it is told so by `validate`. A rule counts as covered
//! when a manifest that is right but for a value that breaks it is refused; else `tests/data/constraints_excused.txt` says why
//! it need not be, with AWS's page.
//!
//! `tests/data/constraints.txt` holds the rules as botocore's service models and CloudFormation's registry schemas have them,
//! both as they come with the sandbox's pinned packages (src/sandbox/moto/requirements.txt). After a change of those,
//! `BLESS=1 cargo test --test engine constraints` writes the file anew.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use batchwright::sandbox::install;

use super::{api, facts, none};

mod breaking;
mod place;
mod probe;
mod rules;
mod specs;

use crate::world::golden::differing;
use probe::Probe;
use rules::Rule;

const SCRIPT: &str = include_str!("constraints.py");
const DATA: &str = "tests/data/constraints.txt";
const EXCUSED: &str = include_str!("../../data/constraints_excused.txt");

/// How many rules may be excused. This number only ever falls.
const MOST_EXCUSED: usize = 19;

/// Where AWS says what it takes for a kind: the operations that write it, and its type in CloudFormation.
fn origins() -> BTreeMap<&'static str, Vec<String>> {
    let operations = |kind: &str| {
        let sections = api::sections();
        let section = sections.into_iter().find(|section| section.kind == kind);
        section.map(|section| section.operations).unwrap_or_default()
    };
    let all = |facts: &'static batchwright::kind::Facts| {
        let operations = operations(facts.name).into_iter().map(str::to_owned);
        (facts.name, operations.chain([facts.cloudformation.to_owned()]).collect())
    };
    facts().map(all).collect()
}

#[tokio::test]
async fn the_rules_are_those_of_the_pinned_packages() {
    let home = install::ensure(&mut |_| ()).await.unwrap();
    let origins: BTreeSet<String> = origins().into_values().flatten().collect();
    let output = Command::new(install::python(&home)).args(["-c", SCRIPT]).args(origins).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let now = String::from_utf8(output.stdout).unwrap();
    if let Some(kept) = differing(DATA, &now) {
        let differs = kept.lines().zip(now.lines()).find(|(kept, now)| kept != now);
        panic!("{DATA} is not what the packages say: BLESS=1 writes it; first: {differs:?}");
    }
}

/// A rule that nothing covers, excused: `<kind> <field> <rule> : <why, with AWS's page>`.
struct Excuse {
    kind: &'static str,
    field: &'static str,
    rule: &'static str,
}

impl Excuse {
    fn all() -> Vec<Self> {
        let lines = EXCUSED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let excuse = |line: &'static str| {
            let (what, why) = line.split_once(" : ").unwrap_or_else(|| panic!("no reason: {line}"));
            assert!(why.contains("https://docs.aws.amazon.com/"), "no page of AWS's: {line}");
            match what.split(' ').collect::<Vec<_>>()[..] {
                [kind, field, rule] => Self { kind, field, rule },
                _ => panic!("not `<kind> <field> <rule> : <why>`: {line}"),
            }
        };
        lines.map(excuse).collect()
    }

    /// A field may begin with `*`: wherever the rest of it stands.
    fn covers(&self, kind: &str, rule: &Rule) -> bool {
        let field = rule.field.to_string();
        let matches = match self.field.strip_prefix('*') {
            Some(end) => field.ends_with(end),
            None => field == self.field,
        };
        self.kind == kind && matches && self.rule == rule.named()
    }
}

#[test]
fn what_breaks_a_rule_of_awss_models_is_refused_or_excused() {
    let data = std::fs::read_to_string(DATA).unwrap();
    let excuses = Excuse::all();
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    let (mut fields, mut all, mut covered, mut excused) = (BTreeSet::new(), 0, 0, 0);
    for (kind, origins) in origins() {
        let rules = Rule::of(kind, &origins, &data);
        let found = uncovered(kind, &rules);
        for (rule, outcome) in rules.iter().zip(found) {
            fields.insert((kind, rule.field.to_string()));
            all += 1;
            let excuse = excuses.iter().position(|excuse| excuse.covers(kind, rule));
            match (outcome, excuse) {
                (None, _) => covered += 1,
                (Some(_), Some(excuse)) => {
                    used.insert(excuse);
                    excused += 1;
                }
                (Some(how), None) => wrong.push(format!("{kind} {} {} : {how}", rule.field, rule.named())),
            }
        }
    }
    for (index, excuse) in excuses.iter().enumerate() {
        if !used.contains(&index) {
            wrong.push(format!("{} {} {}: excused needlessly", excuse.kind, excuse.field, excuse.rule));
        }
    }
    let sum = format!("{} fields, {all} rules: {covered} covered, {excused} excused", fields.len());
    println!("{sum}");
    none(&format!("rules that nothing covers ({sum})"), &wrong);
    assert!(all > 120, "hardly anything was compared: {sum}");
    assert_eq!(excused, MOST_EXCUSED, "fewer are excused: lower the number; more: cover them");
}

/// For each rule how it can be broken unseen, or nothing.
fn uncovered(kind: &'static str, rules: &[Rule]) -> Vec<Option<String>> {
    let bases = specs::right(kind);
    let grounds = specs::grounds(kind, rules, &bases);
    let mut probes: Vec<(usize, String, Probe)> = Vec::new();
    for (index, (rule, ground)) in rules.iter().zip(&grounds).enumerate() {
        let Some(ground) = ground else { continue };
        for (how, probe) in breaking::probes(rule, ground) {
            probes.push((index, how, probe));
        }
    }
    let told = probe::told(kind, probes.iter().map(|(_, _, probe)| probe));
    let mut outcomes: Vec<Option<String>> = vec![None; rules.len()];
    let mut tried = BTreeSet::new();
    for ((index, how, _), told) in probes.iter().zip(told) {
        tried.insert(*index);
        if told.is_empty() && outcomes[*index].is_none() {
            outcomes[*index] = Some(format!("{how} passes ({})", rules[*index].said()));
        }
    }
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        if grounds[index].is_none() {
            *outcome =
                Some("no spec has this field: add one to tests/data/constraints_specs.yaml".to_owned());
        } else if !tried.contains(&index) {
            *outcome = Some(format!("nothing was found that breaks it ({})", rules[index].said()));
        }
    }
    outcomes
}
