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

#[test]
fn one_of_each_is_named_by_its_key_and_taking_one_away_touches_no_other() {
    let three = example("One of each", &[]);
    assert_eq!(
        names(&three),
        [
            "ec2/Subnet/private-a",
            "ec2/Subnet/private-b",
            "ec2/Subnet/private-c",
            "ec2/Vpc/main",
            "ec2/VpcEndpoint/to-logs",
            "ec2/VpcEndpoint/to-monitoring",
        ]
    );
    assert_eq!(declared(&three, "ec2/Subnet/private-b").spec["cidrBlock"], "10.0.1.0/24");
    let subnets = |desired: &Desired| declared(desired, "ec2/VpcEndpoint/to-logs").spec["subnetIds"].clone();
    let all = ["a", "b", "c"].map(|key| format!("${{ec2/Subnet/private-{key}.id}}"));
    assert_eq!(subnets(&three), serde_json::json!(all));

    // In whichever order they are written, and without one of them: the others are as they were.
    let zones = "{c: {range: 10.0.2.0/24}, a: {range: 10.0.0.0/24}}";
    let two = example("One of each", &[("zones", zones)]);
    assert_eq!(names(&two), names(&three).into_iter().filter(|it| !it.ends_with("-b")).collect::<Vec<_>>());
    for id in ["ec2/Subnet/private-a", "ec2/Subnet/private-c", "ec2/Vpc/main"] {
        let (before, after) = (declared(&three, id), declared(&two, id));
        assert_eq!((&before.spec, &before.physical_name), (&after.spec, &after.physical_name), "{id}");
    }
    assert_eq!(subnets(&two).as_array().map(Vec::len), Some(2));
    let specs = |desired: &Desired| -> Vec<_> {
        desired
            .resources
            .values()
            .map(|it| (it.id.clone(), it.spec.clone(), it.physical_name.clone()))
            .collect()
    };
    assert_eq!(specs(&example("One of each", &[])), specs(&three));
}

#[test]
fn a_stack_is_used_twice_and_refers_to_its_own() {
    let desired = example("A stack more than once", &[]);
    assert_eq!(
        names(&desired),
        ["iam/Role/gpu-job", "iam/Role/job", "logs/LogGroup/gpu-jobs", "logs/LogGroup/jobs"]
    );
    let (own, gpu) = (declared(&desired, "iam/Role/job"), declared(&desired, "iam/Role/gpu-job"));
    assert_eq!(own.spec["description"], "writes to ${logs/LogGroup/jobs.name}");
    assert_eq!(gpu.spec["description"], "writes to ${logs/LogGroup/gpu-jobs.name}");
    assert_eq!(gpu.depends_on, ["logs/LogGroup/gpu-jobs".parse::<ResourceId>().unwrap()]);
    assert_eq!((gpu.stack.as_str(), gpu.physical_name.as_str()), ("gpu", "dev-gpu-job"));
    let jobs = declared(&desired, "logs/LogGroup/gpu-jobs");
    assert_eq!((&jobs.spec["retentionInDays"], jobs.tags["Team"].as_str()), (&90.into(), "vision"));
    assert_eq!(declared(&desired, "logs/LogGroup/jobs").spec["retentionInDays"], 7);
    assert_eq!(desired.outputs["gpu"].value, "${logs/LogGroup/gpu-jobs.arn}");
}

#[test]
fn files_are_taken_as_they_are_or_as_if_they_were_written_there() {
    let role = declared(&example("Text and values from files", &[]), "iam/Role/job").clone();
    let note = role.spec["description"].as_str().unwrap();
    assert!(note.contains("Runs ${JOB:-none} and $${X}"), "{note}");
    let statement = &role.spec["assumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(statement["Condition"]["StringEquals"]["aws:SourceAccount"], "111111111111");
}

#[test]
fn declared_variables_have_defaults() {
    let jobs = declared(&example("Variables that a stack declares", &[]), "logs/LogGroup/jobs").clone();
    assert_eq!((jobs.tags["Team"].as_str(), &jobs.spec["retentionInDays"]), ("payments", &30.into()));
}

/// Whoever sends a pull request may write manifests, and sees what is said of them.
#[cfg(unix)]
#[test]
fn no_file_outside_of_the_manifests_is_read() {
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("key"), "CANARY").unwrap();
    let environment = "project: a/b\naccount: \"111111111111\"\nregion: eu-west-1\nstacks: [main]\n";
    let said = |path: &str| {
        let group = format!(
            "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: a, tags: {{A: \"${{file.{path}}}\"}}}}\n"
        );
        let folder = written(&[
            ("dev/environment.yaml", environment),
            ("stacks/main/a.yaml", &group),
            (".git/config", "CANARY"),
        ]);
        std::os::unix::fs::symlink(secret.path(), folder.path().join("behind")).unwrap();
        std::os::unix::fs::symlink(secret.path().join("key"), folder.path().join("link")).unwrap();
        manifest::load(folder.path(), "dev", &Options::default()).unwrap_err().to_string()
    };
    let absolute = secret.path().join("key").to_string_lossy().into_owned();
    for (path, why) in [
        ("../key", "leads out of the manifests' folder"),
        (absolute.as_str(), "leads out of the manifests' folder"),
        ("a/../../key", "leads out of the manifests' folder"),
        (".git/config", "is hidden"),
        ("behind/key", "is a link, or lies behind one"),
        ("link", "is a link, or lies behind one"),
        ("none.sh", "is no file of the manifests' folder"),
        ("stacks", "pipe or a device"),
    ] {
        let said = said(path);
        assert!(
            said.contains(why) && said.contains("a.yaml:3:32") && !said.contains("CANARY"),
            "{path}: {said}"
        );
    }
}
