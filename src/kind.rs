//! What a kind is, and what it is handed.
//!
//! A kind says what its resources look like ([`Kind::Spec`]), how AWS reports them in the same words
//! ([`Kind::observe`], pure), and the next legal move towards what is wanted ([`Kind::create`], [`Kind::update`],
//! [`Kind::delete`]). It never waits, retries, prints, compares tags or catches "not found": see docs/adding-a-kind.md.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::diff::{Diff, FieldChange};
use crate::resource::{OnDelete, Place, Readiness, ResourceId, Tags};
use crate::services::{Error, Result, Scope, Service, TagRules};

mod access;
mod beside;
mod effect;
mod erased;
mod facts;
mod final_state;
mod grants;
mod names;
pub(crate) mod prelude;
mod removal;
mod scaffold;
mod users;
mod work;

pub use access::Access;
pub use beside::{Beside, Clash, Other};
pub use effect::{Effect, Manner, Order, Reason, strongest};
pub use erased::{AnyKind, Call, Erased};
pub use facts::Facts;
pub use final_state::{FinalState, Finding, Operation, Planned, Rule};
pub(crate) use grants::actions;
pub use grants::{Given, Grant, Grants, On, When};
pub use names::NameRule;
pub use removal::Removal;
pub use scaffold::Scaffold;
pub use users::{Companion, Denotations, Denoted, ExternalUser};
pub use work::{Interrupt, Work};

/// What tells one resource of a kind from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// Its name: a second create collides.
    Named,
    /// An id that AWS assigns: only our name tag says which it is.
    Assigned,
    /// A name and a revision: a change makes a new revision.
    Revisioned,
}

/// How we know that a resource is ours (D9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Tags in the create call.
    Tagged,
    /// Tags in a second call: an untagged, empty and young resource with our physical name is ours to tag.
    TagAfterCreate,
    /// It cannot be tagged: it belongs to whom its parent belongs to.
    ViaParent,
    /// The account's: ensured and merged, never claimed, never deleted.
    Shared,
}

/// Something wrong with a spec that its types cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field, such as `computeResources.maxvCpus` or `rules[0].priority`; empty for the whole.
    pub path: String,
    /// What is wrong, what was expected, and the smallest change that mends it.
    pub message: String,
}

impl Invalid {
    /// One complaint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

/// Who names a part of a resource by its digest, such as an image of a repository.
#[derive(Debug, Clone, Default)]
pub struct Pinned {
    /// The resources that do.
    pub by: BTreeSet<ResourceId>,
    /// The tags by which the environment's images are found.
    pub tags: BTreeSet<String>,
}

/// One resource as AWS reports it, in the words of its manifest.
#[derive(Debug, Clone)]
pub struct Live<K: Kind> {
    /// The name or id that AWS's calls take.
    pub physical: String,
    /// Its ARN, where it has one.
    pub arn: Option<String>,
    /// What AWS reports.
    pub spec: K::Spec,
    /// What AWS assigned.
    pub outputs: K::Outputs,
    /// All its tags except AWS's own; see [`crate::services::own_tags`].
    pub tags: Tags,
    /// Whether AWS has finished with it.
    pub readiness: Readiness,
    /// The revision, of kinds that have them.
    pub revision: Option<u64>,
}

impl<K: Kind> Live<K> {
    /// One that AWS has finished with, without an ARN, tags or a revision.
    pub fn new(physical: impl Into<String>, spec: K::Spec, outputs: K::Outputs) -> Self {
        let (physical, arn, revision) = (physical.into(), None, None);
        Self { physical, arn, spec, outputs, tags: Tags::new(), readiness: Readiness::Ready, revision }
    }

    /// With this ARN and these tags.
    pub fn with(self, arn: impl Into<String>, tags: Tags) -> Self {
        Self { arn: Some(arn.into()), tags, ..self }
    }
}

/// What a verb is handed.
pub struct Cx<'a, K: Kind> {
    /// The service's client.
    pub client: &'a <K::Service as Service>::Client,
    /// Account, region, partition.
    pub place: &'a Place,
    /// The physical name to create, or that of the live resource.
    pub name: &'a str,
    /// All tags that the resource is to carry, ours included: to be written in the create call itself.
    pub tags: &'a Tags,
    /// The same for every attempt at one step: for calls that take a client token.
    pub token: &'a str,
    /// What becomes of data in a resource that is deleted.
    pub on_delete: OnDelete,
    /// Whether jobs that are not over may be cut off.
    pub interrupts: bool,
}

impl<K: Kind> Cx<'_, K> {
    /// Refuses to delete what holds data, unless the manifest says what becomes of that. `operation`: the call that would.
    pub async fn refuse_data(&self, live: &Live<K>, operation: &'static str) -> Result<()> {
        if self.on_delete == OnDelete::Refuse
            && let Some(holds) = K::data(self, live).await?
        {
            let what = format!("it holds {holds}; set metadata.onDelete to `empty` or `retain`");
            return Err(Error::malformed(K::Service::NAME, operation, what));
        }
        Ok(())
    }
}

/// One kind of AWS resource.
pub trait Kind: Sized + Send + Sync + 'static {
    /// What a manifest declares and, in the same words, what AWS reports.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Clone + PartialEq + std::fmt::Debug + Send + Sync;
    /// What AWS assigns: ids, ARNs, URLs. Referred to, never declared. Fields that are `Option` may be missing.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Clone + std::fmt::Debug + Send + Sync;
    /// The service that it belongs to.
    type Service: Service;
    /// What it reads itself; `()` of kinds that their service reads.
    type Seen: Send + Sync + 'static;

    /// `<service>/<Kind>`.
    const NAME: &'static str;
    /// One sentence for `explain` and the documentation.
    const ABOUT: &'static str;
    /// A manifest; a test parses it, the documentation shows it.
    const EXAMPLE: &'static str;
    /// What tells one resource from another.
    const IDENTITY: Identity = Identity::Named;
    /// How we know that it is ours.
    const OWNERSHIP: Ownership = Ownership::Tagged;
    /// Whether deleting one destroys data.
    const HOLDS_DATA: bool = false;
    /// The output that says of one whether AWS made it for the account: what `default: true` of a lookup means.
    const DEFAULT_BY: Option<&'static str> = None;
    /// Whether AWS is asked for each by its name, because no list tells all of them with what they are.
    const READ_BY_NAME: bool = false;
    /// Whether it says what jobs are made of: its manifest may say what they run on. `ecs/TaskDefinition` will as well.
    const DEFINES_JOBS: bool = false;
    /// How it is removed.
    const REMOVAL: Removal = Removal::Direct;
    /// What jobs have to do with it.
    const WORK: Work = Work::None;
    /// What has to hold between it and others at the end of a plan.
    const RULES: &'static [&'static dyn Rule] = &[];
    /// Whether tasks that run hold it: AWS deletes no subnet and no security group of a network interface that is in use.
    const HELD_BY_TASKS: bool = false;
    /// Whether AWS goes on showing now and then what it was, for a while after a write: looks have to agree before they count.
    const SHOWN_LATE: bool = false;
    /// Which names AWS takes.
    const NAMES: NameRule;
    /// Its ARN, where that follows from its name: outputs have it before there is one.
    const ARN: Option<On> = None;
    /// What may be a tag of it.
    const TAGS: TagRules = <Self::Service as Service>::TAGS;
    /// Whether AWS takes names that differ only in case for one name.
    const CASELESS_NAMES: bool = false;
    /// The CloudFormation type whose property names the spec uses (D1), such as `AWS::Batch::JobQueue`.
    const CLOUDFORMATION: &'static str;
    /// AWS's fields that no manifest says, each with the reason or where it is said instead.
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[];
    /// The permissions that its calls need (`batchwright permissions`).
    const GRANTS: Grants;
    /// What whoever submits jobs has to be allowed on one that is declared.
    const SUBMIT: &'static [Grant] = &[];
    /// The actions among its grants that remove it or switch it off, beside those whose verb says so.
    const REMOVED_BY: &'static [&'static str] = &[];
    /// What it has to do with who may do what.
    const ACCESS: Access = Access::None;

    /// What is wrong beyond types: checked before AWS is touched, of the normal form. Strings may still hold `${…}` references.
    fn validate(_spec: &Self::Spec, _place: &Place) -> Vec<Invalid> {
        Vec::new()
    }

    /// The same of what is written, before it is brought into normal form, for kinds whose normal form reorders lists or leaves
    /// out what AWS does not keep: paths name places of the manifest. Where this finds something, nothing else is asked.
    fn validate_written(_spec: &Self::Spec, _place: &Place) -> Vec<Invalid> {
        Vec::new()
    }

    /// What cannot go together with others that the same environment declares, as it is written. What is declared elsewhere
    /// is AWS's to say, and so is what `metadata.ignore` leaves to others. Of two that clash the later one complains.
    fn clashes(_spec: &Self::Spec, _id: &ResourceId, _beside: &Beside<'_>) -> Vec<Clash> {
        Vec::new()
    }

    /// The name in AWS of what a manifest declares: `name` is the environment's prefix and the logical name, or
    /// `metadata.physicalName`. Kinds whose name AWS derives from the spec say so here.
    fn physical(_spec: &Self::Spec, name: &str, _place: &Place) -> String {
        name.to_owned()
    }

    /// What is wrong with this physical name of what is declared so, beside what is wrong with any.
    fn misnamed(_spec: &Self::Spec, _name: &str) -> Option<String> {
        None
    }

    /// Brings what is declared and what AWS reports into one form, where types and field rules do not suffice.
    fn normalise(_spec: &mut Self::Spec, _place: &Place) {}

    /// Outputs that follow from the physical name alone; `name` need not be said.
    fn predict(name: &str, _spec: &Self::Spec, place: &Place) -> BTreeMap<String, String> {
        let arn = Self::ARN.and_then(|arn| arn.arn(place, name));
        arn.into_iter().map(|arn| ("arn".to_owned(), arn)).collect()
    }

    /// Outputs of a revision that the next one has as well, beside what follows from the name.
    fn carried(_outputs: &Self::Outputs) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What these changes amount to, and why (D15). Default: the strongest rule of the changed fields.
    fn effect(_live: &Self::Spec, _want: &Self::Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        effect::strongest(changes, Self::IDENTITY)
    }

    /// What AWS makes no more of, though it keeps what exists: the field, and what to say instead. Asked before another
    /// one is made: on a create, and for a new generation.
    fn retired(_spec: &Self::Spec) -> Option<Invalid> {
        None
    }

    /// What is allowed and hardly meant: never an error. `live` is what exists, where AWS was asked.
    fn warnings(_spec: &Self::Spec, _live: Option<&Self::Spec>) -> Vec<Invalid> {
        Vec::new()
    }

    /// Whether somebody with a token of another identity provider, such as a workflow on GitHub, may act as it.
    fn lets_in(_spec: &Self::Spec) -> bool {
        false
    }

    /// The policy that bounds what it may, as it is written.
    fn boundary(_spec: &Self::Spec) -> Option<String> {
        None
    }

    /// The policies that it has attached, as they are written.
    fn attached(_spec: &Self::Spec) -> Vec<String> {
        Vec::new()
    }

    /// What an update in this manner does to the jobs that run on it.
    fn interrupts(_want: &Self::Spec, _manner: Manner) -> Interrupt {
        Interrupt::No
    }

    /// The name of the cluster that its tasks run in, where AWS tells.
    fn cluster(_outputs: &Self::Outputs) -> Option<String> {
        None
    }

    /// How jobs name what they need of it until they are over, without any field of theirs that refers to it.
    fn held_by_jobs(_live: &Live<Self>) -> Option<String> {
        None
    }

    /// What others name it by, beside its ARN and its id.
    fn denoted_by(_live: &Live<Self>) -> Vec<Denoted> {
        Vec::new()
    }

    /// What uses it, is not ours, and is no resource of any kind.
    fn external_users(_live: &Live<Self>) -> Vec<ExternalUser> {
        Vec::new()
    }

    /// What AWS made together with it, and takes away with it.
    fn comes_with(_live: &Live<Self>) -> Vec<Companion> {
        Vec::new()
    }

    /// What AWS needs to delete it, and how that is made anew if somebody has taken it away.
    fn scaffold(_live: &Live<Self>, _place: &Place) -> Option<Scaffold> {
        None
    }

    /// The noun of what a live one holds and its delete would lose or refuse, such as `objects`; `None` if it is empty. Asked
    /// of kinds that [hold data](Self::HOLDS_DATA), before a plan that deletes one is shown.
    fn data(
        _cx: &Cx<'_, Self>,
        _live: &Live<Self>,
    ) -> impl Future<Output = Result<Option<&'static str>>> + Send {
        async { Ok(None) }
    }

    /// What may take away from its users what they name by its digest: never an error. Asked only where somebody does.
    fn expiring(_spec: &Self::Spec, _pinned: &Pinned) -> Vec<Invalid> {
        Vec::new()
    }

    /// Reads what its service does not read for it, by name: see [`Scope::read_each`]. Any failure fails the whole.
    fn read(
        _client: &<Self::Service as Service>::Client,
        _scope: &Scope,
    ) -> impl Future<Output = Result<BTreeMap<String, Self::Seen>>> + Send {
        async { Ok(BTreeMap::new()) }
    }

    /// One that [`read`](Self::read) found, in the manifest's words. Never calls AWS.
    fn live(_name: &str, _seen: &Self::Seen, _place: &Place) -> Option<Live<Self>> {
        None
    }

    /// Projects the service's snapshot, of kinds that it reads. Never calls AWS.
    fn observe(_snapshot: &<Self::Service as Service>::Snapshot, _place: &Place) -> Vec<Live<Self>> {
        Vec::new()
    }

    /// Makes it, and returns the name or id that AWS's calls take from now on.
    fn create(cx: &Cx<'_, Self>, want: &Self::Spec) -> impl Future<Output = Result<String>> + Send;

    /// Makes the next legal move from the live state towards `want`. `diff` is empty only of what is broken and may be
    /// mended by being told again ([`Readiness::Repairable`]).
    fn update(
        cx: &Cx<'_, Self>,
        live: &Live<Self>,
        want: &Self::Spec,
        diff: &Diff,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Makes the next legal move towards absence, told by the live state: disable, then delete; detach, then delete.
    fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> impl Future<Output = Result<()>> + Send;
}
