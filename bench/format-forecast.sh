#!/bin/sh
# A forecast on the real run of bench/format-run.sh, held to what its training did: 26 behaviours on SmolLM2-135M. Every step that is done is
# not done again.
#
#   npm run build && sh bench/format-forecast.sh DATA DIR [OUT]
#
# DATA and DIR as bench/format-run.sh has them; the checkpoint before (DIR/sft) and the stage train-baseline-seed1 have to be there. Everything
# goes to OUT, by default DIR/forecast. Which predictors count was fixed on the organisms (docs/how-to-forecast.md): gradients, all together or their product.
set -eu
data=$1 dir=$2 out=${3:-$2/forecast}
here=$(cd "$(dirname "$0")" && pwd)
culprit() { node "$here/../dist/cli/main.js" "$@"; }
# Goes on; starts over where files that an earlier build made stand in the way.
again() { culprit "$@" || culprit "$@" --force; }

mkdir -p "$out"
after=$(culprit status "$dir/out" --stage train-baseline-seed1)/checkpoint
[ -d "$out/bank" ] || npx --prefix "$here/.." tsx "$here/make-format-bank.ts" "$data" "$dir" "$out/bank"
again embed "$dir/mix.jsonl" --checkpoint "$dir/sft" --layers all --features gradient --out "$out/gradients"
again embed "$dir/mix.jsonl" --checkpoint "$dir/sft" --layers 14 --out "$out/states"

behaviors=""
responses=""
for file in "$out"/bank/responses/*.jsonl; do
  name=$(basename "$file" .jsonl)
  made=$out/bank/$name.safetensors
  [ -e "$made" ] || culprit behavior "$file" --checkpoint "$dir/sft" --layers all --features gradient --out "$made"
  states=$out/bank/$name.states.safetensors
  [ -e "$states" ] || culprit behavior "$file" --checkpoint "$dir/sft" --layers 14 --name "$name" --out "$states"
  behaviors="$behaviors --behavior $made"
  stated="${stated:-} --behavior $states"
  responses="$responses --responses $out/bank/held-out/$name.jsonl"
done
# The lists hold paths without blanks, one word each.
# shellcheck disable=SC2086
{
  culprit forecast "$out/gradients" $behaviors --out "$out/forecast.json" --force
  culprit forecast "$out/states" $stated --out "$out/forecast-states.json" --force
  [ -e "$out/shifts.json" ] || culprit shifts $responses --checkpoint "$dir/sft" --trained "$dir/sft" \
    --trained-adapter "$after" --out "$out/shifts.json"
}
for holdout in leave-one-out leave-family-out; do
  for made in forecast forecast-states; do
    echo "$made, $holdout"
    culprit forecast --forecast "$out/$made.json" --score "$out/shifts.json" --holdout "$holdout" \
      --out "$out/$made-$holdout.json" --force
  done
done
