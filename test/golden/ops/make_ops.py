"""Golden values of every op of src/tensor/ops, from PyTorch: python make_ops.py writes ops.json beside itself."""
import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(7)
cases = []


def tensor(value):
    kind = {torch.float32: "float32", torch.int32: "int32", torch.bool: "bool"}[value.dtype]
    flat = value.flatten()
    numbers = flat.int().tolist() if value.dtype == torch.bool else flat.tolist()
    return {"dtype": kind, "shape": list(value.shape), "values": numbers}


def case(op, inputs, output, **attributes):
    cases.append({"op": op, "inputs": [tensor(x) for x in inputs], "attributes": attributes, "output": tensor(output)})


def rand(*shape):
    return torch.randn(*shape)


x, y, row = rand(2, 3, 4), rand(2, 3, 4), rand(4)
for op, fn in (("add", torch.add), ("subtract", torch.sub), ("multiply", torch.mul), ("divide", torch.div)):
    case(op, [x, y], fn(x, y))
    case(op, [x, row], fn(x, row))
case("cosine", [x], torch.cos(x))
case("sine", [x], torch.sin(x))
case("silu", [8 * x], F.silu(8 * x))
i, j = torch.randint(-2, 3, (2, 3), dtype=torch.int32), torch.randint(-2, 3, (2, 3), dtype=torch.int32)
case("equal", [i, j], i == j)
case("less", [i, j], i < j)
case("lessOrEqual", [i, j], i <= j)
case("less", [x, y], x < y)
case("subtractIntegers", [i, j], i - j)
p, q = i > 0, j > 0
case("and", [p, q], p & q)
case("or", [p, q], p | q)
case("where", [x > 0, x, y], torch.where(x > 0, x, y))
case("cast", [i], i.float(), dtype="float32")
case("cast", [p], p.float(), dtype="float32")
case("reshape", [x], x.reshape(2, 6, 2), shape=[2, 6, 2])
table = rand(5, 3)
ids = torch.tensor([[0, 4, 2], [1, 1, 3]], dtype=torch.int32)
case("gather", [table, ids], table[ids.long()])
w = rand(4, 5)
case("matMul", [x, w], x @ w)
b = rand(2, 4, 3)
case("matMul", [x, b], x @ b)
tail = rand(2, 5, 4)
case("concat", [x, tail], torch.cat([x, tail], dim=1), axis=1, size=8)
one = rand(1, 3, 4)
case("repeatRow", [one, x], one.expand(2, 3, 4))
g = rand(4)
case("rmsNorm", [x, g], F.rms_norm(x, (4,), g, eps=1e-3), epsilon=1e-3)

# Rotary embedding in the half-split layout: heads 2, head size 4.
angle = 3 * rand(2, 3, 2)
cos, sin = angle.cos(), angle.sin()
z = rand(2, 3, 8)
heads = z.view(2, 3, 2, 4)
left, right = heads[..., :2], heads[..., 2:]
c, s = cos[:, :, None], sin[:, :, None]
rotated = torch.cat([left * c - right * s, right * c + left * s], dim=-1).reshape(2, 3, 8)
case("rotary", [z, cos, sin], rotated, heads=2)

# Attention: 4 query heads, 2 key heads, head size 4; 3 queries, 5 keys; a mask that differs between rows.
query, key, value = rand(2, 3, 16), rand(2, 5, 8), rand(2, 5, 8)
mask = torch.zeros(2, 1, 3, 5)
mask[0, 0, :, 3:] = -1e30
mask[1, 0, 0, 1] = -1e30
split = lambda t, h: t.view(2, -1, h, 4).transpose(1, 2)
out = F.scaled_dot_product_attention(
    split(query, 4), split(key, 2).repeat_interleave(2, 1), split(value, 2).repeat_interleave(2, 1), attn_mask=mask, scale=0.3
)
case("attention", [query, key, value, mask], out.transpose(1, 2).reshape(2, 3, 16), heads=4, keyHeads=2, scale=0.3)

path = Path(__file__).with_name("ops.json")
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
print(path.stat().st_size, "bytes,", len(cases), "cases")
