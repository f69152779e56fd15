//! Who is let in: whoever knows a secret of this sandbox, from whatever program; and nobody else of this machine, and no page.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::PresigningConfig;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};

use super::super::Sandbox;
use super::sandbox;

/// The same endpoint with other credentials.
fn with(sandbox: &Sandbox, id: &str, secret: &str, token: Option<&str>) -> aws_config::SdkConfig {
    let credentials = Credentials::new(id, secret, token.map(str::to_owned), None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    sandbox.sdk_config().into_builder().credentials_provider(provider).build()
}

/// Status and body of a plain request.
async fn send(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<Bytes>>();
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let shared = response.headers().keys().any(|name| name.as_str().starts_with("access-control-"));
    assert!(!shared, "a page may read this: {:?}", response.headers());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// What each service says: <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html> and the others of its kind.
#[tokio::test]
async fn a_wrong_key_is_refused_as_each_service_refuses_it() {
    let sandbox = sandbox().await;
    let codes = async |id: &str, secret: &str| {
        let config = with(&sandbox, id, secret, None);
        let code = |error: &dyn ProvideErrorMetadata| error.code().unwrap_or("none").to_owned();
        [
            code(&aws_sdk_iam::Client::new(&config).list_roles().send().await.unwrap_err()),
            code(&aws_sdk_ec2::Client::new(&config).describe_vpcs().send().await.unwrap_err()),
            code(&aws_sdk_ecr::Client::new(&config).describe_repositories().send().await.unwrap_err()),
            code(&aws_sdk_batch::Client::new(&config).describe_job_queues().send().await.unwrap_err()),
            code(&aws_sdk_s3::Client::new(&config).list_buckets().send().await.unwrap_err()),
        ]
    };
    let forged = codes("AKIASANDBOXSANDBOX00", "sandbox").await;
    let signature = "InvalidSignatureException";
    assert_eq!(
        forged,
        ["SignatureDoesNotMatch", "AuthFailure", signature, signature, "SignatureDoesNotMatch"]
    );
    let unknown = codes("AKIAIOSFODNN7EXAMPLE", "sandbox").await;
    let client = "UnrecognizedClientException";
    assert_eq!(unknown, ["InvalidClientTokenId", "AuthFailure", client, client, "InvalidAccessKeyId"]);
    assert_eq!(codes("AKIASANDBOXITSELF000", "sandbox").await, forged, "the sandbox's own key is no way in");
    assert_eq!(sandbox.stats().count(), 0, "they never came to a service");
}

#[tokio::test]
async fn keys_that_iam_and_sts_gave_out_are_good_as_long_as_they_are() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    iam.create_user().user_name("u").send().await.unwrap();
    let key = iam.create_access_key().user_name("u").send().await.unwrap().access_key.unwrap();
    let user = aws_sdk_sts::Client::new(&with(&sandbox, &key.access_key_id, &key.secret_access_key, None));
    let arn = user.get_caller_identity().send().await.unwrap().arn.unwrap();
    assert!(arn.ends_with(":user/u"), "{arn}");
    let off = aws_sdk_iam::types::StatusType::Inactive;
    iam.update_access_key()
        .user_name("u")
        .access_key_id(&key.access_key_id)
        .status(off)
        .send()
        .await
        .unwrap();
    let refused = user.get_caller_identity().send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidClientTokenId"));

    iam.create_role().role_name("r").assume_role_policy_document(super::TRUST).send().await.unwrap();
    let role = format!("arn:aws:iam::{}:role/r", sandbox.account());
    let sts = aws_sdk_sts::Client::new(&sandbox.sdk_config());
    let given =
        sts.assume_role().role_arn(&role).role_session_name("s").send().await.unwrap().credentials.unwrap();
    let with_token = async |token: Option<&str>| {
        let config = with(&sandbox, given.access_key_id(), given.secret_access_key(), token);
        aws_sdk_sts::Client::new(&config).get_caller_identity().send().await
    };
    let arn = with_token(Some(given.session_token())).await.unwrap().arn.unwrap();
    assert!(arn.ends_with(":assumed-role/r/s"), "{arn}");
    for wrong in [None, Some("another")] {
        assert_eq!(with_token(wrong).await.unwrap_err().code(), Some("InvalidClientTokenId"));
    }
}

#[tokio::test]
async fn what_nobody_signed_is_refused_and_what_was_signed_beforehand_is_served() {
    let sandbox = sandbox().await;
    let s3 = aws_sdk_s3::Client::new(&sandbox.sdk_config());
    let bucket = format!("signed-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    s3.put_object().bucket(&bucket).key("a b+c").body(b"v".to_vec().into()).send().await.unwrap();
    let soon = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let url = s3.get_object().bucket(&bucket).key("a b+c").presigned(soon).await.unwrap().uri().to_owned();
    assert_eq!(send("GET", &url, &[], "").await, (200, "v".to_owned()));
    assert_eq!(send("GET", &url.replace("Expires=60", "Expires=61"), &[], "").await.0, 403);
    let plain = url.split('?').next().unwrap();
    let (status, anonymous) = send("GET", plain, &[], "").await;
    assert!(status == 403 && anonymous.contains("<Code>AccessDenied</Code>"), "{status} {anonymous}");

    // Nobody can check here who issued a token: it would be a way in for whoever writes one.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let role = format!("arn:aws:iam::{}:role/r", sandbox.account());
    let assume = format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn={role}&RoleSessionName=s&WebIdentityToken=t"
    );
    let (status, said) = send("POST", sandbox.endpoint(), &form, &assume).await;
    assert!(status == 400 && said.contains("<Code>InvalidIdentityToken</Code>"), "{status} {said}");
    let list = "Action=ListRoles&Version=2010-05-08";
    let (status, said) = send("POST", sandbox.endpoint(), &form, list).await;
    assert!(status == 403 && said.contains("MissingAuthenticationToken"), "{status} {said}");
    let target = [("x-amz-target", "Logs_20140328.DescribeLogGroups")];
    let (status, said) = send("POST", sandbox.endpoint(), &target, "{}").await;
    assert!(status == 400 && said.contains("MissingAuthenticationTokenException"), "{status} {said}");
}

/// A client signs for the host that it calls; a proxy that passes the call on names it, or leaves it where it is.
#[tokio::test]
async fn a_proxy_may_call_it_by_its_own_address() {
    let sandbox = sandbox().await;
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let front = format!("http://{}", proxy.local_addr().unwrap());
    let behind = sandbox.endpoint().to_owned();
    let pass = async move |request: axum::extract::Request| {
        let (mut head, body) = request.into_parts();
        let host = head.headers.remove("host").unwrap();
        head.headers.insert("x-forwarded-host", host);
        head.uri = format!("{behind}{}", head.uri.path_and_query().unwrap()).parse().unwrap();
        let body = Full::new(axum::body::to_bytes(body, usize::MAX).await.unwrap());
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        client.request(http::Request::from_parts(head, body)).await.unwrap().map(axum::body::Body::new)
    };
    tokio::spawn(async move { axum::serve(proxy, axum::Router::new().fallback(pass)).await });
    let config = sandbox.sdk_config().into_builder().endpoint_url(front).build();
    aws_sdk_iam::Client::new(&config).list_roles().send().await.unwrap();
    let batch = aws_sdk_batch::Client::new(&config);
    batch
        .list_tags_for_resource()
        .resource_arn("arn:aws:batch:us-east-1:1:job-queue/a b")
        .send()
        .await
        .unwrap_err();
    let s3 = aws_sdk_s3::Client::new(&config);
    let bucket = format!("proxied-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    s3.put_object().bucket(&bucket).key("a/ü (1)").body(b"v".to_vec().into()).send().await.unwrap();
    assert_eq!(sandbox.stats().of("s3", "PutObject"), 1);
    assert_eq!(sandbox.stats().of("batch", "ListTagsForResource"), 1, "its signature was right");
}

#[tokio::test]
async fn a_web_page_reaches_neither_port() {
    let sandbox = sandbox().await;
    let (front, moto) =
        (sandbox.endpoint().to_owned(), format!("http://127.0.0.1:{}", sandbox.state.moto.port()));
    let origin = ("origin", "http://evil.example");
    let text = ("content-type", "text/plain");
    let volumes = r#"{"jobDefinitionName":"j","type":"container","containerProperties":{"image":"i","volumes":[{"host":{"sourcePath":"/"}}]}}"#;
    for base in [&front, &moto] {
        for (method, path, body) in [
            ("POST", "/v1/registerjobdefinition", volumes),
            ("POST", "/_batchwright/images", r#"{"image":"evil","program":"/bin/sh"}"#),
            ("POST", "/moto-api/seed", ""),
            ("GET", "/moto-api/data.json", ""),
            ("GET", "/batchwright/snapshot", ""),
            ("OPTIONS", "/v1/registerjobdefinition", ""),
        ] {
            for headers in [
                vec![origin, text],
                vec![("origin", "null"), text],
                // A name that leads here, as after a rebinding of names: then a page asks from its own place.
                vec![("host", "evil.example"), text],
                vec![("host", "evil.localhost"), text],
                vec![text],
            ] {
                let (status, said) = send(method, &format!("{base}{path}"), &headers, body).await;
                assert!(status == 403, "{method} {base}{path} {headers:?}: {status} {said}");
            }
        }
    }
    // Nor with the admin door's token, should it come to know that.
    let knows = [("x-batchwright-token", sandbox.token()), origin];
    assert_eq!(send("GET", &format!("{front}/_batchwright/stats"), &knows, "").await.0, 403);
}

/// As another user of this machine, with a shell's own means.
#[tokio::test]
#[allow(clippy::print_stderr, reason = "it says where it was not run")]
async fn another_user_finds_both_ports_and_no_way_in() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT RUN: only root may become another user, to try what that user may");
        return;
    }
    let sandbox = sandbox().await;
    let (front, moto) =
        (sandbox.endpoint().rsplit(':').next().unwrap().to_owned(), sandbox.state.moto.port());
    let attack = r#"
ask() { # PORT METHOD PATH BODY HEADER…
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 9
  { printf '%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\nContent-Length: %s\r\n' "$2" "$3" "$1" "${#4}"
    for header in "${@:5}"; do printf '%s\r\n' "$header"; done; printf '\r\n%s' "$4"; } >&3
  IFS= read -r line <&3; exec 3<&-; echo "$2 $3 ${line:9:3}"
}
id -u
forged='Authorization: AWS4-HMAC-SHA256 Credential=AKIASANDBOXSANDBOX00/20261130/us-east-1/batch/aws4_request, SignedHeaders=host;x-amz-date, Signature=0'
for port in "$FRONT" "$MOTO"; do
  ask "$port" POST /_batchwright/images '{"image":"evil","program":"/bin/sh","args":["-c","id"]}'
  ask "$port" POST /_batchwright/images '{"image":"evil","program":"/bin/sh"}' 'X-Batchwright-Token: sandbox'
  for key in "$forged" "${forged/SANDBOXSANDBOX00/SANDBOXITSELF000}"; do
    for call in createjobqueue registerjobdefinition submitjob; do
      ask "$port" POST "/v1/$call" '{}' "$key" 'X-Amz-Date: 20261130T000000Z'
    done
  done
  ask "$port" GET /batchwright/key/AKIASANDBOXSANDBOX00 '' 'X-Batchwright-Inside: 1' 'X-Batchwright-Secret: a'
  ask "$port" GET /moto-api/data.json ''
done
for process in $PROCESSES; do
  cat "/proc/$process/environ" 2>/dev/null | tr '\0' '\n'
  cat "/proc/$process/cmdline" | tr '\0' '\n'
done
"#;
    let processes = format!("{} {}", std::process::id(), sandbox.state.moto.process());
    let mut shell = Command::new("bash");
    shell.args(["-c", attack]).current_dir("/").env_clear().env("PATH", "/usr/bin:/bin");
    shell.env("FRONT", front).env("MOTO", moto.to_string()).env("PROCESSES", processes).uid(65534).gid(65534);
    let ended = tokio::task::spawn_blocking(move || shell.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ended.stderr);
    let mut lines = said.lines();
    assert_eq!(lines.next(), Some("65534"), "{said}{errors}");
    let answers: Vec<&str> =
        lines.take_while(|line| line.starts_with("POST /") || line.starts_with("GET /")).collect();
    assert_eq!(answers.len(), 20, "{said}{errors}");
    assert!(answers.iter().all(|answer| answer.ends_with(" 403")), "{answers:#?}");
    let keys = &sandbox.state.keys;
    for secret in [&keys.user, &keys.own, &keys.token, sandbox.state.moto.secret()] {
        assert!(!said.contains(secret.reveal()), "a secret can be read");
    }
    assert_eq!(sandbox.stats().count(), 0);
}
