#!/usr/bin/env bash
# peft 0.21.2 with transformers 5.24.0 and torch 2.13.0: an adapter with overlapping alpha patterns is another model after it was saved.
#
# Of alpha_pattern's keys the first that matches a module decides. save_pretrained writes the keys in alphabetical order, so that where two
# match one module, the other one may decide after loading: same weights, another scaling, no warning. Here a general key stands first
# and decides in memory; the file has the special one first.
# Seen: scalings [2.0, 2.0] before saving and [2.0, 16.0] after loading; logits of at most 0.31 differ by up to 0.14. 2026-11-30, Python 3.11,
# on Linux. Source: our own run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 peft==0.21.2 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
shape = LlamaConfig(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
)
LlamaForCausalLM(shape).save_pretrained("base")
lora = LoraConfig(
    r=4,
    lora_alpha=4,
    target_modules=["q_proj"],
    alpha_pattern={"self_attn.q_proj": 8, "layers.1.self_attn.q_proj": 64},
    init_lora_weights=False,
)
in_memory = get_peft_model(LlamaForCausalLM.from_pretrained("base"), lora).eval()
in_memory.save_pretrained("adapter")
loaded = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained("base"), "adapter").eval()


def scalings(model):
    return [block.self_attn.q_proj.scaling["default"] for block in model.base_model.model.model.layers]


ids = torch.arange(10)[None]
with torch.no_grad():
    difference = (in_memory(ids).logits - loaded(ids).logits).abs().max().item()
print(scalings(in_memory), scalings(loaded), f"logits differ by {difference:.2f}")
assert scalings(in_memory) == [2.0, 2.0]
assert scalings(loaded) == [2.0, 16.0]
assert difference > 0.05
PY
echo "peft 0.21.2 saves alpha_pattern in another order, and the loaded adapter scales by it"
