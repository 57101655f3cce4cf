"""Per-sample gradients in PyTorch with a two-sided random projection: the yardstick of bench/gradient-speed.ts.

The gradient of log pi(chosen) - log pi(rejected) of each pair, in all weights or in an adapter's factors, multiplied from both sides by
Rademacher matrices to `dims` numbers, added up over the weights: what `culprit embed --features gradient` stores.

`loop` takes one pair after another: a forward pass of both responses, a backward pass, the projection of each weight's gradient.
`hooks` is the best that a user could write by hand: pairs in batches by length, no gradient of a weight is made; the projected
gradient of a linear layer is the product of its projected inputs and its projected output gradients.

Reads a job {"pairs": [{prompt, chosen, rejected}: token ids]} and prints {"pairs", "seconds"} for the pairs alone, loading left out.
--check prints the largest relative difference of the two ways instead.
"""
import argparse
import json
import math
import time

import torch
from torch.nn.functional import log_softmax
from transformers import AutoModelForCausalLM

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--adapter")
parser.add_argument("--job", required=True)
parser.add_argument("--way", choices=["loop", "hooks"], default="loop")
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
parser.add_argument("--dims", type=int, default=8192)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch-tokens", type=int, default=4096)
parser.add_argument("--check", action="store_true")
args = parser.parse_args()

torch.manual_seed(0)
torch.set_num_threads(args.threads)
LEFT = 2 ** (int(math.log2(args.dims)) // 2)
RIGHT = args.dims // LEFT

dtype = getattr(torch, args.dtype)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=dtype, attn_implementation="sdpa")
if args.adapter:
    from peft import PeftModel

    # Else PEFT holds the factors in float32 beside a bfloat16 model, and the products of the two fail.
    model = PeftModel.from_pretrained(model, args.adapter, is_trainable=True, autocast_adapter_dtype=False)
model.eval()
trained = {name: p for name, p in model.named_parameters() if p.requires_grad}


def signs(rows: int, columns: int) -> torch.Tensor:
    if rows <= columns:
        return torch.eye(rows, columns, dtype=dtype)
    return (torch.randint(0, 2, (rows, columns)) * 2 - 1).to(dtype) / math.sqrt(columns)


P = {name: signs(p.shape[0], LEFT) for name, p in trained.items()}
Q = {name: signs(p.shape[1] if p.dim() == 2 else 1, RIGHT) for name, p in trained.items()}

pairs = json.load(open(args.job))["pairs"]


def batch_of(some):
    """Rows chosen, rejected of each pair, padded at the end; ids, mask, and which positions predict a response's token."""
    rows = [(p["prompt"], p[side]) for p in some for side in ("chosen", "rejected")]
    length = max(len(prompt) + len(response) for prompt, response in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length, dtype=torch.long)
    weight = torch.zeros(len(rows), length - 1, dtype=dtype)
    for i, (prompt, response) in enumerate(rows):
        whole = prompt + response
        ids[i, : len(whole)] = torch.tensor(whole)
        mask[i, : len(whole)] = 1
        weight[i, len(prompt) - 1 : len(whole) - 1] = 1 if i % 2 == 0 else -1
    return ids, mask, weight


def objective(ids, mask, weight):
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    picked = log_softmax(logits.float(), -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
    return (picked * weight).sum()


def loop(some):
    found = []
    for pair in some:
        model.zero_grad(set_to_none=True)
        objective(*batch_of([pair])).backward()
        total = torch.zeros(LEFT, RIGHT)
        for name, p in trained.items():
            g = p.grad if p.dim() == 2 else p.grad[:, None]
            total += (P[name].T @ g @ Q[name]).float()
        found.append(total.flatten())
    return torch.stack(found)


def hooks(some):
    order = sorted(range(len(some)), key=lambda i: -max(len(some[i]["chosen"]), len(some[i]["rejected"])) - len(some[i]["prompt"]))
    found = torch.zeros(len(some), LEFT * RIGHT)
    modules = dict(model.named_modules())
    names_of = {}
    for name, p in model.named_parameters(remove_duplicate=False):
        first = next((n for n, q in trained.items() if q is p), None)
        if first is not None:
            owner, _, member = name.rpartition(".")
            names_of.setdefault(owner, {})[member] = first
    state = {"sums": None}

    def add(values):  # [rows, LEFT, RIGHT]: both responses of a pair belong together
        state["sums"] += values.float().view(-1, 2, LEFT, RIGHT).sum(1)

    def watch(owner, module, members):
        def forward(_, inputs, output):
            seen = inputs[0]
            if output.requires_grad:
                output.register_hook(lambda grad: back(seen.detach(), output.detach(), grad))

        def back(seen, output, grad):
            for member, name in members.items():
                left, right = P[name], Q[name]
                if isinstance(module, torch.nn.Embedding):
                    add(torch.bmm(left[seen].transpose(1, 2), grad @ right))
                elif member == "bias":
                    add((grad.sum(1) @ left)[:, :, None] * right[0])
                elif trained[name].dim() == 1:  # a norm's weight: its output is the weight times what it normalised
                    unit = output / module.weight.detach()
                    add(((grad * unit).sum(1) @ left)[:, :, None] * right[0])
                else:
                    add(torch.bmm((grad @ left).transpose(1, 2), seen @ right))

        return module.register_forward_hook(forward)

    # The gradient must reach the embeddings' output; that of the weights themselves is never made.
    for p in trained.values():
        p.requires_grad_(False)
    embedding = model.get_input_embeddings()
    handles = [embedding.register_forward_hook(lambda _m, _i, out: out.requires_grad_(True))]
    handles += [watch(owner, modules[owner], members) for owner, members in names_of.items()]
    at = 0
    while at < len(order):
        longest = some[order[at]]
        rows = max(1, args.batch_tokens // (2 * (len(longest["prompt"]) + max(len(longest["chosen"]), len(longest["rejected"])))))
        chunk = order[at : at + rows]
        state["sums"] = torch.zeros(len(chunk), LEFT, RIGHT)
        model.zero_grad(set_to_none=True)
        objective(*batch_of([some[i] for i in chunk])).backward()
        found[chunk] = state["sums"].flatten(1)
        at += rows
    for handle in handles:
        handle.remove()
    for p in trained.values():
        p.requires_grad_(True)
    return found


WAYS = {"loop": loop, "hooks": hooks}
if args.check:
    few = pairs[:4]
    a, b = loop(few), hooks(few)
    print(json.dumps({"difference": float((a - b).norm() / a.norm())}))
else:
    WAYS[args.way](pairs[:2])
    start = time.perf_counter()
    WAYS[args.way](pairs)
    print(json.dumps({"pairs": len(pairs), "seconds": time.perf_counter() - start}))
