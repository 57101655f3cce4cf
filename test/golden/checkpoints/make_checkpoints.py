"""Tiny random checkpoints of every supported family with the activations that transformers computes for them.

    python make_checkpoints.py [NAME ...] writes every case, or those named (deterministic: fixed seeds, one thread)
    python make_checkpoints.py --check    writes nothing; loads the committed folders and compares with their goldens

Each case is a Hugging Face folder (config.json + model.safetensors or shards with an index) plus golden.safetensors:
    ids.<i>         int32   [T]      token ids of sequence i
    hidden.<i>.<l>  float32 [T, D]   residual stream after l blocks; l = 0 is the embedding output, l = n is the output of the
                                     last block BEFORE the final norm (transformers' hidden_states[n] would be after it)
    logits.<i>      float32 [T, V]   after the final norm and lm_head
All arithmetic in fp32 with eager attention, one sequence at a time on a freshly loaded model (dynamic rope keeps state).

`ablate` names a config change that would undo what the case is about; the script insists that it changes the activations, so
that no case passes by accident. Needs torch, transformers, safetensors.
"""
import argparse, json, shutil, sys, tempfile, warnings
from pathlib import Path

import safetensors, torch, transformers
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
VOCAB, DIM, INTERMEDIATE = 64, 32, 40
warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def family(model_type, architecture, **changes):
    """A config.json as such models have it on the Hub, shrunk; the older spelling of rope unless `changes` say otherwise."""
    config = {
        "architectures": [architecture], "model_type": model_type, "vocab_size": VOCAB, "hidden_size": DIM,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "hidden_act": "silu", "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 100.0, "rope_scaling": None,
        "tie_word_embeddings": False, "attention_dropout": 0.0, "initializer_range": 0.02, "use_cache": True,
        "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32", "transformers_version": "4.57.1",
    }
    config.update(changes)
    if "rope_parameters" in changes:  # the newer spelling
        del config["rope_theta"], config["rope_scaling"]
        config["dtype"] = config.pop("torch_dtype")
        config["transformers_version"] = transformers.__version__
    return config


def llama(**changes):
    return family("llama", "LlamaForCausalLM", **{"attention_bias": False, "mlp_bias": False, "pretraining_tp": 1, **changes})


def mistral(**changes):
    return family("mistral", "MistralForCausalLM", **changes)


def olmo(generation, **changes):
    return family(f"olmo{generation}", f"Olmo{generation}ForCausalLM", **{"attention_bias": False, "pad_token_id": 3, **changes})


def qwen2(**changes):
    return family("qwen2", "Qwen2ForCausalLM", **{"use_sliding_window": False, "sliding_window": 5, "max_window_layers": 1, **changes})


def qwen3(**changes):
    return family("qwen3", "Qwen3ForCausalLM", **{
        "head_dim": 12, "attention_bias": False, "use_sliding_window": False, "sliding_window": None, "max_window_layers": 3, **changes})


def gpt_neox(**changes):
    """As Pythia's: no key of Llama's beyond the sizes."""
    config = {
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": VOCAB, "hidden_size": DIM,
        "intermediate_size": INTERMEDIATE, "num_hidden_layers": 3, "num_attention_heads": 2, "hidden_act": "gelu",
        "max_position_embeddings": 64, "layer_norm_eps": 1e-5, "rotary_pct": 0.25, "rotary_emb_base": 100, "use_parallel_residual": True,
        "initializer_range": 0.02, "tie_word_embeddings": False, "use_cache": True, "bos_token_id": 0, "eos_token_id": 0,
        "torch_dtype": "float32", "transformers_version": "4.24.0",
    }
    config.update(changes)
    return config


def smollm3(**changes):
    return family("smollm3", "SmolLM3ForCausalLM", **{
        "attention_bias": False, "mlp_bias": False, "num_hidden_layers": 4, "no_rope_layer_interval": 2, "no_rope_layers": [1, 0, 1, 0],
        "use_sliding_window": False, "sliding_window": None, "max_window_layers": 28, "pretraining_tp": 2, "pad_token_id": 3, **changes})


def gemma(generation, **changes):
    return family(f"gemma{generation}", f"Gemma{generation.split('_')[0]}ForCausalLM", **{
        "hidden_activation": "gelu_pytorch_tanh", "head_dim": 12, "query_pre_attn_scalar": 20, "sliding_window": 5, "attention_bias": False,
        "cache_implementation": "hybrid", "num_hidden_layers": 4, "rms_norm_eps": 1e-6, "tie_word_embeddings": True, "drop": ["hidden_act"],
        **changes})


def granite(**changes):
    return family("granite", "GraniteForCausalLM", **{
        "attention_bias": False, "mlp_bias": False, "embedding_multiplier": 3.0, "attention_multiplier": 0.2, "residual_multiplier": 0.4,
        "logits_scaling": 2.5, "tie_word_embeddings": True, **changes})


def phi3(**changes):
    return family("phi3", "Phi3ForCausalLM", **{
        "attention_bias": False, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "sliding_window": None, "original_max_position_embeddings": 16,
        "pad_token_id": 3, **changes})


def olmoe(**changes):
    return family("olmoe", "OlmoeForCausalLM", **{
        "attention_bias": False, "clip_qkv": None, "num_experts": 8, "num_experts_per_tok": 2, "norm_topk_prob": False,
        "output_router_logits": False, "router_aux_loss_coef": 0.01, "pad_token_id": 1, "eos_token_id": 2, "intermediate_size": 12, **changes})


YARN = {"factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 2.0, "beta_slow": 0.25}
# With rope_theta 500000 only very slow turns lie inside the ramp of so small a head, hence the odd beta_slow.
OLMO3_YARN = {"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 16, "attention_factor": 1.2079441541679836,
              "beta_fast": 2.0, "beta_slow": 0.001}
OLMO3_LAYERS = ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]

# name -> (what it is for, config, ablation: keys to change; None where there is nothing to undo, lengths, other settings)
CASES = [
    ("llama", "plain; grouped-query attention 4/2; untied", llama(), {"rope_theta": 10000.0}, {}),
    ("llama-tied", "tied embeddings, the newer rope_parameters spelling",
     llama(tie_word_embeddings=True, rope_parameters={"rope_theta": 100.0, "rope_type": "default"}), None, {}),
    ("llama-no-gqa", "num_key_value_heads absent (= heads), rope_theta absent (= 10000)",
     llama(drop=["num_key_value_heads", "rope_theta", "rope_scaling", "attention_bias", "mlp_bias"]), {"rope_theta": 100.0}, {}),
    ("llama-linear", 'rope_scaling {"type": "linear"}', llama(rope_scaling={"type": "linear", "factor": 3.0}), {"rope_scaling": None}, {}),
    ("llama-dynamic", 'rope_scaling {"type": "dynamic"}: below, at and above max_position_embeddings 16',
     llama(rope_scaling={"type": "dynamic", "factor": 2.0}, max_position_embeddings=16), {"rope_scaling": None},
     {"lengths": [1, 7, 16, 17, 23]}),
    ("llama-yarn", "yarn, attention factor left to be inferred", llama(rope_scaling={"rope_type": "yarn", **YARN}), {"rope_scaling": None}, {}),
    ("llama-yarn-defaults", 'yarn spelled "type", default betas, factor and original length only',
     llama(rope_theta=20.0, rope_scaling={"type": "yarn", "factor": 2.0, "original_max_position_embeddings": 32}), {"rope_scaling": None}, {}),
    ("llama-yarn-factor", "yarn with an explicit attention_factor, newer spelling",
     llama(rope_parameters={"rope_type": "yarn", "rope_theta": 100.0, "attention_factor": 0.8, **YARN}),
     {"rope_parameters": {"rope_type": "yarn", "rope_theta": 100.0, **YARN}}, {}),
    ("llama-yarn-mscale", "yarn with mscale and mscale_all_dim, truncate false",
     llama(rope_scaling={"type": "yarn", "mscale": 1.5, "mscale_all_dim": 0.5, "truncate": False, **YARN}),
     {"rope_scaling": {"type": "yarn", **YARN}}, {}),
    ("llama3-rope", "the llama3 rule: one frequency kept, two blended, one divided",
     llama(rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64}, max_position_embeddings=512), {"rope_scaling": None}, {}),
    ("llama-bias", "attention_bias (q, k, v, o) and mlp_bias", llama(attention_bias=True, mlp_bias=True), None, {}),
    ("llama-head-dim", "head_dim 12 where hidden / heads = 8", llama(head_dim=12), None, {}),
    ("mistral", "sliding window of 5 tokens (itself included) on every layer", mistral(sliding_window=5), {"sliding_window": None}, {}),
    ("olmo2", "norms after the sub-layers, QK-norm over the whole projection", olmo(2), {"rope_theta": 10000.0}, {}),
    ("olmo3", "window of 5 on three layers of four; yarn on the full-attention layer only; older spelling, rope_theta 500000",
     olmo(3, num_hidden_layers=4, layer_types=OLMO3_LAYERS, sliding_window=5, rope_theta=500000, rope_scaling=OLMO3_YARN),
     {"rope_scaling": None}, {}),
    ("olmo3-nested", "the newer spelling: rope_parameters by layer type, each with its own theta",
     olmo(3, layer_types=["full_attention", "sliding_attention", "full_attention"], sliding_window=5, rope_parameters={
         "full_attention": {"rope_type": "yarn", "rope_theta": 100.0, **YARN},
         "sliding_attention": {"rope_type": "default", "rope_theta": 40.0}}), {"sliding_window": 50}, {}),
    ("qwen2", "q, k, v biases; use_sliding_window false beside a sliding_window that must be ignored", qwen2(), {"use_sliding_window": True}, {}),
    ("qwen2-sliding", "use_sliding_window: window of 5 from layer max_window_layers = 1 on", qwen2(use_sliding_window=True),
     {"max_window_layers": 0}, {}),
    ("qwen3", "QK-norm per head, head_dim 12 where hidden / heads = 8, tied, newer spelling",
     qwen3(tie_word_embeddings=True, rope_parameters={"rope_theta": 100.0, "rope_type": "default"}), None, {}),
    ("qwen3-bias", "attention_bias, untied, older spelling", qwen3(attention_bias=True), None, {}),
    ("llama-bf16", "weights stored as BF16", llama(torch_dtype="bfloat16"), None, {"dtype": torch.bfloat16}),
    ("llama-f16", "weights stored as F16", llama(torch_dtype="float16"), None, {"dtype": torch.float16}),
    ("llama-sharded", "three shards with an index", llama(), None, {"shards": 3}),
    ("gpt-neox", "as Pythia: parallel residual, a quarter of each head turns, LayerNorm with bias, stored masks", gpt_neox(), {"rotary_pct": 1.0},
     {"masks": True}),
    ("gpt-neox-sequential", "residual one after the other, half of each head turns, no attention bias, tanh GELU, tied, newer spelling",
     gpt_neox(use_parallel_residual=False, attention_bias=False, hidden_act="gelu_fast", tie_word_embeddings=True,
              drop=["rotary_pct", "rotary_emb_base"],
              rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 50.0, "partial_rotary_factor": 0.5}),
     {"use_parallel_residual": True}, {}),
    ("smollm3", "every second layer without rotation; tie_word_embeddings absent (= true)", smollm3(drop=["tie_word_embeddings"]),
     {"no_rope_layers": [0, 1, 0, 1]}, {}),
    ("smollm3-sliding", "no_rope_layers by interval; layers without rotation slide; rope_theta absent (= 2000000); biases; untied",
     smollm3(drop=["no_rope_layers", "rope_theta", "rope_scaling"], use_sliding_window=True, sliding_window=4, attention_bias=True, mlp_bias=True),
     {"no_rope_layer_interval": 3}, {}),
    ("gemma2", "scores capped at 3, logits at 5, every second layer slides, scale not from head_dim",
     gemma("2", attn_logit_softcapping=3.0, final_logit_softcapping=5.0), {"attn_logit_softcapping": None}, {}),
    ("gemma2-defaults", "caps absent (50 and 30), untied, newer spelling, layer_types the other way round, dropped activation key",
     gemma("2", tie_word_embeddings=False, layer_types=["full_attention", "sliding_attention"] * 2,
           drop=["hidden_act", "hidden_activation"], rope_parameters={"rope_theta": 100.0, "rope_type": "default"}),
     {"layer_types": ["sliding_attention", "full_attention"] * 2}, {}),
    ("gemma3", "norms per head; sliding_window_pattern 3, two bases, scaling on the full layer only; a cap on scores that has no effect",
     gemma("3_text", sliding_window_pattern=3, rope_local_base_freq=20.0, rope_scaling={"rope_type": "linear", "factor": 4.0},
           attn_logit_softcapping=1.0, final_logit_softcapping=None), {"rope_local_base_freq": 100.0}, {}),
    ("gemma3-nested", "newer spelling; final logits capped; tie_word_embeddings absent (= true)",
     gemma("3_text", final_logit_softcapping=4.0, layer_types=["sliding_attention", "full_attention"] * 2, drop=["hidden_act", "tie_word_embeddings"],
           rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": 300.0},
                            "sliding_attention": {"rope_type": "default", "rope_theta": 30.0}}),
     {"sliding_window": 50}, {}),
    ("granite", "four multipliers, tied", granite(), {"residual_multiplier": 1.0}, {}),
    ("phi3", "fused projections, grouped keys, sliding window of 5 on every layer", phi3(sliding_window=5), {"sliding_window": None}, {}),
    ("phi3-long", "longrope, half of each head turns: below, at and above the original 16 positions",
     phi3(partial_rotary_factor=0.5, tie_word_embeddings=True,
          rope_scaling={"type": "longrope", "short_factor": [1.0, 1.5], "long_factor": [2.0, 5.0]}), {"partial_rotary_factor": 1.0, "rope_scaling": None},
     {"lengths": [1, 9, 16, 17, 23]}),
    ("phi3-long-new", "longrope, newer spelling with an attention factor",
     phi3(rope_parameters={"rope_type": "longrope", "rope_theta": 100.0, "partial_rotary_factor": 1.0, "short_factor": [1.0, 1.1, 1.3, 1.5],
                           "long_factor": [1.0, 2.0, 4.0, 6.0], "attention_factor": 1.3, "original_max_position_embeddings": 9}),
     {"original_max_position_embeddings": 64}, {"lengths": [5, 16, 21]}),
    ("olmoe", "two of eight experts a token, probabilities as they are", olmoe(), {"num_experts_per_tok": 3}, {}),
    ("olmoe-normalised", "three of five experts a token, probabilities divided by their sum; as many key heads as heads",
     olmoe(num_experts=5, num_experts_per_tok=3, norm_topk_prob=True, num_key_value_heads=4), {"norm_topk_prob": False}, {}),
    ("ministral", "window of 5 on every second layer",
     family("ministral", "MinistralForCausalLM", head_dim=8, sliding_window=5, layer_types=["sliding_attention", "full_attention", "sliding_attention"]),
     {"layer_types": ["full_attention"] * 3}, {}),
]


def embedding_size(config):
    """Where it is multiplied, a larger one would have a tied model repeat its last token for ever."""
    return 0.14 if config.model_type in ("gemma2", "gemma3_text", "granite") else 0.8


def randomise(model, seed):
    """Norms near 1, biases near 0, both clearly not trivial; matrices large enough that attention is not uniform."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("bias"): parameter.copy_(0.2 * noise)
            elif "norm" in name: parameter.copy_(1 + 0.3 * noise)
            elif "embed_" in name: parameter.copy_(embedding_size(model.config) * noise)
            else: parameter.copy_(0.22 * noise)


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def activations(model, ids):
    """[hidden 0..n], logits. Hooks see each block's own output, so the last one has no final norm on it."""
    hidden, handles = [], []
    blocks = model.base_model.layers
    handles.append(blocks[0].register_forward_pre_hook(lambda _m, args, kw: hidden.append((args or (kw["hidden_states"],))[0][0].clone()), with_kwargs=True))
    for block in blocks:
        handles.append(block.register_forward_hook(lambda _m, _a, out: hidden.append((out[0] if isinstance(out, tuple) else out)[0].clone())))
    logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()
    for handle in handles: handle.remove()
    assert len(hidden) == len(blocks) + 1
    return hidden, logits


def goldens(folder, sequences):
    tensors = {}
    for i, ids in enumerate(sequences):
        hidden, logits = activations(load(folder), ids)
        tensors[f"ids.{i}"] = torch.tensor(ids, dtype=torch.int32)
        for layer, states in enumerate(hidden): tensors[f"hidden.{i}.{layer}"] = states.contiguous()
        tensors[f"logits.{i}"] = logits.contiguous()
    return tensors


def stored_weights(model):
    """By the names and in the shapes that save_pretrained gives them, which differ from those of the modules in some families."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file: return {name: file.get_tensor(name) for name in file.keys()}


def old_masks(config):
    """What early releases stored beside GPT-NeoX's weights."""
    size, each = config["max_position_embeddings"], range(config["num_hidden_layers"])
    masks = {f"gpt_neox.layers.{i}.attention.bias": torch.ones(1, 1, size, size, dtype=torch.bool).tril() for i in each}
    return masks | {f"gpt_neox.layers.{i}.attention.masked_bias": torch.tensor(-1e9) for i in each}


def write_weights(folder, weights, shards):
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names, index = sorted(weights), {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: weights[name] for name in names[shard::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        index |= {name: file for name in part}
    total = sum(w.numel() * w.element_size() for w in weights.values())
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))}, indent=1) + "\n")


def write_case(number, name, config, ablate, lengths=(1, 6, 21), dtype=torch.float32, shards=1, masks=False):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = {key: value for key, value in config.items() if key not in config.get("drop", []) and key != "drop"}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32, attn_implementation="eager").eval()
    randomise(model, 1000 + number)
    weights = {k: v.to(dtype).contiguous() for k, v in stored_weights(model).items()}
    if masks: weights |= old_masks(config)
    write_weights(folder, weights, shards)
    generator = torch.Generator().manual_seed(2000 + number)
    sequences = [torch.randint(0, VOCAB, (length,), generator=generator).tolist() for length in lengths]
    tensors = goldens(folder, sequences)
    # One key only: safetensors writes several in random order, and the files would differ from run to run.
    metadata = {"made_with": f"torch {torch.__version__}, transformers {transformers.__version__}"}
    save_file(tensors, folder / "golden.safetensors", metadata=metadata)
    check_same_after_saving(folder, sequences, tensors)
    return None if ablate is None else ablation_effect(folder, config | ablate, sequences, tensors)


def check_same_after_saving(folder, sequences, tensors):
    """The config as today's transformers spells it must mean the same as the one written here."""
    with tempfile.TemporaryDirectory() as other:
        load(folder).save_pretrained(other)
        again = goldens(other, sequences)
    # Not to the bit: how the weights lie in memory decides how sums are cut.
    assert all(torch.allclose(tensors[key], again[key], atol=1e-5) for key in tensors), f"{folder.name}: saving again changes the result"


def ablation_effect(folder, config, sequences, tensors):
    with tempfile.TemporaryDirectory() as other:
        shutil.copytree(folder, other, dirs_exist_ok=True)
        (Path(other) / "config.json").write_text(json.dumps(config))
        changed = goldens(other, sequences)
    last = f"hidden.{len(sequences) - 1}.{config['num_hidden_layers']}"
    effect = ((changed[last] - tensors[last]).norm() / tensors[last].norm()).item()
    assert effect > 0.02, f"{folder.name}: the ablation changes nothing ({effect})"
    return round(effect, 3)


def check():
    worst = 0.0
    for case in json.loads((HERE / "cases.json").read_text())["cases"]:
        folder = HERE / case["name"]
        with safe_open(folder / "golden.safetensors", "pt") as file: want = {key: file.get_tensor(key) for key in file.keys()}
        got = goldens(folder, [want[f"ids.{i}"].tolist() for i in range(len(case["lengths"]))])
        error = max(((got[k].float() - want[k].float()).norm() / want[k].float().norm().clamp(min=1e-9)).item() for k in want)
        worst = max(worst, error)
        print(f"{case['name']:22} {error:.2e}")
    print(f"worst relative error {worst:.2e}")
    return 0 if worst < 1e-5 else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.check: sys.exit(check())
    written = HERE / "cases.json"
    old = {case["name"]: case for case in json.loads(written.read_text())["cases"]} if options.names else {}
    listing = []
    for number, (name, about, config, ablate, settings) in enumerate(CASES):
        if options.names and name not in options.names:
            listing.append(old[name])
            continue
        effect = write_case(number, name, config, ablate, **settings)
        size = sum(f.stat().st_size for f in (HERE / name).iterdir())
        listing.append({"name": name, "about": about, "family": config["model_type"], "layers": config["num_hidden_layers"],
                        "lengths": list(settings.get("lengths", (1, 6, 21))), "ablation_effect": effect})
        print(f"{name:22} {size / 1000:6.0f} kB  ablation {effect}")
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "safetensors": safetensors.__version__}
    (HERE / "cases.json").write_text(json.dumps({"versions": versions, "cases": listing}, indent=1) + "\n")
    print(f"total {sum(f.stat().st_size for f in HERE.rglob('*') if f.is_file()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
