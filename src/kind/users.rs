//! By what else than its ARN and its id a resource is named, and who uses it that is no resource of any kind.

use std::collections::BTreeMap;

/// A text by which others name a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Denoted {
    /// A name, in the field that is called so, or in the list: `roles`, or with the field around it, `iamInstanceProfile.name`.
    InField(&'static str, String),
    /// An ARN of this type, such as `instance-profile`, that ends in this name; in any field.
    ByArn(&'static str, String),
}

impl Denoted {
    /// Whether the text at a path denotes it.
    pub fn is(&self, path: &str, text: &str) -> bool {
        match self {
            Self::InField(field, name) => {
                let mut parts = path.rsplit('.').map(|part| part.split('[').next().unwrap_or(part));
                text == name && field.rsplit('.').all(|field| parts.next() == Some(field))
            }
            Self::ByArn(of, name) => {
                let rest =
                    text.rsplit_once(':').and_then(|(_, rest)| rest.strip_prefix(of)?.strip_prefix('/'));
                rest.and_then(|path| path.rsplit('/').next()) == Some(name.as_str())
            }
        }
    }
}

/// Things found by what denotes them.
#[derive(Debug)]
pub struct Denotations<T>(BTreeMap<String, Vec<(Denoted, T)>>);

impl<T> Default for Denotations<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Denotations<T> {
    /// Adds something with one of its denotations.
    pub fn add(&mut self, denoted: Denoted, thing: T) {
        let (Denoted::InField(_, name) | Denoted::ByArn(_, name)) = &denoted;
        self.0.entry(name.clone()).or_default().push((denoted, thing));
    }

    /// What the text at a path denotes: it is the name, or an ARN that ends in it.
    pub fn find(&self, path: &str, text: &str) -> Option<&T> {
        let last = text.rsplit(['/', ':']).next().unwrap_or(text);
        let found = [text, last].into_iter().filter_map(|name| self.0.get(name)).flatten();
        let mut found = found.filter(|(denoted, _)| denoted.is(path, text));
        found.next().map(|(_, thing)| thing)
    }
}

/// What is not ours, is no resource of any kind, and uses one of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUser {
    /// What it is and does, such as `user/ann, which is not ours, has it attached`.
    pub says: String,
    /// What to do about it.
    pub way_out: &'static str,
    /// By what resources name it in their turn; then `says_used` and its way out hold.
    pub denoted: Vec<Denoted>,
    /// What such resources do with it, with `{}` for them, and the way out.
    pub says_used: &'static str,
}

/// What AWS makes together with a resource, and takes away with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Companion {
    /// Its name or id, as AWS's calls take it.
    pub physical: String,
    /// Whether until then it holds up others that it names.
    pub holds: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_found_by_its_name_in_a_field_and_by_its_arn_anywhere() {
        let mut names = Denotations::default();
        names.add(Denoted::InField("instanceRole", "web".to_owned()), 1);
        names.add(Denoted::ByArn("instance-profile", "web".to_owned()), 2);
        names.add(Denoted::InField("awslogs-group", "/batch/web".to_owned()), 3);
        names.add(Denoted::InField("roles", "job".to_owned()), 4);
        names.add(Denoted::InField("iamInstanceProfile.name", "nodes".to_owned()), 5);
        for (path, text, expected) in [
            ("computeResources.instanceRole", "web", Some(1)),
            ("computeResources.instanceType", "web", None),
            ("a", "arn:aws:iam::1:instance-profile/web", Some(2)),
            ("a[0]", "arn:aws:iam::1:instance-profile/of/web", Some(2)),
            ("instanceRole", "arn:aws:iam::1:role/web", None),
            ("a", "arn:aws:iam::1:instance-profile/web2", None),
            ("logConfiguration.options.awslogs-group", "/batch/web", Some(3)),
            ("logConfiguration.options.awslogs-group", "web", None),
            ("roles[0]", "job", Some(4)),
            ("groups[0]", "job", None),
            ("launchTemplateData.iamInstanceProfile.name", "nodes", Some(5)),
            ("name", "nodes", None),
            ("placement.name", "nodes", None),
        ] {
            assert_eq!(names.find(path, text).copied(), expected, "{path}: {text}");
        }
    }
}
