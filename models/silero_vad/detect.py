#!/usr/bin/env python3
"""Prints where someone speaks in a recording (16 kHz, mono, 16 bits), asking the server for one frame after the other."""
import argparse
import array
import http.client
import json
import pathlib
import sys
import wave

CONTEXT, STEP, RATE = 64, 512, 16000
BEGIN, END, PATIENCE = 0.5, 0.35, 4  # probabilities, and the quiet frames after which speech is over


def read_samples(path):
    with wave.open(path) as recording:
        if (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path}: expected 16 kHz, mono, 16 bits")
        samples = array.array("h", recording.readframes(recording.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return [sample / 32768 for sample in samples]


def infer(connection, frame, state):
    """One frame and the state before it -> the probability of speech and the state after it."""
    request = {"inputs": [
        {"name": "input", "shape": [1, len(frame)], "datatype": "FP32", "data": frame},
        {"name": "state", "shape": [2, 1, 128], "datatype": "FP32", "data": state},
        {"name": "sr", "shape": [1], "datatype": "INT64", "data": [RATE]}]}
    connection.request("POST", "/v2/models/silero_vad/infer", json.dumps(request), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise SystemExit(answer["error"])
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return outputs["output"][0], outputs["stateN"]


def probabilities(connection, samples):
    state, padded = [0.0] * 256, [0.0] * CONTEXT + samples
    for start in range(0, len(samples) - STEP + 1, STEP):
        probability, state = infer(connection, padded[start:start + CONTEXT + STEP], state)
        yield probability


def intervals(values):
    """Frames [first, end) of each stretch of speech."""
    first, last = None, 0
    for frame, value in enumerate(values):
        if value >= (BEGIN if first is None else END):
            first, last = frame if first is None else first, frame
        elif first is not None and frame - last >= PATIENCE:
            yield first, last + 1
            first = None
    if first is not None:
        yield first, last + 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", nargs="?", default=str(pathlib.Path(__file__).with_name("speech.wav")))
    parser.add_argument("--host", default="127.0.0.1:8000")
    options = parser.parse_args()
    samples = read_samples(options.recording)
    found = list(intervals(probabilities(http.client.HTTPConnection(options.host), samples)))
    for first, end in found:
        print(f"speech from {first * STEP / RATE:.2f} s to {end * STEP / RATE:.2f} s")
    if not found:
        print("no speech")


if __name__ == "__main__":
    main()
