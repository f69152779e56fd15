//! The stacks of an environment: which files each has, what its variables are, and under which name it is used.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::declared::{self, Declarations};
use super::environment::Loaded;
use super::error::Complaint;
use super::files;
use super::nearest::{did_you_mean, listed};
use super::own_variables::Given;
use super::resources;
use super::source::{self, Sources, Span};
use super::tree::{self, Node, Step};
use crate::outside::path as shown;
use crate::resource::ResourceId;

/// The folder of stacks beside the environments.
pub const FOLDER: &str = "stacks";

/// A stack that an environment has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Use {
    /// The folder under `stacks/`.
    Folder(String),
    /// Under a name of its own, with values of its own.
    Named(Named),
}

/// A stack that is used under a name of its own, maybe more than once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// The folder under `stacks/`.
    #[serde(rename = "use")]
    pub folder: String,
    /// What it is called here: its resources' names begin with it and a hyphen.
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,40}$"))]
    pub name: String,
    /// Values of its variables, over those of the environment.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that places are kept")]
    pub with: Map<String, Value>,
}

impl Use {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Folder(name) => name,
            Self::Named(named) => &named.name,
        }
    }

    fn folder(&self) -> &str {
        match self {
            Self::Folder(name) => name,
            Self::Named(named) => &named.folder,
        }
    }
}

/// A stack, with what is read of it.
pub struct Stack {
    /// What it is called.
    pub name: String,
    /// What the names of its resources begin with, where it has a name of its own.
    pub prefix: Option<String>,
    /// Its variables.
    pub variables: BTreeMap<String, Node>,
    /// The names of the variables that it declares.
    pub declares: Vec<String>,
    /// Its files, as they are counted.
    pub files: Vec<usize>,
    /// What it declares, as it says it: asked only where it has a name of its own.
    pub own: Vec<ResourceId>,
}

/// All stacks of an environment; and whether some of their files could not be read.
pub fn read(
    root: &Path,
    loaded: &Loaded,
    (sources, given): (&mut Sources, &Given),
    complaints: &mut Vec<Complaint>,
) -> (Vec<Stack>, bool) {
    let mut stacks = Vec::new();
    let mut cut = loaded.unsure.stacks;
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let there = files::folders(&root.join(FOLDER));
    let mut read: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for (index, used) in loaded.file.stacks.iter().enumerate() {
        let (node, span) = loaded.tree.follow(&[Step::Key("stacks".into()), Step::Item(index)]);
        if complaints.len() > resources::ENOUGH {
            cut = true;
            break;
        }
        if !seen.insert(used.name()) {
            let complaint = Complaint::new(span, format!("the stack `{}` is named twice", used.name()));
            let folder = used.folder();
            complaints.push(complaint.help(format!(
                "to use it once more, give it a name and values of its own: {{use: {folder}, name: …, with: {{…}}}}"
            )));
            continue;
        }
        let paths = match files_of(root, used.folder(), &there, span) {
            Ok(paths) => paths,
            Err(complaint) => {
                complaints.push(complaint);
                cut = true;
                continue;
            }
        };
        let (mut found, mut declarations) = (Vec::new(), Declarations::default());
        let folder = root.join(FOLDER).join(used.folder());
        for path in paths {
            let file = match read.get(&path) {
                Some(file) => Ok(*file),
                None => sources.read(&path),
            };
            match file {
                Ok(file) => {
                    let of_variables = path == folder.join(declared::FILE);
                    match of_variables.then(|| declared::read(file, sources, complaints)).flatten() {
                        Some(known) => declarations = known,
                        None => found.push(file),
                    }
                    read.insert(path, file);
                }
                Err(complaint) => {
                    complaints.push(complaint);
                    cut = true;
                }
            }
        }
        let with = node.get("with").map(Node::entries).unwrap_or_default();
        complaints.extend(unused(used, with, &declarations, (&found, loaded.tree.span.file, sources)));
        let mut variables = loaded.variables.clone();
        let declares: Vec<String> = declarations.names().map(str::to_owned).collect();
        // What the stack alone declares may be given as well.
        for name in declares.iter().filter(|name| !loaded.variables.contains_key(*name)) {
            variables.extend(given.variables.get(name).map(|value| (name.clone(), value.clone())));
        }
        variables.extend(with.iter().map(|entry| (entry.key.clone(), entry.value.clone())));
        complaints.extend(declarations.settle(used.folder(), span, &mut variables, loaded));
        let prefix = match used {
            Use::Folder(_) => None,
            Use::Named(named) => Some(format!("{}-", named.name)),
        };
        let name = used.name().to_owned();
        stacks.push(Stack { name, prefix, variables, declares, files: found, own: Vec::new() });
    }
    (stacks, cut)
}

/// Values that a stack is given and does not use.
fn unused(
    used: &Use,
    with: &[tree::Entry],
    declarations: &Declarations,
    (files, environment, sources): (&[usize], usize, &Sources),
) -> Vec<Complaint> {
    let texts = || {
        let texts = files.iter().copied().chain([environment]).filter_map(|file| sources.get(file));
        texts.map(|source| source.text.as_str())
    };
    // A file that it takes may use it, and is not read yet.
    if texts().any(|text| text.contains("${yaml.") || text.contains("${json.")) {
        return Vec::new();
    }
    let is_used = |name: &str| {
        let written = format!("var.{name}");
        texts().any(|text| text.contains(&written))
    };
    let strange = with.iter().filter(|entry| !declarations.has(&entry.key) && !is_used(&entry.key));
    let complaint = |entry: &tree::Entry| {
        let message =
            format!("the stack `{}` has no variable `{}`", used.folder(), tree::shortened(&entry.key));
        Complaint::new(entry.at, message).help_if(did_you_mean(&entry.key, declarations.names()))
    };
    strange.map(complaint).collect()
}

/// The manifests of a stack, in order of their paths.
fn files_of(root: &Path, stack: &str, there: &[String], span: Span) -> Result<Vec<PathBuf>, Complaint> {
    let stacks = root.join(FOLDER);
    if source::is_link(&stacks) {
        return Err(Complaint::new(span, format!("{}: {}", shown(&stacks), source::LINK))
            .help("put the folder itself there"));
    }
    if !there.iter().any(|name| name == stack) {
        let names = || there.iter().map(String::as_str);
        let complaint = Complaint::new(span, format!("there is no stack `{}`", tree::shortened(stack)));
        let help = match listed(names()) {
            none if none.is_empty() => format!("write its manifests under {}/{stack}/", shown(&stacks)),
            names => format!("stacks in {} are: {names}", shown(&stacks)),
        };
        return Err(complaint.help_if(did_you_mean(stack, names())).help(help));
    }
    let folder = stacks.join(stack);
    let mut files = Vec::new();
    if let Err(error) = files::walk(&folder, 0, &mut files) {
        return Err(Complaint::new(span, format!("the stack `{stack}` can't be read: {error}")));
    }
    if files.is_empty() {
        let message = format!("the stack `{stack}` holds no manifests");
        return Err(Complaint::new(span, message)
            .help(format!("write one into {}/, such as {stack}.yaml", shown(&folder))));
    }
    files.sort();
    Ok(files)
}
