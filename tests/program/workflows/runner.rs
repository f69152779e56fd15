//! A runner of workflows: `run:` steps for real, in bash and in order, with the files and variables that GitHub gives; for each
//! action that our workflows use a stand-in, and a failure for any other.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use batchwright::sandbox::Sandbox;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::expression::{fill, holds, text_of};
use super::trust;
use crate::forge::{Forge, REPOSITORY, TOKEN};
use crate::world::copy::copy;

/// What a run is started with.
#[derive(Debug, Clone)]
pub struct Event {
    pub name: &'static str,
    /// `GITHUB_EVENT_PATH`, and the context `github.event`.
    pub payload: Value,
    pub sha: String,
    pub inputs: Value,
    /// The repository's variables.
    pub vars: Value,
}

/// A repository that is checked out anew for every job.
pub struct Runner<'a> {
    pub forge: &'a Forge,
    pub sandbox: &'a Sandbox,
    /// What `actions/checkout` checks out: the folder with the manifests.
    pub repository: &'a Path,
    /// What it checks out of a fork.
    pub fork: Option<&'a Path>,
    /// What a pull request would be merged onto, where that is something else: the first parent of what is checked out.
    pub base: Option<&'a Path>,
    pub folder: tempfile::TempDir,
    artifacts: BTreeMap<String, PathBuf>,
    /// How many images `docker/build-push-action` has built: each is another, since its provenance says when it was.
    pub builds: usize,
}

/// How a job ended.
#[derive(Debug, Default)]
pub struct Ran {
    pub succeeded: bool,
    /// What all steps printed.
    pub log: String,
    pub summary: String,
    outputs: Value,
}

impl Ran {
    /// What the jobs after it see of it.
    fn needed(&self) -> Value {
        let result = match self.succeeded {
            true => "success",
            false if self.log == "skipped" => "skipped",
            false => "failure",
        };
        json!({ "result": result, "outputs": self.outputs })
    }
}

/// What the steps of one job share.
struct Job<'w> {
    name: &'w str,
    job: &'w Value,
    workspace: PathBuf,
    temp: PathBuf,
    path: Vec<String>,
    /// Set by actions, such as credentials.
    environment: BTreeMap<String, String>,
    context: Value,
    failed: bool,
    log: String,
}

impl<'a> Runner<'a> {
    pub fn new(forge: &'a Forge, sandbox: &'a Sandbox, repository: &'a Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            forge,
            sandbox,
            repository,
            fork: None,
            base: None,
            folder,
            artifacts: BTreeMap::new(),
            builds: 0,
        }
    }

    /// Runs every job whose condition holds and whose needs are met, in the file's order of needs.
    pub async fn run(&mut self, file: &str, event: &Event) -> BTreeMap<String, Ran> {
        let id = self.forge.world().begin_run(file, &event.sha);
        let ended = self.jobs(file, event).await;
        let failed = |ran: &Ran| !ran.succeeded && ran.log != "skipped";
        let conclusion = if ended.values().any(failed) { "failure" } else { "success" };
        self.forge.world().end_run(id, conclusion);
        ended
    }

    async fn jobs(&mut self, file: &str, event: &Event) -> BTreeMap<String, Ran> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows").join(file);
        let mut workflow: Value = serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        workflow["file"] = file.into();
        assert_eq!(workflow["permissions"], json!({}), "nothing is allowed that no job asks for");
        let mut ended: BTreeMap<String, Ran> = BTreeMap::new();
        let jobs = workflow["jobs"].as_object().unwrap();
        while let Some((name, job)) = jobs.iter().find(|(name, job)| {
            !ended.contains_key(*name) && needs(job).iter().all(|need| ended.contains_key(need))
        }) {
            let met = needs(job).iter().all(|need| ended[need].succeeded);
            let mut context = self.context(&workflow, event);
            context["needs"] = ended.iter().map(|(name, ran)| (name.clone(), ran.needed())).collect();
            if holds(job["if"].as_str(), &context, !met) {
                let matrix = job["strategy"]["matrix"].as_object().cloned().unwrap_or_default();
                for (key, values) in if matrix.is_empty() {
                    vec![(String::new(), json!([null]))]
                } else {
                    matrix.into_iter().collect()
                } {
                    for value in values.as_array().unwrap() {
                        let mut context = context.clone();
                        context["matrix"] = json!({ (key.clone()): value });
                        ended.insert(name.clone(), self.job(name, job, &workflow, event, context).await);
                    }
                }
            } else {
                ended.insert(name.clone(), Ran { log: "skipped".into(), ..Ran::default() });
            }
        }
        ended
    }

    fn context(&self, workflow: &Value, event: &Event) -> Value {
        json!({
            "github": {
                "token": TOKEN, "repository": REPOSITORY, "sha": event.sha, "event": event.payload,
                "workflow": workflow["name"], "event_name": event.name, "ref": event.payload["ref"],
                "api_url": self.forge.api,
            },
            "inputs": event.inputs, "vars": event.vars, "steps": {}, "matrix": {}, "job": {"status": "success"},
            "runner": {"temp": ""}, "env": {},
        })
    }

    async fn job(&mut self, name: &str, job: &Value, workflow: &Value, event: &Event, context: Value) -> Ran {
        let root = self.folder.path().join(name);
        drop(fs::remove_dir_all(&root));
        let (workspace, temp) = (root.join("workspace"), root.join("temp"));
        fs::create_dir_all(&workspace).unwrap();
        fs::create_dir_all(&temp).unwrap();
        fs::write(temp.join("event.json"), event.payload.to_string()).unwrap();
        let tools = tools(&root.join("tools"));
        let mut running = Job {
            name,
            job,
            workspace,
            path: vec![tools, std::env::var("PATH").unwrap()],
            environment: self.environment(&temp, workflow, event),
            context,
            temp,
            failed: false,
            log: String::new(),
        };
        running.context["runner"]["temp"] = running.temp.to_str().unwrap().into();
        // The token can do what the job asks for, and no more.
        self.forge.world().grants = Some(job["permissions"].clone());
        for of in [workflow, job] {
            let values = of["env"].as_object().cloned().unwrap_or_default();
            for (key, value) in values {
                let value = fill(&text_of(&value), &running.context);
                running.environment.insert(key, value);
            }
        }
        for (index, step) in job["steps"].as_array().unwrap().iter().enumerate() {
            if holds(step["if"].as_str(), &running.context, running.failed) {
                let outcome = self.step(&mut running, index, step).await;
                if let Some(id) = step["id"].as_str() {
                    running.context["steps"][id]["outcome"] =
                        if outcome { "success" } else { "failure" }.into();
                }
                if !outcome {
                    running.failed = true;
                    running.context["job"]["status"] = "failure".into();
                }
            }
        }
        self.forge.world().grants = None;
        let summary = fs::read_to_string(running.temp.join("summary")).unwrap_or_default();
        let outputs = job["outputs"].as_object().cloned().unwrap_or_default();
        let outputs =
            outputs.into_iter().map(|(key, it)| (key, Value::from(fill(&text_of(&it), &running.context))));
        Ran { succeeded: !running.failed, log: running.log, summary, outputs: outputs.collect() }
    }

    /// What every step sees: of AWS the endpoint, and no credentials before somebody gets them.
    fn environment(&self, temp: &Path, workflow: &Value, event: &Event) -> BTreeMap<String, String> {
        let reference = event.payload["ref"].as_str().unwrap_or("refs/heads/main");
        let file = text_of(&workflow["file"]);
        let at = |name: &str| temp.join(name).to_str().unwrap().to_owned();
        [
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_API_URL", self.forge.api.clone()),
            ("GITHUB_EVENT_NAME", event.name.to_owned()),
            ("GITHUB_EVENT_PATH", at("event.json")),
            ("GITHUB_OUTPUT", at("output")),
            ("GITHUB_PATH", at("path")),
            ("GITHUB_GRAPHQL_URL", format!("{}/graphql", self.forge.api)),
            ("GITHUB_REF", reference.to_owned()),
            ("GITHUB_REPOSITORY", REPOSITORY.to_owned()),
            ("GITHUB_WORKFLOW_REF", format!("{REPOSITORY}/.github/workflows/{file}@{reference}")),
            ("GITHUB_RUN_ID", "77".to_owned()),
            ("GITHUB_SHA", event.sha.clone()),
            ("GITHUB_STEP_SUMMARY", at("summary")),
            ("RUNNER_TEMP", temp.to_str().unwrap().to_owned()),
            ("HOME", temp.to_str().unwrap().to_owned()),
            ("AWS_ENDPOINT_URL", self.sandbox.endpoint().to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("PROGRAM", env!("CARGO_BIN_EXE_batchwright").to_owned()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    async fn step(&mut self, running: &mut Job<'_>, index: usize, step: &Value) -> bool {
        let with: BTreeMap<String, String> = step["with"]
            .as_object()
            .unwrap_or(&Map::new())
            .iter()
            .map(|(key, value)| (key.clone(), fill(&text_of(value), &running.context)))
            .collect();
        if let Some(uses) = step["uses"].as_str() {
            let action = uses.split('@').next().unwrap_or_default();
            let outputs = match self.stand_in(running, action, &with).await {
                Ok(outputs) => outputs,
                Err(why) => {
                    running.log += &format!("== {action} fails: {why}\n");
                    return false;
                }
            };
            if let Some(id) = step["id"].as_str() {
                running.context["steps"][id]["outputs"] = json!(outputs);
            }
            return true;
        }
        let script =
            step["run"].as_str().unwrap_or_else(|| panic!("step {index} of {} does nothing", running.name));
        assert!(!script.contains("${{"), "{}: nothing is put into a script: {script}", running.name);
        let mut environment = running.environment.clone();
        for (key, value) in step["env"].as_object().unwrap_or(&Map::new()) {
            environment.insert(key.clone(), fill(&text_of(value), &running.context));
        }
        let added = fs::read_to_string(running.temp.join("path")).unwrap_or_default();
        let path: Vec<&str> = added.lines().rev().chain(running.path.iter().map(String::as_str)).collect();
        let mut bash = tokio::process::Command::new("bash");
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(&running.workspace);
        bash.env_clear()
            .envs(&environment)
            .env("PATH", path.join(":"))
            .env("GITHUB_WORKSPACE", &running.workspace);
        let output = bash.stdin(std::process::Stdio::null()).output().await.unwrap();
        running.log += &format!(
            "== {}\n{}{}\n== exit {:?}\n",
            step["name"].as_str().unwrap_or(script),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status.code()
        );
        if let Some(id) = step["id"].as_str() {
            let text = fs::read_to_string(running.temp.join("output")).unwrap_or_default();
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            let outputs: BTreeMap<&str, &str> = pairs.collect();
            running.context["steps"][id]["outputs"] = json!(outputs);
        }
        drop(fs::remove_file(running.temp.join("output")));
        output.status.success()
    }

    /// What an action does, as far as our workflows need it.
    async fn stand_in(
        &mut self,
        running: &mut Job<'_>,
        action: &str,
        with: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, String> {
        let input = |name: &str| with.get(name).cloned().unwrap_or_default();
        let permission =
            |name: &str| running.job["permissions"][name].as_str().unwrap_or_default().to_owned();
        let mut outputs = BTreeMap::new();
        match action {
            "actions/checkout" => {
                assert_eq!(permission("contents"), "read", "{}", running.name);
                assert_eq!(input("persist-credentials"), "false", "{}", running.name);
                let base = &running.context["github"]["event"]["pull_request"]["base"]["sha"];
                assert_ne!(*base, input("ref"), "{}: where the branch was when it was opened", running.name);
                let own = input("repository").is_empty();
                let from = if own { Some(self.repository) } else { self.fork };
                let to = running.workspace.join(input("path"));
                if input("fetch-depth") == "2" {
                    commits(&to, &[self.base.unwrap_or(self.repository), self.repository]);
                } else {
                    copy(from.expect("a fork is checked out only where there is one"), &to);
                }
            }
            "actions/upload-artifact" => {
                let file = running.workspace.join(input("path")).canonicalize().expect("the file is there");
                self.artifacts.insert(input("name"), file);
            }
            "actions/download-artifact" => {
                let folder = running.workspace.join(input("path"));
                fs::create_dir_all(&folder).unwrap();
                std::os::unix::fs::symlink(&self.artifacts[&input("name")], folder.join(input("name")))
                    .unwrap();
            }
            "aws-actions/configure-aws-credentials" => {
                assert_eq!(permission("id-token"), "write", "{}: a role takes a token", running.name);
                assert!(input("role-to-assume").starts_with("arn:aws:iam::"), "{with:?}");
                let lasts = input("role-duration-seconds");
                trust::check(&input("role-to-assume"), &lasts, running.job, &running.context);
                let keys = self.sandbox.environment().into_iter();
                running.environment.extend(keys.filter(|(name, _)| name.contains("ACCESS_KEY")));
                running.environment.insert("AWS_REGION".to_owned(), input("aws-region"));
                running.log += &format!("== as {}\n", input("role-to-assume"));
            }
            "docker/login-action" => assert!(input("registry").contains(".dkr.ecr."), "{with:?}"),
            "docker/build-push-action" => {
                assert!(running.workspace.join(input("file")).exists(), "{with:?}");
                assert_eq!((input("provenance").as_str(), input("sbom").as_str()), ("mode=max", "true"));
                outputs.insert("digest".to_owned(), self.push(&input("tags")).await?);
            }
            "docker/setup-buildx-action" | "Swatinem/rust-cache" => {}
            other => panic!("nobody has written what {other} does"),
        }
        Ok(outputs)
    }

    /// Builds an image and pushes it under these tags, unless one of them may not move and is taken.
    async fn push(&mut self, tags: &str) -> Result<String, String> {
        self.builds += 1;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": format!("sha256:{}", "0".repeat(64))},
            "layers": [], "annotations": {"build": self.builds.to_string()},
        })
        .to_string();
        let client = aws_sdk_ecr::Client::new(&self.sandbox.sdk_config());
        for tag in tags.lines().filter(|tag| !tag.is_empty()) {
            let (repository, tag) = tag.rsplit_once(':').unwrap();
            let repository = repository.split_once('/').unwrap().1;
            let put = client.put_image().repository_name(repository).image_tag(tag).image_manifest(&manifest);
            put.send().await.map_err(|error| format!("{repository}:{tag}: {error:?}"))?;
        }
        let digest: String =
            Sha256::digest(manifest.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("sha256:{digest}"))
    }
}

/// A repository with these commits, one after the other, and the last one checked out.
fn commits(folder: &Path, contents: &[&Path]) {
    let git = |args: &[&str]| {
        let mut git = std::process::Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"]);
        git.args(args).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = git.output().expect("git is there");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    fs::create_dir_all(folder).unwrap();
    git(&["init", "--quiet"]);
    for content in contents {
        git(&["rm", "-r", "--quiet", "--force", "--ignore-unmatch", "."]);
        copy(content, folder);
        git(&["add", "--all", "--force"]);
        git(&["commit", "--quiet", "--allow-empty", "--message", "a"]);
    }
}

fn needs(job: &Value) -> Vec<String> {
    match &job["needs"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().map(text_of).collect(),
        _ => Vec::new(),
    }
}

/// Stand-ins for the toolchain: `cargo build` brings the program that is tested.
fn tools(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    let cargo = "#!/bin/sh\nset -e\n[ \"$1\" = build ]\n[ ! -e does-not-build ]\nmkdir -p target/release\nln -sf \"$PROGRAM\" target/release/batchwright\n";
    for (name, script) in [("cargo", cargo), ("rustup", "#!/bin/sh\nexit 0\n")] {
        fs::write(folder.join(name), script).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}
