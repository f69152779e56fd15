//! Exit codes: the one place where they are decided.

use std::process::ExitCode;

use super::Error;
use crate::execute::Report;
use crate::services::error::is_access;

/// The table in `--help`.
pub const TABLE: &str = "\
Exit codes:
  0  success; of `plan --detailed-exitcode` and `drift`: nothing differs
  1  error: usage, manifests, anything that has no code of its own
  2  something differs (`drift` always, `plan` with --detailed-exitcode)
  3  refused by a guard: protection, ownership, limits, running jobs, another account; `apply` also where something
     has to be done first (an image to push), of which `plan` and its 0 only tell
  4  stale: what was reviewed is not what would be done
  5  applied in part: some steps failed
  6  declined or interrupted
  7  a step's time was up
  8  no credentials, or no permission
  9  the job failed (`submit --follow`, `logs`); of one that is not over, `logs` ends with 0";

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// As asked.
    Success = 0,
    /// An error.
    Error = 1,
    /// Something differs.
    Differs = 2,
    /// A guard refused.
    Refused = 3,
    /// Live or desired moved since the review.
    Stale = 4,
    /// Some steps failed.
    Partial = 5,
    /// Declined or interrupted.
    Interrupted = 6,
    /// Time was up.
    TimedOut = 7,
    /// No credentials, or no permission.
    Access = 8,
    /// The job failed.
    JobFailed = 9,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// The exit code of an error.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Manifests(_) | Error::Unfound(_) | Error::Plain { .. } | Error::Sandbox(_) => Self::Error,
            Error::Account { .. } | Error::Region { .. } | Error::Refused { .. } => Self::Refused,
            Error::Stale
            | Error::NotReviewed { .. }
            | Error::Unreviewed { .. }
            | Error::Superseded { .. } => Self::Stale,
            Error::Declined | Error::Interrupted => Self::Interrupted,
            Error::Credentials { .. } | Error::Profile { .. } => Self::Access,
            Error::Aws { error, .. } if is_access(error.code.as_deref()) => Self::Access,
            Error::Aws { .. } => Self::Error,
        }
    }

    /// The exit code of an apply: 8 before 6 before 7 before 5 before 4 (D27).
    pub fn of_report(report: &Report) -> Self {
        let failures = || report.failures().map(|(_, failure)| failure);
        if failures().any(|failure| is_access(failure.code.as_deref())) {
            Self::Access
        } else if report.interrupted {
            Self::Interrupted
        } else if failures().any(|failure| failure.timed_out) {
            Self::TimedOut
        } else if report.complete() {
            Self::Success
        } else if report.done() == 0 && failures().all(|failure| failure.stale) {
            Self::Stale
        } else {
            Self::Partial
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::execute::{Failure, Outcome};
    use crate::services;

    /// What services say to credentials that are none, are over, or may not; sources at `is_access`.
    const REFUSALS: &[(&str, &[&str])] = &[
        ("batch", JSON),
        ("ecr", JSON),
        ("logs", JSON),
        ("tag", JSON),
        ("iam", QUERY),
        ("sts", QUERY),
        (
            "ec2",
            &[
                "AuthFailure",
                "Blocked",
                "IncompleteSignature",
                "InvalidClientTokenId",
                "MissingAuthenticationToken",
                "OptInRequired",
                "PendingVerification",
                "RequestExpired",
                "UnauthorizedOperation",
            ],
        ),
        (
            "s3",
            &[
                "AccessDenied",
                "AccountProblem",
                "AllAccessDisabled",
                "ExpiredToken",
                "InvalidAccessKeyId",
                "InvalidSecurity",
                "InvalidToken",
                "MissingSecurityHeader",
                "NotSignedUp",
                "RequestTimeTooSkewed",
                "SignatureDoesNotMatch",
                "TokenRefreshRequired",
                "UnauthorizedAccess",
            ],
        ),
    ];

    const JSON: &[&str] = &[
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SubscriptionRequiredException",
        "UnrecognizedClientException",
    ];

    const QUERY: &[&str] = &[
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
    ];

    /// In a read, and of a step in the midst of an apply; no waiting mends it, of whatever service.
    #[test]
    fn refused_credentials_are_8_wherever_they_are_refused() {
        for (service, code) in
            REFUSALS.iter().flat_map(|(service, codes)| codes.iter().map(move |it| (*service, *it)))
        {
            let error = services::Error {
                code: Some(code.to_owned()),
                ..services::Error::malformed(service, "DescribeThings", "no")
            };
            let failure = Failure::from(&error);
            let read = Error::aws("read")(error.clone());
            assert_eq!(Exit::of(&read), Exit::Access, "{service} {code}");
            assert!(!read.help().is_empty(), "{service} {code}");
            let failed = Outcome::Failed(failure);
            let outcomes = BTreeMap::from([(0, Outcome::Done), (1, failed), (2, Outcome::Blocked { by: 1 })]);
            let report = Report { outcomes, interrupted: false, known: BTreeMap::new() };
            assert_eq!(Exit::of_report(&report), Exit::Access, "{service} {code}");
            if let Some(known) = services::service(service) {
                assert_eq!(
                    known.classify(&error, std::time::Duration::ZERO),
                    services::Fault::Terminal,
                    "{service} {code}"
                );
            }
        }
    }

    #[test]
    fn other_refusals_are_not_8() {
        for code in
            ["ClientException", "Throttling", "InvalidParameterValue", "NoSuchEntity", "InternalError"]
        {
            let error =
                services::Error { code: Some(code.to_owned()), ..services::Error::malformed("x", "y", "no") };
            assert_eq!(Exit::of(&Error::aws("read")(error)), Exit::Error, "{code}");
        }
    }
}
