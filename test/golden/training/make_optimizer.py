"""Writes optimizer.json: torch.optim.AdamW with clipping over 25 steps, and transformers' learning-rate schedules.

    python make_optimizer.py

Gradients follow from a formula that the test knows as well, so that they need not be stored.
"""

import sys
from pathlib import Path

import torch
import transformers
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

STEPS = 25
SIZES = {"matrix": 35, "norm": 7, "other": 4}


def gradient(step, tensor, size):
    """Varies in size over steps, so that some steps are clipped and some are not; exact in float32."""
    values = [((i * 7 + step * 13 + tensor * 5) % 32 - 15) / 64 * (1 if step % 3 else 0.125) for i in range(size)]
    return torch.tensor(values, dtype=torch.float32)


def optimizer_case(weight_decay, max_norm):
    tensors = [torch.nn.Parameter(torch.tensor([(i % 11 - 5) / 8 for i in range(n)])) for n in SIZES.values()]
    optimizer = torch.optim.AdamW(
        [
            {"params": [tensors[0], tensors[2]], "weight_decay": weight_decay},
            {"params": [tensors[1]], "weight_decay": 0.0},
        ],
        lr=0.01,
        betas=(0.9, 0.999),
        eps=1e-8,
    )
    norms = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 / (1 + step)
        for t, each in enumerate(tensors):
            each.grad = gradient(step, t, each.numel())
        norms.append(torch.nn.utils.clip_grad_norm_(tensors, max_norm if max_norm else float("inf")).item())
        optimizer.step()
    return {
        "weightDecay": weight_decay,
        "maxGradNorm": max_norm,
        "norms": norms,
        "values": {name: each.tolist() for name, each in zip(SIZES, tensors)},
        "firstMoments": {name: optimizer.state[each]["exp_avg"].tolist() for name, each in zip(SIZES, tensors)},
        "secondMoments": {name: optimizer.state[each]["exp_avg_sq"].tolist() for name, each in zip(SIZES, tensors)},
    }


def schedule_case(name, make, warmup, total):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer, warmup, total)
    rates = []
    for _ in range(total):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return {"schedule": name, "warmupSteps": warmup, "steps": total, "rates": rates}


SCHEDULES = {
    "linear": get_linear_schedule_with_warmup,
    "cosine": get_cosine_schedule_with_warmup,
    "constant": lambda optimizer, warmup, total: get_constant_schedule_with_warmup(optimizer, warmup),
}

golden = {
    "torch": torch.__version__,
    "transformers": transformers.__version__,
    "sizes": SIZES,
    "optimizer": [optimizer_case(0.0, 1.0), optimizer_case(0.1, 1.0), optimizer_case(0.1, 0.0)],
    "schedules": [
        schedule_case(name, make, warmup, 20) for name, make in SCHEDULES.items() for warmup in (0, 1, 6)
    ],
}
Path(__file__).with_name("optimizer.json").write_text(dumps(golden))
