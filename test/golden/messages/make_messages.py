"""Rows of preference data as people have them, and the token ids that TRL 1.16 and transformers 5 make of them.

    python make_messages.py     (deterministic; needs trl, transformers, tokenizers, datasets, pandas, pyarrow)

templates/NAME.jinja   chat templates; the tokenizer is ../tokenizer/chatml-plain
rows.jsonl             {name, template, row}: the inputs, one each
formats/               the rows that a file format can hold (those of the tools template), written by datasets, pandas and json
                       types.parquet: columns whose types an edit has to keep
golden.json            rows: [name, [prompt ids, chosen ids, rejected ids]] or [name, the reason why culprit refuses it]
                       boundary: the same for the tokenizers of ../tokenizer and pairs of responses, "chat" and "raw"; "texts": texts for SFT

Ids are those of TRL's DPOTrainer._prepare_dataset: prompt and whole conversations are tokenised, the response starts at their longest
common prefix over both sides. What TRL has no reading for (a column `system`, ShareGPT, text parts under a template that knows no lists,
which prints Python's notation of them) is rewritten here into what it means before TRL's functions see it; `as_trl` says how.
"""
import json, os, shutil, sys, tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
import datasets, pandas, pyarrow, pyarrow.parquet, transformers, trl
from jinja2.exceptions import TemplateError

from transformers import AutoTokenizer
from trl.data_utils import _tokenize, common_prefix_length

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from golden_json import dumps  # noqa: E402

transformers.logging.set_verbosity_error()
datasets.disable_progress_bars()

CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
# In the manner of Qwen 2.5: tools in the system turn, calls and their answers in tags.
TOOLS = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] }}{%- else %}{{- 'You help.' }}{%- endif %}
    {{- "\\n\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}{{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- elif messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content %}{{- '\\n' + message.content }}{%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' + tool_call.name + '", "arguments": ' }}
            {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
REASONING = """{%- for message in messages %}
    {{- '<|im_start|>' + message.role + '\\n' }}
    {%- if message.role == 'assistant' and message.reasoning_content is string %}{{- '<think>\\n' + message.reasoning_content.strip('\\n') + '\\n</think>\\n\\n' }}{%- endif %}
    {{- message.content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}"""
PARTS = """{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' }}
    {%- if message['content'] is string %}
        {{- message['content'] }}
    {%- else %}
        {%- for part in message['content'] %}{%- if part['type'] == 'text' %}{{- part['text'] | trim }}{%- endif %}{%- endfor %}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"""
NAMES = "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.name %} name={{ m.name }}{% endif %}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
DOCUMENTS = "{% for d in documents or [] %}[{{ d.title }}] {{ d.text }}\n{% endfor %}" + CHATML
# Marks that are no tokens, and generation prompts whose end joins what follows.
VICUNA = "{% for m in messages %}{% if m.role == 'assistant' %}ASSISTANT: {{ m.content }}</s>{% else %}{{ m.role | upper }}: {{ m.content }} {% endif %}{% endfor %}{% if add_generation_prompt %}ASSISTANT: {% endif %}"
ALPACA = "{% for m in messages %}### {{ m.role }}:\n{{ m.content }}\n\n{% endfor %}{% if add_generation_prompt %}### assistant:\n{% endif %}"
COUNTS = "{{ messages | length }}{% for m in messages %} {{ m.content }}{% endfor %}"
TEMPLATES = {"chatml": CHATML, "tools": TOOLS, "reasoning": REASONING, "parts": PARTS, "names": NAMES, "documents": DOCUMENTS, "vicuna": VICUNA, "alpaca": ALPACA, "counts": COUNTS}

U = lambda text, **more: {"role": "user", "content": text, **more}
A = lambda text, **more: {"role": "assistant", "content": text, **more}
S = lambda text: {"role": "system", "content": text}
P = lambda *texts: [{"type": "text", "text": text} for text in texts]
WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather <now> & later in a \"town\"; it's called often.", "parameters": {"type": "object", "properties": {"town": {"type": "string"}, "days": {"type": "integer", "default": 3}, "above": {"type": "number", "minimum": 0.5}}, "required": ["town"]}}}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {"zone": {"type": ["string", "null"], "default": None}}}}}
CALL = lambda **arguments: [{"type": "function", "function": {"name": "weather", "arguments": arguments}}]
RAIN = [U("rain in Ghent?"), A("", tool_calls=CALL(town="Ghent")), {"role": "tool", "content": "rain"}]
YES, NO = [A("Yes, rain.")], [A("No.")]


def pair(prompt=None, chosen=None, rejected=None, **more):
    return {**more, "prompt": [U("hello")] if prompt is None else prompt, "chosen": [A("yes")] if chosen is None else chosen, "rejected": [A("no maybe")] if rejected is None else rejected}


# name, template, row; the reason where culprit refuses the row.
ROWS = [
    ("call in the prompt", "tools", pair(RAIN, YES, NO, tools=[WEATHER])),
    ("content null beside a call", "tools", pair([RAIN[0], A(None, tool_calls=CALL(town="Ghent")), RAIN[2]], YES, NO, tools=[WEATHER])),
    ("no content beside a call", "tools", pair([RAIN[0], {"role": "assistant", "tool_calls": CALL(town="Ghent")}, RAIN[2]], YES, NO, tools=[WEATHER])),
    ("call is the answer", "tools", pair([U("rain?")], [A("Let me look.", tool_calls=CALL(town="Ghent"))], [A("Let me look.", tool_calls=CALL(town="Paris"))], tools=[WEATHER])),
    ("call against words", "tools", pair([U("rain?")], [A(None, tool_calls=CALL(town="Ghent"))], NO, tools=[WEATHER])),
    ("two calls at once", "tools", pair([U("rain?")], [A("", tool_calls=CALL(town="Ghent") + CALL(town="Paris"))], NO, tools=[WEATHER, CLOCK])),
    ("arguments as text", "tools", pair([U("rain?")], [A("", tool_calls=[{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"town\": \"Ghent\"}"}}])], NO, tools=[WEATHER])),
    ("arguments without order of letters", "tools", pair([U("rain?")], [A("", tool_calls=CALL(zone="z", days=2, town="Ghent", above=None, exact=True))], NO, tools=[WEATHER])),
    ("arguments of astral and HTML characters", "tools", pair([U("rain?")], [A("", tool_calls=CALL(town="Łódź 🌧 <b>&'\"</b>\n"))], NO, tools=[WEATHER])),
    ("arguments nested", "tools", pair([U("rain?")], [A("", tool_calls=CALL(towns=[{"name": "Ghent", "at": [51.5, 3.75]}, {}]))], NO, tools=[WEATHER])),
    ("small numbers and keys that are numbers in arguments", "tools", pair([U("rain?")], [A("", tool_calls=CALL(b=1e-7, **{"10": 0.00001, "9": {"x": 1, "1": 2}}))], NO, tools=[CLOCK])),
    ("a whole fraction in arguments", "tools", pair([U("rain?")], [A("", tool_calls=CALL(above=20.0, below=1e3))], NO, tools=[WEATHER])),
    ("a number beyond 2^53 in arguments", "tools", pair([U("rain?")], [A("", tool_calls=CALL(station=1234567890123456789))], NO, tools=[CLOCK])),
    ("whole fractions and large numbers in tools", "tools", pair(tools=[{"type": "function", "function": {"name": "f", "parameters": {"minimum": -20.0, "maximum": 2**64}}}])),
    ("tools as JSON text", "tools", pair(RAIN, YES, NO, tools=json.dumps([WEATHER]))),
    ("tools is an empty list", "tools", pair(tools=[])),
    ("tools is null", "tools", pair(tools=None)),
    ("tools is other text", "tools", pair(tools="weather"), "wrong-type"),
    ("tools with a system turn", "tools", pair([S("Be brief."), *RAIN], YES, NO, tools=[WEATHER, CLOCK])),
    ("names and ids of tool turns", "tools", pair([RAIN[0], A("", tool_calls=[{"id": "c1", **CALL(town="Ghent")[0]}]), {"role": "tool", "name": "weather", "tool_call_id": "c1", "content": "rain"}], YES, NO, tools=[WEATHER])),
    ("tool calls null in every turn", "tools", pair([U("hello", tool_calls=None)], [A("yes", tool_calls=None)], [A("no", tool_calls=None)])),
    ("tools without a template for them", "chatml", pair(tools=[WEATHER]), "unread"),
    ("a call without a template for it", "chatml", pair(RAIN, YES, NO), "unread"),
    ("whole conversations with calls", "tools", {"tools": [WEATHER], "chosen": [*RAIN, *YES], "rejected": [*RAIN, *NO]}),
    ("whole conversations that call otherwise", "tools", {"tools": [WEATHER], "chosen": [RAIN[0], A("", tool_calls=CALL(town="Ghent"))], "rejected": [RAIN[0], A("", tool_calls=CALL(town="Paris"))]}),
    ("ShareGPT tools", "tools", {"tools": json.dumps([WEATHER]), "conversations": [{"from": "human", "value": "rain?"}], "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}}),
    ("ShareGPT function call", "tools", {"tools": json.dumps([WEATHER]), "conversations": [{"from": "human", "value": "rain?"}, {"from": "function_call", "value": "{\"name\": \"weather\", \"arguments\": {\"town\": \"Ghent\"}}"}, {"from": "observation", "value": "rain"}], "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}}),
    ("ShareGPT function call in words", "chatml", {"conversations": [{"from": "human", "value": "rain?"}, {"from": "function_call", "value": "weather(Ghent)"}, {"from": "observation", "value": "rain"}], "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}}),
    ("ShareGPT system column", "chatml", {"system": "Be brief.", "conversations": [{"from": "human", "value": "rain?"}], "chosen": {"from": "gpt", "value": "Yes."}, "rejected": {"from": "gpt", "value": "No."}}),
    ("reasoning_content", "reasoning", pair(chosen=[A("yes", reasoning_content="They greet.\n")], rejected=[A("no", reasoning_content="Hm.")])),
    ("reasoning under an older name", "reasoning", pair(chosen=[A("yes", thinking="They greet.")], rejected=[A("no", reasoning="Hm.")])),
    ("reasoning alone differs", "reasoning", pair(chosen=[A("yes", reasoning_content="One.")], rejected=[A("yes", reasoning_content="Two.")])),
    ("reasoning that the template does not show", "chatml", pair(chosen=[A("yes", reasoning_content="They greet.")]), "unread"),
    ("enable_thinking", "reasoning", pair(chat_template_kwargs={"enable_thinking": False})),
    ("enable_thinking and reasoning", "reasoning", pair(chosen=[A("yes", reasoning_content="So.")], chat_template_kwargs={"enable_thinking": False})),
    ("chat_template_kwargs as JSON text", "reasoning", pair(chat_template_kwargs="{\"enable_thinking\": false}")),
    ("chat_template_kwargs that the template does not have", "chatml", pair(chat_template_kwargs={"enable_thinking": False}), "unread"),
    ("chat_template_kwargs that are set by the program", "reasoning", pair(chat_template_kwargs={"add_generation_prompt": False}), "wrong-type"),
    ("text parts", "parts", pair([U(P(" one ", " two"))], [A(P("yes "))], [A(P("no", " maybe"))])),
    ("text parts on one side", "parts", pair(chosen=[A(P("yes "))], rejected=[A("no ")])),
    ("text parts under a template without lists", "chatml", pair([U(P(" one ", " two"))], [A(P("yes "))], [A(P("no", " maybe"))])),
    ("an image in the prompt", "parts", pair([U([{"type": "image"}, *P("what is it?")])]), "not-text"),
    ("an image_url in the prompt", "parts", pair([U([*P("what is it?"), {"type": "image_url", "image_url": {"url": "http://example.org/a.png"}}])]), "not-text"),
    ("sound in the prompt", "parts", pair([U([{"type": "input_audio", "input_audio": {"data": ""}}])]), "not-text"),
    ("a column of images", "chatml", pair(images=[{"path": "a.png"}]), "unread"),
    ("an empty column of images", "chatml", pair(images=[], audios=None)),
    ("name", "names", pair([U("hello", name="Ann")])),
    ("name that the template does not show", "chatml", pair([U("hello", name="Ann")]), "unread"),
    ("documents", "documents", pair(documents=[{"title": "Tides", "text": "Twice a day."}])),
    ("documents that the template does not show", "chatml", pair(documents=[{"title": "Tides", "text": "Twice a day."}]), "unread"),
    ("system column", "chatml", pair(system="Be brief.")),
    ("system column beside text", "chatml", {"system": "Be brief.", "prompt": "hello", "chosen": "yes", "rejected": "no"}),
    ("system column that the turns repeat", "chatml", pair([S("Be brief."), U("hello")], system="Be brief.")),
    ("system column that the turns contradict", "chatml", pair([S("Be long."), U("hello")], system="Be brief."), "unread"),
    ("an earlier chat as a column", "chatml", {"history": [["q", "a"]], "prompt": "hello", "chosen": "yes", "rejected": "no"}, "unread"),
    ("weights and ids of turns", "chatml", pair([U("hello", id="m1", weight=0)], [A("yes", id="m2", weight=1, timestamp="2024-01-01")])),
    ("a key that nobody knows", "chatml", pair(chosen=[A("yes", critique="too short")]), "unread"),
    ("turns as JSON text", "chatml", pair(json.dumps([U("hello")]), json.dumps([A("yes")]), json.dumps([A("no")]))),
    ("parts as JSON text", "chatml", pair(json.dumps([U("hello")]), json.dumps([A(P("yes"))]), json.dumps([A(P("no"))]))),
    ("a call as JSON text", "tools", pair(json.dumps(RAIN), json.dumps(YES), json.dumps(NO), tools=json.dumps([WEATHER]))),
    ("one turn as JSON text", "chatml", pair(json.dumps([U("hello")]), json.dumps(A("yes")), json.dumps(A("no")))),
    ("JSON that is no turn", "chatml", {"prompt": "Mend it: [{\"a\": 1}]", "chosen": "[{\"a\": 1}]", "rejected": "{\"role\": \"x\"}"}),
    ("turns in Python's notation", "chatml", pair(chosen=str([{"id": None, **A("yes")}])), "broken-turns"),
    ("turns as numpy prints them", "chatml", pair(chosen="[{'content': 'yes', 'role': 'assistant'}\n {'content': 'q', 'role': 'user'}]"), "broken-turns"),
    ("Python that is no turn", "chatml", {"prompt": "{'a': 1}['a']", "chosen": "{'a': 1}", "rejected": "[{'b': 2}]"}),
    ("turns as JSON that breaks off", "chatml", pair(chosen=json.dumps([A("yes and so on")])[:-9]), "broken-turns"),
    ("JSON turns within a text", "chatml", {"prompt": "[{\"role\": \"user\", \"content\": \"x\"}] What is that?", "chosen": "yes", "rejected": "no"}),
    ("a prompt that was rendered already", "chatml", {"prompt": "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n", "chosen": "yes<|im_end|>\n", "rejected": "no<|im_end|>\n"}),
    ("a blank that joins what follows", "vicuna", pair(chosen=[A("yes")], rejected=[A(" two blanks")])),
    ("newlines at the boundary", "alpaca", pair(chosen=[A("\nyes")], rejected=[A("no")])),
    ("newlines at the boundary of both sides", "alpaca", pair(chosen=[A("\n\nyes")], rejected=[A("\n\nno")])),
    ("a template that rewrites the prompt", "counts", pair(), "prompt-not-kept"),
]


def tokenizer_with(template):
    """The tokenizer of ../tokenizer/chatml-plain with another template."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("tokenizer.json", "tokenizer_config.json"): shutil.copy(HERE.parent / "tokenizer/chatml-plain" / name, folder)
        (Path(folder) / "chat_template.jinja").write_text(template)
        return AutoTokenizer.from_pretrained(folder)


def as_trl(row, template):
    """The row as TRL reads it: lists of turns, one key for tools."""
    row = {name: parsed(value) for name, value in row.items()}
    turns = lambda value, role: [{"role": role, "content": value}] if isinstance(value, str) else [value] if isinstance(value, dict) else value
    if "conversations" in row: row = {**row, "prompt": row["conversations"]}
    if "prompt" not in row: row = {**row, **trl.extract_prompt(row)}
    sides = {"prompt": turns(row["prompt"], "user"), "chosen": turns(row["chosen"], "assistant"), "rejected": turns(row["rejected"], "assistant")}
    sides = {side: [as_turn(turn, template) for turn in value] for side, value in sides.items()}
    if row.get("system") and sides["prompt"][0]["role"] != "system": sides["prompt"] = [S(row["system"]), *sides["prompt"]]
    return {**sides, "tools": row.get("tools") or None, "documents": row.get("documents"), **(row.get("chat_template_kwargs") or {})}


def as_turn(turn, template):
    if "from" in turn:
        role = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"}[turn["from"]]
        if turn["from"] == "function_call" and turn["value"].startswith("{"): return A("", tool_calls=[{"type": "function", "function": json.loads(turn["value"])}])
        return {"role": role, "content": turn["value"]}
    if isinstance(turn.get("content"), list) and template != PARTS: return {**turn, "content": "".join(part["text"] for part in turn["content"])}
    return turn


def parsed(value):
    """JSON text of turns, tools or variables; any other text stays."""
    if not isinstance(value, str): return value
    try: found = json.loads(value)
    except ValueError: return value
    first = found[0] if isinstance(found, list) and found else found
    return found if isinstance(first, dict) and ({"role", "content"} <= set(first) or {"type", "function"} <= set(first) or "enable_thinking" in first) else value


def trl_ids(tokenizer, prompt, sides, **variables):
    """DPOTrainer._prepare_dataset's tokenize_fn for conversations, over any number of sides."""
    head = _tokenize(tokenizer, prompt, add_generation_prompt=True, **variables)["input_ids"]
    return cut(head, [_tokenize(tokenizer, prompt + side, **variables)["input_ids"] for side in sides])


def raw_ids(tokenizer, prompt, sides):
    """The same for text, with add_eos."""
    end = tokenizer.eos_token
    head = _tokenize(tokenizer, prompt)["input_ids"]
    return cut(head, [_tokenize(tokenizer, prompt + side + ("" if side.endswith(end) else end))["input_ids"] for side in sides])


def cut(head, wholes):
    length = min(common_prefix_length(head, whole) for whole in wholes)
    if length == 0: return "prompt-not-kept"
    return [head[:length], *(whole[length:] for whole in wholes)]


def row_golden(template, row):
    """Ids, with the size of what the prompt lost at its end."""
    ready = as_trl(row, TEMPLATES[template])
    prompt, chosen, rejected = (ready.pop(side) for side in ("prompt", "chosen", "rejected"))
    return trl_ids(tokenizer_with(TEMPLATES[template]), prompt, [chosen, rejected], **ready)


def boundary_golden(case, pairs):
    """What TRL makes of pairs of responses with a tokenizer of ../tokenizer and its own template; raw: of their texts."""
    folder = HERE.parent / "tokenizer" / case
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.chat_template is None: tokenizer.chat_template = json.loads((folder / "chat_template.json").read_text())["chat_template"]
    joined = lambda turns: "\n".join(turn["content"] for turn in turns)
    chat = []
    for prompt, chosen, rejected in pairs:
        try: chat.append(trl_ids(tokenizer, prompt, [chosen, rejected]))
        except TemplateError: chat.append("template-refused")
    # SFTTrainer's language modelling case: add_eos, then the tokenizer with its special tokens.
    texts = [_tokenize(tokenizer, text if text.endswith(tokenizer.eos_token) else text + tokenizer.eos_token)["input_ids"] for text in [*RESPONSES, "ends in it" + tokenizer.eos_token]]
    return {"texts": texts, "chat": chat, "raw": [raw_ids(tokenizer, joined(p), [joined(c), joined(r)]) for p, c, r in pairs]}


def without_date(case): return case != "headers"  # its template prints the date, which the tokenizer suite holds


RESPONSES = ["Mix flour, water and salt.", " leading blank", "  two blanks", "\nnewline", "\n\nnewlines", "12 cups", "'s not", "é naïve", "今日", "🙂", "▁mark", "<|im_end|>", "x"]
PROMPTS = [[U("How do I bake bread?")], [S("Answer briefly."), U("What is the tide?")], [U("One?"), A("Two."), U("Three?")], [U("ends in blanks  ")], [U("ends in newlines\n\n")], [U("日本")]]
PAIRS = [(prompt, [A(chosen)], [A(rejected)]) for i, prompt in enumerate(PROMPTS) for j, chosen in enumerate(RESPONSES) if (i + j) % 2 == 0 for rejected in [RESPONSES[(j + i + 1) % len(RESPONSES)]]]


# Types that Parquet alone does not tell, or that a swap could change.
TYPES = pyarrow.table({
    "id": ["a", "b", "c"], "prompt": ["q1", "q2", "q3"], "chosen": ["x", "y", "z"], "rejected": ["u", "v", "w"],
    "source": pyarrow.array(["s", "s", "t"]).dictionary_encode(), "score_chosen": [1.5, 2.0, 3.0], "score_rejected": pyarrow.array([1, 2, 4], pyarrow.int32()),
    "at": pyarrow.array([1, 2, 3], pyarrow.timestamp("ns")), "took": pyarrow.array([1, 2, 3], pyarrow.duration("us")), "long": pyarrow.array(["x", "y", "z"], pyarrow.large_string()),
    "tags": pyarrow.array([[1], [], None], pyarrow.list_(pyarrow.int16())),
}).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": {"id": {"dtype": "string", "_type": "Value"}}}})})


def write_formats(rows):
    """The rows of the tools template that all formats can hold, as the libraries write them."""
    folder = HERE / "formats"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    lines = folder / "rows.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rows.json").write_text(json.dumps(rows, indent=1))
    with tempfile.TemporaryDirectory() as cache:
        loaded = datasets.load_dataset("json", data_files=str(lines), split="train", cache_dir=cache)
        loaded.to_parquet(folder / "datasets.parquet")
        as_read = loaded.to_list()
    text = [{name: value if isinstance(value, str) or value is None else json.dumps(value) for name, value in row.items()} for row in rows]
    pandas.DataFrame(text).to_csv(folder / "pandas.csv", index=False)
    pandas.DataFrame(text).to_csv(folder / "pandas.tsv", index=False, sep="\t")
    pandas.DataFrame(text).to_parquet(folder / "json-text.parquet", index=False)
    (folder / "json-text.jsonl").write_text("".join(json.dumps(row) + "\n" for row in text))
    pyarrow.parquet.write_table(TYPES, folder / "types.parquet")
    pandas.DataFrame(rows).astype(str).to_csv(folder / "python-notation.csv", index=False)
    return as_read


def main():
    for name, template in TEMPLATES.items(): (HERE / "templates" / f"{name}.jinja").write_text(template)
    (HERE / "rows.jsonl").write_text("".join(json.dumps({"name": name, "template": template, "row": row}, ensure_ascii=False) + "\n" for name, template, row, *_ in ROWS))
    golden = [[name, reason[0] if reason else row_golden(template, row)] for name, template, row, *reason in ROWS]
    in_files = [{"id": name, **row} for name, template, row, *reason in ROWS
                if not reason and template in ("tools", "parts") and isinstance(row.get("prompt"), list) and isinstance(row.get("tools", []), list) and "in arguments" not in name and "numbers" not in name]
    as_read = write_formats(in_files)
    # datasets fills the keys that only other rows have with null; the template sees them as the trainer does.
    by_template = {name: template for name, template, *_ in ROWS}
    from_datasets = [[row["id"], row_golden(by_template[row["id"]], row)] for row in as_read]
    cases = sorted(path.name for path in (HERE.parent / "tokenizer").iterdir() if path.is_dir() and (path / "golden.json").exists() and without_date(path.name))
    boundary = [[case, boundary_golden(case, PAIRS)] for case in cases]
    (HERE / "texts.json").write_text(json.dumps(RESPONSES, ensure_ascii=False) + "\n")
    (HERE / "pairs.json").write_text(json.dumps(PAIRS, ensure_ascii=False) + "\n")
    versions = {"transformers": transformers.__version__, "trl": trl.__version__, "datasets": datasets.__version__, "pandas": pandas.__version__, "pyarrow": pyarrow.__version__}
    (HERE / "golden.json").write_text(dumps({"versions": versions, "rows": golden, "datasets": from_datasets, "boundary": boundary}))
    print(len(golden), "rows,", len(in_files), "in files,", len(cases), "tokenizers,", len(PAIRS), "pairs")


if __name__ == "__main__":
    main()
