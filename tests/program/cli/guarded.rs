//! What a sandbox of one's own never hears, and never reads: credentials, and modules of the current folder.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::{LOGS, folder, on_sandbox, program, ran, write};

/// Somebody else may listen by now where a sandbox did.
#[test]
fn whoever_listens_in_place_of_a_sandbox_hears_no_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://AKIAOLD:no-longer-right@{}", listener.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let (mut caller, _) = listener.accept().unwrap();
        while !heard.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut part = [0; 4096];
            let read = caller.read(&mut part).unwrap();
            assert!(read > 0, "the request has a head");
            heard.extend_from_slice(&part[..read]);
        }
        caller
            .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&heard).into_owned()
    });
    let folder = folder(LOGS);
    let mut command = program(folder.path(), &["plan", "dev", "--sandbox"]);
    command
        .env("BATCHWRIGHT_SANDBOX", &url)
        .env("AWS_ACCESS_KEY_ID", "AKIAREAL")
        .env("AWS_MAX_ATTEMPTS", "1");
    command.env("AWS_SECRET_ACCESS_KEY", "real").env("AWS_SESSION_TOKEN", "REAL-SESSION-TOKEN");
    assert_ne!(ran(command.output().unwrap()).code, Some(0));
    let heard = heard.join().unwrap();
    assert!(heard.contains("authorization"), "{heard}");
    let secrets = ["AKIAREAL", "REAL-SESSION-TOKEN", "no-longer-right"];
    assert!(!secrets.iter().any(|secret| heard.contains(secret)), "{heard}");
}

#[test]
fn a_sandbox_on_another_machine_is_refused() {
    let folder = folder(LOGS);
    let refused = on_sandbox("http://A:hush@10.0.0.1:4566", folder.path(), &["plan", "dev"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("http://10.0.0.1:4566, which is not this machine"), "{}", refused.err);
    assert!(
        refused.err.contains("set BATCHWRIGHT_SANDBOX to what `batchwright sandbox` printed"),
        "{}",
        refused.err
    );
    let keyless = on_sandbox("http://hush:127.0.0.1:4566", folder.path(), &["plan", "dev"]);
    assert_eq!(keyless.code, Some(1));
    assert!(keyless.err.contains("is not an address with a key"), "{}", keyless.err);
    assert!(![refused.err, keyless.err].concat().contains("hush"), "a secret shows");
}

/// A file that is called like a module of Python's is no module of the sandbox's.
#[test]
fn the_sandbox_reads_no_python_of_the_current_folder() {
    let folder = folder(LOGS);
    for module in ["json.py", "xmltodict/__init__.py", "sitecustomize.py"] {
        write(folder.path(), module, "open(__file__ + '.was-read', 'w').close()\n");
    }
    let mut command = program(folder.path(), &["plan", "dev", "--sandbox"]);
    let planned =
        ran(command.env("PYTHONPATH", folder.path()).env_remove("BATCHWRIGHT_SANDBOX").output().unwrap());
    assert_eq!(planned.code, Some(0), "{}", planned.err);
    let read = |module: &str| folder.path().join(format!("{module}.was-read")).exists();
    assert!(!read("json.py") && !read("xmltodict/__init__.py") && !read("sitecustomize.py"));
}
