//! What an account has of a kind, all of it: what is named and is not among it is nowhere.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Place;

/// Every name of everything that an account has of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Names, ids and ARNs.
    pub names: BTreeSet<String>,
    /// What its ids begin with, such as `subnet-`; empty, where names tell one from another.
    pub prefix: String,
    /// What stands in the names of those that AWS makes itself when it needs them; empty, if there are none.
    pub made_by_aws: String,
}

impl Listing {
    /// Of things that are told by their names, or by their ARNs.
    pub fn named<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Of things that are told by ids with this beginning.
    pub fn of_ids<T: Into<String>>(prefix: &str, ids: impl IntoIterator<Item = T>) -> Self {
        Self { prefix: prefix.to_owned(), ..Self::named(ids) }
    }

    /// AWS itself makes those with this in their names when it needs them.
    #[must_use]
    pub fn but_made_by_aws(self, mark: &str) -> Self {
        Self { made_by_aws: mark.to_owned(), ..self }
    }

    /// Whether there is something of this name, id or ARN. `None`: that is not for this listing to tell, because it speaks of
    /// another account or region, or is the id of something else.
    pub fn has(&self, text: &str, place: &Place) -> Option<bool> {
        // A role with a path may be named with a slash before it.
        if self.names.contains(text) || self.names.contains(text.trim_start_matches('/')) {
            return Some(true);
        }
        if !self.made_by_aws.is_empty() && text.contains(&self.made_by_aws) {
            return None;
        }
        let mut parts = text.split(':');
        if parts.next() == Some("arn") {
            let (partition, _, region, account) =
                (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
            let here = partition == place.partition && account == place.account;
            return (here && (region.is_empty() || region == place.region)).then_some(false);
        }
        let is_of_another = !self.prefix.is_empty() && is_id(text) && !text.starts_with(&self.prefix);
        (!is_of_another).then_some(false)
    }
}

/// Whether it has the form of an id such as `igw-0a1b2c3d`.
fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(kind, rest)| {
        kind.starts_with(|it: char| it.is_ascii_lowercase())
            && rest.len() >= 8
            && rest.bytes().all(|it| it.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_place_or_kind_is_not_told_to_be_nowhere() {
        let place = Place::new("111111111111", "eu-west-1");
        let roles = Listing::named([
            "job",
            "arn:aws:iam::111111111111:role/service-role/batch",
            "service-role/batch",
        ])
        .but_made_by_aws(":role/aws-service-role/");
        for (text, expected) in [
            ("job", Some(true)),
            ("/service-role/batch", Some(true)),
            ("arn:aws:iam::111111111111:role/service-role/batch", Some(true)),
            ("jobs", Some(false)),
            ("arn:aws:iam::111111111111:role/batch", Some(false)),
            ("arn:aws:iam::222222222222:role/job", None),
            ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
            ("arn:aws-cn:iam::111111111111:role/job", None),
            ("arn:aws:batch:us-east-1:111111111111:compute-environment/a", None),
            ("arn:aws:batch:eu-west-1:111111111111:compute-environment/a", Some(false)),
            ("arn:aws", None),
            (
                "arn:aws:iam::111111111111:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
                None,
            ),
        ] {
            assert_eq!(roles.has(text, &place), expected, "{text}");
        }
        let gateways = Listing::of_ids("igw-", ["igw-0123456789abcdef0"]);
        for (text, expected) in [
            ("igw-0123456789abcdef0", Some(true)),
            ("igw-0123456789abcdef1", Some(false)),
            ("vgw-0123456789abcdef1", None),
            ("main", Some(false)),
        ] {
            assert_eq!(gateways.has(text, &place), expected, "{text}");
        }
    }
}
