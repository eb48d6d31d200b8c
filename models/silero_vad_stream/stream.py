#!/usr/bin/env python3
"""Prints where someone speaks in a recording (16 kHz, mono, 16 bits), streaming its frames; the server keeps the state between them."""
import argparse
import array
import http.client
import json
import pathlib
import sys
import wave

CONTEXT, STEP, RATE = 64, 512, 16000
BEGIN, END, PATIENCE = 0.5, 0.35, 4  # probabilities, and the quiet frames after which speech is over
HEADER = "Inference-Header-Content-Length"


def read_samples(path):
    with wave.open(path) as recording:
        if (recording.getframerate(), recording.getnchannels(), recording.getsampwidth()) != (RATE, 1, 2):
            raise SystemExit(f"{path}: expected 16 kHz, mono, 16 bits")
        samples = array.array("h", recording.readframes(recording.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    return [sample / 32768 for sample in samples]


def infer(connection, frame, sequence):
    """One frame of a sequence -> the probability of speech."""
    samples = array.array("f", frame)
    if sys.byteorder == "big":
        samples.byteswap()
    header = json.dumps({"parameters": sequence, "inputs": [
        {"name": "sr", "shape": [1], "datatype": "INT64", "data": [RATE]},
        {"name": "input", "shape": [1, len(frame)], "datatype": "FP32", "parameters": {"binary_data_size": 4 * len(frame)}}]}).encode()
    connection.request("POST", "/v2/models/silero_vad_stream/infer", header + samples.tobytes(), {HEADER: str(len(header))})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise SystemExit(answer["error"])
    return answer["outputs"][0]["data"][0]


def probabilities(connection, samples, name):
    """One sequence from the first frame to the last. A frame brings the last samples of the one before it along."""
    padded = [0.0] * CONTEXT + samples
    starts = range(0, len(samples) - STEP + 1, STEP)
    for start in starts:
        sequence = {"sequence_id": name, "sequence_start": start == starts[0], "sequence_end": start == starts[-1]}
        yield infer(connection, padded[start:start + CONTEXT + STEP], sequence)


def intervals(values):
    """Frames [first, end) of each stretch of speech, as soon as it is over."""
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
    recording = pathlib.Path(__file__).resolve().parents[1] / "silero_vad" / "speech.wav"
    parser.add_argument("recording", nargs="?", default=str(recording))
    parser.add_argument("--host", default="127.0.0.1:8000")
    parser.add_argument("--sequence", default="microphone-1", help="the stream's name; streams at the same time need different ones")
    options = parser.parse_args()
    samples = read_samples(options.recording)
    found = 0
    for first, end in intervals(probabilities(http.client.HTTPConnection(options.host), samples, options.sequence)):
        print(f"speech from {first * STEP / RATE:.2f} s to {end * STEP / RATE:.2f} s", flush=True)
        found += 1
    if not found:
        print("no speech")


if __name__ == "__main__":
    main()
