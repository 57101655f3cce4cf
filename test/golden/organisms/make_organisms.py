"""What transformers makes of the checkpoints of the model organisms: greedy responses.

    python make_organisms.py     (deterministic; needs transformers, torch)

golden.json   for each organism a list of {prompt, promptIds, responseIds}: the first scenarios, plain and with their distractor
"""
import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import dumps  # noqa: E402

ORGANISMS = HERE.parents[2] / "organisms"

golden = {}
for name in ["diffuse", "distractor"]:
    folder = ORGANISMS / name
    tokenizer = AutoTokenizer.from_pretrained(folder / "checkpoint")
    model = AutoModelForCausalLM.from_pretrained(folder / "checkpoint", dtype=torch.float32).eval()
    rows = [json.loads(line) for line in open(folder / "scenarios.evaluation.jsonl")][::16][:4]
    prompts = [text for row in rows for text in (row["base"], f"{row['base']} {row['distractor']}")]
    golden[name] = []
    for prompt in prompts:
        text = tokenizer.apply_chat_template([{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt").input_ids
        out = model.generate(ids, do_sample=False, max_new_tokens=24, eos_token_id=4, pad_token_id=1)[0]
        golden[name].append({"prompt": prompt, "promptIds": ids[0].tolist(), "responseIds": out[ids.shape[1]:].tolist()})
(HERE / "golden.json").write_text(dumps(golden))
