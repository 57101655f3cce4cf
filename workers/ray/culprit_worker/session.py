"""What control plane and cluster say to each other: files of one session folder in the shared storage.

    session.json   how checkpoints run, written by the control plane before the job is submitted
    alive          a text that the control plane changes every few seconds; without changes the job ends
    queue/NAME     a chunk to do, SEQUENCE+REQUEST+CHUNK; taken away when its result, or its error, is there
    in/CHUNK.safetensors    what is asked of it
    errors/CHUNK.json       why it cannot be done
    close          the control plane needs no more
    state.json     what the job is at, for people
    failed.json    why the job cannot go on: message and hint

Its result is work/REQUEST/CHUNK.safetensors of the storage, where every session finds it that asks for the same.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import PROTOCOL
from .faults import Fault


@dataclass(frozen=True)
class Session:
    folder: Path
    dtype: str
    device: str
    threads: int
    batch_tokens: int
    # None: as many as the cluster has room for.
    workers: int | None
    patience_seconds: float

    @property
    def storage(self) -> Path:
        return self.folder.parent.parent

    def source(self, name: str) -> Path:
        return self.folder / "in" / f"{name.split('+')[2]}.safetensors"

    def result(self, name: str) -> Path:
        _, request, chunk = name.split("+")
        return self.storage / "work" / request / f"{chunk}.safetensors"

    def error(self, name: str) -> Path:
        return self.folder / "errors" / f"{name.split('+')[2]}.json"


def open_session(folder: Path) -> Session:
    """Throws Fault where the control plane's folder cannot be seen from here, or speaks another protocol."""
    path = folder / "session.json"
    try:
        said = json.loads(path.read_text())
    except OSError as error:
        raise Fault(f"{path}: cannot be read on node {os.uname().nodename} ({error.strerror})",
                    "storage has to be a folder that this machine and every node see under the same path, NFS say.") from error
    if said["protocol"] != PROTOCOL:
        raise Fault(f"session: expected protocol {PROTOCOL}, got {said['protocol']}")
    return Session(
        folder=folder, dtype=said["dtype"], device=said["device"], threads=said["threads"],
        batch_tokens=said["batchTokens"], workers=said.get("workers"), patience_seconds=said["patienceSeconds"])


def write_json(path: Path, value: dict[str, Any]) -> None:
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}.partial")
    with open(partial, "w") as file:
        file.write(json.dumps(value))
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
