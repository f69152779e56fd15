//! `${var.x}`, `${env.x}`, and what else may stand in `${…}` (D4). References to resources and images stay.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::each::{All, all_in};
use super::error::Complaint;
use super::filed;
use super::foreign;
use super::meaning::{Meaning, Scope, Unknown, meaning};
use super::pieces::{Piece, pieces};
use super::room::Size;
use super::source::{Sources, Span};
use super::tree::{Data, Entry, Node, shortened};
use crate::kinds;
use crate::value::reference;

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
        Data::Text(_) if let Some(all) = all_in(node).filter(|_| scope.one_of_all.is_none()) => {
            match one_each(node, &all, scope, sources, complaints) {
                Some(items) => Data::List(items),
                None => Data::Broken(String::new()),
            }
        }
        Data::Text(text) if text.contains("${") => return in_text(node, text, scope, sources, complaints),
        Data::List(items) => return in_list(node, items, scope, sources, complaints),
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

/// A list, in which an item that names all of several stands for one of each.
fn in_list(
    node: &Node,
    items: &[Node],
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Node {
    let mut found = Vec::new();
    for item in items {
        match all_in(item) {
            Some(all) => match one_each(item, &all, scope, sources, complaints) {
                Some(items) => found.extend(items),
                None => return node.with(Data::Broken(String::new())),
            },
            None => found.push(substitute(item, scope, sources, complaints)),
        }
    }
    node.with(Data::List(found))
}

/// A value once for each of those that it names together. Nothing, if there are none, which is complained about.
fn one_each(
    node: &Node,
    all: &All,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Option<Vec<Node>> {
    let names = all.names(scope.declared, scope.renamed.as_ref());
    if names.is_empty() {
        complaints.push(all.none(sources.find(node.span, &all.written, 0), scope.in_stack));
        return None;
    }
    let one = |name: &str| {
        let scope = Scope { one_of_all: Some((all, name)), ..*scope };
        substitute(node, &scope, sources, complaints)
    };
    Some(names.into_iter().map(one).collect())
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
        let Some(name) = spelled(name, node, scope, sources, complaints) else {
            broken = true;
            continue;
        };
        if let Some((all, one)) = scope.one_of_all.filter(|(all, _)| all.written == whole) {
            references += 1;
            out.push_str(&all.of(one));
            *nth += 1;
            continue;
        }
        match meaning(&name, scope) {
            Ok(Meaning::Kept) => {
                let kept = format!("${{{name}}}");
                let kept = scope.renamed.and_then(|it| it.reference(&kept, node.span.file)).unwrap_or(kept);
                references += usize::from(reference::whole(&kept).is_some());
                out.push_str(&kept);
            }
            Ok(Meaning::Text(value)) => out.push_str(value),
            Ok(Meaning::Untold) => broken = true,
            Ok(Meaning::File(file)) => {
                match of_file(file, &name, (span(), node.masked), scope, sources, complaints) {
                    Some(value) if whole == text => {
                        return Node { via: Some(value.origin(true)), ..node.with(value.data) };
                    }
                    Some(value) => match in_words(&value.data) {
                        Some(value) => out.push_str(&value),
                        None if value.is_broken() => broken = true,
                        None => {
                            let message = format!(
                                "`{whole}` is {} and can't be part of a longer text",
                                value.described()
                            );
                            let complaint = Complaint::new(span(), message);
                            complaints
                                .push(complaint.help("a list or mapping takes the place of the whole value"));
                            broken = true;
                        }
                    },
                    None => broken = true,
                }
            }
            Ok(Meaning::Value(variable)) if !scope.room.is_full() && !scope.room.bring(variable.size()) => {
                let cut = cut_short(node, scope, complaints);
                return Node { via: Some(variable.origin(true)), ..cut };
            }
            Ok(Meaning::Value(_)) if scope.room.is_full() => return cut_short(node, scope, complaints),
            Ok(Meaning::Value(variable)) if whole == text => {
                return Node { via: Some(variable.origin(true)), ..node.with(variable.data.clone()) };
            }
            Ok(Meaning::Value(variable)) => match in_words(&variable.data) {
                Some(value) => out.push_str(&value),
                None => {
                    let message =
                        format!("`{whole}` is {} and can't be part of a longer text", variable.described());
                    let related = (variable.span, "its value".to_owned());
                    let mut complaint = Complaint::new(span(), message);
                    // A line that is quoted would tell what is masked here.
                    complaint.related.extend(Some(related).filter(|_| !node.masked));
                    complaints.push(complaint.help("a list or mapping takes the place of the whole value"));
                    broken = true;
                }
            },
            Err(_) if node.masked && !names_something(&name) => {
                let (message, help) = match foreign::refused_masked(&name) {
                    Some((message, help)) => (message, Some(help)),
                    None => ("what stands in `${…}` here stands for nothing".to_owned(), None),
                };
                let complaint = Complaint::new(span(), message).help_if(help);
                complaints.push(complaint.help("write `$${` for a literal `${`"));
                broken = true;
            }
            Err(Unknown { message, help, related }) => {
                let complaint = Complaint { help, ..Complaint::new(span(), message) };
                let related = related.into_iter().filter(|_| !node.masked).collect();
                complaints.push(Complaint { related, ..complaint });
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

/// What a file stands for: a text as it is, and a value as if it were written where the file is named.
fn of_file(
    file: &Node,
    name: &str,
    (at, masked): (Span, bool),
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Option<Node> {
    if !name.starts_with("file.") {
        let scope = Scope { files: filed::NONE, ..*scope };
        if !masked {
            // What is broken in it is still there: whoever masks values has to find them.
            return Some(substitute(file, &scope, sources, complaints));
        }
        let mut wrong = Vec::new();
        let value = substitute(file, &scope, sources, &mut wrong);
        if wrong.is_empty() && !value.is_broken() {
            return Some(value);
        }
        // A line of the file that is quoted would tell what is masked here.
        let complaint = Complaint::new(at, "something in this file stands for nothing");
        complaints.push(complaint.help("write `$${` there for a literal `${`"));
        return None;
    }
    if !scope.room.bring(file.size()) {
        cut_short(file, scope, complaints);
        return None;
    }
    let found = file.text().map(reference::references).unwrap_or_default();
    let Some(found) = found.first() else { return Some(file.clone()) };
    let message = if masked {
        "the file holds what would be taken for a reference".to_owned()
    } else {
        format!("the file holds `{found}`, which would be taken for a reference")
    };
    let mut complaint = Complaint::new(at, message);
    if !masked {
        complaint = complaint.related(sources.find(file.span, &found.to_string(), 0), "here");
    }
    complaints.push(complaint.help("a text is taken as it is: take the value by `${json.…}` or `${yaml.…}`, or write it where it is needed"));
    None
}

/// A name with those that it holds replaced. Nothing, if they can't be.
fn spelled<'n>(
    name: &'n str,
    node: &Node,
    scope: &Scope<'_>,
    sources: &Sources,
    complaints: &mut Vec<Complaint>,
) -> Option<Cow<'n, str>> {
    // What holds none ends at the first brace.
    if !name.contains('}') {
        return Some(Cow::Borrowed(name));
    }
    in_words(&in_text(node, name, scope, sources, complaints).data).map(Cow::Owned)
}

/// Whether a name has the form of what may be named: else it may be part of a password.
pub fn names_something(name: &str) -> bool {
    let is_plain = name.chars().all(|it| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '/' | '-'));
    let of_ours = ["var.", "env.", "image.", "each.", "existing.", "zones."]
        .iter()
        .any(|start| name.starts_with(start));
    let of_ours = of_ours || filed::STARTS.iter().any(|start| name.starts_with(start));
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

/// A scalar as part of a longer text.
fn in_words(data: &Data) -> Option<String> {
    match data {
        Data::Text(text) | Data::Number(_, text) | Data::Bool(_, text) => Some(text.clone()),
        Data::Null | Data::List(_) | Data::Map(_) | Data::Broken(_) => None,
    }
}
