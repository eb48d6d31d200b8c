#!/usr/bin/env python3
"""Makes the GPU check's model repository and what PyTorch itself answers: make_models.py REPOSITORY REFERENCE SAMPLES [--cpu].

Each network is there as ONNX and as TorchScript, with FP16 inputs, weights and outputs on a GPU (FP32 with --cpu, and small).
REFERENCE gets NAME.in, NAME.out (raw rows) and cases.json, which check.py reads. Of SAMPLES, the repository's models/, the ONNX
models are there twice, on the GPU as NAME_gpu and on the CPU as NAME_cpu, with their example requests in REFERENCE/samples.
"""
import argparse
import ctypes
import json
import pathlib
import re
import shutil

import torch

from networks import make

ROWS = 64
MAX_BATCH = 32
CONFIG = """name: "{name}"
platform: "{platform}"
max_batch_size: {batch}
input [ {{ name: "{input}" data_type: TYPE_{type} dims: {dims} }} ]
output [ {{ name: "{output}" data_type: TYPE_{float} dims: {out} }} ]
dynamic_batching {{ }}
instance_group [ {{ kind: {kind} count: 1 }} ]
model_warmup [ {warmup} ]
{more}"""
WARMUP = '{{ name: "rows_{n}" batch_size: {n} inputs {{ key: "{input}" value {{ data_type: TYPE_{type} dims: {dims} zero_data: true }} }} }}'


def raw(tensor):
    tensor = tensor.detach().cpu().contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.numel() * tensor.element_size())


def write_config(folder, name, platform, fields, more=""):
    inputs = "INPUT__0" if platform == "pytorch_libtorch" else fields["input"]
    output = "OUTPUT__0" if platform == "pytorch_libtorch" else "output"
    warmup = ", ".join(WARMUP.format(n=n, input=inputs, type=fields["type"], dims=fields["dims"]) for n in (1, MAX_BATCH))
    values = {**fields, "name": name, "platform": platform, "input": inputs, "output": output, "batch": MAX_BATCH, "warmup": warmup, "more": more}
    (folder / name / "1").mkdir(parents=True, exist_ok=True)
    (folder / name / "config.pbtxt").write_text(CONFIG.format(**values))
    return folder / name / "1", inputs, output


def export_onnx(network, example, name, path):
    """The exporter that traces needs no further packages; where a release has it no more, the other one does."""
    options = {"input_names": [name], "output_names": ["output"], "opset_version": 17, "dynamic_axes": {name: {0: "batch"}, "output": {0: "batch"}}}
    try:
        torch.onnx.export(network, (example,), str(path), **options, **({"dynamo": False} if torch.__version__ >= "2.5" else {}))
    except (TypeError, ImportError, AttributeError) as reason:
        print(f"the tracing exporter refused ({reason}); trying the other")
        torch.onnx.export(network, (example,), str(path), dynamo=True, external_data=False, input_names=[name], output_names=["output"],
                          dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=MAX_BATCH)},))


def copy_samples(samples, repository, examples, gpu_kind):
    """Model by model that has an ONNX file: two copies that differ in their name and kind, and the first example that is there."""
    examples.mkdir(parents=True, exist_ok=True)
    for model in sorted(path.parents[1] for path in samples.glob("*/1/model.onnx")):
        for suffix, kind in (("gpu", gpu_kind), ("cpu", "KIND_CPU")):
            copy = repository / f"{model.name}_{suffix}"
            shutil.copytree(model, copy)
            config = (copy / "config.pbtxt").read_text()
            (copy / "config.pbtxt").write_text(re.sub(r'^name: .*', f'name: "{copy.name}"', config, flags=re.MULTILINE).replace("KIND_CPU", kind))
        example = next(model / name for name in ("request.json", "speech.json") if (model / name).exists())
        shutil.copy(example, examples / f"{model.name}.json")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("repository", type=pathlib.Path)
    arguments.add_argument("reference", type=pathlib.Path)
    arguments.add_argument("samples", type=pathlib.Path)
    arguments.add_argument("--cpu", action="store_true")
    options = arguments.parse_args()
    device, dtype = ("cpu", torch.float32) if options.cpu else ("cuda", torch.float16)
    options.reference.mkdir(parents=True, exist_ok=True)
    copy_samples(options.samples, options.repository, options.reference / "samples", "KIND_CPU" if options.cpu else "KIND_GPU")
    cases = []
    for kind in ("cnn", "encoder"):
        network, inputs, name, dims, out = make(kind, options.cpu)
        network = network.to(device=device, dtype=dtype)
        torch.manual_seed(11)
        rows = inputs(ROWS)
        rows = rows.to(device=device, dtype=dtype if rows.is_floating_point() else rows.dtype)
        half = "FP32" if options.cpu else "FP16"
        fields = {"input": name, "type": half if rows.is_floating_point() else "INT64", "float": half, "dims": dims, "out": out,
                  "kind": "KIND_CPU" if options.cpu else "KIND_GPU"}
        with torch.no_grad():
            answers = torch.cat([network(part) for part in rows.split(8)])
            (options.reference / f"{kind}.in").write_bytes(raw(rows))
            (options.reference / f"{kind}.out").write_bytes(raw(answers))
            folder, read, written = write_config(options.repository, f"{kind}_onnx", "onnxruntime_onnx", fields)
            export_onnx(network, rows[:2], name, folder / "model.onnx")
            cases.append({**fields, "model": f"{kind}_onnx", "reference": kind, "input": read, "output": written, "rows": ROWS})
            folder, read, written = write_config(options.repository, f"{kind}_torch", "pytorch_libtorch", fields)
            torch.jit.trace(network, rows[:2]).save(str(folder / "model.pt"))
            cases.append({**fields, "model": f"{kind}_torch", "reference": kind, "input": read, "output": written, "rows": ROWS})
        print(f"{kind}: {sum(p.numel() for p in network.parameters()) / 1e6:.1f} M parameters, {half}")
    (options.reference / "cases.json").write_text(json.dumps(cases, indent=1))


if __name__ == "__main__":
    main()
