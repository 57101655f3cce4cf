"""Faults that a user can mend, as the control plane shows them."""

from __future__ import annotations

import torch


class Fault(Exception):
    """`message` reads `where: expected, got`; `hint` is the next thing to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[Fault], tuple[str, str]]:
        return type(self), (self.message, self.hint)  # Ray pickles what a worker raises


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the allocator of the CPU, had no more memory."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    words = str(error)
    return isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in words or "out of memory" in words)
