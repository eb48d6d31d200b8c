#!/usr/bin/env python3
"""Serves ONNX's own test models and compares the answers with the recorded ones.

    onnx_nodes.py --repository DIR --http 127.0.0.1:8000 --grpc 127.0.0.1:8001 [--only REGEX] [-v]
    onnx_nodes.py --repository DIR --http ... --grpc ... -- HOST ARGUMENT ...

The first form asks a host that runs already on DIR, with --model-control-mode=explicit; the second starts the command
with the arguments for that appended, and ends it. The models are written to DIR, each is loaded, asked over HTTP (binary
tensors) and gRPC (raw contents), and unloaded. A model is skipped when its inputs or outputs are not plain tensors, when
ONNX Runtime cannot load it, or when its answers cannot be compared; the reasons are listed. The last line is 'N passed, N failed, N skipped'.
Needs Debian's libonnx-testdata, python3-onnx, python3-numpy, python3-grpcio, python3-protobuf and protobuf-compiler.
"""
import argparse
import collections
import http.client
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import grpc
import numpy as np
import onnx
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from onnx import TensorProto, numpy_helper

DATA = pathlib.Path("/usr/share/libonnx-testdata/data")
PROTOS = pathlib.Path(__file__).resolve().parent.parent.parent / "schemas"
GROUPS = ("node", "simple", "pytorch-converted", "pytorch-operator")

NUMPY = {"BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "INT8": np.int8,
         "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16, "FP32": np.float32, "FP64": np.float64}
RTOL = {"FP16": 1e-2, "BF16": 1e-2}
ATOL = {"FP16": 1e-2, "BF16": 1e-2}

# Sums of large numbers that nearly cancel each other: the error is that of the numbers, not of the result.
LOOSE = [(r"^test_(dft|stft)", 1e-2)]

UNCOMPARABLE = [
    (r"bernoulli|^test_training_dropout", "random"),
    (r"^test_maxunpool_export_with_output_shape$|^test_resize_downsample_scales_(cubic|linear)_align_corners$",
     "ONNX Runtime computes something else, also by itself"),
    (r"^test_castlike_(BFLOAT16_to_FLOAT|FLOAT_to_BFLOAT16)(_expanded)?$", "the recorded input has another shape than its model declares"),
]

Case = collections.namedtuple("Case", "name directory inputs outputs")
Recorded = collections.namedtuple("Recorded", "name shape data")


class Mismatch(Exception):
    """What a served model did wrong."""


def read_tensor(path, name):
    """The recorded tensor in the protocol's bytes, whose datatype the served model's metadata tell."""
    tensor = TensorProto.FromString(path.read_bytes())
    if tensor.data_type == TensorProto.STRING:
        data = b"".join(struct.pack("<I", len(item)) + item for item in tensor.string_data)
    elif tensor.data_type == TensorProto.BFLOAT16:
        data = tensor.raw_data or np.array(tensor.int32_data, np.uint16).tobytes()
    else:
        data = numpy_helper.to_array(tensor).tobytes()
    return Recorded(name, list(tensor.dims), data)


def read_cases(only):
    """Yields a Case for every model, or a name and the reason why there is none."""
    for directory in sorted(path.parent for group in GROUPS for path in DATA.glob(f"{group}/*/model.onnx")):
        if only and not re.search(only, directory.name):
            continue
        reason = next((text for pattern, text in UNCOMPARABLE if re.search(pattern, directory.name)), None)
        graph = onnx.load(str(directory / "model.onnx"), load_external_data=False).graph
        if any(info.type.WhichOneof("value") != "tensor_type" for info in [*graph.input, *graph.output]):
            reason = "not plain tensors"
        if not graph.input:
            reason = "no inputs, of which a configuration must have one"
        if reason:
            yield directory.name, reason
            continue
        initialized = {tensor.name for tensor in graph.initializer}
        inputs = [info.name for info in graph.input if info.name not in initialized]
        recorded = directory / "test_data_set_0"
        yield Case(
            directory.name, directory,
            [read_tensor(recorded / f"input_{i}.pb", name) for i, name in enumerate(inputs) if (recorded / f"input_{i}.pb").exists()],
            [read_tensor(recorded / f"output_{i}.pb", info.name) for i, info in enumerate(graph.output)])


def write_model(case, repository):
    """Without a configuration, so that the host completes it."""
    version = repository / case.name / "1"
    version.mkdir(parents=True, exist_ok=True)
    for path in case.directory.iterdir():
        if path.is_file():
            shutil.copy(path, version / path.name)


class Http:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=60)

    def ask(self, method, path, body=b"", headers=None):
        try:
            self.connection.request(method, path, body, headers or {})
            response = self.connection.getresponse()
            return response, response.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise

    def is_ready(self):
        try:
            return self.ask("GET", "/v2/health/live")[0].status == 200
        except (http.client.HTTPException, OSError):
            return False

    def repository(self, name, action):
        """None, or why it failed."""
        response, body = self.ask("POST", f"/v2/repository/models/{name}/{action}")
        return None if response.status == 200 else body.decode(errors="replace")

    def metadata(self, name):
        response, body = self.ask("GET", f"/v2/models/{name}")
        if response.status != 200:
            raise Mismatch(f"metadata: {response.status} {body[:200]!r}")
        return json.loads(body)

    def infer(self, name, inputs):
        """{output: (datatype, shape, bytes)}"""
        header = json.dumps({
            "inputs": [{"name": i.name, "datatype": datatype, "shape": shape, "parameters": {"binary_data_size": len(i.data)}}
                       for i, datatype, shape in inputs],
            "parameters": {"binary_data_output": True}}).encode()
        response, body = self.ask(
            "POST", f"/v2/models/{name}/infer", header + b"".join(i.data for i, _, _ in inputs),
            {"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"})
        if response.status != 200:
            raise Mismatch(f"{response.status} {body[:300].decode(errors='replace')}")
        length = int(response.headers.get("Inference-Header-Content-Length", len(body)))
        rest, outputs = body[length:], {}
        for output in json.loads(body[:length])["outputs"]:
            size = output["parameters"]["binary_data_size"]
            outputs[output["name"]] = (output["datatype"], output["shape"], rest[:size])
            rest = rest[size:]
        if rest:
            raise Mismatch(f"{len(rest)} bytes behind the last output")
        return outputs


class Grpc:
    METHOD = "/inference.GRPCInferenceService/ModelInfer"

    def __init__(self, address):
        self.request, response = self.messages()
        limit = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.call = grpc.insecure_channel(address, limit).unary_unary(self.METHOD, self.request.SerializeToString, response.FromString)

    @staticmethod
    def messages():
        files = sorted(path.name for path in PROTOS.glob("*.proto"))
        with tempfile.TemporaryDirectory() as scratch:
            compiled = pathlib.Path(scratch) / "set"
            subprocess.run(["protoc", f"-I{PROTOS}", "--include_imports", f"--descriptor_set_out={compiled}", *files], check=True)
            descriptors = descriptor_pb2.FileDescriptorSet.FromString(compiled.read_bytes())
        pool = descriptor_pool.DescriptorPool()
        for file in descriptors.file:
            pool.Add(file)
        factory = message_factory.MessageFactory(pool)
        return [factory.GetPrototype(pool.FindMessageTypeByName(f"inference.ModelInfer{kind}")) for kind in ("Request", "Response")]

    def infer(self, name, inputs):
        """{output: (datatype, shape, bytes)}"""
        request = self.request(model_name=name)
        for recorded, datatype, shape in inputs:
            request.inputs.add(name=recorded.name, datatype=datatype, shape=shape)
            request.raw_input_contents.append(recorded.data)
        try:
            response = self.call(request, timeout=60)
        except grpc.RpcError as error:
            raise Mismatch(f"{error.code().name} {error.details()[:300]}") from None
        if len(response.outputs) != len(response.raw_output_contents):
            raise Mismatch(f"{len(response.outputs)} outputs with {len(response.raw_output_contents)} raw contents")
        return {output.name: (output.datatype, list(output.shape), data)
                for output, data in zip(response.outputs, response.raw_output_contents)}


def strings(data):
    items = []
    while data:
        length, = struct.unpack_from("<I", data)
        items.append(data[4:4 + length])
        data = data[4 + length:]
    return items


def numbers(datatype, data):
    if datatype == "BYTES":
        return np.array([float(item) for item in strings(data)])
    if datatype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, NUMPY[datatype])


def compare(case, outputs):
    for expected in case.outputs:
        if expected.name not in outputs:
            raise Mismatch(f"no output '{expected.name}'")
        datatype, shape, data = outputs[expected.name]
        # On the wire a scalar may be one element in one dimension.
        if shape != expected.shape and not (expected.shape == [] and shape == [1]):
            raise Mismatch(f"output '{expected.name}' has shape {shape}, not {expected.shape}")
        if data == expected.data:
            continue
        try:
            got, wanted = numbers(datatype, data), numbers(datatype, expected.data)
        except ValueError:
            raise Mismatch(f"output '{expected.name}' has other bytes") from None
        atol = next((value for pattern, value in LOOSE if re.search(pattern, case.name)), ATOL.get(datatype, 1e-5))
        if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=RTOL.get(datatype, 1e-3), atol=atol, equal_nan=True):
            raise Mismatch(f"output '{expected.name}' of {datatype} has other values")


def inputs_as_declared(case, metadata):
    """The recorded inputs with the datatype and rank that the host declares: a scalar may be a tensor of one element there."""
    declared = {tensor["name"]: tensor for tensor in metadata.get("inputs", [])}
    for recorded in case.inputs:
        if recorded.name not in declared:
            raise Mismatch(f"metadata: no input '{recorded.name}'")
        tensor = declared[recorded.name]
        yield recorded, tensor["datatype"], [1] if recorded.shape == [] and len(tensor["shape"]) == 1 else recorded.shape


class Tally:
    def __init__(self, verbose):
        self.verbose, self.models, self.failures, self.skips = verbose, 0, [], collections.Counter()
        self.served = collections.Counter()

    def skip(self, name, reason):
        self.skips[reason] += 1
        if self.verbose:
            print(f"skip {name}: {reason}")

    def ask(self, case, door, client, inputs):
        """Twice, as the second time other code may serve the same shapes."""
        try:
            for _ in range(2):
                compare(case, client.infer(case.name, inputs))
            self.served[door] += 1
            return True
        except (Mismatch, http.client.HTTPException, OSError) as error:
            self.fail(case.name, f"{door}: {error}")
            return False

    def fail(self, name, reason):
        self.failures.append(name)
        print(f"FAIL {name}: {reason}")

    def finish(self):
        for reason, count in self.skips.most_common():
            print(f"{count} skipped: {reason}")
        failed = len(set(self.failures))
        print(f"{self.served['HTTP']} of {self.models} served over HTTP, {self.served['gRPC']} of {self.models} over gRPC")
        print(f"{self.models - failed} passed, {failed} failed, {sum(self.skips.values())} skipped")
        return 1 if failed or not self.models else 0


def serve(case, repository, tally, web, rpc):
    write_model(case, repository)
    try:
        error = web.repository(case.name, "load")
        if error and "onnx runtime error" in error:
            tally.skip(case.name, "ONNX Runtime cannot load it")
            return
        tally.models += 1
        if error:
            tally.fail(case.name, f"load: {error[:400]}")
            return
        inputs = list(inputs_as_declared(case, web.metadata(case.name)))
        tally.ask(case, "HTTP", web, inputs)
        tally.ask(case, "gRPC", rpc, inputs)
        web.repository(case.name, "unload")
    except (Mismatch, http.client.HTTPException, OSError) as error:
        tally.fail(case.name, str(error))
    finally:
        shutil.rmtree(repository / case.name)


def start(command, arguments):
    (host, http_port), (_, grpc_port) = arguments.http.rsplit(":", 1), arguments.grpc.rsplit(":", 1)
    return subprocess.Popen([
        *command, f"--model-repository={arguments.repository}", "--model-control-mode=explicit", "--allow-metrics=false",
        f"--http-address={host}", f"--http-port={http_port}", f"--grpc-address={host}", f"--grpc-port={grpc_port}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repository", type=pathlib.Path, required=True)
    parser.add_argument("--http", required=True)
    parser.add_argument("--grpc", required=True)
    parser.add_argument("--only", help="a regular expression that names of models must match")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("command", nargs="*")
    arguments = parser.parse_args()
    arguments.repository.mkdir(parents=True, exist_ok=True)

    process = start(arguments.command, arguments) if arguments.command else None
    try:
        web = Http(arguments.http)
        deadline = time.monotonic() + 60
        while not web.is_ready():
            if time.monotonic() > deadline or (process and process.poll() is not None):
                sys.exit("the host does not answer")
            time.sleep(0.2)
        rpc, tally = Grpc(arguments.grpc), Tally(arguments.verbose)
        for case in read_cases(arguments.only):
            if isinstance(case, Case):
                serve(case, arguments.repository, tally, web, rpc)
            else:
                tally.skip(*case)
        return tally.finish()
    finally:
        if process:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
