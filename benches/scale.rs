//! What an environment of many resources costs: `cargo bench --bench scale`.
//!
//! The payments stack is declared many times over, each copy under names of its own, and put into a cloud in memory. Measured is
//! the time of the processor: to load and validate it, to plan it once it is there, and to apply a plan in which nothing differs.
//! Each may take a second with 10,000 resources, in 400 MB of memory, and may grow with at most the 1.15th power of their number.

#![allow(clippy::print_stdout, reason = "what it measures is printed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use batchwright::cloud::{Cloud, Scope, Simulated};
use batchwright::execute::{Event, Limits, Shutdown, execute};
use batchwright::kinds::KINDS;
use batchwright::manifest;
use batchwright::plan::{Guard, Request, plan, warnings};
use batchwright::resource::Desired;
use regex::{Captures, Regex};

const SIZES: [usize; 3] = [1_000, 3_000, 10_000];
const MOST_EXPONENT: f64 = 1.15;
const MOST_TIME: Duration = Duration::from_secs(1);
/// MB.
const MOST_MEMORY: u64 = 400;

type Failure = Box<dyn std::error::Error>;

/// A phase, and the processor's time that it takes.
type Times = Vec<(&'static str, Duration)>;

fn main() -> Result<(), Failure> {
    // `cargo test --all-targets` builds this and runs it without `--bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let sizes = match std::env::var("BATCHWRIGHT_SCALE") {
        Ok(sizes) => sizes.split(',').map(str::parse).collect::<Result<Vec<usize>, _>>()?,
        Err(_) => SIZES.to_vec(),
    };
    let mut runs: Vec<(usize, Times)> = Vec::new();
    for size in sizes {
        let (count, times) = measure(size)?;
        print!("{count:>6} resources:");
        for (phase, time) in &times {
            print!("  {phase} {:.2} s", time.as_secs_f64());
        }
        println!("  at most {} MB so far", peak()?);
        runs.push((count, times));
    }
    judge(&runs)
}

fn judge(runs: &[(usize, Times)]) -> Result<(), Failure> {
    let (Some((few, before)), Some((many, after))) = (runs.first(), runs.last()) else { return Ok(()) };
    let mut broken = Vec::new();
    for ((phase, least), (_, most)) in before.iter().zip(after) {
        let growth = (most.as_secs_f64() / least.as_secs_f64()).ln() / (*many as f64 / *few as f64).ln();
        println!("{phase}: grows with the power {growth:.2} of the number (at most {MOST_EXPONENT})");
        if growth > MOST_EXPONENT || *most > MOST_TIME {
            broken.push(*phase);
        }
    }
    if peak()? > MOST_MEMORY {
        broken.push("memory");
    }
    if broken.is_empty() { Ok(()) } else { Err(format!("over its budget: {}", broken.join(", ")).into()) }
}

fn measure(size: usize) -> Result<(usize, Times), Failure> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), size)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut times = Times::new();
    let desired = timed(&mut times, "validate", || load(folder.path()))?;
    let cloud = Simulated::new(KINDS, desired.place.clone());
    let first = runtime.block_on(apply(&cloud, &desired))?;
    if first == 0 {
        return Err("the first apply did nothing".into());
    }
    let observed = runtime.block_on(cloud.observe(&Scope::of(&desired)))?;
    let plan =
        timed(&mut times, "plan", || Ok(plan(&Request::new(&desired, &observed, KINDS, &Guard::default()))))?;
    if !plan.is_idle() || !plan.objections.is_empty() {
        return Err(format!("it does not converge: {:?} {:?}", plan.changes.first(), plan.objections).into());
    }
    timed(&mut times, "no-op apply", || runtime.block_on(apply(&cloud, &desired)))?;
    Ok((desired.resources.len(), times))
}

/// What `validate` does.
fn load(root: &Path) -> Result<Desired, Failure> {
    let image = format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/dev-worker@sha256:{}", "0".repeat(64));
    let images = BTreeMap::from([("worker".to_owned(), image)]);
    let desired = manifest::load(root, "many", &manifest::Options { images, ..Default::default() })?;
    let warned = warnings(&desired, None, KINDS);
    if warned.is_empty() { Ok(desired) } else { Err(format!("{:?}", warned.first()).into()) }
}

/// Observes, plans and executes; how many steps there were.
async fn apply(cloud: &Simulated, desired: &Desired) -> Result<usize, Failure> {
    let observed = cloud.observe(&Scope::of(desired)).await?;
    let plan = plan(&Request::new(desired, &observed, KINDS, &Guard::default()));
    let (_go_on, stop) = tokio::sync::watch::channel(Shutdown::Running);
    let limits = Limits { steps: 64, ..Limits::default() };
    let report = execute(&plan, &observed, cloud, KINDS, &limits, stop, &mut |_: Event| ()).await;
    if report.complete() { Ok(plan.steps.len()) } else { Err("not everything was applied".into()) }
}

fn timed<T>(
    times: &mut Times,
    phase: &'static str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begun = processor();
    let done = work()?;
    times.push((phase, processor().saturating_sub(begun)));
    Ok(done)
}

/// The time that this process has had of the processor.
fn processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// The most memory that this process has had, in MB.
fn peak() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}

/// Writes an environment with so many resources: copies of the payments stack.
fn write(root: &Path, size: usize) -> Result<(), Failure> {
    let stacks = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/stacks/payments");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(stacks)? {
        texts.push(std::fs::read_to_string(entry?.path())?);
    }
    texts.sort();
    let resources = 18; // of a copy; one more, the account's, stands for all of them
    let copies = size.div_ceil(resources);
    std::fs::create_dir_all(root.join("many"))?;
    let mut environment = "project: acme/many\naccount: \"111111111111\"\nregion: us-east-1\n\
         namePrefix: ${env.name}-\nstacks: [payments]\n\
         variables: {private: false, public: true, assignPublicIp: ENABLED, maxvCpus: 4, logRetentionInDays: 7, onDelete: empty}\n\
         tags: {Application: payments}\nimages:\n  worker: {repository: ecr/Repository/worker-0, tag: latest}\npatches:\n"
        .to_owned();
    let folder = root.join("stacks/payments");
    std::fs::create_dir_all(&folder)?;
    for copy in 0..copies {
        writeln!(
            environment,
            "  ec2/RouteTable/jobs-{copy}:\n    spec:\n      routes: [{{destinationCidrBlock: 0.0.0.0/0, gatewayId: \"${{ec2/InternetGateway/main-{copy}.id}}\"}}]"
        )?;
        std::fs::write(folder.join(format!("{copy}.yaml")), copied(&texts, copy)?)?;
    }
    std::fs::write(root.join("many/environment.yaml"), environment)?;
    Ok(())
}

/// The stack's documents, with names and references of this copy.
fn copied(texts: &[String], copy: usize) -> Result<String, Failure> {
    let name = Regex::new(r"(?m)^  (name|physicalName): (\S+)$")?;
    let reference = Regex::new(r"\$\{([a-z0-9]+/[A-Za-z]+)/([a-z0-9-]+)\.")?;
    let mut documents = Vec::new();
    for document in texts.iter().flat_map(|text| text.split("\n---\n")) {
        if document.contains("kind: iam/ServiceLinkedRole") {
            if copy == 0 {
                documents.push(document.to_owned());
            }
            continue;
        }
        let named =
            name.replace_all(document, |it: &Captures<'_>| format!("  {}: {}-{copy}", &it[1], &it[2]));
        let linked = reference.replace_all(&named, |it: &Captures<'_>| match &it[1] {
            "iam/ServiceLinkedRole" => it[0].to_owned(),
            kind => format!("${{{kind}/{}-{copy}.", &it[2]),
        });
        documents.push(linked.into_owned());
    }
    Ok(documents.join("\n---\n"))
}
