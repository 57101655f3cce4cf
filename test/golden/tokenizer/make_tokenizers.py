"""Small tokenizers in the manner of the supported families, each with a chat template, and the ids transformers gives.

    python make_tokenizers.py     (deterministic; needs transformers, tokenizers)

inputs.json          the texts and conversations
<case>/              tokenizer.json, tokenizer_config.json, a chat template
<case>/golden.json   texts: [ids, ids with special tokens, decoded, decoded without special tokens] per text of inputs.json
                     chat / raw: [prompt ids, response ids] per conversation, or the reason why there are none

Prompt and response ids follow the project's definition: head = template(prompt, add_generation_prompt), response = what the
template of the whole conversation adds to it, tokenised apart. Where the whole does not begin with the head because the generation
prompt opens a <think>, the head ends before that tag. Templates that print the date see 26 July 2024.
"""
import datetime, json, re, shutil, sys
from pathlib import Path

import tokenizers, transformers
import transformers.utils.chat_template_utils as chat_utils
from jinja2.exceptions import TemplateError
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import dumps  # noqa: E402

transformers.logging.set_verbosity_error()


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None): return cls(2024, 7, 26)


chat_utils.datetime = FixedClock

CORPUS = """The tide comes in twice a day, and the boats come in with it.
A good question is worth more than a quick answer; an honest answer is worth more than both.
She counted the steps: one, two, three, four, five, and then she stopped counting.
How do I bake bread? Mix flour, water, salt and yeast, wait for the dough to rise, then bake it for forty minutes.
I can't help with that, but I'm happy to help you with something else if you'd like.
It's what we'd call a draw: they've won three, we've won three, and nobody'll mind.
def add(first, second):\n    return first + second\n\nfor i in range(10):\n    print(add(i, 2024))
In 1999 there were 12,345 of them; by 2024 there were 98,765, or 8.0 times as many.
Der Zug fährt um 17:45 Uhr ab. Où est la gare? El niño comió piñas. Smørrebrød på bordet.
Привет, как дела? 今日はいい天気ですね。你好，世界。
user assistant system user assistant system The user asks and the assistant answers. The system says nothing.
Sure! Here is a list:\n\n- apples\n- pears\n- plums\n\nLet me know whether you need anything more.
""".splitlines() * 3

TEXTS = [
    "", " ", "  ", "\n", "\r\n", "\t\t x", "Hello, world!", " leading and trailing ", "two  spaces   three    four", "a\nb\n\nc\n\n\n d",
    "line one\r\nline two\r\n\r\nline three\r", "can't WON'T I'd they'LL 'tis", "1234567890 3.14159 1,000,000", "² ½ ٣٤٥ Ⅷ ①②", "naïve café", "cafe\u0301 n\u0303 \u1e9b\u0323 ﬁ",
    "今日はいい天気ですね。你好，世界", "안녕하세요 세계", "Привет мир", "مرحبا بالعالم", "🙂🚀 👩‍👩‍👧‍👦 🇳🇴 ❤️", "a\u200bb\u00a0c\u3000d\u2028e\u0085f\ufeffg", "\ufeffstarts with a mark", "\u0085\u0085 next line",
    "nul\u0000 bell\u0007 del\u007f \u001c\u001f", "underscore ▁ marks ▁▁ and ▁a", "<0x41> is not a byte", "x" * 300, "ab" * 400, "é" * 70, "   " * 40, "\n" * 25, "!?.,;:-_()[]{}<>|/\\\"'`~@#$%^&*+=",
    "text <|im_end|> inside", "<|im_start|>user\nhi<|im_end|>\n", "<s>[INST] hi [/INST] there </s>", "</s></s> </s>", " <|eot_id|> \n", "<|endoftext|>a<|endoftext|>", "<think>\nhm\n</think>\n\nyes", "<|user|>\nhi\n<|assistant|>\n",
    "half \ufffd pair", "\u00bd\u00bc cup", "mixed: abc示例123ñ🙂", "def f(x):\n\treturn x  # done\n", "http://example.org/a?b=c&d=%20", "ᚠᛇᚻ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈", "A" * 20 + " " + "0" * 40,
]


def turn(role, content): return {"role": role, "content": content}


def user(content): return turn("user", content)


def assistant(content): return turn("assistant", content)


CONVERSATIONS = [
    ([user("How do I bake bread?")], [assistant("Mix flour, water and salt.")]),
    ([turn("system", "Answer briefly."), user("What is the tide?")], [assistant("Water that comes and goes.")]),
    ([user("One?"), assistant("Two."), user("Three?")], [assistant("Four.")]),
    ([turn("system", "  Padded.\n"), user(" spaces \n"), assistant("\tTabbed\t"), user("\n\nlines\n\n")], [assistant("  padded answer \n")]),
    ([user("Unicode: café 今日 🙂")], [assistant("Ответ: naïve 👩‍👩‍👧‍👦 ½")]),
    ([user("a\r\nb")], [assistant("c\r\nd\r\n")]),
    ([user("x")], [assistant("")]),
    ([user("")], [assistant("y")]),
    ([user("   ")], [assistant("   ")]),
    ([user("Say <|im_end|> or </s> or <|eot_id|>.")], [assistant("<|im_end|> </s> <|eot_id|>")]),
    ([user("Think first.")], [assistant("<think>\nOne, two.\n</think>\n\nThree.")]),
    ([user("Again."), assistant("<think>\nHm.\n</think>\n\nFirst."), user("And?")], [assistant("Second.")]),
    ([user("Multi.")], [assistant("First."), user("More?"), assistant("Second.")]),
    ([user("First."), user("Second, with no answer between.")], [assistant("Fine.")]),
    ([user("Last."), assistant("The prompt ends with the assistant.")], [assistant("And goes on.")]),
    ([user("12,345 + 678?")], [assistant("13,023\n\n```\n  12345\n+   678\n```\n")]),
    ([user("{{ 7 * 7 }} {% if x %}")], [assistant("{# not a comment #} {{ bos_token }}")]),
]

CHATML = """{%- for message in messages %}
    {%- if loop.first and message['role'] != 'system' %}
        {{- '<|im_start|>system\\nYou answer as well as you can.<|im_end|>\\n' }}
    {%- endif %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""

# After the last question an assistant turn shows its reasoning, empty or not; before it, reasoning is dropped.
REASONING = """{%- if tools %}{{- raise_exception('no tools here') }}{%- endif %}
{%- set state = namespace(last=-1) %}
{%- for message in messages[::-1] %}
    {%- if state.last == -1 and message.role == 'user' and not message.content.startswith('<tool_response>') %}
        {%- set state.last = messages|length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {%- set answer = message.content %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is string %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in answer %}
            {%- set thought = answer.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set answer = answer.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > state.last and (loop.last or thought) %}
            {{- '<|im_start|>assistant\\n<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + answer.lstrip('\\n') + '<|im_end|>\\n' }}
        {%- else %}
            {{- '<|im_start|>assistant\\n' + answer + '<|im_end|>\\n' }}
        {%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}"""

# The generation prompt opens the reasoning; finished turns have it cut away.
THINK_OPENER = """{{- bos_token }}
{%- for message in messages %}
    {%- if message['role'] == 'assistant' %}
        {%- set answer = message['content'] %}
        {%- if '</think>' in answer %}{%- set answer = answer.split('</think>')[-1] %}{%- endif %}
        {{- '<|im_start|>assistant\\n' + answer + '<|im_end|>' }}
    {%- else %}
        {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n<think>\\n' }}{%- endif %}"""

# A system turn goes inside the first [INST]; contents are stripped, roles must alternate.
INST = """{%- if messages[0]['role'] == 'system' %}
    {%- set turns = messages[1:] %}{%- set preface = '<<SYS>>\\n' + messages[0]['content'] | trim + '\\n<</SYS>>\\n\\n' %}
{%- else %}
    {%- set turns = messages %}{%- set preface = '' %}
{%- endif %}
{%- for message in turns %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('user and assistant must take turns') }}
    {%- endif %}
    {%- set content = (preface if loop.first else '') + message['content'] %}
    {%- if message['role'] == 'user' %}
        {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
    {%- else %}
        {{- ' ' + content.strip() + ' ' + eos_token }}
    {%- endif %}
{%- endfor %}"""

# No strip; the system turn goes before the LAST question, so a later question moves it.
INST_LAST = """{{- bos_token }}
{%- set system = messages[0]['content'] if messages[0]['role'] == 'system' else none %}
{%- set turns = messages[1:] if system is not none else messages %}
{%- for message in turns %}
    {%- if message.role == 'user' %}
        {%- set is_last = (turns | selectattr('role', 'equalto', 'user') | list | length) == (turns[:loop.index] | selectattr('role', 'equalto', 'user') | list | length) %}
        {{- '[INST]' + (system + '\\n\\n' if system is not none and is_last else '') + message.content + '[/INST]' }}
    {%- elif message.role == 'assistant' %}
        {{- ' ' + message.content + eos_token }}
    {%- else %}
        {{- raise_exception('only user and assistant turns after the system turn, got ' + message.role) }}
    {%- endif %}
{%- endfor %}"""

HEADERS = """{{- bos_token }}
{%- if strftime_now is defined %}{%- set today = strftime_now('%d %b %Y') %}{%- else %}{%- set today = '01 Jan 2000' %}{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}{%- set messages = messages[1:] %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\nKnowledge ends: December 2023\\nToday: ' + today + '\\n\\n' + system + '<|eot_id|>' }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}"""

BARS = """{{ bos_token }}{% for message in messages %}
{% if message['role'] == 'assistant' %}{{ '<|assistant|>\\n' }}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}{% if not loop.last %}{{ '\\n' }}{% endif %}
{% else %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '\\n' }}{% endif %}
{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}
{% endfor %}"""

GPT2_TYPE = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
QWEN_SPLIT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3_SPLIT = QWEN_SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def byte_level(pre_tokenizer, specials, normalizer=None, post_processor=None, vocab_size=420):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    if post_processor is not None: tokenizer.post_processor = post_processor
    return json.loads(tokenizer.to_str())


def split_bytes(regex, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(regex), behavior, invert), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def metaspace(specials, change):
    """Byte fallback for all that is not in a small alphabet. Trained on words, then the pre-tokenizer is set by `change`."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=520, special_tokens=specials + byte_tokens, show_progress=False)
    # Not limit_alphabet: it breaks ties between equally frequent letters differently from run to run.
    tokenizer.train_from_iterator([re.sub(r"[^ a-zA-HS-T0-57-9.,:?'()éñ世]", "", line) for line in CORPUS], trainer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    described = json.loads(tokenizer.to_str())
    described["added_tokens"] = [t for t in described["added_tokens"] if t["content"] not in byte_tokens]
    merges = described["model"]["merges"]
    for run in ("▁▁", "▁▁▁▁"):  # runs of spaces are tokens, as in Llama's vocabulary
        described["model"]["vocab"][run] = len(described["model"]["vocab"])
        merges.append([run[: len(run) // 2]] * 2)
    return described | change


def begin_with(token, token_id):
    return json.loads(json.dumps({"type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": token, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {token: {"id": token, "ids": [token_id], "tokens": [token]}}}))


def llama_normalizer():
    return {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}


ML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SP = ["<unk>", "<s>", "</s>"]
MLT = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>", "pad_token": "<|im_end|>"}
SPT = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
L3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]

# name -> (tokenizer.json, tokenizer_config.json, template, where the template is written)
CASES = {
    "chatml": (byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), GPT2_TYPE]), ML),
               {**MLT, "clean_up_tokenization_spaces": False}, CHATML, "config"),
    "chatml-plain": (byte_level(GPT2_TYPE, ML, post_processor=processors.ByteLevel(trim_offsets=True)), MLT, CHATML, "jinja"),
    "reasoning": (byte_level(split_bytes(QWEN_SPLIT), ML, normalizer=normalizers.NFC()),
                  {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "add_bos_token": False,
                   "added_tokens_decoder": {"420": {"content": "<think>", "special": False, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False},
                                            "421": {"content": "</think>", "special": False, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}}},
                  REASONING, "jinja"),
    "think-opener": (byte_level(split_bytes(QWEN_SPLIT), ML, normalizer=normalizers.NFC()), {**MLT, "bos_token": "<|endoftext|>"}, THINK_OPENER, "jinja"),
    "inst": (metaspace(SP, {"pre_tokenizer": None, "normalizer": llama_normalizer(), "post_processor": begin_with("<s>", 1)}), SPT, INST, "config"),
    "inst-first": (metaspace(SP, {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}}),
                   {**SPT, "add_bos_token": True, "add_eos_token": False}, INST_LAST, "named"),
    "metaspace-words": (metaspace(SP, {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}}),
                        {**SPT, "bos_token": {"__type": "AddedToken", "content": "<s>", "lstrip": False, "rstrip": False, "single_word": False, "normalized": False}}, INST_LAST, "json"),
    "headers": (byte_level(split_bytes(LLAMA3_SPLIT), L3) | {"post_processor": begin_with("<|begin_of_text|>", 0)},
                {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}, HEADERS, "jinja"),
    "bars": (byte_level(split_bytes(LLAMA3_SPLIT, "removed", True), ["<|endoftext|>", "<|pad|>"], post_processor=processors.ByteLevel(trim_offsets=False)),
             {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>", "add_bos_token": False}, BARS, "jinja"),
}
CASES["headers"][0]["model"]["ignore_merges"] = True


def write_folder(name, described, config, template, place):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048, **config}
    if place == "config": config["chat_template"] = template
    if place == "named": config["chat_template"] = [{"name": "tool_use", "template": "{{ raise_exception('not this one') }}"}, {"name": "default", "template": template}]
    if place == "jinja": (folder / "chat_template.jinja").write_text(template)
    if place == "json": (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    (folder / "tokenizer.json").write_text(json.dumps(described, ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(config, ensure_ascii=False, indent=1) + "\n")
    return folder


def boundary(tokenizer, template, prompt, response):
    """The two texts, or the reason why there are none."""
    try:
        head = tokenizer.apply_chat_template(prompt, chat_template=template, add_generation_prompt=True, tokenize=False)
        whole = tokenizer.apply_chat_template(prompt + response, chat_template=template, tokenize=False)
    except TemplateError as error:
        assert "must take turns" in str(error) or "only user and assistant" in str(error), error
        return "template-refused"
    if not whole.startswith(head):
        head = re.sub(r"<think>\s*$", "", head)
        if not whole.startswith(head): return "prompt-not-kept"
    return head, whole[len(head):]


def conversation_ids(tokenizer, template, prompt, response):
    texts = boundary(tokenizer, template, prompt, response)
    if isinstance(texts, str): return texts
    head, tail = (tokenizer(text, add_special_tokens=False).input_ids for text in texts)
    return [head, tail] if tail else "empty-response"


def raw_ids(tokenizer, prompt, response):
    text = lambda turns: "\n".join(turn["content"] for turn in turns)
    head, tail = tokenizer(text(prompt)).input_ids, tokenizer(text(response), add_special_tokens=False).input_ids
    return [head, tail] if tail else "empty-response"


def main():
    (HERE / "inputs.json").write_text(json.dumps({"texts": TEXTS, "conversations": CONVERSATIONS}, indent=0) + "\n")
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    for name, (described, config, template, place) in CASES.items():
        folder = write_folder(name, described, config, template, place)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        decode = lambda ids, skip: tokenizer.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False)
        texts = []
        for text in TEXTS:
            ids = tokenizer(text, add_special_tokens=False).input_ids
            texts.append([ids, tokenizer(text).input_ids, decode(ids, False), decode(ids, True)])
        golden = {
            "versions": versions,
            "special": {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id, "pad": tokenizer.pad_token_id, "size": max(tokenizer.get_vocab().values()) + 1},
            "texts": texts,
            "chat": [conversation_ids(tokenizer, template, *c) for c in CONVERSATIONS],
            "raw": [raw_ids(tokenizer, *c) for c in CONVERSATIONS],
        }
        (folder / "golden.json").write_text(dumps(golden))
        reasons = [c for c in golden["chat"] if isinstance(c, str)]
        size = sum(f.stat().st_size for f in folder.iterdir())
        print(f"{name:16} {type(tokenizer).__name__} {size / 1000:.0f} kB, {sum(len(t[0]) for t in texts)} ids, without: {reasons}")


if __name__ == "__main__":
    main()
