//! The github stack of the sample: its roles have the policies that are printed, whatever project and repository are called.

use std::collections::BTreeSet;

use batchwright::permissions::{For, MANAGED, ROLE, document, size, split};
use batchwright::resource::Desired;
use serde_json::Value;

use super::{desired, in_another_project};
use crate::world::golden::golden;

/// A policy document as it stands in a manifest of the github stack: with variables in the place of what they stand for.
fn with_variables(policy: &Value, indent: &str) -> String {
    let text = serde_yaml::to_string(policy).unwrap();
    let text: String = text.lines().map(|line| format!("{indent}{line}\n")).collect();
    let variables = [
        ("arn:aws:", "arn:${env.partition}:"),
        ("222222222222", "${env.account}"),
        ("us-east-1", "${env.region}"),
        ("prod-", "${env.name}-"),
        ("acme/payments-batch/prod", "${env.owner}"),
    ];
    variables.iter().fold(text, |text, (value, variable)| text.replace(value, variable))
}

/// A role of the github stack, with the policy that is printed.
fn role(
    name: &str,
    description: &str,
    subjects: &[&str],
    policies: &[(&str, &Value)],
    attached: &str,
) -> String {
    let subjects: String =
        subjects.iter().map(|it| format!("\n              - ${{var.subject}}:{it}")).collect();
    let policies: String = policies
        .iter()
        .map(|(name, policy)| {
            let document = with_variables(policy, "        ");
            format!("    - policyName: {name}\n      policyDocument:\n{document}")
        })
        .collect();
    format!(
        "# Written by `BLESS=1 cargo test --test aws permissions`: may what `batchwright permissions prod --for {name}` prints.
apiVersion: batchwright/v1
kind: iam/Role
metadata:
  name: {name}
  physicalName: ${{env.name}}-github-{name}
spec:
  description: {description}
  assumeRolePolicyDocument:
    Version: \"2012-10-17\"
    Statement:
      - Effect: Allow
        Principal: {{Federated: \"${{iam/OidcProvider/github.arn}}\"}}
        Action: sts:AssumeRoleWithWebIdentity
        Condition:
          StringEquals:
            token.actions.githubusercontent.com:aud: sts.amazonaws.com
            token.actions.githubusercontent.com:sub:{subjects}
{attached}  policies:
{policies}"
    )
}

/// The network's part of a policy, with the file systems that are mounted through it, and the rest: a role takes 10,240 characters of inline policies, a policy 6,144.
fn parted(policy: &Value) -> (Value, Value) {
    let network = |statement: &Value| {
        let actions = statement["Action"].as_array().unwrap();
        let of_network = ["ec2:", "elasticfilesystem:", "route53:"];
        actions.iter().all(|it| of_network.iter().any(|of| it.as_str().unwrap().starts_with(of)))
    };
    let statements = policy["Statement"].as_array().unwrap().iter().cloned();
    let (network, rest): (Vec<Value>, Vec<Value>) = statements.partition(network);
    let document =
        |statements: Vec<Value>| serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    (document(network), document(rest))
}

/// The network's policy, and those that take what does not fit into it.
fn named(part: usize) -> String {
    match part {
        0 => "apply-network".to_owned(),
        part => format!("apply-network-{}", part + 1),
    }
}

#[test]
fn the_github_stacks_roles_have_the_policies_that_are_printed() {
    let desired = desired("prod");
    let (plan, apply) = (document(&desired, For::Plan), document(&desired, For::Apply));
    let (network, rest) = parted(&apply);
    let reads = ["pull_request", "ref:refs/heads/${var.defaultBranch}"];
    let parts = split(&network, MANAGED);
    let names = (0..parts.len()).map(named).chain(["apply-submit".to_owned()]);
    let arns: Vec<String> = names.map(|name| format!("\"${{iam/Policy/{name}.arn}}\"")).collect();
    let attached = format!("  maxSessionDuration: 7200\n  managedPolicyArns: [{}]\n", arns.join(", "));
    let policy = |what: &str, name: &str, does: &str, document: &Value| {
        format!(
            "---\n# {what}: more than fits into the role itself.\napiVersion: batchwright/v1\nkind: iam/Policy\nmetadata:\n  name: {name}\nspec:\n  description: {does} from GitHub Actions\n  policyDocument:\n{}",
            with_variables(document, "    ")
        )
    };
    let network = parts.iter().enumerate().map(|(part, document)| {
        policy("The network's part of it", &named(part), "Applies the network", document)
    });
    // Whoever applies runs the smoke job too.
    let submit = document(&desired, For::Submit);
    let smoke = policy("The smoke job's part", "apply-submit", "Submits the smoke job", &submit);
    let policies: String = network.chain([smoke]).collect();
    let sizes = [size(&rest), size(&plan), size(&submit)];
    assert!(sizes[0] <= ROLE && sizes[1] <= ROLE && sizes[2] <= MANAGED, "{sizes:?}");
    let files = [
        (
            "plan",
            role("plan", "Plans and looks for drift from GitHub Actions", &reads, &[("plan", &plan)], ""),
        ),
        (
            "apply",
            role(
                "apply",
                "Applies from GitHub Actions",
                &["environment:${env.name}"],
                &[("apply", &rest)],
                &attached,
            ) + &policies,
        ),
    ];
    for (name, text) in files {
        golden(format!("manifests/stacks/github/{name}.yaml"), &text);
    }
}

/// Every statement of the inline policy of a role, or of a policy, as it is declared.
fn declared(desired: &Desired, id: &str, pointer: &str) -> BTreeSet<String> {
    let spec = &desired.resources[&id.parse().unwrap()].spec;
    let statements = spec.pointer(pointer).unwrap_or_else(|| panic!("{id} has no {pointer}"));
    statements.as_array().unwrap().iter().map(Value::to_string).collect()
}

#[test]
fn the_declared_roles_may_what_is_printed_whatever_project_and_repository_are_called() {
    let desired = in_another_project();
    assert_ne!(desired.owner.0, "acme/payments-batch/prod");
    let printed = |purpose| -> BTreeSet<String> {
        let document = document(&desired, purpose);
        document["Statement"].as_array().unwrap().iter().map(Value::to_string).collect()
    };
    let role = "/policies/0/policyDocument/Statement";
    assert_eq!(declared(&desired, "iam/Role/plan", role), printed(For::Plan));
    let mut apply = declared(&desired, "iam/Role/apply", role);
    let network = (0..).map(|part| format!("iam/Policy/{}", named(part)));
    for id in network.take_while(|id| desired.resources.contains_key(&id.parse().unwrap())) {
        apply.extend(declared(&desired, &id, "/policyDocument/Statement"));
    }
    assert_eq!(apply, printed(For::Apply));
    assert!(
        apply
            .iter()
            .any(|it| it.contains(&format!("\"aws:RequestTag/batchwright:owner\":\"{}\"", desired.owner)))
    );
}
