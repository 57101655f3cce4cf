"""Transformers' generate as a yardstick: one job a line on stdin, one result a line on stdout, both JSON.

    python transformers-server.py --model DIR [--threads 2] [--dtype bfloat16]

Job: {"prompts": [[id, …], …], "newTokens": N, "sample": bool}. All prompts run as one batch, padded on the left, no stop token; --dtype is float32 unless given.
Result: {"seconds", "cpuSeconds", "tokens": [[id, …], …]}, and for one greedy prompt "gaps": between the two largest logits of each step.
"""
import argparse, json, sys, time, warnings

import torch, transformers
from transformers import AutoModelForCausalLM, GenerationConfig

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
parser = argparse.ArgumentParser()
parser.add_argument("--model", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)
model = AutoModelForCausalLM.from_pretrained(args.model, dtype=getattr(torch, args.dtype)).eval()
model.generation_config, model.config.eos_token_id = GenerationConfig(), None
print(json.dumps({"torch": torch.__version__, "transformers": transformers.__version__}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    prompts, width = job["prompts"], max(map(len, job["prompts"]))
    ids = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    settings = {"do_sample": True, "temperature": 1.0, "top_k": 0} if job["sample"] else {"do_sample": False}
    wants_gaps = len(prompts) == 1 and not job["sample"] and job.get("gaps", False)
    start, start_cpu = time.perf_counter(), time.process_time()
    with torch.no_grad():
        out = model.generate(ids, attention_mask=mask, max_new_tokens=job["newTokens"], pad_token_id=0, return_dict_in_generate=True,
                             output_logits=wants_gaps, **settings)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    result = {"seconds": seconds, "cpuSeconds": cpu, "tokens": out.sequences[:, width:].tolist()}
    if wants_gaps:
        result["gaps"] = [(v[0] - v[1]).item() for v in (step[0].topk(2).values for step in out.logits)]
    print(json.dumps(result), flush=True)
