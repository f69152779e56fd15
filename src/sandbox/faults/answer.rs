//! What a call that is broken on purpose answers, in its service's own form.

use http::{Response, StatusCode};

use super::Fault;
use crate::reply::{Body, error};
use crate::request::{Protocol, Target};

/// The answer that a fault gives, or none where it cuts the line instead.
pub fn of(fault: Fault, target: &Target) -> Option<Response<Body>> {
    let protocol = target.protocol;
    let (status, code, message) = match fault {
        Fault::Reset | Fault::LostReply => return None,
        Fault::Throttle => {
            let (status, code) = match (protocol, target.service.as_str()) {
                (Protocol::Ec2, _) => (503, "RequestLimitExceeded"),
                (Protocol::RestXml, _) => (503, "SlowDown"),
                (Protocol::RestJson, _) => (429, "TooManyRequestsException"),
                (Protocol::Query, _) => (400, "Throttling"),
                (Protocol::Json | Protocol::Cbor, _) => (400, "ThrottlingException"),
            };
            (status, code, "Rate exceeded".to_owned())
        }
        Fault::Internal => {
            let code = match protocol {
                Protocol::Ec2 | Protocol::RestXml => "InternalError",
                Protocol::Query => "ServiceFailure",
                Protocol::RestJson => "ServerException",
                Protocol::Json | Protocol::Cbor => "InternalFailure",
            };
            (500, code, "We encountered an internal error. Please try again.".to_owned())
        }
        Fault::Deny | Fault::DenyByOrganization => {
            let (status, code) = match protocol {
                Protocol::Ec2 => (403, "UnauthorizedOperation"),
                Protocol::Query | Protocol::RestXml => (403, "AccessDenied"),
                Protocol::RestJson => (403, "AccessDeniedException"),
                Protocol::Json | Protocol::Cbor => (400, "AccessDeniedException"),
            };
            let (service, action) = (&target.service, &target.action);
            let denied = format!("User is not authorized to perform: {service}:{action}");
            // <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
            let message = match fault {
                Fault::DenyByOrganization => {
                    format!("{denied} with an explicit deny in a service control policy")
                }
                _ => denied,
            };
            (status, code, message)
        }
        Fault::Limit => {
            let (status, code) = match protocol {
                Protocol::Ec2 => (400, "ResourceLimitExceeded"),
                Protocol::RestXml => (400, "TooManyBuckets"),
                Protocol::Query => (409, "LimitExceeded"),
                Protocol::RestJson => (400, "ClientException"),
                Protocol::Json | Protocol::Cbor => (400, "LimitExceededException"),
            };
            (status, code, "A quota of this account is reached".to_owned())
        }
    };
    Some(error(protocol, StatusCode::from_u16(status).unwrap_or_default(), code, &message))
}
