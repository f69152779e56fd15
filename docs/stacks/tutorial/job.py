"""A job that ends as it is told: python3 job.py --ok_or_ng ok."""

import argparse
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--ok_or_ng", choices=["ok", "ng"], default="ok")
said = parser.parse_args().ok_or_ng
print("started")
print("ended well" if said == "ok" else "ended badly")
sys.exit(said != "ok")
