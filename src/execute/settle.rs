//! One step, until a fresh observation agrees: the only waiting loop of the program (D23).

use std::time::Duration;

use tokio::time::Instant;

use super::poll::Poller;
use super::{Failure, Limits, removes};
use crate::cloud::{Act, Cloud};
use crate::diff::{self, ChangeRule, Diff};
use crate::kind::{AnyKind, Effect, Identity, Ownership, Refs};
use crate::plan::{Step, Verb, retiring_mark, tag_changes};
use crate::resource::{Document, Incarnation, Incarnations, Owner, Readiness, TAG_PREFIX};
use crate::services::{Error, Fault};

/// How long a fresh role may take until it is seen everywhere (aws-semantics §1.4).
const REPAIR: Duration = Duration::from_secs(120);

/// How often a read that shows nothing of a write is repeated: ten seconds at the default pace.
const MOST_STALE_LOOKS: u32 = 10;

/// How often a verb is called again although AWS accepted it and goes on reporting something else.
const MOST_ATTEMPTS: u32 = 8;

pub(super) struct Settle<'a> {
    pub cloud: &'a dyn Cloud,
    pub poller: &'a Poller<'a>,
    pub kind: &'static dyn AnyKind,
    /// Who we are.
    pub owner: &'a Owner,
    pub step: &'a Step,
    /// What it is to be, with every reference resolved.
    pub want: &'a Document,
    pub token: &'a str,
    pub limits: &'a Limits,
    /// Told what is waited for.
    pub waiting: &'a (dyn Fn(String) + Send + Sync),
}

/// What to do after a look.
enum Next {
    Done(Option<Incarnation>),
    Act(Diff),
    Wait(String),
    /// Broken, but it may mend itself in a moment: a fresh role is not seen everywhere yet.
    Repair(String),
}

impl Settle<'_> {
    /// Runs the step. `live`: the incarnation that the plan saw, if there was one.
    pub async fn run(&self, live: Option<Incarnation>) -> Result<Option<Incarnation>, Failure> {
        let started = Instant::now();
        let mut physical =
            live.as_ref().map_or_else(|| self.step.physical.clone(), |live| live.physical.clone());
        let mut live = live;
        let (mut attempts, mut pause, mut made) = (0, self.limits.poll, false);
        if live.is_none() && self.step.verb == Verb::Create {
            live = self.look_first().await.map_err(|error| Failure::from(&error))?;
            physical = live.as_ref().map_or(physical, |live| live.physical.clone());
        }
        loop {
            match self.next(live.as_ref(), made)? {
                Next::Done(incarnation) => return Ok(incarnation),
                Next::Wait(why) => (self.waiting)(why),
                Next::Repair(why) if started.elapsed() > REPAIR => {
                    return Err(Failure::new(format!("AWS reports it as broken: {why}")));
                }
                // An update that changes nothing makes AWS look again (aws-semantics §1.4).
                Next::Repair(why) => {
                    (self.waiting)(why);
                    let diff = Diff::default();
                    let act = Act {
                        step: self.step,
                        live: live.as_ref(),
                        want: self.want,
                        diff: &diff,
                        token: self.token,
                    };
                    if let Err(error) = self.cloud.perform(act).await {
                        self.weigh(&error, started.elapsed())?;
                    }
                }
                Next::Act(diff) => {
                    attempts += u32::from(!removes(self.step.verb));
                    if attempts > MOST_ATTEMPTS {
                        return Err(self.stuck(&diff));
                    }
                    let (before, mut waited, mut unknown) = (live.clone(), false, false);
                    let act = Act {
                        step: self.step,
                        live: live.as_ref(),
                        want: self.want,
                        diff: &diff,
                        token: self.token,
                    };
                    match self.cloud.perform(act).await {
                        Ok(name) => {
                            made |= name.is_some();
                            physical = name.unwrap_or(physical);
                        }
                        Err(error) => {
                            unknown = self.fault(&error, started.elapsed()) == Fault::Unknown;
                            if let Some(wait) = self.weigh(&error, started.elapsed())? {
                                attempts = attempts.saturating_sub(1);
                                waited = true;
                                (self.waiting)(error.to_string());
                                tokio::time::sleep(wait).await;
                            }
                        }
                    }
                    pause = self.limits.poll;
                    live = self.look(&physical, started).await?;
                    if unknown && live.is_none() && !made {
                        live = self.look_for_lost(started).await?;
                        physical = live.as_ref().map_or(physical, |live| live.physical.clone());
                    }
                    // Reads lag behind writes: a second write on a stale read would do the work twice.
                    for _ in 0..MOST_STALE_LOOKS {
                        if waited || live != before {
                            break;
                        }
                        (self.waiting)("AWS does not show the change yet".to_owned());
                        tokio::time::sleep(pause).await;
                        pause = (pause * 3 / 2).min(self.limits.slowest_poll);
                        live = self.look(&physical, started).await?;
                    }
                    continue;
                }
            }
            if started.elapsed() > self.limits.step_timeout {
                return Err(Failure {
                    timed_out: true,
                    ..Failure::new(format!("it did not settle in {:?}", self.limits.step_timeout))
                });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(self.limits.slowest_poll);
            live = self.look(&physical, started).await?;
        }
    }

    /// Before an id-only resource is made: whether a run that was cut off has made it already (D25, D26).
    async fn look_first(&self) -> Result<Option<Incarnation>, Error> {
        if self.kind.facts().identity != Identity::Assigned {
            return Ok(None);
        }
        let seen = self.poller.look_at_kind(&self.step.resource).await?;
        Ok(self.pick(seen, None))
    }

    /// After a create of an id-only resource whose answer was lost: whether it was made all the same (D25).
    async fn look_for_lost(&self, started: Instant) -> Result<Option<Incarnation>, Failure> {
        let mut unread = None;
        for _ in 0..MOST_STALE_LOOKS {
            match self.look_first().await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => unread = None,
                Err(error) => {
                    self.weigh(&error, started.elapsed())?;
                    unread = Some(Failure::from(&error));
                }
            }
            if self.kind.facts().identity != Identity::Assigned {
                break;
            }
            tokio::time::sleep(self.limits.poll * 4).await;
        }
        // Unreadable is never absent: what could not be looked for is not made again.
        unread.map_or(Ok(None), Err)
    }

    fn fault(&self, error: &Error, age: Duration) -> Fault {
        self.cloud.classify(&self.step.resource, error, age)
    }

    async fn look(&self, physical: &str, started: Instant) -> Result<Option<Incarnation>, Failure> {
        loop {
            match self.poller.look(&self.step.resource, physical).await {
                Ok(seen) => return Ok(self.pick(seen, Some(physical))),
                Err(error) => match self.cloud.classify(&self.step.resource, &error, started.elapsed()) {
                    Fault::Throttled | Fault::Unknown | Fault::Settling(_) | Fault::Propagating(_)
                        if started.elapsed() < self.limits.step_timeout =>
                    {
                        (self.waiting)(error.to_string());
                        tokio::time::sleep(self.limits.poll * 4).await;
                    }
                    _ => return Err(Failure::from(&error)),
                },
            }
        }
    }

    /// The incarnation that this step is about.
    fn pick(&self, seen: Incarnations, physical: Option<&str>) -> Option<Incarnation> {
        let generation = |i: &Incarnation| i.tags.get(crate::resource::GENERATION_TAG).cloned();
        let wanted = self.step.tags.get(crate::resource::GENERATION_TAG).cloned();
        seen.current.into_iter().chain(seen.others).find(|i| match (self.step.verb, physical) {
            (Verb::Deregister, _) => i.revision == self.step.revision,
            (Verb::Register, _) => true,
            (_, Some(physical)) => i.physical == physical,
            (_, None) => generation(i) == wanted,
        })
    }

    fn next(&self, live: Option<&Incarnation>, made: bool) -> Result<Next, Failure> {
        let Some(live) = live else {
            return Ok(match self.step.verb {
                verb if removes(verb) || verb == Verb::Disable => Next::Done(None),
                Verb::Create | Verb::Register if !made => Next::Act(Diff::default()),
                Verb::Create | Verb::Register => Next::Wait("AWS does not show it yet".to_owned()),
                _ => {
                    return Err(Failure {
                        stale: true,
                        ..Failure::new("it is gone since the plan was made: plan again")
                    });
                }
            });
        };
        if removes(self.step.verb) {
            if let Readiness::Pending(why) = &live.readiness {
                return Ok(Next::Wait(why.clone()));
            }
            self.refuse_foreign(live, false)?;
            return Ok(Next::Act(Diff::default()));
        }
        if self.step.verb == Verb::Register && !made {
            // A registration whose answer was lost may have been done: look before doing it again (D25).
            let done = live.owner().as_ref() == Some(self.owner) && self.diff(live).is_empty();
            return Ok(if done { Next::Done(Some(live.clone())) } else { Next::Act(Diff::default()) });
        }
        self.refuse_foreign(live, made)?;
        let diff = self.diff(live);
        if self.step.verb == Verb::Register && !diff.is_empty() {
            // Never a second revision because the first is not seen everywhere yet.
            return Ok(Next::Wait("AWS does not show the new revision yet".to_owned()));
        }
        match &live.readiness {
            Readiness::Pending(why) => Ok(Next::Wait(why.clone())),
            // What goes need not be whole.
            _ if diff.is_empty() && self.step.verb == Verb::Disable => Ok(Next::Done(Some(live.clone()))),
            Readiness::Failed(why) if diff.is_empty() => {
                Err(Failure::new(format!("AWS reports it as broken: {why}")))
            }
            Readiness::Repairable(why) if diff.is_empty() => Ok(Next::Repair(why.clone())),
            _ if diff.is_empty() => Ok(Next::Done(Some(live.clone()))),
            _ => {
                self.refuse_stronger(live, &diff)?;
                Ok(Next::Act(diff))
            }
        }
    }

    /// Between plan and step somebody may have made a thing of the same name, or taken our tags off: not ours to change.
    fn refuse_foreign(&self, live: &Incarnation, made: bool) -> Result<(), Failure> {
        let facts = self.kind.facts();
        let claimed = matches!(facts.ownership, Ownership::Tagged | Ownership::TagAfterCreate);
        let ours = live.owner().as_ref() == Some(self.owner);
        let forgotten = self.step.verb == Verb::Forget && live.owner().is_none();
        if ours || made || forgotten || !claimed || self.step.verb == Verb::Adopt {
            return Ok(());
        }
        let owner =
            live.owner().map_or_else(|| "has no owner".to_owned(), |owner| format!("belongs to {owner}"));
        let message =
            format!("{} exists by now and {owner}: plan again, and adopt it or rename yours", live.physical);
        Err(Failure { stale: true, ..Failure::new(message) })
    }

    /// What still differs from what this step wants.
    fn diff(&self, live: &Incarnation) -> Diff {
        let facts = self.kind.facts();
        let mut changes = match self.step.verb {
            Verb::Tag | Verb::Adopt | Verb::Forget => Vec::new(),
            _ => diff::walk(&live.spec, self.want, &facts.rules, &self.step.ignore),
        };
        let mut tags = tag_changes(&live.tags, &self.step.tags, facts.ownership);
        match self.step.verb {
            Verb::Disable => tags = retiring_mark(&live.tags),
            Verb::Adopt => tags.retain(|c| c.after.is_some()),
            Verb::Forget => {
                tags = tag_changes(&live.tags, &without_ours(&live.tags), facts.ownership);
            }
            _ => {}
        }
        changes.extend(tags);
        Diff(changes)
    }

    /// A fresh difference that needs more than was planned is not ours to decide.
    fn refuse_stronger(&self, live: &Incarnation, diff: &Diff) -> Result<(), Failure> {
        let spec: Vec<_> = diff.0.iter().filter(|c| c.rule != ChangeRule::Tag).cloned().collect();
        if spec.is_empty() || self.step.verb == Verb::Register {
            return Ok(());
        }
        match self.kind.effect(&live.spec, self.want, &spec, &Refs) {
            (Effect::Replace(_) | Effect::Impossible(_), reason) => {
                let paths: Vec<&str> = spec.iter().map(|c| c.path.as_str()).collect();
                let message = format!(
                    "AWS now reports another {} ({reason}), which needs more than was planned: plan again",
                    paths.join(", ")
                );
                Err(Failure { stale: true, ..Failure::new(message) })
            }
            _ => Ok(()),
        }
    }

    /// How long to wait before another look; `None` for at once. An error that no waiting mends is a failure.
    fn weigh(&self, error: &Error, age: Duration) -> Result<Option<Duration>, Failure> {
        let fault = self.cloud.classify(&self.step.resource, error, age);
        tracing::info!(resource = %self.step.resource, verb = ?self.step.verb, %error, ?fault, "a call failed");
        match fault {
            Fault::Gone if removes(self.step.verb) => Ok(None),
            Fault::Exists if matches!(self.step.verb, Verb::Create | Verb::Register) => Ok(None),
            Fault::Settling(limit) | Fault::Propagating(limit) if age < limit => {
                Ok(Some((self.limits.poll * 2).min(self.limits.slowest_poll)))
            }
            Fault::Throttled | Fault::Unknown if age < self.limits.step_timeout => {
                Ok(Some(self.limits.poll * 2))
            }
            _ => Err(Failure::from(error)),
        }
    }

    fn stuck(&self, diff: &Diff) -> Failure {
        let fields: Vec<&str> = diff.0.iter().map(|change| change.path.as_str()).collect();
        Failure::new(if fields.is_empty() {
            format!("AWS accepted it {MOST_ATTEMPTS} times, and nothing came of it")
        } else {
            format!(
                "AWS accepted the change {MOST_ATTEMPTS} times and still reports another {}",
                fields.join(", ")
            )
        })
    }
}

fn without_ours(tags: &crate::resource::Tags) -> crate::resource::Tags {
    tags.iter().filter(|(key, _)| !key.starts_with(TAG_PREFIX)).map(|(k, v)| (k.clone(), v.clone())).collect()
}
