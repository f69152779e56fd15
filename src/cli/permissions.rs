//! `permissions`: the IAM policies that an environment needs. Calls nothing.

use serde_json::{Value, json};

use super::{Choices, Exit, Globals, Output, Result};
use crate::permissions::{For, MANAGED, ROLE, document, size, split};
use crate::render::json as records;

/// Prints the IAM policies that exactly this environment needs; nothing is called
///
/// It allows what is declared now, and to delete every kind under the environment's prefix or owner tag. Plan first, then extend the role, then apply, when a manifest brings a new kind. What is more than IAM takes in one managed policy is printed as several documents, one after another: all of them together are the policy.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// Who needs it: plan reads, apply reads and writes, push publishes images, submit runs jobs
    #[arg(long = "for", value_name = "PURPOSE")]
    purpose: Purpose,
    /// One JSON record a line: a version, then each document with its size
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Purpose {
    Plan,
    Apply,
    Push,
    Submit,
}

/// Runs `permissions`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let desired = out.diagnosed(args.choices.load(globals), args.json)?;
    let purpose = match args.purpose {
        Purpose::Plan => For::Plan,
        Purpose::Apply => For::Apply,
        Purpose::Push => For::Push,
        Purpose::Submit => For::Submit,
    };
    let documents = split(&document(&desired, purpose), MANAGED);
    if args.json {
        out.record(records::version());
        for (at, document) in documents.iter().enumerate() {
            out.record(json!({
                "@level": "info", "type": "policy", "part": at + 1, "parts": documents.len(),
                "characters": size(document), "document": document,
            }));
        }
    } else {
        documents.iter().for_each(|document| out.data(&format!("{document:#}\n")));
        out.talk(&sizes(&documents));
    }
    Ok(Exit::Success)
}

/// How large the documents are, and what IAM takes where.
fn sizes(documents: &[Value]) -> String {
    let sizes: Vec<usize> = documents.iter().map(size).collect();
    let sum: usize = sizes.iter().sum();
    let each = sizes.iter().map(|it| counted(*it)).collect::<Vec<_>>().join(", ");
    let limits = format!(
        "IAM takes {} in a managed policy, and {} in all inline policies of a role together",
        counted(MANAGED),
        counted(ROLE)
    );
    match documents.len() {
        1 => format!("{each} characters without white space: one policy. {limits}."),
        count => {
            let inline = match sum <= ROLE {
                true => "or put them all into the role as inline policies",
                false => "they are too large for a role's inline policies",
            };
            format!(
                "{count} documents of {each} characters without white space. {limits}: make a managed policy of each and attach all of them; {inline}."
            )
        }
    }
}

/// A number with its thousands told apart.
fn counted(number: usize) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
