//! Files of this machine.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Cause, Entry, Error, Input, Place};

/// A file that is being read.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    file: File,
    size: Option<u64>,
    /// How many bytes may still be read.
    left: u64,
    version: Option<String>,
}

impl LocalFile {
    /// Opens the file, or what else can be read under this path.
    pub fn open(path: &Path) -> Result<LocalFile, Error> {
        let file = open(path)?;
        let metadata = file.metadata().map_err(|error| Error::io("read", path.display(), &error))?;
        // Pipes and devices have no size that means anything, and no version.
        let regular = metadata.is_file();
        let size = regular.then_some(metadata.len());
        let version = regular.then(|| version(&metadata));
        Ok(LocalFile { path: path.to_owned(), file, size, left: u64::MAX, version })
    }

    /// Opens the bytes from `from` to before `to` of the file's version `expected`.
    pub(super) fn open_part(path: &Path, from: u64, to: u64, expected: &str) -> Result<LocalFile, Error> {
        let mut file = LocalFile::open(path)?;
        if file.version.as_deref().is_some_and(|version| version != expected) {
            return Err(changed(path));
        }
        file.file.seek(SeekFrom::Start(from)).map_err(|error| Error::io("read", path.display(), &error))?;
        file.left = to.saturating_sub(from);
        file.size = Some(file.left);
        Ok(file)
    }

    /// At the end: whether what was read is still what stands there.
    fn check_unchanged(&self) -> Result<(), Error> {
        let Some(before) = &self.version else { return Ok(()) };
        match self.file.metadata() {
            Ok(metadata) if version(&metadata) == *before => Ok(()),
            Ok(_) => Err(changed(&self.path)),
            Err(error) => Err(Error::io("read", self.path.display(), &error)),
        }
    }
}

impl Input for LocalFile {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..most).unwrap_or_default();
        let count = loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("read", self.path.display(), &error)),
                Ok(count) => break count,
            }
        };
        self.left -= count as u64;
        if count == 0 {
            self.check_unchanged()?;
        }
        Ok(count)
    }

    fn size(&self) -> Option<u64> {
        self.size
    }
}

/// Opens a file as the system gives it.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::io("read", path.display(), &error))
}

/// All of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::io("read", path.display(), &error))
}

/// What a file is told from its earlier and later contents by.
fn version(metadata: &Metadata) -> String {
    format!("{}-{}.{:09}", metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn changed(path: &Path) -> Error {
    Error::new("read", path.display(), Cause::Changed, "the file was changed while it was read")
}

/// The file's size and version.
pub(super) fn look(path: &Path) -> Result<Entry, Error> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::io("read", path.display(), &error))?;
    if !metadata.is_file() {
        return Err(Error::new("read", path.display(), Cause::Refused, "it is no file"));
    }
    Ok(Entry { place: Place::Local(path.to_owned()), size: metadata.len(), version: version(&metadata) })
}

/// The files of a folder.
pub(super) fn list(folder: &Path) -> Result<Vec<Entry>, Error> {
    let failed = |error| Error::io("list", folder.display(), &error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            found.push(look(&path)?);
        }
    }
    Ok(found)
}

/// A file that takes its name only when it is whole; until then, and if it never is, it stays out of sight.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: tempfile::NamedTempFile,
}

impl Draft {
    /// Begins a file beside `path`.
    pub(super) fn create(path: &Path) -> Result<Draft, Error> {
        let file = tempfile::Builder::new()
            .prefix(".batchwright-")
            .permissions(permissions())
            .tempfile_in(folder(path))
            .map_err(|error| Error::io("write", path.display(), &error))?;
        Ok(Draft { path: path.to_owned(), file })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file
            .as_file_mut()
            .write_all(bytes)
            .map_err(|error| Error::io("write", self.path.display(), &error))
    }

    pub(super) fn finish(self) -> Result<(), Error> {
        let failed = |error: &std::io::Error| Error::io("write", self.path.display(), error);
        self.file.as_file().sync_all().map_err(|error| failed(&error))?;
        self.file.persist(&self.path).map_err(|error| failed(&error.error))?;
        Ok(())
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
    let mut draft = Draft::create(path)?;
    draft.write(content)?;
    draft.finish()
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
