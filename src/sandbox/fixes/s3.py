"""S3's buckets as AWS serves them, where moto differs."""

import base64
import json
import re
import secrets
from xml.parsers.expat import ExpatError

import batchwright_documents as documents
import xmltodict
from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import iam_backends
from moto.s3 import exceptions, models
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response
from moto.s3.utils import bucket_policy_is_public


class ClientError(exceptions.S3ClientError):
    def __init__(self, code, message):
        super().__init__(code, message)


# New buckets: encrypted, closed to the public, without access control lists; tags in the call that makes them.
AES256 = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}
create_bucket = S3Backend.create_bucket
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
NAME = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
NO_PREFIX = ("xn--", "sthree-", "amzn-s3-demo-")
NO_SUFFIX = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def create_closed_bucket(self, bucket_name, *args, **kwargs):
    if not NAME.fullmatch(bucket_name) or bucket_name.startswith(NO_PREFIX) or bucket_name.endswith(NO_SUFFIX):
        raise exceptions.InvalidBucketName()
    if models.s3_backends.bucket_accounts.get(bucket_name, (None, self.account_id))[1] != self.account_id:
        raise ClientError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
            " Please select a different name and try again.",
        )
    bucket = create_bucket(self, bucket_name, *args, **kwargs)
    bucket.encryption = AES256
    bucket.public_access_block = PublicAccessBlock(True, True, True, True)
    bucket.ownership_rule = "BucketOwnerEnforced"
    bucket.batchwright_documents = {}
    return bucket


def delete_bucket_encryption(self, bucket_name):
    bucket = self.get_bucket(bucket_name)
    bucket.encryption = AES256
    documents_of(bucket).pop("encryption", None)


S3Backend.create_bucket = create_closed_bucket
S3Backend.delete_bucket_encryption = delete_bucket_encryption


# Configurations: what was put is what is got. Moto keeps only the parts it knows, so the document itself is kept here.
KEPT = ("encryption", "lifecycle", "notification")
SMALLEST = "x-amz-transition-default-minimum-object-size"
bucket_response_put = S3Response._bucket_response_put


def documents_of(bucket):
    return bucket.__dict__.setdefault("batchwright_documents", {})


def put(self, request, bucket_name, querystring):
    sent = self.body
    if "abac" in querystring:
        status = (xmltodict.parse(sent).get("AbacStatus") or {}).get("Status")
        self.backend.get_bucket(bucket_name).__dict__["batchwright_abac"] = status
        return 200, {}, ""
    if "tagging" in querystring:
        check_abac(self.backend, bucket_name)
    check_put(self, bucket_name, querystring, sent)
    answer = bucket_response_put(self, request, bucket_name, querystring)
    bucket = self.backend.get_bucket(bucket_name)
    for name in KEPT:
        if name in querystring:
            documents_of(bucket)[name] = settled(name, xmltodict.parse(sent))
    if "lifecycle" in querystring:
        documents_of(bucket)["smallest"] = self.headers.get(SMALLEST, "all_storage_classes_128K")
    if "policy" in querystring:
        return 204, {}, ""
    if not querystring and sent:
        tags = (xmltodict.parse(sent).get("CreateBucketConfiguration") or {}).get("Tags") or {}
        if tags := as_list(tags.get("Tag")):
            self.backend.put_bucket_tagging(bucket_name, {tag["Key"]: tag["Value"] or "" for tag in tags})
    return answer


# Attribute-based access control: once it is on, tags go by TagResource of S3 Control alone (API_PutBucketTagging,
# API_DeleteBucketTagging). AWS's code and words for the refusal are not in public text.
def check_abac(backend, bucket_name):
    if backend.get_bucket(bucket_name).__dict__.get("batchwright_abac") == "Enabled":
        raise ClientError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource: use TagResource for a bucket with ABAC enabled.",
        )


delete_bucket_tagging = S3Backend.delete_bucket_tagging


def delete_tagging(self, bucket_name):
    check_abac(self, bucket_name)
    return delete_bucket_tagging(self, bucket_name)


S3Backend.delete_bucket_tagging = delete_tagging


def settled(name, document):
    """Fills in what AWS fills in: names of rules and notifications, and the bucket key's default."""
    root = next(iter(document))
    body = document[root] or {}
    for key, value in body.items():
        for item in as_list(value):
            if not isinstance(item, dict) or key == "EventBridgeConfiguration":
                continue
            if name == "lifecycle":
                item.setdefault("ID", secrets.token_urlsafe(36))
            elif name == "notification":
                item.setdefault("Id", secrets.token_urlsafe(36))
            elif name == "encryption":
                item.setdefault("BucketKeyEnabled", "false")
    return xmltodict.unparse({root: body})


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


S3Response._bucket_response_put = put


def got_as_put(method, name):
    original = getattr(S3Response, method)

    def get(self):
        kept = documents_of(self.backend.get_bucket(self.bucket_name)).get(name)
        headers = {"content-type": "application/xml"}
        if name == "lifecycle" and kept:
            headers[SMALLEST] = documents_of(self.backend.get_bucket(self.bucket_name))["smallest"]
        return (200, headers, kept) if kept else original(self)

    setattr(S3Response, method, get)


got_as_put("get_bucket_encryption", "encryption")
got_as_put("get_bucket_lifecycle", "lifecycle")
delete_bucket_lifecycle = S3Backend.delete_bucket_lifecycle


def delete_lifecycle(self, bucket_name):
    documents_of(self.get_bucket(bucket_name)).pop("lifecycle", None)
    delete_bucket_lifecycle(self, bucket_name)


S3Backend.delete_bucket_lifecycle = delete_lifecycle


# Two answers that moto names wrongly, so that an SDK can't read them.
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def document(root, inner=""):
    return 200, {"content-type": "application/xml"}, f"<{root} {NAMESPACE}>{inner}</{root}>"


def get_bucket_versioning(self):
    status = self.backend.get_bucket(self.bucket_name).versioning_status
    return document("VersioningConfiguration", f"<Status>{status}</Status>" if status else "")


def get_bucket_accelerate_configuration(self):
    status = self.backend.get_bucket(self.bucket_name).accelerate_configuration
    return document("AccelerateConfiguration", f"<Status>{status}</Status>" if status else "")


def get_bucket_notification(self):
    kept = documents_of(self.backend.get_bucket(self.bucket_name)).get("notification")
    return (200, {"content-type": "application/xml"}, kept) if kept else document("NotificationConfiguration")


S3Response.get_bucket_versioning = get_bucket_versioning
S3Response.get_bucket_accelerate_configuration = get_bucket_accelerate_configuration
S3Response.get_bucket_notification = get_bucket_notification


# What AWS refuses: malformed or public policies, notifications to nowhere, an empty lifecycle.
ROOTS = {
    "encryption": "ServerSideEncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "notification": "NotificationConfiguration",
    "ownershipControls": "OwnershipControls",
    "publicAccessBlock": "PublicAccessBlockConfiguration",
    "tagging": "Tagging",
    "versioning": "VersioningConfiguration",
}
ONE_RULE = ("encryption", "ownershipControls")


def check_document(name, sent):
    """Whether what was sent is a document of its kind at all."""
    if not sent:
        raise ClientError("MissingRequestBodyError", "Request Body is empty")
    try:
        body = xmltodict.parse(sent).get(ROOTS[name])
    except ExpatError:
        raise exceptions.MalformedXML() from None
    if name in ONE_RULE and not isinstance((body or {}).get("Rule"), dict):
        raise exceptions.MalformedXML()


def check_put(response, bucket_name, querystring, sent):
    for name in ROOTS:
        if name in querystring:
            check_document(name, sent)
    if "policy" in querystring:
        check_policy(response.backend.get_bucket(bucket_name), sent)
    elif "notification" in querystring:
        check_destinations(response.backend, xmltodict.parse(sent).get("NotificationConfiguration") or {})
    elif "lifecycle" in querystring and not (xmltodict.parse(sent).get("LifecycleConfiguration") or {}).get("Rule"):
        raise exceptions.MalformedXML()


# Without white space (MIT-LCP/physionet-build#2094); the principals: versity/versitygw#649.
LARGEST_POLICY = 20 * 1024
documents.keep_by_id(FakeBucket, "policy")


def check_policy(bucket, sent):
    def malformed(message):
        return ClientError("MalformedPolicy", message)

    try:
        policy = json.loads(sent)
    except ValueError:
        raise malformed("Policies must be valid JSON and the first byte must be '{'") from None
    if not isinstance(policy, dict) or not as_list(policy.get("Statement")):
        raise malformed("Missing required field Statement")
    arn = f"arn:{bucket.partition}:s3:::{bucket.name}"
    for statement in as_list(policy["Statement"]):
        if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
            raise malformed("Missing required field Effect")
        for field in ("Principal", "Action", "Resource"):
            if field not in statement and f"Not{field}" not in statement:
                raise malformed(f"Missing required field {field}")
        for resource in as_list(statement.get("Resource")):
            if resource not in ("*", arn) and not str(resource).startswith(f"{arn}/"):
                raise malformed("Policy has invalid resource")
        for action in as_list(statement.get("Action")):
            if action != "*" and not str(action).lower().startswith("s3:"):
                raise malformed("Policy has invalid action")
    if wrong := documents.fault(sent.decode() if isinstance(sent, bytes) else sent, service="s3"):
        raise malformed(wrong)
    if any(documents.is_idle(it) for it in as_list(policy["Statement"])):
        raise malformed("Action does not apply to any resource(s) in statement")
    if documents.stranger(sent, iam_backends[bucket.account_id][bucket.partition]):
        raise malformed("Invalid principal in policy")
    if documents.size(sent.decode() if isinstance(sent, bytes) else sent) > LARGEST_POLICY:
        raise ClientError(
            "PolicyTooLarge", f"Normalized policy document exceeds the maximum allowed size of {LARGEST_POLICY} bytes."
        )
    block = bucket.public_access_block
    if block and block.block_public_policy and bucket_policy_is_public(sent):
        raise ClientError(
            "AccessDenied",
            "User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the"
            " BlockPublicPolicy block public access setting.",
        )


# Conditions of a bucket's policy: moto takes each for one that does not hold, and that for a denial. What it can't judge is
# left aside; a statement that only denies plain HTTP does not mean this machine's own sandbox.
def permission(self, action, resource):
    document = json.loads(self.policy) if self.policy else {}
    certain = [it for it in as_list(document.get("Statement")) if "Condition" not in it]
    if not certain:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**document, "Statement": certain})).is_action_permitted(action, resource)


FakeBucket.get_permission = permission


ARN = re.compile(r"arn:[a-z-]+:(sqs|sns|lambda):[a-z]{2}[a-z0-9-]+:\d{12}:.+")


def check_destinations(backend, configuration):
    from moto.awslambda.models import lambda_backends
    from moto.sns.models import sns_backends
    from moto.sqs.models import sqs_backends

    for kind, value in configuration.items():
        for item in as_list(value):
            if kind.startswith(("@", "EventBridge")):
                continue
            arn = isinstance(item, dict) and next((item[it] for it in ("Queue", "Topic", "CloudFunction") if it in item), None)
            if not arn:
                raise exceptions.MalformedXML()
            if not ARN.fullmatch(arn):
                raise ClientError("InvalidArgument", "The ARN could not be parsed")
            region, name = arn.split(":")[3], arn.split(":")[-1]
            if kind == "QueueConfiguration":
                there = name in sqs_backends[backend.account_id][region].queues
            elif kind == "TopicConfiguration":
                there = arn in sns_backends[backend.account_id][region].topics
            else:
                there = any(it.function_arn == arn for it in lambda_backends[backend.account_id][region].list_functions())
            if not there:
                raise ClientError("InvalidArgument", "Unable to validate the following destination configurations")


# ListBuckets: sorted, in pages of at most ten thousand; the region is given where anything was asked about.
def all_buckets(self):
    self.data["Action"] = "ListBuckets"
    prefix, limit = self._get_param("prefix"), self._get_param("max-buckets") or "10000"
    if not limit.isdigit() or not 1 <= int(limit) <= 10000:
        raise ClientError("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000")
    try:
        start = base64.b64decode(self._get_param("continuation-token") or "", validate=True).decode()
    except ValueError:
        raise ClientError("InvalidArgument", "The continuation token provided is incorrect") from None
    buckets = self.backend.list_buckets(prefix=prefix, bucket_region=self._get_param("bucket-region"), max_buckets=None)
    buckets = sorted((it for it in buckets if it.name > start), key=lambda it: it.name)
    page = buckets[: int(limit)]
    listed = [
        {"Name": it.name, "CreationDate": it.creation_date_ISO8601, "BucketRegion": it.region_name} for it in page
    ]
    result = {"Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"}, "Buckets": listed}
    if prefix:
        result["Prefix"] = prefix
    if len(page) < len(buckets):
        result["ContinuationToken"] = base64.b64encode(page[-1].name.encode()).decode()
    return self.serialized(ActionResult(result))


S3Response.all_buckets = all_buckets


# Grants in headers that are none.
acl_from_headers = S3Response._acl_from_headers


def grants_from_headers(self, headers):
    try:
        return acl_from_headers(self, headers)
    except AttributeError:
        raise ClientError("InvalidArgument", "Argument format not recognized") from None


S3Response._acl_from_headers = grants_from_headers


# Another account's bucket: there, and none of ours (moto opens it).
models.s3_allow_crossdomain_access = lambda: False


# A bucket answers in its own region only; elsewhere S3 says where it is. Asking for its location and making it are for all.
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
def in_its_region(method):
    original = getattr(S3Response, method)

    def respond(self, request, full_url):
        name = self.parse_bucket_name_from_url(request, full_url)
        bucket = self.backend.buckets.get(name)
        asked = request.args if method == "_bucket_response" else {"key": True}
        making = request.method == "PUT" and not asked
        if bucket is None or bucket.region_name == self.region or making or "location" in asked:
            return original(self, request, full_url)
        headers = {"x-amz-bucket-region": bucket.region_name, "content-type": "application/xml"}
        said = (
            "<Error><Code>PermanentRedirect</Code><Message>The bucket you are attempting to access must be addressed using the"
            " specified endpoint. Please send all future requests to this endpoint.</Message>"
            f"<Endpoint>{name}.s3.{bucket.region_name}.amazonaws.com</Endpoint><Bucket>{name}</Bucket></Error>"
        )
        return 301, headers, "" if request.method == "HEAD" else said

    setattr(S3Response, method, respond)


for name in ("_bucket_response", "_key_response"):
    in_its_region(name)


# A request that lists no objects is none: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
delete_keys = S3Response._bucket_response_delete_keys


def delete_listed_keys(self, bucket_name, authenticated=True):
    try:
        listed = xmltodict.parse(self.body).get("Delete")
    except ExpatError:
        raise exceptions.MalformedXML() from None
    if not isinstance(listed, dict):
        raise exceptions.MalformedXML()
    return delete_keys(self, bucket_name, authenticated)


S3Response._bucket_response_delete_keys = delete_listed_keys
