"""DPO by TRL on token ids: the yardstick of bench/train-against-trl.ts and the source of test/golden/training/curves.json.

    python trl_reference.py --model DIR --job JOB.json --out RESULT.json

JOB.json: {"pairs": [{"prompt": [ids], "chosen": [ids], "rejected": [ids]}], "settings": {...}}; pairs are taken in the order given.
RESULT.json: one list a measure, one number a step. LoRA factors A start as sin(1 + i) / sqrt(in), i counting row by row, so that both
sides start alike. Needs torch, transformers, trl, peft, datasets.
"""

import argparse
import json
import math
import tempfile

import torch
import transformers
from datasets import Dataset
from transformers import AutoModelForCausalLM
from trl import DPOConfig, DPOTrainer
from trl.trainer.dpo_trainer import DataCollatorForPreference


class SequentialTrainer(DPOTrainer):
    """DPOTrainer on tokens that are there already, in their order."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def start_factors(model):
    """A as the head says; B stays zero."""
    for name, parameter in model.named_parameters():
        if ".lora_A." in name:
            rank, inner = parameter.shape
            values = [math.sin(1 + i) / math.sqrt(inner) for i in range(rank * inner)]
            parameter.data = torch.tensor(values, dtype=torch.float32).reshape(rank, inner)


def run(model_dir, pairs, settings):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32)
    model.get_input_embeddings().padding_idx = None  # the padding token is a token like any other here
    peft_config = None
    if "lora" in settings:
        from peft import LoraConfig

        peft_config = LoraConfig(
            r=settings["lora"]["rank"],
            lora_alpha=settings["lora"]["alpha"],
            target_modules="all-linear",
            lora_dropout=0.0,
            task_type="CAUSAL_LM",
        )
    with tempfile.TemporaryDirectory() as folder:
        config = DPOConfig(
            output_dir=folder,
            per_device_train_batch_size=settings["batchSize"] // settings.get("accumulation", 1),
            gradient_accumulation_steps=settings.get("accumulation", 1),
            num_train_epochs=settings["epochs"],
            learning_rate=settings["learningRate"],
            lr_scheduler_type=settings["schedule"],
            warmup_steps=settings["warmupSteps"],
            weight_decay=settings["weightDecay"],
            max_grad_norm=settings["maxGradNorm"],
            beta=settings["beta"],
            label_smoothing=settings.get("labelSmoothing", 0.0),
            loss_type=["sigmoid_norm" if settings["lengthNormalized"] else "sigmoid"],
            max_length=None,
            disable_dropout=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            logging_steps=1,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
        )
        dataset = Dataset.from_list(
            [{f"{side}_ids": pair[side] for side in ("prompt", "chosen", "rejected")} for pair in pairs]
        )
        trainer = SequentialTrainer(
            model=model,
            args=config,
            train_dataset=dataset,
            processing_class=_tokenizer(),
            data_collator=DataCollatorForPreference(pad_token_id=0),
            peft_config=peft_config,
        )
        start_factors(trainer.model)
        trainer.train()
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    names = {
        "loss": "loss",
        "accuracy": "rewards/accuracies",
        "margin": "rewards/margins",
        "chosenReward": "rewards/chosen",
        "rejectedReward": "rewards/rejected",
        "chosenLogprob": "logps/chosen",
        "rejectedLogprob": "logps/rejected",
        "gradientNorm": "grad_norm",
        "learningRate": "learning_rate",
    }
    return {ours: [entry[theirs] for entry in history] for ours, theirs in names.items()}


def _tokenizer():
    """TRL insists on one; it is not used."""
    from tokenizers import Tokenizer, models

    backend = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 1}, unk_token="<pad>"))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for flag in ("--model", "--job", "--out"):
        parser.add_argument(flag, required=True)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    job = json.load(open(arguments.job))
    json.dump(run(arguments.model, job["pairs"], job["settings"]), open(arguments.out, "w"))
