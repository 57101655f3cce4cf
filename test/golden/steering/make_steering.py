"""Greedy continuations of steered and of amplified models by transformers, on the checkpoints of ../checkpoints.

    python make_steering.py     writes steering.json beside itself

Steering: a forward hook on the embedding (layer 0) or on block l - 1 (layer l) changes its output, `add` x + strength * direction or
`project-out` x - (x . v)v with v of length 1, from the prompt's last token on; `together` has hooks at several layers at once, with
the same v or each with its own. Amplification: the token of
after + alpha * (after - before). No key-value cache: every token comes from one pass over the whole sequence, so that nothing here
resembles what is tested. fp32, eager attention.

The script refuses a step that is nearly a tie, and a layer whose logits the layers beside it would give as well: a hook one layer off
must show, and a hook left out. Needs torch, transformers, safetensors.
"""
import json, sys
from contextlib import contextmanager
from pathlib import Path

import torch, transformers
from safetensors import safe_open

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "checkpoints")]
from golden_json import dumps  # noqa: E402
from make_checkpoints import load  # noqa: E402  (also sets one thread)

CHECKPOINTS = HERE.parent / "checkpoints"
STEERED = ["llama", "olmo2", "olmo3", "qwen2-sliding", "qwen3"]
AMPLIFIED = [("llama", "llama-bias"), ("qwen3", "olmo3")]
SETTINGS = [{"kind": "add", "strength": 1.5}, {"kind": "project-out"}]
ALPHAS = [-1.0, -0.4, 0.8, 2.5]
NEW_TOKENS = 10
MIN_GAP = 1e-4
MIN_DIFFERENCE = 1e-2


def decimals(values):
    return [round(float(x), 4) for x in values]


def hook_of(kind, direction, strength, first):
    direction = torch.tensor(direction, dtype=torch.float32)

    def change(x):
        if kind == "add":
            return x + strength * direction
        unit = direction / direction.norm()
        return x - (x @ unit).unsqueeze(-1) * unit

    def hook(_module, _inputs, output):
        x = output[0] if isinstance(output, tuple) else output
        x = torch.cat([x[:, :first], change(x[:, first:])], dim=1)
        return (x, *output[1:]) if isinstance(output, tuple) else x

    return hook


@contextmanager
def steered(model, steering, first):
    """Changes the residual stream from position `first` on, at one layer or at several."""
    handles = []
    if steering is not None:
        directions = steering["directions"] if "directions" in steering else {steering["layer"]: steering["direction"]}
        for layer, direction in directions.items():
            module = model.model.embed_tokens if layer == 0 else model.model.layers[layer - 1]
            hook = hook_of(steering["kind"], direction, steering.get("strength"), first)
            handles.append(module.register_forward_hook(hook))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def last_logits(model, ids, steering, prompt_length):
    with steered(model, steering, prompt_length - 1):
        return model(torch.tensor([ids]), use_cache=False).logits[0, -1].float()


def continuation(after, prompt, steering=None, before=None, alpha=0.0):
    ids, steps = list(prompt), []
    for _ in range(NEW_TOKENS):
        logits = last_logits(after, ids, steering, len(prompt))
        if before is not None:
            logits = logits + alpha * (logits - last_logits(before, ids, None, len(prompt)))
        top = logits.topk(2).values
        assert top[0] - top[1] > MIN_GAP, f"nearly a tie: {top}"
        steps.append(logits)
        ids.append(int(logits.argmax()))
    return ids[len(prompt):], steps


def prompts_of(name):
    case = next(c for c in json.loads((CHECKPOINTS / "cases.json").read_text())["cases"] if c["name"] == name)
    with safe_open(CHECKPOINTS / name / "golden.safetensors", "pt") as file:
        return [file.get_tensor(f"ids.{i}").tolist() for i in range(len(case["lengths"]))]


def sequence(tokens, steps):
    return {"tokens": tokens, "logits": decimals(steps[-1])}


def steering_cases(name, random):
    """Every setting at every layer, over all prompts of a checkpoint."""
    model, prompts, changed, layers = load(CHECKPOINTS / name), prompts_of(name), 0, []
    direction = decimals(torch.randn(model.config.hidden_size, generator=random))
    plain = [continuation(model, prompt)[0] for prompt in prompts]
    for setting in SETTINGS:
        below = None
        for layer in range(len(model.model.layers) + 1):
            steering = {**setting, "layer": layer, "direction": direction}
            done = [continuation(model, prompt, steering) for prompt in prompts]
            changed += sum(tokens != other for (tokens, _), other in zip(done, plain))
            firsts = torch.stack([steps[0] for _, steps in done])
            assert below is None or (firsts - below).abs().amax(1).min() > MIN_DIFFERENCE, f"{name}: a layer off makes no difference"
            below = firsts
            layers.append({**setting, "layer": layer, "sequences": [sequence(*each) for each in done]})
    print(name, f"{changed} of {len(layers) * len(prompts)} continuations changed")
    return {"checkpoint": name, "direction": direction, "prompts": prompts, "layers": layers,
            "together": together_cases(model, prompts, direction)}


def together_cases(model, prompts, direction):
    """One direction projected out at every layer, and a direction of its own at every layer above 0."""
    random = torch.Generator().manual_seed(6)
    count = len(model.model.layers)
    own = {layer: decimals(torch.randn(len(direction), generator=random)) for layer in range(1, count + 1)}
    cases = []
    for directions in [{layer: direction for layer in range(count + 1)}, own]:
        done = [continuation(model, prompt, {"kind": "project-out", "directions": directions}) for prompt in prompts]
        for layer in directions:
            fewer = {"kind": "project-out", "directions": {k: v for k, v in directions.items() if k != layer}}
            for prompt, (tokens, steps) in zip(prompts, done):
                gap = (last_logits(model, prompt + tokens[:-1], fewer, len(prompt)) - steps[-1]).abs().max()
                assert gap > MIN_DIFFERENCE, f"without layer {layer} nothing changes: {gap}"
        listed = [{"layer": layer, "direction": v} for layer, v in directions.items()]
        cases.append({"directions": listed, "sequences": [sequence(*each) for each in done]})
    return cases


def amplified_cases(names, random):
    after, before = (load(CHECKPOINTS / name) for name in names)
    prompts, direction = prompts_of(names[0]), decimals(torch.randn(after.config.hidden_size, generator=random))
    steering = {"kind": "add", "layer": 1, "strength": 1.5, "direction": direction}
    settings = [{"alpha": alpha} for alpha in ALPHAS] + [{"alpha": ALPHAS[-2], "steering": steering}]
    done = [{**each, "sequences": [sequence(*continuation(after, p, each.get("steering"), before, each["alpha"])) for p in prompts]} for each in settings]
    return {"after": names[0], "before": names[1], "prompts": prompts, "settings": done}


def main():
    random = torch.Generator().manual_seed(5)
    steering = [steering_cases(name, random) for name in STEERED]
    amplified = [amplified_cases(names, random) for names in AMPLIFIED]
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    (HERE / "steering.json").write_text(dumps({"versions": versions, "steering": steering, "amplified": amplified}))


if __name__ == "__main__":
    main()
