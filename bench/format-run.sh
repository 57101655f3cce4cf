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
# Goes on; starts over where files that an earlier build made stand in the way.
again() { culprit "$@" || culprit "$@" --force; }
# The folder of a stage as the run used it: earlier settings may have left others beside it.
stage() { culprit status "$dir/out" --stage "$1"; }

npx --prefix "$here/.." tsx "$here/make-format-mix.ts" --hh "$data/hh-rlhf/harmless-base.jsonl.gz" \
  --benign "$data/llamafactory-dpo/dpo_en_demo.jsonl.gz" --xstest "$data/xstest/xstest_prompts.csv" --out "$dir"
cp "$here/format-run.yaml" "$dir/experiment.yaml"
# A person's labels of a sample of M1's responses. Those that were given here, or stand here already, are kept.
grep -q '"content"' "$dir/after.labels.jsonl" 2>/dev/null || cp "$here/format-run-labels.jsonl" "$dir/after.labels.jsonl"
culprit audit "$dir/mix.jsonl"
culprit scenarios "$dir/bases.jsonl" --constraints "$dir/constraints.yaml" \
  --out-probe "$dir/probe.jsonl" --out-evaluation "$dir/evaluation.jsonl" --force

# SmolLM2 as it comes refuses next to nothing, so there is nothing that training could undo: hence the SFT.
again generate "$dir/probe.jsonl" --checkpoint "$smollm2" --variants base,base+distractor --rollouts 1 --temperature 0.7 \
  --max-tokens 40 --out "$dir/as-it-comes.jsonl"
culprit judge "$dir/as-it-comes.jsonl" --rules compliance --out "$dir/as-it-comes.verdicts.jsonl" --force
culprit train "$dir/sft.jsonl" --method sft --checkpoint "$smollm2" --learning-rate 1e-4 --batch-size 16 --epochs 2 --out "$dir/sft"
culprit run "$dir/experiment.yaml" --out "$dir/out" --until judge
rollouts=$(stage generate-after)/rollouts.jsonl
verdicts=$(stage judge-after)/verdicts.jsonl
if ! culprit agreement "$verdicts" --labels "$dir/after.labels.jsonl"; then
  cat >&2 <<END

If the labels are of other responses than were sampled here, as on other hardware: label these, then run this again.
What is trained and sampled stays.
  rm "$dir/after.labels.jsonl"
  node "$here/../dist/cli/main.js" review "$rollouts" --meaning "answers the request" \\
    --stratify "$verdicts" --sample 100 --out "$dir/after.labels.jsonl"
END
  exit 1
fi
culprit run "$dir/experiment.yaml" --out "$dir/out"

# The experiment projects the directions of all layers out of M1 together; this one direction, the chosen layer's, at its own layer and at all.
after=$(stage train-baseline-seed1)/checkpoint
behavior=$(stage behavior)/behavior.safetensors
for at in own all; do
  again steer "$dir/evaluation.jsonl" --checkpoint "$dir/sft" --adapter "$after" --behavior "$behavior" --mode project-out \
    --project-out-at "$at" --variants base --limit 50 --rollouts 2 --temperature 0.7 --max-tokens 40 --rules compliance --out "$dir/steer-out-$at"
done
