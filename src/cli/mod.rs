//! The command line: one file per command, each with its `Args` (doc comments are the help) and `run`.
//!
//! A new command is a file, its `mod` line, and its line in [`commands!`] below. stdout is data, stderr is talk; nothing
//! outside this module prints ([`output`]). Every error becomes an exit code in one place ([`exit`]).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod adopt;
mod apply;
mod bootstrap;
mod confirm;
mod connect;
mod demo;
mod destroy;
mod drift;
mod error;
mod exit;
mod explain;
mod github;
mod hold;
mod logs;
mod news;
mod output;
mod outputs;
mod permissions;
mod plan;
mod profile;
mod recorded;
mod run;
mod sandbox;
mod schema;
mod session;
mod signals;
mod status;
mod submit;
mod validate;
mod watch;

pub use connect::Connection;
pub use error::{Error, Result};
pub use exit::Exit;
pub use output::{Colour, Output};
pub use session::{Choices, Session};

/// Keeps AWS Batch stacks as their manifests say: exact plans, safe applies, drift reports. No state file.
#[derive(Debug, Parser)]
#[command(name = "batchwright", version, after_help = exit::TABLE, max_term_width = 110)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Globals {
    /// The folder that holds `stacks` and the environments
    #[arg(long, global = true, value_name = "DIR", default_value = "manifests")]
    pub manifests: PathBuf,
    /// Reporter to this endpoint in place of AWS's own; on loopback, dummy credentials are sent where you have none
    #[arg(long, global = true, value_name = "URL", conflicts_with = "sandbox")]
    pub endpoint_url: Option<String>,
    /// Run against an AWS on this machine, made for this one command; no account is needed
    ///
    /// Where BATCHWRIGHT_SANDBOX names one that runs already (as `batchwright sandbox` prints it), that one is used.
    #[arg(long, global = true)]
    pub sandbox: bool,
    /// When to colour: auto looks at the terminal, NO_COLOR and GitHub Actions
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Colour,
    /// Log to stderr: error, warn, info, debug, trace, or a filter such as `batchwright=debug`; of the AWS SDK nothing beyond
    /// info, because its traces hold whole requests
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
}

/// One line per command: its name, and the file that holds it.
macro_rules! commands {
    ($($name:ident => $module:ident,)*) => {
        #[derive(Debug, Subcommand)]
        enum Command { $($name($module::Args),)* }

        impl Command {
            async fn run(self, globals: &Globals, out: &Output) -> Result<Exit> {
                match self { $(Self::$name(args) => $module::run(args, globals, out).await,)* }
            }
        }
    };
}

commands! {
    Validate => validate,
    Plan => plan,
    Apply => apply,
    Drift => drift,
    Destroy => destroy,
    Status => status,
    Outputs => outputs,
    Hold => hold,
    Adopt => adopt,
    Submit => submit,
    Logs => logs,
    Watch => watch,
    Schema => schema,
    Explain => explain,
    Github => github,
    Permissions => permissions,
    Bootstrap => bootstrap,
    Sandbox => sandbox,
    Demo => demo,
}

/// As much as a program's first thread has.
const STACK: usize = 8 * 1024 * 1024;

/// Parses the arguments, runs the command, and answers the exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Clap's own code for a usage error is 2, which here means "something differs" (D27).
            let code = if error.use_stderr() { Exit::Error } else { Exit::Success };
            return match error.print().or_else(output::unheard) {
                Ok(()) => code.into(),
                Err(why) => Output::new(Colour::Auto).error(&output::lost(&why)).into(),
            };
        }
    };
    let out = Output::new(cli.globals.color);
    if let Err(error) = output::log(cli.globals.log.as_deref(), &out) {
        return out.error(&error).into();
    }
    ended(cli, out)
        .unwrap_or_else(|error| out.error(&Error::plain(format!("failed to start: {error}"))))
        .into()
}

/// Runs the command to its end, or to where it hears no signal.
fn ended(cli: Cli, out: Output) -> std::io::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whatever the other one's threads are stuck in, this one hears signals.
    let first = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = first.block_on(async { signals::Signals::new() });
    let (done, ended) = tokio::sync::oneshot::channel();
    let handle = runtime.handle().clone();
    // In a thread of its own, so that one that computes or is stuck in a write can be left where it is; what it ends with is
    // written there as well.
    std::thread::Builder::new().name("command".to_owned()).stack_size(STACK).spawn(move || {
        let exit = handle.block_on(signals::ending(cli.command.run(&cli.globals, &out)));
        let _ = done.send(out.ended(exit));
    })?;
    let exit = first.block_on(signals::unless_deaf(signals, ended));
    // What still runs in the background has nothing left to say.
    runtime.shutdown_background();
    Ok(match exit {
        Some(Ok(exit)) => exit,
        Some(Err(error)) => out.error(&error),
        None => out.error_if_taken(Error::Interrupted),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Whether the words are a command, with something that is right in each place that is filled in.
    fn is_command(words: &str) -> bool {
        ["dev", "iam/Role/job", "0123456789abcdef0123456789abcdef"].iter().any(|filling| {
            let mut text = String::new();
            let mut rest = words;
            while let Some((before, after)) = rest.split_once('{') {
                // The environment comes first, whatever the rest is.
                text += before;
                text += if text.split_whitespace().count() < 3 { "dev" } else { filling };
                rest = after.split_once('}').map_or("", |(_, rest)| rest);
            }
            text += rest;
            let text = text.replace("ENV", "dev").replace("<kind>", "batch/JobQueue");
            match Cli::try_parse_from(text.split_whitespace()) {
                Ok(_) => true,
                Err(error) => !error.use_stderr(),
            }
        })
    }

    #[test]
    fn every_command_that_a_message_tells_works_as_it_is_told() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        let (mut wrong, mut seen) = (Vec::new(), 0);
        for (path, text) in files {
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for part in line.split('`').filter(|part| part.starts_with("batchwright ")) {
                    seen += 1;
                    if !is_command(part) {
                        wrong.push(format!("{path}: {part}"));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(seen > 12, "{seen}");
        assert!(!is_command("batchwright plan") && !is_command("batchwright plain dev"));
    }
}
