//! What users read when their manifests are wrong. A case is a folder of `tests/manifests/`: an environment `dev`, its
//! stacks, and `errors.txt`, the whole text that is printed. `BLESS=1 cargo test --test engine manifests` writes it anew.

#![allow(clippy::print_stdout, reason = "peaks of memory are worth a line")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::golden::differing;
use batchwright::manifest::{self, Options};
use batchwright::resource::{Desired, ResourceId};
use proptest::prelude::*;

mod canaries;
mod fuzz;
mod language;
mod masked;
mod memory;
mod slips;

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"111111111111\"\nregion: eu-west-1\nstacks: [main]\n";

fn load(root: &Path) -> Result<Desired, manifest::Errors> {
    manifest::load(root, "dev", &Options::default())
}

#[test]
fn every_case_prints_what_its_golden_file_holds() {
    let mut cases: Vec<PathBuf> =
        fs::read_dir("tests/manifests").unwrap().map(|case| case.unwrap().path()).collect();
    cases.retain(|case| case.join("dev").is_dir());
    cases.sort();
    assert!(cases.len() >= 12, "{cases:?}");
    let mut wrong = String::new();
    for case in cases {
        let printed = match load(&case) {
            Ok(desired) => format!("no errors: {} resources\n", desired.resources.len()),
            Err(errors) => errors.to_string(),
        };
        wrong += &compared(&case.join("errors.txt"), &printed);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_projects_own_environments_have_no_errors() {
    let load = |name: &str| match manifest::load(Path::new("manifests"), name, &Options::default()) {
        Ok(desired) => desired,
        Err(errors) => panic!("{errors}"),
    };
    let (dev, prod) = (load("dev"), load("prod"));
    let has =
        |desired: &Desired, id: &str| desired.resources.contains_key(&id.parse::<ResourceId>().unwrap());
    for id in ["ec2/VpcEndpoint/ecr-api", "ec2/VpcEndpoint/ecr-dkr", "ec2/VpcEndpoint/logs", "iam/Role/push"]
    {
        assert!(has(&prod, id) && !has(&dev, id), "{id}");
    }
    assert!(has(&dev, "ec2/InternetGateway/main") && !has(&prod, "ec2/InternetGateway/main"));
    for desired in [&dev, &prod] {
        assert!(has(desired, "ec2/VpcEndpoint/s3") && has(desired, "batch/JobDefinition/payments"));
    }
    let routes = |desired: &Desired| {
        desired.resources[&ResourceId::new("ec2/RouteTable", "jobs")].spec["routes"]
            .as_array()
            .map_or(0, Vec::len)
    };
    assert_eq!((routes(&dev), routes(&prod)), (1, 0));
}

#[test]
fn what_an_environment_is_called_and_where_it_lives_stands_in_its_manifests() {
    let good = load(Path::new("tests/manifests/good")).unwrap();
    let described = &good.resources[&ResourceId::new("iam/Role", "job")].spec["description"];
    let expected =
        "dev of acme/jobs/dev (acme/jobs) in 111111111111 eu-west-1 aws amazonaws.com writes ${literally}";
    assert_eq!(described, expected);
}

#[test]
fn a_project_that_says_itself_is_refused_and_one_that_is_missing_is_missed_once() {
    let uses = b"apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: a, tags: {Of: \"${env.owner}\"}}\nspec: {}\n";
    let itself = ENVIRONMENT.replace("project: acme/jobs", "project: ${env.project}");
    let errors = Folder::new(&itself, uses).errors();
    assert!(errors.contains("environment.yaml:1:10") && errors.matches(" --> ").count() == 1, "{errors}");
    let without = ENVIRONMENT.replace("project: acme/jobs\n", "");
    let errors = Folder::new(&format!("{without}tags: {{Project: \"${{env.project}}\"}}\n"), uses).errors();
    assert!(errors.contains("project") && errors.matches(" --> ").count() == 1, "{errors}");
}

#[test]
fn the_endpoint_to_s3_lets_through_what_the_jobs_role_may_do_there() {
    let allowed = |desired: &Desired, kind: &str, name: &str| -> Vec<(String, String)> {
        let spec = &desired.resources[&ResourceId::new(kind, name)].spec;
        let statements = spec["policyDocument"]["Statement"].as_array().unwrap().iter();
        let of = |statement: &serde_json::Value, key: &str| match statement[key].as_array() {
            Some(one) if one.len() == 1 => one[0].as_str().unwrap().to_owned(),
            _ => statement[key].as_str().unwrap_or_else(|| panic!("{statement}")).to_owned(),
        };
        statements.map(|statement| (of(statement, "Action"), of(statement, "Resource"))).collect()
    };
    for environment in ["dev", "prod"] {
        let desired = manifest::load(Path::new("manifests"), environment, &Options::default()).unwrap();
        let through = allowed(&desired, "ec2/VpcEndpoint", "s3");
        let (reads, writes) = (
            allowed(&desired, "iam/Policy", "read-source"),
            allowed(&desired, "iam/Policy", "write-destination"),
        );
        assert!(reads.len() > 1 && !writes.is_empty(), "{reads:?} {writes:?}");
        for wanted in reads.iter().chain(&writes) {
            assert!(through.contains(wanted), "{environment}: {wanted:?} of {through:?}");
        }
    }
}

#[test]
fn editors_take_what_is_loaded() {
    let validator = jsonschema::validator_for(&manifest::schema()).unwrap();
    let environments =
        serde_json::json!({"$ref": "#/$defs/Environment", "$defs": manifest::schema()["$defs"]});
    let environments = jsonschema::validator_for(&environments).unwrap();
    let mut files = vec![PathBuf::from("manifests")];
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let is_environment = path.ends_with("environment.yaml");
        for document in manifest::value("a.yaml", &fs::read_to_string(&path).unwrap()).unwrap() {
            let validator = if is_environment { &environments } else { &validator };
            let errors: Vec<String> = validator
                .iter_errors(&document)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
    let wrong = serde_json::json!({"apiVersion": "batchwright/v1", "kind": "logs/LogGroup", "metadata": {"name": "a"}, "spec": {"retentionDays": 3}});
    assert!(!validator.is_valid(&wrong));
}

/// What is wrong with what was printed; nothing, if it is what the golden file holds.
fn compared(golden: &Path, printed: &str) -> String {
    let Some(expected) = differing(golden, printed) else { return String::new() };
    format!("== {}\n-- expected\n{expected}\n-- printed\n{printed}\n", golden.display())
}

/// For inputs that tests make: too large, or not text, to be kept as files.
fn golden(name: &str, printed: &str) {
    crate::world::golden::golden(format!("tests/manifests/generated/{name}.txt"), printed);
}

/// A folder of manifests with one stack.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(environment: &str, manifest: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("dev")).unwrap();
        fs::create_dir_all(root.join("stacks/main")).unwrap();
        fs::write(root.join("dev/environment.yaml"), environment).unwrap();
        fs::write(root.join("stacks/main/a.yaml"), manifest).unwrap();
        Self(folder)
    }

    /// What is printed, without the folder's own name.
    fn errors(&self) -> String {
        let root = self.0.path().to_string_lossy().into_owned();
        match load(self.0.path()) {
            Ok(_) => "no errors".to_owned(),
            Err(errors) => errors.to_string().replace(&root, "manifests"),
        }
    }
}

/// What is wrong is quoted, also into comments that anybody reads: a link could have any file of the machine quoted.
#[cfg(unix)]
#[test]
fn links_are_not_followed_and_nothing_behind_them_is_quoted() {
    use std::os::unix::fs::symlink;

    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("environment.yaml"), "CANARY: [").unwrap();
    let refused = |change: &dyn Fn(&Path)| {
        let folder = Folder::new(ENVIRONMENT, SOUND.as_bytes());
        change(folder.0.path());
        let said = folder.errors();
        assert!(said.contains("link") || said.contains("holds no environment"), "{said}");
        assert!(!said.contains("CANARY"), "{said}");
    };
    let file = secret.path().join("environment.yaml");
    refused(&|root| symlink(&file, root.join("stacks/main/b.yaml")).unwrap());
    refused(&|root| symlink(secret.path(), root.join("stacks/main/more")).unwrap());
    refused(&|root| {
        fs::remove_file(root.join("dev/environment.yaml")).unwrap();
        symlink(&file, root.join("dev/environment.yaml")).unwrap();
    });
    refused(&|root| {
        fs::remove_dir_all(root.join("dev")).unwrap();
        symlink(secret.path(), root.join("dev")).unwrap();
    });
    let elsewhere = secret.path().join("stacks");
    refused(&|root| {
        fs::rename(root.join("stacks"), &elsewhere).unwrap();
        symlink(&elsewhere, root.join("stacks")).unwrap();
    });
    let sound = Folder::new(ENVIRONMENT, SOUND.as_bytes());
    let linked = secret.path().join("manifests");
    symlink(sound.0.path(), &linked).unwrap();
    assert!(load(&linked).unwrap_err().to_string().contains("link"));
}

#[test]
fn errors_can_be_told_without_the_lines_that_they_quote() {
    let folder = Folder::new(ENVIRONMENT, SOUND.replace("\"a: b\"", "[CANARY]").as_bytes());
    let errors = load(folder.0.path()).unwrap_err();
    assert!(errors.to_string().contains("CANARY"));
    let bare = errors.without_lines().to_string();
    assert!(!bare.contains("CANARY") && bare.contains("a.yaml:5"), "{bare}");
}

#[test]
fn a_missing_folder_and_an_empty_one_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let shown =
        |errors: manifest::Errors| errors.to_string().replace(&*folder.path().to_string_lossy(), "TMP");
    golden("missing_folder", &shown(load(&folder.path().join("nowhere")).unwrap_err()));
    golden("empty_folder", &shown(load(folder.path()).unwrap_err()));
    fs::write(folder.path().join("file"), "").unwrap();
    golden("no_folder", &shown(load(&folder.path().join("file")).unwrap_err()));
}

#[test]
fn a_missing_environment_names_those_that_exist() {
    let folder = Folder::new(ENVIRONMENT, b"");
    for name in ["deev", "..", "", "dev/../dev"] {
        let errors = manifest::load(folder.0.path(), name, &Options::default()).unwrap_err().to_string();
        assert!(errors.contains(&format!("there is no environment `{name}`")), "{errors}");
        assert!(errors.contains("environments are: dev"), "{errors}");
    }
}

#[test]
fn bytes_that_are_no_text_are_named_with_their_place() {
    golden(
        "not_utf8",
        &Folder::new(ENVIRONMENT, b"apiVersion: batchwright/v1\nkind: \"\xff\xfe\"\n").errors(),
    );
    golden("utf16", &Folder::new(ENVIRONMENT, b"\xff\xfea\0p\0i\0").errors());
    golden("nul", &Folder::new(ENVIRONMENT, b"a: 1\nb: \0\nc: 1\n").errors());
}

#[test]
fn a_file_of_ten_megabytes_is_refused() {
    let large = "# a line of a comment, and another\n".repeat(300_000);
    assert!(large.len() > 10_000_000);
    golden("ten_megabytes", &Folder::new(ENVIRONMENT, large.as_bytes()).errors());
}

#[test]
fn what_nests_or_grows_without_end_is_refused() {
    let deep = format!("apiVersion: {}\n", "[".repeat(5000));
    golden("deep_brackets", &Folder::new(ENVIRONMENT, deep.as_bytes()).errors());
    let block: String = (0..300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    golden("deep_mapping", &Folder::new(ENVIRONMENT, block.as_bytes()).errors());
    let items = "- ".repeat(200_000);
    assert!(Folder::new(ENVIRONMENT, items.as_bytes()).errors().contains("nested more than 64 deep"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..30 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(", "));
    }
    golden("alias_bomb", &Folder::new(ENVIRONMENT, bomb.as_bytes()).errors());
    golden("alias_in_itself", &Folder::new(ENVIRONMENT, b"a: &a [*a]\n").errors());
}

#[test]
fn a_kind_like_no_other_is_told_all_kinds() {
    let text = b"apiVersion: batchwright/v1\nkind: quantum/Computer\nmetadata: {name: a}\n";
    let errors = Folder::new(ENVIRONMENT, text).errors();
    assert!(errors.contains("unknown kind `quantum/Computer`") && errors.contains("iam/Role"), "{errors}");
}

#[test]
fn a_large_file_of_nothing_but_mistakes_comes_to_an_end() {
    let mut text = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: a}\nspec:\n".to_owned();
    for n in 0..20_000 {
        text += &format!("  field{n}: {n}\n");
    }
    let errors = Folder::new(ENVIRONMENT, text.as_bytes()).errors();
    assert!(errors.contains("and 19980 more unknown fields"), "{errors}");
    let fields: String = (0..20_000).map(|n| format!("field{n}: {n}\n")).collect();
    let errors = Folder::new(&format!("{ENVIRONMENT}{fields}"), text.as_bytes()).errors();
    assert!(errors.contains("dev/environment.yaml:5:1") && errors.contains("and 19980 more"), "{errors}");
}

#[test]
fn two_environments_of_one_account_need_different_prefixes() {
    let group = b"apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\n";
    let folder = Folder::new(&format!("{ENVIRONMENT}namePrefix: jobs-\n"), group);
    let other = folder.0.path().join("prod");
    fs::create_dir(&other).unwrap();
    let write = |prefix: &str| {
        fs::write(other.join("environment.yaml"), format!("{ENVIRONMENT}namePrefix: \"{prefix}\"\n"))
            .unwrap();
    };
    write("eu-jobs-");
    assert_eq!(folder.errors(), "no errors");
    write("jobs-");
    golden("same_prefix", &folder.errors());
    // What the permissions of the one allow holds for the other.
    write("jobs-eu-");
    golden("prefix_of_a_prefix", &folder.errors());
    write("");
    assert!(folder.errors().contains("begin alike"), "{}", folder.errors());
}

#[test]
fn a_key_that_a_variable_makes_is_there_once() {
    let errors = |tags: &str| {
        let environment = format!("{ENVIRONMENT}variables: {{team: payments}}\n");
        let manifest =
            format!("apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: a, tags: {tags}}}\n");
        Folder::new(&environment, manifest.as_bytes()).errors()
    };
    assert_eq!(errors("{'${var.team}': a, 'x${var.team}': b}"), "no errors");
    let twice = errors("{'${var.team}': a, payments: b}");
    assert!(twice.contains("the key `payments` is there twice") && twice.contains("a.yaml:3:46"), "{twice}");
    assert!(twice.contains("a.yaml:3:28") && twice.contains("first here"), "{twice}");
}

#[test]
fn the_command_line_replaces_variables_and_pins_images() {
    let environment = format!(
        "{ENVIRONMENT}variables: {{days: 7, on: true}}\nnamePrefix: ${{env.name}}-\ntags: {{Team: payments}}\n"
    );
    let group = b"apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs, when: '${var.on}', tags: {Days: 'x${var.days}'}}\nspec: {retentionInDays: '${var.days}'}\n";
    let folder = Folder::new(&environment, group);
    let set = |name: &str, value: &str| Options {
        variables: [(name.to_owned(), value.to_owned())].into(),
        ..Options::default()
    };
    let desired = manifest::load(folder.0.path(), "dev", &set("days", "30")).unwrap();
    let group = &desired.resources[&ResourceId::new("logs/LogGroup", "jobs")];
    assert_eq!(group.spec["retentionInDays"], 30);
    assert_eq!(group.physical_name, "dev-jobs");
    assert_eq!(group.tags, [("Days".into(), "x30".into()), ("Team".into(), "payments".into())].into());
    assert_eq!(group.positions["spec.retentionInDays"].column, 8);
    assert_eq!(desired.owner.0, "acme/jobs/dev");
    let printed = |options: &Options| {
        manifest::load(folder.0.path(), "dev", options)
            .unwrap_err()
            .to_string()
            .replace(&*folder.0.path().to_string_lossy(), "manifests")
    };
    golden("override_unknown", &printed(&set("day", "30")));
    golden("override_whole_number", &printed(&set("days", "7.0")));
    golden("override_not_yaml", &printed(&set("days", "[many")));
    golden("override_switches_off", &printed(&set("on", "false")));
    golden(
        "image_without_digest",
        &printed(&Options {
            images: [("worker".to_owned(), "x:latest".to_owned())].into(),
            ..Options::default()
        }),
    );
}

const SOUND: &str = "\
apiVersion: batchwright/v1
kind: iam/Role
metadata:
  name: job
  tags: &tags {Team: \"a: b\", Note: 'it''s'}
spec:
  description: >-
    folded
    text
  assumeRolePolicyDocument:
    Version: 2012-10-17
    Statement:
      - {Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}
---
apiVersion: batchwright/v1
kind: logs/LogGroup
metadata:
  name: jobs
  tags: {<<: *tags, Team: ${var.team}}
spec:
  retentionInDays: 30 # days
";

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = manifest::value("a.yaml", &String::from_utf8_lossy(&bytes)).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_yaml_makes_it_panic(text in "[-a{}\\[\\]:,&*!|>'\"%@`#?~<\\\\. \n\t\r0é\u{85}\u{2028}\u{feff}]{0,80}") {
        let _ = manifest::value("a.yaml", &text).map_err(|errors| errors.render(true));
    }

    #[test]
    fn no_change_to_a_manifest_makes_it_panic(
        changes in proptest::collection::vec((0..SOUND.len(), 0..6_usize, "[-a{}\\[\\]:,&*!|>'\"$#?~<\\\\ \n\té]{0,4}"), 1..6)
    ) {
        let mut text = SOUND.to_owned();
        for (at, gone, new) in changes {
            let clip = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (from, to) = (clip(at), clip(at + gone));
            text.replace_range(from..to, &new);
        }
        let folder = Folder::new(ENVIRONMENT, text.as_bytes());
        // Whatever is said, it points into the file.
        if let Err(errors) = load(folder.0.path()) {
            for error in &errors.0 {
                let lines = text.split('\n').count();
                prop_assert!(error.position().line <= lines.max(4), "{error}");
            }
            prop_assert!(!errors.to_string().is_empty());
        }
    }
}
