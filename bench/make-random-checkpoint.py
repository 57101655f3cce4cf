"""Makes a checkpoint folder of any size with random weights, shard by shard: the model is never whole in memory.

    python bench/make-random-checkpoint.py --out DIR --family llama --hidden 2048 --layers 16 --shards 4

config.json, model-0000i-of-0000n.safetensors, model.safetensors.index.json (or one model.safetensors with --shards 1) in
bfloat16, weights normal with deviation 0.02, norm weights 1 plus that. --tokenizer DIR copies the tokenizer's files and takes its
vocabulary size. Needs torch and safetensors.
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

TOKENIZER_FILES = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "generation_config.json",
]  # fmt: skip
FAMILIES = {
    "llama": ("LlamaForCausalLM", ["input_layernorm", "post_attention_layernorm"], None),
    "mistral": ("MistralForCausalLM", ["input_layernorm", "post_attention_layernorm"], None),
    "qwen2": ("Qwen2ForCausalLM", ["input_layernorm", "post_attention_layernorm"], None),
    "qwen3": ("Qwen3ForCausalLM", ["input_layernorm", "post_attention_layernorm"], "head"),
    "olmo2": ("Olmo2ForCausalLM", ["post_attention_layernorm", "post_feedforward_layernorm"], "projection"),
}  # fmt: skip


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--family", choices=sorted(FAMILIES), default="llama")
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--intermediate", type=int, help="default 4 x hidden")
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--heads", type=int, help="default hidden / 64")
    parser.add_argument("--kv-heads", type=int, help="default heads / 4, at least 1")
    parser.add_argument("--vocab", type=int, help="default 32000, or the tokenizer's")
    parser.add_argument("--tokenizer", type=Path, help="folder whose tokenizer files are copied")
    parser.add_argument("--tied", action="store_true", help="output layer tied to the embedding")
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    args.intermediate = args.intermediate or 4 * args.hidden
    args.heads = args.heads or max(1, args.hidden // 64)
    args.kv_heads = args.kv_heads or max(1, args.heads // 4)
    if args.hidden % args.heads or args.heads % args.kv_heads:
        parser.error("--heads must divide --hidden, --kv-heads must divide --heads")
    if args.shards < 1:
        parser.error("--shards must be at least 1")
    return args


def tokenizer_size(folder):
    """Highest token id plus one."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    vocab = tokenizer["model"]["vocab"]
    ids = list(vocab.values()) if isinstance(vocab, dict) else range(len(vocab))
    return max([*ids, *(token["id"] for token in tokenizer.get("added_tokens", []))]) + 1


def make_config(args):
    return {
        "architectures": [FAMILIES[args.family][0]], "model_type": args.family, "vocab_size": args.vocab,
        "hidden_size": args.hidden, "intermediate_size": args.intermediate, "num_hidden_layers": args.layers,
        "num_attention_heads": args.heads, "num_key_value_heads": args.kv_heads, "head_dim": args.hidden // args.heads,
        "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "rope_scaling": None, "tie_word_embeddings": args.tied, "bos_token_id": 1, "eos_token_id": 2,
        "torch_dtype": "bfloat16",
    }  # fmt: skip


def tensor_shapes(args):
    """Every weight's name and shape, in the order of the network; a shape of one dimension is a norm's or a bias."""
    _, norms, qk_norm = FAMILIES[args.family]
    hidden, head = args.hidden, args.hidden // args.heads
    keys = args.kv_heads * head
    yield "model.embed_tokens.weight", (args.vocab, hidden)
    for layer in range(args.layers):
        at = f"model.layers.{layer}."
        for name, out in (("q", hidden), ("k", keys), ("v", keys)):
            yield f"{at}self_attn.{name}_proj.weight", (out, hidden)
            if args.family == "qwen2":
                yield f"{at}self_attn.{name}_proj.bias", (out,)
        yield f"{at}self_attn.o_proj.weight", (hidden, hidden)
        if qk_norm:
            yield f"{at}self_attn.q_norm.weight", (head if qk_norm == "head" else hidden,)
            yield f"{at}self_attn.k_norm.weight", (head if qk_norm == "head" else keys,)
        yield f"{at}mlp.gate_proj.weight", (args.intermediate, hidden)
        yield f"{at}mlp.up_proj.weight", (args.intermediate, hidden)
        yield f"{at}mlp.down_proj.weight", (hidden, args.intermediate)
        for name in norms:
            yield f"{at}{name}.weight", (hidden,)
    yield "model.norm.weight", (hidden,)
    if not args.tied:
        yield "lm_head.weight", (args.vocab, hidden)


def split_evenly(tensors, shards):
    """Consecutive groups of about equal size; fewer than asked for where there are not enough tensors."""
    total = sum(math.prod(shape) for _, shape in tensors)
    groups, done = [[] for _ in range(shards)], 0
    for name, shape in tensors:
        size = math.prod(shape)
        groups[min(shards - 1, int((done + size / 2) / total * shards))].append((name, shape))
        done += size
    return [group for group in groups if group]


def random_weight(name, shape, generator):
    values = torch.randn(shape, generator=generator).mul_(0.02)
    return (values.add_(1) if name.endswith("norm.weight") else values).bfloat16()


def main():
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    args.vocab = args.vocab or (tokenizer_size(args.tokenizer) if args.tokenizer else 32000)
    for name in TOKENIZER_FILES if args.tokenizer else []:
        if (args.tokenizer / name).exists():
            shutil.copy(args.tokenizer / name, args.out / name)
    (args.out / "config.json").write_text(json.dumps(make_config(args), indent=2) + "\n")

    tensors = list(tensor_shapes(args))
    groups = split_evenly(tensors, args.shards)
    generator = torch.Generator().manual_seed(args.seed)
    weight_map = {}
    for i, group in enumerate(groups):
        name = f"model-{i + 1:05}-of-{len(groups):05}.safetensors" if len(groups) > 1 else "model.safetensors"
        save_file({key: random_weight(key, shape, generator) for key, shape in group}, args.out / name, {"format": "pt"})
        weight_map.update({key: name for key, _ in group})
        print(f"{name}: {len(group)} tensors, {(args.out / name).stat().st_size / 1e6:.0f} MB")
    count = sum(math.prod(shape) for _, shape in tensors)
    if len(groups) > 1:
        index = {"metadata": {"total_size": 2 * count}, "weight_map": weight_map}
        (args.out / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
    print(f"{args.out}: {count / 1e6:.0f}M parameters")


main()
