#!/bin/sh
# Discovery on the real run of bench/format-run.sh, without any label: what did its training change, and do its pairs lean there? Every step
# that is done is not done again.
#
#   npm run build && sh bench/format-discover.sh DATA DIR [OUT]
#
# DATA and DIR as bench/format-run.sh has them; the checkpoint before (DIR/sft) and the stage train-baseline-seed1 have to be there. Everything
# goes to OUT, by default DIR/discover. The planted pairs are looked at in the last command alone.
set -eu
data=$1 dir=$2 out=${3:-$2/discover}
here=$(cd "$(dirname "$0")" && pwd)
culprit() { node "$here/../dist/cli/main.js" "$@"; }
tsx() { npx --prefix "$here/.." tsx "$@"; }
# Goes on; starts over where files that an earlier build made stand in the way.
again() { culprit "$@" || culprit "$@" --force; }

mkdir -p "$out"
after=$(culprit status "$dir/out" --stage train-baseline-seed1)/checkpoint
[ -e "$out/prompts.jsonl" ] || tsx "$here/make-discover-prompts.ts" "$data" "$dir" "$out/prompts.jsonl"
sample() {
  again generate "$out/prompts.jsonl" --checkpoint "$dir/sft" --rollouts 4 --temperature 0.7 --max-tokens 40 "$@"
}
sample --out "$out/before.jsonl"
sample --adapter "$after" --out "$out/after.jsonl"
again embed "$dir/mix.jsonl" --checkpoint "$dir/sft" --layers 10,14,18 --out "$out/vectors"

for layers in 10 14 18 10,14,18; do
  found=$out/found-$layers.json
  [ -e "$found" ] || culprit discover "$out/vectors" --before "$out/before.jsonl" --after "$out/after.jsonl" \
    --checkpoint "$dir/sft" --layers "$layers" --out "$found"
  echo "layers $layers"
  tsx "$here/discovered-kinds.ts" "$found"
done

# On from the cluster that passes, or comes nearest to it: the way of any behaviour.
found=$out/found-14.json
cluster=$(tsx "$here/discovered-kinds.ts" "$found" --pick)
culprit discover "$out/vectors" --before "$out/before.jsonl" --after "$out/after.jsonl" --checkpoint "$dir/sft" --layers 14 \
  --make-behavior "$cluster" --responses "$out/cluster.jsonl" --force
culprit behavior "$out/cluster.jsonl" --checkpoint "$dir/sft" --layers 14 --out "$out/cluster.safetensors" --force
culprit rank "$out/vectors" --behavior "$out/cluster.safetensors" --layers 14 --out "$out/cluster.parquet" --force
culprit quality "$out/cluster.parquet" --planted "$dir/mix.jsonl" --planted-column planted
