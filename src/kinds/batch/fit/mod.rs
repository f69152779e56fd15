//! The proof that jobs fit: whether some instance of a queue can take what a definition asks for, told before AWS is asked.
//!
//! A job that fits nothing waits as RUNNABLE for ever, without a word
//! (<https://docs.aws.amazon.com/batch/latest/userguide/job_stuck_in_runnable.html>). What fits no instance that may come is refused.
//! What nobody can tell is a doubt, for these causes only: memory so close to the instance's that the system may keep too much of it;
//! a type that the table does not have; types that Batch chooses itself; instances that are not Batch's.

use super::compute_environment::ComputeEnvironment;
use super::job_definition::Spec;
use super::job_queue::{self, JobQueue};
use crate::kind::{Beside, Clash, Invalid, Kind, Other};
use crate::resource::{ResourceId, RunsOn};
use crate::value::instance_type::Architecture;

pub mod instance_types;
pub mod needs;
pub mod offer;

#[cfg(test)]
mod tests;

use needs::Needs;
use offer::{Fit, What};

/// Where a job fits best in a queue.
struct Best {
    environment: ResourceId,
    fit: Fit,
}

/// What keeps a definition's jobs from running on every queue that is declared, or on one that it names; or makes that doubtful.
/// Nothing, where no queue is declared, or one of which not all is known.
pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
    let runs_on = beside.get(id).and_then(|it| it.runs_on).cloned().unwrap_or_default();
    let all = needs_of(spec, &runs_on);
    if runs_on.queues.is_empty() {
        let queues: Vec<Other<'_>> = beside.all::<JobQueue>().collect();
        return all.iter().filter_map(|needs| anywhere(spec, needs, &queues, beside)).collect();
    }
    let mut found = Vec::new();
    for (index, name) in runs_on.queues.iter().enumerate() {
        let queue = name.parse::<ResourceId>().ok().filter(|id| id.kind == JobQueue::NAME);
        match queue.and_then(|id| beside.get(&id)) {
            Some(queue) => {
                found.extend(all.iter().filter_map(|needs| anywhere(spec, needs, &[queue], beside)));
            }
            None => {
                let message = format!(
                    "no queue `{name}` is declared in this environment: name one as batch/JobQueue/<name>"
                );
                found.push(Invalid::new(format!("metadata.runsOn.queues[{index}]"), message).into());
            }
        }
    }
    found
}

/// What a job needs, with what its manifest says of its image.
fn needs_of(spec: &Spec, runs_on: &RunsOn) -> Vec<Needs> {
    let said = runs_on.architecture.map(|it| match it {
        crate::resource::Architecture::Arm64 => Architecture::Arm64,
        crate::resource::Architecture::X86 => Architecture::X86,
    });
    needs::of(spec).into_iter().map(|needs| Needs { architecture: said, ..needs }).collect()
}

fn anywhere(spec: &Spec, needs: &Needs, queues: &[Other<'_>], beside: &Beside<'_>) -> Option<Clash> {
    let mut found: Vec<Best> = Vec::new();
    for queue in queues {
        let declared =
            queue.read::<job_queue::Spec>().filter(|_| !queue.ignores("computeEnvironmentOrder"))?;
        match in_queue(needs, &declared, beside)? {
            Best { fit: Fit::Sure, .. } => return None,
            other => found.push(other),
        }
    }
    let best = found.into_iter().min_by_key(|best| best.fit.rank())?;
    let say = |gap: &offer::Gap| {
        Clash::new(path(spec, needs, gap.what), &best.environment, format!("the job {}", gap.message))
    };
    match &best.fit {
        Fit::Sure => None,
        Fit::Doubtful(gap) => Some(say(gap).doubted()),
        Fit::Not(gap) => Some(say(gap)),
    }
}

/// Why a definition's jobs fit nothing of one queue, as far as both are declared.
pub fn refusal(beside: &Beside<'_>, definition: &ResourceId, queue: &ResourceId) -> Option<String> {
    let definition = beside.get(definition)?;
    let runs_on = definition.runs_on.cloned().unwrap_or_default();
    let definition: Spec = definition.read()?;
    let queue: job_queue::Spec =
        beside.get(queue).filter(|it| !it.ignores("computeEnvironmentOrder"))?.read()?;
    let all = needs_of(&definition, &runs_on);
    let best = all.iter().filter_map(|needs| in_queue(needs, &queue, beside));
    best.into_iter().find_map(|best| match best.fit {
        Fit::Not(gap) => Some(gap.message),
        Fit::Sure | Fit::Doubtful(_) => None,
    })
}

/// Where a job fits best in one queue; nothing, if not all of its environments are known.
fn in_queue(needs: &Needs, queue: &job_queue::Spec, beside: &Beside<'_>) -> Option<Best> {
    let mut best: Option<Best> = None;
    for entry in &queue.compute_environment_order {
        let (id, environment) = beside.find::<ComputeEnvironment>(&entry.compute_environment)?;
        if beside.get(id)?.ignores("computeResources") {
            return None;
        }
        let fit = offer::fit(needs, &environment, &id.to_string());
        if best.as_ref().is_none_or(|best| fit.rank() < best.fit.rank()) {
            best = Some(Best { environment: id.clone(), fit });
        }
    }
    best
}

/// The field that says what does not fit.
fn path(spec: &Spec, needs: &Needs, what: What) -> String {
    let kind = match what {
        What::Platform if spec.platform_capabilities.is_empty() => return needs.at.clone(),
        What::Platform => return "platformCapabilities".to_owned(),
        What::Nodes => return "nodeProperties".to_owned(),
        What::System => return needs.at.clone(),
        What::Architecture => return "metadata.runsOn.architecture".to_owned(),
        What::Ceiling | What::Vcpus => "VCPU",
        What::Memory => "MEMORY",
        What::Gpus => "GPU",
    };
    let container = spec.container_properties.as_ref();
    let required = container.map(|it| &it.resource_requirements);
    match required.and_then(|all| all.iter().position(|it| it.r#type == kind)) {
        Some(index) => format!("containerProperties.resourceRequirements[{index}].value"),
        None if container.is_some_and(|it| it.memory.is_some()) && kind == "MEMORY" => {
            "containerProperties.memory".to_owned()
        }
        None if container.is_some_and(|it| it.vcpus.is_some()) && kind == "VCPU" => {
            "containerProperties.vcpus".to_owned()
        }
        None => needs.at.clone(),
    }
}
