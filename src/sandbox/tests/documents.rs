//! Policy documents as IAM, S3 and ECR judge and keep them.

use aws_sdk_iam::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::super::Sandbox;
use super::{TRUST, sandbox};

struct Clients {
    iam: aws_sdk_iam::Client,
    s3: aws_sdk_s3::Client,
    ecr: aws_sdk_ecr::Client,
    account: String,
    bucket: String,
}

/// A bucket and a repository `img` to write policies for.
async fn clients(sandbox: &Sandbox) -> Clients {
    let config = sandbox.sdk_config();
    let s3 = aws_sdk_s3::Client::new(&config);
    let bucket = format!("documents-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    let ecr = aws_sdk_ecr::Client::new(&config);
    ecr.create_repository().repository_name("img").send().await.unwrap();
    Clients { iam: aws_sdk_iam::Client::new(&config), s3, ecr, account: sandbox.account().to_owned(), bucket }
}

impl Clients {
    fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    async fn role(&self, name: &str) -> String {
        let made = self.iam.create_role().role_name(name).assume_role_policy_document(TRUST).send().await;
        made.unwrap().role.unwrap().role_id
    }

    fn bucket_policy(&self, principal: &Value) -> String {
        let resource = format!("arn:aws:s3:::{}/*", self.bucket);
        statement(
            &json!({"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": resource}),
        )
    }

    /// The principals of the bucket's, the repository's and the trust policy of role `b`, as they are read.
    async fn principals(&self) -> Vec<Value> {
        let bucket = self.s3.get_bucket_policy().bucket(&self.bucket).send().await.unwrap().policy.unwrap();
        let image = self.ecr.get_repository_policy().repository_name("img").send().await.unwrap();
        let role = self.iam.get_role().role_name("b").send().await.unwrap().role.unwrap();
        let listed = self.iam.get_account_authorization_details().send().await.unwrap();
        let listed = listed.role_detail_list().iter().find(|it| it.role_name() == Some("b")).unwrap().clone();
        let texts = [
            bucket,
            image.policy_text.unwrap(),
            decoded(role.assume_role_policy_document().unwrap()),
            decoded(listed.assume_role_policy_document().unwrap()),
        ];
        texts
            .iter()
            .map(|text| {
                serde_json::from_str::<Value>(text).unwrap()["Statement"][0]["Principal"]["AWS"].clone()
            })
            .collect()
    }
}

fn statement(statement: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

fn trust(principal: &Value) -> String {
    statement(&json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
}

fn pull(principal: &Value) -> String {
    statement(&json!({"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage"}))
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>; the texts are those of
/// hashicorp/terraform-provider-aws#27034 (IAM), versity/versitygw#649 (S3) and aws/aws-sdk-go#3921 (ECR).
#[tokio::test]
async fn a_policy_about_nobody_is_refused() {
    let sandbox = sandbox().await;
    let aws = clients(&sandbox).await;
    let itself = trust(&json!({"AWS": aws.role_arn("self")}));
    let made = aws.iam.create_role().role_name("self").assume_role_policy_document(&itself).send().await;
    let made = made.unwrap_err();
    assert_eq!(made.code(), Some("MalformedPolicyDocument"));
    let said = format!(r#"Invalid principal in policy: "AWS":"{}""#, aws.role_arn("self"));
    assert_eq!(made.message(), Some(said.as_str()));
    let id = aws.role("self").await;
    aws.role("r").await;
    let strangers = [
        aws.role_arn("nobody"),
        aws.role_arn("path/r"),
        aws.role_arn("*"),
        format!("arn:aws:iam::{}:user/nobody", aws.account),
        format!("arn:aws:iam::{}:group/any", aws.account),
        "AROAQWERTYUIOPASDFGHJ".to_owned(),
        "nobody".to_owned(),
    ];
    for stranger in strangers {
        let principal = json!({"AWS": [stranger, aws.role_arn("r")]});
        let update = aws
            .iam
            .update_assume_role_policy()
            .role_name("r")
            .policy_document(trust(&principal))
            .send()
            .await;
        assert_eq!(update.unwrap_err().code(), Some("MalformedPolicyDocument"), "{stranger}");
        let put =
            aws.s3.put_bucket_policy().bucket(&aws.bucket).policy(aws.bucket_policy(&principal)).send().await;
        let put = put.unwrap_err();
        assert_eq!(
            (put.code(), put.message()),
            (Some("MalformedPolicy"), Some("Invalid principal in policy"))
        );
        let set =
            aws.ecr.set_repository_policy().repository_name("img").policy_text(pull(&principal)).send().await;
        let set = set.unwrap_err();
        assert_eq!(set.code(), Some("InvalidParameterException"));
        assert!(set.message().unwrap().contains("Invalid repository policy provided"), "{set:?}");
    }
    let other = "arn:aws:iam::999988887777:role/any";
    let known = json!({"AWS": [aws.role_arn("self"), id, "999988887777", other, format!("arn:aws:iam::{}:root", aws.account)],
        "Service": "batch.amazonaws.com"});
    let update = aws.iam.update_assume_role_policy().role_name("self").policy_document(trust(&known));
    update.send().await.unwrap();
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>: in a trust policy never, in
/// other documents with a denial alone.
#[tokio::test]
async fn a_policy_about_everybody_but_some_only_denies() {
    let sandbox = sandbox().await;
    let aws = clients(&sandbox).await;
    let but = |effect: &str, action: &str, resource: Option<String>| {
        let account = json!({"AWS": aws.account});
        let mut said = json!({"Effect": effect, "NotPrincipal": account, "Action": action});
        if let Some(resource) = resource {
            said["Resource"] = json!(resource);
        }
        statement(&said)
    };
    for effect in ["Allow", "Deny"] {
        let trust = but(effect, "sts:AssumeRole", None);
        let made = aws.iam.create_role().role_name("r").assume_role_policy_document(trust).send().await;
        assert_eq!(made.unwrap_err().code(), Some("MalformedPolicyDocument"), "{effect}");
        let policy = but(effect, "s3:GetObject", Some(format!("arn:aws:s3:::{}/*", aws.bucket)));
        let put = aws.s3.put_bucket_policy().bucket(&aws.bucket).policy(policy).send().await;
        let policy = but(effect, "ecr:BatchGetImage", None);
        let set = aws.ecr.set_repository_policy().repository_name("img").policy_text(policy).send().await;
        if effect == "Deny" {
            put.unwrap();
            set.unwrap();
            continue;
        }
        assert_eq!(put.unwrap_err().message(), Some("Allow with NotPrincipal is not allowed."));
        assert_eq!(set.unwrap_err().code(), Some("InvalidParameterException"));
    }
}

/// hashicorp/terraform-provider-aws#8905, cloud-custodian/cloud-custodian#6431: the id stays, whoever gets the name later, and can't be
/// written again (ministryofjustice/analytical-platform#4932).
#[tokio::test]
async fn a_policy_about_a_role_that_is_gone_shows_its_unique_id() {
    let sandbox = sandbox().await;
    let aws = clients(&sandbox).await;
    let id = aws.role("a").await;
    let arn = aws.role_arn("a");
    let principal = json!({"AWS": arn});
    let make = aws.iam.create_role().role_name("b").assume_role_policy_document(trust(&principal));
    make.send().await.unwrap();
    let put = aws.s3.put_bucket_policy().bucket(&aws.bucket).policy(aws.bucket_policy(&principal));
    put.send().await.unwrap();
    let set = aws.ecr.set_repository_policy().repository_name("img").policy_text(pull(&principal));
    set.send().await.unwrap();
    assert_eq!(aws.principals().await, vec![json!(arn); 4]);
    aws.iam.delete_role().role_name("a").send().await.unwrap();
    assert_eq!(aws.principals().await, vec![json!(id); 4]);
    let another = aws.role("a").await;
    assert_ne!(another, id);
    assert_eq!(aws.principals().await, vec![json!(id); 4], "another of the same name is somebody else");
    let update =
        aws.iam.update_assume_role_policy().role_name("b").policy_document(trust(&json!({"AWS": id})));
    assert_eq!(update.send().await.unwrap_err().code(), Some("MalformedPolicyDocument"));
    let update = aws.iam.update_assume_role_policy().role_name("b").policy_document(trust(&principal));
    update.send().await.unwrap();
    assert_eq!(aws.principals().await[2], json!(arn));
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>; that managed policies want the
/// newer one: wercker/step-s3sync#25. Numbers in conditions:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.
#[tokio::test]
async fn only_managed_policies_need_the_newer_version() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let document = |version: Option<&str>| {
        let condition =
            json!({"NumericLessThan": {"s3:max-keys": 10}, "Bool": {"aws:SecureTransport": true}});
        let mut document = json!({"Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition}});
        if let Some(version) = version {
            document["Version"] = json!(version);
        }
        document.to_string()
    };
    let old_trust = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let make = iam.create_role().role_name("r").assume_role_policy_document(old_trust.to_string());
    make.send().await.unwrap();
    for (version, managed) in [(None, false), (Some("2008-10-17"), false), (Some("2012-10-17"), true)] {
        let put =
            iam.put_role_policy().role_name("r").policy_name("p").policy_document(document(version)).send();
        put.await.unwrap();
        let made = iam.create_policy().policy_name("p").policy_document(document(version)).send().await;
        if managed {
            made.unwrap();
        } else {
            let error = made.unwrap_err();
            assert_eq!(error.code(), Some("MalformedPolicyDocument"));
            let said = "Policy document must be version 2012-10-17 or greater.";
            assert_eq!(error.message(), Some(said));
        }
    }
}

/// The numbers are those of <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
#[tokio::test]
async fn documents_are_limited_in_size_and_white_space_is_not_counted() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let sized = |size: usize, fixed: &Value, name: &str| {
        let text = fixed.to_string();
        text.replace(name, &"x".repeat(size + name.len() - text.len())).replace(',', ", \n")
    };
    let allow = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:NAME", "Resource": "*"}});
    let put = |name: &str, size: usize| {
        iam.put_role_policy()
            .role_name("r")
            .policy_name(name)
            .policy_document(sized(size, &allow, "NAME"))
            .send()
    };
    put("one", 6000).await.unwrap();
    put("two", 4240).await.unwrap();
    assert_eq!(put("two", 4241).await.unwrap_err().code(), Some("LimitExceeded"), "10,240 in sum");
    put("one", 5999).await.unwrap();
    put("two", 4241).await.unwrap();
    let managed = |size: usize| {
        iam.create_policy().policy_name("p").policy_document(sized(size, &allow, "NAME")).send()
    };
    assert_eq!(managed(6145).await.unwrap_err().code(), Some("LimitExceeded"));
    managed(6144).await.unwrap();
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "NAME.amazonaws.com"},
        "Action": "sts:AssumeRole"}});
    let update = |size: usize| {
        iam.update_assume_role_policy().role_name("r").policy_document(sized(size, &trust, "NAME")).send()
    };
    let error = update(2049).await.unwrap_err();
    assert_eq!(error.message(), Some("Cannot exceed quota for ACLSizePerRole: 2048"));
    update(2048).await.unwrap();
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>
#[tokio::test]
async fn what_is_no_document_of_its_kind_is_refused_and_breaks_nothing() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let allow = |more: Value| {
        let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"Version": "2012-10-17", "Statement": statement}).to_string()
    };
    for wrong in [
        "{}".to_owned(),
        "nonsense".to_owned(),
        allow(json!({"Action": [null]})),
        allow(json!({"Action": 7})),
        allow(json!({"Principal": "*"})),
        allow(json!({"Sid": "with space"})),
        allow(json!({"Condition": {"StringEquals": "x"}})),
        allow(json!({"Condition": {"StringEquals": {"aws:x": {"Ref": "X"}}}})),
        allow(json!({"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}})),
        allow(json!({"Condition": {"NumericEquals": {"s3:max-keys": "ten"}}})),
        allow(json!({"Condition": {"Bool": {"aws:SecureTransport": "maybe"}}})),
        allow(json!({"Condition": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/33"}}})),
        allow(json!({"Action": "s3: GetObject"})),
        allow(json!({"Action": "s3*:GetObject"})),
        allow(json!({"Resource": "arn:aws:s3:bucket"})),
        allow(json!({"Resource": "arn:aws:dynamodb:x"})),
        allow(json!({"Resource": "arn:aws:*:::bucket"})),
        allow(json!({"Resource": "arn:aws:s3::111122223333:bucket"})),
    ] {
        let put = iam.put_role_policy().role_name("r").policy_name("p").policy_document(&wrong).send().await;
        assert_eq!(put.unwrap_err().code(), Some("MalformedPolicyDocument"), "{wrong}");
        let make = iam.create_role().role_name("s").assume_role_policy_document(&wrong).send().await;
        assert_eq!(make.unwrap_err().code(), Some("MalformedPolicyDocument"), "{wrong}");
    }
}

/// As AWS's own managed policies have them.
#[tokio::test]
async fn what_iam_takes_is_taken() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    let all = statement(&json!({"Effect": "Allow", "Action": ["s3:*", "*"],
        "Resource": ["arn:*:s3:::b", "arn:aws:s3:*:*:access-grants/default", "arn:aws:iam::*:*", "arn:*:kms:*:::*", "arn:aws:s3:*:*:b"],
        "Condition": {"DateGreaterThan": {"aws:CurrentTime": ["2020-04-01T12:30+02:00", 1_585_699_201]}, "Null": {"aws:TokenIssueTime": false},
            "NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}, "IpAddress": {"aws:SourceIp": ["10.0.0.1", "2001:db8::/32"]}}}));
    iam.put_role_policy().role_name("r").policy_name("p").policy_document(&all).send().await.unwrap();
    let trust = |action: &str, principal: &Value| {
        statement(&json!({"Effect": "Allow", "Principal": principal, "Action": action}))
    };
    let service = json!({"Service": "ec2.amazonaws.com"});
    for action in ["sts:AssumeRole", "sts:tagSession", "sts:SetContext", "sts:AssumeRoleWithSAML"] {
        let update = iam.update_assume_role_policy().role_name("r").policy_document(trust(action, &service));
        update.send().await.unwrap();
    }
    for wrong in [
        trust("sts:*", &service),
        trust("sts:GetCallerIdentity", &service),
        trust("sts:AssumeRole", &json!("*")),
        trust("sts:AssumeRole", &json!({})),
        trust("sts:AssumeRole", &json!({"Service": []})),
        trust("sts:AssumeRole", &json!({"Service": "ecs-tasks"})),
    ] {
        let update = iam.update_assume_role_policy().role_name("r").policy_document(&wrong).send().await;
        assert_eq!(update.unwrap_err().code(), Some("MalformedPolicyDocument"), "{wrong}");
    }
    let make =
        iam.create_role().role_name("s").path("/aws-service-role/x/").assume_role_policy_document(TRUST);
    assert_eq!(make.send().await.unwrap_err().code(), Some("InvalidInput"));
}

/// The same grammar for documents of a bucket, a repository and an endpoint, each with its own refusal: PutBucketPolicy;
/// aws/aws-sdk-go#3921 (ECR), hashicorp/terraform-provider-aws#42291 (EC2).
#[tokio::test]
async fn what_is_no_document_of_a_resource_is_refused() {
    let sandbox = sandbox().await;
    let aws = clients(&sandbox).await;
    let ec2 = aws_sdk_ec2::Client::new(&sandbox.sdk_config());
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let arn = format!("arn:aws:s3:::{}", aws.bucket);
    let with = |base: &Value, more: &Value| {
        let mut said = base.clone();
        said.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        said.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        statement(&said)
    };
    let account = json!({"AWS": aws.account});
    let object = json!({"Effect": "Allow", "Principal": account, "Action": "s3:GetObject", "Resource": format!("{arn}/*")});
    let image = json!({"Effect": "Allow", "Principal": account, "Action": "ecr:BatchGetImage"});
    let all = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let shared = [
        json!({"Effect": "allow"}),
        json!({"Action": null}),
        json!({"Principal": null}),
        json!({"Principal": {"Service": "ecs-tasks"}}),
        json!({"Condition": {"StringEqual": {"aws:x": "y"}}}),
    ];
    let none = || [json!({})].into_iter();
    for more in shared
        .iter()
        .cloned()
        .chain([json!({"Resource": arn}), json!({"Resource": "bucket/*"})])
        .chain(none())
    {
        let put = aws.s3.put_bucket_policy().bucket(&aws.bucket).policy(with(&object, &more)).send().await;
        let code = put.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), (more != json!({})).then_some("MalformedPolicy"), "{more}");
    }
    for more in shared
        .iter()
        .cloned()
        .chain([json!({"Action": "s3:GetObject"}), json!({"Resource": "*"})])
        .chain(none())
    {
        let set = aws.ecr.set_repository_policy().repository_name("img").policy_text(with(&image, &more));
        let code = set.send().await.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), (more != json!({})).then_some("InvalidParameterException"), "{more}");
    }
    for more in shared.iter().cloned().chain([json!({"Resource": null})]).chain(none()) {
        let service = format!("com.amazonaws.{}.s3", sandbox.sdk_config().region().unwrap());
        let make =
            ec2.create_vpc_endpoint().vpc_id(&vpc).service_name(service).policy_document(with(&all, &more));
        let code = make.send().await.err().and_then(|error| error.code().map(str::to_owned));
        assert_eq!(code.as_deref(), (more != json!({})).then_some("InvalidPolicyDocument"), "{more}");
    }
}
