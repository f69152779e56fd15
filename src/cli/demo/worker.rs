//! The worker's program: the one beside this program, or built now (D39).

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::super::{Error, Output, Result};

const NAME: &str = "batchwright-worker";
/// Where this program was built: the worker's source is beside its own.
const WORKSPACE: &str = env!("CARGO_MANIFEST_DIR");

/// The worker's program, built if it is not there or older than its source.
pub async fn program(out: &Output) -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|error| Error::plain(format!("failed to find this program's folder: {error}")))?;
    let folder = own.parent().unwrap_or(Path::new("."));
    let beside = folder.join(NAME);
    if !is_fresh(&beside, &Path::new(WORKSPACE).join("worker/src")) {
        build(folder, out).await?;
    }
    if beside.is_file() {
        return Ok(beside);
    }
    Err(Error::plain(format!("failed to build the worker: {} is not there", crate::outside::path(&beside))))
}

/// Whether a program is there and nothing of its source is newer. A program without its source is as fresh as can be.
fn is_fresh(program: &Path, source: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|it| it.modified()).ok();
    let Some(built) = changed(program) else { return false };
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if changed(&path).is_some_and(|changed| changed > built) {
                return false;
            }
        }
    }
    true
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::fs::{self, File};
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_worker_older_than_its_source_is_built_again() {
        let folder = tempfile::tempdir().unwrap();
        let (program, source) = (folder.path().join(NAME), folder.path().join("src"));
        assert!(!is_fresh(&program, &source));
        fs::write(&program, "").unwrap();
        assert!(is_fresh(&program, &source), "without its source");
        fs::create_dir_all(source.join("csv")).unwrap();
        let written = File::create(source.join("csv/rows.rs")).unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        written.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(is_fresh(&program, &source));
        written.set_modified(later).unwrap();
        assert!(!is_fresh(&program, &source));
    }
}
