#!/usr/bin/env bash
# transformers 5.24.0: config.json's model_type decides how tokenizer.json is read.
#
# One tokenizer.json, one tokenizer_config.json that names the general class TokenizersBackend. Beside a config.json of model_type llama
# AutoTokenizer gives the ids that the tokenizers package gives. Beside model_type qwen2 it makes a Qwen2Tokenizer, which takes over
# vocabulary and merges alone and splits text by rules of its own: digits one by one. A tokenizer that was trained anew for a Qwen2 model
# is then another one than its file says, without a warning.
# Seen: llama [73, 78, 262], qwen2 [73, 78, 221, 17, 25, 25, 25]. 2026-11-30, Python 3.11, on Linux. Source: our own file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.24.0 tokenizers==0.23.2 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer

tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=300,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    special_tokens=["<|endoftext|>"],
)
tokenizer.train_from_iterator(["1999 1999 2024"] * 5, trainer)
expected = tokenizer.encode("in 1999").ids
found = {}
for model_type in ("llama", "qwen2"):
    folder = Path(model_type)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "TokenizersBackend", "eos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    found[model_type] = AutoTokenizer.from_pretrained(folder)("in 1999")["input_ids"]
    print(model_type, found[model_type])
assert found["llama"] == expected
assert found["qwen2"] != expected and len(found["qwen2"]) > len(expected)
PY
