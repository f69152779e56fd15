"""NAT gateways and elastic IP addresses as EC2 serves them, where moto differs."""

import uuid

from moto.core.responses import ActionResult
from moto.ec2 import exceptions
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses
from moto.ec2.responses.nat_gateways import NatGateways
from moto.ec2.utils import add_tag_specification, random_private_ip

# Addresses: Amazon's come from its own pool and are advertised in the region; one that is in use is not released.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReleaseAddress.html
release_address = EC2Backend.release_address
ElasticAddress.public_ipv4_pool = "amazon"
ElasticAddress.network_border_group = property(lambda self: self.ec2_backend.region_name)


def allocate_address(self):
    address, pool = self._get_param("Address"), self._get_param("PublicIpv4Pool") or self._get_param("IpamPoolId")
    if (pool or "amazon") != "amazon" or self._get_param("CustomerOwnedIpv4Pool"):
        raise exceptions.EC2ClientError("InvalidParameterValue", f"The pool ID '{pool}' does not exist")
    if address:
        raise exceptions.EC2ClientError("InvalidAddress.NotFound", f"Address '{address}' not found.")
    group = self._get_param("NetworkBorderGroup")
    if group and group != self.region:
        raise exceptions.EC2ClientError("InvalidParameterValue", f"The network border group '{group}' does not exist")
    tags = add_tag_specification(self._get_param("TagSpecifications", []))
    made = self.ec2_backend.allocate_address("vpc", tags=tags)
    return ActionResult(
        {
            "AllocationId": made.allocation_id,
            "Domain": "vpc",
            "NetworkBorderGroup": made.network_border_group,
            "PublicIp": made.public_ip,
            "PublicIpv4Pool": made.public_ipv4_pool,
        }
    )


def release_free_address(self, address=None, allocation_id=None):
    found = self.address_by_allocation([allocation_id]) if allocation_id else self.address_by_ip([address])
    if found[0].association_id:
        raise exceptions.EC2ClientError("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
    return release_address(self, address, allocation_id)


ElasticIPAddresses.allocate_address = allocate_address
EC2Backend.release_address = release_free_address


# NAT gateways: pending, then available or failed; deleting, then deleted, and listed for a while still. Each look is a step.
# https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
class Gateway:
    def __init__(self, backend, asked, tags):
        self.backend, self.asked, self.failure = backend, asked, None
        self.regional = asked.get("AvailabilityMode") == "regional"
        self.public = asked.get("ConnectivityType", "public") == "public"
        self.id = "nat-" + uuid.uuid4().hex[:17]
        self.subnet = None if self.regional else backend.get_subnet(asked["SubnetId"])
        self.subnet_id = self.subnet and self.subnet.id
        self.vpc_id = asked["VpcId"] if self.regional else self.subnet.vpc_id
        self.state = "pending"
        self.eni = None
        if self.subnet:
            self.eni = backend.create_network_interface(self.subnet, asked.get("PrivateIpAddress") or random_private_ip())
        self.addresses = []
        backend.get_vpc(self.vpc_id)
        backend.create_tags([self.id], tags)

    def hold(self, allocation_id, primary=False, zone=None, zone_id=None, private_ip=None):
        one = {"IsPrimary": primary, "Status": "succeeded", "PrivateIp": private_ip or random_private_ip()}
        if self.eni:
            one["NetworkInterfaceId"] = self.eni.id
            if primary:
                one["PrivateIp"] = self.eni.private_ip_address
        if allocation_id:
            eip = self.backend.address_by_allocation([allocation_id])[0]
            if eip.association_id:
                raise exceptions.ResourceAlreadyAssociatedError(allocation_id)
            eip.association_id, eip.eni = "eipassoc-" + uuid.uuid4().hex[:17], self.eni
            one.update(AllocationId=allocation_id, AssociationId=eip.association_id, PublicIp=eip.public_ip)
        if zone or zone_id:
            one.update({"AvailabilityZone": zone, "AvailabilityZoneId": zone_id})
        self.addresses.append(one)

    def let_go(self, chosen):
        for one in [it for it in self.addresses if chosen(it)]:
            self.addresses.remove(one)
            if "AllocationId" in one:
                eip = self.backend.address_by_allocation([one["AllocationId"]])[0]
                eip.association_id = eip.eni = None

    def looked_at(self):
        shown = self.shown()
        if self.state == "pending":
            gateways = self.backend.internet_gateways.values()
            connected = any(it.vpc and it.vpc.id == self.vpc_id for it in gateways)
            self.state = "available" if connected or not self.public else "failed"
            if self.state == "failed":
                self.failure = f"Network {self.vpc_id} has no Internet gateway attached"
        elif self.state == "deleting":
            self.let_go(lambda it: True)
            if self.eni:
                self.backend.enis.pop(self.eni.id, None)
            self.state = "deleted"
        return shown

    def shown(self):
        shown = {
            "NatGatewayId": self.id,
            "VpcId": self.vpc_id,
            "State": self.state,
            "ConnectivityType": "public" if self.public else "private",
            "AvailabilityMode": "regional" if self.regional else "zonal",
            "NatGatewayAddresses": [dict(it) for it in self.addresses],
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags().items()],
        }
        if self.subnet:
            shown["SubnetId"] = self.subnet.id
        if self.failure:
            shown.update(FailureCode="Gateway.NotAttached", FailureMessage=self.failure)
        return shown

    def tags(self):
        return self.backend.tags.get(self.id, {})


# "Valid Range: Minimum value of 1. Maximum value of 31." (API_AssignPrivateNatGatewayAddress)
def counted(count):
    if count is not None and not 1 <= int(count) <= 31:
        raise exceptions.EC2ClientError("InvalidParameterValue", f"Value ({count}) for a count of addresses is invalid.")
    return int(count or 0)


def create_nat_gateway(self):
    asked, backend = self.params, self.ec2_backend
    regional, public = asked.get("AvailabilityMode") == "regional", asked.get("ConnectivityType", "public") == "public"
    needed = "VpcId" if regional else "SubnetId" if public and asked.get("AllocationId") or not public else "AllocationId"
    if not asked.get(needed):
        raise exceptions.EC2ClientError("MissingParameter", f"The request must contain the parameter {needed}")
    gateway = Gateway(backend, asked, add_tag_specification(self._get_param("TagSpecifications", [])))
    try:
        if not regional:
            gateway.hold(asked.get("AllocationId"), primary=True)
        private = list(self._get_param("SecondaryPrivateIpAddresses", []))
        for allocation_id in self._get_param("SecondaryAllocationIds", []):
            gateway.hold(allocation_id, private_ip=private.pop(0) if private else None)
        for address in private:
            gateway.hold(None, private_ip=address)
        for _ in range(counted(asked.get("SecondaryPrivateIpAddressCount"))):
            gateway.hold(None)
        for zone in self._get_param("AvailabilityZoneAddresses", []):
            if not zone.get("AllocationIds"):
                raise exceptions.MissingParameterError("AllocationIds")
            for allocation_id in zone["AllocationIds"]:
                gateway.hold(allocation_id, zone=zone.get("AvailabilityZone"), zone_id=zone.get("AvailabilityZoneId"))
    except exceptions.EC2ClientError:
        gateway.let_go(lambda it: True)
        raise
    backend.nat_gateways[gateway.id] = gateway
    return ActionResult({"NatGateway": gateway.shown()})


def found(response):
    gateway = response.ec2_backend.nat_gateways.get(response._get_param("NatGatewayId"))
    if gateway is None or gateway.state == "deleted":
        asked = response._get_param("NatGatewayId")
        raise exceptions.EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {asked} was not found")
    return gateway


def delete_nat_gateway(self):
    gateway = found(self)
    gateway.state = "deleting"
    return ActionResult({"NatGatewayId": gateway.id})


def describe_nat_gateways(self):
    gateways = list(self.ec2_backend.nat_gateways.values())
    filters = self._filters_from_querystring()
    wanted = {"nat-gateway-id": lambda it: it.id, "vpc-id": lambda it: it.vpc_id, "state": lambda it: it.state}
    for name, values in filters.items():
        if name.startswith("tag:"):
            gateways = [it for it in gateways if it.tags().get(name[4:]) in values]
        elif name in wanted:
            gateways = [it for it in gateways if wanted[name](it) in values]
        else:
            raise exceptions.FilterNotImplementedError(name, "DescribeNatGateways")
    ids = self._get_param("NatGatewayIds", [])
    return ActionResult({"NatGateways": [it.looked_at() for it in gateways if not ids or it.id in ids]})


def associate_nat_gateway_address(self):
    gateway, private = found(self), list(self._get_param("PrivateIpAddresses", []))
    for allocation_id in self._get_param("AllocationIds", []):
        zone, zone_id = self._get_param("AvailabilityZone"), self._get_param("AvailabilityZoneId")
        gateway.hold(allocation_id, zone=zone, zone_id=zone_id, private_ip=private.pop(0) if private else None)
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": gateway.addresses})


def disassociate_nat_gateway_address(self):
    gateway, ids = found(self), self._get_param("AssociationIds", [])
    gateway.let_go(lambda it: it.get("AssociationId") in ids and not it["IsPrimary"])
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": gateway.addresses})


def assign_private_nat_gateway_address(self):
    gateway = found(self)
    for address in self._get_param("PrivateIpAddresses", []):
        gateway.hold(None, private_ip=address)
    for _ in range(counted(self._get_int_param("PrivateIpAddressCount"))):
        gateway.hold(None)
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": gateway.addresses})


def unassign_private_nat_gateway_address(self):
    gateway, addresses = found(self), self._get_param("PrivateIpAddresses", [])
    gateway.let_go(lambda it: it["PrivateIp"] in addresses and not it["IsPrimary"])
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": gateway.addresses})


for operation in (
    create_nat_gateway,
    delete_nat_gateway,
    describe_nat_gateways,
    associate_nat_gateway_address,
    disassociate_nat_gateway_address,
    assign_private_nat_gateway_address,
    unassign_private_nat_gateway_address,
):
    setattr(NatGateways, operation.__name__, operation)


# An internet gateway stays while public addresses are mapped through it.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachInternetGateway.html
detach_internet_gateway = EC2Backend.detach_internet_gateway


def detach_free_gateway(self, internet_gateway_id, vpc_id):
    mapped = any(it.association_id and it.eni and it.eni.subnet.vpc_id == vpc_id for it in self.addresses)
    if mapped:
        raise exceptions.DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before detaching"
            " the gateway."
        )
    return detach_internet_gateway(self, internet_gateway_id, vpc_id)


EC2Backend.detach_internet_gateway = detach_free_gateway
