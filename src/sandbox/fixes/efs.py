"""File systems as EFS serves them, where moto differs: their states, settings and policies."""

import json
import uuid

import batchwright_documents as documents
import batchwright_limits as limits
from moto.efs import urls
from moto.efs.exceptions import BadRequest, EFSError, FileSystemAlreadyExists, FileSystemNotFound, PolicyNotFound
from moto.efs.models import FileSystem
from moto.efs.responses import EFSResponse
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

# What moto does not route.
SYSTEMS = "/2015-02-01/file-systems"
for path in ("replication-configurations", "<file_system_id>/protection", "<file_system_id>/replication-configuration"):
    urls.url_paths[f"{SYSTEMS}/{path}"] = EFSResponse.dispatch
MOST_TAGS = 50
JSON = {"Content-Type": "application/json"}


class Refused(EFSError):
    """A refusal with a status and a code of its own."""

    def __init__(self, status, code, message):
        self.code = status
        super().__init__(code, message)


# Requests are read, and looked at, by EFS's own model: https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html, BadRequest.
make_response = EFSResponse.__init__


def make_parsing_response(self):
    make_response(self)
    self.automated_parameter_parsing = True


EFSResponse.__init__ = make_parsing_response
limits.checked(EFSResponse, "efs", lambda self: self.params, lambda found: BadRequest(limits.detected(found)))


def answered(status, said=None):
    return json.dumps(said) if said is not None else "", {"status": status, **JSON}


def id_of(named):
    """Operations take ids and ARNs."""
    return named.rsplit("/", 1)[-1]


def found(response, name="FileSystemId", of=None):
    """The file system that a request names."""
    named = of or response._get_param(name)
    system = response.efs_backend.file_systems_by_id.get(id_of(named))
    if system is None:
        raise FileSystemNotFound(named)
    return system


def available(system):
    """https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html: "the file system's lifecycle state must be available"."""
    if system.life_cycle_state != "available":
        raise Refused(
            409,
            "IncorrectFileSystemLifeCycleState",
            f"The file system '{system.file_system_id}' is not in the state available: it is {system.life_cycle_state}",
        )
    return system


def check_tags(tags, has=()):
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise BadRequest("Each tag key must be unique")
    if len({*keys, *has}) > MOST_TAGS:
        raise BadRequest(f"A resource can have no more than {MOST_TAGS} tags")


# States: each look is a step. What is deleted is seen once more.
# https://docs.aws.amazon.com/efs/latest/ug/API_FileSystemDescription.html
def looked_at(thing, shown, gone):
    told = shown(thing)
    if thing.life_cycle_state in ("creating", "updating"):
        thing.life_cycle_state = "available"
    elif thing.life_cycle_state == "deleting":
        gone(thing)
    return told


def page(response, items, limit, token):
    """Some of the items, and the token of the next page."""
    start = limits.place_in(response._get_param(token), BadRequest("The token of the page is not valid"))
    most = min(response._get_int_param(limit, 100) or 100, 100)
    more = limits.token_of(start + most) if start + most < len(items) else None
    return items[start : start + most], more


def key_arn(backend, key):
    """Of an id or an alias EFS tells the key's ARN; without one it takes its own."""
    keys = kms_backends[backend.account_id][backend.region_name]
    prefix = f"arn:{get_partition(backend.region_name)}:kms:{backend.region_name}:{backend.account_id}:key"
    if not key:
        return f"{prefix}/{uuid.uuid5(uuid.NAMESPACE_DNS, backend.account_id + backend.region_name)}"
    name = key.split(":", 5)[-1] if key.startswith("arn:") else key
    if not name.startswith("alias/"):
        return key if key.startswith("arn:") else f"{prefix}/{key}"
    if keys.get_key_id_from_alias(name) is None:
        raise BadRequest(f"The KMS key '{key}' does not exist")
    return f"{prefix}/{keys.get_key_id_from_alias(name)}"


def shown(system):
    tags = system._context.list_tags_for_resource(system.file_system_id)
    # https://docs.aws.amazon.com/efs/latest/ug/awsbackup.html#automatic-backups
    if getattr(system, "_backed_up", None) == "ENABLED":
        tags = [*tags, {"Key": "aws:elasticfilesystem:default-backup", "Value": "enabled"}]
    size = system._size_value
    told = {
        "OwnerId": system.owner_id,
        "CreationToken": system.creation_token,
        "FileSystemId": system.file_system_id,
        "FileSystemArn": system.file_system_arn,
        "CreationTime": system.creation_time,
        "LifeCycleState": system.life_cycle_state,
        "Name": next((tag["Value"] for tag in tags if tag["Key"] == "Name"), None),
        "NumberOfMountTargets": system.number_of_mount_targets,
        "SizeInBytes": {"Value": size, "ValueInIA": 0, "ValueInStandard": size, "ValueInArchive": 0},
        "PerformanceMode": system.performance_mode,
        "Encrypted": system.encrypted,
        "KmsKeyId": system.kms_key_id,
        "ThroughputMode": system.throughput_mode,
        "ProvisionedThroughputInMibps": system.provisioned_throughput_in_mibps,
        "AvailabilityZoneName": system.availability_zone_name,
        "AvailabilityZoneId": system.availability_zone_id,
        "Tags": tags,
        "FileSystemProtection": {"ReplicationOverwriteProtection": getattr(system, "_protection", "ENABLED")},
    }
    return {name: value for name, value in told.items() if value is not None}


def check_throughput(mode, provisioned, performance):
    # https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html, ProvisionedThroughputInMibps and PerformanceMode
    if (mode == "provisioned") != (provisioned is not None):
        raise BadRequest("Provisioned throughput is required with the throughput mode provisioned, and is not taken with others")
    if mode == "elastic" and performance == "maxIO":
        raise BadRequest("Elastic throughput is not supported with the performance mode maxIO")


def create_file_system(self):
    asked, backend = self.params, self.efs_backend
    zone, mode = asked.get("AvailabilityZoneName"), asked.get("ThroughputMode") or "bursting"
    if asked["CreationToken"] in backend.creation_tokens:
        raise FileSystemAlreadyExists(asked["CreationToken"])
    check_throughput(mode, asked.get("ProvisionedThroughputInMibps"), asked.get("PerformanceMode"))
    check_tags(asked.get("Tags") or [])
    if zone and zone not in {it.name for it in backend.ec2_backend.describe_availability_zones()}:
        raise Refused(400, "UnsupportedAvailabilityZone", f"The Availability Zone '{zone}' is not supported")
    if zone and asked.get("PerformanceMode") == "maxIO":
        raise BadRequest("The performance mode maxIO is not supported on One Zone file systems")
    if asked.get("KmsKeyId") and not asked.get("Encrypted"):
        raise BadRequest("A KMS key is only taken of a file system that is encrypted")
    key = key_arn(backend, asked.get("KmsKeyId")) if asked.get("Encrypted") else None
    return answered(201, shown(made(backend, asked, mode, zone, key)))


def made(backend, asked, mode, zone, key):
    system = backend.create_file_system(
        asked["CreationToken"],
        performance_mode=asked.get("PerformanceMode"),
        encrypted=bool(asked.get("Encrypted")),
        kms_key_id=key,
        throughput_mode=mode,
        provisioned_throughput_in_mibps=asked.get("ProvisionedThroughputInMibps"),
        availability_zone_name=zone,
        backup=False,
        tags=asked.get("Tags") or [],
    )
    system.life_cycle_state = "creating"
    # Of One Zone file systems backups are on unless they are said to be off.
    wanted = asked.get("Backup")
    system._backed_up = "ENABLED" if (bool(zone) if wanted is None else wanted) else None
    return system


def gone(system):
    backend = system._context
    del backend.file_systems_by_id[system.file_system_id]
    backend.creation_tokens.discard(system.creation_token)
    for point in [it for it in backend.access_points.values() if it.file_system_id == system.file_system_id]:
        del backend.access_points[point.access_point_id]


def describe_file_systems(self):
    token, named = self._get_param("CreationToken"), self._get_param("FileSystemId")
    if token and named:
        raise BadRequest("Request cannot contain both a file system ID and a creation token.")
    systems = [found(self)] if named else list(self.efs_backend.file_systems_by_id.values())
    systems = [it for it in systems if not token or it.creation_token == token]
    some, more = page(self, systems, "MaxItems", "Marker")
    told = {"FileSystems": [looked_at(it, shown, gone) for it in some], **({"NextMarker": more} if more else {})}
    return answered(200, told)


def delete_file_system(self):
    system = found(self)
    # https://docs.aws.amazon.com/efs/latest/ug/API_DeleteFileSystem.html
    if system.number_of_mount_targets:
        raise Refused(409, "FileSystemInUse", "Must delete all mount targets before deleting file system.")
    if any(system.file_system_id in it.ends() for it in replications(self.efs_backend).values()):
        raise Refused(409, "FileSystemInUse", "The file system is part of a replication configuration: delete that first.")
    system.life_cycle_state = "deleting"
    return answered(204)


def replications(backend):
    """By the id of the file system that is replicated."""
    return vars(backend).setdefault("replications", {})


def update_file_system(self):
    asked, system = self.params, available(found(self))
    mode = asked.get("ThroughputMode") or system.throughput_mode
    provisioned = asked.get("ProvisionedThroughputInMibps")
    check_throughput(mode, provisioned, system.performance_mode)
    if mode != "elastic" and any("TransitionToArchive" in it for it in system.lifecycle_policies):
        raise BadRequest("The Archive storage class is only available with the throughput mode elastic")
    system.throughput_mode, system.provisioned_throughput_in_mibps = mode, provisioned
    system.life_cycle_state = "updating"
    return answered(202, shown(system))


def update_file_system_protection(self):
    system = available(found(self))
    if any(system.file_system_id in it.ends() for it in replications(self.efs_backend).values()):
        raise Refused(409, "ReplicationAlreadyExists", "The file system is part of a replication configuration already")
    if self.params.get("ReplicationOverwriteProtection") == "REPLICATING":
        raise BadRequest("The protection of a file system is set to REPLICATING by its replication alone")
    system._protection = self.params.get("ReplicationOverwriteProtection") or "ENABLED"
    return answered(200, {"ReplicationOverwriteProtection": system._protection})


# Settings: https://docs.aws.amazon.com/efs/latest/ug/API_PutLifecycleConfiguration.html
def put_lifecycle_configuration(self):
    system, policies = available(found(self)), self.params["LifecyclePolicies"]
    named = [name for policy in policies for name in policy]
    if any(len(policy) != 1 for policy in policies) or len(set(named)) < len(named):
        raise BadRequest("One or more LifecyclePolicy objects specified are malformed: each has a single transition of its own")
    if "TransitionToArchive" in named and system.throughput_mode != "elastic":
        raise BadRequest("The Archive storage class is only available with the throughput mode elastic")
    days = {name: int(said.split("_")[1]) for policy in policies for name, said in policy.items()}
    if days.get("TransitionToArchive", 366) <= days.get("TransitionToIA", 0):
        raise BadRequest("TransitionToArchive must be later than TransitionToIA")
    system.lifecycle_policies = policies
    return answered(200, {"LifecyclePolicies": policies})


def describe_lifecycle_configuration(self):
    return answered(200, {"LifecyclePolicies": found(self).lifecycle_policies})


def put_backup_policy(self):
    system, status = available(found(self)), self.params["BackupPolicy"]["Status"]
    if status not in ("ENABLED", "DISABLED"):
        raise BadRequest("Backups are set to ENABLED or DISABLED")
    system._backed_up = status
    return answered(200, {"BackupPolicy": {"Status": status}})


def describe_backup_policy(self):
    status = getattr(found(self), "_backed_up", None)
    if not status:
        raise PolicyNotFound("No backup policy was ever set")
    return answered(200, {"BackupPolicy": {"Status": status}})


# Policies: EFS names the file system in each statement that names no resource (aws/aws-cdk#30753). The refusal of a principal:
# hashicorp/terraform-provider-aws, internal/service/efs/file_system_policy.go.
FileSystem.account_id = property(lambda self: self.owner_id)
FileSystem.region_name = property(lambda self: self._context.region_name)
documents.keep_by_id(FileSystem, "file_system_policy")


def named_resource(text, arn):
    document = json.loads(text)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "Resource" not in statement and "NotResource" not in statement:
            statement["Resource"] = arn
    return json.dumps(document)


def put_file_system_policy(self):
    system, backend = available(found(self)), self.efs_backend
    try:
        policy = named_resource(self.params["Policy"], system.file_system_arn)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(400, "InvalidPolicyException", "The policy is malformed") from None
    if fault := documents.fault(policy, service="elasticfilesystem"):
        raise Refused(400, "InvalidPolicyException", fault)
    if documents.stranger(policy, iam_backends[backend.account_id][get_partition(backend.region_name)]):
        raise Refused(400, "InvalidPolicyException", "Policy contains invalid Principal block")
    system.file_system_policy = policy
    return answered(200, {"FileSystemId": system.file_system_id, "Policy": policy})


def describe_file_system_policy(self):
    system = found(self)
    if not system.file_system_policy:
        raise PolicyNotFound("The default policy is in effect")
    return answered(200, {"FileSystemId": system.file_system_id, "Policy": system.file_system_policy})


def delete_file_system_policy(self):
    available(found(self)).file_system_policy = None
    return answered(200, {})


# Tags: of file systems and access points, by id or ARN.
def tagged(response):
    name = id_of(response._get_param("ResourceId"))
    if name.startswith("fsap-"):
        if name not in response.efs_backend.access_points:
            raise Refused(404, "AccessPointNotFound", f"Access Point {name} does not exist.")
    else:
        found(response, of=name)
    return name


def tag_resource(self):
    name, backend, tags = tagged(self), self.efs_backend, self.params["Tags"]
    check_tags(tags, [tag["Key"] for tag in backend.list_tags_for_resource(name)])
    backend.tag_resource(name, {tag["Key"]: tag["Value"] for tag in tags})
    return answered(200, {})


def untag_resource(self):
    self.efs_backend.untag_resource(tagged(self), self.params["TagKeys"])
    return answered(200, {})


def list_tags_for_resource(self):
    return answered(200, {"Tags": self.efs_backend.list_tags_for_resource(tagged(self))})


for operation in (
    create_file_system,
    describe_file_systems,
    delete_file_system,
    update_file_system,
    update_file_system_protection,
    put_lifecycle_configuration,
    describe_lifecycle_configuration,
    put_backup_policy,
    describe_backup_policy,
    put_file_system_policy,
    describe_file_system_policy,
    delete_file_system_policy,
    tag_resource,
    untag_resource,
    list_tags_for_resource,
):
    setattr(EFSResponse, operation.__name__, operation)
