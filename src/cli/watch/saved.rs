//! What is saved under a folder: told once for each burst, whatever becomes of the folder itself.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{Config, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

/// How long is waited for what else is saved.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Editors save in several moves: what follows within this time belongs together.
    pub quiet: Duration,
    /// After so long there is a look at what was saved, however much follows.
    pub longest: Duration,
}

/// Looks, and looks again whenever something was saved.
///
/// Each look comes after a new beginning of listening: what is saved before it is seen by the look, and what is saved after it is
/// told. So it does not matter which folders came, went or were others meanwhile.
pub async fn looks(root: &Path, pace: Pace, mut look: impl AsyncFnMut()) -> notify::Result<Infallible> {
    let mut saved = Saved::under(root)?;
    loop {
        saved.listen()?;
        look().await;
        saved.settled(pace).await;
    }
}

/// Listens for what is saved under a folder.
struct Saved {
    root: PathBuf,
    tell: mpsc::Sender<()>,
    /// Holds one word: a thousand events say no more than one does.
    told: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
}

impl Saved {
    fn under(root: &Path) -> notify::Result<Self> {
        let (tell, told) = mpsc::channel(1);
        Ok(Self { root: std::path::absolute(root)?, tell, told, watcher: None })
    }

    /// Listens anew: to the folder with all that is in it, and to where it would be made again.
    fn listen(&mut self) -> notify::Result<()> {
        let (root, above) = found(&self.root);
        let (tell, concerned) = (self.tell.clone(), root.clone());
        let tells = move |event: notify::Result<notify::Event>| {
            if event.map_or(true, |event| concerns(&event, &concerned)) {
                // If there is a word already, this is part of it.
                let _ = tell.try_send(());
            }
        };
        // A link inside may lead to all of the disk, and no manifest is read through one.
        let mut watcher = RecommendedWatcher::new(tells, Config::default().with_follow_symlinks(false))?;
        let whole = match is_folder(&root) {
            true => seen(watcher.watch(&root, RecursiveMode::Recursive))?,
            false => true,
        };
        let whole = seen(watcher.watch(&above, RecursiveMode::NonRecursive))? && whole;
        self.watcher = Some(watcher);
        // What was told so far, the next look sees.
        let _ = self.told.try_recv();
        if !whole {
            let _ = self.tell.try_send(());
        }
        Ok(())
    }

    /// Waits until something was saved, and nothing else follows, or there is no more waiting for that.
    async fn settled(&mut self, pace: Pace) {
        // There is always somebody to tell: one of them is here.
        let _ = self.told.recv().await;
        let latest = Instant::now() + pace.longest;
        loop {
            let quiet = (Instant::now() + pace.quiet).min(latest);
            if timeout_at(quiet, self.told.recv()).await.is_err() || Instant::now() >= latest {
                return;
            }
        }
    }
}

/// Whether all of it is listened to: a folder that went meanwhile is no failure, but hides those that come after it.
fn seen(result: notify::Result<()>) -> notify::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) => match &error.kind {
            notify::ErrorKind::PathNotFound => Ok(false),
            notify::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => Ok(false),
            _ => Err(error),
        },
    }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|it| it.is_dir())
}

/// A path as the system tells of it, and the nearest folder above it that there is.
fn found(path: &Path) -> (PathBuf, PathBuf) {
    for above in path.ancestors().skip(1) {
        if let (Ok(folder), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            return (folder.join(rest), folder);
        }
    }
    (path.to_owned(), path.to_owned())
}

/// Whether an event may be about what is read: in the folder, or to the folder itself and what it lies in.
fn concerns(event: &notify::Event, root: &Path) -> bool {
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    // Editors leave hidden files beside those that they have open.
    let is_hidden =
        |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let is_read = |path: &PathBuf| match path.strip_prefix(root) {
        Ok(inside) => !is_hidden(inside),
        Err(_) => root.starts_with(path),
    };
    // Where some events were lost, it is said without a path.
    event.paths.is_empty() || event.paths.iter().any(is_read)
}

#[cfg(test)]
mod tests;
