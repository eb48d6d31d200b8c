"""A client of the host in the standard library alone: the machine with the GPU may have nothing else."""
import http.client
import json
import struct


class Client:
    """One connection; used by one thread at a time."""

    def __init__(self, port, timeout=120):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, method, path, body=None, headers=None):
        """The status and the body, whatever the status."""
        self._connection.request(method, path, body, headers or {})
        response = self._connection.getresponse()
        return response.status, response.getheaders(), response.read()

    def get(self, path):
        status, _, body = self.send("GET", path)
        return status, body.decode()

    def post(self, path, message=None):
        status, _, body = self.send("POST", path, json.dumps(message or {}), {"Content-Type": "application/json"})
        return status, body.decode()

    def infer(self, model, inputs, output, parameters=None):
        """Inputs are (name, datatype, shape, bytes) or, in place of the bytes, the parameters of a shared memory region. Gives the output's bytes, or raises with the host's words."""
        head, blobs = [], []
        for name, datatype, shape, data in inputs:
            is_region = isinstance(data, dict)
            head.append({"name": name, "datatype": datatype, "shape": shape, "parameters": data if is_region else {"binary_data_size": len(data)}})
            blobs += [] if is_region else [data]
        envelope = json.dumps({"inputs": head, "outputs": [{"name": output, "parameters": parameters or {"binary_data": True}}]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(envelope)), "Content-Type": "application/octet-stream"}
        status, answer_headers, body = self.send("POST", f"/v2/models/{model}/infer", b"".join([envelope, *blobs]), headers)
        if status != 200:
            raise RuntimeError(f"{status}: {body.decode(errors='replace')}")
        length = next((int(value) for name, value in answer_headers if name.lower() == "inference-header-content-length"), len(body))
        return body[length:]

    def metrics(self, port):
        """The metrics as {name{labels}: value}."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and not line.startswith("#")}


def floats(data, datatype):
    """Little-endian numbers as a list; FP16 and FP32."""
    letter, size = ("e", 2) if datatype == "FP16" else ("f", 4)
    return struct.unpack(f"<{len(data) // size}{letter}", data)
