//! Looking again, together: steps that look at one kind at the same time share one observation (D23).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

use crate::cloud::{Cloud, Reach, Scope};
use crate::resource::{Incarnations, Observed, ResourceId};
use crate::services::Result;

/// What one look found of all that it was for.
type Found = Result<Arc<BTreeMap<ResourceId, Incarnations>>>;

/// Names by resource: what a look is for.
type Names = BTreeMap<ResourceId, BTreeSet<String>>;

/// How many looks at one kind are under way at once. With a single one, who comes a moment late waits for a whole look
/// that tells nothing, before the one that does.
const AT_ONCE: usize = 2;

/// The looks at one kind.
struct Kind<'a> {
    room: Semaphore,
    next: Mutex<Option<Next<'a>>>,
}

/// The look that has not begun yet: more may join it.
struct Next<'a> {
    names: Arc<Mutex<Names>>,
    look: WeakShared<BoxFuture<'a, Found>>,
}

/// Shares observations between steps.
pub(super) struct Poller<'a> {
    cloud: &'a dyn Cloud,
    scope: &'a Scope,
    kinds: Mutex<BTreeMap<String, Arc<Kind<'a>>>>,
}

impl<'a> Poller<'a> {
    pub fn new(cloud: &'a dyn Cloud, scope: &'a Scope) -> Self {
        Self { cloud, scope, kinds: Mutex::default() }
    }

    /// A fresh observation of one resource under one physical name. One that began before this call never answers it.
    pub async fn look(&self, id: &ResourceId, physical: &str) -> Result<Incarnations> {
        Ok(self.join(id, physical).await?.get(id).cloned().unwrap_or_default())
    }

    /// The next look at its kind, with this one among what it is for. Whoever waits for it moves it on, so that it ends
    /// although the step that began it is given up.
    fn join(&self, id: &ResourceId, physical: &str) -> Shared<BoxFuture<'a, Found>> {
        let kind = {
            let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            kinds.entry(id.kind.clone()).or_default().clone()
        };
        let mut next = kind.next.lock().unwrap_or_else(PoisonError::into_inner);
        let joined = next.as_mut().and_then(|next| {
            let look = next.look.upgrade()?;
            add(&next.names, id, physical);
            Some(look)
        });
        joined.unwrap_or_else(|| {
            let names = Arc::default();
            add(&names, id, physical);
            let look = begin(self.cloud, self.scope, Arc::clone(&kind), Arc::clone(&names)).boxed().shared();
            *next = look.downgrade().map(|look| Next { names, look });
            look
        })
    }

    /// Every incarnation of a kind that carries our tags: looked at before an id-only resource is made.
    pub async fn look_at_kind(&self, id: &ResourceId) -> Result<Incarnations> {
        let scope = self.scope.narrowed(Reach::Kind(id.kind.clone()), BTreeMap::new());
        Ok(self.cloud.observe(&scope).await?.resources.remove(id).unwrap_or_default())
    }

    /// Everything that may be ours.
    pub async fn look_at_all(&self) -> Result<Observed> {
        self.cloud.observe(&self.scope.narrowed(Reach::Everything, BTreeMap::new())).await
    }
}

fn add(names: &Mutex<Names>, id: &ResourceId, physical: &str) {
    let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
    names.entry(id.clone()).or_default().insert(physical.to_owned());
}

/// Waits for room, and looks for all who have joined by then: who comes later waits for the next.
async fn begin<'a>(
    cloud: &'a dyn Cloud,
    scope: &'a Scope,
    kind: Arc<Kind<'a>>,
    names: Arc<Mutex<Names>>,
) -> Found {
    // Nobody closes it.
    let _room = kind.room.acquire().await;
    kind.next.lock().unwrap_or_else(PoisonError::into_inner).take();
    let names = names.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let scope = scope.narrowed(Reach::Named, names);
    Ok(Arc::new(cloud.observe(&scope).await?.resources))
}

impl Default for Kind<'_> {
    fn default() -> Self {
        Self { room: Semaphore::new(AT_ONCE), next: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;
    use futures::poll;

    use super::*;
    use crate::cloud::Act;
    use crate::resource::{Incarnation, Jobs, JobsOf, Observed, Owner, Place};
    use crate::services::{Error, Fault};

    /// A cloud whose answers come when the test lets them; it notes what each look is for.
    struct Slow {
        looks: Mutex<Vec<String>>,
        answers: Semaphore,
    }

    impl Slow {
        fn new() -> Self {
            Self { looks: Mutex::default(), answers: Semaphore::new(0) }
        }

        fn looks(&self) -> Vec<String> {
            self.looks.lock().unwrap().clone()
        }
    }

    impl Cloud for Slow {
        fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
            let names: Vec<&str> = scope.names.keys().map(|id| id.name.as_str()).collect();
            self.looks.lock().unwrap().push(names.join(" "));
            async {
                self.answers.acquire().await.unwrap().forget();
                Ok(Observed::default())
            }
            .boxed()
        }

        fn perform<'a>(&'a self, _: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
            unreachable!()
        }

        fn jobs<'a>(&'a self, _: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>> {
            unreachable!()
        }

        fn data<'a>(
            &'a self,
            _: &'a ResourceId,
            _: &'a Incarnation,
        ) -> BoxFuture<'a, Result<Option<String>>> {
            unreachable!()
        }

        fn classify(&self, _: &ResourceId, _: &Error, _: Duration) -> Fault {
            unreachable!()
        }
    }

    fn scope() -> Scope {
        Scope {
            owner: Owner("acme/test".to_owned()),
            place: Place::new("111122223333", "eu-west-1"),
            names: BTreeMap::new(),
            renamed: BTreeMap::new(),
            images: BTreeMap::new(),
            existing: BTreeMap::new(),
            zones: false,
            reach: Reach::Named,
        }
    }

    fn queue(name: &str) -> ResourceId {
        ResourceId::new("batch/JobQueue", name)
    }

    #[tokio::test]
    async fn who_comes_while_two_looks_are_under_way_shares_the_third() {
        let (cloud, scope) = (Slow::new(), scope());
        let poller = Poller::new(&cloud, &scope);
        let ids: Vec<ResourceId> = ["a", "b", "c", "d", "e"].map(queue).into();
        let mut all: Vec<_> = ids.iter().map(|id| Box::pin(poller.look(id, "x"))).collect();
        for look in &mut all {
            assert!(poll!(look).is_pending());
        }
        assert_eq!(cloud.looks(), ["a", "b"]);
        cloud.answers.add_permits(3);
        assert!(join_all(all).await.iter().all(std::result::Result::is_ok));
        assert_eq!(cloud.looks(), ["a", "b", "c d e"]);
    }

    #[tokio::test]
    async fn a_look_never_answers_who_came_after_it_began() {
        let (cloud, scope) = (Slow::new(), scope());
        let poller = Poller::new(&cloud, &scope);
        let id = queue("a");
        let mut first = Box::pin(poller.look(&id, "x"));
        assert!(poll!(&mut first).is_pending());
        let mut second = Box::pin(poller.look(&id, "x"));
        assert!(poll!(&mut second).is_pending());
        cloud.answers.add_permits(1);
        assert!(poll!(&mut first).is_ready());
        assert!(poll!(&mut second).is_pending());
        cloud.answers.add_permits(1);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn looks_at_other_kinds_go_their_own_way() {
        let (cloud, scope) = (Slow::new(), scope());
        let poller = Poller::new(&cloud, &scope);
        let ids = [queue("a"), queue("b"), ResourceId::new("batch/ComputeEnvironment", "c")];
        let mut all: Vec<_> = ids.iter().map(|id| Box::pin(poller.look(id, "x"))).collect();
        for look in &mut all {
            assert!(poll!(look).is_pending());
        }
        assert_eq!(cloud.looks(), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn a_step_that_is_given_up_takes_nobody_elses_look_along() {
        let (cloud, scope) = (Slow::new(), scope());
        let poller = Poller::new(&cloud, &scope);
        let ids: Vec<ResourceId> = ["a", "b", "c", "d"].map(queue).into();
        let mut all: Vec<_> = ids.iter().map(|id| Some(Box::pin(poller.look(id, "x")))).collect();
        for look in all.iter_mut().flatten() {
            assert!(poll!(look).is_pending());
        }
        // Those that fly, and the one that began the third.
        all[..3].iter_mut().for_each(|look| drop(look.take()));
        cloud.answers.add_permits(1);
        assert!(all[3].take().unwrap().await.is_ok());
        assert_eq!(cloud.looks(), ["a", "b", "c d"]);
        // Nothing is left of a look that everybody has given up.
        let id = queue("e");
        let mut look = Box::pin(poller.look(&id, "x"));
        assert!(poll!(&mut look).is_pending());
        assert_eq!(cloud.looks(), ["a", "b", "c d", "e"]);
    }
}
