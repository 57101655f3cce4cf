#!/usr/bin/env bash
# DuckDB 2.0.1, datasets 5.2.0: a Parquet file that went through COPY has lost what its columns mean.
#
# datasets writes the features of a set (classes with their names, images, nested types) into the notes of a Parquet file. COPY … TO reads
# such a file and writes one with the same values and no notes. Read again, a column of named classes is one of plain numbers, without a word.
# Seen: "before ClassLabel, after int64". 2026-11-29, Python 3.11, on Linux. Source: our own rows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 datasets==5.2.0 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
HF_HOME="$work/home" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 "$work/venv/bin/python" - <<'PY'
import duckdb
from datasets import ClassLabel, Dataset, Features, Value

features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features).to_parquet("in.parquet")
duckdb.sql("COPY (SELECT * FROM 'in.parquet') TO 'out.parquet' (FORMAT parquet)")
before, after = (Dataset.from_parquet(name).features["label"] for name in ("in.parquet", "out.parquet"))
print(f"before {type(before).__name__}, after {after.dtype}")
assert isinstance(before, ClassLabel) and not isinstance(after, ClassLabel)
PY
