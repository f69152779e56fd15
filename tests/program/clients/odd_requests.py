"""Odd requests by boto3: whatever is asked, the sandbox answers, or says that it does not serve it.

The calls are those that the kinds make, the members those of botocore's models; the values are ids of things that are there, and
such as nobody expects. What it prints is each call that the sandbox stumbled over. Arguments: a seed, how many requests, and the
calls as `service.name`, boto3's; others are passed over.
"""

import json
import random
import sys

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError

chance = random.Random(int(sys.argv[1]))
count = int(sys.argv[2])
named = {tuple(it.split(".")) for it in sys.argv[3:]}
CONFIG = Config(parameter_validation=False, retries={"max_attempts": 0}, read_timeout=20, s3={"addressing_style": "path"})
clients = {service: boto3.client(service, config=CONFIG) for service in sorted({it[0] for it in named})}
models = [(service, client.meta.service_model) for service, client in clients.items()]
operations = [[service, it] for service, model in models for it in model.operation_names if (service, xform_name(it)) in named]
assert len(operations) > 100, operations
account = boto3.client("sts").get_caller_identity()["Account"]
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
ALLOW = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}}'
EXPIRE = {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}}]}
# Left out: what is about the request itself, and would have it refused for that.
LEFT_OUT = {"DryRun", "ContentMD5", "ContentLength", "ExpectedBucketOwner", "ChecksumAlgorithm", "MFA", "RequestPayer", "registryId"}


def there():
    """Some of everything, and by the members' names what may stand for them."""
    ec2, iam = clients["ec2"], clients["iam"]
    bucket = f"odd-{account}"
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"]["VpcEndpointId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    policy = iam.create_policy(PolicyName="p", PolicyDocument=ALLOW)["Policy"]["Arn"]
    provider = iam.create_open_id_connect_provider(Url="https://example.org", ThumbprintList=["a" * 40])
    clients["ecr"].create_repository(repositoryName="img")
    clients["logs"].create_log_group(logGroupName="g")
    clients["s3"].create_bucket(Bucket=bucket)
    efs = clients["efs"]
    system, copy = (efs.create_file_system(CreationToken=it)["FileSystemId"] for it in ("one", "two"))
    efs.describe_file_systems()
    target = efs.create_mount_target(FileSystemId=system, SubnetId=subnet)["MountTargetId"]
    point = efs.create_access_point(FileSystemId=system, ClientToken="one")["AccessPointId"]
    public = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    strange = {"Effect": "Allow", "Principal": {"AWS": ["*", 7]}, "Action": ["s3:*", None], "Resource": [7]}
    documents = ["{}", "[]", "7", "null", "no JSON", '{"Statement": [null]}', json.dumps({"Statement": strange})]
    ids = {
        "VpcId": [vpc],
        "SubnetId": [subnet],
        "GroupId": [group],
        "RouteTableId": [table],
        "InternetGatewayId": [gateway],
        "GatewayId": [gateway, endpoint, "local"],
        "VpcEndpointId": [endpoint],
        "SecurityGroupId": [group],
    }
    return {
        **ids,
        **{f"{name}s": held for name, held in ids.items()},
        "FileSystemId": [system, copy],
        "SourceFileSystemId": [system, copy],
        "MountTargetId": [target],
        "AccessPointId": [point],
        "ResourceId": [system, point],
        "SecurityGroups": [group],
        "AvailabilityZoneName": ["us-east-1a", "none"],
        "AssociationId": [association],
        "Resources": [vpc, subnet, group],
        "RoleName": ["r"],
        "PolicyArn": [policy],
        "PermissionsBoundary": [policy],
        "OpenIDConnectProviderArn": [provider["OpenIDConnectProviderArn"]],
        "repositoryName": ["img"],
        "logGroupName": ["g"],
        "Bucket": [bucket],
        "resourceArn": [f"arn:aws:ecr:us-east-1:{account}:repository/img", f"arn:aws:logs:us-east-1:{account}:log-group:g"],
        "PolicyDocument": [*documents, ALLOW, TRUST],
        "AssumeRolePolicyDocument": [*documents, TRUST],
        "Policy": [*documents, json.dumps({"Statement": public})],
        "policyText": [*documents, '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}}'],
        "lifecyclePolicyText": [*documents, "x" * 200, json.dumps(EXPIRE)],
        "PolicyName": ["p"],
        "VersionId": ["v1", "v9"],
        "CidrBlock": ["10.0.0.0/16", "10.1.0.0/16", "10.0.2.0/24", "no range", "::/0"],
        "CidrIp": ["10.0.0.0/8", "0.0.0.0/0", "no range"],
        "CidrIpv6": ["::/0", "no range"],
        "DestinationCidrBlock": ["0.0.0.0/0", "10.9.0.0/16", "no range"],
        "IpProtocol": ["tcp", "6", "-1", "50", "icmp", "58", "none"],
        "ServiceName": ["com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.sqs", "none"],
        "AWSServiceName": ["batch.amazonaws.com", "none"],
        "AvailabilityZone": ["us-east-1a", "none"],
        "imageManifest": ["{}", "[]", "no JSON", '{"schemaVersion": 2, "layers": []}'],
    }


KNOWN = there()
TEXTS = ["", "x", "é", "a b", "*", "-1", "0", "arn:aws:iam::1:x/y", "sg-1", "{}", "x" * 300]
PLAIN = {"boolean": [True, False], "blob": [b"x"], "timestamp": ["2026-01-01T00:00:00Z"], "string": TEXTS}
NUMBERS = [0, 1, -1, 5, 50, 443, 65535, 2**31 - 1]


def made(shape, name="", depth=0):
    if shape.type_name == "list" and name in KNOWN:
        return [chance.choice(KNOWN[name])]
    if name in KNOWN and chance.random() < 0.75:
        return chance.choice(KNOWN[name])
    if shape.type_name == "structure":
        members = {}
        for key, member in shape.members.items() if depth < 7 else ():
            wanted = key in ("Bucket", "Key") or chance.random() < (0.97 if key in shape.required_members else 0.35)
            if wanted and key not in LEFT_OUT and not key.startswith("Checksum"):
                members[key] = made(member, key, depth + 1)
        return members
    if shape.type_name == "list":
        return [made(shape.member, name.removesuffix("s"), depth + 1) for _ in range(chance.choice([0, 1, 1, 2]))]
    if shape.type_name == "map":
        return {made(shape.key, "key", depth + 1): made(shape.value, "value", depth + 1) for _ in range(chance.choice([0, 1]))}
    if getattr(shape, "enum", None) and chance.random() < 0.8:
        return chance.choice(shape.enum)
    return chance.choice(PLAIN.get(shape.type_name, NUMBERS))


for _ in range(count):
    service, operation = chance.choice(operations)
    shape = clients[service].meta.service_model.operation_model(operation).input_shape
    asked = made(shape) if shape else {}
    if not isinstance(asked, dict):
        continue
    try:
        getattr(clients[service], xform_name(operation))(**asked)
    except ClientError as error:
        said = error.response["Error"]
        # What is not served is said to be so; anything else of that code is an error nobody caught.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 and "NotImplementedError" not in said["Message"]:
            print(f"{service}.{operation} {asked}: {said['Code']}: {said['Message']}")
    except (AttributeError, TypeError, ValueError, KeyError):
        pass  # botocore could not even send it
    except (BotoCoreError, ResponseParserError) as error:
        # An answer that never came, or none that can be read.
        unsent = isinstance(error, ParamValidationError) or "Invalid header name" in str(error)
        if not unsent and "NotImplementedError" not in str(error):
            print(f"{service}.{operation} {asked}: {type(error).__name__}: {error}")
