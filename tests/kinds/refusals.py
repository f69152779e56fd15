# Prints what the corrections of moto refuse a request with: the text of each error as the source has it, `{…}` for what is filled in, or the
# whole expression where it has no text of its own. The argument is their folder.
import ast
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


for path in sorted(Path(sys.argv[1]).glob("*.py")):
    for node, parts in refusals(ast.parse(path.read_text())):
        found = next(filter(None, map(text, parts)), None)
        print(f"{path.stem}: {found or ast.unparse(node)}")
