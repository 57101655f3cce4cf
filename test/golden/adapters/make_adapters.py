"""Adapters of every kind that PEFT saves, on the checkpoints of ../checkpoints, and the logits that PEFT gives with them, unmerged.

    python make_adapters.py     writes adapters.json and <case>/ beside itself

Each case has `adapter` (its folder), `checkpoint`, `ids`, `logits` [V] behind the last of the ids, and `merged`: how far the logits are
off after PEFT's own merge_and_unload (null where it refuses). Before saving every trained number is moved, so that nothing is at its
start. In fp32 with eager attention. Needs torch, transformers, peft, safetensors.
"""
import json, shutil, sys, warnings
from pathlib import Path

import peft, torch, transformers
from transformers import AutoModel

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "checkpoints")]
from golden_json import dumps  # noqa: E402
from make_checkpoints import load  # noqa: E402  (also sets one thread)

warnings.filterwarnings("ignore")
CHECKPOINTS = HERE.parent / "checkpoints"
IDS = [5, 1, 40, 22, 9, 17, 33]
Q = ["q_proj"]
CASES = {
    "embedding": ("llama", dict(target_modules=["q_proj", "embed_tokens"])),
    "embedding-tied": ("llama-tied", dict(target_modules=["q_proj", "embed_tokens"])),
    "head": ("llama", dict(target_modules=["q_proj", "lm_head"])),
    "head-tied": ("llama-tied", dict(target_modules=["q_proj", "lm_head"])),
    "both-tied": ("llama-tied", dict(target_modules=["embed_tokens"], ensure_weight_tying=True)),
    "saved-head-tied": ("llama-tied", dict(target_modules=Q, modules_to_save=["lm_head"])),
    "saved-embedding-tied": ("llama-tied", dict(target_modules=Q, modules_to_save=["embed_tokens"])),
    "saved-both-tied": ("llama-tied", dict(target_modules=Q, modules_to_save=["embed_tokens"], ensure_weight_tying=True)),
    "saved-embedding-gemma": ("gemma3", dict(target_modules=Q, modules_to_save=["embed_tokens", "norm"])),
    "tokens": ("llama", dict(target_modules=Q, trainable_token_indices=[40, 5, 33])),
    "tokens-tied": ("llama-tied", dict(target_modules=Q, trainable_token_indices={"embed_tokens": [40, 5, 33]})),
    "tokens-head": ("llama", dict(target_modules=Q, trainable_token_indices={"lm_head": [3, 9]})),
    "dora": ("llama", dict(target_modules=["q_proj", "down_proj"], use_dora=True, use_rslora=True)),
    "dora-embedding": ("llama", dict(target_modules=["embed_tokens", "lm_head"], use_dora=True)),
    "dora-bias": ("qwen2", dict(target_modules=["v_proj"], use_dora=True)),
    "lora-bias": ("qwen2", dict(target_modules=["q_proj", "v_proj"], lora_bias=True, lora_alpha=3)),
    "bias-all": ("qwen2", dict(target_modules=Q, bias="all")),
    "bias-lora-only": ("qwen2", dict(target_modules=["q_proj", "o_proj"], bias="lora_only")),
    "gpt-neox": ("gpt-neox", dict(target_modules=["query_key_value", "dense_4h_to_h"], lora_bias=True, modules_to_save=["lm_head"])),
    "phi3": ("phi3", dict(target_modules=["qkv_proj", "gate_up_proj"])),
    "base-model": ("llama", dict(target_modules=["q_proj", "embed_tokens"], task_type=None)),
    "lora-bias-without-bias": ("llama", dict(target_modules=Q, lora_bias=True)),
}


def model_for(checkpoint, options):
    if options.get("task_type", "CAUSAL_LM") is not None: return load(CHECKPOINTS / checkpoint)
    return AutoModel.from_pretrained(CHECKPOINTS / checkpoint, dtype=torch.float32, attn_implementation="eager").eval()


@torch.no_grad()
def logits(model, checkpoint):
    if isinstance(getattr(model, "base_model", model), peft.tuners.lora.LoraModel) and not hasattr(model.base_model.model, "lm_head"):
        hidden = model(input_ids=torch.tensor([IDS])).last_hidden_state  # the base model alone: the checkpoint's own head
        return load(CHECKPOINTS / checkpoint).lm_head(hidden)[0, -1]
    return model(input_ids=torch.tensor([IDS])).logits[0, -1]


def make_adapter(name, number, checkpoint, options):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    config = peft.LoraConfig(**{"r": 2, "lora_alpha": 5, "task_type": "CAUSAL_LM", "init_lora_weights": False, **options})
    torch.manual_seed(number)
    model = peft.get_peft_model(model_for(checkpoint, options), config)
    generator = torch.Generator().manual_seed(100 + number)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad: parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    saved = json.loads((folder / "adapter_config.json").read_text()) | {"base_model_name_or_path": checkpoint}
    saved["target_modules"] = sorted(saved["target_modules"])  # PEFT keeps a set: the order would change each time
    (folder / "adapter_config.json").write_text(json.dumps(saved, indent=2) + "\n")


def merged_error(model, checkpoint, want):
    try: return (logits(model.merge_and_unload(), checkpoint) - want).abs().max().item()
    except (RuntimeError, AttributeError): return None


def main():
    cases = []
    for number, (name, (checkpoint, options)) in enumerate(CASES.items()):
        make_adapter(name, number, checkpoint, options)
        model = peft.PeftModel.from_pretrained(model_for(checkpoint, options), HERE / name).eval()
        found = logits(model, checkpoint)
        error = merged_error(model, checkpoint, found) if options.get("task_type", "") is not None else 0.0
        cases.append({"adapter": name, "checkpoint": checkpoint, "ids": IDS, "logits": [float(f"{x:.7g}") for x in found.tolist()],
                      "merged": None if error is None else round(error, 3)})
        print(name, "| changed by", (found - logits(load(CHECKPOINTS / checkpoint), checkpoint)).abs().max().item(), "| merged off by", error)
    versions = {module.__name__: module.__version__ for module in (torch, transformers, peft)}
    (HERE / "adapters.json").write_text(dumps({"versions": versions, "cases": cases}))


main()
