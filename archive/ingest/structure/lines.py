"""Text to lines. A line is the unit of recovery: in bare text one paragraph is one line."""

from __future__ import annotations

import re
from typing import NamedTuple

from archive.ingest.records import Span

# str.splitlines would also split at U+2028, U+0085, \v and \f, which people have inside their paragraphs.
_LINE = re.compile(r"[^\r\n]+")


class Line(NamedTuple):
    """A line with something on it; the span leaves out blanks at both ends, the text is what the span covers."""

    span: Span
    text: str


def split_lines(text: str) -> list[Line]:
    r"""Return the lines of ``text`` that are not blank. Lines end at \n, \r\n or \r."""
    lines = []
    for match in _LINE.finditer(text):
        raw = match.group()
        kept = raw.strip()
        if kept:
            start = match.start() + len(raw) - len(raw.lstrip())
            lines.append(Line(Span(start, start + len(kept)), kept))
    return lines
