"""What services refuse from the request alone: what is missing, and what breaks the rules of their own models.

IAM, ECR and CloudWatch Logs check each member against its model before anything else, and say so in one form; moto knows some of
them. The models are botocore's, which moto reads requests by.
"""

import base64
import json

import regex
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.core.model import ListShape, MapShape, StructureShape
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ecr.responses import ECRResponse
from moto.iam.responses import IamResponse
from moto.logs.responses import LogsResponse


def ascii_words(pattern):
    """The pattern with what \\w means in the services' own language: ASCII only."""
    found, inside, escaped = "", False, False
    for character in pattern:
        if escaped:
            word = "A-Za-z0-9_" if inside else "[A-Za-z0-9_]"
            found, escaped = found + (word if character == "w" else "\\" + character), False
        elif character == "\\":
            escaped = True
        else:
            inside = character == "[" or (inside and character != "]")
            found += character
    return found


NULL = "Member must not be null"


def complaints(shape, value, path):
    """Path, value and broken rule of each member that the model does not allow."""
    rules = shape.metadata
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            of_member = f"{path}.{lower(name)}" if path else lower(name)
            if isinstance(value, dict) and value.get(name) is not None:
                yield from complaints(member, value[name], of_member)
            elif name in shape.required_members:
                yield of_member, None, NULL
        return
    if isinstance(value, (str, list, dict)):
        if len(value) < rules.get("min", 0):
            yield path, value, f"Member must have length greater than or equal to {rules['min']}"
        if len(value) > rules.get("max", len(value)):
            yield path, value, f"Member must have length less than or equal to {rules['max']}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if value < rules.get("min", value):
            yield path, value, f"Member must have value greater than or equal to {rules['min']}"
        if value > rules.get("max", value):
            yield path, value, f"Member must have value less than or equal to {rules['max']}"
    if isinstance(shape, ListShape) and isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from complaints(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for key, item in value.items():
            yield from complaints(shape.key, key, f"{path}.key")
            yield from complaints(shape.value, item, f"{path}.{key}.member")
    elif isinstance(value, str):
        if (pattern := rules.get("pattern")) and not regex.fullmatch(ascii_words(pattern), value):
            yield path, value, f"Member must satisfy regular expression pattern: {pattern}"
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield path, value, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def lower(name):
    return name[:1].lower() + name[1:]


def checked(response_class, service, sent, refuse, rules=None):
    """Has every call of a service looked at before it is answered, for all rules of its model or for some."""
    call_action = response_class.call_action

    def call(self):
        model = get_service_model(service)
        action = self._get_action()
        shape = model.operation_model(action).input_shape if action in model.operation_names else None
        found = [it for it in complaints(shape, sent(self), "") if not rules or it[2] in rules] if shape else []
        if found:
            answer_with(self, refuse(found))
        return call_action(self)

    response_class.call_action = call


def answer_with(response, error):
    """Has this request answered with an error, whatever it asks for."""

    def refused():
        raise error

    # The instance's own attribute goes before the class's method.
    setattr(response, camelcase_to_underscores(response._get_action()), refused)


def detected(found):
    given = [(path, "null" if value is None else f"'{value}'", rule) for path, value, rule in found]
    texts = [f"Value {value} at '{path}' failed to satisfy constraint: {rule}" for path, value, rule in given]
    return f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected: {'; '.join(texts)}"


def of_body(response):
    try:
        return json.loads(response.body or "{}")
    except ValueError:
        return {}


class Refused(ServiceException):
    """A refusal with a code of its own."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def of_ecr(found):
    # int128/create-ecr-repository-action#231
    path, _, rule = found[0]
    rule = rule.replace("Member must satisfy regular expression pattern: ", "must satisfy regular expression '")
    rule += "'" if rule.startswith("must satisfy regular") else ""
    return Refused("InvalidParameterException", f"Invalid parameter at '{path}' failed to satisfy constraint: '{rule}'")


# The form of IAM's text: SWO-GS/auto-tag#90.
checked(IamResponse, "iam", lambda self: self.params, lambda found: Refused("ValidationError", detected(found)))
checked(LogsResponse, "logs", of_body, lambda found: JsonRESTError("InvalidParameterException", detected(found)))
checked(ECRResponse, "ecr", of_body, of_ecr)
# EC2 says only what is missing; it has other words for what is too long.
checked(
    EC2BaseResponse,
    "ec2",
    lambda self: self.params,
    lambda found: EC2ClientError("MissingParameter", f"The request must contain the parameter {found[0][0].split('.')[-1]}"),
    (NULL,),
)


# Pages: what is no token of ours is refused, not stumbled over.
def place_in(token, refuse):
    """The number that a token stands for; none stands for the first page."""
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        raise refuse from None


def token_of(place):
    return base64.b64encode(str(place).encode()).decode()
