"""Writes rope.json: transformers' inverse frequencies and attention factors for rope settings as checkpoints spell them.

Run from the repository: python test/golden/rope/make_rope.py
"""

import sys
from pathlib import Path

import torch
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}

# Name, head size, theta, max positions, setting, sequence lengths.
CASES = [
    ("default", 64, 10000.0, 2048, None, [10]),
    ("smollm2", 64, 100000.0, 8192, None, [10]),
    ("linear", 32, 10000.0, 4096, {"rope_type": "linear", "factor": 2.5}, [10]),
    ("dynamic", 16, 10000.0, 64, {"rope_type": "dynamic", "factor": 2.0}, [10, 64, 65, 200]),
    ("llama 3.1", 128, 500000.0, 131072, LLAMA3, [10]),
    ("llama 3.2", 64, 500000.0, 131072, {**LLAMA3, "factor": 32.0}, [10]),
    ("yarn", 128, 1000000.0, 131072, YARN, [10]),
    ("yarn with its own turns", 64, 10000.0, 131072, {**YARN, "beta_fast": 16.0, "beta_slow": 2.0}, [10]),
    ("yarn, not truncated", 64, 10000.0, 131072, {**YARN, "truncate": False}, [10]),
    ("yarn with an attention factor", 64, 10000.0, 131072, {**YARN, "attention_factor": 1.21}, [10]),
    ("yarn with both mscales", 64, 10000.0, 131072, {**YARN, "mscale": 0.7, "mscale_all_dim": 1.4}, [10]),
]


def one(name, head_dim, theta, max_positions, setting, lengths):
    config = LlamaConfig(
        hidden_size=2 * head_dim,
        num_attention_heads=2,
        max_position_embeddings=max_positions,
        rope_theta=theta,
        rope_scaling=None if setting is None else dict(setting),
    )
    results = []
    for length in lengths:
        rotary = LlamaRotaryEmbedding(config)
        rotary(torch.zeros(1, length, 2 * head_dim), torch.arange(length)[None])
        results.append({"length": length, "frequencies": rotary.inv_freq.tolist()})
    return {
        "name": name,
        "headDim": head_dim,
        "theta": theta,
        "maxPositions": max_positions,
        "setting": setting,
        "attentionFactor": float(rotary.attention_scaling),
        "results": results,
    }


golden = {
    "versions": {"transformers": transformers.__version__, "torch": torch.__version__},
    "cases": [one(*case) for case in CASES],
}
Path(__file__).with_name("rope.json").write_text(dumps(golden))
