# Prints what AWS says of the values that a request or a template holds: `<origin> <Member.Path> <rule> <JSON>`, one a line. Each
# argument names an origin: `<service>:<Operation>` of the service models that come with moto's botocore, or a type of CloudFormation's
# registry, such as `AWS::IAM::Role`, of the schemas that come with moto's cfn-lint. An item of a list is `[]`, a value of a map `{}`
# and its key `{key}`.
import json
import sys
from importlib.metadata import version
from pathlib import Path

import botocore.session
import cfnlint

REGION = "us-east-1"


def emit(found, path, rule, value):
    found[f"{path or '.'} {rule} {json.dumps(value, ensure_ascii=True, sort_keys=True)}"] = None


def of_shape(shape, path, within, found):
    """The rules of a service model's shape, down to the last member."""
    words = {"string": "Length", "list": "Items", "map": "Entries", "blob": "Length"}
    numbers = {"integer", "long", "float", "double"}
    for bound in ("min", "max"):
        if bound in shape.metadata:
            rule = bound + ("imum" if shape.type_name in numbers else words.get(shape.type_name, "?"))
            emit(found, path, rule, shape.metadata[bound])
    # Any text but an empty one, which `min` says: no rule.
    if shape.metadata.get("pattern", r"[\s\S]+") != r"[\s\S]+":
        emit(found, path, "pattern", shape.metadata["pattern"])
    if getattr(shape, "enum", None):
        emit(found, path, "enum", shape.enum)
    if shape.type_name == "list":
        of_shape(shape.member, path + "[]", within, found)
    elif shape.type_name == "map":
        of_shape(shape.key, path + "{key}", within, found)
        of_shape(shape.value, path + "{}", within, found)
    elif shape.type_name == "structure" and shape.name not in within:
        within = within | {shape.name}
        members = shape.members
        # A wrapper such as ec2's {Value: true} is the member itself.
        if list(members) == ["Value"]:
            of_shape(members["Value"], path, within, found)
            return
        for name, member in members.items():
            of_shape(member, f"{path}.{name}" if path else name, within, found)


KEYWORDS = {
    "enum": "enum",
    "const": "const",
    "maxItems": "maxItems",
    "maxLength": "maxLength",
    "maxProperties": "maxEntries",
    "maximum": "maximum",
    "minItems": "minItems",
    "minLength": "minLength",
    "minProperties": "minEntries",
    "minimum": "minimum",
    "pattern": "pattern",
}


def of_schema(root, schema, path, within, found):
    """The rules of a JSON schema. What only one of several choices says is a rule of none."""
    if "$ref" in schema:
        name = schema["$ref"]
        if name in within:
            return
        at = root
        for part in name.removeprefix("#/").split("/"):
            at = at[part]
        of_schema(root, at, path, within | {name}, found)
        return
    for keyword, rule in KEYWORDS.items():
        # An empty pattern matches everything: no rule.
        if keyword in schema and schema[keyword] != "":
            emit(found, path, rule, schema[keyword])
    for choices in ("oneOf", "anyOf"):
        for choice in schema.get(choices, []):
            if choice.get("$ref") or choice.get("properties") or choice.get("items"):
                of_schema(root, choice, path, within, found)
    for choice in schema.get("allOf", []):
        of_schema(root, choice, path, within, found)
    if isinstance(schema.get("items"), dict):
        of_schema(root, schema["items"], path + "[]", within, found)
    for pattern, inner in schema.get("patternProperties", {}).items():
        emit(found, path + "{key}", "pattern", pattern)
        of_schema(root, inner, path + "{}", within, found)
    for name, inner in schema.get("properties", {}).items():
        of_schema(root, inner, f"{path}.{name}" if path else name, within, found)


session = botocore.session.get_session()
schemas = Path(cfnlint.__file__).parent / "data" / "schemas"
provided = json.loads((schemas / "providers" / f"{REGION}.json").read_text())
date = json.loads((schemas / "version.json").read_text())
print(f"# botocore {version('botocore')}; CloudFormation's registry in {REGION} as cfn-lint {version('cfn-lint')} has it: {json.dumps(date)}")
for origin in dict.fromkeys(sys.argv[1:]):
    found = {}
    if "::" in origin:
        schema = json.loads((schemas / "resources" / f"{provided[origin]}.json").read_text())
        read_only = {path.removeprefix("/properties/").replace("/", ".") for path in schema.get("readOnlyProperties", [])}
        schema["properties"] = {name: it for name, it in schema["properties"].items() if name not in read_only}
        of_schema(schema, schema, "", frozenset(), found)
    else:
        service, operation = origin.split(":")
        shape = session.get_service_model(service).operation_model(operation).input_shape
        of_shape(shape, "", frozenset(), found)
    for line in found:
        print(origin, line)
