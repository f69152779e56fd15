//! Job queues that would lose their ground: a compute environment is not switched off under a queue that still lists it,
//! whoever the queue belongs to (P1, P21).

use std::collections::BTreeSet;

use serde_json::Value;

use super::drafts::{Draft, How};
use super::graph;
use super::guard::{Objection, Objector};
use super::prune::Leaving;
use super::retire::Retiring;
use crate::kind::Order;
use crate::resource::{Desired, Document, Incarnation, Observed, OnDelete, ResourceId};
use crate::value::instance_type::{Architecture, architecture};

/// The kind that others stand on.
pub(super) const GROUND: &str = "batch/ComputeEnvironment";
/// The kind that stands on it.
pub(super) const HOLDER: &str = "batch/JobQueue";
/// The field that names it.
const ORDER: &str = "computeEnvironmentOrder";

/// What a plan does to each resource.
pub(super) struct Parts<'a> {
    pub drafts: &'a [Draft],
    pub retiring: &'a [Retiring<'a>],
    pub leaving: &'a [Leaving<'a>],
}

/// Where every queue ends.
pub(super) struct End<'a> {
    pub parts: Parts<'a>,
    pub desired: &'a Desired,
    pub observed: &'a Observed,
    pub edges: &'a graph::Edges,
    /// What the plan is about; of queues outside it that follow by a reference, others speak.
    pub part: &'a BTreeSet<ResourceId>,
}

impl End<'_> {
    /// One objection for each queue that still lists an environment on its way out.
    pub fn objections(&self) -> Vec<Objection> {
        let mut found = Vec::new();
        for (id, live) in self.going(GROUND) {
            let Some(arn) = live.arn.as_deref() else { continue };
            let holders = self.outsiders(arn).into_iter().chain(self.resources(id, arn));
            found.extend(holders.map(|holder| {
                let message = format!(
                    "{} is to be switched off, while {holder}; no queue may be left without a compute environment",
                    live.physical
                );
                self.object(id, message)
            }));
        }
        found.extend(self.mixed());
        found.extend(self.switched_off());
        found
    }

    pub fn object(&self, id: &ResourceId, message: String) -> Objection {
        let position = self.desired.resources.get(id).map(|declared| declared.position.clone());
        Objection { id: id.clone(), objector: Objector::Held, message, position }
    }

    /// All incarnations that this plan, or a later one, takes away.
    pub fn going_away(&self) -> Vec<(&ResourceId, &Incarnation)> {
        let retiring = self.parts.retiring.iter().filter(|retiring| retiring.on_delete != OnDelete::Retain);
        let retiring = retiring.map(|retiring| (retiring.id, retiring.live));
        let leaving = self.parts.leaving.iter().filter(|leaving| leaving.on_delete != OnDelete::Retain);
        let leaving =
            leaving.flat_map(|leaving| leaving.incarnations.iter().map(|live| (&leaving.change.id, *live)));
        retiring.chain(leaving).collect()
    }

    /// The same, and what makes room for a successor that can't exist beside it.
    pub fn ending(&self) -> Vec<(&ResourceId, &Incarnation)> {
        let first = self.observed.resources.iter().filter(|(id, _)| self.makes_room(id));
        let first = first.filter_map(|(id, seen)| Some((id, seen.current.as_ref()?)));
        self.going_away().into_iter().chain(first).collect()
    }

    /// Whether it goes before its successor comes.
    pub fn makes_room(&self, id: &ResourceId) -> bool {
        let first = |how: &How| matches!(how, How::Replace { order: Order::DeleteFirst, .. });
        self.parts.drafts.iter().any(|draft| draft.change.id == *id && first(&draft.how))
    }

    fn going(&self, kind: &str) -> Vec<(&ResourceId, &Incarnation)> {
        self.going_away().into_iter().filter(|(id, _)| id.kind == kind).collect()
    }

    /// Whether a resource that this plan is not about follows another one by a reference: then others speak of it.
    pub fn follows_elsewhere(&self, user: &ResourceId, used: &ResourceId) -> bool {
        !self.part.contains(user) && self.edges.get(user).is_some_and(|needs| needs.contains(used))
    }

    fn outsiders(&self, arn: &str) -> Vec<String> {
        let queues = self.observed.outsiders.iter().filter(|outsider| outsider.kind == HOLDER);
        let listing = queues.filter(|queue| lists(&queue.live.spec, arn));
        listing.map(|queue| foreign(&queue.live)).collect()
    }

    /// The queues that the environment knows and that list it at the end of this plan.
    fn resources(&self, ground: &ResourceId, arn: &str) -> Vec<String> {
        let going: BTreeSet<&str> =
            self.going(HOLDER).into_iter().map(|(_, live)| live.physical.as_str()).collect();
        let mut found = Vec::new();
        for (id, seen) in self.observed.resources.iter().filter(|(id, _)| id.kind == HOLDER) {
            for live in seen.iter().filter(|live| lists(&live.spec, arn)) {
                if !going.contains(live.physical.as_str()) {
                    found.extend(self.at_the_end(id, live, ground, arn));
                }
            }
        }
        found
    }

    /// Why a queue that lists the environment now still does at the end; nothing if it does not.
    fn at_the_end(
        &self,
        id: &ResourceId,
        live: &Incarnation,
        ground: &ResourceId,
        arn: &str,
    ) -> Option<String> {
        if live.owner().as_ref() != Some(&self.desired.owner) {
            return Some(foreign(live));
        }
        let Some(declared) = self.desired.resources.get(id) else {
            return Some(format!("{id} lists it and stays in AWS by its onDelete"));
        };
        if self.follows_elsewhere(&declared.id, ground) {
            return None;
        }
        if declared.ignore.iter().any(|path| is_in_order(path)) {
            return Some(format!(
                "{} lists it and ignores {ORDER}: move it by hand, or take {ORDER} out of metadata.ignore",
                declared.id
            ));
        }
        let draft = self.parts.drafts.iter().find(|draft| draft.change.id == declared.id);
        match draft.map(|draft| (&draft.how, &draft.want)) {
            Some((How::Trim, _)) | None => {}
            Some((_, want)) if !lists(want, arn) => return None,
            Some(_) => {}
        }
        Some(format!(
            "{} lists it: let its {ORDER} name another, by a reference such as ${{{GROUND}/<name>.arn}}",
            declared.id
        ))
    }

    /// Queues that stay ENABLED while this plan leaves them nothing but environments that are DISABLED.
    fn switched_off(&self) -> Vec<Objection> {
        let queues = self.desired.resources.iter().filter(|(id, _)| id.kind == HOLDER);
        let mut found = self.foreign_switched_off();
        for (id, declared) in queues {
            let Some(queue) = self.final_spec(id, "") else { continue };
            let order = queue.get(ORDER).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let arns =
                order.iter().filter_map(|entry| entry.get("computeEnvironment").and_then(Value::as_str));
            let grounds: Vec<Option<&ResourceId>> = arns.map(|arn| self.ground(arn)).collect();
            let is_off = |ground: &Option<&ResourceId>| {
                let spec = ground.and_then(|id| self.final_spec(id, "state"));
                spec.and_then(|spec| spec.get("state")).and_then(Value::as_str) == Some("DISABLED")
            };
            let touched = |id: &ResourceId| self.parts.drafts.iter().any(|draft| draft.change.id == *id);
            let by_us = touched(id) || grounds.iter().flatten().any(|ground| touched(ground));
            let is_open = queue.get("state").and_then(Value::as_str) != Some("DISABLED");
            if by_us && is_open && !grounds.is_empty() && grounds.iter().all(is_off) {
                let message = "every compute environment of it would be DISABLED, and its jobs would wait for good: keep one ENABLED, or set its own state to DISABLED too";
                found.push(Objection {
                    id: id.clone(),
                    objector: Objector::Held,
                    message: message.to_owned(),
                    position: Some(declared.position.clone()),
                });
            }
        }
        found
    }

    /// The same of other people's queues: an environment that this plan switches off, and that they have no other than.
    fn foreign_switched_off(&self) -> Vec<Objection> {
        let is = |spec: &Document, state: &str| spec.get("state").and_then(Value::as_str) == Some(state);
        let mut found = Vec::new();
        for draft in self.parts.drafts.iter().filter(|draft| draft.change.id.kind == GROUND) {
            let id = &draft.change.id;
            let live = self.observed.resources.get(id).and_then(|seen| seen.current.as_ref());
            let Some(live) = live.filter(|live| is(&live.spec, "ENABLED")) else { continue };
            if !self.final_spec(id, "state").is_some_and(|spec| is(spec, "DISABLED")) {
                continue;
            }
            let queues =
                self.observed.outsiders.iter().filter(|it| it.kind == HOLDER && is(&it.live.spec, "ENABLED"));
            for queue in queues {
                let order = queue.live.spec.get(ORDER).and_then(Value::as_array);
                let alone = order.is_some_and(|order| order.len() == 1);
                if alone && live.arn.as_deref().is_some_and(|arn| lists(&queue.live.spec, arn)) {
                    let message = format!(
                        "{} would have nothing else to run jobs on, while {}",
                        live.physical,
                        foreign(&queue.live)
                    );
                    found.push(self.object(id, message));
                }
            }
        }
        found
    }

    /// What a declared resource is at the end; as it is now, if `field` of it is left alone.
    pub fn final_spec(&self, id: &ResourceId, field: &str) -> Option<&Document> {
        let declared = self.desired.resources.get(id)?;
        let live = self.observed.resources.get(id).and_then(|seen| Some(&seen.current.as_ref()?.spec));
        let left_alone =
            declared.ignore.iter().any(|path| path == field || (id.kind == HOLDER && is_in_order(path)));
        let draft = self.parts.drafts.iter().find(|draft| draft.change.id == *id);
        match draft.filter(|draft| !left_alone && !matches!(draft.how, How::Trim)) {
            Some(draft) => Some(&draft.want),
            None => live,
        }
    }

    /// The declared environment that an ARN denotes, at the end of the plan or now.
    fn ground(&self, arn: &str) -> Option<&ResourceId> {
        let (_, physical) = arn.rsplit_once(":compute-environment/")?;
        let drafted =
            self.parts.drafts.iter().map(|draft| (&draft.change.id, draft.change.physical.as_str()));
        let seen = self.observed.resources.iter();
        let seen = seen.filter_map(|(id, seen)| Some((id, seen.current.as_ref()?.physical.as_str())));
        drafted.chain(seen).find(|(id, name)| id.kind == GROUND && *name == physical).map(|(id, _)| id)
    }

    /// A queue takes environments of one family, for life: a successor of another family can't take the old one's place.
    fn mixed(&self) -> Vec<Objection> {
        let replaced = self.parts.drafts.iter().filter(|draft| {
            draft.change.id.kind == GROUND
                && matches!(draft.how, How::Replace { order: Order::CreateFirst, .. })
        });
        let mut found = Vec::new();
        for draft in replaced {
            let id = &draft.change.id;
            let live =
                self.parts.retiring.iter().find(|retiring| retiring.id == id).map(|retiring| retiring.live);
            let Some((live, arn)) = live.and_then(|live| Some((live, live.arn.as_deref()?))) else {
                continue;
            };
            let (before, after) = (family(&live.spec), family(&draft.want));
            if before == after {
                continue;
            }
            let queues: Vec<String> = self
                .observed
                .resources
                .iter()
                .filter(|(id, seen)| {
                    id.kind == HOLDER
                        && self.desired.resources.contains_key(*id)
                        && seen.current.iter().any(|queue| lists(&queue.spec, arn))
                })
                .map(|(id, _)| id.to_string())
                .collect();
            if !queues.is_empty() {
                let message = format!(
                    "its successor runs jobs on {after} instead of {before}, and a queue takes one of them for life: {} can't follow; declare a new compute environment and a new queue beside them",
                    queues.join(", ")
                );
                found.push(self.object(id, message));
            }
        }
        found
    }
}

/// Whether a path is the queue's order or something in it.
fn is_in_order(path: &str) -> bool {
    path.split(['.', '[']).next() == Some(ORDER)
}

fn foreign(queue: &Incarnation) -> String {
    let owner =
        queue.owner().map_or_else(|| "nobody we know".to_owned(), |owner| format!("the owner {owner}"));
    format!("the job queue {} of {owner} lists it and has to let go of it first", queue.physical)
}

pub(super) fn lists(queue: &Document, arn: &str) -> bool {
    let order = queue.get(ORDER).and_then(Value::as_array);
    order
        .into_iter()
        .flatten()
        .any(|entry| entry.get("computeEnvironment").and_then(Value::as_str) == Some(arn))
}

/// What a queue takes for life: one family, and of instances one architecture.
fn family(environment: &Document) -> &'static str {
    let resources = environment.get("computeResources");
    let of_resources = resources.and_then(|resources| resources.get("type")).and_then(Value::as_str);
    let arm = resources.and_then(|resources| resources.get("instanceTypes")).is_some_and(is_arm);
    match (of_resources, arm) {
        (_, arm) if environment.get("eksConfiguration").is_some_and(|eks| !eks.is_null()) => {
            if arm {
                "EKS (arm64)"
            } else {
                "EKS"
            }
        }
        (Some("FARGATE" | "FARGATE_SPOT"), _) => "Fargate",
        (Some("ECS_MANAGED_INSTANCES"), _) => "managed instances",
        (_, true) => "EC2 (arm64)",
        (_, false) => "EC2",
    }
}

/// Whether instance types are of Graviton. Batch takes no mixture: the first whose name tells speaks for all.
fn is_arm(types: &Value) -> bool {
    let known = types.as_array().into_iter().flatten().filter_map(Value::as_str).find_map(architecture);
    known == Some(Architecture::Arm64)
}
