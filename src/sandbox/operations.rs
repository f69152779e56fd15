//! The names of operations where the protocol doesn't carry them, and which of them can change something.

use http::{HeaderMap, Method};

use super::request::parameter;

/// S3's sub-resources: the query parameter that selects them, then the operations of GET, PUT and DELETE.
const BUCKET: &[(&str, &str, &str, &str)] = &[
    ("abac", "GetBucketAbac", "PutBucketAbac", ""),
    ("accelerate", "GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", ""),
    ("acl", "GetBucketAcl", "PutBucketAcl", ""),
    (
        "analytics",
        "GetBucketAnalyticsConfiguration",
        "PutBucketAnalyticsConfiguration",
        "DeleteBucketAnalyticsConfiguration",
    ),
    ("cors", "GetBucketCors", "PutBucketCors", "DeleteBucketCors"),
    ("encryption", "GetBucketEncryption", "PutBucketEncryption", "DeleteBucketEncryption"),
    (
        "intelligent-tiering",
        "GetBucketIntelligentTieringConfiguration",
        "PutBucketIntelligentTieringConfiguration",
        "DeleteBucketIntelligentTieringConfiguration",
    ),
    (
        "inventory",
        "GetBucketInventoryConfiguration",
        "PutBucketInventoryConfiguration",
        "DeleteBucketInventoryConfiguration",
    ),
    (
        "lifecycle",
        "GetBucketLifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    ),
    ("location", "GetBucketLocation", "", ""),
    ("logging", "GetBucketLogging", "PutBucketLogging", ""),
    (
        "metrics",
        "GetBucketMetricsConfiguration",
        "PutBucketMetricsConfiguration",
        "DeleteBucketMetricsConfiguration",
    ),
    ("notification", "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", ""),
    ("object-lock", "GetObjectLockConfiguration", "PutObjectLockConfiguration", ""),
    (
        "ownershipControls",
        "GetBucketOwnershipControls",
        "PutBucketOwnershipControls",
        "DeleteBucketOwnershipControls",
    ),
    ("policy", "GetBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"),
    ("policyStatus", "GetBucketPolicyStatus", "", ""),
    ("publicAccessBlock", "GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"),
    ("replication", "GetBucketReplication", "PutBucketReplication", "DeleteBucketReplication"),
    ("requestPayment", "GetBucketRequestPayment", "PutBucketRequestPayment", ""),
    ("tagging", "GetBucketTagging", "PutBucketTagging", "DeleteBucketTagging"),
    ("uploads", "ListMultipartUploads", "", ""),
    ("versioning", "GetBucketVersioning", "PutBucketVersioning", ""),
    ("versions", "ListObjectVersions", "", ""),
    ("website", "GetBucketWebsite", "PutBucketWebsite", "DeleteBucketWebsite"),
];

const OBJECT: &[(&str, &str, &str, &str)] = &[
    ("acl", "GetObjectAcl", "PutObjectAcl", ""),
    ("attributes", "GetObjectAttributes", "", ""),
    ("legal-hold", "GetObjectLegalHold", "PutObjectLegalHold", ""),
    ("retention", "GetObjectRetention", "PutObjectRetention", ""),
    ("tagging", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging"),
    ("uploadId", "ListParts", "UploadPart", "AbortMultipartUpload"),
];

/// Batch's operations; their paths are these names in small letters.
const BATCH: &[&str] = &[
    "CancelJob",
    "CreateComputeEnvironment",
    "CreateConsumableResource",
    "CreateJobQueue",
    "CreateQuotaShare",
    "CreateSchedulingPolicy",
    "CreateServiceEnvironment",
    "DeleteComputeEnvironment",
    "DeleteConsumableResource",
    "DeleteJobQueue",
    "DeleteQuotaShare",
    "DeleteSchedulingPolicy",
    "DeleteServiceEnvironment",
    "DeregisterJobDefinition",
    "DescribeComputeEnvironments",
    "DescribeConsumableResource",
    "DescribeJobDefinitions",
    "DescribeJobQueues",
    "DescribeJobs",
    "DescribeQuotaShare",
    "DescribeSchedulingPolicies",
    "DescribeServiceEnvironments",
    "DescribeServiceJob",
    "GetJobQueueSnapshot",
    "ListConsumableResources",
    "ListJobs",
    "ListJobsByConsumableResource",
    "ListQuotaShares",
    "ListSchedulingPolicies",
    "ListServiceJobs",
    "RegisterJobDefinition",
    "SubmitJob",
    "SubmitServiceJob",
    "TerminateJob",
    "TerminateServiceJob",
    "UpdateComputeEnvironment",
    "UpdateConsumableResource",
    "UpdateJobQueue",
    "UpdateQuotaShare",
    "UpdateSchedulingPolicy",
    "UpdateServiceEnvironment",
    "UpdateServiceJob",
];

/// EFS's operations: the end of the path, without the id that may stand there, then those of GET, POST, PUT and DELETE.
const EFS: &[(&str, &str, &str, &str, &str)] = &[
    ("access-points", "DescribeAccessPoints", "CreateAccessPoint", "", "DeleteAccessPoint"),
    ("account-preferences", "DescribeAccountPreferences", "", "PutAccountPreferences", ""),
    ("backup-policy", "DescribeBackupPolicy", "", "PutBackupPolicy", ""),
    ("create-tags", "", "CreateTags", "", ""),
    ("delete-tags", "", "DeleteTags", "", ""),
    ("file-systems", "DescribeFileSystems", "CreateFileSystem", "UpdateFileSystem", "DeleteFileSystem"),
    ("lifecycle-configuration", "DescribeLifecycleConfiguration", "", "PutLifecycleConfiguration", ""),
    ("mount-targets", "DescribeMountTargets", "CreateMountTarget", "", "DeleteMountTarget"),
    ("policy", "DescribeFileSystemPolicy", "", "PutFileSystemPolicy", "DeleteFileSystemPolicy"),
    ("protection", "", "", "UpdateFileSystemProtection", ""),
    ("replication-configuration", "", "CreateReplicationConfiguration", "", "DeleteReplicationConfiguration"),
    ("replication-configurations", "DescribeReplicationConfigurations", "", "", ""),
    ("resource-tags", "ListTagsForResource", "TagResource", "", "UntagResource"),
    ("security-groups", "DescribeMountTargetSecurityGroups", "", "ModifyMountTargetSecurityGroups", ""),
    ("tags", "DescribeTags", "", "", ""),
];

/// How the names of operations begin that only look. Where a service breaks the habit, [`can_change`] says so.
const LOOKS: &[&str] = &[
    "BatchCheck",
    "BatchGet",
    "Check",
    "Describe",
    "Estimate",
    "Filter",
    "Get",
    "HEAD",
    "Head",
    "List",
    "Lookup",
    "Preview",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "Validate",
    "Verify",
    "GET",
];

/// Whether an operation can change something.
pub(super) fn can_change(service: &str, action: &str) -> bool {
    match (service, action) {
        ("sts", _) | ("logs", "StartQuery" | "StopQuery" | "StartLiveTail") => false,
        _ => !LOOKS.iter().any(|look| action.starts_with(look)),
    }
}

/// S3's operation. The bucket is in the path: `/bucket/key`.
pub(super) fn s3(method: &Method, path: &str, query: &str, headers: &HeaderMap) -> &'static str {
    let (bucket, key) =
        path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let has = |name: &str| parameter(query.as_bytes(), name).is_some();
    if bucket.is_empty() {
        return "ListBuckets";
    }
    let table = if key.is_empty() { BUCKET } else { OBJECT };
    if let Some((_, get, put, delete)) = table.iter().find(|(name, ..)| has(name)) {
        let named = match method.as_str() {
            "GET" | "HEAD" => get,
            "PUT" if has("uploadId") && headers.contains_key("x-amz-copy-source") => &"UploadPartCopy",
            "PUT" => put,
            "DELETE" => delete,
            _ => &"",
        };
        if !named.is_empty() {
            return named;
        }
    }
    match (method.as_str(), key.is_empty()) {
        ("GET", true) if has("list-type") => "ListObjectsV2",
        ("GET", true) => "ListObjects",
        ("HEAD", true) => "HeadBucket",
        ("PUT", true) => "CreateBucket",
        ("DELETE", true) => "DeleteBucket",
        ("POST", true) if has("delete") => "DeleteObjects",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("PUT", false) if headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", false) => "PutObject",
        ("DELETE", false) => "DeleteObject",
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false) if has("uploadId") => "CompleteMultipartUpload",
        ("POST", false) if has("select") => "SelectObjectContent",
        ("POST", false) if has("restore") => "RestoreObject",
        ("POST", true) => "PostObject",
        _ => "UnknownS3Operation",
    }
}

/// Batch's operation.
pub(super) fn batch(method: &Method, path: &str) -> String {
    let rest = path.strip_prefix("/v1/").unwrap_or(path);
    if rest.starts_with("tags/") {
        let named = match method.as_str() {
            "GET" => "ListTagsForResource",
            "DELETE" => "UntagResource",
            _ => "TagResource",
        };
        return named.to_owned();
    }
    BATCH
        .iter()
        .find(|name| name.eq_ignore_ascii_case(rest))
        .map_or_else(|| format!("{method} {path}"), |name| (*name).to_owned())
}

/// EFS's operation: the last word of the path that is no id tells it.
pub(super) fn efs(method: &Method, path: &str) -> String {
    let words = path.strip_prefix("/2015-02-01/").unwrap_or_default().rsplit('/');
    let found = words.filter_map(|word| EFS.iter().find(|(end, ..)| *end == word)).next();
    let named = found.map(|(_, get, post, put, delete)| match method.as_str() {
        "GET" => *get,
        "POST" => *post,
        "PUT" => *put,
        "DELETE" => *delete,
        _ => "",
    });
    named.filter(|name| !name.is_empty()).map_or_else(|| format!("{method} {path}"), str::to_owned)
}

/// The method and the first word of the path: all that can be told of a REST service without its model.
pub(super) fn rest(method: &Method, path: &str) -> String {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    format!("{method} /{first}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: Method, path: &str, query: &str) -> &'static str {
        s3(&method, path, query, &HeaderMap::new())
    }

    #[test]
    fn s3_operations_follow_from_method_path_and_query() {
        assert_eq!(name(Method::GET, "/", "x-id=ListBuckets"), "ListBuckets");
        assert_eq!(name(Method::PUT, "/bucket", ""), "CreateBucket");
        assert_eq!(name(Method::GET, "/bucket/", "versioning"), "GetBucketVersioning");
        assert_eq!(name(Method::PUT, "/bucket", "publicAccessBlock="), "PutPublicAccessBlock");
        assert_eq!(name(Method::DELETE, "/bucket", "lifecycle"), "DeleteBucketLifecycle");
        assert_eq!(name(Method::GET, "/bucket", "list-type=2&prefix=a"), "ListObjectsV2");
        assert_eq!(name(Method::POST, "/bucket", "delete"), "DeleteObjects");
        assert_eq!(name(Method::PUT, "/bucket/a/b", "x-id=PutObject"), "PutObject");
        assert_eq!(name(Method::PUT, "/bucket/a", "partNumber=1&uploadId=x"), "UploadPart");
        assert_eq!(name(Method::POST, "/bucket/a", "uploads"), "CreateMultipartUpload");
        assert_eq!(name(Method::POST, "/bucket/a", "uploadId=x"), "CompleteMultipartUpload");
    }

    #[test]
    fn efs_operations_follow_from_the_end_of_the_path() {
        let name = |method: Method, path: &str| efs(&method, &format!("/2015-02-01/{path}"));
        assert_eq!(name(Method::GET, "file-systems"), "DescribeFileSystems");
        assert_eq!(
            name(Method::GET, "file-systems/replication-configurations"),
            "DescribeReplicationConfigurations"
        );
        assert_eq!(name(Method::PUT, "file-systems/fs-1"), "UpdateFileSystem");
        assert_eq!(name(Method::DELETE, "file-systems/fs-1/policy"), "DeleteFileSystemPolicy");
        assert_eq!(
            name(Method::PUT, "mount-targets/fsmt-1/security-groups"),
            "ModifyMountTargetSecurityGroups"
        );
        assert_eq!(name(Method::DELETE, "resource-tags/fsap-1"), "UntagResource");
        assert_eq!(name(Method::GET, "coffee"), "GET /2015-02-01/coffee");
    }

    #[test]
    fn what_only_looks_is_no_write() {
        let looks = [
            ("iam", "ListRoles"),
            ("logs", "FilterLogEvents"),
            ("sts", "AssumeRole"),
            ("ecr", "BatchGetImage"),
            ("s3", "HeadBucket"),
        ];
        assert!(looks.iter().all(|(service, action)| !can_change(service, action)));
        let changes = [
            ("iam", "UpdateRole"),
            ("ecr", "BatchDeleteImage"),
            ("s3", "PutObject"),
            ("logs", "PutLogEvents"),
            ("batch", "SubmitJob"),
        ];
        assert!(changes.iter().all(|(service, action)| can_change(service, action)));
    }
}
