//! Which permissions a kind's calls need, as IAM names them. Stands beside each kind; `batchwright permissions` adds them up.

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
}

/// Resources, by the end of their ARNs. `{name}` stands for the physical name of what is declared, `{spec.<field>}` for a
/// text in its spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Everything: actions that know no resources.
    Anything,
    /// `arn:<partition>:<service>:<region>:<account>:<rest>`.
    Regional(&'static str, &'static str),
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
    /// The managed policy is the environment's own, or one that a role of the environment is declared with.
    DeclaredPolicy,
}

impl Grant {
    /// Actions on everything.
    pub const fn any(actions: &'static [&'static str]) -> Self {
        Self { actions, on: &[On::Anything], when: None }
    }

    /// Actions on some resources.
    pub const fn on(actions: &'static [&'static str], on: &'static [On]) -> Self {
        Self { actions, on, when: None }
    }

    /// The same, under a condition.
    pub const fn when(self, when: When) -> Self {
        Self { when: Some(when), ..self }
    }

    /// Passing the roles that are named to these services.
    pub const fn pass_role(services: &'static [&'static str]) -> Self {
        Self::on(&["iam:PassRole"], &[On::NamedRoles]).when(When::PassedTo(services))
    }
}
