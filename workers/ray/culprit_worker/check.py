"""The tiny job of `culprit cluster check`: one task on every node, which says what a worker would find there."""

from __future__ import annotations

import json
import logging
import os
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

PACKAGES = ["torch", "transformers", "peft", "safetensors", "numpy"]
# The line of the job's log that the control plane reads; Ray writes lines of its own around it.
MARK = "CULPRIT-CHECK "


def check(probe: str | None) -> None:
    ray.init(address="auto", logging_level=logging.WARNING)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    look_there = ray.remote(num_cpus=0, max_retries=0)(look)
    calls = [
        look_there.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(probe)
        for node in nodes
    ]
    found = []
    for node, call in zip(nodes, calls):
        try:
            found.append(ray.get(call, timeout=120))
        except Exception as error:  # what one node cannot do is a finding
            found.append({"node": node["NodeManagerHostname"], "error": str(error)[-500:]})
    print(MARK + json.dumps({"nodes": found}), flush=True)


def look(probe: str | None) -> dict[str, Any]:
    versions, missing = {}, []
    for name in PACKAGES:
        try:
            import_module(name)
            versions[name] = metadata.version(name)
        except Exception as error:  # a package may break in more ways than ImportError
            missing.append(f"{name}: {type(error).__name__}: {error}"[:200])
    return {
        "node": os.uname().nodename, "python": sys.version.split()[0], "versions": versions, "missing": missing,
        "gpus": describe_gpus() if "torch" in versions else [], "storage": None if probe is None else try_storage(probe),
    }


def describe_gpus() -> list[str]:
    import torch

    return [
        f"{torch.cuda.get_device_name(i)}, {torch.cuda.get_device_properties(i).total_memory / 2**30:.0f} GiB"
        for i in range(torch.cuda.device_count())
    ]


def try_storage(probe: str) -> str:
    """Reads what the control plane wrote, and writes beside it: `ok`, or what went wrong."""
    path = Path(probe)
    try:
        path.read_text()
        answer = path.with_name(f"{path.name}.{os.uname().nodename}.{os.getpid()}")
        answer.write_text("here")
        answer.unlink()
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return "ok"
