"""Embeds the chunks of a folder by the worker's own code, without Ray: what bench/ray.ts holds the ray engine to.

    python bench/ray_direct.py FOLDER      (FOLDER/*.in.safetensors; prints seconds, loading aside)
"""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workers" / "ray"))

import torch

from culprit_worker.checkpoint import load_checkpoint
from culprit_worker.chunk import read_chunk
from culprit_worker.forward import embed
from culprit_worker.rows import Batches

torch.set_num_threads(1)
chunks = [read_chunk(path) for path in sorted(Path(sys.argv[1]).glob("*.in.safetensors"))]
checkpoint = load_checkpoint(chunks[0].task["checkpoint"], None, "F32", "cpu")
batches = Batches(1024, checkpoint.needs_equal_lengths)
start = time.perf_counter()
for chunk in chunks:
    embed(checkpoint, chunk, batches)
print(time.perf_counter() - start)
