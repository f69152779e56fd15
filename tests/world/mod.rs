//! A sandbox and the program's own engine on it: what the tests that need AWS stand on.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use batchwright::cloud::{Aws, Cloud, Scope};
use batchwright::execute::{Event, Limits, Report, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Plan, Request, check, plan};
use batchwright::resource::{Desired, Observed};
use batchwright::sandbox::{Options, Sandbox};
use tokio::sync::OwnedMutexGuard;

pub mod copy;
pub mod golden;
pub mod merge;
pub mod program;
pub mod stage;

/// The program with these arguments, in this folder, against a sandbox.
pub fn program(sandbox: &Sandbox, folder: &Path, args: &[&str]) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_batchwright"));
    command.args(args).args(["--endpoint-url", sandbox.endpoint()]).current_dir(folder);
    for name in ["AWS_PROFILE", "GITHUB_ACTIONS", "GITHUB_SHA", "BATCHWRIGHT_SANDBOX"] {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.envs(sandbox.environment()).kill_on_drop(true);
    command
}

/// One sandbox, answering as an environment's own account and region.
pub struct World {
    pub sandbox: Sandbox,
    pub cloud: Aws,
    /// Nobody else has the account meanwhile.
    pub account: Option<OwnedMutexGuard<()>>,
}

/// Accounts that manifests name: one moto answers for all sandboxes of a program, and its tests run side by side.
static ACCOUNTS: LazyLock<Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>> =
    LazyLock::new(Mutex::default);

impl World {
    /// A sandbox of an account that is empty, and of no other test until this one is done with it.
    pub async fn of(desired: &Desired) -> Self {
        let account = {
            let mut accounts = ACCOUNTS.lock().expect("no test fails between these lines");
            Arc::clone(accounts.entry(desired.place.account.clone()).or_default())
        };
        let account = Some(account.lock_owned().await);
        let options = Options {
            account: desired.place.account.clone(),
            region: desired.place.region.clone(),
            ..Options::isolated()
        };
        let sandbox = Sandbox::start(options, &mut |_| ()).await.expect("the sandbox starts");
        sandbox.reset().await.expect("what the test before left can be removed");
        let cloud = Aws::new(&sandbox.sdk_config(), desired.place.clone(), None);
        Self { sandbox, cloud, account }
    }

    /// What is there now.
    pub async fn observe(&self, desired: &Desired) -> Observed {
        self.cloud.observe(&Scope::of(desired)).await.expect("AWS can be read")
    }

    /// What an apply would do now.
    pub async fn plan(&self, desired: &Desired, guard: &Guard) -> (Plan, Observed) {
        let observed = self.observe(desired).await;
        let made = batchwright::cloud::plan(&self.cloud, desired, observed, KINDS, guard).await;
        let (plan, observed) = made.expect("jobs can be read");
        assert_eq!(check(&plan), Vec::<String>::new(), "the plan holds together");
        (plan, observed)
    }

    pub async fn execute(&self, plan: &Plan, observed: &Observed) -> Report {
        let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
        execute(plan, observed, &self.cloud, KINDS, &hasty(), stop, &mut |_: Event| ()).await
    }

    /// Plans and applies; panics with everything that is known if something speaks against it or fails.
    pub async fn apply(&self, desired: &Desired, guard: &Guard) -> Plan {
        let observed = self.observe(desired).await;
        self.apply_to(desired, &observed, guard).await
    }

    /// The same, with what was observed just now.
    pub async fn apply_to(&self, desired: &Desired, observed: &Observed, guard: &Guard) -> Plan {
        let plan = planned(desired, observed, guard);
        assert_eq!(plan.objections, vec![], "nothing speaks against it");
        let report = self.execute(&plan, observed).await;
        let failed: Vec<_> = report
            .failures()
            .map(|(id, failure)| (&plan.steps[id].resource, plan.steps[id].verb, failure))
            .collect();
        assert!(report.complete(), "every step is done; these failed: {failed:#?}");
        plan
    }
}

/// The executor's limits where AWS answers at once.
pub fn hasty() -> Limits {
    Limits {
        poll: Duration::from_millis(2),
        slowest_poll: Duration::from_millis(50),
        step_timeout: Duration::from_secs(60),
        propagation: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// What an apply would do to what was observed; panics if the plan does not hold together.
pub fn planned(desired: &Desired, observed: &Observed, guard: &Guard) -> Plan {
    let plan = plan(&Request::new(desired, observed, KINDS, guard));
    assert_eq!(check(&plan), Vec::<String>::new(), "the plan holds together");
    plan
}

/// The manifests of a folder; panics with all their errors.
pub fn load(root: &Path, environment: &str, options: &manifest::Options) -> Desired {
    manifest::load(root, environment, options).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The same in an account that nobody else of this program has: its test runs beside others of the same manifests.
pub fn in_free_account(desired: &Desired) -> Desired {
    in_account(desired, &Options::isolated().account)
}

/// The same in this account.
pub fn in_account(desired: &Desired, account: &str) -> Desired {
    let text = serde_json::to_string(desired).expect("what was read can be written");
    serde_json::from_str(&text.replace(&desired.place.account, account))
        .expect("the same with another number")
}

/// A plan's changes, one short line each: `Update logs/LogGroup/jobs retentionInDays`.
pub fn changes(plan: &Plan) -> Vec<String> {
    let line = |change: &batchwright::plan::Change| {
        let fields: Vec<String> = change.fields.iter().map(|field| format!(" {}", field.path)).collect();
        format!("{:?} {}{}", change.action, change.id, fields.concat())
    };
    plan.changes.iter().map(line).collect()
}
