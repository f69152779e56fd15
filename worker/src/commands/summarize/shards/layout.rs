//! Which bytes are whose.

use super::Shard;
use crate::place::Entry;

/// A shard's share of one object; its borders are not yet where rows can be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share<'a> {
    pub(super) entry: &'a Entry,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Whether it is the whole object for being of a kind that can't be cut.
    pub(super) whole: bool,
}

/// The shares of `shard`: all objects in a row are cut into parts of equal size. What can't be cut belongs to the shard in
/// whose part it begins.
pub(super) fn shares(entries: &[Entry], shard: Shard, can_be_cut: impl Fn(&Entry) -> bool) -> Vec<Share<'_>> {
    let all: u128 = entries.iter().map(|entry| u128::from(entry.size)).sum();
    let cut = |index: u32| (all * u128::from(index) / u128::from(shard.count.max(1))) as u64;
    let (start, end) = (cut(shard.index), cut(shard.index + 1));
    let mut begins = 0;
    let mut shares = Vec::new();
    for entry in entries {
        let within = |at: u64| at.saturating_sub(begins).min(entry.size);
        let share = if can_be_cut(entry) {
            Share { entry, from: within(start), to: within(end), whole: false }
        } else if (start..end).contains(&begins) {
            Share { entry, from: 0, to: entry.size, whole: true }
        } else {
            Share { entry, from: 0, to: 0, whole: true }
        };
        if share.from < share.to {
            shares.push(share);
        }
        begins += entry.size;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::place::Place;

    proptest! {
        #[test]
        fn every_byte_has_one_shard(sizes in proptest::collection::vec(1u64..50, 1..8), count in 1u32..20, whole: u8) {
            let entries: Vec<Entry> = sizes.iter().enumerate().map(|(at, &size)| Entry {
                place: Place::s3("b", format!("{at}")), size, version: String::new(),
            }).collect();
            let can_be_cut = |entry: &Entry| whole >> (entry.size % 8) & 1 == 0;
            let mut next = std::collections::BTreeMap::new();
            for index in 0..count {
                for share in shares(&entries, Shard { index, count }, can_be_cut) {
                    let at: &mut u64 = next.entry(share.entry.place.to_string()).or_default();
                    prop_assert_eq!(*at, share.from);
                    *at = share.to;
                }
            }
            for entry in &entries {
                prop_assert_eq!(next.get(&entry.place.to_string()), Some(&entry.size));
            }
        }
    }
}
