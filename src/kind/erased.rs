//! The only place where types are forgotten: a kind behind a pointer.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::OnceLock;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::facts::facts_of;
use super::{
    Access, Beside, Clash, Companion, Cx, Denoted, Effect, ExternalUser, Facts, Identity, Interrupt, Invalid,
    Kind, Live, Manner, Pinned, Reason, Scaffold,
};
use crate::diff::{self, Diff, FieldChange, Rules};
use crate::resource::{Document, Incarnation, OnDelete, Place, ResourceId, Tags};
use crate::services::{Clients, Error, Result, Scope, Service, Snapshots};

/// What a verb is handed, before the kind's types are known.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The clients.
    pub clients: &'a Clients,
    /// Account, region, partition.
    pub place: &'a Place,
    /// The physical name.
    pub name: &'a str,
    /// All tags.
    pub tags: &'a Tags,
    /// The client token.
    pub token: &'a str,
    /// What becomes of data.
    pub on_delete: OnDelete,
    /// Whether jobs may be cut off.
    pub interrupts: bool,
}

/// A kind whose types are forgotten. One blanket implementation; nobody else implements it.
pub trait AnyKind: Send + Sync {
    /// What is known of it without asking AWS.
    fn facts(&self) -> &'static Facts;
    /// Decodes a spec into the kind's type, brings it into normal form, and gives it back as a document.
    fn normal(&self, spec: &Value, place: &Place) -> std::result::Result<Document, serde_json::Error>;
    /// See [`Kind::physical`].
    fn physical(&self, spec: &Document, name: &str, place: &Place) -> String;
    /// What is wrong with a physical name: see [`Kind::NAMES`] and [`Kind::misnamed`].
    fn validate_name(&self, name: &str, spec: Option<&Document>) -> Option<String>;
    /// See [`Kind::validate`].
    fn validate(&self, spec: &Document, place: &Place) -> Vec<Invalid>;
    /// See [`Kind::validate_written`].
    fn validate_written(&self, spec: &Document, place: &Place) -> Vec<Invalid>;
    /// See [`Kind::clashes`].
    fn clashes(&self, spec: &Document, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash>;
    /// See [`Kind::predict`]; with `name` of kinds that have one.
    fn predict(&self, name: &str, spec: &Document, place: &Place) -> BTreeMap<String, String>;
    /// See [`Kind::carried`].
    fn carried(&self, live: &Incarnation) -> BTreeMap<String, String>;
    /// See [`Kind::effect`].
    fn effect(&self, live: &Document, want: &Document, changes: &[FieldChange]) -> (Effect, Reason);
    /// See [`Kind::retired`].
    fn retired(&self, spec: &Document) -> Option<Invalid>;
    /// See [`Kind::warnings`].
    fn warnings(&self, spec: &Document, live: Option<&Document>) -> Vec<Invalid>;
    /// See [`Kind::expiring`].
    fn expiring(&self, spec: &Document, pinned: &Pinned) -> Vec<Invalid>;
    /// See [`Kind::lets_in`].
    fn lets_in(&self, spec: &Document) -> bool;
    /// See [`Kind::boundary`].
    fn boundary(&self, spec: &Document) -> Option<String>;
    /// See [`Kind::attached`].
    fn attached(&self, spec: &Document) -> Vec<String>;
    /// See [`Kind::interrupts`].
    fn interrupts(&self, want: &Document, manner: Manner) -> Interrupt;
    /// See [`Kind::cluster`].
    fn cluster(&self, live: &Incarnation) -> Option<String>;
    /// See [`Kind::held_by_jobs`].
    fn held_by_jobs(&self, live: &Incarnation) -> Option<String>;
    /// See [`Kind::denoted_by`].
    fn denoted_by(&self, live: &Incarnation) -> Vec<Denoted>;
    /// See [`Kind::external_users`].
    fn external_users(&self, live: &Incarnation) -> Vec<ExternalUser>;
    /// See [`Kind::comes_with`].
    fn comes_with(&self, live: &Incarnation) -> Vec<Companion>;
    /// See [`Kind::scaffold`].
    fn scaffold(&self, live: &Incarnation, place: &Place) -> Option<Scaffold>;
    /// See [`Kind::read`].
    fn read<'a>(
        &'a self,
        clients: &'a Clients,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>>;
    /// See [`Kind::observe`] and [`Kind::live`]. Nothing, if it was not read.
    fn observe(&self, snapshots: &Snapshots, place: &Place) -> Result<Vec<Incarnation>>;
    /// See [`Kind::data`].
    fn data<'a>(
        &'a self,
        call: Call<'a>,
        live: &'a Incarnation,
    ) -> BoxFuture<'a, Result<Option<&'static str>>>;
    /// See [`Kind::create`].
    fn create<'a>(&'a self, call: Call<'a>, want: &'a Document) -> BoxFuture<'a, Result<String>>;
    /// See [`Kind::update`].
    fn update<'a>(
        &'a self,
        call: Call<'a>,
        live: &'a Incarnation,
        want: &'a Document,
        diff: &'a Diff,
    ) -> BoxFuture<'a, Result<()>>;
    /// See [`Kind::delete`].
    fn delete<'a>(&'a self, call: Call<'a>, live: &'a Incarnation) -> BoxFuture<'a, Result<()>>;
}

/// Forgets a kind's types.
pub struct Erased<K> {
    /// Computed once, when first asked for, and kept for the life of the process.
    facts: OnceLock<&'static Facts>,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Erased<K> {
    /// For the registry.
    pub const fn new() -> Self {
        Self { facts: OnceLock::new(), kind: PhantomData }
    }
}

impl<K: Kind> Default for Erased<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind> AnyKind for Erased<K> {
    fn facts(&self) -> &'static Facts {
        self.facts.get_or_init(|| Box::leak(Box::new(facts_of::<K>())))
    }

    fn normal(&self, spec: &Value, place: &Place) -> std::result::Result<Document, serde_json::Error> {
        let mut spec: K::Spec = serde_json::from_value(spec.clone())?;
        K::normalise(&mut spec, place);
        serde_json::to_value(spec)
    }

    fn physical(&self, spec: &Document, name: &str, place: &Place) -> String {
        serde_json::from_value(spec.clone())
            .map_or_else(|_| name.to_owned(), |spec| K::physical(&spec, name, place))
    }

    fn validate_name(&self, name: &str, spec: Option<&Document>) -> Option<String> {
        let spec = spec.and_then(|spec| serde_json::from_value(spec.clone()).ok());
        K::NAMES.wrong(K::NAME, name).or_else(|| K::misnamed(&spec?, name))
    }

    fn validate(&self, spec: &Document, place: &Place) -> Vec<Invalid> {
        match serde_json::from_value(spec.clone()) {
            Ok(spec) => K::validate(&spec, place),
            Err(error) => vec![Invalid::new("", error.to_string())],
        }
    }

    fn validate_written(&self, spec: &Document, place: &Place) -> Vec<Invalid> {
        serde_json::from_value(spec.clone())
            .map_or_else(|_| Vec::new(), |spec| K::validate_written(&spec, place))
    }

    fn clashes(&self, spec: &Document, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        serde_json::from_value(spec.clone()).map_or_else(|_| Vec::new(), |spec| K::clashes(&spec, id, beside))
    }

    fn predict(&self, name: &str, spec: &Document, place: &Place) -> BTreeMap<String, String> {
        let Ok(spec) = serde_json::from_value(spec.clone()) else { return BTreeMap::new() };
        let mut outputs = K::predict(name, &spec, place);
        if K::IDENTITY != Identity::Assigned {
            outputs.entry("name".to_owned()).or_insert_with(|| name.to_owned());
        }
        outputs
    }

    fn effect(&self, live: &Document, want: &Document, changes: &[FieldChange]) -> (Effect, Reason) {
        match (serde_json::from_value(live.clone()), serde_json::from_value(want.clone())) {
            (Ok(live), Ok(want)) => K::effect(&live, &want, changes),
            (Err(error), _) | (_, Err(error)) => (Effect::Impossible(error.to_string()), Reason::default()),
        }
    }

    fn retired(&self, spec: &Document) -> Option<Invalid> {
        K::retired(&serde_json::from_value(spec.clone()).ok()?)
    }

    fn warnings(&self, spec: &Document, live: Option<&Document>) -> Vec<Invalid> {
        let live = live.and_then(|live| serde_json::from_value(live.clone()).ok());
        match serde_json::from_value(spec.clone()) {
            Ok(spec) => K::warnings(&spec, live.as_ref()),
            Err(_) => Vec::new(),
        }
    }

    fn expiring(&self, spec: &Document, pinned: &Pinned) -> Vec<Invalid> {
        serde_json::from_value(spec.clone()).map_or_else(|_| Vec::new(), |spec| K::expiring(&spec, pinned))
    }

    fn lets_in(&self, spec: &Document) -> bool {
        // What can't be read may let anybody in.
        serde_json::from_value(spec.clone()).map_or(K::ACCESS == Access::Actor, |spec| K::lets_in(&spec))
    }

    fn boundary(&self, spec: &Document) -> Option<String> {
        K::boundary(&serde_json::from_value(spec.clone()).ok()?)
    }

    fn attached(&self, spec: &Document) -> Vec<String> {
        serde_json::from_value(spec.clone()).map(|spec| K::attached(&spec)).unwrap_or_default()
    }

    fn interrupts(&self, want: &Document, manner: Manner) -> Interrupt {
        // What can't be read may do anything.
        serde_json::from_value(want.clone()).map_or(Interrupt::AtOnce, |want| K::interrupts(&want, manner))
    }

    fn cluster(&self, live: &Incarnation) -> Option<String> {
        K::cluster(&recall::<K>(live).ok()?.outputs)
    }

    fn held_by_jobs(&self, live: &Incarnation) -> Option<String> {
        K::held_by_jobs(&recall::<K>(live).ok()?)
    }

    fn carried(&self, live: &Incarnation) -> BTreeMap<String, String> {
        recall::<K>(live).map(|live| K::carried(&live.outputs)).unwrap_or_default()
    }

    fn denoted_by(&self, live: &Incarnation) -> Vec<Denoted> {
        recall::<K>(live).map(|live| K::denoted_by(&live)).unwrap_or_default()
    }

    fn external_users(&self, live: &Incarnation) -> Vec<ExternalUser> {
        recall::<K>(live).map(|live| K::external_users(&live)).unwrap_or_default()
    }

    fn comes_with(&self, live: &Incarnation) -> Vec<Companion> {
        recall::<K>(live).map(|live| K::comes_with(&live)).unwrap_or_default()
    }

    fn scaffold(&self, live: &Incarnation, place: &Place) -> Option<Scaffold> {
        K::scaffold(&recall::<K>(live).ok()?, place)
    }

    fn observe(&self, snapshots: &Snapshots, place: &Place) -> Result<Vec<Incarnation>> {
        let Some(snapshot) = snapshots.of::<K::Service>() else { return Ok(Vec::new()) };
        let rules = &self.facts().rules;
        let seen = snapshots.seen::<K::Seen>(K::NAME);
        let own = seen.into_iter().flatten().filter_map(|(name, seen)| K::live(name, seen, place));
        let all = K::observe(snapshot, place).into_iter().chain(own);
        all.map(|live| forget::<K>(live, place, rules)).collect()
    }

    fn read<'a>(
        &'a self,
        clients: &'a Clients,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<Box<dyn Any + Send + Sync>>> {
        async move {
            let found = match scope.wants(K::NAME) {
                true => K::read(clients.of::<K::Service>()?, scope).await?,
                false => BTreeMap::new(),
            };
            Ok(Box::new(found) as Box<dyn Any + Send + Sync>)
        }
        .boxed()
    }

    fn data<'a>(
        &'a self,
        call: Call<'a>,
        live: &'a Incarnation,
    ) -> BoxFuture<'a, Result<Option<&'static str>>> {
        async move { K::data(&context::<K>(&call)?, &recall::<K>(live)?).await }.boxed()
    }

    fn create<'a>(&'a self, call: Call<'a>, want: &'a Document) -> BoxFuture<'a, Result<String>> {
        async move {
            let want: K::Spec = decode::<K, _>("create", want)?;
            K::create(&context::<K>(&call)?, &want).await
        }
        .boxed()
    }

    fn update<'a>(
        &'a self,
        call: Call<'a>,
        live: &'a Incarnation,
        want: &'a Document,
        diff: &'a Diff,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            let live = recall::<K>(live)?;
            let want: K::Spec = decode::<K, _>("update", want)?;
            K::update(&context::<K>(&call)?, &live, &want, diff).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, call: Call<'a>, live: &'a Incarnation) -> BoxFuture<'a, Result<()>> {
        async move { K::delete(&context::<K>(&call)?, &recall::<K>(live)?).await }.boxed()
    }
}

fn context<'a, K: Kind>(call: &Call<'a>) -> Result<Cx<'a, K>> {
    Ok(Cx {
        client: call.clients.of::<K::Service>()?,
        place: call.place,
        name: call.name,
        tags: call.tags,
        token: call.token,
        on_delete: call.on_delete,
        interrupts: call.interrupts,
    })
}

fn decode<K: Kind, T: serde::de::DeserializeOwned>(what: &'static str, document: &Value) -> Result<T> {
    serde_json::from_value(document.clone()).map_err(|error| {
        Error::malformed(
            K::Service::NAME,
            what,
            format!("the document of a {} does not decode: {error}", K::NAME),
        )
    })
}

fn forget<K: Kind>(mut live: Live<K>, place: &Place, rules: &Rules) -> Result<Incarnation> {
    K::normalise(&mut live.spec, place);
    let encode = |error: serde_json::Error| Error::malformed(K::Service::NAME, "observe", error.to_string());
    let spec = serde_json::to_value(&live.spec).map_err(encode)?;
    // Taken for a document that says nothing, it would be written over.
    if let Some(path) = diff::not_a_document(&spec, rules) {
        let why = format!("the {path} of {} that AWS answers is no JSON object", live.physical);
        return Err(Error::malformed(K::Service::NAME, "observe", why));
    }
    let outputs = match serde_json::to_value(&live.outputs).map_err(encode)? {
        Value::Object(outputs) => outputs.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => BTreeMap::new(),
    };
    let Live { physical, arn, tags, readiness, revision, .. } = live;
    let mut incarnation =
        Incarnation { physical, arn, spec, outputs, tags, readiness, revision, named_generation: None };
    if K::IDENTITY != Identity::Assigned {
        let name = Value::String(incarnation.physical.clone());
        incarnation.outputs.entry("name".to_owned()).or_insert(name);
    }
    // Hooks that guard say nothing of what they can't read.
    debug_assert!(
        recall::<K>(&incarnation).is_ok(),
        "{} {} can't be read again",
        K::NAME,
        incarnation.physical
    );
    Ok(incarnation)
}

fn recall<K: Kind>(live: &Incarnation) -> Result<Live<K>> {
    let outputs = Value::Object(live.outputs.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
    Ok(Live {
        physical: live.physical.clone(),
        arn: live.arn.clone(),
        spec: decode::<K, _>("recall", &live.spec)?,
        outputs: decode::<K, _>("recall", &outputs)?,
        tags: live.tags.clone(),
        readiness: live.readiness.clone(),
        revision: live.revision,
    })
}
