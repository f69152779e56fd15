//! Names and paths of IAM entities.

use crate::kind::prelude::*;

/// Why IAM would refuse a name: `[\w+=,.@-]`, up to `most` characters.
pub(in crate::kinds::iam) fn invalid(name: &str, most: usize) -> Option<String> {
    if name.is_empty() || name.chars().count() > most {
        let length = name.chars().count();
        return Some(format!("`{name}` has {length} characters; IAM takes 1 to {most}"));
    }
    let wrong = name.chars().find(|c| !(c.is_ascii_alphanumeric() || "_+=,.@-".contains(*c)))?;
    Some(format!("`{name}` holds {wrong:?}; IAM takes letters, digits and _+=,.@- in names"))
}

/// Complaints about a path: `/`, or something between two slashes.
pub(in crate::kinds::iam) fn path(path: &str) -> Vec<Invalid> {
    if path.contains("${") {
        return Vec::new();
    }
    let printable = path.chars().all(|c| c.is_ascii_graphic());
    // Between two slashes there is something: `//` is none of the pattern's.
    let is_path = path == "/" || (path.len() > 2 && path.starts_with('/') && path.ends_with('/'));
    // "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles" (tilfin/aws-iam-policy-tool#9).
    if path.starts_with("/aws-service-role/") {
        let message = format!(
            "`{path}` is for roles that services make for themselves: write another, or declare an iam/ServiceLinkedRole"
        );
        return vec![Invalid::new("path", message)];
    }
    if is_path && path.len() <= 512 && printable {
        return Vec::new();
    }
    let inside = path.trim_matches('/');
    vec![Invalid::new(
        "path",
        format!(
            "`{path}` is not a path: it begins and ends with a slash, such as `/{inside}/`, and has up to 512 characters"
        ),
    )]
}

/// Complaints about a policy's path: `policyPathType` is narrower than that of roles.
pub(in crate::kinds::iam) fn policy_path(text: &str) -> Vec<Invalid> {
    let found = path(text);
    if !found.is_empty() || text.contains("${") {
        return found;
    }
    let is_taken = |c: char| c.is_ascii_alphanumeric() || "/.,+@=_-".contains(c);
    let message = match text.chars().find(|&c| !is_taken(c)) {
        Some(bad) => {
            format!("`{text}` holds {bad:?}; IAM takes letters, digits and .,+@=_- in a policy's path")
        }
        None if text.contains("//") => format!("`{text}` has two slashes side by side; write one"),
        None => return Vec::new(),
    };
    vec![Invalid::new("path", message)]
}

/// Where a path is not said.
pub(in crate::kinds::iam) fn root() -> String {
    "/".to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_and_paths() {
        assert_eq!(super::invalid("payments-job_1@x", 64), None);
        insta::assert_snapshot!(super::invalid("payments job", 64).unwrap_or_default(), @r#"`payments job` holds ' '; IAM takes letters, digits and _+=,.@- in names"#);
        assert!(super::invalid(&"x".repeat(65), 64).is_some());
        assert!(super::path("/a%b/").is_empty() && !super::path("//").is_empty());
        assert!(super::policy_path("/a.b/c=d/").is_empty() && super::policy_path("/").is_empty());
        assert!(!super::policy_path("/a%b/").is_empty() && !super::policy_path("/a//b/").is_empty());
        assert!(!super::path("/aws-service-role/x/").is_empty() && super::path("/service-role/").is_empty());
        assert!(super::path("/jobs/").is_empty() && super::path("/").is_empty());
        insta::assert_snapshot!(super::path("jobs")[0].message, @r#"`jobs` is not a path: it begins and ends with a slash, such as `/jobs/`, and has up to 512 characters"#);
    }
}
