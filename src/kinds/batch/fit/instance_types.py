# Writes instance_types.txt, what EC2 says of each instance type, from moto's copy of DescribeInstanceTypes:
# python3 src/kinds/batch/fit/instance_types.py, with the Python that has the sandbox's moto.
import gzip
import json
import pathlib
from importlib import metadata, resources

with gzip.open(resources.files("moto.ec2.resources") / "instance_types.json.gz") as file:
    types = json.load(file)
lines = [
    "# What EC2 offers, in us-east-1: type, vCPUs, MiB, GPUs, architecture. Written by instance_types.py",
    f"# from moto {metadata.version('moto')}, taken on 2026-12-01, which has it from EC2's DescribeInstanceTypes.",
]
for name, of in sorted(types.items()):
    gpus = sum(max(gpu["Count"], gpu.get("LogicalGpuCount", 0)) for gpu in of.get("GpuInfo", {}).get("Gpus", []) if gpu.get("Manufacturer") == "NVIDIA")
    arm = any(name.startswith("arm64") for name in of["ProcessorInfo"]["SupportedArchitectures"])
    architecture = "ARM64" if arm else "X86_64"
    lines.append(f"{name} {of['VCpuInfo']['DefaultVCpus']} {of['MemoryInfo']['SizeInMiB']} {gpus} {architecture}")
pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")
