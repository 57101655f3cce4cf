"""One chunk from task to file."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .checkpoint import Checkpoint
from .chunk import Chunk, write_result
from .faults import Fault
from .forward import Result, embed, embed_tokens, logprobs, predicting_states
from .generate import generate
from .rows import Batches


class Operation(Protocol):
    def __call__(self, checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result: ...


OPERATIONS: dict[str, Operation] = {
    "embed": embed,
    "embedTokens": embed_tokens,
    "logprobs": logprobs,
    "predictingStates": predicting_states,
    "generate": generate,
}


def run_chunk(checkpoint: Checkpoint, batches: Batches, chunk: Chunk, result: Path) -> None:
    """Does what the chunk asks for and writes the result."""
    operation = OPERATIONS.get(chunk.task["op"])
    if operation is None:
        raise Fault(f"chunk: expected one of {', '.join(OPERATIONS)}, got {chunk.task['op']}")
    batches.failed.clear()
    tensors, about = operation(checkpoint, chunk, batches)
    if batches.failed:
        about = {**about, "outOfMemory": list(batches.failed)}
    write_result(result, tensors, about)
