"""Bytes of an unstated encoding -> text. Never fails; says what it took the bytes for and what it had to replace."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from archive.ingest.records import Problem, storable


class Decoded(NamedTuple):
    """The text without its byte order mark and safe to store, the encoding it was read as, and what was replaced."""

    text: str
    encoding: str
    problems: tuple[Problem, ...] = ()


# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The 0x80-0x9F row as WHATWG has it: the five bytes that Windows-1252 leaves undefined are C1 controls, not errors.
_CP1252 = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(256))
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_ASCII = bytes(range(128))
_SURROGATE = re.compile("[\ud800-\udfff]")


def mark_of(data: bytes) -> tuple[bytes, str] | None:
    """Return (byte order mark, encoding) where ``data`` begins with a mark."""
    return next((mark for mark in _MARKS if data.startswith(mark[0])), None)


def decode(data: bytes) -> Decoded:
    """Decode ``data``. NUL and lone surrogates become U+FFFD one for one; each replacement is counted in a problem."""
    marked = mark_of(data)
    if marked:
        mark, encoding = marked
        text, problems = _as(encoding, data[len(mark) :], len(mark))
        name = "utf-8-sig" if encoding == "utf-8" else encoding
    else:
        text, name, problems = _unmarked(data)
    stored, more = _storable(text)
    return Decoded(stored, name, (*problems, *more))


def _as(encoding: str, data: bytes, offset: int) -> tuple[str, tuple[Problem, ...]]:
    """Decode as the mark says; ``offset`` is where ``data`` begins in the file."""
    try:
        return _joined(data.decode(encoding, "surrogatepass")), ()
    except UnicodeDecodeError as error:
        what = f"bytes that are not {encoding.upper()} (the first here)"
        if encoding == "utf-8":
            what = f"{_bad_bytes(data)[1]} {what}"
        problem = Problem(f"byte {offset + error.start}", what, "replaced by U+FFFD")
        return data.decode(encoding, "replace"), (problem,)


def _unmarked(data: bytes) -> tuple[str, str, tuple[Problem, ...]]:
    try:
        return _joined(data.decode("utf-8", "surrogatepass")), "utf-8", ()
    except UnicodeDecodeError as error:
        first = error.start
    good, bad = _bad_bytes(data)
    # Windows-1252 text looks like valid UTF-8 only by accident, so twice as many good sequences as bad bytes decide.
    if good > 2 * bad:
        text, problems = _as("utf-8", data, 0)
        return text, "utf-8", problems
    text = codecs.charmap_decode(data, "strict", _CP1252)[0]
    what = f"not UTF-8, and no encoding is stated ({bad} such bytes, the first here)"
    return text, "cp1252", (Problem(f"byte {first}", what, "the whole text was read as Windows-1252"),)


def _bad_bytes(data: bytes) -> tuple[int, int]:
    """Return (valid multi-byte sequences, bytes outside ASCII that belong to none)."""
    rest, good = _MULTIBYTE.subn(b"", data)
    return good, len(rest.translate(None, _ASCII))


def _joined(text: str) -> str:
    """Join surrogate pairs that were encoded one by one (Java and old MySQL do that): they are not damage."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _storable(text: str) -> tuple[str, tuple[Problem, ...]]:
    problems = []
    for count, what in ((text.count("\0"), "NUL"), (_SURROGATE.subn("", text)[1], "lone surrogate")):
        if count:
            problems.append(
                Problem("whole text", f"{count} {what} code points, which no database keeps", "replaced by U+FFFD")
            )
    return (storable(text) if problems else text), tuple(problems)
