"""Tags as each service takes them: how many, how long, of which characters, and who writes those that begin with `aws:`.

https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html has what holds everywhere; what the services say differs.
"""

from xml.parsers.expat import ExpatError

import regex
import xmltodict
from batchwright_limits import Refused
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ecr.models import ECRBackend
from moto.iam.exceptions import DuplicateTags
from moto.iam.models import IAMBackend
from moto.logs.models import LogsBackend
from moto.s3 import exceptions as s3_exceptions
from moto.s3.responses import S3Response

MOST = 50
CHARACTERS = regex.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")


def reserved(key):
    return key.lower().startswith("aws:")


# EC2: any character (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions), and nothing is made
# whose tags are wrong. The text about reserved keys: jcjorel/ec2-spot-converter#13.
ec2_call = EC2BaseResponse.call_action


def of_ec2(tags):
    keys = [tag.get("Key") or "" for tag in tags]
    for tag, key in zip(tags, keys):
        if not key:
            return "InvalidParameterValue", "Tag key cannot be null or empty."
        if len(key) > 128:
            return "InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"
        if len(tag.get("Value") or "") > 256:
            return "InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters"
        if reserved(key):
            return "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
        if keys.count(key) > 1:
            return "InvalidParameterValue", f"Duplicate tag key '{key}' specified."
    if len(keys) > MOST:
        return "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."
    return None


def call_with_tags(self):
    asked = getattr(self, "params", None) or {}
    lists = [it.get("Tags") or [] for it in asked.get("TagSpecifications") or []]
    if self._get_action() == "CreateTags":
        lists.append(asked.get("Tags") or [])
    for tags in lists:
        for tag in tags:
            tag["Value"] = tag.get("Value") or ""
        if wrong := of_ec2(tags):
            return self.serialized(ActionResult(EC2ClientError(*wrong)))
    return ec2_call(self)


EC2BaseResponse.call_action = call_with_tags


# IAM: of roles and users the case of a key means nothing, and is kept; of everything else it tells keys apart.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html#id_tags_rules
# What one key may hold is in IAM's model; which code it has for reserved ones is not written anywhere.
def verified(_self, tags):
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise DuplicateTags()
    if any(reserved(key) for key in keys):
        raise Refused("InvalidInput", "Tag keys that begin with aws: are reserved for AWS.")
    return {tag["Key"]: tag for tag in tags}


IAMBackend._tag_verification = verified


def folded(tags):
    found = {}
    for tag in tags:
        if tag["Key"].lower() in found:
            raise DuplicateTags()
        found[tag["Key"].lower()] = tag
    return found


def full(tags):
    if len(tags) > MOST:
        raise Refused("LimitExceeded", "The number of tags has reached the maximum limit.")


create_role = IAMBackend.create_role


def create_tagged_role(
    self, role_name, assume_role_policy_document, path, permissions_boundary, description, tags, *args, **kwargs
):
    folded(tags)
    documents = (assume_role_policy_document, path, permissions_boundary)
    return create_role(self, role_name, *documents, description, tags, *args, **kwargs)


def tag_role(self, role_name, tags):
    verified(self, tags)
    role, new = self.get_role(role_name), folded(tags)
    all_of_them = [tag for tag in role.tags if tag["Key"].lower() not in new] + list(tags)
    full(all_of_them)
    role.tags = all_of_them


def untag_role(self, role_name, tag_keys):
    role, gone = self.get_role(role_name), {key.lower() for key in tag_keys}
    role.tags = [tag for tag in role.tags if tag["Key"].lower() not in gone]


def tag_exactly(get):
    def tag(self, name, tags):
        holder = getattr(self, get)(name)
        all_of_them = {**holder.tags, **verified(self, tags)}
        full(all_of_them)
        holder.tags = all_of_them

    return tag


def untag_exactly(get):
    def untag(self, name, tag_keys):
        holder = getattr(self, get)(name)
        holder.tags = {key: tag for key, tag in holder.tags.items() if key not in tag_keys}

    return untag


IAMBackend.create_role = create_tagged_role
IAMBackend.tag_role = tag_role
IAMBackend.untag_role = untag_role
IAMBackend.tag_policy = tag_exactly("get_policy")
IAMBackend.untag_policy = untag_exactly("get_policy")
IAMBackend.tag_open_id_connect_provider = tag_exactly("get_open_id_connect_provider")
IAMBackend.untag_open_id_connect_provider = untag_exactly("get_open_id_connect_provider")


# S3: looked at one by one, then counted, as somebody has tried (scality/cloudserver#4451, versity/versitygw#1204).
s3_put = S3Response._bucket_response_put


def of_s3(tags):
    seen = set()
    for tag in tags:
        if not isinstance(tag, dict) or not {"Key", "Value"} <= tag.keys():
            raise s3_exceptions.MalformedXML()
        key, value = tag.get("Key") or "", tag.get("Value") or ""
        if not 1 <= len(key) <= 128 or not CHARACTERS.fullmatch(key):
            raise s3_exceptions.InvalidTagError("The TagKey you have provided is invalid")
        if len(value) > 256 or not CHARACTERS.fullmatch(value):
            raise s3_exceptions.InvalidTagError("The TagValue you have provided is invalid")
        if reserved(key):
            raise s3_exceptions.InvalidTagError("System tags cannot be added/updated by requester")
        if key in seen:
            raise s3_exceptions.InvalidTagError("Cannot provide multiple Tags with the same key")
        seen.add(key)
    if len(tags) > MOST:
        raise s3_exceptions.S3ClientError("BadRequest", f"Bucket tag count cannot be greater than {MOST}")


def tags_in(body, *path):
    try:
        found = xmltodict.parse(body) if body else {}
    except ExpatError:
        raise s3_exceptions.MalformedXML() from None
    for name in path:
        found = (found or {}).get(name)
    return found if isinstance(found, list) else [found] if found else []


def put_with_tags(self, request, bucket_name, querystring):
    if "tagging" in querystring:
        of_s3(tags_in(self.body, "Tagging", "TagSet", "Tag"))
    elif not querystring:
        of_s3(tags_in(self.body, "CreateBucketConfiguration", "Tags", "Tag"))
    return s3_put(self, request, bucket_name, querystring)


S3Response._bucket_response_put = put_with_tags
tagging_from_body = S3Response._bucket_tagging_from_body
# An empty value is a value.
S3Response._bucket_tagging_from_body = lambda self: {key: value or "" for key, value in tagging_from_body(self).items()}


# ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html#tag-restrictions
def of_ecr(tags):
    for tag in tags:
        key, value = tag.get("Key") or "", tag.get("Value") or ""
        if not 1 <= len(key) <= 128 or len(value) > 256 or reserved(key):
            raise Refused(
                "InvalidTagParameterException",
                "An invalid parameter has been specified. Tag keys can have a maximum character length of 128 characters,"
                " and tag values can have a maximum length of 256 characters.",
            )


def ecr_full(keys):
    if len(set(keys)) > MOST:
        raise Refused(
            "TooManyTagsException",
            "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a"
            f" repository is {MOST}.",
        )


create_repository, tag_repository = ECRBackend.create_repository, ECRBackend.tag_resource


def create_tagged_repository(self, *args, **kwargs):
    tags = kwargs.get("tags") or []
    of_ecr(tags)
    ecr_full([tag["Key"] for tag in tags])
    return create_repository(self, *args, **kwargs)


def tag_repository_within(self, arn, tags):
    of_ecr(tags)
    ecr_full([*self.tagger.get_tag_dict_for_resource(arn), *(tag["Key"] for tag in tags)])
    return tag_repository(self, arn, tags)


ECRBackend.create_repository = create_tagged_repository
ECRBackend.tag_resource = tag_repository_within


# CloudWatch Logs: what one call may hold is in its model.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html
create_log_group, tag_log_resource = LogsBackend.create_log_group, LogsBackend.tag_resource


def of_logs(tags):
    if any(reserved(key) for key in tags):
        raise JsonRESTError("InvalidParameterException", "Tag keys that begin with aws: are reserved for AWS.")


def create_tagged_log_group(self, log_group_name, tags, **kwargs):
    of_logs(tags or {})
    return create_log_group(self, log_group_name, tags, **kwargs)


def tag_log_resource_within(self, arn, tags):
    of_logs(tags)
    if len({**self.list_tags_for_resource(arn), **tags}) > MOST:
        raise JsonRESTError("TooManyTagsException", f"A resource can have no more than {MOST} tags.")
    return tag_log_resource(self, arn, tags)


LogsBackend.create_log_group = create_tagged_log_group
LogsBackend.tag_resource = tag_log_resource_within
