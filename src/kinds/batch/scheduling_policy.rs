//! `batch/SchedulingPolicy`: how a queue is shared.

use std::collections::BTreeSet;

use aws_sdk_batch::types as sdk;

use super::types::name;
use crate::kind::prelude::*;
use crate::services::batch::{Batch, Client};

/// A Batch scheduling policy.
pub struct SchedulingPolicy;

/// What a manifest declares of a scheduling policy. With none of both it shares fairly, everybody alike.
#[spec(default)]
pub struct Spec {
    /// Users or teams share the queue by weight.
    #[field(empty)]
    pub fairshare_policy: Option<FairsharePolicy>,
    /// Users or teams have quotas of the queue; not beside `fairsharePolicy`.
    #[field(empty)]
    pub quota_share_policy: Option<QuotaSharePolicy>,
}

/// Users or teams share a queue by weight.
#[spec(default)]
pub struct FairsharePolicy {
    /// For how many seconds what a share has used counts against it: 0 to 604800. With 0 only what runs counts.
    #[field(default, range(0..=604_800))]
    pub share_decay_seconds: i32,
    /// How much of the queue's vCPUs is kept for shares that have no job yet: 0 to 99. Batch keeps
    /// (computeReservation/100)^(active shares) of the most that there may be.
    #[field(default, range(0..=99))]
    pub compute_reservation: i32,
    /// The weights; shares that are not named weigh 1.
    #[field(empty, keyed("shareIdentifier"), length(..=500))]
    pub share_distribution: Vec<ShareAttributes>,
}

/// How much a share weighs.
#[spec]
pub struct ShareAttributes {
    /// What jobs name as their `shareIdentifier`; one that ends in `*` speaks of all that begin so.
    #[field(regex(r"^([a-zA-Z0-9_-]{1,255}|[a-zA-Z0-9_-]{0,254}\*)$"))]
    pub share_identifier: String,
    /// 0.0001 to 999.9999: a share of weight 0.5 gets twice as much as one of weight 1.
    #[field(default = 1.0, range(0.0001..=999.9999))]
    pub weight_factor: f64,
}

/// Users or teams have quotas of a queue.
#[spec]
pub struct QuotaSharePolicy {
    /// Which of the waiting jobs gets what no share's quota needs now: `FIFO`, the oldest.
    #[field(one_of(sdk::QuotaShareIdleResourceAssignmentStrategy::values()))]
    pub idle_resource_assignment_strategy: String,
}

/// What AWS assigns to a scheduling policy.
#[outputs]
pub struct Outputs {
    /// Its ARN.
    pub arn: String,
}

/// How many policies DescribeSchedulingPolicies takes at once.
const PAGE: usize = 100;

impl Kind for SchedulingPolicy {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Batch;
    type Seen = sdk::SchedulingPolicyDetail;

    const NAME: &'static str = "batch/SchedulingPolicy";
    const NAMES: NameRule = NameRule::checked(128, name::invalid);
    const ARN: Option<On> = Some(On::Regional("batch", "scheduling-policy/{name}"));
    const ABOUT: &'static str = "A Batch scheduling policy: how a queue is shared.";
    const CLOUDFORMATION: &'static str = "AWS::Batch::SchedulingPolicy";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] =
        &[("name", "metadata.physicalName"), ("tags", "metadata.tags")];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![batch: DescribeSchedulingPolicies])],
        write: &[Grant::on(
            actions![batch: CreateSchedulingPolicy DeleteSchedulingPolicy TagResource UntagResource
                UpdateSchedulingPolicy],
            &[On::Regional("batch", "scheduling-policy/{name}")],
        )],
    };
    const EXAMPLE: &'static str = include_str!("scheduling_policy.example.yaml");
    const READ_BY_NAME: bool = true;

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut found = Vec::new();
        if spec.fairshare_policy.is_some() && spec.quota_share_policy.is_some() {
            found.push(Invalid::new("quotaSharePolicy", "excludes fairsharePolicy: remove one of them"));
        }
        let shares = spec.fairshare_policy.iter().flat_map(|it| &it.share_distribution);
        let names: Vec<&str> = shares.map(|share| share.share_identifier.as_str()).collect();
        let mut seen = BTreeSet::new();
        for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.contains("${")) {
            let path = format!("fairsharePolicy.shareDistribution[{at}].shareIdentifier");
            let covers =
                |it: &&&str| it != &name && it.strip_suffix('*').is_some_and(|it| name.starts_with(it));
            if !seen.insert(*name) {
                found.push(Invalid::new(path, format!("`{name}` has a weight above: remove one of them")));
            } else if let Some(other) = names.iter().find(covers) {
                let what = format!("`{name}` is a share of `{other}` already: Batch takes no share twice");
                found.push(Invalid::new(path, what));
            }
        }
        found
    }

    /// Batch makes a policy of which nothing is said one that shares fairly, and keeps weights of single precision.
    fn normalise(spec: &mut Spec, _place: &Place) {
        if spec.quota_share_policy.is_none() {
            spec.fairshare_policy.get_or_insert_default();
        }
        let shares = spec.fairshare_policy.iter_mut().flat_map(|it| &mut it.share_distribution);
        shares.for_each(|share| share.weight_factor = as_written(single(share.weight_factor)));
    }

    fn effect(live: &Spec, want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        if live.quota_share_policy.is_some() == want.quota_share_policy.is_some() {
            return strongest(changes, Self::IDENTITY);
        }
        let because = "a policy of shares cannot become one of quotas, nor the other way round";
        (Effect::Replace(Order::CreateFirst), Reason(because.to_owned()))
    }

    /// All of a page with one call: a policy's ARN follows from its name.
    async fn read(client: &Client, scope: &Scope) -> Result<BTreeMap<String, Self::Seen>> {
        let prefix = scope.place.arn("batch", "scheduling-policy/");
        let declared: BTreeSet<String> = scope.names(Self::NAME).map(str::to_owned).collect();
        let swept = async {
            let swept = scope.swept(&prefix).await?;
            named(client, &prefix, swept.difference(&declared)).await
        };
        let (mut found, more) = futures::try_join!(named(client, &prefix, &declared), swept)?;
        found.extend(more);
        Ok(found)
    }

    fn live(name: &str, seen: &Self::Seen, place: &Place) -> Option<Live<Self>> {
        let outputs = Outputs { arn: place.arn("batch", &format!("scheduling-policy/{name}")) };
        let arn = outputs.arn.clone();
        let tags = own_tags(seen.tags.iter().flatten());
        Some(Live::new(name, spec_of(seen), outputs).with(arn, tags))
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.create_scheduling_policy().name(cx.name);
        let call = call.set_fairshare_policy(want.fairshare_policy.as_ref().map(fairshare));
        let call = call.set_quota_share_policy(want.quota_share_policy.as_ref().map(quota_share));
        let call = call.set_tags(Some(cx.tags.clone().into_iter().collect()));
        call.send().await.map_err(failed)?;
        Ok(cx.name.to_owned())
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, _diff: &Diff) -> Result<()> {
        let call = cx.client.update_scheduling_policy().arn(&live.outputs.arn);
        let call = call.set_fairshare_policy(want.fairshare_policy.as_ref().map(fairshare));
        let call = call.set_quota_share_policy(want.quota_share_policy.as_ref().map(quota_share));
        call.send().await.map_err(failed)?;
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.delete_scheduling_policy().arn(&live.outputs.arn);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

/// The policies of these names that there are.
async fn named(
    client: &Client,
    prefix: &str,
    names: impl IntoIterator<Item = &String>,
) -> Result<BTreeMap<String, sdk::SchedulingPolicyDetail>> {
    let arns: Vec<String> = names.into_iter().map(|name| format!("{prefix}{name}")).collect();
    let mut found = BTreeMap::new();
    for page in arns.chunks(PAGE) {
        let call = client.describe_scheduling_policies().set_arns(Some(page.to_vec()));
        for policy in call.send().await.map_err(failed)?.scheduling_policies.unwrap_or_default() {
            found.insert(policy.name.clone().unwrap_or_default(), policy);
        }
    }
    Ok(found)
}

fn spec_of(seen: &sdk::SchedulingPolicyDetail) -> Spec {
    let share = |it: &sdk::ShareAttributes| ShareAttributes {
        share_identifier: it.share_identifier.clone().unwrap_or_default(),
        weight_factor: it.weight_factor.map_or(1.0, as_written),
    };
    let fair = |it: &sdk::FairsharePolicy| FairsharePolicy {
        share_decay_seconds: it.share_decay_seconds.unwrap_or_default(),
        compute_reservation: it.compute_reservation.unwrap_or_default(),
        share_distribution: it.share_distribution().iter().map(share).collect(),
    };
    let quota = |it: &sdk::QuotaSharePolicy| QuotaSharePolicy {
        idle_resource_assignment_strategy: it
            .idle_resource_assignment_strategy
            .as_ref()
            .map(|it| it.as_str().to_owned())
            .unwrap_or_default(),
    };
    Spec {
        fairshare_policy: seen.fairshare_policy.as_ref().map(fair),
        quota_share_policy: seen.quota_share_policy.as_ref().map(quota),
    }
}

fn fairshare(want: &FairsharePolicy) -> sdk::FairsharePolicy {
    let share = |it: &ShareAttributes| {
        let share = sdk::ShareAttributes::builder().share_identifier(&it.share_identifier);
        share.weight_factor(single(it.weight_factor)).build()
    };
    sdk::FairsharePolicy::builder()
        .share_decay_seconds(want.share_decay_seconds)
        .compute_reservation(want.compute_reservation)
        .set_share_distribution(Some(want.share_distribution.iter().map(share).collect()))
        .build()
}

#[expect(clippy::cast_possible_truncation, reason = "Batch takes a weight of single precision")]
fn single(weight: f64) -> f32 {
    weight as f32
}

/// The number as somebody would write it: what is nearest to it in double the digits is another one.
fn as_written(weight: f32) -> f64 {
    weight.to_string().parse().unwrap_or(1.0)
}

fn quota_share(want: &QuotaSharePolicy) -> sdk::QuotaSharePolicy {
    let strategy = want.idle_resource_assignment_strategy.as_str().into();
    sdk::QuotaSharePolicy::builder().idle_resource_assignment_strategy(strategy).build()
}
