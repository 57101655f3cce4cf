"""Random numbers and the choice of a token, number for number as src/util/rng.ts and src/engine/generation/choose-token.ts."""

from __future__ import annotations

import hashlib

import numpy as np
import torch

from .faults import Fault

MASK = 0xFFFFFFFF


class Rng:
    """xoshiro128**, seeded by splitmix32."""

    def __init__(self, seed: int) -> None:
        mix, self.state = seed & MASK, []
        for _ in range(4):
            mix = (mix + 0x9E3779B9) & MASK
            z = ((mix ^ (mix >> 16)) * 0x21F0AAAD) & MASK
            z = ((z ^ (z >> 15)) * 0x735A2D97) & MASK
            self.state.append(z ^ (z >> 15))

    def word(self) -> int:
        """32 random bits."""
        s = self.state
        a, b = s[0], s[1]
        c, d = s[2] ^ a, s[3] ^ b
        s[1], s[0] = b ^ c, a ^ d
        s[2] = (c ^ (b << 9)) & MASK
        s[3] = rotate_left(d, 11)
        return (rotate_left((b * 5) & MASK, 7) * 9) & MASK


def rotate_left(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & MASK


def sample_rng(seed: int, prompt: list[int], sample: int) -> Rng:
    """A sample's random numbers follow from seed, prompt and number alone, whatever runs beside it."""
    of_prompt = hashlib.sha256(",".join(map(str, prompt)).encode()).hexdigest()
    return Rng(int(hashlib.sha256(f"{seed}/{of_prompt}/{sample}".encode()).hexdigest()[:8], 16))


def choose_tokens(probabilities: torch.Tensor, keys: list[int], top_k: int | None, top_p: float) -> list[int]:
    """A token for each row of float32 probabilities [B, V]: an exponential race, the least -ln(u)/p wins.

    Throws Fault where no token finishes, which is what a logit that is not finite makes of them all.
    """
    is_filtered = (top_k is not None and top_k < probabilities.shape[1]) or top_p < 1
    times = race_times(probabilities, keys)
    if is_filtered:
        times = torch.where(allowed(probabilities, top_k, top_p), times, torch.inf)
    best = times.min(dim=1)
    if not bool(torch.isfinite(best.values).all()):
        raise Fault("sampling: the model's logits are not finite",
                    "Check the checkpoint's weights (an overflow in training or conversion gives such values).")
    return best.indices.tolist()


def race_times(probabilities: torch.Tensor, keys: list[int]) -> torch.Tensor:
    """-ln(u)/p [B, V] in float64; u in (0, 1) by the finaliser of splitmix32 over key and token. Infinite where p is 0 or not finite."""
    device = probabilities.device
    tokens = torch.arange(1, probabilities.shape[1] + 1, device=device, dtype=torch.int64)
    z = (torch.tensor(keys, device=device).unsqueeze(1) + tokens * 0x9E3779B9) & MASK
    z = ((z ^ (z >> 16)) * 0x21F0AAAD) & MASK
    z = ((z ^ (z >> 15)) * 0x735A2D97) & MASK
    uniform = ((z ^ (z >> 15)).double() + 0.5) / 2**32
    return torch.where(probabilities > 0, -uniform.log() / probabilities.double(), torch.inf)


def allowed(probabilities: torch.Tensor, top_k: int | None, top_p: float) -> torch.Tensor:
    """Which tokens [B, V] may be sampled: the k likeliest, and of these the first whose share reaches p; of equal ones the lower ids."""
    found = np.zeros(tuple(probabilities.shape), dtype=bool)
    for r, row in enumerate(probabilities.double().cpu().numpy()):
        order = np.lexsort((np.arange(len(row)), -row))
        is_cut = top_k is not None and top_k < len(row)
        if is_cut:
            order = order[:top_k]
        if top_p < 1:
            # Summed one after another, as the local engine does; without top-k its whole is summed in the order of ids.
            total = np.cumsum(row[order] if is_cut else row)[-1]
            enough = np.flatnonzero(np.cumsum(row[order]) >= top_p * total)
            if len(enough) > 0:
                order = order[: enough[0] + 1]
        found[r, order] = True
    return torch.from_numpy(found).to(probabilities.device)
