//! Storms: whatever is done to the files, the last look sees what there is in the end.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Pace, Saved, looks};
use crate::manifest;

const PACE: Pace = Pace { quiet: Duration::from_millis(20), longest: Duration::from_millis(100) };

/// Something done to the files.
type Act = Box<dyn FnOnce() + Send>;

/// A test that waits for what never comes shall fail, and not hang.
const NEVER: Duration = Duration::from_secs(60);

fn group(name: &str) -> String {
    format!("apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {{name: {name}}}\n")
}

/// An environment with one stack, in which one group is declared.
fn written(root: &Path, name: &str) {
    fs::create_dir_all(root.join("dev")).unwrap();
    fs::create_dir_all(root.join("stacks/main")).unwrap();
    let environment = "project: a\naccount: \"111111111111\"\nregion: eu-west-1\nstacks: [main]\n";
    fs::write(root.join("dev/environment.yaml"), environment).unwrap();
    fs::write(root.join("stacks/main/a.yaml"), group(name)).unwrap();
}

/// What is declared there now; or that it can't be read.
fn declared(root: &Path) -> String {
    match manifest::load(root, "dev", &manifest::Options::default()) {
        Ok(desired) => desired.resources.keys().map(|id| id.name.as_str()).collect::<Vec<_>>().join(" "),
        Err(_) => "refused".to_owned(),
    }
}

/// Looks at the folder until what each of `acts` brings about was seen, one after the other; how often it looked.
async fn seen(root: &Path, acts: Vec<(Act, &str)>) -> usize {
    let count = AtomicUsize::new(0);
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let looking = looks(root, PACE, async || {
        count.fetch_add(1, Ordering::Relaxed);
        let _ = tell.send(declared(root));
    });
    let acting = async {
        told.recv().await.unwrap();
        for (act, expected) in acts {
            let doing = tokio::task::spawn_blocking(act);
            let mut last = String::new();
            let found = async {
                while last != expected {
                    last = told.recv().await.unwrap();
                }
            };
            let late = tokio::time::timeout(NEVER, found).await.is_err();
            assert!(!late, "never saw `{expected}`; the last look saw `{last}`");
            doing.await.unwrap();
        }
    };
    tokio::select! {
        ended = looking => panic!("{ended:?}"),
        () = acting => {}
    }
    count.into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_ends_with_a_look_at_the_last_state() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("manifests");
    written(&root, "first");
    // Hidden, so that no manifest is refused for it: following it would end nowhere.
    symlink("/", root.join("stacks/main/.all")).unwrap();
    symlink("..", root.join("stacks/.up")).unwrap();
    let stack = root.join("stacks/main");
    let storm = move || {
        for n in 0..1_500_usize {
            let (one, other) =
                (stack.join(format!("s{}.yaml", n % 7)), stack.join(format!("s{}.yaml", n % 5)));
            match n % 6 {
                // Saved as editors save: beside it, and then in its place.
                0 | 1 => {
                    fs::write(stack.join(".s.swp"), group(&format!("s{n}"))).unwrap();
                    fs::rename(stack.join(".s.swp"), &one).unwrap();
                }
                2 => fs::write(&one, group(&format!("t{n}"))).unwrap(),
                3 => drop(fs::rename(&one, &other)),
                4 => drop(fs::remove_file(&other)),
                _ => {
                    let deep = stack.join(format!("d{}", n % 3));
                    fs::create_dir_all(deep.join("e")).unwrap();
                    fs::write(deep.join("e/x.yaml"), "nothing: [").unwrap();
                    fs::remove_dir_all(&deep).unwrap();
                }
            }
        }
        for entry in fs::read_dir(&stack).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it == "yaml") {
                fs::remove_file(path).unwrap();
            }
        }
        fs::write(stack.join("last.yaml"), group("last")).unwrap();
    };
    let count = seen(&root, vec![(Box::new(storm), "last")]).await;
    // A look for a burst, and not for each of what is done: more of them would be spinning.
    assert!(count < 750, "{count} looks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_that_go_and_come_again_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let above = folder.path().join("repository");
    let root = above.join("manifests");
    written(&root, "first");
    let act = |of: &dyn Fn(&Path, &Path) -> Act| of(&above, &root);
    let remade = |name: &'static str| {
        act(&move |_, root| {
            let root = root.to_owned();
            Box::new(move || written(&root, name))
        })
    };
    let gone = |which: fn(&Path, &Path) -> std::path::PathBuf| {
        act(&move |above, root| {
            let path = which(above, root);
            Box::new(move || fs::remove_dir_all(path).unwrap())
        })
    };
    let acts: Vec<(Act, &str)> = vec![
        (gone(|_, root| root.join("stacks")), "refused"),
        (remade("second"), "second"),
        (gone(|_, root| root.to_owned()), "refused"),
        (remade("third"), "third"),
        (gone(|above, _| above.to_owned()), "refused"),
        (remade("fourth"), "fourth"),
        (
            act(&|above, root| {
                let (above, root) = (above.to_owned(), root.to_owned());
                Box::new(move || {
                    fs::rename(&root, above.join("other")).unwrap();
                    written(&root, "fifth");
                })
            }),
            "fifth",
        ),
        // And what is saved in it now is told as before.
        (remade("sixth"), "sixth"),
    ];
    seen(&root, acts).await;
}

#[tokio::test]
async fn what_never_rests_is_looked_at_all_the_same_and_takes_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut saved = Saved::under(folder.path()).unwrap();
    for _ in 0..100_000 {
        let _ = saved.tell.try_send(());
    }
    assert_eq!(saved.told.len(), 1);
    let tell = saved.tell.clone();
    let never_rests = async {
        loop {
            let _ = tell.try_send(());
            tokio::task::yield_now().await;
        }
    };
    let pace = Pace { quiet: NEVER * 60, longest: Duration::from_millis(5) };
    tokio::select! {
        never = never_rests => never,
        () = saved.settled(pace) => {}
    }
}

#[tokio::test]
async fn reading_is_no_reason_to_look_again() {
    let event = |kind, path: &str| notify::Event::new(kind).add_path(path.into());
    let root = Path::new("/a/manifests");
    let (read, changed) = (
        notify::EventKind::Access(notify::event::AccessKind::Any),
        notify::EventKind::Modify(notify::event::ModifyKind::Any),
    );
    for (kind, path, tells) in [
        (read, "/a/manifests/dev/environment.yaml", false),
        (changed, "/a/manifests/dev/environment.yaml", true),
        (changed, "/a/manifests/dev/.environment.yaml.swp", false),
        (changed, "/a/manifests", true),
        (changed, "/a", true),
        (changed, "/a/other", false),
        (changed, "/a/manifests-of-others/a.yaml", false),
    ] {
        assert_eq!(super::concerns(&event(kind, path), root), tells, "{path}");
    }
    let lost = notify::Event::new(notify::EventKind::Other).set_flag(notify::event::Flag::Rescan);
    assert!(super::concerns(&lost, root));
}
