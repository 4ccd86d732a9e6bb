"""What workers do about accounts: throw away what has expired."""

from __future__ import annotations

import logging

from django.core.management import call_command
from procrastinate.contrib.django import app

from accounts import attempts

log = logging.getLogger(__name__)


@app.periodic(cron="17 * * * *")
@app.task(name="accounts.jobs.purge", queueing_lock="accounts.purge")
def purge(timestamp: int | None = None) -> None:
    """Wrong attempts that count no more, and sessions that nobody can use any more."""
    log.info("purged", extra={"attempts": attempts.purge()})
    call_command("clearsessions")
