//! The set of changes that somebody has seen, as text, and a plan against it (D19).
//!
//! A reviewed set travels as one line of text, `bw1:<base64url>`: the place that it was made for, the digests of each
//! change (which resource, the whole, what it leads to, its fields), and a check sum. It holds no value that could be
//! executed, and no secret.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::kind::Effect;
use crate::plan::model::{Action, Change, Plan, Verb};
use crate::resource::ResourceId;

/// How a reviewed set begins; another number is another format.
const MARK: &str = "bw1:";
/// How it begins inside a comment.
pub(super) const IN_COMMENT: &str = "<!-- batchwright reviewed=";
/// Bytes of a digest of a change.
const WIDE: usize = 10;
/// Bytes of a digest of a place, of a resource, and of the check sum.
const NARROW: usize = 6;

/// A text that is no reviewed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It does not begin as one.
    #[error(
        "read what was reviewed: expected `bw1:…`, as in `plan --json` or a plan's comment, or a plan's fingerprint"
    )]
    Unknown,
    /// A part of it is missing or changed.
    #[error("read what was reviewed: the text is damaged; copy the whole of it")]
    Damaged,
}

/// The changes that somebody has seen and agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewed {
    place: [u8; NARROW],
    seen: BTreeSet<Seen>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    resource: [u8; NARROW],
    whole: [u8; WIDE],
    /// Of what is made, or changed in several steps: what it is to be. Else nothing.
    end: [u8; WIDE],
    /// Of what is updated, its fields; of what goes, which it is.
    parts: BTreeSet<[u8; WIDE]>,
}

impl Seen {
    /// `on_the_way`: it takes more than one step, each of which changes what comes before the end.
    fn of(change: &Change, on_the_way: bool) -> Self {
        let makes = on_the_way || matches!(change.action, Action::Create | Action::Replace);
        Self {
            resource: hash(&change.id.to_string()),
            whole: hash(&change.digests.digest),
            end: if makes && !change.digests.end.is_empty() { hash(&change.digests.end) } else { [0; WIDE] },
            parts: change.digests.parts.iter().map(|part| hash(part)).collect(),
        }
    }

    /// How many revisions of a resource stay.
    fn kept(id: &ResourceId, count: u32) -> Self {
        let whole = hash(&format!("keepRevisions {count}"));
        Self { resource: hash(&format!("revisions of {id}")), whole, end: [0; WIDE], parts: BTreeSet::new() }
    }

    /// Whether a change is what is left of this one, images' digests aside: fewer fields of it, or the rest of what it
    /// was to make.
    fn holds(&self, change: &Change, it: &Self) -> bool {
        let ends = self.end != [0; WIDE] && self.end == hash(&change.digests.end);
        let in_place = matches!(change.effect, Some(Effect::Tag | Effect::Update(_)));
        match change.action {
            Action::Create => ends && self.end == it.end,
            Action::Update => (in_place && ends) || self.covers(it),
            // Of what is given up, only what a replacement left behind has parts.
            Action::Delete | Action::Forget => self.covers(it),
            Action::Adopt | Action::Replace => false,
        }
    }

    fn covers(&self, it: &Self) -> bool {
        !it.parts.is_empty() && it.parts.is_subset(&self.parts)
    }
}

/// How a change stands to what was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was reviewed as it is, or is what is left of a change that was.
    Reviewed,
    /// Nothing but the digests of these images is new, and this run declares them.
    Declared(Vec<String>),
    /// It was not.
    Otherwise(Mismatch),
}

/// In which way a change is not what was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// Its resource was not to be changed.
    NotReviewed,
    /// Its resource was to be changed in another way.
    Another,
    /// Nothing but the digests of these images is new, and nobody declares them.
    Image(Vec<String>),
    /// Fewer or more revisions would stay than was reviewed.
    Keeps(u32),
    /// It was reviewed, and would not be done any more.
    Missing,
    /// The whole was reviewed for another account, region or environment.
    Elsewhere,
    /// The whole is not what was reviewed, and only the whole was named.
    Whole,
}

/// One difference from what was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which resource; none of the plan as a whole.
    pub id: Option<ResourceId>,
    /// In which way.
    pub mismatch: Mismatch,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = &self.id {
            write!(f, "{id}: ")?;
        }
        match &self.mismatch {
            Mismatch::NotReviewed => f.write_str("this change was not reviewed"),
            Mismatch::Another => f.write_str("another change of it was reviewed"),
            Mismatch::Image(names) => write!(
                f,
                "only the image moved since the review; say which it is with --image {}=<repository>@sha256:…",
                names.join("=…, --image ")
            ),
            Mismatch::Keeps(count) => {
                write!(f, "revisions would go by keepRevisions: {count}, which is not what was reviewed")
            }
            Mismatch::Missing => f.write_str("its change was reviewed, and would not be made any more"),
            Mismatch::Elsewhere => {
                f.write_str("what was reviewed is for another environment, account or region")
            }
            Mismatch::Whole => f.write_str("its fingerprint is not the one that was reviewed"),
        }
    }
}

impl Reviewed {
    /// What somebody sees who looks at this plan.
    pub fn of(plan: &Plan) -> Self {
        let updates = |change: &Change| {
            plan.steps.iter().filter(|step| step.resource == change.id && step.verb == Verb::Update).count()
        };
        let seen = plan.reviewable().map(|change| Seen::of(change, updates(change) > 1));
        let kept = plan.keeps.iter().map(|(id, count)| Seen::kept(id, *count));
        Self { place: place(plan), seen: seen.chain(kept).collect() }
    }

    /// The text of a comment without any set.
    pub fn taken_out_of(body: &str) -> String {
        body.split_inclusive('\n').filter(|line| !line.starts_with(IN_COMMENT)).collect()
    }

    /// Takes what was reviewed earlier for the same place as well; `false`: it was for another.
    pub fn add(&mut self, earlier: &Self) -> bool {
        let same = self.place == earlier.place;
        if same {
            self.seen.extend(earlier.seen.iter().cloned());
        }
        same
    }

    /// The hidden line of a comment, from which [`Expected::in_comment`] reads it back.
    pub fn comment(&self) -> String {
        hidden(&self.to_string())
    }

    /// Whether it is of the place that a plan is for.
    pub(super) fn is_of(&self, plan: &Plan) -> bool {
        self.place == place(plan)
    }

    /// How each change of a plan stands to it, in the plan's order.
    pub fn standings<'a>(&self, plan: &'a Plan) -> Vec<(&'a Change, Verdict)> {
        plan.changes.iter().map(|change| (change, self.standing(change))).collect()
    }

    /// Everything in a plan that is neither reviewed nor declared. A subset of what was reviewed is fine.
    pub fn differences(&self, plan: &Plan) -> Vec<Difference> {
        if !self.is_of(plan) {
            return vec![Difference { id: None, mismatch: Mismatch::Elsewhere }];
        }
        plan.reviewable()
            .filter_map(|change| match self.standing(change) {
                Verdict::Otherwise(mismatch) => Some(Difference { id: Some(change.id.clone()), mismatch }),
                Verdict::Reviewed | Verdict::Declared(_) => None,
            })
            .collect()
    }

    pub(super) fn standing(&self, change: &Change) -> Verdict {
        if let Some(count) = change.digests.trims
            && !self.seen.contains(&Seen::kept(&change.id, count))
        {
            return Verdict::Otherwise(Mismatch::Keeps(count));
        }
        let it = Seen::of(change, false);
        if self.seen.iter().any(|seen| seen.whole == it.whole && seen.resource == it.resource) {
            return Verdict::Reviewed;
        }
        let mut of_it = self.seen.iter().filter(|seen| seen.resource == it.resource).peekable();
        let known = of_it.peek().is_some();
        // Old revisions go by how many are to stay, whenever a run comes to it.
        let trims = change.action == Action::Update && change.effect.is_none() && change.fields.is_empty();
        if !trims && !change.digests.only_images(change) && !of_it.any(|seen| seen.holds(change, &it)) {
            return Verdict::Otherwise(if known { Mismatch::Another } else { Mismatch::NotReviewed });
        }
        let names = |declared: bool| -> Vec<String> {
            let images = change.digests.images.iter().filter(|(_, said)| **said == declared);
            images.map(|(name, _)| name.clone()).collect()
        };
        match (names(false), names(true)) {
            (undeclared, _) if !undeclared.is_empty() => Verdict::Otherwise(Mismatch::Image(undeclared)),
            (_, declared) if declared.is_empty() => Verdict::Reviewed,
            (_, declared) => Verdict::Declared(declared),
        }
    }
}

impl fmt::Display for Reviewed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.place.to_vec();
        for Seen { resource, whole, end, parts } in &self.seen {
            bytes.extend_from_slice(resource);
            bytes.extend_from_slice(whole);
            bytes.extend_from_slice(end);
            bytes.extend_from_slice(&u16::try_from(parts.len()).unwrap_or(u16::MAX).to_be_bytes());
            parts.iter().take(usize::from(u16::MAX)).for_each(|part| bytes.extend_from_slice(part));
        }
        bytes.extend_from_slice(&check_sum(&bytes));
        write!(f, "{MARK}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Reviewed {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let encoded = text.trim().strip_prefix(MARK).ok_or(Error::Unknown)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Error::Damaged)?;
        let body = bytes.len().checked_sub(NARROW).ok_or(Error::Damaged)?;
        let (body, sum) = bytes.split_at(body);
        let (place, entries) = body.split_first_chunk().ok_or(Error::Damaged)?;
        if sum != check_sum(body) {
            return Err(Error::Damaged);
        }
        let (mut seen, mut rest) = (BTreeSet::new(), entries);
        while !rest.is_empty() {
            let (entry, after) = entry(rest).ok_or(Error::Damaged)?;
            seen.insert(entry);
            rest = after;
        }
        Ok(Self { place: *place, seen })
    }
}

/// The entry that the bytes begin with, and what follows it.
fn entry(bytes: &[u8]) -> Option<(Seen, &[u8])> {
    let (resource, rest) = bytes.split_first_chunk()?;
    let (whole, rest) = rest.split_first_chunk()?;
    let (end, rest) = rest.split_first_chunk()?;
    let (count, mut rest) = rest.split_first_chunk()?;
    let mut parts = BTreeSet::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (part, after) = rest.split_first_chunk()?;
        parts.insert(*part);
        rest = after;
    }
    Some((Seen { resource: *resource, whole: *whole, end: *end, parts }, rest))
}

fn hash<const N: usize>(text: &str) -> [u8; N] {
    let mut found = [0; N];
    for (to, from) in found.iter_mut().zip(Sha256::digest(text.as_bytes())) {
        *to = from;
    }
    found
}

fn check_sum(bytes: &[u8]) -> [u8; NARROW] {
    let mut found = [0; NARROW];
    for (to, from) in found.iter_mut().zip(Sha256::digest(bytes)) {
        *to = from;
    }
    found
}

/// The hidden line of a comment that holds what was reviewed.
pub fn hidden(reviewed: &str) -> String {
    format!("{IN_COMMENT}{reviewed} -->")
}

fn place(plan: &Plan) -> [u8; NARROW] {
    hash(&format!("{}\n{}\n{}\n{}", plan.owner, plan.environment, plan.place.account, plan.place.region))
}

impl Plan {
    /// What somebody sees who looks at it: the set that `apply --expect` takes (D19).
    pub fn reviewed(&self) -> Reviewed {
        Reviewed::of(self)
    }

    /// The same as text; where that would be longer than so many bytes, the fingerprint, which stands for this plan alone.
    pub fn reviewed_within(&self, room: usize) -> String {
        let set = self.reviewed().to_string();
        if set.len() <= room { set } else { self.fingerprint() }
    }
}

#[cfg(test)]
mod tests;
