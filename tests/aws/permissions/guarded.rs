//! Whoever applies may not open the gate wider that it came in through.

use batchwright::permissions::{For, document, gate};

use super::desired;
use super::evaluate::{actions, may};

#[test]
fn who_applies_may_not_open_the_gate_it_came_in_through() {
    let desired = desired("prod");
    let gate: Vec<String> = gate(&desired).into_iter().map(|id| id.to_string()).collect();
    assert!(
        gate.contains(&"iam/Role/push".to_owned()) && gate.contains(&"iam/OidcProvider/github".to_owned()),
        "{gate:?}"
    );
    assert!(!gate.contains(&"iam/Role/job".to_owned()), "{gate:?}");
    let apply = document(&desired, For::Apply);
    let denied = actions(&apply, "Deny");
    for action in
        ["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:CreatePolicyVersion"]
    {
        assert!(denied.contains(action), "{action} of {denied:?}");
    }
    // Nothing but the gate is denied: each write on something else is allowed still.
    let iam = |rest: &str| format!("arn:aws:iam::222222222222:{rest}");
    for (action, resource, expected) in [
        ("iam:PutRolePolicy", "role/prod-payments-job", true),
        ("iam:PutRolePolicy", "role/prod-github-apply", false),
        ("iam:PutRolePolicy", "role/some/path/prod-github-push", false),
        ("iam:PutRolePolicy", "role/other", false),
        ("iam:RemoveRoleFromInstanceProfile", "instance-profile/prod-payments-instance", true),
        ("iam:RemoveRoleFromInstanceProfile", "instance-profile/payments-instance", false),
        ("iam:CreatePolicyVersion", "policy/prod-payments", true),
        ("iam:CreatePolicyVersion", "policy/prod-ecr-push", false),
        (
            "iam:UpdateOpenIDConnectProviderThumbprint",
            "oidc-provider/token.actions.githubusercontent.com",
            false,
        ),
    ] {
        assert_eq!(may(&apply, action, &iam(resource), &[]), expected, "{action} on {resource}");
    }
}
