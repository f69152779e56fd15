//! `adopt`: take over what exists, by writing our tags and nothing else (D12).

use std::collections::{BTreeMap, BTreeSet};

use super::confirm::Confirm;
use super::run::{Reporter, carry_out};
use super::{Choices, Error, Exit, Globals, Output, Result, Session};
use crate::cloud::{Cloud, Reach, Scope};
use crate::kinds;
use crate::plan::{self, Plan};
use crate::resource::{Incarnation, Observed, ResourceId};

/// Takes over a resource that exists: plans, asks, and only writes our tags
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choices: Choices,
    /// The declared resource, and its name or id in AWS where that is not the declared one
    #[arg(value_name = "KIND/NAME[=PHYSICAL-ID]", value_parser = target)]
    target: Target,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// One JSON record a line in place of the text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
struct Target {
    id: ResourceId,
    physical: Option<String>,
}

fn target(text: &str) -> std::result::Result<Target, String> {
    let (id, physical) = match text.split_once('=') {
        Some((id, physical)) if !physical.is_empty() => (id, Some(physical.to_owned())),
        Some(_) => return Err("expected a name or an id after `=`".to_owned()),
        None => (text, None),
    };
    let id = id.parse().map_err(|_| "expected <service>/<Kind>/<name>".to_owned())?;
    Ok(Target { id, physical })
}

/// Runs `adopt`.
pub async fn run(args: Args, globals: &Globals, out: &Output) -> Result<Exit> {
    let session = out.diagnosed(Session::open(globals, &args.choices, out).await, args.json)?;
    let exit = adopt(&session, &args, out).await;
    session.close().await;
    exit
}

async fn adopt(session: &Session, args: &Args, out: &Output) -> Result<Exit> {
    let (plan, observed) = proposal(session, &args.target).await?;
    let talk = Reporter { out, json: args.json };
    talk.plan(session, &plan);
    if plan.is_empty() {
        let (id, environment) = (&args.target.id, &session.desired.environment);
        out.talk(&format!(
            "{id} is {environment}'s already; `batchwright plan {environment}` shows what differs"
        ));
        return Ok(Exit::Success);
    }
    let confirm = if args.yes { Confirm::Given } else { Confirm::Yes };
    out.shown()?;
    confirm.ask(out).await?;
    if proposal(session, &args.target).await?.0.fingerprint() != plan.fingerprint() {
        return Err(Error::Stale);
    }
    Ok(carry_out(session, &plan, &observed, false, talk).await)
}

/// What would be tagged, and how.
async fn proposal(session: &Session, target: &Target) -> Result<(Plan, Observed)> {
    let id = &target.id;
    let desired = &session.desired;
    let Some(declared) = desired.resources.get(id) else {
        return Err(Error::with_help(
            format!("{id} is not declared in {}", desired.environment),
            "write its manifest first: what is adopted must be declared, or the next apply would delete it",
        ));
    };
    let physical = target.physical.as_ref().unwrap_or(&declared.physical_name);
    let names = BTreeMap::from([(id.clone(), BTreeSet::from([physical.clone()]))]);
    let scope = Scope::of(desired).narrowed(Reach::Named, names);
    let read = session.aws.observe(&scope).await;
    let observed = read.map_err(Error::aws(format!("look for {physical}")))?;
    let seen = observed.resources.get(id).into_iter().flat_map(|seen| seen.iter());
    let live: Vec<&Incarnation> = seen.filter(|live| live.physical == *physical).collect();
    if live.is_empty() {
        return Err(Error::with_help(
            format!("there is no {physical} in AWS that {id} could be"),
            format!("name it: batchwright adopt {} {id}=<name or id>", desired.environment),
        ));
    }
    let plan = plan_of(session, id, &live)?;
    Ok((plan, observed))
}

fn plan_of(session: &Session, id: &ResourceId, live: &[&Incarnation]) -> Result<Plan> {
    let desired = &session.desired;
    let (Some(declared), Some(kind)) = (desired.resources.get(id), kinds::kind(&id.kind)) else {
        return Err(Error::plain(format!("{id} is not declared in {}", desired.environment)));
    };
    let is_free = |live: &&Incarnation| live.owner().is_none_or(|owner| owner == desired.owner);
    // Of a family, each revision has an owner of its own; of all else there is one.
    let (free, taken): (Vec<&Incarnation>, Vec<&Incarnation>) = live.iter().partition(|live| is_free(live));
    if let (true, Some(other)) = (free.is_empty(), taken.first()) {
        let (name, owner) = (&other.physical, other.owner().map(|owner| owner.0).unwrap_or_default());
        return Err(Error::with_help(
            format!("{name} belongs to {owner}"),
            format!("let {owner} forget it first: two owners would undo each other's changes"),
        ));
    }
    Ok(plan::adopt(desired, declared, &free, kind.facts().ownership))
}
