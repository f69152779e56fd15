//! What the file of a kind needs: `use crate::kind::prelude::*;`.

pub use std::collections::BTreeMap;

pub(crate) use super::actions;
pub use super::{
    Access, Beside, Clash, Companion, Cx, Denoted, Effect, ExternalUser, Given, Grant, Grants, Identity,
    Interrupt, Invalid, Kind, Live, Manner, NameRule, On, Order, Other, Ownership, Pinned, Reason, Removal,
    Rule, Scaffold, When, Work, strongest,
};
pub use crate::diff::{ChangeRule, Diff, FieldChange};
pub use crate::field::{outputs, spec};
pub use crate::resource::{OnDelete, Place, Readiness, ResourceId, Tags};
pub use crate::services::{Error, Result, Scope, Service, TagRules, failed, own_tags};
pub use crate::value::Policy;
