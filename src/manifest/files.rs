//! Which files of a stack are manifests.

use std::path::{Path, PathBuf};

use super::source::{LINK, is_link};
use crate::outside::path as shown;

/// Folders of a stack nest this deep at most; a link to a folder above would have no end.
const DEEPEST: usize = 16;

/// Every manifest in a folder and below. What is left unread would be planned as no longer declared: what looks like a manifest and
/// can't be one is an error.
pub fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Editors leave hidden files beside those that they have open.
        if name.starts_with('.') {
            continue;
        }
        if is_link(&path) {
            return Err(std::io::Error::other(format!("{}: {}", shown(&path), LINK)));
        }
        let unread = |why: &str| Err(std::io::Error::other(format!("{}: {why}", shown(&path))));
        let ending = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_dir() {
            if depth == DEEPEST {
                return unread("folders are nested too deep to be read: move it up");
            }
            walk(&path, depth + 1, files)?;
        } else if matches!(ending, "yaml" | "yml") {
            files.push(path);
        } else if matches!(ending.to_ascii_lowercase().as_str(), "yaml" | "yml") {
            return unread("a manifest's name ends in .yaml or .yml, in small letters: rename it");
        }
    }
    Ok(())
}

/// The names of the plain folders in a folder, in order.
pub fn folders(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let plain = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|it| it.is_dir());
    let folders = entries.flatten().filter(plain);
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(path: &str) -> std::io::Result<Vec<PathBuf>> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "a: b").unwrap();
        let mut files = Vec::new();
        walk(folder.path(), 0, &mut files).map(|()| files)
    }

    #[test]
    fn what_looks_like_a_manifest_is_read_or_refused() {
        let deep = "d/".repeat(DEEPEST);
        for read in ["a.yaml", "a.yml", &format!("{deep}a.yaml")] {
            assert_eq!(walked(read).unwrap().len(), 1, "{read}");
        }
        for (unread, why) in
            [("X.YAML", "small letters"), ("x.Yml", "rename it"), (&format!("{deep}d/a.yaml"), "too deep")]
        {
            let error = walked(unread).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for nothing in ["README.md", ".a.yaml.swp", "a.json"] {
            assert_eq!(walked(nothing).unwrap(), Vec::<PathBuf>::new(), "{nothing}");
        }
    }
}
