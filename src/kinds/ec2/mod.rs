//! EC2: networks and what guards them.

pub mod elastic_ip;
pub mod flow_log;
pub mod internet_gateway;
pub mod launch_template;
pub mod nat_gateway;
pub mod placement_group;
pub mod route_table;
pub mod security_group;
pub mod subnet;
pub mod types;
pub mod vpc;
pub mod vpc_endpoint;

#[cfg(test)]
mod tests;
