#!/bin/sh
# A forecast on the real run of bench/format-run.sh, held to what its training did: 26 behaviours on SmolLM2-135M. Every step that is done is
# not done again.
#
#   npm run build && sh bench/format-forecast.sh DATA DIR [OUT [KIND...]]
#
# DATA and DIR as bench/format-run.sh has them; the checkpoint before (DIR/sft) and the stage train-baseline-seed1 have to be there. Everything
# goes to OUT, by default DIR/forecast. KIND is what is read of pairs and behaviours: states, gradient, or by default both; gradients of all
# weights take hours on two cores, states minutes. Which predictors count was fixed on the organisms (docs/how-to-forecast.md).
set -eu
data=$1 dir=$2 out=${3:-$2/forecast}
shift $(($# < 3 ? $# : 3))
kinds=${*:-states gradient}
here=$(cd "$(dirname "$0")" && pwd)
culprit() { node "$here/../dist/cli/main.js" "$@"; }
# Goes on; starts over where files that an earlier build made stand in the way.
again() { culprit "$@" || culprit "$@" --force; }
layersOf() { if [ "$1" = gradient ]; then echo all; else echo 14; fi; }

mkdir -p "$out"
after=$(culprit status "$dir/out" --stage train-baseline-seed1)/checkpoint
[ -d "$out/bank" ] || npx --prefix "$here/.." tsx "$here/make-format-bank.ts" "$data" "$dir" "$out/bank"
responses=""
for file in "$out"/bank/held-out/*.jsonl; do responses="$responses --responses $file"; done
# The lists hold paths without blanks, one word each.
# shellcheck disable=SC2086
[ -e "$out/shifts.json" ] || culprit shifts $responses --checkpoint "$dir/sft" --trained "$dir/sft" --trained-adapter "$after" \
  --out "$out/shifts.json"

for kind in $kinds; do
  again embed "$dir/mix.jsonl" --checkpoint "$dir/sft" --layers "$(layersOf "$kind")" --features "$kind" --out "$out/$kind"
  behaviors=""
  for file in "$out"/bank/responses/*.jsonl; do
    name=$(basename "$file" .jsonl)
    made=$out/bank/$name.$kind.safetensors
    [ -e "$made" ] || culprit behavior "$file" --checkpoint "$dir/sft" --layers "$(layersOf "$kind")" --features "$kind" \
      --name "$name" --out "$made"
    behaviors="$behaviors --behavior $made"
  done
  # shellcheck disable=SC2086
  culprit forecast "$out/$kind" $behaviors --out "$out/forecast-$kind.json" --force
  for holdout in leave-one-out leave-family-out; do
    echo "$kind, $holdout"
    culprit forecast --forecast "$out/forecast-$kind.json" --score "$out/shifts.json" --holdout "$holdout" \
      --out "$out/forecast-$kind-$holdout.json" --force
  done
done
