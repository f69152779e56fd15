//! What AWS shows late, as a fault that is set: the parts of a bucket's configuration, and new roles of IAM.
//!
//! Sources: S3 has no word on how soon a configuration is read as it was written; hashicorp/terraform-provider-aws waits for
//! equal reads (`internal/service/s3/bucket_lifecycle_configuration.go`), for a role's ARN (`internal/service/iam/role.go`,
//! `waitRoleARNIsNotUniqueID`), and for new principals in policies. IAM is eventually consistent
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use percent_encoding::percent_decode;
use serde::{Deserialize, Serialize};

use crate::reply::{self, Body};
use crate::request::{Protocol, Target, parameter};

/// How late AWS shows what was written. The default is at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Lag {
    /// How many reads of a part of a bucket's configuration answer what it was before a write: every second one, the first
    /// being as fresh as one wishes.
    pub bucket_reads: u32,
    /// How many GetRole of a new role say that there is none.
    pub role_reads: u32,
    /// How many GetRole of a new role give its unique id where the ARN belongs.
    pub role_ids: u32,
    /// How many policies that name a new role as a principal are refused.
    pub principals: u32,
    /// How many public bucket policies are refused although Block Public Access was lifted.
    pub public_policies: u32,
}

/// The parts of a bucket's configuration that have a read of their own, as the query names them.
const PARTS: [&str; 8] = [
    "tagging",
    "encryption",
    "versioning",
    "publicAccessBlock",
    "ownershipControls",
    "lifecycle",
    "notification",
    "policy",
];

/// An answer that is given again.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Takes it down.
    pub fn of(parts: &http::response::Parts, body: Bytes) -> Self {
        Self { status: parts.status, headers: parts.headers.clone(), body }
    }

    /// As a response.
    pub fn given(&self) -> Response<Body> {
        let mut response = Response::new(reply::whole(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response.headers_mut().remove(http::header::CONTENT_LENGTH);
        response
    }
}

/// A part of a bucket's configuration as it was.
#[derive(Debug)]
struct Older {
    answer: Answer,
    left: u32,
    next: bool,
}

/// A role that was made a moment ago.
#[derive(Debug)]
struct Young {
    id: String,
    arn: String,
    unseen: u32,
    as_id: u32,
    refusals: u32,
}

#[derive(Debug, Default)]
struct Held {
    lag: Lag,
    older: BTreeMap<String, Older>,
    roles: BTreeMap<String, Young>,
    lifted: BTreeMap<String, u32>,
}

/// What was written, and is not shown yet.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Held>);

/// The part of a bucket's configuration that a request is about: `/bucket?lifecycle`.
pub fn part_of(target: &Target, uri: &Uri) -> Option<String> {
    if target.service != "s3" || target.own || uri.path().trim_matches('/').contains('/') {
        return None;
    }
    let mut names = uri.query()?.split('&').filter_map(|pair| pair.split('=').next());
    let part = names.find(|name| PARTS.contains(name))?;
    Some(format!("/{}?{part}", uri.path().trim_matches('/')))
}

impl Memory {
    /// Shows everything as late as told from now on.
    pub fn set(&self, lag: Lag) {
        *self.lock() = Held { lag, ..Held::default() };
    }

    /// Whether anything is shown late.
    pub fn is_late(&self) -> bool {
        self.lock().lag != Lag::default()
    }

    /// What is answered in place of the service's own answer; `body` is the request's, where it is known.
    pub fn instead(
        &self,
        method: &Method,
        target: &Target,
        uri: &Uri,
        body: &[u8],
    ) -> Option<Response<Body>> {
        let mut held = self.lock();
        if let Some(part) = part_of(target, uri) {
            if method == Method::GET {
                return held.older(&part);
            }
            if part.ends_with("?policy") && method == Method::PUT {
                return held.blocked(&part, target, body).or_else(|| held.unknown_principal(target, body));
            }
            return None;
        }
        match (target.service.as_str(), target.action.as_str()) {
            ("iam", "GetRole") => held.unseen(target, body),
            ("iam", "CreateRole" | "UpdateAssumeRolePolicy") | ("ecr", "SetRepositoryPolicy") => {
                held.unknown_principal(target, body)
            }
            _ => None,
        }
    }

    /// A part of a bucket's configuration was written; `before` is what a read answered until then.
    pub fn written(&self, part: &str, before: Answer) {
        let mut held = self.lock();
        let blocked = String::from_utf8_lossy(&before.body).contains("<BlockPublicPolicy>true");
        if let Some(bucket) = part.strip_suffix("?publicAccessBlock").filter(|_| blocked) {
            let refusals = held.lag.public_policies;
            held.lifted.insert(bucket.to_owned(), refusals);
        }
        let left = held.lag.bucket_reads;
        held.older.insert(part.to_owned(), Older { answer: before, left, next: false });
    }

    /// Whether an answer is looked at by [`Self::answered`].
    pub fn minds(target: &Target) -> bool {
        target.service == "iam" && matches!(target.action.as_str(), "CreateRole" | "GetRole")
    }

    /// Takes down a role that was made, and gives its id for the ARN of one that is young.
    pub fn answered(&self, target: &Target, request: &[u8], mut answer: Answer) -> Answer {
        let mut held = self.lock();
        let name = parameter(request, "RoleName").unwrap_or_default().into_owned();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if target.action == "CreateRole" && answer.status.is_success() {
            if let (Some(id), Some(arn)) = (element(&text, "RoleId"), element(&text, "Arn")) {
                let lag = held.lag;
                let (id, arn) = (id.to_owned(), arn.to_owned());
                let (unseen, as_id, refusals) = (lag.role_reads, lag.role_ids, lag.principals);
                held.roles.insert(name, Young { id, arn, unseen, as_id, refusals });
            }
        } else if let Some(young) = held.roles.get_mut(&name).filter(|young| young.as_id > 0) {
            young.as_id -= 1;
            let id = text.replace(&format!("<Arn>{}</Arn>", young.arn), &format!("<Arn>{}</Arn>", young.id));
            answer.body = id.into();
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn older(&mut self, part: &str) -> Option<Response<Body>> {
        let older = self.older.get_mut(part).filter(|older| older.left > 0)?;
        older.next = !older.next;
        if older.next {
            return None;
        }
        older.left -= 1;
        Some(older.answer.given())
    }

    fn unseen(&mut self, target: &Target, body: &[u8]) -> Option<Response<Body>> {
        let name = parameter(body, "RoleName")?;
        let young = self.roles.get_mut(name.as_ref()).filter(|young| young.unseen > 0)?;
        young.unseen -= 1;
        let message = format!("The role with name {name} cannot be found.");
        Some(reply::error(target.protocol, StatusCode::NOT_FOUND, "NoSuchEntity", &message))
    }

    fn blocked(&mut self, part: &str, target: &Target, body: &[u8]) -> Option<Response<Body>> {
        let text: String =
            String::from_utf8_lossy(body).chars().filter(|letter| !letter.is_whitespace()).collect();
        let public = text.contains("\"Principal\":\"*\"") || text.contains("\"AWS\":\"*\"");
        let left = self.lifted.get_mut(part.strip_suffix("?policy")?).filter(|left| public && **left > 0)?;
        *left -= 1;
        let message = "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the \
             BlockPublicPolicy block public access setting.";
        Some(reply::error(target.protocol, StatusCode::FORBIDDEN, "AccessDenied", message))
    }

    /// Refuses a policy that names a role which this service does not see yet.
    fn unknown_principal(&mut self, target: &Target, body: &[u8]) -> Option<Response<Body>> {
        let text = percent_decode(body).decode_utf8_lossy();
        let names =
            |young: &Young| ['"', '\\'].iter().any(|end| text.contains(&format!("{}{end}", young.arn)));
        let young = self.roles.values_mut().find(|young| young.refusals > 0 && names(young))?;
        young.refusals -= 1;
        let (code, message) = match target.protocol {
            Protocol::RestXml => ("MalformedPolicy", "Invalid principal in policy".to_owned()),
            Protocol::Query => {
                ("MalformedPolicyDocument", format!("Invalid principal in policy: \"AWS\":\"{}\"", young.arn))
            }
            _ => (
                "InvalidParameterException",
                "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
                    .to_owned(),
            ),
        };
        Some(reply::error(target.protocol, StatusCode::BAD_REQUEST, code, &message))
    }
}

/// The text of the first element of this name.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}
