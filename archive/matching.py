"""What a rule looks for in a text, in time linear in the text's length: words, a pattern, links.

Pure: no Django. Patterns are those of RE2, which never backtracks, whatever a person writes. Places are half-open
ranges of code points.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

from archive import redaction
from archive.redaction import Marks

WORDS, PATTERN, LINKS = "words", "pattern", "links"
LINK = r"(?i)https?://|\bwww\."
MEMORY = 64 * 1024 * 1024  # bytes for one compiled rule
KEPT = 400  # compiled rules

type Place = tuple[int, int]


@lru_cache(maxsize=KEPT)
def compiled(kind: str, body: str) -> Any:
    """The RE2 pattern of a rule; raises ``re2.error``. Words stand between what is no letter and no digit."""
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.case_sensitive = kind == PATTERN
    if kind == LINKS:
        return re2.compile(LINK, options)
    if kind == PATTERN:
        return re2.compile(body, options)
    said = "|".join(_word(word) for word in sorted(words_of(body)))
    return re2.compile(rf"(?:^|[^\pL\pN])({said})(?:$|[^\pL\pN])", options)


def words_of(body: str) -> set[str]:
    return {" ".join(line.split()) for line in body.splitlines() if line.strip()}


def _word(word: str) -> str:
    """A star at the end stands for the rest of a word; space for any white space."""
    stem = word.removesuffix("*")
    return r"\s+".join(re2.escape(part) for part in stem.split()) + (r"[\pL\pN]*" if word.endswith("*") else "")


def places_in(kind: str, body: str, text: str, *, most: int | None = None) -> list[Place]:
    """The places in their order, the first ``most`` where that is given.

    What stands between two words belongs to the match of the first, so that the second one is missed where only that
    one is between them: words are looked for again with those that were found covered.
    """
    found = _once(kind, body, text, most)
    if kind == WORDS and found and (most is None or len(found) < most):
        found = sorted([*found, *_once(kind, body, redaction.cover(text, found), most)])[:most]
    return found


def _once(kind: str, body: str, text: str, most: int | None) -> list[Place]:
    group, found = 1 if kind == WORDS else 0, list[Place]()
    for match in compiled(kind, body).finditer(text):
        found.append(match.span(group))
        if most is not None and len(found) >= most:
            break
    return found


def marks_in(kind: str, body: str, text: str) -> Marks:
    """Marks for all that is found in a text, as whole words: what is covered in it, and wherever it is said again."""
    return redaction.marks_at(text, places_in(kind, body, text))
