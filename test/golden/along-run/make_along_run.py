"""Gradients along a training run, from PyTorch and PEFT: python make_along_run.py writes <checkpoint>.safetensors.

Checkpoints, pairs, LoRA targets and projections are those of ../features. The run has two states, s = 0 and 1; element k of a factor, as the
graph has it ([in, rank] or [rank, out], row by row, phase p = FNV-1a of its name modulo 1000), has
    value 0.2 sin(p + 0.7k + s), first moment 0.01 cos(p + 1.3k + s), second moment 1e-4 (1 + sin(p + 0.4k + s)^2).
Loss of a pair: DPO, length-normalised, beta 3, label smoothing 0.1, its reference the checkpoint without factors. For each state
    tracin.<s>     float32 [3, K]   minus the gradient of each pair's loss, projected
    less.<s>       float32 [3, K]   minus LESS's Adam step of each pair's loss with the state's moments, projected
    response.<s>   float32 [6, K]   gradient of each response's log-probability, projected
Arithmetic in float64, one pair at a time. Needs torch, transformers, safetensors, peft, numpy.
"""
import sys
from pathlib import Path

import torch, transformers
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "features"))
from make_features import adapt, fnv1a, logprob, sketch

CASES = ["llama", "qwen3", "gemma2"]
BETA, SMOOTHING, BETA1, BETA2, EPSILON = 3.0, 0.1, 0.9, 0.999, 1e-8


def numbers(parameter, name, s):
    """Value and both moments in the graph's layout."""
    shape = parameter.T.shape
    k, p = torch.arange(parameter.numel(), dtype=torch.float64).reshape(shape), fnv1a(name) % 1000
    return 0.2 * torch.sin(p + 0.7 * k + s), 0.01 * torch.cos(p + 1.3 * k + s), 1e-4 * (1 + torch.sin(p + 0.4 * k + s) ** 2)


for case in CASES:
    folder = HERE.parent / "checkpoints" / case
    given = load_file(HERE.parent / "gradients" / f"{case}.safetensors")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    pairs = [[given[f"pair.{i}.{part}"].tolist() for part in ("prompt", "chosen", "rejected")] for i in range(3)]
    with torch.no_grad():
        reference = [[logprob(model, x, y)[0] for y in (chosen, rejected)] for x, chosen, rejected in pairs]
    adapted, factors = adapt(model)
    factors = [(parameter, plain + ".T") for parameter, plain in factors]
    tensors = {}
    for s in (0, 1):
        made = [numbers(parameter, name, s) for parameter, name in factors]
        with torch.no_grad():
            for (parameter, _), (value, _, _) in zip(factors, made):
                parameter.copy_(value.T)
        rows = {"tracin": [], "less": [], "response": []}
        for (x, *sides), start in zip(pairs, reference):
            for y in sides:
                adapted.zero_grad()
                logprob(adapted, x, y)[0].backward()
                rows["response"].append(sum(sketch(parameter.grad.T, name) for parameter, name in factors))
            adapted.zero_grad()
            rewards = [BETA * (logprob(adapted, x, y)[0] - r) / len(y) for y, r in zip(sides, start)]
            margin = rewards[0] - rewards[1]
            (-(1 - SMOOTHING) * F.logsigmoid(margin) - SMOOTHING * F.logsigmoid(-margin)).backward()
            plain, stepped = 0, 0
            for (parameter, name), (_, m, v) in zip(factors, made):
                g = parameter.grad.T
                plain = plain - sketch(g, name)
                stepped = stepped - sketch((BETA1 * m + (1 - BETA1) * g) / torch.sqrt(BETA2 * v + (1 - BETA2) * g**2 + EPSILON), name)
            rows["tracin"].append(plain)
            rows["less"].append(stepped)
        tensors.update({f"{kind}.{s}": torch.stack(each) for kind, each in rows.items()})
    save_file(
        {name: value.float().contiguous() for name, value in tensors.items()},
        HERE / f"{case}.safetensors",
        metadata={"made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"},
    )
    print(case, {name: round(float(value.norm()), 4) for name, value in tensors.items()})
