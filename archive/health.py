"""``/healthz``: the process answers. ``/readyz``: it can serve.

It cannot while the database does not answer or is not migrated, or was restored from a backup that holds again what was
erased since.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from archive import suppressions


class HealthMiddleware:
    """Answers both before anything else, so that a probe needs neither a known host name nor https nor a session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            problem = not_ready()
            return JsonResponse({"status": problem or "ok"}, status=503 if problem else 200)
        return self.get_response(request)


def not_ready() -> str:
    """Why requests cannot be served yet, or an empty string."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "the database does not answer"
    if pending:
        return "migrations are pending: run manage.py migrate"
    return "erasures are missing in a restored database: run manage.py apply_suppressions" if _restored() else ""


def _restored() -> bool:
    try:
        return bool(suppressions.not_applied())
    except (OSError, ValueError):
        return True  # a list that cannot be read may name what must not be shown
