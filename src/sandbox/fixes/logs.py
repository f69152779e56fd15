"""CloudWatch Logs as AWS serves it, where moto differs."""

import json
import re

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException, ValidationException
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

RETENTIONS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "ESSENTIALS", "DELIVERY")


# Groups: they have a class and a protection, and take their tags with them when they go.
def create_log_group(self):
    backend, name = self.logs_backend, self._get_param("logGroupName")
    if not re.fullmatch(r"[\.\-_/#A-Za-z0-9]{1,512}", name or ""):
        pattern = r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
        raise InvalidParameterException(constraint=pattern, parameter="logGroupName", value=name)
    if name.startswith("aws/"):
        # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
        raise InvalidParameterException("Log groups starting with 'aws/' are reserved for AWS.")
    kind = self._get_param("logGroupClass") or "STANDARD"
    if kind not in CLASSES:
        constraint = f"Member must satisfy enum value set: [{', '.join(CLASSES)}]"
        raise InvalidParameterException(constraint=constraint, parameter="logGroupClass", value=kind)
    if key := self._get_param("kmsKeyId"):
        check_key(key)
    group = backend.create_log_group(name, self._get_param("tags") or {}, kmsKeyId=self._get_param("kmsKeyId"))
    group.log_group_class = kind
    group.deletion_protection_enabled = bool(self._get_param("deletionProtectionEnabled"))
    return ""


def put_log_group_deletion_protection(self):
    group = group_of(self.logs_backend, self._get_param("logGroupIdentifier"))
    group.deletion_protection_enabled = bool(self._get_param("deletionProtectionEnabled"))
    return ""


def group_of(backend, identifier):
    name = identifier.split(":log-group:")[-1].removesuffix(":*") if identifier else identifier
    if name not in backend.groups:
        raise ResourceNotFoundException()
    return backend.groups[name]


delete_log_group = LogsBackend.delete_log_group


def delete_unprotected_log_group(self, log_group_name):
    group = group_of(self, log_group_name)
    if getattr(group, "deletion_protection_enabled", False):
        raise ValidationException("Log group is protected from deletion. Disable deletion protection first.")
    self.tagger.delete_all_tags_for_resource(group.arn)
    delete_log_group(self, log_group_name)


to_describe_dict = LogGroup.to_describe_dict


def describe(self):
    return {
        **to_describe_dict(self),
        "logGroupClass": getattr(self, "log_group_class", "STANDARD"),
        "deletionProtectionEnabled": getattr(self, "deletion_protection_enabled", False),
    }


LogsResponse.create_log_group = create_log_group
LogsResponse.put_log_group_deletion_protection = put_log_group_deletion_protection
LogsBackend.delete_log_group = delete_unprotected_log_group
LogGroup.to_describe_dict = describe


# Keys: taken on and given up. Only a key's own ARN is taken, no alias.
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
def check_key(key):
    if not re.fullmatch(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/.+", key):
        raise InvalidParameterException(f"The specified KMS Key Id could not be found or is not an ARN: {key}")


def associate_kms_key(self):
    group = group_of(self.logs_backend, self._get_param("logGroupName") or self._get_param("resourceIdentifier"))
    check_key(self._get_param("kmsKeyId") or "")
    group.kms_key_id = self._get_param("kmsKeyId")
    return ""


def disassociate_kms_key(self):
    group = group_of(self.logs_backend, self._get_param("logGroupName") or self._get_param("resourceIdentifier"))
    group.kms_key_id = None
    return ""


LogsResponse.associate_kms_key = associate_kms_key
LogsResponse.disassociate_kms_key = disassociate_kms_key


# Retention: only some numbers of days.
put_retention_policy = LogsBackend.put_retention_policy


def put_valid_retention_policy(self, log_group_name, retention_in_days):
    if retention_in_days not in RETENTIONS:
        allowed = ", ".join(str(days) for days in sorted(RETENTIONS))
        constraint = f"Member must satisfy enum value set: [{allowed}]"
        raise InvalidParameterException(constraint=constraint, parameter="retentionInDays", value=retention_in_days)
    put_retention_policy(self, log_group_name, retention_in_days)


LogsBackend.put_retention_policy = put_valid_retention_policy


# Listing: by prefix, by part of the name, by class, and by identifiers, in pages of at most fifty.
def describe_log_groups(self):
    limit = int(self._get_param("limit") or 50)
    if not 1 <= limit <= 50:
        side = "less than or equal to 50" if limit > 50 else "greater than or equal to 1"
        raise InvalidParameterException(
            constraint=f"Member must have value {side}", parameter="limit", value=limit
        )
    prefix, part = self._get_param("logGroupNamePrefix") or "", self._get_param("logGroupNamePattern") or ""
    kind, after = self._get_param("logGroupClass"), self._get_param("nextToken")
    identifiers = [it.split(":log-group:")[-1].removesuffix(":*") for it in self._get_param("logGroupIdentifiers") or []]
    groups = [
        group
        for name, group in sorted(self.logs_backend.groups.items())
        if name.startswith(prefix)
        and part.lower() in name.lower()
        and (not kind or getattr(group, "log_group_class", "STANDARD") == kind)
        and (not identifiers or name in identifiers)
        and (not after or name > after)
    ]
    result = {"logGroups": [group.to_describe_dict() for group in groups[:limit]]}
    if len(groups) > limit:
        result["nextToken"] = groups[limit - 1].name
    return json.dumps(result)


LogsResponse.describe_log_groups = describe_log_groups


# Tags of a group that isn't there.
def existing(method):
    original = getattr(LogsBackend, method)

    def checked(self, arn, *args, **kwargs):
        if ":log-group:" in arn:
            group_of(self, arn)
        return original(self, arn, *args, **kwargs)

    setattr(LogsBackend, method, checked)


for name in ("list_tags_for_resource", "tag_resource", "untag_resource"):
    existing(name)
