//! How often each name occurs.

use std::collections::BTreeMap;
use std::str::Utf8Error;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, Deserializer};

/// How many names are looked for one after the other. Few names make up nearly all rows.
const NEAR: usize = 16;

/// Bounds the memory: how many bytes all different names may have together, with [`PER_NAME`] for each.
const MAX_BYTES: usize = 4 << 20;
const PER_NAME: usize = 64;

/// Counts names. It serializes as a map, most frequent first, equals by name.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    near: Vec<(Box<str>, u64)>,
    far: BTreeMap<Box<str>, u64>,
    bytes: usize,
}

/// Why a name can't be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The name is not text.
    #[error("it is not UTF-8 (byte {} of the field is {:#04x})", .at + 1, .byte)]
    NotUtf8 {
        /// Where, counted from 0.
        at: usize,
        /// What stands there.
        byte: u8,
    },
    /// The column holds something other than a few names.
    #[error("there are too many different values: {0} so far")]
    TooMany(usize),
}

impl Counts {
    /// Counts `name` once more.
    #[inline]
    pub fn add(&mut self, name: &[u8]) -> Result<(), Error> {
        for (known, count) in &mut self.near {
            if known.as_bytes() == name {
                *count += 1;
                return Ok(());
            }
        }
        self.add_far(name, 1)
    }

    /// Whether a name had to be turned away because there are too many.
    pub fn overflowed(&self) -> bool {
        self.bytes > MAX_BYTES
    }

    /// Adds all that `other` has counted.
    pub fn merge(&mut self, other: &Counts) -> Result<(), Error> {
        for (name, more) in other
            .near
            .iter()
            .map(|(name, count)| (name, *count))
            .chain(other.far.iter().map(|(name, count)| (name, *count)))
        {
            match self.near.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count = count.saturating_add(more),
                None => self.add_far(name.as_bytes(), more)?,
            }
        }
        Ok(())
    }

    #[cold]
    fn add_far(&mut self, name: &[u8], more: u64) -> Result<(), Error> {
        let name = std::str::from_utf8(name).map_err(|error| not_utf8(name, error))?;
        if let Some(count) = self.far.get_mut(name) {
            *count = count.saturating_add(more);
            return Ok(());
        }
        self.bytes += name.len() + PER_NAME;
        if self.bytes > MAX_BYTES {
            return Err(Error::TooMany(self.near.len() + self.far.len()));
        }
        if self.near.len() < NEAR {
            self.near.push((name.into(), more));
        } else {
            self.far.insert(name.into(), more);
        }
        Ok(())
    }

    /// All names with their counts, most frequent first, equals by name.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let near = self.near.iter().map(|(name, count)| (&**name, *count));
        let mut all: Vec<_> = near.chain(self.far.iter().map(|(name, count)| (&**name, *count))).collect();
        all.sort_by(|(name, count), (other, others)| others.cmp(count).then_with(|| name.cmp(other)));
        all
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sorted = self.sorted();
        let mut map = serializer.serialize_map(Some(sorted.len()))?;
        for (name, count) in sorted {
            map.serialize_entry(name, &count)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Counts, D::Error> {
        let mut counts = Counts::default();
        for (name, count) in BTreeMap::<String, u64>::deserialize(deserializer)? {
            counts.add_far(name.as_bytes(), count).map_err(serde::de::Error::custom)?;
        }
        Ok(counts)
    }
}

fn not_utf8(name: &[u8], error: Utf8Error) -> Error {
    let at = error.valid_up_to();
    Error::NotUtf8 { at, byte: name.get(at).copied().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_comes_first_and_equals_are_in_order_of_name() {
        let mut counts = Counts::default();
        for name in ["b", "a", "z", "z", "é", "a", "b"] {
            counts.add(name.as_bytes()).unwrap();
        }
        assert_eq!(serde_json::to_string(&counts).unwrap(), r#"{"a":2,"b":2,"z":2,"é":1}"#);
    }

    #[test]
    fn many_names_are_counted_as_well_as_few() {
        let mut counts = Counts::default();
        for i in 0..3000 {
            counts.add(format!("name {}", i % 100).as_bytes()).unwrap();
        }
        assert_eq!(counts.sorted().len(), 100);
        assert!(counts.sorted().iter().all(|(_, count)| *count == 30));
    }

    #[test]
    fn a_column_of_different_values_is_refused_before_it_fills_the_memory() {
        let mut counts = Counts::default();
        let error = (0..1_000_000).find_map(|i| counts.add(format!("{i}").as_bytes()).err());
        assert_eq!(error, Some(Error::TooMany(60_948)));
    }

    #[test]
    fn a_name_that_is_not_text_is_refused() {
        let error = Counts::default().add(b"boleto \xe7").unwrap_err();
        assert_eq!(error.to_string(), "it is not UTF-8 (byte 8 of the field is 0xe7)");
    }
}
