#!/usr/bin/env python3
"""Writes the ONNX files of Runtime.Backends.Tests: make_test_models.py [DIR]. Needs Debian's python3-onnx."""
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "tests/Runtime.Backends.Tests/models"
TYPES = {
    "bool": T.BOOL, "uint8": T.UINT8, "uint16": T.UINT16, "uint32": T.UINT32, "uint64": T.UINT64, "int8": T.INT8, "int16": T.INT16,
    "int32": T.INT32, "int64": T.INT64, "fp16": T.FLOAT16, "bf16": T.BFLOAT16, "fp32": T.FLOAT, "fp64": T.DOUBLE, "string": T.STRING,
}


def info(name, element_type, shape):
    return h.make_tensor_value_info(name, element_type, shape)


def save(name, nodes, inputs, outputs, initializers=(), opset=13):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], producer_name="")
    model.ir_version = 8
    onnx.save(model, str(TARGET / f"{name}.onnx"))


def add_sub():
    """simple: OUTPUT0 = INPUT0 + INPUT1, OUTPUT1 = INPUT0 - INPUT1."""
    shape = ["batch", 16]
    save("simple",
         [h.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]), h.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])],
         [info("INPUT0", T.INT32, shape), info("INPUT1", T.INT32, shape)],
         [info("OUTPUT0", T.INT32, shape), info("OUTPUT1", T.INT32, shape)])


def identities():
    for name, element_type in TYPES.items():
        save(f"identity_{name}", [h.make_node("Identity", ["IN"], ["OUT"])],
             [info("IN", element_type, ["batch", "n"])], [info("OUT", element_type, ["batch", "n"])])
    save("scalar", [h.make_node("Neg", ["IN"], ["OUT"])], [info("IN", T.FLOAT, [])], [info("OUT", T.FLOAT, [])])
    save("pass_through", [h.make_node("Neg", ["BOTH"], ["NEGATED"])],
         [info("BOTH", T.FLOAT, ["n"])], [info("BOTH", T.FLOAT, ["n"]), info("NEGATED", T.FLOAT, ["n"])])


def shapes():
    """Outputs whose shape only the data decide: declared truly, and declared as what they are not."""
    for name, shape in {"nonzero": [1, "found"], "nonzero_misdeclared": [1, "n"]}.items():
        save(name, [h.make_node("NonZero", ["IN"], ["OUT"])], [info("IN", T.FLOAT, ["n"])], [info("OUT", T.INT64, shape)])


def no_elements():
    """A fixed dimension of 0, which no configuration can name."""
    save("empty", [h.make_node("Neg", ["IN"], ["OUT"])], [info("IN", T.FLOAT, [3, 0])], [info("OUT", T.FLOAT, [3, 0])])


def failing_cast():
    save("cast", [h.make_node("Cast", ["IN"], ["OUT"], to=T.INT32)], [info("IN", T.STRING, ["n"])], [info("OUT", T.INT32, ["n"])])


def slow_loop():
    """OUT = IN after COUNT iterations that add nothing."""
    body = h.make_graph(
        [h.make_node("Identity", ["go"], ["still"]), h.make_node("Add", ["value", "zero"], ["next"])], "body",
        [info("i", T.INT64, []), info("go", T.BOOL, []), info("value", T.FLOAT, ["n"])],
        [info("still", T.BOOL, []), info("next", T.FLOAT, ["n"])],
        [nh.from_array(np.zeros(1, np.float32), "zero")])
    save("loop", [h.make_node("Loop", ["COUNT", "yes", "IN"], ["OUT"], body=body)],
         [info("COUNT", T.INT64, []), info("IN", T.FLOAT, ["n"])], [info("OUT", T.FLOAT, ["n"])],
         [nh.from_array(np.array(True), "yes")])


def default_value():
    """OUT = IN + OFFSET, where OFFSET is 10 unless it is given."""
    save("default", [h.make_node("Add", ["IN", "OFFSET"], ["OUT"])],
         [info("IN", T.FLOAT, ["n"]), info("OFFSET", T.FLOAT, [1])], [info("OUT", T.FLOAT, ["n"])],
         [nh.from_array(np.array([10], np.float32), "OFFSET")])


def unservable():
    sequence = h.make_tensor_sequence_value_info("OUT", T.FLOAT, None)
    save("sequence", [h.make_node("SequenceConstruct", ["IN"], ["OUT"])], [info("IN", T.FLOAT, ["n"])], [sequence])
    save("complex", [h.make_node("Identity", ["IN"], ["OUT"])], [info("IN", T.COMPLEX64, ["n"])], [info("OUT", T.COMPLEX64, ["n"])])


def external_data():
    """OUT = IN + WEIGHT, where WEIGHT (1, 2, 3) lies in a file beside the model."""
    weight = nh.from_array(np.array([1, 2, 3], np.float32), "WEIGHT")
    data = weight.raw_data
    (TARGET / "external.bin").write_bytes(data)
    weight.ClearField("raw_data")
    weight.data_location = T.EXTERNAL
    for key, value in {"location": "external.bin", "offset": "0", "length": str(len(data))}.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    save("external", [h.make_node("Add", ["IN", "WEIGHT"], ["OUT"])], [info("IN", T.FLOAT, [3])], [info("OUT", T.FLOAT, [3])], [weight])


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for make in (add_sub, identities, shapes, no_elements, failing_cast, slow_loop, default_value, unservable, external_data):
        make()
    (TARGET / "broken.onnx").write_bytes(b"not a protobuf")
