"""Makes the golden files of LoRA merging: a tiny random Llama, adapters in PEFT's layout, and what PEFT merges them to.

    python make_lora.py          writes into its own folder; needs torch, transformers, peft, safetensors

base/            the checkpoint, float32
<case>/          adapter_config.json, adapter_model.safetensors, as PEFT saves them
<case>/merged.safetensors   every weight that merge_and_unload changed
versions.json    the versions that made them
"""

import json
import shutil
from pathlib import Path

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
CONFIG = transformers.LlamaConfig(
    hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    vocab_size=20, max_position_embeddings=32, tie_word_embeddings=False,
)  # fmt: skip
LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "plain": dict(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"]),
    "rslora": dict(r=3, lora_alpha=7, use_rslora=True, target_modules=LINEARS),
    "patterns": dict(
        r=4, lora_alpha=8, target_modules=LINEARS,
        rank_pattern={"q_proj": 2, r"layers\.[1-9]\.mlp\.down_proj": 6, "model.layers.0.mlp.up_proj": 9},
        alpha_pattern={"^model.layers.0.self_attn.q_proj": 5, "(k|v)_proj": 3.5},
    ),
    "saved": dict(r=2, lora_alpha=2, target_modules=["o_proj"], modules_to_save=["lm_head"]),
    "bf16": dict(r=5, lora_alpha=10, target_modules=["gate_proj"], layers_to_transform=[1]),
}  # fmt: skip


def base_model():
    return transformers.AutoModelForCausalLM.from_pretrained(HERE / "base", dtype=torch.float32)


def randomise(model, scale):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, scale)


def make_adapter(name, options):
    folder = HERE / name
    model = peft.get_peft_model(base_model(), peft.LoraConfig(task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    (folder / "README.md").unlink()
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "base"
    config["target_modules"] = sorted(config["target_modules"])  # PEFT keeps a set: the order would change each time
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    if name == "bf16":
        path = folder / "adapter_model.safetensors"
        save_file({key: value.bfloat16() for key, value in load_file(path).items()}, path, {"format": "pt"})


def save_merged(name):
    before = base_model().state_dict()
    merged = peft.PeftModel.from_pretrained(base_model(), HERE / name).merge_and_unload().state_dict()
    changed = {key: value.contiguous() for key, value in merged.items() if not torch.equal(value, before[key])}
    save_file(changed, HERE / name / "merged.safetensors")
    print(name, len(changed), "weights changed")


def main():
    torch.manual_seed(11)
    for name in ["base", *CASES]:
        shutil.rmtree(HERE / name, ignore_errors=True)
    model = transformers.LlamaForCausalLM(CONFIG)
    randomise(model, 0.5)
    model.save_pretrained(HERE / "base")
    (HERE / "base" / "generation_config.json").unlink(missing_ok=True)
    for name, options in CASES.items():
        make_adapter(name, options)
        save_merged(name)
    versions = {module.__name__: module.__version__ for module in (torch, transformers, peft)}
    (HERE / "versions.json").write_text(json.dumps(versions, indent=2) + "\n")


main()
