//! Which permissions a kind's calls need, as IAM names them. Stands beside each kind; `batchwright permissions` adds them up.

use crate::resource::Place;

/// The permissions of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Grants {
    /// To see it: what a plan needs. Nothing here can change anything.
    pub read: &'static [Grant],
    /// To make, change and delete it.
    pub write: &'static [Grant],
}

/// Some actions on some resources.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    /// `service:Action`.
    pub actions: &'static [&'static str],
    /// On which resources.
    pub on: &'static [On],
    /// Under which condition.
    pub when: Option<When>,
    /// Only for what is declared so; of what is no longer declared, nobody knows, and it is not asked.
    pub given: Option<Given>,
}

/// What a spec has to say for a grant to be needed. A field is one of this name, at any depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// One of these fields.
    Has(&'static [&'static str]),
    /// Not this field.
    Lacks(&'static str),
}

/// Resources, by the end of their ARNs. `{name}` stands for the physical name of what is declared, `{spec.<field>}` for a
/// text in its spec, `{spec.<field>.<field>}` for one within it; of an ARN, for its last part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Everything: actions that know no resources.
    Anything,
    /// `arn:<partition>:<service>:<region>:<account>:<rest>`.
    Regional(&'static str, &'static str),
    /// `arn:<partition>:<service>::*:<rest>`: of no region, and of any account that shares it with ours.
    Shared(&'static str, &'static str),
    /// `arn:<partition>:iam::<account>:<rest>`.
    Iam(&'static str),
    /// `arn:<partition>:s3:::<rest>`.
    S3(&'static str),
    /// The roles that what is declared names, in fields that are called `…Role` or `…RoleArn`.
    NamedRoles,
}

/// A condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The resource carries our owner tag.
    Owned,
    /// The call writes our owner tag.
    OwnerWritten,
    /// Tags are written by one of these create calls.
    TaggedBy(&'static [&'static str]),
    /// A role is passed to one of these services.
    PassedTo(&'static [&'static str]),
    /// A service-linked role of this service.
    LinkedTo(&'static str),
    /// The call is made by this service, on behalf of ours.
    Via(&'static str),
    /// The managed policy is the environment's own, or one that a role of the environment is declared with.
    DeclaredPolicy,
}

/// Actions of one service, as IAM names them: `actions![logs: CreateLogGroup DeleteLogGroup]`.
macro_rules! actions {
    ($service:ident: $($action:ident)+) => {
        &[$(concat!(stringify!($service), ":", stringify!($action))),+]
    };
}
pub(crate) use actions;

impl On {
    /// The ARN of what has this name, or `None` of a pattern that needs more than the name.
    pub fn arn(self, place: &Place, name: &str) -> Option<String> {
        let (begin, rest) = self.pattern(place)?;
        let is_name = rest.contains("{name}") && !rest.contains("{spec.");
        is_name.then(|| format!("{begin}{}", rest.replace("{name}", name)))
    }

    /// How the ARNs begin, and the rest as it is written; `None` of what is no pattern.
    pub fn pattern(self, place: &Place) -> Option<(String, &'static str)> {
        match self {
            Self::Regional(service, rest) => Some((place.arn(service, ""), rest)),
            Self::Shared(service, rest) => Some((format!("arn:{}:{service}::*:", place.partition), rest)),
            Self::Iam(rest) => Some((place.iam_arn(""), rest)),
            Self::S3(rest) => Some((format!("arn:{}:s3:::", place.partition), rest)),
            Self::Anything | Self::NamedRoles => None,
        }
    }
}

impl Grant {
    /// Actions on everything.
    pub const fn any(actions: &'static [&'static str]) -> Self {
        Self::on(actions, &[On::Anything])
    }

    /// Actions on some resources.
    pub const fn on(actions: &'static [&'static str], on: &'static [On]) -> Self {
        Self { actions, on, when: None, given: None }
    }

    /// The same, under a condition.
    pub const fn when(self, when: When) -> Self {
        Self { when: Some(when), ..self }
    }

    /// The same, only for what is declared so.
    pub const fn given(self, given: Given) -> Self {
        Self { given: Some(given), ..self }
    }

    /// Passing the roles that are named to these services.
    pub const fn pass_role(services: &'static [&'static str]) -> Self {
        Self::on(&["iam:PassRole"], &[On::NamedRoles]).when(When::PassedTo(services))
    }
}
