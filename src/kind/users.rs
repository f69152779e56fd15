//! By what else than its ARN and its id a resource is named, and who uses it that is no resource of any kind.

/// A text by which others name a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denoted {
    /// A name, in the field that is called so.
    InField(&'static str, String),
    /// An ARN of this type, such as `instance-profile`, that ends in this name; in any field.
    ByArn(&'static str, String),
}

impl Denoted {
    /// Whether the text at a path denotes it.
    pub fn is(&self, path: &str, text: &str) -> bool {
        match self {
            Self::InField(field, name) => text == name && path.rsplit('.').next() == Some(*field),
            Self::ByArn(of, name) => {
                let rest =
                    text.rsplit_once(':').and_then(|(_, rest)| rest.strip_prefix(of)?.strip_prefix('/'));
                rest.and_then(|path| path.rsplit('/').next()) == Some(name.as_str())
            }
        }
    }
}

/// What is not ours, is no resource of any kind, and uses one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUser {
    /// What it is and does, such as `user/ann, which is not ours, has it attached`.
    pub says: String,
    /// What to do about it.
    pub way_out: &'static str,
    /// By what resources name it in their turn; then `says_used` and its way out hold.
    pub denoted: Vec<Denoted>,
    /// What such resources do with it, with `{}` for them, and the way out.
    pub says_used: &'static str,
}

/// What AWS makes together with a resource, and takes away with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// Its name or id, as AWS's calls take it.
    pub physical: String,
    /// Whether until then it holds up others that it names.
    pub holds: bool,
}
