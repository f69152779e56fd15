//! `schema`: for editors.

use super::{Error, Exit, Globals, Output, Result};
use crate::manifest;

/// Prints the JSON Schema of all manifests, for editors: `# yaml-language-server: $schema=FILE`
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `schema`.
pub async fn run(_args: Args, _globals: &Globals, out: &Output) -> Result<Exit> {
    let text = serde_json::to_string_pretty(&manifest::schema());
    let text = text.map_err(|error| Error::plain(format!("failed to write the schema: {error}")))?;
    out.data(&(text + "\n"));
    Ok(Exit::Success)
}
