//! IAM as AWS serves it.

use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::{EntityType, Tag};

use super::{TRUST, sandbox};

const POLICY: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
const MANAGED: &str = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn policy(iam: &aws_sdk_iam::Client, name: &str) -> String {
    let made = iam.create_policy().policy_name(name).policy_document(POLICY).send().await.unwrap();
    made.policy.unwrap().arn.unwrap()
}

#[tokio::test]
async fn the_service_linked_role_of_batch_is_spelled_as_aws_spells_it() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let create = || iam.create_service_linked_role().aws_service_name("batch.amazonaws.com").send();
    let role = create().await.unwrap().role.unwrap();
    let arn = format!(
        "arn:aws:iam::{}:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
        sandbox.account()
    );
    assert_eq!(role.arn, arn);
    let again = create().await.unwrap_err();
    assert_eq!(again.code(), Some("InvalidInput"));
    assert_eq!(
        again.message(),
        Some(
            "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix."
        )
    );
    let name = "AWSServiceRoleForBatch";
    let deleted = iam.delete_role().role_name(name).send().await.unwrap_err();
    assert_eq!(deleted.code(), Some("UnmodifiableEntity"));
    let task = iam.delete_service_linked_role().role_name(name).send().await.unwrap().deletion_task_id;
    let status = iam.get_service_linked_role_deletion_status().deletion_task_id(task).send().await.unwrap();
    assert_eq!(status.status.as_str(), "SUCCEEDED");
    assert_eq!(iam.get_role().role_name(name).send().await.unwrap_err().code(), Some("NoSuchEntity"));
}

#[tokio::test]
async fn an_attached_policy_cannot_be_deleted() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let arn = policy(&iam, "p").await;
    iam.create_role().role_name("r").assume_role_policy_document(TRUST).send().await.unwrap();
    for _ in 0..2 {
        iam.attach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    }
    let refused = iam.delete_policy().policy_arn(&arn).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("DeleteConflict"));
    let refused = iam.delete_role().role_name("r").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("DeleteConflict"));
    iam.detach_role_policy().role_name("r").policy_arn(&arn).send().await.unwrap();
    iam.delete_policy().policy_arn(&arn).send().await.unwrap();
    assert_eq!(iam.get_policy().policy_arn(&arn).send().await.unwrap_err().code(), Some("NoSuchEntity"));
    iam.delete_role().role_name("r").send().await.unwrap();
}

#[tokio::test]
async fn a_policy_has_five_versions_and_none_may_be_left_when_it_goes() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let arn = policy(&iam, "p").await;
    let another =
        || iam.create_policy_version().policy_arn(&arn).policy_document(POLICY).set_as_default(true).send();
    for _ in 0..4 {
        another().await.unwrap();
    }
    assert_eq!(another().await.unwrap_err().code(), Some("LimitExceeded"));
    let got = iam.get_policy().policy_arn(&arn).send().await.unwrap().policy.unwrap();
    assert_eq!(got.default_version_id(), Some("v5"));
    assert_eq!(iam.delete_policy().policy_arn(&arn).send().await.unwrap_err().code(), Some("DeleteConflict"));
    for version in ["v1", "v2", "v3", "v4"] {
        iam.delete_policy_version().policy_arn(&arn).version_id(version).send().await.unwrap();
    }
    let default = iam.delete_policy_version().policy_arn(&arn).version_id("v5").send().await.unwrap_err();
    assert_eq!(default.code(), Some("DeleteConflict"));
    iam.delete_policy().policy_arn(&arn).send().await.unwrap();
}

#[tokio::test]
async fn clients_of_an_oidc_provider_are_added_and_removed() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let url = "https://token.actions.githubusercontent.com";
    let create =
        || iam.create_open_id_connect_provider().url(url).client_id_list("one").tags(tag("a", "b")).send();
    let arn = create().await.unwrap().open_id_connect_provider_arn.unwrap();
    assert_eq!(create().await.unwrap_err().code(), Some("EntityAlreadyExists"));
    let add = |id: &str| {
        iam.add_client_id_to_open_id_connect_provider()
            .open_id_connect_provider_arn(&arn)
            .client_id(id)
            .send()
    };
    add("two").await.unwrap();
    add("two").await.unwrap();
    let remove = iam.remove_client_id_from_open_id_connect_provider();
    remove.open_id_connect_provider_arn(&arn).client_id("one").send().await.unwrap();
    let got = iam.get_open_id_connect_provider().open_id_connect_provider_arn(&arn).send().await.unwrap();
    assert_eq!(got.client_id_list(), ["two"]);
    assert_eq!(got.tags(), [tag("a", "b")]);
    assert_eq!(got.url(), Some("token.actions.githubusercontent.com"));
    let missing =
        iam.get_open_id_connect_provider().open_id_connect_provider_arn(format!("{arn}x")).send().await;
    assert_eq!(missing.unwrap_err().code(), Some("NoSuchEntity"));
}

#[tokio::test]
async fn authorization_details_hold_the_whole_of_a_role() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let boundary = policy(&iam, "boundary").await;
    let make = iam.create_role().role_name("r").path("/jobs/").assume_role_policy_document(TRUST);
    make.description("d")
        .max_session_duration(7200)
        .permissions_boundary(&boundary)
        .tags(tag("a", "b"))
        .send()
        .await
        .unwrap();
    iam.put_role_policy().role_name("r").policy_name("inline").policy_document(POLICY).send().await.unwrap();
    iam.attach_role_policy().role_name("r").policy_arn(MANAGED).send().await.unwrap();
    iam.create_instance_profile().instance_profile_name("i").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("i").role_name("r").send().await.unwrap();
    let got = iam.get_account_authorization_details().filter(EntityType::Role).send().await.unwrap();
    let [role] = got.role_detail_list() else { panic!("{got:?}") };
    assert_eq!(role.path(), Some("/jobs/"));
    assert_eq!(role.tags(), [tag("a", "b")]);
    assert_eq!(role.permissions_boundary().unwrap().permissions_boundary_arn(), Some(boundary.as_str()));
    assert_eq!(decoded(role.assume_role_policy_document().unwrap()), TRUST);
    assert_eq!(role.role_policy_list()[0].policy_name(), Some("inline"));
    assert_eq!(decoded(role.role_policy_list()[0].policy_document().unwrap()), POLICY);
    assert_eq!(role.attached_managed_policies()[0].policy_arn(), Some(MANAGED));
    assert_eq!(role.instance_profile_list()[0].instance_profile_name(), "i");
    assert!(got.policies().is_empty());
    let listed = iam.list_roles().send().await.unwrap();
    assert_eq!(listed.roles()[0].description(), Some("d"));
    assert_eq!(listed.roles()[0].max_session_duration(), Some(7200));
    assert!(listed.roles()[0].tags().is_empty(), "AWS lists roles without their tags");
}

#[tokio::test]
async fn authorization_details_come_in_pages_with_all_versions_of_own_policies() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    for name in ["a", "b", "c"] {
        let arn = policy(&iam, name).await;
        iam.create_policy_version().policy_arn(&arn).policy_document(POLICY).send().await.unwrap();
        iam.create_role().role_name(name).assume_role_policy_document(TRUST).send().await.unwrap();
    }
    let both = [EntityType::Role, EntityType::LocalManagedPolicy];
    let pages = iam.get_account_authorization_details().set_filter(Some(both.to_vec()));
    let mut pages = pages.max_items(2).into_paginator().send();
    let (mut roles, mut policies, mut count) = (Vec::new(), Vec::new(), 0);
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        count += 1;
        roles.extend(page.role_detail_list.unwrap_or_default());
        policies.extend(page.policies.unwrap_or_default());
    }
    assert_eq!((count, roles.len(), policies.len()), (3, 3, 3));
    let names: Vec<_> = policies.iter().filter_map(|policy| policy.policy_name()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(policies.iter().all(|policy| policy.policy_version_list().len() == 2));
    assert!(policies.iter().all(|policy| policy.default_version_id() == Some("v1")));
    assert_eq!(decoded(policies[0].policy_version_list()[0].document().unwrap()), POLICY);
}

#[tokio::test]
async fn update_role_leaves_alone_what_it_is_not_told() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let make = iam.create_role().role_name("r").assume_role_policy_document(TRUST).description("d");
    make.max_session_duration(7200).send().await.unwrap();
    iam.update_role().role_name("r").description("e").send().await.unwrap();
    let role = iam.get_role().role_name("R").send().await.unwrap().role.unwrap();
    assert_eq!((role.description(), role.max_session_duration()), (Some("e"), Some(7200)));
    let again = iam.create_role().role_name("R").assume_role_policy_document(TRUST).send().await.unwrap_err();
    assert_eq!(again.code(), Some("EntityAlreadyExists"), "names differ by more than case");
}

#[tokio::test]
async fn lists_of_roles_and_policies_come_in_pages() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    for name in ["a", "b", "c"] {
        policy(&iam, name).await;
        iam.create_role().role_name(name).assume_role_policy_document(TRUST).send().await.unwrap();
    }
    let page = iam.list_roles().max_items(2).send().await.unwrap();
    assert_eq!((page.roles().len(), page.is_truncated()), (2, true));
    let rest = iam.list_roles().max_items(2).set_marker(page.marker).send().await.unwrap();
    assert_eq!((rest.roles().len(), rest.is_truncated()), (1, false));
    let local = iam.list_policies().scope(aws_sdk_iam::types::PolicyScopeType::Local).send().await.unwrap();
    assert_eq!(local.policies().len(), 3);
    let all = iam.list_policies().max_items(1000).send().await.unwrap();
    assert_eq!((all.policies().len(), all.is_truncated()), (1000, true));
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned()
}
