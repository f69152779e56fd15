//! `sandbox`: an AWS to try things on, kept running.

use super::{Choices, Exit, Globals, Output, Result, signals};
use crate::sandbox::{Options, Progress, Sandbox, keeper};

/// Keeps an AWS on this machine running and prints the variables that point to it; Ctrl-C ends it and leaves nothing
///
/// The keys are new each time, and nobody gets in without them: whoever has them runs programs as you.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Answer as this environment's account and region
    #[arg(value_name = "ENV")]
    environment: Option<String>,
    /// The port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Runs `sandbox`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let mut options = Options { port: args.port, ..Options::default().kept() };
    if let Some(environment) = args.environment {
        let place = Choices::of(environment).load(globals)?.place;
        (options.account, options.region) = (place.account, place.region);
    }
    let mut tell = |step: Progress| out.talk(&step.to_string());
    // A signal while moto is fetched or started ends that too.
    let sandbox = tokio::select! {
        sandbox = Sandbox::start(options, &mut tell) => sandbox?,
        () = signals::once() => return Ok(Exit::Interrupted),
    };
    let mut text = String::new();
    for (name, value) in sandbox.environment() {
        text += &format!("export {name}={value}\n");
    }
    text += &format!("export BATCHWRIGHT_SANDBOX={}\n", sandbox.invitation());
    text += &format!("export BATCHWRIGHT_SANDBOX_TOKEN={}\n", sandbox.token());
    out.data(&text);
    out.talk(&format!("account {}; Ctrl-C ends it", sandbox.account()));
    if !keeper::KEEPS_ALL {
        out.talk("on this system a process outlives its job if it leaves the job's process group (setsid)");
    }
    signals::once().await;
    sandbox.stop().await;
    Ok(Exit::Success)
}
