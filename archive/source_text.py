"""The lines of a source around a place, without decoding the whole of it for each page.

A source is decoded once and kept in pieces, by its sha256, in this process: at most ``MOST_KEPT`` bytes of all, those
that nobody asked for longest go first. What was received changes only where a part of it is erased; how often that
was done is a part of the name by which it is kept.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import zstandard

from archive.ingest.readers.decoding import decode
from archive.ingest.records import Span
from archive.models import Source

PIECE = 64 * 1024  # code points of a piece; it ends with a line
MOST_KEPT = 64 * 1024 * 1024  # bytes of decoded sources
MOST_PIECES = 16  # that are looked through for one page, where nearly all lines are blank

_BREAK = re.compile(r"\r\n?|\n")


class Piece(NamedTuple):
    """Whole lines, as UTF-8. ``start`` counts code points, ``number`` is that of the first line, from 1."""

    start: int
    number: int
    data: bytes


class Line(NamedTuple):
    """A line that is not blank, without its end; ``span`` counts code points of the source."""

    span: Span
    number: int
    text: str


def pieces_of(text: str) -> Iterator[Piece]:
    at, number = 0, 1
    while at < len(text):
        found = _BREAK.search(text, at + PIECE)
        end = found.end() if found else len(text)
        part = text[at:end]
        yield Piece(at, number, part.encode())
        at, number = end, number + len(_BREAK.findall(part))


def lines_of(piece: Piece) -> list[Line]:
    text, found, at = piece.data.decode(), [], 0
    ends = [*((match.start(), match.end()) for match in _BREAK.finditer(text)), (len(text), len(text))]
    for number, (end, following) in enumerate(ends, piece.number):
        if raw := text[at:end].strip() and text[at:end]:
            found.append(Line(Span(piece.start + at, piece.start + end), number, raw))
        at = following
    return found


def lines_around(pieces: Sequence[Piece], at: int, *, before: int, after: int) -> tuple[list[Line], int]:
    """Lines around offset ``at``, and the index of the one in which it lies, or of the nearest above it.

    So many ``before`` and ``after`` that one, as far as there are that many near it.
    """
    first = last = max(0, bisect_right(pieces, at, key=lambda piece: piece.start) - 1)
    lines = lines_of(pieces[first]) if pieces else []
    here = bisect_right(lines, at, key=lambda line: line.span.start) - 1
    while here < before and first > 0 and last - first < MOST_PIECES:
        first -= 1
        more = lines_of(pieces[first])
        lines, here = more + lines, here + len(more)
    here = max(0, here)  # a place above the first line is seen from that line
    while len(lines) - here <= after and last + 1 < len(pieces) and last - first < 2 * MOST_PIECES:
        last += 1
        lines += lines_of(pieces[last])
    return lines, here


class _Kept:
    """Decoded sources, the ones asked for last at the end."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self.sources: OrderedDict[str, tuple[Piece, ...]] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, name: str) -> tuple[Piece, ...] | None:
        with self.lock:
            if name in self.sources:
                self.sources.move_to_end(name)
            return self.sources.get(name)

    def put(self, name: str, pieces: tuple[Piece, ...]) -> None:
        with self.lock:
            if name not in self.sources and _size(pieces) <= self.most:
                self.sources[name] = pieces
                self.size += _size(pieces)
            while self.size > self.most:
                self.size -= _size(self.sources.popitem(last=False)[1])


def _size(pieces: Sequence[Piece]) -> int:
    return sum(len(piece.data) for piece in pieces)


_kept = _Kept(MOST_KEPT)


def pieces(source: Source) -> tuple[Piece, ...] | None:
    """The source's text in pieces; None where it was too large to be kept. ``source.content`` may be deferred."""
    name = f"{source.sha256} {len(source.redacted)}"
    found = _kept.get(name)
    if found is None:
        content = Source.objects.filter(pk=source.pk).values_list("content", flat=True).first()
        if content is None:
            return None
        found = tuple(pieces_of(decode(zstandard.decompress(bytes(content))).text))
        _kept.put(name, found)
    return found
