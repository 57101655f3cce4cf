"""Golden values and gradients of every op of src/tensor/ops, from PyTorch: python make_ops.py writes ops.json beside itself.

Each case has the inputs, the attributes and the output; where the op has a gradient also a random cotangent (the gradient of the
output) and what torch's autograd makes of it for each input (null for an integer input and one whose values do not enter).
"""
import json, sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1]))
from golden_json import dumps  # noqa: E402

torch.manual_seed(7)
cotangents = torch.Generator().manual_seed(11)  # apart, so that a new case moves no old values
cases = []


def tensor(value):
    kind = {torch.float32: "float32", torch.int32: "int32", torch.int8: "int8", torch.uint8: "uint8", torch.bool: "bool"}[value.dtype]
    flat = value.flatten()
    # Nine digits tell any two float32 apart.
    numbers = [float(f"{x:.9g}") for x in flat.tolist()] if value.dtype == torch.float32 else flat.int().tolist()
    return {"dtype": kind, "shape": list(value.shape), "values": numbers}


def case(op, inputs, fn, **attributes):
    inputs = [x.detach().contiguous().clone().requires_grad_(x.is_floating_point()) for x in inputs]
    output = fn(*inputs)
    record = {"op": op, "inputs": [tensor(x.detach()) for x in inputs], "attributes": attributes, "output": tensor(output.detach())}
    if output.requires_grad:
        cotangent = torch.randn(output.shape, generator=cotangents)
        wrt = [x for x in inputs if x.requires_grad]
        found = iter(torch.autograd.grad(output, wrt, cotangent, allow_unused=True))
        gradients = [next(found) if x.requires_grad else None for x in inputs]
        record |= {"cotangent": tensor(cotangent), "gradients": [None if g is None else tensor(g) for g in gradients]}
    cases.append(record)


def rand(*shape):
    return torch.randn(*shape)


x, y, row = rand(2, 3, 4), rand(2, 3, 4), rand(4)
for op, fn in (("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul), ("divide", torch.div)):
    case(op, [x, y], fn)
    case(op, [x, row], fn)
case("cosine", [x], torch.cos)
case("sine", [x], torch.sin)
case("silu", [8 * x], F.silu)
i, j = torch.randint(-2, 3, (2, 3), dtype=torch.int32), torch.randint(-2, 3, (2, 3), dtype=torch.int32)
case("equal", [i, j], lambda a, b: a == b)
case("less", [i, j], lambda a, b: a < b)
case("lessOrEqual", [i, j], lambda a, b: a <= b)
case("less", [x, y], lambda a, b: a < b)
case("subtractIntegers", [i, j], lambda a, b: a - b)
p, q = i > 0, j > 0
case("and", [p, q], lambda a, b: a & b)
case("or", [p, q], lambda a, b: a | b)
case("where", [x > 0, x, y], torch.where)
case("cast", [i], lambda a: a.float(), dtype="float32")
case("cast", [p], lambda a: a.float(), dtype="float32")
case("reshape", [x], lambda a: a.reshape(2, 6, 2), shape=[2, 6, 2])
table = rand(5, 3)
ids = torch.tensor([[0, 4, 2], [1, 1, 3]], dtype=torch.int32)
case("gather", [table, ids], lambda a, b: a[b.long()])
w = rand(4, 5)
case("matMul", [x, w], torch.matmul)
b = rand(2, 4, 3)
case("matMul", [x, b], torch.matmul)
tail = rand(2, 5, 4)
case("concat", [x, tail], lambda *parts: torch.cat(parts, dim=1), axis=1, size=8)
one = rand(1, 3, 4)
case("repeatRow", [one, x], lambda a, _: a.expand(2, 3, 4))
g = rand(4)
norm = lambda a, b: F.rms_norm(a, (4,), b, eps=1e-3)
case("rmsNorm", [x, g], norm, epsilon=1e-3)


def rotate(z, cos, sin):
    """Rotary embedding in the half-split layout: heads 2, head size 4."""
    heads = z.view(2, 3, 2, 4)
    left, right = heads[..., :2], heads[..., 2:]
    c, s = cos[:, :, None], sin[:, :, None]
    return torch.cat([left * c - right * s, right * c + left * s], dim=-1).reshape(2, 3, 8)


angle = 3 * rand(2, 3, 2)
z = rand(2, 3, 8)
case("rotary", [z, angle.cos(), angle.sin()], rotate, heads=2)

# Attention: 4 query heads, 2 key heads, head size 4; 3 queries, 5 keys; a mask that differs between rows.
query, key, value = rand(2, 3, 16), rand(2, 5, 8), rand(2, 5, 8)
mask = torch.zeros(2, 1, 3, 5)
mask[0, 0, :, 3:] = -1e30
mask[1, 0, 0, 1] = -1e30
split = lambda t, h: t.view(2, -1, h, 4).transpose(1, 2)


def attend(q, k, v, m):
    k, v = split(k, 2).repeat_interleave(2, 1), split(v, 2).repeat_interleave(2, 1)
    out = F.scaled_dot_product_attention(split(q, 4), k, v, attn_mask=m, scale=0.3)
    return out.transpose(1, 2).reshape(2, 3, 16)


def probabilities(q, k, _v, m):
    return (0.3 * split(q, 4) @ split(k, 2).repeat_interleave(2, 1).transpose(2, 3) + m).softmax(-1)


case("attention", [query, key, value, mask], attend, heads=4, keyHeads=2, scale=0.3)

# Since gradients: new cases stand behind the old ones, whose random numbers they must not move.
case("attentionProbabilities", [query, key, value, mask], probabilities, heads=4, keyHeads=2, scale=0.3)
case("attention", [rand(2, 3, 8), rand(2, 3, 8), rand(2, 3, 8), torch.zeros(1, 1, 3, 3)], lambda q, k, v, m: F.scaled_dot_product_attention(
    split(q, 2), split(k, 2), split(v, 2), attn_mask=m, scale=0.5).transpose(1, 2).reshape(2, 3, 8), heads=2, keyHeads=2, scale=0.5)
case("inverseRms", [x, g], lambda a, _: (a.pow(2).mean(-1, keepdim=True) + 1e-3).rsqrt(), epsilon=1e-3)
case("negate", [x], torch.neg)
case("exponential", [x], torch.exp)
case("logarithm", [x.abs() + 0.1], torch.log)
case("squareRoot", [x.abs() + 0.1], torch.sqrt)
case("sigmoid", [3 * x], torch.sigmoid)
case("softplus", [3 * x], F.softplus)
case("softplus", [torch.tensor([-100.0, 100.0])], F.softplus)
case("add", [rand(1, 3, 1), x], torch.add)
case("multiply", [rand(2, 1, 4), rand(3, 1)], torch.mul)
case("divide", [torch.tensor(0.7), 2 + x.abs()], torch.div)
case("where", [row > 0, x, row], torch.where)
case("cast", [x], lambda a: a.float(), dtype="float32")
case("transpose", [x], lambda a: a.permute(2, 0, 1), axes=[2, 0, 1])
case("sumTo", [x], lambda a: a.sum((0, 1)), shape=[4])
case("sumTo", [x], lambda a: a.sum((0, 2), keepdim=True)[0], shape=[3, 1])
case("sumTo", [x], lambda a: a.sum(), shape=[])
case("broadcastLike", [rand(3, 1), x], lambda a, _: a.expand(2, 3, 4))
case("flatten", [x], lambda a: a.reshape(6, 4), size=6)
case("unflatten", [rand(6, 5), x], lambda a, _: a.reshape(2, 3, 5))
case("concatPart", [rand(2, 8, 4), x, tail], lambda a, *_: a[:, 3:], axis=1, part=1)
case("concatPart", [rand(2, 8, 4), x, tail], lambda a, *_: a[:, :3], axis=1, part=0)
case("matMul", [x, rand(5, 4)], lambda a, b: a @ b.mT, transposeB=True)
case("matMul", [x, rand(2, 3, 5)], lambda a, b: 0.5 * a.mT @ b, transposeA=True, scale=0.5)
case("matMul", [x, rand(2, 5, 3)], lambda a, b: 0.5 * a.mT @ b.mT, transposeA=True, transposeB=True, scale=0.5)
case("matMul", [rand(2, 3, 2, 4), rand(2, 1, 4, 3)], torch.matmul)
case("matMul", [rand(3, 4), rand(4, 2)], lambda a, b: 2 * a @ b, scale=2)
case("contractRows", [x, rand(2, 3, 5)], lambda a, b: 0.5 * a.reshape(6, 4).T @ b.reshape(6, 5), scale=0.5)
case("contractRows", [rand(6, 4), rand(6, 2)], lambda a, b: a.T @ b)
case("scatterRows", [rand(2, 3, 3), ids, table], lambda a, b, _: torch.zeros(5, 3).index_add(0, b.flatten().long(), a.reshape(6, 3)))
places = torch.tensor([3, 0, 3], dtype=torch.int32)
logits = 2 * rand(3, 4)
case("pick", [logits, places], lambda a, b: a.gather(1, b[:, None].long())[:, 0])
case("addAt", [logits, places, rand(3)], lambda a, b, c: a.scatter_add(1, b[:, None].long(), c[:, None]))
case("logSoftmax", [2 * x], lambda a: a.log_softmax(-1))
case("targetLogprobs", [logits, places], lambda a, b: a.log_softmax(-1).gather(1, b[:, None].long())[:, 0])
# Logits so far apart that a probability underflows.
case("targetLogprobs", [torch.tensor([[0.0, 200.0, 1.0], [90.0, -90.0, 0.0]]), torch.tensor([0, 0], dtype=torch.int32)],
     lambda a, b: a.log_softmax(-1).gather(1, b[:, None].long())[:, 0])


def cached(q, k, v, keys, values, m):
    """One new token over a cache, queries [2, 1, 8 heads * 4], 4 key heads; no gradient is asked for."""
    keys, values = (torch.cat([c[:, :, 0], own.reshape(2, 4, 1, 4)], 2).repeat_interleave(2, 1) for c, own in ((keys, k), (values, v)))
    seen = torch.cat([m[:, 0], torch.zeros(2, 1, 1, 1)], -1)
    return F.scaled_dot_product_attention(q.reshape(2, 8, 1, 4), keys, values, attn_mask=seen, scale=0.4).reshape(2, 1, 32).detach()


hidden = torch.zeros(2, 1, 1, 1, 5)
hidden[0, ..., 3:] = -1e30
hidden[1] = -1e30  # nothing cached
case("cachedAttention", [rand(2, 1, 32), rand(2, 1, 16), rand(2, 1, 16), rand(2, 4, 1, 5, 4), rand(2, 4, 1, 5, 4), hidden], cached,
     heads=8, keyHeads=4, scale=0.4)
case("tokenProbabilities", [3 * rand(2, 7), torch.tensor([1.5])], lambda a, b: (a * b).softmax(-1).detach())
case("likeliestToken", [torch.tensor([[0.0, 2.0, 1.0, 2.0], [-3.0, -1.0, -2.0, -1.5]])], lambda a: a.argmax(-1).int())
gelu = lambda a: F.gelu(a, approximate="tanh")
case("tanhGelu", [4 * x], gelu)
case("tanhGelu", [torch.tensor([0.0, 1e-4, -12.0, 12.0])], gelu)

# For the families after the Llama-like.
case("tanh", [2 * x], torch.tanh)
case("errorFunction", [2 * x], torch.erf)
case("gelu", [4 * x], F.gelu)
case("gelu", [torch.tensor([0.0, 1e-4, -12.0, 12.0])], F.gelu)
case("slice", [x], lambda a: a[..., 1:3], axis=2, start=1, end=3)
case("slice", [rand(5, 3)], lambda a: a[:2], axis=0, start=0, end=2)
case("padZeros", [x], lambda a: F.pad(a, (1, 2)), axis=2, before=1, after=2)
case("padZeros", [rand(2, 3)], lambda a: F.pad(a, (0, 0, 0, 3)), axis=0, before=0, after=3)


def rotate_first(z, cos, sin):
    """Two heads of size 4, of which the first two components turn."""
    heads = z.view(2, 3, 2, 4)
    left, right, rest = heads[..., :1], heads[..., 1:2], heads[..., 2:]
    c, s = cos[:, :, None], sin[:, :, None]
    return torch.cat([left * c - right * s, right * c + left * s, rest], dim=-1).reshape(2, 3, 8)


case("rotary", [z, angle[..., :1].cos(), angle[..., :1].sin()], rotate_first, heads=2)


def capped(q, k, m):
    return (2 * torch.tanh(0.5 * 0.7 * split(q, 4) @ split(k, 2).repeat_interleave(2, 1).transpose(2, 3)) + m).softmax(-1)


attend_capped = lambda q, k, v, m: (capped(q, k, m) @ split(v, 2).repeat_interleave(2, 1)).transpose(1, 2).reshape(2, 3, 16)
case("attention", [query, key, value, mask], attend_capped, heads=4, keyHeads=2, scale=0.7, softcap=2)
case("attentionProbabilities", [query, key, value, mask], lambda q, k, _v, m: capped(q, k, m), heads=4, keyHeads=2, scale=0.7, softcap=2)


def cached_capped(q, k, v, keys, values, m):
    keys, values = (torch.cat([c[:, :, 0], own.reshape(2, 4, 1, 4)], 2).repeat_interleave(2, 1) for c, own in ((keys, k), (values, v)))
    scores = 2 * torch.tanh(0.5 * 0.9 * q.reshape(2, 8, 1, 4) @ keys.mT) + torch.cat([m[:, 0], torch.zeros(2, 1, 1, 1)], -1)
    return (scores.softmax(-1) @ values).reshape(2, 1, 32).detach()


case("cachedAttention", [rand(2, 1, 32), rand(2, 1, 16), rand(2, 1, 16), rand(2, 4, 1, 5, 4), rand(2, 4, 1, 5, 4), hidden], cached_capped,
     heads=8, keyHeads=4, scale=0.9, softcap=2)
scores = rand(3, 5)
top = lambda a: torch.zeros(3, 5).scatter(1, a.topk(2, -1).indices, 1.0).bool()
case("topMask", [scores], top, count=2)
case("markedRows", [top(scores)], lambda a: a[:, 1].nonzero()[:, 0].int(), column=1, size=int(top(scores)[:, 1].sum()))
case("markedRows", [torch.zeros(3, 5, dtype=torch.bool)], lambda a: a[:, 1].nonzero()[:, 0].int(), column=1, size=0)


def dequantized(values, scales, block):
    return values.float() * scales.detach().repeat_interleave(block, 1)[:, : values.shape[1]]


whole = torch.randint(-127, 128, (3, 8), dtype=torch.int8)
case("dequantize", [whole, rand(3, 2).abs()], lambda a, s: dequantized(a, s, 4), block=4)
case("dequantize", [whole[:, :7], rand(3, 2).abs()], lambda a, s: dequantized(a, s, 4), block=4)
case("dequantize", [torch.randint(-127, 128, (5, 96), dtype=torch.int8), rand(5, 3).abs()], lambda a, s: dequantized(a, s, 32), block=32)



def whole_product(x, values, scales):
    x = x.detach()
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    step = (high - low) / 255
    zero = (-low / step).round().clamp(0, 255)
    rounded = ((x / step).round() + zero).clamp(0, 255) - zero
    return (rounded.double() @ values.double() * step * scales.detach().double()).float()


case("wholeProduct", [rand(2, 3, 8), torch.randint(-127, 128, (8, 5), dtype=torch.int8), rand(5).abs()], whole_product)
case("wholeProduct", [rand(4, 64).abs(), torch.randint(-127, 128, (64, 3), dtype=torch.int8), rand(3).abs()], whole_product)
# The largest products that there are: sums of pairs of them do not fit into 16 bits.
case("wholeProduct", [torch.ones(1, 32), torch.full((32, 2), 127, dtype=torch.int8), rand(2).abs()], whole_product)


def four_bit_product(x, values, scales):
    # Two numbers to a byte, the lower bits first; 8 stands for 0.
    numbers = torch.stack([values & 15, values >> 4], -1).float() - 8
    matrix = (numbers.flatten(2) * scales.detach()[..., None]).flatten(1)[:, : x.shape[-1]]
    return x.detach() @ matrix.T


packed = torch.Generator().manual_seed(13)
for rows, inner, outer, block in (((2, 3), 32, 5, 32), ((4,), 70, 3, 32), ((1,), 24, 2, 16)):
    blocks = -(-inner // block)
    values = torch.randint(0, 256, (outer, blocks, block // 2), dtype=torch.uint8, generator=packed)
    given = [torch.randn(*rows, inner, generator=packed), values, 0.02 * torch.randn(outer, blocks, generator=packed)]
    case("fourBitProduct", given, four_bit_product)

path = Path(__file__).with_name("ops.json")
old = {json.dumps([c["op"], c["inputs"], c["attributes"]]): c["output"] for c in json.loads(path.read_text())["cases"]} if path.exists() else {}
kept = sum(json.dumps([c["op"], c["inputs"], c["attributes"]]) in old for c in cases)
path.write_text(dumps({"torch": torch.__version__, "cases": cases}))
print(path.stat().st_size, "bytes,", len(cases), "cases,", kept, "of", len(old), "old inputs kept")
