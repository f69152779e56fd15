//! One rule of a lifecycle policy: its fields, and which of them go together (ECR user guide, "Lifecycle policy properties").

use serde_json::Value;

const RULE: &[&str] = &["rulePriority", "description", "selection", "action"];
const SELECTION: &[&str] = &[
    "tagStatus",
    "tagPatternList",
    "tagPrefixList",
    "storageClass",
    "countType",
    "countUnit",
    "countNumber",
];
/// By age; each counts in days.
const AGES: &[&str] = &["sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"];
const MOST_WILDCARDS: usize = 4;

/// What ECR refuses of a rule, each with the field below the rule.
pub(super) fn check(rule: &Value, selection: &Value) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    unknown(rule, RULE, "", &mut found);
    unknown(selection, SELECTION, ".selection", &mut found);
    let text = |field: &str| selection.get(field).and_then(Value::as_str);
    let said = |field: &str| selection.get(field).is_some();
    if said("tagPrefixList") && said("tagPatternList") {
        found.push((
            ".selection",
            "has tagPrefixList and tagPatternList: ECR takes one of the two".to_owned(),
        ));
    }
    let lists = said("tagPrefixList") || said("tagPatternList");
    if let Some(status @ ("untagged" | "any")) = text("tagStatus").filter(|_| lists) {
        found.push((".selection", format!("`tagStatus: {status}` goes with no list of tags: remove it")));
    }
    let patterns = selection.get("tagPatternList").and_then(Value::as_array).into_iter().flatten();
    for pattern in patterns.filter_map(Value::as_str) {
        if pattern.matches('*').count() > MOST_WILDCARDS {
            found.push((
                ".selection.tagPatternList",
                format!("`{pattern}` has more than {MOST_WILDCARDS} wildcards, which is all that ECR takes"),
            ));
        }
    }
    counts(selection, &mut found);
    action(rule, selection, &mut found);
    found
}

fn unknown(value: &Value, known: &[&str], at: &'static str, found: &mut Vec<(&'static str, String)>) {
    for field in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
        if !known.contains(&field.as_str()) {
            let what =
                format!("has a field `{field}`, which ECR does not know; it knows {}", known.join(", "));
            found.push((at, what));
        }
    }
}

fn counts(selection: &Value, found: &mut Vec<(&'static str, String)>) {
    let kind = selection.get("countType").and_then(Value::as_str);
    let unit = selection.get("countUnit").and_then(Value::as_str);
    match kind {
        Some("imageCountMoreThan") if unit.is_some() => {
            let what = "imageCountMoreThan counts images and takes no unit: remove it";
            found.push((".selection.countUnit", what.to_owned()));
        }
        Some("imageCountMoreThan") => {}
        Some(age) if AGES.contains(&age) => {
            if unit != Some("days") {
                found.push((
                    ".selection",
                    format!("`countType: {age}` counts in days: add `countUnit: days`"),
                ));
            }
        }
        _ => {
            let what = format!("expected imageCountMoreThan, {}", AGES.join(", "));
            found.push((".selection.countType", what));
        }
    }
    match selection.get("countNumber").map(Value::as_u64) {
        Some(Some(1..)) => {}
        Some(_) => found.push((".selection.countNumber", "expected a whole number of 1 or more".to_owned())),
        None => found.push((".selection", "lacks `countNumber`: how many images or days".to_owned())),
    }
    let class = selection.get("storageClass").map(Value::as_str);
    if !matches!(class, None | Some(Some("standard" | "archive"))) {
        found.push((".selection.storageClass", "expected `standard` or `archive`".to_owned()));
    }
    if kind == Some("sinceImageTransitioned") && class != Some(Some("archive")) {
        found.push((
            ".selection",
            "sinceImageTransitioned is for the archive: add `storageClass: archive`".to_owned(),
        ));
    }
}

fn action(rule: &Value, selection: &Value, found: &mut Vec<(&'static str, String)>) {
    let Some(kind) = rule.pointer("/action/type") else { return };
    let target = rule.pointer("/action/targetStorageClass");
    match kind.as_str() {
        Some("expire") if target.is_some() => {
            found.push((
                ".action.targetStorageClass",
                "goes with `type: transition` alone: remove it".to_owned(),
            ));
        }
        Some("expire") => {}
        Some("transition") => {
            if target.and_then(Value::as_str) != Some("archive") {
                found.push((
                    ".action",
                    "a transition leads to the archive: add `targetStorageClass: archive`".to_owned(),
                ));
            }
            if selection.get("storageClass").is_some_and(|class| class == "archive") {
                found.push((
                    ".selection.storageClass",
                    "is the archive already: a transition starts from standard".to_owned(),
                ));
            }
        }
        _ => found.push((".action.type", "expected `expire` or `transition`".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn complaints(rule: Value) -> String {
        let found = super::check(&rule, &rule["selection"]);
        found.into_iter().map(|(at, what)| format!("{at}: {what}\n")).collect()
    }

    fn rule(selection: Value) -> Value {
        json!({"rulePriority": 1, "selection": selection, "action": {"type": "expire"}})
    }

    #[test]
    fn the_guides_examples_pass() {
        for selection in [
            json!({"tagStatus": "tagged", "tagPatternList": ["prod*"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}),
            json!({"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}),
            json!({"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}),
        ] {
            assert_eq!(complaints(rule(selection)), "");
        }
        let moved = json!({"rulePriority": 1, "description": "rest",
            "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 30},
            "action": {"type": "transition", "targetStorageClass": "archive"}});
        assert_eq!(complaints(moved), "");
    }

    #[test]
    fn what_does_not_go_together_is_told() {
        let one = json!({"tagStatus": "any", "tagPrefixList": ["a"], "tagPatternList": ["*a*b*c*d*"], "countType": "imageCountMoreThan",
            "countUnit": "days", "countNumber": 0, "age": 1});
        let other = json!({"tagStatus": "untagged", "countType": "sinceImagePushed", "storageClass": "cold"});
        let moved = json!({"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "days", "countNumber": 1, "storageClass": "archive"},
            "action": {"type": "transition"}});
        insta::assert_snapshot!([rule(one), rule(other), moved].map(complaints).concat(), @r#"
.selection: has a field `age`, which ECR does not know; it knows tagStatus, tagPatternList, tagPrefixList, storageClass, countType, countUnit, countNumber
.selection: has tagPrefixList and tagPatternList: ECR takes one of the two
.selection: `tagStatus: any` goes with no list of tags: remove it
.selection.tagPatternList: `*a*b*c*d*` has more than 4 wildcards, which is all that ECR takes
.selection.countUnit: imageCountMoreThan counts images and takes no unit: remove it
.selection.countNumber: expected a whole number of 1 or more
.selection: `countType: sinceImagePushed` counts in days: add `countUnit: days`
.selection: lacks `countNumber`: how many images or days
.selection.storageClass: expected `standard` or `archive`
.selection.countType: expected imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned
.action: a transition leads to the archive: add `targetStorageClass: archive`
.selection.storageClass: is the archive already: a transition starts from standard
"#);
    }
}
