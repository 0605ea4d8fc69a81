"""ONNX graphs of a tower's image part, made so that ONNX Runtime runs them as fast as it can: its own fused nodes
(Attention, BiasGelu, SkipLayerNormalization) stand in the graph already, weights are constants that it packs at load.

    python3 bench/peers/make_onnx.py BUNDLE OUT.onnx f32|int8

int8 is what its dynamic quantisation of a fused graph gives, with one scale per output channel: every product of
weights has int8 weights and quantises its input as it comes (DynamicQuantizeLinear with QAttention, and DynamicQuantizeMatMul,
which ONNX Runtime makes of DynamicQuantizeLinear, MatMulInteger, Cast and Mul).
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

import bundle

FUSED = "com.microsoft"
KINDS = {"float32": TensorProto.FLOAT, "int8": TensorProto.INT8, "int64": TensorProto.INT64}


class Graph:
    def __init__(self, int8):
        self.nodes, self.constants, self.int8 = [], [], int8

    def constant(self, name, value):
        value = np.array(value, order="C")
        kind = KINDS[value.dtype.name]
        self.constants.append(helper.make_tensor(name, kind, value.shape, value.tobytes(), raw=True))
        return name

    def floats(self, name, value):
        return self.constant(name, np.asarray(value, np.float32))

    def node(self, op, inputs, name, outputs=1, domain="", **attributes):
        names = [name] if outputs == 1 else [f"{name}.{i}" if i in (0, outputs - 1) else "" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain=domain, **attributes))
        return names[0] if outputs == 1 else (names[0], names[-1])

    def quantised(self, name, matrix):
        """[in, out] -> names of int8 values, scales and zero points, symmetric, one scale per output."""
        scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / 127
        values = np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8)
        return (self.constant(name + ".q", values), self.floats(name + ".scale", scale),
                self.constant(name + ".zero", np.zeros(scale.shape, np.int8)))

    def product(self, x, name, matrix, bias=None):
        """x [.., in] times matrix [in, out] (+ bias)."""
        if self.int8:
            q, scale, zero = self.quantised(name, matrix)
            inputs = [x, q, scale, zero] + ([self.floats(name + ".bias", bias)] if bias is not None else [])
            return self.node("DynamicQuantizeMatMul", inputs, name, domain=FUSED)
        y = self.node("MatMul", [x, self.floats(name + ".weight", matrix)], name)
        return y if bias is None else self.node("Add", [y, self.floats(name + ".bias", bias)], name + ".add")

    def attention(self, x, name, matrix, bias, heads):
        bias = self.floats(name + ".bias", bias)
        if not self.int8:
            weight = self.floats(name + ".weight", matrix)
            return self.node("Attention", [x, weight, bias], name, domain=FUSED, num_heads=heads)
        q, scale, zero = self.quantised(name, matrix)
        values = [f"{name}.x{i}" for i in range(3)]
        self.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], values, name=name + ".quantise"))
        inputs = [values[0], q, bias, values[1], scale, "", values[2], zero]
        return self.node("QAttention", inputs, name, domain=FUSED, num_heads=heads)


def norm(g, x, w, prefix, name, eps):
    inputs = [x, g.floats(name + ".w", w[prefix + ".w"]), g.floats(name + ".b", w[prefix + ".b"])]
    return g.node("LayerNormalization", inputs, name, axis=-1, epsilon=eps)


def add_norm(g, x, y, bias, w, prefix, name, eps):
    """(norm of x + y + bias, x + y + bias)"""
    inputs = [x, y, g.floats(name + ".w", w[prefix + ".w"]), g.floats(name + ".b", w[prefix + ".b"])]
    inputs += [g.floats(name + ".bias", bias)] if bias is not None else []
    return g.node("SkipLayerNormalization", inputs, name, outputs=4, domain=FUSED, epsilon=eps)


def embed(g, w, shape):
    """Patches as rows: a product like the others (as a convolution it takes as long, and stays in float32)."""
    patch = shape["image"]["patch"]
    grid = shape["image"]["side"] // patch
    split = g.constant("patch.split", np.array([0, 3, grid, patch, grid, patch], np.int64))
    rows = g.constant("patch.joined", np.array([0, grid * grid, 3 * patch * patch], np.int64))
    x = g.node("Reshape", ["pixels", split], "patch.parts")
    x = g.node("Transpose", [x], "patch.order", perm=[0, 2, 4, 1, 3, 5])
    x = g.product(g.node("Reshape", [x, rows], "patch.rows"), "patch", w["image.patch.w"].T)
    # The class token comes in as a row of zeros that the padding puts there; it is part of the positions.
    x = g.node("Pad", [x, g.constant("class.pad", np.array([0, 1, 0, 0, 0, 0], np.int64))], "class")
    position = np.array(w["image.position"], np.float32)
    position[0] += w["image.cls"]
    return g.node("Add", [x, g.floats("position.value", position[None])], "position")


def tower(g, w, shape):
    image = shape["image"]
    eps, blocks = image["eps"], image["layers"]
    x = norm(g, embed(g, w, shape), w, "image.pre", "pre", eps)
    h = norm(g, x, w, "image.block.0.norm1", "norm0", eps)
    for i in range(blocks):
        p = f"image.block.{i}."
        a = g.attention(h, f"attention{i}", w[p + "qkv.w"].T, w[p + "qkv.b"], image["heads"])
        a = g.product(a, f"out{i}", w[p + "out.w"].T)
        h, x = add_norm(g, x, a, w[p + "out.b"], w, p + "norm2", f"middle{i}", eps)
        a = g.product(h, f"first{i}", w[p + "fc1.w"].T)
        a = g.node("BiasGelu", [a, g.floats(f"gelu{i}.bias", w[p + "fc1.b"])], f"gelu{i}", domain=FUSED)
        a = g.product(a, f"second{i}", w[p + "fc2.w"].T)
        if i + 1 < blocks:
            h, x = add_norm(g, x, a, w[p + "fc2.b"], w, f"image.block.{i + 1}.norm1", f"norm{i + 1}", eps)
    first = g.constant("first", np.array(0, np.int64))
    x = g.node("Gather", [x, first], "class.stream", axis=1)
    a = g.node("Gather", [a, first], "class.change", axis=1)
    a = g.node("Add", [a, g.floats("class.bias", w[p + "fc2.b"])], "class.biased")
    h = norm(g, g.node("Add", [x, a], "class.last"), w, "image.post", "post", eps)
    return g.product(h, "embedding", w["image.proj"].T)


def main():
    if len(sys.argv) != 4 or sys.argv[3] not in ("f32", "int8"):
        sys.exit(__doc__)
    w, shape = bundle.read_bundle(sys.argv[1])
    side, joint = shape["image"]["side"], shape["joint"]
    g = Graph(sys.argv[3] == "int8")
    out = tower(g, w, shape)
    graph = helper.make_graph(
        g.nodes, "tower", [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, side, side])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, ["batch", joint])], g.constants)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(FUSED, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save(model, sys.argv[2])


if __name__ == "__main__":
    main()
