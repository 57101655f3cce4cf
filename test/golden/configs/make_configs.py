"""Configs of every family drawn at random from the keys that it reads, and transformers' logits: python make_configs.py writes configs.json.

Weights follow from their stored name, so that no file has to hold them: the i-th number of a weight is scale · (2·u − 1) (+ 1 for norms), u
from a hash of name and i, see `numbers`. Each case has `config`, and by length of the sequence of token ids 3, 10, 17, … (mod 64) the
logits [V] behind its last token. Half of the cases are spelled as transformers writes them again. Configs that transformers refuses are
left out. In fp32 with eager attention. Needs torch, transformers, safetensors.
"""
import json, random, shutil, sys, tempfile
from pathlib import Path

import torch, transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "checkpoints")]
from golden_json import dumps  # noqa: E402
from make_checkpoints import load, stored_weights  # noqa: E402  (also sets one thread)

PER_FAMILY, LENGTHS = 8, (11, 30)
FULL, SLIDING = "full_attention", "sliding_attention"
draw = random.Random(7)


def numbers(name, shape):
    """Uniform, by FNV-1a of the name and a mix of its 32 bits with the place."""
    start = 0x811C9DC5
    for byte in name.encode(): start = ((start ^ byte) * 0x01000193) % 2**32
    count = int(torch.Size(shape).numel())
    x = (torch.arange(count, dtype=torch.int64) * 0x9E3779B1 + start) % 2**32
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)): x = ((x ^ (x >> shift)) * factor) % 2**32
    u = (x ^ (x >> 16)).double() / 2**32
    is_norm = "norm" in name and not name.endswith(".bias")
    return ((0.4 if is_norm else 0.35) * (2 * u - 1) + is_norm).float().reshape(shape)


def maybe(config, key, *values):
    if draw.random() < 0.6: config[key] = draw.choice(values)


def rope(rotary):
    return draw.choice([
        None, {"rope_type": "default"}, {"rope_type": "linear", "factor": 2.0}, {"type": "dynamic", "factor": 2.0},
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16},
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
        {"rope_type": "longrope", "short_factor": [1 + i / 10 for i in range(rotary // 2)], "long_factor": [2.0 + i for i in range(rotary // 2)],
         "original_max_position_embeddings": 12}])


def one(family):
    config = {"model_type": family, "vocab_size": 64, "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 4, "num_attention_heads": 4,
              "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-6, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    rotary = 8
    if family == "gpt_neox":
        del config["num_key_value_heads"], config["rms_norm_eps"]
        config["num_attention_heads"] = 2
        for key, values in {"rotary_pct": (0.25, 0.5, 1.0), "rotary_emb_base": (100, 5000), "use_parallel_residual": (True, False),
                            "attention_bias": (True, False), "hidden_act": ("gelu", "gelu_new", "gelu_fast"), "layer_norm_eps": (1e-3, 1e-5)}.items():
            maybe(config, key, *values)
        rotary = int(16 * config.get("rotary_pct", 0.25))
    elif family.startswith("gemma"):
        config |= {"head_dim": draw.choice([8, 12]), "sliding_window": draw.choice([3, 5, 20])}
        rotary = config["head_dim"]
        for key, values in {"query_pre_attn_scalar": (8, 20, 33), "attention_bias": (True,), "attn_logit_softcapping": (2.0, None),
                            "final_logit_softcapping": (3.0, None), "layer_types": ([FULL, SLIDING, SLIDING, FULL],)}.items():
            maybe(config, key, *values)
        if family == "gemma3_text":
            maybe(config, "rope_local_base_freq", 50.0)
            maybe(config, "sliding_window_pattern", 2, 3)
    elif family == "smollm3":
        for key, values in {"no_rope_layers": ([1, 0, 0, 1], [1, 1, 1, 0]), "no_rope_layer_interval": (2, 3), "mlp_bias": (True,)}.items():
            maybe(config, key, *values)
        if draw.random() < 0.5: config |= {"use_sliding_window": True, "sliding_window": 4}
    elif family == "granite":
        for key in ("embedding_multiplier", "attention_multiplier", "residual_multiplier", "logits_scaling"): maybe(config, key, 0.3, 2.0)
    elif family == "phi3":
        for key, values in {"partial_rotary_factor": (0.5,), "sliding_window": (4,), "original_max_position_embeddings": (10, 40)}.items():
            maybe(config, key, *values)
        rotary = int(8 * config.get("partial_rotary_factor", 1))
    elif family == "olmoe":
        config |= {"num_experts": draw.choice([4, 7]), "num_experts_per_tok": draw.choice([1, 2, 4])}
        maybe(config, "norm_topk_prob", True)
    elif family in ("mistral", "ministral"):
        config |= {"head_dim": 8, "sliding_window": draw.choice([3, 9])}
        if family == "ministral": maybe(config, "layer_types", [FULL, SLIDING, SLIDING, FULL], [SLIDING] * 4)
    elif family.startswith("qwen"):
        if draw.random() < 0.5: config |= {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": draw.choice([1, 2])}
        maybe(config, "head_dim", 12) if family == "qwen3" else None
        rotary = config.get("head_dim", 128 if family == "qwen3" else 8)
    elif family == "llama":
        maybe(config, "mlp_bias", True)
        maybe(config, "head_dim", 12)
        rotary = config.get("head_dim", 8)
    elif family == "olmo3": maybe(config, "layer_types", [FULL, SLIDING, SLIDING, FULL])
    if family in ("smollm3", "granite", "olmoe", "llama", "olmo2", "olmo3"): maybe(config, "attention_bias", True)
    maybe(config, "tie_word_embeddings", True, False)
    if family not in ("gpt_neox", "olmo3"): maybe(config, "rope_theta", 100.0, 5e5)
    setting = rope(rotary)
    return config if setting is None else config | {"rope_scaling": setting}


@torch.no_grad()
def case(config, is_spelled_again):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
        weights = {name: numbers(name, value.shape) for name, value in stored_weights(model).items()}
        if is_spelled_again:
            model.config.save_pretrained(folder)
            written = json.loads((Path(folder) / "config.json").read_text())
            config = {k: v for k, v in written.items() if k not in ("architectures", "transformers_version", "dtype")}
            (Path(folder) / "config.json").write_text(json.dumps(config))
        save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})
        logits = {}
        for length in LENGTHS:
            ids = torch.tensor([[(7 * i + 3) % 64 for i in range(length)]])
            logits[length] = [float(f"{x:.7g}") for x in load(folder)(input_ids=ids, use_cache=False).logits[0, -1].tolist()]
        return {"config": config, "logits": logits}


def main():
    cases, refused = [], 0
    families = ("gemma2", "gemma3_text", "gpt_neox", "granite", "llama", "mistral", "ministral", "olmo2", "olmo3", "olmoe", "phi3", "qwen2", "qwen3", "smollm3")
    for family in families:
        for number in range(PER_FAMILY):
            config = one(family)
            try: cases.append(case(config, number % 2 == 1))
            except Exception as error:  # whatever transformers says to a config that it does not take
                refused += 1
                print("refused", family, str(error)[:120].replace("\n", " "))
    print(len(cases), "cases,", refused, "refused by transformers")
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    (HERE / "configs.json").write_text(dumps({"versions": versions, "cases": cases}))


main()
