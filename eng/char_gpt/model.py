"""A small character-level GPT whose attention cache is an explicit input and output."""
import math

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.head_width = width // heads
        self.scale = 1.0 / math.sqrt(self.head_width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x, past, bias):
        """past: [2, N, heads, P, head_width]; returns the output and the cache grown by T."""
        n, t = x.shape[0], x.shape[1]
        qkv = self.qkv(x).reshape(n, t, 3, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        present = torch.cat([past, qkv[1:]], dim=3)
        scores = torch.matmul(qkv[0], present[0].transpose(-2, -1)) * self.scale + bias
        mixed = torch.matmul(torch.softmax(scores, dim=-1), present[1])
        return self.out(mixed.transpose(1, 2).reshape(n, t, self.heads * self.head_width)), present


class Block(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x, past, bias):
        mixed, present = self.attention(self.norm1(x), past, bias)
        x = x + mixed
        return x + self.mlp(self.norm2(x)), present


class CharGpt(nn.Module):
    """Positions enter only as distances (a linear bias on attention), so the oldest cache entries may be dropped."""

    def __init__(self, vocabulary: int, width: int = 128, heads: int = 4, layers: int = 4, hidden: int = 384):
        super().__init__()
        self.width, self.heads, self.layers = width, heads, layers
        self.embedding = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList([Block(width, heads, hidden) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        slopes = [2.0 ** (-8.0 * (head + 1) / heads) for head in range(heads)]
        self.register_buffer("slopes", torch.tensor(slopes).reshape(heads, 1, 1))
        self.apply(_initialise)

    def forward(self, tokens, past_key_values):
        """tokens: [N, T] int64; past_key_values: [layers, 2, N, heads, P, head_width] -> logits [N, T, V], the grown cache."""
        bias = self._bias(tokens, past_key_values)
        x = self.embedding(tokens)
        presents = []
        for layer, block in enumerate(self.blocks):
            x, present = block(x, past_key_values[layer], bias)
            presents.append(present)
        return torch.matmul(self.norm(x), self.embedding.weight.t()), torch.stack(presents)

    def _bias(self, tokens, past_key_values):
        # Counted with cumsum, not arange, so that tracing keeps both lengths dynamic even when P is 0.
        past = torch.ones_like(past_key_values[0, 0, 0, 0, :, 0])
        new = torch.ones_like(tokens[0], dtype=torch.float32)
        keys = torch.cumsum(torch.cat([past, new]), dim=0)
        queries = torch.cumsum(new, dim=0) + past.sum()
        distance = queries.unsqueeze(1) - keys.unsqueeze(0)
        return -self.slopes * distance + (distance < 0).to(torch.float32) * -1e9

    def empty_past(self, batch: int):
        return torch.zeros(self.layers, 2, batch, self.heads, 0, self.width // self.heads)


def _initialise(module):
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
        if getattr(module, "bias", None) is not None:
            nn.init.zeros_(module.bias)
