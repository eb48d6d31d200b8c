#!/usr/bin/python3
"""Writes models/simple/1/model.onnx: the sum and the difference of two INT32 vectors. Needs Debian's python3-onnx."""
import pathlib

import onnx
from onnx import TensorProto, helper

OUT = pathlib.Path(__file__).resolve().parents[2] / "models" / "simple" / "1" / "model.onnx"


def vector(name):
    return helper.make_tensor_value_info(name, TensorProto.INT32, ["batch", 16])


def main():
    nodes = [helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]), helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])]
    graph = helper.make_graph(nodes, "simple", [vector("INPUT0"), vector("INPUT1")], [vector("OUTPUT0"), vector("OUTPUT1")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], producer_name="runtime")
    model.ir_version = 8
    onnx.checker.check_model(model)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(OUT))


if __name__ == "__main__":
    main()
