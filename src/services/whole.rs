//! Whether an answer is whole. An XML body that was cut between two elements reads like one in which the rest is absent, and so does
//! an answer of nothing: what AWS did not say would pass for what is not there.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::{Bytes, BytesMut};

use super::limiter::Operation;
use super::promised;

/// The answer, read to its end; an error if part of it is missing. Only answers that say success are looked at: of others the
/// status counts.
pub(super) async fn whole(
    operation: &Operation,
    mut answer: HttpResponse,
) -> Result<HttpResponse, ConnectorError> {
    if !answer.status().is_success() || operation.action == "HEAD" {
        return Ok(answer);
    }
    let body = read(answer.take_body()).await.map_err(ConnectorError::io)?;
    let missing = missing(&body).filter(|missing| operation.reads() || *missing != Missing::All);
    let missing = missing.map(|missing| missing.to_string());
    let wrong = missing.or_else(|| promised::check(operation, &body).err().filter(|_| operation.reads()));
    if let Some(wrong) = wrong {
        return Err(ConnectorError::io(wrong.into()));
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}

/// No answer of AWS is this long: pages have at most some thousand items.
pub(crate) const LONGEST: usize = 128 * 1024 * 1024;

/// A body to its end, unless that does not come.
pub(crate) async fn read(body: SdkBody) -> Result<Bytes, BoxError> {
    let mut body = ByteStream::new(body);
    let mut read = BytesMut::new();
    while let Some(part) = body.next().await {
        read.extend_from_slice(&part?);
        if read.len() > LONGEST {
            return Err(format!("the answer is longer than {} MiB", LONGEST / (1024 * 1024)).into());
        }
    }
    Ok(read.freeze())
}

/// What an answer lacks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Missing {
    #[error("the answer has no content")]
    All,
    #[error("the answer ends before its end: no </{0}>")]
    End(String),
    #[error("the answer ends before its end")]
    Rest,
}

/// Of JSON, what is cut off does not read; no read of AWS answers with an object of nothing.
fn missing(body: &[u8]) -> Option<Missing> {
    let text = body.trim_ascii();
    if text.is_empty() || text.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii() == b"}") {
        return Some(Missing::All);
    }
    if !text.starts_with(b"<") {
        return None;
    }
    let Some(element) = root(text) else { return Some(Missing::Rest) };
    let name = element.iter().position(|byte| byte.is_ascii_whitespace() || b"/>".contains(byte));
    let Some(name) = name.and_then(|end| element.get(..end)) else { return Some(Missing::Rest) };
    let is_empty = element.ends_with(b"/>") && !element.contains(&b'<');
    let end = [b"</", name, b">"].concat();
    (!text.ends_with(&end) && !is_empty).then(|| Missing::End(String::from_utf8_lossy(name).into_owned()))
}

/// The first element, from its name on, after declarations and comments.
fn root(mut text: &[u8]) -> Option<&[u8]> {
    loop {
        let start = text.iter().position(|byte| *byte == b'<')?;
        text = text.get(start + 1..)?;
        let close: &[u8] = match text {
            [b'?', ..] => b"?>",
            [b'!', b'-', b'-', ..] => b"-->",
            [b'!', ..] => b">",
            _ => return Some(text),
        };
        let end = text.windows(close.len()).position(|window| window == close)?;
        text = text.get(end + close.len()..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListRolesResponse xmlns=\"x\"><ListRolesResult><IsTruncated>false</IsTruncated><Roles><member><RoleName>a</RoleName></member></Roles></ListRolesResult></ListRolesResponse>\n";

    /// Cut anywhere, also where a reader finds every element closed that it asks for.
    #[test]
    fn an_xml_answer_that_is_cut_off_is_no_answer() {
        assert_eq!(missing(LIST.as_bytes()), None);
        let whole = LIST.trim_end().len();
        for end in 0..whole {
            assert!(missing(&LIST.as_bytes()[..end]).is_some(), "{}", &LIST[..end]);
        }
    }

    #[test]
    fn what_is_whole_may_be_short() {
        for whole in [
            "<a/>",
            "<?xml version=\"1.0\"?><LocationConstraint xmlns=\"x\"/>",
            "<!-- x --><a></a>",
            "{\"a\":[]}",
            "[]",
        ] {
            assert_eq!(missing(whole.as_bytes()), None, "{whole}");
        }
        assert_eq!(missing(b"<a><b/>"), Some(Missing::End("a".to_owned())));
        for nothing in ["", " \n", "{}", "{ }\n"] {
            assert_eq!(missing(nothing.as_bytes()), Some(Missing::All), "{nothing}");
        }
    }
}
