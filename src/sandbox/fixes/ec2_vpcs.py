"""What may stand in one VPC together, and how EC2 writes ranges: moto takes what EC2 refuses.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
"""

import ipaddress

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.vpcs import VPCs

INVALID = "InvalidParameterValue"


# Ranges: "We modify the specified CIDR block to its canonical form" (CreateVpc, CreateSubnet, CreateRoute).
def canonical(cidr):
    try:
        return str(ipaddress.IPv4Network(cidr, strict=False)) if cidr else cidr
    except ValueError:
        return cidr


create_vpc = EC2Backend.create_vpc
create_subnet = EC2Backend.create_subnet


def create_canonical_vpc(self, cidr_block, *args, **kwargs):
    return create_vpc(self, canonical(cidr_block), *args, **kwargs)


def create_canonical_subnet(self, vpc_id, cidr_block, *args, **kwargs):
    return create_subnet(self, vpc_id, canonical(cidr_block), *args, **kwargs)


EC2Backend.create_vpc = create_canonical_vpc
EC2Backend.create_subnet = create_canonical_subnet


# Routes: to a gateway that is attached to the table's VPC (smoketurner/serverless-vpc-plugin#147 quotes the refusal), and not for
# what is inside the VPC (the texts of https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html and of EC2).
def apart(table, other):
    return EC2ClientError(INVALID, f"route table {table.id} and {other} belong to different networks")


def attached(backend, table, gateway):
    if (gateway or "").startswith("igw-"):
        vpc = backend.get_internet_gateway(gateway).vpc
        if not vpc or vpc.id != table.vpc_id:
            raise apart(table, f"network gateway {gateway}")
    if (gateway or "").startswith("vgw-") and table.vpc_id not in backend.get_vpn_gateway(gateway).attachments:
        raise apart(table, f"network gateway {gateway}")


def outside(backend, table, cidr):
    try:
        asked = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return
    vpc = backend.get_vpc(table.vpc_id)
    for held in vpc.get_cidr_block_association_set(ipv6=asked.version == 6):
        held = ipaddress.ip_network(held["cidr_block"], strict=False)
        if held.version == asked.version and asked.subnet_of(held):
            raise EC2ClientError(
                INVALID,
                f"The destination CIDR block {asked} is equal to or more specific than one of this VPC's CIDR blocks."
                " This route can target only an interface or an instance.",
            )


create_route = EC2Backend.create_route
replace_route = EC2Backend.replace_route
INSIDE = ("instance_id", "interface_id", "nat_gateway_id", "vpc_endpoint_id")


def create_right_route(self, route_table_id, destination_cidr_block, *args, **kwargs):
    table = self.get_route_table(route_table_id)
    ipv6 = kwargs.get("destination_ipv6_cidr_block") or (args[0] if args else None)
    if not kwargs.get("local"):
        attached(self, table, kwargs.get("gateway_id"))
        cidr = destination_cidr_block or ipv6
        if cidr and not any(kwargs.get(target) for target in INSIDE):
            outside(self, table, cidr)
        if destination_cidr_block and kwargs.get("egress_only_igw_id"):
            raise EC2ClientError(INVALID, "An egress-only internet gateway is for IPv6 traffic only.")
        destination_cidr_block = canonical(destination_cidr_block)
    return create_route(self, route_table_id, destination_cidr_block, *args, **kwargs)


def replace_right_route(self, route_table_id, *args, **kwargs):
    attached(self, self.get_route_table(route_table_id), kwargs.get("gateway_id"))
    return replace_route(self, route_table_id, *args, **kwargs)


EC2Backend.create_route = create_right_route
EC2Backend.replace_route = replace_right_route


# Tables: of subnets and gateways of their VPC, and one for each (hashicorp/terraform#21683 quotes the conflict).
associate_route_table = EC2Backend.associate_route_table


def associate_own(self, route_table_id, gateway_id=None, subnet_id=None):
    table = self.get_route_table(route_table_id)
    attached(self, table, gateway_id)
    if subnet_id and self.get_subnet(subnet_id).vpc_id != table.vpc_id:
        raise apart(table, f"subnet {subnet_id}")
    for other in self.route_tables.values():
        if other is not table and (subnet_id or gateway_id) in other._associations.values():
            raise EC2ClientError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing association",
            )
    return associate_route_table(self, route_table_id, gateway_id=gateway_id, subnet_id=subnet_id)


EC2Backend.associate_route_table = associate_own


# Gateways: one for a VPC (binlab/terraform-aws-vault-ha-raft#54 quotes the refusal).
attach_internet_gateway = EC2Backend.attach_internet_gateway


def attach_first_gateway(self, internet_gateway_id, vpc_id):
    others = (it for it in self.internet_gateways.values() if it.id != internet_gateway_id)
    if any(it.vpc and it.vpc.id == vpc_id for it in others):
        raise EC2ClientError(INVALID, f"Network {vpc_id} already has an internet gateway attached")
    return attach_internet_gateway(self, internet_gateway_id, vpc_id)


EC2Backend.attach_internet_gateway = attach_first_gateway


# Endpoints: what they stand in is their VPC's, and a private name leads one way (hashicorp/terraform-provider-aws#17535).
BY_ROUTES = ("s3", "dynamodb", "s3express")


def invalid(message, code="InvalidParameter"):
    return EC2ClientError(code, message)


def of_vpc(backend, vpc_id, subnets=(), groups=(), tables=()):
    for subnet in subnets:
        if backend.get_subnet(subnet).vpc_id != vpc_id:
            raise invalid(f"The subnet ID '{subnet}' does not belong to the VPC '{vpc_id}'")
    for name in groups:
        group = backend.get_security_group_from_id(name)
        if group is None:
            raise invalid(f"The security group '{name}' does not exist", "InvalidGroup.NotFound")
        if group.vpc_id != vpc_id:
            raise invalid(f"The security group '{name}' does not belong to the VPC '{vpc_id}'")
    for table in tables:
        if backend.get_route_table(table).vpc_id != vpc_id:
            raise invalid(f"The route table '{table}' does not belong to the VPC '{vpc_id}'")


def one_a_zone(backend, subnets):
    zones = set()
    for subnet in subnets:
        zone = backend.get_subnet(subnet).availability_zone
        if zone in zones:
            raise invalid(
                f"Found another VPC endpoint subnet in the availability zone of {subnet}. VPC endpoint subnets should be in"
                " different availability zones supported by the VPC endpoint service.",
                "DuplicateSubnetsInSameZone",
            )
        zones.add(zone)


def private_names(backend, vpc_id, service, own=None):
    vpc = backend.get_vpc(vpc_id)
    if not (vpc.enable_dns_support in (True, "true") and vpc.enable_dns_hostnames in (True, "true")):
        raise invalid(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for"
            f" {vpc_id}"
        )
    for other in backend.vpc_end_points.values():
        same = other.vpc_id == vpc_id and other.service_name == service and other.id != own
        if same and other.vpc_endpoint_type == "Interface" and other.private_dns_enabled in (True, "true"):
            raise invalid(
                f"private-dns-enabled cannot be set because there is already a conflicting DNS domain for {service} in the"
                f" VPC {vpc_id}"
            )


create_vpc_endpoint = EC2Backend.create_vpc_endpoint


def create_right_endpoint(self, vpc_id, service_name, endpoint_type, *args, **kwargs):
    subnets = kwargs.get("subnet_ids") or []
    of_vpc(self, vpc_id, subnets, kwargs.get("security_group_ids") or [], kwargs.get("route_table_ids") or [])
    if (endpoint_type or "Gateway") == "Gateway" and service_name.rsplit(".", 1)[-1] not in BY_ROUTES:
        raise invalid(f"The service {service_name} has no endpoints of type Gateway")
    if endpoint_type == "Interface":
        one_a_zone(self, subnets)
        if kwargs.get("private_dns_enabled"):
            private_names(self, vpc_id, service_name)
    return create_vpc_endpoint(self, vpc_id, service_name, endpoint_type, *args, **kwargs)


modify_vpc_endpoint = VPCs.modify_vpc_endpoint


def modify_right_endpoint(self):
    backend = self.ec2_backend
    endpoint = backend.describe_vpc_endpoints([self._get_param("VpcEndpointId")])[0]
    added = [self._get_param(f"Add{what}", []) for what in ("SubnetIds", "SecurityGroupIds", "RouteTableIds")]
    of_vpc(backend, endpoint.vpc_id, *added)
    if endpoint.vpc_endpoint_type == "Interface":
        gone = self._get_param("RemoveSubnetIds", [])
        stays = [it for it in endpoint.subnet_ids or [] if it not in gone and it not in added[0]]
        one_a_zone(backend, [*stays, *added[0]])
        if self._get_bool_param("PrivateDnsEnabled"):
            private_names(backend, endpoint.vpc_id, endpoint.service_name, endpoint.id)
    return modify_vpc_endpoint(self)


EC2Backend.create_vpc_endpoint = create_right_endpoint
VPCs.modify_vpc_endpoint = modify_right_endpoint
