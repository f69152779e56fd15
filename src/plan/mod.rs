//! What is declared and what AWS has → what differs and what to run. Pure: no call, no clock, no file.
//!
//! A [`Plan`] is a value: plain data, complete, with no choice left to the executor. What differs ([`Change`], for people)
//! and what to run ([`Step`], for the executor) are two lists, and what speaks against it ([`Objection`]) is a third.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::diff::FieldChange;
use crate::kind::{AnyKind, Effect, Reason};
use crate::resource::{
    Document, Incarnation, JobsOf, Observed, OnDelete, Owner, Place, Position, ResourceId, Tags,
};

mod adopt;
mod behind;
mod check;
mod collision;
mod cycles;
mod digest;
mod drafts;
pub mod expect;
mod final_state;
mod generation;
mod graph;
mod guard;
mod ignore;
mod impact;
mod job_needs;
mod literals;
mod lost;
mod needed;
mod obstacle;
mod only;
mod pinned;
mod planner;
mod prune;
mod renaming;
mod replacement;
mod resolve;
mod retire;
mod revisions;
mod stand_in;
mod steps;
mod strategy;
mod tags;
mod unchanged;
mod unknown;
mod warn;

pub use adopt::adopt;
pub use check::check;
use expect::Reviewed;
pub use generation::{is_generation_name, of_name as generation_of_name};
pub use guard::{Guard, Objection, Objector};
pub use impact::{Affected, End, Impact};
pub use lost::not_ours;
pub use planner::plan;
pub use prune::stays;
pub(crate) use resolve::text as output_text;
pub use tags::wanted as wanted_tags;
pub(crate) use tags::{differ as tag_changes, retiring_mark};
pub use warn::{Warning, warnings};

/// What becomes of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// It is made.
    Create,
    /// It exists, and becomes ours.
    Adopt,
    /// It is changed.
    Update,
    /// Another takes its place.
    Replace,
    /// It goes.
    Delete,
    /// It stays, and is no longer ours.
    Forget,
}

/// One resource that differs, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Which.
    pub id: ResourceId,
    /// What becomes of it.
    pub action: Action,
    /// In which way, of an update or a replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Why, in one line; empty where the fields say it all.
    #[serde(default)]
    pub reason: Reason,
    /// The name or id in AWS; of a resource that is made, the name that it will have.
    pub physical: String,
    /// What differs.
    pub fields: Vec<FieldChange>,
    /// How many fields are as declared.
    pub unchanged: usize,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The digests of this change (D19).
    #[serde(default)]
    pub seal: Seal,
}

/// What a reviewer has seen of a change, as digests (D19).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seal {
    /// Of id, action, effect, name, and every field's before and after.
    pub digest: String,
    /// Of what the resource is to be afterwards; empty where that is not said.
    #[serde(default)]
    pub end: String,
    /// Of each field that an update changes, without images' digests.
    #[serde(default)]
    pub parts: Vec<String>,
    /// How many revisions stay ACTIVE, if it takes others away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trims: Option<u32>,
    /// The images that it names, and whether this run declares their digests (`--image`).
    #[serde(default)]
    pub images: BTreeMap<String, bool>,
}

impl Seal {
    /// Whether an update changes nothing but images' digests, or what follows from them.
    pub(crate) fn only_images(&self, change: &Change) -> bool {
        change.action == Action::Update
            && !change.fields.is_empty()
            && self.parts.is_empty()
            && !self.images.is_empty()
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Change its tags.
    Tag,
    /// Switch it off, and mark it as being on its way out.
    Disable,
    /// Wait until no job runs on it any more.
    Drain,
    /// Remove it.
    Delete,
    /// Register a revision.
    Register,
    /// Deregister a revision.
    Deregister,
    /// Write our ownership tags.
    Adopt,
    /// Remove our ownership tags.
    Forget,
}

/// The number of a step in its plan.
pub type StepId = usize;

/// One move of the executor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// Which resource.
    pub resource: ResourceId,
    /// What to do.
    pub verb: Verb,
    /// The name to create, or the name or id of the incarnation that is meant.
    pub physical: String,
    /// The revision that is meant, of kinds that have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// What the incarnation is to be afterwards. May hold references that earlier steps make known.
    pub want: Document,
    /// The tags that it is to carry afterwards.
    pub tags: Tags,
    /// Field paths that are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// What becomes of its data, of a delete.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// How many seconds a drain, or a delete that running tasks hold up, may take in this apply; then the rest is left to a later
    /// one (D20).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// Whether jobs that it would cut off may be cut off (`--allow-interrupt`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub interrupts: bool,
    /// What its document does not name yet, because that waits for it: a later step of the same resource does (D17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<ResourceId>,
    /// How jobs would name what is deleted: they are asked once more, right before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_jobs: Option<AsksJobs>,
    /// The steps that come before it.
    pub after: BTreeSet<StepId>,
    /// Why it is there.
    #[serde(default)]
    pub because: Reason,
}

/// What jobs may need that a step deletes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AsksJobs {
    /// The ARN of a role, or the name of a log group.
    pub about: String,
    /// The queues, by ARN, that the plan deletes: their jobs end with them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ending: BTreeSet<String>,
}

/// Something about a resource that is no change of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Which resource.
    pub id: ResourceId,
    /// What it is, in one line.
    pub message: String,
    /// The fields that differ and are left as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<FieldChange>,
    /// Whether it is left where it is when all else goes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stays: bool,
}

/// Work that a later apply will do: neither change nor drift (D20).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Due {
    /// Which resource.
    pub id: ResourceId,
    /// Which incarnation.
    pub physical: String,
    /// What, and when.
    pub what: String,
    /// The delete that it comes to, where no earlier run has begun it: a review has to hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Box<Change>>,
}

fn is_false(it: &bool) -> bool {
    !it
}

/// Everything that an apply would do, and what speaks against it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The environment's name.
    pub environment: String,
    /// Who owns what is made.
    pub owner: Owner,
    /// Where.
    pub place: Place,
    /// What differs, in order of dependency.
    pub changes: Vec<Change>,
    /// What to run.
    pub steps: Vec<Step>,
    /// What speaks against it, all at once.
    pub objections: Vec<Objection>,
    /// What is doubtful, and in nobody's way.
    #[serde(default)]
    pub warnings: Vec<Warning>,
    /// What is left alone, and why: for who wants to know more.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// What a later apply will do.
    pub due: Vec<Due>,
    /// What becomes of jobs, as far as they were asked for (D21).
    #[serde(default)]
    pub impact: Vec<Impact>,
    /// How many resources are as declared.
    pub unchanged: usize,
    /// How many revisions stay ACTIVE, of each resource that says so: reviewed with the plan, for they go whenever a run
    /// comes to it (D20).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keeps: BTreeMap<ResourceId, u32>,
}

impl Plan {
    /// The jobs that have to be known to judge it; `None` if nothing in it can interrupt one.
    pub fn jobs_wanted(&self, observed: &Observed, kinds: &[&'static dyn AnyKind]) -> Option<JobsOf> {
        let kind_of = |name: &str| kinds.iter().copied().find(|kind| kind.facts().name == name);
        let cut_off = impact::jobs_wanted(&self.steps, &self.changes, observed, &kind_of);
        job_needs::jobs_wanted(cut_off, &self.steps, observed, &kind_of)
    }

    /// What it deletes without a word of what becomes of the data in it: to be asked whether there is any.
    pub fn data_wanted<'o>(
        &self,
        observed: &'o Observed,
        kinds: &[&'static dyn AnyKind],
    ) -> Vec<(&'o ResourceId, &'o Incarnation)> {
        let holds_data = |id: &ResourceId| {
            kinds.iter().any(|kind| kind.facts().name == id.kind && kind.facts().holds_data)
        };
        let deletes = self.steps.iter().filter(|step| {
            step.verb == Verb::Delete && step.on_delete == OnDelete::Refuse && holds_data(&step.resource)
        });
        let live = |step: &Step| {
            let (id, seen) = observed.resources.get_key_value(&step.resource)?;
            Some((id, seen.iter().find(|live| live.physical == step.physical)?))
        };
        deletes.filter_map(live).collect()
    }

    /// Whether nothing differs. There may still be something to run: what is [due](Plan::due).
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether an apply would do nothing.
    pub fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.steps.is_empty()
    }

    /// The place and the digests of all that a review holds, as one text (D19).
    pub fn fingerprint(&self) -> String {
        self.hash(self.reviewable())
    }

    /// The place and the digests of what differs, as one text: what is due is no drift (D20).
    pub(crate) fn fingerprint_of_changes(&self) -> String {
        self.hash(self.changes.iter())
    }

    fn hash<'c>(&self, changes: impl Iterator<Item = &'c Change>) -> String {
        let mut digests: Vec<&str> = changes.map(|change| change.seal.digest.as_str()).collect();
        digests.sort_unstable();
        digests.dedup();
        let place = [&self.owner.0, &self.environment, &self.place.account, &self.place.region];
        let hash = Sha256::digest(format!("{place:?}\n{}", digests.join("\n")).as_bytes());
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The changes, and what goes after something that is due.
    pub(crate) fn reviewable(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain(self.due.iter().filter_map(|due| due.change.as_deref()))
    }

    /// What somebody sees who looks at it: the set that `apply --expect` takes (D19).
    pub fn reviewed(&self) -> Reviewed {
        Reviewed::of(self)
    }

    /// The same as text; where that would be longer than so many bytes, the fingerprint, which stands for this plan alone.
    pub fn reviewed_within(&self, room: usize) -> String {
        let set = self.reviewed().to_string();
        if set.len() <= room { set } else { self.fingerprint() }
    }

    /// How many changes have this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}
