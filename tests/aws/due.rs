//! What a later apply does (D20): told as that, and neither counted as done, nor a change, nor drift.

use crate::world::stage::{Stage, environment, queue, role};
use crate::world::{changes, program};
use batchwright::plan::review::{Expected, Reviewed};
use batchwright::plan::{Guard, Plan, Verb};
use batchwright::render::{self, Paint};

fn served(by: &str, resources: &str) -> String {
    let work = environment("work", ", lifecycle: {drainTimeout: 0s}", resources);
    work.replace("spec:\n", &format!("spec:\n  serviceRole: \"${{iam/Role/{by}.arn}}\"\n"))
}

/// A role that only the old generation needs goes after it: for as long as a job runs, both are due.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_behind_a_drain_is_due_as_well() {
    let stage = Stage::new().await;
    let jobs = queue("jobs", "", &["work"]);
    let before = stage.desired(&[role("first"), served("first", "type: EC2"), jobs.clone()]);
    stage.world.apply(&before, &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;

    let spot = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    let after = stage.desired(&[role("second"), spot, jobs]);
    let (plan, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let report = stage.world.execute(&plan, &observed).await;
    assert!(report.complete(), "{report:#?}");
    let told = render::report(&plan, &report, Paint::new(false)).replace(&job, "0f3c");
    insta::assert_snapshot!(told, @r"
    Due: 1 job still runs (long 0f3c) on t-work: it is switched off, and an apply after its end deletes it
      after that: delete iam/Role/first (t-first)

    Applied: 1 added, 1 changed, 1 replaced, 0 deleted; 1 to be deleted by a later apply.
    ");

    let (rest, _) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!(changes(&rest), Vec::<String>::new());
    let due: Vec<String> = rest.due.iter().map(|due| format!("{} {}", due.id, due.physical)).collect();
    assert_eq!(due, ["batch/ComputeEnvironment/work t-work", "iam/Role/first t-first"]);
    assert!(!render::has_drifted(&rest));

    stage.release();
    stage.until(&job, &aws_sdk_batch::types::JobStatus::Succeeded).await;
    let (last, observed) = stage.world.plan(&after, &Guard::default()).await;
    let report = stage.world.execute(&last, &observed).await;
    insta::assert_snapshot!(render::report(&last, &report, Paint::new(false)), @r"
    Was due: deleted batch/ComputeEnvironment/work (t-work)
    Was due: deleted iam/Role/first (t-first)

    Applied: 0 added, 0 changed, 0 replaced, 2 deleted.
    ");
    let (nothing, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert!(nothing.is_idle() && nothing.due.is_empty(), "{:?}", nothing.due);
    let said = [&rest, &nothing].map(render::drift_issue::state);
    assert_eq!(said[0], said[1], "what is due, or done, is no news of drift");
    assert!(!observed.resources.contains_key(&"iam/Role/first".parse().unwrap()));
}

/// An apply is held to what was reviewed also in what an earlier one left due: that stays, uncounted, and the rest goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_and_was_not_reviewed_stays() {
    let stage = Stage::new().await;
    let (jobs, old) = (queue("jobs", "", &["work"]), ["a", "b", "c"].map(role).join("---\n"));
    let before = [role("first"), old.clone(), served("first", "type: EC2"), jobs.clone()];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;
    let spot = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    // A review of the move and of three roles' deletes, and not yet of the role's that the old generation stands on.
    let seen = stage.desired(&[role("first"), role("second"), spot.clone(), jobs.clone()]);
    let (reviewed, _) = stage.world.plan(&seen, &Guard::default()).await;
    let review: Expected = reviewed.reviewed().to_string().parse().unwrap();
    let moved = stage.desired(&[role("first"), old, role("second"), spot.clone(), jobs.clone()]);
    stage.world.apply(&moved, &Guard::default()).await;
    stage.release();
    stage.until(&job, &aws_sdk_batch::types::JobStatus::Succeeded).await;

    let after = stage.desired(&[role("second"), spot, jobs]);
    let (plan, _) = stage.world.plan(&after, &Guard::default()).await;
    let roles = ["Delete iam/Role/a", "Delete iam/Role/b", "Delete iam/Role/c"];
    assert_eq!((changes(&plan), due(&plan)), (roles.map(str::to_owned).into(), vec!["t-work", "t-first"]));
    assert!(!plan.objections.is_empty(), "four roles are more than the limit");
    let differences: Vec<String> = review.differences(&plan).iter().map(ToString::to_string).collect();
    assert_eq!(differences, ["iam/Role/first: this change was not reviewed"]);
    assert!(!review.holds(&plan.due));
    // A review of this very plan holds it; so does its fingerprint.
    for whole in [plan.reviewed().to_string(), plan.fingerprint()] {
        let whole: Expected = whole.parse().unwrap();
        assert_eq!((whole.holds(&plan.due), whole.differences(&plan)), (true, vec![]));
    }

    let hold = Guard { expected: Some(review.clone()), ..Guard::default() };
    let (held, _) = stage.world.plan(&after, &hold).await;
    assert_eq!((review.differences(&held), held.objections.clone()), (vec![], vec![]));
    assert_ne!(held.fingerprint(), plan.fingerprint());
    let set = reviewed.reviewed().to_string();
    let told = said(&stage, &["apply", "test", "--yes", "--expect", &set]).await;
    let told = told.lines().filter(|line| line.starts_with("Due") || line.starts_with("Applied"));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    Due: batch/ComputeEnvironment/work (t-work): it is switched off, and stays until a review holds what goes after it
    Due: iam/Role/first (t-first): no review holds its delete: it stays until one does
    Applied: 0 added, 0 changed, 0 replaced, 3 deleted.
    ");

    // Any later review of the like leaves it as well; the first that saw it lets it go.
    let (rest, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!((changes(&rest), due(&rest)), (vec![], vec!["t-work", "t-first"]));
    assert!(!review.holds(&rest.due) && rest.objections.is_empty());
    let report = stage.world.execute(&rest, &observed).await;
    assert!(report.complete(), "{report:#?}");
    let (nothing, _) = stage.world.plan(&after, &Guard::default()).await;
    assert!(nothing.is_idle() && nothing.due.is_empty(), "{:?}", nothing.due);
}

/// What stays because no review holds its end keeps what it stands on, also where that is replaced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_keeps_its_ground() {
    let stage = Stage::new().await;
    let jobs = queue("jobs", "", &["work"]);
    let fleet =
        |name: &str| role("fleet").replace("name: fleet", &format!("name: fleet, physicalName: {name}"));
    let old = "type: SPOT, allocationStrategy: BEST_FIT, spotIamFleetRole: \"${iam/Role/fleet.arn}\"";
    let before = [role("first"), fleet("one"), served("first", old), jobs.clone()];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    let job = stage.running_job("t-jobs", "long").await;
    let new = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    let moved = [role("first"), role("second"), fleet("one"), new.clone(), jobs.clone()];
    stage.world.apply(&stage.desired(&moved), &Guard::default()).await;
    stage.release();
    stage.until(&job, &aws_sdk_batch::types::JobStatus::Succeeded).await;

    let after = stage.desired(&[role("second"), fleet("two"), new, jobs]);
    let hold = Guard { expected: Some(Expected::Some(Reviewed::default())), ..Guard::default() };
    let (held, observed) = stage.world.plan(&after, &hold).await;
    assert_eq!(held.objections, []);
    assert!(
        held.steps.iter().all(|step| step.verb == Verb::Create && step.physical == "two"),
        "{:#?}",
        held.steps
    );
    assert!(stage.world.execute(&held, &observed).await.complete());
    stage.world.apply(&after, &Guard::default()).await;
    let (nothing, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert!(nothing.is_idle() && nothing.due.is_empty(), "{:?}", nothing.due);
    let seen = &observed.resources[&"iam/Role/fleet".parse().unwrap()];
    assert_eq!(seen.iter().map(|one| one.physical.as_str()).collect::<Vec<_>>(), ["two"]);
}

/// What the program says on stdout, where it succeeds.
async fn said(stage: &Stage, args: &[&str]) -> String {
    let ran = program(&stage.world.sandbox, stage.folder(), args).output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}{err}");
    out.into_owned()
}

fn due(plan: &Plan) -> Vec<&str> {
    plan.due.iter().map(|due| due.physical.as_str()).collect()
}

/// What holds data is a change of its own whenever it goes, also where only what is due still names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_never_due_in_passing() {
    let stage = Stage::new().await;
    let logs = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: kept, onDelete: empty}\nspec: {}\n";
    let writes = role("first")
        + "  policies:\n    - policyName: write\n      policyDocument:\n        Version: \"2012-10-17\"\n        Statement: [{Effect: Allow, Action: logs:PutLogEvents, Resource: \"${logs/LogGroup/kept.arn}\"}]\n";
    let jobs = queue("jobs", "", &["work"]);
    let before = [logs.to_owned(), writes, served("first", "type: EC2"), jobs.clone()];
    stage.world.apply(&stage.desired(&before), &Guard::default()).await;
    stage.running_job("t-jobs", "long").await;
    let spot = served("second", "type: SPOT, allocationStrategy: SPOT_CAPACITY_OPTIMIZED");
    let moved = [logs.to_owned(), role("second"), spot, jobs];
    stage.world.apply(&stage.desired(&moved), &Guard::default()).await;

    let (plan, _) = stage.world.plan(&stage.desired(&moved[1..]), &Guard::default()).await;
    assert_eq!(changes(&plan), ["Delete logs/LogGroup/kept"]);
    assert!(plan.due.iter().any(|due| due.physical == "t-first"), "its role is due: {:?}", plan.due);
    let refused: Vec<String> = plan.objections.iter().map(|objection| objection.id.to_string()).collect();
    assert_eq!(refused, ["logs/LogGroup/kept"], "{:?}", plan.objections);
    stage.release();
}

/// Tasks on Fargate go on where they are when their environment moves to another subnet: the old one goes after their end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subnet_that_running_tasks_hold_goes_later() {
    let stage = Stage::new().await;
    let subnet = |name: &str, third: u8| {
        format!(
            "apiVersion: batchwright/v1\nkind: ec2/Subnet\nmetadata: {{name: {name}}}\nspec: {{vpcId: \"${{ec2/Vpc/net.id}}\", cidrBlock: 10.7.{third}.0/24}}\n"
        )
    };
    let network =
        "apiVersion: batchwright/v1\nkind: ec2/Vpc\nmetadata: {name: net}\nspec: {cidrBlock: 10.7.0.0/16}\n";
    let on = |subnet: &str| {
        environment("work", ", lifecycle: {drainTimeout: 0s}", "type: FARGATE")
            .replace(", instanceTypes: [m5], instanceRole: PROFILE", "")
            .replace("subnets: [SUBNET]", &format!("subnets: [\"${{ec2/Subnet/{subnet}.id}}\"]"))
    };
    let rest = [network.to_owned(), queue("jobs", "", &["work"]), role("keeps")];
    let all = |parts: &[String]| stage.desired(&[parts.to_vec(), rest.to_vec()].concat());
    let before = all(&[subnet("a", 1), on("a")]);
    stage.world.apply(&before, &Guard::default()).await;
    let observed = stage.world.observe(&before).await;
    let old = observed.resources[&"ec2/Subnet/a".parse().unwrap()].current.as_ref().unwrap().physical.clone();
    let ec2 = aws_sdk_ec2::Client::new(&stage.world.sandbox.sdk_config());
    let interface = ec2.create_network_interface().subnet_id(&old).send().await.unwrap();
    let interface = interface.network_interface.unwrap().network_interface_id.unwrap();

    let after = all(&[subnet("b", 2), on("b")]);
    let (plan, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!(plan.objections, []);
    let report = stage.world.execute(&plan, &observed).await;
    assert!(report.complete(), "{report:#?}");
    let told = render::report(&plan, &report, Paint::new(false)).replace(&old, "subnet-a");
    insta::assert_snapshot!(told, @r"
    Due: tasks that still run may hold subnet-a (The subnet 'subnet-a' has dependencies and cannot be deleted.): an apply after their end deletes it
      after that: delete ec2/Subnet/a (subnet-a)

    Applied: 1 added, 1 changed, 0 replaced, 0 deleted; 1 to be deleted by a later apply.
    ");
    let (rest, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert_eq!((changes(&rest), due(&rest)), (vec![], vec![old.as_str()]));
    assert!(!render::has_drifted(&rest));
    assert!(stage.world.execute(&rest, &observed).await.complete(), "it is still held");

    ec2.delete_network_interface().network_interface_id(interface).send().await.unwrap();
    stage.world.apply(&after, &Guard::default()).await;
    let (nothing, observed) = stage.world.plan(&after, &Guard::default()).await;
    assert!(nothing.is_idle() && nothing.due.is_empty(), "{:?}", nothing.due);
    assert!(!observed.resources.contains_key(&"ec2/Subnet/a".parse().unwrap()));
}
