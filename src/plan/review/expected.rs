//! What a plan is held against before anything of it is done (D19).

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::plan::model::{Due, Plan};
use crate::plan::review::set::{Difference, Error, IN_COMMENT, Mismatch, Reviewed, Verdict};
use crate::resource::ResourceId;

/// What a plan is held against before anything of it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// These changes, or some of them (`--expect bw1:…`).
    Some(Reviewed),
    /// The plan of this fingerprint and no other (`--expect <fingerprint>`).
    Whole(String),
    /// The plan that a file records, change by change (`--plan FILE`).
    Recorded(Recorded),
}

impl Expected {
    /// What was reviewed, from the text of a comment: from its hidden first lines. What stands below comes from manifests and
    /// from AWS, and may say anything.
    pub fn in_comment(body: &str) -> Option<Result<Self, Error>> {
        let mut hidden = body.lines().take_while(|line| line.starts_with("<!--"));
        let rest = hidden.find_map(|line| line.strip_prefix(IN_COMMENT))?;
        Some(rest.split_whitespace().next().unwrap_or_default().parse())
    }

    /// Whether it is of what goes after something that is due as well. If not, what is due has to wait for a review that is:
    /// what an earlier apply has left is no reason to refuse this one.
    pub fn holds(&self, due: &[Due]) -> bool {
        let Self::Some(reviewed) = self else { return true };
        let mut changes = due.iter().filter_map(|due| due.change.as_deref());
        changes.all(|change| reviewed.standing(change) == Verdict::Reviewed)
    }

    /// Whether it takes one plan as it is, and no part of it: then what a run leaves undone has to be planned again.
    pub fn is_one_plan(&self) -> bool {
        !matches!(self, Self::Some(_))
    }

    /// Everything in which a plan differs from it.
    pub fn differences(&self, plan: &Plan) -> Vec<Difference> {
        match self {
            Self::Some(reviewed) => reviewed.differences(plan),
            Self::Whole(fingerprint) if *fingerprint == plan.fingerprint() => Vec::new(),
            Self::Whole(_) => vec![Difference { id: None, mismatch: Mismatch::Whole }],
            Self::Recorded(recorded) => recorded.differences(plan),
        }
    }
}

impl FromStr for Expected {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        match text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            true => Ok(Self::Whole(text.to_owned())),
            false => text.parse().map(Self::Some),
        }
    }
}

/// A plan that a file records: digests, and nothing that is ever executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The set in its summary.
    pub reviewed: Reviewed,
    /// The fingerprint in its summary.
    pub fingerprint: String,
    /// The digest of each change, and of each that goes after something that is due.
    pub digests: BTreeSet<(ResourceId, String)>,
}

impl Recorded {
    /// Every change that is not recorded as it is, and every recorded one that would not be made.
    fn differences(&self, plan: &Plan) -> Vec<Difference> {
        if !self.reviewed.is_of(plan) {
            return vec![Difference { id: None, mismatch: Mismatch::Elsewhere }];
        }
        let made = plan.reviewable().map(|change| (change.id.clone(), change.digests.digest.clone()));
        let made: BTreeSet<(ResourceId, String)> = made.collect();
        let has = |set: &BTreeSet<(ResourceId, String)>, id| set.iter().any(|(other, _)| other == id);
        let mut found = Vec::new();
        for (id, _) in made.difference(&self.digests) {
            let mismatch = if has(&self.digests, id) { Mismatch::Another } else { Mismatch::NotReviewed };
            found.push(Difference { id: Some(id.clone()), mismatch });
        }
        for (id, _) in self.digests.difference(&made).filter(|(id, _)| !has(&made, id)) {
            found.push(Difference { id: Some(id.clone()), mismatch: Mismatch::Missing });
        }
        if found.is_empty() && self.fingerprint != plan.fingerprint() {
            found.push(Difference { id: None, mismatch: Mismatch::Whole });
        }
        found
    }
}
