#!/usr/bin/env bash
# tokenizers 0.23.3: the `id` of an entry of added_tokens in tokenizer.json is passed over.
#
# An added token whose id leaves a gap behind the vocabulary gets the next free id instead, silently. A folder that was trained with the
# written id then reads another row of the embeddings.
# Seen: "written 50, read 2". 2026-11-29, Python 3.11, on Linux. Source: our own folders, compared with the library.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
"$work/venv/bin/python" - <<'PY'
import json
from tokenizers import Tokenizer, models

written = json.loads(Tokenizer(models.WordLevel({"a": 0, "b": 1}, unk_token="a")).to_str())
flags = {flag: False for flag in ("single_word", "lstrip", "rstrip", "normalized")}
written["added_tokens"] = [{"id": 50, "content": "<far>", "special": True, **flags}]
found = Tokenizer.from_str(json.dumps(written)).token_to_id("<far>")
print(f"written 50, read {found}")
assert found == 2
PY
