//! Manifests: YAML text → [`Desired`], with every error of every file at its line and column.
//!
//! A file becomes a tree that knows its places ([`parse`], [`tree`]); variables are replaced in it ([`variables`]) and an
//! environment's patches applied; the tree is checked against the JSON Schema of its kind ([`check`]); only then is it
//! decoded and validated by the kind ([`resources`]). What resources say of each other comes last ([`references`]).
//! Nothing here calls AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::nearest;
use crate::resource::{Desired, Image, ResourceId};

mod check;
mod choices;
mod cycles;
mod declared;
mod document;
mod each;
mod environment;
mod error;
mod existing;
mod fields;
mod filed;
mod files;
mod foreign;
mod free_form;
mod hold;
mod ignored;
mod masked;
mod meaning;
mod outputs;
mod own_variables;
mod pairs;
mod parse;
mod partial;
mod patch;
mod pieces;
mod references;
mod render;
mod resources;
mod room;
mod scalar;
mod schema;
mod source;
mod stacks;
mod tags;
mod tree;
mod unknown;
mod unread;
mod variables;
mod when;

pub use environment::environments;
pub use error::{Errors, Excerpt, ManifestError};
pub use hold::held;
pub use schema::schema;

pub(crate) use crate::nearest::{did_you_mean, listed};
use crate::outside::path as shown;
use environment::Loaded;
use error::Complaint;
use filed::Files;
use own_variables::Given;
use references::Web;
use resources::{Reader, Resource};
use room::Room;
use source::{Sources, Span};
use tree::{Node, Step};

/// What the command line adds to the manifests.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Images that are known already, by name: `<repository uri>@sha256:<digest>`.
    pub images: BTreeMap<String, String>,
    /// Variables that replace those of `environment.yaml`; each is read as a YAML value.
    pub variables: BTreeMap<String, String>,
    /// Whether an environment may declare nothing: only `destroy` makes sense of that.
    pub may_be_empty: bool,
    /// A text with references that is asked for in the place of all outputs.
    pub output: Option<String>,
}

/// Reads `<root>/<environment>/environment.yaml` and the stacks that it names. Every error of every file at once.
pub fn load(root: &Path, environment: &str, options: &Options) -> Result<Desired, Errors> {
    let folder = folder_of(root, environment)?;
    let mut sources = Sources::default();
    let mut complaints = Vec::new();
    let path = folder.join(environment::FILE);
    let room = Room::default();
    let mut taken = Files::default();
    let (given, mut whole) = given(&mut sources, options);
    let loaded = environment::load(
        &mut sources,
        (root, &path),
        environment,
        (&room, &given),
        &mut taken,
        &mut complaints,
    );
    let Some(loaded) = loaded else {
        let mut errors = Errors::of(complaints, &sources);
        errors.0.append(&mut whole);
        errors.sort();
        return Err(errors);
    };
    complaints.extend(environment::collisions(root, environment, &loaded));
    let (mut stacks, cut) = stacks::read(root, &loaded, (&mut sources, &given), &mut complaints);
    whole.extend(unmet(&loaded, &stacks, options));
    for file in stacks.iter().flat_map(|stack| stack.files.clone()).collect::<BTreeSet<_>>() {
        complaints.extend(taken.read(root, file, &mut sources));
    }
    let declared = together(&mut stacks, (environment, &loaded), &sources, &taken);
    let mut reader = Reader::new((environment, &loaded), &sources, &taken, &declared, &room);
    reader.unread.cut |= cut;
    let (resources, unread) = resources(&stacks, &sources, &mut reader);
    reader.unused_patches(&resources);
    complaints.append(&mut reader.complaints);
    let hidden = std::mem::take(&mut reader.hidden);
    complaints.extend(pairs::check(&resources));
    complaints.extend(Web::check(&resources, &loaded, &sources, &reader.unread));
    complaints.extend(tags::check(environment, &loaded, &resources));
    if complaints.is_empty() && !options.may_be_empty && !resources.iter().any(|resource| resource.on) {
        let stacks = loaded.tree.follow(&[Step::Key("stacks".into())]).1;
        let why = if resources.is_empty() {
            "declares no resources"
        } else {
            "declares no resources: all are switched off"
        };
        complaints.push(
            Complaint::new(stacks, format!("the environment `{environment}` {why}"))
                .help(format!("to delete everything it has, run `batchwright destroy {environment}`")),
        );
    }
    sources.hide(hidden);
    unread.into_iter().for_each(|(file, line)| sources.could_not_read(file, line));
    let mut errors = Errors::of(complaints, &sources);
    errors.0.append(&mut whole);
    if !errors.0.is_empty() {
        errors.sort();
        return Err(errors);
    }
    Ok(desired(environment, loaded, resources, options))
}

fn desired(environment: &str, loaded: Loaded, resources: Vec<Resource>, options: &Options) -> Desired {
    let Loaded { file, place, owner, allow_delete, existing, outputs, .. } = loaded;
    let image = |(name, image): (String, environment::NamedImage)| {
        let resolved = options.images.get(&name).cloned();
        let repository = image.repository.parse().ok()?;
        Some((name, Image { repository, tag: image.tag, resolved }))
    };
    Desired {
        environment: environment.to_owned(),
        owner,
        place,
        name_prefix: file.name_prefix,
        resources: resources
            .into_iter()
            .filter_map(|resource| resource.declared)
            .map(|declared| (declared.id.clone(), declared))
            .collect(),
        images: file.images.into_iter().filter_map(image).collect(),
        limits: file.limits,
        allow_delete,
        existing,
        outputs,
    }
}

/// The folder of an environment, or what there is instead.
fn folder_of(root: &Path, environment: &str) -> Result<PathBuf, Errors> {
    let here = shown(root);
    let wrong = |error: ManifestError| Err(Errors::one(error));
    if !root.exists() {
        return wrong(
            ManifestError::whole(here, "the manifests' folder does not exist")
                .help("run this in the repository's root, or say where the manifests are with --manifests"),
        );
    }
    if source::is_link(root) {
        return wrong(ManifestError::whole(here, source::LINK).help("--manifests takes the folder itself"));
    }
    if !root.is_dir() {
        return wrong(
            ManifestError::whole(here, "this is not a folder")
                .help("--manifests takes the folder that holds `stacks` and the environments"),
        );
    }
    let there = environments(root);
    // What is no plain name is no environment: `..` would lead out of the folder.
    if there.iter().any(|name| name == environment) {
        return Ok(root.join(environment));
    }
    if there.is_empty() {
        return wrong(ManifestError::whole(here, "the manifests' folder holds no environment").help(
            format!(
                "write {}/{environment}/{}, with at least `project`, `account`, `region` and `stacks`",
                shown(root),
                environment::FILE
            ),
        ));
    }
    wrong(
        ManifestError::whole(here, format!("there is no environment `{environment}`"))
            .help_if(did_you_mean(environment, there.iter().map(String::as_str)))
            .help(format!("environments are: {}", listed(there.iter().map(String::as_str)))),
    )
}

/// What the command line gives.
fn given(sources: &mut Sources, options: &Options) -> (Given, Vec<ManifestError>) {
    let (mut given, mut errors) = (Given::default(), Vec::new());
    given.output = options.output.as_ref().map(|asked| {
        let file = sources.add("what is asked for".to_owned(), asked.clone());
        let span = Span { file, line: 1, column: 1, width: asked.chars().count() };
        Node::new(tree::Data::Text(asked.clone()), span)
    });
    for (name, text) in &options.variables {
        let file = sources.add(format!("the value of variable {name}"), text.clone());
        let mut parsed = parse::parse(file, sources);
        if !parsed.complaints.is_empty() {
            sources.could_not_read(file, 1);
            errors.append(&mut Errors::of(parsed.complaints, sources).0);
            continue;
        }
        let value = if parsed.documents.is_empty() {
            Node::new(tree::Data::Null, Span::whole(file))
        } else {
            parsed.documents.swap_remove(0)
        };
        given.variables.insert(name.clone(), value);
    }
    (given, errors)
}

/// What the command line gives that the environment does not have, and what can't be given.
fn unmet(loaded: &Loaded, stacks: &[stacks::Stack], options: &Options) -> Vec<ManifestError> {
    let mut errors = Vec::new();
    // The file's own may be the ones that could not be read.
    for name in options.variables.keys().filter(|_| !loaded.unsure.variables) {
        let declared = stacks.iter().flat_map(|stack| &stack.declares);
        let known = loaded.variables.keys().chain(declared).map(String::as_str);
        if !known.clone().any(|known| known == name) {
            errors.push(
                ManifestError::whole("", format!("the environment has no variable `{name}` to replace"))
                    .help_if(did_you_mean(name, known)),
            );
        }
    }
    for (name, image) in &options.images {
        let known = loaded.file.images.keys().map(String::as_str);
        if !loaded.file.images.contains_key(name) && !loaded.unsure.images {
            errors.push(
                ManifestError::whole("", format!("the environment has no image `{name}`"))
                    .help_if(did_you_mean(name, known)),
            );
        } else if !is_pinned(image) {
            errors.push(
                ManifestError::whole("", format!("the image `{image}` names no digest"))
                    .help("write it as <repository>@sha256:<64 hexadecimal digits>"),
            );
        }
    }
    errors
}

fn is_pinned(image: &str) -> bool {
    image.split_once("@sha256:").is_some_and(|(repository, digest)| {
        !repository.is_empty() && digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit())
    })
}

/// What all stacks declare, in the order in which they say it, where somebody names several together; and of a stack that has a name
/// of its own, what it declares. Otherwise nobody asks.
fn together(
    stacks: &mut [stacks::Stack],
    of: (&str, &Loaded),
    sources: &Sources,
    taken: &Files,
) -> Vec<ResourceId> {
    let mut texts = stacks.iter().flat_map(|stack| &stack.files).filter_map(|file| sources.get(*file));
    if !stacks.iter().any(|stack| stack.prefix.is_some()) && !texts.any(|source| source.text.contains("*.")) {
        return Vec::new();
    }
    let (mut declared, mut own) = (Vec::<ResourceId>::new(), Vec::new());
    let room = Room::default();
    let mut reader = Reader::new(of, sources, taken, &[], &room);
    for stack in &*stacks {
        let mut names = Vec::new();
        for file in &stack.files {
            let Some(source) = sources.get(*file) else { continue };
            for document in parse::parse_within(*file, source, &room).documents {
                // So many are refused where they are read.
                if declared.len() + names.len() <= resources::MOST {
                    names.extend(reader.names(stack, &document));
                }
            }
        }
        let prefix = stack.prefix.as_deref().unwrap_or_default();
        let bare = |(id, _): &(ResourceId, bool)| {
            Some(ResourceId::new(id.kind.clone(), id.name.strip_prefix(prefix)?))
        };
        own.push(names.iter().filter_map(bare).collect());
        declared.extend(names.into_iter().filter(|(_, on)| *on).map(|(id, _)| id));
    }
    drop(reader);
    stacks.iter_mut().zip(own).for_each(|(stack, own)| stack.own = own);
    declared
}

/// What the files declare, read one after the other so that no more than one file's documents are held beside it; and of files that can't
/// be read, from which line on.
fn resources<'a>(
    stacks: &'a [stacks::Stack],
    sources: &Sources,
    reader: &mut Reader<'a>,
) -> (Vec<Resource>, Vec<(usize, usize)>) {
    let (mut resources, mut unread) = (Vec::new(), Vec::new());
    // What stands in the files; what becomes of it is counted anew.
    let room = Room::default();
    for (stack, file) in stacks.iter().flat_map(|stack| stack.files.iter().map(move |file| (stack, file))) {
        let Some(source) = sources.get(*file) else { continue };
        if reader.complaints.len() > resources::ENOUGH {
            reader.unread.cut = true;
            break;
        }
        let mut parsed = parse::parse_within(*file, source, &room);
        reader.complaints.append(&mut parsed.complaints);
        reader.hidden.append(&mut parsed.dropped);
        unread.extend(parsed.cut.map(|line| (*file, line)));
        reader.unread.cut |= parsed.cut.is_some();
        for document in parsed.documents {
            if resources.len() >= resources::MOST {
                let message = format!("an environment declares at most {} resources", resources::MOST);
                let complaint = Complaint::new(document.span, message);
                reader.complaints.push(complaint.help("give some of them an environment of their own"));
                reader.unread.cut = true;
                return (resources, unread);
            }
            resources.extend(reader.read(stack, document));
        }
    }
    (resources, unread)
}

/// Reads one YAML text into a value: for what is written in YAML and is no manifest. Errors name its line and column.
pub fn value(name: &str, text: &str) -> Result<Vec<Value>, Errors> {
    let mut sources = Sources::default();
    let file = sources.add(name.to_owned(), text.to_owned());
    let parsed = parse::parse(file, &mut sources);
    if parsed.complaints.is_empty() {
        Ok(parsed.documents.iter().map(Node::to_json).collect())
    } else {
        Err(Errors::of(parsed.complaints, &sources))
    }
}
