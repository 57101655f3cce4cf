"""Looking into the residual stream, and changing it. Shapes: B rows, T positions, D width, n blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from .checkpoint import Checkpoint

Change = Callable[[torch.Tensor], torch.Tensor]


class Stop(Exception):
    """Everything asked for is there: the blocks above need not run."""


@contextmanager
def at_layer(checkpoint: Checkpoint, layer: int, visit: Callable[[torch.Tensor], torch.Tensor | None]) -> Iterator[None]:
    """Calls `visit` with the residual stream [B, T, D] at a layer; what it gives back takes its place."""
    if layer == 0:
        def before(_: Any, args: Any, kwargs: Any) -> Any:
            inside = "hidden_states" in kwargs
            changed = visit(kwargs["hidden_states"] if inside else args[0])
            if changed is None:
                return None
            return (args, {**kwargs, "hidden_states": changed}) if inside else ((changed, *args[1:]), kwargs)

        handle = checkpoint.blocks[0].register_forward_pre_hook(before, with_kwargs=True)
    else:
        def after(_: Any, __: Any, output: Any) -> Any:
            is_tuple = isinstance(output, tuple)
            changed = visit(output[0] if is_tuple else output)
            if changed is None:
                return None
            return (changed, *output[1:]) if is_tuple else changed

        handle = checkpoint.blocks[layer - 1].register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()


def change_of(kind: str, vector: torch.Tensor) -> Change:
    """Steering as a change of states [..., D]: `add` the vector, or `project-out` a vector of length 1."""
    if kind == "add":
        return lambda x: x + vector.to(x.dtype)
    if kind == "project-out":
        return lambda x: x - (x @ vector.to(x.dtype)).unsqueeze(-1) * vector.to(x.dtype)
    raise ValueError(f"internal: steering {kind}")


@contextmanager
def head_input(checkpoint: Checkpoint, replace: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    """Puts what `replace` makes of the states [B, T, D] behind the final norm in front of the output matrix."""
    handle = checkpoint.head.register_forward_pre_hook(lambda _, args: (replace(args[0]), *args[1:]))
    try:
        yield
    finally:
        handle.remove()
