//! Parse, run, exit code. Or stand between a sandbox and a job, if the sandbox asks for that.

use std::process::ExitCode;

fn main() -> ExitCode {
    batchwright::sandbox::keeper::asked().unwrap_or_else(batchwright::cli::main)
}
