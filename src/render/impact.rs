//! What a plan does to jobs, in words.

use super::value::plain;
use crate::plan::{Affected, Change, End, Impact, Plan};

/// How many jobs are named one by one.
const SHOWN: usize = 8;

/// What a change does to jobs: a heading, and a line for each of them. Nothing if it concerns none.
pub(super) fn lines(plan: &Plan, change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    for impact in plan.impact.iter().filter(|impact| impact.id == change.id) {
        lines.push(heading(impact));
        lines.extend(impact.jobs.iter().take(SHOWN).map(|affected| format!("  {}", line(impact, affected))));
        if impact.jobs.len() > SHOWN || impact.more {
            let rest = impact.jobs.len().saturating_sub(SHOWN);
            lines.push(match impact.more {
                true => "  … and more".to_owned(),
                false => format!("  … and {rest} more"),
            });
        }
    }
    lines
}

/// `2 jobs would be cut off.` for the end of the totals; nothing if none is.
pub(super) fn total(plan: &Plan) -> Option<String> {
    let count: usize = plan.impact.iter().map(|impact| impact.cut_off().count()).sum();
    let more = if plan.impact.iter().any(|impact| impact.more) { " or more" } else { "" };
    match count {
        0 => None,
        1 if more.is_empty() => Some("1 job would be cut off.".to_owned()),
        count => Some(format!("{count}{more} jobs would be cut off.")),
    }
}

fn heading(impact: &Impact) -> String {
    let count = impact.jobs.len();
    let more = if impact.more { " or more" } else { "" };
    let (jobs, get, end, are) =
        if count == 1 { ("job", "gets", "ends", "is") } else { ("jobs", "get", "end", "are") };
    let fate = match impact.end {
        End::After(minutes) => format!("{count} running {jobs} {get} {minutes} min to finish"),
        End::AtOnce => format!("{count} running {jobs} {end} at once"),
        End::WithQueue => format!("{count}{more} {jobs} in it {are} not over, and {end} with it"),
    };
    let allowed = if impact.allowed { " (allowed)" } else { "" };
    format!("{fate}{allowed}:")
}

fn line(impact: &Impact, affected: &Affected) -> String {
    let job = &affected.job;
    let since = job.elapsed.map_or_else(
        || job.status.to_lowercase(),
        |elapsed| format!("{} for {}", job.status.to_lowercase(), span(elapsed)),
    );
    let late = match impact.end {
        End::After(minutes) if affected.cut_off => {
            let elapsed = job.elapsed.unwrap_or_default();
            let why = match (job.timeout, job.past) {
                (Some(timeout), _) => {
                    format!("and its time-out gives it {} more", span(timeout.saturating_sub(elapsed)))
                }
                (None, Some(past)) if elapsed <= minutes.saturating_mul(60) => {
                    format!("and one like it took {}", span(past))
                }
                (None, _) => "longer than that".to_owned(),
            };
            format!(", {why}: would be cut off")
        }
        End::After(minutes) if job.elapsed.is_some_and(|elapsed| elapsed > minutes * 60) => {
            ", longer than that; its own time-out ends it before".to_owned()
        }
        _ => String::new(),
    };
    format!("{} {}: {since}{late}", plain(&job.name), plain(&job.id))
}

/// `45 s`, `12 min`, `3 h 05 min`.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}
