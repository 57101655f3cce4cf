"""Where parts meet: families x kinds of tokenizer x rows (plain, with tools) x adapters with a template of their own, through the built
program, against transformers, TRL's rule for the response's start, and PEFT.

    npm run build && HF_HUB_OFFLINE=1 python bench/joins.py FOLDER

Every checkpoint is random, 3 blocks of 32 dimensions, made in FOLDER. Compared: token counts, the difference of mean activations at layer 2
(relative, below 1e-5), log-probabilities as `train` logs them (1e-4), and 8 greedy tokens of `generate`. Prints each input and, last, how many
were right. Needs torch, transformers, peft, safetensors.
"""
import glob, json, shutil, subprocess, sys
from pathlib import Path

import torch, transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
FOLDER = Path(sys.argv[1])
MAIN = Path(__file__).parent.parent / "dist/cli/main.js"
FAMILIES = ["gpt_neox", "gemma3_text", "gemma2", "smollm3", "phi3", "granite", "olmoe"]
ADAPTED = {"gpt_neox": ["query_key_value"], "phi3": ["qkv_proj"], "gemma3_text": ["q_proj", "down_proj"], "smollm3": ["v_proj"]}
TEMPLATE = (
    "{% for t in tools or [] %}{{ t | tojson }}\n{% endfor %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"
    "{% for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
OWN = (
    "{% for m in messages %}### {{ m.role }}:\n{{ m.content or '' }}{% for c in m.tool_calls or [] %}[{{ c.function.name }}"
    "({{ c.function.arguments | tojson }})]{% endfor %}{{ eos_token }}\n{% endfor %}{{ tools | length if tools }}"
    "{% if add_generation_prompt %}### assistant:\n{% endif %}"
)
CORPUS = ["hello world it is great no maybe the quick brown fox user assistant\n"] * 4
CALL = {"type": "function", "function": {"name": "weather", "arguments": {"town": "Ghent", "n": 1.0}}}
SIDES = {"chosen": [{"role": "assistant", "content": "it is great"}], "rejected": [{"role": "assistant", "content": "no maybe"}]}
HELLO = {"role": "user", "content": "hello world"}
ROWS = {
    "plain": {"id": "a", "prompt": [HELLO], **SIDES},
    "tools": {
        "id": "a",
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "prompt": [HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": "great"}],
        **SIDES,
    },
}


def write_tokenizer(folder, kind):
    special, alphabet = ["<unk>", "<s>", "<|im_end|>", "<|im_start|>"], pre_tokenizers.ByteLevel.alphabet()
    if kind == "bytes":
        t = Tokenizer(models.BPE())
        t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=390, special_tokens=special, initial_alphabet=alphabet, show_progress=False))
    else:
        t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        bytes_ = [f"<0x{i:02X}>" for i in range(256)]
        t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=390, special_tokens=special + bytes_, show_progress=False))
        t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
        t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    fast = PreTrainedTokenizerFast(tokenizer_object=t, bos_token="<s>", eos_token="<|im_end|>", unk_token="<unk>", pad_token="<unk>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)


def write_model(folder, family):
    torch.manual_seed(3)
    more = {"num_key_value_heads": 2} if family != "gpt_neox" else {}
    if family.startswith("gemma"): more |= {"head_dim": 8, "sliding_window": 8, "query_pre_attn_scalar": 8}
    if family == "olmoe": more |= {"num_experts": 4, "num_experts_per_tok": 2}
    config = AutoConfig.for_model(
        family, vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=512,
        initializer_range=0.15, bos_token_id=None, eos_token_id=2, pad_token_id=0, **more,
    )
    AutoModelForCausalLM.from_config(config).float().save_pretrained(folder)


def culprit(*arguments):
    done = subprocess.run(["node", MAIN, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode: raise RuntimeError(done.stderr[-300:])


def common(a, b):
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


@torch.no_grad()
def reference(tokenizer, model, row):
    ids = lambda turns, **more: tokenizer.apply_chat_template(turns, tools=row.get("tools"), return_dict=True, **more)["input_ids"]
    prompt = ids(row["prompt"], add_generation_prompt=True)
    wholes = [ids(row["prompt"] + row[side]) for side in SIDES]
    start, found = min(common(prompt, whole) for whole in wholes), []
    for whole in wholes:
        out = model(torch.tensor([whole]), output_hidden_states=True)
        logprobs = out.logits[0].log_softmax(-1)
        total = sum(logprobs[i - 1, whole[i]].item() for i in range(start, len(whole)))
        found.append((len(whole) - start, total, out.hidden_states[2][0, start:].mean(0)))
    given = torch.tensor([prompt])
    made = model.generate(input_ids=given, attention_mask=torch.ones_like(given), max_new_tokens=8, do_sample=False)[0, len(prompt) :]
    return start, found, tokenizer.decode(made, skip_special_tokens=True)


def check(folder, tokenizer, model, row, adapter=None):
    pairs, prompts, out = FOLDER / "pairs.jsonl", FOLDER / "prompts.jsonl", FOLDER / "out"
    shutil.rmtree(out, ignore_errors=True)
    pairs.write_text(json.dumps(row) + "\n")
    given = ["--checkpoint", folder] + (["--adapter", adapter] if adapter else [])
    start, sides, text = reference(tokenizer, model, row)
    culprit("embed", pairs, *given, "--layers", 2, "--dtype", "F32", "--out", out / "store")
    with safe_open(glob.glob(f"{out}/store/shard-*.safetensors")[0], "pt") as file:
        tokens = file.get_tensor("tokens")[0].tolist()
        vector = next(file.get_tensor(name) for name in file.keys() if name.startswith("layer"))[0].float()
    assert tokens == [start, sides[0][0], sides[1][0]], tokens
    difference = sides[0][2] - sides[1][2]
    assert (vector - difference).norm() / difference.norm() < 1e-5
    if adapter is None:
        culprit("train", pairs, *given, "--out", out / "trained", "--learning-rate", "1e-9", "--warmup-steps", 0)
        logged = json.loads((out / "trained/metrics.jsonl").read_text().splitlines()[0])
        assert all(abs(logged[f"{side}Logprob"] - sides[i][1]) < 1e-4 for i, side in enumerate(SIDES)), logged
    if "tools" not in row:
        prompts.write_text(json.dumps({"id": "a", "prompt": row["prompt"]}) + "\n")
        culprit("generate", prompts, *given, "--temperature", 0, "--rollouts", 1, "--max-tokens", 8, "--out", out / "rollouts.jsonl")
        assert json.loads((out / "rollouts.jsonl").read_text())["response"] == text


def inputs():
    for family in FAMILIES:
        for kind in ("bytes", "metaspace"):
            folder = FOLDER / f"{family}-{kind}"
            write_tokenizer(folder, kind)
            write_model(folder, family)
            load = lambda: AutoModelForCausalLM.from_pretrained(folder).float().eval()
            for name, row in ROWS.items():
                yield f"{family} {kind} {name}", (folder, AutoTokenizer.from_pretrained(folder), load(), row)
            if family not in ADAPTED: continue
            adapter, tokenizer = FOLDER / f"{family}-{kind}-adapter", AutoTokenizer.from_pretrained(folder)
            lora = LoraConfig(r=4, target_modules=ADAPTED[family], task_type="CAUSAL_LM", init_lora_weights=False)
            get_peft_model(load(), lora).save_pretrained(adapter)
            tokenizer.chat_template = OWN
            tokenizer.save_pretrained(adapter)
            for name, row in ROWS.items():
                model = PeftModel.from_pretrained(load(), adapter).eval()
                yield f"{family} {kind} {name}, adapter", (folder, AutoTokenizer.from_pretrained(adapter), model, row, adapter)


right = wrong = 0
for name, arguments in inputs():
    try:
        check(*arguments)
        right += 1
        print("right", name)
    except (AssertionError, RuntimeError) as error:
        wrong += 1
        print("WRONG", name, error)
print(f"{right + wrong} tried, {right} right, {wrong} wrong")
