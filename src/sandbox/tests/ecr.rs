//! ECR as AWS serves it.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::ProvideErrorMetadata;
use aws_sdk_ecr::types::{ImageTagMutability, Tag};
use sha2::{Digest, Sha256};

use super::sandbox;

const LIFECYCLE: &str = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}"#;
const ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"ecr:GetDownloadUrlForLayer"}]}"#;

fn manifest(layer: &str) -> String {
    let kind = "application/vnd.docker.distribution.manifest.v2+json";
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{kind}","config":{{"size":1}},"layers":[{{"digest":"{layer}"}}]}}"#
    )
}

async fn repository(ecr: &Client, name: &str) {
    let tag = Tag::builder().key("owner").value("me").build().unwrap();
    ecr.create_repository().repository_name(name).tags(tag).send().await.unwrap();
}

#[tokio::test]
async fn repositories_come_in_pages() {
    let sandbox = sandbox().await;
    let ecr = Client::new(&sandbox.sdk_config());
    for name in ["aa", "bb", "cc"] {
        repository(&ecr, name).await;
    }
    let page = ecr.describe_repositories().max_results(2).send().await.unwrap();
    assert_eq!(page.repositories().len(), 2);
    let rest =
        ecr.describe_repositories().max_results(2).set_next_token(page.next_token).send().await.unwrap();
    assert_eq!((rest.repositories().len(), rest.next_token()), (1, None));
    let named = ecr.describe_repositories().repository_names("bb").send().await.unwrap();
    let uri = format!("{}.dkr.ecr.us-east-1.amazonaws.com/bb", sandbox.account());
    assert_eq!(named.repositories()[0].repository_uri(), Some(uri.as_str()));
    let missing = ecr.describe_repositories().repository_names("dd").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("RepositoryNotFoundException"));
    let again = ecr.create_repository().repository_name("aa").send().await.unwrap_err();
    assert_eq!(again.code(), Some("RepositoryAlreadyExistsException"));
}

#[tokio::test]
async fn policies_that_are_not_there_are_not_found() {
    let sandbox = sandbox().await;
    let ecr = Client::new(&sandbox.sdk_config());
    repository(&ecr, "aa").await;
    let lifecycle = || ecr.get_lifecycle_policy().repository_name("aa").send();
    assert_eq!(lifecycle().await.unwrap_err().code(), Some("LifecyclePolicyNotFoundException"));
    let put =
        |text: &str| ecr.put_lifecycle_policy().repository_name("aa").lifecycle_policy_text(text).send();
    assert_eq!(put("{}").await.unwrap_err().code(), Some("InvalidParameterException"));
    put(LIFECYCLE).await.unwrap();
    assert_eq!(lifecycle().await.unwrap().lifecycle_policy_text(), Some(LIFECYCLE));
    ecr.delete_lifecycle_policy().repository_name("aa").send().await.unwrap();
    assert_eq!(lifecycle().await.unwrap_err().code(), Some("LifecyclePolicyNotFoundException"));
    let access = || ecr.get_repository_policy().repository_name("aa").send();
    assert_eq!(access().await.unwrap_err().code(), Some("RepositoryPolicyNotFoundException"));
    ecr.set_repository_policy().repository_name("aa").policy_text(ACCESS).send().await.unwrap();
    let got: serde_json::Value =
        serde_json::from_str(access().await.unwrap().policy_text().unwrap()).unwrap();
    assert_eq!(got, serde_json::from_str::<serde_json::Value>(ACCESS).unwrap());
    ecr.delete_repository_policy().repository_name("aa").send().await.unwrap();
    assert_eq!(access().await.unwrap_err().code(), Some("RepositoryPolicyNotFoundException"));
}

#[tokio::test]
async fn an_images_digest_is_the_hash_of_its_manifest() {
    let sandbox = sandbox().await;
    let ecr = Client::new(&sandbox.sdk_config());
    repository(&ecr, "aa").await;
    let put =
        |text: &str| ecr.put_image().repository_name("aa").image_tag("latest").image_manifest(text).send();
    put(&manifest("sha256:1")).await.unwrap();
    let hash: String =
        Sha256::digest(manifest("sha256:1")).iter().map(|byte| format!("{byte:02x}")).collect();
    let described = ecr.describe_images().repository_name("aa").send().await.unwrap();
    assert_eq!(described.image_details()[0].image_digest(), Some(format!("sha256:{hash}").as_str()));
    assert_eq!(described.image_details()[0].image_tags(), ["latest"]);
    assert_eq!(put(&manifest("sha256:1")).await.unwrap_err().code(), Some("ImageAlreadyExistsException"));
    let lock = ecr.put_image_tag_mutability().repository_name("aa");
    lock.image_tag_mutability(ImageTagMutability::Immutable).send().await.unwrap();
    assert_eq!(put(&manifest("sha256:2")).await.unwrap_err().code(), Some("ImageTagAlreadyExistsException"));
    let delete = ecr.delete_repository().repository_name("aa").send().await.unwrap_err();
    assert_eq!(delete.code(), Some("RepositoryNotEmptyException"));
    ecr.delete_repository().repository_name("aa").force(true).send().await.unwrap();
    let put = ecr
        .put_image()
        .repository_name("aa")
        .image_tag("a")
        .image_manifest(manifest("sha256:1"))
        .send()
        .await;
    assert_eq!(put.unwrap_err().code(), Some("RepositoryNotFoundException"));
}

#[tokio::test]
async fn tags_of_a_missing_repository_are_not_found() {
    let sandbox = sandbox().await;
    let ecr = Client::new(&sandbox.sdk_config());
    repository(&ecr, "aa").await;
    let arn = |name: &str| format!("arn:aws:ecr:us-east-1:{}:repository/{name}", sandbox.account());
    let tags = ecr.list_tags_for_resource().resource_arn(arn("aa")).send().await.unwrap();
    assert_eq!((tags.tags()[0].key(), tags.tags()[0].value()), ("owner", "me"));
    ecr.untag_resource().resource_arn(arn("aa")).tag_keys("owner").send().await.unwrap();
    assert!(ecr.list_tags_for_resource().resource_arn(arn("aa")).send().await.unwrap().tags().is_empty());
    let missing = ecr.list_tags_for_resource().resource_arn(arn("bb")).send().await.unwrap_err();
    assert_eq!(missing.code(), Some("RepositoryNotFoundException"));
}
