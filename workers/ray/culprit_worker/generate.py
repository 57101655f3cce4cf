"""Sampling with a key-value cache. Shapes: B rows, T positions, V vocabulary."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import DynamicCache

from .checkpoint import Checkpoint
from .chunk import Chunk
from .faults import Fault, is_out_of_memory
from .forward import Result
from .hooks import Change, at_layer, change_of
from .rows import Batches
from .sampling import Rng, choose_tokens, sample_rng


@dataclass
class Sample:
    prompt: int
    ids: list[int]
    rng: Rng
    tokens: list[int] = field(default_factory=list)
    is_stopped: bool = False


def generate(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result:
    """`tokens` (int32, one sample behind another), `lengths` and `stopped` (uint8), prompt by prompt and sample by sample."""
    task = chunk.task
    samples = [
        Sample(p, example.prompt, sample_rng(task["seed"], example.prompt, task["firstSamples"][p] + i))
        for p, example in enumerate(chunk.examples)
        for i in range(task["samples"])
    ]
    size: int = task["batch"]
    # Rows side by side have nearly one length; samples of one prompt stay together and share its run.
    left = sorted(range(len(samples)), key=lambda i: (-len(samples[i].ids), i))
    while left:
        rows = [samples[i] for i in left[:size]]
        states = [list(row.rng.state) for row in rows]
        try:
            run_rows(checkpoint, chunk, rows)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            error.__traceback__ = None
            if size == 1:
                raise Fault(f"out of memory with one prompt of {len(rows[0].ids)} tokens and {task['maxTokens']} sampled ones",
                            "Sample fewer tokens (maxTokens), use dtype BF16, or GPUs with more memory.") from None
            batches.failed.append(size)
            size = max(1, min(size, len(rows)) // 2)
            for row, state in zip(rows, states):
                row.tokens, row.rng.state, row.is_stopped = [], state, False
            continue
        left = left[len(rows):]
    return {
        "tokens": torch.tensor([token for each in samples for token in each.tokens], dtype=torch.int32),
        "lengths": torch.tensor([len(each.tokens) for each in samples], dtype=torch.int32),
        "stopped": torch.tensor([each.is_stopped for each in samples], dtype=torch.uint8),
    }, {}


def run_rows(checkpoint: Checkpoint, chunk: Chunk, rows: list[Sample]) -> None:
    """Samples rows side by side until each has ended; rows that ended leave the batch."""
    stops, task = set(chunk.task["stopTokens"]), chunk.task
    with ExitStack() as stack, torch.no_grad():
        for layer, vector in chunk.steering.items():
            change = change_of(task["steering"], vector.to(checkpoint.device))
            stack.enter_context(at_layer(checkpoint, layer, at_last(change)))
        decoder = Decoder(checkpoint, rows)
        active = rows
        logits = decoder.prefill()
        while True:
            tokens = next_tokens(logits, active, task)
            kept: list[int] = []
            for r, (row, token) in enumerate(zip(active, tokens)):
                row.tokens.append(token)
                row.is_stopped = token in stops
                is_full = len(row.tokens) >= task["maxTokens"] or len(row.ids) + len(row.tokens) >= task["contextLength"]
                if not row.is_stopped and not is_full:
                    kept.append(r)
            if not kept:
                return
            if len(kept) < len(active):
                decoder.keep(kept)
                active = [active[r] for r in kept]
            logits = decoder.step([row.tokens[-1] for row in active])


def at_last(change: Change) -> Change:
    """Of a prompt its last position alone is changed; of a step there is one."""
    return lambda states: torch.cat([states[:, :-1], change(states[:, -1:])], dim=1)


def next_tokens(logits: torch.Tensor, rows: list[Sample], task: dict[str, Any]) -> list[int]:
    """Of float32 logits [B, V]."""
    for r in torch.nonzero(~torch.isfinite(logits).all(dim=1)).flatten().tolist():
        raise Fault(f"prompt {rows[r].prompt}: the model's logits are not finite",
                    "Check the checkpoint's weights (an overflow in training or conversion gives such values).")
    if task["temperature"] == 0:
        return logits.argmax(dim=1).tolist()
    # The reciprocal in float32, as the local engine's graph has it.
    inverse = torch.tensor(1 / task["temperature"], dtype=torch.float32, device=logits.device)
    probabilities = torch.softmax(logits * inverse, dim=1)
    return choose_tokens(probabilities, [row.rng.word() for row in rows], task.get("topK"), task["topP"])


class Decoder:
    """The cache of the rows that are being sampled, prompts padded at the left. A prompt is run once for all its samples beside it."""

    def __init__(self, checkpoint: Checkpoint, rows: list[Sample]) -> None:
        self.checkpoint = checkpoint
        self.cache = DynamicCache(config=checkpoint.model.config)
        self.prompts: list[list[int]] = []
        self.prompt_of: list[int] = []
        for row in rows:
            if not self.prompts or self.prompts[-1] != row.ids:
                self.prompts.append(row.ids)
            self.prompt_of.append(len(self.prompts) - 1)

    def prefill(self) -> torch.Tensor:
        width = max(map(len, self.prompts))
        ids = torch.zeros(len(self.prompts), width, dtype=torch.long)
        mask = torch.zeros(len(self.prompts), width, dtype=torch.long)
        for p, prompt in enumerate(self.prompts):
            ids[p, width - len(prompt):] = torch.tensor(prompt)
            mask[p, width - len(prompt):] = 1
        device = self.checkpoint.device
        self.mask = mask.to(device)
        self.positions = (self.mask.cumsum(1) - 1).clamp(min=0)
        self.checkpoint.forget_lengths()
        logits = self.run(ids.to(device))
        self.positions = self.positions[:, -1:]
        self.keep(self.prompt_of)
        return logits[torch.tensor(self.prompt_of, device=device)]

    def keep(self, rows: list[int]) -> None:
        """Goes on with these rows; one that is named twice becomes two."""
        index = torch.tensor(rows, device=self.checkpoint.device)
        self.cache.batch_select_indices(index)
        self.mask, self.positions = self.mask[index], self.positions[index]

    def step(self, tokens: list[int]) -> torch.Tensor:
        device = self.checkpoint.device
        self.mask = torch.cat([self.mask, torch.ones(len(tokens), 1, dtype=torch.long, device=device)], dim=1)
        self.positions = self.positions + 1
        return self.run(torch.tensor(tokens, device=device).unsqueeze(1))

    def run(self, ids: torch.Tensor) -> torch.Tensor:
        """Float32 logits [B, V] of each row's last position."""
        output = self.checkpoint.model(
            input_ids=ids, attention_mask=self.mask, position_ids=self.positions, past_key_values=self.cache,
            use_cache=True, logits_to_keep=1)
        logits: torch.Tensor = output.logits[:, -1]
        return logits.float()

