"""The job of a session: hands chunks to workers, a few at a time, until the control plane needs no more."""

from __future__ import annotations

import logging
import math
import os
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayError, RayTaskError

from .faults import Fault
from .session import Session, open_session, write_json
from .worker import Worker

# A chunk beside the one at work, so that a worker need not wait for the next one.
WINDOW = 2
# Deaths of its worker after which a chunk is given up: one that fills a node's memory would go round for ever.
MAX_DEATHS = 5
POLL_SECONDS = 0.05
REST_SECONDS = 1.0


def drive(folder: Path) -> None:
    session = open_session(folder)
    ray.init(address="auto", logging_level=logging.WARNING)
    try:
        Driver(session).run()
    except Fault as fault:
        write_json(folder / "failed.json", {"message": fault.message, "hint": fault.hint})
        raise


@dataclass(eq=False)
class Slot:
    """A worker, and what it has been given."""

    actor: Any
    is_ready: bool = False
    # What it said of itself: node and pid.
    place: dict[str, Any] = field(default_factory=dict)
    # The call by which it says that it is ready; None while it rests.
    loading: Any = None
    rests_until: float = 0.0
    running: set[Any] = field(default_factory=set)


class Driver:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.slots = [Slot(actor) for actor in start_workers(session)]
        self.waiting: deque[str] = deque()
        self.known: set[str] = set()
        self.calls: dict[Any, tuple[str, Slot]] = {}
        self.deaths: Counter[str] = Counter()
        self.life = Life(session)
        self.told: dict[str, Any] = {}

    def run(self) -> None:
        while not (self.session.folder / "close").exists() and self.life.goes_on():
            self.take_queue()
            self.hand_out()
            self.tell()
            loading = {slot.loading: slot for slot in self.slots if slot.loading is not None}
            refs = [*self.calls, *loading]
            if not refs:
                time.sleep(POLL_SECONDS)
                continue
            done, _ = ray.wait(refs, num_returns=1, timeout=POLL_SECONDS)
            for ref in done:
                if ref in loading:
                    self.finish_loading(loading[ref])
                else:
                    self.finish_chunk(ref)

    def take_queue(self) -> None:
        try:
            names = sorted(os.listdir(self.session.folder / "queue"))
        except FileNotFoundError:
            return  # the control plane has closed and cleared up
        for name in names:
            if name not in self.known and not name.endswith(".partial"):
                self.known.add(name)
                self.waiting.append(name)

    def hand_out(self) -> None:
        now = time.monotonic()
        for slot in self.slots:
            if not slot.is_ready and slot.loading is None and now >= slot.rests_until:
                slot.loading = slot.actor.ready.remote()
        # Round by round, so that few chunks spread over all workers.
        for _ in range(WINDOW):
            for slot in sorted(self.slots, key=lambda each: len(each.running)):
                if self.waiting and slot.is_ready and len(slot.running) < WINDOW:
                    name = self.waiting.popleft()
                    ref = slot.actor.run.remote(name)
                    slot.running.add(ref)
                    self.calls[ref] = (name, slot)

    def finish_loading(self, slot: Slot) -> None:
        ref, slot.loading = slot.loading, None
        try:
            slot.place = ray.get(ref)
            slot.is_ready = True
        except RayTaskError as error:
            raise fault_of(error) from error
        except RayError:
            slot.rests_until = time.monotonic() + REST_SECONDS

    def finish_chunk(self, ref: Any) -> None:
        name, slot = self.calls.pop(ref)
        slot.running.discard(ref)
        try:
            ray.get(ref)
        except RayTaskError as error:
            self.fail_chunk(name, fault_of(error))
        except RayError as error:
            slot.is_ready = False
            slot.rests_until = time.monotonic() + REST_SECONDS
            if not isinstance(error, ActorUnavailableError):
                self.deaths[name] += 1
            if self.deaths[name] < MAX_DEATHS:
                self.waiting.appendleft(name)
            else:
                self.fail_chunk(name, Fault(
                    f"a chunk's worker died {MAX_DEATHS} times: {str(error)[:500]}",
                    "The system's memory may be too small (see the node's log); fewer workers or smaller batches need less."))
            return
        (self.session.folder / "queue" / name).unlink(missing_ok=True)

    def fail_chunk(self, name: str, fault: Fault) -> None:
        write_json(self.session.error(name), {"message": fault.message, "hint": fault.hint})
        (self.session.folder / "queue" / name).unlink(missing_ok=True)

    def tell(self) -> None:
        """What people would ask: how many workers are ready, and what is missing for the others."""
        ready = [slot.place for slot in self.slots if slot.is_ready]
        state: dict[str, Any] = {"workers": len(self.slots), "ready": len(ready), "places": ready}
        if not ready:
            free = ray.available_resources()
            state["free"] = {"CPU": free.get("CPU", 0), "GPU": free.get("GPU", 0)}
        if state != self.told:
            self.told = state
            write_json(self.session.folder / "state.json", state)


class Life:
    """Whether the control plane is still there: its sign of life changes. Clocks of two machines are never compared."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.sign = ""
        self.seen = time.monotonic()
        self.looked = 0.0

    def goes_on(self) -> bool:
        now = time.monotonic()
        if now - self.looked >= 1:
            self.looked = now
            try:
                sign = (self.session.folder / "alive").read_text()
            except OSError:
                sign = self.sign
            if sign != self.sign:
                self.sign, self.seen = sign, now
        return now - self.seen < self.session.patience_seconds


def start_workers(session: Session) -> list[Any]:
    """Actors that Ray starts where there is room. Throws Fault where the cluster has none for a single one."""
    each = {"num_cpus": session.threads, "num_gpus": 0} if session.device == "cpu" else {"num_cpus": 1, "num_gpus": 1}
    kind, need = ("CPU", session.threads) if session.device == "cpu" else ("GPU", 1)
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    room = sum(math.floor(node.get(kind, 0) / need) for node in nodes)
    if room == 0:
        have = ", ".join(f"{node.get('CPU', 0):g} CPUs and {node.get('GPU', 0):g} GPUs" for node in nodes)
        raise Fault(f"no room for a worker: it asks for {need} {kind}s of one node, the nodes have {have}",
                    "Use device cpu, fewer threads, or a cluster that has them.")
    count = room if session.workers is None else min(session.workers, room)
    options = {"max_restarts": -1, "max_task_retries": 0, **each}
    actor: Any = Worker  # what the decorator makes of it is untyped
    return [actor.options(**options).remote(str(session.folder)) for _ in range(count)]


def fault_of(error: RayTaskError) -> Fault:
    """What a worker raised; anything but a Fault is a bug, whose trace the control plane shows."""
    cause = error.cause
    if isinstance(cause, Fault):
        return cause
    if isinstance(cause, ImportError):
        return Fault(f"the cluster's Python lacks a package: {cause}",
                     "Install what workers/ray/requirements.txt names on every node.")
    return Fault(f"a worker failed: {str(error)[-3000:]}")
