"""A tiny random Gemma with what transformers computes for it, for a family that only a test knows (test/new-family.test.ts).

    python make_gemma.py     writes config.json, model.safetensors and golden.safetensors beside itself

In golden.safetensors, for each sequence i:
    ids.<i>             int32   [T]
    hidden.<i>.<l>      float32 [T, D]   residual stream after l blocks; l = 0 is the (scaled) embedding
    logits.<i>          float32 [T, V]
    next.<i>            int32   [16]     greedy continuation
    loss                float32 []       mean negative log-probability of all tokens of all sequences but each first one
    gradient.<weight>   float32          of the loss, in float64
"""
import json, sys
from pathlib import Path

import torch, transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "checkpoints"))
from make_checkpoints import activations, load, randomise  # noqa: E402  (also sets one thread)

CONFIG = {
    "architectures": ["GemmaForCausalLM"], "model_type": "gemma", "vocab_size": 40, "hidden_size": 16, "intermediate_size": 24,
    "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 12, "hidden_act": "gelu_pytorch_tanh",
    "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "rope_theta": 100.0, "attention_bias": False, "torch_dtype": "float32",
}
LENGTHS, NEW_TOKENS, MIN_GAP = (5, 9, 12), 16, 1e-3


@torch.no_grad()
def continuation(ids):
    model = load(HERE)
    model.generation_config, model.config.eos_token_id = GenerationConfig(), None  # no stop token
    result = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=NEW_TOKENS, pad_token_id=0, output_logits=True, return_dict_in_generate=True)
    top = torch.stack([step[0].topk(2).values for step in result.logits])
    assert (top[:, 0] - top[:, 1]).min() > MIN_GAP, "a step is nearly a tie"
    return result.sequences[0, len(ids):].int()


def gradients(sequences):
    model = AutoModelForCausalLM.from_pretrained(HERE, dtype=torch.float64, attn_implementation="eager").eval()
    model.model.embed_tokens.padding_idx = None  # the padding token is a token like any other here
    logprobs = []
    for ids in sequences:
        rows = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1].log_softmax(-1)
        logprobs.append(rows.gather(1, torch.tensor(ids[1:])[:, None])[:, 0])
    loss = -torch.cat(logprobs).mean()
    loss.backward()
    return {"loss": loss.detach().float()} | {f"gradient.{name}": p.grad.float() for name, p in model.named_parameters()}


(HERE / "config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(HERE), dtype=torch.float32).eval()
randomise(model, 41)
weights = {name: value.contiguous() for name, value in model.state_dict().items() if name != "lm_head.weight"}
save_file(weights, HERE / "model.safetensors", metadata={"format": "pt"})
generator = torch.Generator().manual_seed(42)
sequences = [torch.randint(0, CONFIG["vocab_size"], (length,), generator=generator).tolist() for length in LENGTHS]
tensors = gradients(sequences)
for i, ids in enumerate(sequences):
    hidden, logits = activations(load(HERE), ids)
    tensors |= {f"ids.{i}": torch.tensor(ids, dtype=torch.int32), f"logits.{i}": logits.contiguous(), f"next.{i}": continuation(ids)}
    tensors |= {f"hidden.{i}.{layer}": states.contiguous() for layer, states in enumerate(hidden)}
save_file(tensors, HERE / "golden.safetensors", metadata={"made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"})
