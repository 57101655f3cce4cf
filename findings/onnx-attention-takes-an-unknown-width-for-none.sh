#!/usr/bin/env bash
# onnx 1.23.2 and onnxruntime 1.30.0: the standard's op Attention (opset 23) takes a width that shape inference does not know for a width of 0.
#
# For values [batch, tokens, width] the result's width is q_num_heads times the width of one value head. Where the values come of a Slice
# whose end is given at run time, inference has forgotten all sizes of them, the width too, and the rule computes with 0. The next op that
# knows better (a Concat with something 12 wide) is refused, and so is the whole model, although it is valid. A Reshape that says the width
# again lets the same model load.
# Seen: "without a reshape: refused (Inferred=12 Declared=0)", "with a reshape: ran, (1, 10, 12)". 2026-12-01, Python 3.11, on Linux.
# Source: our own graphs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.30.0 numpy==2.4.6 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
"$work/venv/bin/python" - <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper


def make(says_width):
    value = helper.make_tensor_value_info
    float32, int64 = TensorProto.FLOAT, TensorProto.INT64
    nodes = [
        helper.make_node("Slice", ["keys", "zero", "end", "one"], ["some_keys"]),
        helper.make_node("Slice", ["values", "zero", "end", "one"], ["cut"]),
        helper.make_node("Reshape", ["cut", "width"], ["some_values"]),
    ]
    of = "some_values" if says_width else "cut"
    nodes = nodes if says_width else nodes[:2]
    nodes.append(helper.make_node("Attention", ["queries", "some_keys", of], ["mixed"], q_num_heads=4, kv_num_heads=2))
    nodes.append(helper.make_node("Concat", ["mixed", "queries"], ["out"], axis=1))
    constants = [
        helper.make_tensor("zero", int64, [1], [0]),
        helper.make_tensor("one", int64, [1], [1]),
        helper.make_tensor("width", int64, [3], [0, -1, 6]),
    ]
    inputs = [
        value("queries", float32, [1, 5, 12]),
        value("keys", float32, [1, 5, 6]),
        value("values", float32, [1, 5, 6]),
        value("end", int64, [1]),
    ]
    graph = helper.make_graph(nodes, "graph", inputs, [value("out", float32, [1, "n", 12])], initializer=constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def run(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    wide, narrow = np.ones((1, 5, 12), np.float32), np.ones((1, 5, 6), np.float32)
    return session.run(None, {"queries": wide, "keys": narrow, "values": narrow, "end": np.array([3])})[0].shape


try:
    run(make(says_width=False))
    raise SystemExit("without a reshape: ran")
except Exception as error:
    assert "Inferred=12 Declared=0" in str(error), error
    print("without a reshape: refused (Inferred=12 Declared=0)")
shape = run(make(says_width=True))
assert shape == (1, 10, 12), shape
print(f"with a reshape: ran, {shape}")
PY
