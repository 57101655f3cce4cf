"""A checkpoint folder in memory. T tokens, D residual width, n blocks; layer l is the residual stream after l blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from .faults import Fault, is_out_of_memory

DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16}


@dataclass
class Checkpoint:
    model: Any
    device: torch.device
    blocks: nn.ModuleList

    @property
    def layer_count(self) -> int:
        return len(self.blocks)

    @property
    def head(self) -> nn.Module:
        """The output matrix; what it is given is the state behind the final norm."""
        head: nn.Module = self.model.get_output_embeddings()
        return head

    @property
    def needs_equal_lengths(self) -> bool:
        """Whether a sequence's angles depend on the longest one beside it (dynamic and LongRoPE scaling)."""
        return any(kind in ("dynamic", "longrope") for kind in rope_kinds(self.model))

    def forget_lengths(self) -> None:
        """Undoes what dynamic rope scaling keeps of longer sequences that ran before."""
        for module in self.model.modules():
            if hasattr(module, "original_inv_freq") and hasattr(module, "max_seq_len_cached"):
                module.inv_freq.copy_(module.original_inv_freq)
                module.max_seq_len_cached = module.original_max_seq_len


def rope_kinds(model: nn.Module) -> Iterator[str]:
    for module in model.modules():
        kind = getattr(module, "rope_type", None)
        if isinstance(kind, str):
            yield kind
        elif isinstance(kind, dict):
            yield from kind.values()


def load_checkpoint(folder: str, adapter: str | None, dtype: str, device: str) -> Checkpoint:
    """Loads weights once; an adapter (PEFT folder) is merged into them. Throws Fault where they do not fit or cannot be read."""
    from transformers import AutoModelForCausalLM, logging  # seconds to import: not before it is needed

    logging.disable_progress_bar()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=DTYPES[dtype], local_files_only=True, use_safetensors=True, trust_remote_code=False)
        if adapter is not None:
            from peft import PeftModel

            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
        model = model.eval().requires_grad_(False).to(device)
    except Exception as error:
        if is_out_of_memory(error):
            raise Fault(f"{folder}: the weights do not fit into the memory of {describe_device(device)}",
                        "Use dtype BF16, or nodes with more memory.") from error
        raise Fault(f"{folder}: cannot be loaded: {type(error).__name__}: {error}"[:2000]) from error
    return Checkpoint(model, torch.device(device), find_blocks(model))


def find_blocks(model: Any) -> nn.ModuleList:
    """The transformer blocks: the one list of modules as long as the config says."""
    count = model.config.get_text_config().num_hidden_layers
    found = [each for each in model.modules() if isinstance(each, nn.ModuleList) and len(each) == count]
    # Lists inside blocks (experts) come later in the walk than the list of blocks.
    if not found:
        raise Fault(f"{type(model).__name__}: expected a list of {count} blocks, found none",
                    "This family is not known to the worker: use engine local.")
    return found[0]


def describe_device(device: str) -> str:
    if torch.device(device).type != "cuda":
        return "the CPU"
    properties = torch.cuda.get_device_properties(device)
    return f"{properties.name} ({properties.total_memory / 2**30:.0f} GiB)"
