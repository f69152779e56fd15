//! Multipart uploads.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::{Bucket, Shared, error};

type Asked = (Path<(String, String)>, Query<BTreeMap<String, String>>);

/// Begins an upload, or completes one.
pub async fn post(State(bucket): Shared, (Path((name, key)), Query(query)): Asked) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let path = format!("{name}/{key}");
    let Some(id) = query.get("uploadId") else {
        bucket.asked.push(format!("CREATE {path}"));
        bucket.uploads.insert(path.clone(), BTreeMap::new());
        return format!(
            "<InitiateMultipartUploadResult><UploadId>{path}</UploadId></InitiateMultipartUploadResult>"
        )
        .into_response();
    };
    bucket.asked.push(format!("COMPLETE {path}"));
    if let Some(("COMPLETE", status, code)) = bucket.fault {
        return error(status, code);
    }
    let parts = bucket.uploads.remove(id).unwrap();
    let whole: Vec<u8> = parts.values().flat_map(|part| part.iter().copied()).collect();
    bucket.objects.insert(path, whole.into());
    "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>".into_response()
}

/// Takes a part.
pub fn part(bucket: &mut Bucket, id: &str, number: u32, body: Bytes) -> Response {
    bucket.asked.push(format!("PART {id} {}", body.len()));
    if let Some(("PART", status, code)) = bucket.fault {
        return error(status, code);
    }
    let Some(parts) = bucket.uploads.get_mut(id) else { return error(404, "NoSuchUpload") };
    parts.insert(number, body);
    (StatusCode::OK, [("etag", format!("\"{number}\""))]).into_response()
}

/// Forgets an upload, or an object.
pub async fn delete(State(bucket): Shared, (Path((name, key)), Query(query)): Asked) -> Response {
    let mut bucket = bucket.lock().unwrap();
    let path = format!("{name}/{key}");
    if let Some(id) = query.get("uploadId") {
        bucket.asked.push(format!("ABORT {path}"));
        bucket.uploads.remove(id).unwrap();
    } else {
        bucket.asked.push(format!("DELETE {path}"));
        if let Some(("DELETE", status, code)) = bucket.fault {
            return error(status, code);
        }
        bucket.objects.remove(&path);
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The content of chunks with their sizes before them and checksums behind.
pub fn unchunked(body: &Bytes) -> Bytes {
    let mut whole = Vec::new();
    let mut rest = &body[..];
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..end]).unwrap().split(';').next().unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole.into();
        }
        whole.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 2 + size + 2..];
    }
}
