"""Difference vectors of preference pairs in PyTorch, in five ways: the yardsticks of bench/embed-speed.ts.

`loop` does what the published code does: one pair at a time, two whole forward passes, every hidden state and the logits.
`batched` is what somebody who knows PyTorch writes: no blocks above the layer, no logits, only that layer's states; rows of one length
run together. They are padded at the end, where a causal model sees none of the padding, so attention needs no mask.
`packed` also runs each prompt once: a row is prompt, chosen, rejected, with a mask between the two responses, where that is fewer
multiplications; and what all prompts begin with (a system turn) runs once for all.

Reads a job {"pairs": [{prompt, chosen, rejected}: token ids]}, then from stdin, a line each,
  {"way", "dtype", "from", "to"}   embeds these pairs: {"seconds", "cpuSeconds", "tokens"}, loading left out;
  {"way", "dtype", "save": PATH}   writes the vectors: {}.
The first line that it prints says what it runs on.
"""
import argparse
import copy
import json
import sys
import time

import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, DynamicCache

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--job", required=True)
parser.add_argument("--layer", type=int, required=True)
parser.add_argument("--dtypes", default="float32,bfloat16")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch-tokens", type=int, default=2048)
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.set_grad_enabled(False)
pairs = json.load(open(args.job))["pairs"]


def open_model(dtype):
    whole = AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype, attn_implementation="sdpa").eval()
    # The state at a layer is what comes out of that many blocks, before the final norm.
    cut = copy.copy(whole.model)
    cut._modules = dict(whole.model._modules)
    cut.layers = torch.nn.ModuleList(whole.model.layers[: args.layer])
    cut.norm = torch.nn.Identity()
    return {"whole": whole, "cut": cut}


models = {name: open_model(getattr(torch, name)) for name in args.dtypes.split(",")}


def loop(some, dtype):
    model = models[dtype]["whole"]

    def mean(prompt, response):
        out = model(input_ids=torch.tensor([prompt + response]), output_hidden_states=True, use_cache=False)
        return out.hidden_states[args.layer][0, len(prompt) :].float().mean(0)

    vectors = [mean(p["prompt"], p["chosen"]) - mean(p["prompt"], p["rejected"]) for p in some]
    tokens = sum(2 * len(p["prompt"]) + len(p["chosen"]) + len(p["rejected"]) for p in some)
    return torch.stack(vectors), tokens


def fill(rows):
    """Batches of rows of nearly one length, the longest first; a row's first entry is its length."""
    batch = []
    for row in sorted(rows, key=lambda each: -each[0]):
        if batch and (len(batch) + 1) * batch[0][0] > args.batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def batched(some, dtype):
    model = models[dtype]["cut"]
    rows = [
        (len(p["prompt"]) + len(p[side]), i, sign, p["prompt"], p[side])
        for i, p in enumerate(some)
        for sign, side in ((1, "chosen"), (-1, "rejected"))
    ]
    vectors = None
    for batch in fill(rows):
        ids = torch.zeros(len(batch), batch[0][0], dtype=torch.long)
        for r, (length, _, _, prompt, response) in enumerate(batch):
            ids[r, :length] = torch.tensor(prompt + response)
        states = model(input_ids=ids, use_cache=False).last_hidden_state
        if vectors is None:
            vectors = torch.zeros(len(some), states.shape[-1])
        for r, (length, i, sign, prompt, _) in enumerate(batch):
            vectors[i] += sign * states[r, len(prompt) : length].float().mean(0)
    return vectors, sum(row[0] for row in rows)


def common_prefix(some):
    first, last = min(p["prompt"] for p in some), max(p["prompt"] for p in some)
    length = 0
    while length < min(len(first), len(last)) - 1 and first[length] == last[length]:
        length += 1
    return first[:length]


def packed(some, dtype):
    model = models[dtype]["cut"]
    shared = common_prefix(some)
    S = len(shared)
    keys = []
    if S:
        filled = model(input_ids=torch.tensor([shared]), use_cache=True).past_key_values
        keys = [(layer.keys, layer.values) for layer in filled.layers[: args.layer]]
    rows = []
    for i, p in enumerate(some):
        P, C, R = len(p["prompt"]) - S, len(p["chosen"]), len(p["rejected"])
        rows.append((P + C + R, i, p))
    vectors = None
    for batch in fill(rows):
        B, T = len(batch), batch[0][0]
        ids = torch.zeros(B, T, dtype=torch.long)
        positions = torch.zeros(B, T, dtype=torch.long)
        segments = torch.full((B, T), -1)
        for r, (length, _, p) in enumerate(batch):
            P, C = len(p["prompt"]), len(p["chosen"])
            a, b = P - S, P - S + C
            ids[r, :length] = torch.tensor(p["prompt"][S:] + p["chosen"] + p["rejected"])
            positions[r, :a] = torch.arange(S, P)
            positions[r, a:b] = torch.arange(P, P + C)
            positions[r, b:length] = torch.arange(P, P + length - b)
            segments[r, :a], segments[r, a:b], segments[r, b:length] = 0, 1, 2
        order = torch.arange(T)
        seen = (order[None, :, None] >= order[None, None, :]) & (
            (segments[:, None, :] == 0) | (segments[:, :, None] == segments[:, None, :])
        )
        seen = torch.cat([torch.ones(B, T, S, dtype=torch.bool), seen], 2)
        mask = torch.zeros(B, 1, T, S + T, dtype=models[dtype]["whole"].dtype)
        mask.masked_fill_(~seen[:, None], torch.finfo(mask.dtype).min)
        past = DynamicCache()
        for layer, (k, v) in enumerate(keys):
            past.update(k.expand(B, -1, -1, -1), v.expand(B, -1, -1, -1), layer)
        states = model(
            input_ids=ids, position_ids=positions, attention_mask=mask, past_key_values=past, use_cache=True
        ).last_hidden_state
        if vectors is None:
            vectors = torch.zeros(len(some), states.shape[-1])
        for r, (length, i, p) in enumerate(batch):
            a = len(p["prompt"]) - S
            b = a + len(p["chosen"])
            vectors[i] = states[r, a:b].float().mean(0) - states[r, b:length].float().mean(0)
    return vectors, S + sum(row[0] for row in rows)


WAYS = {"loop": loop, "batched": batched, "packed": packed}
found = {}


def say(value):
    print(json.dumps(value), flush=True)


say({
    "torch": torch.__version__, "transformers": transformers.__version__, "threads": torch.get_num_threads(),
    "cpu": torch.backends.cpu.get_cpu_capability(), "mkldnn_bf16": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
})  # fmt: skip
for line in sys.stdin:
    ask = json.loads(line)
    key = (ask["way"], ask["dtype"])
    if "save" in ask:
        parts = [found[key][at] for at in sorted(found[key])]
        save_file({"vectors": torch.cat(parts).contiguous()}, ask["save"])
        say({})
        continue
    some = pairs[ask["from"] : ask["to"]]
    start, cpu_start = time.perf_counter(), time.process_time()
    vectors, tokens = WAYS[ask["way"]](some, ask["dtype"])
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    found.setdefault(key, {})[ask["from"]] = vectors
    say({"seconds": seconds, "cpuSeconds": cpu_seconds, "tokens": tokens})
