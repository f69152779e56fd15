//! `environment.yaml`: where an environment lives, which stacks it has, and how it differs from others.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::check::Checker;
use super::document;
use super::error::Complaint;
use super::existing::{self, Existing};
use super::filed::Files;
use super::masked;
use super::meaning::Scope;
use super::outputs::{self, Told};
use super::own_variables::{self, Given};
use super::parse::parse;
use super::partial::{self, Unsure};
use super::room::Room;
use super::source::{Sources, Span};
use super::stacks::Use;
use super::tree::{Data, Node, Step, path_steps};
use super::unknown::unknown_kind;
use super::variables::substitute;
use crate::resource::{Limits, Lookup, Output, Owner, Place, ResourceId};

/// The file that makes a folder an environment.
pub const FILE: &str = "environment.yaml";

/// An environment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// The project, such as `owner/repo`; with the environment's name it is the owner of what is made.
    #[schemars(regex(pattern = "^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$"), length(max = 200))]
    pub project: String,
    /// The AWS account, twelve digits in quotes: a run against another is refused before anything is read.
    #[schemars(regex(pattern = "^[0-9]{12}$"))]
    pub account: String,
    /// The region, such as `eu-west-1`. The partition follows from it.
    #[schemars(regex(pattern = "^[a-z]{2,4}(-[a-z]+)+-[0-9]+$"))]
    pub region: String,
    /// What physical names begin with. Two environments of one account need different ones.
    #[serde(default)]
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$|^$"))]
    pub name_prefix: String,
    /// The folders under `stacks/` that belong to the environment; or `{use, name, with}`, for one that is used under a name of its
    /// own, with values of its own.
    #[schemars(length(min = 1))]
    pub stacks: Vec<Use>,
    /// What `${var.<name>}` stands for: any YAML value.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that places are kept")]
    pub variables: Map<String, Value>,
    /// What is there and not ours, for `${existing.<name>.<output>}`: read, and never owned, changed or deleted.
    #[serde(default)]
    pub existing: BTreeMap<String, Existing>,
    /// What it tells whoever uses it, by `batchwright outputs` and after an apply: texts with references.
    #[serde(default)]
    #[allow(dead_code, reason = "read from the tree, so that places are kept")]
    pub outputs: BTreeMap<String, Told>,
    /// Tags of every resource.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What `${image.<name>}` stands for.
    #[serde(default)]
    pub images: BTreeMap<String, NamedImage>,
    /// Merge patches by `<service>/<Kind>/<name>`: `null` removes a field, a list is replaced whole.
    #[serde(default)]
    #[allow(dead_code, reason = "applied to trees, so that places are kept")]
    pub patches: BTreeMap<String, Patch>,
    /// Limits on what one apply may delete.
    #[serde(default)]
    pub limits: Limits,
    /// Resources whose deletion was reviewed, as `<service>/<Kind>/<name>`.
    #[serde(default)]
    pub allow_delete: Vec<String>,
}

/// A patch of a manifest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(dead_code, reason = "applied to trees, so that places are kept")]
pub struct Patch {
    /// Changes to our own settings.
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    /// Changes to AWS's fields.
    #[serde(default)]
    pub spec: Option<Map<String, Value>>,
}

/// An image that job definitions use (D6).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NamedImage {
    /// The repository that holds it: `ecr/Repository/<name>`.
    pub repository: String,
    /// The tag that is resolved to a digest.
    #[serde(default = "latest")]
    pub tag: String,
}

fn latest() -> String {
    "latest".to_owned()
}

/// An environment with the places of its parts.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub file: Environment,
    /// Where it says it.
    pub tree: Node,
    /// Where it lives.
    pub place: Place,
    /// Who owns what is made.
    pub owner: Owner,
    /// Its variables, what they use replaced.
    pub variables: BTreeMap<String, Node>,
    /// Resources whose deletion was reviewed.
    pub allow_delete: Vec<ResourceId>,
    /// What is there and not ours.
    pub existing: BTreeMap<String, Lookup>,
    /// What it tells whoever uses it.
    pub outputs: BTreeMap<String, Output>,
    /// The names of its images, and of what it looks up.
    pub names: (Vec<String>, Vec<String>),
    /// What of it could not be read.
    pub unsure: Unsure,
}

/// The schema check of the file, made once.
pub fn checker() -> &'static Checker {
    static CHECKER: LazyLock<Checker> = LazyLock::new(Checker::of::<Environment>);
    &CHECKER
}

/// Reads the environment's file, as far as it can be read, with the variables that the command line gives in the place of its own.
/// Nothing, if it does not tell which stacks there are.
pub fn load(
    sources: &mut Sources,
    (root, path): (&Path, &Path),
    name: &str,
    (room, given): (&Room, &Given),
    taken: &mut Files,
    complaints: &mut Vec<Complaint>,
) -> Option<Loaded> {
    let before = complaints.len();
    let mut tree = read(sources, path, complaints)?;
    own_variables::put(&mut tree, given);
    complaints.extend(taken.read(root, tree.span.file, sources));
    masked::mark_environment(&mut tree);
    let mut hidden = Vec::new();
    masked::hidden(&tree, &mut hidden);
    sources.hide(hidden);
    let place = place(&tree, name, taken, sources);
    let scope = Scope::environment(name, &place, room);
    let project = project(&tree, &scope, sources);
    let scope = project.as_ref().map_or(scope, |(project, owner)| scope.of_project(project, &owner.0));
    let checker = checker();
    let variables = partial::may_be_misspelt(&tree, checker).variables;
    let scope = Scope { unsure: Unsure { variables, ..scope.unsure }, ..scope };
    let named = |section: &str| -> Vec<String> {
        let entries = tree.get(section).map(Node::entries).unwrap_or_default();
        entries.iter().map(|entry| entry.key.clone()).collect()
    };
    let (images, existing_names) = (named("images"), named("existing"));
    let scope = Scope { images: &images, existing: &existing_names, files: taken, ..scope };
    let tree = replaced(&tree, &scope, sources, complaints);
    complaints.extend(checker.check(&tree, tree.span));
    let (tree, unsure) = match complaints.len() > before {
        true => partial::readable(tree, checker)?,
        false => (tree, Unsure::default()),
    };
    let file: Environment = match tree.decode() {
        Ok(file) => file,
        Err(error) => {
            complaints.push(super::check::undecodable(tree.span, &error));
            return None;
        }
    };
    if let Some(tags) = tree.get("tags") {
        complaints.extend(document::unreferring_in(tags, "tags", sources));
    }
    for entry in tree.get("tags").map(Node::entries).unwrap_or_default() {
        complaints.extend(document::tag(entry.at, &entry.key, entry.value.text()));
    }
    let at = |path: &[Step]| tree.follow(path).1;
    let mut allow_delete = Vec::new();
    for (index, text) in file.allow_delete.iter().enumerate() {
        let span = at(&[Step::Key("allowDelete".into()), Step::Item(index)]);
        match resource_id(text, span) {
            Ok(id) => allow_delete.push(id),
            Err(complaint) => complaints.push(complaint),
        }
    }
    let entries = tree.get("variables").map(Node::entries).unwrap_or_default();
    let variables = entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    let place = Place::new(&*file.account, &*file.region);
    let owner = Owner::new(&file.project, name);
    let reader = existing::Reader { root, place: &place, environment: name, sources };
    let (existing, wrong) = reader.read(&file.existing, &tree);
    complaints.extend(wrong.into_iter().filter(|_| !unsure.place && !unsure.project));
    let mut told = tree.get("outputs").cloned();
    told.iter_mut().for_each(|told| existing::in_lists(told, &existing));
    let (outputs, wrong) = outputs::read(told.as_ref(), sources);
    complaints.extend(wrong);
    Some(Loaded {
        file,
        tree,
        place,
        owner,
        variables,
        allow_delete,
        existing,
        outputs,
        names: (images, existing_names),
        unsure,
    })
}

/// The tree of an environment's file.
fn read(sources: &mut Sources, path: &Path, complaints: &mut Vec<Complaint>) -> Option<Node> {
    let file = match sources.read(path) {
        Ok(file) => file,
        Err(complaint) => {
            complaints.push(complaint);
            return None;
        }
    };
    let mut parsed = parse(file, sources);
    complaints.append(&mut parsed.complaints);
    if parsed.cut.is_some() {
        return None;
    }
    let mut documents = parsed.documents.into_iter();
    let Some(tree) = documents.next() else {
        complaints.push(
            Complaint::new(Span::whole(file), "the environment's file is empty")
                .help("it needs at least `project`, `account`, `region` and `stacks`"),
        );
        return None;
    };
    if let Some(second) = documents.next() {
        complaints.push(Complaint::new(
            second.span,
            "an environment's file holds one document, and this is a second one",
        ));
        return None;
    }
    Some(tree)
}

/// Account and region, as far as they can be read: what `${env.…}` in the file itself needs.
fn place(tree: &Node, name: &str, taken: &Files, sources: &Sources) -> Place {
    let written = |key: &str| tree.get(key).and_then(Node::text).unwrap_or_default();
    let (account, region) = (written("account"), written("region"));
    let raw = Place::new(account, region);
    if !account.contains("${") && !region.contains("${") {
        return raw;
    }
    // A variable may say it, and no variable can need what is not known yet.
    let (nowhere, room) = (Place::new("", ""), Room::default());
    let scope = Scope { files: taken, ..Scope::environment(name, &nowhere, &room) };
    let tree = replaced(tree, &scope, sources, &mut Vec::new());
    let text = |key: &str| tree.get(key).and_then(Node::text).unwrap_or_default();
    Place::new(text("account"), text("region"))
}

/// The project, as far as it can be read, and the owner that it makes with the environment's name.
fn project(tree: &Node, scope: &Scope<'_>, sources: &Sources) -> Option<(String, Owner)> {
    let written = substitute(tree.get("project")?, scope, sources, &mut Vec::new());
    let project = written.text()?.to_owned();
    let owner = Owner::new(&project, scope.environment);
    Some((project, owner))
}

/// Replaces `${env.…}` everywhere but in patches, which are replaced with the manifests that they patch, and
/// `${var.…}` in tags.
fn replaced(tree: &Node, scope: &Scope<'_>, sources: &Sources, complaints: &mut Vec<Complaint>) -> Node {
    let mut tree = tree.clone();
    let mut variables = BTreeMap::new();
    let mut unsure = scope.unsure;
    let Data::Map(fields) = &mut tree.data else { return tree };
    // Variables first: the tags may use them.
    let entries = fields.entries_mut();
    entries.sort_by_key(|entry| entry.key != "variables");
    for entry in entries.iter_mut() {
        match entry.key.as_str() {
            "patches" => {}
            "variables" => {
                entry.value = own_variables::resolved(&entry.value, scope, sources, complaints);
                unsure.variables |= !matches!(entry.value.data, Data::Map(_));
                for variable in entry.value.entries() {
                    variables.insert(variable.key.clone(), variable.value.clone());
                }
            }
            key => {
                let scope = Scope { variables: &variables, unsure, ..*scope };
                // In its own value the project stands for nothing, and what then comes out is no project.
                let scope = if key == "project" { scope.of_project("", "") } else { scope };
                entry.value = substitute(&entry.value, &scope, sources, complaints);
            }
        }
    }
    tree
}

/// A text that names a resource.
pub fn resource_id(text: &str, span: Span) -> Result<ResourceId, Complaint> {
    let wrong = |message: String| Complaint::new(span, message);
    let id = ResourceId::from_str(text).map_err(|_| {
        wrong(format!("`{text}` is not the name of a resource"))
            .label(format!("expected <service>/<Kind>/<name>, such as {}", crate::kinds::SUCH_AS))
    })?;
    if crate::kinds::kind(&id.kind).is_none() {
        return Err(unknown_kind(&id.kind, span, &|kind| format!("{kind}/{}", id.name)));
    }
    Ok(id)
}

/// Complains if another environment of the same account has the same prefix: their resources would collide.
pub fn collisions(root: &Path, name: &str, loaded: &Loaded) -> Option<Complaint> {
    if loaded.unsure.place || loaded.unsure.prefix {
        return None;
    }
    for other in environments(root).into_iter().filter(|other| other != name) {
        let Some(Outline { place, prefix: Some(prefix), .. }) = outline(root, &other) else { continue };
        let prefix = prefix.as_str();
        let ours = loaded.file.name_prefix.as_str();
        // What the permissions of the one allow by `dev-*` would hold for all of `dev-eu-` as well.
        if place.account == loaded.place.account && (prefix.starts_with(ours) || ours.starts_with(prefix)) {
            let span = loaded.tree.follow(&path_steps("namePrefix")).1;
            let (message, help) = match prefix == ours {
                true => (
                    format!(
                        "the environment `{other}` of the same account has the same name prefix, `{prefix}`"
                    ),
                    "give each its own `namePrefix`, such as `${env.name}-`: else their resources collide",
                ),
                false => (
                    format!(
                        "the name prefix `{prefix}` of the environment `{other}` of the same account and this one, `{ours}`, begin alike: names of the one may be the other's"
                    ),
                    "give each a `namePrefix` that is not the beginning of another, such as `dev-` and `eu-dev-`: what may be done to names that begin with the shorter one holds for both",
                ),
            };
            return Some(Complaint::new(span, message).help(help));
        }
    }
    None
}

/// What one environment has to know of another.
pub struct Outline {
    /// Where it lives.
    pub place: Place,
    /// What the names of its resources begin with; nothing, where that can't be read.
    pub prefix: Option<String>,
    /// Its project.
    pub project: String,
}

/// Another environment's outline. Whatever else is wrong over there is that environment's own matter.
pub fn outline(root: &Path, name: &str) -> Option<Outline> {
    let mut sources = Sources::default();
    let tree = read(&mut sources, &root.join(name).join(FILE), &mut Vec::new())?;
    let mut taken = Files::default();
    taken.read(root, tree.span.file, &mut sources);
    let place = place(&tree, name, &taken, &sources);
    let room = Room::default();
    let scope = Scope { files: &taken, ..Scope::environment(name, &place, &room) };
    let (project, owner) = project(&tree, &scope, &sources)?;
    let tree = replaced(&tree, &scope.of_project(&project, &owner.0), &sources, &mut Vec::new());
    let prefix = match tree.get("namePrefix") {
        Some(prefix) => prefix.text().map(str::to_owned),
        None => Some(String::new()),
    };
    Some(Outline { place, prefix, project })
}

/// The environments that exist, by name.
pub fn environments(root: &Path) -> Vec<String> {
    let Ok(folders) = std::fs::read_dir(root) else { return Vec::new() };
    let mut names: Vec<String> = folders
        .flatten()
        .filter(|folder| folder.file_type().is_ok_and(|it| it.is_dir()) && folder.path().join(FILE).is_file())
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
