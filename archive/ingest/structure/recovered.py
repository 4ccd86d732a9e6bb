"""What structure recovery hands back: spans of the text it was given, each with how sure it is. No text is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from archive.ingest.records import UNKNOWN, Claim, LeftOut, Span


@dataclass(frozen=True, slots=True)
class RecoveredComment:
    """One comment: where it is, and what could be told about it.

    ``parent`` is an index into ``Recovered.comments``, always smaller than the comment's own, or None. None with an
    unknown claim means "nobody can tell", not "on the article".
    """

    span: Span
    boundary: Claim
    parent: int | None = None
    parent_claim: Claim = UNKNOWN
    author: str | None = None
    author_claim: Claim = UNKNOWN
    posted_at: datetime | None = None
    date_claim: Claim = UNKNOWN


@dataclass(frozen=True, slots=True)
class Recovered:
    """A flat text taken apart. ``article``, the comments and ``left_out`` tile the text: no gap, no overlap.

    ``article_claim`` says how sure it is that the article ends where ``article`` ends. ``left_out`` is in text order.
    """

    article: Span
    article_claim: Claim
    comments: tuple[RecoveredComment, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
