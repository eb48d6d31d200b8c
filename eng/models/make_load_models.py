#!/usr/bin/python3
"""Writes the ONNX files of benchmarks/load/models: the two that load tests need beside models/. Needs Debian's python3-onnx."""
import pathlib

import onnx
from onnx import TensorProto, helper

ROOT = pathlib.Path(__file__).resolve().parents[2] / "benchmarks" / "load" / "models"


def tensor(name, datatype, dims):
    return helper.make_tensor_value_info(name, datatype, ["batch", *dims])


def save(name, nodes, inputs, outputs):
    model = helper.make_model(helper.make_graph(nodes, name, inputs, outputs), opset_imports=[helper.make_opsetid("", 13)], producer_name="runtime")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path = ROOT / name / "1" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def main():
    ints = lambda name: tensor(name, TensorProto.INT32, [16])
    save("simple_dyn", [helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]), helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
         [ints("INPUT0"), ints("INPUT1")], [ints("OUTPUT0"), ints("OUTPUT1")])
    save("identity_fp32", [helper.make_node("Identity", ["INPUT0"], ["OUTPUT0"])],
         [tensor("INPUT0", TensorProto.FLOAT, ["n"])], [tensor("OUTPUT0", TensorProto.FLOAT, ["n"])])


if __name__ == "__main__":
    main()
