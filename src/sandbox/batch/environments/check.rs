//! What AWS Batch refuses about a compute environment before it stores anything.

use serde_json::Value;

use crate::batch::arn::is_service_linked;
use crate::batch::error::{Result, invalid};
use crate::batch::request::{Fields, Object, is_name};

/// What Fargate has no use for; AWS names the field.
pub(super) const NOT_FOR_FARGATE: [&str; 14] = [
    "allocationStrategy",
    "bidPercentage",
    "desiredvCpus",
    "ec2Configuration",
    "ec2KeyPair",
    "imageId",
    "instanceRole",
    "instanceTypes",
    "launchTemplate",
    "minvCpus",
    "placementGroup",
    "scalingPolicy",
    "spotIamFleetRole",
    "tags",
];

/// Checks a whole create request.
pub(super) fn creation(request: &Object) -> Result<()> {
    if !is_name(request.required("computeEnvironmentName")?) {
        invalid!("computeEnvironmentName should match valid pattern");
    }
    if let Some(state) = request.text("state")?.filter(|state| *state != "ENABLED") {
        one_of("state", state, &["ENABLED", "DISABLED"])?;
        invalid!("Compute Environment must be created in ENABLED state.");
    }
    if request.contains_key("updatePolicy") {
        invalid!("updatePolicy is not applicable when creating a Compute Environment");
    }
    request.object("eksConfiguration")?.map_or(Ok(()), cluster)?;
    let managed = request.required("type")?;
    one_of("type", managed, &["MANAGED", "UNMANAGED"])?;
    match (managed, request.object("computeResources")?) {
        ("MANAGED", None) => invalid!("computeResources must be provided for a MANAGED compute environment"),
        ("MANAGED", Some(_)) if request.contains_key("unmanagedvCpus") => {
            invalid!("unmanagedvCpus is not applicable for managed Compute Environments")
        }
        ("MANAGED", Some(found)) => resources(found, request.contains_key("eksConfiguration")),
        (_, Some(_)) => {
            invalid!("computeResources must not be provided for an UNMANAGED compute environment")
        }
        (_, None) => match request.text("serviceRole")? {
            None | Some("") => invalid!("ServiceRole is required."),
            Some(role) if is_service_linked(role) => {
                invalid!("Service Linked Role cannot be used with UNMANAGED Compute Environment")
            }
            Some(_) => Ok(()),
        },
    }
}

/// Checks compute resources as a whole, as they are created or as an update leaves them.
pub(super) fn resources(found: &Object, is_eks: bool) -> Result<()> {
    let kind = found.required("type")?;
    one_of("type", kind, &["EC2", "SPOT", "FARGATE", "FARGATE_SPOT", "ECS_MANAGED_INSTANCES"])?;
    if is_eks && !matches!(kind, "EC2" | "SPOT") {
        invalid!("Supported compute types for EKS compute environments are [EC2, SPOT]");
    }
    let Some(most) = found.integer("maxvCpus")? else { invalid!("Resource maxvCpus is required.") };
    if most < 0 {
        invalid!("maxvCpus should be greater than or equal to 0.");
    }
    match kind {
        "FARGATE" | "FARGATE_SPOT" => fargate(found),
        "EC2" | "SPOT" => instances(found, kind, most, is_eks),
        _ if !found.contains_key("managedInstancesProvider") => {
            invalid!("managedInstancesProvider is required.")
        }
        _ => Ok(()),
    }
}

fn fargate(found: &Object) -> Result<()> {
    if let Some(field) = NOT_FOR_FARGATE.iter().find(|field| found.contains_key(**field)) {
        invalid!("{field} is not applicable for Fargate.");
    }
    match found.texts("subnets")?.len() {
        0 => invalid!("Resource subnets is required."),
        1..=16 => {}
        _ => invalid!("Fargate supports a maximum of 16 subnets."),
    }
    match found.texts("securityGroupIds")?.len() {
        0 => invalid!("Resource securityGroupIds is required."),
        1..=5 => Ok(()),
        _ => invalid!("Fargate supports a maximum of 5 security groups."),
    }
}

fn instances(found: &Object, kind: &str, most: i64, is_eks: bool) -> Result<()> {
    if found.text("instanceRole")?.unwrap_or_default().is_empty() {
        invalid!("Instance role is required.");
    }
    let least = match found.integer("minvCpus")? {
        Some(least) => least,
        None if is_eks => invalid!("Resource minvCpus is required."),
        None => 0,
    };
    if least > most {
        invalid!("maxvCpus should be greater than or equal to minvCpus.");
    }
    let desired = found.integer("desiredvCpus")?.unwrap_or(least);
    if least < 0 || desired < least || desired > most {
        invalid!("desiredvCpus should be between minvCpus and maxvCpus.");
    }
    if found.texts("instanceTypes")?.is_empty() {
        invalid!("Resource instanceTypes is required.");
    }
    if found.texts("subnets")?.is_empty() {
        invalid!("Resource subnets is required.");
    }
    if found.texts("securityGroupIds")?.is_empty() && !found.contains_key("launchTemplate") {
        invalid!("Resource securityGroupIds is required.");
    }
    let strategy = found.text("allocationStrategy")?.unwrap_or("BEST_FIT");
    strategies(kind, strategy)?;
    if !(0..=100).contains(&found.integer("bidPercentage")?.unwrap_or(100)) {
        invalid!("Bid percentage must be between 0 to 100.");
    }
    let fleet_role = found.text("spotIamFleetRole")?.unwrap_or_default();
    if kind == "SPOT" && strategy == "BEST_FIT" && fleet_role.is_empty() && !is_eks {
        invalid!("compute resource spotIamFleetRole is required.");
    }
    // API_ComputeScalingPolicy and API_Ec2Configuration; the words are not AWS's.
    let delay = found.object("scalingPolicy")?.and_then(|policy| policy.get("minScaleDownDelayMinutes"));
    if delay.is_some_and(|delay| !matches!(delay.as_i64(), Some(0 | 20..=10_080))) {
        invalid!("minScaleDownDelayMinutes must be 0, or between 20 and 10080.");
    }
    if found.list("ec2Configuration")?.is_some_and(|images| images.len() > 2) {
        invalid!("ec2Configuration can hold at most 2 elements.");
    }
    found.object("launchTemplate")?.map_or(Ok(()), launch_template)
}

/// Checks the cluster that jobs run in: API_EksConfiguration; the words are not AWS's.
fn cluster(eks: &Object) -> Result<()> {
    eks.required("eksClusterArn")?;
    let namespace = eks.required("kubernetesNamespace")?;
    let plain = namespace.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let bounded = !namespace.starts_with('-') && !namespace.ends_with('-') && namespace.len() < 64;
    if !plain || !bounded || namespace == "default" || namespace.starts_with("kube-") {
        invalid!("kubernetesNamespace {namespace} is not valid.");
    }
    Ok(())
}

fn strategies(kind: &str, strategy: &str) -> Result<()> {
    const EC2: [&str; 3] = ["BEST_FIT", "BEST_FIT_PROGRESSIVE", "BEST_FIT_PROGRESSIVE_ORDERED"];
    const SPOT: [&str; 5] = [
        "BEST_FIT",
        "BEST_FIT_PROGRESSIVE",
        "SPOT_CAPACITY_OPTIMIZED",
        "SPOT_PRICE_CAPACITY_OPTIMIZED",
        "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED",
    ];
    one_of("allocationStrategy", strategy, if kind == "SPOT" { &SPOT } else { &EC2 })
}

fn launch_template(template: &Object) -> Result<()> {
    let id = !template.shown("launchTemplateId").is_empty();
    let name = !template.shown("launchTemplateName").is_empty();
    if id == name && !template.contains_key("overrides") {
        invalid!(
            "One of LaunchTemplateId and LaunchTemplateName or LaunchTemplate.overrides should be provided"
        );
    }
    let version = template.shown("version");
    if !matches!(version, "" | "$Default" | "$Latest") && !version.chars().all(|c| c.is_ascii_digit()) {
        invalid!("LaunchTemplateVersion must be either empty or a number or $Default or $Latest");
    }
    Ok(())
}

/// Refuses a value that is not in the enumeration.
pub(super) fn one_of(field: &str, value: &str, allowed: &[&str]) -> Result<()> {
    match allowed.contains(&value) {
        true => Ok(()),
        false => invalid!("{field} {value} is not valid. Valid values: [{}]", allowed.join(", ")),
    }
}

/// Whether a trust policy lets AWS Batch assume the role.
pub(super) fn trusts_batch(policy: &str) -> bool {
    fn each(value: &Value) -> Vec<&Value> {
        value.as_array().map_or_else(|| vec![value], |items| items.iter().collect())
    }
    let Ok(policy) = serde_json::from_str::<Value>(policy) else { return false };
    let Some(statements) = policy.get("Statement") else { return false };
    each(statements).into_iter().any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let services = statement.pointer("/Principal/Service").map(each).unwrap_or_default();
        allows && services.into_iter().any(|service| service == "batch.amazonaws.com")
    })
}
