//! From a plan to its report: shown, asked about, looked at once more, executed. What every command that writes ends with.

use super::confirm::Confirm;
use super::news::Told;
use super::{Error, Exit, Output, Result, Session, signals};
use crate::cloud::Cloud;
use crate::execute::{self, Event, Report, Shutdown, Stop};
use crate::kinds::KINDS;
use crate::outputs;
use crate::plan::review::{Difference, Expected};
use crate::plan::{Guard, Plan};
use crate::render::{self, json};
use crate::resource::Observed;

/// How a run talks.
#[derive(Debug, Clone, Copy)]
pub struct Reporter<'a> {
    /// Where to.
    pub out: &'a Output,
    /// JSON records in place of text.
    pub json: bool,
}

impl Reporter<'_> {
    /// Shows the plan.
    pub fn plan(&self, session: &Session, plan: &Plan) {
        if self.json {
            self.out.record(json::version());
            let records = json::plan(plan, json::View::Plan, Some(session.calls()));
            records.into_iter().for_each(|record| self.out.record(record));
        } else {
            self.out.data(&render::plan(plan, self.out.paint()));
        }
    }

    /// Says in what a plan is not what was reviewed.
    fn differences(&self, differences: &[Difference]) {
        if self.json {
            differences.iter().map(json::difference).for_each(|record| self.out.record(record));
        } else {
            self.out.data(&format!("\n{}", render::differences(differences, self.out.paint())));
        }
    }

    /// What the environment tells whoever uses it: it takes no call.
    fn outputs(&self, session: &Session, observed: &Observed, known: &outputs::Known) {
        let told = outputs::told(&session.desired, observed, known);
        if self.json {
            render::output_records(&told, false).into_iter().for_each(|record| self.out.record(record));
        } else if !told.is_empty() {
            self.out.data(&format!("\n{}", render::outputs(&told, self.out.paint())));
        }
    }

    fn event(&self, plan: &Plan, event: &Event, told: &mut Told) {
        if !told.is_news(event) {
            return;
        }
        if self.json {
            if let Some(record) = json::event(plan, event) {
                self.out.record(record);
            }
        } else if let Some(line) = render::progress(plan, event, self.out.talk_paint()) {
            self.out.talk(&line);
        }
    }

    fn report(&self, plan: &Plan, report: &Report, one_plan: bool) {
        if self.json {
            self.out.record(json::report(plan, report));
            return;
        }
        let told = if one_plan { render::report_of_one_plan } else { render::report };
        self.out.data(&format!("\n{}", told(plan, report, self.out.paint())));
    }
}

/// Plans, shows, holds it against what was reviewed elsewhere, asks, plans again right before the first write (D26), and
/// executes.
pub async fn reviewed(
    session: &Session,
    guard: &Guard,
    confirm: Confirm,
    expected: Option<&Expected>,
    talk: Reporter<'_>,
) -> Result<Exit> {
    let guard = Guard { expected: expected.cloned(), ..guard.clone() };
    let (plan, observed) = session.plan(&guard).await?;
    talk.plan(session, &plan);
    let differences = expected.map(|expected| expected.differences(&plan)).unwrap_or_default();
    if !differences.is_empty() {
        talk.differences(&differences);
        return Err(Error::NotReviewed { differences: differences.len() });
    }
    if !plan.objections.is_empty() {
        return Err(Error::Refused { objections: plan.objections.len() });
    }
    if plan.is_idle() {
        talk.outputs(session, &observed, &outputs::known(&observed));
        return Ok(Exit::Success);
    }
    // What nobody could be shown, nobody agreed to.
    talk.out.shown()?;
    confirm.ask(talk.out).await?;
    let (fresh, observed) = session.plan_again(&guard, (plan.clone(), &observed)).await?;
    if fresh.fingerprint() != plan.fingerprint() {
        return Err(Error::Stale);
    }
    // Jobs that began while the question was open.
    if !fresh.objections.is_empty() {
        talk.plan(session, &fresh);
        return Err(Error::Refused { objections: fresh.objections.len() });
    }
    let one_plan = expected.is_some_and(Expected::is_one_plan);
    Ok(carry_out(session, &fresh, &observed, one_plan, talk).await)
}

/// Executes a plan that was agreed to, and reports: also of a run that is stopped, however often it is told so. `one_plan`:
/// whether a second run would be held to this very plan.
pub async fn carry_out(
    session: &Session,
    plan: &Plan,
    observed: &Observed,
    one_plan: bool,
    talk: Reporter<'_>,
) -> Exit {
    let (stop, stopped) = tokio::sync::watch::channel(Shutdown::Running);
    let told = |shutdown| {
        talk.out.talk(match shutdown {
            Shutdown::Immediate => "  interrupted again: nothing is waited for any more",
            _ => {
                "  interrupted: what AWS was asked for is finished, nothing new is started; an AWS out of reach is waited for a minute at most; once more ends it at once"
            }
        });
    };
    let report = tokio::select! {
        // It listens before anything is written.
        biased;
        never = signals::heed(&stop, told) => match never {},
        report = executed(session, plan, observed, stopped, talk) => report,
    };
    talk.report(plan, &report, one_plan);
    if report.complete() {
        talk.outputs(session, observed, &report.known);
    }
    Exit::of_report(&report)
}

async fn executed(
    session: &Session,
    plan: &Plan,
    observed: &Observed,
    stop: Stop,
    talk: Reporter<'_>,
) -> Report {
    let mut told = Told::default();
    let mut on = |event: Event| talk.event(plan, &event, &mut told);
    let cloud: &dyn Cloud = &session.aws;
    execute::execute(plan, observed, cloud, KINDS, &session.limits, stop, &mut on).await
}
