//! Which values are masked wherever they are shown: one answer for plans, records, comments, and what is said of manifests.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Rules;

/// What stands in the place of a masked value.
pub const MASK: &str = "••••";

/// The names of maps in which anything may stand under any name ([`field::free`](crate::field::free)): what is called like a
/// secret is taken for one.
pub type Free = BTreeSet<String>;

/// What covers the values at a place, and those inside it.
#[derive(Debug, Clone, Copy)]
pub struct Cover<'r> {
    state: State,
    /// What is known of the place; nothing, where anything may stand or nothing should.
    rules: Option<&'r Rules>,
    /// Whether nothing should: a field that its kind does not have.
    is_lost: bool,
    /// The maps in which names decide.
    free: &'r Free,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Shown.
    Open,
    /// A map in which the names decide.
    Free,
    /// Masked.
    Masked,
    /// The name of what is masked: which variable it is may be said, what it holds may not.
    Name,
}

impl<'r> Cover<'r> {
    /// A whole spec of a kind.
    pub fn of(rules: &'r Rules, free: &'r Free) -> Self {
        Self { state: State::Open, rules: Some(rules), is_lost: false, free }
    }

    /// A place of which nothing is known.
    pub fn unknown(free: &'r Free) -> Self {
        Self { state: State::Open, rules: None, is_lost: true, free }
    }

    /// The same place, masked whatever else is known of it.
    #[must_use]
    pub fn masked(self) -> Self {
        Self { state: State::Masked, ..self }
    }

    /// Whether nobody knows what stands here, and nothing masks it.
    pub fn is_unknown(&self) -> bool {
        self.state == State::Open && self.is_lost
    }

    /// What covers a field of this place.
    #[must_use]
    pub fn field(self, name: &str) -> Self {
        match self.state {
            State::Masked | State::Name if name == "name" => Self { state: State::Name, ..self },
            State::Masked | State::Name => self.masked(),
            State::Free if is_secret(name) => self.masked(),
            State::Free => Self { state: State::Open, rules: None, ..self },
            State::Open if self.free.contains(name) => Self { state: State::Free, ..self },
            State::Open => {
                self.inside(self.rules.and_then(|rules| rules.fields.get(name).or(rules.values.as_deref())))
            }
        }
    }

    /// What covers the items of this place.
    #[must_use]
    pub fn item(self) -> Self {
        match self.state {
            State::Open => self.inside(self.rules.and_then(|rules| rules.items.as_deref())),
            _ => self.masked(),
        }
    }

    fn inside(self, rules: Option<&'r Rules>) -> Self {
        let state = if rules.is_some_and(|rules| rules.sensitive) { State::Masked } else { State::Open };
        let has_fields = self.rules.is_some_and(|here| !here.fields.is_empty());
        let is_lost = rules.is_none() && (self.is_lost || has_fields);
        Self { state, rules, is_lost, ..self }
    }

    /// What covers the place that a difference names, such as `containers[main].environment[PIN].value`.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        let (mut cover, mut rest) = (self, path);
        while !rest.is_empty() {
            let is_free = cover.state == State::Free;
            if let Some(item) = rest.strip_prefix('[') {
                let (key, after) = item.split_once(']').unwrap_or((item, ""));
                cover = if is_free { cover.field(key) } else { cover.item() };
                rest = after;
            } else {
                let field = rest.trim_start_matches('.');
                // In such a map all that follows is one name.
                let end = field.find(['.', '[']).filter(|_| !is_free).unwrap_or(field.len());
                let (name, after) = field.split_at(end);
                cover = if name.is_empty() { cover } else { cover.field(name) };
                rest = after;
            }
        }
        cover
    }

    /// Whether a value that is no list and no mapping is masked here.
    pub fn hides(&self, is_text: bool) -> bool {
        match self.state {
            State::Open => false,
            State::Free | State::Masked => true,
            State::Name => !is_text,
        }
    }

    /// The value with what is masked in it replaced.
    pub fn show(self, value: &Value) -> Value {
        match value {
            Value::Null => Value::Null,
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| (key.clone(), self.field(key).show(value))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.item().show(item)).collect(),
            scalar if self.hides(scalar.is_string()) => Value::String(MASK.to_owned()),
            scalar => scalar.clone(),
        }
    }
}

/// Whether a name says that a secret is called so.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "credential", "apikey"];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    WORDS.iter().any(|word| plain.contains(word)) || plain.ends_with("privatekey")
}
