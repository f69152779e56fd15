//! Looking again, together: steps that wait on one service at the same time share one observation (D23).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::cloud::{Cloud, Reach, Scope};
use crate::resource::{Incarnations, ResourceId};
use crate::services::Result;

type Answer = Result<Incarnations>;

/// Who waits for a look at a service, and what they look for.
#[derive(Default)]
struct Queue {
    looking: bool,
    waiting: Vec<(ResourceId, String, oneshot::Sender<Answer>)>,
}

/// Shares observations between steps.
pub(super) struct Poller<'a> {
    cloud: &'a dyn Cloud,
    scope: &'a Scope,
    queues: Mutex<BTreeMap<String, Arc<Mutex<Queue>>>>,
}

impl<'a> Poller<'a> {
    pub fn new(cloud: &'a dyn Cloud, scope: &'a Scope) -> Self {
        Self { cloud, scope, queues: Mutex::new(BTreeMap::new()) }
    }

    /// A fresh observation of one resource under one physical name. One that began before this call never answers it.
    pub async fn look(&self, id: &ResourceId, physical: &str) -> Answer {
        let queue = {
            let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
            queues.entry(id.service().to_owned()).or_default().clone()
        };
        let (answer, answered) = oneshot::channel();
        let first = {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push((id.clone(), physical.to_owned(), answer));
            !std::mem::replace(&mut queue.looking, true)
        };
        if first {
            self.lead(&queue).await;
        }
        match answered.await {
            Ok(answer) => answer,
            // The leader was dropped in its midst: look alone.
            Err(_) => self
                .observe(vec![(id.clone(), physical.to_owned())])
                .await
                .map(|mut found| found.remove(id).unwrap_or_default()),
        }
    }

    /// Looks for all who wait, and again for those who came meanwhile.
    async fn lead(&self, queue: &Mutex<Queue>) {
        loop {
            let waiting = {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                if queue.waiting.is_empty() {
                    queue.looking = false;
                    return;
                }
                std::mem::take(&mut queue.waiting)
            };
            let found = self
                .observe(waiting.iter().map(|(id, physical, _)| (id.clone(), physical.clone())).collect())
                .await;
            for (id, _, answer) in waiting {
                let one = match &found {
                    Ok(found) => Ok(found.get(&id).cloned().unwrap_or_default()),
                    Err(error) => Err(error.clone()),
                };
                drop(answer.send(one));
            }
        }
    }

    async fn observe(&self, wanted: Vec<(ResourceId, String)>) -> Result<BTreeMap<ResourceId, Incarnations>> {
        let mut names: BTreeMap<ResourceId, BTreeSet<String>> = BTreeMap::new();
        for (id, physical) in wanted {
            names.entry(id).or_default().insert(physical);
        }
        let scope = self.scope.narrowed(Reach::Named, names);
        Ok(self.cloud.observe(&scope).await?.resources)
    }

    /// Every incarnation of a kind that carries our tags: looked at before an id-only resource is made.
    pub async fn look_at_kind(&self, id: &ResourceId) -> Answer {
        let scope = self.scope.narrowed(Reach::Kind(id.kind.clone()), BTreeMap::new());
        Ok(self.cloud.observe(&scope).await?.resources.remove(id).unwrap_or_default())
    }
}
