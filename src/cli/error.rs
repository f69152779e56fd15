//! Why a command could not do what it was asked, in words for its user.

use std::fmt::Write;
use std::path::PathBuf;

use crate::outside::line as plain;
use crate::render::{Paint, hint};
use crate::value::existing::Unfound;
use crate::{jobs, sandbox, services};
use crate::{manifest, outside};

/// The result of a command.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifests are wrong.
    #[error(transparent)]
    Manifests(#[from] manifest::Errors),
    /// The credentials belong to another account.
    #[error(
        "the credentials belong to account {actual} ({identity}), but {environment} lives in account {expected}"
    )]
    Account {
        /// The environment's name.
        environment: String,
        /// The account that it names.
        expected: String,
        /// The account of the credentials.
        actual: String,
        /// Whose credentials they are.
        identity: String,
    },
    /// The shell names another region.
    #[error("AWS_REGION is {actual}, but the environment lives in {expected}")]
    Region {
        /// The region that the environment names.
        expected: String,
        /// The region that the shell names.
        actual: String,
    },
    /// No credentials could be had.
    #[error("no AWS credentials were found: {why}")]
    Credentials {
        /// The whole chain of causes.
        why: String,
    },
    /// The profile that AWS_PROFILE names gives no credentials.
    #[error("{message}")]
    Profile {
        /// Why.
        message: String,
        /// What to do.
        help: Vec<String>,
    },
    /// A call to AWS failed.
    #[error("failed to {doing}: {error}")]
    Aws {
        /// What was being done.
        doing: String,
        /// What AWS answered.
        error: services::Error,
    },
    /// The sandbox could not be started.
    #[error("failed to start the sandbox: {0}")]
    Sandbox(#[from] sandbox::Error),
    /// What the environment looks up is not there, or is several.
    #[error("{}", .0.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; "))]
    Unfound(Vec<Unfound>),
    /// Guards refuse the plan, which has been printed with its objections.
    #[error("refused: {objections} objection{s} to this plan; nothing was changed", s = if *.objections == 1 { "" } else { "s" })]
    Refused {
        /// How many.
        objections: usize,
    },
    /// AWS or the manifests moved since the plan was shown.
    #[error("stale: what would be done now is not what was shown; nothing was changed")]
    Stale,
    /// The plan is not what was reviewed; it has been printed, and in what it differs.
    #[error("stale: {differences} difference{s} from what was reviewed; nothing was changed", s = if *.differences == 1 { "" } else { "s" })]
    NotReviewed {
        /// How many.
        differences: usize,
    },
    /// Nobody reviewed what is to be applied.
    #[error("nothing that was reviewed was found: {why}; nothing was changed")]
    Unreviewed {
        /// Where it was looked for.
        why: String,
    },
    /// The branch has a later commit, whose run does the work.
    #[error("superseded: {why}; nothing was changed")]
    Superseded {
        /// What the branch ends with, and what comes next.
        why: String,
        /// Whether a run of that commit is on its way.
        covered: bool,
    },
    /// The user said no.
    #[error("declined; nothing was changed")]
    Declined,
    /// A signal came before anything was written.
    #[error("interrupted")]
    Interrupted,
    /// Anything else, with what to do about it.
    #[error("{message}")]
    Plain {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

impl Error {
    /// An error that needs no help.
    pub fn plain(message: impl Into<String>) -> Self {
        Self::Plain { message: message.into(), help: None }
    }

    /// An error, and what to do about it.
    pub fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Plain { message: message.into(), help: Some(help.into()) }
    }

    /// A call that failed while something was done.
    pub fn aws(doing: impl Into<String>) -> impl FnOnce(services::Error) -> Self {
        move |error| Self::Aws { doing: doing.into(), error }
    }

    /// A file that could not be written.
    pub fn file(path: PathBuf) -> impl FnOnce(std::io::Error) -> Self {
        move |error| Self::plain(format!("failed to write {}: {error}", outside::path(&path)))
    }

    /// The text for stderr.
    pub fn render(&self, paint: Paint) -> String {
        if let Self::Manifests(errors) = self {
            return errors.render(paint.on());
        }
        if let Self::Unfound(all) = self {
            let one = |it: &Unfound| {
                let (error, help) = (paint.bad("error"), paint.note("help"));
                format!(
                    "{error}: {}\n --> {}\n  = {help}: {}\n",
                    plain(&it.message),
                    it.position,
                    plain(&it.help)
                )
            };
            return all.iter().map(one).collect::<Vec<_>>().join("\n");
        }
        let mut text = format!("{}: {self}\n", paint.bad("error"));
        for help in self.help() {
            let _ = writeln!(text, "  = {}: {help}", paint.note("help"));
        }
        text
    }

    /// What to do next.
    pub fn help(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::Account { expected, .. } => vec![format!(
                "use credentials of account {expected} (AWS_PROFILE, AWS_ACCESS_KEY_ID, `aws sso login`), or name another environment"
            )],
            Self::Region { expected, .. } => {
                vec![format!("unset AWS_REGION, set it to {expected}, or name another environment")]
            }
            Self::Credentials { .. } => one(
                "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; `--sandbox` needs none",
            ),
            Self::Profile { help, .. } => help.clone(),
            Self::Aws { error, .. } => hint(error.code.as_deref(), &error.message).into_iter().collect(),
            Self::NotReviewed { .. } => {
                one("review the plan above; `--expect` with its fingerprint then applies it and nothing else")
            }
            Self::Stale => one("look at the new plan with `batchwright plan ENV`, then apply again"),
            Self::Unreviewed { .. } => one(
                "look at `batchwright plan ENV`, and start the deployment by hand with what it prints as reviewed",
            ),
            Self::Plain { help, .. } => help.iter().cloned().collect(),
            _ => Vec::new(),
        }
    }
}

impl From<jobs::Error> for Error {
    fn from(error: jobs::Error) -> Self {
        match error {
            jobs::Error::Call(error) => Self::aws("ask AWS Batch about the job")(*error),
            other => Self::plain(format!("failed to {other}")),
        }
    }
}
