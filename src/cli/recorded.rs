//! A plan that a file records (`plan --out json=FILE`): its digests are read, and nothing else.

use std::path::Path;

use serde_json::Value;

use super::{Error, Result};
use crate::plan::review::{self, Recorded};
use crate::render::json::SCHEMA;
use crate::resource::NotAnId;

/// Reads the record.
pub fn recorded(file: &Path) -> Result<Recorded> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::plain(format!("failed to read {}: {error}", crate::outside::path(file))))?;
    read(&text).map_err(|why| {
        Error::with_help(
            format!("{} is no plan: {why}", crate::outside::path(file)),
            "write one with `batchwright plan ENV --out json=FILE`, and leave it as it is",
        )
    })
}

fn read(text: &str) -> std::result::Result<Recorded, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let records: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).map_err(|error| format!("a line holds no JSON ({error})")))
        .collect::<std::result::Result<_, String>>()?;
    let of =
        |kind: &str| -> Vec<&Value> { records.iter().filter(|record| record["type"] == *kind).collect() };
    match of("version").as_slice() {
        [version] if version["schema"] == SCHEMA => {}
        [version] => return Err(format!("its records have the version {}", version["schema"])),
        _ => return Err("it does not say its version".to_owned()),
    }
    let [summary] = of("change_summary")[..] else { return Err("it has no summary".to_owned()) };
    let said = |record: &Value, key: &str| -> std::result::Result<String, String> {
        record[key].as_str().map(str::to_owned).ok_or_else(|| format!("a record lacks {key:?}"))
    };
    let due = of("due").into_iter().filter(|due| due["digest"].is_string());
    let changes = of("planned_change").into_iter().chain(due).map(|change| {
        let id = said(change, "resource")?.parse().map_err(|error: NotAnId| error.to_string())?;
        Ok((id, said(change, "digest")?))
    });
    Ok(Recorded {
        reviewed: said(summary, "reviewed")?.parse().map_err(|error: review::Error| error.to_string())?,
        fingerprint: said(summary, "fingerprint")?,
        digests: changes.collect::<std::result::Result<_, String>>()?,
    })
}
