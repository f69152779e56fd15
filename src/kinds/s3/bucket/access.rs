//! Who may do what: Block Public Access and object ownership; and the bucket's name.

use crate::kind::prelude::*;
use aws_sdk_s3::types::{
    ObjectOwnership, OwnershipControls as SdkOwnership, OwnershipControlsRule, PublicAccessBlockConfiguration,
};

use super::incomplete;

/// What of the public is kept out, whatever policies and ACLs say. A field that is left out means `true`.
#[spec]
pub struct PublicAccessBlock {
    /// Calls that would set a public ACL fail.
    #[field(default = true)]
    pub block_public_acls: bool,
    /// Public ACLs that are there already do not count.
    #[field(default = true)]
    pub ignore_public_acls: bool,
    /// Calls that would set a public bucket policy fail.
    #[field(default = true)]
    pub block_public_policy: bool,
    /// With a public policy only AWS services and this account get in.
    #[field(default = true)]
    pub restrict_public_buckets: bool,
}

impl PublicAccessBlock {
    const fn all(on: bool) -> Self {
        Self {
            block_public_acls: on,
            ignore_public_acls: on,
            block_public_policy: on,
            restrict_public_buckets: on,
        }
    }

    /// A bucket that says nothing keeps nobody out.
    pub(super) fn from_sdk(sdk: Option<&PublicAccessBlockConfiguration>) -> Self {
        let Some(sdk) = sdk else { return Self::all(false) };
        Self {
            block_public_acls: sdk.block_public_acls().unwrap_or_default(),
            ignore_public_acls: sdk.ignore_public_acls().unwrap_or_default(),
            block_public_policy: sdk.block_public_policy().unwrap_or_default(),
            restrict_public_buckets: sdk.restrict_public_buckets().unwrap_or_default(),
        }
    }

    /// `None` if nobody is kept out: S3 takes no such block, it wants it deleted.
    pub(super) fn to_sdk(&self) -> Option<PublicAccessBlockConfiguration> {
        (*self != Self::all(false)).then(|| {
            PublicAccessBlockConfiguration::builder()
                .block_public_acls(self.block_public_acls)
                .ignore_public_acls(self.ignore_public_acls)
                .block_public_policy(self.block_public_policy)
                .restrict_public_buckets(self.restrict_public_buckets)
                .build()
        })
    }
}

impl Default for PublicAccessBlock {
    /// As S3 gives it to every new bucket since April 2023.
    fn default() -> Self {
        Self::all(true)
    }
}

/// Who owns objects that others write.
#[spec]
pub struct OwnershipControls {
    /// Exactly one rule.
    #[field(required)]
    pub rules: Vec<OwnershipRule>,
}

/// The one rule of a bucket's ownership controls.
#[spec]
pub struct OwnershipRule {
    /// `BucketOwnerEnforced`: the bucket's owner, and ACLs are off; `BucketOwnerPreferred`: the bucket's owner if the
    /// writer says so; `ObjectWriter`: whoever writes.
    #[field(one_of(ObjectOwnership::values()))]
    pub object_ownership: String,
}

impl Default for OwnershipControls {
    /// As S3 gives it to every new bucket since April 2023.
    fn default() -> Self {
        Self::of(&ObjectOwnership::BucketOwnerEnforced)
    }
}

impl OwnershipControls {
    fn of(ownership: &ObjectOwnership) -> Self {
        Self { rules: vec![OwnershipRule { object_ownership: ownership.as_str().to_owned() }] }
    }

    /// In a bucket that says nothing, whoever writes an object owns it.
    pub(super) fn from_sdk(sdk: Option<&SdkOwnership>) -> Self {
        match sdk.map(SdkOwnership::rules) {
            None | Some([]) => Self::of(&ObjectOwnership::ObjectWriter),
            Some(rules) => Self {
                rules: rules
                    .iter()
                    .map(|rule| OwnershipRule {
                        object_ownership: rule.object_ownership().as_str().to_owned(),
                    })
                    .collect(),
            },
        }
    }

    /// What the one rule says, as CreateBucket takes it.
    pub(super) fn to_sdk(&self) -> Option<ObjectOwnership> {
        self.rules.first().map(|rule| ObjectOwnership::from(rule.object_ownership.as_str()))
    }

    pub(super) fn to_sdk_rules(&self) -> Result<SdkOwnership> {
        let rule = OwnershipControlsRule::builder().set_object_ownership(self.to_sdk()).build();
        rule.and_then(|rule| SdkOwnership::builder().rules(rule).build())
            .map_err(incomplete("PutBucketOwnershipControls"))
    }
}

pub(super) fn check(ownership: &OwnershipControls, found: &mut Vec<Invalid>) {
    let count = ownership.rules.len();
    if count != 1 {
        found.push(Invalid::new(
            "ownershipControls.rules",
            format!("{count} rules, but S3 takes exactly one"),
        ));
    }
}

/// The rules for names of general purpose buckets (S3 user guide, "General purpose bucket naming rules").
pub(super) fn check_name(name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(3..=63).contains(&name.len()) {
        return Some(format!("a bucket's name has 3 to 63 characters, this one has {}", name.len()));
    }
    if let Some(bad) = name.chars().find(|&c| !plain(c) && c != '-' && c != '.') {
        return Some(format!(
            "{bad:?} may not stand in a bucket's name: lower-case letters, digits, `-` and `.` may"
        ));
    }
    if !name.starts_with(plain) || !name.ends_with(plain) {
        return Some("a bucket's name begins and ends with a letter or a digit".to_owned());
    }
    if name.contains("..") || name.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some("a bucket's name is no IP address and has no two dots side by side".to_owned());
    }
    let prefix = ["xn--", "sthree-", "amzn-s3-demo-"].into_iter().find(|prefix| name.starts_with(prefix));
    let suffix =
        ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"].into_iter().find(|s| name.ends_with(s));
    prefix.or(suffix).map(|reserved| format!("S3 keeps names with `{reserved}` for itself"))
}
