//! Text, JSON and YAML from files of the manifests' folder: `${file.a/b.sh}`, `${json.a/b.json}`, `${yaml.a/b.yaml}`.
//!
//! Manifests may come from strangers, and what they hold is shown: nothing outside the folder is read, nothing hidden, and no link.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::error::Complaint;
use super::parse::parse;
use super::source::{self, Sources, Span};
use super::tree::{Data, Node};

/// The files that manifests name, by the names in their `${…}`.
#[derive(Debug, Default)]
pub struct Files {
    by_name: BTreeMap<String, Node>,
    /// How many bytes they hold.
    bytes: usize,
}

/// None at all.
pub const NONE: &Files = &Files { by_name: BTreeMap::new(), bytes: 0 };

/// So many bytes the files that manifests name may hold together.
const MOST: usize = 16 * 1024 * 1024;

/// How names of files begin, and what each is taken for.
pub const STARTS: [&str; 3] = ["file.", "json.", "yaml."];

#[allow(clippy::expect_used, reason = "a constant pattern; a test compiles it")]
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\$\{((?:file|json|yaml)\.[^{}\s]*)\}").expect("the pattern of files' names")
});

impl Files {
    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.by_name.get(name)
    }

    /// Reads the files that another file names, and complains where it names them.
    pub fn read(&mut self, root: &Path, file: usize, sources: &mut Sources) -> Vec<Complaint> {
        let text = sources.get(file).map(|source| source.text.clone()).unwrap_or_default();
        let mut complaints = Vec::new();
        let (mut counted, mut lines) = (0, 1);
        for found in NAMES.captures_iter(&text) {
            let (Some(whole), Some(name)) = (found.get(0), found.get(1)) else { continue };
            let before = text.get(..whole.start()).unwrap_or_default();
            if before.ends_with('$') || self.by_name.contains_key(name.as_str()) {
                continue;
            }
            lines += before.get(counted..).unwrap_or_default().matches('\n').count();
            counted = whole.start();
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let line = lines;
            let span = Span { file, line, column, width: whole.as_str().chars().count() };
            if self.bytes > MOST {
                let message = format!("the files that are named hold more than {} MiB", MOST / 1024 / 1024);
                complaints.push(Complaint::new(span, message).help("name fewer, or smaller ones"));
                self.by_name.insert(name.as_str().to_owned(), Node::new(Data::Broken(String::new()), span));
                return complaints;
            }
            let node = one(root, name.as_str(), sources);
            self.bytes += node.as_ref().map_or(0, |node| node.size().bytes);
            let node = node.unwrap_or_else(|wrong| {
                complaints.extend(wrong.into_iter().map(|it| match it.span == Span::default() {
                    true => Complaint { span, ..it },
                    false => it.related(span, "named here"),
                }));
                Node::new(Data::Broken(String::new()), span)
            });
            self.by_name.insert(name.as_str().to_owned(), node);
        }
        complaints
    }
}

/// One file. What is wrong with its name has no place yet.
fn one(root: &Path, name: &str, sources: &mut Sources) -> Result<Node, Vec<Complaint>> {
    let (form, path) = name.split_once('.').unwrap_or((name, ""));
    let wrong = |message: &str, help: &str| {
        vec![Complaint::new(Span::default(), format!("`{path}` {message}")).help(help)]
    };
    let parts: Vec<&str> = path.split('/').collect();
    if path.starts_with('/') || parts.contains(&"..") {
        return Err(wrong(
            "leads out of the manifests' folder",
            "put the file there, and name it as seen from that folder",
        ));
    }
    if parts.iter().any(|part| part.starts_with('.') || part.is_empty()) {
        return Err(wrong(
            "is hidden, or no path",
            "name a plain file as seen from the manifests' folder, such as `files/run.sh`",
        ));
    }
    let mut inside = root.to_path_buf();
    for part in &parts {
        inside.push(part);
        if source::is_link(&inside) {
            return Err(wrong("is a link, or lies behind one", "put the file itself there"));
        }
    }
    if !inside.exists() {
        return Err(wrong(
            "is no file of the manifests' folder",
            "name it as seen from that folder, such as `files/run.sh`",
        ));
    }
    let file = sources.read(&inside).map_err(|it| {
        vec![Complaint { span: Span::default(), message: format!("`{path}`: {}", it.message).into(), ..it }]
    })?;
    let span = Span { file, line: 1, column: 1, width: Span::OVER_LINES };
    if form == "file" {
        let text = sources.get(file).map(|source| source.text.clone()).unwrap_or_default();
        return Ok(Node { last_line: text.lines().count(), ..Node::new(Data::Text(text), span) });
    }
    let text = sources.get(file).map(|source| source.text.clone()).unwrap_or_default();
    if form == "json"
        && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&text)
    {
        // Nobody knows what in it is a secret.
        sources.could_not_read(file, 1);
        let at = Span { line: error.line().max(1), column: error.column().max(1), width: 1, ..span };
        return Err(vec![Complaint::new(at, format!("this is no JSON: {error}"))]);
    }
    let mut parsed = parse(file, sources);
    if !parsed.complaints.is_empty() {
        return Err(parsed.complaints);
    }
    match parsed.documents.len() {
        1 => Ok(parsed.documents.remove(0)),
        many => Err(wrong(&format!("holds {many} documents"), "it has to be one")),
    }
}
