"""Rows of a batch: one response behind its prompt each, padded at the right, so that causal attention needs no other mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch

from .chunk import Example
from .faults import Fault, is_out_of_memory

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    # Index into the responses of all examples together.
    place: int
    example: int
    ids: list[int]
    # Where the response begins.
    start: int

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> range:
        """Positions that a response token is predicted from; nothing predicts the first one of a row without a prompt."""
        return range(max(self.start, 1) - 1, self.length - 1)


def rows_of(examples: list[Example]) -> list[Row]:
    rows: list[Row] = []
    for index, example in enumerate(examples):
        for response in example.responses:
            rows.append(Row(len(rows), index, example.prompt + response, len(example.prompt)))
    return rows


def plan_batches(rows: list[Row], batch_tokens: int, equal_lengths: bool) -> Iterator[list[Row]]:
    """Longest first, so that memory is short at once or never; `batch_tokens` counts padding. A longer row runs alone."""
    batch: list[Row] = []
    for row in sorted(rows, key=lambda each: (-each.length, each.place)):
        is_full = bool(batch) and (len(batch) + 1) * batch[0].length > batch_tokens
        if is_full or (batch and equal_lengths and row.length != batch[0].length):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


class Batches:
    """Runs rows batch by batch, with half the tokens from then on where memory runs out. Shared by all chunks of a checkpoint on a worker."""

    def __init__(self, batch_tokens: int, equal_lengths: bool) -> None:
        self.batch_tokens = batch_tokens
        self.equal_lengths = equal_lengths
        # What was too much, for the control plane to tell.
        self.failed: list[int] = []

    def run(self, rows: list[Row], run: Callable[[list[Row]], T]) -> list[tuple[list[Row], T]]:
        done: list[tuple[list[Row], T]] = []
        left = rows
        while left:
            batch = next(plan_batches(left, self.batch_tokens, self.equal_lengths))
            try:
                result = run(batch)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                error.__traceback__ = None  # its frames hold the tensors that are in the way
                self.shrink(batch)
                continue
            done.append((batch, result))
            taken = {row.place for row in batch}
            left = [row for row in left if row.place not in taken]
        return done

    def shrink(self, batch: list[Row]) -> None:
        free_memory()
        if len(batch) == 1:
            raise Fault(f"out of memory with one sequence of {batch[0].length} tokens",
                        "Cut responses shorter (maxTokens), use dtype BF16, or GPUs with more memory.")
        self.failed.append(self.batch_tokens)
        # Below what the batch really had: the limit itself may be far above it.
        self.batch_tokens = min(self.batch_tokens, len(batch) * batch[0].length) // 2


def free_memory() -> None:
    """Gives what PyTorch keeps of the GPU's memory back."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def padded(rows: list[Row], device: torch.device) -> torch.Tensor:
    """Token ids [B, T]; padding is token 0, which nothing that counts looks at."""
    width = max(row.length for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    for r, row in enumerate(rows):
        ids[r, :row.length] = torch.tensor(row.ids)
    return ids.to(device)
