//! Puts moto into the cache folder, once per set of pinned packages.
//!
//! Safe to call from many processes at once: a lock file lets one of them install, and a marker written last says
//! that the folder is whole. The environment is made at its final place, because Python's virtual environments can't
//! be moved.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::Progress;

/// Every package with its exact version, moto's dependencies included.
const REQUIREMENTS: &str = include_str!("moto/requirements.txt");
const MARKER: &str = "complete";
/// Names a folder to install into instead of the user's cache folder.
const CACHE_VARIABLE: &str = "BATCHWRIGHT_CACHE_DIR";

/// Why moto is not in the cache folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither the variable nor the system names a cache folder.
    #[error("no cache folder is known; set {CACHE_VARIABLE} to one")]
    NoCacheFolder,
    /// A file or folder could not be written.
    #[error("{path}: {source}")]
    Files {
        /// What was written.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// There is no Python.
    #[error(
        "python3 could not be run ({0}); install Python 3.11 or newer and see that python3 is on the PATH"
    )]
    NoPython(std::io::Error),
    /// There is a Python that is too old for the pinned packages.
    #[error("python3 is {0}, but the sandbox needs Python 3.11 or newer")]
    OldPython(String),
    /// `python3 -m venv` failed, as it does where the distribution ships it separately.
    #[error("`python3 -m venv` failed; on Debian and Ubuntu it comes with the package python3-venv\n{0}")]
    NoVenv(String),
    /// pip failed: most likely no package registry could be reached.
    #[error(
        "pip could not install the packages; see that the Python package registry can be reached (PIP_INDEX_URL, HTTPS_PROXY), then try again\n{0}"
    )]
    Pip(String),
    /// The thread that installs went away.
    #[error("the installation was cut short")]
    CutShort,
}

/// The environment's folder, made first if it isn't there.
pub async fn ensure(progress: &mut (dyn FnMut(Progress) + Send)) -> Result<PathBuf, Error> {
    let cache = cache_folder()?;
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    let work = tokio::task::spawn_blocking(move || install(&cache, "python3", &|step| drop(send.send(step))));
    while let Some(step) = receive.recv().await {
        progress(step);
    }
    work.await.map_err(|_| Error::CutShort)?
}

fn cache_folder() -> Result<PathBuf, Error> {
    if let Some(named) = std::env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    let folders = directories::ProjectDirs::from("", "", "batchwright").ok_or(Error::NoCacheFolder)?;
    Ok(folders.cache_dir().to_owned())
}

fn install(cache: &Path, interpreter: &str, tell: &dyn Fn(Progress)) -> Result<PathBuf, Error> {
    let digest: String =
        Sha256::digest(REQUIREMENTS).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let home = cache.join(format!("moto-{digest}"));
    if home.join(MARKER).exists() {
        return Ok(home);
    }
    fs::create_dir_all(cache).map_err(at(cache))?;
    let lock_path = cache.join(format!("moto-{digest}.lock"));
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    if lock.try_lock().is_err() {
        tell(Progress::Waiting);
        lock.lock().map_err(at(&lock_path))?;
    }
    // Whoever held the lock before us may have finished; the lock is let go when `lock` is dropped.
    if home.join(MARKER).exists() {
        return Ok(home);
    }
    if home.exists() {
        fs::remove_dir_all(&home).map_err(at(&home))?;
    }
    make_environment(&home, interpreter, tell)?;
    fetch_packages(&home, tell)?;
    fs::write(home.join(MARKER), "").map_err(at(&home))?;
    Ok(home)
}

fn make_environment(home: &Path, interpreter: &str, tell: &dyn Fn(Progress)) -> Result<(), Error> {
    let asked = Command::new(interpreter)
        .args([
            "-I",
            "-c",
            "import sys; print('%d.%d' % sys.version_info[:2]); sys.exit(sys.version_info < (3, 11))",
        ])
        .stdin(Stdio::null())
        .output()
        .map_err(Error::NoPython)?;
    if !asked.status.success() {
        return Err(Error::OldPython(String::from_utf8_lossy(&asked.stdout).trim().to_owned()));
    }
    tell(Progress::MakingEnvironment);
    let made = Command::new(interpreter)
        .args(["-I", "-m", "venv"])
        .arg(home)
        .stdin(Stdio::null())
        .output()
        .map_err(Error::NoPython)?;
    if made.status.success() { Ok(()) } else { Err(Error::NoVenv(last_lines(&made.stdout, &made.stderr))) }
}

fn fetch_packages(home: &Path, tell: &dyn Fn(Progress)) -> Result<(), Error> {
    let list = home.join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(at(&list))?;
    let mut pip = Command::new(python(home));
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_none_of_its_business(&name.to_string_lossy()))
    {
        pip.env_remove(name);
    }
    let mut pip = pip
        .args(["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps"])
        // Whatever registry pip's configuration names, it gives these files or none, and nothing is built.
        .args(["--require-hashes", "--only-binary", ":all:", "--progress-bar", "off", "-r"])
        .arg(&list)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(at(home))?;
    let errors = pip.stderr.take().map(|mut stderr| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            text
        })
    });
    let of = packages().count();
    let mut done = 0;
    let mut said = Vec::new();
    for line in pip.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        let line = line.map_err(at(home))?;
        if line.starts_with("Collecting ") {
            done += 1;
            tell(Progress::Fetching { done, of });
        } else if line.starts_with("Installing ") {
            tell(Progress::Unpacking);
        }
        said.extend_from_slice(line.as_bytes());
        said.push(b'\n');
    }
    let errors = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let status = pip.wait().map_err(at(home))?;
    if status.success() { Ok(()) } else { Err(Error::Pip(last_lines(&said, &errors))) }
}

/// Of pip's variables, those that say where packages come from and how to get there, for a registry or a certificate of a company's
/// own. The rest would install elsewhere, or more.
const PIP_MAY_KNOW: &[&str] = &[
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
    "PIP_USE_FEATURE",
];

fn is_none_of_its_business(variable: &str) -> bool {
    variable.starts_with("PIP_") && !PIP_MAY_KNOW.contains(&variable)
}

/// The environment's own interpreter.
#[must_use]
pub fn python(home: &Path) -> PathBuf {
    home.join("bin").join("python")
}

fn packages() -> impl Iterator<Item = &'static str> {
    REQUIREMENTS.lines().filter(|line| line.contains("==") && !line.starts_with('#'))
}

fn last_lines(stdout: &[u8], stderr: &[u8]) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(stdout), String::from_utf8_lossy(stderr));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines
        .iter()
        .skip(lines.len().saturating_sub(8))
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Files { path, source }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A stand-in for Python in `folder`: its pip does `pip` and writes a line to `folder/installs`.
    fn interpreter(folder: &Path, version: &str, pip: &str) -> String {
        let path = folder.join("python3").display().to_string();
        let script = r#"cat > "$1" <<END
#!/bin/sh
[ "\$1" = -I ] || exit 9
shift
case "\$1 \$2" in
"-c "*) echo VERSION; [ VERSION != 3.8 ];;
"-m venv") mkdir -p "\$3/bin" && cp "$1" "\$3/bin/python";;
"-m pip") echo once >> "FOLDER/installs"; PIP;;
esac
END
chmod +x "$1""#;
        let script = script.replace("VERSION", version).replace("FOLDER", &folder.display().to_string());
        let script = script.replace("PIP", pip);
        assert!(Command::new("sh").args(["-c", &script, "sh", &path]).status().unwrap().success());
        path
    }

    fn installs(folder: &Path) -> usize {
        fs::read_to_string(folder.join("installs")).unwrap_or_default().lines().count()
    }

    #[test]
    fn it_installs_once_however_many_ask_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let python =
            interpreter(folder.path(), "3.11", "echo Collecting a==1; echo Installing collected packages: a");
        let told = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let tell = |step| told.lock().unwrap().push(step);
                    assert!(install(folder.path(), &python, &tell).unwrap().join("bin/python").exists());
                });
            }
        });
        assert_eq!(installs(folder.path()), 1);
        let told = told.into_inner().unwrap();
        let of = packages().count();
        assert!(
            told.contains(&Progress::Fetching { done: 1, of }) && told.contains(&Progress::Unpacking),
            "{told:?}"
        );
    }

    #[test]
    fn only_the_pinned_files_are_installed_wherever_they_come_from() {
        let mut hashes = 0;
        for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
            match line.trim().trim_end_matches(" \\").strip_prefix("--hash=sha256:") {
                Some(hash) => hashes += usize::from(hash.len() == 64),
                None => {
                    assert!(line.contains("==") && line.ends_with(" \\"), "{line}: a version without a hash")
                }
            }
        }
        assert!(hashes > packages().count());
        for absent in ["docker==", "flask-cors=="] {
            assert!(!packages().any(|package| package.to_lowercase().starts_with(absent)), "{absent}");
        }
        let folder = tempfile::tempdir().unwrap();
        let pip = format!("echo \"\\$*\" > {}/asked", folder.path().display());
        install(folder.path(), &interpreter(folder.path(), "3.11", &pip), &|_| ()).unwrap();
        let asked = fs::read_to_string(folder.path().join("asked")).unwrap();
        assert!(asked.contains(" --require-hashes --only-binary :all: "), "{asked}");
        for name in ["PIP_TARGET", "PIP_USER", "PIP_REQUIREMENT", "PIP_PYTHON", "PIP_NO_BINARY"] {
            assert!(is_none_of_its_business(name), "{name}");
        }
        for name in ["PIP_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE", "HTTPS_PROXY", "PATH"] {
            assert!(!is_none_of_its_business(name), "{name}");
        }
    }

    #[test]
    fn a_broken_installation_is_told_and_tried_anew() {
        let folder = tempfile::tempdir().unwrap();
        let python = interpreter(folder.path(), "3.11", "echo no registry >&2; exit 1");
        for time in 1..=2 {
            let message = install(folder.path(), &python, &|_| ()).unwrap_err().to_string();
            assert!(message.contains("package registry") && message.ends_with("  no registry"), "{message}");
            assert_eq!(installs(folder.path()), time);
        }
    }

    #[test]
    fn a_missing_or_old_python_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = install(folder.path(), "/nowhere/python3", &|_| ()).unwrap_err().to_string();
        assert!(missing.contains("install Python 3.11 or newer"), "{missing}");
        let old = interpreter(folder.path(), "3.8", "true");
        let old = install(folder.path(), &old, &|_| ()).unwrap_err().to_string();
        assert_eq!(old, "python3 is 3.8, but the sandbox needs Python 3.11 or newer");
    }
}
