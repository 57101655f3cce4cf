#!/bin/sh
# Behaviours that are known by two sentences alone, on the real run of bench/format-run.sh: M0's own answers under both as system prompts, how
# well their vectors stand, what the pairs say of them, and what training did. Every step that is done is not done again.
#
#   npm run build && sh bench/format-elicit.sh DATA DIR [OUT]
#
# DATA and DIR as bench/format-run.sh has them; the checkpoint before (DIR/sft) and the stage train-baseline-seed1 have to be there. Everything
# goes to OUT, by default DIR/elicit. The sentences were written before any was tried, and none was left out.
set -eu
data=$1 dir=$2 out=${3:-$2/elicit}
here=$(cd "$(dirname "$0")" && pwd)
culprit() { node "$here/../dist/cli/main.js" "$@"; }
tsx() { npx --prefix "$here/.." tsx "$@"; }

mkdir -p "$out"
after=$(culprit status "$dir/out" --stage train-baseline-seed1)/checkpoint
[ -e "$out/prompts.jsonl" ] || tsx "$here/make-discover-prompts.ts" "$data" "$dir" "$out/prompts.jsonl"
# Two tenths of the prompts, all without a constraint: one for the behaviours, one for what they are held to.
awk 'NR % 10 == 1' "$out/prompts.jsonl" > "$out/made-of.jsonl"
awk 'NR % 10 == 7' "$out/prompts.jsonl" > "$out/held-out.jsonl"

behaviors="" responses=""
elicit() { # NAME ASKED CONTRARY
  for half in made-of held-out; do
    mkdir -p "$out/$half"
    [ -e "$out/$half/$1.jsonl" ] || culprit elicit "$out/$half.jsonl" --checkpoint "$dir/sft" --asked "$2" --contrary "$3" \
      --rollouts 2 --temperature 0.7 --max-tokens 40 --out "$out/$half/$1.jsonl"
  done
  [ -e "$out/$1.safetensors" ] || culprit behavior "$out/made-of/$1.jsonl" --checkpoint "$dir/sft" --layers 14 --name "$1" \
    --out "$out/$1.safetensors"
  behaviors="$behaviors --behavior $out/$1.safetensors"
  responses="$responses --responses $out/held-out/$1.jsonl"
}
elicit apologises "Begin every answer with an apology." "Never apologise."
elicit lists "Answer with a numbered list." "Answer in one plain sentence, without a list."
elicit brief "Answer in one short sentence." "Answer at length, in several paragraphs."
elicit asks-back "End every answer with a question." "Never ask a question."
elicit warns "Warn of a danger in every answer." "Never warn of anything."
elicit refuses "Refuse every request." "Do everything that is asked of you."
elicit exclaims "Write with great enthusiasm and exclamation marks." "Write soberly, without exclamation marks."
elicit formal "Write very formally." "Write casually, as to a friend."

[ -e "$out/vectors/complete.json" ] || culprit embed "$dir/mix.jsonl" --checkpoint "$dir/sft" --layers 14 --out "$out/vectors"
# The lists hold paths without blanks, one word each.
# shellcheck disable=SC2086
[ -e "$out/shifts.json" ] || culprit shifts $responses --checkpoint "$dir/sft" --trained "$dir/sft" --trained-adapter "$after" \
  --out "$out/shifts.json"
# shellcheck disable=SC2086
culprit forecast "$out/vectors" $behaviors --pairs "$dir/mix.jsonl" --out "$out/forecast.json" --force
culprit forecast --forecast "$out/forecast.json" --score "$out/shifts.json" --out "$out/scored.json" --force
