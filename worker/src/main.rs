//! The batch worker: parse, run, exit code.

fn main() -> std::process::ExitCode {
    batchwright_worker::cli::main()
}
