//! AWS itself, through the SDK.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_config::SdkConfig;
use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};
use serde_json::Value;
use tokio::time::Instant;

use super::{Act, Cloud, Reach, Scope, lookups, ownership};
use crate::diff::{ChangeRule, Diff};
use crate::kind::{AnyKind, Call, Identity};
use crate::kinds::{KINDS, kind};
use crate::plan::Verb;
use crate::resource::{
    COMMIT_TAG, Incarnation, Jobs, JobsOf, Observed, OnDelete, Place, ResourceId, Source, Tags,
};
use crate::services::heard::Heard;
use crate::services::{
    self, AnyService, Clients, Error, Fault, Result, SERVICES, Snapshots, Target, tagging,
};

/// What a service read, without its type.
type Snapshot = Box<dyn Any + Send + Sync>;
/// Digests by image and repository.
type Digests = BTreeMap<String, BTreeMap<String, String>>;

/// AWS, in one account and region.
pub struct Aws {
    clients: Clients,
    place: Place,
    commit: Option<String>,
    heard: Heard,
}

impl Aws {
    /// AWS as this configuration reaches it. `commit` is written to what is created or changed.
    pub fn new(config: &SdkConfig, place: Place, commit: Option<String>) -> Self {
        let heard = Heard::default();
        Self { clients: Clients::new(&heard.hearing(config)), place, commit, heard }
    }

    /// The clients.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    async fn read(&self, scope: &Scope) -> Result<Observed> {
        let reading = self.reading(scope);
        let needed = needed(scope, &reading);
        let reads: Vec<_> = needed
            .iter()
            .filter_map(|name| services::service(name))
            .map(|service| self.read_one(service, &reading))
            .collect();
        // Services that only the tag search names are read as well, beside those that are known to be needed.
        let more = async {
            if scope.reach != Reach::Everything {
                return Ok(Vec::new());
            }
            let swept = reading.sweep.clone().await?;
            let named: BTreeSet<&str> = swept.found.keys().filter_map(|arn| arn.split(':').nth(2)).collect();
            let rest = SERVICES
                .iter()
                .filter(|service| named.contains(service.in_arns()) && !needed.contains(service.name()));
            let rest: Vec<_> = rest.map(|service| self.read_one(*service, &reading)).collect();
            try_join_all(rest).await
        };
        let (first, more, images, mut looked) =
            futures::try_join!(try_join_all(reads), more, self.images(scope), self.surroundings(scope))?;
        let snapshots = Snapshots(first.into_iter().chain(more).flatten().collect());
        let mut observed = Observed::default();
        let mut others = Vec::new();
        for kind in KINDS {
            let facts = kind.facts();
            let seen = kind.observe(&snapshots, &scope.place)?;
            looked.keep(facts.name, &seen, &scope.existing);
            let by_name = facts.identity != Identity::Assigned || scope.reach == Reach::Named;
            let identified = ownership::identify(facts, seen, scope, by_name);
            observed.resources.extend(identified.found);
            others.extend(identified.others.into_iter().map(|one| (*kind, one)));
        }
        observed.images = of_their_repositories(images, scope, &observed);
        if scope.reach == Reach::Everything {
            observed.surroundings = looked.found(&scope.existing, &scope.owner, KINDS);
            observed.unsearched = reading.sweep.clone().await?.unsearched;
            let listed = SERVICES.iter().flat_map(|service| service.listed(&snapshots));
            observed.listed = listed.map(|(kind, listing)| (kind.to_owned(), listing)).collect();
            observed.missing_roles = ownership::missing_roles(&observed, &others, &scope.place);
            ownership::keep_outsiders(&mut observed, others, scope);
        }
        Ok(observed)
    }

    /// A service's snapshot, and what its kinds read themselves.
    async fn read_one(
        &self,
        service: &'static dyn AnyService,
        reading: &services::Scope,
    ) -> Result<Vec<(&'static str, Snapshot)>> {
        let kinds = KINDS.iter().filter(|kind| kind.facts().service == service.name());
        let own = kinds.map(|kind| async move {
            Ok::<_, Error>((kind.facts().name, kind.read(&self.clients, reading).await?))
        });
        let (snapshot, own) = futures::try_join!(service.read(&self.clients, reading), try_join_all(own))?;
        Ok([(service.name(), snapshot)].into_iter().chain(own).collect())
    }

    /// What the images' tags point to now, under each name that their repository may have, all asked at once.
    async fn images(&self, scope: &Scope) -> Result<Digests> {
        let asked = scope.images.iter().flat_map(|(name, image)| {
            let repositories = scope.names.get(&image.repository).into_iter().flatten();
            repositories.map(move |repository| (name, repository, image.tag.as_str()))
        });
        let each = asked.map(|(name, repository, tag)| async move {
            let client = self.clients.of::<services::ecr::Ecr>()?;
            let digest = services::ecr::image_digest(client, repository, tag).await?;
            Ok::<_, Error>(digest.map(|digest| (name.clone(), repository.clone(), digest)))
        });
        let mut digests = Digests::new();
        for (name, repository, digest) in try_join_all(each).await?.into_iter().flatten() {
            digests.entry(name).or_default().insert(repository, digest);
        }
        Ok(digests)
    }

    /// What lookups need that is of no kind.
    async fn surroundings(&self, scope: &Scope) -> Result<lookups::Seen> {
        let zones = async {
            match scope.zones {
                true => services::ec2::zones(self.clients.of::<services::ec2::Ec2>()?).await,
                false => Ok(BTreeSet::new()),
            }
        };
        let names = scope.existing.values().filter_map(|lookup| match &lookup.source {
            Source::Parameter(name) => Some(name.as_str()),
            _ => None,
        });
        let parameters = services::ssm::parameters(self.clients.config(), names.collect());
        let (zones, parameters) = futures::try_join!(zones, parameters)?;
        let services::ssm::Parameters { values, secrets } = parameters;
        Ok(lookups::Seen { of_kinds: BTreeMap::new(), parameters: values, secrets, zones })
    }

    /// The services' side of a scope: names by kind.
    fn reading(&self, scope: &Scope) -> services::Scope {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (id, physical) in &scope.names {
            names.entry(id.kind.clone()).or_default().extend(physical.iter().cloned());
        }
        for lookup in scope.existing.values() {
            if let Some(kind) = lookup.kind() {
                names.entry(kind.to_owned()).or_default().extend(lookup.names().map(str::to_owned));
            }
        }
        let mut reading = services::Scope::without_sweep(
            scope.owner.clone(),
            scope.place.clone(),
            names,
            scope.reach == Reach::Named,
        );
        let by_more = scope.existing.values().filter(|lookup| lookup.names().next().is_none());
        for lookup in by_more {
            let fields = match &lookup.source {
                Source::Kind(wanted) => wanted.fields.keys().cloned().collect(),
                _ => BTreeSet::new(),
            };
            let kind = lookup.kind().map(str::to_owned);
            kind.into_iter()
                .for_each(|kind| reading.looked_up.entry(kind).or_default().extend(fields.clone()));
        }
        if let Reach::Kind(kind) = &scope.reach {
            reading.kind = Some(kind.clone());
        }
        if scope.reach == Reach::Everything {
            reading.sweep = tagging::sweep(self.clients.config(), &scope.place, &scope.owner);
        }
        reading
    }

    async fn act(&self, act: Act<'_>) -> Result<Option<String>> {
        let step = act.step;
        let Some(kind) = kind(&step.resource.kind) else {
            return Err(Error::malformed(
                "kinds",
                "perform",
                format!("{} is not a kind", step.resource.kind),
            ));
        };
        let mut tags = step.tags.clone();
        if let Some(commit) = self.commit.as_ref().filter(|_| !tags.is_empty()) {
            tags.insert(COMMIT_TAG.to_owned(), commit.clone());
        }
        let call = Call {
            clients: &self.clients,
            place: &self.place,
            name: act.live.map_or(step.physical.as_str(), |live| live.physical.as_str()),
            tags: &tags,
            token: act.token,
            on_delete: step.on_delete,
            interrupts: step.interrupts,
        };
        match (step.verb, act.live) {
            // A revision that was just made, whose tags it shares with those before it.
            (Verb::Register, Some(live)) if !act.diff.is_empty() && act.diff.only_tags() => {
                self.tag(kind, &act, live, &tags).await?
            }
            (Verb::Register, _) | (Verb::Create, None) => return kind.create(call, act.want).await.map(Some),
            (Verb::Create | Verb::Update, Some(live)) => {
                let spec = Diff(act.diff.0.iter().filter(|c| c.rule != ChangeRule::Tag).cloned().collect());
                if !spec.is_empty() || act.diff.is_empty() {
                    kind.update(call, live, act.want, &spec).await?;
                }
                self.tag(kind, &act, live, &tags).await?;
            }
            (Verb::Disable, Some(live)) => {
                // To be switched off is the first move of a removal, and as carefully made as the last one.
                if act.diff.0.iter().any(|c| c.rule != ChangeRule::Tag) {
                    kind.delete(call, live).await?;
                }
                self.tag(kind, &act, live, &tags).await?;
            }
            (Verb::Tag | Verb::Adopt | Verb::Forget, Some(live)) => self.tag(kind, &act, live, &tags).await?,
            (Verb::Delete | Verb::Deregister, Some(live)) => kind.delete(call, live).await?,
            // A drain only looks.
            (Verb::Drain, _) | (_, None) => {}
        }
        Ok(None)
    }

    /// Carries out what differs in tags; the commit rides along, and never goes alone.
    async fn tag(&self, kind: &dyn AnyKind, act: &Act<'_>, live: &Incarnation, tags: &Tags) -> Result<()> {
        let (mut set, mut unset) = (Tags::new(), Vec::new());
        for change in act.diff.0.iter().filter(|change| change.rule == ChangeRule::Tag) {
            let Some(key) = change.path.strip_prefix("tags.") else { continue };
            match change.after.as_ref().and_then(Value::as_str) {
                Some(value) => drop(set.insert(key.to_owned(), value.to_owned())),
                None => unset.push(key.to_owned()),
            }
        }
        let forgets = act.step.verb == Verb::Forget;
        if let Some(commit) =
            self.commit.as_ref().filter(|_| !forgets && !act.diff.is_empty() && !tags.is_empty())
        {
            set.insert(COMMIT_TAG.to_owned(), commit.clone());
        }
        let Some(service) =
            services::service(kind.facts().service).filter(|_| !set.is_empty() || !unset.is_empty())
        else {
            return Ok(());
        };
        let target = Target {
            kind: kind.facts().name,
            physical: &live.physical,
            arn: live.arn.as_deref(),
            live: &live.tags,
        };
        service.tag(&self.clients, target, &set, &unset).await
    }
}

/// What the images' tags point to now: `<repository uri>@sha256:…`. Absent: nothing was pushed yet. Of a repository that is
/// there, what its name in AWS has counts, if that was asked: under another name that it may have, there may be somebody else's.
fn of_their_repositories(digests: Digests, scope: &Scope, observed: &Observed) -> BTreeMap<String, String> {
    let place = &scope.place;
    let host = format!("{}.dkr.ecr.{}.{}", place.account, place.region, place.dns_suffix());
    let of = |(name, digests): (String, BTreeMap<String, String>)| {
        let id = &scope.images.get(&name)?.repository;
        let current =
            observed.resources.get(id).and_then(|seen| Some(seen.current.as_ref()?.physical.as_str()));
        let (repository, digest) = match current {
            Some(current) => digests.get_key_value(current)?,
            None => digests.first_key_value()?,
        };
        Some((name, format!("{host}/{repository}@{digest}")))
    };
    digests.into_iter().filter_map(of).collect()
}

/// The services that are read without asking the tag search: those of what is looked for, and those that always are.
fn needed(scope: &Scope, reading: &services::Scope) -> BTreeSet<&'static str> {
    let named = |name: &str| reading.names.keys().any(|kind| service_of(kind) == name);
    let wanted = |service: &&&'static dyn AnyService| match &scope.reach {
        Reach::Everything => named(service.name()) || service.is_always_read(),
        Reach::Kind(kind) => service_of(kind) == service.name(),
        Reach::Named => named(service.name()),
    };
    SERVICES.iter().filter(wanted).map(|service| service.name()).collect()
}

/// `batch` of `batch/JobQueue`.
fn service_of(kind: &str) -> &str {
    kind.split('/').next().unwrap_or_default()
}

impl Cloud for Aws {
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
        self.read(scope).boxed()
    }

    fn perform<'a>(&'a self, act: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        self.act(act).boxed()
    }

    fn jobs<'a>(&'a self, about: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>> {
        async move { services::batch::unfinished(self.clients.of::<services::batch::Batch>()?, about).await }
            .boxed()
    }

    fn data<'a>(
        &'a self,
        id: &'a ResourceId,
        live: &'a Incarnation,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        async move {
            let Some(kind) = kind(&id.kind) else { return Ok(None) };
            let call = Call {
                clients: &self.clients,
                place: &self.place,
                name: &live.physical,
                tags: &live.tags,
                token: "",
                on_delete: OnDelete::Refuse,
                interrupts: false,
            };
            match kind.data(call, live).await {
                // Somebody was faster.
                Err(error) if self.classify(id, &error, Duration::ZERO) == Fault::Gone => Ok(None),
                answer => Ok(answer?.map(str::to_owned)),
            }
        }
        .boxed()
    }

    fn heard(&self) -> Option<Instant> {
        self.heard.last()
    }

    fn classify(&self, id: &ResourceId, error: &Error, age: Duration) -> Fault {
        services::service(id.service()).map_or(Fault::Terminal, |service| service.classify(error, age))
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Refuses the first call, and never answers another.
    #[derive(Debug, Default)]
    struct Once(std::sync::atomic::AtomicBool);

    impl HttpConnector for Once {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            match self.0.swap(true, std::sync::atomic::Ordering::Relaxed) {
                true => HttpConnectorFuture::new(std::future::pending()),
                false => HttpConnectorFuture::ready(Ok(HttpResponse::new(
                    403.try_into().unwrap(),
                    SdkBody::from("{}"),
                ))),
            }
        }
    }

    /// A look of many calls may take longer than an AWS out of reach is waited for.
    #[tokio::test]
    async fn each_answer_is_heard_before_the_look_is_over() {
        let connector = SharedHttpConnector::new(Once::default());
        let key = Credentials::new("AKIA", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        let aws = Aws::new(&config, Place::new("111111111111", "eu-west-1"), None);
        assert_eq!(aws.heard(), None);
        let client = aws.clients().of::<services::batch::Batch>().unwrap();
        assert!(client.describe_job_queues().send().await.is_err());
        assert!(aws.heard().is_some(), "what is refused is an answer");
    }
}
