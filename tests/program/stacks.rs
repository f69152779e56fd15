//! The stacks that manifests/ holds, each from nothing to nothing: apply, an empty plan, a job that runs, a change behind our back
//! that is seen and healed, destroy.

use std::path::{Path, PathBuf};

use aws_sdk_batch::types::{ComputeResourceUpdate, JqState};
use batchwright::sandbox::{Options, Sandbox};

use crate::world::copy::copy;
use crate::world::program::{Ran, Stand};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A stack's environment in an account of its own, and the program that its image stands for.
async fn stand(stack: &str, region: &str, repository: &str) -> Stand {
    let options = Options { region: region.to_owned(), ..Options::isolated() };
    let sandbox = Sandbox::start(options, &mut |_| ()).await.unwrap();
    let stand = Stand { folder: tempfile::tempdir().unwrap(), sandbox };
    for part in [stack.to_owned(), format!("stacks/{stack}")] {
        let folder = Path::new("manifests").join(part);
        copy(&Path::new(ROOT).join(&folder), &stand.folder.path().join(&folder));
    }
    let account = stand.sandbox.account().to_owned();
    let file = stand.folder.path().join(format!("manifests/{stack}/environment.yaml"));
    let text = std::fs::read_to_string(&file).unwrap().replace("111111111111", &account);
    std::fs::write(&file, text).unwrap();
    let image = format!("{account}.dkr.ecr.{region}.amazonaws.com/{repository}");
    let programs = Path::new(ROOT).join("docs/stacks").join(stack);
    let args = vec!["-C".to_owned(), programs.to_str().unwrap().to_owned()];
    stand.sandbox.batch().map_image(&image, PathBuf::from("/usr/bin/env"), args);
    stand
}

/// Runs it, and panics with what it printed if it ends in another way.
async fn ends(stand: &Stand, code: i32, args: &[&str]) -> Ran {
    let ran = stand.run(args).await;
    assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
    ran
}

/// Applies from nothing, and shows that nothing is left to do, for how many calls.
async fn applied(stand: &Stand, stack: &str) {
    ends(stand, 0, &["apply", stack, "--yes"]).await;
    let again = ends(stand, 0, &["plan", stack]).await;
    assert!(again.out.contains("No changes."), "{}", again.out);
    assert_eq!(again.writes, 0);
    assert!(again.calls <= 30, "{} calls", again.calls);
}

/// Destroys it: what AWS keeps of job definitions is INACTIVE, and nothing else has our tags.
async fn destroyed(stand: &Stand, stack: &str) {
    ends(stand, 0, &["destroy", stack, "--confirm", stack]).await;
    let left = ends(stand, 0, &["destroy", stack, "--confirm", stack]).await;
    assert_eq!(left.writes, 0, "{}", left.out);
    let batch = aws_sdk_batch::Client::new(&stand.sandbox.sdk_config());
    let definitions = batch.describe_job_definitions().send().await.unwrap();
    let statuses = definitions.job_definitions().iter().filter_map(|it| it.status());
    assert!(statuses.clone().all(|status| status == "INACTIVE") && statuses.count() > 0);
    assert!(batch.describe_job_queues().send().await.unwrap().job_queues().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tutorials_stack_from_nothing_to_nothing() {
    let stand = stand("tutorial", "us-west-2", "tutorial-job").await;
    applied(&stand, "tutorial").await;
    let shown = ends(&stand, 0, &["outputs", "tutorial", "queue"]).await;
    assert_eq!(shown.out.trim(), "tutorial-jobs");

    let first = ends(&stand, 0, &["submit", "tutorial", "job"]).await;
    let after = ["submit", "tutorial", "job", "--depends-on", first.out.trim(), "--follow"];
    let well = ends(&stand, 0, &after).await;
    assert!(well.out.contains("ended well"), "{}\n{}", well.out, well.err);
    let badly = ends(&stand, 9, &["submit", "tutorial", "job", "-p", "ok_or_ng=ng", "--follow"]).await;
    assert!(badly.out.contains("ended badly"), "{}\n{}", badly.out, badly.err);
    assert!(format!("{}{}", badly.out, badly.err).contains("exit code 1"), "{}\n{}", badly.out, badly.err);

    let batch = aws_sdk_batch::Client::new(&stand.sandbox.sdk_config());
    let more = ComputeResourceUpdate::builder().maxv_cpus(64).build();
    let change = batch.update_compute_environment().compute_environment("tutorial-ec2");
    change.compute_resources(more).send().await.unwrap();
    let seen = ends(&stand, 2, &["drift", "tutorial"]).await;
    assert!(seen.out.contains("computeResources.maxvCpus: live has 64, git says 4"), "{}", seen.out);
    applied(&stand, "tutorial").await;
    destroyed(&stand, "tutorial").await;
    // What was looked up is not ours to destroy.
    let ec2 = aws_sdk_ec2::Client::new(&stand.sandbox.sdk_config());
    assert!(
        ec2.describe_vpcs().send().await.unwrap().vpcs().iter().any(|vpc| vpc.is_default() == Some(true))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_simple_stack_from_nothing_to_nothing() {
    let stand = stand("simple", "us-west-1", "simple-hello").await;
    applied(&stand, "simple").await;
    let hello = ends(&stand, 0, &["submit", "simple", "hello", "--follow"]).await;
    assert!(hello.out.contains("hello world"), "{}\n{}", hello.out, hello.err);

    // A larger volume is another version of the template, and the environment takes it.
    let file = stand.folder.path().join("manifests/stacks/simple/compute.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("volumeSize: 50", "volumeSize: 80")).unwrap();
    let larger = ends(&stand, 0, &["plan", "simple"]).await;
    assert!(larger.out.contains("~ update ec2/LaunchTemplate/jobs"), "{}", larger.out);
    applied(&stand, "simple").await;
    let batch = aws_sdk_batch::Client::new(&stand.sandbox.sdk_config());
    let version = async || {
        let all = batch.describe_compute_environments().send().await.unwrap();
        let resources = all.compute_environments()[0].compute_resources().unwrap();
        resources.launch_template().unwrap().version().unwrap().to_owned()
    };
    assert_eq!(version().await, "2");

    let change = batch.update_job_queue().job_queue("simple-jobs").state(JqState::Disabled);
    change.send().await.unwrap();
    let seen = ends(&stand, 2, &["drift", "simple"]).await;
    assert!(seen.out.contains("state: live has \"DISABLED\", git says \"ENABLED\""), "{}", seen.out);
    applied(&stand, "simple").await;
    destroyed(&stand, "simple").await;
}
