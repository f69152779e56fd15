//! Amazon Resource Names of what AWS Batch holds, in every partition.

use super::Settings;

/// The partition a region belongs to: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, …
pub fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 6] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

impl Settings {
    /// `arn:<partition>:batch:<region>:<account>:<kind>/<name>`.
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:{}:batch:{}:{}:{kind}/{name}", self.partition, self.region, self.account)
    }

    /// The role that AWS Batch uses when no service role is named.
    pub(super) fn service_linked_role(&self) -> String {
        format!(
            "arn:{}:iam::{}:role{SERVICE_LINKED_PATH}AWSServiceRoleForBatch",
            self.partition, self.account
        )
    }

    /// The ARN that a service role's name, or path and name, stands for: "When you only specify the name of the service role,
    /// AWS Batch assumes that your ARN doesn't use the service-role path prefix" (API_CreateComputeEnvironment).
    pub(super) fn role_arn(&self, role: &str) -> String {
        if role.starts_with("arn:") {
            return role.to_owned();
        }
        if is_service_linked(role) {
            return self.service_linked_role();
        }
        let name = role.trim_start_matches('/');
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }

    /// An ECS ARN: `cluster/<name>`, `task/<cluster>/<id>`, …
    pub(super) fn ecs_arn(&self, resource: &str) -> String {
        format!("arn:{}:ecs:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}

/// Where service-linked roles of AWS Batch live among the account's roles.
pub(super) const SERVICE_LINKED_PATH: &str = "/aws-service-role/batch.amazonaws.com/";

/// Whether a role is the service-linked one; AWS Batch treats no role as that role.
pub(super) fn is_service_linked(role: &str) -> bool {
    role.is_empty() || role.contains(SERVICE_LINKED_PATH) || role == "AWSServiceRoleForBatch"
}

/// The name in a name or an ARN: what follows the last slash.
pub(super) fn name_of(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
