"""The actor that holds a checkpoint and does chunks, one at a time."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import ray

from .session import Session, open_session


@ray.remote
class Worker:
    """Does nothing before it is asked: a fault on the way is then an answer and not the actor's death."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.session: Session | None = None
        # Folder of the checkpoint, and of its adapter, that is in memory.
        self.of: tuple[str, str | None] | None = None
        self.loaded: Any = None

    def ready(self) -> dict[str, Any]:
        """Sees the storage and imports what chunks need, which takes seconds; what it gives back is for people."""
        import torch

        from . import run_chunk  # noqa: F401

        self.session = open_session(self.folder)
        torch.set_num_threads(self.session.threads)
        return {"node": os.uname().nodename, "pid": os.getpid()}

    def run(self, name: str) -> None:
        """Does nothing where the result is there already: another worker, or an earlier session, has written it."""
        from .chunk import read_chunk
        from .run_chunk import run_chunk

        if self.session is None:
            self.ready()
        assert self.session is not None
        result = self.session.result(name)
        if result.exists():
            return
        chunk = read_chunk(self.session.source(name))
        checkpoint, batches = self.load(self.session, chunk.task["checkpoint"], chunk.task.get("adapter"))
        run_chunk(checkpoint, batches, chunk, result)

    def load(self, session: Session, folder: str, adapter: str | None) -> Any:
        """The checkpoint, which stays in memory until another one is asked for."""
        if self.of != (folder, adapter):
            from .checkpoint import load_checkpoint
            from .rows import Batches, free_memory

            self.of = self.loaded = None
            gc.collect()
            free_memory()
            checkpoint = load_checkpoint(folder, adapter, session.dtype, session.device)
            self.loaded = checkpoint, Batches(session.batch_tokens, checkpoint.needs_equal_lengths)
            self.of = folder, adapter
        return self.loaded
