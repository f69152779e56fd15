//! Documents of which nobody knows what they declare: what may be one of them is not missed.

/// The documents that could not be told.
#[derive(Debug, Default)]
pub struct Unread {
    /// Whether whole documents are missing, because a file could not be read to its end.
    pub cut: bool,
    documents: Vec<(Option<&'static str>, Option<String>)>,
}

impl Unread {
    /// Notes a document, with what is known of it: a kind that exists, and a name.
    pub fn note(&mut self, kind: Option<&'static str>, name: Option<&str>) {
        self.documents.push((kind, name.map(str::to_owned)));
    }

    /// Whether this resource may be one of them.
    pub fn may_be(&self, kind: &str, name: &str) -> bool {
        let fits = |known: Option<&str>, wanted: &str| known.is_none_or(|known| known == wanted);
        self.cut || self.documents.iter().any(|it| fits(it.0, kind) && fits(it.1.as_deref(), name))
    }
}
