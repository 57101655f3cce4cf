"""The PyTorch side of bench/train-step.ts: eager transformers, one DPO step for each line on stdin, its seconds by the clock and of processor time on stdout.

    python train_step_reference.py --model DIR --job JOB.json --threads N [--lora RANK] [--autocast]

JOB.json: {"steps": [[{"prompt", "chosen", "rejected": token ids, "reference": [chosen, rejected]}]]}. Chosen and rejected sequences run as one
padded batch, as TRL does it; with --autocast in bfloat16, as its bf16 setting does, weights and optimizer in float32. "end" prints the peak memory in bytes. Needs torch, transformers, peft.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F
import transformers

parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--job", required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--lora", type=int)
parser.add_argument("--autocast", action="store_true")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

steps = json.load(open(arguments.job))["steps"]
model = transformers.AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32)
model.config.use_cache = False
if arguments.lora:
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(
        model,
        LoraConfig(r=arguments.lora, lora_alpha=2 * arguments.lora, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=1e-5)


def step(pairs):
    sequences = [pair["prompt"] + pair[side] for side in ("chosen", "rejected") for pair in pairs]
    prompts = [len(pair["prompt"]) for _ in range(2) for pair in pairs]
    width = max(map(len, sequences))
    ids = torch.zeros(len(sequences), width, dtype=torch.long)
    mask = torch.zeros(len(sequences), width, dtype=torch.long)
    answer = torch.zeros(len(sequences), width)
    for i, (sequence, prompt) in enumerate(zip(sequences, prompts)):
        ids[i, : len(sequence)] = torch.tensor(sequence)
        mask[i, : len(sequence)] = 1
        answer[i, prompt : len(sequence)] = 1
    reference = torch.tensor([pair["reference"][side] for side in (0, 1) for pair in pairs])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.autocast):
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1]
    picked = logits.float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
    gain = (picked * answer[:, 1:]).sum(-1) - reference
    chosen, rejected = gain.chunk(2)
    loss = -F.logsigmoid(0.1 * (chosen - rejected)).mean()
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    return loss.item()


print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "end":
        peak = next(row for row in open("/proc/self/status") if row.startswith("VmHWM"))
        print(int(peak.split()[1]) * 1024, flush=True)
        break
    start, busy = time.perf_counter(), time.process_time()
    loss = step(steps[int(line)])
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    print(json.dumps({"seconds": seconds, "busy": busy, "loss": loss}), flush=True)
