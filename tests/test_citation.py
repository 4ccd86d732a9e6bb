"""Citations: what they say, and that no name can break out of its field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.citation import Citation, bibtex, csl_json, text

CITED = Citation(
    key="afterword-7-12",
    title="The last night bus",
    author="Ada Lovelace",
    site="Harrow Gazette",
    written=datetime(2017, 3, 14, 21, 7, tzinfo=UTC),
    archive="Afterword",
    archived=datetime(2026, 11, 22, tzinfo=UTC),
    url="https://archive.example/a/7/c/12/",
    sha256="ab" * 32,
    comment=13,
)


def test_a_sentence_says_who_what_where_and_when() -> None:
    assert text(CITED) == (
        "Ada Lovelace, comment 13 on “The last night bus”, Harrow Gazette, 14 Mar 2017. Afterword, archived"
        f" 22 Nov 2026. https://archive.example/a/7/c/12/\nSource: sha256 {'ab' * 32}\n"
    )


def test_what_is_not_known_is_left_out() -> None:
    cited = CITED._replace(author="", written=None, comment=0)
    assert text(cited).startswith("“The last night bus”, Harrow Gazette. Afterword")
    assert not {"author", "year", "month"} & set(re.findall(r"^  (\w+) =", bibtex(cited), re.M))
    assert not {"author", "issued"} & json.loads(csl_json(cited))[0].keys()


def test_csl_json_is_a_list_of_one_item() -> None:
    (item,) = json.loads(csl_json(CITED))
    assert (item["type"], item["author"], item["issued"]) == (
        "post",
        [{"literal": "Ada Lovelace"}],
        {"date-parts": [[2017, 3, 14]]},
    )


def fields_of(entry: str) -> dict[str, str]:
    """A reader of BibTeX: braces count unless a backslash is before them, and a field ends where they are closed."""
    head, _, rest = entry.partition("\n")
    assert re.fullmatch(r"@misc\{[\w-]+,", head)
    found: dict[str, str] = {}
    at = 0
    while not rest.startswith("}", at):
        name = re.compile(r"  (\w+) = ").match(rest, at)
        assert name, rest[at:]
        depth, end = 0, name.end()
        while depth or rest[end] not in ",":
            depth += {"{": 1, "}": -1}.get(rest[end], 0)
            assert depth >= 0
            end += 2 if rest[end] == "\\" else 1
        found[name[1]] = rest[name.end() : end]
        at = end + 2
    assert rest[at:] == "}\n"
    return found


HOSTILE = [
    "},\n@misc{evil,\n  author = {x",
    "\\input{/etc/passwd}",
    "\\",
    "{",
    "}}}}",
    "a\u202eb\u2028c\0\x85",
    "50 % & #1 $x_1^2$ ~ “”",
    "and others and and",
    '"; "',
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_bibtex(name: str) -> None:
    found = fields_of(bibtex(CITED._replace(author=name, title=name, site=name, archive=name, url=f"https://x/{name}")))
    assert set(found) <= {"author", "title", "howpublished", "year", "month", "url", "urldate", "note"}
    assert not re.search(r"\\(?!textbackslash|textascii|[{}$&#%_])", "".join(found.values()))


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_can_be_cited(name: str, title: str) -> None:
    cited = CITED._replace(author=name, title=title)
    fields_of(bibtex(cited))
    assert json.loads(csl_json(cited))[0]["URL"] == CITED.url
    assert text(cited).count("\n") == 2
