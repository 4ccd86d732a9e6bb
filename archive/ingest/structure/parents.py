"""Which earlier comment a comment quotes. ``links`` weighs that with everything else that says whom it answers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from archive.ingest.records import Span

REACH = 50_000  # code points before a comment in which its quotes are looked for; bounds the work
SEEN = 3_000  # code points of a comment in which quotes are looked for
MOST_QUOTES = 5  # of one comment

_MARK = re.compile(r"[>“„«\"]")  # far faster to look for
_QUOTE = re.compile(r"(?m)^>+[ \t]*(?P<angle>[^\r\n]{25,})|[“„«\"](?P<marks>[^“”„«»\"\r\n]{25,})[”“»\"]")


def _quotes(text: str, span: Span) -> list[str]:
    start, end = span.start, min(span.end, span.start + SEEN)
    if not _MARK.search(text, start, end):
        return []
    found = _QUOTE.finditer(text, start, end)
    return [(m["angle"] or m["marks"]).strip(" .…")[:200] for m, _ in zip(found, range(MOST_QUOTES), strict=False)]


def _quoted(text: str, spans: Sequence[Span], starts: Sequence[int], index: int) -> int | None:
    begin = spans[index].start
    for quote in _quotes(text, spans[index]):
        # Searching from the first comment on: a quote of the article says nothing about whom the comment answers.
        at = text.rfind(quote, max(starts[0], begin - REACH), begin)
        if at >= 0:
            return bisect_right(starts, at) - 1
    return None


def quoted_comments(text: str, spans: Sequence[Span]) -> list[int | None]:
    """Return for each comment the index of the comment it quotes, or None. Spans are in text order."""
    starts = [span.start for span in spans]
    return [_quoted(text, spans, starts, index) for index in range(len(spans))]
