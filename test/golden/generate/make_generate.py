"""Greedy continuations by transformers' generate, with its key-value cache, on the checkpoints of ../checkpoints.

    python make_generate.py [NAME ...]    writes generate.json beside itself; with names only those cases are made, the others stay

For each checkpoint and each of its golden sequences: 64 tokens that generate() adds (no stop token, one sequence at a time on a freshly
loaded model, fp32, eager attention), the logits of the last step, and the smallest gap between the two largest logits of any step: a
continuation with a gap near 0 would be a coin toss, so the script refuses one. Needs torch, transformers, safetensors.
"""
import json, sys
from pathlib import Path

import torch, transformers
from safetensors import safe_open
from transformers import GenerationConfig

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "checkpoints")]
from golden_json import dumps  # noqa: E402
from make_checkpoints import load  # noqa: E402  (also sets one thread)

CHECKPOINTS = HERE.parent / "checkpoints"
NEW_TOKENS = 64
MIN_GAP = 1e-4


@torch.no_grad()
def continuation(folder, ids):
    model = load(folder)
    model.generation_config, model.config.eos_token_id = GenerationConfig(), None  # else generate() would take the config's stop token
    result = model.generate(
        torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), do_sample=False, max_new_tokens=NEW_TOKENS, use_cache=True, pad_token_id=0,
        output_logits=True, return_dict_in_generate=True)
    tokens = result.sequences[0, len(ids):].tolist()
    assert len(tokens) == NEW_TOKENS
    top = torch.stack([step[0].float().topk(2).values for step in result.logits])
    gap = (top[:, 0] - top[:, 1]).min().item()
    return tokens, result.logits[-1][0].float().tolist(), gap


def main():
    names, path = sys.argv[1:], HERE / "generate.json"
    old = {case["name"]: case for case in json.loads(path.read_text())["cases"]} if names else {}
    cases = []
    for case in json.loads((CHECKPOINTS / "cases.json").read_text())["cases"]:
        if names and case["name"] not in names:
            cases.append(old[case["name"]])
            continue
        folder, sequences = CHECKPOINTS / case["name"], []
        with safe_open(folder / "golden.safetensors", "pt") as file:
            prompts = [file.get_tensor(f"ids.{i}").tolist() for i in range(len(case["lengths"]))]
        for prompt in prompts:
            tokens, logits, gap = continuation(folder, prompt)
            assert gap > MIN_GAP, f"{case['name']}: a step is nearly a tie ({gap})"
            sequences.append({"prompt": prompt, "tokens": tokens, "logits": [round(x, 5) for x in logits]})
        cases.append({"name": case["name"], "sequences": sequences})
        print(case["name"], [len(set(s["tokens"])) for s in sequences])
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    path.write_text(dumps({"versions": versions, "cases": cases}))


if __name__ == "__main__":
    main()
