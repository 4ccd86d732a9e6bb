"""Progress that others can see while an import is still inside its transaction."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Any

from django.db import connection

EVERY = 1.0  # seconds between two writes


class LiveProgress(AbstractContextManager["LiveProgress"]):
    """Counts the comments stored for one source and writes the number, on a connection of its own, once a second.

    The import's own connection could not: what it writes is invisible to the progress page until it commits.
    """

    def __init__(self, source_id: int) -> None:
        self.source_id = source_id
        self.stored = 0
        self.written_at = time.monotonic()
        self.connection: Any = None

    def __call__(self, stored: int) -> None:
        self.stored += stored
        if time.monotonic() - self.written_at >= EVERY:
            self.write()

    def write(self) -> None:
        self.written_at = time.monotonic()
        if self.connection is None:
            self.connection = connection.get_new_connection(connection.get_connection_params())
            self.connection.autocommit = True
        statement = "UPDATE archive_source SET progress = %s WHERE id = %s"
        self.connection.execute(statement, [self.stored, self.source_id])

    def __exit__(self, *_: object) -> None:
        if self.connection is not None:
            self.connection.close()
