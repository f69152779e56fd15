//! User data: AWS keeps it in base64, and people read it in clear.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether Batch can add its own part: anything else makes an environment INVALID with "CLIENT_ERROR - Launch Template UserData is
/// not MIME multipart format" (aws/aws-cdk#6427).
/// <https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html>
pub fn is_multipart(text: &str) -> bool {
    let mut head = text.lines().take_while(|line| !line.is_empty()).map(str::to_lowercase);
    head.any(|line| line.strip_prefix("content-type:").is_some_and(|it| it.contains("multipart/")))
}

/// In clear. What begins neither like a script nor like a list of headers and is base64 of text, stands for that text; base64 of
/// anything else, such as what is compressed, stays as it is.
pub fn clear(text: &str) -> String {
    decoded(text).unwrap_or_else(|| text.to_owned())
}

fn decoded(text: &str) -> Option<String> {
    let bare: String = text.split_whitespace().collect();
    String::from_utf8(STANDARD.decode(&bare).ok()?).ok().filter(|clear| !clear.is_empty())
}

/// As AWS takes it.
pub fn encoded(text: &str) -> String {
    let bare: String = text.split_whitespace().collect();
    match STANDARD.decode(&bare) {
        Ok(_) if !bare.is_empty() => bare,
        _ => STANDARD.encode(text),
    }
}

#[cfg(test)]
mod tests {
    use super::{clear, encoded, is_multipart};

    const MULTIPART: &str =
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"==B==\"\n\n--==B==\n";

    #[test]
    fn both_forms_mean_the_same() {
        for text in ["#!/bin/sh\necho hello\n", "#cloud-config\n", MULTIPART] {
            assert_eq!(clear(text), text);
            assert_eq!(clear(&encoded(text)), text);
            assert_eq!(encoded(&encoded(text)), encoded(text));
        }
        let compressed = "H4sIAAAAAAAAA1NW1E/KzNMvzuACAKtWOcYKAAAA";
        assert_eq!((clear(compressed).as_str(), encoded(compressed).as_str()), (compressed, compressed));
    }

    #[test]
    fn an_archive_is_told_by_its_head() {
        assert!(is_multipart(MULTIPART) && is_multipart(&MULTIPART.replace('\n', "\r\n")));
        assert!(!is_multipart("#!/bin/sh\necho 'Content-Type: multipart/mixed'\n"));
        assert!(!is_multipart("#!/bin/sh\n\nContent-Type: multipart/mixed\n"));
        assert!(!is_multipart("#!/bin/sh\r\n\r\nContent-Type: multipart/mixed\r\n"));
    }
}
