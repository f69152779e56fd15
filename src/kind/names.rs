//! Which names AWS takes: said once by every kind, so that none is asked for a name that it would refuse.

use std::ops::RangeInclusive;

/// What a kind's physical names look like.
#[derive(Debug, Clone)]
pub struct NameRule {
    length: RangeInclusive<usize>,
    /// What may stand in a name beside letters and digits; `None`: `also` looks at the characters, too.
    beside: Option<&'static str>,
    also: Option<fn(&str) -> Option<String>>,
}

impl NameRule {
    /// AWS assigns an id, or the name follows from the spec: there is nothing to look at.
    pub const NONE: Self = Self { length: 0..=128, beside: None, also: None };

    /// So many ASCII letters, digits and these characters.
    pub const fn of(length: RangeInclusive<usize>, beside: &'static str) -> Self {
        Self { length, beside: Some(beside), also: None }
    }

    /// What this function says is wrong; `longest`: how many characters a name may have.
    pub const fn checked(longest: usize, check: fn(&str) -> Option<String>) -> Self {
        Self { length: 0..=longest, beside: None, also: Some(check) }
    }

    /// The same, and what this function says is wrong of a name that has nothing else wrong.
    pub const fn also(self, check: fn(&str) -> Option<String>) -> Self {
        Self { length: self.length, beside: self.beside, also: Some(check) }
    }

    /// How many characters a name may have; names that we make longer are cut to it.
    pub fn longest(&self) -> usize {
        *self.length.end()
    }

    /// Why AWS would refuse this name of a `<service>/<Kind>`, and what would mend it.
    pub fn wrong(&self, kind: &str, name: &str) -> Option<String> {
        if let Some(beside) = self.beside {
            let fits = |c: char| c.is_ascii_alphanumeric() || beside.contains(c);
            if let Some(bad) = name.chars().find(|&c| !fits(c)) {
                return Some(format!("{bad:?} may not stand in {}: {} may", owned(kind), taken(beside)));
            }
            let (least, most) = (self.length.start(), self.length.end());
            let length = name.chars().count();
            if !self.length.contains(&length) {
                return Some(format!(
                    "{} has {least} to {most} characters, this one has {length}",
                    owned(kind)
                ));
            }
        }
        self.also.and_then(|check| check(name))
    }
}

/// `a log group's name` of `logs/LogGroup`.
fn owned(kind: &str) -> String {
    let mut words = String::new();
    for letter in kind.rsplit('/').next().unwrap_or(kind).chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    let article = if words.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {words}'s name")
}

/// ``letters, digits, `-` and `_` ``.
fn taken(beside: &str) -> String {
    let mut each: Vec<String> = ["letters".to_owned(), "digits".to_owned()].into();
    each.extend(beside.chars().map(|c| format!("`{c}`")));
    let last = each.pop().unwrap_or_default();
    format!("{} and {last}", each.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_aws_would_refuse_is_told_with_what_it_takes() {
        let rule = NameRule::of(1..=4, "-_")
            .also(|name| name.starts_with('-').then(|| "no hyphen first".to_owned()));
        let wrong = |name: &str| rule.wrong("events/EventBus", name).unwrap_or_default();
        assert_eq!((wrong("a-_9"), rule.longest()), (String::new(), 4));
        assert_eq!(
            wrong("a b"),
            "' ' may not stand in an event bus's name: letters, digits, `-` and `_` may"
        );
        assert_eq!(wrong(""), "an event bus's name has 1 to 4 characters, this one has 0");
        assert_eq!(wrong("aaaaa"), "an event bus's name has 1 to 4 characters, this one has 5");
        assert_eq!(wrong("-a"), "no hyphen first");
        assert_eq!(wrong("ü"), "'ü' may not stand in an event bus's name: letters, digits, `-` and `_` may");
        assert_eq!(NameRule::NONE.wrong("ec2/Vpc", "any thing"), None);
    }
}
