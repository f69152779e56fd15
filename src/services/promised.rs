//! What the answer to a read has to hold. An answer without it, of another form or of another service is no answer: what it does not
//! say would pass for what is not there.
//!
//! Members that the services' models call required in what is read (`required.txt`), and the lists themselves, which AWS writes also
//! where they are empty
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html>,
//! <https://docs.aws.amazon.com/batch/latest/APIReference/API_DescribeJobQueues.html>).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::limiter::Operation;
use crate::outside;

/// By what is asked, what is missed beyond what the models call required. `*`: each of these, and of JSON the list itself; `?`: where
/// it is there.
const PROMISED: &[(&str, &[&str])] = &[
    ("describecomputeenvironments", &["computeEnvironments*"]),
    ("describejobqueues", &["jobQueues*"]),
    ("describejobdefinitions", &["jobDefinitions*"]),
    ("describeschedulingpolicies", &["schedulingPolicies*"]),
    ("listconsumableresources", &["consumableResources*"]),
    ("describeconsumableresource", &["totalQuantity", "resourceType"]),
    ("describeserviceenvironments", &["serviceEnvironments*", "serviceEnvironments*.status"]),
    ("listjobs", &["jobSummaryList*"]),
    ("describejobs", &["jobs*"]),
    ("DescribeRepositories", &["repositories*.repositoryName", "repositories*.repositoryArn"]),
    ("GetLifecyclePolicy", &["lifecyclePolicyText"]),
    ("GetRepositoryPolicy", &["policyText"]),
    ("BatchGetImage", &["images*", "failures*"]),
    ("DescribeLogGroups", &["logGroups*.logGroupName"]),
    ("ListTagsForResource", &["tags"]),
    ("GetResources", &["ResourceTagMappingList*.ResourceARN"]),
    ("DescribeVpcs", &["vpcSet.item*.vpcId"]),
    ("DescribeSubnets", &["subnetSet.item*.subnetId"]),
    ("DescribeSecurityGroups", &["securityGroupInfo.item*.groupId"]),
    ("DescribeRouteTables", &["routeTableSet.item*.routeTableId"]),
    ("DescribeInternetGateways", &["internetGatewaySet.item*.internetGatewayId"]),
    ("DescribeVpcEndpoints", &["vpcEndpointSet.item*.vpcEndpointId"]),
    ("DescribeAddresses", &["addressesSet.item*.allocationId"]),
    ("DescribeNatGateways", &["natGatewaySet.item*.natGatewayId", "natGatewaySet.item*.state"]),
    ("DescribeFlowLogs", &["flowLogSet.item*.flowLogId", "flowLogSet.item*.resourceId"]),
    ("DescribePlacementGroups", &["placementGroupSet.item*.groupName", "placementGroupSet.item*.state"]),
    (
        "DescribeLaunchTemplates",
        &[
            "launchTemplates.item*.launchTemplateId",
            "launchTemplates.item*.launchTemplateName",
            "launchTemplates.item*.latestVersionNumber",
        ],
    ),
    (
        "DescribeLaunchTemplateVersions",
        &[
            "launchTemplateVersionSet.item*.versionNumber",
            "launchTemplateVersionSet.item*.defaultVersion",
            "launchTemplateVersionSet.item*.launchTemplateData",
        ],
    ),
    ("DescribeVpcAttribute", &["vpcId"]),
    (
        "GetAccountAuthorizationDetails",
        &[
            "GetAccountAuthorizationDetailsResult.IsTruncated",
            "GetAccountAuthorizationDetailsResult.RoleDetailList?.member*.RoleName",
            "GetAccountAuthorizationDetailsResult.RoleDetailList?.member*.Arn",
            "GetAccountAuthorizationDetailsResult.Policies?.member*.Arn",
        ],
    ),
    ("GetPolicy", &["GetPolicyResult.Policy.Arn"]),
    ("GetOpenIDConnectProvider", &["GetOpenIDConnectProviderResult.Url"]),
    // Asked of one that has a name, all attributes have its ARN.
    ("GetQueueUrl", &["QueueUrl"]),
    ("GetQueueAttributes", &["Attributes.QueueArn"]),
    ("DescribeFileSystems", &["FileSystems*"]),
    ("DescribeMountTargets", &["MountTargets*"]),
    ("DescribeAccessPoints", &["AccessPoints*.AccessPointId", "AccessPoints*.FileSystemId"]),
    ("DescribeReplicationConfigurations", &["Replications*"]),
    ("DescribeLifecycleConfiguration", &["LifecyclePolicies*"]),
    ("DescribeBackupPolicy", &["BackupPolicy"]),
    ("DescribeFileSystemPolicy", &["Policy"]),
    ("GetCallerIdentity", &["GetCallerIdentityResult.Account", "GetCallerIdentityResult.Arn"]),
    ("cors", &["CORSRule"]),
    ("encryption", &["Rule"]),
    ("ownershipControls", &["Rule"]),
];

/// What the models call required: what is asked, and a path.
static REQUIRED: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("required.txt").lines().filter(|line| !line.starts_with('#'));
    let mut by_what: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (what, path) in lines.filter_map(|line| line.split_once(' ')) {
        by_what.entry(what).or_default().push(path);
    }
    by_what
});

/// The roots of S3's answers, which are not named after the operation
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>).
const ROOTS: &[(&str, &str)] = &[
    ("tagging", "Tagging"),
    ("encryption", "ServerSideEncryptionConfiguration"),
    ("versioning", "VersioningConfiguration"),
    ("publicAccessBlock", "PublicAccessBlockConfiguration"),
    ("ownershipControls", "OwnershipControls"),
    ("lifecycle", "LifecycleConfiguration"),
    ("notification", "NotificationConfiguration"),
    ("logging", "BucketLoggingStatus"),
    ("cors", "CORSConfiguration"),
    ("versions", "ListVersionsResult"),
    ("uploads", "ListMultipartUploadsResult"),
];

/// Says what is wrong with an answer to a read.
pub(super) fn check(operation: &Operation, body: &[u8]) -> Result<(), String> {
    let asked = operation.asks.as_str();
    let root = match operation.form {
        Form::Json => None,
        Form::Query => Some(format!("{asked}Response")),
        Form::S3 => ROOTS.iter().find(|(what, _)| *what == asked).map(|(_, root)| (*root).to_owned()),
        Form::Other => return Ok(()),
    };
    if operation.form == Form::S3 && root.is_none() {
        return Ok(());
    }
    let is_xml = root.is_some();
    let answer = match root {
        Some(root) => xml(body).and_then(|mut all| take(&mut all, &root)),
        None => serde_json::from_slice(body).ok().filter(Value::is_object),
    };
    let Some(answer) = answer else {
        return Err(format!("the answer is of another form: {}", begins(body)));
    };
    let promised = PROMISED.iter().filter(|(what, _)| *what == asked).flat_map(|(_, paths)| *paths);
    // Two services have an operation of one name.
    let of_service = format!("{}:{asked}", operation.service);
    let required = [asked, of_service.as_str()].into_iter().filter_map(|what| REQUIRED.get(what)).flatten();
    match promised.chain(required).copied().find(|path| !holds(&answer, path, is_xml)) {
        Some(path) => Err(format!("the answer lacks {}", path.replace(['*', '?'], ""))),
        None => Ok(()),
    }
}

/// The protocol of a service, as far as answers differ by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, whatever its version.
    Json,
    /// EC2's, and that of IAM and STS: XML whose root is named after the operation.
    Query,
    /// XML whose root is named after what is asked.
    S3,
    /// Not known here.
    Other,
}

/// How an answer begins, on one line and short: enough to see whose it is.
pub(crate) fn begins(body: &[u8]) -> String {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(body.get(..body.len().min(4 * MOST)).unwrap_or_default());
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let short: String = first.chars().take(MOST).collect();
    match short.is_empty() {
        true => "it is empty".to_owned(),
        false => format!("it begins with {}", outside::line(&short)),
    }
}

fn holds(value: &Value, path: &str, is_xml: bool) -> bool {
    let (step, rest) = path.split_once('.').map_or((path, None), |(step, rest)| (step, Some(rest)));
    let name = step.trim_end_matches(['*', '?']);
    let found = value.get(name).filter(|found| !found.is_null());
    let inside = |found: &Value| rest.is_none_or(|rest| holds(found, rest, is_xml));
    let (is_list, is_optional) = (step.ends_with('*'), step.contains('?'));
    match (found, is_xml) {
        // Of XML each name leads to all elements of that name.
        (None, true) => is_list || is_optional,
        (None, false) => is_optional,
        (Some(Value::Array(all)), true) => all.iter().all(inside),
        (Some(Value::Array(all)), false) if is_list => all.iter().all(inside),
        (Some(_), false) if is_list => false,
        (Some(found), _) => inside(found),
    }
}

fn take(all: &mut Value, name: &str) -> Option<Value> {
    match all.get_mut(name)?.take() {
        Value::Array(mut elements) => elements.pop(),
        _ => None,
    }
}

/// Nests deeper than any answer of AWS.
const DEEPEST: usize = 64;

/// Elements by name, each name with all of its elements; text where there are none inside.
fn xml(body: &[u8]) -> Option<Value> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_reader(body);
    let mut open: Vec<(String, Map<String, Value>)> = vec![(String::new(), Map::new())];
    let put = |open: &mut Vec<(String, Map<String, Value>)>, name: String, value: Map<String, Value>| {
        let (_, outer) = open.last_mut()?;
        let all = outer.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        all.as_array_mut()?.push(Value::Object(value));
        Some(())
    };
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if open.len() < DEEPEST => {
                open.push((start.local_name().as_ref().to_owned(), Map::new()));
            }
            Event::Start(_) => return None,
            Event::Empty(start) => put(&mut open, start.local_name().as_ref().to_owned(), Map::new())?,
            Event::End(_) => {
                let (name, value) = open.pop()?;
                put(&mut open, name, value)?;
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some((_, all)), true) => Some(Value::Object(all)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(asks: &str, form: Form) -> Operation {
        Operation { service: "x".into(), action: asks.into(), attempt: 1, asks: asks.into(), form }
    }

    #[test]
    fn an_answer_without_what_is_promised_is_none() {
        let queues = operation("describejobqueues", Form::Json);
        let whole = r#"{"jobQueues": [{"jobQueueName": "a", "jobQueueArn": "b", "state": "ENABLED", "priority": 1, "computeEnvironmentOrder": []}]}"#;
        assert_eq!(check(&queues, whole.as_bytes()), Ok(()));
        assert_eq!(check(&queues, b"{\"jobQueues\": []}"), Ok(()));
        for (spoilt, said) in [
            (r#"{"nextToken": null}"#, "lacks jobQueues"),
            (r#"{"jobQueues": null}"#, "lacks jobQueues"),
            (r#"{"jobQueues": {}}"#, "lacks jobQueues"),
            (r#"[]"#, "another form: it begins with []"),
            ("<html>\nx", "another form: it begins with <html>"),
            (&whole.replace("priority", "prio"), "lacks jobQueues.priority"),
        ] {
            let error = check(&queues, spoilt.as_bytes()).unwrap_err();
            assert!(error.contains(said), "{spoilt}: {error}");
        }
        let vpcs = operation("DescribeVpcs", Form::Query);
        let answer =
            |inside: &str| format!("<DescribeVpcsResponse xmlns=\"x\">{inside}</DescribeVpcsResponse>");
        for whole in ["<vpcSet/>", "<vpcSet><item><vpcId>a</vpcId></item></vpcSet>"] {
            assert_eq!(check(&vpcs, answer(whole).as_bytes()), Ok(()), "{whole}");
        }
        for spoilt in ["", "<vpcset/>", "<vpcSet><item><vpcid>a</vpcid></item></vpcSet>"] {
            assert!(
                check(&vpcs, answer(spoilt).as_bytes()).unwrap_err().contains("lacks vpcSet"),
                "{spoilt}"
            );
        }
        assert!(check(&vpcs, b"<ListRolesResponse><vpcSet/></ListRolesResponse>").is_err());
        assert_eq!(check(&operation("policy", Form::S3), b"x"), Ok(()));
    }

    #[test]
    fn what_is_not_awss_is_shown_short_and_harmless() {
        assert_eq!(begins(b"\n  <html>\x1b[2J\nmore"), "it begins with <html>\\u{1b}[2J");
        assert_eq!(begins(b" \n"), "it is empty");
        assert_eq!(begins("é".repeat(500).as_bytes()).chars().count(), "it begins with ".len() + 120);
    }
}
