//! The kinds of IAM through the real SDK, against the sandbox.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::diff::{Diff, walk};
use crate::kind::{AnyKind, Call};
use crate::kinds::kind;
use crate::resource::{Incarnation, OWNER_TAG, OnDelete, Owner, Place, Tags};
use crate::sandbox::{Options, Sandbox};
use crate::services::{Clients, Result, Scope, Snapshots, Target, service};

/// A sandbox and what it takes to act on it as the executor does.
struct Account {
    sandbox: Sandbox,
    clients: Clients,
    place: Place,
    tags: Tags,
}

impl Account {
    async fn new() -> Self {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
        let clients = Clients::new(&sandbox.sdk_config());
        let place = Place::new(sandbox.account(), "eu-west-1");
        Self { sandbox, clients, place, tags: Tags::from([(OWNER_TAG.to_owned(), "acme/dev".to_owned())]) }
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sandbox.sdk_config())
    }

    async fn look(&self, kind: &dyn AnyKind, name: &str, only: bool) -> Option<Incarnation> {
        let names = BTreeMap::from([(kind.facts().name.to_owned(), BTreeSet::from([name.to_owned()]))]);
        let scope = Scope::without_sweep(Owner("acme/dev".to_owned()), self.place.clone(), names, only);
        let iam = service("iam").unwrap();
        let snapshots = Snapshots(BTreeMap::from([("iam", iam.read(&self.clients, &scope).await.unwrap())]));
        let found = kind.observe(&snapshots, &self.place).unwrap();
        found.into_iter().find(|live| live.physical == name)
    }

    /// What the whole report and a poll say; both have to agree.
    async fn live(&self, kind: &dyn AnyKind, name: &str) -> Option<Incarnation> {
        let (whole, poll) = (self.look(kind, name, false).await, self.look(kind, name, true).await);
        assert_eq!(whole, poll, "the report and a poll differ");
        whole
    }

    fn call<'a>(&'a self, name: &'a str) -> Call<'a> {
        let Self { clients, place, tags, .. } = self;
        Call { clients, place, name, tags, token: "token", on_delete: OnDelete::Refuse, interrupts: false }
    }

    fn differences(&self, kind: &dyn AnyKind, live: &Incarnation, want: &Value) -> Diff {
        let want = kind.normal(want, &self.place).unwrap();
        Diff(walk(&live.spec, &want, &kind.facts().rules, &[]))
    }

    async fn create(&self, kind: &dyn AnyKind, name: &str, want: &Value) -> Incarnation {
        assert!(self.live(kind, name).await.is_none());
        let want = kind.normal(want, &self.place).unwrap();
        assert_eq!(kind.create(self.call(name), &want).await.unwrap(), name);
        let live = self.live(kind, name).await.unwrap();
        assert_eq!(self.differences(kind, &live, &want), Diff::default(), "nothing differs after create");
        let predicted = kind.predict(name, &want, &self.place);
        assert_eq!(live.outputs["arn"], json!(predicted["arn"]), "the ARN is as predicted");
        live
    }

    /// Updates, and tells which fields it was about.
    async fn update(&self, kind: &dyn AnyKind, name: &str, want: &Value) -> Vec<String> {
        let live = self.live(kind, name).await.unwrap();
        let diff = self.differences(kind, &live, want);
        assert!(!diff.is_empty(), "something is to be changed");
        kind.update(self.call(name), &live, &kind.normal(want, &self.place).unwrap(), &diff).await.unwrap();
        let live = self.live(kind, name).await.unwrap();
        assert_eq!(self.differences(kind, &live, want), Diff::default(), "nothing differs after update");
        diff.0.into_iter().map(|change| change.path).collect()
    }

    async fn delete(&self, kind: &dyn AnyKind, name: &str) -> Result<()> {
        let live = self.live(kind, name).await.unwrap();
        kind.delete(self.call(name), &live).await
    }

    async fn retag(&self, kind: &dyn AnyKind, name: &str) {
        let live = self.live(kind, name).await.unwrap();
        let target =
            Target { kind: kind.facts().name, physical: name, arn: live.arn.as_deref(), live: &live.tags };
        let set = Tags::from([("team".to_owned(), "data".to_owned())]);
        let iam = service("iam").unwrap();
        iam.tag(&self.clients, target, &set, &[]).await.unwrap();
        let tags = self.live(kind, name).await.unwrap().tags;
        assert_eq!(tags.get("team").map(String::as_str), Some("data"));
        iam.tag(&self.clients, target, &Tags::new(), &["team".to_owned()]).await.unwrap();
        assert_eq!(self.live(kind, name).await.unwrap().tags, live.tags);
    }
}

fn document(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]})
}

fn trust(service: &str) -> Value {
    let principal = json!({ "Service": service });
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}]})
}

const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const TASKS: &str = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";

#[tokio::test]
async fn a_role_is_made_changed_mended_and_removed() {
    let account = Account::new().await;
    let role = kind("iam/Role").unwrap();
    let boundary = kind("iam/Policy").unwrap();
    let limit =
        account.create(boundary, "limit", &json!({"policyDocument": document("*")})).await.arn.unwrap();
    let first = json!({
        "assumeRolePolicyDocument": trust("ecs-tasks.amazonaws.com"), "path": "/jobs/", "description": "one",
        "maxSessionDuration": 7200, "permissionsBoundary": limit, "managedPolicyArns": [TASKS],
        "policies": [{"policyName": "a", "policyDocument": document("s3:GetObject")},
            {"policyName": "b", "policyDocument": document("s3:PutObject")}],
    });
    let live = account.create(role, "job", &first).await;
    assert_eq!(live.tags, account.tags);
    account.retag(role, "job").await;
    let second = json!({
        "assumeRolePolicyDocument": trust("batch.amazonaws.com"), "path": "/jobs/",
        "managedPolicyArns": [READ_ONLY],
        "policies": [{"policyName": "b", "policyDocument": document("s3:*")},
            {"policyName": "c", "policyDocument": document("sqs:*")}],
    });
    let changed = account.update(role, "job", &second).await;
    assert_eq!(
        changed,
        [
            "assumeRolePolicyDocument",
            "description",
            "managedPolicyArns",
            "maxSessionDuration",
            "permissionsBoundary",
            "policies[a]",
            "policies[b].policyDocument",
            "policies[c]"
        ]
    );
    account.update(role, "job", &first).await;
    // Behind our back.
    let iam = account.iam();
    iam.attach_role_policy().role_name("job").policy_arn(READ_ONLY).send().await.unwrap();
    let put = iam.put_role_policy().role_name("job").policy_name("extra");
    put.policy_document(document("iam:*").to_string()).send().await.unwrap();
    iam.update_role().role_name("job").description("by hand").send().await.unwrap();
    let healed = account.update(role, "job", &first).await;
    assert_eq!(healed, ["description", "managedPolicyArns", "policies[extra]"]);
    // Never from under an instance profile, which is somebody else's; but with everything attached.
    iam.create_instance_profile().instance_profile_name("p").send().await.unwrap();
    iam.add_role_to_instance_profile().instance_profile_name("p").role_name("job").send().await.unwrap();
    let refused = account.delete(role, "job").await.unwrap_err();
    assert_eq!(refused.message, "job is in the instance profile p: take it out of that first");
    assert_eq!(account.live(role, "job").await.unwrap().spec["policies"].as_array().unwrap().len(), 2);
    iam.remove_role_from_instance_profile().instance_profile_name("p").role_name("job").send().await.unwrap();
    account.delete(role, "job").await.unwrap();
    assert!(account.live(role, "job").await.is_none());
    account.delete(boundary, "limit").await.unwrap();
}

#[tokio::test]
async fn a_policy_keeps_five_versions_and_goes_back_to_one_it_has() {
    let account = Account::new().await;
    let policy = kind("iam/Policy").unwrap();
    let spec =
        |action: &str| json!({"policyDocument": document(action), "path": "/jobs/", "description": "d"});
    account.create(policy, "p", &spec("s3:A")).await;
    account.retag(policy, "p").await;
    for action in ["s3:B", "s3:C", "s3:D", "s3:E"] {
        assert_eq!(account.update(policy, "p", &spec(action)).await, ["policyDocument"]);
    }
    let versions = |live: &Incarnation| -> Vec<String> {
        let versions = live.outputs["versions"].as_array().unwrap();
        versions.iter().map(|version| version["id"].as_str().unwrap().to_owned()).collect()
    };
    account.update(policy, "p", &spec("s3:B")).await;
    let live = account.live(policy, "p").await.unwrap();
    assert_eq!(versions(&live), ["v1", "v2", "v3", "v4", "v5"]);
    assert_eq!(live.outputs["defaultVersionId"], "v2");
    account.update(policy, "p", &spec("s3:F")).await;
    let live = account.live(policy, "p").await.unwrap();
    assert_eq!(versions(&live), ["v2", "v3", "v4", "v5", "v6"]);

    // Attached to a role of somebody else it stays; attached to one of ours it is detached first.
    let arn = live.arn.unwrap();
    let iam = account.iam();
    let make = iam
        .create_role()
        .role_name("theirs")
        .assume_role_policy_document(trust("x.amazonaws.com").to_string());
    make.send().await.unwrap();
    iam.attach_role_policy().role_name("theirs").policy_arn(&arn).send().await.unwrap();
    let refused = account.delete(policy, "p").await.unwrap_err();
    assert!(refused.message.contains("role/theirs"), "{refused}");
    iam.detach_role_policy().role_name("theirs").policy_arn(&arn).send().await.unwrap();
    let role = json!({"assumeRolePolicyDocument": trust("batch.amazonaws.com"), "managedPolicyArns": [arn]});
    account.create(kind("iam/Role").unwrap(), "ours", &role).await;
    account.delete(policy, "p").await.unwrap();
    assert!(account.live(policy, "p").await.is_none());
}

#[tokio::test]
async fn what_is_the_accounts_is_ensured_merged_and_left() {
    let account = Account::new().await;
    let provider = kind("iam/OidcProvider").unwrap();
    let spec =
        |ids: &[&str]| json!({"url": "https://token.actions.githubusercontent.com", "clientIdList": ids});
    let url = "token.actions.githubusercontent.com";
    let live = account.create(provider, url, &spec(&["sts.amazonaws.com"])).await;
    assert_eq!(live.tags, Tags::new(), "it is nobody's own");
    account.retag(provider, url).await;
    let iam = account.iam();
    let add = iam.add_client_id_to_open_id_connect_provider().client_id("theirs");
    add.open_id_connect_provider_arn(live.arn.unwrap()).send().await.unwrap();
    assert_eq!(account.update(provider, url, &spec(&["sts.amazonaws.com", "more"])).await, ["clientIdList"]);
    let live = account.live(provider, url).await.unwrap();
    assert_eq!(live.spec["clientIdList"], json!(["sts.amazonaws.com", "theirs", "more"]));
    let mut thumbprint = spec(&["more"]);
    thumbprint["thumbprintList"] = json!(["6938fd4d98bab03faadb97b34396831e3780aea1"]);
    assert_eq!(account.update(provider, url, &thumbprint).await, ["thumbprintList"]);
    account.delete(provider, url).await.unwrap_err();

    let linked = kind("iam/ServiceLinkedRole").unwrap();
    let batch = json!({"awsServiceName": "batch.amazonaws.com", "description": "one"});
    let name = linked.physical(&batch, "batch", &account.place);
    account.create(linked, &name, &batch).await;
    let again = linked.create(account.call(&name), &batch).await.unwrap_err();
    let fault = service("iam").unwrap().classify(&again, std::time::Duration::ZERO);
    assert_eq!(fault, crate::services::Fault::Exists);
    let mut other = batch.clone();
    other["description"] = json!("two");
    assert_eq!(account.update(linked, &name, &other).await, ["description"]);
    account.delete(linked, &name).await.unwrap_err();
    let unknown = json!({"awsServiceName": "guardduty.amazonaws.com"});
    let name = linked.physical(&unknown, "x", &account.place);
    linked.create(account.call(&name), &unknown).await.unwrap();
    let live = account.live(linked, &name).await.unwrap();
    assert_eq!(account.differences(linked, &live, &unknown), Diff::default());
}

#[tokio::test]
async fn a_plan_reads_iam_in_a_handful_of_calls() {
    let account = Account::new().await;
    let role = json!({"assumeRolePolicyDocument": trust("batch.amazonaws.com"), "managedPolicyArns": [TASKS],
        "policies": [{"policyName": "a", "policyDocument": document("s3:*")}]});
    for name in ["a", "b", "c"] {
        account.create(kind("iam/Role").unwrap(), name, &role).await;
    }
    account.create(kind("iam/Policy").unwrap(), "p", &json!({"policyDocument": document("s3:*")})).await;
    account.sandbox.reset_stats();
    account.look(kind("iam/Role").unwrap(), "a", false).await.unwrap();
    assert_eq!(account.sandbox.stats().calls.len(), 2, "{:?}", account.sandbox.stats().calls);
}

#[tokio::test]
async fn an_owned_policy_that_nobody_declares_any_more_is_found_with_its_tags() {
    let account = Account::new().await;
    let policy = kind("iam/Policy").unwrap();
    account.create(policy, "left", &json!({"policyDocument": document("s3:*")})).await;
    let owner = Owner("acme/dev".to_owned());
    let mut scope = Scope::without_sweep(owner.clone(), account.place.clone(), BTreeMap::new(), false);
    scope.sweep = crate::services::tagging::sweep(&account.sandbox.sdk_config(), &account.place, &owner);
    let read = service("iam").unwrap().read(&account.clients, &scope).await.unwrap();
    let found = policy.observe(&Snapshots(BTreeMap::from([("iam", read)])), &account.place).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].owner(), Some(owner));
}
