//! A kind tried on the sandbox without a planner: made, changed until nothing differs, deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kind;
use crate::diff::{self, Diff, FieldChange};
use crate::kind::{AnyKind, Call};
use crate::resource::{Incarnation, OnDelete, Owner, Place, Tags};
use crate::sandbox::{Options, Sandbox};
use crate::services::{Clients, Result, Scope, Service, Snapshots, service};

/// One resource in an account of its own.
pub(crate) struct Trial {
    pub(crate) sandbox: Sandbox,
    pub(crate) place: Place,
    clients: Clients,
    kind: &'static dyn AnyKind,
    name: String,
    tags: Tags,
}

impl Trial {
    /// Of a kind such as `s3/Bucket`, under this physical name.
    pub(crate) async fn new(kind_name: &str, name: &str) -> Self {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
        let config = sandbox.sdk_config();
        let place = Place::new(sandbox.account(), config.region().unwrap().as_ref());
        let tags = [("batchwright:owner", "o/r/dev"), ("team", "payments")];
        Self {
            clients: Clients::new(&config),
            place,
            kind: kind(kind_name).unwrap(),
            name: name.to_owned(),
            tags: tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            sandbox,
        }
    }

    /// The same account, and another name or id.
    pub(crate) fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// The client of a service.
    pub(crate) fn client<S: Service>(&self) -> &S::Client {
        self.clients.of::<S>().unwrap()
    }

    /// Everything of its name that AWS reports; `only`: as a poll asks.
    pub(crate) async fn all(&self, only: bool) -> Result<Vec<Incarnation>> {
        let names =
            BTreeMap::from([(self.kind.facts().name.to_owned(), BTreeSet::from([self.name.clone()]))]);
        let scope = Scope::without_sweep(Owner("o/r/dev".to_owned()), self.place.clone(), names, only);
        let service = service(self.kind.facts().service).unwrap();
        let read = service.read(&self.clients, &scope).await?;
        let own = self.kind.read(&self.clients, &scope).await?;
        let snapshots = Snapshots(BTreeMap::from([(service.name(), read), (self.kind.facts().name, own)]));
        let found = self.kind.observe(&snapshots, &self.place)?;
        Ok(found.into_iter().filter(|incarnation| incarnation.physical == self.name).collect())
    }

    /// What AWS reports of it; `only`: as a poll asks. Of several revisions the newest.
    pub(crate) async fn look(&self, only: bool) -> Result<Option<Incarnation>> {
        Ok(self.all(only).await?.into_iter().max_by_key(|incarnation| incarnation.revision))
    }

    /// What differs from a spec now.
    pub(crate) fn differs(&self, live: &Incarnation, spec: &Value) -> Vec<FieldChange> {
        let want = self.kind.normal(spec, &self.place).unwrap();
        diff::walk(&live.spec, &want, &self.kind.facts().rules, &[])
    }

    /// Creates it, or updates it, until nothing differs from a spec: three calls have to do.
    pub(crate) async fn settle(&self, spec: &Value) -> Incarnation {
        let want = self.kind.normal(spec, &self.place).unwrap();
        assert_eq!(self.kind.validate(&want, &self.place), []);
        for _ in 0..3 {
            match self.look(true).await.unwrap() {
                None => drop(self.kind.create(self.call(OnDelete::Refuse), &want).await.unwrap()),
                Some(live) => {
                    let diff = Diff(self.differs(&live, spec));
                    if diff.is_empty() {
                        assert_eq!(live.tags, self.tags);
                        return live;
                    }
                    self.kind.update(self.call(OnDelete::Refuse), &live, &want, &diff).await.unwrap();
                }
            }
        }
        panic!("still differs: {:#?}", self.differs(&self.look(true).await.unwrap().unwrap(), spec));
    }

    /// Creates it, or registers a further revision of it.
    pub(crate) async fn create(&self, spec: &Value) -> Result<String> {
        let want = self.kind.normal(spec, &self.place).unwrap();
        self.kind.create(self.call(OnDelete::Refuse), &want).await
    }

    /// One more update with whatever differs, be it nothing: what mends a resource whose surroundings were mended.
    pub(crate) async fn update(&self, spec: &Value) -> Result<()> {
        let want = self.kind.normal(spec, &self.place).unwrap();
        let live = self.look(true).await?.unwrap();
        let diff = Diff(self.differs(&live, spec));
        self.kind.update(self.call(OnDelete::Refuse), &live, &want, &diff).await
    }

    /// Its next move towards absence.
    pub(crate) async fn delete(&self, on_delete: OnDelete) -> Result<()> {
        let live = self.look(true).await?.unwrap();
        self.kind.delete(self.call(on_delete), &live).await
    }

    fn call(&self, on_delete: OnDelete) -> Call<'_> {
        Call {
            clients: &self.clients,
            place: &self.place,
            name: &self.name,
            tags: &self.tags,
            token: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
            on_delete,
            interrupts: false,
        }
    }
}
