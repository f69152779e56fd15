"""The Resource Groups Tagging API as AWS serves it, where moto differs.

It sees what every service's own calls have tagged. What Batch has tagged is told by our own server, which serves
Batch: in the member "batchwright" of the request's body.
"""

import base64
import json

from moto.core.resource_tagging import iter_taggable_backends, make_tag_matcher
from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.events.models import events_backends
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.resourcegroupstaggingapi.exceptions import ResourceGroupsTaggingAPIError
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse
from moto.scheduler.models import scheduler_backends
from moto.utilities.utils import get_partition

# Where global resources show: nowhere else.
HOME_REGIONS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}


def tagged(account, region, batch):
    """ARN → tags of every tagged resource of a region. Roles and users never show, nor do groups of auto scaling."""
    found = dict(batch)
    for backend in iter_taggable_backends(account, region):
        for resource in backend.iter_tagged_resources():
            service = resource.arn.split(":")[2]
            # Flow logs are called otherwise in ARNs, and told below.
            if ":flow-logs/" not in resource.arn and service not in ("iam", "autoscaling") and in_region(backend, resource, region):
                found[resource.arn] = resource.tags
    partition = get_partition(region)
    ec2 = ec2_backends[account][region]
    for group in ec2.__dict__.get("batchwright_placement_groups", {}).values():
        found[group.group_arn] = dict(ec2.tags.get(group.id, {}))
    for kind, things in (
        ("vpc-endpoint", ec2.vpc_end_points.values()),
        ("launch-template", ec2.launch_templates.values()),
        ("elastic-ip", ec2.addresses),
        ("vpc-flow-log", ec2.flow_logs.values()),
    ):
        for thing in things:
            found[f"arn:{partition}:ec2:{region}:{account}:{kind}/{thing.id}"] = dict(ec2.tags.get(thing.id, {}))
    for backends in (ecr_backends, events_backends, scheduler_backends):
        for arn, tags in backends[account][region].tagger.tags.items():
            found[arn] = dict(tags)
    if region == HOME_REGIONS.get(partition):
        iam = iam_backends[account][partition]
        own = [policy for policy in iam.managed_policies.values() if not isinstance(policy, AWSManagedPolicy)]
        for thing in [*own, *iam.open_id_providers.values()]:
            found[thing.arn] = {tag["Key"]: tag["Value"] for tag in thing.get_tags()}
        for profile in iam.instance_profiles.values():
            found[profile.arn] = {tag["Key"]: tag["Value"] for tag in profile.tags}
    return {arn: tags for arn, tags in sorted(found.items()) if tags}


def in_region(backend, resource, region):
    if ":s3:::" not in resource.arn:
        return True
    bucket = backend.buckets.get(resource.arn.split(":::")[-1])
    return bucket is None or bucket.region_name == region


def of_type(arn, filters):
    """Whether an ARN is of one of the types, each a service or service:type."""
    service, rest = arn.split(":")[2], arn.split(":", 5)[5]
    kind = rest.replace(":", "/").split("/")[0] if "/" in rest or ":" in rest else ""
    return not filters or service in filters or f"{service}:{kind}" in filters or (service == "s3" and "s3:bucket" in filters)


def told(response):
    return json.loads(response.body or "{}").get("batchwright") or {}


def invalid(message):
    return ResourceGroupsTaggingAPIError("InvalidParameterException", message)


def get_resources(self):
    filters, types = self._get_param("TagFilters", []), self._get_param("ResourceTypeFilters", [])
    arns, token = self._get_param("ResourceARNList", []), self._get_param("PaginationToken")
    per_page = self._get_int_param("ResourcesPerPage") or 100
    if not 1 <= per_page <= 100:
        raise invalid("ResourcesPerPage must be between 1 and 100")
    if arns and (filters or types or token):
        raise invalid("ResourceARNList can't be used with other parameters")
    matches, after = make_tag_matcher(filters), base64.b64decode(token).decode() if token else ""
    found = [
        (arn, tags)
        for arn, tags in tagged(self.current_account, self.region, told(self)).items()
        if arn > after and matches(tags) and of_type(arn, types) and (not arns or arn in arns)
    ]
    page = found[:per_page]
    listed = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} for arn, tags in page
    ]
    more = base64.b64encode(page[-1][0].encode()).decode() if len(found) > per_page else ""
    return ActionResult({"ResourceTagMappingList": listed, "PaginationToken": more})


def get_tag_keys(self):
    tags = tagged(self.current_account, self.region, told(self)).values()
    return ActionResult({"TagKeys": sorted({key for it in tags for key in it}), "PaginationToken": ""})


def get_tag_values(self):
    tags, key = tagged(self.current_account, self.region, told(self)).values(), self._get_param("Key")
    return ActionResult({"TagValues": sorted({it[key] for it in tags if key in it}), "PaginationToken": ""})


ResourceGroupsTaggingAPIResponse.get_resources = get_resources
ResourceGroupsTaggingAPIResponse.get_tag_keys = get_tag_keys
ResourceGroupsTaggingAPIResponse.get_tag_values = get_tag_values


# TagResources and UntagResources reach ECR and IAM, which moto leaves out.
def change(original, apply):
    def changed(self, resource_arns, what):
        ours = [arn for arn in resource_arns if arn.split(":")[2] in ("ecr", "iam")]
        failed = original(self, [arn for arn in resource_arns if arn not in ours], what)
        for arn in ours:
            try:
                apply(self, arn, what)
            except Exception as error:  # one resource's failure is told, not thrown
                failed[arn] = {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": str(error)}
        return failed

    return changed


def tag(backend, arn, tags):
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    if ":ecr:" in arn:
        return ecr_backends[backend.account_id][backend.region_name].tag_resource(arn, listed)
    iam = iam_backends[backend.account_id][get_partition(backend.region_name)]
    kind, name = arn.split(":", 5)[5].split("/", 1)
    apply = {"policy": iam.tag_policy, "oidc-provider": iam.tag_open_id_connect_provider, "role": iam.tag_role}
    return apply[kind](name.split("/")[-1] if kind == "role" else arn, listed)


def untag(backend, arn, keys):
    if ":ecr:" in arn:
        return ecr_backends[backend.account_id][backend.region_name].untag_resource(arn, keys)
    iam = iam_backends[backend.account_id][get_partition(backend.region_name)]
    kind, name = arn.split(":", 5)[5].split("/", 1)
    apply = {"policy": iam.untag_policy, "oidc-provider": iam.untag_open_id_connect_provider, "role": iam.untag_role}
    return apply[kind](name.split("/")[-1] if kind == "role" else arn, keys)


tag_moto = ResourceGroupsTaggingAPIBackend.tag_resources
untag_moto = ResourceGroupsTaggingAPIBackend.untag_resources
tag_all = change(lambda self, arns, tags: tag_moto(self, resource_arns=arns, tags=tags), tag)
untag_all = change(lambda self, arns, keys: untag_moto(self, resource_arn_list=arns, tag_keys=keys), untag)
ResourceGroupsTaggingAPIBackend.tag_resources = lambda self, resource_arns, tags: tag_all(self, resource_arns, tags)
ResourceGroupsTaggingAPIBackend.untag_resources = lambda self, resource_arn_list, tag_keys: untag_all(
    self, resource_arn_list, tag_keys
)
