//! The account's whole state, kept and put back: what lets a test try many endings of one beginning.

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use crate::Error;
use crate::reply;
use crate::server::State;

/// A kept state. Moto's part stays in moto under a number and lives as long as its process does.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    moto: String,
    batch: Value,
}

pub(super) async fn take(state: &State) -> Result<Snapshot, Error> {
    let moto = ask(state, "snapshot").await?;
    Ok(Snapshot { moto, batch: state.batch.snapshot() })
}

pub(super) async fn restore(state: &State, snapshot: &Snapshot) -> Result<(), Error> {
    ask(state, &format!("restore/{}", snapshot.moto)).await?;
    state.batch.restore(snapshot.batch.clone()).map_err(|error| Error::Snapshot(error.to_string()))
}

pub(super) async fn reset(state: &State) -> Result<(), Error> {
    ask(state, "reset").await?;
    state.batch.reset();
    Ok(())
}

async fn ask(state: &State, what: &str) -> Result<String, Error> {
    let uri = format!("/batchwright/{what}");
    let request = Request::post(uri).body(reply::whole(Bytes::new()));
    let request = request.map_err(|error| Error::Snapshot(error.to_string()))?;
    let (status, body) = state.ask_moto(request).await.map_err(Error::Snapshot)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    if status.is_success() { Ok(text) } else { Err(Error::Snapshot(text)) }
}
