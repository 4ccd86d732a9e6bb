"""How often what a reading model is so sure of is right: a table that was measured for it, or its word as it stands.

``python -m archive.ingest.reading_model.calibration < TABLE`` makes the table of what the bench printed for the model
(``tests/bench/structure.py --endpoint``). Pairs of a stated confidence and the share that was right, both from 0 to 1,
rising; between them it is a straight line. Nothing is assumed for a model that was not measured.
"""

from __future__ import annotations

import json
import math
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

type Table = tuple[tuple[float, float], ...]

LEAST, MOST = 0.02, 0.98  # no confidence outside, as for the built-in model
FEWEST = 20  # cases of a tenth of confidence that say anything
MOST_PAIRS = 1_000

_ROW = re.compile(r"^starts +[\d.]+-[\d.]+ +(\d+) +mean ([\d.]+) +right ([\d.]+)")


def calibrated(stated: float, table: Table = ()) -> float:
    """Map a confidence as stated to how often that was right; to itself without a table. Inside LEAST and MOST."""
    return round(max(LEAST, min(MOST, _between(stated, table) if table else stated)), 3)


def _between(stated: float, table: Table) -> float:
    after = bisect_right(table, stated, key=lambda pair: pair[0])
    if after in {0, len(table)}:
        return table[min(after, len(table) - 1)][1]
    (a, low), (b, high) = table[after - 1], table[after]
    return low + (high - low) * (stated - a) / (b - a)


def parse(text: str) -> Table:
    """Read a table from JSON. ValueError, with a sentence, where it is none."""
    try:
        rows = json.loads(text)
        table = tuple((float(stated), float(right)) for stated, right in rows)
    except (ValueError, TypeError, RecursionError):
        raise ValueError("the calibration must be a JSON list of pairs of numbers") from None
    if not 0 < len(table) <= MOST_PAIRS:
        raise ValueError(f"the calibration must have from 1 to {MOST_PAIRS:,} pairs")
    if not all(math.isfinite(number) and 0 <= number <= 1 for pair in table for number in pair):
        raise ValueError("the numbers of the calibration must be from 0 to 1")
    if any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(table)):
        raise ValueError("the calibration must rise: what is stated surer must not be right less often")
    return table


class _Tenth(NamedTuple):
    stated: float
    cases: int
    right: float


def fit(printed: Iterable[str]) -> Table:
    """Make a table of the bench's lines on ``starts``: neighbours that fall are taken together until all rise."""
    rows = (_ROW.search(line) for line in printed)
    found = sorted(_Tenth(float(row[2]), int(row[1]), float(row[3])) for row in rows if row)
    made: list[_Tenth] = []
    for tenth in found:
        if tenth.cases < FEWEST:
            continue
        made.append(tenth)
        while len(made) > 1 and not (made[-2].stated < made[-1].stated and made[-2].right < made[-1].right):
            made[-2:] = [_together(made[-2:])]
    return tuple((round(tenth.stated, 3), round(tenth.right, 3)) for tenth in made)


def _together(some: Sequence[_Tenth]) -> _Tenth:
    cases = sum(tenth.cases for tenth in some)
    mean = [sum(tenth.cases * tenth[column] for tenth in some) / cases for column in (0, 2)]
    return _Tenth(mean[0], cases, mean[1])


def main() -> int:
    """Read what the bench printed from standard input and print the table."""
    table = fit(sys.stdin)
    if not table:
        sys.stderr.write(f"no line said how often {FEWEST} or more cases were right: nothing was measured\n")
        return 1
    sys.stdout.write(json.dumps(table) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
