"""Checkpoints as people have them: folders of ../checkpoints with names, weights or config keys changed, and what transformers makes of them.

    python make_variants.py     writes variants.json beside itself

Each case says how to make it (`config`: keys to set; `copy`: [from, to, factor] adds weights; `drop`: weights to leave out; `rename`:
[pattern, replacement]) and has the logits [V] behind the last of `ids`.
In fp32 with eager attention. Needs torch, transformers, safetensors.
"""
import json, re, shutil, sys, tempfile
from pathlib import Path

import torch, transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "checkpoints")]
from golden_json import dumps  # noqa: E402
from make_checkpoints import load  # noqa: E402  (also sets one thread)

CHECKPOINTS = HERE.parent / "checkpoints"
EMBEDDING, HEAD = "model.embed_tokens.weight", "lm_head.weight"
IDS = [5, 1, 40, 22, 9, 17, 33]
LONG = [(7 * i + 3) % 60 for i in range(40)]
SAMPLING = {"max_length": 20, "do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 50, "repetition_penalty": 1.2, "num_beams": 1}
NULLS = {"quantization_config": None, "sliding_window_size": None, "pruned_heads": {}, "finetuning_task": None, "attn_logit_softcapping": None}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 2.0, "beta_slow": 0.25}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}

CASES = [
    ("config says tied, the file has another head", "llama-tied", {"copy": [[EMBEDDING, HEAD, -0.5]]}, IDS),
    ("config says tied, the file has the table as head too", "llama-tied", {"copy": [[EMBEDDING, HEAD, 1]]}, IDS),
    ("config says tied, the table stands under the head's name alone", "llama-tied", {"copy": [[EMBEDDING, HEAD, 1]], "drop": [EMBEDDING]}, IDS),
    ("tied gpt_neox with another head", "gpt-neox-sequential", {"copy": [["gpt_neox.embed_in.weight", "embed_out.weight", -0.5]]}, IDS),
    ("gpt_neox with the head under its new name", "gpt-neox", {"rename": ["^embed_out", "lm_head"]}, IDS),
    ("gemma3 with another head", "gemma3", {"copy": [[EMBEDDING, HEAD, 2]]}, IDS),
    ("base model saved without the head, tied", "llama-tied", {"rename": ["^model\\.", ""]}, IDS),
    ("base gpt_neox saved without the head, tied", "gpt-neox-sequential", {"rename": ["^gpt_neox\\.", ""]}, IDS),
    ("names without model., with a head", "qwen3-bias", {"rename": ["^model\\.", ""]}, IDS),
    ("names with model. twice", "llama", {"rename": ["^", "model."]}, IDS),
    ("settings of sampling and nulls in config.json", "llama", {"config": SAMPLING | NULLS}, IDS),
    ("mistral with layer_types, which transformers reads as ministral", "mistral",
     {"config": {"layer_types": ["sliding_attention", "full_attention", "full_attention"], "head_dim": 8}}, IDS),
    ("mistral with layer_types, none of which slides", "mistral", {"config": {"layer_types": ["full_attention"] * 3, "head_dim": 8}}, IDS),
    ("original length beside a yarn setting", "llama", {"config": {"rope_scaling": YARN, "original_max_position_embeddings": 16}}, LONG),
    ("original length beside a llama3 setting", "llama", {"config": {"rope_scaling": LLAMA3, "original_max_position_embeddings": 16}}, LONG),
    ("original length beside a linear setting", "llama",
     {"config": {"rope_scaling": {"type": "linear", "factor": 2.0}, "original_max_position_embeddings": 16}}, LONG),
    ("original length beside no setting", "qwen2", {"config": {"original_max_position_embeddings": 16}}, LONG),
    ("original length beside settings by kind of layer", "olmo3-nested", {"config": {"original_max_position_embeddings": 64}}, LONG),
]


def make(folder, checkpoint, config={}, copy=(), drop=(), rename=None):
    shutil.copytree(CHECKPOINTS / checkpoint, folder, dirs_exist_ok=True)
    path = Path(folder) / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    weights = load_file(f"{folder}/model.safetensors")
    weights |= {to: factor * weights[source] for source, to, factor in copy}
    weights = {name: value.contiguous() for name, value in weights.items() if name not in drop}
    if rename: weights = {re.sub(rename[0], rename[1], name, count=1): value for name, value in weights.items()}
    save_file(weights, f"{folder}/model.safetensors", metadata={"format": "pt"})


@torch.no_grad()
def logits(checkpoint, change, ids):
    with tempfile.TemporaryDirectory() as folder:
        make(folder, checkpoint, **change)
        return load(folder)(input_ids=torch.tensor([ids])).logits[0, -1]


cases = []
for about, checkpoint, change, ids in CASES:
    found = logits(checkpoint, change, ids)
    differs = not torch.allclose(found, logits(checkpoint, {}, ids), atol=1e-4)
    cases.append({"about": about, "checkpoint": checkpoint, "change": change, "ids": ids, "logits": [float(f"{x:.7g}") for x in found.tolist()]})
    print(about, "| differs from the checkpoint as it is:", differs)
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
(HERE / "variants.json").write_text(dumps({"versions": versions, "cases": cases}))
