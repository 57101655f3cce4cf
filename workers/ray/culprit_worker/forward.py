"""What is read of responses after their prompts. Shapes: B rows, T positions, D width, R response tokens, V vocabulary."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import torch

from .checkpoint import Checkpoint
from .chunk import Chunk
from .hooks import Change, Stop, at_layer, change_of, head_input
from .rows import Batches, Row, padded, rows_of

Result = tuple[dict[str, torch.Tensor], dict[str, Any]]


def embed(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result:
    """`means` [M, L, D]: the mean residual stream over each response's tokens, summed in float32 on the device."""
    layers: list[int] = chunk.task["layers"]
    rows = rows_of(chunk.examples)
    done = batches.run(rows, lambda batch: pooled(checkpoint, batch, layers))
    means = in_order(rows, done)
    return {"means": means}, not_finite_layer(means, rows, layers)


def embed_tokens(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result:
    """`activations` [sum of R, D]: the residual stream at each response token, in the order of the responses."""
    layer: int = chunk.task["layer"]
    rows = rows_of(chunk.examples)

    def run(batch: list[Row]) -> list[torch.Tensor]:
        states = states_at(checkpoint, batch, [layer])[layer].float()
        return [states[r, row.start:row.length].cpu() for r, row in enumerate(batch)]

    found = {row.place: each for batch, result in batches.run(rows, run) for row, each in zip(batch, result)}
    about: dict[str, Any] = {}
    for row in rows:
        if not about and not bool(torch.isfinite(found[row.place]).all()):
            about = {"notFinite": {"example": row.example, "layer": layer}}
    return {"activations": torch.cat([found[row.place] for row in rows])}, about


def logprobs(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result:
    """`logprobs` [M], float64: the sum of the log-probabilities of each response's tokens, in nats."""
    rows = rows_of(chunk.examples)

    def run(batch: list[Row]) -> torch.Tensor:
        targets = torch.tensor([row.ids[t + 1] for row in batch for t in row.predicted], device=checkpoint.device)
        gathered = lambda states: predictors(states, batch).unsqueeze(0)  # noqa: E731
        with ExitStack() as stack:
            steer_responses(stack, checkpoint, chunk, batch)
            stack.enter_context(head_input(checkpoint, gathered))
            logits = forward(checkpoint, batch).logits[0].float()  # [sum of R, V]
        chosen = logits.gather(1, targets.unsqueeze(1))[:, 0] - logits.logsumexp(1)
        return per_row(chosen.double().unsqueeze(1), batch)[:, 0].cpu()

    sums = in_order(rows, batches.run(rows, run))
    return {"logprobs": sums}, not_finite_example(sums.unsqueeze(1), rows)


def predicting_states(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> Result:
    """`sums` [M, D]: the states behind the final norm that predict each response's tokens, summed in float32."""
    rows = rows_of(chunk.examples)

    def run(batch: list[Row]) -> torch.Tensor:
        found: list[torch.Tensor] = []

        def take(states: torch.Tensor) -> torch.Tensor:
            found.append(predictors(states, batch).float())
            raise Stop

        with head_input(checkpoint, take):
            forward(checkpoint, batch)
        return per_row(found[0], batch).cpu()

    sums = in_order(rows, batches.run(rows, run))
    return {"sums": sums}, not_finite_example(sums, rows)


def forward(checkpoint: Checkpoint, batch: list[Row]) -> Any:
    """The whole model over a batch, or as much of it as runs before a hook stops it."""
    checkpoint.forget_lengths()
    with torch.no_grad():
        try:
            return checkpoint.model(input_ids=padded(batch, checkpoint.device), use_cache=False)
        except Stop:
            return None


def states_at(checkpoint: Checkpoint, batch: list[Row], layers: list[int]) -> dict[int, torch.Tensor]:
    """The residual stream [B, T, D] at each layer; no block above the highest runs."""
    found: dict[int, torch.Tensor] = {}
    top = max(layers)

    def visitor(layer: int) -> Any:
        def visit(states: torch.Tensor) -> None:
            found[layer] = states
            if layer == top:
                raise Stop

        return visit

    with ExitStack() as stack:
        for layer in layers:
            stack.enter_context(at_layer(checkpoint, layer, visitor(layer)))
        forward(checkpoint, batch)
    return found


def pooled(checkpoint: Checkpoint, batch: list[Row], layers: list[int]) -> torch.Tensor:
    """Means over responses [B, L, D], on the CPU."""
    with torch.no_grad():
        states = states_at(checkpoint, batch, layers)
        width = states[layers[0]].shape[1]
        shares = torch.zeros(len(batch), 1, width)
        for r, row in enumerate(batch):
            shares[r, 0, row.start:row.length] = 1 / (row.length - row.start)
        shares = shares.to(checkpoint.device)
        # A padded position of a state that is not finite would make 0 · ∞: the mask takes it out first.
        mask = (shares[:, 0] > 0).unsqueeze(2)
        return torch.stack([
            torch.bmm(shares, states[layer].float().masked_fill(~mask, 0.0))[:, 0] for layer in layers
        ], dim=1).cpu()


def predictors(states: torch.Tensor, batch: list[Row]) -> torch.Tensor:
    """The states [sum of R, D] that response tokens are predicted from, row by row."""
    rows = torch.tensor([r for r, row in enumerate(batch) for _ in row.predicted], device=states.device)
    positions = torch.tensor([t for row in batch for t in row.predicted], device=states.device)
    return states[rows, positions]


def per_row(values: torch.Tensor, batch: list[Row]) -> torch.Tensor:
    """Sums [B, ·] of values [sum of R, ·] that lie row by row."""
    return torch.stack([each.sum(0) for each in values.split([len(row.predicted) for row in batch])])


def steer_responses(stack: ExitStack, checkpoint: Checkpoint, chunk: Chunk, batch: list[Row]) -> None:
    """Changes the stream from each prompt's last token on."""
    width = max(row.length for row in batch)
    starts = torch.tensor([max(row.start, 1) - 1 for row in batch], device=checkpoint.device)
    mask = (torch.arange(width, device=checkpoint.device) >= starts.unsqueeze(1)).unsqueeze(2)
    for layer, vector in chunk.steering.items():
        change = change_of(chunk.task["steering"], vector.to(checkpoint.device))
        stack.enter_context(at_layer(checkpoint, layer, from_mask(change, mask)))


def from_mask(change: Change, mask: torch.Tensor) -> Change:
    return lambda states: torch.where(mask, change(states), states)


def in_order(rows: list[Row], done: list[tuple[list[Row], torch.Tensor]]) -> torch.Tensor:
    """Results of batches as one tensor [M, ...] in the order of the responses."""
    found = {row.place: each for batch, result in done for row, each in zip(batch, result)}
    return torch.stack([found[row.place] for row in rows])


def not_finite_layer(means: torch.Tensor, rows: list[Row], layers: list[int]) -> dict[str, Any]:
    for row in rows:
        for l, layer in enumerate(layers):
            if not bool(torch.isfinite(means[row.place, l]).all()):
                return {"notFinite": {"example": row.example, "layer": layer}}
    return {}


def not_finite_example(values: torch.Tensor, rows: list[Row]) -> dict[str, Any]:
    for row in rows:
        if not bool(torch.isfinite(values[row.place]).all()):
            return {"notFinite": {"example": row.example}}
    return {}
