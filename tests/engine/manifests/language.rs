//! What the language can say: the examples of its page, and what they come to.

use std::fs;
use std::path::Path;

use batchwright::manifest::{self, Options};
use batchwright::resource::{Declared, Desired, ResourceId};

/// The examples of docs/language.md: of each section, its files.
fn examples() -> Vec<(String, Vec<(String, String)>)> {
    let page = fs::read_to_string("docs/language.md").unwrap();
    let section = |text: &str| {
        let title = text.lines().next().unwrap_or_default().to_owned();
        let blocks = text.split("```yaml\n").skip(1).filter_map(|block| block.split("\n```").next());
        let file = |block: &str| {
            let (first, _) = block.split_once('\n')?;
            Some((first.strip_prefix("# ")?.to_owned(), format!("{block}\n")))
        };
        (title, blocks.filter_map(file).collect())
    };
    page.split("\n## ").skip(1).map(section).collect()
}

/// The files in a folder of their own.
fn written(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path.as_ref());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text.as_ref()).unwrap();
    }
    folder
}

fn load(root: &Path, variables: &[(&str, &str)]) -> Desired {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { variables, ..Options::default() };
    manifest::load(root, "dev", &options).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What an example of the page declares.
fn example(title: &str, variables: &[(&str, &str)]) -> Desired {
    let examples = examples();
    let (_, files) = examples.iter().find(|(it, _)| it == title).unwrap_or_else(|| panic!("no {title}"));
    load(written(files).path(), variables)
}

fn declared<'d>(desired: &'d Desired, id: &str) -> &'d Declared {
    &desired.resources[&id.parse::<ResourceId>().unwrap()]
}

fn names(desired: &Desired) -> Vec<String> {
    desired.resources.keys().map(ToString::to_string).collect()
}

#[test]
fn every_example_of_the_page_is_valid() {
    let examples = examples();
    for (title, files) in &examples {
        assert!(files.iter().any(|(path, _)| path == "dev/environment.yaml"), "{title} has no example");
        load(written(files).path(), &[]);
    }
    assert!(examples.len() > 1, "{examples:?}");
}

#[test]
fn variables_use_each_other_and_those_of_the_command_line() {
    let group =
        |variables: &[(&str, &str)]| declared(&example("Variables", variables), "logs/LogGroup/jobs").clone();
    let jobs = group(&[]);
    assert_eq!((&jobs.tags["Title"], &jobs.tags["Zone"]), (&"Jobs of payments".into(), &"eu-west-1a".into()));
    assert_eq!(jobs.spec["retentionInDays"], 7);
    let jobs = group(&[("team", "risk"), ("days", "{dev: 1}")]);
    assert_eq!((&jobs.tags["Title"], &jobs.spec["retentionInDays"]), (&"Jobs of risk".into(), &1.into()));
}

#[test]
fn conditions_are_turned_round_and_compare() {
    let has = |variables| names(&example("Conditions", variables));
    assert_eq!(has(&[]), ["logs/LogGroup/public", "logs/LogGroup/tests"]);
    assert_eq!(has(&[("private", "true")]), ["logs/LogGroup/private", "logs/LogGroup/tests"]);
}
