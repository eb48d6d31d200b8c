#!/usr/bin/python3
"""Trains the character model on the King James Bible and writes models/char_gpt.

Needs Debian's python3-torch, python3-onnx, libopenblas0-pthread, bible-kjv and bible-kjv-text.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import time

# Threads that spin between operations starve each other on a small or shared machine: twice as slow.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
import torch
from torch.nn import functional as F

from model import CharGpt

OPSET = 17
NAMES = {"\n": "newline", " ": "space"}


def read_text() -> str:
    """The whole text, one verse a line, without the references."""
    lines = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True, capture_output=True, text=True).stdout.splitlines()
    return "\n".join(line.split(" ", 1)[1].strip() for line in lines if " " in line) + "\n"


def batch_of(data, batch, length):
    starts = torch.randint(len(data) - length - 1, (batch,))
    rows = torch.stack([data[start:start + length + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def loss_of(model, inputs, targets):
    logits, _ = model(inputs, model.empty_past(len(inputs)))
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def held_out_loss(model, data, length):
    rows = data[:len(data) // (length + 1) * (length + 1)].reshape(-1, length + 1)[:256]
    with torch.no_grad():
        return sum(loss_of(model, part[:, :-1], part[:, 1:]).item() * len(part) for part in rows.split(64)) / len(rows)


def train(model, data, options):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.98))
    warmup = max(1, options.steps // 20)
    began = time.monotonic()
    for step in range(options.steps):
        done = max(0, step - warmup) / max(1, options.steps - warmup)
        rate = options.learning_rate * min(1.0, (step + 1) / warmup) * (0.05 + 0.475 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(model, *batch_of(data, options.batch, options.length))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if step % 100 == 0 or step == options.steps - 1:
            print(f"step {step} loss {loss.item():.3f} after {time.monotonic() - began:.0f} s", flush=True)


def export(model, characters, options):
    """Writes the ONNX file, the vocabulary and the labels, and the TorchScript file when asked."""
    target = pathlib.Path(options.out)
    (target / "1").mkdir(parents=True, exist_ok=True)
    tokens = torch.zeros(2, 3, dtype=torch.int64)
    past = torch.randn(model.layers, 2, 2, model.heads, 5, model.width // model.heads)
    axes = {"tokens": {0: "batch", 1: "length"}, "past_key_values": {2: "batch", 4: "past"},
            "logits": {0: "batch", 1: "length"}, "present_key_values": {2: "batch", 4: "present"}}
    file = str(target / "1" / "model.onnx")
    torch.onnx.export(model, (tokens, past), file, opset_version=OPSET, dynamic_axes=axes,
                      input_names=["tokens", "past_key_values"], output_names=["logits", "present_key_values"])
    fix_shapes(file, model, len(characters))
    (target / "vocab.json").write_text(json.dumps(characters, indent=None) + "\n")
    (target / "labels.txt").write_text("".join(NAMES.get(c, c) + "\n" for c in characters))
    if options.torchscript:
        torch.jit.save(torch.jit.trace(model, (tokens, past)), options.torchscript)


def fix_shapes(file, model, vocabulary):
    # The tracer names outputs' known dimensions after the nodes that made them.
    import onnx
    graph = onnx.load(file)
    shapes = {"logits": ["batch", "length", vocabulary],
              "present_key_values": [model.layers, 2, "batch", model.heads, "present", model.width // model.heads]}
    for output in graph.graph.output:
        for axis, value in zip(output.type.tensor_type.shape.dim, shapes[output.name]):
            axis.Clear()
            if isinstance(value, int):
                axis.dim_value = value
            else:
                axis.dim_param = value
    graph.producer_name, graph.producer_version = "runtime", ""
    for node in graph.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(graph)
    onnx.save(graph, file)


def sample(model, characters, prompt, count):
    index = {c: i for i, c in enumerate(characters)}
    tokens, past, text = torch.tensor([[index[c] for c in prompt]]), model.empty_past(1), prompt
    with torch.no_grad():
        for _ in range(count):
            logits, past = model(tokens, past)
            tokens = torch.multinomial(torch.softmax(logits[:, -1] / 0.7, dim=-1), 1)
            text += characters[tokens.item()]
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=str(pathlib.Path(__file__).resolve().parents[2] / "models" / "char_gpt"))
    parser.add_argument("--torchscript", help="also write the model as TorchScript to this file")
    parser.add_argument("--steps", type=int, default=1700)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(options.threads)

    text = read_text()
    characters = sorted(set(text))
    index = {c: i for i, c in enumerate(characters)}
    data = torch.tensor([index[c] for c in text])
    held_out = len(data) // 40
    model = CharGpt(len(characters))
    print(f"{len(data)} characters, {len(characters)} different; {sum(p.numel() for p in model.parameters())} parameters")
    train(model, data[:-held_out], options)
    model.eval()
    print(f"held-out loss {held_out_loss(model, data[-held_out:], options.length):.3f}")
    print(sample(model, characters, "In the beginning ", 300))
    export(model, characters, options)


if __name__ == "__main__":
    main()
