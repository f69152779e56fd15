//! The environments that the table is over, and a change to each field.

use serde_json::{Value, json};

/// Whose role Batch works with.
pub const ROLES: &[&str] = &["service-linked by default", "service-linked by name", "custom role"];

/// What is launched, by which strategy (none: the kind has none), on EKS or not.
const LAUNCHES: &[(&str, &str, bool)] = &[
    ("EC2", "BEST_FIT", false),
    ("EC2", "BEST_FIT_PROGRESSIVE", false),
    ("EC2", "BEST_FIT_PROGRESSIVE_ORDERED", false),
    ("EC2", "BEST_FIT_PROGRESSIVE", true),
    ("SPOT", "BEST_FIT", false),
    ("SPOT", "BEST_FIT_PROGRESSIVE", false),
    ("SPOT", "SPOT_CAPACITY_OPTIMIZED", false),
    ("SPOT", "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED", false),
    ("SPOT", "SPOT_PRICE_CAPACITY_OPTIMIZED", false),
    ("FARGATE", "", false),
    ("FARGATE_SPOT", "", false),
    ("ECS_MANAGED_INSTANCES", "", false),
    ("UNMANAGED", "", false),
];

/// One environment of the table.
#[derive(Clone)]
pub struct Context {
    pub launches: &'static str,
    pub allocation: &'static str,
    pub on_eks: bool,
    pub role: &'static str,
}

pub fn contexts() -> Vec<Context> {
    let with_roles = |&(launches, allocation, on_eks): &(&'static str, &'static str, bool)| {
        ROLES.iter().map(move |role| Context { launches, allocation, on_eks, role })
    };
    LAUNCHES.iter().flat_map(with_roles).collect()
}

impl Context {
    pub fn launched(&self) -> String {
        let eks = if self.on_eks { " on EKS" } else { "" };
        let allocation = if self.allocation.is_empty() { "" } else { " " };
        format!("{}{allocation}{}{eks}", self.launches, self.allocation)
    }

    pub fn name(&self) -> String {
        format!("{}: {}", self.launched(), self.role)
    }

    pub fn spec(&self) -> Value {
        let mut spec = of_type(self.launches);
        if !self.allocation.is_empty() {
            set(&mut spec, "computeResources.allocationStrategy", json!(self.allocation));
        }
        if self.launches == "SPOT" && self.allocation == "BEST_FIT" {
            set(
                &mut spec,
                "computeResources.spotIamFleetRole",
                json!("arn:aws:iam::111122223333:role/fleet"),
            );
        }
        if self.on_eks {
            set(
                &mut spec,
                "eksConfiguration",
                json!({"eksClusterArn": "arn:aws:eks:c", "kubernetesNamespace": "jobs"}),
            );
        }
        match self.role {
            "custom role" => set(&mut spec, "serviceRole", json!("arn:aws:iam::111122223333:role/batch")),
            "service-linked by name" => set(&mut spec, "serviceRole", json!(SERVICE_LINKED)),
            _ => {}
        }
        spec
    }
}

pub const SERVICE_LINKED: &str =
    "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch";

fn of_type(launches: &str) -> Value {
    let network = json!({"subnets": ["subnet-a"], "securityGroupIds": ["sg-a"]});
    let mut resources = match launches {
        "UNMANAGED" => return json!({"type": "UNMANAGED"}),
        "ECS_MANAGED_INSTANCES" => json!({"managedInstancesProvider": {
            "infrastructureRoleArn": "arn:aws:iam::111122223333:role/infrastructure",
            "instanceLaunchTemplate": {"ec2InstanceProfileArn": "arn:aws:iam::111122223333:instance-profile/a"},
        }}),
        "FARGATE" | "FARGATE_SPOT" => network,
        _ => {
            let mut resources = network;
            resources["instanceTypes"] = json!(["m6i"]);
            resources["instanceRole"] = json!("arn:aws:iam::111122223333:instance-profile/batch");
            resources
        }
    };
    resources["type"] = json!(launches);
    resources["maxvCpus"] = json!(64);
    json!({"type": "MANAGED", "computeResources": resources})
}

/// An environment of each type, alike in all else.
pub fn types() -> Vec<(String, Value)> {
    let states = ["EC2", "SPOT", "FARGATE", "FARGATE_SPOT", "ECS_MANAGED_INSTANCES", "UNMANAGED"];
    let state = |launches: &&str| {
        let mut spec = of_type(launches);
        match *launches {
            "EC2" | "SPOT" => {
                set(&mut spec, "computeResources.allocationStrategy", json!("BEST_FIT_PROGRESSIVE"))
            }
            "UNMANAGED" => set(&mut spec, "serviceRole", json!("arn:aws:iam::111122223333:role/batch")),
            _ => {}
        }
        ((*launches).to_owned(), spec)
    };
    states.iter().map(state).collect()
}

/// An environment with each way to say its role.
pub fn roles(launches: &str) -> Vec<(String, Value)> {
    let roles = [
        ("none said", ""),
        ("AWSServiceRoleForBatch by name", "AWSServiceRoleForBatch"),
        ("AWSServiceRoleForBatch by ARN", SERVICE_LINKED),
        ("AWSServiceRoleForBatch by reference", "${iam/ServiceLinkedRole/batch.arn}"),
        ("a role of one's own", "arn:aws:iam::111122223333:role/batch"),
        ("another role of one's own", "arn:aws:iam::111122223333:role/other"),
    ];
    let state = |(name, role): &(&str, &str)| {
        let mut spec = of_type(launches);
        if !role.is_empty() {
            set(&mut spec, "serviceRole", json!(role));
        }
        ((*name).to_owned(), spec)
    };
    roles.iter().map(state).collect()
}

/// Sets a field, with everything above it: `computeResources.launchTemplate.overrides[0].version`.
pub fn set(spec: &mut Value, path: &str, value: Value) {
    let mut at = spec;
    for part in path.split('.') {
        let (name, in_list) = part.split_once('[').map_or((part, false), |(name, _)| (name, true));
        at = &mut at[name];
        if in_list {
            if !at.is_array() {
                *at = json!([{}]);
            }
            at = &mut at[0];
        }
    }
    *at = value;
}

type Field = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const TEMPLATE: (&str, &str) = ("computeResources.launchTemplate.launchTemplateId", "lt-11111111");
const TARGET: (&str, &str) =
    ("computeResources.launchTemplate.overrides[0].targetInstanceTypes", r#"["m6i"]"#);
const OVERRIDE: (&str, &str) =
    ("computeResources.launchTemplate.overrides[0].launchTemplateId", "lt-22222222");
const IMAGE: (&str, &str) = ("computeResources.ec2Configuration[0].imageType", "ECS_AL2023");
const TYPES: (&str, &str) = ("computeResources.instanceTypes", r#"["c6i", "m6i"]"#);
const EKS_IMAGE: (&str, &str) = ("computeResources.ec2Configuration[0].imageType", "EKS_AL2023");

/// Each field: before, after, and what else must be said for it to have a meaning.
#[rustfmt::skip]
pub const FIELDS: &[Field] = &[
    ("state", "ENABLED", "DISABLED", &[]),
    ("unmanagedvCpus", "4", "8", &[]),
    ("context", "a", "b", &[]),
    ("updatePolicy.terminateJobsOnUpdate", "false", "true", &[]),
    ("updatePolicy.jobExecutionTimeoutMinutes", "30", "60", &[]),
    ("ecsSettings.containerInsights", "DISABLED", "ENHANCED", &[]),
    ("eksConfiguration.eksClusterArn", "arn:aws:eks:a", "arn:aws:eks:b", &[("eksConfiguration.kubernetesNamespace", "jobs")]),
    ("eksConfiguration.kubernetesNamespace", "jobs", "work", &[("eksConfiguration.eksClusterArn", "arn:aws:eks:c")]),
    ("eksConfiguration.accessEntry.desiredState", "ENABLED", "DISABLED", &[
        ("eksConfiguration.eksClusterArn", "arn:aws:eks:c"), ("eksConfiguration.kubernetesNamespace", "jobs")]),
    ("computeResources.minvCpus", "1", "2", &[]),
    ("computeResources.maxvCpus", "64", "128", &[]),
    ("computeResources.desiredvCpus", "4", "8", &[]),
    ("computeResources.instanceTypes", r#"["m6i"]"#, r#"["c6i"]"#, &[]),
    ("computeResources.imageId", "ami-11111111", "ami-22222222", &[]),
    ("computeResources.subnets", r#"["subnet-a"]"#, r#"["subnet-b"]"#, &[]),
    ("computeResources.securityGroupIds", r#"["sg-a"]"#, r#"["sg-b"]"#, &[]),
    ("computeResources.ec2KeyPair", "one", "two", &[]),
    ("computeResources.instanceRole", "arn:aws:iam::111122223333:instance-profile/a", "arn:aws:iam::111122223333:instance-profile/b", &[]),
    ("computeResources.tags", r#"{"team": "a"}"#, r#"{"team": "b"}"#, &[]),
    ("computeResources.placementGroup", "one", "two", &[]),
    ("computeResources.bidPercentage", "50", "60", &[]),
    ("computeResources.spotIamFleetRole", "arn:aws:iam::111122223333:role/fleet", "arn:aws:iam::111122223333:role/ships", &[]),
    ("computeResources.updateToLatestImageVersion", "false", "true", &[]),
    ("computeResources.scalingPolicy.minScaleDownDelayMinutes", "20", "30", &[]),
    ("computeResources.ec2Configuration[0].imageType", "ECS_AL2023", "ECS_AL2023_NVIDIA", &[]),
    ("computeResources.ec2Configuration[0].imageIdOverride", "ami-11111111", "ami-22222222", &[IMAGE]),
    ("computeResources.ec2Configuration[0].imageKubernetesVersion", "\"1.33\"", "\"1.34\"", &[EKS_IMAGE]),
    ("computeResources.launchTemplate.launchTemplateId", "lt-11111111", "lt-22222222", &[]),
    ("computeResources.launchTemplate.launchTemplateName", "one", "two", &[]),
    ("computeResources.launchTemplate.version", "\"7\"", "\"8\"", &[TEMPLATE]),
    ("computeResources.launchTemplate.userdataType", "EKS_NODEADM", "EKS_BOOTSTRAP_SH", &[TEMPLATE]),
    ("computeResources.launchTemplate.overrides[0].launchTemplateId", "lt-22222222", "lt-33333333", &[TEMPLATE, TARGET]),
    ("computeResources.launchTemplate.overrides[0].launchTemplateName", "two", "three", &[TEMPLATE, TARGET]),
    ("computeResources.launchTemplate.overrides[0].version", "\"7\"", "\"8\"", &[TEMPLATE, TARGET, OVERRIDE]),
    ("computeResources.launchTemplate.overrides[0].targetInstanceTypes", r#"["m6i"]"#, r#"["c6i"]"#, &[TEMPLATE, OVERRIDE, TYPES]),
    ("computeResources.launchTemplate.overrides[0].userdataType", "EKS_NODEADM", "EKS_BOOTSTRAP_SH", &[TEMPLATE, TARGET, OVERRIDE]),
    ("computeResources.capacityTags", r#"{"team": "a"}"#, r#"{"team": "b"}"#, &[]),
    ("computeResources.managedInstancesProvider.infrastructureRoleArn", "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b", &[]),
    ("computeResources.managedInstancesProvider.propagateTags", "NONE", "CAPACITY_PROVIDER", &[]),
    ("computeResources.managedInstancesProvider.infrastructureOptimization.scaleInAfter", "60", "90", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.ec2InstanceProfileArn", "arn:aws:iam::111122223333:instance-profile/a", "arn:aws:iam::111122223333:instance-profile/b", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.capacityOptionType", "ON_DEMAND", "SPOT", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.fipsEnabled", "false", "true", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.instanceMetadataTagsPropagation", "false", "true", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.monitoring", "BASIC", "DETAILED", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.capacityReservations.reservationGroupArn", "arn:aws:resource-groups:a", "arn:aws:resource-groups:b", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.capacityReservations.reservationPreference", "RESERVATIONS_FIRST", "RESERVATIONS_ONLY", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.instanceRequirements.allowedInstanceTypes", r#"["m6i.*"]"#, r#"["c6i.*"]"#, &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.localStorageConfiguration.useLocalStorage", "false", "true", &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.networkConfiguration.subnets", r#"["subnet-a"]"#, r#"["subnet-b"]"#, &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.networkConfiguration.securityGroups", r#"["sg-a"]"#, r#"["sg-b"]"#, &[]),
    ("computeResources.managedInstancesProvider.instanceLaunchTemplate.storageConfiguration.storageSizeGiB", "50", "80", &[]),
];
