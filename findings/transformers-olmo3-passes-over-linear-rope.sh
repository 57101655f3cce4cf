#!/usr/bin/env bash
# transformers 5.24.0: an Olmo3 config with rope_scaling {"type": "linear"} runs without the scaling.
#
# "type" is the older name of "rope_type", and other families still read it. Here it is kept beside a "rope_type" of "default", which decides: the
# logits are those of a config without scaling. With "rope_type" they differ. A warning calls "factor" an unrecognised key; that the scaling
# is lost it does not say.
# Seen: "type: 0.0, rope_type: above 0". 2026-11-29, torch 2.13.0 on a CPU, Python 3.11, on Linux. Source: our own configs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
import torch
from transformers import AutoModelForCausalLM, Olmo3Config

SIZES = dict(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=256)


def logits(**scaling):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(Olmo3Config(**SIZES, **scaling)).eval()
    with torch.no_grad():
        return model(torch.arange(20)[None]).logits


plain = logits()
older, newer = (
    (logits(rope_scaling={key: "linear", "factor": 4.0}) - plain).abs().max().item() for key in ("type", "rope_type")
)
print(f"type: {older}, rope_type: {'above 0' if newer > 1e-3 else newer}")
assert older == 0 and newer > 1e-3
PY
