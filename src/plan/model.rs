//! What a plan is: data, and nothing that computes it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::diff::FieldChange;
use crate::kind::{Effect, Reason};
use crate::resource::{Document, Job, OnDelete, Owner, Place, Position, ResourceId, Tags};

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
    pub digests: Digests,
}

/// What a reviewer has seen of a change, as digests (D19).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digests {
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

impl Digests {
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
    pub drain_timeout: Option<u64>,
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

/// Why a plan is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Objector {
    /// It belongs to somebody else, or to nobody.
    Owner,
    /// It is protected.
    Protected,
    /// A delete that needs a word of its own.
    Delete,
    /// More deletes of a kind than the limit.
    Limit,
    /// AWS offers no way.
    Impossible,
    /// More than one incarnation where one is expected.
    Ambiguous,
    /// Something still uses it.
    Held,
    /// It holds data, and nothing says what becomes of that.
    Data,
    /// Jobs would be cut off.
    Jobs,
    /// It names something that is nowhere.
    Nowhere,
    /// An image's digest is not known: a plan may be made, but not applied.
    Image,
}

/// What a lookup of something that is not ours found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LookedUp {
    /// The name of the lookup.
    pub name: String,
    /// What was looked for, in words.
    pub what: String,
    /// What is meant by it.
    pub found: String,
    /// Whether it is held at that.
    pub held: bool,
    /// What would be found now, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<String>,
    /// The changes that come of nothing but that it finds something else than what is in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<ResourceId>,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// Something that speaks against a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Objection {
    /// Which resource.
    pub id: ResourceId,
    /// Why.
    pub objector: Objector,
    /// What is the matter, and the way out.
    pub message: String,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

impl Objection {
    /// Whether the plan can be shown as good, though not applied (D6).
    pub fn only_stops_apply(&self) -> bool {
        self.objector == Objector::Image
    }
}

/// A doubt about what is declared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// Which resource; none: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ResourceId>,
    /// What is doubtful, and what to say instead.
    pub message: String,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

/// What a change does to the jobs of a queue or of a compute environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// Which resource changes.
    pub id: ResourceId,
    /// What becomes of its jobs.
    pub end: End,
    /// Its jobs that are not over, by name.
    pub jobs: Vec<Affected>,
    /// Whether more of them wait than are listed.
    pub more: bool,
    /// Whether cutting them off was allowed by name.
    pub allowed: bool,
}

/// What becomes of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is", content = "minutes")]
pub enum End {
    /// Running ones get so many minutes more, by `updatePolicy`.
    After(u64),
    /// Running ones end at once.
    AtOnce,
    /// Their queue goes, and all of them with it.
    WithQueue,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    /// The job.
    pub job: Job,
    /// Whether it will not come to its own end, as far as can be told.
    pub cut_off: bool,
}

impl Impact {
    /// The jobs that are cut off.
    pub fn cut_off(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|affected| affected.cut_off).map(|affected| &affected.job)
    }
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
    /// What was looked up that is not ours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looked_up: Vec<LookedUp>,
    /// How many resources are as declared.
    pub unchanged: usize,
    /// How many revisions stay ACTIVE, of each resource that says so: reviewed with the plan, for they go whenever a run
    /// comes to it (D20).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keeps: BTreeMap<ResourceId, u32>,
}

impl Plan {
    /// Whether nothing differs. There may still be something to run: what is [due](Plan::due).
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a change comes of nothing but a lookup that finds something else than what is in use.
    pub fn is_moved(&self, change: &Change) -> bool {
        self.looked_up.iter().any(|it| it.moves.contains(&change.id))
    }

    /// Whether an apply would do nothing.
    pub fn is_idle(&self) -> bool {
        self.changes.is_empty() && self.steps.is_empty()
    }

    /// How many changes have this action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}
