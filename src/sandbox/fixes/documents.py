"""Policy documents as IAM, S3, ECR and KMS judge and keep them, where moto only stores a text.

A principal that is a role or a user of the account must exist when a document is written. What is kept is its unique id: reads
show the ARN of whoever has that id now, and the id itself once nobody has it, also after another was made of the same name.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import json
import re

from moto.iam.exceptions import IAMException, LimitExceededException, MalformedPolicyDocument
from moto.iam.models import iam_backends
from moto.iam.policy_validation import (
    BaseIAMPolicyValidator,
    IAMPolicyDocumentValidator,
    IAMTrustPolicyDocumentValidator,
)
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


BaseIAMPolicyValidator._validate_condition_syntax = staticmethod(validate_condition_syntax)
BaseIAMPolicyValidator._validate_version = lambda self: None
validate = BaseIAMPolicyValidator.validate


def validate_all(self):
    try:
        validate(self)
    except (IAMException, MalformedPolicyDocument):
        raise
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


def check_trust(text, backend):
    """A role's trust policy."""
    IAMTrustPolicyDocumentValidator(text).validate()
    if any("NotPrincipal" in it for it in statements(checked(text))):
        # The text: versity/versitygw, iamapi.
        raise MalformedPolicyDocument("AssumeRole policy must not contain NotPrincipal field.")
    if not all("Principal" in it for it in statements(checked(text))):
        raise MalformedPolicyDocument("Missing required field Principal")
    if strange := stranger(text, backend):
        kind, name = strange
        raise MalformedPolicyDocument(f'Invalid principal in policy: "{kind}":"{name}"')
    if size(text) > TRUST:
        raise LimitExceededException(f"Cannot exceed quota for ACLSizePerRole: {TRUST}")
