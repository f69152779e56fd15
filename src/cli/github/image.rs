//! `github image`: whether a commit's image is in the registry, and the tag that plans ask for.

use super::super::{Choices, Connection, Error, Exit, Globals, Output, Result};
use super::context;
use crate::github::runner;
use crate::resource::{Desired, Image};
use crate::services::Service;
use crate::services::ecr::{self, Ecr};

/// Says whether the image of this commit was pushed already, so that it need not be built again; or lets the environment's
/// tag follow it
///
/// Images are pushed under the commit that they were built from, and a tag that may not move takes no second one. Writes the
/// outputs `exists` (true or false) and `digest`. The environment's tag, `latest` for example, is what plans ask for where
/// nobody names a digest: it moves once the image is rolled out.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The image, as environment.yaml names it
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The tag that it is pushed under; else GITHUB_SHA
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Lets the environment's tag point to it
    #[arg(long)]
    release: bool,
}

/// Runs `github image`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = args.choices.load(globals)?;
    let context = context()?;
    let image = named(&desired, &args.name)?;
    let repository = desired.resources.get(&image.repository).ok_or_else(|| {
        Error::plain(format!("{} is not declared in {}", image.repository, desired.environment))
    })?;
    let repository = repository.physical_name.as_str();
    let tag = args
        .tag
        .or(context.commit)
        .ok_or_else(|| Error::plain("failed to read GITHUB_SHA: it is no commit"))?;

    let connection = Connection::open(globals, &desired.place, out).await?;
    connection.check_account(&desired).await?;
    let client = Ecr::client(connection.config());
    let found = match args.release {
        false => ecr::image_digest(&client, repository, &tag).await,
        true => ecr::point(&client, repository, &image.tag, &tag).await,
    };
    connection.close().await;
    let doing = if args.release { "move" } else { "look up" };
    let digest = found.map_err(Error::aws(format!("{doing} a tag of {repository}")))?;
    if let Some(path) = &context.output {
        let outputs =
            [("exists", digest.is_some().to_string()), ("digest", digest.clone().unwrap_or_default())];
        runner::write_outputs(path, &outputs)?;
    }
    match (&digest, args.release) {
        (Some(digest), true) => out.talk(&format!("{repository}:{} is {digest} from now on", image.tag)),
        (Some(digest), false) => out.talk(&format!("{repository}:{tag} is {digest}")),
        (None, false) => out.talk(&format!("{repository}:{tag} was not pushed yet")),
        (None, true) => return Err(Error::plain(format!("{repository} has no image that is tagged {tag}"))),
    }
    if let Some(digest) = digest {
        out.data(&format!("{digest}\n"));
    }
    Ok(Exit::Success)
}

fn named<'a>(desired: &'a Desired, name: &str) -> Result<&'a Image> {
    desired.images.get(name).ok_or_else(|| {
        let names: Vec<&str> = desired.images.keys().map(String::as_str).collect();
        let help = match names.as_slice() {
            [] => "it names none; add `images` to its environment.yaml".to_owned(),
            names => format!("images are: {}", names.join(", ")),
        };
        Error::with_help(format!("{} names no image {name}", desired.environment), help)
    })
}
