//! Values that are masked and stand in no place of their own: read as a tag, under a key that is written twice, brought by an alias, as a
//! key, as a comment, as an anchor. No message repeats one.

use batchwright::manifest::{self, Options};

use super::masked::{folder, is_quiet, told};
use super::{ENVIRONMENT, Folder, load};

const CANARY: &str = "Zq7Canary";
const KIND: &str = "batch/JobDefinition";

/// One item of an environment, its fields on lines of their own.
fn item(fields: &[&str]) -> String {
    format!("environment:\n    - {}", fields.join("\n      "))
}

#[track_caller]
fn all_quiet(rests: &[String]) {
    for rest in rests {
        is_quiet(&folder(KIND, rest, ENVIRONMENT), CANARY, rest);
    }
}

/// The manifest of a job, and what stands above it.
fn below(top: &str, rest: &str) -> Folder {
    let sound = folder(KIND, rest, ENVIRONMENT);
    let file = sound.0.path().join("stacks/main/a.yaml");
    let manifest = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{top}{manifest}")).unwrap();
    sound
}

/// What is said of a variable that the command line sets to this.
fn said_of_variable(value: &str) -> String {
    let folder = folder(KIND, "command: []", &format!("{ENVIRONMENT}variables: {{s: 1}}\n"));
    let variables = [("s".to_owned(), value.to_owned())].into();
    manifest::load(folder.0.path(), "dev", &Options { variables, ..Options::default() })
        .unwrap_err()
        .to_string()
}

/// YAML takes a word that begins with `!` for a tag.
#[test]
fn a_password_that_begins_like_a_tag_is_not_named() {
    for value in ["!Zq7Canary", "!Zq7Canary x", "!<Zq7Canary> x", "!!Zq7Canary x", "!Ref!Zq7Canary"] {
        let flow = format!("environment: [{{name: A, value: {value}}}]");
        all_quiet(&[flow, item(&["name: A", &format!("value: {value}")])]);
        for section in ["variables: {a: VALUE}", "patches: {batch/JobDefinition/job: {spec: {x: VALUE}}}"] {
            let environment = format!("{ENVIRONMENT}{}\n", section.replace("VALUE", value));
            is_quiet(&folder(KIND, "command: []", &environment), CANARY, section);
        }
        let said = said_of_variable(value);
        assert!(!said.contains(CANARY), "{value}: {said}");
    }
    let errors = folder(KIND, "image: !Ref Zq7Image", ENVIRONMENT).errors();
    assert!(errors.contains("the YAML tag `!Ref` is not understood here"), "{errors}");
    let errors = folder(KIND, "command: [!Zq7Canary]", ENVIRONMENT).errors();
    assert!(errors.contains("a text that begins with `!` goes in quotes"), "{errors}");
}

/// The second value is in no document that could be asked what is masked in it.
#[test]
fn of_a_key_that_is_written_twice_no_value_is_repeated() {
    let sound = "environment: [{name: A, value: a}]\n";
    let again = "{environment: [{name: A, value: Zq7Canary}]}";
    all_quiet(&[
        item(&["name: A", "value: aaaaaaaa", "value: Zq7Canary"]),
        item(&["name: A", "value: a", "value: b", "    Zq7Canary", "bogus: 1"]),
        item(&["name: A", "value: a", "value: |", "    Zq7Canary", "value: &Zq7Canary", "bogus: 1"]),
        item(&["name: A", "value: {Zq7Canary: 1, Zq7Canary: 2}"]),
        item(&["name: A", "value: a", "value: {Zq7Canary: {a: Zq7Canary}, b: [", "    Zq7Canary]}"]),
        "environment: [{name: A, value: a, value: Zq7Canary}]".to_owned(),
        "environment: [{name: A, value: \"Zq7Canary\", value: a, value: \"Zq7Canary\"}]".to_owned(),
        format!("{sound}    environment: [{{name: A, value: Zq7Canary}}]"),
        format!("{sound}    environment:\n    - {{name: A, value: Zq7Canary}}\n    - {{valeu: Zq7Canary}}"),
        format!("{sound}  containerProperties: {again}\n  x:"),
        format!("{sound}spec: {{containerProperties: {again}}}\nx:"),
        // Misspelt, and twice.
        "environment:\n    A: Zq7Canary\n    A: Zq7Canary".to_owned(),
    ]);
    for section in [
        "variables: {a: b, a: Zq7Canary}",
        "variables: {a: b}\nvariables: {a: Zq7Canary}",
        "patches: {batch/JobDefinition/job: {spec: {type: container, type: Zq7Canary}}}",
        "patches:\n  batch/JobDefinition/job: {}\n  batch/JobDefinition/job: {spec: Zq7Canary}",
    ] {
        let folder = folder(KIND, "command: []", &format!("{ENVIRONMENT}{section}\n"));
        is_quiet(&folder, CANARY, section);
        assert!(folder.errors().contains("written twice"), "{section}");
    }
    for value in ["{Zq7Canary: 1, Zq7Canary: 2}", "Zq7Canary: 1\nZq7Canary: 2", "a: 1\na: Zq7Canary"] {
        let said = said_of_variable(value);
        assert!(said.contains("a key is written twice") && !said.contains(CANARY), "{value}: {said}");
    }
    // What is none is quoted as it was, and a field of ours is named.
    let errors = folder(KIND, "command: [a]\n    command: [b]", ENVIRONMENT).errors();
    assert!(errors.contains("the key `command` is written twice"), "{errors}");
    assert!(errors.contains("    command: [a]\n"), "{errors}");
}

#[test]
fn what_an_alias_brings_is_hidden_where_it_is_written() {
    let alias = "environment: [{name: A, value: *p}]";
    is_quiet(&below("xsecret: &p Zq7Canary\n", alias), CANARY, "an unknown field");
    is_quiet(
        &below("xsecret: &p {of: Zq7Canary}\n", "command: []"),
        CANARY,
        "an unknown field that holds some",
    );
    is_quiet(
        &below("xs: &x {name: A, value: Zq7Canary}\n", "environment: [{<<: *x, value: b}]"),
        CANARY,
        "a merge",
    );
    let merged = "command: [1.5, &x {name: A, value: Zq7Canary}]\n    environment: [{<<: *x, value: b}]";
    all_quiet(&[
        "command: [1.5, &p Zq7Canary]\n    environment: [{name: A, value: *p}]".to_owned(),
        "command: [1.5, &p Zq7Canary, &q Zq7Canary]\n    environment: [*q, {name: A, value: *p}]".to_owned(),
        "environment: [{name: A, value: a}, {name: &p Zq7Canary, value: *p, bogus: 1}]".to_owned(),
        merged.to_owned(),
    ]);
    // By a variable that is an alias itself.
    let environment = format!("{ENVIRONMENT}variables: {{a: &p Zq7Canary, b: *p}}\nx: 1\n");
    let rest = "environment: [{name: A, value: \"${var.b}\", valve: 1}]";
    is_quiet(&folder(KIND, rest, &environment), CANARY, "a variable");
}

#[test]
fn what_stands_where_nothing_of_ours_does_is_hidden() {
    let of_job =
        |spec: &str| format!("apiVersion: batchwright/v1, kind: {KIND}, metadata: {{name: a}}, spec: {spec}");
    let job = of_job("{containerProperties: {environment: [{name: A, value: Zq7Canary}]}}");
    for manifest in [
        format!("[{{{job}}}]\n"),
        format!("[[{{{job}}}]]\n"),
        "Zq7Canary\n".to_owned(),
        "[Zq7Canary, {x: Zq7Canary}]\n".to_owned(),
        format!("{{{job}, more: Zq7Canary}}\n"),
        format!("{{{}, more: {{of: [Zq7Canary]}}}}\n", of_job("{}")),
        format!("{{{}}}\n", of_job("{}").replace("{name: a}", "{name: a, further: [Zq7Canary]}")),
    ] {
        is_quiet(&Folder::new(ENVIRONMENT, manifest.as_bytes()), CANARY, &manifest);
    }
    for section in ["patchs: {a: {spec: Zq7Canary}}", "varaibles: {a: Zq7Canary}", "secrets: {a: Zq7Canary}"]
    {
        let environment = format!("{ENVIRONMENT}{section}\n");
        is_quiet(&folder(KIND, "command: []", &environment), CANARY, section);
    }
}

/// On the lines of a masked field.
#[test]
fn keys_comments_and_anchors_are_hidden_with_what_they_stand_beside() {
    all_quiet(&[
        item(&["name: A", "value: {Zq7Canary}"]),
        item(&["name: A", "value: {Zq7Canary: 1}"]),
        item(&["name: A", "value: {\"Zq7Canary\\n\": 1}"]),
        item(&["name: A", "value:", "  Zq7Canary: b"]),
        item(&["name: A", "value:", "Zq7Canary: b"]),
        item(&["name: A", "value: &Zq7Canary"]),
        item(&["name: A", "value: &Zq7Canary foo", "value: 1"]),
        item(&["name: A", "value: &Zq7Canary", "  7731"]),
        item(&["name: A", "value: [&Zq7Canary foo]"]),
        item(&["name: A", "value: 12 #Zq7Canary"]),
        item(&["name: A", "value: 12 # and #Zq7Canary"]),
        item(&["name: A", "value: # Zq7Canary"]),
        item(&["Zq7Canary: foo"]),
        item(&["? Zq7Canary", ": foo"]),
        item(&["name: A", "value: first", "  Zq7Canary: third"]),
        "environment:\n    A: Zq7Canary\n    B: [Zq7Canary]".to_owned(),
        "environment: {Zq7Canary: 1, b: 2}".to_owned(),
    ]);
    // A comment is quoted where nothing is masked, and a slip in a name is told.
    let errors = folder(KIND, "vcpus: [] # why", ENVIRONMENT).errors();
    assert!(errors.contains("vcpus: [] # why"), "{errors}");
    let errors = folder(KIND, "environment: [{name: A, value: a, valve: 1}]", ENVIRONMENT).errors();
    assert!(errors.contains("{name: A, value: •, valve: •}") && errors.contains("`valve`"), "{errors}");
}

/// Beside what is wrong stands what the tree of the document loses.
#[test]
fn what_a_patch_or_a_mistake_takes_away_is_hidden_where_it_is_written() {
    let job = "{apiVersion: batchwright/v1, kind: batch/JobDefinition, metadata: {name: job, bad: 1}, spec: {type: container, containerProperties: {environment: [{name: A, value: Zq7Canary}]}}}\n";
    let patch = "patches: {batch/JobDefinition/job: {spec: {containerProperties: {environment: []}}}}\n";
    is_quiet(&Folder::new(&format!("{ENVIRONMENT}{patch}"), job.as_bytes()), CANARY, "a patch");
    all_quiet(&["environment: [{name: A, value: Zq7Canary, \"${var.no}\": 1}]".to_owned()]);
}

/// Each mistake quotes the line, of which each character was asked for each value: it would not end.
#[test]
fn a_line_of_thousands_of_masked_values_is_quoted_as_fast_as_another() {
    let value = "x".repeat(100);
    let items: String = (0..4000).map(|n| format!("{{name: A{n}, value: {value}}}, ")).collect();
    let wrong: String = (0..15).map(|n| format!("bad{n}: 1, ")).collect();
    let job = format!(
        "{{apiVersion: batchwright/v1, kind: {KIND}, metadata: {{name: a, {wrong}}}, spec: {{type: container, containerProperties: {{image: a, environment: [{items}], {wrong}}}}}}}\n"
    );
    let folder = Folder::new(ENVIRONMENT, job.as_bytes());
    let errors = load(folder.0.path()).unwrap_err();
    assert!(errors.count() >= 30, "{}", errors.count());
    for text in told(&errors) {
        assert!(!text.contains("xxxx"), "{text}");
    }
    let text = errors.to_string();
    assert!(text.contains("metadata: {name: a, bad0: •, bad1: •"), "{text}");
    assert!(text.contains("••••}, ], bad0: 1"), "{text}");
}
