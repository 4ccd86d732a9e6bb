"""Statements that each connection plans once: for those of which planning took longer than running.

Django puts values into the text of a statement before it sends it, so that Postgres plans every one anew. What is run
here is sent with its values apart, and kept ready by its connection. It goes through Django's cursor all the same, so
that its errors are Django's, and tests see it among the queries.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import connection
from psycopg.types.numeric import Int8Dumper


class _Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Prepares what it runs. All whole numbers are bigints: by their size they would make other statements of it."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        super().__init__(raw)
        self.adapters.register_dumper(int, Int8Dumper)
        raw.prepare_threshold = sys.maxsize  # prepare nothing but what is asked for; None would forbid that as well

    def execute(self, query: Any, params: Any = None, **_: Any) -> Any:
        return super().execute(query, params, prepare=True)


def run(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows, if it has any. Lists are arrays, of which the statement says the type."""
    connection.ensure_connection()
    cursor: Any = _Cursor(connection.connection)
    wrapped = connection.make_debug_cursor(cursor) if connection.queries_logged else connection.make_cursor(cursor)
    wrapped.execute(statement, values)
    return wrapped.fetchall() if cursor.description else []


def run_unasked(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The same past Django: it is not asked whether the connection is alive, and errors are psycopg's."""
    connection.ensure_connection()
    return _Cursor(connection.connection).execute(statement, values).fetchall()  # type: ignore[no-any-return]
