"""Holds `cargo run`, `cargo test` and `cargo clippy` to one build of the AWS SDKs, which is nine tenths of the first build.

Cargo builds a crate once for each set of features that it is asked for with, and what only tests depend on may ask for more of
what the SDKs stand on. So it is compared with which features each of these crates is built with and without the tests; what
differs is named in the manifest, as the comment there says.
"""

import json
import subprocess
import sys


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def features(edges):
    """Crate → the sets of features that it is built with."""
    built = {}
    for line in cargo("tree", "--locked", "--workspace", "--edges", edges, "--prefix", "none", "--format", "{p}|{f}").splitlines():
        crate, _, named = line.removesuffix(" (*)").partition("|")
        built.setdefault(crate.removesuffix(" (proc-macro)"), set()).add(named)
    return built


def below_the_sdks():
    """Every SDK, and every crate that one stands on."""
    metadata = json.loads(cargo("metadata", "--locked", "--format-version", "1"))
    crates = {package["id"]: f"{package['name']} v{package['version']}" for package in metadata["packages"]}
    needs = {
        node["id"]: [it["pkg"] for it in node["deps"] if any(kind["kind"] != "dev" for kind in it["dep_kinds"])]
        for node in metadata["resolve"]["nodes"]
    }
    waiting = [it for it, crate in crates.items() if crate.startswith(("aws-sdk-", "aws-config "))]
    found = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += needs[one]
    return {crates[it] for it in found}


def main():
    run, test = features("normal,build"), features("normal,build,dev")
    sdks = below_the_sdks()
    twice = sorted(it for it in sdks if it in run and run[it] != test[it])
    for crate in twice:
        print(f"{crate}: built anew by `cargo test`: {sorted(run[crate])} without the tests, {sorted(test[crate])} with them")
    print(f"{len(sdks)} crates, the SDKs and what they stand on; {len(twice)} of them are built twice")
    sys.exit(bool(twice))


main()
