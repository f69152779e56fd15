//! Subnets, security groups and roles that an environment cannot have, or not together.
//!
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_ComputeResource.html>: the subnets are within one VPC; a security
//! group is of the VPC that it is used in.
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html>, `serviceRole`: "If your specified role
//! has a path other than /, then you must specify either the full role ARN (recommended) or prefix the role name with the path."
//! <https://docs.aws.amazon.com/batch/latest/userguide/service_IAM_role.html>: it trusts `batch.amazonaws.com`.

use super::Spec;
use crate::kind::prelude::*;
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
