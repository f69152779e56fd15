//! What neither the service authorization reference nor CloudFormation's handlers say, each with who says it.

/// AWS's pages that map operations to actions.
const BATCH: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_batch.html, API operations";
const S3: &str =
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_s3.html, API operations";

/// Operations that are allowed by actions of other names; by none, where everybody may call them.
pub const OPERATIONS: &[(&str, &[&str], &str)] = &[
    (
        "s3:HeadBucket",
        &["s3:ListBucket"],
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html",
    ),
    ("s3:GetBucketNotificationConfiguration", &["s3:GetBucketNotification"], S3),
    ("s3:PutBucketNotificationConfiguration", &["s3:PutBucketNotification"], S3),
    ("s3:GetBucketCors", &["s3:GetBucketCORS"], S3),
    ("s3:PutBucketCors", &["s3:PutBucketCORS"], S3),
    ("s3:DeleteBucketCors", &["s3:PutBucketCORS"], S3),
    ("s3:DeleteBucketLifecycle", &["s3:PutLifecycleConfiguration"], S3),
    ("s3:DeleteBucketOwnershipControls", &["s3:PutBucketOwnershipControls"], S3),
    ("s3:DeleteBucketTagging", &["s3:PutBucketTagging"], S3),
    ("s3:DeleteObjects", &["s3:DeleteObject", "s3:DeleteObjectVersion"], S3),
    ("s3:DeletePublicAccessBlock", &["s3:PutBucketPublicAccessBlock"], S3),
    (
        "sts:GetCallerIdentity",
        &[],
        "https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html",
    ),
];

/// Roles that an operation hands to a service: the field that names the role, the service, who says so.
pub const PASSED: &[(&str, &str, &str, &str)] = &[
    ("batch:RegisterJobDefinition", "jobRoleArn", "ecs-tasks.amazonaws.com", BATCH),
    ("batch:RegisterJobDefinition", "executionRoleArn", "ecs-tasks.amazonaws.com", BATCH),
    // Other people's policies, which work, name the service that is called.
    ("batch:RegisterJobDefinition", "jobRoleArn", "batch.amazonaws.com", SEQERA),
    ("batch:RegisterJobDefinition", "executionRoleArn", "batch.amazonaws.com", SEQERA),
    ("batch:CreateComputeEnvironment", "serviceRole", "batch.amazonaws.com", BATCH),
    ("batch:CreateComputeEnvironment", "instanceRole", "ec2.amazonaws.com", BATCH),
    ("batch:CreateComputeEnvironment", "infrastructureRoleArn", "ecs.amazonaws.com", BATCH),
    ("batch:CreateComputeEnvironment", "spotIamFleetRole", "spotfleet.amazonaws.com", BATCH),
    ("batch:UpdateComputeEnvironment", "serviceRole", "batch.amazonaws.com", BATCH),
    ("batch:UpdateComputeEnvironment", "instanceRole", "ec2.amazonaws.com", BATCH),
    ("batch:UpdateComputeEnvironment", "infrastructureRoleArn", "ecs.amazonaws.com", BATCH),
    ("ec2:CreateFlowLogs", "DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com", FLOW_LOGS),
    ("iam:AddRoleToInstanceProfile", "RoleName", "ec2.amazonaws.com", ADD_ROLE),
];
const FLOW_LOGS: &str = "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html";
const ADD_ROLE: &str =
    "https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html, PassRole";
const SEQERA: &str = "https://docs.seqera.io/platform-cloud/compute-envs/aws-batch-iam-policy";

/// What an operation needs beside its own action where a field is said: the field, the action, who says so.
pub const WITH: &[(&str, &str, &str, &str)] = &[
    ("batch:CreateComputeEnvironment", "tags", "batch:TagResource", BATCH),
    ("batch:CreateConsumableResource", "tags", "batch:TagResource", BATCH),
    ("batch:CreateJobQueue", "tags", "batch:TagResource", BATCH),
    ("batch:CreateServiceEnvironment", "tags", "batch:TagResource", BATCH),
    ("batch:RegisterJobDefinition", "tags", "batch:TagResource", BATCH),
    ("batch:SubmitJob", "tags", "batch:TagResource", BATCH),
    ("batch:CreateComputeEnvironment", "capacityTags", "batch:SetCapacityTags", CAPACITY),
    ("batch:UpdateComputeEnvironment", "capacityTags", "batch:SetCapacityTags", CAPACITY),
    ("ecr:CreateRepository", "tags", "ecr:TagResource", "the reference: needed beside ecr:CreateRepository"),
    ("iam:CreateInstanceProfile", "Tags", "iam:TagInstanceProfile", IAM_TAGS),
    ("iam:CreateOpenIDConnectProvider", "Tags", "iam:TagOpenIDConnectProvider", IAM_TAGS),
    ("iam:CreatePolicy", "Tags", "iam:TagPolicy", IAM_TAGS),
    ("iam:CreateRole", "Tags", "iam:TagRole", IAM_TAGS),
    (
        "logs:CreateLogGroup",
        "tags",
        "logs:TagResource",
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html, tags",
    ),
    (
        "s3:CreateBucket",
        "Tags",
        "s3:TagResource",
        "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html, Tags",
    ),
];
const CAPACITY: &str = "https://docs.aws.amazon.com/batch/latest/userguide/capacity-tags-access-policy.html";
const IAM_TAGS: &str =
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html, permissions for tags at creation";

/// Where no role is named, Batch makes its own with the caller's rights:
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_CreateComputeEnvironment.html>, serviceRole; the permission is in
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>.
pub const LINKED: (&str, &str, &str) =
    ("batch:CreateComputeEnvironment", "batch.amazonaws.com", "AWSServiceRoleForBatch");

/// Actions that are no operation of ours, and are needed all the same: what needs them, who says so.
pub const BESIDE: &[(&str, &str)] = &[
    ("batch:SetCapacityTags", CAPACITY),
    ("logs:CreateLogDelivery", "CloudFormation's handler of AWS::EC2::FlowLog"),
    ("logs:DeleteLogDelivery", "CloudFormation's handler of AWS::EC2::FlowLog"),
    ("ec2:CreateVpcEncryptionControl", "CloudFormation's handler of AWS::EC2::VPC"),
    ("ec2:DescribeLaunchTemplateVersions", "CloudFormation's handler of AWS::Batch::ComputeEnvironment"),
    // What EFS does with the rights of whoever asks.
    ("ec2:CreateNetworkInterface", MOUNT),
    ("ec2:DescribeNetworkInterfaces", MOUNT),
    ("ec2:DeleteNetworkInterface", "https://docs.aws.amazon.com/efs/latest/ug/API_DeleteMountTarget.html"),
    (
        "ec2:DescribeNetworkInterfaceAttribute",
        "https://docs.aws.amazon.com/efs/latest/ug/API_DescribeMountTargetSecurityGroups.html",
    ),
    (
        "ec2:ModifyNetworkInterfaceAttribute",
        "https://docs.aws.amazon.com/efs/latest/ug/API_ModifyMountTargetSecurityGroups.html",
    ),
    ("eks:", "CloudFormation's handler of AWS::Batch::ComputeEnvironment"),
    ("kms:", "CloudFormation's handler of AWS::ECR::Repository"),
    ("iam:PassRole", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html"),
    // Without it S3 may say "access denied" of what is not there (API_GetObject, "Permissions").
    ("s3:ListBucket", "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"),
    // What `docker push` calls: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>.
    ("ecr:BatchCheckLayerAvailability", PUSH),
    ("ecr:CompleteLayerUpload", PUSH),
    ("ecr:GetAuthorizationToken", PUSH),
    ("ecr:InitiateLayerUpload", PUSH),
    ("ecr:UploadLayerPart", PUSH),
];
const MOUNT: &str = "https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html";
const PUSH: &str = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html";

#[test]
fn each_row_says_who_says_so() {
    let sources = OPERATIONS.iter().map(|it| it.2).chain(PASSED.iter().map(|it| it.3));
    let mut sources = sources.chain(WITH.iter().map(|it| it.3)).chain(BESIDE.iter().map(|it| it.1));
    let known = ["https://docs.", "CloudFormation's handler of AWS::", "the reference: "];
    assert!(sources.all(|source| known.iter().any(|it| source.starts_with(it))));
    // And CloudFormation does say it.
    for (action, source) in BESIDE.iter().filter(|(_, source)| source.starts_with("CloudFormation")) {
        let says = action.ends_with(':') || super::authorization::a_handler_needs(action);
        assert!(says, "{action}: {source}");
    }
}
