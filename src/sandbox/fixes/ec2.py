"""EC2's networking as AWS serves it, where moto differs."""

import json

import batchwright_documents as documents
import batchwright_limits as limits
from moto.core.responses import ActionResult
from moto.ec2 import exceptions
from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs
from moto.ec2.utils import random_private_ip

# Every operation: DryRun does nothing but say so, and a client token makes a creation happen once.
call_action = EC2BaseResponse.call_action


def call_once(self):
    action = self._get_action()
    if self._get_bool_param("DryRun", False):
        status, headers, body = self.serialized(ActionResult(exceptions.DryRunClientError()))
        return 412, headers, body
    token = self._get_param("ClientToken")
    if not token or not action.startswith("Create"):
        return call_action(self)
    answers = self.ec2_backend.__dict__.setdefault("batchwright_tokens", {})
    asked = {key: value for key, value in self.querystring.items() if key not in ("ClientToken", "Action", "Version")}
    if (action, token) in answers:
        before, answer = answers[action, token]
        if before == asked:
            return answer
        error = exceptions.EC2ClientError(
            "IdempotentParameterMismatch", "The client token was used before with other parameters"
        )
        return self.serialized(ActionResult(error))
    answer = call_action(self)
    if int(answer[0]) < 300:
        answers[action, token] = (asked, answer)
    return answer


EC2BaseResponse.call_action = call_once


# Every Describe: pages. Route tables come a hundred at most to a page, the rest a thousand.
serialized = EC2BaseResponse.serialized


def serialized_page(self, action_result):
    result = action_result.result
    if self._get_action().startswith("Describe") and isinstance(result, dict) and "NextToken" not in result:
        lists = [key for key, value in result.items() if isinstance(value, (list, tuple))]
        if len(result) == 1 and len(lists) == 1:
            try:
                action_result = ActionResult(page_of(self, lists[0], list(result[lists[0]])))
            except exceptions.EC2ClientError as error:
                action_result = ActionResult(error)
    return serialized(self, action_result)


def page_of(response, key, items):
    most = 100 if key == "RouteTables" else 1000
    limit = int(response._get_param("MaxResults") or most)
    if not 5 <= limit <= most:
        raise exceptions.EC2ClientError(
            "InvalidParameterValue",
            f"Value ( {limit} ) for parameter maxResults is invalid. Expecting a value from 5 to {most}.",
        )
    unknown = exceptions.EC2ClientError("InvalidParameterValue", "Unable to parse pagination token")
    start = limits.place_in(response._get_param("NextToken"), unknown)
    page = {key: items[start : start + limit]}
    if start + limit < len(items):
        page["NextToken"] = limits.token_of(start + limit)
    return page


EC2BaseResponse.serialized = serialized_page


# Deletions: nothing goes that something else still needs.
def in_use(kind, name):
    return exceptions.DependencyViolationError(f"The {kind} '{name}' has dependencies and cannot be deleted.")


delete_vpc = EC2Backend.delete_vpc


def delete_free_vpc(self, vpc_id):
    self.get_vpc(vpc_id)
    groups = [group for group in self.groups[vpc_id].values() if group.name != "default"]
    gateways = [gateway for gateway in self.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id]
    endpoints = [endpoint for endpoint in self.vpc_end_points.values() if endpoint.vpc_id == vpc_id]
    if groups or gateways or endpoints:
        raise in_use("vpc", vpc_id)
    for table in self.route_tables.values():
        if table.vpc_id == vpc_id:
            table.batchwright_vpc_goes = True
    return delete_vpc(self, vpc_id)


delete_route_table = EC2Backend.delete_route_table


def delete_free_route_table(self, route_table_id):
    table = self.get_route_table(route_table_id)
    if table.main_association_id and not getattr(table, "batchwright_vpc_goes", False):
        raise in_use("routeTable", route_table_id)
    delete_route_table(self, route_table_id)
    for endpoint in self.vpc_end_points.values():
        endpoint.route_table_ids = [it for it in endpoint.route_table_ids or [] if it != route_table_id]


delete_subnet = EC2Backend.delete_subnet


def delete_free_subnet(self, subnet_id):
    self.get_subnet(subnet_id)
    gateways = [it for it in self.nat_gateways.values() if it.subnet_id == subnet_id and it.state != "deleted"]
    if gateways or any(eni.subnet.id == subnet_id for eni in self.enis.values()):
        raise in_use("subnet", subnet_id)
    for table in self.route_tables.values():
        table._associations = {key: target for key, target in table._associations.items() if target != subnet_id}
    return delete_subnet(self, subnet_id)


delete_security_group = EC2Backend.delete_security_group


def delete_free_security_group(self, name=None, group_id=None):
    group = self.get_security_group_from_id(group_id) if group_id else None
    if group and group.name == "default" and group.vpc_id in self.vpcs and not deleting_vpc(self, group.vpc_id):
        raise exceptions.EC2ClientError(
            "CannotDelete", f'the specified group: "{group_id}" name: "default" cannot be deleted by a user'
        )
    if group and (referred_to(self, group_id) or held(self, group_id)):
        raise exceptions.DependencyViolationError(f"resource {group_id} has a dependent object")
    return delete_security_group(self, name, group_id)


def deleting_vpc(backend, vpc_id):
    # DeleteVpc has taken the main route table away before it comes to the default group.
    return not any(table.vpc_id == vpc_id for table in backend.route_tables.values())


def referred_to(backend, group_id):
    others = [group for groups in backend.groups.values() for group in groups.values() if group.id != group_id]
    rules = [rule for group in others for rule in [*group.ingress_rules, *group.egress_rules]]
    return any((rule.source_group or {}).get("GroupId") == group_id for rule in rules)


def held(backend, group_id):
    endpoints = any(group_id in (it.security_group_ids or []) for it in backend.vpc_end_points.values())
    return endpoints or any(group.id == group_id for eni in backend.enis.values() for group in eni.group_set)


EC2Backend.delete_vpc = delete_free_vpc
EC2Backend.delete_route_table = delete_free_route_table
EC2Backend.delete_subnet = delete_free_subnet
EC2Backend.delete_security_group = delete_free_security_group


# Rules for IPv6 go like others; moto leaves them where the VPC has no IPv6 range.
class Kept(list):
    def remove(self, item):
        pass


def revoke_all(original):
    def revoke(self, group_name_or_id, ip_protocol, from_port, to_port, ip_ranges, *args, **kwargs):
        return original(self, group_name_or_id, ip_protocol, from_port, to_port, Kept(ip_ranges), *args, **kwargs)

    return revoke


EC2Backend.revoke_security_group_egress = revoke_all(EC2Backend.revoke_security_group_egress)


# Subnets: only those of the default VPC are a zone's default and give out public addresses; all attributes change.
create_subnet = EC2Backend.create_subnet


def create_plain_subnet(self, vpc_id, cidr_block, ipv6_cidr_block=None, availability_zone=None, *args, **kwargs):
    # Zones are those of the region: moto takes and names those of all.
    zones = {zone.name: zone.zone_id for zone in self.describe_availability_zones()}
    by_id = args[0] if args else kwargs.get("availability_zone_id")
    if (availability_zone and availability_zone not in zones) or (by_id and by_id not in zones.values()):
        raise exceptions.InvalidAvailabilityZoneError(availability_zone or by_id, ", ".join(sorted(zones)))
    if not availability_zone and not by_id:
        availability_zone = min(zones)
    subnet = create_subnet(self, vpc_id, cidr_block, ipv6_cidr_block, availability_zone, *args, **kwargs)
    if not self.get_vpc(vpc_id).is_default:
        subnet.default_for_az = subnet.map_public_ip_on_launch = False
    return subnet


modify_subnet_attribute = Subnets.modify_subnet_attribute
ON_LAUNCH = {
    "EnableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecord",
    "EnableResourceNameDnsAAAARecordOnLaunch": "EnableResourceNameDnsAAAARecord",
}


def modify_any_subnet_attribute(self):
    subnet = self.ec2_backend.get_subnet(self._get_param("SubnetId"))
    options = subnet.private_dns_name_options_on_launch
    for attribute, option in ON_LAUNCH.items():
        if (value := self._get_param(f"{attribute}.Value")) is not None:
            options[option] = value
    if (value := self._get_param("PrivateDnsHostnameTypeOnLaunch")) is not None:
        options["HostnameType"] = value
    if (value := self._get_param("EnableDns64.Value")) is not None:
        subnet.enable_dns64 = value
    return modify_subnet_attribute(self)


EC2Backend.create_subnet = create_plain_subnet
Subnets.modify_subnet_attribute = modify_any_subnet_attribute


# VPC endpoints: the defaults of each type, changes that reach the routes and interfaces, and an end to deleted ones.
create_vpc_endpoint = EC2Backend.create_vpc_endpoint


def create_typed_endpoint(self, vpc_id, service_name, endpoint_type, *args, **kwargs):
    endpoint_type = endpoint_type or "Gateway"
    if service_name.startswith("com.amazonaws.") and f".{self.region_name}." not in service_name:
        raise exceptions.InvalidServiceName(service_name)
    if endpoint_type == "Gateway":
        kwargs["private_dns_enabled"] = False
        for table in kwargs.get("route_table_ids") or []:
            self.get_route_table(table)
            refuse_second_route(self, table, service_name)
    elif not kwargs.get("security_group_ids"):
        kwargs["security_group_ids"] = [self.get_security_group_from_name("default", vpc_id=vpc_id).id]
    endpoint = create_vpc_endpoint(self, vpc_id, service_name, endpoint_type, *args, **kwargs)
    endpoint.ip_address_type = "ipv4"
    endpoint.dns_options = {"DnsRecordIpType": "ipv4" if endpoint_type == "Interface" else "service-defined"}
    endpoint.requester_managed = False
    return endpoint


def refuse_second_route(backend, table, service_name):
    for other in backend.vpc_end_points.values():
        if other.service_name == service_name and table in (other.route_table_ids or []):
            raise exceptions.EC2ClientError(
                "RouteAlreadyExists",
                f"route table {table} already has a route with destination-prefix-list-id"
                f" {other.destination_prefix_list_id}",
            )


# https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html; the text: hashicorp/terraform-provider-aws#42291.
def check_policy(response):
    text = response._get_param("PolicyDocument")
    if text and documents.fault(text):
        raise exceptions.EC2ClientError("InvalidPolicyDocument", "The Policy Document is not valid.")


def create_vpc_endpoint_response(self):
    check_policy(self)
    result = create_response(self)
    endpoint = result.result["VpcEndpoint"]
    set_options(self, endpoint)
    return result


def set_options(response, endpoint):
    if (value := response._get_param("IpAddressType")) is not None:
        endpoint.ip_address_type = value
    if (value := response._get_param("DnsOptions")) is not None:
        endpoint.dns_options = {**endpoint.dns_options, **value}


get_endpoint_filter = VPCEndPoint.get_filter_value


def get_endpoint_filter_or_id(self, filter_name, method_name=None):
    if filter_name == "vpc-endpoint-id":
        return self.id
    return get_endpoint_filter(self, filter_name, method_name)


VPCEndPoint.get_filter_value = get_endpoint_filter_or_id


create_response = VPCs.create_vpc_endpoint
modify_response = VPCs.modify_vpc_endpoint


def modify_vpc_endpoint_response(self):
    check_policy(self)
    backend = self.ec2_backend
    endpoint = backend.describe_vpc_endpoints([self._get_param("VpcEndpointId")])[0]
    tables, subnets = list(endpoint.route_table_ids or []), list(endpoint.subnet_ids or [])
    for table in self._get_param("AddRouteTableIds", []):
        backend.get_route_table(table)
    for subnet in self._get_param("AddSubnetIds", []):
        backend.get_subnet(subnet)
    result = modify_response(self)
    set_options(self, endpoint)
    if (value := self._get_bool_param("PrivateDnsEnabled")) is not None:
        endpoint.private_dns_enabled = value
    if self._get_bool_param("ResetPolicy", False):
        endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
    prefix_list = endpoint.destination_prefix_list_id
    for table in set(endpoint.route_table_ids or []) - set(tables):
        if prefix_list:
            backend.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
    for table in set(tables) - set(endpoint.route_table_ids or []):
        if prefix_list:
            backend.delete_route(table, prefix_list)
    follow_subnets(backend, endpoint, subnets)
    return result


def follow_subnets(backend, endpoint, before):
    if endpoint.vpc_endpoint_type != "Interface":
        return
    for subnet in set(endpoint.subnet_ids or []) - set(before):
        endpoint.network_interface_ids.append(backend.create_network_interface(subnet, random_private_ip()).id)
    kept = []
    for eni_id in endpoint.network_interface_ids:
        if eni_id in backend.enis and backend.enis[eni_id].subnet.id in endpoint.subnet_ids:
            kept.append(eni_id)
        else:
            backend.enis.pop(eni_id, None)
    endpoint.network_interface_ids = kept


def delete_vpc_endpoints_response(self):
    backend, unsuccessful = self.ec2_backend, []
    for endpoint_id in self._get_param("VpcEndpointIds", []):
        endpoint = backend.vpc_end_points.pop(endpoint_id, None)
        if endpoint is None:
            error = exceptions.InvalidVpcEndPointIdError(endpoint_id)
            code = {"Code": "InvalidVpcEndpoint.NotFound", "Message": error.message}
            unsuccessful.append({"ResourceId": endpoint_id, "Error": code})
            continue
        for eni_id in endpoint.network_interface_ids or []:
            backend.enis.pop(eni_id, None)
        for table in endpoint.route_table_ids or []:
            if endpoint.destination_prefix_list_id and table in backend.route_tables:
                backend.delete_route(table, endpoint.destination_prefix_list_id)
    return ActionResult({"Unsuccessful": unsuccessful})


EC2Backend.create_vpc_endpoint = create_typed_endpoint
VPCs.create_vpc_endpoint = create_vpc_endpoint_response
VPCs.modify_vpc_endpoint = modify_vpc_endpoint_response
VPCs.delete_vpc_endpoints = delete_vpc_endpoints_response
