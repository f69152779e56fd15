//! Subnets, security groups, roles and launch templates that an environment cannot have, or not together.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html>: the subnets are within one VPC; a security
//! group is of the VPC that it is used in.
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html>, `serviceRole`: "If your specified role
//! has a path other than /, then you must specify either the full role ARN (recommended) or prefix the role name with the path."
//! <https://docs.aws.amazon.com/batch/latest/userguide/service_IAM_role.html>: it trusts `batch.amazonaws.com`.
//! <https://docs.aws.amazon.com/batch/latest/userguide/launch-templates.html>: the user data of its launch templates.

use super::Spec;
use crate::kind::prelude::*;
use crate::kinds::batch::types::compute_resources::ComputeResources;
use crate::kinds::ec2::launch_template::{LaunchTemplate, user_data};
use crate::kinds::ec2::types::network::{Network, placed};
use crate::kinds::iam::role::{Role, trust};
use crate::value::reference::{self, Reference};

pub(super) fn clashes(spec: &Spec, beside: &Beside<'_>) -> Vec<Clash> {
    let mut found: Vec<Clash> = role_with_path(spec, beside).into_iter().collect();
    let service_role = spec.service_role.as_deref();
    found.extend(
        service_role.and_then(|role| trust::keeps_out("serviceRole", role, &["batch.amazonaws.com"], beside)),
    );
    let Some(resources) = &spec.compute_resources else { return found };
    found.extend(unreadable_user_data(resources, spec.eks_configuration.is_some(), beside));
    let managed = resources.managed_instances_provider.as_ref();
    let managed = managed.and_then(|it| it.instance_launch_template.as_ref()?.network_configuration.as_ref());
    let mut all = placed("computeResources.subnets", &resources.subnets)
        .chain(placed("computeResources.securityGroupIds", &resources.security_group_ids))
        .chain(managed.into_iter().flat_map(|it| {
            let at = "computeResources.managedInstancesProvider.instanceLaunchTemplate.networkConfiguration";
            placed(&format!("{at}.subnets"), &it.subnets)
                .chain(placed(&format!("{at}.securityGroups"), &it.security_groups))
        }))
        .filter_map(|(path, text)| Some((path, Network::of(text, beside)?)));
    let Some((_, (first, vpc))) = all.next() else { return found };
    found.extend(all.filter(|(_, (_, other))| vpc.is_apart(other)).map(|(path, (id, other))| {
        let message =
            format!("{id} is in the VPC {other}, and {first} in {vpc}: an environment is in one VPC");
        Clash::new(path, &first, message)
    }));
    found
}

/// Batch adds its own part to the user data of a template, which has to be a MIME multipart archive.
fn unreadable_user_data(resources: &ComputeResources, on_eks: bool, beside: &Beside<'_>) -> Vec<Clash> {
    let Some(template) = resources.launch_template.as_ref().filter(|_| !on_eks) else { return Vec::new() };
    let path = "computeResources.launchTemplate";
    let whole = (path.to_owned(), &template.launch_template_id, &template.launch_template_name);
    let others = template.overrides.iter().enumerate().map(|(index, other)| {
        let path = format!("{path}.overrides[{index}]");
        (path, &other.launch_template_id, &other.launch_template_name)
    });
    let clash = |(path, id, name): (String, &Option<String>, &Option<String>)| {
        let text = id.as_ref().or(name.as_ref())?;
        let (template, spec) = beside.find::<LaunchTemplate>(text)?;
        let user_data = spec.launch_template_data.user_data?;
        if user_data::is_multipart(&user_data) || user_data.contains("${") {
            return None;
        }
        let message = format!(
            "the userData of {template} is no MIME multipart archive, and Batch takes no other: begin it with `Content-Type: multipart/mixed; boundary=\"…\"`"
        );
        Some(Clash::new(path, template, message))
    };
    [whole].into_iter().chain(others).filter_map(clash).collect()
}

/// A role with a path is not found by its name alone.
fn role_with_path(spec: &Spec, beside: &Beside<'_>) -> Option<Clash> {
    let Some(Reference::Output { id, output }) = reference::whole(spec.service_role.as_deref()?) else {
        return None;
    };
    let role = beside.get(&id).filter(|it| it.id.kind == Role::NAME && output == "name")?;
    let path = role.text("path").filter(|path| *path != "/")?;
    let message =
        format!("{id} has the path {path}, so that Batch does not find it by its name: write ${{{id}.arn}}");
    Some(Clash::new("serviceRole", &id, message))
}
