//! A user's slip is told as one: never as a bug of ours, and once, where it was made.

use std::fs;
use std::path::{Path, PathBuf};

use super::load;

/// The project's own manifests, in a folder of their own.
fn copied() -> tempfile::TempDir {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
            match path.is_dir() {
                true => copy(&path, &to.join(name)),
                false => drop(fs::copy(&path, to.join(name)).unwrap()),
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new("manifests"), folder.path());
    fs::remove_dir_all(folder.path().join("prod")).unwrap();
    folder
}

/// All that is said once these lines are in the place of one line of a file.
fn said(root: &Path, file: &Path, lines: &[String]) -> String {
    let before = fs::read(file).unwrap();
    fs::write(file, lines.join("\n") + "\n").unwrap();
    let said = load(root).map_or_else(|errors| errors.to_string(), |_| String::new());
    fs::write(file, before).unwrap();
    assert!(!said.contains("bug of batchwright"), "{}\n{said}", lines.join("\n"));
    said
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

/// A section of environment.yaml with two letters exchanged: its fields are read from other files, where nothing is wrong.
#[test]
fn a_misspelt_section_is_told_where_it_is_and_nowhere_else() {
    let folder = copied();
    let file = folder.path().join("dev/environment.yaml");
    let written = lines(&file);
    let mut tried = Vec::new();
    for (number, line) in written.iter().enumerate() {
        let Some((key, rest)) = line.split_once(':').filter(|(key, _)| key.starts_with(char::is_alphabetic))
        else {
            continue;
        };
        let mut misspelt = written.clone();
        misspelt[number] = format!("{}{}:{rest}", &key[1..2], key[..1].to_owned() + &key[2..]);
        // What its own tags name is no mistake of theirs.
        if key == "variables" {
            let tags = written.iter().position(|line| line == "tags:").unwrap();
            misspelt.insert(tags + 1, "  Of: ${var.maxvCpus}".to_owned());
        }
        let said = said(folder.path(), &file, &misspelt);
        let places: Vec<&str> =
            said.lines().filter_map(|line| line.trim_start().strip_prefix("--> ")).collect();
        assert!(!places.is_empty() && said.contains(&misspelt[number]), "{said}");
        let elsewhere: Vec<&&str> =
            places.iter().filter(|place| !place.contains("dev/environment.yaml:")).collect();
        assert!(elsewhere.is_empty(), "{key} is misspelt: {said}");
        tried.push(key.to_owned());
    }
    for key in ["project", "account", "namePrefix", "variables", "images"] {
        assert!(tried.iter().any(|it| it == key), "{tried:?}");
    }
}

/// A variable that nobody has, a reference and an image, in the place of values of every kind.
#[test]
fn what_can_stand_for_no_value_is_no_bug() {
    let folder = copied();
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder.path().join("stacks/payments")).unwrap().map(|it| it.unwrap().path()).collect();
    files.push(folder.path().join("dev/environment.yaml"));
    files.sort();
    let stand_ins: [&str; 6] =
        ["${var.nobody}", "${iam/Role/job.arn}", "${image.worker}", "${env.nothing}", "[]", "{}"];
    let (mut tried, mut at) = (0, 0);
    for file in files {
        let written = lines(&file);
        for (number, line) in written.iter().enumerate() {
            let Some((key, value)) = line.split_once(": ").filter(|(_, value)| !value.starts_with('#'))
            else {
                continue;
            };
            // Each loads all manifests: every fifth place, with another one each time.
            at += 1;
            if at % 5 != 0 {
                continue;
            }
            let stand_in = stand_ins[tried % stand_ins.len()];
            let mut wrong = written.clone();
            wrong[number] = format!("{key}: {stand_in}");
            if tried % 3 == 0 {
                wrong[number] =
                    format!("{}\"${{var.nobody}}\": {value}", &key[..key.len() - key.trim_start().len()]);
            }
            said(folder.path(), &file, &wrong);
            tried += 1;
        }
    }
    assert!(tried > 30, "{tried}");
}
