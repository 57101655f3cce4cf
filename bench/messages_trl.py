"""Random rows of preference data, and the token ids that TRL makes of them; bench/messages-against-trl.ts reads both.

    python bench/messages_trl.py SEED ROWS OUT_DIR      (needs what test/golden/messages/make_messages.py needs)

OUT_DIR/TEMPLATE.jsonl holds the rows, OUT_DIR/expected.json by id [prompt ids, chosen ids, rejected ids].
"""
import json, random, sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "test/golden/messages"))
import make_messages as mm  # noqa: E402

seed, count, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
rng = random.Random(seed)
TEMPLATES = ["tools", "tools", "reasoning", "parts", "names", "documents", "chatml", "vicuna", "alpaca"]
WORDS = ["yes", "no", " maybe", "\n", "\n\n", "  ", "é", "🙂", "<|im_end|>", "'s", "12", "Ghent", "▁", "{\"a\": 1}", "</think>", "<think>", "\t", "İ", "ſ", "\u2028", "a\r\nb", "null", "None", "[INST]"]


def text(): return "".join(rng.choice(WORDS) for _ in range(rng.randint(1, 5)))


def spoken():
    said = text()
    return said if said.strip() else spoken()


def value(depth=0):
    kind = rng.random()
    if kind < 0.3 or depth > 3: return text()
    if kind < 0.45: return rng.randint(-5, 100)
    if kind < 0.55: return rng.choice([0.5, -1.25, 3.14159, 1e-7, 123456.789, 20.0])
    if kind < 0.65: return rng.choice([True, False, None])
    if kind < 0.8: return [value(depth + 1) for _ in range(rng.randint(0, 3))]
    return {rng.choice(["town", "zone", "a b", "é", "1", "length", "constructor", "__proto__x"]): value(depth + 1) for _ in range(rng.randint(0, 3))}


def call():
    function = {"name": rng.choice(["weather", "clock"]), "arguments": {name: value(1) for name in rng.sample(["town", "days", "x", "ä"], rng.randint(0, 3))}}
    if rng.random() < 0.2: function["arguments"] = json.dumps(function["arguments"])
    return {**({"id": "c1"} if rng.random() < 0.2 else {}), "type": "function", "function": function}


def content(template):
    lists = template in ("parts", "chatml", "names") and rng.random() < 0.2
    return mm.P(*[spoken() for _ in range(rng.randint(1, 3))]) if lists else spoken()


def assistant(template):
    turn = {"role": "assistant", "content": content(template)}
    if template == "tools" and rng.random() < 0.5:
        turn["tool_calls"] = [call() for _ in range(rng.randint(1, 2))]
        kind = rng.random()
        if kind < 0.5: turn["content"] = None if kind < 0.3 else ""
        elif kind < 0.6: del turn["content"]
    if template == "reasoning" and rng.random() < 0.5: turn[rng.choice(["reasoning_content", "thinking", "reasoning"])] = spoken()
    if template == "names" and rng.random() < 0.3: turn["name"] = spoken()
    if rng.random() < 0.1: turn["weight"] = rng.choice([0, 1])
    if rng.random() < 0.1: turn["refusal"] = None
    return turn


def user(template):
    return {"role": "user", "content": content(template), **({"name": "Ann"} if template == "names" and rng.random() < 0.5 else {})}


def prompt_of(template):
    turns = [mm.S(spoken())] if rng.random() < 0.3 else []
    for _ in range(rng.randint(0, 2)):
        turns += [user(template), assistant(template)]
        if turns[-1].get("tool_calls"): turns += [{"role": "tool", "content": spoken()}, {"role": "assistant", "content": spoken()}]
    return [*turns, user(template)]


def side(template):
    return [assistant(template)] if rng.random() < 0.8 else [assistant(template), user(template), assistant(template)]


def row_of(template):
    row = mm.pair(prompt_of(template), side(template), side(template))
    if template == "tools" and rng.random() < 0.6:
        row["tools"] = [{"type": "function", "function": {"name": "weather", "description": text(), "parameters": value()}} for _ in range(rng.randint(1, 2))]
        if rng.random() < 0.3: row["tools"] = json.dumps(row["tools"])
    if template == "documents" and rng.random() < 0.7: row["documents"] = [{"title": text(), "text": text()}]
    if template == "reasoning" and rng.random() < 0.4: row["chat_template_kwargs"] = {"enable_thinking": rng.choice([True, False])}
    if rng.random() < 0.2 and row["prompt"][0]["role"] != "system": row["system"] = "Be brief."
    return row


out.mkdir(parents=True, exist_ok=True)
expected, lines = {}, {template: [] for template in TEMPLATES}
for number in range(count):
    template = rng.choice(TEMPLATES)
    row = {"id": f"r{number}", **row_of(template)}
    expected[row["id"]] = mm.row_golden(template, row)
    lines[template].append(json.dumps(row, ensure_ascii=rng.random() < 0.5) + "\n")
for template, rows in lines.items(): (out / f"{template}.jsonl").write_text("".join(rows))
(out / "expected.json").write_text(json.dumps(expected))
