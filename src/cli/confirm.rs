//! The question before anything is written. It never lifts a guard.

use std::io::IsTerminal;

use super::{Error, Output, Result};

/// How the user agrees.
#[derive(Debug, Clone)]
pub enum Confirm {
    /// `--yes`: without a question.
    Given,
    /// By the word `yes`.
    Yes,
    /// By the environment's name; `given` is what `--confirm` said.
    Name {
        /// The name.
        name: String,
        /// What was said beforehand.
        given: Option<String>,
    },
}

impl Confirm {
    /// Asks, where that is possible; else says which flag it needed.
    pub async fn ask(&self, out: &Output) -> Result<()> {
        let (question, wanted, flag) = match self {
            Self::Given => return Ok(()),
            Self::Yes => {
                ("Apply this plan? Only `yes` is taken for yes: ".to_owned(), "yes", "--yes".to_owned())
            }
            Self::Name { name, given: Some(given) } if given == name => return Ok(()),
            Self::Name { name, given: Some(given) } => {
                return Err(Error::with_help(
                    format!("--confirm={given} is not the environment's name"),
                    format!("nothing was changed; to destroy {name}, say --confirm={name}"),
                ));
            }
            Self::Name { name, given: None } => {
                let question = format!("Destroy all this? Type the environment's name, {name}: ");
                (question, name.as_str(), format!("--confirm={name}"))
            }
        };
        if !std::io::stdin().is_terminal() {
            return Err(Error::with_help(
                "this needs a yes, and there is no terminal to ask on; nothing was changed",
                format!("add {flag}"),
            ));
        }
        out.ask(&question);
        // In a thread of its own: a signal is heard while the question is open.
        let answer = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await;
        match answer {
            Ok(Some(Ok(answer))) if answer.trim() == wanted => Ok(()),
            _ => Err(Error::Declined),
        }
    }
}
