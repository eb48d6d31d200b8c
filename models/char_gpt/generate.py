#!/usr/bin/env python3
"""Continues a text, character by character; the attention cache travels with each request as binary tensors."""
import argparse
import http.client
import json
import math
import pathlib
import random
import struct

LAYERS, HEADS, HEAD_WIDTH = 4, 4, 32
WINDOW = 128  # characters that the model looks back at; it was trained on as many
BLOCKS, ROW = LAYERS * 2 * HEADS, HEAD_WIDTH * 4


def infer(connection, tokens, past):
    """Token numbers and the cache before them -> logits of the next character and the cache after them, as bytes."""
    raw = struct.pack(f"<{len(tokens)}q", *tokens)
    shape = [LAYERS, 2, 1, HEADS, len(past) // (BLOCKS * ROW), HEAD_WIDTH]
    header = json.dumps({
        "inputs": [
            {"name": "tokens", "shape": [1, len(tokens)], "datatype": "INT64", "parameters": {"binary_data_size": len(raw)}},
            {"name": "past_key_values", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": len(past)}}],
        "outputs": [
            {"name": "logits", "parameters": {"binary_data": True}},
            {"name": "present_key_values", "parameters": {"binary_data": True}}]}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    connection.request("POST", "/v2/models/char_gpt/infer", header + raw + past, headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(json.loads(body)["error"])
    return outputs_of(body, int(response.headers["Inference-Header-Content-Length"]))


def outputs_of(body, header_length):
    tensors, position = {}, header_length
    for output in json.loads(body[:header_length])["outputs"]:
        size = output["parameters"]["binary_data_size"]
        tensors[output["name"]] = (body[position:position + size], output["shape"])
        position += size
    logits, shape = tensors["logits"]
    return struct.unpack(f"<{shape[-1]}f", logits[-4 * shape[-1]:]), tensors["present_key_values"][0]


def newest(past):
    """The cache without what is older than the window; the model knows distances only, so nothing else changes."""
    block = len(past) // BLOCKS
    kept = min(block, (WINDOW - 1) * ROW)
    return past if kept == block else b"".join(past[end - kept:end] for end in range(block, len(past) + 1, block))


def pick(logits, temperature):
    if temperature <= 0:
        return max(range(len(logits)), key=logits.__getitem__)
    top = max(logits)
    return random.choices(range(len(logits)), [math.exp((logit - top) / temperature) for logit in logits])[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prompt", nargs="?", default="And the servant said unto the king, ")
    parser.add_argument("--count", type=int, default=400, help="characters to write")
    parser.add_argument("--temperature", type=float, default=0.6, help="0 always takes the likeliest character")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--host", default="127.0.0.1:8000")
    options = parser.parse_args()
    random.seed(options.seed)
    characters = json.loads(pathlib.Path(__file__).with_name("vocab.json").read_text(encoding="utf-8"))
    unknown = sorted(set(options.prompt) - set(characters))
    if unknown or not options.prompt:
        raise SystemExit(f"the model does not know {unknown}" if unknown else "the prompt is empty")

    connection = http.client.HTTPConnection(options.host)
    tokens, past = [characters.index(c) for c in options.prompt], b""
    print(options.prompt, end="", flush=True)
    for _ in range(options.count):
        logits, past = infer(connection, tokens, newest(past))
        tokens = [pick(logits, options.temperature)]
        print(characters[tokens[0]], end="", flush=True)
    print()


if __name__ == "__main__":
    main()
