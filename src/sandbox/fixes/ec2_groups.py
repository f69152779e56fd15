"""EC2's security groups and their rules as AWS serves them, where moto differs.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

import ipaddress
import re

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidPermissionNotFoundError,
    InvalidSecurityGroupNotFoundError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import GroupedSecurityRuleView, SecurityGroup, SecurityGroupRule
from moto.ec2.responses.security_groups import SecurityGroups

# Protocols: by name or by number, and shown by name where they have one of these. Only these have ports.
NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp", "icmp", "icmpv6")
# What a description may hold: of a group and of a rule alike.
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")
ALLOWED = "Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


def wrong(message, code="InvalidParameterValue"):
    return EC2ClientError(code, message)


def normal_protocol(value):
    if value is None:
        raise wrong("Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly.")
    protocol = NAMES.get(str(value).lower(), str(value).lower())
    number = re.fullmatch(r"\d{1,3}", protocol) and int(protocol) <= 255
    if protocol not in ("-1", *WITH_PORTS) and not number:
        raise wrong(f"Invalid value '{value}' for IP protocol. Unknown protocol.")
    return protocol


def ports(protocol, first, last):
    """The ports that count (aws-cloudformation/cfn-lint#1323, boto/boto3#336); those of other protocols are ignored."""
    if protocol not in WITH_PORTS:
        return None, None
    first, last = (None if it is None else int(it) for it in (first, last))
    if protocol == "icmpv6":
        return (-1 if first is None else first), (-1 if last is None else last)
    if protocol == "icmp":
        if first is None or last is None:
            raise wrong("Invalid value 'Must specify both from and to ports with ICMP.' for portRange.")
        return first, last
    for port in (first, last):
        if port is not None and not 0 <= port <= 65535:
            raise wrong(f"TCP/UDP port ({port}) out of range", "InvalidPermission.Malformed")
    if first is None or last is None:
        raise wrong("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    if first > last:
        raise wrong(f"Invalid TCP/UDP port range ({first}:{last})", "InvalidPermission.Malformed")
    return first, last


def canonical(target):
    """A range as AWS writes it: 10.0.0.1/8 is 10.0.0.0/8. What is no range is judged by moto."""
    for key in ("CidrIp", "CidrIpv6"):
        try:
            if key in target:
                target[key] = str(ipaddress.ip_network(target[key], strict=False))
        except ValueError:
            pass


rules_asked = SecurityGroups._process_rules_from_querystring


def targets(rule):
    return [it for it in [*rule["ip_ranges"], *rule["source_groups"], *rule["prefix_list_ids"]] if isinstance(it, dict)]


def normal_rules(self):
    """The rules of a request, all of them looked at before any is written."""
    rules = list(rules_asked(self))
    for rule in rules:
        if rule["security_rule_ids"]:
            continue
        rule["ip_protocol"] = protocol = normal_protocol(rule["ip_protocol"])
        rule["from_port"], rule["to_port"] = ports(protocol, rule["from_port"], rule["to_port"])
        for target in targets(rule):
            canonical(target)
            if not DESCRIPTION.fullmatch(target.get("Description") or ""):
                raise wrong(f"Invalid rule description. {ALLOWED}")
    return rules


make_rule = SecurityGroupRule.__init__


def make_any_rule(self, ec2_backend, ip_protocol, group_id, from_port, to_port, *args, **kwargs):
    protocol = normal_protocol(ip_protocol)
    from_port, to_port = ports(protocol, from_port, to_port)
    # With the protocol that stands for all, moto asks for no ports.
    make_rule(self, ec2_backend, "-1", group_id, None, None, *args, **kwargs)
    self.ip_protocol, self.from_port, self.to_port = protocol, from_port, to_port
    prefix_list = kwargs.get("prefix_list_id") or (args[2] if len(args) > 2 else None) or {}
    self.batchwright_prefix_list = dict(prefix_list)


def told(rule):
    """What tells of a rule to whom it speaks: one of the three."""
    return rule.ip_range or rule.source_group or rule.batchwright_prefix_list


def denoted(protocol, first, last, target):
    """What makes two rules the same one, whatever their descriptions."""
    whom = tuple(target.get(key) for key in ("CidrIp", "CidrIpv6", "GroupId", "PrefixListId"))
    return protocol, first, last, whom


def key(rule):
    return denoted(rule.ip_protocol, rule.from_port, rule.to_port, told(rule))


def grouped(self, rules):
    views = {}
    for rule in rules:
        of_rule = (rule.from_port, rule.to_port, rule.ip_protocol)
        view = views.setdefault(of_rule, GroupedSecurityRuleView(*of_rule))
        for held, listed in (
            (rule.ip_range, view.all_ip_ranges),
            (rule.source_group, view.source_groups),
            (rule.batchwright_prefix_list, view.prefix_list_ids),
        ):
            if held:
                listed.append(held)
    return list(views.values())


SecurityGroups._process_rules_from_querystring = normal_rules
SecurityGroupRule.__init__ = make_any_rule
SecurityGroupRule.__eq__ = lambda self, other: key(self) == key(other)
SecurityGroupRule.description = property(lambda self: told(self).get("Description"))
SecurityGroup._flattened_rules = grouped


# Descriptions change whatever a rule speaks of; one that is left out goes.
def update_descriptions(attribute):
    def update(self):
        group = self.ec2_backend.get_security_group_by_name_or_id(self._get_param("GroupId") or self._get_param("GroupName"))
        if group is None:
            raise InvalidSecurityGroupNotFoundError(self._get_param("GroupId"))
        by_id = {it.get("SecurityGroupRuleId"): it for it in self._get_param("SecurityGroupRuleDescriptions", [])}
        held = getattr(group, attribute)
        changes = [(rule, by_id[rule.id]) for rule in held if rule.id in by_id]
        for asked in normal_rules(self) if self._get_param("IpPermissions") else ():
            self.ec2_backend._add_source_group(asked["source_groups"], group.vpc_id)
            for target in targets(asked):
                wanted = denoted(asked["ip_protocol"], asked["from_port"], asked["to_port"], target)
                found = [rule for rule in held if key(rule) == wanted]
                if not found:
                    raise InvalidPermissionNotFoundError()
                changes.append((found[0], target))
        if not changes:
            raise InvalidPermissionNotFoundError()
        for rule, target in changes:
            told(rule).pop("Description", None)
            if target.get("Description"):
                told(rule)["Description"] = target["Description"]
        return ActionResult({"Return": True})

    return update


SecurityGroups.update_security_group_rule_descriptions_ingress = update_descriptions("ingress_rules")
SecurityGroups.update_security_group_rule_descriptions_egress = update_descriptions("egress_rules")


# All rules of a call are written or none of them.
def all_or_none(method):
    original = getattr(SecurityGroups, method)

    def write(self):
        named = self._get_param("GroupId") or self._get_param("GroupName")
        group = self.ec2_backend.get_security_group_by_name_or_id(named) if named else None
        before = group and (list(group.ingress_rules), list(group.egress_rules))
        try:
            return original(self)
        except Exception:
            if group:
                group.ingress_rules, group.egress_rules = before
            raise

    setattr(SecurityGroups, method, write)


for name in ("authorize_security_group_ingress", "authorize_security_group_egress"):
    all_or_none(name)


# Groups: what they may be called, and how they may be described.
create_security_group = EC2Backend.create_security_group


def create_named_group(self, name, description, *args, **kwargs):
    if not kwargs.get("is_default") and not kwargs.get("force"):
        if not DESCRIPTION.fullmatch(name or "x") or (name or "").strip() != (name or ""):
            raise wrong(f"Value ({name}) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.")
        if (name or "").lower().startswith("sg-"):
            raise wrong(f"Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*.")
        if name == "default":
            raise wrong("Cannot use reserved security group name: default")
        if not DESCRIPTION.fullmatch(description or ""):
            raise wrong(f"Invalid security group description. {ALLOWED}")
    return create_security_group(self, name, description, *args, **kwargs)


EC2Backend.create_security_group = create_named_group
