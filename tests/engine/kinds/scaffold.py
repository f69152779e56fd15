# Prints the first draft of a kind's file, and of its contract behind a line `---`, from the CloudFormation schema that comes with the
# sandbox's cfn-lint: `scaffold.py AWS::SQS::Queue sqs`. A person edits it: which absence means what, what nobody needs, what refers to what.
import json
import re
import sys
from pathlib import Path

import cfnlint

of, service = sys.argv[1:]
folder = Path(cfnlint.__file__).parent / "data" / "schemas"
known = json.loads((folder / "providers" / "us-east-1.json").read_text())
if of not in known:
    sys.exit(f"{of} is not among the types of us-east-1")
schema = json.loads((folder / "resources" / f"{known[of]}.json").read_text())
kind = of.split("::")[-1]


def paths(list_of):
    return {path.removeprefix("/properties/") for path in schema.get(list_of, [])}


CREATE_ONLY, READ_ONLY, WRITE_ONLY = paths("createOnlyProperties"), paths("readOnlyProperties"), paths("writeOnlyProperties")
tagging = schema.get("tagging", {})
TAGS = tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/") if tagging.get("taggable", True) else ""
NAMES = {path for path in paths("primaryIdentifier") if path not in READ_ONLY} | {f"{kind}Name"} & set(schema["properties"])
structures = []


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def camel(name):
    """As `tests/engine/kinds/cloudformation.rs` lowers it: a leading acronym whole."""
    capitals = len(name) - len(name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    head = capitals - 1 if 1 < capitals < len(name) else capitals
    return name[:head].lower() + name[head:]


def resolved(it):
    while "$ref" in it:
        it = {**schema["definitions"][it["$ref"].split("/")[-1]], "named": it["$ref"].split("/")[-1]}
    return it


def documented(it, name):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>|``|\[([^\]]*)\]\([^)]*\)", r"\1", it.get("description") or "")).strip()
    first = re.split(r"(?<=\.) ", text)[0] if text else ""
    return first or f"TODO: what `{camel(name)}` is, its unit, its range."


def rust(it, name):
    """Its type, and the words that its schema says."""
    words = []
    kind_of = it.get("type")
    kind_of = next((one for one in kind_of if one != "null"), None) if isinstance(kind_of, list) else kind_of
    if kind_of == "object" and it.get("properties"):
        structure = it.get("named") or name
        if structure not in [known for known, _ in structures]:
            structures.append((structure, it))
        return structure, words
    if kind_of == "array":
        item, inner = rust(resolved(it.get("items", {})), name.removesuffix("s"))
        if it.get("insertionOrder") is False or it.get("uniqueItems"):
            words.append("set")
        limits = (it.get("minItems"), it.get("maxItems"))
        words += [f"length({limits[0] or ''}..={limits[1]})"] if limits[1] else []
        return f"Vec<{item}>", words + [f"items_{word}" for word in inner if word.startswith("one_of")]
    if it.get("enum"):
        words.append("one_of(" + ", ".join(json.dumps(value) for value in it["enum"]) + ")")
    if kind_of in ("integer", "number"):
        least, most = it.get("minimum"), it.get("maximum")
        words += [f"range({'' if least is None else least}..={most})"] if most is not None else (
            [f"range({least}..)"] if least is not None else [])
        return "i32" if kind_of == "integer" else "f64", words
    if kind_of == "boolean":
        return "bool", words
    if kind_of == "string":
        words += [f"length({it.get('minLength') or ''}..={it['maxLength']})"] if it.get("maxLength") else []
        if it.get("pattern"):
            hashes = "#" * ('"' in it["pattern"])
            words.append(f'regex(r{hashes}"{it["pattern"]}"{hashes})')
        return "String", words
    return ("BTreeMap<String, String>" if it.get("patternProperties") else "serde_json::Value"), words


def field(name, it, required, path):
    it = resolved(it)
    type_of, words = rust(it, name)
    if it.get("default") is not None and not isinstance(it["default"], (list, dict)):
        words.insert(0, f"default = {json.dumps(it['default'])}")
    elif not required:
        # TODO of every draft: whose value counts where a manifest says none (D3).
        words.insert(0, "empty")
        type_of = type_of if type_of.startswith(("Vec<", "BTreeMap<")) else f"Option<{type_of}>"
    elif type_of.startswith(("Vec<", "BTreeMap<")):
        words.insert(0, "required")
    words += ["create_only"] * (path in CREATE_ONLY) + ["write_only"] * (path in WRITE_ONLY)
    yield f"    /// {documented(it, name)}"
    if camel(name) != re.sub(r"_(.)", lambda m: m[1].upper(), snake(name)):
        yield f'    #[serde(rename = "{camel(name)}")]'
    if words:
        yield f"    #[field({', '.join(words)})]"
    yield f"    pub {snake(name)}: {type_of},"


def structure(name, properties, required, at, doc, left_out=frozenset()):
    yield from ["", f"/// {doc}", "#[spec]", f"pub struct {name} {{"]
    for one in sorted(properties):
        if one not in left_out:
            yield from field(one, properties[one], one in required, at + one)
    yield "}"


actions = sorted({action for handler in schema.get("handlers", {}).values() for action in handler.get("permissions", [])})
own = [action.split(":")[1] for action in actions if action.startswith(f"{service}:")]
reads = [action for action in own if re.match("Get|List|Describe", action)]
writes = [action for action in own if action not in reads]
body = list(structure("Spec", schema["properties"], schema.get("required", []), "", f"What a manifest declares of a {kind}.",
                      READ_ONLY | NAMES | {TAGS}))
for name, it in structures:
    body += structure(name, it["properties"], it.get("required", []), "", documented(it, name))
outputs = [line for name in sorted(READ_ONLY) if "/" not in name
           for line in (f"    /// {documented(resolved(schema['properties'].get(name, {})), name)}", f"    pub {snake(name)}: String,")]
not_managed = [f"        ({json.dumps(camel(name))}, {json.dumps('metadata.tags' if name == TAGS else 'metadata.physicalName')}),"
               for name in sorted(NAMES | ({TAGS} & set(schema["properties"])))]
print("\n".join([
    f"//! `{service}/{kind}`: TODO.", "", "use crate::kind::prelude::*;", "", f"/// TODO: what a {kind} is.", f"pub struct {kind};",
    *body, "", f"/// What AWS assigns to a {kind}.", "#[outputs]", "pub struct Outputs {", *outputs, "}", "", f"impl Kind for {kind} {{",
    "    type Spec = Spec;", "    type Outputs = Outputs;", f"    type Service = crate::services::{service}::{service.capitalize()};",
    "    type Seen = ();", "", f"    const NAME: &'static str = \"{service}/{kind}\";",
    "    const NAMES: NameRule = NameRule::of(1..=128, \"-_\"); // TODO: AWS's own",
    f"    const ARN: Option<On> = Some(On::Regional(\"{service}\", \"{snake(kind).replace('_', '-')}/{{name}}\")); // TODO",
    "    const ABOUT: &'static str = \"TODO: a sentence.\";", f"    const CLOUDFORMATION: &'static str = \"{of}\";",
    "    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[", *not_managed, "    ];",
    "    const GRANTS: Grants = Grants {", f"        read: &[Grant::any(actions![{service}: {' '.join(reads)}])],",
    f"        write: &[Grant::any(actions![{service}: {' '.join(writes)}])],", "    };",
    f"    const EXAMPLE: &'static str = include_str!(\"{snake(kind)}.example.yaml\");", "}",
    "---", "subject: one", "manifests: |", "  apiVersion: batchwright/v1", f"  kind: {service}/{kind}", "  metadata: {name: one}",
    "  spec: {}", "changes:",
    *(f"  {camel(name)}: {{{camel(name)}: TODO}}" for name in sorted(schema["properties"]) if name not in READ_ONLY | NAMES | CREATE_ONLY | {TAGS}),
]))
