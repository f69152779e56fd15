#!/usr/bin/env python3
"""Times the worker beside what a user would take instead, in one run on one machine.

    python3 -m venv venv && venv/bin/pip install -r worker/benches/compare/requirements.txt
    CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 cargo build --release --locked -p batchwright-worker
    venv/bin/python worker/benches/compare/run.py target/release/batchwright-worker payments.csv lines.jsonl

The payments are a CSV of the seed's columns, the lines JSON with `stars` and `review_count`. Every run is a process of its own,
start-up included; the rounds are interleaved, so that what else the machine does meets all alike. Printed are the medians:
CPU seconds (user and system, and the least of all rounds), wall seconds, MB (10^6 bytes) of input a second, and the largest resident memory. First all
answers are compared: counts exactly, sums to 1e-9.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

SUMMARIZE = {
    "pandas": """
import pandas, json
d = pandas.read_csv(SOURCE)
json.dump({"total_purchase": float(d.payment_value.sum()), "average_purchase": float(d.payment_value.mean()),
 "max_value_purchase": float(d.payment_value.max()), "min_value_purchase": float(d.payment_value.min()),
 "payments_with_instalments": int(d[d.payment_installments > 1].order_id.count()),
 "payment_type": d.payment_type.value_counts().to_dict()}, open(RESULT, "w"))""",
    "polars": """
import polars as p, json
c = p.col("payment_value"); s = p.scan_csv(SOURCE)
r, k = p.collect_all([
 s.select(c.sum().alias("t"), c.mean().alias("a"), c.max().alias("x"), c.min().alias("n"),
  (p.col("payment_installments").gt(1) & p.col("order_id").is_not_null()).sum().alias("i")),
 s.group_by("payment_type").len()], engine="streaming")
t, a, x, n, i = r.row(0)
json.dump({"total_purchase": t, "average_purchase": a, "max_value_purchase": x, "min_value_purchase": n,
 "payments_with_instalments": i, "payment_type": dict(k.rows())}, open(RESULT, "w"))""",
    "duckdb": """
import duckdb, json
rows = duckdb.sql(f'''SELECT payment_type, count(*), sum(payment_value), max(payment_value), min(payment_value),
 count(order_id) FILTER (payment_installments > 1) FROM read_csv('{SOURCE}') GROUP BY 1''').fetchall()
count, total = sum(r[1] for r in rows), sum(r[2] for r in rows)
json.dump({"total_purchase": total, "average_purchase": total / count, "max_value_purchase": max(r[3] for r in rows),
 "min_value_purchase": min(r[4] for r in rows), "payments_with_instalments": sum(r[5] for r in rows),
 "payment_type": {r[0]: r[1] for r in rows}}, open(RESULT, "w"))""",
}

TRANSFORM = {
    "python json": """
import json
with open(SOURCE) as lines, open(RESULT, "w") as out:
    for line in lines:
        o = json.loads(line); o["review_score"] = float(o["stars"]) * float(o["review_count"])
        out.write(json.dumps(o) + "\\n")""",
    "orjson": """
import orjson
with open(SOURCE, "rb") as lines, open(RESULT, "wb") as out:
    for line in lines:
        o = orjson.loads(line); o["review_score"] = float(o["stars"]) * float(o["review_count"])
        out.write(orjson.dumps(o, option=orjson.OPT_APPEND_NEWLINE))""",
    "polars": """
import polars as p
(p.scan_ndjson(SOURCE).with_columns((p.col("stars") * p.col("review_count")).alias("review_score"))
 .sink_ndjson(RESULT, engine="streaming"))""",
    "duckdb": """
import duckdb
duckdb.sql(f"COPY (SELECT *, stars * review_count AS review_score FROM read_json('{SOURCE}', format='newline_delimited')) TO '{RESULT}' (FORMAT json)")""",
    "duckdb, 4 fields": """
import duckdb
duckdb.sql(f"COPY (SELECT business_id, stars, review_count, stars * review_count AS review_score FROM read_json('{SOURCE}', format='newline_delimited')) TO '{RESULT}' (FORMAT json)")""",
    "polars, 4 fields": """
import polars as p
(p.scan_ndjson(SOURCE).select("business_id", "stars", "review_count", (p.col("stars") * p.col("review_count")).alias("review_score"))
 .sink_ndjson(RESULT, engine="streaming"))""",
}


def timed(command):
    """Runs a command to its end: wall seconds, CPU seconds, largest resident MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"{command[:3]} ended with {status}: {said.decode()[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def commands(ours, command, source, folder, others):
    """The command of each contestant, and where it writes."""
    result = os.path.join(folder, "worker")
    yield "worker", [ours, command, "--source", source, "--destination", result], result
    for name, code in others.items():
        result = os.path.join(folder, name.replace(" ", "-").replace(",", ""))
        yield name, [sys.executable, "-c", f"SOURCE = {source!r}; RESULT = {result!r}\n{code}"], result


def check_summary(name, result, expected):
    found = json.load(open(result))
    for key, value in expected.items():
        same = found[key] == value if isinstance(value, (dict, int)) else abs(found[key] - value) <= 1e-9 * abs(value)
        if not same:
            sys.exit(f"{name}: {key} is {found[key]}, not {value}")


def check_lines(name, result, expected):
    total, count = scores(result)
    if count != expected[1] or abs(total - expected[0]) > 1e-9 * expected[0]:
        sys.exit(f"{name}: {count} lines with {total} in all, not {expected}")


def scores(path):
    total, count = 0.0, 0
    with open(path) as lines:
        for line in lines:
            total, count = total + json.loads(line)["review_score"], count + 1
    return total, count


def compare(title, contestants, source, rounds, check, expect):
    figures = {name: [] for name, _, _ in contestants}
    for number in range(rounds):
        for name, command, result in contestants:
            figures[name].append(timed(command))
            if number == 0:
                expected = expect(contestants[0][2]) if name == "worker" else expected
                check(name, result, expected)
            os.remove(result)
    megabytes = os.path.getsize(source) / 1e6
    print(f"\n{title}, {megabytes:.0f} MB, medians of {rounds}\n")
    print("| | CPU s | least CPU s | wall s | MB/s | peak MB | CPU against the worker's |\n|---|---|---|---|---|---|---|")
    own = statistics.median(cpu for _, cpu, _ in figures["worker"])
    for name, runs in figures.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*runs))
        least = min(cpu for _, cpu, _ in runs)
        print(f"| {name} | {cpu:.2f} | {least:.2f} | {wall:.2f} | {megabytes / wall:.0f} | {peak:.0f} | {cpu / own:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("worker")
    parser.add_argument("payments")
    parser.add_argument("lines")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", action="store_true", help="pandas' and Python's own loops, too")
    arguments = parser.parse_args()
    slow = {} if arguments.slow else {"python json"}
    ours, payments, lines = map(os.path.abspath, (arguments.worker, arguments.payments, arguments.lines))
    with tempfile.TemporaryDirectory() as folder:
        contestants = list(commands(ours, "summarize", payments, folder, SUMMARIZE))
        compare("summarize", contestants, payments, arguments.rounds, check_summary, lambda path: json.load(open(path)))
        others = {name: code for name, code in TRANSFORM.items() if name not in slow}
        contestants = list(commands(ours, "transform", lines, folder, others))
        compare("transform", contestants, lines, arguments.rounds, check_lines, scores)


if __name__ == "__main__":
    main()
