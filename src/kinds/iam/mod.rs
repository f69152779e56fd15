//! IAM.

pub mod instance_profile;
pub mod oidc_provider;
pub mod policy;
pub mod role;
pub mod service_linked_role;
#[cfg(test)]
mod tests;
pub(super) mod types;
