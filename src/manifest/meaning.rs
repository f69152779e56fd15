//! What a name in `${…}` stands for (D4).

use std::collections::BTreeMap;

use super::each::{All, One, Renamed};
use super::filed::{self, Files};
use super::foreign;
use super::nearest::{self, nearest};
use super::partial::Unsure;
use super::room::Room;
use super::source::Span;
use super::tree::{Data, Node};
use crate::kinds;
use crate::resource::{Place, ResourceId};
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
    /// The names of what it looks up.
    pub existing: &'a [String],
    /// The files that are named.
    pub files: &'a Files,
    /// Which one of several a document is made for.
    pub each: Option<One<'a>>,
    /// Whether it is a stack's manifest that is read, and not the environment's file.
    pub in_stack: bool,
    /// All that is declared, where somebody names several together.
    pub declared: &'a [ResourceId],
    /// Which one of them is meant right now.
    pub one_of_all: Option<(&'a All, &'a str)>,
    /// How names of the stack are made, where it has a name of its own.
    pub renamed: Option<Renamed<'a>>,
    /// What could not be read of the environment: that it lacks something is then not said again.
    pub unsure: Unsure,
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
        let (images, existing): (&[String], &[String]) = (&[], &[]);
        Self {
            environment: name,
            place,
            project: "",
            owner: "",
            variables: NONE,
            images,
            existing,
            files: filed::NONE,
            each: None,
            in_stack: false,
            declared: &[],
            one_of_all: None,
            renamed: None,
            unsure,
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

/// What a name stands for.
pub enum Meaning<'a> {
    /// It stays as it is written.
    Kept,
    /// A text.
    Text(&'a str),
    /// A value.
    Value(&'a Node),
    /// What stands in a file.
    File(&'a Node),
    /// Something that could not be read, and has been complained about.
    Untold,
}

/// What is wrong with a name.
pub struct Unknown {
    /// What.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
    /// Another place that matters.
    pub related: Option<(Span, String)>,
}

impl From<(String, Vec<String>)> for Unknown {
    fn from((message, help): (String, Vec<String>)) -> Self {
        Self { message, help, related: None }
    }
}

/// What a name stands for. A value that is not known is told as such wherever it is used.
pub fn meaning<'a>(name: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let escape = "write `$${` for a literal `${`".to_owned();
    if let Some((message, help)) = foreign::refused(name) {
        return Err((message, vec![help, escape]).into());
    }
    // IAM's own policy variables have a colon, or stand for the character that they name.
    if name.contains(':') || matches!(name, "*" | "?" | "$") {
        return Ok(Meaning::Kept);
    }
    if let Some(variable) = name.strip_prefix("var.") {
        return of_variable(variable, scope);
    }
    if let Some(env) = name.strip_prefix("env.") {
        return of_env(env, scope);
    }
    if let Some(each) = name.strip_prefix("each.") {
        return of_each(each, scope);
    }
    if filed::STARTS.iter().any(|start| name.starts_with(start)) {
        return of_file(name, scope);
    }
    if let Some(image) = name.strip_prefix("image.") {
        return of_image(image, scope);
    }
    if let Some(existing) = name.strip_prefix("existing.") {
        return of_existing(existing, scope);
    }
    if let Some(zone) = name.strip_prefix("zones.") {
        let wrong = || {
            Unknown::from((
                format!("unknown zone `{zone}`"),
                vec![
                    "zones are counted from 0: `${zones.0}` is the first of the account's in the region"
                        .to_owned(),
                ],
            ))
        };
        return reference::whole(&format!("${{{name}}}")).map(|_| Meaning::Kept).ok_or_else(wrong);
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
        return Err((format!("`${{{name}}}` is not a reference"), vec![help, escape]).into());
    }
    Err((
        format!("`${{{name}}}` stands for nothing"),
        instead(name, scope).into_iter().chain([escape]).collect(),
    )
        .into())
}

fn of_variable<'a>(variable: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let known = scope.variables.keys().map(String::as_str);
    match leading(variable, &|name| scope.variables.contains_key(name)) {
        Some((first, rest)) => match scope.variables.get(first) {
            Some(value) => within(value, rest, &format!("var.{first}")),
            None => Ok(Meaning::Untold),
        },
        None if scope.unsure.variables => Ok(Meaning::Untold),
        None => {
            let compared = variable.trim_matches(|it: char| !it.is_ascii_alphanumeric());
            let compared = compared.split(['=', '!', ' ', '?']).next().unwrap_or_default();
            let help = match nearest(variable, known.clone()) {
                _ if compared != variable && scope.variables.contains_key(compared) => {
                    format!(
                        "nothing is computed in `${{…}}`: to compare, write `when: {{equals: [\"${{var.{compared}}}\", …]}}` or `when: {{not: …}}`"
                    )
                }
                Some(near) => format!("did you mean `${{var.{near}}}`?"),
                None if scope.variables.is_empty() => "the environment has no variables".to_owned(),
                None => format!("the environment's variables are: {}", nearest::listed(known)),
            };
            Err((format!("unknown variable `{variable}`"), vec![help]).into())
        }
    }
}

/// The longest name that there is with which a path of names begins, and what follows it.
pub fn leading<'p>(path: &'p str, is_known: &dyn Fn(&str) -> bool) -> Option<(&'p str, &'p str)> {
    if is_known(path) {
        return Some((path, ""));
    }
    let parts = path.rmatch_indices('.').map(|(at, _)| path.split_at(at));
    let (first, rest) = parts.into_iter().find(|(first, _)| is_known(first))?;
    Some((first, rest.trim_start_matches('.')))
}

/// What a path leads to inside a value: by the keys of mappings, and by the places of lists from 0 on.
pub fn within<'a>(value: &'a Node, path: &str, said: &str) -> Result<Meaning<'a>, Unknown> {
    if matches!(value.data, Data::Broken(_)) {
        return Ok(Meaning::Untold);
    }
    if path.is_empty() {
        return Ok(Meaning::Value(value));
    }
    let first = path.split('.').next().unwrap_or_default();
    let related = Some((value.span, "its value".to_owned()));
    match &value.data {
        Data::Map(entries) => {
            let keys = || entries.iter().map(|entry| entry.key.as_str());
            if let Some((key, rest)) = leading(path, &|key| value.get(key).is_some())
                && let Some(inner) = value.get(key)
            {
                return within(inner, rest, &format!("{said}.{key}"));
            }
            let help = match nearest(first, keys()) {
                Some(near) => format!("did you mean `${{{said}.{near}}}`?"),
                None if entries.is_empty() => "it is empty".to_owned(),
                None => format!("its keys are: {}", nearest::listed(keys())),
            };
            Err(Unknown { message: format!("`{said}` has no key `{first}`"), help: vec![help], related })
        }
        Data::List(items) => match first.parse::<usize>().ok().and_then(|at| items.get(at)) {
            Some(item) => {
                let rest = path.get(first.len()..).unwrap_or_default().trim_start_matches('.');
                within(item, rest, &format!("{said}.{first}"))
            }
            None => {
                let help = match items.len() {
                    0 => "the list is empty".to_owned(),
                    many => {
                        format!("its items are counted from 0: the last one is `${{{said}.{}}}`", many - 1)
                    }
                };
                Err(Unknown { message: format!("`{said}` has no item `{first}`"), help: vec![help], related })
            }
        },
        _ => {
            let help = vec![format!("write `${{{said}}}`, or make it a mapping with this key")];
            Err(Unknown {
                message: format!("`{said}` is no mapping and has no key `{first}`"),
                help,
                related,
            })
        }
    }
}

fn of_each<'a>(each: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let Some(one) = scope.each else {
        let message = format!("`${{each.{each}}}` stands for nothing here");
        let help = "say under `metadata.each` what there is one of each for: a mapping, or a list of names";
        return Err((message, vec![help.to_owned()]).into());
    };
    match each.split_once('.').unwrap_or((each, "")) {
        ("key", "") => Ok(Meaning::Text(one.key)),
        ("value", path) => within(one.value, path, "each.value"),
        _ => Err((format!("unknown name `each.{each}`"), vec!["`each` has: key, value".to_owned()]).into()),
    }
}

fn of_file<'a>(name: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    match scope.files.get(name) {
        Some(node) if matches!(node.data, Data::Broken(_)) => Ok(Meaning::Untold),
        Some(node) => Ok(Meaning::File(node)),
        None => {
            let help = "a file is named by a plain path, as seen from the manifests' folder, in manifests and in environment.yaml, and not in a file that is taken so";
            Err((format!("`${{{name}}}` can't be taken here"), vec![help.to_owned()]).into())
        }
    }
}

fn of_env<'a>(env: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let untold = match env {
        "name" => false,
        "project" | "owner" => scope.unsure.project,
        _ => scope.unsure.place && ENV.contains(&env),
    };
    if untold {
        return Ok(Meaning::Untold);
    }
    scope.env(env).map(Meaning::Text).ok_or_else(|| {
        let help = nearest(env, ENV).map(|near| format!("did you mean `${{env.{near}}}`?"));
        let all = format!("`env` has: {}", ENV.join(", "));
        (format!("unknown setting `env.{env}`"), vec![help.unwrap_or(all)]).into()
    })
}

fn of_image<'a>(image: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
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
        None => format!("add it under `images` in environment.yaml; there are: {}", nearest::listed(known)),
    };
    Err((format!("unknown image `{image}`"), vec![help]).into())
}

fn of_existing<'a>(existing: &str, scope: &Scope<'a>) -> Result<Meaning<'a>, Unknown> {
    let (lookup, output) = existing.split_once('.').unwrap_or((existing, ""));
    if !scope.existing.iter().any(|known| known == lookup) {
        let known = scope.existing.iter().map(String::as_str);
        let help = match nearest(lookup, known.clone()) {
            Some(near) if output.is_empty() => format!("did you mean `${{existing.{near}.id}}`?"),
            Some(near) => format!("did you mean `${{existing.{near}.{output}}}`?"),
            None if scope.existing.is_empty() => {
                "say under `existing` in environment.yaml how it is found".to_owned()
            }
            None => format!("`existing` in environment.yaml has: {}", nearest::listed(known)),
        };
        return Err((format!("nothing is looked up as `{lookup}`"), vec![help]).into());
    }
    if reference::whole(&format!("${{existing.{existing}}}")).is_some() {
        return Ok(Meaning::Kept);
    }
    let help = format!(
        "name what is meant of it, such as `${{existing.{lookup}.id}}`; of a parameter, `${{existing.{lookup}.value}}`"
    );
    Err((format!("`${{existing.{existing}}}` is not a reference"), vec![help]).into())
}

/// What is like a name that stands for nothing.
fn instead(name: &str, scope: &Scope<'_>) -> Option<String> {
    let names =
        scope.variables.keys().map(|name| format!("var.{name}")).chain(ENV.map(|name| format!("env.{name}")));
    let names: Vec<String> = names.chain(scope.images.iter().map(|name| format!("image.{name}"))).collect();
    let bare = |known: &&String| known.split('.').nth(1) == Some(name);
    let near = names
        .iter()
        .find(bare)
        .map(String::as_str)
        .or_else(|| nearest(name, names.iter().map(String::as_str)));
    near.map(|near| format!("did you mean `${{{near}}}`?"))
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
