//! The house: what no compiler and no lint looks at. Reads files, calls nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod engine;

/// Some 400 lines are what a reader takes in; a file that needs a few more is not worth tearing apart.
const MOST_LINES: usize = 450;

/// Names that say nothing: a file is called after what it holds.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "manager", "base", "shared", "stuff"];

/// Folders that are made, not written.
const MADE: &[&str] = &["target", ".git", "node_modules", "__pycache__"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the project, relative to its root, in order.
fn files() -> Vec<PathBuf> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if MADE.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                visit(&path, found);
            } else {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    visit(root(), &mut found);
    found.sort();
    assert!(found.len() > 100, "only {} files were found", found.len());
    found
}

fn with_extension(extension: &str) -> Vec<(PathBuf, String)> {
    let files = files().into_iter().filter(|path| path.extension().is_some_and(|it| it == extension));
    let read: Vec<_> = files.map(|path| (path.clone(), read(&path))).collect();
    assert!(!read.is_empty(), "no .{extension} file was found");
    read
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn files_fit_a_head() {
    let lines = |text: &str| text.lines().count();
    let long = with_extension("rs").into_iter().filter(|(_, text)| lines(text) > MOST_LINES);
    let long = long.map(|(path, text)| format!("{}: {} lines", path.display(), lines(&text))).collect();
    none("too long; part them by what they hold", long);
}

/// The programs of tests; each more would be linked for itself, and leave a core idle while it ends.
const PROGRAMS: &[&str] =
    &["tests/aws", "tests/engine", "tests/hard", "tests/program", "worker/tests/worker"];

/// What no `mod` line names is compiled by nothing, and none of its tests fails.
#[test]
fn every_test_belongs_to_a_program() {
    let mut reached = BTreeSet::new();
    for program in PROGRAMS {
        reach(&Path::new(program).join("main.rs"), &mut reached);
    }
    let in_tests = |path: &PathBuf| path.starts_with("tests") || path.starts_with("worker/tests");
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|it| it == "rs"));
    let lost = rust.filter(|path| in_tests(path) && !reached.contains(path));
    none("in no program", lost.map(|path| path.display().to_string()).collect());
}

/// A file with all that its `mod` lines name.
fn reach(file: &Path, reached: &mut BTreeSet<PathBuf>) {
    reached.insert(file.to_owned());
    let beside = file.parent().unwrap();
    let inside = match file.file_stem().unwrap().to_str().unwrap() {
        "main" | "mod" => beside.to_owned(),
        stem => beside.join(stem),
    };
    let mut elsewhere = None;
    for line in read(file).lines() {
        if let Some(path) = line.strip_prefix("#[path = \"").and_then(|rest| rest.strip_suffix("\"]")) {
            elsewhere = Some(path.to_owned());
        }
        let Some(name) = line.trim_start_matches("pub ").strip_prefix("mod ") else { continue };
        let Some(name) = name.strip_suffix(';') else { continue };
        let of_its_own = [inside.join(format!("{name}.rs")), inside.join(name).join("mod.rs")];
        let found = match elsewhere.take() {
            Some(path) => plain(&beside.join(path)),
            None => of_its_own.into_iter().find(|path| root().join(path).exists()).unwrap(),
        };
        reach(&found, reached);
    }
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

/// Columns of prose: what is compared line by line can be read so. Tables, code and addresses have no place to break.
const MOST_COLUMNS: usize = 100;

#[test]
fn prose_can_be_compared_line_by_line() {
    let mut wide = Vec::new();
    for (path, text) in with_extension("md") {
        // What a test writes is as wide as it comes out.
        if path.starts_with("docs/kinds") || path.iter().any(|part| part == "tests") {
            continue;
        }
        let mut code = false;
        for (number, line) in text.lines().enumerate() {
            code ^= line.trim_start().starts_with("```");
            let table = line.trim_start().starts_with('|');
            if line.chars().count() > MOST_COLUMNS && !code && !table && !line.contains("://") {
                wide.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    none("wider than 100 columns", wide);
}

#[test]
fn names_say_something() {
    let empty = |part: &str| EMPTY_NAMES.contains(&part.split('.').next().unwrap_or_default());
    let named = |path: &PathBuf| path.iter().any(|part| empty(part.to_str().unwrap()));
    none(
        "a name that says nothing",
        files().iter().filter(|path| named(path)).map(|p| p.display().to_string()).collect(),
    );
}

#[test]
fn nobodys_machine_shows() {
    // In two parts, so that this file is not found.
    let private =
        [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Use", "rs/"), concat!("/wo", "rk/")];
    let mut found = Vec::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if private.iter().any(|folder| line.contains(folder)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none("a path on somebody's machine", found);
}

#[test]
fn no_test_is_skipped_and_no_work_is_left_for_later() {
    let marks = [concat!("#[ign", "ore"), concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let mut found = Vec::new();
    for (path, text) in with_extension("rs") {
        for (number, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    none("left for later", found);
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let workspace = read("Cargo.toml");
    let lints = workspace.split("[workspace.lints.rust]").nth(1).and_then(|rest| rest.split("\n[").next());
    assert!(lints.is_some_and(|lints| lints.contains("unsafe_code = \"forbid\"")), "{lints:?}");
    for (path, text) in with_extension("toml") {
        if path.ends_with("Cargo.toml") {
            let inherits = text.contains("[lints]\nworkspace = true");
            let ours =
                text.contains("license.workspace = true") && workspace.contains("license = \"Apache-2.0\"");
            assert!(inherits, "{}: does not inherit the workspace's lints", path.display());
            assert!(ours, "{}: is not under the workspace's licence", path.display());
        }
    }
    assert!(read("LICENSE").contains("Apache License"));
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for (path, text) in with_extension("md") {
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => root().join(&path),
                file => root().join(path.parent().unwrap()).join(file),
            };
            let markdown = target.extension().is_some_and(|it| it == "md");
            let there = target.exists()
                && (anchor.is_empty() || !markdown || anchors(&read(&target)).contains(anchor));
            if !there {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    none("dead links", dead);
}

/// The targets of all links outside code.
fn links(markdown: &str) -> Vec<String> {
    let prose = prose(markdown);
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The text without its blocks of code.
fn prose(markdown: &str) -> String {
    let mut code = false;
    let mut kept = String::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            code = !code;
        } else if !code {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What GitHub makes of headings.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let heading = |line: &str| {
        let text = line.trim_start_matches('#').strip_prefix(' ')?.trim().to_lowercase();
        let kept = text.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        Some(kept.map(|c| if c == ' ' { '-' } else { c }).collect())
    };
    prose(markdown).lines().filter(|line| line.starts_with('#')).filter_map(heading).collect()
}

#[test]
fn commands_that_pages_name_exist() {
    let registry = read("src/cli/mod.rs");
    let mut unknown = Vec::new();
    for (path, text) in with_extension("md") {
        let named = ["cargo run -- ", "`batchwright ", "$ batchwright ", "\nbatchwright "]
            .iter()
            .flat_map(|prefix| text.split(prefix).skip(1))
            .filter_map(|rest| {
                rest.split(|c: char| !c.is_ascii_lowercase()).next().filter(|word| !word.is_empty())
            });
        for command in named.filter(|command| !registry.contains(&format!(" => {command},\n"))) {
            unknown.push(format!("{}: {command}", path.display()));
        }
    }
    none("no such command", unknown);
}

#[test]
fn every_cited_decision_is_written_down() {
    let written: BTreeSet<String> = with_extension("md")
        .into_iter()
        .filter(|(path, _)| path.starts_with("docs/decisions") && !path.ends_with("README.md"))
        .flat_map(|(_, text)| {
            let opening = |line: &str| line.trim_start_matches("# ").trim_start_matches("**").to_owned();
            text.lines().map(opening).filter_map(|line| decision(&line)).collect::<Vec<_>>()
        })
        .collect();
    assert!(written.len() > 30, "{written:?}");
    let mut missing = Vec::new();
    for (path, text) in ["rs", "md", "toml", "yaml"].into_iter().flat_map(with_extension) {
        // A citation stands in parentheses, alone or in a list: "(D13)", "(D8, D14)".
        for inside in
            text.split('(').skip(1).filter_map(|rest| rest.split_once(')').map(|(inside, _)| inside))
        {
            let cited: Vec<_> = inside.split(", ").map(|part| (part, decision(part))).collect();
            let all = cited.iter().all(|(part, cited)| cited.as_deref() == Some(*part));
            for (cited, _) in cited.iter().filter(|(part, _)| all && !written.contains(*part)) {
                missing.push(format!("{}: {cited}", path.display()));
            }
        }
    }
    none("cited, and nowhere in docs/decisions", missing);
}

/// The number that a text begins with: `D13` of `D13 References…`.
fn decision(text: &str) -> Option<String> {
    let digits: String = text.strip_prefix('D')?.chars().take_while(char::is_ascii_digit).collect();
    let ends = text[1 + digits.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
    (ends && (1..=2).contains(&digits.len())).then(|| format!("D{digits}"))
}

/// A promise without a test is a wish.
#[test]
fn every_promise_of_security_has_its_test() {
    let mut missing = Vec::new();
    let mut promises = 0;
    for row in
        read("SECURITY.md").lines().filter(|line| line.starts_with("| ") && !line.contains("promise | test"))
    {
        promises += 1;
        let cell = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let (mut text, mut named) = (String::new(), 0);
        for part in cell.split(", ") {
            let name = match part.strip_prefix("[`").and_then(|rest| rest.split_once("](")) {
                Some((_, rest)) => {
                    let (file, name) = rest.split_once(") ").unwrap_or((rest, ""));
                    text = read(file);
                    name
                }
                None => part,
            };
            named += 1;
            let function = name.trim_matches('`');
            let test = text.split("fn ").skip(1).any(|rest| rest.starts_with(&format!("{function}()")));
            if function.is_empty() || !test {
                missing.push(format!("{part}: no such test"));
            }
        }
        assert!(named > 0, "{row}: names no test");
    }
    assert!(promises > 10, "{promises}");
    none("promises without a test", missing);
}

#[test]
fn workflows_are_pinned_and_start_without_permissions() {
    let workflows: Vec<_> =
        with_extension("yml").into_iter().filter(|(path, _)| path.starts_with(".github/workflows")).collect();
    assert!(!workflows.is_empty());
    for (path, text) in &workflows {
        assert!(text.contains("\npermissions: {}\n"), "{}: begins with permissions", path.display());
        for line in text.lines() {
            let Some(action) = line.trim().trim_start_matches("- ").strip_prefix("uses: ") else { continue };
            let (pin, version) = action.split_once(" # v").unwrap_or((action, ""));
            let commit = pin.split_once('@').map_or("", |(_, commit)| commit);
            let pinned =
                commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()) && !version.is_empty();
            assert!(pinned, "{}: {action}: not a commit with its version beside it", path.display());
            assert!(
                read("docs/decisions/D38-linters.md").contains(commit),
                "{}: {action}: docs/decisions/D38-linters.md does not say where the commit comes from",
                path.display()
            );
        }
    }
}

#[test]
fn ci_runs_what_is_said_to_run() {
    let script = read(".ci/run");
    for command in [
        "cargo test --workspace --locked",
        "cargo clippy --workspace",
        "cargo fmt --all --check",
        "cargo deny",
    ] {
        assert!(script.contains(command), "{command}");
    }
    assert!(read(".github/workflows/ci.yml").contains("run: .ci/run\n"));
}
