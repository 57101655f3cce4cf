"""Writes curves.json: 50 steps of DPO by TRL on ../checkpoints/llama-tied, and of SFT and smoothed DPO by a plain loop over torch and
transformers (TRL 1.16 passes label_smoothing over where the loss is "sigmoid").

    python make_curves.py

Needs torch, transformers, trl, peft, datasets.
"""
import random
import sys
from importlib.metadata import version
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[2] / "bench")]
import trl_reference  # noqa: E402
from golden_json import dumps  # noqa: E402

MODEL = HERE.parent / "checkpoints" / "llama-tied"
BASE = {
    "batchSize": 4,
    "epochs": 5,
    "learningRate": 5e-4,
    "schedule": "linear",
    "warmupSteps": 5,
    "weightDecay": 0.01,
    "maxGradNorm": 1.0,
    "beta": 0.2,
    "lengthNormalized": False,
}
CASES = {
    "plain": BASE,
    "accumulated": {**BASE, "accumulation": 2, "schedule": "cosine"},
    "length-normalised": {**BASE, "beta": 1.0, "lengthNormalized": True},
    "lora": {**BASE, "learningRate": 3e-3, "lora": {"rank": 4, "alpha": 8}},
}


def make_pairs():
    rng = random.Random(11)
    draw = lambda most, low, high: [rng.randrange(low, high) for _ in range(rng.randint(1, most))]
    # Chosen and rejected prefer different tokens, so that there is something to learn.
    return [{"prompt": draw(12, 3, 64), "chosen": draw(14, 3, 50), "rejected": draw(14, 16, 64)} for _ in range(40)]


def loop(pairs, losses_of):
    """50 steps; `losses_of(model, reference, batch)` gives the step's loss."""
    load = lambda: transformers.AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32)
    model, reference = load(), load()
    for each in (model, reference):
        each.get_input_embeddings().padding_idx = None
    decayed = [p for n, p in model.named_parameters() if "norm" not in n]
    others = [p for n, p in model.named_parameters() if "norm" in n]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=BASE["learningRate"])
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, 5, 50)
    losses, norms = [], []
    for step in range(50):
        loss = losses_of(model, reference, [pairs[(step * 4 + i) % len(pairs)] for i in range(4)])
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0).item())
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return {"loss": losses, "gradientNorm": norms}


def logprob(model, pair, side):
    logits = model(input_ids=torch.tensor([pair["prompt"] + pair[side]])).logits[0]
    logprobs = logits[len(pair["prompt"]) - 1 : -1].log_softmax(-1)
    return logprobs.gather(1, torch.tensor(pair[side])[:, None]).sum()


def sft_loss(model, reference, batch):
    """Mean cross-entropy over all response tokens of the step, as transformers' Trainer has it with num_items_in_batch."""
    return -sum(logprob(model, pair, "chosen") for pair in batch) / sum(len(pair["chosen"]) for pair in batch)


def smoothed_loss(model, reference, batch):
    """Conservative DPO with a share of 0.1."""
    losses = []
    for pair in batch:
        with torch.no_grad():
            start = logprob(reference, pair, "chosen") - logprob(reference, pair, "rejected")
        margin = BASE["beta"] * (logprob(model, pair, "chosen") - logprob(model, pair, "rejected") - start)
        losses.append(-0.9 * F.logsigmoid(margin) - 0.1 * F.logsigmoid(-margin))
    return sum(losses) / len(losses)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    pairs = make_pairs()
    rounded = lambda curve: {name: [float(f"{value:.7g}") for value in values] for name, values in curve.items()}
    result = {
        "versions": {name: version(name) for name in ("torch", "transformers", "trl", "peft")},
        "pairs": pairs,
        "dpo": [
            {"name": name, "settings": settings, "curve": rounded(trl_reference.run(MODEL, pairs, settings))}
            for name, settings in CASES.items()
        ],
        "sft": {"settings": BASE, "curve": rounded(loop(pairs, sft_loss))},
        "smoothed": {"settings": {**BASE, "labelSmoothing": 0.1}, "curve": rounded(loop(pairs, smoothed_loss))},
    }
    (HERE / "curves.json").write_text(dumps(result))
