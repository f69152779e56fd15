//! The part of GitHub's expressions that our workflows use: paths into contexts, comparisons, `&&`, `||`, `always()`, `failure()`.

use serde_json::Value;

/// Replaces every `${{ … }}` in a text.
pub fn fill(text: &str, context: &Value) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").expect("every ${{ ends");
        filled += before;
        filled += &text_of(&value(expression.trim(), context));
        rest = after;
    }
    filled + rest
}

/// Whether a condition holds. Without one of the status functions, a step or job runs only if nothing failed before.
pub fn holds(condition: Option<&str>, context: &Value, failed: bool) -> bool {
    let condition = condition.unwrap_or("success()");
    let status = ["always()", "failure()", "success()"].iter().any(|it| condition.contains(it));
    let implied = status || !failed;
    implied && condition.split("&&").all(|term| term_holds(term.trim(), context, failed))
}

fn term_holds(term: &str, context: &Value, failed: bool) -> bool {
    match term {
        "always()" => true,
        "failure()" => failed,
        "success()" => !failed,
        _ => match (term.split_once("=="), term.split_once("!=")) {
            (Some((a, b)), None) => value(a.trim(), context) == value(b.trim(), context),
            (None, Some((a, b))) => value(a.trim(), context) != value(b.trim(), context),
            _ => panic!("this runner does not know the condition {term:?}"),
        },
    }
}

/// A literal, or what stands at a path; an empty text where nothing does, as GitHub has it.
fn value(expression: &str, context: &Value) -> Value {
    if let Some((first, second)) = expression.split_once("||") {
        let first = value(first.trim(), context);
        return if text_of(&first).is_empty() { value(second.trim(), context) } else { first };
    }
    if let Some(literal) = expression.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
        return literal.into();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    assert!(expression.chars().all(plain), "this runner does not know the expression {expression:?}");
    let (root, _) = expression.split_once('.').unwrap_or((expression, ""));
    assert!(context.get(root).is_some(), "no context {root:?} in {expression:?}");
    let found = expression.split('.').try_fold(context, |at, key| at.get(key));
    found.cloned().unwrap_or_else(|| "".into())
}

pub fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
