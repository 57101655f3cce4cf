"""The actor that holds a checkpoint and does chunks, one at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import ray

from .session import open_session


@ray.remote
class Worker:
    """Loads nothing before it is asked: a fault on the way is then an answer and not the actor's death."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.loaded: Any = None

    def ready(self) -> dict[str, Any]:
        """Loads the checkpoint; what it found is for people."""
        self.load()
        return {"node": os.uname().nodename, "pid": os.getpid()}

    def run(self, name: str) -> None:
        from .run_chunk import run_chunk

        session, checkpoint, batches = self.load()
        run_chunk(checkpoint, batches, session.chunk(name, "in.safetensors"), session.chunk(name, "out.safetensors"))

    def load(self) -> Any:
        if self.loaded is None:
            import torch

            from .checkpoint import load_checkpoint
            from .rows import Batches

            session = open_session(self.folder)
            torch.set_num_threads(session.threads)
            checkpoint = load_checkpoint(session.checkpoint, session.adapter, session.dtype, session.device)
            self.loaded = (session, checkpoint, Batches(session.batch_tokens, checkpoint.needs_equal_lengths))
        return self.loaded
