"""Key policies by boto3: whom they name must exist, and a role that goes is shown by its unique id.

https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

import json

import boto3
from botocore.exceptions import ClientError

kms, iam = boto3.client("kms"), boto3.client("iam")
account = boto3.client("sts").get_caller_identity()["Account"]
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


def policy(role):
    root = f"arn:aws:iam::{account}:root"
    return json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": [role, root]}, "Action": "kms:*", "Resource": "*"}]})


def refused(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "MalformedPolicyDocumentException", error
    else:
        raise AssertionError(f"{arguments} was not refused")


role = f"arn:aws:iam::{account}:role/reader"
refused(kms.create_key, Policy=policy(role))
unique = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)["Role"]["RoleId"]
key = kms.create_key(Policy=policy(role))["KeyMetadata"]["KeyId"]
refused(kms.put_key_policy, KeyId=key, PolicyName="default", Policy=policy(role + "s"))
assert role in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
iam.delete_role(RoleName="reader")
iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
held = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
assert unique in held and role not in held, held
