//! Rules of a lifecycle policy that can take away an image which job definitions name by its digest (user guide: "Lifecycle
//! policy properties"). An image goes within a day, whoever uses it, and its jobs can't be started any more.

use crate::kind::prelude::*;
use serde_json::Value;

use super::Spec;

/// How many of those who name an image are told by name.
const NAMED: usize = 3;

/// A doubt for each rule that can.
pub(super) fn doubts(spec: &Spec, pinned: &Pinned) -> Vec<Invalid> {
    let policy = spec.lifecycle_policy.as_ref().map(|policy| &policy.lifecycle_policy_text.0);
    let rules = policy.and_then(|policy| policy.get("rules")).and_then(Value::as_array);
    let rules = rules.into_iter().flatten().enumerate();
    rules
        .filter_map(|(index, rule)| {
            let message = doubt(spec, rule, pinned)?;
            Some(Invalid::new(format!("lifecyclePolicy.lifecyclePolicyText.rules[{index}]"), message))
        })
        .collect()
}

fn doubt(spec: &Spec, rule: &Value, pinned: &Pinned) -> Option<String> {
    let selection = rule.get("selection")?;
    let text = |key: &str| selection.get(key).and_then(Value::as_str);
    // What is in the archive was taken away before: by the rule that put it there.
    if text("storageClass") == Some("archive") {
        return None;
    }
    let (which, aside, way_out) = match text("tagStatus")? {
        "any" => (
            "images".to_owned(),
            ", whatever their tags".to_owned(),
            "limit it to untagged images, or to tags that no deployment gives",
        ),
        "tagged" => {
            let tags = ["tagPrefixList", "tagPatternList"].map(|list| (list, texts(selection, list)));
            let fits = |(list, tags): &(&str, Vec<&str>)| {
                tags.iter().all(|tag| can_be_ours(tag, *list == "tagPrefixList", pinned))
            };
            if !tags.iter().all(fits) {
                return None;
            }
            let named: Vec<&str> = tags.into_iter().flat_map(|(_, tags)| tags).collect();
            let which = format!("images tagged {}", named.join(" and "));
            (which, ", as deployments may tag them".to_owned(), "limit it to tags that no deployment gives")
        }
        // Where tags stay, an image that was pushed with one keeps it.
        "untagged" if spec.image_tag_mutability.starts_with("MUTABLE") => (
            "untagged images".to_owned(),
            format!(
                ", and where tags are {} an image loses its tag to the next one",
                spec.image_tag_mutability
            ),
            "make tags IMMUTABLE, or IMMUTABLE_WITH_EXCLUSION for those that have to move",
        ),
        _ => return None,
    };
    let priority = rule.get("rulePriority").and_then(Value::as_i64).unwrap_or_default();
    let verb = if rule.pointer("/action/type")? == "transition" { "archives" } else { "deletes" };
    Some(format!(
        "rule {priority} {verb} {which} {}{aside}: also one that {} by its digest, whose jobs can't start then; {way_out}",
        when(selection),
        users(pinned)
    ))
}

/// Which of them, by number or age.
fn when(selection: &Value) -> String {
    let number = selection.get("countNumber").map(ToString::to_string).unwrap_or_default();
    let unit = selection.get("countUnit").and_then(Value::as_str).unwrap_or("days");
    let unit = if number == "1" { unit.trim_end_matches('s') } else { unit };
    match selection.get("countType").and_then(Value::as_str) {
        Some("imageCountMoreThan") => format!("but for the {number} that were pushed last"),
        Some("sinceImagePulled") => format!("{number} {unit} after they were last pulled"),
        _ => format!("{number} {unit} after they were pushed"),
    }
}

/// `a and b name`, or `a names`.
fn users(pinned: &Pinned) -> String {
    let mut names: Vec<String> = pinned.by.iter().take(NAMED).map(ToString::to_string).collect();
    if pinned.by.len() > NAMED {
        names.push(format!("{} more", pinned.by.len() - NAMED));
    }
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last} name", before.join(", ")),
        _ => format!("{} names", names.concat()),
    }
}

fn texts<'a>(selection: &'a Value, list: &str) -> Vec<&'a str> {
    let items = selection.get(list).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).collect()
}

/// Whether a rule's prefix or pattern can mean a tag that deployments give: the environment's own, or a commit's.
fn can_be_ours(pattern: &str, is_prefix: bool, pinned: &Pinned) -> bool {
    let pattern = if is_prefix { format!("{pattern}*") } else { pattern.to_owned() };
    pinned.tags.iter().any(|tag| fits(&pattern, tag)) || can_be_a_commit(&pattern)
}

/// Whether some forty hexadecimal digits fit a pattern.
fn can_be_a_commit(pattern: &str) -> bool {
    const DIGITS: usize = 40;
    let fixed = pattern.chars().filter(|c| *c != '*');
    let all_digits = fixed.clone().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let count = fixed.count();
    all_digits && (count == DIGITS || (count < DIGITS && pattern.contains('*')))
}

/// Whether a text fits a pattern in which `*` stands for any characters.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_tags() {
        for (pattern, text, expected) in [
            ("latest", "latest", true),
            ("late*", "latest", true),
            ("*test", "latest", true),
            ("l*t*st", "latest", true),
            ("l*x*st", "latest", false),
            ("*latest*", "latest", true),
            ("pr-*", "latest", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern}");
        }
        for (pattern, expected) in
            [("*", true), ("abc*", true), ("*0", true), ("pr-*", false), ("abc", false)]
        {
            assert_eq!(can_be_a_commit(pattern), expected, "{pattern}");
        }
    }
}
