#!/usr/bin/env bash
# transformers 5.24.0 with torch 2.13.0: under dynamic rope a row's logits depend on the rows that the model saw before it.
#
# Dynamic rope scaling stretches its frequencies to the length of the row. They are made anew for a longer row, and put back for one within
# max_position_embeddings. A row in between keeps what the longest row before it left. The same 48 tokens thus give other logits after a row
# of 100 than in a fresh model, and the first ones again after a row of 20: an order of rows is part of the result, without a warning.
# Seen with 32 positions trained and factor 4: smallest frequency 0.0003333 fresh, 0.0001053 after the long row; logits of at most 0.38
# differ by up to 2.8e-4; after the short row they are equal again. 2026-11-30, Python 3.11, Linux, processor alone. Source: our own run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=64,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=32,
    rope_parameters={"rope_type": "dynamic", "factor": 4.0, "rope_theta": 10000.0},
)
model = LlamaForCausalLM(config).eval()


def logits_of(length):
    with torch.no_grad():
        return model(torch.arange(length)[None] % 64).logits


def smallest_frequency():
    return model.model.rotary_emb.inv_freq.min().item()


fresh = logits_of(48)
fresh_frequency = smallest_frequency()
logits_of(100)
after_long = logits_of(48)
long_frequency = smallest_frequency()
logits_of(20)
after_short = logits_of(48)
apart = (fresh - after_long).abs().max().item()
print(f"smallest frequency: {fresh_frequency:.7f} fresh, {long_frequency:.7f} after a row of 100")
print(f"logits of at most {fresh.abs().max():.2f} differ by {apart:.1e}; after a row of 20 by {(fresh - after_short).abs().max():.1e}")
assert apart > 1e-5 and long_frequency != fresh_frequency, "the behaviour changed: the row before no longer counts"
assert torch.equal(fresh, after_short), "the behaviour changed: a short row no longer puts the frequencies back"
PY
