//! What a spec's structure and the SDK's have in common: `#[spec(mirrors = …)]` writes the way from one to the other (D34).
//!
//! ```ignore
//! /// Where a volume appears inside the container.
//! #[spec(mirrors = aws_sdk_batch::types::MountPoint)]
//! pub struct MountPoint {
//!     /// The path in the container.
//!     pub container_path: String,
//!     /// Whether the container may not write to it.
//!     #[field(flag)]
//!     pub read_only: bool,
//!     /// The volume's name.
//!     #[field(empty)]
//!     pub source_volume: Option<String>,
//! }
//! ```
//!
//! A field stands for the field of the same name in the SDK's structure. `flag` is a `bool` that is sent only where it is
//! `true`: AWS refuses some of them on some platforms, whatever they say. A field that the SDK's structure lacks says
//! `beside`: the kind sends it itself. Where AWS reports it in a structure of its own, that is `told = …`. What only AWS writes
//! stands in `unsaid = […]`: a test of each structure fails when the SDK has a field that it does not know.
//!
//! What may stand on either side of a field:
//!
//! | spec | SDK |
//! |---|---|
//! | `String` | `String` or any of the SDK's enums |
//! | `bool`, `i32`, `i64`, `f64` | the same |
//! | a mirrored structure | the structure that it mirrors |
//! | `Option<T>` | `Option<S>` |
//! | `Vec<T>` | `Option<Vec<S>>`; an empty one is not sent |
//! | `BTreeMap<String, String>` | `Option<HashMap<String, String>>`; an empty one is not sent |
//!
//! It fits structures of the SDK whose fields are all `Option` and whose builder cannot fail, as those of Batch and EC2 are.

use std::collections::{BTreeMap, HashMap};

/// A value of a spec that stands for a value of the SDK.
pub trait Part<S>: Sized {
    /// What the SDK's value says.
    fn of(sdk: &S) -> Self;
    /// The SDK's value.
    fn sdk(&self) -> S;
}

/// A field of a spec that stands for an optional field of the SDK.
pub trait Field<S>: Sized {
    /// What AWS reports; `absent` where it reports nothing.
    fn read(sdk: Option<&S>, absent: impl FnOnce() -> Self) -> Self;
    /// What is sent.
    fn write(&self) -> Option<S>;
}

impl<E: AsRef<str> + for<'a> From<&'a str>> Part<E> for String {
    fn of(sdk: &E) -> Self {
        sdk.as_ref().to_owned()
    }

    fn sdk(&self) -> E {
        E::from(self.as_str())
    }
}

impl<E: AsRef<str> + for<'a> From<&'a str>> Field<E> for String {
    fn read(sdk: Option<&E>, absent: impl FnOnce() -> Self) -> Self {
        sdk.map_or_else(absent, Part::of)
    }

    fn write(&self) -> Option<E> {
        Some(self.sdk())
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Part<$type> for $type {
            fn of(sdk: &$type) -> Self {
                *sdk
            }

            fn sdk(&self) -> $type {
                *self
            }
        }

        impl Field<$type> for $type {
            fn read(sdk: Option<&$type>, absent: impl FnOnce() -> Self) -> Self {
                sdk.copied().unwrap_or_else(absent)
            }

            fn write(&self) -> Option<$type> {
                Some(*self)
            }
        }

    )*};
}

plain!(bool, i32, i64, f64);

impl<T: Part<S>, S> Field<S> for Option<T> {
    fn read(sdk: Option<&S>, absent: impl FnOnce() -> Self) -> Self {
        sdk.map(T::of).or_else(absent)
    }

    fn write(&self) -> Option<S> {
        self.as_ref().map(T::sdk)
    }
}

impl<T: Part<S>, S> Field<Vec<S>> for Vec<T> {
    fn read(sdk: Option<&Vec<S>>, absent: impl FnOnce() -> Self) -> Self {
        sdk.map_or_else(absent, |items| items.iter().map(T::of).collect())
    }

    fn write(&self) -> Option<Vec<S>> {
        (!self.is_empty()).then(|| self.iter().map(T::sdk).collect())
    }
}

impl Field<HashMap<String, String>> for BTreeMap<String, String> {
    fn read(sdk: Option<&HashMap<String, String>>, absent: impl FnOnce() -> Self) -> Self {
        sdk.map_or_else(absent, |map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    fn write(&self) -> Option<HashMap<String, String>> {
        (!self.is_empty()).then(|| self.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
    }
}

/// Drops a sub-document that says nothing but defaults: AWS reports some of them unasked, and others only when asked.
pub fn prune<T: Default + PartialEq>(part: &mut Option<T>) {
    if part.as_ref().is_some_and(|part| *part == T::default()) {
        *part = None;
    }
}

/// What is sent of a field, by the class that it has.
pub mod sent {
    use super::Field;

    /// The value.
    pub fn value<S>(field: &impl Field<S>) -> Option<S> {
        field.write()
    }

    /// Only `true`.
    pub fn flag(field: &bool) -> Option<bool> {
        field.then_some(true)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_batch::types as sdk;
    use schemars::schema_for;
    use serde_json::json;

    use super::Part;
    use crate::field::spec;

    /// Compares the fields that the SDK's struct shows when it is printed with those of a list.
    pub(crate) fn compare(blank: &str, said: &[&str]) {
        let (name, fields) = blank.split_once(" {").unwrap_or((blank, ""));
        let fields = fields.trim_end_matches('}').split(", ").filter(|field| !field.trim().is_empty());
        let offered: BTreeSet<&str> =
            fields.map(|field| field.split(':').next().unwrap_or(field).trim()).collect();
        let said: BTreeSet<&str> = said.iter().map(|field| field.trim_start_matches("r#")).collect();
        assert_eq!(offered, said, "the fields of {name}: on the left the SDK's, on the right the list's");
    }

    /// A structure with a field of each class.
    #[spec(mirrors = sdk::EksContainerSecurityContext, unsaid = [run_as_non_root])]
    pub struct Sample {
        /// Required.
        pub run_as_user: i64,
        /// Empty.
        #[field(empty)]
        pub run_as_group: Option<i64>,
        /// A flag.
        #[field(flag)]
        pub privileged: bool,
        /// A default.
        #[field(default = true)]
        pub allow_privilege_escalation: bool,
        /// The server's.
        #[field(server, create_only)]
        pub read_only_root_filesystem: Option<bool>,
        /// Our own.
        #[field(default, beside)]
        pub ours: bool,
    }

    #[test]
    fn the_schema_tells_the_class_of_each_field() {
        let schema = schema_for!(Sample).to_value();
        assert_eq!(schema["required"], json!(["runAsUser"]));
        insta::assert_json_snapshot!(schema["properties"], @r#"
        {
          "allowPrivilegeEscalation": {
            "default": true,
            "description": "A default.",
            "type": "boolean"
          },
          "ours": {
            "default": false,
            "description": "Our own.",
            "type": "boolean"
          },
          "privileged": {
            "default": false,
            "description": "A flag.",
            "type": "boolean"
          },
          "readOnlyRootFilesystem": {
            "description": "The server's.",
            "type": [
              "boolean",
              "null"
            ],
            "x-absent": "server",
            "x-change": "create-only"
          },
          "runAsGroup": {
            "description": "Empty.",
            "format": "int64",
            "type": [
              "integer",
              "null"
            ],
            "x-absent": "empty"
          },
          "runAsUser": {
            "description": "Required.",
            "format": "int64",
            "type": "integer"
          }
        }
        "#);
    }

    #[test]
    fn absence_means_the_same_on_both_sides() {
        let blank = sdk::EksContainerSecurityContext::builder().run_as_user(1).build();
        let declared: Sample = serde_json::from_value(json!({"runAsUser": 1})).unwrap();
        assert_eq!(Sample::of(&blank), declared);
        assert!(declared.allow_privilege_escalation);
        let sent = declared.sdk();
        assert_eq!((sent.privileged, sent.allow_privilege_escalation), (None, Some(true)));
        assert!(Sample::of(&Sample { privileged: true, ..declared }.sdk()).privileged);
        assert!(serde_json::from_value::<Sample>(json!({"runAsUser": 1, "runAsUsr": 1})).is_err());
    }
}
