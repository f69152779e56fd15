"""SQS as AWS serves it, where moto differs."""

import time

import batchwright_documents as documents
from moto.iam.models import iam_backends
from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue, SQSException
from moto.sqs.models import Queue, SQSBackend
from moto.utilities.utils import get_partition

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86400),
    "MaximumMessageSize": (1024, 1048576),
    "MessageRetentionPeriod": (60, 1209600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43200),
}
OF_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
TEXTS = ("KmsMasterKeyId", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled")
# A minute on AWS; shortened as all waits of the sandbox are.
FREED_AFTER = 3


def check(fifo, attributes):
    """What a queue of the other type does not know is no attribute of it; `FifoQueue` is only ever true."""
    for name, value in attributes.items():
        known = name in RANGES or name in TEXTS or (fifo and name in OF_FIFO) or (name == "FifoQueue" and value == "true")
        if not known:
            raise InvalidAttributeName(name)
        least, most = RANGES.get(name, (None, None))
        if least is not None and not (str(value).isdigit() and least <= int(value) <= most):
            raise InvalidAttributeValue(name)


def check_policy(backend, attributes):
    """Its principals are there, and its actions are those of SQS."""
    policy = attributes.get("Policy")
    known = iam_backends[backend.account_id][get_partition(backend.region_name)]
    if policy and (documents.fault(policy, service="sqs") or documents.stranger(policy, known)):
        raise InvalidAttributeValue("Policy")


documents.keep_by_id(Queue, "policy")
create_queue = SQSBackend.create_queue
delete_queue = SQSBackend.delete_queue


def create_checked_queue(self, name, tags=None, **attributes):
    check(attributes.get("FifoQueue") == "true", {key: it for key, it in attributes.items() if key != "region"})
    check_policy(self, attributes)
    if time.monotonic() - getattr(self, "freed", {}).get(name, -FREED_AFTER) < FREED_AFTER:
        raise SQSException(
            "AWS.SimpleQueueService.QueueDeletedRecently",
            "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        )
    # The tags of a queue that is there stay as they are.
    return create_queue(self, name, None if name in self.queues else tags, **attributes)


def delete_and_remember(self, queue_name):
    delete_queue(self, queue_name)
    self.freed = {**getattr(self, "freed", {}), queue_name: time.monotonic()}


SQSBackend.create_queue = create_checked_queue
SQSBackend.delete_queue = delete_and_remember


# What an update does not name stays; an empty text takes a setting away. A key of one's own is used in place of SQS's.
set_attributes = Queue._set_attributes
set_queue_attributes = SQSBackend.set_queue_attributes
attributes = Queue.attributes.fget


def set_named_attributes(self, said, now=None):
    policy = getattr(self, "policy", None)
    set_attributes(self, said, now)
    self.policy = (said["Policy"] or None) if "Policy" in said else policy
    if not self.kms_master_key_id:
        self.kms_master_key_id = None
    elif said.get("KmsMasterKeyId"):
        self.sqs_managed_sse_enabled = False


def set_checked_attributes(self, queue_name, said):
    check(self.get_queue(queue_name).fifo_queue, said)
    check_policy(self, said)
    return set_queue_attributes(self, queue_name, said)


def all_attributes(self):
    allowed = getattr(self, "redrive_allow_policy", None)
    return {**attributes(self), **({"RedriveAllowPolicy": allowed} if allowed else {})}


Queue._set_attributes = set_named_attributes
SQSBackend.set_queue_attributes = set_checked_attributes
Queue.attributes = property(all_attributes)
