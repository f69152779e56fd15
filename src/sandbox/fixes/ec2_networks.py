"""EC2's networks where moto stumbles: address pools, ranges that are none, types of endpoints, gateways that tell routes."""

import ipaddress

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, FilterNotImplementedError
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from moto.ec2.responses import EC2Response
from moto.ec2.responses._base_response import EC2BaseResponse

# Pools and ranges: an account of the sandbox has no pool, so that none that is named exists.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
POOLS = {
    "Ipv4IpamPoolId": "InvalidIpamPoolId.NotFound",
    "Ipv6IpamPoolId": "InvalidIpamPoolId.NotFound",
    "Ipv6Pool": "InvalidPublicIpv6PoolId.NotFound",
}
RANGES = {"CidrBlock": ipaddress.IPv4Network, "Ipv6CidrBlock": ipaddress.IPv6Network}
# What each call needs one of.
NEEDED = {
    "CreateVpc": ("CidrBlock",),
    "CreateSubnet": ("CidrBlock", "Ipv6CidrBlock"),
    "AssociateVpcCidrBlock": ("CidrBlock", "AmazonProvidedIpv6CidrBlock"),
    "AssociateSubnetCidrBlock": ("Ipv6CidrBlock",),
}
call_action = EC2BaseResponse.call_action


def of_network(action, asked):
    for name, code in POOLS.items():
        if asked.get(name):
            return code, f"The pool ID '{asked[name]}' does not exist"
    if not any(asked.get(name) for name in NEEDED[action]):
        return "MissingParameter", f"The request must contain the parameter {NEEDED[action][0]}"
    if action == "CreateSubnet" and not asked.get("CidrBlock") and not asked.get("Ipv6Native"):
        return "MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided."
    for name, network in RANGES.items():
        try:
            if asked.get(name):
                network(asked[name], strict=False)
                wrong = "/" not in asked[name]
            else:
                wrong = False
        except ValueError:
            wrong = True
        if wrong:
            parameter = name[0].lower() + name[1:]
            return "InvalidParameterValue", f"Value ({asked[name]}) for parameter {parameter} is invalid. This is not a valid CIDR block."
    return None


def call_with_network(self):
    action, wrong = self._get_action(), None
    if action in NEEDED:
        wrong = of_network(action, self.params)
    elif action == "CreateVpcEndpoint":
        wrong = of_endpoint(self.ec2_backend, self.params)
    elif action == "ModifySecurityGroupRules" and not all(it.get("SecurityGroupRule") for it in self.params.get("SecurityGroupRules") or []):
        wrong = "MissingParameter", "The request must contain the parameter SecurityGroupRule"
    if wrong:
        return self.serialized(ActionResult(EC2ClientError(*wrong)))
    return call_action(self)


def of_endpoint(backend, asked):
    kind = asked.get("VpcEndpointType") or "Gateway"
    if kind not in ("Gateway", "Interface", "GatewayLoadBalancer") or not asked.get("ServiceName"):
        raise NotImplementedError(f"endpoints of type {kind}, and such without a service, are not served")
    if asked.get("VpcId") not in backend.vpcs:
        return "InvalidVpcID.NotFound", f"The vpc ID '{asked.get('VpcId')}' does not exist"
    return None


EC2BaseResponse.call_action = call_with_network


# Filters of groups: those that moto does not know are said to be missing here.
def known_filter(owner):
    matches_filter = owner.matches_filter

    def matches(self, key, filter_value):
        if not key.startswith("tag") and key not in self.filters:
            raise FilterNotImplementedError(key, owner.__name__)
        return matches_filter(self, key, filter_value)

    owner.matches_filter = matches


known_filter(SecurityGroup)
known_filter(SecurityGroupRule)


# Propagation: a gateway tells a table its routes, if it is attached to the table's VPC.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableVgwRoutePropagation.html
def propagation(enable):
    def change(self):
        backend, gateway = self.ec2_backend, self._get_param("GatewayId")
        table = backend.get_route_table(self._get_param("RouteTableId"))
        if table.vpc_id not in backend.get_vpn_gateway(gateway).attachments:
            raise EC2ClientError("Gateway.NotAttached", f"resource {gateway} is not attached to network {table.vpc_id}")
        held = [it for it in propagating(table) if it["GatewayId"] != gateway]
        table.batchwright_propagating = [*held, {"GatewayId": gateway}] if enable else held
        return ActionResult({})

    return change


def propagating(table):
    return getattr(table, "batchwright_propagating", [])


EC2Response.enable_vgw_route_propagation = propagation(True)
EC2Response.disable_vgw_route_propagation = propagation(False)
RouteTable.propagating_vgws = property(propagating)
