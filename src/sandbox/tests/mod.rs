//! What the sandbox does, seen through the real SDKs over HTTP.

mod batch;
mod documents;
mod door;
mod ec2;
mod ecr;
mod groups;
mod iam;
mod limits;
mod logs;
mod networks;
mod placement;
mod s3;
mod server;
mod tagging;

use super::{Options, Sandbox};

/// A sandbox with an account of its own.
async fn sandbox() -> Sandbox {
    Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap()
}

/// Lets tasks of ECS take on a role.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
