# Prints what the corrections of moto refuse a request with: the text of each error as the source has it, `{…}` for what is filled in, or the
# whole expression where it has no text of its own. The argument is their folder. Without one it prints the same of moto's own validator of
# IAM's documents, and what that asserts.
import ast
import importlib.util
import sys
from pathlib import Path


def text(node):
    """A sentence; single words are codes and names of parameters."""
    if isinstance(node, ast.JoinedStr):
        parts = (it.value if isinstance(it, ast.Constant) else "{" + ast.unparse(it.value) + "}" for it in node.values)
        found = "".join(parts)
    else:
        found = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    return found if " " in found and not found.startswith("<") else None


def called(call):
    return ast.unparse(call.func).split(".")[-1]


def refusals(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield node.exc, [*node.exc.args, *(it.value for it in node.exc.keywords)]
        # Errors that are made in one place and raised or told in another.
        elif isinstance(node, ast.Call) and called(node).endswith(("Error", "Exception", "Refused")):
            yield node, [*node.args, *(it.value for it in node.keywords)]
        # A code and a text, or a place, a value and the rule that it breaks.
        elif isinstance(node, ast.Tuple) and len(node.elts) in (2, 3) and text(node.elts[-1]):
            yield node, node.elts[-1:]


def asserted(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.test, []
        # Errors that are told later.
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("_error") and text(node.value):
            yield node, [node.value]
        elif isinstance(node, ast.Dict):
            entries = zip(node.keys, node.values)
            yield from ((it, [it]) for key, it in entries if isinstance(key, ast.Constant) and key.value == "error_message")


if sys.argv[1:]:
    for path in sorted(Path(sys.argv[1]).glob("*.py")):
        for node, parts in refusals(ast.parse(path.read_text())):
            found = next(filter(None, map(text, parts)), None)
            print(f"{path.stem}: {found or ast.unparse(node)}")
else:
    folder = importlib.util.find_spec("moto").submodule_search_locations[0]
    tree = ast.parse(Path(folder, "iam", "policy_validation.py").read_text())
    raised = [(node, parts) for node, parts in refusals(tree) if isinstance(node, ast.Call)]
    for node, parts in [*raised, *asserted(tree)]:
        print(next(filter(None, map(text, parts)), None) or ast.unparse(node))
