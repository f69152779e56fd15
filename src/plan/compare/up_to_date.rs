//! What is as declared: nothing to do, unless it is broken or has more revisions than are kept.

use crate::kind::{Effect, Manner, Reason};
use crate::plan::compare::Drafter;
use crate::plan::compare::decision::{Draft, How, count};
use crate::plan::compare::revisions::surplus;
use crate::plan::model::{Action, Change, Due, Note, Seal};
use crate::resource::{Declared, Document, Incarnation, Incarnations, Readiness, Tags};

/// As declared, and AWS is still at work on it: a run that was cut off has made or changed it. There is nothing to change,
/// and an apply ends when AWS has.
pub struct Pending {
    pub due: Due,
    pub want: Document,
    pub tags: Tags,
    pub ignore: Vec<String>,
}

impl Pending {
    fn of(declared: &Declared, current: &Incarnation, why: &str) -> Self {
        let what = format!("AWS is still at work on it ({why}): an apply waits for the end of that");
        Self {
            due: Due { id: declared.id.clone(), physical: current.physical.clone(), what, change: None },
            want: current.spec.clone(),
            tags: current.tags.clone(),
            ignore: declared.ignore.clone(),
        }
    }
}

impl Drafter<'_> {
    /// Nothing differs: it counts as unchanged, unless it is broken or has more revisions than are kept.
    pub fn as_declared(&mut self, declared: &Declared, current: &Incarnation, seen: &Incarnations) {
        if let Readiness::Repairable(why) | Readiness::Failed(why) = &current.readiness {
            return self.repair(declared, current, why);
        }
        if let Readiness::Pending(why) = &current.readiness {
            self.pending.push(Pending::of(declared, current, why));
        }
        let surplus = surplus(declared, seen, &self.resolver.desired.owner, false, &self.pins);
        if surplus.gone.is_empty() || !self.whole {
            self.notes.extend(surplus.reason().filter(|_| self.whole).map(|message| Note {
                id: declared.id.clone(),
                message,
                ignored: Vec::new(),
                stays: false,
            }));
            self.unchanged += 1;
            return;
        }
        let reason = Reason(surplus.reason().unwrap_or_default());
        let change = Change {
            id: declared.id.clone(),
            action: Action::Update,
            effect: None,
            reason,
            physical: current.physical.clone(),
            fields: Vec::new(),
            unchanged: count(&current.spec),
            position: Some(declared.position.clone()),
            seal: Seal { trims: surplus.trims(), ..Seal::default() },
        };
        let (want, tags) = (current.spec.clone(), current.tags.clone());
        self.drafts.push(Draft {
            change: change.sealed(),
            want,
            tags,
            ignore: Vec::new(),
            how: How::Trim,
            first: None,
        });
    }

    /// As declared, and broken: a run that was cut off here goes on, or the reason is mended elsewhere, perhaps by this very
    /// plan. An update makes AWS look again. It stands in nobody else's way.
    fn repair(&mut self, declared: &Declared, current: &Incarnation, why: &str) {
        let change = Change {
            id: declared.id.clone(),
            action: Action::Update,
            effect: Some(Effect::Update(Manner::Repair)),
            reason: Reason(format!("AWS reports it as broken: {why}")),
            physical: current.physical.clone(),
            fields: Vec::new(),
            unchanged: count(&current.spec),
            position: Some(declared.position.clone()),
            seal: Seal::default(),
        };
        self.drafts.push(Draft {
            change: change.sealed(),
            want: current.spec.clone(),
            tags: current.tags.clone(),
            ignore: declared.ignore.clone(),
            how: How::Update { tags_only: false },
            first: None,
        });
    }
}
