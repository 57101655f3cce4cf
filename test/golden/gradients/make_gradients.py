"""Losses and gradients of whole tiny models, from transformers: python make_gradients.py [NAME ...] writes <checkpoint>.safetensors beside itself,
of every case or of those named.

The checkpoints are those of ../checkpoints. A batch of three preference pairs of unequal lengths; every response runs alone behind
its prompt, without padding. Two losses: dpo (length-normalised, with label smoothing, the reference some nats off) and sft (mean
over the tokens of all six responses). In each file:
    pair.<i>.prompt, pair.<i>.chosen, pair.<i>.rejected   int32 token ids
    reference           float32 [3, 2]   log-probabilities under the reference, chosen and rejected
    logprobs            float32 [3, 2]   sums over the response's tokens
    dpo.loss, sft.loss  float32 []
    <loss>.<parameter>.rows      float32 [out]  G·v of the gradient G [out, in] with v_j = sin(1 + j); a vector has itself here
    <loss>.<parameter>.columns   float32 [in]   Gᵀ·u with u_i = cos(1 + i); matrices only
    <loss>.<parameter>.norm      float32 []     ‖G‖
Arithmetic in float64. The projections stand for the gradients, which would be 20 times larger. Needs torch, transformers, safetensors.
"""
import json, sys
from pathlib import Path

import torch, transformers
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CASES = ["llama", "llama-tied", "llama-bias", "mistral", "olmo2", "olmo3", "qwen2", "qwen3", "gpt-neox", "gpt-neox-sequential", "smollm3", "gemma2", "gemma3", "granite", "phi3", "olmoe",
         "olmoe-normalised", "ministral"]
BETA, SMOOTHING = 3.0, 0.1
LENGTHS = [(5, 7, 4), (9, 1, 8), (2, 6, 6)]  # prompt, chosen, rejected
torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def token_logprobs(model, prompt, response):
    logits = model(input_ids=torch.tensor([prompt + response]), use_cache=False).logits[0]
    predicting = logits[len(prompt) - 1 : -1]
    return predicting.log_softmax(-1).gather(1, torch.tensor(response)[:, None])[:, 0]


def stored(model):
    """Gradients by the names and in the shapes of the checkpoint's files, which differ from those of the modules in some families."""
    for name, parameter in model.named_parameters():
        g = parameter.grad.double()
        module, _, last = name.rpartition(".experts.")
        if model.config.model_type == "gpt_neox": yield name.replace("lm_head", "embed_out"), g
        elif last == "gate_up_proj":
            for i, (gate, up) in enumerate(each.chunk(2) for each in g):
                yield f"{module}.experts.{i}.gate_proj.weight", gate
                yield f"{module}.experts.{i}.up_proj.weight", up
        elif last == "down_proj": yield from ((f"{module}.experts.{i}.down_proj.weight", each) for i, each in enumerate(g))
        else: yield name, g


def projections(loss, model, prefix):
    model.zero_grad()
    loss.backward(retain_graph=True)
    found = {f"{prefix}.loss": loss.detach().float()}
    for name, g in stored(model):
        found[f"{prefix}.{name}.norm"] = g.norm().float()
        if g.dim() == 2:
            found[f"{prefix}.{name}.rows"] = (g @ torch.sin(1 + torch.arange(g.shape[1]).double())).float()
            found[f"{prefix}.{name}.columns"] = (g.T @ torch.cos(1 + torch.arange(g.shape[0]).double())).float()
        else:
            found[f"{prefix}.{name}.rows"] = g.float()
    return found


for number, case in enumerate(CASES):
    if sys.argv[1:] and case not in sys.argv[1:]: continue
    folder = HERE.parent / "checkpoints" / case
    plain_experts = {"experts_implementation": "eager"} if case.startswith("olmoe") else {}  # the other one has no float64
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager", **plain_experts).eval()
    model.get_input_embeddings().padding_idx = None  # the padding token is a token like any other here
    generator = torch.Generator().manual_seed(3000 + number)
    draw = lambda length: torch.randint(0, model.config.vocab_size, (length,), generator=generator).tolist()
    pairs = [tuple(draw(length) for length in lengths) for lengths in LENGTHS]
    tokens = [[token_logprobs(model, prompt, response) for response in responses] for prompt, *responses in pairs]
    logprobs = torch.stack([torch.stack([each.sum() for each in row]) for row in tokens])
    counts = torch.tensor([[len(chosen), len(rejected)] for _, chosen, rejected in pairs])
    reference = (logprobs.detach() + torch.randn(3, 2, generator=generator)).float()
    rewards = BETA * (logprobs - reference.double()) / counts
    margins = rewards[:, 0] - rewards[:, 1]
    dpo = (-(1 - SMOOTHING) * F.logsigmoid(margins) - SMOOTHING * F.logsigmoid(-margins)).mean()
    sft = -torch.cat([each for row in tokens for each in row]).mean()
    tensors = projections(dpo, model, "dpo") | projections(sft, model, "sft")
    for i, pair in enumerate(pairs):
        tensors |= {f"pair.{i}.{part}": torch.tensor(ids, dtype=torch.int32) for part, ids in zip(("prompt", "chosen", "rejected"), pair)}
    tensors |= {"reference": reference, "logprobs": logprobs.detach().float()}
    save_file(tensors, HERE / f"{case}.safetensors", metadata={"made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"})
    print(case, f"dpo {dpo.item():.4f} sft {sft.item():.4f}", (HERE / f"{case}.safetensors").stat().st_size, "bytes")
(HERE / "cases.json").write_text(json.dumps({"cases": CASES, "beta": BETA, "labelSmoothing": SMOOTHING, "pairs": len(LENGTHS)}) + "\n")
