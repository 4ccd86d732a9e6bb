"""What workers do: import, extract, index. Each job may run twice or be killed and run again without harm.

Start a worker with ``manage.py procrastinate worker``; any number of machines may have one.
"""

from __future__ import annotations

import logging

from django.contrib.auth import get_user_model
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.jobs import Status

from archive import bulk, cases, counters, notices, queue, reports, rules, scoring
from archive.entities import resolver
from archive.ingest import importer
from archive.models import Rule
from archive.search import sync

log = logging.getLogger(__name__)
MAX_ATTEMPTS = 5
STALLED_AFTER = 60  # seconds without a heartbeat: the worker is gone


@app.task(name="archive.jobs.import_received", retry=3)
def import_received(
    source_id: int,
    site: str,
    format: str | None = None,  # noqa: A002  the field's name
    reading_model: str = "",
) -> None:
    """``reading_model`` is the label of the one that the archivist agreed to; empty for none."""
    model = importer.agreed_model(reading_model)
    report = importer.import_received(source_id, site=site, format=format, reader_model=model)
    log.info("imported", extra={"source": source_id, "outcome": report.outcome})


@app.task(name="archive.jobs.extract_entities", retry=3)
def extract_entities(article_id: int) -> None:
    found = resolver.extract_article(article_id)
    log.info("extracted", extra={"article": article_id, "mentions": found})


@app.task(name="archive.jobs.work_on_case", retry=3)
def work_on_case(case_id: int) -> None:
    """Mask, unmask or erase, as the case says; killed and run again, it goes on."""
    done = cases.carry_out(case_id)
    log.info("worked on a case", extra={"case": case_id, "articles": done})


@app.periodic(cron="* * * * *")
@app.task(name="archive.jobs.erase_due", queueing_lock="erase_due")
def erase_due(timestamp: int | None = None) -> None:
    """Begin the erasures of which the cooling-off period is over."""
    cases.begin_due()


@app.task(name=queue.SCORE, retry=3)
def score_waiting(waiting_ids: list[int]) -> None:
    scoring.run(waiting_ids)


@app.task(name=rules.TRY, retry=3)
def try_rule(trial_id: int) -> None:
    rules.run_trial(trial_id)


@app.task(name=rules.MASK, retry=3)
def mask_hits(trial_id: int) -> None:
    rules.mask_hits(trial_id)


@app.task(name=rules.GIVE_BACK, retry=3)
def give_words_back(rule_id: int, user_id: int) -> None:
    """Of a rule that was switched off; killed and run again, it goes on with what is still covered."""
    given = rules.give_words_back(Rule.objects.get(pk=rule_id), by=get_user_model().objects.get(pk=user_id))
    log.info("gave words back", extra={"rule": rule_id, "comments": given})


@app.task(name=bulk.WORK, retry=3)
def work_on_bulk(bulk_id: int) -> None:
    """Decide on many, or undo that; killed and run again, it goes on."""
    bulk.carry_out(bulk_id)


@app.periodic(cron="* * * * *")
@app.task(name="archive.jobs.sync_search", retry=3, lock="sync_search")
def sync_search(timestamp: int | None = None) -> None:
    """Index what changed. Nudged by each change; the clock catches what a lost nudge left behind."""
    sync.run()


@app.periodic(cron="* * * * *")
@app.task(name="archive.jobs.sum_up_tallies", queueing_lock="sum_up_tallies")
def sum_up_tallies(timestamp: int | None = None) -> None:
    counters.sum_up()
    queue.sum_up()
    reports.forget()


@app.periodic(cron="* * * * *")
@app.task(name="archive.jobs.deliver_webhooks", queueing_lock="deliver_webhooks", lock="deliver_webhooks")
def deliver_webhooks(timestamp: int | None = None) -> None:
    notices.deliver_all()


@app.periodic(cron="0 6 * * *")
@app.task(name="archive.jobs.send_digests", queueing_lock="send_digests", lock="send_digests")
def send_digests(timestamp: int | None = None) -> None:
    """At six in the morning, UTC."""
    log.info("sent digests", extra={"mails": notices.send_digests()})


@app.periodic(cron="* * * * *")
@app.task(name="archive.jobs.retry_stalled", queueing_lock="retry_stalled", pass_context=True)
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Give the jobs of killed workers to living ones; give up on one that was tried ``MAX_ATTEMPTS`` times."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
        log.warning("the worker of a job was killed", extra={"job": job.id, "task": job.task_name})
        if job.attempts < MAX_ATTEMPTS:
            await manager.retry_job(job)
        else:
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
