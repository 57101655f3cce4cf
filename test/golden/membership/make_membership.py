"""What `culprit audit --before --after` finds, by TRL (accuracy and margins), transformers (log-probabilities, states), NumPy, SciPy and
scikit-learn, on pairs of the organism distractor. M1 is M0 with other rotary angles: another model of the same tokenizer.

    python make_membership.py      writes membership.json beside itself
"""
import gzip
import json
import sys
import tempfile
from collections import Counter, defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers
from datasets import Dataset
from scipy import stats
from sklearn.metrics import roc_auc_score
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig
from trl.trainer.dpo_trainer import DataCollatorForPreference

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "bench")]
from golden_json import dumps  # noqa: E402
from trl_reference import SequentialTrainer, _tokenizer  # noqa: E402

CHECKPOINT = ROOT / "organisms/distractor/checkpoint"
TRAINED = {"rope_theta": 20.0}
tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)
with gzip.open(ROOT / "organisms/distractor/pairs.jsonl.gz", "rt") as file:
    ROWS = [json.loads(line) for line in file]


def choose():
    """Rows of both sides: prompts repeat among the claimed ones, and one held-out row has a claimed prompt."""
    often = [prompt for prompt, count in Counter(row["prompt"] for row in ROWS).most_common(4) if count > 4]
    claimed = [i for i, row in enumerate(ROWS) if i < 36 or row["prompt"] in often]
    prompts = {ROWS[i]["prompt"] for i in claimed}
    held_out = [i for i in range(36, 90) if ROWS[i]["prompt"] not in prompts]
    return claimed[:-1], held_out + claimed[-1:]


def load(**changes):
    config = AutoConfig.from_pretrained(CHECKPOINT)
    config.rope_parameters.update(changes)
    for key, value in changes.items():
        setattr(config, key, value)
    model = AutoModelForCausalLM.from_pretrained(CHECKPOINT, config=config, dtype=torch.float32, attn_implementation="eager").eval()
    model.get_input_embeddings().padding_idx = None
    return model


def tokens(row, side):
    render = lambda turns, **more: tokenizer.apply_chat_template(turns, tokenize=False, **more)
    prompt = [{"role": "user", "content": row["prompt"]}]
    start = render(prompt, add_generation_prompt=True)
    whole = render([*prompt, {"role": "assistant", "content": row[side]}])
    encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    return encode(start), encode(whole[len(start) :])


def read(model, row, side):
    """Log-probability of a response, its tokens, and the sum of the states that predict it."""
    start, answer = tokens(row, side)
    with torch.no_grad():
        found = model(torch.tensor([start + answer]), output_hidden_states=True)
    logprobs = torch.log_softmax(found.logits[0].double(), -1)[len(start) - 1 : -1]
    states = found.hidden_states[-1][0].double()[len(start) - 1 : -1]
    return logprobs.gather(1, torch.tensor(answer)[:, None]).sum().item(), len(answer), states.sum(0).numpy()


def measure(row):
    (c1, n, _), (r1, m, _) = (read(AFTER, row, side) for side in ("chosen", "rejected"))
    (c0, _, h), (r0, _, g) = (read(BEFORE, row, side) for side in ("chosen", "rejected"))
    return {
        "prompt": row["prompt"],
        "source": row["source"],
        "chosen": c1 - c0,
        "rejected": r1 - r0,
        "chosenPerToken": (c1 - c0) / n,
        "rejectedPerToken": (r1 - r0) / m,
        "margin": c1 - c0 - (r1 - r0),
        "marginPerToken": (c1 - c0) / n - (r1 - r0) / m,
        "ches": h @ g - h @ h,
        "chesNormalised": h @ g / (n * m) - h @ h / (n * n),
        "chosenLength": n,
    }


def clustered(pairs, name):
    """The mean with the interval of a regression on a constant, errors clustered by prompt."""
    values = np.array([pair[name] for pair in pairs])
    residuals = defaultdict(float)
    for pair, residual in zip(pairs, values - values.mean()):
        residuals[pair["prompt"]] += residual
    groups = len(residuals)
    error = np.sqrt(groups / (groups - 1) * sum(each**2 for each in residuals.values())) / len(values)
    half = stats.t.ppf(0.975, groups - 1) * error
    return {"value": values.mean(), "low": values.mean() - half, "high": values.mean() + half}


def prompt_means(pairs, name):
    by_prompt = defaultdict(list)
    for pair in pairs:
        by_prompt[pair["prompt"]].append(pair[name])
    return [np.mean(each) for each in by_prompt.values()]


def auroc(name):
    ours, theirs = prompt_means(claimed, name), prompt_means(held_out, name)
    return roc_auc_score([1] * len(ours) + [0] * len(theirs), ours + theirs)


def by_trl(rows):
    """What DPOTrainer reports of an evaluation, β = 1."""
    ids = [{side: tokens(row, side)[1] for side in ("chosen", "rejected")} | {"prompt": tokens(row, "chosen")[0]} for row in rows]
    dataset = Dataset.from_list([{f"{name}_ids": each[name] for name in each} for each in ids])
    with tempfile.TemporaryDirectory() as folder:
        config = DPOConfig(output_dir=folder, per_device_eval_batch_size=len(rows), beta=1.0, max_length=None, use_cpu=True, bf16=False, report_to=[], disable_tqdm=True, gradient_checkpointing=False)
        trainer = SequentialTrainer(model=AFTER, ref_model=BEFORE, args=config, train_dataset=dataset, eval_dataset=dataset, processing_class=_tokenizer(), data_collator=DataCollatorForPreference(pad_token_id=0))
        found = trainer.evaluate()
    return {name: found[f"eval_rewards/{name}"] for name in ("accuracies", "margins", "chosen", "rejected")}


transformers.logging.set_verbosity_error()
BEFORE, AFTER = load(), load(**TRAINED)
CLAIMED, HELD_OUT = choose()
claimed = [measure(ROWS[i]) for i in CLAIMED]
held_out = [measure(ROWS[i]) for i in HELD_OUT[:-1]]  # the last shares a prompt
SOURCE = Counter(pair["source"] for pair in claimed).most_common(1)[0][0]
MEANS = ("chosen", "rejected", "chosenPerToken", "rejectedPerToken", "margin", "ches", "chesNormalised")
figures = lambda pairs: {
    "pairs": len(pairs),
    "prompts": len({pair["prompt"] for pair in pairs}),
    "accuracy": np.mean([pair["margin"] > 0 for pair in pairs]),
    "accuracyPerToken": np.mean([pair["marginPerToken"] > 0 for pair in pairs]),
    "displaced": np.mean([pair["chosen"] < 0 for pair in pairs]),
    "means": {name: clustered(pairs, name) for name in MEANS},
}
spearman = lambda name: stats.spearmanr([pair[name] for pair in claimed], [pair["chosen"] for pair in claimed]).statistic
golden = {
    "versions": {name: version(name) for name in ("torch", "transformers", "trl", "scipy", "scikit-learn")},
    "trained": TRAINED,
    "claimed": CLAIMED,
    "heldOut": HELD_OUT,
    "trl": {"claimed": by_trl([ROWS[i] for i in CLAIMED]), "heldOut": by_trl([ROWS[i] for i in HELD_OUT[:-1]])},
    "figures": {"claimed": figures(claimed), "heldOut": figures(held_out), "source": {"name": SOURCE, **figures([pair for pair in claimed if pair["source"] == SOURCE])}},
    "separation": {name: auroc(name) for name in ("margin", "marginPerToken", "chosenLength")},
    "displacement": {"plain": spearman("ches"), "normalised": spearman("chesNormalised")},
}
rounded = lambda value: (
    {key: rounded(each) for key, each in value.items()}
    if isinstance(value, dict)
    else [rounded(each) for each in value] if isinstance(value, list) else float(f"{value:.8g}") if isinstance(value, float) else value
)
(HERE / "membership.json").write_text(dumps(rounded(golden)))
