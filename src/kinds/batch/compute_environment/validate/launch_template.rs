//! Launch templates, and others for some types of instances.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_LaunchTemplateSpecification.html>,
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_LaunchTemplateSpecificationOverride.html>

use crate::kinds::batch::types::compute_resources::{ComputeResources, LaunchTemplate};
use crate::value::instance_type::{family, is_bundle};

pub(super) fn validate(
    template: &LaunchTemplate,
    resources: &ComputeResources,
    on_eks: bool,
    say: &mut dyn FnMut(&str, String),
) {
    let one = "say either launchTemplateId or launchTemplateName";
    if template.launch_template_id.is_some() == template.launch_template_name.is_some()
        && (template.launch_template_id.is_some() || template.overrides.is_empty())
    {
        say("launchTemplate", one.to_owned());
    }
    let ecs = "is for nodes of an EKS cluster only: remove it";
    if template.userdata_type.is_some() && !on_eks {
        say("launchTemplate.userdataType", ecs.to_owned());
    }
    if template.overrides.len() > 10 {
        say("launchTemplate.overrides", "10 at most".to_owned());
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, other) in template.overrides.iter().enumerate() {
        let path = format!("launchTemplate.overrides[{index}]");
        if other.launch_template_id.is_some() == other.launch_template_name.is_some() {
            say(&path, one.to_owned());
        }
        if other.userdata_type.is_some() && !on_eks {
            say(&format!("{path}.userdataType"), ecs.to_owned());
        }
        if other.target_instance_types.is_empty() {
            say(&format!("{path}.targetInstanceTypes"), "is empty: say which instances take it".to_owned());
        }
        for (target, text) in other.target_instance_types.iter().enumerate() {
            let place = format!("{path}.targetInstanceTypes[{target}]");
            if let Some(message) = wrong_target(text, resources, &seen) {
                say(&place, message);
            }
            seen.push(text);
        }
    }
}

/// A target is a type or family of those that are launched, and of no other override.
fn wrong_target(target: &str, resources: &ComputeResources, seen: &[&str]) -> Option<String> {
    if target.contains("${") {
        return None;
    }
    if is_bundle(target) {
        return Some(format!("{target} is no type or family of instances: name one"));
    }
    let covers = |one: &str, other: &str| one == other || family(one) == other;
    if let Some(other) = seen.iter().find(|other| covers(target, other) || covers(other, target)) {
        return Some(format!(
            "{target} is in another place already, as {other}: an instance type has one template"
        ));
    }
    let launched = &resources.instance_types;
    let known = launched.iter().any(|one| is_bundle(one) || one.contains("${") || covers(target, one));
    (!known).then(|| format!("{target} is not among instanceTypes ({})", launched.join(", ")))
}
