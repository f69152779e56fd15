//! Pages: `maxResults` and `nextToken`, honoured by every listing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::error::{Result, invalid};
use super::request::{Fields, Object};

/// The most a page holds, and what it holds when nothing is asked for.
const LARGEST: usize = 100;

/// Cuts the asked-for page out of `items` and answers it under `name`.
///
/// The token holds the key of the last item shown, so that a page is right even if others come or go between calls.
pub(super) fn page(request: &Object, name: &str, items: Vec<(String, Value)>) -> Result<Value> {
    let size = match request.integer("maxResults")? {
        None => LARGEST,
        Some(size @ 1..=100) => usize::try_from(size).unwrap_or(LARGEST),
        Some(size) => invalid!("maxResults must be between 1 and 100, got {size}."),
    };
    let after = request.text("nextToken")?.map(decode).transpose()?;
    let mut rest =
        items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).peekable();
    let shown: Vec<(String, Value)> = rest.by_ref().take(size).collect();
    let token = rest.peek().and(shown.last()).map(|(key, _)| STANDARD.encode(key));
    let shown: Vec<Value> = shown.into_iter().map(|(_, value)| value).collect();
    Ok(match token {
        Some(token) => json!({ name: shown, "nextToken": token }),
        None => json!({ name: shown }),
    })
}

fn decode(token: &str) -> Result<String> {
    match STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(key) => Ok(key),
        None => invalid!("nextToken is not valid."),
    }
}
