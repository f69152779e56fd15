//! The admin door's paths for what tests do to a sandbox in another process.

use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Faults;
use super::snapshot::{self, Snapshot};
use crate::admin::with;
use crate::server::State;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Latency {
    milliseconds: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefuseWrites {
    refuse: bool,
}

/// Answers a request whose path, without the prefix, is `path`; nothing, if it is none of these.
pub async fn answer(
    state: &State,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Option<Result<Value, String>> {
    if method != Method::POST {
        return None;
    }
    Some(match path {
        "faults" => with(body, |faults: Faults| state.faults.judge.set(faults)),
        "latency" => with(body, |latency: Latency| {
            let seconds = (latency.milliseconds / 1000.0).clamp(0.0, 60.0);
            state.faults.set_latency(Duration::from_secs_f64(seconds));
        }),
        "refuse-writes" => with(body, |asked: RefuseWrites| state.faults.set_refuse_writes(asked.refuse)),
        "snapshot" => match snapshot::take(state).await {
            Ok(snapshot) => serde_json::to_value(snapshot).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        },
        "restore" => match serde_json::from_slice::<Snapshot>(body) {
            Ok(kept) => done(snapshot::restore(state, &kept).await),
            Err(error) => Err(error.to_string()),
        },
        "reset" => done(snapshot::reset(state).await),
        _ => return None,
    })
}

fn done(result: Result<(), crate::Error>) -> Result<Value, String> {
    result.map(|()| json!({})).map_err(|error| error.to_string())
}
