"""Access logs of buckets as S3 serves them, where moto differs."""

from moto.core.responses import ActionResult
from moto.s3.responses import S3Response


# The format of the keys is told as it was set.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_LoggingEnabled.html
def get_bucket_logging(self):
    logging = self.backend.get_bucket_logging(self.bucket_name)
    result = {}
    if logging:
        enabled = {"TargetBucket": logging["TargetBucket"], "TargetPrefix": logging["TargetPrefix"] or ""}
        asked = logging.get("TargetObjectKeyFormat") or {}
        if "PartitionedPrefix" in asked:
            source = (asked["PartitionedPrefix"] or {}).get("PartitionDateSource") or "DeliveryTime"
            enabled["TargetObjectKeyFormat"] = {"PartitionedPrefix": {"PartitionDateSource": source}}
        elif asked:
            enabled["TargetObjectKeyFormat"] = {"SimplePrefix": {}}
        result["LoggingEnabled"] = enabled
    self.data["Action"] = "GetBucketLogging"
    return self.serialized(ActionResult(result))


S3Response.get_bucket_logging = get_bucket_logging


# Whom a grant is for is required: https://docs.aws.amazon.com/AmazonS3/latest/API/API_TargetGrant.html
grants_from_xml = S3Response._get_grants_from_xml


def grants_of_somebody(self, grant_list, exception_type, permissions):
    for grant in grant_list:
        if not isinstance(grant, dict) or not isinstance(grant.get("Grantee"), dict):
            raise exception_type()
    return grants_from_xml(self, grant_list, exception_type, permissions)


S3Response._get_grants_from_xml = grants_of_somebody
