//! `bootstrap`, and that nobody who came in through GitHub's roles changes them.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use batchwright::sandbox::{Options, Sandbox};

use crate::world::copy::copy;

const ACCOUNT: &str = "222222222222";

struct Scene {
    folder: tempfile::TempDir,
    sandbox: Sandbox,
}

impl Scene {
    async fn set() -> Self {
        let options = Options { account: ACCOUNT.into(), region: "us-east-1".into(), ..Options::isolated() };
        let sandbox = Sandbox::start(options, &mut |_| ()).await.expect("the sandbox starts");
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests"), &folder.path().join("manifests"));
        Self { folder, sandbox }
    }

    /// Exit code and both streams; with these credentials, or the sandbox's own.
    async fn run(&self, args: &[&str], credentials: Option<[&str; 3]>) -> (i32, String) {
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_batchwright"));
        program.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        let foreign = |name: &str| name.starts_with("GITHUB_") || name.starts_with("AWS_");
        for (name, _) in std::env::vars().filter(|(name, _)| foreign(name)) {
            program.env_remove(name);
        }
        program.envs(self.sandbox.environment()).env("HOME", self.folder.path());
        if let Some([id, secret, token]) = credentials {
            program.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
            program.env("AWS_SESSION_TOKEN", token);
        }
        let output = program.output().await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_opens_the_gate_and_a_workflow_may_not_widen_it() {
    let scene = Scene::set().await;
    let (code, said) = scene.run(&["bootstrap", "prod"], None).await;
    assert_eq!(code, 1, "it asks: {said}");
    assert!(
        said.contains("+ create iam/Role/apply (prod-github-apply)") || said.contains("iam/Role/apply"),
        "{said}"
    );
    let (code, said) = scene.run(&["bootstrap", "prod", "--yes"], None).await;
    assert_eq!(code, 0, "{said}");
    let iam = aws_sdk_iam::Client::new(&scene.sandbox.sdk_config());
    let roles = iam.list_roles().send().await.unwrap();
    let mut roles: Vec<&str> = roles.roles().iter().map(|role| role.role_name()).collect();
    roles.sort_unstable();
    assert_eq!(
        roles,
        ["prod-github-apply", "prod-github-plan", "prod-github-push"],
        "and nothing else was made"
    );
    let (code, said) = scene.run(&["bootstrap", "prod", "--yes"], None).await;
    assert!(code == 0 && said.contains("No changes."), "{said}");

    // The same manifests, another description of a role, by whoever may assume the role that applies.
    let manifest = scene.folder.path().join("manifests/stacks/github/plan.yaml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("Plans and looks for drift", "Plans, looks for drift, and more"))
        .unwrap();
    let sts = aws_sdk_sts::Client::new(&scene.sandbox.sdk_config());
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/prod-github-apply");
    let assumed = sts.assume_role().role_arn(arn).role_session_name("deploy").send().await.unwrap();
    let session = assumed.credentials().unwrap();
    let credentials = [session.access_key_id(), session.secret_access_key(), session.session_token()];
    let apply = ["apply", "prod", "--only", "iam/Role/plan", "--yes"];
    let (code, said) = scene.run(&apply, Some(credentials)).await;
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("apply it with `batchwright bootstrap prod` and your own credentials first"),
        "{said}"
    );
    // Nor by taking the gate out of the manifests, roles or trust.
    let environment = scene.folder.path().join("manifests/prod/environment.yaml");
    let declared = fs::read_to_string(&environment).unwrap();
    let without = declared.replace("stacks: [payments, github]", "stacks: [payments]");
    assert_ne!(declared, without);
    fs::write(&environment, without).unwrap();
    let destroy = ["apply", "prod", "--yes"];
    let (code, said) = scene.run(&destroy, Some(credentials)).await;
    assert!(code == 3 && said.contains("`batchwright bootstrap prod`"), "{said}");
    fs::write(&environment, declared).unwrap();
    let (code, said) = scene.run(&["bootstrap", "prod", "--yes"], None).await;
    assert!(code == 0 && said.contains("1 to change"), "a person may: {said}");
    let (code, said) = scene.run(&apply, Some(credentials)).await;
    assert!(code == 0 && said.contains("No changes."), "and then there is nothing to refuse: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_that_github_has_no_business_with_says_so() {
    let scene = Scene::set().await;
    let dev = scene.folder.path().join("manifests/dev/environment.yaml");
    let text = fs::read_to_string(&dev).unwrap().replace("111111111111", ACCOUNT);
    fs::write(&dev, text).unwrap();
    let (code, said) = scene.run(&["bootstrap", "dev", "--yes"], None).await;
    assert!(code == 1 && said.contains("dev declares nothing in a stack named github"), "{said}");
}
