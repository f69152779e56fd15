//! An apply as text: a line for each event, and what became of everything.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::terminal::{self, coloured};
use super::value::plain;
use super::{Paint, hint};
use crate::execute::{Event, Failure, Outcome, Report};
use crate::plan::{Action, Change, Plan, Step, Verb};

/// The line of one event; nothing for a step that the plan does not have.
pub fn progress(plan: &Plan, event: &Event, paint: Paint) -> Option<String> {
    let line = |step: usize, phase: &str, paint: &dyn Fn(&str) -> String, more: &str| {
        let step = plan.steps.get(step)?;
        let name = subject(step);
        let more = if more.is_empty() { String::new() } else { format!(": {}", plain(more)) };
        Some(format!("  {} {name}{more}", paint(&format!("{phase:<13}"))))
    };
    let verb = |step: usize| plan.steps.get(step).map(|step| step.verb);
    match event {
        Event::Started { step } => line(*step, doing(verb(*step)?), &|text| paint.faint(text), ""),
        Event::Waiting { step, why } => line(*step, "waiting", &|text| paint.faint(text), why),
        Event::Finished { step } => {
            let action = kind_of(verb(*step)?);
            line(*step, done(verb(*step)?), &|text| coloured(action, text, paint), "")
        }
        Event::Postponed { step, why } => line(*step, "later", &|text| paint.note(text), why),
        Event::Failed { step, failure } => line(*step, "failed", &|text| paint.bad(text), &cause(failure)),
    }
}

/// What was done, what failed and why, and what waits for it.
pub fn report(plan: &Plan, report: &Report, paint: Paint) -> String {
    told(plan, report, "Run it again", paint)
}

/// The same of a run that takes this very plan and no other: what is left of it is another (D19).
pub fn report_of_one_plan(plan: &Plan, report: &Report, paint: Paint) -> String {
    told(plan, report, "Plan again", paint)
}

fn told(plan: &Plan, report: &Report, next: &str, paint: Paint) -> String {
    let mut text = String::new();
    failures(&mut text, plan, report, paint);
    let blocked: Vec<(&Step, &Step)> = plan
        .steps
        .iter()
        .filter_map(|step| match report.outcomes.get(&step.id)? {
            Outcome::Blocked { by } => Some((step, plan.steps.get(*by)?)),
            _ => None,
        })
        .collect();
    if !blocked.is_empty() {
        let _ = writeln!(text, "{}", paint.change("Waiting for what failed:"));
        for (step, by) in &blocked {
            let _ =
                writeln!(text, "  {} {}: waits for {}", infinitive(step.verb), subject(step), subject(by));
        }
        text.push('\n');
    }
    let later: BTreeSet<&str> = report
        .outcomes
        .values()
        .filter_map(|outcome| match outcome {
            Outcome::Postponed { why } => Some(why.as_str()),
            _ => None,
        })
        .collect();
    for why in &later {
        let _ = writeln!(text, "{}: {}", paint.note("Due"), plain(why));
    }
    for change in plan.changes.iter().filter(|change| report.is_later(plan, change)) {
        let _ = writeln!(text, "  after that: delete {} ({})", change.id, plain(&change.physical));
    }
    if !later.is_empty() {
        text.push('\n');
    }
    let unfinished: Vec<(&Step, &str)> = plan
        .steps
        .iter()
        .filter_map(|step| match report.outcomes.get(&step.id)? {
            Outcome::Unfinished { why } => Some((step, why.as_str())),
            _ => None,
        })
        .collect();
    if !unfinished.is_empty() {
        let _ = writeln!(text, "{}", paint.change("Not finished:"));
        for (step, why) in &unfinished {
            let _ = writeln!(text, "  {} {}: {}", infinitive(step.verb), subject(step), plain(why));
        }
        text.push('\n');
    }
    let left: Vec<&Step> = plan
        .steps
        .iter()
        .filter(|step| report.outcomes.get(&step.id) == Some(&Outcome::NotStarted))
        .collect();
    if !left.is_empty() {
        let _ = writeln!(text, "{}", paint.change("Not started:"));
        for step in &left {
            let _ = writeln!(text, "  {} {}", infinitive(step.verb), subject(step));
        }
        text.push('\n');
    }
    let remaining =
        [(blocked.len(), "waiting"), (unfinished.len(), "not finished"), (left.len(), "not started")];
    let collected = report.collected(plan);
    for due in &collected {
        let _ = writeln!(text, "{}: deleted {} ({})", paint.note("Was due"), due.id, plain(&due.physical));
    }
    if !collected.is_empty() {
        text.push('\n');
    }
    text.push_str(&terminal::stays(plan, paint));
    let _ = writeln!(text, "{}", paint.strong(&summary(plan, report, remaining, next)));
    text
}

fn summary(plan: &Plan, report: &Report, remaining: [(usize, &str); 3], next: &str) -> String {
    if report.complete() {
        let done = || plan.changes.iter().filter(|change| !report.is_later(plan, change));
        let of = |action: Action| done().filter(|change| change.action == action).count();
        let mut text = format!(
            "Applied: {} added, {} changed, {} replaced, {} deleted",
            of(Action::Create),
            of(Action::Update),
            of(Action::Replace),
            of(Action::Delete) + report.collected(plan).len()
        );
        for (action, word) in [(Action::Adopt, "adopted"), (Action::Forget, "forgotten")] {
            if of(action) > 0 {
                let _ = write!(text, ", {} {word}", of(action));
            }
        }
        let later = plan.changes.len() - done().count();
        if later > 0 {
            let _ = write!(text, "; {later} to be deleted by a later apply");
        }
        return text + ".";
    }
    let mut text = format!("{} of {} steps done", report.done(), plan.steps.len());
    for (count, what) in [(report.failures().count(), "failed")].into_iter().chain(remaining) {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    let how = if report.interrupted { "Interrupted" } else { "Applied in part" };
    format!("{how}: {text}. {next} to go on: what is done stays done.")
}

fn failures(text: &mut String, plan: &Plan, report: &Report, paint: Paint) {
    for (id, failure) in report.failures() {
        let Some(step) = plan.steps.get(id) else { continue };
        let _ = writeln!(
            text,
            "{}: failed to {} {}",
            paint.bad("error"),
            infinitive(step.verb),
            paint.strong(&subject(step))
        );
        let position = plan.changes.iter().find(|change| change.id == step.resource).and_then(position);
        if let Some(position) = position {
            let _ = writeln!(text, "  {}", paint.faint(&format!("--> {position}")));
        }
        let _ = writeln!(text, "  {}", cause(failure));
        let next = if failure.stale {
            Some("it has changed since the plan was made: plan again".to_owned())
        } else if failure.timed_out {
            let environment = &plan.environment;
            Some(format!("AWS may still finish it: run `batchwright status {environment}`, then apply again"))
        } else {
            hint(failure.code.as_deref(), &failure.message)
        };
        if let Some(next) = next {
            let _ = writeln!(text, "  = {}: {next}", paint.note("help"));
        }
        text.push('\n');
    }
}

fn position(change: &Change) -> Option<String> {
    change.position.as_ref().map(ToString::to_string)
}

/// `batch:CreateJobQueue: ClientException: … (request …)`.
fn cause(failure: &Failure) -> String {
    let mut parts: Vec<&str> = Vec::new();
    parts.extend(failure.operation.as_deref());
    parts.extend(failure.code.as_deref());
    parts.push(&failure.message);
    let request = failure.request_id.as_ref().map(|id| format!(" (request {id})")).unwrap_or_default();
    plain(&(parts.join(": ") + &request))
}

/// The resource, and which incarnation of it where that matters.
fn subject(step: &Step) -> String {
    let physical = plain(&step.physical);
    match (step.verb, step.revision) {
        (_, Some(revision)) => format!("{} ({physical}:{revision})", step.resource),
        _ => format!("{} ({physical})", step.resource),
    }
}

fn kind_of(verb: Verb) -> Action {
    match verb {
        Verb::Create | Verb::Register => Action::Create,
        Verb::Update | Verb::Tag => Action::Update,
        Verb::Disable | Verb::Drain | Verb::Delete | Verb::Deregister => Action::Delete,
        Verb::Adopt => Action::Adopt,
        Verb::Forget => Action::Forget,
    }
}

fn infinitive(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Tag => "tag",
        Verb::Disable => "disable",
        Verb::Drain => "drain",
        Verb::Delete => "delete",
        Verb::Register => "register",
        Verb::Deregister => "deregister",
        Verb::Adopt => "adopt",
        Verb::Forget => "forget",
    }
}

fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Tag => "tagging",
        Verb::Disable => "disabling",
        Verb::Drain => "draining",
        Verb::Delete => "deleting",
        Verb::Register => "registering",
        Verb::Deregister => "deregistering",
        Verb::Adopt => "adopting",
        Verb::Forget => "forgetting",
    }
}

fn done(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Tag => "tagged",
        Verb::Disable => "disabled",
        Verb::Drain => "drained",
        Verb::Delete => "deleted",
        Verb::Register => "registered",
        Verb::Deregister => "deregistered",
        Verb::Adopt => "adopted",
        Verb::Forget => "forgotten",
    }
}
