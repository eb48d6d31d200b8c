"""The two networks of the GPU check: a residual CNN and a transformer encoder, with random weights that are the same every time."""
import torch
from torch import Tensor, nn


class Block(nn.Module):
    """A bottleneck: 1x1, 3x3 and 1x1 convolutions beside a shortcut."""

    def __init__(self, inputs: int, width: int, outputs: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs))
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.shortcut(x))


class Cnn(nn.Module):
    """Images [n,3,side,side] to classes [n,1000], with the stages of a ResNet of 50 layers; fewer of them where it must be small."""

    def __init__(self, blocks: tuple, width: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1))
        stages, inputs = [], width
        for stage, count in enumerate(blocks):
            inner = width << stage
            for i in range(count):
                stages.append(Block(inputs, inner, inner * 4, 2 if i == 0 and stage > 0 else 1))
                inputs = inner * 4
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inputs, 1000)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(image)).mean((2, 3)))


class Layer(nn.Module):
    """Self-attention and a feed-forward part, each normalised before and added to what came in."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries, self.keys, self.values, self.out = (nn.Linear(width, width) for _ in range(4))
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def split(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], x.shape[1], self.heads, x.shape[2] // self.heads).transpose(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        q, k, v = self.split(self.queries(y)), self.split(self.keys(y)), self.split(self.values(y))
        weights = torch.softmax(torch.matmul(q, k.transpose(2, 3)) * self.scale, dim=3)
        x = x + self.out(torch.matmul(weights, v).transpose(1, 2).reshape(x.shape[0], x.shape[1], x.shape[2]))
        return x + self.feed(self.between(x))


class Encoder(nn.Module):
    """Tokens [n,length] to a sentence's embedding [n,width], the mean of its tokens'."""

    def __init__(self, layers: int, width: int, heads: int, length: int):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(30000, width), nn.Parameter(torch.randn(1, length, width) * 0.02)
        self.layers, self.last = nn.Sequential(*(Layer(width, heads) for _ in range(layers))), nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.last(self.layers(self.tokens(tokens) + self.positions)).mean(1)


def make(name: str, is_small: bool) -> tuple:
    """The network and, for so many rows, an input made from a seed; with the configuration's datatype and dims of one row."""
    torch.manual_seed(7)
    if name == "cnn":
        side = 64 if is_small else 224
        network = Cnn((1, 1), 16) if is_small else Cnn((3, 4, 6, 3), 64)
        return network.eval(), lambda rows: torch.randn(rows, 3, side, side), "image", [3, side, side], [1000]
    length, width = (16, 64) if is_small else (128, 768)
    network = Encoder(2, width, 4, length) if is_small else Encoder(12, width, 12, length)
    return network.eval(), lambda rows: torch.randint(0, 30000, (rows, length)), "tokens", [length], [width]
