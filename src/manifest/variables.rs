//! `${var.x}`, `${env.x}`, and what else may stand in `${…}` (D4). References to resources and images stay.

use std::collections::BTreeMap;

use super::error::Complaint;
use super::foreign;
use super::nearest::{self, nearest};
use super::partial::Unsure;
use super::room::{Room, Size};
use super::source::{Sources, Span};
use super::tree::{Data, Entry, Node, shortened};
use crate::kinds;
use crate::resource::Place;
use crate::value::reference;

/// What names in `${…}` stand for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// Where it lives.
    pub place: &'a Place,
    /// Its project; empty, where that can't be read.
    pub project: &'a str,
    /// Who owns what is made: the project and the environment's name.
    pub owner: &'a str,
    /// Its variables.
    pub variables: &'a BTreeMap<String, Node>,
    /// The names of its images.
    pub images: &'a [String],
    /// What could not be read of the environment: that it lacks something is then not said again.
    pub unsure: Unsure,
    /// Whether this is about the variables themselves: none of them can use another.
    pub own: bool,
    /// What is left of what the manifests may come to.
    pub room: &'a Room,
}

const NONE: &BTreeMap<String, Node> = &BTreeMap::new();

impl<'a> Scope<'a> {
    /// The names that stand for something in `environment.yaml` itself.
    pub fn environment(name: &'a str, place: &'a Place, room: &'a Room) -> Self {
        let unsure = Unsure {
            place: place.account.is_empty() || place.region.is_empty(),
            project: true,
            ..Unsure::default()
        };
        Self {
            environment: name,
            place,
            project: "",
            owner: "",
            variables: NONE,
            images: &[],
            unsure,
            own: false,
            room,
        }
    }

    /// The same, with this project.
    pub fn of_project(self, project: &'a str, owner: &'a str) -> Self {
        Self { project, owner, unsure: Unsure { project: false, ..self.unsure }, ..self }
    }

    fn env(&self, name: &str) -> Option<&'a str> {
        Some(match name {
            "name" => self.environment,
            "project" => self.project,
            "owner" => self.owner,
            "account" => &self.place.account,
            "region" => &self.place.region,
            "partition" => &self.place.partition,
            "dnsSuffix" => self.place.dns_suffix(),
            _ => return None,
        })
    }
}

const ENV: [&str; 7] = ["name", "project", "owner", "account", "region", "partition", "dnsSuffix"];

/// Replaces variables everywhere in a value, keys included. What can't be replaced is complained about once, and
/// becomes [`Data::Broken`].
pub fn substitute(
    node: &Node,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Node {
    let own = Size { values: 1, bytes: node.written().map_or(0, str::len) };
    if !scope.room.take(own) {
        return cut_short(node, scope, complaints);
    }
    if let Some((whole, message, help)) = node.text().and_then(foreign::unresolved) {
        let message = if node.masked { message.replace(whole, &foreign::beginning(whole)) } else { message };
        complaints.push(Complaint::new(sources.find(node.span, whole, 0), message).help(help));
        return node.with(Data::Broken(node.text().unwrap_or_default().to_owned()));
    }
    let data = match &node.data {
        Data::Text(text) if text.contains("${") => return in_text(node, text, scope, sources, complaints),
        Data::List(items) => {
            Data::List(items.iter().map(|item| substitute(item, scope, sources, complaints)).collect())
        }
        Data::Map(entries) => {
            let keys = entries.iter().map(|entry| entry.key.len()).sum();
            if !scope.room.take(Size { values: 0, bytes: keys }) {
                return cut_short(node, scope, complaints);
            }
            in_mapping(entries, scope, sources, complaints)
        }
        other => other.clone(),
    };
    node.with(data)
}

/// Of one text, so many mistakes are told.
const MOST_WRONG: usize = 20;

/// In the place of what there is no room for.
fn cut_short(node: &Node, scope: &Scope<'_>, complaints: &mut Vec<Complaint>) -> Node {
    let complaint = scope.room.ended(node.span, "once the variables are replaced");
    complaints.extend(complaint.map(|it| it.help("use long variables less often, or split the environment")));
    Node { data: Data::Broken(String::new()), ..node.clone_bare() }
}

/// A mapping with a key that can't be told is not known as a whole: a field may be missing, or another be meant.
fn in_mapping(
    entries: &[Entry],
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Data {
    let (mut known, mut broken) = (Vec::<Entry>::new(), None);
    for entry in entries {
        match in_key(entry, scope, sources, complaints) {
            Some(key) => {
                let value = substitute(&entry.value, scope, sources, complaints);
                known.push(Entry { key, at: entry.at, value });
            }
            None => broken = Some(entry.key.clone()),
        }
    }
    if entries.iter().any(|entry| entry.key.contains("${")) {
        complaints.extend(twice(&known));
    }
    broken.map_or_else(|| Data::Map(known.into()), Data::Broken)
}

/// Complains of keys that are the same once their variables are replaced.
fn twice(entries: &[Entry]) -> Vec<Complaint> {
    let mut by_key: Vec<&Entry> = entries.iter().collect();
    by_key.sort_by(|a, b| a.key.cmp(&b.key));
    let mut complaints = Vec::new();
    for (first, again) in by_key.iter().zip(by_key.iter().skip(1)).filter(|(a, b)| a.key == b.key) {
        let key = shortened(&again.key);
        let message = format!("the key `{key}` is there twice once its variables are replaced");
        let complaint = Complaint::new(again.at, message).related(first.at, "first here");
        complaints.push(complaint.help("keep one of the two: nothing says which would count"));
    }
    complaints
}

fn in_key(
    entry: &Entry,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Option<String> {
    if !entry.key.contains("${") {
        return Some(entry.key.clone());
    }
    let key = Node::new(Data::Text(entry.key.clone()), entry.at);
    match in_text(&key, &entry.key, scope, sources, complaints).data {
        Data::Text(text) | Data::Number(_, text) | Data::Bool(_, text) => Some(text),
        Data::Broken(_) => None,
        _ => {
            complaints.push(Complaint::new(entry.at, "a key must be a text").label("this variable is none"));
            None
        }
    }
}

fn in_text(
    node: &Node,
    text: &str,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Node {
    let mut out = String::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut broken, mut references) = (false, 0);
    let before = complaints.len();
    for piece in pieces(text) {
        // To find the place of each takes the longer the more there are.
        if complaints.len() - before > MOST_WRONG {
            break;
        }
        let (whole, name) = match piece {
            Piece::Literal(literal) => {
                out.push_str(literal);
                continue;
            }
            Piece::Escaped => {
                out.push_str("${");
                continue;
            }
            Piece::Unclosed(from) => {
                let span = sources.find(node.span, from.get(..2).unwrap_or(from), 0);
                complaints.push(
                    Complaint::new(span, "`${` without a closing `}`").help("write `$${` for a literal `${`"),
                );
                broken = true;
                continue;
            }
            Piece::Name { whole, name } => (whole, name),
        };
        let nth = seen.entry(whole).or_default();
        let span = || sources.find(node.span, whole, *nth);
        match meaning(name, scope) {
            Ok(Meaning::Kept) => {
                references += usize::from(reference::whole(whole).is_some());
                out.push_str(whole);
            }
            Ok(Meaning::Text(value)) => out.push_str(value),
            Ok(Meaning::Untold) => broken = true,
            Ok(Meaning::Variable(variable))
                if !scope.room.is_full() && !scope.room.bring(variable.size()) =>
            {
                let cut = cut_short(node, scope, complaints);
                return Node { via: Some(variable.origin(true)), ..cut };
            }
            Ok(Meaning::Variable(_)) if scope.room.is_full() => return cut_short(node, scope, complaints),
            Ok(Meaning::Variable(variable)) if whole == text => {
                return Node { via: Some(variable.origin(true)), ..node.with(variable.data.clone()) };
            }
            Ok(Meaning::Variable(variable)) => match in_words(&variable.data) {
                Some(value) => out.push_str(&value),
                None => {
                    let message =
                        format!("`{whole}` is {} and can't be part of a longer text", variable.described());
                    let complaint = Complaint::new(span(), message).related(variable.span, "its value");
                    complaints.push(complaint.help("a list or mapping takes the place of the whole value"));
                    broken = true;
                }
            },
            Err(_) if node.masked && !names_something(name) => {
                let (message, help) = match foreign::refused_masked(name) {
                    Some((message, help)) => (message, Some(help)),
                    None => ("what stands in `${…}` here stands for nothing".to_owned(), None),
                };
                let complaint = Complaint::new(span(), message).help_if(help);
                complaints.push(complaint.help("write `$${` for a literal `${`"));
                broken = true;
            }
            Err((message, help)) => {
                complaints.push(Complaint { help, ..Complaint::new(span(), message) });
                broken = true;
            }
        }
        *nth += 1;
    }
    if !broken && let Some(complaint) = disguised(&out, references, node.span) {
        complaints.push(complaint);
        broken = true;
    }
    node.with(if broken { Data::Broken(text.to_owned()) } else { Data::Text(out) })
}

/// Whether a name has the form of what may be named: else it may be part of a password.
pub fn names_something(name: &str) -> bool {
    let is_plain = name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '/' | '-'));
    let of_ours = ["var.", "env.", "image."].iter().any(|start| name.starts_with(start));
    is_plain && (of_ours || name.rsplit_once('/').is_some_and(|(kind, _)| kinds::kind(kind).is_some()))
}

/// A text that has the form of a reference once it is put together, escaped or made of variables, would later be taken for one.
fn disguised(out: &str, written: usize, span: Span) -> Option<Complaint> {
    if reference::references(out).len() <= written {
        return None;
    }
    let message = "only what is written as a reference can be one: an escaped text, or one made of variables, can't have its form";
    Some(Complaint::new(span, message))
}

enum Piece<'a> {
    Literal(&'a str),
    /// `$${`.
    Escaped,
    /// `${name}`.
    Name {
        whole: &'a str,
        name: &'a str,
    },
    Unclosed(&'a str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            pieces.extend([Piece::Literal(before), Piece::Escaped]);
            rest = from.get(2..).unwrap_or_default();
            continue;
        }
        pieces.push(Piece::Literal(before));
        let Some(end) = from.find('}') else {
            pieces.push(Piece::Unclosed(from));
            return pieces;
        };
        let whole = from.get(..=end).unwrap_or_default();
        pieces.push(Piece::Name { whole, name: from.get(2..end).unwrap_or_default() });
        rest = from.get(end + 1..).unwrap_or_default();
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

enum Meaning<'a> {
    /// It stays as it is written.
    Kept,
    Text(&'a str),
    Variable(&'a Node),
    /// Something that could not be read, and has been complained about.
    Untold,
}

type Unknown = (String, Vec<String>);

fn meaning<'a>(name: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let escape = "write `$${` for a literal `${`".to_owned();
    if let Some((message, help)) = foreign::refused(name) {
        return Err((message, vec![help, escape]));
    }
    // IAM's own policy variables have a colon, or stand for the character that they name.
    if name.contains(':') || matches!(name, "*" | "?" | "$") {
        return Ok(Meaning::Kept);
    }
    if let Some(variable) = name.strip_prefix("var.") {
        let value = match scope.variables.get(variable) {
            Some(node) if matches!(node.data, Data::Broken(_)) => Some(Meaning::Untold),
            None if scope.unsure.variables => Some(Meaning::Untold),
            node => node.map(Meaning::Variable),
        };
        return value.ok_or_else(|| {
            if scope.own {
                let help = "write its value here as well, or put the two together where they are used";
                return ("a variable can't use another".to_owned(), vec![help.to_owned()]);
            }
            let known = scope.variables.keys().map(String::as_str);
            let help = match nearest(variable, known.clone()) {
                Some(near) => format!("did you mean `${{var.{near}}}`?"),
                None if scope.variables.is_empty() => "the environment has no variables".to_owned(),
                None => format!("the environment's variables are: {}", nearest::listed(known)),
            };
            (format!("unknown variable `{variable}`"), vec![help])
        });
    }
    if let Some(env) = name.strip_prefix("env.") {
        let untold = match env {
            "name" => false,
            "project" | "owner" => scope.unsure.project,
            _ => scope.unsure.place && ENV.contains(&env),
        };
        if untold {
            return Ok(Meaning::Untold);
        }
        return scope.env(env).map(Meaning::Text).ok_or_else(|| {
            let help = nearest(env, ENV).map(|near| format!("did you mean `${{env.{near}}}`?"));
            let all = format!("`env` has: {}", ENV.join(", "));
            (format!("unknown setting `env.{env}`"), vec![help.unwrap_or(all)])
        });
    }
    if let Some(image) = name.strip_prefix("image.") {
        if scope.images.iter().any(|known| known == image) {
            return Ok(Meaning::Kept);
        }
        if scope.unsure.images {
            return Ok(Meaning::Untold);
        }
        let known = scope.images.iter().map(String::as_str);
        let help = match nearest(image, known.clone()) {
            Some(near) => format!("did you mean `${{image.{near}}}`?"),
            None if scope.images.is_empty() => "add it under `images` in environment.yaml".to_owned(),
            None => {
                format!("add it under `images` in environment.yaml; there are: {}", nearest::listed(known))
            }
        };
        return Err((format!("unknown image `{image}`"), vec![help]));
    }
    if reference::whole(&format!("${{{name}}}")).is_some() {
        return Ok(Meaning::Kept);
    }
    if name.contains('/') {
        let help = if name.contains('.') {
            format!(
                "expected `${{<service>/<Kind>/<name>.<output>}}`, such as `{}`",
                kinds::SUCH_AS_REFERENCE
            )
        } else {
            without_output(name)
        };
        return Err((format!("`${{{name}}}` is not a reference"), vec![help, escape]));
    }
    let names =
        scope.variables.keys().map(|name| format!("var.{name}")).chain(ENV.map(|name| format!("env.{name}")));
    let names: Vec<String> = names.chain(scope.images.iter().map(|name| format!("image.{name}"))).collect();
    let bare = |known: &&String| known.split('.').nth(1) == Some(name);
    let near = names
        .iter()
        .find(bare)
        .map(String::as_str)
        .or_else(|| nearest(name, names.iter().map(String::as_str)));
    let near = near.map(|near| format!("did you mean `${{{near}}}`?"));
    Err((format!("`${{{name}}}` stands for nothing"), near.into_iter().chain([escape]).collect()))
}

/// What a reference lacks that names a resource and no output of it.
fn without_output(name: &str) -> String {
    let kind = name.rsplit_once('/').and_then(|(kind, _)| kinds::kind(kind));
    let outputs = kind.map(|kind| kind.facts().outputs.as_slice()).unwrap_or_default();
    let has = |output: &&str| outputs.iter().any(|it| it == output);
    // Where AWS assigns ids, fields take those.
    match ["id", "arn"].iter().find(|output| has(output)) {
        Some(output) => {
            let all = nearest::listed(outputs.iter().map(String::as_str));
            format!("name the output, such as `${{{name}.{output}}}`; there are: {all}")
        }
        None => format!(
            "expected `${{<service>/<Kind>/<name>.<output>}}`, such as `{}`",
            kinds::SUCH_AS_REFERENCE
        ),
    }
}

/// A scalar as part of a longer text.
fn in_words(data: &Data) -> Option<String> {
    match data {
        Data::Text(text) | Data::Number(_, text) | Data::Bool(_, text) => Some(text.clone()),
        Data::Null | Data::List(_) | Data::Map(_) | Data::Broken(_) => None,
    }
}
