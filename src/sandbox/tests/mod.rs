//! What the sandbox does, seen through the real SDKs over HTTP.

mod server;

use super::{Options, Sandbox};

/// A sandbox with an account of its own.
async fn sandbox() -> Sandbox {
    Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap()
}
