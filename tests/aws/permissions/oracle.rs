//! What is printed, held against AWS's own tables: each action exists, stands on resources that it knows, on all that it requires, under
//! conditions that it knows; and none is there that nothing calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use batchwright::permissions::{For, document};
use batchwright::resource::Desired;
use serde_json::{Value, json};

use super::asked::{BESIDE, LINKED, OPERATIONS, WITH};
use super::authorization::{a_handler_needs, action, also, form, knows_key, required, types};
use super::desired;
use super::evaluate::{may, meet, statements};
use super::roles::bounded;

const PURPOSES: [For; 4] = [For::Plan, For::Apply, For::Push, For::Submit];

/// An environment whose resources have what needs more permissions: the resource, what its spec says then, the action and the resource that
/// are needed then, and only then.
struct Feature {
    of: &'static str,
    says: Value,
    action: &'static str,
    on: &'static str,
    context: &'static [(&'static str, &'static str)],
    purpose: For,
}

fn features() -> Vec<Feature> {
    let feature = |of, says, action, on| Feature { of, says, action, on, context: &[], purpose: For::Apply };
    const QUEUE: &str = "batch/JobQueue/payments";
    const DEFINITION: &str = "batch/JobDefinition/payments";
    const ENVIRONMENT: &str = "batch/ComputeEnvironment/fargate";
    const VPC: &str = "ec2/Vpc/main";
    let services = json!({"serviceEnvironmentOrder": [{"serviceEnvironment": "training", "order": 1}]});
    let consumes = json!({"consumableResourceProperties": {"consumableResourceList": [{"consumableResource": "licences"}]}});
    let eks = json!({"eksConfiguration": {"eksClusterArn": "arn:aws:eks:us-east-1:222222222222:cluster/jobs", "kubernetesNamespace": "jobs"}});
    let entry = json!({"eksConfiguration": {"eksClusterArn": "arn:aws:eks:us-east-1:222222222222:cluster/jobs", "kubernetesNamespace": "jobs", "accessEntry": {"desiredState": "ENABLED"}}});
    let tagged =
        json!({"computeResources": {"type": "ECS_MANAGED_INSTANCES", "capacityTags": {"team": "x"}}});
    let key = json!({"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "arn:aws:kms:us-east-1:333333333333:key/x"}});
    let environment = "arn:aws:batch:us-east-1:222222222222:compute-environment/prod-payments";
    let cluster = "arn:aws:eks:us-east-1:222222222222:cluster/jobs";
    let access =
        "arn:aws:eks:us-east-1:222222222222:access-entry/jobs/role/222222222222/AWSServiceRoleForBatch/1-2";
    let pool = "arn:aws:ec2::444444444444:ipam-pool/ipam-pool-1";
    let own_pool = "arn:aws:ec2:us-east-1:222222222222:ipv6pool-ec2/ipv6pool-ec2-1";
    let via: &[_] = &[("kms:ViaService", "ecr.us-east-1.amazonaws.com")];
    let kms = |action| Feature {
        context: via,
        ..feature("ecr/Repository/worker", key.clone(), action, "arn:aws:kms:us-east-1:333333333333:key/x")
    };
    let consumable = "arn:aws:batch:us-east-1:222222222222:consumable-resource/licences";
    let mut found = vec![
        feature(
            QUEUE,
            services,
            "batch:CreateJobQueue",
            "arn:aws:batch:us-east-1:222222222222:service-environment/training",
        ),
        feature(DEFINITION, consumes.clone(), "batch:RegisterJobDefinition", consumable),
        Feature { purpose: For::Submit, ..feature(DEFINITION, consumes, "batch:SubmitJob", consumable) },
        feature(ENVIRONMENT, tagged, "batch:SetCapacityTags", environment),
        feature(ENVIRONMENT, eks, "eks:DescribeCluster", cluster),
        feature(ENVIRONMENT, entry.clone(), "eks:CreateAccessEntry", cluster),
        feature(VPC, json!({"ipv4IpamPoolId": "ipam-pool-1"}), "ec2:CreateVpc", pool),
        feature(VPC, json!({"ipv6IpamPoolId": "ipam-pool-1"}), "ec2:AssociateVpcCidrBlock", pool),
        feature(VPC, json!({"ipv6Pool": "ipv6pool-ec2-1"}), "ec2:AssociateVpcCidrBlock", own_pool),
        feature("ec2/Subnet/a", json!({"ipv4IpamPoolId": "ipam-pool-1"}), "ec2:CreateSubnet", pool),
        feature(
            "ec2/Subnet/a",
            json!({"ipv6IpamPoolId": "ipam-pool-1"}),
            "ec2:AssociateSubnetCidrBlock",
            pool,
        ),
        feature(
            VPC,
            json!({"vpcEncryptionControl": {"mode": "monitor"}}),
            "ec2:CreateVpcEncryptionControl",
            "arn:aws:ec2:us-east-1:222222222222:vpc-encryption-control/x",
        ),
        kms("kms:CreateGrant"),
        kms("kms:DescribeKey"),
    ];
    for action in [
        "eks:AssociateAccessPolicy",
        "eks:DeleteAccessEntry",
        "eks:DescribeAccessEntry",
        "eks:ListAssociatedAccessPolicies",
    ] {
        found.push(feature(ENVIRONMENT, entry.clone(), action, access));
    }
    found
}

/// The environment, with what these say in the place of what it says.
fn with<'a>(features: impl IntoIterator<Item = &'a Feature>) -> Desired {
    let mut desired = desired("prod");
    for feature in features {
        let spec = &mut desired.resources.get_mut(&feature.of.parse().unwrap()).unwrap().spec;
        spec.as_object_mut().unwrap().extend(feature.says.as_object().unwrap().clone());
    }
    desired
}

#[test]
fn what_is_declared_brings_the_permissions_that_it_needs_and_no_others_do() {
    for feature in features() {
        // It is AWS's, not ours: the action knows the resource, or a handler of CloudFormation's calls it.
        let service = feature.action.split_once(':').unwrap().0;
        let fits = types(feature.action).iter().any(|of| meet(feature.on, form(of, service)));
        assert!(fits || a_handler_needs(feature.action), "{} on {}", feature.action, feature.on);
        let allowed = |desired: &Desired| {
            may(&document(desired, feature.purpose), feature.action, feature.on, feature.context)
        };
        assert!(allowed(&with([&feature])), "{} on {}", feature.action, feature.on);
        assert!(!allowed(&desired("prod")), "without it: {} on {}", feature.action, feature.on);
    }
}

#[test]
fn batchs_own_role_may_be_made_where_no_other_is_named() {
    let (_, service, role) = LINKED;
    let arn = format!("arn:aws:iam::222222222222:role/aws-service-role/{service}/{role}");
    let named = "batch/ComputeEnvironment/fargate".parse().unwrap();
    let mut desired = desired("prod");
    desired.resources.retain(|id, _| id.kind != "iam/ServiceLinkedRole");
    let may_make = |desired: &Desired, arn: &str, service: &str| {
        may(
            &document(desired, For::Apply),
            "iam:CreateServiceLinkedRole",
            arn,
            &[("iam:AWSServiceName", service)],
        )
    };
    desired.resources.get_mut(&named).unwrap().spec["serviceRole"] =
        "arn:aws:iam::222222222222:role/mine".into();
    assert!(!may_make(&desired, &arn, service), "another role is named");
    desired.resources.get_mut(&named).unwrap().spec.as_object_mut().unwrap().remove("serviceRole");
    assert!(may_make(&desired, &arn, service));
    assert!(!may_make(&desired, &arn, "ecs.amazonaws.com"));
    assert!(!may_make(&desired, &arn.replace("batch", "ecs"), "ecs.amazonaws.com"));
}

/// Environments of all kinds, and every document that is printed for them.
fn documents() -> Vec<Value> {
    let all = features();
    let nothing = Desired { resources: BTreeMap::new(), images: BTreeMap::new(), ..desired("prod") };
    let bounded = bounded("prod", "arn:aws:iam::222222222222:policy/prod-boundary");
    let environments = [desired("dev"), desired("prod"), with(&all), bounded, nothing];
    environments.iter().flat_map(|it| PURPOSES.map(|purpose| document(it, purpose))).collect()
}

fn texts(of: &Value) -> impl Iterator<Item = &str> + Clone {
    of.as_array().unwrap().iter().map(|it| it.as_str().unwrap())
}

/// Each action on each resource of the statements, with the keys of their conditions.
fn granted(document: &Value, effect: &str) -> BTreeSet<(String, String, Vec<String>)> {
    let mut found = BTreeSet::new();
    for statement in statements(document, effect) {
        let conditions = statement["Condition"].as_object().into_iter().flat_map(|it| it.values());
        let keys: Vec<String> = conditions.flat_map(|it| it.as_object().unwrap().keys().cloned()).collect();
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                found.insert((action.to_owned(), resource.to_owned(), keys.clone()));
            }
        }
    }
    found
}

/// Whether AWS knows an action: its reference, or a table with a source.
fn is_known(name: &str) -> bool {
    action(name).is_some() || BESIDE.iter().any(|(it, _)| *it == name)
}

#[test]
fn every_action_exists_and_stands_on_resources_and_under_conditions_that_it_knows() {
    let mut wrong = BTreeSet::new();
    for document in documents() {
        for (action, resource, keys) in
            granted(&document, "Allow").into_iter().chain(granted(&document, "Deny"))
        {
            let service = action.split_once(':').unwrap().0;
            if !is_known(&action) {
                wrong.insert(format!("{action} does not exist"));
                continue;
            }
            let known = types(&action);
            let fitting: Vec<&str> =
                known.iter().copied().filter(|of| meet(&resource, form(of, service))).collect();
            // An action without types is allowed on everything, and on nothing else.
            if resource != "*" && fitting.is_empty() && super::authorization::action(&action).is_some() {
                wrong.insert(format!("{action} is never asked for on {resource}: it knows {known:?}"));
            }
            for key in keys {
                if !fitting.iter().chain([&""]).any(|of| knows_key(&action, of, &key)) {
                    wrong.insert(format!("{action} on {resource} knows no {key}"));
                }
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

#[test]
fn every_action_stands_on_all_types_of_resources_that_it_requires() {
    let mut wrong = BTreeSet::new();
    for document in documents() {
        let granted = granted(&document, "Allow");
        for (action, ..) in &granted {
            let service = action.split_once(':').unwrap().0;
            for of in required(action) {
                let on = |(it, on, _): &&(String, String, Vec<String>)| {
                    it == action && meet(on, form(of, service))
                };
                if !granted.iter().any(|it| on(&it)) {
                    wrong.insert(format!("{action} is allowed on no {of}"));
                }
            }
        }
    }
    assert_eq!(wrong, BTreeSet::new());
}

/// The names that the program's own text has, without their underscores: `list_roles` calls the operation ListRoles. Not of what the
/// sandbox answers with.
fn names(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("sandbox") {
            names(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
            let lower = words.filter(|word| !word.contains(|it: char| it.is_ascii_uppercase()));
            found.extend(lower.map(|word| word.replace('_', "")));
        }
    }
}

#[test]
fn nothing_is_allowed_that_nothing_calls() {
    let mut known = BTreeSet::new();
    names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut known);
    let calls = |operation: &str| known.contains(&operation.to_lowercase());
    let actions: BTreeSet<String> =
        documents().iter().flat_map(|it| granted(it, "Allow")).map(|(action, ..)| action).collect();
    let beside = |name: &str| {
        let is = |it: &str| it == name || it.ends_with(':') && name.starts_with(it);
        BESIDE.iter().any(|it| is(it.0))
            || WITH.iter().any(|it| it.2 == name)
            || actions.iter().any(|of| also(of).any(|it| it == name))
    };
    let is_called = |name: &String| {
        let own = name.split_once(':').unwrap().1;
        let explained = action(name).and_then(|it| it["operation"].as_str()).unwrap_or(own);
        let others = OPERATIONS.iter().filter(|it| it.1.contains(&name.as_str()));
        let mut others = others.map(|it| it.0.split_once(':').unwrap().1);
        calls(own) || calls(explained) || others.any(calls) || beside(name)
    };
    let idle: Vec<&String> = actions.iter().filter(|name| !is_called(name)).collect();
    assert_eq!(idle, Vec::<&String>::new());
    // The test can fail.
    assert!(!is_called(&"iam:ListOpenIDConnectProviders".to_owned()));
}
