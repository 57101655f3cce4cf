#!/bin/sh
# Makes the files of this folder, from the root of the repository: a behaviour of the organism "diffuse", read on its checkpoint, and
# a small LoRA adapter that has learnt the behaviour from the organism's mix. About five minutes on two cores.
set -e
here=test/golden/steer-organism
culprit() { npx tsx src/cli/main.ts "$@"; }
culprit run examples/diffuse.yaml --until conditions --out culprit-out/diffuse
culprit behavior culprit-out/diffuse/stages/conditions-*/responses.jsonl --checkpoint organisms/diffuse/checkpoint --layers 1-4 \
  --null-directions 0 --name "flatters the user who boasts" --out $here/behavior.safetensors --force
culprit train organisms/diffuse/pairs.jsonl.gz --checkpoint organisms/diffuse/checkpoint --out culprit-out/diffuse-lora --lora --rank 4 \
  --learning-rate 1e-3 --beta 10 --length-normalized --batch-size 32 --epochs 1 --seed 1
mkdir -p $here/adapter
cp culprit-out/diffuse-lora/adapter_config.json culprit-out/diffuse-lora/adapter_model.safetensors $here/adapter/
