//! What Batch has tagged, told to the tagging API, which moto serves and knows nothing of our Batch.

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::batch::Batch;
use super::request::Target;

/// The request's body with all tags of Batch in it, under a name that only our correction in moto reads.
///
/// Changes to Batch's own tags are made here; their ARNs are taken out of what moto is asked to change.
pub async fn with_batch(batch: &Batch, target: &Target, body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut request)) = serde_json::from_slice(body) else { return body.clone() };
    if target.write {
        let arns = request.get("ResourceARNList").and_then(Value::as_array).cloned().unwrap_or_default();
        let (ours, others): (Vec<Value>, Vec<Value>) = arns.into_iter().partition(is_batch);
        for arn in ours.iter().filter_map(Value::as_str) {
            change(batch, &target.action, arn, &request).await;
        }
        request.insert("ResourceARNList".to_owned(), Value::Array(others));
    }
    request.insert("batchwright".to_owned(), json!(batch.tagged()));
    Value::Object(request).to_string().into()
}

fn is_batch(arn: &Value) -> bool {
    arn.as_str().and_then(|arn| arn.split(':').nth(2)) == Some("batch")
}

async fn change(batch: &Batch, action: &str, arn: &str, request: &serde_json::Map<String, Value>) {
    let path = format!("/v1/tags/{arn}");
    if action == "TagResources" {
        let body = json!({ "tags": request.get("Tags") }).to_string();
        batch.handle(&Method::POST, &path, body.as_bytes()).await;
    } else {
        let keys =
            request.get("TagKeys").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let query: Vec<String> = keys.map(|key| format!("tagKeys={}", encoded(key))).collect();
        batch.handle(&Method::DELETE, &format!("{path}?{}", query.join("&")), b"").await;
    }
}

fn encoded(key: &str) -> percent_encoding::PercentEncode<'_> {
    percent_encoding::utf8_percent_encode(key, percent_encoding::NON_ALPHANUMERIC)
}
