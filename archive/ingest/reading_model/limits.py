"""What one source may cost. At each limit the built-in model reads that text instead, and a Problem says which."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds of one source, and of one window of its lines. Times are seconds."""

    timeout: float = 120.0  # of one request, from connecting to the last byte
    seconds: float = 900.0  # of one source, with all its retries
    retries: int = 2  # of one window, after 429, 5xx, timeouts and broken connections
    backoff: float = 2.0  # before the first retry; doubled before each further one
    longest_wait: float = 30.0  # whatever the server asks for in Retry-After
    requests: int = 60  # of one source, retries included
    tokens: int = 200_000  # estimated, in the prompts of one source
    answer_bytes: int = 1_000_000  # of one response; no more is read
    failures: int = 3  # sources in a row that the server failed; after them it is not asked again
    window_lines: int = 200
    window_bytes: int = 24_000  # UTF-8 bytes of the lines as they are shown
    overlap: int = 40  # lines that two windows share; never more than a quarter of a window

    def in_words(self) -> str:
        """What a person agrees to, besides the texts."""
        return (
            f"at most {self.requests:,} requests and {self.tokens:,} tokens a text, retries included; {self.timeout:g} "
            f"seconds a request, {self.seconds / 60:g} minutes a text; after {self.failures} failures in a row no more"
        )
