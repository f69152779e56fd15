//! Variables that use each other, in whichever order they are written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::error::Complaint;
use super::fields::Fields;
use super::meaning::{Scope, leading};
use super::pieces::{Piece, pieces};
use super::source::Sources;
use super::tree::{Data, Entry, Node};
use super::variables::substitute;

/// What the command line gives an environment.
#[derive(Debug, Default)]
pub struct Given {
    /// Values of its variables.
    pub variables: BTreeMap<String, Node>,
    /// What is asked for in the place of its outputs.
    pub output: Option<Node>,
}

/// Puts values in the place of those that an environment's file gives its variables. What it does not have is not added.
pub fn put(file: &mut Node, given: &Given) {
    let Data::Map(fields) = &mut file.data else { return };
    if let Some(output) = &given.output {
        let entry = |key: &str, value: Node| Entry { key: key.to_owned(), at: output.span, value };
        let asked = Data::Map(Fields::from(vec![entry("asked", output.clone())]));
        fields.entries_mut().retain(|entry| entry.key != "outputs");
        fields.entries_mut().push(entry("outputs", Node::new(asked, output.span)));
    }
    let given = &given.variables;
    let variables = fields.entries_mut().iter_mut().find(|entry| entry.key == "variables");
    let Some(Data::Map(variables)) = variables.map(|entry| &mut entry.value.data) else { return };
    for entry in variables.entries_mut() {
        if let Some(value) = given.get(&entry.key) {
            entry.value = value.clone();
        }
    }
}

/// The variables with all that they use replaced. Those that wait for each other are complained about, and
/// become [`Data::Broken`].
pub fn resolved(
    written: &Node,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Node {
    let Data::Map(entries) = &written.data else { return substitute(written, scope, sources, complaints) };
    let by_name: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.key.as_str(), entry)).collect();
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, entry) in &by_name {
        let mut found = BTreeSet::new();
        used(&entry.value, &by_name, &mut found);
        uses.insert(name, found);
    }
    let mut values: BTreeMap<String, Node> = BTreeMap::new();
    for name in order(entries, &uses) {
        let Some(entry) = by_name.get(name) else { continue };
        let value = substitute(&entry.value, &Scope { variables: &values, ..*scope }, sources, complaints);
        values.insert(name.to_owned(), value);
    }
    let stuck: BTreeSet<&str> = by_name.keys().copied().filter(|name| !values.contains_key(*name)).collect();
    complaints.extend(cycles(&stuck, &uses, &by_name));
    let value = |entry: &Entry| {
        let value = values.remove(&entry.key);
        let value = value.unwrap_or_else(|| entry.value.with(Data::Broken(String::new())));
        Entry { value, ..entry.clone() }
    };
    let entries: Vec<Entry> = entries.iter().map(value).collect();
    written.with(Data::Map(Fields::from(entries)))
}

/// The names of the variables that a value uses, those among them that a name holds.
fn used<'e>(node: &Node, known: &BTreeMap<&'e str, &'e Entry>, found: &mut BTreeSet<&'e str>) {
    let mut texts: Vec<&str> =
        node.text().into_iter().chain(node.entries().iter().map(|it| it.key.as_str())).collect();
    while let Some(text) = texts.pop() {
        if !text.contains("${") {
            continue;
        }
        for piece in pieces(text) {
            let Piece::Name { name, .. } = piece else { continue };
            texts.push(name);
            // What follows a name that is made of others is not known yet.
            let path = name.strip_prefix("var.").map(|path| path.split("${").next().unwrap_or_default());
            let path = path.map(|path| path.strip_suffix('.').unwrap_or(path));
            let first = path.and_then(|path| leading(path, &|name| known.contains_key(name)));
            found.extend(first.and_then(|(first, _)| known.get_key_value(first)).map(|(name, _)| *name));
        }
    }
    node.items().iter().for_each(|item| used(item, known, found));
    node.entries().iter().for_each(|entry| used(&entry.value, known, found));
}

/// The variables, each after those that it uses. Those of a cycle, and what uses them, are left out.
fn order<'e>(entries: &'e [Entry], uses: &BTreeMap<&'e str, BTreeSet<&'e str>>) -> Vec<&'e str> {
    let mut waits: BTreeMap<&str, usize> = uses.iter().map(|(name, of)| (*name, of.len())).collect();
    let mut users: BTreeMap<&str, Vec<&'e str>> = BTreeMap::new();
    for (name, of) in uses {
        of.iter().for_each(|used| users.entry(used).or_default().push(name));
    }
    let free = |entry: &'e Entry| Some(entry.key.as_str()).filter(|name| waits.get(name) == Some(&0));
    let mut open: VecDeque<&str> = entries.iter().filter_map(free).collect();
    let mut order = Vec::new();
    while let Some(name) = open.pop_front() {
        order.push(name);
        for user in users.get(name).into_iter().flatten() {
            let left = waits.entry(user).or_default();
            *left = left.saturating_sub(1);
            if *left == 0 {
                open.push_back(user);
            }
        }
    }
    order
}

/// A complaint for each cycle among variables of which each uses another that is none of the rest.
fn cycles(
    stuck: &BTreeSet<&str>,
    uses: &BTreeMap<&str, BTreeSet<&str>>,
    entries: &BTreeMap<&str, &Entry>,
) -> Vec<Complaint> {
    let next =
        |name: &str| uses.get(name).and_then(|of| of.iter().find(|used| stuck.contains(*used)).copied());
    let (mut seen, mut complaints) = (BTreeSet::new(), Vec::new());
    for start in stuck {
        let mut way: Vec<&str> = Vec::new();
        let mut at = Some(*start);
        while let Some(name) = at.filter(|name| seen.insert(*name)) {
            way.push(name);
            at = next(name);
        }
        let begins = at.and_then(|name| way.iter().position(|it| *it == name));
        let Some(cycle) = begins.and_then(|begins| way.get(begins..)) else { continue };
        let named: Vec<&str> = cycle.iter().chain(cycle.first()).copied().collect();
        let message = match cycle {
            [one] => format!("the variable `{one}` uses itself"),
            _ => format!("these variables use each other: {}", named.join(" → ")),
        };
        let span = |name: &&str| entries.get(*name).map(|entry| entry.value.span).unwrap_or_default();
        let mut complaint = Complaint::new(cycle.first().map(span).unwrap_or_default(), message);
        for other in cycle.iter().skip(1) {
            complaint = complaint.related(span(other), format!("the value of `{other}`"));
        }
        complaints.push(complaint.help("write one of them out"));
    }
    complaints
}
