//! A raw look at the whole account, by the services' own lists and not by the program's: what carries no tag of ours,
//! and what is there twice, shows here.

use aws_sdk_ec2::types::Tag;
use batchwright::sandbox::Sandbox;

/// A line for each thing of the account, without ids, in order.
pub async fn inventory(sandbox: &Sandbox) -> Vec<String> {
    let config = sandbox.sdk_config();
    let (network, identity, batch, rest) =
        futures::join!(network(&config), identity(&config), batch(&config), rest(&config));
    let mut lines = [network, identity, batch, rest].concat();
    lines.sort();
    lines
}

/// Our name for it, or that it has none.
fn name(tags: &[Tag]) -> &str {
    let ours = tags.iter().find(|tag| tag.key() == Some("batchwright:name"));
    ours.and_then(Tag::value).unwrap_or("not ours")
}

async fn network(config: &aws_config::SdkConfig) -> Vec<String> {
    let client = aws_sdk_ec2::Client::new(config);
    let (vpcs, subnets, gateways, tables, groups, endpoints) = futures::try_join!(
        async { client.describe_vpcs().send().await.map_err(told) },
        async { client.describe_subnets().send().await.map_err(told) },
        async { client.describe_internet_gateways().send().await.map_err(told) },
        async { client.describe_route_tables().send().await.map_err(told) },
        async { client.describe_security_groups().send().await.map_err(told) },
        async { client.describe_vpc_endpoints().send().await.map_err(told) },
    )
    .expect("EC2 can be read");
    let mut lines = Vec::new();
    for vpc in vpcs.vpcs() {
        lines.push(format!("vpc {} {}", vpc.cidr_block().unwrap_or_default(), name(vpc.tags())));
    }
    for subnet in subnets.subnets() {
        lines.push(format!("subnet {} {}", subnet.cidr_block().unwrap_or_default(), name(subnet.tags())));
    }
    for gateway in gateways.internet_gateways() {
        let attached = gateway.attachments().len();
        lines.push(format!("internet gateway, {attached} attached, {}", name(gateway.tags())));
    }
    for table in tables.route_tables() {
        let (routes, associations) = (table.routes().len(), table.associations().len());
        let tag = name(table.tags());
        lines.push(format!("route table, {routes} routes, {associations} associations, {tag}"));
    }
    for group in groups.security_groups() {
        let (out, into) = (group.ip_permissions_egress().len(), group.ip_permissions().len());
        let called = group.group_name().unwrap_or_default();
        lines.push(format!("security group {called}, {into} in, {out} out, {}", name(group.tags())));
    }
    for endpoint in endpoints.vpc_endpoints() {
        let service = endpoint.service_name().unwrap_or_default();
        lines.push(format!("endpoint {service} {}", name(endpoint.tags())));
    }
    lines
}

async fn identity(config: &aws_config::SdkConfig) -> Vec<String> {
    let client = aws_sdk_iam::Client::new(config);
    let filter = [aws_sdk_iam::types::EntityType::Role, aws_sdk_iam::types::EntityType::LocalManagedPolicy];
    let call = client.get_account_authorization_details().set_filter(Some(filter.to_vec()));
    let details = call.send().await.map_err(told).expect("IAM can be read");
    let mut lines = Vec::new();
    for role in details.role_detail_list() {
        let called = role.role_name().unwrap_or_default();
        let (attached, inline) = (role.attached_managed_policies().len(), role.role_policy_list().len());
        lines
            .push(format!("role {called}, {attached} attached, {inline} inline, {} tags", role.tags().len()));
    }
    for policy in details.policies() {
        let called = policy.policy_name().unwrap_or_default();
        let versions = policy.policy_version_list().len();
        let attached = policy.attachment_count().unwrap_or_default();
        lines.push(format!("policy {called}, {versions} versions, attached {attached} times"));
    }
    lines
}

async fn batch(config: &aws_config::SdkConfig) -> Vec<String> {
    let client = aws_sdk_batch::Client::new(config);
    let (environments, queues, definitions) = futures::try_join!(
        async { client.describe_compute_environments().send().await.map_err(told) },
        async { client.describe_job_queues().send().await.map_err(told) },
        async { client.describe_job_definitions().status("ACTIVE").send().await.map_err(told) },
    )
    .expect("Batch can be read");
    let mut lines = Vec::new();
    for one in environments.compute_environments() {
        let called = one.compute_environment_name().unwrap_or_default();
        lines.push(format!("compute environment {called} {:?} {:?}", one.state(), one.status()));
    }
    for queue in queues.job_queues() {
        let called = queue.job_queue_name().unwrap_or_default();
        let order: Vec<_> =
            queue.compute_environment_order().iter().filter_map(|it| it.compute_environment()).collect();
        lines.push(format!("job queue {called} {:?} {:?} on {order:?}", queue.state(), queue.status()));
    }
    for definition in definitions.job_definitions() {
        let called = definition.job_definition_name().unwrap_or_default();
        lines.push(format!("job definition {called}, {} tags", definition.tags().map_or(0, |it| it.len())));
    }
    lines
}

async fn rest(config: &aws_config::SdkConfig) -> Vec<String> {
    let (logs, ecr, s3) = (
        aws_sdk_cloudwatchlogs::Client::new(config),
        aws_sdk_ecr::Client::new(config),
        aws_sdk_s3::Client::new(config),
    );
    let (groups, repositories, buckets) = futures::try_join!(
        async { logs.describe_log_groups().send().await.map_err(told) },
        async { ecr.describe_repositories().send().await.map_err(told) },
        async { s3.list_buckets().send().await.map_err(told) },
    )
    .expect("logs, ECR and S3 can be read");
    let group = |group: &aws_sdk_cloudwatchlogs::types::LogGroup| {
        format!("log group {} {:?}", group.log_group_name().unwrap_or_default(), group.retention_in_days())
    };
    let mut lines: Vec<String> = groups.log_groups().iter().map(group).collect();
    let repositories = repositories.repositories().iter();
    lines.extend(repositories.map(|it| format!("repository {}", it.repository_name().unwrap_or_default())));
    lines.extend(buckets.buckets().iter().map(|it| format!("bucket {}", it.name().unwrap_or_default())));
    lines
}

fn told(error: impl std::error::Error) -> String {
    aws_smithy_types::error::display::DisplayErrorContext(error).to_string()
}
