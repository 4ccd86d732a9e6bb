"""What a reader types -> terms. Any text has a reading; none is an error. Pure: no Django.

word          must occur          "some words"    must occur one after the other
-word         must not occur      -"some words"   likewise
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TERMS = 16
MAX_TERM_LENGTH = 100  # code points
_TOKEN = re.compile(r'(-?)(?:"([^"]*)(?:"|$)|(\S+))')
_HAS_LETTER_OR_DIGIT = re.compile(r"\w")


class Term(NamedTuple):
    text: str
    phrase: bool = False
    excluded: bool = False


class Query(NamedTuple):
    """Terms that must all hold; ``dropped`` says how many were beyond ``MAX_TERMS``."""

    terms: tuple[Term, ...]
    dropped: int = 0

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(term for term in self.terms if not term.excluded)

    def describe(self) -> str:
        """How the text was understood, in a sentence; empty where it is plain words."""
        if not self.dropped and not any(term.phrase or term.excluded for term in self.terms):
            return ""
        parts = [_listed("with", self.wanted), _listed("without", [t for t in self.terms if t.excluded])]
        parts.append(f"{self.dropped} more words left out" if self.dropped else "")
        return "; ".join(part for part in parts if part)


def _listed(word: str, terms: tuple[Term, ...] | list[Term]) -> str:
    shown = [f"“{term.text}”" if term.phrase else term.text for term in terms]
    return f"{word} {', '.join(shown)}" if shown else ""


def parse(text: str) -> Query:
    """The reading of ``text``; a query without a wanted term finds nothing."""
    terms: list[Term] = []
    text = text.replace("\0", " ").replace("“", '"').replace("”", '"').replace("„", '"')
    for minus, phrase, word in _TOKEN.findall(text[: MAX_TERMS * MAX_TERM_LENGTH * 2]):
        said = " ".join((phrase or word).split())[:MAX_TERM_LENGTH]
        if _HAS_LETTER_OR_DIGIT.search(said):
            terms.append(Term(said, phrase=bool(phrase), excluded=bool(minus)))
    unique = tuple(dict.fromkeys(terms))
    return Query(unique[:MAX_TERMS], dropped=max(0, len(unique) - MAX_TERMS))
