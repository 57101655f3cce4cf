"""Files beside a tokenizer.json, and what transformers makes of them.

    python make_folders.py     (deterministic; needs transformers, tokenizers; reads the folders that make_tokenizers.py wrote)

folders.json   per case: `base` (folder with the tokenizer.json), `change` (keys of tokenizer.json to replace), `files`; then
               - `rows` ([ids, ids with special tokens, decoded, decoded without special tokens] per text) with the named ids
                 and `size`, by AutoTokenizer, or
               - `refused`: what we refuse although transformers reads it, or
               - `warns`: whether the class that AutoTokenizer chooses gives other ids on the texts than tokenizer.json does.
"""
import json, shutil, sys, tempfile
from pathlib import Path

import tokenizers, transformers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import dumps  # noqa: E402

transformers.logging.set_verbosity_error()

TEXTS = [
    "", "hello <tool> world", "a<tool>b", " <tool> ", "<tool2><tool>\n", "the tide", "tides the", "Tide TIDE", "say <|im_end|> now", " <|im_end|>\n\nx", "a <|im_start|> b", "<think>\nhm</think> ok", "<|endoftext|>",
    "it 's , do n't . we 've ! really ? they 're ' I 'm", " two  blanks ", "1234 é e\u0301 ½ <½> x", "line\r\n\r\nnext", "</s>hello</s> hello", "<s>[INST] hi [/INST] there", "under_score\u0085x\ufeffy", "WE'LL go", "[MASK] end",
]
N = 420  # the vocabulary of the byte-level folders


def config(**keys): return {"tokenizer_config.json": keys}


def decoder(**tokens): return {"added_tokens_decoder": {index[1:]: token for index, token in tokens.items()}}


def token(content, **flags): return {"content": content, **flags}


WRITTEN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
ML = json.loads((HERE / "chatml-plain/tokenizer.json").read_text())["added_tokens"]

CASES = {
    "plain": ("chatml-plain", {}, {}),
    "added_tokens.json": ("chatml-plain", {}, {"added_tokens.json": {"<tool>": N}}),
    "added_tokens.json, out of order": ("chatml-plain", {}, {"added_tokens.json": {"<tool2>": N + 1, "<tool>": N}}),
    "added_tokens.json beside a map that names its token": ("chatml-plain", {}, {"added_tokens.json": {"<tool>": N}, "special_tokens_map.json": {"additional_special_tokens": ["<tool>"]}}),
    "added_tokens.json beside a map with an older name for it, and a configuration": ("chatml-plain", {}, {**config(additional_special_tokens=["<tool>"]), "added_tokens.json": {"<tool>": N}, "special_tokens_map.json": {"additional_special_tokens": ["<|im_end|>"]}}),
    "added_tokens.json beside a map with the newer name": ("chatml-plain", {"added_tokens": ML[:1]}, {**config(extra_special_tokens=["<|im_end|>"]), "added_tokens.json": {"<tool>": N}, "special_tokens_map.json": {"extra_special_tokens": ["<tool>", "<|im_start|>"], "additional_special_tokens": ["the"]}}),
    "an empty list of extra tokens, and a map": ("chatml-plain", {"added_tokens": ML[:1]}, {**config(extra_special_tokens=[]), "special_tokens_map.json": {"additional_special_tokens": ["<|im_end|>"]}}),
    "added_tokens.json with a word of the vocabulary": ("chatml-plain", {}, {"added_tokens.json": {"he": None}}),
    "added_tokens.json beside tokens of tokenizer.json": ("chatml-plain", {}, {"added_tokens.json": {"<|im_end|>": 2, "<tool>": N}}),
    "added_tokens_decoder": ("chatml-plain", {}, config(eos_token="<|im_end|>", **decoder(_420=token("<tool>", special=True)))),
    "added_tokens_decoder, flags left out": ("reasoning", {}, config(**decoder(_420=token("<think>"), _421=token("</think>", special=True)))),
    "added_tokens_decoder with other flags": ("chatml-plain", {}, config(eos_token="<|im_end|>", **decoder(_0=token("<|endoftext|>", **WRITTEN), _1=token("<|im_start|>", **{**WRITTEN, "rstrip": True}), _2=token("<|im_end|>", **{**WRITTEN, "lstrip": True, "special": False})))),
    "added_tokens_decoder, whole words and normalised": ("reasoning", {}, config(**decoder(_420=token("tide", single_word=True), _421=token("e\u0301", normalized=True), _422=token("<½>", normalized=False, lstrip=True, rstrip=True)))),
    "added_tokens_decoder silences the older files": ("chatml-plain", {}, {**config(eos_token="<|im_end|>", **decoder(_420=token("<tool>", special=True))), "added_tokens.json": {"<tool2>": N + 1}, "special_tokens_map.json": {"eos_token": "<|endoftext|>"}}),
    "the older map wins over the configuration": ("chatml-plain", {}, {**config(eos_token="<|im_end|>", bos_token="<|im_start|>"), "special_tokens_map.json": {"eos_token": "<|endoftext|>", "pad_token": {"content": "<|im_end|>", **{k: False for k in ("lstrip", "rstrip", "normalized", "single_word")}}}}),
    "a named token that is only in the vocabulary": ("chatml-plain", {"added_tokens": []}, config(eos_token="<|im_end|>")),
    "a named token that is only in the vocabulary, with flags": ("chatml-plain", {"added_tokens": []}, config(eos_token={"__type": "AddedToken", "content": "<|im_end|>", "lstrip": True, "rstrip": True, "single_word": False, "normalized": False})),
    "named tokens that are listed already": ("chatml-plain", {"added_tokens": [{**ML[0], "rstrip": True}, *ML[1:]]}, config(eos_token="<|endoftext|>", pad_token={"__type": "AddedToken", "content": "<|im_end|>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False})),
    "extra_special_tokens": ("chatml-plain", {"added_tokens": ML[:1]}, config(extra_special_tokens=["<|im_end|>", "<|im_start|>"])),
    "extra_special_tokens by name": ("chatml-plain", {"added_tokens": ML[:1]}, config(extra_special_tokens={"end_token": "<|im_end|>", "begin": "<|im_start|>"})),
    "additional_special_tokens": ("chatml-plain", {"added_tokens": ML[:1]}, config(additional_special_tokens=["<|im_end|>", {"__type": "AddedToken", "content": "<|im_start|>", "lstrip": False, "rstrip": True, "single_word": False, "normalized": False}])),
    "a token named by a name of its own": ("chatml-plain", {"added_tokens": ML[:1]}, config(image_token="<|im_end|>", eos_token=None)),
    "a listed token that is not special but named": ("chatml-plain", {"added_tokens": [*ML[:2], {**ML[2], "special": False}]}, config(eos_token="<|im_end|>")),
    "a token named twice, with other flags": ("chatml-plain", {"added_tokens": ML[:1]}, config(unk_token="<|im_end|>", extra_special_tokens=[{"__type": "AddedToken", "content": "<|im_end|>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False}])),
    "a token named thrice, first and last alike": ("chatml-plain", {"added_tokens": ML[:1]}, config(pad_token="<|im_end|>", cls_token={"__type": "AddedToken", "content": "<|im_end|>", "lstrip": True, "rstrip": True, "single_word": False, "normalized": False}, extra_special_tokens=["<|im_end|>"])),
    "added_tokens.json beside a configuration that names its token as an object": ("chatml-plain", {}, {**config(extra_special_tokens=[{"__type": "AddedToken", "content": "<tool>", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False}]), "added_tokens.json": {"<tool>": N}}),
    "an older map with extra tokens as objects": ("chatml-plain", {"added_tokens": ML[:1]}, {"special_tokens_map.json": {"extra_special_tokens": [{"content": "<|im_end|>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False}, "<|im_start|>"]}}),
    "clean_up_tokenization_spaces": ("chatml-plain", {}, config(clean_up_tokenization_spaces=True)),
    "clean_up_tokenization_spaces, forced": ("chatml-plain", {}, config(clean_up_tokenization_spaces=True, clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output=True)),
    "truncation and padding": ("chatml-plain", {"truncation": {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}, "padding": {"strategy": {"Fixed": 30}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<|endoftext|>"}}, {}),
    "add_bos_token": ("inst-first", {}, config(bos_token="<s>", eos_token="</s>", add_bos_token=True, add_eos_token=True)),
    "add_bos_token false": ("inst", {}, config(bos_token="<s>", eos_token="</s>", add_bos_token=False)),
}
REFUSED = {
    "a named token that no file gives an id": ("chatml-plain", {}, config(eos_token="<end>")),
    "an extra token that no file gives an id": ("chatml-plain", {}, config(extra_special_tokens=["<tool>"])),
    "an id after a gap": ("chatml-plain", {}, {"added_tokens.json": {"<tool>": N + 7}}),
    "an id of another token": ("chatml-plain", {}, config(**decoder(_5=token("<tool>", special=True)))),
    "an id that is none": ("chatml-plain", {}, {"added_tokens.json": {"<tool>": "x"}}),
    "split_special_tokens": ("chatml-plain", {}, config(split_special_tokens=True)),
}


def classes():
    """Class, model_type, base: the tokenizer.json of one kind under the names that checkpoints give it."""
    for base, name, model_type, more in [
        ("inst", "LlamaTokenizer", "llama", {}), ("inst", "LlamaTokenizerFast", "llama", {"legacy": True}), ("inst", "LlamaTokenizer", "mistral", {}), ("inst", "PreTrainedTokenizerFast", "llama", {}),
        ("inst-first", "LlamaTokenizer", "llama", {"legacy": False}), ("inst-first", "LlamaTokenizer", "llama", {"legacy": True}), ("metaspace-words", "LlamaTokenizerFast", "llama", {"add_prefix_space": False}),
        ("headers", "PreTrainedTokenizerFast", "llama", {}), ("headers", "LlamaTokenizer", "llama", {}), ("headers", "PreTrainedTokenizerFast", "qwen2", {}), ("headers", "LlamaTokenizerFast", "qwen2", {}),
        ("reasoning", "Qwen2Tokenizer", "qwen2", {}), ("reasoning", "Qwen2TokenizerFast", "qwen3", {}), ("reasoning", "Qwen2Tokenizer", "llama", {"add_prefix_space": True}), ("reasoning", "GPT2Tokenizer", "olmo2", {}),
        ("chatml-plain", "GPT2Tokenizer", "llama", {}), ("chatml", "GPT2TokenizerFast", "llama", {}), ("chatml-plain", "GPTNeoXTokenizer", "gpt_neox", {}), ("chatml-plain", None, "gpt_neox", {}), ("chatml-plain", None, "llama", {}),
        ("headers", "GPTNeoXTokenizerFast", "olmoe", {}), ("inst", "GemmaTokenizer", "gemma2", {}), ("inst", "PreTrainedTokenizer", "phi3", {}), ("inst", "LlamaTokenizer", "phi3", {}), ("inst", "SomethingOfTheirOwn", "llama", {}),
        ("inst", "Phi3Tokenizer", "llama", {}), ("inst", "Phi3Tokenizer", "mistral", {}), ("inst-first", "PythonBackend", "qwen2", {}),
        ("reasoning", "Qwen2Tokenizer", "qwen2", {"added_tokens_decoder": {"420": token("<think>"), "421": token("</think>")}}), ("chatml-plain", "GemmaTokenizer", "gemma2", {"unk_token": "<|endoftext|>"}),
    ]:
        config_ = {} if name is None else {"tokenizer_class": name}
        label = f"{name or 'no class'} in a {model_type} folder, {base}{''.join(f', {k} {v}' for k, v in more.items())}"
        # Named, so that a class's own defaults add no token.
        named = {"eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"} if base.startswith(("inst", "meta")) else {"headers": {"eos_token": "<|eot_id|>"}}.get(base, {"eos_token": "<|im_end|>"})
        yield label, base, {}, {"config.json": {"model_type": model_type}, **config(**config_, **more, **named)}


def write(folder, base, change, files):
    described = json.loads((HERE / base / "tokenizer.json").read_text()) | change
    (folder / "tokenizer.json").write_text(json.dumps(described))
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    return described


def rows(tokenizer):
    decode = lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip)
    for text in TEXTS:
        plain, special = tokenizer(text, add_special_tokens=False).input_ids, tokenizer(text).input_ids
        yield [plain, special, decode(plain, False), decode(special, True)]


def load(kind, base, change, files):
    with tempfile.TemporaryDirectory() as name:
        described = write(Path(name), base, change, files)
        return kind.from_pretrained(name), described


def main():
    golden = []
    for name, (base, change, files) in CASES.items():
        if name.endswith("a word of the vocabulary"):
            files = {"added_tokens.json": {"he": json.loads((HERE / base / "tokenizer.json").read_text())["model"]["vocab"]["he"]}}
        tokenizer, _ = load(AutoTokenizer, base, change, files)
        named = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id}
        golden.append({"name": name, "base": base, "change": change, "files": files, "named": named, "size": max(tokenizer.get_vocab().values()) + 1, "rows": list(rows(tokenizer))})
    for name, (base, change, files) in REFUSED.items():
        golden.append({"name": name, "base": base, "change": change, "files": files, "refused": True})
    for name, base, change, files in classes():
        own, _ = load(PreTrainedTokenizerFast, base, change, files)
        auto, _ = load(AutoTokenizer, base, change, files)
        ids = lambda tokenizer: [row[:2] for row in rows(tokenizer)]
        warns = ids(own) != ids(auto)
        golden.append({"name": name, "base": base, "change": change, "files": files, "warns": warns})
        print(f"{type(auto).__name__:20} {'other ids' if warns else 'same ids ':10} {name}")
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    (HERE / "folders.json").write_text(dumps({"versions": versions, "texts": TEXTS, "cases": golden}))
    print(len(golden), "cases")


if __name__ == "__main__":
    main()
