"""The readers, one a format: bytes in, a Reading out. Which one takes a source is found by sniffing its head."""

from __future__ import annotations

from typing import Protocol

from archive.ingest.readers.plain_text import PlainText
from archive.ingest.records import Reading


class Reader(Protocol):
    """Turns the bytes of one format into records.

    ``read`` never raises on bad input: it returns ``Reading.rejected``, one sentence, or problems. ``version`` grows
    whenever the same bytes may give other records. Sources above ``max_bytes`` need not be read to be rejected.
    """

    @property
    def format(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def max_bytes(self) -> int: ...

    def sniff(self, head: bytes, name: str) -> bool:
        """Say whether a source that begins with ``head`` and is called ``name`` is for this reader."""
        ...

    def read(self, data: bytes, *, name: str) -> Reading:
        """Read all of ``data``; ``name`` is the file's name, for messages and as a hint."""
        ...


_ALL: tuple[Reader, ...] = (PlainText(),)

# In the order they are asked: plain text last, because almost anything can be text.
READERS: dict[str, Reader] = {reader.format: reader for reader in _ALL}


def choose(head: bytes, name: str, format: str | None = None) -> Reader | None:  # noqa: A002 - the option's name
    """Return the reader named ``format``, or the first that takes the bytes; None if there is none."""
    if format is not None:
        return READERS.get(format)
    return next((reader for reader in READERS.values() if reader.sniff(head, name)), None)
