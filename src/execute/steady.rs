//! Kinds that AWS shows late: after a write it answers now and then what was before, from another of its servers.

use super::settle::{MOST_STALE_LOOKS, Next, Now, Settle};

/// How many looks in a row have to agree after a write. hashicorp/terraform-provider-aws waits for ten of a lifecycle, and for
/// two of whatever else a bucket has; a plan looks once more at what differs.
const AGREEING: u32 = 3;

impl Settle<'_, '_> {
    /// One look that agrees is not enough after a write, and one that differs after such a look is no reason to write again.
    pub(super) fn steadied(&self, now: &mut Now, next: Next) -> Next {
        if !self.kind.facts().shown_late || !self.has_asked() {
            return next;
        }
        match next {
            Next::Done(Some(_)) if now.agreed + 1 < AGREEING => {
                now.agreed += 1;
                Next::Wait("AWS may still show what it was before".to_owned())
            }
            Next::Act(_) if now.agreed > 0 && now.contradicted < MOST_STALE_LOOKS => {
                (now.agreed, now.contradicted) = (1, now.contradicted + 1);
                Next::Wait("AWS shows again what it was before".to_owned())
            }
            other => other,
        }
    }
}
