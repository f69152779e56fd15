//! Files that hold what should come out: compared, or written where `BLESS` is set.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::Path;

/// Whether what comes out is written, and not compared.
pub fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// What the file held if it is not this text; `None` if it is, or was written. A relative path is below the project's folder.
pub fn differing(file: impl AsRef<Path>, text: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if blessing() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        return None;
    }
    Some(fs::read_to_string(&file).unwrap_or_default()).filter(|held| held != text)
}

/// Fails if a file does not hold this text, and shows both.
#[track_caller]
pub fn golden(file: impl AsRef<Path>, text: &str) {
    let name = file.as_ref().display().to_string();
    if let Some(held) = differing(file, text) {
        panic!("{name} is stale; BLESS=1 writes it\n-- it holds\n{held}\n-- what comes out\n{text}");
    }
}
