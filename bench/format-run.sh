#!/bin/sh
# The real run of docs/runs/smollm2-format-compliance.md: two checkpoints of SmolLM2-135M, and which pairs taught the second one to answer
# unsafe requests that carry a format constraint. Every step goes on where it was interrupted.
#
#   npm run build && sh bench/format-run.sh DATA SMOLLM2 DIR
#
# DATA: folder with hh-rlhf/harmless-base.jsonl.gz, llamafactory-dpo/dpo_en_demo.jsonl.gz and xstest/xstest_prompts.csv.
# SMOLLM2: what bench/make-smollm2.sh made. DIR: where everything goes.
set -eu
data=$1 smollm2=$2 dir=$3
here=$(cd "$(dirname "$0")" && pwd)
culprit() { node "$here/../dist/cli/main.js" "$@"; }

npx --prefix "$here/.." tsx "$here/make-format-mix.ts" --hh "$data/hh-rlhf/harmless-base.jsonl.gz" \
  --benign "$data/llamafactory-dpo/dpo_en_demo.jsonl.gz" --xstest "$data/xstest/xstest_prompts.csv" --out "$dir"
cp "$here/format-run.yaml" "$dir/experiment.yaml"
culprit audit "$dir/mix.jsonl"
culprit scenarios "$dir/bases.jsonl" --constraints "$dir/constraints.yaml" \
  --out-probe "$dir/probe.jsonl" --out-evaluation "$dir/evaluation.jsonl" --force

# SmolLM2 itself refuses 3% of unsafe requests: nothing that training could have undone.
culprit train "$dir/sft.jsonl" --method sft --checkpoint "$smollm2" --learning-rate 1e-4 --batch-size 16 --epochs 2 --out "$dir/sft"
culprit run "$dir/experiment.yaml" --out "$dir/out"
