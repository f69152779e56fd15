//! What a compute environment offers to one job.

use std::cmp::Ordering;

use super::instance_types::{self, InstanceType};
use super::needs::{Needs, Platform};
use crate::kinds::batch::compute_environment::Spec;
use crate::kinds::batch::types::compute_resources::ComputeResources;
use crate::value::instance_type::{self, Architecture, family, is_bundle};

/// Whether a job fits.
#[derive(Debug, Clone, PartialEq)]
pub enum Fit {
    /// It does.
    Sure,
    /// It may: why nobody can tell without starting an instance.
    Doubtful(Gap),
    /// It does not, whatever instance comes.
    Not(Gap),
}

impl Fit {
    /// What is better comes first: a doubt before a refusal, and what is mended easily before what is not.
    pub fn rank(&self) -> (u8, What) {
        match self {
            Self::Sure => (0, What::Ceiling),
            Self::Doubtful(gap) => (1, gap.what),
            Self::Not(gap) => (2, gap.what),
        }
    }
}

/// In what a job and an environment do not come together. Those that are mended more easily come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// `maxvCpus` of the environment.
    Ceiling,
    /// MiB.
    Memory,
    /// vCPUs of an instance.
    Vcpus,
    /// GPUs of an instance.
    Gpus,
    /// Its several nodes.
    Nodes,
    /// What its image is built for.
    Architecture,
    /// Its system.
    System,
    /// Where it runs at all.
    Platform,
}

/// Why a job does not fit, and the smallest change that mends it.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// In what.
    pub what: What,
    /// The sentence behind "the job …".
    pub message: String,
}

/// What the ECS agent keeps of an instance's memory, in MiB, by Batch's own setting
/// (<https://docs.aws.amazon.com/batch/latest/userguide/ecs-reserved-memory.html>).
const AGENT: f64 = 32.0;

/// What is left of an instance's memory in any case. The system keeps a part that AWS does not publish: of the 8192 MiB of an
/// m4.large 7985 can be seen (<https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html>).
const VISIBLE: f64 = 0.95;

/// The families that Batch chooses from where nobody does; which of them it takes depends on the region and the time
/// (<https://docs.aws.amazon.com/batch/latest/userguide/instance-type-compute-table.html>).
const CHOSEN_X86: &[&str] = &[
    "c4", "m4", "r4", "c5", "m5", "r5", "c5a", "m5a", "r5a", "c6i", "m6i", "r6i", "c6a", "m6a", "r6a", "c7i",
    "m7i", "r7i", "c7a", "m7a", "r7a", "c8i", "m8i", "r8i", "c8a", "m8a", "r8a",
];
const CHOSEN_ARM: &[&str] =
    &["c6g", "m6g", "r6g", "c7g", "m7g", "r7g", "c8g", "m8g", "r8g", "c9g", "m9g", "r9g"];
/// Those that it takes in each region that has them.
const SURE_X86: &[&str] = &["c4", "m4", "r4"];
const SURE_ARM: &[&str] = &["c6g", "m6g", "r6g"];

/// Whether each node of a job can be placed on an environment, which messages call `name`.
pub fn fit(needs: &Needs, environment: &Spec, name: &str) -> Fit {
    let there = platform(environment);
    if !needs.platforms.contains(&there) {
        return not(What::Platform, elsewhere(needs, there, name));
    }
    let Some(resources) = &environment.compute_resources else {
        return match needs.nodes {
            Some(_) => not(
                What::Nodes,
                format!("has several nodes, which no UNMANAGED environment such as {name} takes"),
            ),
            None => doubt(
                What::Vcpus,
                format!("runs on instances of {name} that are not Batch's, and their sizes are not known"),
            ),
        };
    };
    if let Some(gap) = ceiling(needs, resources, name) {
        return Fit::Not(gap);
    }
    match there {
        Platform::Fargate => on_fargate(needs, resources, name),
        Platform::Ec2 => on_instances(needs, resources, name),
        Platform::ManagedInstances | Platform::Eks => Fit::Sure,
    }
}

fn not(what: What, message: String) -> Fit {
    Fit::Not(Gap { what, message })
}

fn doubt(what: What, message: String) -> Fit {
    Fit::Doubtful(Gap { what, message })
}

fn platform(environment: &Spec) -> Platform {
    let kind = environment.compute_resources.as_ref().map_or("", |it| it.r#type.as_str());
    match kind {
        _ if environment.eks_configuration.is_some() => Platform::Eks,
        "FARGATE" | "FARGATE_SPOT" => Platform::Fargate,
        "ECS_MANAGED_INSTANCES" => Platform::ManagedInstances,
        _ => Platform::Ec2,
    }
}

/// Why a job does not run there at all.
fn elsewhere(needs: &Needs, there: Platform, name: &str) -> String {
    let word = |platform: &Platform| match platform {
        Platform::Ec2 => "EC2",
        Platform::Fargate => "FARGATE",
        Platform::ManagedInstances => "MANAGED_INSTANCES",
        Platform::Eks => "EKS",
    };
    let wanted: Vec<&str> = needs.platforms.iter().map(word).collect();
    let (wanted, has) = (wanted.join(" or "), word(&there));
    let way = match there {
        Platform::Eks => "say eksProperties, or give a queue an environment of that kind".to_owned(),
        _ if needs.platforms.contains(&Platform::Eks) => "give a queue an environment on EKS".to_owned(),
        _ => format!("set platformCapabilities to [{has}], or give a queue an environment of {wanted}"),
    };
    format!("runs on {wanted}, and {name} is {has}: {way}")
}

/// All nodes of a job count against the most vCPUs that there may be.
fn ceiling(needs: &Needs, resources: &ComputeResources, name: &str) -> Option<Gap> {
    let vcpus = needs.vcpus? * needs.nodes.unwrap_or(1.0);
    let most = f64::from(resources.maxv_cpus);
    (vcpus > most).then(|| Gap {
        what: What::Ceiling,
        message: format!(
            "needs {}, and {name} never has more than {most}: set its computeResources.maxvCpus to {} or more",
            count(vcpus, "vCPU"),
            vcpus.ceil()
        ),
    })
}

/// Its sizes are a matter of the definition alone.
fn on_fargate(needs: &Needs, resources: &ComputeResources, name: &str) -> Fit {
    // <https://docs.aws.amazon.com/batch/latest/userguide/create-compute-environment.html>
    if needs.is_windows && resources.r#type == "FARGATE_SPOT" {
        return not(
            What::System,
            format!("runs on Windows, and {name} is FARGATE_SPOT, which has Linux only: use FARGATE"),
        );
    }
    Fit::Sure
}

fn on_instances(needs: &Needs, resources: &ComputeResources, name: &str) -> Fit {
    // <https://docs.aws.amazon.com/batch/latest/userguide/mnp-ce.html>
    if needs.nodes.is_some() && resources.r#type == "SPOT" {
        return not(
            What::Nodes,
            format!("has several nodes, which Spot does not take: {name} would have to be EC2"),
        );
    }
    let wanted = needs.instance_type.iter();
    let named: Vec<&str> = match needs.instance_type {
        Some(_) => wanted.map(String::as_str).collect(),
        None => resources.instance_types.iter().map(String::as_str).collect(),
    };
    // None at all is refused elsewhere.
    if named.is_empty() || named.iter().any(|text| text.contains("${")) {
        return Fit::Sure;
    }
    if let Some(gap) = architecture(needs, &named, name) {
        return Fit::Not(gap);
    }
    let unknown = named.iter().find(|text| !is_bundle(text) && instance_types::of(text).is_empty());
    let possible: Vec<InstanceType> =
        named.iter().flat_map(|text| types(text, CHOSEN_X86, CHOSEN_ARM)).collect();
    let certain: Vec<InstanceType> = named.iter().flat_map(|text| types(text, SURE_X86, SURE_ARM)).collect();
    let safe = |one: &&InstanceType| !one.is_metal() || named.contains(&one.name);
    if certain.iter().filter(safe).any(|one| holds(one, needs, VISIBLE)) {
        return Fit::Sure;
    }
    if let Some(unknown) = unknown {
        return doubt(What::Vcpus, format!("may run on {unknown} of {name}, of which nothing is known here"));
    }
    if let Some(one) = possible.iter().find(|one| holds(one, needs, 1.0)) {
        return doubt(What::Memory, perhaps(needs, one, name));
    }
    Fit::Not(lack(needs, &possible, name))
}

fn types(text: &str, x86: &[&str], arm: &[&str]) -> Vec<InstanceType> {
    let families = match text {
        "default_arm64" => arm,
        _ if is_bundle(text) => x86,
        _ => return instance_types::of(text),
    };
    families.iter().flat_map(|family| instance_types::of(family)).collect()
}

/// An image that is built for other processors than all that may come: its containers end with `exec format error`.
fn architecture(needs: &Needs, named: &[&str], name: &str) -> Option<Gap> {
    let wanted = needs.architecture?;
    let other = |text: &&str| instance_type::architecture(text).filter(|it| *it != wanted);
    let all: Option<Vec<Architecture>> = named.iter().map(other).collect();
    let has = all?.first().copied()?;
    let message = format!(
        "has an image for {wanted}, and every instance type of {name} is {has}: build it for {has}, or name types of {wanted}"
    );
    Some(Gap { what: What::Architecture, message })
}

/// The MiB of an instance that a job can have, where so much of its memory can be seen.
fn left(one: &InstanceType, visible: f64) -> f64 {
    (one.memory * visible - AGENT).floor()
}

fn holds(one: &InstanceType, needs: &Needs, visible: f64) -> bool {
    needs.architecture.is_none_or(|architecture| architecture == one.architecture)
        && needs.vcpus.is_none_or(|vcpus| vcpus <= one.vcpus)
        && needs.gpus.is_none_or(|gpus| gpus <= one.gpus)
        && needs.memory.is_none_or(|memory| memory <= left(one, visible))
}

fn perhaps(needs: &Needs, one: &InstanceType, name: &str) -> String {
    let memory = needs.memory.unwrap_or_default();
    let (type_name, all, sure) = (one.name, one.memory, left(one, VISIBLE));
    if memory <= sure {
        return format!(
            "fits {type_name}, which Batch may choose for {name} or not: say which in its computeResources.instanceTypes"
        );
    }
    format!(
        "needs {memory} MiB; {type_name} of {name} has {all}, of which the system and the ECS agent keep some: {sure} MiB \
         are left in any case"
    )
}

/// What no type of an environment has.
fn lack(needs: &Needs, types: &[InstanceType], name: &str) -> Gap {
    let by = |figure: fn(&InstanceType) -> f64| {
        let order = move |a: &&InstanceType, b: &&InstanceType| {
            figure(a).partial_cmp(&figure(b)).unwrap_or(Ordering::Equal).then(b.name.cmp(a.name))
        };
        types.iter().max_by(order)
    };
    let bigger = |way: &str| {
        bigger(needs, types).map_or_else(String::new, |it| {
            format!("{way}add {} to its computeResources.instanceTypes", it.name)
        })
    };
    if let (Some(gpus), Some(most)) = (needs.gpus, by(|it| it.gpus))
        && gpus > most.gpus
    {
        let has = if most.gpus == 0.0 {
            "no instance type with a GPU".to_owned()
        } else {
            format!("none with more than {} ({})", most.gpus, most.name)
        };
        let message = format!("needs {}, and {name} has {has}: {}", count(gpus, "GPU"), bigger(""));
        return Gap { what: What::Gpus, message };
    }
    if let (Some(vcpus), Some(most)) = (needs.vcpus, by(|it| it.vcpus))
        && vcpus > most.vcpus
    {
        let (type_name, has) = (most.name, most.vcpus);
        let message = format!(
            "needs {vcpus} vCPUs, and {name} has no instance type with more than {has} ({type_name}): ask for {has} or less{}",
            bigger(", or ")
        );
        return Gap { what: What::Vcpus, message };
    }
    let enough = |one: &&InstanceType| holds(one, &Needs { memory: None, ..needs.clone() }, 1.0);
    let most =
        types.iter().filter(enough).max_by(|a, b| a.memory.total_cmp(&b.memory).then(b.name.cmp(a.name)));
    let (Some(most), Some(memory)) = (most, needs.memory) else {
        let message = format!("fits no instance type of {name}{}", bigger(": "));
        return Gap { what: What::Memory, message };
    };
    let (type_name, has, sure) = (most.name, most.memory, left(most, VISIBLE));
    let message = format!(
        "needs {memory} MiB; of the {has} MiB of {type_name}, the largest of {name} for it, the system and the ECS agent keep \
         some: ask for {sure} or less{}",
        bigger(", or ")
    );
    Gap { what: What::Memory, message }
}

fn count(number: f64, what: &str) -> String {
    if number == 1.0 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The smallest type that a job fits: of the families that are there, or else of any that is like them.
fn bigger(needs: &Needs, types: &[InstanceType]) -> Option<InstanceType> {
    let architecture =
        needs.architecture.or(types.first().map(|one| one.architecture)).unwrap_or(Architecture::X86);
    let families: Vec<&str> = types.iter().map(|one| family(one.name)).collect();
    let fits = |one: &InstanceType| {
        one.architecture == architecture && !one.is_metal() && holds(one, needs, VISIBLE)
    };
    let size = |one: &InstanceType| (one.gpus, one.vcpus, one.memory);
    let smallest = |candidates: Vec<InstanceType>| {
        candidates
            .into_iter()
            .min_by(|a, b| size(a).partial_cmp(&size(b)).unwrap_or(Ordering::Equal).then(a.name.cmp(b.name)))
    };
    let all: Vec<InstanceType> = instance_types::all().filter(fits).collect();
    let related = all.iter().copied().filter(|one| families.contains(&family(one.name))).collect();
    let general =
        all.iter().copied().filter(|one| one.gpus > 0.0 || one.name.starts_with(['c', 'm', 'r'])).collect();
    smallest(related).or_else(|| smallest(general)).or_else(|| smallest(all))
}
