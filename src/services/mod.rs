//! One file per AWS service: its client, a snapshot of what it has, and how it tags.
//!
//! These files read AWS in bulk; what AWS tells of one at a time, its kind may read. A service knows of no kind: it reads, pages and
//! batches; what the answers mean is each kind's projection.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use aws_config::SdkConfig;
use futures::future::{BoxFuture, Shared};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::resource::{Listing, Owner, Place, Tags};

pub mod batch;
pub mod cloudtrail;
pub mod count;
pub mod ec2;
pub mod ecr;
pub mod efs;
pub mod error;
pub mod heard;
pub mod iam;
mod limiter;
pub mod logs;
mod promised;
mod retries;
pub mod s3;
pub mod sqs;
pub mod ssm;
pub mod sts;
pub mod tag_rules;
pub mod tagging;
mod whole;

pub use error::{Error, Fault, Reached, Result, failed};
pub use limiter::Concurrency;
pub(crate) use promised::begins;
use retries::settings;
pub use tag_rules::TagRules;
pub(crate) use whole::read;

/// How many reads of single items run at once, for each service.
const AT_ONCE: usize = 8;

/// The ARNs that carry our owner tag, found by one search; it only widens what is read (D10).
pub type Sweep = Shared<BoxFuture<'static, Result<Swept>>>;

/// What the tag search found.
#[derive(Debug, Clone, Default)]
pub struct Swept {
    /// The ARNs that carry our owner tag, each with its tags.
    pub found: BTreeMap<String, Tags>,
    /// What it could not search, and what is therefore not found.
    pub unsearched: Option<String>,
}

/// What a read is about.
#[derive(Clone)]
pub struct Scope {
    /// Who we are.
    pub owner: Owner,
    /// Where we are.
    pub place: Place,
    /// Physical names or ids that matter, by kind: what is declared, or what a poll waits for.
    pub names: BTreeMap<String, BTreeSet<String>>,
    /// A poll: read nothing but `names`. Otherwise everything that may be ours is read.
    pub only: bool,
    /// Read nothing but what is ours of this one kind.
    pub kind: Option<String>,
    /// Kinds of which something is looked for that no name tells, such as by its tags; and by which fields.
    pub looked_up: BTreeMap<String, BTreeSet<String>>,
    /// What the tag search found, when it has finished. Empty in a poll.
    pub sweep: Sweep,
}

impl Scope {
    /// A scope in which the tag search found nothing.
    pub fn without_sweep(
        owner: Owner,
        place: Place,
        names: BTreeMap<String, BTreeSet<String>>,
        only: bool,
    ) -> Self {
        let sweep = async { Ok(Swept::default()) }.boxed().shared();
        Self { owner, place, names, only, kind: None, looked_up: BTreeMap::new(), sweep }
    }

    /// The names of a kind that matter.
    pub fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.names.get(kind).into_iter().flatten().map(String::as_str)
    }

    /// Whether resources of a kind are to be read: always, or in a poll if some are waited for.
    pub fn wants(&self, kind: &str) -> bool {
        if let Some(only) = &self.kind {
            return only == kind;
        }
        !self.only || self.names.get(kind).is_some_and(|names| !names.is_empty())
    }

    /// What follows `prefix` in the ARNs that the tag search found: names of owned resources.
    /// `prefix` such as `arn:aws:s3:::`, `place.arn("logs", "log-group:")`.
    pub async fn swept(&self, prefix: &str) -> Result<BTreeSet<String>> {
        let found = self.sweep.clone().await?;
        Ok(found.found.keys().filter_map(|arn| arn.strip_prefix(prefix)).map(str::to_owned).collect())
    }

    /// Reads each resource of a kind that has no bulk read: the declared ones at once, those that only the tag search
    /// names when it has finished. `read` answers `None` for what does not exist.
    pub async fn read_each<T, F, R>(
        &self,
        kind: &str,
        arn_prefix: &str,
        read: F,
    ) -> Result<BTreeMap<String, T>>
    where
        F: Fn(String) -> R,
        R: Future<Output = Result<Option<T>>>,
    {
        let declared: BTreeSet<String> = self.names(kind).map(str::to_owned).collect();
        let run = |names: BTreeSet<String>| {
            let read = &read;
            stream::iter(names)
                .map(move |name| async move { Ok::<_, Error>((name.clone(), read(name).await?)) })
                .buffer_unordered(AT_ONCE)
                .try_collect::<Vec<(String, Option<T>)>>()
        };
        let swept = async {
            let swept = self.swept(arn_prefix).await?;
            run(swept.difference(&declared).cloned().collect()).await
        };
        let (found, more) = futures::try_join!(run(declared.clone()), swept)?;
        Ok(found
            .into_iter()
            .chain(more)
            .filter_map(|(name, found)| found.map(|found| (name, found)))
            .collect())
    }
}

/// What is to be tagged.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// `<service>/<Kind>`.
    pub kind: &'a str,
    /// The name or id that AWS's calls take.
    pub physical: &'a str,
    /// Its ARN, where it has one.
    pub arn: Option<&'a str>,
    /// All the tags that it has now (without `aws:` ones): for services that only replace the whole set.
    pub live: &'a Tags,
}

/// One AWS service.
pub trait Service: Send + Sync + 'static {
    /// The part of a kind's name before the slash: `batch`.
    const NAME: &'static str;
    /// How its ARNs call it.
    const IN_ARNS: &'static str = Self::NAME;
    /// What it takes as tags.
    const TAGS: TagRules;
    /// Whether a plan reads it whatever is declared: things of it stand on others', or the tag search does not know it.
    const ALWAYS_READ: bool = false;
    /// Whether what it makes or changes is seen by other services only after a while.
    const PROPAGATES: bool = false;
    /// Whether it is one for all regions.
    const GLOBAL: bool = false;
    /// The SDK's client.
    type Client: Clone + Send + Sync + 'static;
    /// What was read: SDK structs, untouched.
    type Snapshot: Default + Send + Sync + 'static;

    /// A client for this configuration.
    fn client(config: &SdkConfig) -> Self::Client;
    /// Reads, paged and in parallel, what the scope asks for. Any failure fails the whole: unreadable is never absent. Nothing,
    /// where kinds read themselves.
    fn read(_client: &Self::Client, _scope: &Scope) -> impl Future<Output = Result<Self::Snapshot>> + Send {
        async { Ok(Self::Snapshot::default()) }
    }
    /// All that the account has, of the kinds that a read of everything lists as a whole.
    fn listed(_snapshot: &Self::Snapshot) -> BTreeMap<&'static str, Listing> {
        BTreeMap::new()
    }
    /// Sets and removes tags.
    fn tag(
        client: &Self::Client,
        target: Target<'_>,
        set: &Tags,
        unset: &[String],
    ) -> impl Future<Output = Result<()>> + Send;
    /// What a message of this service most likely means and what to do next, where its code says neither.
    fn hint(_message: &str) -> Option<&'static str> {
        None
    }
    /// What its error codes mean, where they are not those that all services share.
    const FAULTS: &'static [(&'static str, Fault)] = &[];
    /// What an error of this service means. `age`: how long ago the step first tried.
    fn classify(error: &Error, _age: Duration) -> Fault {
        error::of_code(Self::FAULTS, error)
    }
}

/// Tags by ARN, as most services take them: TagResource, UntagResource. `$tags`: those that are set, as the call takes them.
macro_rules! tag_by_arn {
    ($client:ident, $target:ident, $set:ident, $unset:ident, $tags:expr) => {{
        let arn = $target.arn.unwrap_or($target.physical);
        if !$set.is_empty() {
            let call = $client.tag_resource().resource_arn(arn).set_tags(Some($tags));
            call.send().await.map_err($crate::services::failed)?;
        }
        if !$unset.is_empty() {
            let call = $client.untag_resource().resource_arn(arn).set_tag_keys(Some($unset.to_vec()));
            call.send().await.map_err($crate::services::failed)?;
        }
        Ok(())
    }};
}
pub(crate) use tag_by_arn;

/// A service whose types are forgotten.
pub trait AnyService: Send + Sync {
    /// The part of a kind's name before the slash.
    fn name(&self) -> &'static str;
    /// See [`Service::IN_ARNS`].
    fn in_arns(&self) -> &'static str;
    /// See [`Service::TAGS`].
    fn tag_rules(&self) -> &'static TagRules;
    /// See [`Service::ALWAYS_READ`].
    fn is_always_read(&self) -> bool;
    /// See [`Service::PROPAGATES`].
    fn propagates(&self) -> bool;
    /// See [`Service::GLOBAL`].
    fn is_global(&self) -> bool;
    /// See [`Service::hint`].
    fn hint(&self, message: &str) -> Option<&'static str>;
    /// A client, boxed.
    fn client(&self, config: &SdkConfig) -> Box<dyn Any + Send + Sync>;
    /// See [`Service::read`].
    fn read<'a>(
        &'a self,
        clients: &'a Clients,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>>;
    /// See [`Service::listed`]. Nothing, if the service was not read.
    fn listed(&self, snapshots: &Snapshots) -> BTreeMap<&'static str, Listing>;
    /// See [`Service::tag`].
    fn tag<'a>(
        &'a self,
        clients: &'a Clients,
        target: Target<'a>,
        set: &'a Tags,
        unset: &'a [String],
    ) -> BoxFuture<'a, Result<()>>;
    /// See [`Service::classify`].
    fn classify(&self, error: &Error, age: Duration) -> Fault;
}

/// Forgets a service's types.
pub struct Erased<S>(std::marker::PhantomData<fn() -> S>);

impl<S: Service> Erased<S> {
    /// For the list below.
    pub const fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<S: Service> Default for Erased<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Service> AnyService for Erased<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn in_arns(&self) -> &'static str {
        S::IN_ARNS
    }

    fn tag_rules(&self) -> &'static TagRules {
        &const { S::TAGS }
    }

    fn is_always_read(&self) -> bool {
        S::ALWAYS_READ
    }

    fn propagates(&self) -> bool {
        S::PROPAGATES
    }

    fn is_global(&self) -> bool {
        S::GLOBAL
    }

    fn hint(&self, message: &str) -> Option<&'static str> {
        S::hint(message)
    }

    fn client(&self, config: &SdkConfig) -> Box<dyn Any + Send + Sync> {
        Box::new(S::client(config))
    }

    fn read<'a>(
        &'a self,
        clients: &'a Clients,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>> {
        async move {
            let client = clients.of::<S>()?;
            let snapshot = S::read(client, scope).await?;
            Ok(Box::new(snapshot) as Box<dyn Any + Send + Sync>)
        }
        .boxed()
    }

    fn listed(&self, snapshots: &Snapshots) -> BTreeMap<&'static str, Listing> {
        snapshots.of::<S>().map(S::listed).unwrap_or_default()
    }

    fn tag<'a>(
        &'a self,
        clients: &'a Clients,
        target: Target<'a>,
        set: &'a Tags,
        unset: &'a [String],
    ) -> BoxFuture<'a, Result<()>> {
        async move { S::tag(clients.of::<S>()?, target, set, unset).await }.boxed()
    }

    fn classify(&self, error: &Error, age: Duration) -> Fault {
        S::classify(error, age)
    }
}

/// Every service that kinds stand on, one line each.
pub static SERVICES: &[&dyn AnyService] = &[
    &Erased::<batch::Batch>::new(),
    &Erased::<ec2::Ec2>::new(),
    &Erased::<ecr::Ecr>::new(),
    &Erased::<efs::Efs>::new(),
    &Erased::<iam::Iam>::new(),
    &Erased::<logs::Logs>::new(),
    &Erased::<s3::S3>::new(),
    &Erased::<sqs::Sqs>::new(),
];

/// The service of this name.
pub fn service(name: &str) -> Option<&'static dyn AnyService> {
    SERVICES.iter().copied().find(|service| service.name() == name)
}

/// One client per service, made once.
pub struct Clients {
    config: SdkConfig,
    clients: BTreeMap<&'static str, Box<dyn Any + Send + Sync>>,
}

impl Clients {
    /// Clients of every service in [`SERVICES`].
    pub fn new(config: &SdkConfig) -> Self {
        let clients = SERVICES.iter().map(|service| (service.name(), service.client(config))).collect();
        Self { config: config.clone(), clients }
    }

    /// The configuration that they share.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The client of a service.
    pub fn of<S: Service>(&self) -> Result<&S::Client> {
        self.clients
            .get(S::NAME)
            .and_then(|client| client.downcast_ref())
            .ok_or_else(|| Error::malformed(S::NAME, "client", "the service is not in the list of services"))
    }
}

/// The snapshots of one observation, by service; and what kinds read themselves, by kind.
#[derive(Default)]
pub struct Snapshots(pub BTreeMap<&'static str, Box<dyn Any + Send + Sync>>);

impl Snapshots {
    /// The snapshot of a service, if it was read.
    pub fn of<S: Service>(&self) -> Option<&S::Snapshot> {
        self.0.get(S::NAME).and_then(|snapshot| snapshot.downcast_ref())
    }

    /// What a kind read itself, by name.
    pub fn seen<T: 'static>(&self, kind: &str) -> Option<&BTreeMap<String, T>> {
        self.0.get(kind).and_then(|seen| seen.downcast_ref())
    }
}

/// The user's and our tags of a resource: without those that AWS sets itself.
pub fn own_tags<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    tags.into_iter()
        .map(|(k, v)| (k.into(), v.into()))
        .filter(|(k, _): &(String, String)| !k.starts_with("aws:"))
        .collect()
}
