//! What a request is for: service, region, operation, protocol, and whether it can change something.

use std::borrow::Cow;

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::operations;
use super::signature::Claim;

/// With this key the sandbox itself asks: its calls are served and neither counted nor broken.
pub const OWN_ACCESS_KEY: &str = "AKIASANDBOXITSELF000";

/// How a service speaks, which decides what its errors look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// EC2's own XML.
    Ec2,
    /// `Action=` in a form, XML back: IAM, STS, SNS, Auto Scaling.
    Query,
    /// `X-Amz-Target`, JSON both ways: ECR, Logs, tagging, ECS.
    Json,
    /// Paths and JSON: Batch, Scheduler.
    RestJson,
    /// S3.
    RestXml,
    /// Smithy's binary protocol: CloudWatch.
    Cbor,
}

/// What a request is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The signing name.
    pub service: String,
    /// The region it was signed for.
    pub region: Option<String>,
    /// The operation's name; for unknown REST services its method and path.
    pub action: String,
    /// How it speaks.
    pub protocol: Protocol,
    /// Whether it can change something.
    pub write: bool,
    /// Whether the sandbox itself asks: its Batch, or a job that it runs.
    pub own: bool,
}

impl Target {
    /// Reads it off a request. `body` need only be given where [`wants_body`] says so.
    #[must_use]
    pub fn of(method: &Method, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let (service, region, own) = match Claim::of(query, headers) {
            Some(claim) => (claim.service, claim.region, claim.key == OWN_ACCESS_KEY),
            None => (unsigned(headers, body).to_owned(), None, false),
        };
        let json_target = text(headers, "x-amz-target").and_then(|target| target.rsplit('.').next());
        let cbor = path.strip_prefix("/service/").and_then(|rest| rest.split_once("/operation/"));
        let form = parameter(body, "Action").or_else(|| parameter(query.as_bytes(), "Action"));
        let (action, protocol) = match (service.as_str(), json_target, cbor, form) {
            ("s3", ..) => (operations::s3(method, path, query, headers).to_owned(), Protocol::RestXml),
            ("batch", ..) => (operations::batch(method, path), Protocol::RestJson),
            ("elasticfilesystem", ..) => (operations::efs(method, path), Protocol::RestJson),
            (_, Some(action), ..) => (action.to_owned(), Protocol::Json),
            (_, _, Some((_, action)), _) => (action.to_owned(), Protocol::Cbor),
            ("ec2", _, _, Some(action)) => (action.into_owned(), Protocol::Ec2),
            (_, _, _, Some(action)) => (action.into_owned(), Protocol::Query),
            _ => (operations::rest(method, path), Protocol::RestJson),
        };
        let write = operations::can_change(&service, &action);
        Self { service, region, action, protocol, write, own }
    }
}

/// Whether the body must be read before the operation is known: not for S3, whose bodies are large.
#[must_use]
pub fn wants_body(query: &str, headers: &HeaderMap) -> bool {
    match Claim::of(query, headers) {
        Some(claim) => claim.service != "s3",
        None => text(headers, "content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")),
    }
}

/// The service that a call without a signature is for, as far as that shows.
fn unsigned(headers: &HeaderMap, body: &[u8]) -> &'static str {
    match (text(headers, "x-amz-target"), parameter(body, "Action")) {
        (Some(_), _) => "",
        (_, Some(_)) => "sts",
        _ => "s3",
    }
}

/// One parameter of a form or a query string.
pub(super) fn parameter<'a>(form: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let form = std::str::from_utf8(form).ok()?;
    form.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| percent_decode_str(value).decode_utf8_lossy())
    })
}

/// A header's value, where it is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(
        method: Method,
        uri: &str,
        service: &str,
        extra: &[(&'static str, &str)],
        body: &str,
    ) -> Target {
        let mut headers = HeaderMap::new();
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/{service}/aws4_request, SignedHeaders=host"
        );
        headers.insert("authorization", scope.parse().unwrap());
        for (name, value) in extra {
            headers.insert(*name, value.parse().unwrap());
        }
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        Target::of(&method, path, query, &headers, body.as_bytes())
    }

    #[test]
    fn each_protocol_names_its_operation_in_its_own_place() {
        let query = target(Method::POST, "/", "iam", &[], "Action=CreateRole&Version=2010-05-08");
        assert_eq!(
            (query.action.as_str(), query.protocol, query.write),
            ("CreateRole", Protocol::Query, true)
        );
        let ec2 = target(Method::POST, "/", "ec2", &[], "Version=2016-11-15&Action=DescribeVpcs");
        assert_eq!((ec2.action.as_str(), ec2.protocol, ec2.write), ("DescribeVpcs", Protocol::Ec2, false));
        let json = target(Method::POST, "/", "logs", &[("x-amz-target", "Logs_20140328.PutLogEvents")], "{}");
        assert_eq!((json.action.as_str(), json.protocol, json.write), ("PutLogEvents", Protocol::Json, true));
        let batch = target(Method::POST, "/v1/createjobqueue", "batch", &[], "{}");
        assert_eq!(
            (batch.action.as_str(), batch.protocol, batch.write),
            ("CreateJobQueue", Protocol::RestJson, true)
        );
        let cbor = target(
            Method::POST,
            "/service/GraniteServiceVersion20100801/operation/DescribeAlarms",
            "monitoring",
            &[],
            "",
        );
        assert_eq!(
            (cbor.action.as_str(), cbor.protocol, cbor.write),
            ("DescribeAlarms", Protocol::Cbor, false)
        );
        let rest = target(Method::GET, "/schedules/a", "scheduler", &[], "");
        assert_eq!(
            (rest.action.as_str(), rest.protocol, rest.write),
            ("GET /schedules", Protocol::RestJson, false)
        );
        assert_eq!(rest.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn a_presigned_url_carries_its_scope_in_the_query() {
        let query = "X-Amz-Credential=AKIA%2F20261122%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0";
        let target = Target::of(&Method::GET, "/bucket/key", query, &HeaderMap::new(), b"");
        assert_eq!((target.service.as_str(), target.action.as_str()), ("s3", "GetObject"));
        assert_eq!(target.region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn a_web_identity_is_exchanged_without_a_signature() {
        let target =
            Target::of(&Method::POST, "/", "", &HeaderMap::new(), b"Action=AssumeRoleWithWebIdentity");
        assert_eq!((target.service.as_str(), target.write), ("sts", false));
    }
}
