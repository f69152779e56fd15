//! One small plan, in every form.

use std::collections::{BTreeMap, BTreeSet};

use batchwright::diff::{ChangeRule, FieldChange};
use batchwright::execute::{Event, Failure, Outcome, Report};
use batchwright::kind::{Effect, Manner, Order, Reason};
use batchwright::plan::{Action, Change, Digests, Objection, Objector, Plan, Step, Verb};
use batchwright::render::json::{self, Calls, View};
use batchwright::render::{self, MASK, Paint, drift, markdown, plan, progress};
use batchwright::resource::{OnDelete, Owner, Place, Position, ResourceId, Tags};
use serde_json::{Value, json};

mod totals;

fn field(path: &str, before: Value, after: Value) -> FieldChange {
    let some = |value: Value| (!value.is_null()).then_some(value);
    FieldChange {
        path: path.into(),
        before: some(before),
        after: some(after),
        rule: ChangeRule::InPlace,
        sensitive: false,
    }
}

fn change(
    id: &str,
    action: Action,
    effect: Option<Effect>,
    reason: &str,
    fields: Vec<FieldChange>,
) -> Change {
    let id: ResourceId = id.parse().unwrap();
    let physical = format!("dev-{}", id.name);
    let position = (action != Action::Delete).then(|| Position {
        file: "manifests/stacks/main/all.yaml".into(),
        line: 3,
        column: 1,
    });
    let digests = Digests { digest: format!("digest of {id}"), ..Digests::default() };
    Change {
        id,
        action,
        effect,
        reason: Reason(reason.into()),
        physical,
        unchanged: if action == Action::Update { 12 } else { 0 },
        fields,
        position,
        digests,
    }
}

fn plan_of(changes: Vec<Change>, objections: Vec<Objection>) -> Plan {
    Plan {
        environment: "dev".into(),
        owner: Owner("acme/jobs/dev".into()),
        place: Place::new("111111111111", "eu-west-1"),
        changes,
        steps: Vec::new(),
        objections,
        warnings: Vec::new(),
        notes: Vec::new(),
        due: Vec::new(),
        impact: Vec::new(),
        looked_up: Vec::new(),
        unchanged: 21,
        keeps: std::collections::BTreeMap::new(),
    }
}

fn policy(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::dev-source/*", "Sid": "ReadTheSourceBucket"},
    ]})
}

fn example() -> Plan {
    let mut create_only = field("type", json!("EC2"), json!("SPOT"));
    create_only.rule = ChangeRule::CreateOnly;
    let mut secret =
        field("containerProperties.environment[TOKEN].value", json!("hunter1"), json!("hunter2"));
    secret.sensitive = true;
    let objection = Objection {
        id: "s3/Bucket/old".parse().unwrap(),
        objector: Objector::Delete,
        message: "deleting it needs a word of its own: --allow-delete=s3/Bucket/old".into(),
        position: None,
    };
    let spot = Some(Effect::Replace(Order::CreateFirst));
    plan_of(
        vec![
            change(
                "logs/LogGroup/jobs",
                Action::Create,
                None,
                "",
                vec![
                    field("retentionInDays", Value::Null, json!(7)),
                    field("kmsKeyId", Value::Null, json!("${kms/Key/logs.arn}")),
                    field("tags.Team", Value::Null, json!("pay|ments <x>")),
                ],
            ),
            change(
                "iam/Role/job",
                Action::Update,
                Some(Effect::Update(Manner::InPlace)),
                "",
                vec![field("policies[read].policyDocument", policy("s3:*"), policy("s3:GetObject"))],
            ),
            change(
                "batch/ComputeEnvironment/main",
                Action::Replace,
                spot,
                "type is create-only",
                vec![create_only],
            ),
            change(
                "batch/JobDefinition/job",
                Action::Update,
                Some(Effect::NewRevision),
                "revisions are immutable",
                vec![secret, field("timeout.attemptDurationSeconds", json!(60), json!(90))],
            ),
            change(
                "s3/Bucket/old",
                Action::Delete,
                None,
                "it is not in the manifests of dev; last applied at commit abc123",
                vec![],
            ),
        ],
        vec![objection],
    )
}

#[test]
fn a_plan_on_a_terminal() {
    insta::assert_snapshot!(plan(&example(), Paint::none()), @r#"
    Plan for dev in account 111111111111, eu-west-1

    + create logs/LogGroup/jobs as dev-jobs
        + retentionInDays: 7
        + kmsKeyId: "${kms/Key/logs.arn}" (known after apply)
        + tags.Team: "pay|ments <x>"

    ~ update iam/Role/job (dev-job), in place
        ~ policies[read].policyDocument:
                Statement: [
                  {
            -       Action: "s3:*"
            +       Action: "s3:GetObject"
                    Effect: "Allow"
                    Resource: "arn:aws:s3:::dev-source/*"
          (12 unchanged)

    +/- replace batch/ComputeEnvironment/main blue/green: by dev-main, beside the old one until everything has moved
        # forces replacement: type is create-only
        ~ type: "EC2" → "SPOT"  # forces replacement

    ~ update batch/JobDefinition/job (dev-job), by a new revision
        # revisions are immutable
        ~ containerProperties.environment[TOKEN].value: •••• → •••• (changed)
        ~ timeout.attemptDurationSeconds: 60 → 90
          (12 unchanged)

    - delete s3/Bucket/old (dev-old)
        (because it is not in the manifests of dev; last applied at commit abc123)

    Refused, as it stands:
      s3/Bucket/old: deleting it needs a word of its own: --allow-delete=s3/Bucket/old

    Fingerprint: a3f7330ec755ef6a48fe6c636bfe8f47
    Plan: 1 to add, 2 to change, 1 to replace, 1 to delete. Refused: 1 objection.
    "#);
}

#[test]
fn a_plan_without_changes() {
    insta::assert_snapshot!(plan(&plan_of(vec![], vec![]), Paint::none()), @r#"
    Plan for dev in account 111111111111, eu-west-1

    No changes. 21 resources are as declared.
    "#);
    insta::assert_snapshot!(drift(&plan_of(vec![], vec![]), Paint::none()), @r#"
    Drift of dev in account 111111111111, eu-west-1

    No drift. 21 resources are as declared.
    "#);
}

#[test]
fn colour_adds_nothing_but_escapes() {
    let coloured = plan(&example(), Paint::new(true));
    let stripped = anstream::adapter::strip_str(&coloured).to_string();
    assert_ne!(coloured, stripped);
    assert_eq!(stripped, plan(&example(), Paint::none()));
}

#[test]
fn drift_is_the_other_way_round() {
    insta::assert_snapshot!(drift(&example(), Paint::none()), @r#"
    Drift of dev in account 111111111111, eu-west-1

    - missing logs/LogGroup/jobs: git declares it, AWS has no dev-jobs
        --> manifests/stacks/main/all.yaml:3:1

    ~ different iam/Role/job (dev-job)
        --> manifests/stacks/main/all.yaml:3:1
        policies[read].policyDocument: live has the lines with -, git says those with +
                Statement: [
                  {
            -       Action: "s3:*"
            +       Action: "s3:GetObject"
                    Effect: "Allow"
                    Resource: "arn:aws:s3:::dev-source/*"

    ~ different batch/ComputeEnvironment/main
        --> manifests/stacks/main/all.yaml:3:1
        type: live has "EC2", git says "SPOT"

    ~ different batch/JobDefinition/job (dev-job)
        --> manifests/stacks/main/all.yaml:3:1
        containerProperties.environment[TOKEN].value: live has ••••, git says •••• (changed)
        timeout.attemptDurationSeconds: live has 60, git says 90

    + not declared s3/Bucket/old: AWS has dev-old with our tags, git does not declare it

    Drift: 1 missing, 3 different, 1 not declared, 21 as declared.
    "#);
}

#[test]
fn a_comment() {
    insta::assert_snapshot!(markdown(&example()), @r#"
    <!-- batchwright environment=dev fingerprint=a3f7330ec755ef6a48fe6c636bfe8f47 -->
    <!-- batchwright reviewed=bw1:oGsJyH99IMv7-K6j1ZAhIY62U9DKIgAAAAAAAAAAAAAAAI3erBlqo42qE6yLcsUGBnwAAAAAAAAAAAAAAACSeGd1U9Zx2jiQ1elcXT5_AAAAAAAAAAAAAAAAw58DHX3IDcBTf-TWav93DQAAAAAAAAAAAAAAAMmznXfUZkw7rIXQAyBdlEAAAAAAAAAAAAAAAADK7Eh3adA -->
    ## batchwright plan: dev

    ⛔ **Plan: 1 to add, 2 to change, 1 to replace, 1 to delete. Refused: 1 objection.**

    > [!CAUTION]
    > **Resources will be deleted or replaced:**
    >
    > - replace `batch/ComputeEnvironment/main` # forces replacement: type is create-only
    > - delete `s3/Bucket/old` (because it is not in the manifests of dev; last applied at commit abc123)

    > [!WARNING]
    > **Refused, as it stands:**
    >
    > - `s3/Bucket/old`: deleting it needs a word of its own: --allow-delete=s3/Bucket/old

    | | Object | Action | Why |
    |---|---|---|---|
    | `+` | `logs/LogGroup/jobs` | create as dev-jobs |  |
    | `~` | `iam/Role/job` | update (dev-job), in place | policies\[read\].policyDocument |
    | `+/-` | `batch/ComputeEnvironment/main` | replace blue/green: by dev-main, beside the old one until everything has moved | type is create-only |
    | `~` | `batch/JobDefinition/job` | update (dev-job), by a new revision | revisions are immutable |
    | `-` | `s3/Bucket/old` | delete (dev-old) | it is not in the manifests of dev; last applied at commit abc123 |

    <details><summary><code>+</code> create <code>logs/LogGroup/jobs</code></summary>

    ```diff
    + retentionInDays: 7
    + kmsKeyId: "${kms/Key/logs.arn}" (known after apply)
    + tags.Team: "pay|ments <x>"
    ```

    </details>

    <details><summary><code>~</code> update <code>iam/Role/job</code></summary>

    ```diff
      policies[read].policyDocument:
            Statement: [
              {
    -           Action: "s3:*"
    +           Action: "s3:GetObject"
                Effect: "Allow"
                Resource: "arn:aws:s3:::dev-source/*"
      (12 unchanged)
    ```

    </details>

    <details><summary><code>+/-</code> replace <code>batch/ComputeEnvironment/main</code></summary>

    ```diff
    ! type: "EC2" → "SPOT"
    ```

    </details>

    <details><summary><code>~</code> update <code>batch/JobDefinition/job</code></summary>

    ```diff
    ! containerProperties.environment[TOKEN].value: •••• → •••• (changed)
    ! timeout.attemptDurationSeconds: 60 → 90
      (12 unchanged)
    ```

    </details>

    <sub>Account 111111111111, eu-west-1. `batchwright plan dev` shows the same. Fingerprint `a3f7330ec755ef6a48fe6c636bfe8f47`.</sub>
    "#);
}

#[test]
fn nothing_sensitive_is_shown_in_any_form() {
    let mut example = example();
    // A whole document that comes into being: what is sensitive stands deep inside.
    let container = json!({"image": "x", "environment": [{"name": "TOKEN", "value": "hunter3"}]});
    let made = vec![field("containerProperties", Value::Null, container)];
    example.changes.push(change("batch/JobDefinition/new", Action::Create, None, "", made));
    let records = json::plan(&example, View::Plan, None);
    let forms = [
        plan(&example, Paint::none()),
        drift(&example, Paint::none()),
        markdown(&example).to_string(),
        serde_json::to_string(&records).unwrap(),
    ];
    for form in forms {
        assert!(!form.contains("hunter"), "{form}");
        assert!(form.contains("TOKEN") && form.contains(MASK), "{form}");
    }
}

#[test]
fn records_say_what_the_text_says() {
    let records = json::plan(&example(), View::Plan, Some(Calls { calls: 41, depth: 3 }));
    let kinds: Vec<&str> = records.iter().filter_map(|record| record["type"].as_str()).collect();
    let change = "planned_change";
    assert_eq!(kinds, [change, change, change, change, change, "objection", "change_summary"]);
    let secret = &records[3]["fields"][0];
    assert_eq!(secret["before"], MASK);
    assert_ne!(secret["beforeDigest"], secret["afterDigest"]);
    let summary = records.last().unwrap();
    assert_eq!((&summary["add"], &summary["change"]), (&json!(1), &json!(2)));
    assert_eq!((&summary["calls"], &summary["depth"]), (&json!(41), &json!(3)));
    let drifted = json::plan(&example(), View::Drift, None);
    assert_eq!(drifted[0]["type"], "resource_drift");
}

#[test]
fn a_comment_cannot_be_broken_out_of() {
    let nasty = "```\n</details> | @everyone\u{1b}[31m";
    let made = vec![field("description", Value::Null, json!(nasty))];
    let text = markdown(&plan_of(vec![change("iam/Role/x", Action::Update, None, nasty, made)], vec![]));
    assert!(!text.contains('\u{1b}'));
    let body = text.split("````diff\n").nth(1).and_then(|rest| rest.split("````\n").next());
    assert!(body.is_some_and(|body| body.contains("</details>")), "{text}");
    assert!(!text.split("````diff").next().unwrap().contains("@everyone"), "{text}");
}

fn applied() -> (Plan, Report) {
    let mut plan = example();
    for (id, name) in ["logs/LogGroup/jobs", "iam/Role/job", "batch/JobDefinition/job"].iter().enumerate() {
        let resource: ResourceId = name.parse().unwrap();
        plan.steps.push(Step {
            id,
            physical: format!("dev-{}", resource.name),
            resource,
            verb: [Verb::Create, Verb::Update, Verb::Register][id],
            revision: None,
            want: Value::Null,
            tags: Tags::new(),
            ignore: Vec::new(),
            on_delete: OnDelete::Refuse,
            drain_timeout: None,
            interrupts: false,
            without: Vec::new(),
            asks_jobs: None,
            after: BTreeSet::new(),
            because: Reason::default(),
        });
    }
    let failure = Failure {
        code: Some("AccessDenied".into()),
        request_id: Some("r-1".into()),
        operation: Some("iam:PutRolePolicy".into()),
        ..Failure::new("not allowed")
    };
    let outcomes = [Outcome::Done, Outcome::Failed(failure), Outcome::Blocked { by: 1 }];
    let outcomes: BTreeMap<usize, Outcome> = outcomes.into_iter().enumerate().collect();
    (plan, Report { outcomes, interrupted: false, known: BTreeMap::new() })
}

#[test]
fn a_report_says_what_failed_and_what_waits() {
    let (plan, report) = applied();
    insta::assert_snapshot!(render::report(&plan, &report, Paint::none()), @r#"
    error: failed to update iam/Role/job (dev-job)
      --> manifests/stacks/main/all.yaml:3:1
      iam:PutRolePolicy: AccessDenied: not allowed (request r-1)
      = help: the credentials lack this permission: allow the operation named above, then run this again

    Waiting for what failed:
      register batch/JobDefinition/job (dev-job): waits for iam/Role/job (dev-job)

    Applied in part: 1 of 3 steps done, 1 failed, 1 waiting. Run it again to go on: what is done stays done.
    "#);
}

#[test]
fn progress_is_a_line_for_each_event() {
    let (plan, report) = applied();
    let (_, failure) = report.failures().next().unwrap();
    let events = [
        Event::Started { step: 0 },
        Event::Waiting { step: 0, why: "CREATING".into() },
        Event::Finished { step: 0 },
        Event::Failed { step: 1, failure: failure.clone() },
    ];
    let lines: Vec<String> =
        events.iter().filter_map(|event| progress(&plan, event, Paint::none())).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    creating      logs/LogGroup/jobs (dev-jobs)
    waiting       logs/LogGroup/jobs (dev-jobs): CREATING
    created       logs/LogGroup/jobs (dev-jobs)
    failed        iam/Role/job (dev-job): iam:PutRolePolicy: AccessDenied: not allowed (request r-1)
    "#);
}
