//! What goes and AWS does not let go, because something of ours uses it that nothing of this run removes: another run, beside this
//! one, has made it or let it come back. Waiting would not help.

use serde_json::Value;

use super::Failure;
use super::settle::{Now, Settle};
use super::shutdown::EndedEarly;
use crate::resource::{Incarnation, Observed, Readiness};
use crate::value;

/// After so many refusals in a row it is asked who uses it, and again after as many: half a minute each at the default pace.
const PATIENT: u32 = 6;

impl Settle<'_, '_> {
    /// Fails if the same thing of ours is seen to use it twice: one look alone may be an old one.
    pub(super) async fn refuse_held(&self, now: &mut Now) -> Result<(), EndedEarly> {
        let refusals = now.backoff.refusals();
        let Some(live) = now.live.as_ref().filter(|_| refusals > 0 && refusals.is_multiple_of(PATIENT))
        else {
            return Ok(());
        };
        let observed = match self.poller.look_at_all().await {
            Ok(observed) => observed,
            Err(error) => {
                tracing::info!(resource = %self.step.resource, %error, "nobody can tell who uses it");
                return Ok(());
            }
        };
        let holder = self.holder(live, &observed);
        if let Some(holder) = holder.as_ref().filter(|holder| now.holder.as_ref() == Some(holder)) {
            let message = format!(
                "{} can't go: {holder} uses it, which is ours, and nothing of this run removes that: plan again",
                live.physical
            );
            return Err(Failure { stale: true, ..Failure::new(message) }.into());
        }
        now.holder = holder;
        Ok(())
    }

    fn holder(&self, live: &Incarnation, observed: &Observed) -> Option<String> {
        let outputs =
            ["arn", "id"].into_iter().filter_map(|name| live.outputs.get(name).and_then(Value::as_str));
        let denoted: Vec<&str> = outputs.chain(live.arn.as_deref()).collect();
        let stays =
            |user: &Incarnation| !matches!(user.readiness, Readiness::Pending(_)) && self.is_ours(user);
        let mut users =
            observed.resources.iter().flat_map(|(id, seen)| seen.iter().map(move |user| (id, user)));
        users.find_map(|(id, user)| {
            let mut uses = false;
            value::strings(&user.spec, &mut |text| uses |= denoted.contains(&text));
            let itself = *id == self.step.resource && user.physical == live.physical;
            (uses && !itself && stays(user) && !(self.goes)(id, &user.physical))
                .then(|| format!("{id} ({})", user.physical))
        })
    }
}
