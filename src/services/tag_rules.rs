//! What services take as tags of their resources (docs/aws-semantics.md §14).

use std::sync::LazyLock;

use regex::Regex;

/// How many tags a resource may have, AWS's own not counted: the same everywhere.
pub const MOST: usize = 50;

/// How many characters a key may have. The EC2 API says 127, its user guide and all others 128.
pub const LONGEST_KEY: usize = 128;

/// How many characters a value may have.
pub const LONGEST_VALUE: usize = 256;

/// What one service takes; a kind may narrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagRules {
    /// The service, as a message calls it.
    pub service: &'static str,
    /// Whether any character may stand in a tag; else letters, digits, spaces and `_.:/=+-@`.
    pub any_character: bool,
    /// Whether keys that differ only in case are one key.
    pub caseless: bool,
}

/// What may not stand in a tag of most services: IAM's `tagKeyType` and Logs' `TagKey` have this as their pattern.
static FOREIGN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[^\p{L}\p{Z}\p{N}_.:/=+\-@]").ok());

impl TagRules {
    /// A service that takes letters, digits, spaces and `_.:/=+-@`, and tells keys apart by their case.
    pub const fn common(service: &'static str) -> Self {
        Self { service, any_character: false, caseless: false }
    }

    /// The first character of a key or value that the service refuses.
    pub fn refused(&self, text: &str) -> Option<char> {
        if self.any_character {
            return None;
        }
        FOREIGN
            .as_ref()
            .and_then(|foreign| foreign.find(text))
            .and_then(|found| found.as_str().chars().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::SERVICES;

    fn rules(service: &str) -> TagRules {
        *crate::services::service(service).unwrap().tag_rules()
    }

    #[test]
    fn each_service_refuses_the_characters_that_it_was_seen_to_refuse() {
        // What each said of such a tag: see the constants.
        for (service, text, refused) in [
            ("iam", "Cost (shared) & more #2", Some('(')),
            ("s3", "a&b", Some('&')),
            ("s3", "metal,openstack", Some(',')),
            ("ecr", "one image, different CMD", Some(',')),
            ("batch", "2.8.1+mc(0.10.0)", Some('(')),
            ("batch", "^GATC", Some('^')),
            ("logs", "a*", Some('*')),
            ("ec2", "Cost (shared) & more #2", None),
        ] {
            assert_eq!(rules(service).refused(text), refused, "{service}: {text}");
        }
        for service in SERVICES {
            let rules = service.tag_rules();
            for text in ["", "Größe 2", "a_b.c:d/e=f+g-h@i", "金額", "a\u{a0}b"] {
                assert_eq!(rules.refused(text), None, "{}: {text}", rules.service);
            }
        }
    }
}
