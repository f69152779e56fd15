//! How resources go: at once, or switched off and drained before.

use serde_json::Value;

use crate::resource::Document;

/// How a resource is removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Removal {
    /// It is deleted, and that is all.
    #[default]
    Direct,
    /// Its delete switches it off first; nothing is waited for in between.
    SwitchedOff {
        /// The field of its spec that switches it off.
        field: &'static str,
        /// What stands in that field then.
        off: &'static str,
    },
    /// It is switched off, then waited for until nothing runs on it any more, then deleted (D16).
    Staged {
        /// The field of its spec that switches it off.
        field: &'static str,
        /// What stands in that field then.
        off: &'static str,
    },
}

impl Removal {
    /// Whether it goes in stages.
    pub fn is_staged(self) -> bool {
        matches!(self, Self::Staged { .. })
    }

    /// Whether it is on; what can't be switched off is not.
    pub fn is_on(self, spec: &Document) -> bool {
        self.switch(spec).is_some_and(|(value, off)| value != off)
    }

    /// Whether it is switched off; what can't be is not.
    pub fn is_off(self, spec: &Document) -> bool {
        self.switch(spec).is_some_and(|(value, off)| value == off)
    }

    /// Whether a field that says this switches it off.
    pub fn is_switch(self, path: &str, value: &Value) -> bool {
        match self {
            Self::Direct => false,
            Self::SwitchedOff { field, off } | Self::Staged { field, off } => path == field && value == off,
        }
    }

    /// The same, switched off.
    pub fn switched_off(self, spec: &Document) -> Document {
        let mut spec = spec.clone();
        if let (Self::SwitchedOff { field, off } | Self::Staged { field, off }, Some(fields)) =
            (self, spec.as_object_mut())
        {
            fields.insert(field.to_owned(), Value::String(off.to_owned()));
        }
        spec
    }

    fn switch(self, spec: &Document) -> Option<(&str, &'static str)> {
        match self {
            Self::Direct => None,
            Self::SwitchedOff { field, off } | Self::Staged { field, off } => {
                Some((spec.get(field)?.as_str()?, off))
            }
        }
    }
}
