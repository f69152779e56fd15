//! Compute environments: create, describe, delete. What may be asked is in `check`, what an update does in `update`.
//!
//! Sources of the refusals: <https://docs.aws.amazon.com/batch/latest/APIReference/API_DeleteComputeEnvironment.html>,
//! hashicorp/terraform-provider-aws#46925 ("found existing JobQueue relationship"), ec2spotworkshops.com
//! ("resource is being modified"), and the messages that public preflight rules quote as measured on AWS.

mod check;
mod templates;
mod update;

use serde_json::{Value, json};

use super::arn::{is_service_linked, name_of};
use super::error::{Error, Result, refuse};
use super::model;
use super::page::page;
use super::request::{Fields, Object, fill, keep};
use super::state::{Life, Managed, State, Status, environments_of};
use super::{Batch, Settings};

const CREATABLE: [&str; 10] = [
    "computeEnvironmentName",
    "type",
    "state",
    "unmanagedvCpus",
    "computeResources",
    "serviceRole",
    "tags",
    "eksConfiguration",
    "context",
    "ecsSettings",
];

impl Batch {
    pub(super) async fn create_compute_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        check::creation(&request)?;
        model::check(&request)?;
        let detail = described(&settings, &request)?;
        let name = request.required("computeEnvironmentName")?.to_owned();
        self.with(|state, _| match state.environments.contains_key(&name) {
            true => refuse!("Object already exists"),
            false => Ok(()),
        })?;
        let fault = self.fault_of(&detail).await?;
        self.with(|state, now| {
            // Looked at again: another request may have come between.
            if state.environments.contains_key(&name) {
                refuse!("Object already exists");
            }
            let answer = named(&detail);
            let until = now + super::clock::millis(settings.transition);
            state.environments.insert(name, Managed::created(detail, until, fault));
            Ok(answer)
        })
    }

    pub(super) fn describe_compute_environments(&self, request: Object) -> Result<Value> {
        let wanted = request.texts("computeEnvironments")?;
        self.with(|state, _| {
            let all = state.environments.iter();
            let chosen = all.filter(|(name, one)| {
                let arn = one.detail.shown("computeEnvironmentArn");
                wanted.is_empty() || wanted.iter().any(|want| want == *name || want == arn)
            });
            let items = chosen.map(|(name, one)| (name.clone(), one.shown())).collect();
            page(&request, "computeEnvironments", items)
        })
    }

    pub(super) async fn delete_compute_environment(&self, request: Object) -> Result<Value> {
        let settings = self.settings();
        let reference = request.required("computeEnvironment")?;
        let detail = self.with(|state, _| {
            let (name, environment) = find(state, reference)?;
            refuse_moving(environment, "delete")?;
            if environment.is_enabled() {
                // AWS's exact words are not in public text; the rule is (API_DeleteComputeEnvironment).
                refuse!("Cannot delete, compute environment must be in DISABLED state");
            }
            if state.queues.values().any(|queue| environments_of(queue).contains(&name)) {
                refuse!("Cannot delete, found existing JobQueue relationship");
            }
            let environment = entry(state, &name)?;
            if environment.lingering > 0 {
                environment.lingering -= 1;
                refuse!("Cannot delete, found existing JobQueue relationship");
            }
            Ok(environment.detail.clone())
        })?;
        // AWS Batch deletes with the environment's own role: without it the deletion gets stuck.
        let mut fault = self.fault_of_role(&detail).await?;
        self.with(|state, now| {
            let (name, _) = find(state, reference)?;
            let arn = detail.shown("computeEnvironmentArn");
            if is_fargate(&detail) && state.jobs.values().any(|job| job.occupies(arn)) {
                fault = Some("CLIENT_ERROR - Active jobs must be terminated before deleting".into());
            }
            let until = now + super::clock::millis(settings.transition);
            entry(state, &name)?.life = Life::begin(Status::Deleting, until, fault);
            Ok(())
        })?;
        if has_instances(&detail) {
            self.take_hosts(detail.shown("computeEnvironmentArn"));
        }
        Ok(json!({}))
    }

    /// Why AWS Batch would call this environment `INVALID`: its roles, subnets or security groups.
    async fn fault_of(&self, detail: &Object) -> Result<Option<String>> {
        if let Some(fault) = self.fault_of_role(detail).await? {
            return Ok(Some(fault));
        }
        if let Some(fault) = self.fault_of_cluster(detail)? {
            return Ok(Some(fault));
        }
        let empty = Object::new();
        let resources = detail.object("computeResources")?.unwrap_or(&empty);
        let world = self.world();
        let profile = resources.shown("instanceRole");
        if !profile.is_empty()
            && !world.has_instance_profile(name_of(profile)).await.map_err(Error::Server)?
        {
            return Ok(Some(format!("CLIENT_ERROR - Invalid IamInstanceProfile: {profile}")));
        }
        let subnets = resources.texts("subnets")?;
        if let Some(gone) = world.missing_subnet(&subnets).await.map_err(Error::Server)? {
            return Ok(Some(format!("CLIENT_ERROR - The subnet ID '{gone}' does not exist")));
        }
        let groups = resources.texts("securityGroupIds")?;
        if let Some(gone) = world.missing_security_group(&groups).await.map_err(Error::Server)? {
            return Ok(Some(format!("CLIENT_ERROR - The security group '{gone}' does not exist")));
        }
        self.fault_of_templates(detail, resources).await
    }

    /// ECS makes its service-linked role at its first use in an account, and does not see it at once: the text is that of
    /// aws-samples/baseline-environment-on-aws#238; aws-samples/run-selenium-tests-at-scale-using-ecs-fargate#2, "on a second
    /// deployment it worked".
    fn fault_of_cluster(&self, detail: &Object) -> Result<Option<String>> {
        const REFUSED: &str = "CLIENT_ERROR - Unable to assume the service linked role. Please verify that the ECS service \
             linked role exists. (Service: AmazonECS; Status Code: 400; Error Code: InvalidParameterException)";
        let refusals = self.settings().first_clusters;
        self.with(|state, _| {
            let refused = detail.contains_key("ecsClusterArn") && state.refused_clusters < refusals;
            state.refused_clusters += u32::from(refused);
            Ok(refused.then(|| REFUSED.to_owned()))
        })
    }

    async fn fault_of_role(&self, detail: &Object) -> Result<Option<String>> {
        // Text: AWS Batch User Guide, "INVALID compute environment", incorrect role name or ARN.
        const REFUSED: &str = "CLIENT_ERROR - Not authorized to perform sts:AssumeRole (Service: AWSSecurityTokenService; \
             Status Code: 403; Error Code: AccessDenied)";
        let role = detail.shown("serviceRole").to_owned();
        if is_service_linked(&role) {
            return Ok(None);
        }
        let trust = self.world().trust_policy(name_of(&role)).await.map_err(Error::Server)?;
        let assumable = trust.is_some_and(|policy| check::trusts_batch(&policy));
        let settings = self.settings();
        self.with(|state, now| {
            let first = *state.roles.entry(role).or_insert(now);
            let fresh = now < first + super::clock::millis(settings.role_propagation);
            Ok((fresh || !assumable).then(|| REFUSED.to_owned()))
        })
    }
}

/// The stored form of a create request: what was sent, with what the server adds.
fn described(settings: &Settings, request: &Object) -> Result<Object> {
    let mut detail = keep(request, &CREATABLE);
    let name = request.required("computeEnvironmentName")?;
    let uuid = uuid::Uuid::new_v4().to_string();
    detail.insert("computeEnvironmentArn".into(), settings.arn("compute-environment", name).into());
    detail.insert("uuid".into(), uuid.as_str().into());
    fill(&mut detail, "state", "ENABLED");
    fill(&mut detail, "tags", json!({}));
    let role = settings.role_arn(detail.shown("serviceRole"));
    detail.insert("serviceRole".into(), role.into());
    let is_eks = detail.contains_key("eksConfiguration");
    detail.insert("containerOrchestrationType".into(), if is_eks { "EKS" } else { "ECS" }.into());
    if !is_eks {
        let cluster = settings.ecs_arn(&format!("cluster/AWSBatch-{name}-{uuid}"));
        detail.insert("ecsClusterArn".into(), cluster.into());
    }
    if has_instances(&detail) {
        detail.insert(
            "updatePolicy".into(),
            json!({ "terminateJobsOnUpdate": false, "jobExecutionTimeoutMinutes": 30 }),
        );
    }
    if let Some(Value::Object(resources)) = detail.get_mut("computeResources") {
        fill_resources(resources, is_eks);
    }
    Ok(detail)
}

/// What AWS adds to compute resources that leave it out.
fn fill_resources(resources: &mut Object, is_eks: bool) {
    if !matches!(resources.shown("type"), "EC2" | "SPOT") {
        return;
    }
    fill(resources, "minvCpus", 0);
    let least = resources.get("minvCpus").cloned().unwrap_or_default();
    fill(resources, "desiredvCpus", least);
    fill(resources, "allocationStrategy", if is_eks { "BEST_FIT_PROGRESSIVE" } else { "BEST_FIT" });
    fill(resources, "tags", json!({}));
    if resources.shown("type") == "SPOT" {
        fill(resources, "bidPercentage", 100);
    }
    let image = if is_eks { "EKS_AL2023" } else { "ECS_AL2023" };
    fill(resources, "ec2Configuration", json!([{ "imageType": image }]));
    if let Some(Value::Array(configurations)) = resources.get_mut("ec2Configuration") {
        for configuration in configurations.iter_mut().filter_map(Value::as_object_mut) {
            fill(configuration, "batchImageStatus", "LATEST");
        }
    }
    if let Some(Value::Object(template)) = resources.get_mut("launchTemplate") {
        fill(template, "version", "$Default");
    }
}

/// Whether the environment runs on EC2 instances: only those have an update policy.
fn has_instances(detail: &Object) -> bool {
    matches!(kind_of(detail), "EC2" | "SPOT")
}

/// Whether the environment runs on Fargate.
pub(super) fn is_fargate(detail: &Object) -> bool {
    matches!(kind_of(detail), "FARGATE" | "FARGATE_SPOT")
}

/// The `type` of its compute resources; empty for an unmanaged environment.
pub(super) fn kind_of(detail: &Object) -> &str {
    detail.object("computeResources").ok().flatten().map_or("", |resources| resources.shown("type"))
}

/// Finds an environment by name or ARN.
pub(super) fn find<'a>(state: &'a State, reference: &str) -> Result<(String, &'a Managed)> {
    let name = name_of(reference);
    let found = state.environments.get_key_value(name).filter(|(_, one)| {
        !reference.starts_with("arn:") || one.detail.shown("computeEnvironmentArn") == reference
    });
    match found {
        Some((name, environment)) => Ok((name.clone(), environment)),
        None => refuse!("Compute environment {reference} does not exist"),
    }
}

fn entry<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Managed> {
    match state.environments.get_mut(name) {
        Some(environment) => Ok(environment),
        None => refuse!("Compute environment {name} does not exist"),
    }
}

/// Refuses while a transition is under way.
pub(super) fn refuse_moving(resource: &Managed, verb: &str) -> Result<()> {
    match resource.life.is_moving() {
        true => refuse!("Cannot {verb}, resource is being modified."),
        false => Ok(()),
    }
}

fn named(detail: &Object) -> Value {
    Value::Object(keep(detail, &["computeEnvironmentName", "computeEnvironmentArn"]))
}

#[cfg(test)]
mod tests;
