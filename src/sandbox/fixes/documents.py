"""Policy documents as IAM, S3, ECR and KMS judge and keep them, where moto only stores a text.

A principal that is a role or a user of the account must exist when a document is written. What is kept is its unique id: reads
show the ARN of whoever has that id now, and the id itself once nobody has it, also after another was made of the same name.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import ipaddress
import json
import re

from moto.iam.exceptions import IAMException, LimitExceededException, MalformedPolicyDocument
from moto.iam.models import iam_backends
from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMPolicyDocumentValidator
from moto.utilities.utils import get_partition

ARN = re.compile(r"arn:[a-z-]+:(?:iam|sts)::(\d{12}|cloudfront):(.+)")
UNIQUE_ID = re.compile(r"A(?:ROA|IDA)[A-Z0-9]{12,}")


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def statements(document):
    return [it for it in as_list(document.get("Statement")) if isinstance(it, dict)]


def renamed(document, change):
    """The document with `change(type, principal)` for each of its principals."""

    def of(kind, names):
        return [change(kind, name) for name in names] if isinstance(names, list) else change(kind, names)

    for statement in statements(document):
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element)
            if isinstance(named, dict):
                statement[element] = {kind: of(kind, names) for kind, names in named.items()}
    return document


def principals(text):
    """Type and name of every principal of a document; none of a text that is no document."""
    found = []
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return found
    if isinstance(document, dict):
        renamed(document, lambda kind, name: found.append((kind, name)))
    return found


def entities(backend):
    return [*backend.roles.values(), *backend.users.values()]


def stranger(text, backend):
    """The first principal of a document that IAM does not take. Nothing is known of other accounts."""
    for kind, name in principals(text):
        if kind != "AWS":
            continue
        arn = ARN.fullmatch(name) if isinstance(name, str) else None
        if not isinstance(name, str):
            return kind, name
        if UNIQUE_ID.fullmatch(name):
            known = any(it.id == name for it in entities(backend))
        elif not arn:
            known = name == "*" or re.fullmatch(r"\d{12}", name)
        elif "*" in name or "?" in name:
            known = False
        elif arn[1] != backend.account_id or arn[2] == "root" or ":sts:" in name:
            known = True
        else:
            known = any(it.arn == name for it in entities(backend))
        if not known:
            return kind, name
    return None


def lets_in_all_but(text):
    """Whether a statement allows everybody but some, which no service takes any more.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return False
    found = statements(document) if isinstance(document, dict) else []
    return any(it.get("Effect") == "Allow" and "NotPrincipal" in it for it in found)


def keep_by_id(owner, attribute):
    """Makes an attribute that holds a document show who is meant in it now. Its owner tells its account, and its partition or region."""
    hidden = f"batchwright_{attribute}"

    def iam(thing):
        region = getattr(thing, "region_name", None) or getattr(thing, "region", None)
        return iam_backends[thing.account_id][getattr(thing, "partition", None) or get_partition(region)]

    def put(self, text):
        named = {name for kind, name in principals(text) if kind == "AWS" and isinstance(name, str)} if text else set()
        ids = {}
        for entity in entities(iam(self)) if named else ():
            ids.update({name: entity.id for name in named & {entity.arn, entity.id}})
        self.__dict__[hidden] = (text, ids)

    def get(self):
        text, ids = self.__dict__.get(hidden) or (None, {})
        if not ids:
            return text
        arns = {it.id: it.arn for it in entities(iam(self))}
        shown = {name: arns.get(unique, unique) for name, unique in ids.items()}
        if all(name == now for name, now in shown.items()):
            return text
        document = renamed(json.loads(text), lambda kind, name: shown.get(name, name) if kind == "AWS" else name)
        written = json.dumps(document, separators=(",", ":"))
        return written.encode() if isinstance(text, bytes) else written

    setattr(owner, attribute, property(get, put))


# What moto refuses and IAM takes: numbers in conditions, and both versions of the language, of which the older one is meant
# where none is said. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
condition_syntax = BaseIAMPolicyValidator._validate_condition_syntax


def validate_condition_syntax(statement):
    condition = statement.get("Condition")
    if isinstance(condition, dict):
        texts = {
            operator: {key: str(it) if isinstance(it, (int, float)) else it for key, it in keys.items()}
            for operator, keys in condition.items()
            if isinstance(keys, dict)
        }
        statement = {**statement, "Condition": {**condition, **texts}}
    condition_syntax(statement)


    check_values(statement)


# Dates of W3C's forms, which moto takes for wrong where they have an offset or no seconds; numbers, booleans and addresses, which it
# does not look at. The texts: badmintoncryer/cdk-preflight.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
DATE = re.compile(
    r"\d+|\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T[0-2]\d:[0-5]\d(:[0-5]\d(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?", re.I
)


def is_value(operator, value):
    value = str(value)
    if "${" in value:
        return True
    if operator.startswith("date"):
        return bool(DATE.fullmatch(value))
    if operator.startswith("numeric"):
        return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value, re.I))
    if operator in ("bool", "null"):
        return value.lower() in ("true", "false")
    if operator in ("ipaddress", "notipaddress"):
        try:
            ipaddress.ip_network(value, strict=False)
        except ValueError:
            return False
    return True


def check_values(statement):
    for operator, keys in (statement.get("Condition") or {}).items():
        plain = operator.lower().rpartition(":")[2].removesuffix("ifexists")
        for value in (it for values in keys.values() for it in (values if isinstance(values, list) else [values])):
            if not isinstance(value, (str, bool, int, float)):
                raise MalformedPolicyDocument("Syntax errors in policy.")
            if not is_value(plain, value):
                raise MalformedPolicyDocument("The policy failed legacy parsing")


BaseIAMPolicyValidator._validate_condition_syntax = staticmethod(validate_condition_syntax)
BaseIAMPolicyValidator._legacy_parse_condition = staticmethod(lambda operator, keys: None)
BaseIAMPolicyValidator._validate_version = lambda self: None
validate = BaseIAMPolicyValidator.validate
syntax = BaseIAMPolicyValidator._validate_syntax
resource_format = BaseIAMPolicyValidator._validate_resource_format
action_prefix = BaseIAMPolicyValidator._validate_action_prefix


# What is wrong in a condition says itself how; the rest is "Syntax errors in policy", whatever it is.
def validate_syntax(self):
    try:
        syntax(self)
    except MalformedPolicyDocument as error:
        self.batchwright_refusal = error
        raise


# An ARN has six parts and a whole service; a region that is nothing but wildcards is none, and only buckets have no region in S3: so
# AWS's own managed policies say. The texts: badmintoncryer/cdk-preflight.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
def validate_resource_format(self, resource):
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        _, _, service, region, account, path = parts
        if not service or set(service) & set("*?"):
            self._resource_error = "Resource vendor must be fully qualified and cannot contain regexes."
            return
        if service == "s3" and "/" not in path and set(account) - set("*?"):
            self._resource_error = f"Resource {resource} can not contain an account id."
            return
        if service in ("iam", "s3") and (set(region) <= set("*?") or "/" in path and service == "s3"):
            parts[3] = ""
        if service == "iam" and path == "*":
            parts[5] = "user/*"
    elif parts[0] == "arn":
        raise MalformedPolicyDocument("The policy failed legacy parsing")
    elif resource != "*":
        self._resource_error = f'Resource {resource} must be in ARN format or "*".'
        return
    resource_format(self, ":".join(parts))


def validate_action_prefix(action):
    action_prefix(action)
    vendor, _, name = action.partition(":")
    if vendor != "*" and (not vendor or not name or re.search(r"\s", action)):
        raise MalformedPolicyDocument(f"Vendor {vendor} is not valid")


BaseIAMPolicyValidator._validate_syntax = validate_syntax
BaseIAMPolicyValidator._validate_resource_format = validate_resource_format
BaseIAMPolicyValidator._validate_action_prefix = staticmethod(validate_action_prefix)


def validate_all(self):
    try:
        validate(self)
    except (IAMException, MalformedPolicyDocument) as error:
        raise getattr(self, "batchwright_refusal", error) from None
    except Exception:
        raise MalformedPolicyDocument("Syntax errors in policy.") from None


BaseIAMPolicyValidator.validate = validate_all


# Of what IAM keeps: no white space is counted, and a statement's name has letters and digits only.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
# The texts: docker/docs#4685 (managed), danvk/mapsnap#483, aws-amplify/amplify-backend#2615 (inline).
MANAGED, TRUST = 6144, 2048


def size(text):
    return len(re.sub(r"\s", "", text))


def checked(text):
    document = json.loads(text)
    for statement in statements(document):
        if not re.fullmatch(r"[0-9A-Za-z]*", statement.get("Sid", "")):
            raise MalformedPolicyDocument(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
            )
    return document


def check_identity(text):
    """A document attached to an identity."""
    IAMPolicyDocumentValidator(text).validate()
    if any("Principal" in it or "NotPrincipal" in it for it in statements(checked(text))):
        raise MalformedPolicyDocument("Policy document should not specify a principal.")


def check_managed(text):
    """A managed one: it must say the newer version (the older one is refused, wercker/step-s3sync#25)."""
    check_identity(text)
    if json.loads(text).get("Version") != "2012-10-17":
        raise MalformedPolicyDocument("Policy document must be version 2012-10-17 or greater.")
    if size(text) > MANAGED:
        raise LimitExceededException(f"Cannot exceed quota for PolicySize: {MANAGED}")


TRUST_ACTIONS = re.compile("sts:(AssumeRole(With(SAML|WebIdentity))?|TagSession|SetSourceIdentity|SetContext)", re.I)
KINDS = {"AWS", "Service", "Federated", "CanonicalUser"}


def no_principal(named):
    """Whether a principal has not the form of one, as its kind, the text of it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if not isinstance(named, dict) or not named:
        return True
    for kind, names in named.items():
        names = as_list(names)
        if kind not in KINDS or not names or not all(isinstance(name, str) for name in names):
            return True
        if kind == "Service" and not all("." in name and not set(name) & set("*?") for name in names):
            return True
        if kind == "Federated" and not all("." in name or name.startswith("arn:") for name in names):
            return True
    return False


def check_trust(text, backend):
    """A role's trust policy. The texts: versity/versitygw (iamapi), badmintoncryer/cdk-preflight."""
    BaseIAMPolicyValidator(text).validate()
    for statement in statements(checked(text)):
        if "NotPrincipal" in statement:
            raise MalformedPolicyDocument("AssumeRole policy must not contain NotPrincipal field.")
        if "Principal" not in statement:
            raise MalformedPolicyDocument("Missing required field Principal")
        if no_principal(statement["Principal"]):
            raise MalformedPolicyDocument("AssumeRolepolicy contained an invalid principal")
        actions = as_list(statement.get("Action")) + as_list(statement.get("NotAction"))
        if not all(TRUST_ACTIONS.fullmatch(action) for action in actions):
            raise MalformedPolicyDocument("AssumeRole policy may only specify STS AssumeRole actions.")
        if "Resource" in statement or "NotResource" in statement:
            raise MalformedPolicyDocument("Has prohibited field Resource")
    if strange := stranger(text, backend):
        kind, name = strange
        raise MalformedPolicyDocument(f'Invalid principal in policy: "{kind}":"{name}"')
    if size(text) > TRUST:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")


def fault(text, service=None, resources=True):
    """What is wrong with a document attached to a resource, whose statements name principals; those of a service alone have its actions.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    try:
        BaseIAMPolicyValidator(text).validate()
    except MalformedPolicyDocument as error:
        return error.message
    for statement in statements(json.loads(text)):
        named = [statement[it] for it in ("Principal", "NotPrincipal") if it in statement]
        if len(named) != 1 or any(it != "*" and no_principal(it) for it in named):
            return "Invalid principal in policy"
        if resources != ("Resource" in statement or "NotResource" in statement):
            return "Policy has invalid resource"
        if any(statement.get(it) == [] for it in ("Resource", "NotResource")):
            return "Policy has invalid resource"
        actions = as_list(statement.get("Action")) + as_list(statement.get("NotAction"))
        if service and not all(it == "*" or it.lower().startswith(f"{service}:") for it in actions):
            return "Policy has invalid action"
    return "Allow with NotPrincipal is not allowed." if lets_in_all_but(text) else None


# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
OF_OBJECTS = ("abortmultipartupload", "bypassgovernanceretention", "listmultipartuploadparts", "replicatedelete", "replicatetags")


def done_to_objects(action):
    """Whether an action of S3 is done to objects, not to the bucket; None of those that may be done to both."""
    name = action.lower().partition(":")[2]
    if not name or set(name) & set("*?") or "objectlambda" in name or "allmybuckets" in name:
        return None
    if name in OF_OBJECTS or "object" in name and "bucketobject" not in name:
        return True
    return False if "bucket" in name else None


def is_idle(statement):
    """Whether an action of a bucket's statement is done to none of its resources."""

    def fits(resource, of_objects):
        return ("/" in resource) == of_objects or "/" not in resource and set(resource) & set("*?")

    resources = as_list(statement.get("Resource"))
    kinds = [done_to_objects(it) for it in as_list(statement.get("Action"))] if resources else []
    return any(kind is not None and not any(fits(it, kind) for it in resources) for kind in kinds)
