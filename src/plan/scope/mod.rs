//! 1. What is planned, and what needs what.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::plan::request::{Guard, Registry, Request};
use crate::plan::scope::references::Links;
use crate::resource::{Desired, Observed, ResourceId};

pub mod only;
pub mod order;
pub mod references;
pub mod uses;

/// What every stage looks at.
pub struct Scope<'a> {
    /// What is to be there: of a `destroy`, nothing.
    pub desired: Cow<'a, Desired>,
    /// What the manifests declare, also where it is to be destroyed.
    pub declared: &'a Desired,
    pub observed: &'a Observed,
    pub kinds: Registry,
    pub guard: &'a Guard,
    /// What the references of what is declared say about order.
    pub links: Links,
    /// The declared resources that the plan is about.
    pub members: BTreeSet<ResourceId>,
    /// Whether these are all.
    pub whole: bool,
}

impl<'a> Scope<'a> {
    pub fn of(request: &Request<'a>) -> Self {
        let Request { desired: declared, observed, guard, .. } = *request;
        let desired = match guard.destroy {
            true => Cow::Owned(nothing(declared)),
            false => Cow::Borrowed(declared),
        };
        let kinds = Registry::new(request.kinds);
        let links = Links::of(&desired, &kinds);
        let members = only::part(guard.only.as_ref(), &links);
        Self { desired, declared, observed, kinds, guard, links, members, whole: guard.only.is_none() }
    }
}

fn nothing(desired: &Desired) -> Desired {
    let mut nothing = desired.clone();
    nothing.resources.clear();
    nothing
}
