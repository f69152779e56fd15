//! What is refused from the request alone: names, descriptions, tags.

use aws_sdk_ec2::types::{ResourceType, TagSpecification};
use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tagging};

use super::{TRUST, sandbox};

/// Code and message of a refusal.
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(answer: Result<T, E>) -> (String, String) {
    let error = answer.err().unwrap();
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

/// So many tags `k0`, `k1`, …
fn many(count: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("k{number}"), "v".to_owned())).collect()
}

fn one(key: &str, value: &str) -> Vec<(String, String)> {
    vec![(key.to_owned(), value.to_owned())]
}

fn of_iam(tags: Vec<(String, String)>) -> Vec<aws_sdk_iam::types::Tag> {
    let tag = |(key, value)| aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap();
    tags.into_iter().map(tag).collect()
}

/// The patterns and lengths are those of botocore's model of IAM; the text's form is that of SWO-GS/auto-tag#90.
#[tokio::test]
async fn names_paths_and_descriptions_of_iam_are_those_of_its_model() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let make = |name: &str| iam.create_role().role_name(name).assume_role_policy_document(TRUST);
    let (code, message) = refusal(make("a role").send().await);
    assert_eq!(code, "ValidationError");
    let said = r"1 validation error detected: Value 'a role' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+";
    assert_eq!(message, said);
    for name in [&"x".repeat(65), "ümlaut", "a/b"] {
        assert_eq!(refusal(make(name).send().await).0, "ValidationError", "{name}");
    }
    for path in ["/x", "x/", "/a b/", "/ü/"] {
        assert_eq!(refusal(make("r").path(path).send().await).0, "ValidationError", "{path}");
    }
    for description in ["“quoted”", "–", &"x".repeat(1001)] {
        assert_eq!(refusal(make("r").description(description).send().await).0, "ValidationError");
    }
    make("r").description("ümlaut, 1 to 2").path("/a/b/").send().await.unwrap();
    let update = iam.update_role().role_name("r").description("“quoted”").send().await;
    assert_eq!(refusal(update).0, "ValidationError");
    let policy = iam.create_policy().policy_name("p").path("/a!b/").policy_document("{}").send().await;
    assert!(refusal(policy).1.contains(r"((/[A-Za-z0-9\.,\+@=_-]+)*)/"), "narrower than a role's");
}

/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>,
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html>
#[tokio::test]
async fn a_name_of_iam_is_taken_whatever_its_case_and_path_and_a_boundary_is_there() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let document =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let policy = |name: &str, path: &str| {
        iam.create_policy().policy_name(name).path(path).policy_document(document).send()
    };
    policy("Reader", "/").await.unwrap();
    assert_eq!(refusal(policy("reader", "/").await).0, "EntityAlreadyExists");
    assert_eq!(refusal(policy("Reader", "/jobs/").await).0, "EntityAlreadyExists");
    let role = |name: &str, path: &str, boundary: Option<&str>| {
        let call = iam.create_role().role_name(name).path(path).assume_role_policy_document(TRUST);
        call.set_permissions_boundary(boundary.map(str::to_owned)).send()
    };
    let boundary = format!("arn:aws:iam::{}:policy/nothing", sandbox.account());
    assert_eq!(refusal(role("Reader", "/", Some(&boundary)).await).0, "NoSuchEntity");
    role("Reader", "/", Some(&boundary.replace("nothing", "Reader"))).await.unwrap();
    assert_eq!(refusal(role("READER", "/jobs/", None).await).0, "EntityAlreadyExists");
    let put = iam.put_role_permissions_boundary().role_name("Reader").permissions_boundary(&boundary);
    assert_eq!(refusal(put.send().await).0, "NoSuchEntity");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules>
#[tokio::test]
async fn tags_of_iam() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let make = |tags| {
        let call = iam.create_role().role_name("r").assume_role_policy_document(TRUST);
        call.set_tags(Some(of_iam(tags))).send()
    };
    assert_eq!(refusal(make(one("note", "it's")).await).0, "ValidationError");
    assert_eq!(refusal(make(one("", "x")).await).0, "ValidationError");
    assert_eq!(refusal(make(one("k", &"x".repeat(257))).await).0, "ValidationError");
    assert_eq!(refusal(make(one("aws:k", "x")).await).0, "InvalidInput");
    assert_eq!(refusal(make(many(51)).await).0, "ValidationError");
    let (code, message) = refusal(make([one("Team", "a"), one("team", "b")].concat()).await);
    assert_eq!(code, "InvalidInput");
    assert_eq!(message, "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    make(many(50)).await.unwrap();
    let tag = |tags| iam.tag_role().role_name("r").set_tags(Some(of_iam(tags))).send();
    assert_eq!(refusal(tag(one("k50", "")).await).0, "LimitExceeded");
    tag(one("K1", "in another case")).await.unwrap();
    let held = async || iam.list_role_tags().role_name("r").send().await.unwrap().tags;
    assert_eq!(held().await.len(), 50, "the case of a role's key means nothing");
    iam.untag_role().role_name("r").tag_keys("k1").send().await.unwrap();
    assert_eq!(held().await.len(), 49);
    let document =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    let both = of_iam([one("Team", "a"), one("team", "b")].concat());
    let policy = iam.create_policy().policy_name("p").policy_document(document).set_tags(Some(both)).send();
    let arn = policy.await.unwrap().policy.unwrap().arn.unwrap();
    iam.untag_policy().policy_arn(&arn).tag_keys("team").send().await.unwrap();
    let left = iam.list_policy_tags().policy_arn(&arn).send().await.unwrap().tags;
    assert_eq!(left, of_iam(one("Team", "a")), "a policy tells keys apart by case");
}

/// scality/cloudserver#4451 and versity/versitygw#1204 have tried S3's.
#[tokio::test]
async fn tags_of_s3() {
    let sandbox = sandbox().await;
    let s3 = aws_sdk_s3::Client::new(&sandbox.sdk_config());
    let bucket = format!("tags-{}", sandbox.account());
    let tag = |(key, value)| aws_sdk_s3::types::Tag::builder().key(key).value(value).build().unwrap();
    let set = |tags: Vec<(String, String)>| tags.into_iter().map(tag).collect::<Vec<_>>();
    let make = |tags| {
        let configuration = CreateBucketConfiguration::builder().set_tags(Some(set(tags)));
        s3.create_bucket().bucket(&bucket).create_bucket_configuration(configuration.build()).send()
    };
    assert_eq!(refusal(make(many(51)).await).0, "BadRequest");
    assert_eq!(refusal(make(one("note", "it's")).await).0, "InvalidTag");
    make(many(50)).await.unwrap();
    let put = |tags| {
        let tagging = Tagging::builder().set_tag_set(Some(set(tags))).build().unwrap();
        s3.put_bucket_tagging().bucket(&bucket).tagging(tagging).send()
    };
    let invalid = |message: &str| ("InvalidTag".to_owned(), message.to_owned());
    let count = ("BadRequest".to_owned(), "Bucket tag count cannot be greater than 50".to_owned());
    assert_eq!(refusal(put(many(51)).await), count);
    assert_eq!(refusal(put(one("a,b", "")).await), invalid("The TagKey you have provided is invalid"));
    assert_eq!(refusal(put(one("a", "b,c")).await), invalid("The TagValue you have provided is invalid"));
    assert_eq!(
        refusal(put(one("aws:a", "")).await),
        invalid("System tags cannot be added/updated by requester")
    );
    let twice = [one("a", ""), one("a", "")].concat();
    assert_eq!(refusal(put(twice).await), invalid("Cannot provide multiple Tags with the same key"));
    put(one("an ümlaut", "")).await.unwrap();
    let got = s3.get_bucket_tagging().bucket(&bucket).send().await.unwrap();
    assert_eq!(got.tag_set(), set(one("an ümlaut", "")));
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>; the text about reserved keys is that of
/// jcjorel/ec2-spot-converter#13.
#[tokio::test]
async fn tags_of_ec2() {
    let sandbox = sandbox().await;
    let ec2 = aws_sdk_ec2::Client::new(&sandbox.sdk_config());
    let set = |tags: Vec<(String, String)>| {
        let tag = |(key, value)| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
        tags.into_iter().map(tag).collect::<Vec<_>>()
    };
    let make = |tags| {
        let tags = TagSpecification::builder().resource_type(ResourceType::Vpc).set_tags(Some(set(tags)));
        ec2.create_vpc().cidr_block("10.0.0.0/16").tag_specifications(tags.build()).send()
    };
    let count = async || ec2.describe_vpcs().send().await.unwrap().vpcs().len();
    let before = count().await;
    assert_eq!(refusal(make(many(51)).await).0, "TagLimitExceeded");
    assert_eq!(refusal(make(one("", "")).await).0, "InvalidParameterValue");
    assert_eq!(refusal(make(one("k", &"x".repeat(257))).await).0, "InvalidParameterValue");
    assert_eq!(refusal(make(one(&"x".repeat(129), "")).await).0, "InvalidParameterValue");
    let reserved = "Tag keys starting with 'aws:' are reserved for internal use";
    assert_eq!(refusal(make(one("AWS:k", "")).await).1, reserved);
    assert_eq!(count().await, before, "nothing is made whose tags are wrong");
    let vpc = make(many(49)).await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let tag = |tags| ec2.create_tags().resources(&vpc).set_tags(Some(set(tags))).send();
    tag(one("any character", "it's, “quoted”")).await.unwrap();
    assert_eq!(refusal(tag(one("k50", "")).await).0, "TagLimitExceeded");
    assert_eq!(refusal(tag(one("aws:k", "")).await).1, reserved);
}

/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html#tag-restrictions>, and for the name ECR's model and
/// int128/create-ecr-repository-action#231.
#[tokio::test]
async fn names_and_tags_of_ecr() {
    let sandbox = sandbox().await;
    let ecr = aws_sdk_ecr::Client::new(&sandbox.sdk_config());
    let set = |tags: Vec<(String, String)>| {
        let tag = |(key, value)| aws_sdk_ecr::types::Tag::builder().key(key).value(value).build().unwrap();
        tags.into_iter().map(tag).collect::<Vec<_>>()
    };
    let make =
        |name: &str, tags| ecr.create_repository().repository_name(name).set_tags(Some(set(tags))).send();
    for name in ["Upper", "a//b", "-a", "a", &"x".repeat(257)] {
        assert_eq!(refusal(make(name, vec![]).await).0, "InvalidParameterException", "{name}");
    }
    assert_eq!(refusal(make("img", many(51)).await).0, "TooManyTagsException");
    assert_eq!(refusal(make("img", one("aws:k", "")).await).0, "InvalidTagParameterException");
    let arn = make("img", many(50)).await.unwrap().repository.unwrap().repository_arn.unwrap();
    let tag = |tags| ecr.tag_resource().resource_arn(&arn).set_tags(Some(set(tags))).send();
    assert_eq!(refusal(tag(one("k50", "")).await).0, "TooManyTagsException");
    assert_eq!(refusal(tag(one("k", &"x".repeat(257))).await).0, "InvalidTagParameterException");
    tag(one("k1", "another")).await.unwrap();
    let policy = ecr.put_lifecycle_policy().repository_name("img").lifecycle_policy_text("{}").send().await;
    assert_eq!(refusal(policy).0, "InvalidParameterException", "a policy has 100 characters at least");
}

/// The patterns, and how many tags a call takes, are those of the service's model; for the whole see
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>.
#[tokio::test]
async fn names_and_tags_of_log_groups() {
    let sandbox = sandbox().await;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sandbox.sdk_config());
    let make = |name: &str, tags: Vec<(String, String)>| {
        logs.create_log_group().log_group_name(name).set_tags(Some(tags.into_iter().collect())).send()
    };
    for name in ["a group", "a:b", "aws/group", &"x".repeat(513)] {
        assert_eq!(refusal(make(name, many(1)).await).0, "InvalidParameterException", "{name}");
    }
    assert_eq!(refusal(make("g", one("note", "it's")).await).0, "InvalidParameterException");
    assert_eq!(refusal(make("g", one("aws:k", "")).await).0, "InvalidParameterException");
    assert_eq!(refusal(make("g", many(51)).await).0, "InvalidParameterException");
    let key = logs.create_log_group().log_group_name("g").kms_key_id("alias/a").send().await;
    assert_eq!(refusal(key).0, "InvalidParameterException", "no alias is taken");
    make("g", many(50)).await.unwrap();
    let arn = format!("arn:aws:logs:us-east-1:{}:log-group:g", sandbox.account());
    let tag = |tags: Vec<(String, String)>| {
        logs.tag_resource().resource_arn(&arn).set_tags(Some(tags.into_iter().collect())).send()
    };
    assert_eq!(refusal(tag(one("k50", "")).await).0, "TooManyTagsException");
    tag(one("k1", "ümlaut")).await.unwrap();
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
#[tokio::test]
async fn a_bucket_has_a_name_an_owner_and_a_region() {
    let sandbox = sandbox().await;
    let s3 = aws_sdk_s3::Client::new(&sandbox.sdk_config());
    let make = |name: &str| s3.create_bucket().bucket(name).send();
    for name in ["Upper", "a..b", "10.0.0.1", "xn--a", "a", "-ab", "a_b", &"x".repeat(64), "logs-s3alias"] {
        assert_eq!(refusal(make(name).await).0, "InvalidBucketName", "{name}");
    }
    let name = format!("elsewhere-{}", sandbox.account());
    let region = aws_sdk_s3::config::Region::new("eu-central-1");
    let there = aws_sdk_s3::config::Builder::from(&sandbox.sdk_config()).region(region).build();
    let there = aws_sdk_s3::Client::from_conf(there);
    let location =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuCentral1);
    there.create_bucket().bucket(&name).create_bucket_configuration(location.build()).send().await.unwrap();
    assert_eq!(refusal(make(&name).await).0, "BucketAlreadyOwnedByYou");
    let tags = s3.get_bucket_tagging().bucket(&name).send().await;
    assert_eq!(refusal(tags).0, "PermanentRedirect");
    let delete = s3.delete_bucket().bucket(&name).send().await;
    assert_eq!(refusal(delete).0, "PermanentRedirect");
    let object = s3.get_object().bucket(&name).key("k").send().await;
    assert_eq!(refusal(object).0, "PermanentRedirect");
    let where_it_is = s3.get_bucket_location().bucket(&name).send().await.unwrap();
    assert_eq!(where_it_is.location_constraint(), Some(&BucketLocationConstraint::EuCentral1));
    assert_eq!(refusal(there.get_bucket_tagging().bucket(&name).send().await).0, "NoSuchTagSet");
}
