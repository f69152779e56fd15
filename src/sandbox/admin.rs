//! The door for tests and tools in other processes: a few paths under `/_batchwright/` on the same port.

use std::path::PathBuf;
use std::time::Duration;

use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::reply::{self, Body};
use super::server::State;

/// What every such path begins with.
pub const PREFIX: &str = "/_batchwright/";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settings {
    transition_milliseconds: Option<u64>,
    job_step_milliseconds: Option<u64>,
    relationship_lag: Option<u32>,
    updating_looks: Option<u32>,
    role_propagation_milliseconds: Option<u64>,
    first_clusters: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Image {
    image: String,
    program: PathBuf,
    #[serde(default)]
    args: Vec<String>,
}

/// Answers a request whose path, without the prefix, is `path`.
pub async fn answer(state: &State, method: &Method, path: &str, body: &[u8]) -> Response<Body> {
    let answer = match (method.as_str(), path) {
        ("GET", "stats") => Ok(stats(state)),
        ("GET", "queue-history") => {
            serde_json::to_value(state.batch.queue_history()).map_err(|it| it.to_string())
        }
        ("POST", "reset-counters") => {
            state.recorder.reset();
            #[cfg(feature = "faults")]
            state.faults.judge.rewind();
            Ok(json!({}))
        }
        ("POST", "settings") => with(body, |settings: Settings| change(state, &settings)),
        ("POST", "images") => with(body, |it: Image| state.batch.map_image(&it.image, it.program, it.args)),
        #[cfg(feature = "faults")]
        _ => match super::faults::admin::answer(state, method, path, body).await {
            Some(answer) => answer,
            None => Err(format!("there is no {method} {PREFIX}{path}")),
        },
        #[cfg(not(feature = "faults"))]
        _ => Err(format!("there is no {method} {PREFIX}{path}")),
    };
    match answer {
        Ok(value) => reply::json(StatusCode::OK, &value),
        Err(message) => reply::json(StatusCode::BAD_REQUEST, &json!({ "message": message })),
    }
}

fn stats(state: &State) -> Value {
    let stats = state.recorder.stats();
    json!({
        "count": stats.count(),
        "reads": stats.reads(),
        "writes": stats.writes(),
        "depth": stats.depth(),
        "maxParallel": stats.max_parallel(),
        "perAction": stats.per_action(),
        "calls": stats.calls,
    })
}

fn change(state: &State, asked: &Settings) {
    let mut settings = state.batch.settings();
    let milliseconds = |asked: Option<u64>, now: Duration| asked.map_or(now, Duration::from_millis);
    settings.transition = milliseconds(asked.transition_milliseconds, settings.transition);
    settings.job_step = milliseconds(asked.job_step_milliseconds, settings.job_step);
    settings.role_propagation = milliseconds(asked.role_propagation_milliseconds, settings.role_propagation);
    settings.relationship_lag = asked.relationship_lag.unwrap_or(settings.relationship_lag);
    settings.first_clusters = asked.first_clusters.unwrap_or(settings.first_clusters);
    settings.updating_looks = asked.updating_looks.unwrap_or(settings.updating_looks);
    state.batch.set_settings(settings);
}

/// Does what a body asks for.
pub fn with<T: serde::de::DeserializeOwned>(body: &[u8], apply: impl FnOnce(T)) -> Result<Value, String> {
    let asked = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    apply(asked);
    Ok(json!({}))
}
