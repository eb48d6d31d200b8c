#!/usr/bin/env python3
"""Serves the repository of make_models.py and prints a table of what held: check.py HOST REPOSITORY REFERENCE [--cpu] [--minutes N] [-- HOST FLAGS]."""
import argparse
import base64
import concurrent.futures
import json
import pathlib
import statistics
import sys
import time
import traceback

from client import Client, floats
from cuda_memory import SharedDeviceMemory
from host import PORTS, Host

CYCLES = 30
GROWTH = 1.10


class Check:
    """The cases and the table that grows with each of them."""

    def __init__(self, options):
        self.options, self.failed = options, 0
        self.cases = json.loads((options.reference / "cases.json").read_text())
        self.data = {case["reference"]: ((options.reference / f"{case['reference']}.in").read_bytes(), (options.reference / f"{case['reference']}.out").read_bytes()) for case in self.cases}

    def row(self, name, figure, is_met):
        self.failed += not is_met
        print(f"| {name} | {figure} | {'yes' if is_met else 'NO'} |", flush=True)

    def run(self, name, case):
        """A case that fails for a reason of its own costs its row, not the rest of the table."""
        try:
            case()
        except Exception as reason:  # whatever it is belongs into the table
            self.row(name, f"{type(reason).__name__}: {reason}".replace("\n", " ")[:400], False)
            traceback.print_exc(file=sys.stderr)

    def serve(self, repository=None, more=()):
        flags = [flag for flag in self.options.flags if flag != "--"]
        return Host(self.options.host, repository or self.options.repository, self.options.reference / "host.log", [*flags, *more])

    def ask(self, client, case, first, rows=1):
        """What the host answers for these rows of the reference."""
        given, _ = self.data[case["reference"]]
        size = len(given) // case["rows"]
        return client.infer(case["model"], [(case["input"], case["type"], [rows, *case["dims"]], given[first * size:(first + rows) * size])], case["output"])

    def error(self, case, answer, first, rows=1):
        """The largest distance from PyTorch's answer, relative to its largest number."""
        _, expected = self.data[case["reference"]]
        size = len(expected) // case["rows"]
        wanted, got = floats(expected[first * size:(first + rows) * size], case["float"]), floats(answer, case["float"])
        scale = max(map(abs, wanted)) or 1
        return max(abs(a - b) for a, b in zip(wanted, got, strict=True)) / scale

    def check_first(self, case):
        """The first request after ready beside the median of those that follow."""
        client, times = Client(PORTS["http"]), []
        for i in range(60):
            start = time.perf_counter()
            self.ask(client, case, i)
            times.append(time.perf_counter() - start)
        first, median = times[0] * 1e3, statistics.median(times[1:]) * 1e3
        self.row(f"{case['model']}: first request after ready, median of the next 59", f"{first:.2f}, {median:.2f} ms", first <= 2 * median)

    def check_answers(self, case):
        """Rows one by one from many clients, so that they share batches, and eight rows at once."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            errors = list(pool.map(lambda i: self.error(case, self.ask(Client(PORTS["http"]), case, i), i), range(case["rows"])))
        errors.append(self.error(case, self.ask(Client(PORTS["http"]), case, 8, 8), 8, 8))
        limit = 2e-2 if case["float"] == "FP16" else 1e-3
        self.row(f"{case['model']}: {case['rows']} rows from 16 clients and 8 at once, furthest from PyTorch", f"{max(errors):.1e} of its largest number", max(errors) <= limit)

    def check_sample(self, example):
        """A model of models/ on the GPU and on the CPU, asked the same."""
        name, request, client = example.stem, json.loads(example.read_text()), Client(PORTS["http"])
        outputs = []
        for suffix in ("gpu", "cpu"):
            status, text = client.post(f"/v2/models/{name}_{suffix}/infer", request)
            if status != 200:
                raise RuntimeError(f"{name}_{suffix}: {text}")
            outputs.append({output["name"]: output["data"] for output in json.loads(text)["outputs"]})
        got, wanted = outputs
        scale = max(1e-9, *(abs(value) for data in wanted.values() for value in data))
        error = max(abs(a - b) for output in wanted for a, b in zip(got[output], wanted[output], strict=True)) / scale
        self.row(f"{name} of models/ on the GPU, furthest from the CPU", f"{error:.1e} of its largest number", error <= 1e-2)

    def check_metrics(self):
        found = {name.split("{")[0]: value for name, value in Client(PORTS["http"]).metrics(PORTS["metrics"]).items() if name.startswith("nv_gpu_")}
        wanted = ["nv_gpu_memory_total_bytes", "nv_gpu_memory_used_bytes", "nv_gpu_utilization", "nv_gpu_power_usage"]
        is_met = all(name in found for name in wanted) and 0 < found["nv_gpu_memory_used_bytes"] <= found["nv_gpu_memory_total_bytes"]
        self.row("GPU metrics", ", ".join(f"{name[7:]} {found[name]:.3g}" for name in wanted if name in found), is_met)

    def check_absent_gpu(self):
        case = self.cases[0]
        client = Client(PORTS["http"])
        config = json.loads(client.get(f"/v2/models/{case['model']}/config")[1])
        config["instance_group"] = [{"kind": "KIND_GPU", "gpus": [63], "count": 1}]
        status, text = client.post(f"/v2/repository/models/{case['model']}/load", {"parameters": {"config": json.dumps(config)}})
        self.row("a GPU that is not there", text.strip()[:300], status >= 400 and ("63" in text or "GPU" in text))
        self.ask(client, case, 0)  # what was loaded before still serves

    def check_out_of_memory(self):
        """With an arena that holds the weights and little more, a large batch fails by itself, and a small one is answered."""
        case, client = next(case for case in self.cases if case["model"] == "encoder_onnx"), Client(PORTS["http"])
        config = json.loads(client.get(f"/v2/models/{case['model']}/config")[1])
        weights = (self.options.repository / case["model"] / "1" / "model.onnx").stat().st_size
        config["model_warmup"], config["parameters"] = [], {"gpu_mem_limit": {"string_value": str(weights + (16 << 20))}}
        path = f"/v2/repository/models/{case['model']}"
        status, text = client.post(f"{path}/load", {"parameters": {"config": json.dumps(config)}})
        if status != 200:
            raise RuntimeError(text)
        try:
            self.ask(client, case, 0, 32)
            text = "answered"
        except RuntimeError as reason:
            text = str(reason)
        error = self.error(case, self.ask(client, case, 0), 0)
        self.row("out of memory: a batch of 32; then one row, furthest from PyTorch", f"{text[:200]}; {error:.1e}", text != "answered" and error <= 2e-2)
        client.post(f"{path}/unload")
        client.post(f"{path}/load")

    def check_cycles(self):
        """Unloading and loading again gives back what it took; the first cycles fill caches that stay."""
        client, seen = Client(PORTS["http"]), []
        with self.serve() as host:
            host.wait_ready(600)
            for _ in range(CYCLES):
                for case in self.cases:
                    for verb in ("unload", "load"):
                        status, text = client.post(f"/v2/repository/models/{case['model']}/{verb}")
                        if status != 200:
                            raise RuntimeError(f"{verb} of {case['model']}: {text}")
                    self.ask(client, case, 0)
                seen.append((host.resident_mb(), self.device_mb()))
        early, late = seen[CYCLES // 2], seen[-1]
        for name, before, after in zip(("host memory", "device memory"), early, late):
            self.row(f"{CYCLES} cycles of unloading and loading every model: {name} after half of them and at the end", f"{before:.0f}, {after:.0f} MB", after <= before * GROWTH)

    def check_shared_memory(self, case):
        given, expected = self.data[case["reference"]]
        client = Client(PORTS["http"])
        sizes = {"in": len(given) // case["rows"], "out": len(expected) // case["rows"]}
        regions = {name: SharedDeviceMemory(size) for name, size in sizes.items()}
        regions["in"].write(given[:sizes["in"]])
        for name, region in regions.items():
            status, text = client.post(f"/v2/cudasharedmemory/region/{name}/register", {
                "raw_handle": {"b64": base64.b64encode(region.handle).decode()}, "device_id": 0, "byte_size": region.length})
            if status != 200:
                raise RuntimeError(text)
        client.infer(case["model"], [(case["input"], case["type"], [1, *case["dims"]], {"shared_memory_region": "in", "shared_memory_byte_size": sizes["in"]})],
                     case["output"], {"shared_memory_region": "out", "shared_memory_byte_size": sizes["out"]})
        error = self.error(case, regions["out"].read(sizes["out"]), 0)
        client.post("/v2/cudasharedmemory/unregister")
        self.row(f"{case['model']}: input and output in CUDA shared memory, furthest from PyTorch", f"{error:.1e} of its largest number", error <= 2e-2)

    def check_mixed_load(self, minutes):
        """All models under load at once; what the device holds stays flat."""
        end, served, used = time.monotonic() + 60 * minutes, [], []

        def work(i):
            client, count, case = Client(PORTS["http"]), 0, self.cases[i % len(self.cases)]
            while time.monotonic() < end:
                rows = 1 + (count * 7 + i) % 8
                if count % 50 == 0:
                    answer = self.ask(client, case, i % 32, rows)
                    if self.error(case, answer, i % 32, rows) > 2e-2:
                        raise RuntimeError(f"{case['model']} answered wrongly under load")
                else:
                    self.ask(client, case, i % 32, rows)
                count += 1
            return count

        with concurrent.futures.ThreadPoolExecutor(13) as pool:
            running = [pool.submit(work, i) for i in range(12)]
            while time.monotonic() < end:
                time.sleep(1)
                used.append(self.device_mb())
            served = [future.result() for future in running]
        early, late = max(used[:max(1, len(used) // 10)]), max(used[-max(1, len(used) // 10):])
        self.row(f"{minutes:g} minutes of mixed load, {sum(served)} requests: device memory in the first tenth and in the last", f"{early:.0f}, {late:.0f} MB", late <= max(early, 1) * GROWTH)

    def check_lost_device(self):
        """A token beyond the table makes the kernel assert, after which CUDA answers nothing but errors in this process."""
        case = next(case for case in self.cases if case["model"] == "encoder_torch")
        with self.serve(more=["--load-model=encoder_torch"]) as host:
            host.wait_ready(600)
            bad = (2**31).to_bytes(8, "little") * case["dims"][0]
            try:
                Client(PORTS["http"]).infer(case["model"], [(case["input"], case["type"], [1, *case["dims"]], bad)], case["output"])
                text = "answered"
            except RuntimeError as reason:
                text = str(reason)
            code = host.wait_exit(120)
        self.row("a device-side assertion: the request's error, then the exit code", f"{text[:200]}; {code}", code not in (0, None))

    def device_mb(self):
        values = Client(PORTS["http"]).metrics(PORTS["metrics"])
        return sum(value for name, value in values.items() if name.startswith("nv_gpu_memory_used_bytes")) / 2**20

    def all(self):
        print("| what | figure | met |\n|---|---|---|", flush=True)
        with self.serve() as host:
            ready = host.wait_ready(900)
            self.row("start to ready, all models", f"{ready:.1f} s", True)
            for case in self.cases:
                self.run("first request", lambda case=case: self.check_first(case))
            for case in self.cases:
                self.run("answers", lambda case=case: self.check_answers(case))
            for example in sorted((self.options.reference / "samples").glob("*.json")):
                self.run(f"{example.stem} of models/", lambda example=example: self.check_sample(example))
            self.run("a GPU that is not there", self.check_absent_gpu)
            if not self.options.cpu:
                self.run("metrics", self.check_metrics)
                self.run("out of memory", self.check_out_of_memory)
                for case in self.cases:
                    self.run(f"{case['model']}: CUDA shared memory", lambda case=case: self.check_shared_memory(case))
            self.run("mixed load", lambda: self.check_mixed_load(self.options.minutes))
        self.run("cycles", self.check_cycles)
        if not self.options.cpu:
            self.run("lost device", self.check_lost_device)
        return 1 if self.failed else 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("host", type=pathlib.Path)
    arguments.add_argument("repository", type=pathlib.Path)
    arguments.add_argument("reference", type=pathlib.Path)
    arguments.add_argument("--cpu", action="store_true")
    arguments.add_argument("--minutes", type=float, default=3)
    arguments.add_argument("flags", nargs="*")
    sys.exit(Check(arguments.parse_args()).all())


if __name__ == "__main__":
    main()
