"""KMS as AWS serves it, where moto differs: whom a key's policy names must exist, and is kept by id.

The text: aws-samples/siem-on-amazon-opensearch-service#32.
https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
"""

import batchwright_documents as documents
from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.kms.models import Key, KmsBackend
from moto.utilities.utils import get_partition

documents.keep_by_id(Key, "policy")
create_key, put_key_policy = KmsBackend.create_key, KmsBackend.put_key_policy


def check(backend, policy):
    if policy and documents.stranger(policy, iam_backends[backend.account_id][get_partition(backend.region_name)]):
        said = "Policy contains a statement with one or more invalid principals."
        raise JsonRESTError("MalformedPolicyDocumentException", said)


def create_checked_key(self, policy, *args, **kwargs):
    check(self, policy)
    return create_key(self, policy, *args, **kwargs)


def put_checked_key_policy(self, key_id, policy):
    check(self, policy)
    put_key_policy(self, key_id, policy)


KmsBackend.create_key = create_checked_key
KmsBackend.put_key_policy = put_checked_key_policy
