//! Whose it is that was made: what only its tags tell apart AWS makes as often as it is asked (D25, D26).

use super::Failure;
use super::backoff::Backoff;
use super::settle::{Look, MOST_STALE_LOOKS, Now, Settle};
use super::shutdown::{EndedEarly, WaitFor};
use crate::diff::Diff;
use crate::plan::{Step, Verb};
use crate::resource::{Incarnation, Incarnations};
use crate::services::Fault;

impl Settle<'_, '_> {
    /// Before it is made: whether a run that was cut off, or another one, has made it already.
    pub(super) async fn look_first(&self, backoff: &mut Backoff) -> Result<Option<Incarnation>, EndedEarly> {
        Ok(self.pick(self.looked(Look::Kind, backoff).await?, None))
    }

    /// After a create wait_for answer was lost: whether it was made all the same. Unreadable is never absent: what could not
    /// be looked for is not made again.
    pub(super) async fn look_for_lost(
        &self,
        backoff: &mut Backoff,
    ) -> Result<Option<Incarnation>, EndedEarly> {
        let mut again = backoff.anew();
        for _ in 0..MOST_STALE_LOOKS {
            if let Some(found) = self.look_first(backoff).await? {
                return Ok(Some(found));
            }
            let pause = again.next_pause();
            self.rest(pause, WaitFor::OurRequest, "it is looked for what a lost answer may have made")
                .await?;
        }
        Ok(None)
    }

    /// Goes on with one that was found; the look at the whole kind does not read all there is to know of it.
    pub(super) async fn take(&self, now: &mut Now, found: Option<Incarnation>) -> Result<(), EndedEarly> {
        if let Some(found) = found {
            now.physical = found.physical;
            now.live = self.look(&now.physical, &mut now.backoff).await?;
            now.made = true;
        }
        Ok(())
    }

    /// Right after it was made: another run may have made one as well, in the time between its look and ours.
    pub(super) async fn claim(&self, now: &mut Now) -> Result<(), EndedEarly> {
        let mine = now.physical.clone();
        let (mut one, mut other) = (now.backoff.clone(), now.backoff.clone());
        let (live, stays) = futures::join!(self.look(&mine, &mut one), self.stays(&mine, &mut other));
        if stays? {
            now.live = live?;
            return Ok(());
        }
        self.yield_to_twin(&mine, &mut now.backoff).await?;
        (now.made, now.live, now.physical) = (false, None, self.step.physical.clone());
        let found = self.look_for_lost(&mut now.backoff).await?;
        self.take(now, found).await
    }

    /// Whether mine is the one that stays. Of two that see each other the one with the smaller id stays; one that does
    /// not go although it is the greater was there before mine was seen, and is in use by now.
    async fn stays(&self, mine: &str, backoff: &mut Backoff) -> Result<bool, EndedEarly> {
        for _ in 0..MOST_STALE_LOOKS {
            let seen = self.looked(Look::Kind, backoff).await?;
            let all = seen.current.into_iter().chain(seen.others);
            let others = all.filter(|one| one.physical != mine).collect();
            match self.pick(Incarnations { current: None, others }, None) {
                None => return Ok(true),
                Some(twin) if twin.physical.as_str() < mine => return Ok(false),
                Some(twin) => {
                    let waits =
                        format!("another run has made {} too: one of the two gives way", twin.physical);
                    self.rest(backoff.next_pause(), WaitFor::OurRequest, &waits).await?;
                }
            }
        }
        Ok(false)
    }

    /// Removes what this step has made and nobody uses yet.
    async fn yield_to_twin(&self, mine: &str, backoff: &mut Backoff) -> Result<(), EndedEarly> {
        tracing::info!(resource = %self.step.resource, mine, "another run has made it too: this one gives way");
        let step = Step { verb: Verb::Delete, physical: mine.to_owned(), ..self.step.clone() };
        let mut again = backoff.anew();
        for _ in 0..MOST_STALE_LOOKS {
            let Some(live) = self.look(mine, backoff).await? else { return Ok(()) };
            if let Err(error) = self.perform(&step, Some(&live), &Diff::default()).await {
                let wait = self.weigh(&error, &mut again)?.unwrap_or_else(|| again.next_pause());
                self.rest(wait, WaitFor::OurRequest, &error.to_string()).await?;
            }
        }
        Err(Failure::new(format!(
            "another run has made it too, and {mine} can't be removed: remove it by hand"
        ))
        .into())
    }

    /// The oldest of equal revisions, where another run has registered the same beside this one; the others go.
    pub(super) async fn keep_oldest(
        &self,
        now: &mut Now,
        mine: Incarnation,
    ) -> Result<Incarnation, EndedEarly> {
        let newest = self.newest.unwrap_or_default();
        if self.step.verb != Verb::Register || !now.made || mine.revision == Some(newest + 1) {
            return Ok(mine);
        }
        let seen = self.looked(Look::At(&now.physical), &mut now.backoff).await?;
        let equal = |one: &&Incarnation| {
            one.revision > Some(newest) && self.is_ours(one) && self.diff(one).is_empty()
        };
        let mut same: Vec<&Incarnation> = seen.iter().filter(equal).collect();
        same.sort_by_key(|one| one.revision);
        let Some((first, rest)) = same.split_first() else { return Ok(mine) };
        let mut kept = *first;
        for extra in rest {
            let step = Step { verb: Verb::Deregister, revision: extra.revision, ..self.step.clone() };
            let Err(error) = self.perform(&step, Some(extra), &Diff::default()).await else { continue };
            match self.cloud.classify(&step.resource, &error, now.backoff.age()) {
                Fault::Gone => {}
                // AWS does not let the newest go before the others: it is the one that counts then.
                Fault::Settling(_) => kept = extra,
                _ => return Err(Failure::from(&error).into()),
            }
        }
        Ok(kept.clone())
    }
}
