use aws_sdk_batch::types as sdk;
use serde_json::{Value, json};

use super::*;
use crate::diff::{ChangeRule, walk};
use crate::kind::{AnyKind, Erased, Order};
use crate::resource::Document;

static KIND: Erased<ComputeEnvironment> = Erased::new();

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

fn normal(spec: Value) -> Document {
    KIND.normal(&spec, &place()).unwrap()
}

/// An environment of instances that AWS updates in place.
fn updatable() -> Value {
    json!({
        "type": "MANAGED",
        "computeResources": {
            "type": "EC2", "allocationStrategy": "BEST_FIT_PROGRESSIVE", "maxvCpus": 64,
            "instanceTypes": ["m6i"], "instanceRole": "arn:aws:iam::111122223333:instance-profile/batch",
            "subnets": ["subnet-a"], "securityGroupIds": ["sg-a"],
            "ec2Configuration": [{"imageType": "ECS_AL2023"}],
        },
    })
}

fn with(mut spec: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        spec.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    spec
}

fn effect(live: Value, want: Value) -> (Effect, String) {
    let (live, want) = (normal(live), normal(want));
    let changes = walk(&live, &want, &KIND.facts().rules, &[]);
    assert!(!changes.is_empty(), "nothing differs");
    let (effect, reason) = KIND.effect(&live, &want, &changes);
    (effect, reason.0)
}

/// A change to each conditional property of CloudFormation's schema.
fn conditional_changes() -> Vec<(String, &'static str, Value)> {
    let data: Value =
        serde_json::from_str(include_str!("../../../../tests/data/cfn_batch_updates.json")).unwrap();
    let listed = &data["types"]["AWS::Batch::ComputeEnvironment"]["conditionalCreateOnly"];
    let listed: Vec<&str> = listed.as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
    listed
        .into_iter()
        .map(|property| {
            let (field, value) = match property.strip_prefix("ComputeResources/").unwrap() {
                "AllocationStrategy" => ("allocationStrategy", json!("SPOT_CAPACITY_OPTIMIZED")),
                "BidPercentage" => ("bidPercentage", json!(60)),
                "Ec2Configuration" => ("ec2Configuration", json!([{"imageType": "ECS_AL2023_NVIDIA"}])),
                "Ec2KeyPair" => ("ec2KeyPair", json!("key")),
                "ImageId" => ("imageId", json!("ami-1")),
                "InstanceRole" => ("instanceRole", json!("other")),
                "InstanceTypes" => ("instanceTypes", json!(["c6i"])),
                "LaunchTemplate" => ("launchTemplate", json!({"launchTemplateId": "lt-1", "version": "8"})),
                "PlacementGroup" => ("placementGroup", json!("group")),
                "ScalingPolicy" => ("scalingPolicy", json!({"minScaleDownDelayMinutes": 30})),
                "SecurityGroupIds" => ("securityGroupIds", json!(["sg-b"])),
                "Subnets" => ("subnets", json!(["subnet-b"])),
                "Tags" => ("tags", json!({"team": "b"})),
                "Type" => ("type", json!("SPOT")),
                other => panic!("CloudFormation has a conditional property that no test knows: {other}"),
            };
            (property.to_owned(), field, value)
        })
        .collect()
}

#[test]
fn conditional_properties_are_those_of_cloudformation() {
    let mut fields: Vec<&str> = conditional_changes().iter().map(|(_, field, _)| *field).collect();
    fields.sort_unstable();
    let mut ours = effect::CONDITIONAL.to_vec();
    ours.sort_unstable();
    assert_eq!(fields, ours);
}

#[test]
fn what_shapes_instances_changes_in_place_under_two_conditions() {
    let custom = json!("arn:aws:iam::111122223333:role/batch");
    for (property, field, value) in conditional_changes() {
        let pointer = format!("/computeResources/{field}");
        let change = |base: Value| effect(base.clone(), with(base, &[(&pointer, value.clone())]));
        let (in_place, why) = change(updatable());
        assert_eq!(in_place, Effect::Update(Manner::ReplacesInstances), "{property}: {why}");
        assert!(why.contains("stopped after 30 min"), "{property}: {why}");

        let (custom_role, why) = change(with(updatable(), &[("/serviceRole", custom.clone())]));
        assert_eq!(custom_role, Effect::Replace(Order::CreateFirst), "{property}");
        assert!(why.contains("service-linked role"), "{property}: {why}");

        let best_fit = with(updatable(), &[("/computeResources/allocationStrategy", json!("BEST_FIT"))]);
        let (fixed, why) = change(best_fit);
        assert_eq!(fixed, Effect::Replace(Order::CreateFirst), "{property}");
        assert!(why.contains("BEST_FIT"), "{property}: {why}");
    }
}

#[test]
fn create_only_properties_are_those_of_cloudformation() {
    let data: Value =
        serde_json::from_str(include_str!("../../../../tests/data/cfn_batch_updates.json")).unwrap();
    let listed = data["types"]["AWS::Batch::ComputeEnvironment"]["createOnly"].as_array().unwrap();
    for property in listed.iter().filter_map(Value::as_str) {
        // The name is metadata, and Batch tags a living environment whatever CloudFormation says.
        if matches!(property, "ComputeEnvironmentName" | "Tags") {
            continue;
        }
        let lowered = property.split('/').map(|part| part[..1].to_lowercase() + &part[1..]);
        let path = lowered.collect::<Vec<_>>().join(".");
        let rules = KIND.facts().rules.at(&path).unwrap_or_else(|| panic!("there is no {path}"));
        assert_eq!(rules.change, ChangeRule::CreateOnly, "{path}");
    }
}

#[test]
fn everything_else_scales_or_replaces() {
    let fargate = json!({"type": "MANAGED", "computeResources": {
        "type": "FARGATE", "maxvCpus": 16, "subnets": ["subnet-a"], "securityGroupIds": ["sg-a"]}});
    let custom = |name: &str| json!(format!("arn:aws:iam::111122223333:role/{name}"));
    let scale = Effect::Update(Manner::Scale);
    let in_place = Effect::Update(Manner::InPlace);
    let infrastructure = Effect::Update(Manner::ReplacesInstances);
    let replace = Effect::Replace(Order::CreateFirst);
    for (live, pointer, value, expected) in [
        (updatable(), "/state", json!("DISABLED"), &scale),
        (updatable(), "/computeResources/maxvCpus", json!(128), &scale),
        (updatable(), "/computeResources/minvCpus", json!(2), &scale),
        (updatable(), "/updatePolicy", json!({"terminateJobsOnUpdate": true}), &in_place),
        (updatable(), "/ecsSettings", json!({"containerInsights": "ENHANCED"}), &in_place),
        (updatable(), "/serviceRole", custom("a"), &replace),
        (with(updatable(), &[("/serviceRole", custom("a"))]), "/serviceRole", custom("b"), &in_place),
        (updatable(), "/type", json!("UNMANAGED"), &replace),
        (updatable(), "/computeResources/type", json!("FARGATE"), &replace),
        (updatable(), "/computeResources/spotIamFleetRole", custom("fleet"), &replace),
        (
            updatable(),
            "/eksConfiguration",
            json!({"eksClusterArn": "arn:c", "kubernetesNamespace": "jobs"}),
            &replace,
        ),
        (fargate.clone(), "/computeResources/subnets", json!(["subnet-b"]), &infrastructure),
        (fargate.clone(), "/computeResources/securityGroupIds", json!(["sg-b"]), &infrastructure),
        (fargate.clone(), "/computeResources/maxvCpus", json!(8), &scale),
        (fargate, "/computeResources/type", json!("FARGATE_SPOT"), &replace),
    ] {
        let (effect, why) = effect(live.clone(), with(live, &[(pointer, value)]));
        assert_eq!(&effect, expected, "{pointer}: {why}");
    }
}

#[test]
fn an_old_image_is_kept_and_not_made_again() {
    let of = |image: &str| {
        let images = json!([{"imageType": "ECS_AL2023"}, {"imageType": image}]);
        KIND.retired(&normal(with(updatable(), &[("/computeResources/ec2Configuration", images)])))
    };
    assert_eq!(of("ECS_AL2023_NVIDIA"), None);
    for image in ["ECS_AL2", "ECS_AL2_NVIDIA"] {
        let Invalid { path, message } = of(image).unwrap();
        assert_eq!(path, "computeResources.ec2Configuration[1].imageType");
        assert!(message.ends_with(&image.replace("AL2", "AL2023")), "{message}");
    }
}

#[test]
fn a_frozen_template_and_a_ceiling_below_what_runs_are_doubtful() {
    let template = json!({"launchTemplateId": "lt-1", "version": "$Latest", "overrides": [
        {"launchTemplateId": "lt-2", "version": "3"}, {"launchTemplateName": "b", "targetInstanceTypes": ["c6i"]}]});
    let spec = with(updatable(), &[("/computeResources/launchTemplate", template)]);
    let of = |spec: &Value, live: Option<&Value>| -> Vec<String> {
        let live = live.map(|live| normal(live.clone()));
        let found = KIND.warnings(&normal(spec.clone()), live.as_ref());
        found
            .into_iter()
            .map(|it| format!("{}: {}", it.path, it.message.split(':').next().unwrap()))
            .collect()
    };
    let pinned = json!({"launchTemplateId": "lt-1", "version": "${ec2/LaunchTemplate/jobs.latestVersion}"});
    let pinned = with(updatable(), &[("/computeResources/launchTemplate", pinned)]);
    assert_eq!(of(&pinned, None), Vec::<String>::new());
    insta::assert_snapshot!(of(&spec, None).join("\n"), @r#"
    computeResources.launchTemplate.version: $Latest is looked at when Batch next replaces the infrastructure, and then frozen
    computeResources.launchTemplate.overrides[1].version: $Default is looked at when Batch next replaces the infrastructure, and then frozen
    "#);
    let live = with(updatable(), &[("/computeResources/desiredvCpus", json!(44))]);
    let lower = with(updatable(), &[("/computeResources/maxvCpus", json!(12))]);
    assert_eq!(of(&lower, Some(&live)), ["computeResources.maxvCpus: 44 vCPUs are running"]);
    assert_eq!(of(&lower, None), Vec::<String>::new());
    // "If you specify it for a Fargate compute environment, Batch ignores it": API_UpdatePolicy.
    let ignored = with(
        updatable(),
        &[
            ("/computeResources/type", json!("FARGATE_SPOT")),
            ("/updatePolicy", json!({"terminateJobsOnUpdate": true})),
        ],
    );
    assert_eq!(of(&ignored, None), ["updatePolicy: Batch ignores an updatePolicy of FARGATE_SPOT"]);
}

fn detail() -> sdk::builders::ComputeEnvironmentDetailBuilder {
    let resources = sdk::ComputeResource::builder()
        .r#type(sdk::CrType::Spot)
        .allocation_strategy(sdk::CrAllocationStrategy::SpotPriceCapacityOptimized)
        .minv_cpus(0)
        .maxv_cpus(64)
        .desiredv_cpus(44)
        .instance_types("m6i")
        .instance_types("c6i")
        .subnets("subnet-b")
        .subnets("subnet-a")
        .security_group_ids("sg-a")
        .instance_role("arn:aws:iam::111122223333:instance-profile/batch")
        .bid_percentage(100)
        .launch_template(sdk::LaunchTemplateSpecification::builder().launch_template_id("lt-1").build())
        .ec2_configuration(
            sdk::Ec2Configuration::builder().image_type("ECS_AL2023").batch_image_status("LATEST").build(),
        );
    sdk::ComputeEnvironmentDetail::builder()
        .compute_environment_name("spot-g2")
        .compute_environment_arn("arn:aws:batch:eu-west-1:111122223333:compute-environment/spot-g2")
        .ecs_cluster_arn("arn:aws:ecs:eu-west-1:111122223333:cluster/spot-g2_Batch_1")
        .r#type(sdk::CeType::Managed)
        .state(sdk::CeState::Enabled)
        .status(sdk::CeStatus::Valid)
        .compute_resources(resources.build())
        .service_role(
            "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
        )
        .update_policy(
            sdk::UpdatePolicy::builder()
                .terminate_jobs_on_update(false)
                .job_execution_timeout_minutes(30)
                .build(),
        )
        .ecs_settings(
            sdk::EcsSettings::builder().container_insights(sdk::ContainerInsights::Disabled).build(),
        )
        .container_orchestration_type(sdk::OrchestrationType::Ecs)
        .uuid("u")
        .tags("aws:cloudformation:stack-name", "x")
        .tags("batchwright:generation", "2")
}

fn observe(details: Vec<sdk::ComputeEnvironmentDetail>) -> Vec<Live<ComputeEnvironment>> {
    let snapshot = Snapshot { compute_environments: details, ..Snapshot::default() };
    ComputeEnvironment::observe(&snapshot, &place())
}

#[test]
fn aws_is_reported_in_the_manifests_words() {
    let mut live = observe(vec![detail().build()]).remove(0);
    ComputeEnvironment::normalise(&mut live.spec, &place());
    insta::assert_json_snapshot!(
        json!({"physical": live.physical, "spec": live.spec, "outputs": live.outputs, "tags": live.tags}),
        @r#"
        {
          "outputs": {
            "arn": "arn:aws:batch:eu-west-1:111122223333:compute-environment/spot-g2",
            "containerOrchestrationType": "ECS",
            "ecsClusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/spot-g2_Batch_1",
            "status": "VALID",
            "uuid": "u"
          },
          "physical": "spot-g2",
          "spec": {
            "computeResources": {
              "allocationStrategy": "SPOT_PRICE_CAPACITY_OPTIMIZED",
              "desiredvCpus": 44,
              "ec2Configuration": [
                {
                  "imageType": "ECS_AL2023"
                }
              ],
              "instanceRole": "arn:aws:iam::111122223333:instance-profile/batch",
              "instanceTypes": [
                "c6i",
                "m6i"
              ],
              "launchTemplate": {
                "launchTemplateId": "lt-1",
                "version": "$Default"
              },
              "maxvCpus": 64,
              "minvCpus": 0,
              "securityGroupIds": [
                "sg-a"
              ],
              "subnets": [
                "subnet-b",
                "subnet-a"
              ],
              "type": "SPOT",
              "updateToLatestImageVersion": false
            },
            "serviceRole": "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch",
            "state": "ENABLED",
            "type": "MANAGED"
          },
          "tags": {
            "batchwright:generation": "2"
          }
        }
        "#
    );
}

#[test]
fn what_aws_fills_in_is_no_difference() {
    let mut live = observe(vec![detail().build()]).remove(0).spec;
    ComputeEnvironment::normalise(&mut live, &place());
    let live = serde_json::to_value(live).unwrap();
    let want = normal(json!({
        "type": "MANAGED",
        "computeResources": {
            "type": "SPOT", "allocationStrategy": "SPOT_PRICE_CAPACITY_OPTIMIZED", "maxvCpus": 64, "desiredvCpus": 2,
            "instanceTypes": ["c6i", "m6i", "c6i"], "subnets": ["subnet-a", "subnet-b"], "securityGroupIds": ["sg-a"],
            "instanceRole": "batch", "launchTemplate": {"launchTemplateId": "lt-1"},
            "updateToLatestImageVersion": true,
        },
    }));
    assert_eq!(walk(&live, &want, &KIND.facts().rules, &[]), vec![]);
    let other = with(want, &[("/computeResources/launchTemplate/version", json!("8"))]);
    assert_eq!(walk(&live, &other, &KIND.facts().rules, &[]).len(), 1);
}

#[test]
fn instance_types_are_a_set_unless_their_order_counts() {
    let swapped = |strategy: &str| {
        let spec = |types: Value| {
            let types = ("/computeResources/instanceTypes", types);
            let strategy = ("/computeResources/allocationStrategy", json!(strategy));
            normal(with(updatable(), &[types, strategy]))
        };
        let (live, want) = (spec(json!(["m6i", "c6i"])), spec(json!(["c6i", "m6i"])));
        walk(&live, &want, &KIND.facts().rules, &[]).len()
    };
    assert_eq!(swapped("BEST_FIT_PROGRESSIVE"), 0);
    assert_eq!(swapped("BEST_FIT_PROGRESSIVE_ORDERED"), 1);
}

/// "Don't specify this parameter for compute environments using Amazon EKS clusters"
/// (<https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResourceUpdate.html>, desiredvCpus).
#[test]
fn a_raised_minimum_takes_the_desired_number_along_but_on_eks() {
    let of = |spec: Value| -> Spec { serde_json::from_value(normal(spec)).unwrap() };
    let (live, want) = (updatable(), with(updatable(), &[("/computeResources/minvCpus", json!(4))]));
    let live = with(live, &[("/computeResources/desiredvCpus", json!(0))]);
    let diff = Diff(walk(&normal(live.clone()), &normal(want.clone()), &KIND.facts().rules, &[]));
    let (live, want) = (of(live), of(want));
    for (on_eks, desired) in [(false, Some(4)), (true, None)] {
        let (before, resources) = (live.compute_resources.as_ref(), want.compute_resources.as_ref().unwrap());
        let sent = write::updated_resources(before, resources, &diff, on_eks);
        assert_eq!((sent.minv_cpus, sent.desiredv_cpus), (Some(4), desired), "on EKS: {on_eks}");
    }
}

#[test]
fn status_says_whether_it_is_ready() {
    use sdk::CeStatus::{Creating, Deleted, Invalid, Valid};
    let of = |status: sdk::CeStatus, reason: &str| {
        observe(vec![detail().status(status).status_reason(reason).build()]).pop().map(|live| live.readiness)
    };
    assert_eq!(of(Valid, "ComputeEnvironment Healthy"), Some(Readiness::Ready));
    assert_eq!(of(Creating, ""), Some(Readiness::Pending("CREATING".to_owned())));
    let role = "CLIENT_ERROR - Not authorized to perform sts:AssumeRole";
    assert_eq!(of(Invalid, role), Some(Readiness::Repairable(format!("INVALID: {role}"))));
    // ECS's first cluster in an account: its words: aws-samples/baseline-environment-on-aws#238.
    let first = "CLIENT_ERROR - Unable to assume the service linked role. Please verify that the ECS service linked role exists.";
    assert_eq!(of(Invalid, first), Some(Readiness::Repairable(format!("INVALID: {first}"))));
    let subnet = "CLIENT_ERROR - The subnet ID 'subnet-1' does not exist";
    assert_eq!(of(Invalid, subnet), Some(Readiness::Failed(format!("INVALID: {subnet}"))));
    assert_eq!(of(Deleted, ""), None);
}

fn complaints(spec: Value) -> Vec<String> {
    let spec = serde_json::from_value(spec).unwrap();
    validate::validate(&spec).into_iter().map(|invalid| invalid.path).collect()
}

#[test]
fn validity_depends_on_the_type() {
    assert_eq!(complaints(updatable()), Vec::<String>::new());
    let fargate = json!({"type": "MANAGED", "computeResources": {"type": "FARGATE", "maxvCpus": 4,
        "subnets": ["s"], "securityGroupIds": ["g"]}});
    assert_eq!(complaints(fargate.clone()), Vec::<String>::new());
    for (base, pointer, value, field) in [
        (fargate.clone(), "/computeResources/minvCpus", json!(1), "computeResources.minvCpus"),
        (
            fargate.clone(),
            "/computeResources/instanceTypes",
            json!(["m6i"]),
            "computeResources.instanceTypes",
        ),
        (
            fargate.clone(),
            "/computeResources/securityGroupIds",
            json!([]),
            "computeResources.securityGroupIds",
        ),
        (
            fargate.clone(),
            "/computeResources/capacityTags",
            json!({"a": "b"}),
            "computeResources.capacityTags",
        ),
        (fargate, "/unmanagedvCpus", json!(1), "unmanagedvCpus"),
        (updatable(), "/computeResources/instanceTypes", json!([]), "computeResources.instanceTypes"),
        (updatable(), "/computeResources/maxvCpus", json!(0), "computeResources.maxvCpus"),
        (updatable(), "/computeResources/minvCpus", json!(65), "computeResources.minvCpus"),
        (updatable(), "/computeResources/desiredvCpus", json!(65), "computeResources.desiredvCpus"),
        (updatable(), "/computeResources/bidPercentage", json!(60), "computeResources.bidPercentage"),
        (
            updatable(),
            "/computeResources/allocationStrategy",
            json!("SPOT_CAPACITY_OPTIMIZED"),
            "computeResources.allocationStrategy",
        ),
        (
            updatable(),
            "/computeResources/scalingPolicy",
            json!({"minScaleDownDelayMinutes": 5}),
            "computeResources.scalingPolicy.minScaleDownDelayMinutes",
        ),
        (
            updatable(),
            "/computeResources/launchTemplate",
            json!({"launchTemplateId": "lt-1", "launchTemplateName": "x"}),
            "computeResources.launchTemplate",
        ),
    ] {
        assert!(complaints(with(base, &[(pointer, value)])).contains(&field.to_owned()), "{pointer}");
    }
    let unmanaged = json!({"type": "UNMANAGED"});
    assert_eq!(complaints(unmanaged), ["serviceRole"]);
    assert_eq!(complaints(json!({"type": "MANAGED"})), ["computeResources"]);
    let spot = with(updatable(), &[("/computeResources/type", json!("SPOT"))]);
    let spot = with(spot, &[("/computeResources/allocationStrategy", json!("BEST_FIT"))]);
    assert_eq!(complaints(spot), ["computeResources.spotIamFleetRole"]);
}
