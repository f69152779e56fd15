//! What a change to a compute environment amounts to, and why (P5): a table over role, allocation strategy and every field.
//!
//! `tests/engine/strategies/table.txt` is for people: `BLESS=1 cargo test --test engine strategies` writes it. That it is right is
//! checked apart from it, against CloudFormation's lists of what can and what cannot be updated in place and AWS Batch's
//! two conditions for instances.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use batchwright::diff::Rules;
use batchwright::kinds;
use batchwright::resource::Strategy;
use serde_json::{Value, json};

mod environments;
mod other_kinds;
mod rule;
mod verdict;

use crate::world::golden::golden;
use environments::{Context, FIELDS, contexts, set};
use verdict::{Verdict, is_valid, verdict};

/// The leaves of a kind's fields, as this table names them.
fn leaves(rules: &Rules, path: &str, found: &mut BTreeSet<String>) {
    let fields = rules.items.as_deref().map_or(&rules.fields, |items| &items.fields);
    if fields.is_empty() {
        found.insert(path.to_owned());
        return;
    }
    let list = if rules.items.is_some() { "[0]" } else { "" };
    for (name, inside) in fields {
        let path = if path.is_empty() { name.clone() } else { format!("{path}{list}.{name}") };
        leaves(inside, &path, found);
    }
}

#[test]
fn the_table_knows_every_field() {
    let mut all = BTreeSet::new();
    leaves(&kinds::kind("batch/ComputeEnvironment").unwrap().facts().rules, "", &mut all);
    let known: BTreeSet<String> = FIELDS.iter().map(|(path, ..)| (*path).to_owned()).collect();
    // These have sections of their own: what they change from and to matters.
    let apart = ["type", "serviceRole", "computeResources.type", "computeResources.allocationStrategy"];
    let missing: Vec<&String> =
        all.iter().filter(|path| !known.contains(*path) && !apart.contains(&path.as_str())).collect();
    assert_eq!((missing, known.difference(&all).collect::<Vec<_>>()), (vec![], vec![]));
}

/// The lines of one field: each outcome once, with all contexts that it is the outcome in.
fn field_lines(text: &mut String, field: &str, outcomes: &[(&Context, Verdict)]) {
    let mut grouped: BTreeMap<(&str, &str), Vec<&Context>> = BTreeMap::new();
    for (context, verdict) in outcomes {
        grouped.entry((verdict.word, &verdict.reason)).or_default().push(context);
    }
    let _ = writeln!(text, "\n{field}");
    for ((word, reason), contexts) in &grouped {
        let _ = writeln!(text, "  {word}  # {reason}");
        for line in by_role(contexts) {
            let _ = writeln!(text, "      {line}");
        }
    }
}

/// `custom role: SPOT BEST_FIT, …`: contexts with the same roles share a line.
fn by_role(contexts: &[&Context]) -> Vec<String> {
    let mut roles: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for context in contexts {
        roles.entry(context.launched()).or_default().insert(context.role);
    }
    let mut launched: Vec<(BTreeSet<&str>, Vec<String>)> = Vec::new();
    for context in contexts {
        let Some(roles) = roles.remove(&context.launched()) else { continue };
        match launched.iter_mut().find(|(others, _)| *others == roles) {
            Some((_, launched)) => launched.push(context.launched()),
            None => launched.push((roles, vec![context.launched()])),
        }
    }
    let line = |(roles, launched): (BTreeSet<&str>, Vec<String>)| {
        let roles = match roles.len() == environments::ROLES.len() {
            true => "any role".to_owned(),
            false => roles.into_iter().collect::<Vec<_>>().join(", "),
        };
        format!("{roles}: {}", launched.join(", "))
    };
    launched.into_iter().map(line).collect()
}

/// One section: every field, in every context in which it can be said.
fn fields(text: &mut String) {
    let contexts = contexts();
    for (field, before, after, beside) in FIELDS {
        let parse = |text: &str| -> Value { serde_json::from_str(text).unwrap_or_else(|_| json!(text)) };
        let mut outcomes = Vec::new();
        for context in &contexts {
            let mut base = context.spec();
            beside.iter().for_each(|(path, value)| set(&mut base, path, parse(value)));
            let with = |value: &str| {
                let mut spec = base.clone();
                set(&mut spec, field, parse(value));
                spec
            };
            let (live, want) = (with(before), with(after));
            if !is_valid(&live) || !is_valid(&want) {
                continue;
            }
            let found = verdict(&live, &want, Strategy::Auto);
            assert_eq!(
                found.word,
                rule::of_field(field, context),
                "{field} on {}: {}",
                context.name(),
                found.reason
            );
            // What appears or goes is a change like any other, where it may be absent.
            for (live, want) in [(&base, &want), (&live, &base)] {
                let word = || verdict(live, want, Strategy::Auto).word;
                if is_valid(live) && is_valid(want) && word() != "never compared" {
                    assert_eq!(word(), found.word, "{field}: {live} → {want}");
                }
            }
            outcomes.push((context, found));
        }
        assert!(!outcomes.is_empty(), "{field} can be said nowhere");
        field_lines(text, field, &outcomes);
    }
}

/// A section of transitions: each state to each other, checked against the rule.
fn transitions(text: &mut String, title: &str, states: &[(String, Value)]) {
    let _ = writeln!(text, "\n{title}");
    for (from, live) in states {
        for (to, want) in states.iter().filter(|(to, _)| to != from) {
            let Verdict { word, reason } = verdict(live, want, Strategy::Auto);
            assert_eq!(word, rule::of_transition(live, want), "{title}: {from} → {to}: {reason}");
            let _ = writeln!(text, "  {from} → {to}: {word}  # {reason}");
        }
    }
}

#[test]
fn every_field_role_and_strategy() {
    let mut text = String::from(
        "What a change to a compute environment amounts to, and why.\nWritten by tests/engine/strategies.rs; contexts in which a field cannot be said are left out.\n",
    );
    fields(&mut text);
    for role in environments::ROLES {
        let allocations = contexts().into_iter().filter(|context| context.role == *role);
        for launches in ["EC2", "SPOT"] {
            let of_type = allocations.clone().filter(|it| it.launches == launches && !it.on_eks);
            let states: Vec<_> = of_type.map(|it| (it.allocation.to_owned(), it.spec())).collect();
            transitions(
                &mut text,
                &format!("computeResources.allocationStrategy, {launches}, {role}"),
                &states,
            );
        }
    }
    transitions(&mut text, "computeResources.type", &environments::types());
    transitions(&mut text, "serviceRole, FARGATE", &environments::roles("FARGATE"));
    transitions(&mut text, "serviceRole, EC2", &environments::roles("EC2"));
    lifecycle(&mut text);
    golden("tests/engine/strategies/table.txt", &text);
}

/// `metadata.lifecycle.strategy`: what a person decides beyond what AWS allows.
fn lifecycle(text: &mut String) {
    let of = |launches: &str, role: &str| {
        let found =
            contexts().into_iter().find(|it| it.launches == launches && it.role == role && !it.on_eks);
        found.unwrap()
    };
    let best_fit = of("EC2", "service-linked by default").spec();
    let mut progressive = best_fit.clone();
    set(&mut progressive, "computeResources.allocationStrategy", json!("BEST_FIT_PROGRESSIVE"));
    let mut old = progressive.clone();
    set(&mut old, "computeResources.ec2Configuration", json!([{"imageType": "ECS_AL2"}]));
    let cases = [
        ("maxvCpus", &progressive, "computeResources.maxvCpus", json!(128)),
        ("imageId, in place allowed", &progressive, "computeResources.imageId", json!("ami-22222222")),
        ("imageId, in place not allowed", &best_fit, "computeResources.imageId", json!("ami-22222222")),
        ("type to FARGATE", &progressive, "computeResources.type", json!("FARGATE")),
        ("imageId, on Amazon Linux 2", &old, "computeResources.imageId", json!("ami-22222222")),
        (
            "serviceRole, on Amazon Linux 2",
            &old,
            "serviceRole",
            json!("arn:aws:iam::111122223333:role/batch"),
        ),
    ];
    let _ = writeln!(text, "\nmetadata.lifecycle.strategy");
    for (name, live, field, value) in cases {
        let mut want = live.clone();
        set(&mut want, field, value);
        for (strategy, said) in
            [(Strategy::Auto, "auto"), (Strategy::InPlace, "inPlace"), (Strategy::BlueGreen, "blueGreen")]
        {
            let Verdict { word, reason } = verdict(live, &want, strategy);
            let _ = writeln!(text, "  {name}, {said}: {word}  # {reason}");
        }
    }
}
