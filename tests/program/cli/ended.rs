//! How a command ends that is told to stop, or whose words nobody takes.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{LOGS, folder, program, ran};

#[test]
fn a_signal_ends_with_6_what_has_only_read() {
    let folder = folder(LOGS);
    // It takes calls and answers none.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    for (command, signal) in
        [("plan", Signal::INT), ("drift", Signal::TERM), ("status", Signal::INT), ("apply", Signal::TERM)]
    {
        let mut command = program(folder.path(), &[command, "dev", "--endpoint-url", &endpoint]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _held = silent.accept().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(6), "error: interrupted\n"), "{command:?}");
    }
}

#[test]
fn what_can_not_be_written_is_an_error_and_a_reader_that_went_away_is_none() {
    let folder = folder(LOGS);
    for args in
        [&["schema"][..], &["explain"], &["validate", "dev"], &["validate", "dev", "--json"], &["--help"]]
    {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let lost = ran(program(folder.path(), args).stdout(full).output().unwrap());
        assert_eq!(lost.code, Some(1), "{args:?}");
        assert!(lost.err.starts_with("error: failed to write to stdout: "), "{args:?}: {}", lost.err);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let unheard = ran(program(folder.path(), args).stdout(writer).output().unwrap());
        assert_eq!((unheard.code, unheard.err.as_str()), (Some(0), ""), "{args:?}");
    }
}

/// Waits for the question on a terminal, and types Ctrl-C.
const AT_THE_QUESTION: &str = r#"
import os, pty, sys
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
said = b""
while b"is taken for yes: " not in said:
    said += os.read(terminal, 4096)
os.write(terminal, b"\x03")
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// A part of the story on a sandbox.
pub fn nothing_is_applied_that_nobody_saw_or_agreed_to(here: &Path, endpoint: &str) {
    let apply = ["apply", "dev", "--sandbox"];
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut unseen = program(here, &apply);
    let unseen = unseen.arg("--yes").env("BATCHWRIGHT_SANDBOX", endpoint).stdout(full).output().unwrap();
    let unseen = ran(unseen);
    assert_eq!(unseen.code, Some(1), "{}", unseen.err);
    assert_eq!(unseen.err, "error: failed to write to stdout: No space left on device (os error 28)\n");

    // A shell closes it; what is called has none.
    let mut closed = Command::new("sh");
    closed.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_batchwright")]).args(apply).arg("--yes");
    closed.env("BATCHWRIGHT_SANDBOX", endpoint).env("NO_COLOR", "1").current_dir(here);
    let closed = ran(closed.output().unwrap());
    assert_eq!(closed.code, Some(1), "{}", closed.err);
    assert!(closed.err.starts_with("error: stdout is closed: "), "{}", closed.err);

    let mut asked = Command::new("python3");
    asked.args(["-c", AT_THE_QUESTION, env!("CARGO_BIN_EXE_batchwright")]).args(apply).current_dir(here);
    asked.env("BATCHWRIGHT_SANDBOX", endpoint).env("NO_COLOR", "1").env_remove("AWS_PROFILE");
    let asked = ran(asked.output().unwrap());
    assert_eq!(asked.out, "6\n", "{}", asked.err);
}
