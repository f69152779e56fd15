//! The sandbox's secrets: random, new with every start, and told to nobody but who started it.

use std::fmt;

use subtle::ConstantTimeEq;

/// Forty hexadecimal digits that nobody guesses; not shown where a value is printed for people.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one, of 150 random bits from the operating system.
    #[must_use]
    pub fn random() -> Self {
        let digits = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()].map(|it| it.simple().to_string()).concat();
        Self(digits.chars().take(40).collect())
    }

    /// The text itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether somebody's text is this one.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        same(&self.0, other)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Whether two texts are the same, in a time that tells nothing of where they differ.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
