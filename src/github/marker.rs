//! The hidden first line by which our own comments and issues are found again.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What we wrote, and about which environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker<'a> {
    /// `plan`, `drift` or `deploy`.
    pub about: &'a str,
    /// The environment's name.
    pub environment: &'a str,
}

impl Marker<'_> {
    /// The line, with what it is to remember: pairs of a key and a value without spaces.
    pub fn line(&self, remembered: &[(&str, &str)]) -> String {
        let mut line = self.start();
        for (key, value) in remembered.iter().filter(|(_, value)| !value.is_empty()) {
            line += &format!(" {key}={value}");
        }
        line + " -->"
    }

    /// Whether a text begins with this marker.
    pub fn opens(&self, body: &str) -> bool {
        body.strip_prefix(&self.start()).is_some_and(|rest| rest.starts_with(' '))
    }

    /// What the marker of a text remembers under a key.
    pub fn recall<'b>(&self, body: &'b str, key: &str) -> Option<&'b str> {
        let line = body.lines().next().filter(|_| self.opens(body))?;
        line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn start(&self) -> String {
        // What is no plain name could end the comment that hides it.
        const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');
        let environment = utf8_percent_encode(self.environment, ESCAPED);
        format!("<!-- batchwright {} environment={environment}", self.about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_remembers_and_is_not_mistaken() {
        let prod = Marker { about: "plan", environment: "prod" };
        let line = prod.line(&[("head", "abc"), ("none", "")]);
        assert_eq!(line, "<!-- batchwright plan environment=prod head=abc -->");
        let body = format!("{line}\n## plan\nhead=other");
        assert!(prod.opens(&body));
        assert_eq!(prod.recall(&body, "head"), Some("abc"));
        assert_eq!(prod.recall(&body, "none"), None);
        assert!(!Marker { about: "plan", environment: "pro" }.opens(&body));
        assert!(!Marker { about: "drift", environment: "prod" }.opens(&body));
        assert!(!prod.opens(&format!("> {body}")));
        let evil = Marker { about: "plan", environment: "a -->\n<img>" };
        assert_eq!(evil.line(&[]), "<!-- batchwright plan environment=a%20--%3E%0A%3Cimg%3E -->");
    }
}
