"""Chunks of work and their results, as safetensors files. N examples, M responses of all of them together.

A chunk has `prompts` and `responses` (int32, one behind another), `promptLengths` [N], `responseLengths` [M] and
`responseCounts` [N], for steering `steer.<layer>` (float32 [D]), and in its metadata, under "culprit", the task as JSON,
which names the checkpoint's folder and that of an adapter.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .faults import Fault


@dataclass(frozen=True)
class Example:
    """A prompt and the responses that follow it, as token ids."""

    prompt: list[int]
    responses: list[list[int]]


@dataclass(frozen=True)
class Chunk:
    """Some examples and what is asked of them; `task["op"]` says what."""

    task: dict[str, Any]
    examples: list[Example]
    # By layer, float32 [D]; already scaled, or of length 1 where it is projected out.
    steering: dict[int, torch.Tensor] = field(default_factory=dict)


def read_chunk(path: Path) -> Chunk:
    with safe_open(path, framework="pt") as file:
        names = set(file.keys())
        tensors = {name: file.get_tensor(name) for name in names}
        task = json.loads((file.metadata() or {})["culprit"])
    prompts = iter(split(tensors["prompts"], tensors["promptLengths"]))
    responses = iter(split(tensors["responses"], tensors["responseLengths"]))
    examples = [
        Example(next(prompts), [next(responses) for _ in range(count)])
        for count in tensors["responseCounts"].tolist()
    ]
    prefix = "steer."
    steering = {int(name[len(prefix):]): tensors[name] for name in names if name.startswith(prefix)}
    return Chunk(task, examples, steering)


def split(ids: torch.Tensor, lengths: torch.Tensor) -> list[list[int]]:
    found, at, values = [], 0, ids.tolist()
    for length in lengths.tolist():
        found.append(values[at:at + length])
        at += length
    if at != len(values):
        raise Fault(f"chunk: expected {at} token ids by its lengths, got {len(values)}")
    return found


def write_result(path: Path, tensors: dict[str, torch.Tensor], about: dict[str, Any]) -> None:
    """Writes a result whole or not at all, on the disk before it has its name: two workers may write the same one."""
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    try:
        save_file({name: each.contiguous() for name, each in tensors.items()}, partial,
                  metadata={"culprit": json.dumps(about, sort_keys=True)})
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
