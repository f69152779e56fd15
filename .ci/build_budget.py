"""Builds the program from nothing, and holds that to the budget of docs/build-budget.md: what a new service's SDK costs shows here.

    python3 .ci/build_budget.py debug      what a fresh clone waits for before `cargo run -- demo`
    python3 .ci/build_budget.py release    what a workflow waits for, and the program that it gets

The dependencies are fetched first, and not counted. It takes as long as the builds do: whoever adds a service runs it, on a
machine that does nothing else, and writes the service's line into the page. `.ci/run` does not.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

# Seconds on two cores, and MB (10^6 bytes) of the program, with today's services; a service more may add what its line says.
BUDGET = {"debug": (540, None), "release": (540, 45)}


def seconds_of_crates(target):
    """Crate → seconds, from the page that `cargo build --timings` writes."""
    with open(os.path.join(target, "cargo-timings", "cargo-timing.html"), encoding="utf-8") as page:
        units = re.search(r"UNIT_DATA = (\[.*?\]);\n", page.read(), re.DOTALL)
    took = {}
    for unit in json.loads(units[1]) if units else []:
        took[unit["name"]] = took.get(unit["name"], 0) + unit["duration"]
    return took


def main():
    profile = sys.argv[1] if len(sys.argv) == 2 else ""
    if profile not in BUDGET:
        sys.exit(__doc__)
    most_seconds, most_size = BUDGET[profile]
    subprocess.run(["cargo", "fetch", "--locked", "--quiet"], check=True)
    with tempfile.TemporaryDirectory() as target:
        environment = {**os.environ, "CARGO_TARGET_DIR": target, "CARGO_INCREMENTAL": "0"}
        command = ["cargo", "build", "--locked", "--quiet", "--timings", *(["--release"] if profile == "release" else [])]
        begun = time.monotonic()
        subprocess.run(command, check=True, env=environment)
        took = time.monotonic() - begun
        size = os.path.getsize(os.path.join(target, profile, "batchwright")) / 1e6
        crates = seconds_of_crates(target)
    dearest = sorted(((seconds, crate) for crate, seconds in crates.items()), reverse=True)
    for seconds, crate in [it for it in dearest if it[1].startswith("aws-sdk-")] + dearest[:12]:
        print(f"{seconds:7.1f} s  {crate}")
    print(f"{profile}: {took:.0f} s of at most {most_seconds}, {os.cpu_count()} cores; {size:.1f} MB" + (f" of at most {most_size}" if most_size else ""))
    sys.exit(took > most_seconds or (most_size is not None and size > most_size))


main()
