//! The one seam to the world: what an observation and a step are, whoever answers them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::diff::Diff;
use crate::kind::AnyKind;
use crate::plan::{self, Guard, Plan, Reads, Request, Step};
use crate::resource::{
    Desired, Document, Image, Incarnation, Jobs, JobsOf, Lookup, Observed, Owner, Place, ResourceId,
};
use crate::services::{Error, Fault, Result};
use crate::value::existing;

pub mod aws;
mod late;
mod lookups;
mod ownership;
mod simulated;

pub use aws::Aws;
pub use ownership::{Identified, identify};
pub use simulated::Simulated;

/// What an observation is about.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Who we are.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// The physical names under which each resource may be found.
    pub names: BTreeMap<ResourceId, BTreeSet<String>>,
    /// What resources were called that have another name now: what still carries the former is observed under the new.
    pub renamed: BTreeMap<ResourceId, ResourceId>,
    /// The images whose digests are asked for.
    pub images: BTreeMap<String, Image>,
    /// What is looked up that is not ours.
    pub existing: BTreeMap<String, Lookup>,
    /// Whether the zones of the region are asked for.
    pub zones: bool,
    /// How much is read.
    pub reach: Reach,
}

/// How much an observation reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Everything that may be ours.
    Everything,
    /// Everything of one kind: looked at before an id-only resource is made (D26).
    Kind(String),
    /// A poll: only the named resources (D23).
    Named,
}

impl Scope {
    /// The scope of a plan.
    pub fn of(desired: &Desired) -> Self {
        let names = desired
            .resources
            .iter()
            .map(|(id, d)| {
                // What was renamed keeps the name in AWS that it had.
                let former =
                    d.renamed_from.iter().map(|former| format!("{}{}", desired.name_prefix, former.name));
                (id.clone(), former.chain([d.physical_name.clone()]).collect())
            })
            .collect();
        let images = desired.images.iter().filter(|(_, image)| image.resolved.is_none());
        let renamed =
            desired.resources.iter().filter_map(|(id, d)| Some((d.renamed_from.clone()?, id.clone())));
        Self {
            renamed: renamed.collect(),
            owner: desired.owner.clone(),
            place: desired.place.clone(),
            names,
            images: images.map(|(name, image)| (name.clone(), image.clone())).collect(),
            existing: desired.existing.clone(),
            zones: existing::are_zones_named(desired),
            reach: Reach::Everything,
        }
    }

    /// The same place and owner, and other names.
    pub fn narrowed(&self, reach: Reach, names: BTreeMap<ResourceId, BTreeSet<String>>) -> Self {
        Self {
            owner: self.owner.clone(),
            place: self.place.clone(),
            names,
            renamed: self.renamed.clone(),
            images: BTreeMap::new(),
            existing: BTreeMap::new(),
            zones: false,
            reach,
        }
    }
}

/// What is asked of a resource.
pub struct Act<'a> {
    /// The step.
    pub step: &'a Step,
    /// The incarnation, as last observed; `None` before it is made.
    pub live: Option<&'a Incarnation>,
    /// What it is to be, with every reference resolved.
    pub want: &'a Document,
    /// What differs; empty where it is made or removed.
    pub diff: &'a Diff,
    /// The same for every attempt at this step.
    pub token: &'a str,
}

/// Plans what was observed. What differs of kinds that AWS shows late is looked at again first. Only where a change can cut jobs off they are read as well, and only of what is deleted it is
/// asked whether it holds data; then it is planned again (D21, D22).
pub async fn plan(
    cloud: &dyn Cloud,
    desired: &Desired,
    mut observed: Observed,
    kinds: &[&'static dyn AnyKind],
    guard: &Guard,
) -> Result<(Plan, Observed)> {
    let plan = late::settled(cloud, desired, &mut observed, kinds, guard).await?;
    let reads = plan::needs(&plan, &observed, kinds);
    if reads.is_empty() {
        return Ok((plan, observed));
    }
    read(cloud, &reads, &mut observed).await?;
    let plan = plan::plan(&Request::new(desired, &observed, kinds, guard));
    Ok((plan, observed))
}

/// The same once more, of what was observed right before the first write (D26). Of what is as it was, it is the same plan: none
/// is made anew.
pub async fn plan_again(
    cloud: &dyn Cloud,
    desired: &Desired,
    observed: Observed,
    kinds: &[&'static dyn AnyKind],
    guard: &Guard,
    (plan, before): (Plan, &Observed),
) -> Result<(Plan, Observed)> {
    let unasked = Observed { jobs: None, data: BTreeMap::new(), ..before.clone() };
    if observed != unasked {
        return self::plan(cloud, desired, observed, kinds, guard).await;
    }
    let mut told = observed.clone();
    read(cloud, &plan::needs(&plan, before, kinds), &mut told).await?;
    match told == *before {
        true => Ok((plan, told)),
        // Another plan may ask for something else.
        false => self::plan(cloud, desired, observed, kinds, guard).await,
    }
}

/// Reads what a plan asks for.
async fn read(cloud: &dyn Cloud, reads: &Reads, observed: &mut Observed) -> Result<()> {
    let jobs = async {
        match &reads.jobs {
            Some(about) => cloud.jobs(about).await.map(Some),
            None => Ok(None),
        }
    };
    let each = reads.data.iter().map(|(id, live)| async move { Ok((id, cloud.data(id, live).await?)) });
    let data = stream::iter(each).buffered(MOST_ASKED).try_collect::<Vec<_>>();
    let (jobs, data) = futures::try_join!(jobs, data)?;
    let data = data.into_iter().filter_map(|(id, data)| Some((id.clone(), data?))).collect();
    (observed.jobs, observed.data) = (jobs, data);
    Ok(())
}

/// How many resources are asked at once whether they hold data.
const MOST_ASKED: usize = 8;

/// What the planner and the executor know of the world.
pub trait Cloud: Send + Sync {
    /// Reads what the scope asks for. Any failure is a failure of the whole.
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>>;
    /// Makes the next legal move of a step. Of a create: the name or id of what was made.
    fn perform<'a>(&'a self, act: Act<'a>) -> BoxFuture<'a, Result<Option<String>>>;
    /// The jobs that are not over: asked for only where a change may cut them off (D21).
    fn jobs<'a>(&'a self, about: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>>;
    /// What data something holds that is to be deleted; `None` if it is empty (D22).
    fn data<'a>(&'a self, id: &'a ResourceId, live: &'a Incarnation)
    -> BoxFuture<'a, Result<Option<String>>>;
    /// When it last answered a call of whatever is under way; nothing, if that is not known.
    fn heard(&self) -> Option<Instant> {
        None
    }
    /// What an error means for a step that first tried `age` ago (D24).
    fn classify(&self, id: &ResourceId, error: &Error, age: Duration) -> Fault;
}
