//! The program itself against a sandbox of its own account: exit codes, texts, and how many calls it made.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::process::{Command, Stdio};

use batchwright::sandbox::{Options, Sandbox};
use tempfile::TempDir;

/// A folder of manifests with one environment, `dev`, of one stack, and a sandbox.
pub struct Stand {
    pub folder: TempDir,
    pub sandbox: Sandbox,
}

/// How a command ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
    /// Requests to AWS, and those of them that change something.
    pub calls: usize,
    pub writes: usize,
}

/// A stand whose commands have a variable set.
pub struct With<'a> {
    stand: &'a Stand,
    variable: (&'a str, &'a str),
}

impl With<'_> {
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.stand.run_with(args, &[self.variable]).await
    }
}

impl Stand {
    /// `ACCOUNT` in the environment's text is the sandbox's.
    pub async fn new(environment: &str) -> Self {
        let options = Options { region: "eu-west-1".to_owned(), ..Options::isolated() };
        let sandbox = Sandbox::start(options, &mut |_| ()).await.unwrap();
        let stand = Self { folder: tempfile::tempdir().unwrap(), sandbox };
        stand.environment(environment);
        stand
    }

    pub fn environment(&self, text: &str) {
        self.write("manifests/dev/environment.yaml", &text.replace("ACCOUNT", self.sandbox.account()));
    }

    pub fn stack(&self, text: &str) {
        self.write("manifests/stacks/main/main.yaml", text);
    }

    pub fn write(&self, path: &str, text: &str) {
        self.bytes(path, text.as_bytes());
    }

    pub fn bytes(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.path().join(path)).unwrap()
    }

    pub fn with<'a>(&'a self, name: &'a str, value: &'a str) -> With<'a> {
        With { stand: self, variable: (name, value) }
    }

    /// `apply dev --yes` with these arguments.
    pub async fn apply(&self, args: &[&str]) -> Ran {
        self.run(&[&["apply", "dev", "--yes"], args].concat()).await
    }

    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[]).await
    }

    async fn run_with(&self, args: &[&str], variables: &[(&str, &str)]) -> Ran {
        self.sandbox.reset_stats();
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchwright"));
        command.args(args).args(["--endpoint-url", self.sandbox.endpoint()]).current_dir(&self.folder);
        let unset = [
            "AWS_PROFILE",
            "AWS_ACCESS_KEY_ID",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "GITHUB_ACTIONS",
            "GITHUB_SHA",
        ];
        for name in unset {
            command.env_remove(name);
        }
        // The manifests say the region, and one that is set as well is held against it.
        command.envs(self.sandbox.environment().into_iter().filter(|(name, _)| !name.contains("REGION")));
        command.env_remove("AWS_ENDPOINT_URL").stdin(Stdio::null());
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.envs(variables.iter().copied());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let stats = self.sandbox.stats();
        Ran {
            code: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
            calls: stats.count(),
            writes: stats.writes(),
        }
    }

    fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.sandbox.sdk_config())
    }

    /// A role that somebody made by hand.
    pub async fn iam_role(&self, name: &str) {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
        self.iam().create_role().role_name(name).assume_role_policy_document(trust).send().await.unwrap();
    }

    /// The names of all roles.
    pub async fn owned(&self) -> Vec<String> {
        let roles = self.iam().list_roles().send().await.unwrap().roles;
        let own = roles.iter().filter(|role| !role.path.starts_with("/aws-service-role/"));
        own.map(|role| role.role_name.clone()).collect()
    }
}
