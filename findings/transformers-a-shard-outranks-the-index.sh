#!/usr/bin/env bash
# transformers 5.24.0 with torch 2.13.0 and safetensors: of a tensor that two shards hold, the index does not decide which one is loaded.
#
# model.safetensors.index.json says of each tensor which shard has it. from_pretrained takes from it which files to open and then reads all
# tensors of all of them: a second copy of a tensor in a later shard, which the index gives to the first, replaces it without a warning. A
# reader that follows the index, as the format's own description does, has another model.
# Seen: the index points to ones in the first shard, the model has the sevens of the second. 2026-11-30, Python 3.11, Linux.
# Source: our own run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 safetensors==0.8.0 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
import json
import os

import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

shape = LlamaConfig(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
)
LlamaForCausalLM(shape).save_pretrained("model")
first = load_file("model/model.safetensors")
os.remove("model/model.safetensors")
twice = "model.norm.weight"
assert torch.equal(first[twice], torch.ones(32))
second = {"lm_head.weight": first.pop("lm_head.weight"), twice: torch.full((32,), 7.0)}
shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
for shard, tensors in zip(shards, [first, second]):
    save_file(tensors, f"model/{shard}", metadata={"format": "pt"})
index = {name: shards[0] for name in first} | {"lm_head.weight": shards[1]}
size = sum(tensor.nbytes for tensor in [*first.values(), *second.values()])
with open("model/model.safetensors.index.json", "w") as file:
    json.dump({"metadata": {"total_size": size}, "weight_map": index}, file)

loaded = LlamaForCausalLM.from_pretrained("model").model.norm.weight
print(f"the index gives {twice} to {index[twice]}, which has ones; loaded: {loaded[0].item()}")
assert torch.equal(loaded, torch.full((32,), 7.0)), "the behaviour changed: the index decides"
PY
