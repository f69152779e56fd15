//! What people do in a console on a bad day: changes that no manifest knows of.

use aws_sdk_ec2::types::{IpPermission, IpRange};

use super::super::{Connection, Error, Result};
use crate::resource::{Observed, ResourceId};
use crate::services::failed;

const ANYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

/// Changes three things behind the manifests' back; says what, a line each.
pub async fn change(connection: &Connection, observed: &Observed) -> Result<Vec<String>> {
    let physical = |kind: &str, name: &str| {
        let found = observed.resources.get(&ResourceId::new(kind, name));
        let found = found.and_then(|found| found.current.as_ref()).map(|one| one.physical.clone());
        found.ok_or_else(|| Error::plain(format!("failed to find {kind}/{name} in AWS")))
    };
    let (group, queue) = (physical("ec2/SecurityGroup", "jobs")?, physical("batch/JobQueue", "payments")?);
    let role = physical("iam/Role", "job")?;

    let world = IpRange::builder().cidr_ip("0.0.0.0/0").build();
    let ssh = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(world).build();
    let ec2 = aws_sdk_ec2::Client::new(connection.config());
    let open = ec2.authorize_security_group_ingress().group_id(&group).ip_permissions(ssh).send();
    open.await.map_err(failed).map_err(Error::aws(format!("open {group}")))?;

    let batch = aws_sdk_batch::Client::new(connection.config());
    let raise = batch.update_job_queue().job_queue(&queue).priority(50).send();
    raise.await.map_err(failed).map_err(Error::aws(format!("change {queue}")))?;

    let iam = aws_sdk_iam::Client::new(connection.config());
    let allow = iam.put_role_policy().role_name(&role).policy_name("just-for-now").policy_document(ANYTHING);
    allow.send().await.map_err(failed).map_err(Error::aws(format!("change {role}")))?;

    Ok(vec![
        format!("someone opens SSH to the world on the security group {group}"),
        format!("someone raises the priority of the queue {queue} to 50"),
        format!("someone lets the role {role} do anything in S3, \"just for now\""),
    ])
}
