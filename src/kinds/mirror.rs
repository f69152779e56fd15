//! One field list, three things: a spec's struct, its way to the SDK and its way back (docs/decisions/D34-large-specs.md).
//!
//! ```ignore
//! mirror! {
//!     /// Where a volume appears inside the container.
//!     pub struct MountPoint = aws_sdk_batch::types::MountPoint {
//!         /// The path in the container.
//!         required container_path: String,
//!         /// Whether the container may not write to it.
//!         default read_only: bool = false,
//!         /// The volume's name.
//!         empty source_volume: Option<String>,
//!     }
//! }
//! ```
//!
//! Each line is a class, a field of the SDK's struct under the very same name, and the type that the spec gives it. The
//! struct derives everything that a spec needs, is written in camel case, and refuses unknown fields. Further attributes
//! (`#[schemars(transform = field::set)]`, `#[serde(rename = "…")]`) go above the line as ever. The classes are D3's:
//!
//! - `required`: a manifest has to say it.
//! - `empty`: an `Option`, `Vec` or `BTreeMap` whose absence means none.
//! - `server`: the same types, whose absence leaves AWS's own value alone.
//! - `default f: T = v`: absence means `v`, in a manifest and in what AWS reports. Without `= v` it is the type's own
//!   default (`false`, `0`).
//! - `flag`: a `bool` that is `false` where it is absent, and is sent only where it is `true`: AWS refuses some of them on
//!   some platforms, whatever they say.
//!
//! Fields that the SDK's struct does not have follow in `beside { … }`: they are the kind's own to send.
//!
//! Fields that only AWS writes are named in `unsaid { … }`, last: a test of each list fails when the SDK has a field that the list
//! does not know.
//!
//! What may stand on either side of a field:
//!
//! | spec | SDK |
//! |---|---|
//! | `String` | `String` or any of the SDK's enums |
//! | `bool`, `i32`, `i64`, `f64` | the same |
//! | a mirrored struct | the struct that it mirrors |
//! | `Option<T>` | `Option<S>` |
//! | `Vec<T>` | `Option<Vec<S>>`; an empty one is not sent |
//! | `BTreeMap<String, String>` | `Option<HashMap<String, String>>`; an empty one is not sent |
//!
//! It fits SDK structs whose fields are all `Option` and whose builder cannot fail, as those of Batch and EC2 are. A field
//! that the SDK has and the list lacks is left at its default: name every one.

use std::collections::{BTreeMap, HashMap};

use schemars::Schema;
use serde_json::Value;

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

        impl Hidden for $type {}
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

/// Whether a field is left out of a document.
pub trait Hidden {
    /// An absent or empty one is.
    fn hidden(&self) -> bool {
        false
    }
}

impl Hidden for String {}

impl<T> Hidden for Option<T> {
    fn hidden(&self) -> bool {
        self.is_none()
    }
}

impl<T> Hidden for Vec<T> {
    fn hidden(&self) -> bool {
        self.is_empty()
    }
}

impl<K, V> Hidden for BTreeMap<K, V> {
    fn hidden(&self) -> bool {
        self.is_empty()
    }
}

/// Drops a sub-document that says nothing but defaults: AWS reports some of them unasked, and others only when asked.
pub fn prune<T: Default + PartialEq>(part: &mut Option<T>) {
    if part.as_ref().is_some_and(|part| *part == T::default()) {
        *part = None;
    }
}

/// The class of a field, as a schema transform of the same name as the word in the list.
pub mod class {
    use schemars::Schema;

    pub use crate::field::{empty, server};

    /// A manifest has to say it.
    pub fn required(schema: &mut Schema) {
        schema.insert(super::REQUIRED.to_owned(), true.into());
    }

    /// Absence means the value that the schema gives as `default`.
    pub fn default(_: &mut Schema) {}

    /// Absence means `false`.
    pub fn flag(_: &mut Schema) {}
}

/// What is sent of a field, by the class that it has.
pub mod sent {
    use super::Field;

    /// The value.
    pub fn required<S>(field: &impl Field<S>) -> Option<S> {
        field.write()
    }

    pub use self::{required as empty, required as server, required as default};

    /// Only `true`.
    pub fn flag(field: &bool) -> Option<bool> {
        field.then_some(true)
    }
}

/// Marks required fields until [`finish`] lists them.
const REQUIRED: &str = "x-required";

/// Lists the required fields where JSON Schema wants them, and takes away their made-up defaults.
pub fn finish(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut required = Vec::new();
    for (name, property) in properties {
        let Some(property) = property.as_object_mut() else { continue };
        if property.remove(REQUIRED).is_some() {
            property.remove("default");
            required.push(Value::String(name.clone()));
        }
    }
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
}

/// See the module's own page.
macro_rules! mirror {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident = $sdk:path {
            $($(#[$field_meta:meta])* $class:ident $field:ident: $type:ty $(= $default:expr)?,)*
        }
        $(beside {
            $($(#[$beside_meta:meta])* $beside_class:ident $beside:ident: $beside_type:ty $(= $beside_default:expr)?,)*
        })?
        $(unsaid { $($unsaid:ident),* })?
    )*) => {$(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        $(#[$meta])*
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        #[schemars(transform = $crate::kinds::mirror::finish)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::kinds::mirror::Hidden::hidden")]
                #[schemars(transform = $crate::kinds::mirror::class::$class)]
                pub $field: $type,
            )*
            $($(
                $(#[$beside_meta])*
                #[serde(skip_serializing_if = "crate::kinds::mirror::Hidden::hidden")]
                #[schemars(transform = $crate::kinds::mirror::class::$beside_class)]
                pub $beside: $beside_type,
            )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::kinds::mirror::or_default!($($default)?),)*
                    $($($beside: $crate::kinds::mirror::or_default!($($beside_default)?),)*)?
                }
            }
        }

        #[allow(deprecated, reason = "what AWS still takes and reports can be declared")]
        impl $crate::kinds::mirror::Part<$sdk> for $name {
            fn of(sdk: &$sdk) -> Self {
                Self {
                    $($field: $crate::kinds::mirror::Field::read(
                        sdk.$field.as_ref(),
                        || $crate::kinds::mirror::or_default!($($default)?),
                    ),)*
                    $($($beside: $crate::kinds::mirror::or_default!($($beside_default)?),)*)?
                }
            }

            fn sdk(&self) -> $sdk {
                let mut sdk = <$sdk>::builder().build();
                $(sdk.$field = $crate::kinds::mirror::sent::$class(&self.$field);)*
                sdk
            }
        }

        impl $crate::kinds::mirror::Field<$sdk> for $name {
            fn read(sdk: Option<&$sdk>, absent: impl FnOnce() -> Self) -> Self {
                sdk.map_or_else(absent, $crate::kinds::mirror::Part::of)
            }

            fn write(&self) -> Option<$sdk> {
                Some($crate::kinds::mirror::Part::sdk(self))
            }
        }

        impl $crate::kinds::mirror::Hidden for $name {}
    )*

        #[cfg(test)]
        mod mirrored {
            use super::*;

            #[test]
            #[allow(deprecated, reason = "what AWS still takes and reports can be declared")]
            fn every_field_of_the_sdk_is_said() {
                $(
                    let blank = format!("{:?}", <$sdk>::builder().build());
                    let said = [$(stringify!($field),)* $($(stringify!($unsaid),)*)?];
                    $crate::kinds::mirror::tests::compare(&blank, &said);
                )*
            }
        }
    };
}

/// A value, or the type's own default.
macro_rules! or_default {
    () => {
        Default::default()
    };
    ($value:expr) => {
        $value
    };
}

pub(crate) use {mirror, or_default};

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use aws_sdk_batch::types as sdk;
    use schemars::schema_for;
    use serde_json::json;

    use super::Part;
    use crate::field;

    /// Compares the fields that the SDK's struct shows when it is printed with those of a list.
    pub(crate) fn compare(blank: &str, said: &[&str]) {
        let (name, fields) = blank.split_once(" {").unwrap_or((blank, ""));
        let fields = fields.trim_end_matches('}').split(", ").filter(|field| !field.trim().is_empty());
        let offered: BTreeSet<&str> =
            fields.map(|field| field.split(':').next().unwrap_or(field).trim()).collect();
        let said: BTreeSet<&str> = said.iter().map(|field| field.trim_start_matches("r#")).collect();
        assert_eq!(offered, said, "the fields of {name}: on the left the SDK's, on the right the list's");
    }

    mirror! {
        /// A structure with a field of each class.
        pub struct Sample = sdk::EksContainerSecurityContext {
            /// Required.
            required run_as_user: i64,
            /// Empty.
            empty run_as_group: Option<i64>,
            /// A flag.
            flag privileged: bool,
            /// A default.
            default allow_privilege_escalation: bool = true,
            /// The server's.
            #[schemars(transform = field::create_only)]
            server read_only_root_filesystem: Option<bool>,
        }
        beside {
            /// Our own.
            default ours: bool,
        }
        unsaid { run_as_non_root }
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
