"""Mount targets and access points as EFS serves them, where moto differs."""

import ipaddress

import batchwright_efs as efs
from batchwright_efs import Refused, answered, available, found, id_of, looked_at, page
from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ec2.utils import random_private_ip
from moto.efs.exceptions import AccessPointNotFound, BadRequest, MountTargetNotFound
from moto.efs.models import AccessPoint, MountTarget
from moto.efs.responses import EFSResponse

# As in the examples of EFS's service model: what a file system is counted with that nobody has written to.
COUNTED = 6144


# Mount targets: creating, then available; deleting, then gone, and its network interface with it.
# https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html
def mount_target(response, name="MountTargetId"):
    named = response._get_param(name)
    target = response.efs_backend.mount_targets_by_id.get(id_of(named))
    if target is None:
        raise MountTargetNotFound(named)
    return target


def shown(target):
    told = {
        "OwnerId": target.owner_id,
        "MountTargetId": target.mount_target_id,
        "FileSystemId": target.file_system_id,
        "SubnetId": target.subnet_id,
        "LifeCycleState": target.life_cycle_state,
        "IpAddress": None if target._kind == "IPV6_ONLY" else target.ip_address,
        "Ipv6Address": target._ipv6_address,
        "NetworkInterfaceId": target.network_interface_id,
        "AvailabilityZoneId": target.availability_zone_id,
        "AvailabilityZoneName": target.availability_zone_name,
        "VpcId": target.vpc_id,
    }
    # It has been there to be written through.
    if target.life_cycle_state == "available":
        target._file_system._size_value = COUNTED
    return {name: value for name, value in told.items() if value is not None}


def checked_groups(backend, groups, vpc_id):
    """Without any it has the VPC's default group."""
    known = {it.id: it for it in backend.ec2_backend.describe_security_groups() if it.vpc_id == vpc_id}
    if not groups:
        return [next(it.id for it in known.values() if it.name == "default")]
    for group in groups:
        if group not in known:
            raise Refused(400, "SecurityGroupNotFound", f"The SecurityGroup ID '{group}' does not exist")
    return groups


def check_place(system, subnet):
    targets = list(system.iter_mount_targets())
    if system.availability_zone_name and subnet.availability_zone != system.availability_zone_name:
        raise Refused(
            400,
            "AvailabilityZonesMismatch",
            f"The subnet is in {subnet.availability_zone}, and the file system in {system.availability_zone_name}",
        )
    if any(it.vpc_id != subnet.vpc_id for it in targets):
        raise Refused(
            409,
            "MountTargetConflict",
            "requested subnet for new mount target is not in the same VPC as existing mount targets",
        )
    if any(it.availability_zone_name == subnet.availability_zone for it in targets):
        raise Refused(409, "MountTargetConflict", "mount target already exists in this AZ")


def check_addresses(asked, subnet):
    """Its IPv6 address, if it has one."""
    kind, ip, ipv6 = asked.get("IpAddressType") or "IPV4_ONLY", asked.get("IpAddress"), asked.get("Ipv6Address")
    if ip and kind == "IPV6_ONLY" or ipv6 and kind == "IPV4_ONLY":
        raise BadRequest("The address is of another type than the IP address type of the mount target")
    if ip and (not is_address(ip) or ipaddress.ip_address(ip) not in subnet.cidr):
        raise BadRequest("Address does not fall within the subnet's address range")
    if ip and ip in subnet._subnet_ips:
        raise Refused(409, "IpAddressInUse", f"The IP address '{ip}' is in use")
    if kind == "IPV4_ONLY":
        return None
    ranges = [it["ipv6CidrBlock"] for it in subnet.ipv6_cidr_block_associations.values()]
    if not ranges:
        raise BadRequest("The subnet has no IPv6 addresses")
    if ipv6 and (not is_address(ipv6) or not any(ipaddress.ip_address(ipv6) in ipaddress.ip_network(it) for it in ranges)):
        raise BadRequest("Address does not fall within the subnet's address range")
    return ipv6 or random_private_ip(ranges[0], ipv6=True)


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def create_mount_target(self):
    asked, backend, system = self.params, self.efs_backend, available(found(self))
    try:
        subnet = backend.ec2_backend.get_subnet(asked["SubnetId"])
    except InvalidSubnetIdError:
        raise Refused(400, "SubnetNotFound", f"The subnet ID '{asked['SubnetId']}' does not exist") from None
    groups = checked_groups(backend, asked.get("SecurityGroups"), subnet.vpc_id)
    check_place(system, subnet)
    ipv6 = check_addresses(asked, subnet)
    target = MountTarget(backend.account_id, system, subnet, asked.get("IpAddress"), None)
    target.security_groups, target.life_cycle_state = groups, "creating"
    target._ipv6_address, target._kind = ipv6, asked.get("IpAddressType") or "IPV4_ONLY"
    target.set_network_interface(
        backend.ec2_backend.create_network_interface(subnet, [target.ip_address], group_ids=groups)
    )
    backend.mount_targets_by_id[target.mount_target_id] = target
    return answered(200, shown(target))


def gone(backend):
    def remove(target):
        backend.ec2_backend.delete_network_interface(target.network_interface_id)
        backend.mount_targets_by_id.pop(target.mount_target_id, None)
        target.clean_up()

    return remove


def describe_mount_targets(self):
    named = [self._get_param(name) for name in ("FileSystemId", "MountTargetId", "AccessPointId")]
    if sum(bool(it) for it in named) != 1:
        raise BadRequest("Must specify exactly one mutually exclusive parameter.")
    if named[1]:
        targets = [mount_target(self)]
    else:
        of = access_point(self).file_system_id if named[2] else named[0]
        targets = list(found(self, of=of).iter_mount_targets())
    some, more = page(self, targets, "MaxItems", "Marker")
    told = {"MountTargets": [looked_at(it, shown, gone(self.efs_backend)) for it in some]}
    return answered(200, {**told, **({"NextMarker": more} if more else {})})


def delete_mount_target(self):
    mount_target(self).life_cycle_state = "deleting"
    return answered(204)


def with_interface(target):
    if target.life_cycle_state != "available":
        raise Refused(
            409, "IncorrectMountTargetState", f"The mount target is {target.life_cycle_state}: it has no network interface to ask"
        )
    return target


def describe_mount_target_security_groups(self):
    return answered(200, {"SecurityGroups": with_interface(mount_target(self)).security_groups})


def modify_mount_target_security_groups(self):
    target, backend = with_interface(mount_target(self)), self.efs_backend
    target.security_groups = checked_groups(backend, self.params.get("SecurityGroups"), target.vpc_id)
    backend.ec2_backend.modify_network_interface_attribute(
        eni_id=target.network_interface_id, group_ids=target.security_groups
    )
    return answered(204)


# Access points: https://docs.aws.amazon.com/efs/latest/ug/API_CreateAccessPoint.html
def access_point(response):
    named = response._get_param("AccessPointId")
    point = response.efs_backend.access_points.get(id_of(named))
    if point is None:
        raise AccessPointNotFound(named)
    return point


def shown_point(point):
    told = {**moto_point(point), "LifeCycleState": point.life_cycle_state}
    return {name: value for name, value in told.items() if value is not None}


moto_point = AccessPoint.info_json


def create_access_point(self):
    asked, backend, system = self.params, self.efs_backend, available(found(self))
    efs.check_tags(asked.get("Tags") or [])
    if any(it.client_token == asked["ClientToken"] for it in backend.access_points.values()):
        raise Refused(409, "AccessPointAlreadyExists", "An access point with this client token exists already")
    root = {"Path": "/", **(asked.get("RootDirectory") or {})}
    user, tags = asked.get("PosixUser"), asked.get("Tags") or []
    point = backend.create_access_point(asked["ClientToken"], tags, system.file_system_id, user, root)
    point.life_cycle_state = "creating"
    return answered(200, shown_point(point))


def gone_point(backend):
    return lambda point: backend.access_points.pop(point.access_point_id, None)


def describe_access_points(self):
    if self._get_param("AccessPointId") and self._get_param("FileSystemId"):
        raise BadRequest("Must specify only one of AccessPointId and FileSystemId")
    if self._get_param("AccessPointId"):
        points = [access_point(self)]
    else:
        of = found(self).file_system_id if self._get_param("FileSystemId") else None
        points = [it for it in self.efs_backend.access_points.values() if of in (None, it.file_system_id)]
    some, more = page(self, points, "MaxResults", "NextToken")
    told = {"AccessPoints": [looked_at(it, shown_point, gone_point(self.efs_backend)) for it in some]}
    return answered(200, {**told, **({"NextToken": more} if more else {})})


def delete_access_point(self):
    access_point(self).life_cycle_state = "deleting"
    return answered(204)


for operation in (
    create_mount_target,
    describe_mount_targets,
    delete_mount_target,
    describe_mount_target_security_groups,
    modify_mount_target_security_groups,
    create_access_point,
    describe_access_points,
    delete_access_point,
):
    setattr(EFSResponse, operation.__name__, operation)
