//! Files of this machine.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::{Cause, Error, Input};

/// A file that is being read.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
    size: Option<u64>,
}

impl LocalFile {
    /// Opens the file, or what else can be read under this path.
    pub fn open(path: &Path) -> Result<LocalFile, Error> {
        let failed = |error| Error::io("read", path.display(), &error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        // Pipes and devices have no size that means anything.
        let size = metadata.is_file().then_some(metadata.len());
        Ok(LocalFile { path: path.to_owned(), file, size })
    }
}

impl Input for LocalFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                result => return result.map_err(|error| Error::io("read", self.path.display(), &error)),
            }
        }
    }

    fn size(&self) -> Option<u64> {
        self.size
    }
}

/// Fails if `path` is a folder, or its folder is missing.
pub(super) fn check_writable(path: &Path) -> Result<(), Error> {
    let refused = |why| Err(Error::new("write", path.display(), Cause::Refused, why));
    if path.is_dir() {
        return refused("it is a folder");
    }
    if !folder(path).is_dir() {
        return refused("its folder does not exist");
    }
    Ok(())
}

/// Writes beside `path` and renames, so that nobody sees a part; on failure nothing stays behind.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |error: &std::io::Error| Error::io("write", path.display(), error);
    let mut file = tempfile::Builder::new()
        .prefix(".batchwright-")
        .permissions(permissions())
        .tempfile_in(folder(path))
        .map_err(|error| failed(&error))?;
    file.write_all(content).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}

/// What any new file gets, before the process's mask; a temporary file would be its owner's alone.
fn permissions() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o666)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_write_replaces_the_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        write(&path, b"old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["results.json"]);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        std::fs::create_dir(&path).unwrap();
        assert!(write(&path, b"{}").is_err());
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[test]
    fn a_destination_that_cannot_be_is_seen_beforehand() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_writable(&folder.path().join("results.json")).is_ok());
        assert!(check_writable(Path::new("results.json")).is_ok());
        assert!(check_writable(folder.path()).is_err());
        assert!(check_writable(&folder.path().join("missing/results.json")).is_err());
    }
}
