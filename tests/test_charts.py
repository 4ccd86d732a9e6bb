"""Counts by date as a chart, and as a table beside it."""

from __future__ import annotations

from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.views.charts import MOST_BARS, Bar, bars, timeline


def of(counts: dict[str, int]) -> tuple[str, int, int]:
    unit, made = bars(counts)
    return unit, len(made), sum(bar.number for bar in made)


def test_a_few_days_are_counted_by_day_and_the_gap_between_them_shows() -> None:
    assert bars({"2017-03-14": 3, "2017-03-16": 1}) == (
        "day",
        [
            Bar(date(2017, 3, 14), date(2017, 3, 14), "14 Mar 2017", 3),
            Bar(date(2017, 3, 15), date(2017, 3, 15), "15 Mar 2017", 0),
            Bar(date(2017, 3, 16), date(2017, 3, 16), "16 Mar 2017", 1),
        ],
    )


@pytest.mark.parametrize(
    ("last", "unit"),
    [("2014-04-01", "day"), ("2016-02-01", "month"), ("2050-01-01", "year"), ("3000-01-01", "decade")],
)
def test_a_longer_time_is_counted_by_a_longer_unit(last: str, unit: str) -> None:
    assert of({"2014-03-01": 2, last: 5})[::2] == (unit, 7)


def test_what_was_counted_by_month_is_not_shown_by_day() -> None:
    assert of({"2017-03": 1, "2017-04": 2}) == ("month", 2, 3)
    assert of({"2017": 1, "2018": 2}) == ("year", 2, 3)


@given(st.dictionaries(st.dates().map(date.isoformat), st.integers(1, 10**9), min_size=1, max_size=50))
def test_any_dates_make_a_bounded_number_of_bars_that_add_up(counts: dict[str, int]) -> None:
    _, made = bars(counts)
    assert len(made) <= MOST_BARS
    assert sum(bar.number for bar in made) == sum(counts.values())
    assert all(bar.first <= bar.last for bar in made)
    assert all(one.last + timedelta(days=1) == two.first for one, two in pairwise(made))


@pytest.mark.parametrize("counts", [{}, {"2017-03-14": 9}, {"": 1}, {"yesterday!": 3}, {"2017-02-30": 3}, {"2017": 0}])
def test_nothing_is_drawn_where_there_is_nothing_to_compare(counts: dict[str, int]) -> None:
    assert timeline(counts, name="t") == ""


def drawn(**options: object) -> ElementTree.Element:
    counts = {"2017-03-14": 3, "2017-03-16": 1}
    return ElementTree.fromstring(timeline(counts, name="t", **options))  # type: ignore[arg-type]


def test_each_bar_leads_to_its_days_in_the_drawing_and_in_the_table() -> None:
    chart = drawn(link=lambda first, last: f"?since={first}&until={last}")
    links = ["?since=2017-03-14&until=2017-03-14", "?since=2017-03-16&until=2017-03-16"]
    assert [link.get("href") for link in chart.findall("svg/a")] == links
    assert [link.get("href") for link in chart.findall(".//tbody//a")] == links
    assert [cell.text for cell in chart.iter("td")] == ["3", "1"]


def test_it_has_a_name_and_a_description_and_each_bar_says_what_it_is() -> None:
    chart = drawn()
    assert chart.findtext("svg/title") == "Comments by day"
    assert chart.findtext("svg/desc") == (
        "Comments by day, 14 Mar 2017 to 16 Mar 2017; most in 14 Mar 2017: 3 comments."
    )
    assert [bar.get("aria-label") for bar in chart.findall("svg/g")] == [
        "14 Mar 2017: 3 comments",
        "16 Mar 2017: 1 comment",
    ]


def test_bars_outside_what_was_chosen_are_marked() -> None:
    marks = [bar.get("class") for bar in drawn(since=date(2017, 3, 15)).findall("svg/g/rect")]
    assert marks == ["reach", "bar away", "reach", "bar"]


def test_it_is_html_without_style_and_an_address_cannot_break_out() -> None:
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend([tag, *(name for name, _ in attrs)])

    Reader().feed(timeline({"2017": 1, "2018": 1}, name="t", link=lambda first, last: '"><script>'))
    assert not {"style", "script", "fill"} & set(found)
