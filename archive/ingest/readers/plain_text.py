"""Plain text: one article and its comments as one page, one paragraph a line. ``structure`` tells them apart."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archive.ingest.readers.decoding import Decoded, decode, mark_of
from archive.ingest.readers.language import language_of
from archive.ingest.records import STATED, Basis, Claim, Discussion, Post, Problem, Reading, Span
from archive.ingest.structure import Recovered, recover
from archive.ingest.structure import version as structure_version

if TYPE_CHECKING:
    from archive.ingest.reading_model import ReaderModel

MAX_BYTES = 32 * 1024 * 1024  # a page of discussion is rarely above 1 MB
MAX_LINES = 200_000  # memory grows with the lines: five kilobytes each where each is a comment
BY_MODEL = "+"  # in a reader's version, before the reading model's
TITLE_LENGTH = 120  # code points
TITLE_LOOKED_AT = 2_000  # code points in which the first sentence must end
# Measured: of 1,156 labelled articles none had its first sentence as its title. It stands in for one, no more.
TITLE_CONFIDENCE = 0.02

_BREAKS = re.compile(r"\r\n?")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s)|[。！？]+[」』”]*")
_STOPS = ".!?…:;,。！？：；，"
_CLOSING = "\"'”’»)]」』 "
_CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1b"})
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|\?xml|rss|feed)\b", re.IGNORECASE)
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"BZh91AY&SY", "bzip2-compressed"),
    (b"\xfd7zXZ\0", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstandard-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\x7fELF", "a program"),
)


@dataclass(frozen=True, slots=True)
class PlainText:
    """The reader of last resort: it takes all that is not markup, so that its rejection can say what a file is."""

    format: str = "text"
    max_bytes: int = MAX_BYTES
    model: ReaderModel | None = None

    @property
    def version(self) -> str:
        """Return what takes texts apart: the built-in model and, where one is asked, the reading model."""
        return f"1.{structure_version()}" + (f"{BY_MODEL}{self.model.version}" if self.model else "")

    def asking(self, model: ReaderModel) -> PlainText:
        """Return a reader that asks ``model`` instead of the built-in one."""
        return replace(self, model=model)

    def sniff(self, head: bytes, name: str) -> bool:
        """Say yes to all but what begins like HTML or XML."""
        marked = mark_of(head)
        return not _MARKUP.match(head[len(marked[0]) :] if marked else head)

    def read(self, data: bytes, *, name: str) -> Reading:
        """Return a Reading with one Discussion, or rejected. Never raises on any bytes."""
        refusal = self._refusal(data)
        decoded = Decoded("", "") if refusal else decode(data)
        refusal = refusal or _text_refusal(decoded.text)
        version, discussions = self.version, []
        if not refusal:
            found, by_model, problems = self.model.take_apart(decoded.text) if self.model else _built_in(decoded.text)
            # Where the model failed, the version is the built-in one's, so that asking for the model again tries again.
            version = version if by_model else version.partition(BY_MODEL)[0]
            key = hashlib.sha256(data).hexdigest()
            discussions = [discussion_of(decoded.text, found, key=key, problems=problems)]
        return Reading(
            format=self.format,
            reader_version=version,
            discussions=discussions,
            encoding=decoded.encoding,
            length=len(decoded.text),
            problems=decoded.problems,
            rejected=refusal,
            text=decoded.text,
        )

    def text_of(self, data: bytes) -> str:
        """Return the text that ``read`` would take apart; an empty one where it would refuse the data."""
        text = "" if self._refusal(data) else decode(data).text
        return "" if _text_refusal(text) else text

    def _refusal(self, data: bytes) -> str:
        if not data:
            return "The file is empty."
        if len(data) > self.max_bytes:
            return f"The file has {len(data):,} bytes; plain text is read up to {self.max_bytes:,} bytes."
        what = next((what for magic, what in _MAGIC if data.startswith(magic)), "")
        if what:
            return f"The file is {what}, not plain text."
        controls = 0 if mark_of(data) else len(data) - len(data.translate(None, _CONTROLS))
        # A stray control character survives in many old texts; eight of them, and one in twenty, are not strays.
        if controls <= max(8, len(data) // 20):
            return ""
        if data.count(0) > len(data) // 3:
            return "The file is full of NUL bytes: it is binary, or UTF-16 text without a byte order mark."
        return f"The file is binary, not text: {controls:,} of its {len(data):,} bytes are control characters."


def _built_in(text: str) -> tuple[Recovered, bool, tuple[Problem, ...]]:
    return recover(text), False, ()


def discussion_of(text: str, found: Recovered, *, key: str, problems: Sequence[Problem] = ()) -> Discussion:
    """Return the discussion in ``text``, which has something visible in it and nothing that cannot be stored."""
    title, title_claim, body = title_of(_normal(text, found.article))
    problems = list(problems)
    if not _BREAKS.sub("\n", text).strip().count("\n"):
        problems.append(Problem("whole text", "only one line", "taken as an article without comments"))
    return Discussion(
        key=key,
        title=title,
        title_claim=title_claim,
        body=body,
        comments=_posts(text, found),
        article_span=found.article,
        article_claim=found.article_claim,
        language=language_of(text[found.article.start : found.article.end]),
        left_out=found.left_out,
        problems=problems,
    )


def _posts(text: str, found: Recovered) -> list[Post]:
    return [
        Post(
            external_id=str(comment.span.start),
            text=_normal(text, comment.span),
            span=comment.span,
            parent=None if comment.parent is None else str(found.comments[comment.parent].span.start),
            author=comment.author,
            posted_at=comment.posted_at,
            boundary_claim=comment.boundary,
            parent_claim=comment.parent_claim,
            author_claim=comment.author_claim,
            date_claim=comment.date_claim,
        )
        for comment in found.comments
    ]


def _normal(text: str, span: Span) -> str:
    return _BREAKS.sub("\n", text[span.start : span.end])


def _visible(text: str) -> bool:
    """Say whether there is anything in ``text`` that a reader could see, not only blanks, controls and marks."""
    return any(unicodedata.category(c) not in {"Cc", "Cf", "Zs", "Zl", "Zp"} for c in text)


def _text_refusal(text: str) -> str:
    if not _visible(text):
        return "The file holds only blanks."
    lines = 1 + text.count("\n") + text.count("\r") - text.count("\r\n")
    return f"The file has {lines:,} lines; plain text is read up to {MAX_LINES:,} lines." if lines > MAX_LINES else ""


def title_of(article: str) -> tuple[str, Claim, str]:
    """Return (title, its claim, body) of the article's text. The title is one line and never empty."""
    first, _, rest = article.partition("\n")
    if _is_headline(first, rest):
        return " ".join(first.split()), STATED, rest.strip()
    reason = "no headline in the source; its beginning stands in for one"
    return _first_sentence(article), Claim(Basis.INFERRED, TITLE_CONFIDENCE, reason), article


def _is_headline(line: str, rest: str) -> bool:
    """Say whether ``line`` is the headline of ``rest``: short, no sentence, and above something that reads like text.

    Strict on purpose: "stated" must not be said of a caption or a menu that happens to come first.
    """
    bare = line.rstrip(_CLOSING)
    if not bare or len(line) > TITLE_LENGTH or bare[-1] in _STOPS or "://" in line:
        return False
    below = next((b for b in (part.strip() for part in rest[:TITLE_LOOKED_AT].split("\n")) if b), "")
    is_text = len(below) > len(line) and below.rstrip(_CLOSING)[-1:] in set(_STOPS)
    return is_text and bare[0].isalnum() and not bare[0].islower() and any(map(str.isalpha, bare))


def _first_sentence(article: str) -> str:
    lines = (" ".join(line.split()) for line in article[:TITLE_LOOKED_AT].split("\n"))
    line = next((line for line in lines if _visible(line)), "")
    end = _SENTENCE_END.search(line)
    sentence = line[: end.end()] if end else line
    if len(sentence) <= TITLE_LENGTH:
        return sentence or "Untitled"
    cut = sentence[:TITLE_LENGTH]  # one more than fits, so that a word that ends just there is kept
    words, space, _ = cut.rpartition(" ")
    return (words if space else cut[:-1]).rstrip(" ,;:") + "…"
