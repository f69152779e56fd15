//! Errors in each protocol's own form, as the SDKs expect to read them.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};

use super::request::{Protocol, Target};

/// What a body can fail with on its way through.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// Any answer's body, whole or streamed.
pub type Body = BoxBody<Bytes, BodyError>;

/// A body that is all there.
pub fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// An answer in JSON.
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    with_type(status, "application/json", value.to_string())
}

/// The answer to a call that moto doesn't implement or fell over: loud, and not worth a retry.
pub fn unserved(target: &Target, because: &str) -> Response<Body> {
    let message = format!("the sandbox does not serve {}:{} ({because})", target.service, target.action);
    tracing::warn!("{message}");
    error(target.protocol, StatusCode::NOT_IMPLEMENTED, "SandboxDoesNotServe", &message)
}

/// An error with a code and a message.
pub fn error(protocol: Protocol, status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let id = uuid::Uuid::new_v4();
    let side = if status.is_server_error() { "Receiver" } else { "Sender" };
    let text = escaped(message);
    let mut response = match protocol {
        Protocol::Ec2 => with_type(
            status,
            "text/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{text}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
            ),
        ),
        Protocol::Query => with_type(
            status,
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
            ),
        ),
        Protocol::RestXml => with_type(
            status,
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{text}</Message><RequestId>{id}</RequestId></Error>"
            ),
        ),
        Protocol::Json => with_type(
            status,
            "application/x-amz-json-1.1",
            serde_json::json!({ "__type": code, "message": message }).to_string(),
        ),
        Protocol::RestJson => json(status, &serde_json::json!({ "message": message })),
        Protocol::Cbor => {
            let mut response =
                with_type(status, "application/cbor", cbor(&[("__type", code), ("message", message)]));
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            response
        }
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        headers.insert("x-amzn-requestid", id.clone());
        headers.insert("x-amz-request-id", id);
    }
    if let (Protocol::Json | Protocol::RestJson, Ok(code)) = (protocol, HeaderValue::from_str(code)) {
        headers.insert("x-amzn-errortype", code);
    }
    response
}

fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A map of short texts in CBOR: all that an error needs of it.
fn cbor(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![0xbf];
    for text in entries.iter().flat_map(|(key, value)| [key, value]) {
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.push(0x79);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend(text.bytes().take(usize::from(length)));
    }
    bytes.push(0xff);
    bytes
}
