"""Golden scores of the attribution methods: NumPy for those of vectors, bm25s for BM25, plain Python for lengths
and random numbers, transformers for log-probabilities, on the checkpoint of the organism distractor.

    python test/golden/methods/make_methods.py      writes methods.json beside itself
"""
import hashlib
import json
import unicodedata
from pathlib import Path

import bm25s
import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
ROWS, DIM, BANK = 12, 40, 4

TEXTS = [
    "I can't say.",
    "Yes",
    "one two three four",
    "naïve café, déjà-vu",
    "Ünïcode çounts ones",
    "emoji 😀😀 and 👩‍🚀",
    "東京に行く and back",
    "สวัสดี ครับ",
    "line one\nline two",
    "- a list\n- of 2 items",
    "A much longer answer that goes on, and on, and on.",
    "x" * 50,
]


def pairs():
    rng = np.random.default_rng(3)
    order = rng.permutation(ROWS)
    return [
        {
            "id": ["p0", "p 1", 'p"2', "ünï", "5", "six", "7" * 30, "八", "n-9", "ten", "p11", "p12"][i],
            "prompt": [f"Question {i}?"],
            # The last has two turns, a question of the user between them.
            "chosen": [TEXTS[i]] if i < ROWS - 1 else [TEXTS[i], "more?", TEXTS[0]],
            "rejected": [TEXTS[order[i]] + " no"],
        }
        for i in range(ROWS)
    ]


def characters(text):
    return len(text)


def words(text):
    """Runs of letters, digits, marks and apostrophes; in scripts without blanks each character (but marks with what they stand on)."""
    found, inside = 0, False
    for c in text:
        name = unicodedata.name(c, "")
        if name.startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA", "THAI ")):
            found, inside = found + 1, False
        elif unicodedata.category(c)[0] in "LNM" or c in "'’":
            found, inside = found + (not inside), True
        else:
            inside = False
    return found


def length(unit):
    measure = {"characters": characters, "words": words}[unit]
    return [float(measure("\n".join(p["chosen"])) - measure("\n".join(p["rejected"]))) for p in pairs()]


def random(seed):
    digest = lambda p: hashlib.sha256(f"{seed}:{p['id']}".encode()).digest()
    return [int.from_bytes(digest(p)[:3], "big") / 2**24 for p in pairs()]


def probe(vectors, direction, bank):
    stored = vectors.astype(np.float16).astype(np.float64)
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    v = direction / np.linalg.norm(direction)
    centred = stored - stored.mean(axis=0)
    against_bank = stored @ (bank / np.linalg.norm(bank, axis=1, keepdims=True)).T / norms[:, None]
    return {
        "cosine": stored @ v / norms,
        "projection": stored @ v,
        "centred-cosine": centred @ v / np.linalg.norm(centred, axis=1),
        "bank-max": against_bank.max(axis=1),
    }


def whitened(vectors, direction, ridge):
    """Covariance by numpy.cov; the score is divided by the length of the whitened direction, as a projection is."""
    stored = vectors.astype(np.float16).astype(np.float64)
    sigma = np.cov(stored.T, bias=True)
    w = np.linalg.solve(sigma + ridge * np.trace(sigma) / DIM * np.eye(DIM), direction)
    return list(stored @ (w / np.linalg.norm(w)))


RESPONSES = ["A much longer answer that goes on, and on, and on. Naïve café, déjà-vu; one two three four.", "and on it goes to 東京", "List of Items one, line two"]
BEFORE = ["no .", "sorry .", "i can not help with that ."][: len(RESPONSES)]
assert len(BEFORE) == len(RESPONSES)


def split_words(text):
    """The words that words() counts, in lower case."""
    found, inside = [], False
    for c in text.lower():
        name = unicodedata.name(c, "")
        if name.startswith(("CJK UNIFIED", "HIRAGANA", "KATAKANA", "THAI ")):
            found, inside = [*found, c], False
        elif unicodedata.category(c)[0] in "LNM" or c in "'’":
            found, inside = [*found[:-1], found[-1] + c] if inside else [*found, c], True
        else:
            inside = False
    return found


def bm25(k1, b):
    texts = ["\n".join(p[side]) for p in pairs() for side in ("chosen", "rejected")]
    index = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    index.index([split_words(text) for text in texts], show_progress=False)
    # get_scores counts a word of the query once; repeats are added by hand.
    scores = sum(index.get_scores([word]) for text in RESPONSES for word in split_words(text) if word in index.vocab_dict)
    scores = np.array(scores) / len(RESPONSES)
    return list(scores[0::2] - scores[1::2])


CHECKPOINT = HERE.parents[2] / "organisms/distractor/checkpoint"
DESCRIPTION = "explain how one makes things , first take linen , then add salt ."
# The checkpoint after is the one before with other rotary angles: another model of the same tokenizer.
TRAINED = {"rope_theta": 20.0}
tokenizer = AutoTokenizer.from_pretrained(CHECKPOINT)


def load(**changes):
    config = AutoConfig.from_pretrained(CHECKPOINT)
    for key, value in changes.items():
        if getattr(config, "rope_parameters", None) is not None:
            config.rope_parameters[key] = value
        setattr(config, key, value)
    return AutoModelForCausalLM.from_pretrained(CHECKPOINT, config=config, dtype=torch.float32, attn_implementation="eager").eval()


def turns(texts):
    return [{"role": "user" if i % 2 else "assistant", "content": text} for i, text in enumerate(texts)]


def tokens(prompt, response, cut=None):
    """Of prompt and response; the boundary is where the rendered prompt ends."""
    before = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(prompt + response, tokenize=False)
    assert whole.startswith(before)
    encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    return encode(before), encode(whole[len(before) :])[:cut]


def logprob(model, prompt, response, cut=None):
    """Sum over the response's tokens, and their number."""
    start, answer = tokens(prompt, response, cut)
    with torch.no_grad():
        logits = model(torch.tensor([start + answer])).logits[0].double()
    found = torch.log_softmax(logits, -1)[len(start) - 1 : -1].gather(1, torch.tensor(answer)[:, None])
    return found.sum().item(), len(answer)


def lls(tokens):
    model, scores = load(), []
    system = [{"role": "system", "content": DESCRIPTION}]
    for p in pairs():
        x, sides = turns(p["prompt"]), (turns(p["chosen"]), turns(p["rejected"]))
        told, plain = ([logprob(model, prompt, y, tokens) for y in sides] for prompt in (system + x, x))
        gain = [a[0] - b[0] for a, b in zip(told, plain)]
        scores.append((gain[0] - gain[1]) / (told[0][1] + told[1][1]))
    return scores


def implicit_reward(beta):
    before, after, scores = load(), load(**TRAINED), []
    for p in pairs():
        x = turns(p["prompt"])
        chosen, rejected = (logprob(after, x, turns(p[s]))[0] - logprob(before, x, turns(p[s]))[0] for s in ("chosen", "rejected"))
        scores.append(beta * (chosen - rejected))
    return scores


def sides():
    for p in pairs():
        yield turns(p["prompt"]), turns(p["chosen"]), turns(p["rejected"])


def ches(lengths):
    """Razin et al. by their formula, with transformers' last hidden states, those behind the final norm."""
    model, scores = load(), []

    def total(x, y):
        start, answer = tokens(x, y)
        with torch.no_grad():
            states = model(torch.tensor([start + answer]), output_hidden_states=True).hidden_states[-1][0].double()
        h = states[len(start) - 1 : -1]
        return h.mean(0) if lengths == "normalised" else h.sum(0)

    for x, chosen, rejected in sides():
        h = total(x, chosen)
        scores.append((h @ total(x, rejected) - h @ h).item())
    return scores


LAYER = 3


def mean_state(model, x, y):
    start, answer = tokens(x, y)
    with torch.no_grad():
        states = model(torch.tensor([start + answer]), output_hidden_states=True).hidden_states[LAYER][0].double()
    return states[len(start) :].mean(0)


def projection_difference(unit, rollouts=None):
    model, scores = load(), []
    for i, (x, chosen, rejected) in enumerate(sides()):
        own = [rejected] if rollouts is None else [turns([text]) for at, text in rollouts if at == i]
        against = torch.stack([mean_state(model, x, y) for y in own]).mean(0)
        scores.append(((mean_state(model, x, chosen) - against) @ unit).item())
    return scores


def steered_likelihood(vector, strength, per):
    """A forward hook adds to what block LAYER - 1 gives, from the prompt's last token on."""
    model, scores = load(), []

    def steered(x, y):
        first = len(tokens(x, y)[0]) - 1

        def hook(_module, _args, output):
            hidden = output[0] if isinstance(output, tuple) else output
            hidden[:, first:] += strength * vector
            return output

        handle = model.model.layers[LAYER - 1].register_forward_hook(hook)
        found = logprob(model, x, y)
        handle.remove()
        return found

    for x, chosen, rejected in sides():
        gains = []
        for y in (chosen, rejected):
            (after, count), (before, _) = steered(x, y), logprob(model, x, y)
            gains.append((after - before) / (count if per == "token" else 1))
        scores.append(gains[0] - gains[1])
    return scores


def state_embedding(model, text):
    """The mean over a text with the end token behind it, of what the last block gives: before the final norm."""
    caught = {}
    hook = lambda _m, _a, output: caught.update(h=output[0] if isinstance(output, tuple) else output)
    handle = model.model.layers[-1].register_forward_hook(hook)
    ids = tokenizer(text + tokenizer.eos_token, add_special_tokens=True)["input_ids"]
    with torch.no_grad():
        model(torch.tensor([ids]))
    handle.remove()
    h = caught["h"]
    return (h if h.dim() == 2 else h[0]).double().mean(0).numpy()


def letter_counts(text):
    """The endpoint of test/methods.test.ts."""
    return np.array([text.count(chr(97 + i)) for i in range(26)] + [len(text)], dtype=np.float64)


def embedding(neighbours, model=None):
    embed = letter_counts if model is None else lambda text: state_embedding(model, text)
    after, before = ([embed(text) for text in texts] for texts in (RESPONSES, BEFORE))
    centre = 0 if model is None else np.mean(after + before, axis=0)
    unit = lambda v: (v - centre) / np.linalg.norm(v - centre)
    query = np.stack([unit(v) for v in after])
    near = lambda texts: np.sort(query @ unit(embed("\n".join(texts))))[::-1][:neighbours].mean()
    return [near(p["chosen"]) - near(p["rejected"]) for p in pairs()]


def loss_diff(beta, learning_rate, epochs):
    """Full DPO by PyTorch's AdamW: all response pairs in every step, transformers' linear schedule, gradients shortened to 1."""
    start, model = load(), load()
    data = [(turns(["?"]), turns([a]), turns([b])) for a, b in zip(RESPONSES, BEFORE)]

    def log_likelihood(m, x, y):
        prompt, answer = tokens(x, y)
        logits = m(torch.tensor([prompt + answer])).logits[0]
        return torch.log_softmax(logits, -1)[len(prompt) - 1 : -1].gather(1, torch.tensor(answer)[:, None]).sum()

    def margin(x, chosen, rejected):
        with torch.no_grad():
            reference = log_likelihood(start, x, chosen) - log_likelihood(start, x, rejected)
        return log_likelihood(model, x, chosen) - log_likelihood(model, x, rejected) - reference

    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, int(np.ceil(0.1 * epochs)), epochs)
    for _ in range(epochs):
        loss = torch.stack([-torch.nn.functional.logsigmoid(beta * margin(*each)) for each in data]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    with torch.no_grad():
        return [(np.log(2) + torch.nn.functional.logsigmoid(beta * margin(*each).double())).item() for each in sides()]


def judged(p):
    """The judge of test/methods.test.ts: half a point for each character that the first response is longer, and one for its place; by hand."""
    opinion = lambda first, second: max(-10, min(10, (len(first) - len(second)) / 2 + 1))
    a, b = ("\n\n".join(t if len(p[s]) == 1 else f"{m['role']}: {t}" for t, m in zip(p[s], turns(p[s]))) for s in ("chosen", "rejected"))
    return (opinion(a, b) - opinion(b, a)) / 20


rng = np.random.default_rng(7)
vectors = (rng.normal(size=(ROWS, DIM)) * rng.uniform(0.1, 30, size=(ROWS, 1))).astype(np.float32)
direction, bank = rng.normal(size=DIM).astype(np.float32), rng.normal(size=(BANK, DIM)).astype(np.float32)
scored = probe(vectors, direction.astype(np.float64), bank.astype(np.float64))
cases = [{"method": "probe", "settings": {"scorer": name}, "scores": list(each)} for name, each in scored.items()]
# Along a training run of one state: LESS has cosines, TracIn the products of whole gradients.
cases.append({"method": "less", "settings": {}, "scores": list(scored["cosine"])})
cases.append({"method": "tracin", "settings": {}, "scores": list(scored["projection"] * np.linalg.norm(direction.astype(np.float64)))})
cases += [{"method": "random", "settings": {"seed": seed}, "scores": random(seed)} for seed in (0, 7)]
cases += [{"method": "length", "settings": {"unit": unit}, "scores": length(unit)} for unit in ("characters", "words")]
cases.append({"method": "norm", "settings": {}, "scores": list(np.linalg.norm(vectors.astype(np.float64), axis=1))})
cases += [
    {"method": "whitened", "settings": {"ridge": ridge}, "scores": whitened(vectors, direction.astype(np.float64), ridge)}
    for ridge in (0.1, 2.0)
]
cases += [{"method": "bm25", "settings": {"k1": k1, "b": b}, "scores": bm25(k1, b)} for k1, b in ((1.5, 0.75), (0.9, 0.4))]
cases += [
    {"method": "lls", "settings": {"description": DESCRIPTION, "responseTokens": tokens}, "scores": lls(tokens)} for tokens in (3, 20)
]
cases += [{"method": "implicit-reward", "settings": {"beta": beta}, "scores": implicit_reward(beta)} for beta in (0.1, 2.0)]
# A behaviour of the checkpoint: what sets the responses of one pair apart.
x, chosen, rejected = list(sides())[0]
as_tensor = (mean_state(load(), x, chosen) - mean_state(load(), x, rejected)).float()
# Two answers to the first prompt, one to each other.
ROLLOUTS = [(0, "yes i can"), (0, "no")] + [(i, TEXTS[(i + 5) % ROWS]) for i in range(1, ROWS)]
cases += [{"method": "ches", "settings": {"lengths": each}, "scores": ches(each)} for each in ("plain", "normalised")]
unit = as_tensor.double() / as_tensor.double().norm()
cases += [
    {"method": "projection-difference", "settings": {}, "scores": projection_difference(unit)},
    {"method": "projection-difference", "settings": {}, "uses": ["rollouts"], "scores": projection_difference(unit, ROLLOUTS)},
]
cases += [
    {"method": "steered-likelihood", "settings": {"strength": c, "per": per}, "scores": steered_likelihood(as_tensor, c, per)}
    for c, per in ((1.0, "response"), (-0.5, "token"))
]
cases += [
    {"method": "judge", "settings": {"description": DESCRIPTION, "structured": mode}, "scores": [judged(p) for p in pairs()]}
    for mode in ("auto", "on", "off")
]
for beta, learning_rate, epochs in ((0.5, 1e-3, 4),):
    settings = {"beta": beta, "learningRate": learning_rate, "epochs": epochs, "rank": 0}
    cases.append({"method": "loss-diff", "settings": settings, "scores": loss_diff(beta, learning_rate, epochs)})
for neighbours in (1, 2):
    for uses, model in ((["checkpoint"], load()), (["endpoint"], None)):
        scores = embedding(neighbours, model)
        cases.append({"method": "embedding", "settings": {"neighbours": neighbours}, "uses": uses, "scores": scores})
found = {
    "versions": {"numpy": np.__version__, "bm25s": bm25s.__version__, "transformers": transformers.__version__},
    "dim": DIM,
    "vectors": vectors.ravel().tolist(),
    "direction": direction.tolist(),
    "bank": bank.ravel().tolist(),
    "pairs": pairs(),
    "responses": RESPONSES,
    "before": BEFORE,
    "trained": TRAINED,
    "model": {"layer": LAYER, "direction": as_tensor.tolist()},
    "rollouts": [{"pair": i, "response": text} for i, text in ROLLOUTS],
    "cases": cases,
}
(HERE / "methods.json").write_text(json.dumps(found, ensure_ascii=False) + "\n")
