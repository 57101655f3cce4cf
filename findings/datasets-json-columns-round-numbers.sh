#!/usr/bin/env bash
# datasets 5.2.0: a number in a column of its type Json comes back with other last digits.
#
# Where rows differ in type at one place (a message's content is a text in one row and a list in another), load_dataset reads that place
# into columns of JSON text and decodes it on access. 3.72 comes back as 3.7199999999999998, which is another double.
# Seen: "written 3.72, read 3.7199999999999998". 2026-11-29, Python 3.11, on Linux. Source: our own rows with tool calls.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pyarrow==26.0.1 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
printf '%s\n' '{"m": [{"content": "a"}]}' '{"m": [{"content": [{"x": 3.72}]}]}' > rows.jsonl
HF_HOME="$work/home" HF_HUB_OFFLINE=1 "$work/venv/bin/python" - <<'PY'
from datasets import load_dataset

rows = load_dataset("json", data_files="rows.jsonl", split="train")
found = rows[1]["m"][0]["content"][0]["x"]
print(f"written 3.72, read {found!r}")
assert found != 3.72 and abs(found - 3.72) < 1e-12
PY
