"""Replications of EFS, which moto does not have.

https://docs.aws.amazon.com/efs/latest/ug/API_CreateReplicationConfiguration.html
"""

import time
import uuid

import batchwright_efs as efs
from batchwright_efs import Refused, answered, available, found, id_of, key_arn, page, replications
from moto.efs.exceptions import BadRequest, FileSystemNotFound
from moto.efs.models import efs_backends
from moto.efs.responses import EFSResponse


class Replication:
    """One file system, and the one that is its copy. Each look is a step."""

    def __init__(self, source, target, backends, region, role):
        self.source, self.target, self.backends, self.region, self.role = source, target, backends, region, role
        self.began, self.status = time.time(), "ENABLING"
        target._protection = "REPLICATING"
        for backend in backends:
            replications(backend)[source.file_system_id] = self

    def ends(self):
        return (self.source.file_system_id, self.target.file_system_id)

    def end(self):
        self.target._protection = "ENABLED"
        for backend in self.backends:
            replications(backend).pop(self.source.file_system_id, None)

    def shown(self):
        destination = {
            "Status": self.status,
            "FileSystemId": self.target.file_system_id,
            "Region": self.region,
            "OwnerId": self.target.owner_id,
            **({"RoleArn": self.role} if self.role else {}),
        }
        return {
            "SourceFileSystemId": self.source.file_system_id,
            "SourceFileSystemRegion": self.source._context.region_name,
            "SourceFileSystemArn": self.source.file_system_arn,
            "OriginalSourceFileSystemArn": self.source.file_system_arn,
            "SourceFileSystemOwnerId": self.source.owner_id,
            "CreationTime": self.began,
            "Destinations": [destination],
        }

    def looked_at(self):
        shown = self.shown()
        if self.status == "ENABLING":
            self.status = "ENABLED"
        elif self.status == "DELETING":
            self.end()
        return shown


def target_of(asked, source, there):
    """The file system that the copy is kept in."""
    if named := asked.get("FileSystemId"):
        target = there.file_systems_by_id.get(id_of(named))
        if target is None:
            raise FileSystemNotFound(named)
        if target is source:
            raise BadRequest("A file system cannot be replicated to itself")
        if getattr(target, "_protection", "ENABLED") != "DISABLED":
            raise BadRequest("The replication overwrite protection of the destination file system is not disabled")
        if source.encrypted and not target.encrypted:
            raise Refused(409, "ConflictException", "The source file system is encrypted, and the destination file system is not")
        return target
    token = {"CreationToken": f"destination-{uuid.uuid4()}", "Encrypted": True}
    return efs.made(there, token, "bursting", asked.get("AvailabilityZoneName"), key_arn(there, asked.get("KmsKeyId")))


def create_replication_configuration(self):
    backend, source = self.efs_backend, available(found(self, "SourceFileSystemId"))
    destinations = self.params["Destinations"]
    if len(destinations) != 1:
        raise BadRequest("Only one destination is supported")
    (asked,) = destinations
    zone = asked.get("AvailabilityZoneName")
    if not any(asked.get(it) for it in ("Region", "AvailabilityZoneName", "FileSystemId")):
        raise BadRequest("A destination has a Region, an AvailabilityZoneName or a FileSystemId")
    if any(source.file_system_id in it.ends() for it in replications(backend).values()):
        raise BadRequest("The file system is part of a replication configuration already")
    region = asked.get("Region") or (zone[:-1] if zone else backend.region_name)
    there = efs_backends[backend.account_id][region]
    if zone and zone not in {it.name for it in there.ec2_backend.describe_availability_zones()}:
        raise Refused(400, "UnsupportedAvailabilityZone", f"The Availability Zone '{zone}' is not supported")
    target = target_of(asked, source, there)
    made = Replication(source, target, {id(it): it for it in (backend, there)}.values(), region, asked.get("RoleArn"))
    return answered(200, made.shown())


def describe_replication_configurations(self):
    named, all_of_them = self._get_param("FileSystemId"), list(replications(self.efs_backend).values())
    if named:
        system = found(self)
        all_of_them = [it for it in all_of_them if system.file_system_id in it.ends()]
        if not all_of_them:
            raise Refused(404, "ReplicationNotFound", f"The file system '{named}' is not replicated")
    some, more = page(self, all_of_them, "MaxResults", "NextToken")
    told = {"Replications": [it.looked_at() for it in some]}
    return answered(200, {**told, **({"NextToken": more} if more else {})})


def delete_replication_configuration(self):
    source = found(self, "SourceFileSystemId")
    replication = replications(self.efs_backend).get(source.file_system_id)
    if replication is None:
        raise Refused(404, "ReplicationNotFound", f"The file system '{source.file_system_id}' is not replicated")
    replication.status = "DELETING"
    return answered(204)


for operation in (
    create_replication_configuration,
    describe_replication_configurations,
    delete_replication_configuration,
):
    setattr(EFSResponse, operation.__name__, operation)
