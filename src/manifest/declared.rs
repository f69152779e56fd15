//! `variables.yaml` of a stack: which variables it takes, of which type, and what they are for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::check::Checker;
use super::environment::Loaded;
use super::error::Complaint;
use super::parse::parse;
use super::source::{Sources, Span};
use super::tree::{Data, Node, Step};

/// The file in a stack's folder that declares its variables.
pub const FILE: &str = "variables.yaml";

/// A variable that a stack takes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Of which type its value is; absent: any.
    #[serde(default, rename = "type")]
    pub of: Option<Type>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The values that it may have.
    #[serde(default)]
    pub allowed: Option<Vec<Value>>,
    /// Whether an environment has to say it.
    #[serde(default)]
    pub required: bool,
    /// What it is where no environment says it; absent: nothing, and what is nothing leaves a field out.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that places are kept")]
    pub default: Option<Value>,
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Type {
    /// A text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

impl Type {
    fn is_of(self, node: &Node) -> bool {
        match node.data {
            Data::Text(_) => self == Self::Text,
            Data::Number(..) => self == Self::Number,
            Data::Bool(..) => self == Self::Boolean,
            Data::List(_) => self == Self::List,
            Data::Map(_) => self == Self::Mapping,
            Data::Null | Data::Broken(_) => true,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Text => "expected a text",
            Self::Number => "expected a number",
            Self::Boolean => "expected `true` or `false`",
            Self::List => "expected a list",
            Self::Mapping => "expected a mapping",
        }
    }
}

/// The variables that a stack declares, each with where that is.
#[derive(Debug, Default)]
pub struct Declarations(BTreeMap<String, (Declaration, Span, Option<Node>)>);

/// The schema of the file.
pub fn checker() -> &'static Checker {
    static CHECKER: LazyLock<Checker> = LazyLock::new(Checker::of::<BTreeMap<String, Declaration>>);
    &CHECKER
}

/// What a file declares; nothing, if it is a manifest that happens to be called so.
pub fn read(file: usize, sources: &mut Sources, complaints: &mut Vec<Complaint>) -> Option<Declarations> {
    let parsed = parse(file, sources);
    let tree = parsed.documents.first()?;
    if tree.get("apiVersion").is_some() {
        return None;
    }
    let mut wrong = checker().check(tree, tree.span);
    if let Some(second) = parsed.documents.get(1) {
        let message = format!("{FILE} declares variables and nothing else, and this is a second document");
        wrong.push(
            Complaint::new(second.span, message).help("write manifests into another file of the stack"),
        );
    }
    let is_wrong = !wrong.is_empty() || !parsed.complaints.is_empty();
    complaints.extend(wrong);
    complaints.extend(parsed.complaints.iter().cloned());
    if is_wrong {
        return Some(Declarations::default());
    }
    let known: BTreeMap<String, Declaration> = tree.decode().unwrap_or_default();
    let mut found = BTreeMap::new();
    for (name, declaration) in known {
        let (node, span) = tree.follow(&[Step::Key(name.clone())]);
        let default = node.get("default").cloned();
        if let Some(default) = &default {
            complaints.extend(declaration.misfit(&name, default, span));
            complaints.extend(unplain(&name, default));
        }
        found.insert(name, (declaration, span, default));
    }
    Some(Declarations(found))
}

/// A default is read before anything that it could name.
fn unplain(name: &str, default: &Node) -> Option<Complaint> {
    let says = |text: Option<&str>| text.is_some_and(|text| text.contains("${"));
    if says(default.text()) || default.entries().iter().any(|entry| says(Some(&entry.key))) {
        let message = format!("the default of the variable `{name}` can't use `${{…}}`");
        return Some(Complaint::new(default.span, message).help("say the value in environment.yaml"));
    }
    let inside = default.items().iter().chain(default.entries().iter().map(|entry| &entry.value));
    inside.into_iter().find_map(|inner| unplain(name, inner))
}

impl Declaration {
    /// What is wrong with a value.
    fn misfit(&self, name: &str, value: &Node, declared: Span) -> Option<Complaint> {
        let wrong = || Complaint::new(value.span, format!("the variable `{name}` is {}", value.described()));
        let told = |complaint: Complaint| match declared.file == value.span.file {
            true => complaint,
            false => complaint.related(declared, "declared here"),
        };
        if let Some(of) = self.of.filter(|of| !of.is_of(value)) {
            return Some(told(wrong().label(of.expected())));
        }
        let allowed =
            self.allowed.as_ref().filter(|_| !matches!(value.data, Data::Null | Data::Broken(_)))?;
        if allowed.contains(&value.to_json()) {
            return None;
        }
        let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let all: Vec<String> = allowed.iter().map(said).collect();
        Some(told(wrong().label(format!("expected one of: {}", all.join(", ")))))
    }
}

impl Declarations {
    /// Whether there is a variable of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Adds what is said for where no environment says it, and complains of what is missing or does not fit. `at`: where the
    /// environment names the stack.
    pub fn settle(
        &self,
        stack: &str,
        at: Span,
        variables: &mut BTreeMap<String, Node>,
        loaded: &Loaded,
    ) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (name, (declaration, span, default)) in &self.0 {
            let said = variables.get(name).filter(|it| !declaration.required || it.data != Data::Null);
            match said {
                Some(value) => complaints.extend(declaration.misfit(name, value, *span)),
                None if loaded.unsure.variables => {}
                None if declaration.required => {
                    let message = format!("the stack `{stack}` needs the variable `{name}`");
                    let complaint = Complaint::new(at, message).related(*span, "declared here");
                    let what = declaration.description.as_ref().map(|text| format!("it is: {text}"));
                    complaints.push(complaint.help_if(what).help(format!(
                        "say it under `variables` in environment.yaml, or with the stack: {{use: {stack}, name: …, with: {{{name}: …}}}}"
                    )));
                    variables.insert(name.clone(), Node::new(Data::Broken(String::new()), at));
                }
                None => {
                    let nothing = || Node::new(Data::Null, *span);
                    variables.insert(name.clone(), default.clone().unwrap_or_else(nothing));
                }
            }
        }
        complaints
    }
}
