//! What AWS needs to delete a resource, made anew for as long as that takes (P9, P10).

use crate::resource::{Document, ResourceId};

/// Something of another kind without which AWS can't delete a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaffold {
    /// Its kind, and its name in AWS.
    pub id: ResourceId,
    /// Its ARN.
    pub arn: String,
    /// What it is to be.
    pub want: Document,
}
