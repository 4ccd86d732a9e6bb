"""Answers that were paid for once. They hold line numbers and no text; losing them costs only asking again."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Protocol

MOST_FILES = 10_000
MOST_BYTES = 64 * 1024 * 1024
MOST_VALUE = 1_000_000  # bytes of one answer
_KEY = re.compile("[0-9a-f]{64}")


class Cache(Protocol):
    """A dict will do. Keys are 64 hexadecimal digits, values the answers that passed the check."""

    def get(self, key: str, /) -> str | None: ...
    def __setitem__(self, key: str, value: str, /) -> None: ...


class FileCache:
    """One file an answer in a private folder; the oldest go first. Trouble with files is a miss, never an error."""

    def __init__(self, folder: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self.most_files = most_files
        self.most_bytes = most_bytes

    def get(self, key: str, /) -> str | None:
        if not _KEY.fullmatch(key):
            return None
        try:
            with (self.folder / key).open("rb") as file:
                data = file.read(MOST_VALUE + 1)
            return None if len(data) > MOST_VALUE else data.decode()
        except (OSError, UnicodeDecodeError):
            return None

    def __setitem__(self, key: str, value: str, /) -> None:
        data = value.encode("utf-8", "replace")
        if not _KEY.fullmatch(key) or len(data) > MOST_VALUE:
            return
        # Written beside and renamed, so that a killed import leaves no half answer under the key.
        made = self.folder / f".{key}.{os.getpid()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made.write_bytes(data)
            made.replace(self.folder / key)
            self._prune()
        except OSError:
            with contextlib.suppress(OSError):
                made.unlink()

    def _prune(self) -> None:
        found = []
        for entry in os.scandir(self.folder):
            with contextlib.suppress(OSError):  # another process may be pruning as well
                found.append((entry.stat().st_mtime_ns, entry.name, entry.stat().st_size))
        found.sort(reverse=True)
        total = 0
        for number, (_, name, size) in enumerate(found):
            total += size
            if number >= self.most_files or total > self.most_bytes:
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()
