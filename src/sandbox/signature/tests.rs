//! The examples that AWS gives, with their signatures:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>,
//! and the first one of IAM's guide, ListUsers.

use super::*;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const HOST: (&str, &str) = ("host", "examplebucket.s3.amazonaws.com");
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const PRESIGNED: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

/// Seconds after the examples' own time.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600 + seconds)
}

/// A request of S3's, with a header of its own.
fn s3(path: &str, query: &str, own: &[(&'static str, &str)], signature: &str) -> Result<(), Flaw> {
    let names = own.iter().map(|(name, _)| *name).chain(["host", "x-amz-content-sha256", "x-amz-date"]);
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={},Signature={signature}",
        names.join(";")
    );
    let fixed = [HOST, ("x-amz-date", "20130524T000000Z"), ("x-amz-content-sha256", EMPTY)];
    let headers = headers(&[&fixed, own, &[("authorization", &authorization)]].concat());
    let received = Received { method: &Method::GET, path, query, headers: &headers, body: b"" };
    Claim::of(query, &headers).unwrap().check(&received, SECRET, at(1))
}

#[test]
fn what_aws_signs_is_right_and_nothing_else() {
    let range = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    assert_eq!(s3("/test.txt", "", &[("range", "bytes=0-9")], range), Ok(()));
    assert_eq!(s3("/test.tx", "", &[("range", "bytes=0-9")], range), Err(Flaw::Wrong));
    assert_eq!(s3("/test.txt", "", &[("range", "bytes=0-8")], range), Err(Flaw::Wrong));
    assert_eq!(s3("/test.txt", "acl", &[("range", "bytes=0-9")], range), Err(Flaw::Wrong));
    let lifecycle = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
    assert_eq!(s3("/", "lifecycle", &[], lifecycle), Ok(()));
    let list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
    assert_eq!(s3("/", "max-keys=2&prefix=J", &[], list), Ok(()));
    assert_eq!(s3("/", "prefix=J&max-keys=2", &[], list), Ok(()), "in whatever order they are sent");
    assert_eq!(s3("/", "max-keys=2&prefix=J", &[], ""), Err(Flaw::Wrong));
}

#[test]
fn a_presigned_url_is_good_for_as_long_as_it_says() {
    let check = |path: &str, query: &str, now| {
        let headers = headers(&[HOST]);
        let received = Received { method: &Method::GET, path, query, headers: &headers, body: b"" };
        Claim::of(query, &headers).unwrap().check(&received, SECRET, now)
    };
    assert_eq!(check("/test.txt", PRESIGNED, at(86_400)), Ok(()));
    assert_eq!(check("/test.txt", PRESIGNED, at(86_401)), Err(Flaw::Expired));
    assert_eq!(check("/other.txt", PRESIGNED, at(1)), Err(Flaw::Wrong));
    let longer = PRESIGNED.replace("86400", "99999");
    assert_eq!(check("/test.txt", &longer, at(1)), Err(Flaw::Wrong));
}

#[test]
fn a_body_is_signed_too_and_a_request_grows_old() {
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature={signature}"
    );
    let headers = headers(&[
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("host", "iam.amazonaws.com"),
        ("x-amz-date", "20150830T123600Z"),
        ("authorization", &authorization),
    ]);
    let query = "Action=ListUsers&Version=2010-05-08";
    let claim = Claim::of(query, &headers).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_440_938_160);
    let check = |body: &[u8], now| {
        let received = Received { method: &Method::GET, path: "/", query, headers: &headers, body };
        claim.check(&received, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", now)
    };
    assert_eq!(check(b"", then), Ok(()));
    assert_eq!(check(b"x", then), Err(Flaw::Wrong));
    assert_eq!(check(b"", then + Duration::from_secs(901)), Err(Flaw::Skewed));
    assert_eq!(check(b"", then - Duration::from_secs(901)), Err(Flaw::Skewed));
}

#[test]
fn what_a_proxy_says_that_it_was_called_by_is_tried_as_well() {
    let hosts = |pairs: &[(&'static str, &str)]| hosts(&headers(pairs)).join(" ");
    assert_eq!(hosts(&[("host", "127.0.0.1:4566")]), "127.0.0.1:4566");
    let nginx = [("host", "127.0.0.1:4566"), ("x-forwarded-host", "aws.test"), ("x-forwarded-port", "8080")];
    assert_eq!(hosts(&nginx), "127.0.0.1:4566 aws.test aws.test:8080 aws.test:4566");
    let standard = [("host", "127.0.0.1:4566"), ("forwarded", "for=::1;Host=\"aws.test:80\", for=b;host=c")];
    assert!(hosts(&standard).starts_with("127.0.0.1:4566 aws.test:80 "), "{}", hosts(&standard));
}

#[test]
fn odd_claims_are_wrong_and_nothing_falls_over() {
    let day = "20130524";
    for authorization in [
        format!("AWS4-HMAC-SHA256 Credential=A/{day}/us-east-1/iam/aws4_request"),
        format!(
            "AWS4-ECDSA-P256-SHA256 Credential=A/{day}/iam/aws4_request, SignedHeaders=host, Signature=0"
        ),
        format!(
            "AWS4-HMAC-SHA256 Credential=A/{day}/us-east-1/iam/aws4_request, SignedHeaders=x-amz-date, Signature="
        ),
        "AWS4-HMAC-SHA256 Credential=A/é/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"
            .to_owned(),
    ] {
        for date in [
            "20130524T000000Z",
            "20130524T256199Z",
            "00000000T000000Z",
            "2013052éT000000Z",
            "",
            "T",
            "99999999T999999Z",
        ] {
            let mut headers = headers(&[HOST]);
            headers.insert("authorization", http::HeaderValue::from_bytes(authorization.as_bytes()).unwrap());
            headers.insert("x-amz-date", http::HeaderValue::from_bytes(date.as_bytes()).unwrap());
            let received = Received {
                method: &Method::GET,
                path: "/../%zz",
                query: "&=&%",
                headers: &headers,
                body: b"",
            };
            if let Some(claim) = Claim::of("&=&%", &headers) {
                assert_eq!(claim.check(&received, SECRET, at(0)), Err(Flaw::Wrong), "{authorization} {date}");
            }
        }
    }
    assert!(Claim::of("", &headers(&[("authorization", "Basic YTpi")])).is_none());
    assert!(Claim::of("X-Amz-Credential=a", &HeaderMap::new()).is_none());
}
