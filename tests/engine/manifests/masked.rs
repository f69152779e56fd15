//! Values of a job's environment that stand where something is wrong: no message repeats one (P28), with its lines or without them,
//! in text or in records. Tests of the commands that publish are in `tests/github/canary.rs`.

use std::fs;

use batchwright::manifest::{self, Errors};
use batchwright::render::json;

use super::{ENVIRONMENT, Folder, load};

/// What nobody is to read, as YAML writes it, and a part of it by which it is known.
const VALUES: &[(&str, &str)] = &[
    ("7731773177317731", "7731"),
    ("-77.31e3", "77.31"),
    ("0x77317731", "7731"),
    ("True", "True"),
    ("7731-07-31", "7731"),
    ("'7731'", "7731"),
    ("\"canary one\"", "canary"),
    ("[canary, 7731]", "canary"),
    ("{of: canary}", "canary"),
    ("\"canary${x7731}\"", "7731"),
    ("\"canary${not/it.x7731}\"", "7731"),
    ("\"canary${7731\"", "7731"),
    ("$canary", "canary"),
];

/// A job definition; `REST` is the rest of its container's settings, `KIND` its kind.
const JOB: &str = "apiVersion: batchwright/v1
kind: KIND
metadata: {name: job}
spec:
  type: container
  platformCapabilities: [EC2]
  containerProperties:
    image: busybox
    REST
    resourceRequirements: [{type: VCPU, value: \"1\"}, {type: MEMORY, value: \"512\"}]
";

/// Places for a value, each with a mistake beside it or around it.
const PLACES: &[&str] = &[
    "environment: [{name: A, value: VALUE, valve: 1}]",
    "environment: [{name: A, valeu: VALUE}]",
    "environment: [{nome: A, value: VALUE}]",
    "environment: VALUE",
    "environment: [VALUE]",
    "environment: {A: VALUE}",
    "environment: [[{name: A, value: VALUE}]]",
    "environment: [{name: A, value: VALUE}]\n    environment: []",
    "enviroment: [{name: A, value: VALUE}]",
    "containerz: {environment: [{name: A, value: VALUE}]}",
    "environment: [{name: A, value: VALUE}]\n    vcpus: VALUE.",
];

pub fn folder(kind: &str, rest: &str, environment: &str) -> Folder {
    let manifest = JOB.replace("KIND", kind).replace("REST", rest);
    Folder::new(environment, manifest.as_bytes())
}

/// Everything that is said of mistakes: as text, without lines, as records.
pub fn told(errors: &Errors) -> [String; 3] {
    let records = errors.0.iter().map(|error| json::diagnostic(error).to_string());
    [errors.to_string(), errors.without_lines().to_string(), records.collect()]
}

#[track_caller]
pub fn is_quiet(folder: &Folder, known: &str, what: &str) {
    let errors = load(folder.0.path()).expect_err(what);
    for text in told(&errors) {
        assert!(!text.contains(known), "{what}: {text}");
    }
}

#[test]
fn no_mistake_repeats_what_is_masked() {
    let mut tried = 0;
    for (value, known) in VALUES {
        for place in PLACES {
            let rest = place.replace("VALUE", value).replace(&format!("vcpus: {value}."), "vcpus: []");
            // Of a kind that there is not, the names of fields tell, whatever the value.
            let kinds = ["batch/JobDefinition", "batch/JobDefiniton"];
            let kinds = kinds.into_iter().take(if *value == "7731773177317731" { 2 } else { 1 });
            for kind in kinds {
                is_quiet(&folder(kind, &rest, ENVIRONMENT), known, &format!("{kind} {rest}"));
                tried += 1;
            }
        }
        // By a variable, and by a patch.
        let whole = "environment: [{name: A, value: \"${var.a}\", valve: 1}]";
        let environment = format!("{ENVIRONMENT}variables: {{a: {value}}}\n");
        if !value.contains("${") {
            is_quiet(&folder("batch/JobDefinition", whole, &environment), known, value);
        }
        let patched = format!(
            "{ENVIRONMENT}patches: {{batch/JobDefinition/job: {{spec: {{containerProperties: {{environment: [{{name: A, value: {value}, valve: 1}}]}}}}}}}}\n"
        );
        is_quiet(&folder("batch/JobDefinition", "command: []", &patched), known, value);
        let patches = patched.replace("spec:", "spek:");
        is_quiet(&folder("batch/JobDefinition", "command: []", &patches), known, value);
    }
    assert!(tried > 140, "{tried}");
}

/// Over several lines, and of any length.
#[test]
fn no_line_of_a_long_value_is_quoted() {
    let block = "environment:\n    - name: A\n      value: |\n        canary one\n        canary ${x} two\n      valve: 1";
    let folded = block.replace('|', ">-");
    let quoted =
        "environment:\n    - {name: A, value: \"canary\n        canary ${x} two\n        canary\", valve: 1}";
    let long = format!("environment: [{{name: A, value: {}, valve: 1}}]", "canary".repeat(3000));
    for rest in [block, &folded, quoted, &long] {
        is_quiet(&folder("batch/JobDefinition", rest, ENVIRONMENT), "canary", rest);
    }
    let errors = folder("batch/JobDefinition", block, ENVIRONMENT).errors();
    assert!(errors.contains("unknown field `valve`"), "{errors}");
}

/// What is called like a secret among parameters and log options is masked in plans, and here as well.
#[test]
fn what_is_called_like_a_secret_is_not_repeated_either() {
    for rest in [
        "logConfiguration: {logDriver: splunk, options: {splunk-token: 7731}}",
        "logConfiguration: {logDriver: splunk, options: {splunk-token: [canary 7731]}, optionz: 1}",
    ] {
        is_quiet(&folder("batch/JobDefinition", rest, ENVIRONMENT), "7731", rest);
    }
}

/// References are told although they stand in what is masked: what is to be mended must be known.
#[test]
fn a_reference_in_a_masked_value_is_named() {
    let rest = "environment: [{name: A, value: \"canary ${s3/Bucket/no.name} ${var.no}\"}]";
    let errors = folder("batch/JobDefinition", rest, ENVIRONMENT).errors();
    assert!(errors.contains("unknown variable `no`") && !errors.contains("canary"), "{errors}");
}

/// What a message is about is told where it is no secret, and by its beginning where it may be a part of one.
#[test]
fn what_another_tool_would_replace_is_named_in_a_masked_value() {
    for (value, told) in [
        ("${AWS::Region}", "`${AWS::Region}` is CloudFormation's: nothing here would replace it"),
        ("canary-${AWS::AccountId}", "`${AWS::AccountId}` is CloudFormation's"),
        ("${self:provider.canary}", "`${self:…}` is the Serverless Framework's"),
        ("${var:canary}", "`${var:…}` stands for nothing"),
        ("#{AWS::Region}", "`#{AWS::Region}` is CloudFormation's"),
        ("{{resolve:ssm:/canary}}", "`{{resolve:…}}` is CloudFormation's dynamic reference"),
    ] {
        let rest = format!("environment: [{{name: A, value: \"{value}\"}}]");
        let folder = folder("batch/JobDefinition", &rest, ENVIRONMENT);
        let errors = folder.errors();
        assert!(errors.contains(told), "{value}: {errors}");
        is_quiet(&folder, "canary", value);
    }
}

/// Where a file can't be read, nobody knows what is masked in it: of its lines the first key is quoted, and no value.
#[test]
fn no_line_of_a_file_that_is_not_yaml_tells_a_value() {
    let block = |rest: &str| format!("environment:\n    - name: A\n      {rest}");
    for rest in [
        "environment: [{name: A, value: canary]",
        "environment: [{name: A, value: canary${var.x}}]",
        &block("value: canary: canary"),
        &block("value: \"canary"),
        &block("value: @canary"),
        &block("value: *canary-x"),
        &block("value:\tcanary"),
        &block("value: canary\n\tcanary"),
        &block("canary canary\n      value: canary"),
        &block("value: |\n        canary\n    canary"),
        &block("value: canary\u{1}"),
    ] {
        let folder = folder("batch/JobDefinition", rest, ENVIRONMENT);
        let errors = load(folder.0.path()).expect_err(rest).to_string();
        // An anchor's name is no value.
        let quiet = errors.replace("&canary-x", "");
        assert!(!quiet.contains("canary"), "{rest}: {errors}");
    }
    let errors = folder("batch/JobDefinition", &block("value: a: b"), ENVIRONMENT).errors();
    assert!(errors.contains("      value: •: •\n"), "{errors}");
}

/// What stands before it was read.
#[test]
fn of_documents_before_the_one_that_is_not_yaml_lines_are_quoted() {
    let group =
        "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: a}\nspec: {retentionIn: 7}\n";
    let folder = Folder::new(ENVIRONMENT, format!("{group}---\n{group}x: a: b\n").as_bytes());
    let errors = folder.errors();
    assert!(errors.contains("spec: {retentionIn: 7}") && errors.contains(" | •• •: •\n"), "{errors}");
}

/// A byte that is no text, before anything was read; and the value of a variable on the command line.
#[test]
fn what_was_not_read_at_all_is_not_quoted() {
    let manifest = JOB.replace("KIND", "batch/JobDefinition");
    let mut bytes = manifest.replace("REST", "environment: [{name: A, value: canary}]").into_bytes();
    let at = bytes.windows(6).position(|window| window == b"canary").unwrap();
    bytes.insert(at + 6, 0xff);
    is_quiet(&Folder::new(ENVIRONMENT, &bytes), "canary", "a byte");
    let folder = folder("batch/JobDefinition", "command: []", &format!("{ENVIRONMENT}variables: {{a: 1}}\n"));
    let variables = [("a".to_owned(), "{canary: 1, canary: canary]".to_owned())].into();
    let options = manifest::Options { variables, ..manifest::Options::default() };
    let errors = manifest::load(folder.0.path(), "dev", &options).unwrap_err();
    assert!(!errors.to_string().contains("canary"), "{errors}");
}

#[test]
fn so_many_mistakes_are_told_and_the_rest_counted() {
    let stacks: Vec<String> = (0..5000).map(|n| format!("s{n}")).collect();
    let folder = Folder::new(&ENVIRONMENT.replace("[main]", &format!("[{}]", stacks.join(", "))), b"a: 1\n");
    let errors = load(folder.0.path()).unwrap_err();
    assert_eq!((errors.0.len(), errors.1, errors.count()), (200, 4800, 5000));
    let text = errors.to_string();
    assert!(text.contains("and 4800 more errors") && text.contains("5000 errors in the manifests"), "{text}");
    assert!(text.len() < 200_000, "{}", text.len());
    let record = json::more_diagnostics(&errors).unwrap();
    assert_eq!((&record["type"], &record["count"]), (&"more_diagnostics".into(), &4800.into()));
    fs::remove_dir_all(folder.0.path().join("dev")).unwrap();
    assert_eq!(json::more_diagnostics(&load(folder.0.path()).unwrap_err()), None);
}
