//! Files of this machine.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

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

    fn check_unchanged(&self) -> Result<(), Error> {
        self.version.as_ref().map_or(Ok(()), |version| check_unchanged(&self.file, &self.path, version))
    }
}

/// Fails if the open file is not what it was when its version was `before`.
pub(super) fn check_unchanged(file: &File, path: &Path, before: &str) -> Result<(), Error> {
    match file.metadata() {
        Ok(metadata) if version(&metadata) == before => Ok(()),
        Ok(_) => Err(changed(path)),
        Err(error) => Err(Error::io("read", path.display(), &error)),
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
    /// Where it is until then, for [`Drafts`].
    noted: Option<Arc<PathBuf>>,
}

/// The drafts that are being written, so that none stays behind when the thread that has it waits for something else.
#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<Vec<Weak<PathBuf>>>);

impl Drafts {
    /// Begins a file beside `path`; see [`Draft::create`].
    pub(super) fn create(&self, path: &Path) -> Result<Draft, Error> {
        let mut draft = Draft::create(path)?;
        let noted = Arc::new(draft.file.path().to_owned());
        let mut drafts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.retain(|draft| draft.strong_count() > 0);
        drafts.push(Arc::downgrade(&noted));
        draft.noted = Some(noted);
        Ok(draft)
    }

    /// Takes all of them away; what is still written to them is nobody's.
    pub(super) fn abandon(&self) {
        let drafts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for path in drafts.iter().filter_map(Weak::upgrade) {
            if let Err(error) = forget(&path) {
                tracing::warn!("failed to {error}");
            }
        }
    }
}

impl Draft {
    /// Begins a file beside `path`; behind a link, beside what it leads to.
    pub(super) fn create(path: &Path) -> Result<Draft, Error> {
        let path = replaced(path)?;
        let file = tempfile::Builder::new()
            .prefix(".batchwright-")
            .permissions(permissions())
            .tempfile_in(folder(&path))
            .map_err(|error| Error::io("write", path.display(), &error))?;
        Ok(Draft { path, file, noted: None })
    }

    /// A file with all of its content.
    pub(super) fn of(path: &Path, content: &[u8]) -> Result<Draft, Error> {
        let mut draft = Draft::create(path)?;
        draft.write(content)?;
        // A disk that is full may say so only now.
        draft.file.as_file().sync_all().map_err(|error| Error::io("write", path.display(), &error))?;
        Ok(draft)
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

/// Fails if `path` is something other than a file, or its folder is missing.
pub(super) fn check_writable(path: &Path) -> Result<(), Error> {
    let path = replaced(path)?;
    if !folder(&path).is_dir() {
        let why = "its folder does not exist";
        return Err(Error::new("write", path.display(), Cause::Refused, why));
    }
    Ok(())
}

/// The file that writing `path` replaces: what a link leads to. A folder, a device or a pipe is not replaced.
fn replaced(path: &Path) -> Result<PathBuf, Error> {
    let refused = |why| Err(Error::new("write", path.display(), Cause::Refused, why));
    match (std::fs::symlink_metadata(path), std::fs::metadata(path)) {
        (Ok(link), Ok(file)) if link.is_symlink() && file.is_file() => {
            std::fs::canonicalize(path).map_err(|error| Error::io("write", path.display(), &error))
        }
        (Ok(_), Ok(file)) if file.is_dir() => refused("it is a folder"),
        (Ok(_), Ok(file)) if !file.is_file() => refused("it is no regular file"),
        (Ok(_), Err(_)) => refused("it is a link that leads nowhere"),
        _ => Ok(path.to_owned()),
    }
}

/// Whether two paths name one file, which need not be there yet.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => one == other || settled(one).is_some_and(|one| settled(other) == Some(one)),
    }
}

/// Whether `path` lies under `above`, however both are spelled, or is one of the files that links there lead to.
pub(super) fn lies_under(path: &Path, above: &Path) -> bool {
    let beneath = match (settled(path), std::fs::canonicalize(above)) {
        (Some(path), Ok(above)) => path.starts_with(above),
        _ => path.starts_with(above),
    };
    let linked = || {
        let mut entries = std::fs::read_dir(above).ok()?.filter_map(Result::ok);
        Some(entries.any(|entry| same(&entry.path(), path)))
    };
    beneath || (path.is_file() && linked().unwrap_or(false))
}

/// The path without links, of something that need not be there yet.
fn settled(path: &Path) -> Option<PathBuf> {
    if let Ok(whole) = std::fs::canonicalize(path) {
        return Some(whole);
    }
    Some(std::fs::canonicalize(folder(path)).ok()?.join(path.file_name()?))
}

/// Makes the folders between `under`, which must be there, and `path`, which must not lead out of it.
pub(super) fn make_folder_of(path: &Path, under: &Path) -> Result<(), Error> {
    use std::path::Component;
    let refused = |why| Err(Error::new("write", path.display(), Cause::Refused, why));
    match path.strip_prefix(under) {
        Ok(rest) if rest.components().all(|part| matches!(part, Component::Normal(_))) => {}
        _ => return refused("its name leads out of the folder that is written to"),
    }
    if !under.is_dir() {
        return refused("its folder does not exist");
    }
    std::fs::create_dir_all(folder(path)).map_err(|error| Error::io("write", path.display(), &error))
}

/// Takes the file away, if there is one.
pub(super) fn forget(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", path.display(), &error))
        }
        _ => Ok(()),
    }
}

/// Writes beside `path` and renames, so that nobody sees a part; on failure nothing stays behind.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    Draft::of(path, content)?.finish()
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
    fn a_part_is_of_the_version_that_was_seen_up_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.csv");
        std::fs::write(&path, "0123456789").unwrap();
        let entry = look(&path).unwrap();
        let mut part = LocalFile::open_part(&path, 2, 8, &entry.version).unwrap();
        let mut buffer = [0; 3];
        assert_eq!(part.read(&mut buffer), Ok(3));
        assert_eq!(part.check_unchanged(), Ok(()));
        std::fs::write(&path, "01234567890").unwrap();
        assert_eq!(part.check_unchanged(), Err(changed(&path)));
        assert_eq!(LocalFile::open_part(&path, 2, 8, &entry.version).map(|_| ()), Err(changed(&path)));
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
