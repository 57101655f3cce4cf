"""Makes generate.json: greedy continuations of the tiny Llama with each adapter, by PEFT without merging, and without an adapter.

    python make_generate.py      after make_lora.py; needs torch, transformers, peft
"""

import json
import sys
from pathlib import Path

import peft
import torch
from make_lora import CASES, base_model

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

HERE = Path(__file__).parent
PROMPTS = [[3], [1, 5, 9, 2], [7, 7, 0, 11, 4, 19]]
TOKENS = 16


@torch.no_grad()
def greedy(model, prompt):
    ids = list(prompt)
    for _ in range(TOKENS):
        logits = model(torch.tensor([ids])).logits[0, -1]
        first, second = logits.topk(2).values.tolist()
        if first - second < 1e-3:
            break  # a near tie would be a test of rounding
        ids.append(int(logits.argmax()))
    return ids[len(prompt) :]


def main():
    cases = []
    for name in [None, *CASES]:
        model = base_model() if name is None else peft.PeftModel.from_pretrained(base_model(), HERE / name)
        model.eval()
        cases.append({"adapter": name, "prompts": PROMPTS, "tokens": [greedy(model, prompt) for prompt in PROMPTS]})
    versions = json.loads((HERE / "versions.json").read_text())
    (HERE / "generate.json").write_text(dumps({"versions": versions, "cases": cases}))
    for case in cases:
        print(case["adapter"], case["tokens"][0])


if __name__ == "__main__":
    main()
