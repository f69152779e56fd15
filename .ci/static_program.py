"""Fails unless a Linux program needs nothing but itself: no interpreter, no libraries, no file of the system.

    python3 .ci/static_program.py PROGRAM

Reads its ELF headers, then runs it with a folder as its root that holds it and one input. Where the system lets nobody change the
root, that half is skipped, and said so.
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile

SAMPLE = os.path.join(os.path.dirname(__file__), "../worker/samples/payments.csv")
PT_LOAD, PT_DYNAMIC, PT_INTERP, DT_NEEDED = 1, 2, 3, 1


def headers(content):
    """The program headers of a 64-bit little-endian ELF file: type, offset, size in the file."""
    if content[:6] != b"\x7fELF\x02\x01":
        sys.exit("it is no 64-bit little-endian ELF program")
    start, = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    for at in range(start, start + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", content, at)
        yield kind, offset, length


def check_headers(path):
    with open(path, "rb") as file:
        content = file.read()
    found = list(headers(content))
    if not any(kind == PT_LOAD for kind, _, _ in found):
        sys.exit(f"{path}: nothing of it is loaded")
    for kind, offset, length in found:
        if kind == PT_INTERP:
            sys.exit(f"{path}: it asks for the interpreter {content[offset:offset + length - 1].decode()}")
        if kind == PT_DYNAMIC:
            tags = [tag for tag, _ in struct.iter_unpack("<QQ", content[offset:offset + length])]
            if DT_NEEDED in tags:
                sys.exit(f"{path}: it asks for {tags.count(DT_NEEDED)} libraries")
    print(f"    {path}: no interpreter, no libraries")


def run_in_empty_root(path):
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(path, os.path.join(root, "worker"))
        shutil.copy(SAMPLE, os.path.join(root, "in.csv"))
        own = [] if os.geteuid() == 0 else ["--map-root-user"]
        enter = ["unshare", "--fork", *own, f"--root={root}", "/worker"]

        def run(*arguments):
            return subprocess.run([*enter, *arguments], env={}, capture_output=True, text=True)

        try:
            hello = run("hello")
        except FileNotFoundError:
            print("    SKIPPED: there is no unshare to run it in an empty root")
            return
        if hello.returncode and hello.stderr.startswith("unshare: "):
            print(f"    SKIPPED: it was not run in an empty root: {hello.stderr.strip()}")
            return
        if hello.stdout != "Hello, world!\n":
            sys.exit(f"in an empty root: {hello}")
        ended = run("summarize", "--source", "in.csv", "--destination", "out.json")
        if ended.returncode:
            sys.exit(f"in an empty root: {ended}")
        with open(os.path.join(root, "out.json")) as result:
            print(f"    in an empty root: hello, and {len(result.read())} bytes of summary")


if __name__ == "__main__":
    check_headers(sys.argv[1])
    run_in_empty_root(sys.argv[1])
