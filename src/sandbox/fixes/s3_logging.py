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
