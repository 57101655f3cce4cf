"""Influence features and projected gradients of single responses, from PyTorch: python make_features.py writes <checkpoint>.safetensors.

The checkpoints are those of ../checkpoints, the pairs those of ../gradients. Every response runs alone behind its prompt. For response r
(chosen and rejected of each pair in turn) each file has
    influence.<l>   float32 [6, K]   mean over tokens t of outer(h_t, e_t), h_t the residual stream at layer l of the token before t over its
                                     root mean square, e_t the gradient of log p(t) in the state that the output matrix reads; P^T (...) Q
    gradient        float32 [6, K]   sum over all parameters W of P^T (d log p(response) / dW) Q, by autograd, one response at a time
    concept         float32 [3, K]   of the second response of each pair, P^T (d <mean over its tokens of the stream at layer 1, v> / dW) Q
                                     summed over all parameters W, v_j = sin(1 + j) over its length
    lora            float32 [6, K]   the same over PEFT's LoRA factors A and B, both random
    lora.<module>.A, lora.<module>.B  the factors [rank, in], [out, rank]
The projections P and Q follow from seed, parameter name and side, see src/model/gradient-projection.ts; K = SIDE * SIDE. A parameter that
the graph uses transposed (every matrix but embeddings and output matrix) is named with ".T" and projected as [in, out].
Arithmetic in float64. Needs torch, transformers, safetensors, peft, numpy.
"""
from pathlib import Path

import numpy as np, torch, transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CASES = ["llama", "llama-tied", "llama-bias", "olmo3", "qwen3", "gemma2", "gemma3", "granite", "smollm3"]
SIDE, SEED, RANK, ALPHA = 16, 7, 2, 3.0
torch.set_num_threads(1)
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


def fnv1a(text):
    h = 0x811C9DC5
    for c in text:
        h = ((h ^ ord(c)) * 0x01000193) & 0xFFFFFFFF
    return h


def words(key, count):
    h = (np.uint64(key) + np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        h = ((h ^ (h >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return h ^ (h >> np.uint64(16))


def projection(name, side, size):
    key = fnv1a(f"{SEED}:{side}:{name}")
    signs = lambda count: np.where(words(key, count) >> np.uint64(31) == 0, 1.0, -1.0)
    if size > SIDE:
        return torch.from_numpy(signs(size * SIDE).reshape(size, SIDE) / np.sqrt(SIDE))
    values = np.zeros((size, SIDE))
    values[np.arange(size), (key % SIDE + np.arange(size)) % SIDE] = signs(size)
    return torch.from_numpy(values)


def sketch(matrix, name):
    return (projection(name, "left", matrix.shape[0]).T @ matrix @ projection(name, "right", matrix.shape[1])).flatten()


def logprob(model, prompt, response, **more):
    out = model(input_ids=torch.tensor([prompt + response]), use_cache=False, **more)
    predicting = out.logits[0, len(prompt) - 1 : -1]
    return predicting.log_softmax(-1).gather(1, torch.tensor(response)[:, None]).sum(), out


def gradients(model, prompt, response, names):
    model.zero_grad()
    logprob(model, prompt, response)[0].backward()
    total = 0
    for parameter, name in names:
        g = parameter.grad
        matrix = g[None] if g.dim() == 1 else g.T if name.endswith(".T") else g
        total = total + sketch(matrix, name)
    return total


def concept(model, prompt, response, names):
    model.zero_grad()
    out = model(input_ids=torch.tensor([prompt + response]), use_cache=False, output_hidden_states=True)
    stream = out.hidden_states[1][0, len(prompt) :].mean(0)
    v = torch.sin(1 + torch.arange(len(stream), dtype=torch.float64))
    (stream @ v / v.norm()).backward()
    total = 0
    for parameter, name in names:
        if (g := parameter.grad) is None:
            continue
        total = total + sketch(g[None] if g.dim() == 1 else g.T if name.endswith(".T") else g, name)
    return total


def graph_name(name):
    stored = name in ("model.embed_tokens.weight", "lm_head.weight")
    return name if stored or not name.endswith("proj.weight") else name + ".T"


def adapt(model):
    """Random LoRA factors beside two kinds of matrices, and the plain names of the factors."""
    adapted = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM"))
    named = [(p, name.removeprefix("base_model.model.").replace(".default", "")) for name, p in adapted.named_parameters() if p.requires_grad]
    for parameter, _ in named:
        torch.nn.init.normal_(parameter, std=0.2)
    return adapted, named


if __name__ == "__main__":
    for number, case in enumerate(CASES):
        folder = HERE.parent / "checkpoints" / case
        given = load_file(HERE.parent / "gradients" / f"{case}.safetensors")
        load = lambda: AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
        model = load()
        model.model.embed_tokens.padding_idx = None
        examples = [
            (given[f"pair.{i}.prompt"].tolist(), given[f"pair.{i}.{side}"].tolist()) for i in range(3) for side in ("chosen", "rejected")
        ]
        names = [(parameter, graph_name(name)) for name, parameter in model.named_parameters()]
        tensors = {"gradient": torch.stack([gradients(model, *each, names) for each in examples])}
        tensors["concept"] = torch.stack([concept(model, *each, names) for each in examples[1::2]])
        kept = {}
        model.lm_head.register_forward_pre_hook(lambda _, inputs: kept.update(state=inputs[0]) or inputs[0].retain_grad())
        model.model.norm.register_forward_pre_hook(lambda _, inputs: kept.update(last=inputs[0]))
        last = model.config.num_hidden_layers
        for layer in range(last + 1):
            rows = []
            for prompt, response in examples:
                model.zero_grad()
                total, out = logprob(model, prompt, response, output_hidden_states=True)
                total.backward()
                stream = kept["last"] if layer == last else out.hidden_states[layer]
                at = slice(len(prompt) - 1, len(prompt) + len(response) - 1)
                states = stream[0, at].detach()
                states = states / (states.pow(2).mean(-1, keepdim=True) + model.config.rms_norm_eps).sqrt()
                rows.append(sketch(states.T @ kept["state"].grad[0, at] / len(response), "influence"))
            tensors[f"influence.{layer}"] = torch.stack(rows)
        torch.manual_seed(100 + number)
        adapted, factors = adapt(load())
        tensors.update({f"lora.{plain}": parameter.detach().clone() for parameter, plain in factors})
        factors = [(parameter, plain + ".T") for parameter, plain in factors]
        tensors["lora"] = torch.stack([gradients(adapted, *each, factors) for each in examples])
        save_file(
            {name: value.float().contiguous() for name, value in tensors.items()},
            HERE / f"{case}.safetensors",
            metadata={"made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"},
        )
        print(case, {k: round(float(v.norm()), 4) for k, v in tensors.items() if "lora." not in k}, (HERE / f"{case}.safetensors").stat().st_size)
