//! Which local program stands in for a container image.

use std::path::PathBuf;

/// The images that can be run, each by a program and the arguments that come before the job's command.
#[derive(Debug, Clone, Default)]
pub struct Programs(Vec<(String, PathBuf, Vec<String>)>);

impl Programs {
    /// Maps an image: an exact reference, one with a digest, or a prefix such as the repository's URL.
    ///
    /// An exact match wins over a prefix, a longer prefix over a shorter one, a later mapping over an earlier one.
    pub fn map(&mut self, image: &str, program: PathBuf, args: Vec<String>) {
        self.0.retain(|(known, ..)| known != image);
        self.0.push((image.to_owned(), program, args));
    }

    /// The program for an image, or nothing: then the image can't be pulled.
    pub fn find(&self, image: &str) -> Option<(&PathBuf, &[String])> {
        let mapped = self.0.iter().filter(|(known, ..)| image.starts_with(known.as_str()));
        mapped.max_by_key(|(known, ..)| known.len()).map(|(_, program, args)| (program, args.as_slice()))
    }
}
