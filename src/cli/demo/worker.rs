//! The worker's program: the one beside this program, or built now (D39).

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::super::{Error, Output, Result};

const NAME: &str = "batchwright-worker";
/// Where this program was built: the worker's source is beside its own.
const WORKSPACE: &str = env!("CARGO_MANIFEST_DIR");

/// The worker's program, built if it is not there.
pub async fn program(out: &Output) -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|error| Error::plain(format!("failed to find this program's folder: {error}")))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let beside = folder.join(NAME);
    if !beside.is_file() {
        build(folder, out).await?;
    }
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Error::plain(format!("failed to build the worker: {} is not there", beside.display())))
}

/// Has cargo build it into the folder of this program. Both packages are named so that they share the libraries that are
/// built already.
async fn build(folder: &Path, out: &Output) -> Result<()> {
    let help =
        format!("put the program {NAME} beside this one, or run `cargo run -- demo` in the repository");
    let fail = |why: String| Error::with_help(format!("failed to build the worker: {why}"), help.clone());
    if !Path::new(WORKSPACE).join("worker").is_dir() {
        return Err(fail(format!("its source is no longer at {WORKSPACE}")));
    }
    out.talk("building the worker, once:");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = tokio::process::Command::new(cargo);
    command.current_dir(WORKSPACE).args([
        "build",
        "--locked",
        "-p",
        "batchwright",
        "-p",
        NAME,
        "--bin",
        NAME,
    ]);
    if folder.file_name().is_some_and(|name| name == "release") {
        command.arg("--release");
    }
    if let Some(target) = folder.parent() {
        command.arg("--target-dir").arg(target);
    }
    // Cargo's own progress is shown as it comes.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).status().await;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(fail(format!("cargo ended with {status}"))),
        Err(error) => Err(fail(format!("cargo can't be run: {error}"))),
    }
}
