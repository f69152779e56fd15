"""ECR as AWS serves it, where moto differs."""

import hashlib
import json

import batchwright_documents as documents
import batchwright_limits as limits
from moto.core.responses import ActionResult
from moto.ecr import exceptions
from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

# Lists come in pages, a hundred at a time unless asked for more.
PAGED = {"repositories": "repositoryNames", "imageIds": None, "imageDetails": "imageIds"}
serialized = ECRResponse.serialized


def serialized_page(self, action_result):
    result = action_result.result
    key = next((it for it in PAGED if isinstance(result, dict) and it in result), None)
    if key and self._get_action().startswith(("Describe", "List")) and not (PAGED[key] and self._get_param(PAGED[key])):
        items, limit = list(result[key]), int(self._get_param("maxResults") or 100)
        unknown = exceptions.InvalidParameterException("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
        try:
            start = limits.place_in(self._get_param("nextToken"), unknown)
        except exceptions.InvalidParameterException as error:
            return serialized(self, ActionResult(error))
        result[key] = items[start : start + limit]
        if start + limit < len(items):
            result["nextToken"] = limits.token_of(start + limit)
    return serialized(self, action_result)


ECRResponse.serialized = serialized_page


# Images: the digest is the manifest's own hash, and a tag that may not move says so.
class ImageTagAlreadyExistsException(exceptions.ImageAlreadyExistsException):
    code = "ImageTagAlreadyExistsException"


def create_digest(self):
    self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


put_image = ECRBackend.put_image


def put_image_checked(self, repository_name, image_manifest, image_tag, *args, **kwargs):
    repository = self._get_repository(repository_name)
    try:
        whole = isinstance(json.loads(image_manifest), dict)
    except ValueError:
        whole = False
    if not whole:
        raise exceptions.InvalidParameterException(
            "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
        )
    holder = next((image for image in repository.images if image_tag and image_tag in image.image_tags), None)
    try:
        return put_image(self, repository_name, image_manifest, image_tag, *args, **kwargs)
    except exceptions.ImageAlreadyExistsException:
        if holder and holder.image_manifest != image_manifest:
            raise ImageTagAlreadyExistsException(
                registry_id=repository.registry_id,
                image_tag=image_tag,
                digest=holder.get_image_digest(),
                repository_name=repository_name,
            ) from None
        raise


Image._create_digest = create_digest
ECRBackend.put_image = put_image_checked


# Keys: an alias or an id is answered with the ARN of the key that it stands for: Terraform plans a
# replacement each time where an alias is written (cloudposse/terraform-aws-ecr#85).
class KmsException(exceptions.InvalidParameterException):
    code = "KmsException"


def key_arn(repository, key):
    keys = kms_backends[repository.account_id][repository.region_name]
    name = key.split(":", 5)[-1] if key.startswith("arn:") else key
    if name.startswith("alias/"):
        found = keys.get_key_id_from_alias(name)
        if found is None:
            raise KmsException(f"The ARN or alias of the KMS key is invalid: {key}")
        name = found
    elif key.startswith("arn:"):
        return key
    partition = get_partition(repository.region_name)
    return f"arn:{partition}:kms:{repository.region_name}:{repository.account_id}:key/{name}"


# Addresses: China has a domain of its own.
make_repository = Repository.__init__


def make_addressed_repository(self, *args, **kwargs):
    make_repository(self, *args, **kwargs)
    if key := self.encryption_configuration.get("kmsKey"):
        self.encryption_configuration["kmsKey"] = key_arn(self, key)
    if self.region_name.startswith("cn-"):
        self.uri = self.uri.replace(".amazonaws.com/", ".amazonaws.com.cn/")


Repository.__init__ = make_addressed_repository


# Tags of a repository that isn't there.
def existing(method):
    original = getattr(ECRBackend, method)

    def checked(self, arn, *args):
        self._get_repository(self._parse_resource_arn(arn).repo_name)
        return original(self, arn, *args)

    setattr(ECRBackend, method, checked)


for name in ("list_tags_for_resource", "tag_resource", "untag_resource"):
    existing(name)


# An empty scanning configuration means "not on push", not "as it was".
put_image_scanning_configuration = ECRBackend.put_image_scanning_configuration


def put_scanning(self, registry_id, repository_name, image_scan_config):
    scanning = image_scan_config or {"scanOnPush": False}
    return put_image_scanning_configuration(self, registry_id, repository_name, scanning)


ECRBackend.put_image_scanning_configuration = put_scanning


# A repository's policy: it speaks of no resource, whom it names must exist, and is kept by id. The text is AWS's whatever is wrong (aws/aws-sdk-go#3921).
documents.keep_by_id(Repository, "policy")
set_repository_policy = ECRBackend.set_repository_policy


def set_policy(self, registry_id, repository_name, policy_text):
    strange = documents.stranger(policy_text, iam_backends[self.account_id][get_partition(self.region_name)])
    if strange or documents.fault(policy_text, service="ecr", resources=False):
        raise exceptions.InvalidParameterException(
            "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"
        )
    return set_repository_policy(self, registry_id, repository_name, policy_text)


ECRBackend.set_repository_policy = set_policy
