//! `#[spec]` and `#[outputs]`: how a kind's fields are written (docs/decisions/D34-large-specs.md, docs/adding-a-kind.md).
//!
//! ```ignore
//! /// What a manifest declares of a queue.
//! #[spec]
//! pub struct Spec {
//!     /// Which queue goes first: higher first.
//!     #[field(range(0..=1000))]
//!     pub priority: i32,
//!     /// How the queue is shared.
//!     #[field(empty, refers("batch/SchedulingPolicy.arn"))]
//!     pub scheduling_policy_arn: Option<String>,
//! }
//! ```
//!
//! It stays the plain struct that it looks like: nothing is added to it and nothing renamed. `#[spec]` derives what every
//! spec needs and turns the words of `#[field(…)]` into attributes of serde and schemars. A word is a class (D3), a check of
//! JSON Schema (`range(0..=9)`, `length(1..=255)`, `regex(PATTERN)`, `inner(…)`), or a function of `batchwright::field`: a typo is
//! an error of the compiler at the word.

use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemStruct, parse_macro_input};

mod mirror;
mod structure;
mod words;

/// A structure that manifests declare. `#[spec(default)]` also gives it the `Default` that its fields say;
/// `#[spec(mirrors = sdk::MountPoint)]` its way to the SDK and back, with `unsaid = [a, b]` for fields that only AWS writes.
#[proc_macro_attribute]
pub fn spec(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as structure::Arguments);
    let item = parse_macro_input!(item as ItemStruct);
    structure::spec(arguments, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// A structure that AWS assigns: read, never declared.
#[proc_macro_attribute]
pub fn outputs(_: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemStruct);
    quote! {
        #[derive(Debug, Clone, ::serde::Serialize, ::serde::Deserialize, ::schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        #item
    }
    .into()
}
