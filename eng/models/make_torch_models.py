#!/usr/bin/env python3
"""Writes the TorchScript files of the tests, and of the model that is served beside models/: make_torch_models.py [DIR]. Needs PyTorch 1.13 or later, such as Debian's python3-torch."""
import inspect
import pathlib
import sys
from typing import Dict, List, NamedTuple, Optional, Tuple

import torch
from torch import Tensor, nn

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent.parent / "tests/Runtime.Backends.Tests/models/torch"
SERVED = HERE.parent.parent / "benchmarks/load/models-torch/image_colors/1"

# TorchScript writes the path of each source into the file; this one's shall not depend on where it lies.
source_file = inspect.getsourcefile
inspect.getsourcefile = lambda thing: pathlib.Path(__file__).name if source_file(thing) == __file__ else source_file(thing)


class AddSub(nn.Module):
    """Triton's naming convention: INPUT__0, INPUT__1 in, OUTPUT__0, OUTPUT__1 out."""

    def forward(self, INPUT__0: Tensor, INPUT__1: Tensor) -> Tuple[Tensor, Tensor]:
        return INPUT__0 + INPUT__1, INPUT__0 - INPUT__1


class Masked(nn.Module):
    """Named arguments, two of them with defaults."""

    def forward(self, x: Tensor, mask: Optional[Tensor] = None, scale: float = 2.0) -> Tensor:
        y = x * scale
        return y if mask is None else y * mask


class Lists(nn.Module):
    def forward(self, parts: List[Tensor]) -> List[Tensor]:
        return [part * 2 for part in parts]


class Dicts(nn.Module):
    def forward(self, features: Dict[str, Tensor]) -> Dict[str, Tensor]:
        return {"sum": features["a"] + features["b"], "product": features["a"] * features["b"]}


class Nested(nn.Module):
    """A tuple that holds a list, a dictionary, a None and plain numbers."""

    def forward(self, x: Tensor) -> Tuple[Tensor, List[Tensor], Dict[str, Tensor], Optional[Tensor], int, float, bool]:
        nothing: Optional[Tensor] = None
        return x, [x + 1, x + 2], {"negated": -x}, nothing, x.numel(), 0.5, True


class Pair(NamedTuple):
    low: Tensor
    high: Tensor


class Named(nn.Module):
    def forward(self, x: Tensor) -> Pair:
        return Pair(x.min(), x.max())


class Identity(nn.Module):
    """Returns its input itself; for every element type."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Views(nn.Module):
    """Outputs that share memory with each other, with the weights and with the input."""

    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.arange(4.0))

    def forward(self, x: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:
        doubled = x * 2
        return doubled, doubled.t(), self.table, x[0]


class Raises(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if int(x.numel()) > 0:
            raise RuntimeError("the model refuses: größer als erlaubt")
        return x


class TwoMethods(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.encode(x).sum(dim=1)

    @torch.jit.export
    def encode(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Strings(nn.Module):
    def forward(self, texts: List[str]) -> Tuple[List[str], Tensor]:
        return [text.upper() for text in texts], torch.tensor([len(text) for text in texts])


class Complex(nn.Module):
    """Returns element types and layouts that nothing serves."""

    def forward(self, x: Tensor, sparse: bool = False) -> Tuple[Tensor, Tensor]:
        return x, x.to_sparse() if sparse else torch.complex(x, x)


class Cnn(nn.Module):
    """A small image classifier: [batch, 3, 32, 32] to [batch, 10]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.AdaptiveAvgPool2d(1),
            nn.Flatten(), nn.Linear(32, 10))

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.project(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = torch.softmax(q @ k.transpose(-2, -1) / float(width // self.heads) ** 0.5, dim=-1)
        return self.output((weights @ v).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.attention, self.before, self.after = Attention(width, heads), nn.LayerNorm(width), nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.before(x))
        return x + self.narrow(torch.nn.functional.gelu(self.wide(self.after(x))))


class Encoder(nn.Module):
    """A small transformer encoder: INT64 tokens [batch, length] below 256 to [batch, length, 64]."""

    def __init__(self, width: int = 64, blocks: int = 2):
        super().__init__()
        self.embedding = nn.Embedding(256, width)
        self.blocks = nn.ModuleList([Block(width, 4) for _ in range(blocks)])

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return x


class ImageColors(nn.Module):
    """The mean color of an RGB image of any size, and how many of its pixels are how bright, as shares of eight bins from dark to bright."""

    def forward(self, image: Tensor) -> Dict[str, Tensor]:
        pixels = image.to(torch.float32).flatten(1, 2)
        brightness = pixels @ torch.tensor([0.299, 0.587, 0.114], device=image.device)
        bins = (brightness / 32).to(torch.int64).clamp(0, 7)
        return {"mean": pixels.mean(dim=1), "brightness": torch.nn.functional.one_hot(bins, 8).to(torch.float32).mean(dim=1)}


def save_onnx(name: str, model: nn.Module, example: Tensor, axes: Dict[int, str]):
    """The same network for the other backend, with the names of Triton's convention."""
    torch.onnx.export(model, (example,), str(TARGET / f"{name}.onnx"), opset_version=17, input_names=["INPUT__0"],
                      output_names=["OUTPUT__0"], dynamic_axes={"INPUT__0": axes, "OUTPUT__0": axes})


def main():
    torch.manual_seed(20)
    TARGET.mkdir(parents=True, exist_ok=True)
    models = {
        "add_sub": AddSub(), "masked": Masked(), "lists": Lists(), "dicts": Dicts(), "nested": Nested(), "named": Named(),
        "identity": Identity(), "views": Views(), "raises": Raises(), "two_methods": TwoMethods(), "strings": Strings(),
        "complex": Complex(), "cnn": Cnn(), "encoder": Encoder(), "small_encoder": Encoder(24, 1),
    }
    if len(sys.argv) < 2:
        del models["encoder"]  # too large for the repository
    for name, model in models.items():
        torch.jit.script(model.eval()).save(str(TARGET / f"{name}.pt"))
    save_onnx("cnn", models["cnn"], torch.zeros(2, 3, 32, 32), {0: "batch"})
    save_onnx("small_encoder", models["small_encoder"], torch.zeros(2, 3, dtype=torch.int64), {0: "batch", 1: "length"})
    (TARGET / "broken.pt").write_bytes(b"this is no archive\n")
    if len(sys.argv) < 2:
        SERVED.mkdir(parents=True, exist_ok=True)
        torch.jit.script(ImageColors().eval()).save(str(SERVED / "model.pt"))


main()
