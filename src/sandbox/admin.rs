//! The door for tests and tools in other processes: a few paths under `/_batchwright/` on the same port.

use std::time::Duration;

use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::faults::Faults;
use super::reply::{self, Body};
use super::server::State;

/// What every such path begins with.
pub const PREFIX: &str = "/_batchwright/";

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

/// Answers a request whose path, without the prefix, is `path`.
pub fn answer(state: &State, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    match (method.as_str(), path) {
        ("GET", "stats") => stats(state),
        ("POST", "reset-counters") => {
            state.recorder.reset();
            state.faults.rewind();
            done()
        }
        ("POST", "faults") => with(body, |faults: Faults| state.faults.set(faults)),
        ("POST", "latency") => with(body, |latency: Latency| {
            state.set_latency(Duration::from_secs_f64((latency.milliseconds / 1000.0).clamp(0.0, 60.0)));
        }),
        ("POST", "refuse-writes") => with(body, |asked: RefuseWrites| state.set_refuse_writes(asked.refuse)),
        _ => reply::json(
            StatusCode::NOT_FOUND,
            &json!({ "message": format!("there is no {method} {PREFIX}{path}") }),
        ),
    }
}

fn stats(state: &State) -> Response<Body> {
    let stats = state.recorder.stats();
    let value = json!({
        "count": stats.count(),
        "reads": stats.reads(),
        "writes": stats.writes(),
        "depth": stats.depth(),
        "maxParallel": stats.max_parallel(),
        "perAction": stats.per_action(),
        "calls": stats.calls,
    });
    reply::json(StatusCode::OK, &value)
}

fn with<T: serde::de::DeserializeOwned>(body: &[u8], apply: impl FnOnce(T)) -> Response<Body> {
    match serde_json::from_slice(body) {
        Ok(value) => {
            apply(value);
            done()
        }
        Err(error) => reply::json(StatusCode::BAD_REQUEST, &json!({ "message": error.to_string() })),
    }
}

fn done() -> Response<Body> {
    reply::json(StatusCode::OK, &json!({}))
}
