//! What became of a deployment, from the records of `apply --json`: for the pull request's comment, an issue, the summary.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::markdown::{cell, code};
use crate::outside::Markdown;

/// So many resources are named.
const NAMED: usize = 20;

/// A deployment that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'a> {
    /// The environment's name.
    pub environment: &'a str,
    /// The records of the apply; none if it was never begun.
    pub records: &'a [Value],
    /// Whether the whole job went well, as the runner says.
    pub succeeded: bool,
    /// The commit that was deployed.
    pub commit: &'a str,
    /// The page of the run.
    pub run_url: Option<&'a str>,
    /// When, as `2026-05-04 03:02 UTC`.
    pub time: &'a str,
}

impl Deployment<'_> {
    /// One line with its icon.
    pub fn headline(&self) -> String {
        let environment = cell(self.environment);
        let count = |key: &str| self.summary().map_or(0, |it| it[key].as_array().map_or(0, Vec::len));
        let (done, failed) = (count("done"), count("failed"));
        let all = done + failed + count("blocked") + count("unfinished") + count("notStarted");
        let refused = self.of("not_reviewed").count();
        let nobody = self.of("not_reviewed").any(|record| record["resource"].is_null());
        let objections = self.of("objection").count();
        match self.summary() {
            Some(_) if done == all && self.succeeded => {
                format!("✅ **Applied to {environment}: {done} of {all} steps done.**")
            }
            Some(_) if done == all => {
                format!(
                    "❌ **Applied to {environment}, but the deployment failed after that: {done} of {all} steps done.**"
                )
            }
            Some(_) => format!("❌ **Failed in {environment}: {done} of {all} steps done.**"),
            None if self.succeeded => format!("✅ **Nothing to do in {environment}.**"),
            None if self.of("superseded").next().is_some() => {
                format!("⏭️ **Nothing was applied to {environment} by this run: there is a later commit.**")
            }
            None if nobody => {
                format!("⛔ **Nothing was applied to {environment}: nobody has reviewed the plan.**")
            }
            None if refused > 0 => {
                format!(
                    "⛔ **Nothing was applied to {environment}: {refused} changes are not what was reviewed.**"
                )
            }
            None if objections > 0 => {
                format!("⛔ **Nothing was applied to {environment}: {objections} objections.**")
            }
            None => {
                format!("❌ **Nothing was applied to {environment}: the deployment failed before that.**")
            }
        }
    }

    /// The headline, what stands in the way, and where it comes from.
    pub fn text(&self) -> Markdown {
        let mut text = format!("{}\n\n", self.headline());
        let lines = self.lines();
        for line in lines.iter().take(NAMED) {
            let _ = writeln!(text, "- {line}");
        }
        if lines.len() > NAMED {
            let _ = writeln!(text, "- and {} more, see the run", lines.len() - NAMED);
        }
        if !lines.is_empty() {
            text.push('\n');
        }
        let run = self.run_url.map_or_else(String::new, |url| format!(" [The run]({url})."));
        let commit = self.commit.get(..12).unwrap_or(self.commit);
        let _ = writeln!(text, "<sub>Commit {commit}.{run} {}</sub>", self.time);
        Markdown::of(text)
    }

    /// What changes when, and only when, what is wrong changes.
    pub fn state(&self) -> String {
        let text = format!("{}\n{}\n{}", self.commit, self.headline(), self.lines().join("\n"));
        Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Each step that failed, and each change or objection that stood in the way.
    fn lines(&self) -> Vec<String> {
        let id = |record: &Value| code(record["resource"].as_str().unwrap_or("the plan"));
        let said =
            |value: &Value| cell(&value.as_str().unwrap_or_default().chars().take(300).collect::<String>());
        let failed = self.of("apply_errored").map(|record| {
            let failure = &record["failure"];
            let code = failure["code"].as_str().map(|it| format!("{it}: ")).unwrap_or_default();
            let verb = record["verb"].as_str().unwrap_or_default();
            format!("{} {verb}: {}{}", id(record), cell(&code), said(&failure["message"]))
        });
        let stands = |kind: &'static str| {
            self.of(kind).map(move |record| format!("{}: {}", id(record), said(&record["message"])))
        };
        let mut lines: Vec<String> = failed.collect();
        if self.summary().is_none() && !self.succeeded {
            lines.extend(stands("superseded"));
            lines.extend(stands("not_reviewed"));
            lines.extend(stands("objection"));
        }
        lines
    }

    fn of(&self, kind: &'static str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter(move |record| record["type"] == kind)
    }

    fn summary(&self) -> Option<&Value> {
        self.records.iter().rev().find(|record| record["type"] == "apply_summary")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(records: &[Value], succeeded: bool) -> String {
        let deployment = Deployment {
            environment: "prod",
            records,
            succeeded,
            commit: "0123456789abcdef",
            run_url: None,
            time: "TIME",
        };
        deployment.text().to_string()
    }

    #[test]
    fn every_end_of_a_deployment_is_told_apart() {
        let step = |id: &str| json!({"resource": id, "verb": "create"});
        let done = json!({"type": "apply_summary", "done": [step("a")], "failed": [], "blocked": [], "notStarted": []});
        let failed = json!({"type": "apply_summary", "done": [step("a")], "failed": [step("b")], "blocked": [step("c")], "notStarted": []});
        let error = json!({"type": "apply_errored", "resource": "iam/Role/b", "verb": "create", "failure": {"code": "LimitExceeded", "message": "too many | roles"}});
        let other = json!({"type": "not_reviewed", "resource": "logs/LogGroup/jobs", "message": "another change of it was reviewed"});
        insta::assert_snapshot!(text(std::slice::from_ref(&done), true).lines().next().unwrap(), @"✅ **Applied to prod: 1 of 1 steps done.**");
        insta::assert_snapshot!(text(&[done], false).lines().next().unwrap(), @"❌ **Applied to prod, but the deployment failed after that: 1 of 1 steps done.**");
        insta::assert_snapshot!(text(&[], true).lines().next().unwrap(), @"✅ **Nothing to do in prod.**");
        insta::assert_snapshot!(text(&[], false).lines().next().unwrap(), @"❌ **Nothing was applied to prod: the deployment failed before that.**");
        insta::assert_snapshot!(text(&[error, failed], false), @r"
        ❌ **Failed in prod: 1 of 3 steps done.**

        - `iam/Role/b` create: LimitExceeded: too many \| roles

        <sub>Commit 0123456789ab. TIME</sub>
        ");
        let later = json!({"type": "superseded", "message": "prod ends with a now", "covered": true});
        insta::assert_snapshot!(text(&[later], false), @r"
        ⏭️ **Nothing was applied to prod by this run: there is a later commit.**

        - `the plan`: prod ends with a now

        <sub>Commit 0123456789ab. TIME</sub>
        ");
        insta::assert_snapshot!(text(&[other], false), @r"
        ⛔ **Nothing was applied to prod: 1 changes are not what was reviewed.**

        - `logs/LogGroup/jobs`: another change of it was reviewed

        <sub>Commit 0123456789ab. TIME</sub>
        ");
    }
}
