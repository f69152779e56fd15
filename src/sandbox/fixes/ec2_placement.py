"""Placement groups as EC2 serves them; moto has none."""

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2 import exceptions
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, EC2_RESOURCE_TO_PREFIX, generic_filter, random_id

EC2_RESOURCE_TO_PREFIX["placement-group"] = "pg"
EC2_PREFIX_TO_RESOURCE["pg"] = "placement-group"

# Which strategy has which member.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreatePlacementGroup.html
STRATEGIES = {"partition": "PartitionCount", "spread": "SpreadLevel", "cluster": "ParentGroupId", "precision-time": None}


class PlacementGroup:
    def __init__(self, backend, asked):
        self.ec2_backend, self.id, self.group_name = backend, random_id("pg"), asked["GroupName"]
        self.group_arn = f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:placement-group/{self.group_name}"
        self.strategy, self.state, self.parent = asked["Strategy"], "available", asked.get("ParentGroupId")
        # "Valid values are 1 - 7 (default is 2)": Terraform's aws_placement_group, `partition_count`. Hosts are of Outposts only.
        self.partitions = int(asked.get("PartitionCount") or 2) if self.strategy == "partition" else None
        self.spread_level = asked.get("SpreadLevel", "rack") if self.strategy == "spread" else None

    def shown(self):
        shown = {
            "GroupArn": self.group_arn,
            "GroupId": self.id,
            "GroupName": self.group_name,
            "State": self.state,
            "Strategy": self.strategy,
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags().items()],
        }
        more = {"PartitionCount": self.partitions, "SpreadLevel": self.spread_level, "ParentGroupId": self.parent}
        return {**shown, **{name: value for name, value in more.items() if value is not None}}

    def tags(self):
        return self.ec2_backend.tags.get(self.id, {})

    def get_filter_value(self, name, _method=None):
        if name.startswith("tag:"):
            return self.tags().get(name[4:])
        if name not in ("group-name", "group-arn", "spread-level", "state", "strategy", "tag-key"):
            raise exceptions.FilterNotImplementedError(name, "DescribePlacementGroups")
        return list(self.tags()) if name == "tag-key" else getattr(self, name.replace("-", "_"))


def groups_of(backend):
    return backend.__dict__.setdefault("batchwright_placement_groups", {})


# The codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
def found(backend, name):
    group = groups_of(backend).get(name)
    if group is None:
        raise exceptions.EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    return group


def create_placement_group(self):
    asked, groups = self.params, groups_of(self.ec2_backend)
    for needed in ("GroupName", "Strategy"):
        if not asked.get(needed):
            raise exceptions.MissingParameterError(needed)
    name, strategy = str(asked["GroupName"]), asked["Strategy"]
    if not name.isascii() or len(name) > 255:
        raise exceptions.EC2ClientError("InvalidParameterValue", f"Invalid value '{name}' for groupName.")
    if strategy not in STRATEGIES:
        raise exceptions.EC2ClientError("InvalidParameterValue", f"Value ({strategy}) for parameter strategy is invalid.")
    for member in filter(None, STRATEGIES.values()):
        if asked.get(member) and STRATEGIES.get(strategy) != member:
            raise exceptions.EC2ClientError("InvalidParameterCombination", f"{member} is not valid with strategy {strategy}.")
    if strategy == "partition" and not 1 <= int(asked.get("PartitionCount") or 2) <= 7:
        raise exceptions.EC2ClientError("InvalidParameterValue", "The number of partitions must be from 1 to 7.")
    parent = asked.get("ParentGroupId")
    if parent and all(group.id != parent for group in groups.values()):
        raise exceptions.EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{parent}' is unknown.")
    if name in groups:
        raise exceptions.EC2ClientError("InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists.")
    groups[name] = PlacementGroup(self.ec2_backend, {**asked, "GroupName": name})
    self.ec2_backend.create_tags([groups[name].id], self._parse_tag_specification().get("placement-group", {}))
    return ActionResult({"PlacementGroup": groups[name].shown()})


def describe_placement_groups(self):
    backend = self.ec2_backend
    names, ids = self._get_param("GroupNames", []), self._get_param("GroupIds", [])
    named = [found(backend, name) for name in names] if names else list(groups_of(backend).values())
    wanted = [group for group in named if not ids or group.id in ids]
    wanted = generic_filter(self._filters_from_querystring(), wanted)
    return ActionResult({"PlacementGroups": [group.shown() for group in wanted]})


# "You must terminate all instances in the placement group before you can delete the placement group."
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeletePlacementGroup.html
def delete_placement_group(self):
    group = found(self.ec2_backend, self._get_param("GroupName"))
    instances = [it for reservation in self.ec2_backend.reservations.values() for it in reservation.instances]
    held = any(it.placement.group_name == group.group_name and it.state != "terminated" for it in instances)
    if held or any(other.parent == group.id for other in groups_of(self.ec2_backend).values()):
        name = group.group_name
        raise exceptions.EC2ClientError("InvalidPlacementGroup.InUse", f"The placement group {name} is in use and may not be deleted.")
    del groups_of(self.ec2_backend)[group.group_name]
    self.ec2_backend.tags.pop(group.id, None)
    return EmptyResult()


# Instances are in the group that they are launched into.
run_instances = InstanceResponse.run_instances


def run_in_group(self):
    name = self._get_param("Placement.GroupName")
    group = found(self.ec2_backend, name) if name else None
    answer = run_instances(self)
    for instance in answer.result.instances if group else []:
        instance.placement.group_name = group.group_name
    return answer


InstanceResponse.run_instances = run_in_group
for operation in (create_placement_group, describe_placement_groups, delete_placement_group):
    setattr(InstanceResponse, operation.__name__, operation)
