//! A plan as one hash of all that a review holds.

use sha2::{Digest, Sha256};

use crate::plan::model::{Change, Plan};

impl Plan {
    /// The place and the digests of all that a review holds, as one text (D19).
    pub fn fingerprint(&self) -> String {
        self.hash(self.reviewable())
    }

    /// The place and the digests of what differs, as one text: what is due is no drift (D20).
    pub(crate) fn fingerprint_of_changes(&self) -> String {
        self.hash(self.changes.iter())
    }

    fn hash<'c>(&self, changes: impl Iterator<Item = &'c Change>) -> String {
        let mut digests: Vec<&str> = changes.map(|change| change.digests.digest.as_str()).collect();
        digests.sort_unstable();
        digests.dedup();
        let place = [&self.owner.0, &self.environment, &self.place.account, &self.place.region];
        let hash = Sha256::digest(format!("{place:?}\n{}", digests.join("\n")).as_bytes());
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The changes, and what goes after something that is due.
    pub(crate) fn reviewable(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().chain(self.due.iter().filter_map(|due| due.change.as_deref()))
    }
}
