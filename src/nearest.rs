//! "Did you mean": the nearest of the names that would have been right.

/// The nearest name, if one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    // Comparing is quadratic in the length; no name is this long.
    if lower.is_empty() || lower.len() > 256 {
        return None;
    }
    names
        .into_iter()
        .filter(|name| *name != wrong)
        .map(|name| (score(&lower, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// `did you mean …?`, if something is near.
pub fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let first = nearest(wrong, names.iter().copied())?;
    let near = |name: &str| score(&wrong.to_lowercase(), &name.to_lowercase());
    // Of two that are as near, one may be the opposite of what was meant: `MUTABLE`, `IMMUTABLE`.
    let as_near = |name: &&str| *name != first && *name != wrong && near(first) - near(name) < AS_NEAR;
    let mut all: Vec<&str> = names.iter().copied().filter(as_near).take(2).collect();
    all.insert(0, first);
    Some(format!(
        "did you mean {}?",
        all.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
    ))
}

/// Names whose scores differ by less are told together.
const AS_NEAR: f64 = 0.02;

/// From 0 to 1: how alike two names are, in lower case.
fn score(a: &str, b: &str) -> f64 {
    let edits = strsim::normalized_damerau_levenshtein(a, b);
    let contained = a.len() > 2 && b.len() > 2 && (a.contains(b) || b.contains(a));
    // Plurals, prefixes and cut-off names count as near, but less than a slip of the finger.
    if contained { edits.max(0.65) } else { edits }
}

/// Names for a message: all of them if they are few.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 16;
    let names: Vec<&str> = names.into_iter().collect();
    let more = names.len().saturating_sub(MOST);
    let mut text = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(", and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_found_and_nonsense_is_not() {
        let names = ["command", "environment", "jobRoleArn", "image"];
        assert_eq!(nearest("comandd", names), Some("command"));
        assert_eq!(nearest("jobrolearn", names), Some("jobRoleArn"));
        assert_eq!(nearest("env", names), Some("environment"));
        assert_eq!(nearest("xyzzy", names), None);
        assert_eq!(nearest("", names), None);
        let said = |wrong| did_you_mean(wrong, ["MUTABLE", "IMMUTABLE"]).unwrap_or_default();
        assert_eq!(said("IMMUTABEL"), "did you mean `IMMUTABLE`?");
        assert_eq!(said("UNMUTABLE"), "did you mean `IMMUTABLE` or `MUTABLE`?");
    }
}
