#!/usr/bin/python3
"""Writes the ONNX files of benchmarks/load/models, which load tests need beside models/. Needs Debian's python3-onnx."""
import pathlib

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "load" / "models"


def tensor(name, datatype, dims):
    return helper.make_tensor_value_info(name, datatype, ["batch", *dims])


def save(name, nodes, inputs, outputs, weights=()):
    model = helper.make_model(helper.make_graph(nodes, name, inputs, outputs, list(weights)), opset_imports=[helper.make_opsetid("", 13)], producer_name="runtime")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path = ROOT / name / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def save_cnn():
    """Three convolutions and ten classes of random weights: a model that computes, a few tenths of a millisecond a row."""
    random = numpy.random.default_rng(0)
    weights, nodes, before = [], [], "X"
    for i, (inputs, outputs) in enumerate([(1, 16), (16, 16), (16, 16)]):
        values = random.standard_normal((outputs, inputs, 3, 3)) / numpy.sqrt(9 * inputs)
        weights.append(numpy_helper.from_array(values.astype(numpy.float32), f"w{i}"))
        nodes += [helper.make_node("Conv", [before, f"w{i}"], [f"c{i}"], pads=[1, 1, 1, 1]), helper.make_node("Relu", [f"c{i}"], [f"r{i}"])]
        before = f"r{i}"
    weights.append(numpy_helper.from_array(random.standard_normal((16, 10)).astype(numpy.float32), "w"))
    nodes += [helper.make_node("GlobalAveragePool", [before], ["pooled"]), helper.make_node("Flatten", ["pooled"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["Y"])]
    save("cnn", nodes, [tensor("X", TensorProto.FLOAT, [1, 32, 32])], [tensor("Y", TensorProto.FLOAT, [10])], weights)


def main():
    ints = lambda name: tensor(name, TensorProto.INT32, [16])
    save("simple_dyn", [helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]), helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
         [ints("INPUT0"), ints("INPUT1")], [ints("OUTPUT0"), ints("OUTPUT1")])
    save("identity_fp32", [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])],
         [tensor("INPUT0", TensorProto.FLOAT, ["n"])], [tensor("OUTPUT0", TensorProto.FLOAT, ["n"])])
    save_cnn()


if __name__ == "__main__":
    main()
