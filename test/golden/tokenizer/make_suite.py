"""The tokenizer suite: every kind of part that a tokenizer.json can have, on 10,000 texts, by the tokenizers library.

    python make_suite.py                      (deterministic; needs tokenizers, sentencepiece)
    python make_suite.py --show NAME BLOCK    prints what the library gives for the texts of one block

suite.json   models, pipelines (what tokenizer.json has around the model), what texts are made of, and the hashes.
Text i is made of suite.json alone by `make_text`, which test/support/tokenizer-texts.ts repeats; behind those come runs of 64
code points over all of RUNS, and CASES. For every pipeline and block
of 100 texts there is one hash over, for each text: ids, ids with special tokens, both decoded, the second without special tokens.
"""
import base64, hashlib, json, math, re, sys, tempfile, unicodedata
from collections import Counter
from pathlib import Path

import sentencepiece, tokenizers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from make_tokenizers import CORPUS, LLAMA3_SPLIT, QWEN_SPLIT, begin_with, llama_normalizer  # noqa: E402

TEXTS, BLOCK = 10_000, 100
# Where letters, marks, digits and signs stand; not the long stretches of Han and Hangul.
RUNS = [(0x0, 0x3400), (0xA480, 0xAC00), (0xF900, 0x12000), (0x1D000, 0x1FC00)]
# Once wrong here: white space that JavaScript and Rust see differently, the long s in a contraction, letters without a token.
CASES = ["\u0085<s>\ufeff", "<s>\u0085x", "x\ufeff</s>\u0085 y", "\u0085hello", "\ufeffhello", "\u0085 <mask>\ufeff", "we'ſ it'ſ IT'ſ", "hạ\u0085lt", "th☃e qu☃estion", "a\U0001f642b", "", " "]

# ---------------------------------------------------------------- texts

FRAGMENTS = [
    " ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", "\t ", " \n ", "\u0085", "\u00a0", "\u2028", "\u3000", "\ufeff", "\u200b", "\u200d", "\u180e", "\x1c", "\x00", "\x7f", "\u00ad",
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<s>", "</s>", "<unk>", "[INST]", "[/INST]", "<tool>", "<mask>", "<Norm>", "<norm>", "word", "<|im_", "_end|>", "<|user|>\n",
    "user", "assistant", "system", "The", " the", " question", "answer", "Hello", "HELLO", " world", "tide", "counting", "don't", "'s", "'S", "'ll", "'LL", "'re", "'ſ", "\u2019s", "we'd", "I'M",
    "0", "1", "12", "123", "1234", "12345", "3.14159", "1,000,000", "²", "½", "٣٤٥", "Ⅷ", "①", "১২৩", "𝟘𝟙", "０１",
    ".", ",", "!", "?!", "...", "--", "(", ")", "[", "]", "{", "}", "/", "\\", "_", "__", "#", "##", "##ing", "=", "==", "</w>", "|", "'", "\"", "`", "``", " ' ", " n't", "$", "€", "+", "~", "^",
    "▁", "▁▁", "▁the", "<0x41>", "<0xE2>", "Ġ", "Ċ", "é", "e\u0301", "ñ", "n\u0303", "Å", "A\u030a", "\u212b", "ö\u0323", "o\u0323\u0308", "\u1e9b\u0323", "ﬁ", "ß", "ẞ", "İ", "ı", "Σ", "ς", "ΑΣ", "ΑΣ.", "ǅ", "Ŀ",
    "한", "\u1112\u1161\u11ab", "ㅎ", "今日", "は", "が", "か\u3099", "。", "「", "，", "ア", "ｱ", "ﾞ", "你好", "привет", "Привет", "й", "и\u0306", "ب", "مرحبا", "\u0610", "नमस्ते", "क्ष", "ไทย", "ภาษา", "\u0e33",
    "🙂", "👩\u200d👩\u200d👧", "🇳🇴", "❤\ufe0f", "👍🏽", "𝔘𝔫", "𐍈", "𓀀", "\U0001d15e", "\U0002f800", "\U000e0041", "\U0010fffd", "\ufffd", "\uffff", "\ufdd0", "\u0378", "\U0001fbff", "\U0003134b",
    "aaaa", "abab", "zzz", "XyZ", "camelCase", "snake_case", "http://a.b/c?d=e", "def f(x):\n\treturn x", "a\u0300\u0301\u0302", "\u0300", "\u0345", "\u034f", "\u115f",
]


def code_point_pools():
    """For each general category ranges of code points, 24 at most, spread evenly."""
    ranges = {}
    for point in range(0x110000):
        category = unicodedata.category(chr(point))
        if category == "Cs": continue
        own = ranges.setdefault(category, [])
        if own and own[-1][1] == point - 1: own[-1][1] = point
        else: own.append([point, point])
    return {category: own[:: max(1, len(own) // 24)][:24] for category, own in sorted(ranges.items())}


class Draw:
    """A linear congruential generator on 32 bits, of which the upper 24 count."""
    def __init__(self, seed): self.state = seed % 2**32

    def below(self, count):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) % count


def make_text(index, fragments, pools):
    draw = Draw(index * 2654435761 + 97)
    parts = []
    for _ in range(1 + draw.below(12)):
        kind = draw.below(10)
        if kind < 5: parts.append(fragments[draw.below(len(fragments))])
        elif kind < 8:
            pool = pools[draw.below(len(pools))]
            first, last = pool[draw.below(len(pool))]
            parts.append(chr(first + draw.below(last - first + 1)))
        elif kind < 9:
            point = draw.below(0x110000 - 0x800)
            parts.append(chr(point if point < 0xD800 else point + 0x800))
        else: parts.append(" ")
    return "".join(parts)


def make_runs(runs): return ["".join(map(chr, range(start, start + 64))) for first, end in runs for start in range(first, end, 64)]


# ---------------------------------------------------------------- models

SPECIALS = ["<unk>", "<s>", "</s>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def described_model(tokenizer): return json.loads(tokenizer.to_str())["model"]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=620, special_tokens=SPECIALS, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return described_model(tokenizer)


def letters(specials, replacement="▁", **settings):
    """BPE over letters; few of them are known, so that the rest of Unicode is not."""
    tokenizer = Tokenizer(models.BPE(unk_token=settings.get("unk_token"), byte_fallback=settings.get("byte_fallback", False)))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=replacement)
    trainer = trainers.BpeTrainer(vocab_size=len(specials) + 200, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator([re.sub(r"[^ a-zA-HS-T0-57-9.,:?'()éñ世]", "", line) for line in CORPUS], trainer)
    model = described_model(tokenizer) | settings
    for run in (replacement * 2, replacement * 4):
        model["vocab"][run] = len(model["vocab"])
        model["merges"].append([run[: len(run) // 2]] * 2)
    return model


def suffixed(prefix, suffix):
    """BPE whose pieces inside a word begin with `prefix` and whose last one ends in `suffix`."""
    options = {name: value for name, value in (("continuing_subword_prefix", prefix), ("end_of_word_suffix", suffix)) if value}
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", **options))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator([line.lower() for line in CORPUS], trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIALS, show_progress=False, **options))
    return described_model(tokenizer)


def words(): return Counter(re.findall(r"\w+|[^\w\s]+", " ".join(CORPUS)))


def unigram(pieces, byte_fallback):
    counts = Counter()
    for word, count in words().items():
        word = "▁" + word
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + 7) + 1): counts[word[start:end]] += count
    best = sorted(counts.items(), key=lambda item: (-item[1] * len(item[0]), item[0]))[:260]
    total = sum(counts.values())
    vocab = [[token, 0.0] for token in pieces] + [[token, round(math.log(count / total), 4)] for token, count in best]
    return {"type": "Unigram", "unk_id": 0, "vocab": vocab, "byte_fallback": byte_fallback}


def word_piece():
    known = [word.lower() for word, _ in sorted(words().items(), key=lambda item: (-item[1], item[0]))]
    letters_ = sorted({letter for word in known for letter in word if ord(letter) < 0x500})
    tails = sorted({word[-size:] for word in known[:60] for size in (2, 3) if len(word) > size})
    vocab = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *SPECIALS, *letters_, *(f"##{letter}" for letter in letters_), *known[:80], *(f"##{tail}" for tail in tails)])
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20, "vocab": {token: index for index, token in enumerate(vocab)}}


def word_level():
    known = [word for word, _ in sorted(words().items(), key=lambda item: (-item[1], item[0]))][:120]
    vocab = dict.fromkeys([*SPECIALS, "<pad>", "|", *"abcdefghijklmnopqrstuvwxyz0123456789", *known])
    return {"type": "WordLevel", "unk_token": "<unk>", "vocab": {token: index for index, token in enumerate(vocab)}}


MODELS = {
    "bytes": byte_level(),
    "fallback": letters(SPECIALS + BYTES, unk_token="<unk>", byte_fallback=True, fuse_unk=True),
    "letters": letters(SPECIALS),
    "letters-unknown": letters(SPECIALS, unk_token="<unk>"),
    "letters-fused": letters(SPECIALS, unk_token="<unk>", fuse_unk=True),
    # Half of the byte tokens: a letter of several bytes falls back whole or not at all.
    "half-fallback": letters(SPECIALS + BYTES[:0xB0], unk_token="<unk>", byte_fallback=True),
    "suffixed": suffixed(None, "</w>"),
    "prefixed": suffixed("##", None),
    "unigram": unigram(SPECIALS, False),
    "unigram-fallback": unigram(SPECIALS + BYTES, True),
    "word-piece": word_piece(),
    "word-level": word_level(),
}

# ---------------------------------------------------------------- pipelines


def charsmap():
    """A small table of a SentencePiece normalizer: some letters become others, some nothing."""
    rules = {"ﬁ": "fi", "½": "1/2", "\u200b": "", "\u3000": " ", "é": "e", "Å": "a", "が": "か", "e\u0301": "E", "🙂": ":)", "０": "0"}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "rules.tsv")
        points = lambda text: " ".join(f"{ord(letter):X}" for letter in text)
        table.write_text("".join(f"{points(source)}\t{points(target)}\n" for source, target in rules.items()))
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_prefix=f"{folder}/m", vocab_size=120, normalization_rule_tsv=str(table), minloglevel=2)
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(Path(folder, "m.model").read_bytes())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def part(kind, **keys): return {"type": kind, **keys}


def sequence(place, *parts): return {"type": "Sequence", place: list(parts)}


def normalizers(*parts): return sequence("normalizers", *parts)


def pre(*parts): return sequence("pretokenizers", *parts)


def split(regex, behavior="Isolated", invert=False): return part("Split", pattern={"Regex": regex}, behavior=behavior, invert=invert)


def bytes_(prefix=False, regex=True): return part("ByteLevel", add_prefix_space=prefix, trim_offsets=True, use_regex=regex)


def metaspace(scheme, whole): return part("Metaspace", replacement="▁", prepend_scheme=scheme, split=whole)


def added(content, special=True, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": not special, "special": special, **flags}


def spaces(): return part("Replace", pattern={"String": " "}, content="▁")


PLAIN = [added(token) for token in SPECIALS]
FLAGS = [
    added("<unk>"), added("<s>", lstrip=True), added("</s>", rstrip=True), added("<|endoftext|>", lstrip=True, rstrip=True), added("<|im_start|>", single_word=True),
    added("<|im_end|>"), added("<mask>", lstrip=True, single_word=True), added("<tool>", special=False, normalized=False), added("<Norm>", special=False),
    added("word", special=False, single_word=True), added("tide", special=False, rstrip=True), added("é", special=False), added(" the", special=False, lstrip=True), added("##", special=False, normalized=False),
]
O200K = "|".join([r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}", r" ?[^\s\p{L}\p{N}]+[\r\n/]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+"])
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s++"
CLASSES = r"[[:alpha:]&&[^a-c]]+|[[:punct:]]+|\h{2}|(?<=\d)\w+|\b\W+\b|[^[:space:]\w]|(?>\s+)x|\S\s*+"
SPLIT_AT = r"\s+|\p{N}|the"
LLAMA_DECODER = sequence("decoders", part("Replace", pattern={"String": "▁"}, content=" "), part("ByteFallback"), part("Fuse"), part("Strip", content=" ", start=1, stop=0))
TEMPLATE = {"post_processor": begin_with("<s>", 1)}


def of_bytes(pre_tokenizer, added_tokens=PLAIN, model="bytes", **parts):
    return {"model": model, "added": added_tokens, "pre_tokenizer": pre_tokenizer, "decoder": bytes_(), **parts}


def of_letters(added_tokens=PLAIN, model="fallback", **parts):
    return {"model": model, "added": added_tokens, "decoder": LLAMA_DECODER, **parts}


PIPELINES = {
    "gpt2": of_bytes(bytes_()),
    "gpt2-prefix": of_bytes(bytes_(prefix=True), post_processor=bytes_()),
    "neox": of_bytes(bytes_(), normalizer=part("NFC")),
    "qwen2": of_bytes(pre(split(QWEN_SPLIT), bytes_(regex=False)), normalizer=part("NFC")),
    "llama3": of_bytes(pre(split(LLAMA3_SPLIT), bytes_(regex=False)), ignore_merges=True, post_processor=sequence("processors", bytes_(), begin_with("<s>", 1))),
    "o200k": of_bytes(pre(split(O200K), bytes_(regex=False))),
    "cl100k-possessive": of_bytes(pre(split(CL100K), bytes_(regex=False))),
    "onig-classes": of_bytes(pre(split(CLASSES), bytes_(regex=False))),
    "smollm": of_bytes(pre(part("Digits", individual_digits=True), bytes_())),
    "deepseek": of_bytes(pre(split(r"[\r\n]"), split(r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ҁҊ-ԯԱ-Ֆ]+"), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), split(r"[一-龥ࠀ-一가-퟿]+"), part("Digits", individual_digits=True), bytes_(regex=False))),
    "removed-invert": of_bytes(pre(split(LLAMA3_SPLIT, "Removed", True), bytes_(regex=False))),
    **{f"split-{behavior}{'-invert' if invert else ''}": of_bytes(pre(split(SPLIT_AT, behavior, invert), bytes_(regex=False)))
       for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous") for invert in (False, True)},
    "byte-flags": of_bytes(bytes_(), FLAGS, normalizer=normalizers(part("NFD"), part("Lowercase"), part("StripAccents"))),
    "roberta": of_bytes(bytes_(prefix=True), FLAGS, post_processor=part("RobertaProcessing", sep=["</s>", 2], cls=["<s>", 1], trim_offsets=True, add_prefix_space=True)),
    "byte-normalizer": of_bytes(None, normalizer=normalizers(part("NFKD"), part("ByteLevel"))),
    "llama2": of_letters(normalizer=llama_normalizer(), **TEMPLATE),
    "llama2-flags": of_letters(FLAGS, normalizer=llama_normalizer(), **TEMPLATE),
    "mistral": of_letters(pre_tokenizer=metaspace("first", False), **TEMPLATE),
    "metaspace-always": of_letters(pre_tokenizer=metaspace("always", True), decoder=part("Metaspace", replacement="▁", prepend_scheme="always", split=True)),
    "metaspace-never": of_letters(FLAGS, pre_tokenizer=pre(part("Digits", individual_digits=False), metaspace("never", True)), decoder=sequence("decoders", part("ByteFallback"), part("Metaspace", replacement="▁", prepend_scheme="never", split=True))),
    "metaspace-older": of_letters(pre_tokenizer=part("Metaspace", replacement="▁", add_prefix_space=True)),
    "gemma": of_letters(normalizer=spaces(), pre_tokenizer=part("Split", pattern={"String": " "}, behavior="MergedWithPrevious", invert=False), decoder=sequence("decoders", part("Replace", pattern={"String": "▁"}, content=" "), part("ByteFallback"), part("Fuse"))),
    "half-fallback": of_letters(model="half-fallback", normalizer=llama_normalizer()),
    "no-unknown": of_letters(model="letters", normalizer=normalizers(part("NFKC"), spaces())),
    "unknown": of_letters(model="letters-unknown", normalizer=spaces(), decoder=part("Fuse")),
    "unknown-fused": of_letters(model="letters-fused", normalizer=spaces(), decoder=None),
    "suffixed": of_letters(model="suffixed", normalizer=normalizers(part("NFC"), part("Replace", pattern={"Regex": r"\s+"}, content=" "), part("Lowercase")), pre_tokenizer=pre(split(r"'s|'t|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", "Removed", True)), decoder=part("BPEDecoder", suffix="</w>")),
    "prefixed": of_letters(model="prefixed", normalizer=part("BertNormalizer", clean_text=True, handle_chinese_chars=False, strip_accents=None, lowercase=True), pre_tokenizer=part("Whitespace"), decoder=part("WordPiece", prefix="##", cleanup=False)),
    "unigram-t5": of_letters(model="unigram", normalizer=normalizers(part("Precompiled", precompiled_charsmap=charsmap()), part("Replace", pattern={"Regex": " {2,}"}, content=" "), part("Strip", strip_left=False, strip_right=True)), pre_tokenizer=pre(part("WhitespaceSplit"), metaspace("always", True)), decoder=part("Metaspace", replacement="▁", prepend_scheme="always", split=True), **TEMPLATE),
    "unigram-fallback": of_letters(model="unigram-fallback", normalizer=normalizers(part("Nmt"), part("Prepend", prepend="▁"), spaces())),
    "bert": of_letters([added(t) for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")] + PLAIN, "word-piece", normalizer=part("BertNormalizer", clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True), pre_tokenizer=part("BertPreTokenizer"), decoder=part("WordPiece", prefix="##", cleanup=True), post_processor=part("BertProcessing", sep=["[SEP]", 3], cls=["[CLS]", 2])),
    "bert-cased": of_letters(PLAIN, "word-piece", normalizer=part("BertNormalizer", clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False), pre_tokenizer=part("BertPreTokenizer"), decoder=part("WordPiece", prefix="##", cleanup=False)),
    "word-level": of_letters(FLAGS, "word-level", normalizer=normalizers(part("NFD"), part("StripAccents"), part("Lowercase"), part("Strip", strip_left=True, strip_right=True)), pre_tokenizer=part("Whitespace"), decoder=None),
    "word-level-ctc": of_letters(PLAIN, "word-level", pre_tokenizer=part("Split", pattern={"String": ""}, behavior="Isolated", invert=False), decoder=part("CTC", pad_token="<pad>", word_delimiter_token="|", cleanup=True)),
    "punctuation": of_bytes(pre(part("WhitespaceSplit"), part("Punctuation", behavior="MergedWithPrevious"), bytes_(regex=False))),
    "punctuation-contiguous": of_bytes(pre(part("Punctuation", behavior="Contiguous"), part("Digits", individual_digits=False), bytes_(regex=False))),
    "delimiter": of_bytes(pre(part("CharDelimiterSplit", delimiter="|"), bytes_(regex=False))),
    "scripts": of_bytes(pre(part("UnicodeScripts"), bytes_(regex=False)), normalizer=part("NFKC")),
    "fixed-length": of_bytes(pre(part("FixedLength", length=5), bytes_(regex=False)), normalizer=part("NFKD")),
}


def tokenizer_json(pipeline):
    """As test/support/tokenizer-texts.ts puts it together."""
    parts = {key: pipeline.get(key) for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder")}
    model = dict(MODELS[pipeline["model"]]) | ({"ignore_merges": True} if pipeline.get("ignore_merges") else {})
    vocab = {token: index for index, (token, _) in enumerate(model["vocab"])} if isinstance(model["vocab"], list) else model["vocab"]
    ids = dict(vocab)
    for token in pipeline["added"]: ids.setdefault(token["content"], len(ids))
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [{"id": ids[t["content"]], **t} for t in pipeline["added"]], **parts, "model": model}


def results(tokenizer, texts):
    for text in texts:
        plain, special = tokenizer.encode(text, add_special_tokens=False).ids, tokenizer.encode(text).ids
        yield [plain, special, tokenizer.decode(plain, skip_special_tokens=False), tokenizer.decode(special, skip_special_tokens=True)]


def digest(rows):
    lines = (f"{' '.join(map(str, plain))}\n{' '.join(map(str, special))}\n{kept}\n{left}\n" for plain, special, kept, left in rows)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:8]


def main():
    pools = code_point_pools()
    texts = [make_text(index, FRAGMENTS, list(pools.values())) for index in range(TEXTS)] + make_runs(RUNS) + CASES
    if sys.argv[1:2] == ["--show"]:
        tokenizer, start = Tokenizer.from_str(json.dumps(tokenizer_json(PIPELINES[sys.argv[2]]))), int(sys.argv[3]) * BLOCK
        chosen = texts[start : start + BLOCK]
        for index, (text, row) in enumerate(zip(chosen, results(tokenizer, chosen))): print(json.dumps([start + index, text, *row]))
        return
    hashes = {}
    for name, pipeline in PIPELINES.items():
        tokenizer = Tokenizer.from_str(json.dumps(tokenizer_json(pipeline)))
        rows = list(results(tokenizer, texts))
        hashes[name] = " ".join(digest(rows[start : start + BLOCK]) for start in range(0, len(texts), BLOCK))
        print(f"{name:28} {sum(len(row[0]) for row in rows)} ids", flush=True)
    suite = {"versions": {"tokenizers": tokenizers.__version__}, "texts": TEXTS, "block": BLOCK, "runs": RUNS, "cases": CASES, "fragments": FRAGMENTS, "pools": pools, "models": MODELS, "pipelines": PIPELINES, "hashes": hashes}
    lines = [f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in suite.items()]
    (HERE / "suite.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
