"""How to cite an article or a comment: as a sentence, as BibTeX and as CSL-JSON. Pure.

A citation names the archive's own address, which stays, and the sha256 of the source, by which anyone who has that can
tell that it is the one. Nothing that was inferred is cited as if it were known: who calls leaves it empty.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import NamedTuple

# What TeX reads as something else, and how it is written instead. A brace or a backslash from a name would end a field
# or begin a command.
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FORMATS = {
    "txt": "text/plain; charset=utf-8",
    "bib": "application/x-bibtex; charset=utf-8",
    "json": "application/vnd.citationstyles.csl+json",
}


class Citation(NamedTuple):
    """What is cited. ``title`` is the article's; ``comment`` the number of a comment under it, 0 for the article.

    ``author`` and ``written`` are empty where they are not known or only inferred; times are in UTC.
    """

    key: str  # letters, digits and hyphens, unique within the archive
    title: str
    author: str
    site: str
    written: datetime | None
    archive: str
    archived: datetime
    url: str
    sha256: str
    comment: int = 0

    def formatted(self, kind: str) -> str:
        """As one of ``FORMATS``."""
        return {"txt": text, "bib": bibtex, "json": csl_json}[kind](self)


def _line(words: str) -> str:
    """On one line, without characters that are not seen: they could end the line or turn it round."""
    return " ".join(_UNSEEN.sub(" ", words).split())


def _day(at: datetime) -> str:
    return f"{at.day} {_MONTHS[at.month - 1].capitalize()} {at.year}"


def text(cited: Citation) -> str:
    """One sentence, and the digest."""
    what = (
        f"{'c' if cited.author else 'C'}omment {cited.comment:,} on “{_line(cited.title)}”"
        if cited.comment
        else f"“{_line(cited.title)}”"
    )
    parts = [_line(cited.author), what, _line(cited.site), _day(cited.written) if cited.written else ""]
    sentence = ", ".join(part for part in parts if part)
    return (
        f"{sentence}. {_line(cited.archive)}, archived {_day(cited.archived)}. {cited.url}\n"
        f"Source: sha256 {cited.sha256}\n"
    )


def bibtex(cited: Citation) -> str:
    """One ``@misc`` entry; a name is kept as it is written, in braces, and never taken apart into first and last."""
    title = f"Comment {cited.comment} on “{cited.title}”" if cited.comment else cited.title
    fields = {
        "author": f"{{{_tex(cited.author)}}}" if _line(cited.author) else "",
        "title": f"{{{_tex(title)}}}",
        "howpublished": _tex(cited.site),
        "year": str(cited.written.year) if cited.written else "",
        "month": _MONTHS[cited.written.month - 1] if cited.written else "",
        "url": re.sub(r"[{}\\\s]", lambda found: f"%{ord(found[0]):02X}", cited.url),
        "urldate": cited.archived.date().isoformat(),
        "note": _tex(f"{cited.archive}; source sha256 {cited.sha256}"),
    }
    lines = [f"  {name} = {value if name == 'month' else f'{{{value}}}'}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{cited.key},", *lines, "}", ""])


def _tex(words: str) -> str:
    return "".join(_TEX.get(character, character) for character in _line(words))


def csl_json(cited: Citation) -> str:
    """A list of one item, as reference managers import it."""
    title = f"Comment {cited.comment} on “{_line(cited.title)}”" if cited.comment else _line(cited.title)
    item = {
        "id": cited.key,
        "type": "post" if cited.comment else "webpage",
        "title": title,
        "author": [{"literal": _line(cited.author)}] if _line(cited.author) else None,
        "container-title": _line(cited.site),
        "issued": _date_parts(cited.written) if cited.written else None,
        "accessed": _date_parts(cited.archived),
        "archive": _line(cited.archive),
        "URL": cited.url,
        "note": f"source sha256 {cited.sha256}",
    }
    return json.dumps([{name: value for name, value in item.items() if value}], ensure_ascii=False, indent=2) + "\n"


def _date_parts(at: datetime) -> dict[str, list[list[int]]]:
    return {"date-parts": [[at.year, at.month, at.day]]}
