//! Which of several choices of a schema was meant, and what of it is wrong.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// What each choice complains of.
type Context = [Vec<ValidationError<'static>>];

/// The texts that may stand at a place, if all choices fail there and nowhere above: an enum whose members have a
/// description each, or the field that tells mappings apart. What is wrong further inside belongs to one choice.
pub fn constants<'e>(context: &'e Context, at: &str) -> Vec<&'e str> {
    let mut names: Vec<&str> = Vec::new();
    for choice in context {
        let mut fails = false;
        for error in choice.iter().filter(|error| error.instance_path().as_str() == at) {
            fails = true;
            match error.kind() {
                ValidationErrorKind::Constant { expected_value } => names.extend(expected_value.as_str()),
                ValidationErrorKind::Enum { options } => {
                    names.extend(options.as_array().into_iter().flatten().filter_map(Value::as_str));
                }
                ValidationErrorKind::Type { .. } => {}
                _ => return Vec::new(),
            }
        }
        if !fails && !is_of_another_type(choice, at) {
            return Vec::new();
        }
    }
    names
}

/// The field right below that tells choices of mappings apart, if what stands there is none of theirs.
pub fn tag(context: &Context, here: &str) -> Option<String> {
    let paths = |choice: &'_ Vec<ValidationError<'static>>| -> Vec<String> {
        choice
            .iter()
            .filter(|error| is_tag(error, here))
            .map(|it| it.instance_path().as_str().to_owned())
            .collect()
    };
    let mut mappings = context.iter().filter(|choice| !is_of_another_type(choice, here)).map(paths);
    let (first, second) = (mappings.next()?, mappings.next()?);
    let others: Vec<Vec<String>> = mappings.collect();
    first.into_iter().find(|path| second.contains(path) && others.iter().all(|other| other.contains(path)))
}

/// The errors of the choice that was meant: not those of a choice of another type, and rather those of one whose fields
/// are these than of one that is told by another text or lacks fields.
pub fn branch<'e>(context: &'e Context, here: &str) -> Vec<&'e ValidationError<'static>> {
    let of_type = context.iter().filter(|errors| !is_of_another_type(errors, here));
    let is_strange =
        |error: &&ValidationError<'static>| error.instance_path().as_str() == here || is_tag(error, here);
    let nearest = of_type.min_by_key(|errors| (errors.iter().filter(is_strange).count(), errors.len()));
    // If no choice has this type, the first that takes something says what was expected.
    let something = |errors: &&Vec<ValidationError<'static>>| {
        !errors.iter().any(|error| {
            matches!(error.kind(), ValidationErrorKind::Type { kind: TypeKind::Single(JsonType::Null) })
        })
    };
    nearest.or_else(|| context.iter().find(something)).into_iter().flatten().collect()
}

/// Whether a field right below is to be another text.
fn is_tag(error: &ValidationError<'static>, here: &str) -> bool {
    let inside = error.instance_path().as_str().strip_prefix(here).unwrap_or_default();
    matches!(error.kind(), ValidationErrorKind::Constant { .. }) && inside.matches('/').count() == 1
}

/// Whether a choice takes another type than stands here, or right above.
fn is_of_another_type(choice: &[ValidationError<'static>], at: &str) -> bool {
    choice.iter().any(|error| {
        let within = at.strip_prefix(error.instance_path().as_str());
        within.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && matches!(error.kind(), ValidationErrorKind::Type { .. })
    })
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::super::check::Checker;
    use super::super::parse;
    use super::super::source::{Sources, Span};

    /// A choice of texts, described one by one.
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is read")]
    enum Colour {
        /// Like blood.
        Red,
        /// Like grass.
        Green,
    }

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is read")]
    struct Inner {
        colour: Option<Colour>,
        other: Option<Colour>,
    }

    /// Told by a field.
    #[derive(JsonSchema)]
    #[serde(tag = "type", deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is read")]
    enum Shape {
        Circle { colour: Colour, radius: u32 },
        Square { colour: Colour, side: u32, note: Option<String> },
    }

    /// Told by its only key.
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is read")]
    enum Nested {
        First(Inner),
        Second { inner: Option<Inner>, list: Vec<Colour> },
        Plain,
    }

    #[derive(JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its schema is read")]
    struct Spec {
        inner: Option<Inner>,
        shape: Option<Shape>,
        nested: Option<Nested>,
        shapes: Vec<Shape>,
    }

    /// `line:column message` of all that is wrong.
    fn said(text: &str) -> Vec<String> {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".to_owned(), text.to_owned());
        let tree = parse::parse(file, &mut sources).documents.remove(0);
        let complaints = Checker::of::<Spec>().check(&tree, Span::whole(file));
        let told = |it: &super::super::error::Complaint| {
            let at = sources.position(it.span);
            format!("{}:{} {}; {}", at.line, at.column, it.message, it.label)
        };
        complaints.iter().map(told).collect()
    }

    #[test]
    fn what_is_misspelt_in_a_choice_is_marked_itself() {
        for (text, expected) in [
            (
                "shapes: []\ninner: {colour: Rad}",
                "2:17 `colour` is the text `Rad`; expected one of: Red, Green",
            ),
            (
                "shapes: []\nshape: {type: Square, colour: Gren, side: 1}",
                "2:31 `colour` is the text `Gren`; expected one of: Red, Green",
            ),
            (
                "shapes: []\nshape: {type: Circel, colour: Red, radius: 1}",
                "2:15 `type` is the text `Circel`; expected one of: Circle, Square",
            ),
            (
                "shapes: []\nshape: {type: Square, colour: Red, side: x}",
                "2:42 `side` is the text `x`; expected a whole number",
            ),
            (
                "shapes: [{type: Circle, colour: Rad, radius: 1}]",
                "1:33 `colour` is the text `Rad`; expected one of: Red, Green",
            ),
            (
                "shapes: []\nnested: {First: {other: Geen}}",
                "2:25 `other` is the text `Geen`; expected one of: Red, Green",
            ),
            (
                "shapes: []\nnested: {Second: {inner: {colour: red}, list: []}}",
                "2:35 `colour` is the text `red`; expected one of: Red, Green",
            ),
            (
                "shapes: []\nnested: {Second: {list: [Red, Gren]}}",
                "2:31 this item is the text `Gren`; expected one of: Red, Green",
            ),
        ] {
            assert_eq!(said(text), [expected], "{text}");
        }
    }

    #[test]
    fn two_wrong_texts_of_one_mapping_are_told_apart() {
        let expected =
            |at: &str, name: &str| format!("{at} `{name}` is the text `x`; expected one of: Red, Green");
        assert_eq!(
            said("shapes: []\ninner: {colour: x, other: x}"),
            [expected("2:17", "colour"), expected("2:27", "other")]
        );
    }
}
