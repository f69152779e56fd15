//! One step, until a fresh observation agrees: the only waiting loop of the program (D23).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::backoff::Backoff;
use super::poll::Poller;
use super::shutdown::{EndedEarly, Stop, WaitFor};
use super::{Failure, Limits, removes};
use crate::cloud::{Act, Cloud};
use crate::diff::Diff;
use crate::kind::{AnyKind, Identity};
use crate::plan::{Step, Verb};
use crate::resource::{Document, Incarnation, Incarnations, Owner, Readiness, ResourceId};
use crate::services::{Error, Fault, Result as Called};

/// How long AWS may take to show what it has made (aws-semantics §1.4).
const SHOWS: Duration = Duration::from_secs(120);

/// How often a read that shows nothing of a write is repeated: ten seconds at the default pace.
pub(super) const MOST_STALE_LOOKS: u32 = 10;

/// How often a verb is called again although AWS accepted it and goes on reporting something else.
const MOST_ATTEMPTS: u32 = 8;

/// How often AWS is asked to delete what it calls broken: switched off, deleted, and once more.
const MOST_BROKEN: u32 = 3;

pub(super) struct Settle<'a, 'c> {
    pub cloud: &'a dyn Cloud,
    pub poller: &'a Poller<'c>,
    pub kind: &'static dyn AnyKind,
    /// Who we are.
    pub owner: &'a Owner,
    pub step: &'a Step,
    /// What it is to be, with every reference resolved.
    pub want: &'a Document,
    /// The newest revision that the plan saw, of kinds that have them.
    pub newest: Option<u64>,
    /// Whether a role that it names may be too young to be seen everywhere.
    pub fresh: &'a (dyn Fn() -> bool + Send + Sync),
    /// Whether a step of this run that is not over yet removes what bears this name.
    pub goes: &'a (dyn Fn(&ResourceId, &str) -> bool + Send + Sync),
    pub token: &'a str,
    pub limits: &'a Limits,
    /// Told what is waited for.
    pub waiting: &'a (dyn Fn(String) + Send + Sync),
    /// Says when to stop.
    pub stop: &'a Stop,
    /// Whether AWS has accepted anything of this step.
    pub asked: AtomicBool,
}

/// How far a step has come.
pub(super) struct Now {
    pub live: Option<Incarnation>,
    /// The name or id under which it is looked for.
    pub physical: String,
    /// Whether AWS has said that it made it.
    pub made: bool,
    /// When this step made it.
    pub made_at: Option<Instant>,
    /// Whether AWS called it broken for good before this step.
    was_broken: bool,
    attempts: u32,
    repairs: u32,
    /// How many looks in a row have agreed, and how many have not since one did.
    pub agreed: u32,
    pub contradicted: u32,
    /// What was last seen to use it, of what AWS does not let go.
    pub holder: Option<String>,
    pub backoff: Backoff,
}

/// What is looked at.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    /// What bears this name or id.
    At(&'a str),
    /// All of its kind that is ours.
    Kind,
}

/// What to do after a look.
pub(super) enum Next {
    Done(Option<Incarnation>),
    Act(Diff),
    Wait(String),
    /// Broken, but it may mend itself in a moment: a fresh role is not seen everywhere yet.
    Repair(String),
    /// Broken for good, unless it was before this step and its reason is gone.
    Broken(String),
}

impl Settle<'_, '_> {
    /// Runs the step. `live`: the incarnation that the plan saw, if there was one.
    pub async fn run(&self, live: Option<Incarnation>) -> Result<Option<Incarnation>, EndedEarly> {
        let mut now = self.begin(live).await?;
        loop {
            let next = self.next(now.live.as_ref(), now.made)?;
            let next = self.steadied(&mut now, next);
            if !matches!(next, Next::Done(_)) {
                self.refuse_late(&now)?;
            }
            let (why, wait_for) = match next {
                Next::Done(Some(live)) => return self.keep_oldest(&mut now, live).await.map(Some),
                Next::Done(None) => return Ok(None),
                Next::Act(diff) => {
                    self.act(&mut now, &diff).await?;
                    continue;
                }
                Next::Wait(why) => (why, WaitFor::OurRequest),
                Next::Repair(why) => (self.repair(&mut now, why).await?, WaitFor::Others),
                Next::Broken(why) if now.was_broken && now.repairs == 0 => {
                    (self.repair(&mut now, why).await?, WaitFor::Others)
                }
                Next::Broken(why) => return Err(broken(&why).into()),
            };
            self.rest(now.backoff.next_pause(), wait_for, &why).await?;
            now.live = self.look(&now.physical, &mut now.backoff).await?;
        }
    }

    /// What is there already, of what is to be made: a run that was cut off, or another one, may have made it (D25, D26).
    async fn begin(&self, live: Option<Incarnation>) -> Result<Now, EndedEarly> {
        let was_broken = live.as_ref().is_some_and(|live| matches!(live.readiness, Readiness::Failed(_)));
        let mut now = Now {
            was_broken,
            physical: live.as_ref().map_or_else(|| self.step.physical.clone(), |live| live.physical.clone()),
            live,
            made: false,
            made_at: None,
            attempts: 0,
            repairs: 0,
            agreed: 0,
            contradicted: 0,
            holder: None,
            backoff: Backoff::new(self.limits, self.token),
        };
        match self.step.verb {
            Verb::Create if now.live.is_none() && self.is_assigned() => {
                let found = self.look_first(&mut now.backoff).await?;
                self.take(&mut now, found).await?;
            }
            Verb::Register => now.live = self.look(&now.physical, &mut now.backoff).await?,
            _ => {}
        }
        Ok(now)
    }

    /// An update that changes nothing makes AWS look again (aws-semantics §1.4): once at what was broken before this step,
    /// and for as long as the reason may be that a role is too young. Of what was made a moment ago it may be one that nobody
    /// declares: the first environment of an account has AWS make ECS's.
    async fn repair(&self, now: &mut Now, why: String) -> Result<String, EndedEarly> {
        let untried = now.repairs == 0 && self.step.verb != Verb::Create;
        let young = now.made_at.is_some_and(|at| at.elapsed() < self.limits.propagation);
        if !untried && !young && !(self.fresh)() {
            return Err(broken(&why).into());
        }
        self.may_ask()?;
        now.repairs += 1;
        if let Err(error) = self.perform(self.step, now.live.as_ref(), &Diff::default()).await {
            self.weigh(&error, &mut now.backoff)?;
        }
        Ok(why)
    }

    /// Its time is up, or what was made has not been seen for so long that somebody must have removed it again.
    fn refuse_late(&self, now: &Now) -> Result<(), Failure> {
        let age = now.backoff.age();
        if age > self.limits.step_timeout {
            return Err(Failure {
                timed_out: true,
                ..Failure::new(format!("it did not settle in {:?}", self.limits.step_timeout))
            });
        }
        if now.made && now.live.is_none() && age > SHOWS {
            let message = format!("{} was made, and is not there: plan again", now.physical);
            return Err(Failure { stale: true, ..Failure::new(message) });
        }
        Ok(())
    }

    pub(super) fn is_assigned(&self) -> bool {
        self.kind.facts().identity == Identity::Assigned
    }

    pub(super) async fn perform(
        &self,
        step: &Step,
        live: Option<&Incarnation>,
        diff: &Diff,
    ) -> Called<Option<String>> {
        let done = self.cloud.perform(Act { step, live, want: self.want, diff, token: self.token }).await;
        self.asked.fetch_or(done.is_ok(), Ordering::Relaxed);
        done
    }

    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Makes the next move, and looks what came of it.
    async fn act(&self, now: &mut Now, diff: &Diff) -> Result<(), EndedEarly> {
        self.may_ask()?;
        now.attempts += u32::from(!removes(self.step.verb));
        if now.attempts > MOST_ATTEMPTS {
            return Err(self.stuck(diff).into());
        }
        if removes(self.step.verb)
            && let Some(Readiness::Repairable(why)) = now.live.as_ref().map(|live| &live.readiness)
        {
            now.repairs += 1;
            if now.repairs > MOST_BROKEN && !(self.fresh)() {
                return Err(Failure::new(format!("AWS can't delete it: {why}")).into());
            }
        }
        self.refuse_to_take_from_jobs().await?;
        let before = now.live.clone();
        match self.perform(self.step, now.live.as_ref(), diff).await {
            Ok(Some(name)) => {
                (now.made, now.physical) = (true, name);
                now.made_at = Some(Instant::now());
                now.backoff.begin_again();
                if self.step.verb == Verb::Create && self.is_assigned() {
                    return self.claim(now).await;
                }
            }
            Ok(None) => now.backoff.begin_again(),
            Err(error) => return self.after(now, before, &error).await,
        }
        now.live = self.look(&now.physical, &mut now.backoff).await?;
        self.look_until_it_shows(now, before).await
    }

    /// After a call that failed: waits as long as is worth it, and looks what came of it all the same.
    async fn after(
        &self,
        now: &mut Now,
        before: Option<Incarnation>,
        error: &Error,
    ) -> Result<(), EndedEarly> {
        let fault = self.fault(error, now.backoff.age());
        if let (Fault::Settling(limit), Some(timeout)) = (fault, self.step.drain_timeout)
            && now.backoff.age() >= Duration::from_secs(timeout).min(limit).min(self.limits.step_timeout)
        {
            return Err(EndedEarly::Later(format!(
                "tasks that still run may hold {} ({}): an apply after their end deletes it",
                now.physical, error.message
            )));
        }
        let wait = self.weigh(error, &mut now.backoff)?;
        if let Some(wait) = wait {
            now.attempts = now.attempts.saturating_sub(1);
            let passes = matches!(fault, Fault::Throttled | Fault::Unknown);
            let wait_for = if passes { WaitFor::OurRequest } else { WaitFor::Others };
            self.rest(wait, wait_for, &error.to_string()).await?;
            if removes(self.step.verb) && matches!(fault, Fault::Settling(_)) {
                self.refuse_held(now).await?;
            }
        }
        let unsure = matches!(fault, Fault::Unknown | Fault::Exists);
        if unsure && !now.made && self.step.verb == Verb::Create && self.is_assigned() && now.live.is_none() {
            let found = self.look_for_lost(&mut now.backoff).await?;
            if fault == Fault::Exists && found.is_none() {
                // It is there, and it is not ours.
                return Err(Failure::from(error).into());
            }
            return self.take(now, found).await;
        }
        now.live = self.look(&now.physical, &mut now.backoff).await?;
        if wait.is_some() {
            return Ok(());
        }
        self.look_until_it_shows(now, before).await
    }

    /// Reads lag behind writes: a second write on a stale read would do the work twice.
    async fn look_until_it_shows(
        &self,
        now: &mut Now,
        before: Option<Incarnation>,
    ) -> Result<(), EndedEarly> {
        for _ in 0..MOST_STALE_LOOKS {
            if now.live != before {
                break;
            }
            let pause = now.backoff.next_pause();
            self.rest(pause, WaitFor::OurRequest, "AWS does not show the change yet").await?;
            now.live = self.look(&now.physical, &mut now.backoff).await?;
        }
        Ok(())
    }

    pub(super) async fn look(
        &self,
        physical: &str,
        backoff: &mut Backoff,
    ) -> Result<Option<Incarnation>, EndedEarly> {
        Ok(self.pick(self.looked(Look::At(physical), backoff).await?, Some(physical)))
    }

    /// Looks, and again for as long as that fails in a way that passes.
    pub(super) async fn looked(
        &self,
        look: Look<'_>,
        backoff: &mut Backoff,
    ) -> Result<Incarnations, EndedEarly> {
        let (id, mut again) = (&self.step.resource, backoff.anew());
        loop {
            let seen = match look {
                Look::At(physical) => self.poller.look(id, physical).await,
                Look::Kind => self.poller.look_at_kind(id).await,
            };
            let error = match seen {
                Ok(seen) => return Ok(seen),
                Err(error) => error,
            };
            match self.fault(&error, again.age()) {
                Fault::Throttled | Fault::Unknown | Fault::Settling(_) | Fault::Propagating(_)
                    if again.age() < self.limits.step_timeout =>
                {
                    tracing::info!(resource = %id, %error, "a look failed, and is repeated");
                    let wait = again.after_refusal(error.retry_after);
                    self.rest(wait, WaitFor::OurRequest, &error.to_string()).await?;
                }
                _ => return Err(Failure::from(&error).into()),
            }
        }
    }

    /// The incarnation that this step is about.
    pub(super) fn pick(&self, seen: Incarnations, physical: Option<&str>) -> Option<Incarnation> {
        let generation = |i: &Incarnation| i.tags.get(crate::resource::GENERATION_TAG).cloned();
        let wanted = self.step.tags.get(crate::resource::GENERATION_TAG).cloned();
        seen.current.into_iter().chain(seen.others).find(|i| match (self.step.verb, physical) {
            (Verb::Deregister | Verb::Adopt, _) if self.step.revision.is_some() => {
                i.revision == self.step.revision
            }
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
            // A registration wait_for answer was lost may have been done: look before doing it again (D25).
            if !self.is_ours(live) || !self.diff(live).only_tags() {
                return Ok(Next::Act(Diff::default()));
            }
        }
        self.refuse_foreign(live, made)?;
        let diff = self.diff(live);
        // Tags that all revisions share are none that a new revision brings.
        if self.step.verb == Verb::Register && !diff.only_tags() {
            // Never a second revision because the first is not seen everywhere yet.
            return Ok(Next::Wait("AWS does not show the new revision yet".to_owned()));
        }
        match &live.readiness {
            Readiness::Pending(why) => Ok(Next::Wait(why.clone())),
            // What goes need not be whole.
            _ if diff.is_empty() && self.step.verb == Verb::Disable => Ok(Next::Done(Some(live.clone()))),
            Readiness::Failed(why) if diff.is_empty() => Ok(Next::Broken(why.clone())),
            Readiness::Repairable(why) if diff.is_empty() => Ok(Next::Repair(why.clone())),
            _ if diff.is_empty() => Ok(Next::Done(Some(live.clone()))),
            _ => {
                self.refuse_stronger(live, &diff)?;
                Ok(Next::Act(diff))
            }
        }
    }

    fn fault(&self, error: &Error, age: Duration) -> Fault {
        self.cloud.classify(&self.step.resource, error, age)
    }

    /// How long to wait before another look; `None` for at once. An error that no waiting mends is a failure.
    pub(super) fn weigh(&self, error: &Error, backoff: &mut Backoff) -> Result<Option<Duration>, Failure> {
        let age = backoff.age();
        let fault = self.fault(error, age);
        tracing::info!(resource = %self.step.resource, verb = ?self.step.verb, %error, ?fault, "a call failed");
        let most = self.limits.step_timeout;
        match fault {
            // A part of it may have been done by a call wait_for answer was lost, or by another run: the next look tells.
            Fault::Gone => Ok(None),
            Fault::Exists if !removes(self.step.verb) => Ok(None),
            Fault::Settling(limit) | Fault::Propagating(limit) if age < limit.min(most) => {
                Ok(Some(backoff.after_refusal(error.retry_after)))
            }
            Fault::Throttled | Fault::Unknown if age < most => {
                Ok(Some(backoff.after_refusal(error.retry_after)))
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

fn broken(why: &str) -> Failure {
    Failure::new(format!("AWS reports it as broken: {why}"))
}
