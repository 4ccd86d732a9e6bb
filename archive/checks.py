"""System checks of what the environment set: each with an id and a hint that says what to do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from archive import database_role, suppressions
from archive.entities.extractor import model_problem
from archive.ingest import importer
from archive.ingest.reading_model import ReadingModel


@register(Tags.security)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    key = os.environ.get("AFTERWORD_SECRET_KEY", "")
    if key and len(key) < 40:
        hint = "Set AFTERWORD_SECRET_KEY to 50 or more random characters."
        found.append(Error("AFTERWORD_SECRET_KEY is too short.", hint=hint, id="archive.E001"))
    if settings.DEBUG and os.environ.get("DATABASE_URL"):
        hint = "Unset AFTERWORD_DEBUG: with it, errors show settings and source code to anyone."
        found.append(checks.Warning("Debug mode is on.", hint=hint, id="archive.W001"))
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts that this archive answers to in AFTERWORD_HOSTS, separated by commas."
        found.append(checks.Warning("AFTERWORD_HOSTS allows every host name.", hint=hint, id="archive.W002"))
    if settings.LOG_FORMAT not in {"json", "text"}:
        found.append(Error("AFTERWORD_LOG_FORMAT is neither json nor text.", id="archive.E002"))
    return found


@register(Tags.database)
def check_log(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Where a role is set, it may not change the log of decisions."""
    if not databases or not settings.DATABASE_ROLE:
        return []
    try:
        broken = database_role.may_change_log()
    except DatabaseError as error:
        broken, said = True, str(error).strip().partition("\n")[0]
    else:
        said = f"The database role {settings.DATABASE_ROLE} may change the log of decisions."
    hint = "Run `manage.py protect_log` as the owner of the tables, without AFTERWORD_DATABASE_ROLE."
    return [Error(said, hint=hint, id="archive.E009")] if broken else []


@register("archive")
def check_mail_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Where mail is said to leave, it does: a mistyped address would quietly write passwords' links to the log."""
    url = os.environ.get("AFTERWORD_EMAIL_URL", "").strip()
    if not url or urlsplit(url).scheme in settings.MAIL_SCHEMES:
        return []
    hint = "Write it as smtps://user:password@host, smtp:// (with STARTTLS) or smtp+plain:// (not encrypted)."
    return [Error("AFTERWORD_EMAIL_URL is no address of a mail server.", hint=hint, id="archive.E010")]


@register(Tags.database)
def check_suppressions(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The database holds nothing that was erased: as after a restore from a backup that is older than an erasure."""
    if not databases:
        return []
    hint = "Run manage.py apply_suppressions before readers come."
    try:
        missing = suppressions.not_applied()
    except DatabaseError:
        return []  # it is not there yet, or not migrated: others say so
    except (OSError, ValueError) as error:
        hint = "Put AFTERWORD_SUPPRESSIONS and its .key file back from their copies."
        return [Error(f"The list of suppressions cannot be read: {error}.", hint=hint, id="archive.E008")]
    if not missing:
        return []
    return [Error(f"{len(missing)} erasures are not applied to this database.", hint=hint, id="archive.E007")]


@register("archive", deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if os.environ.get("AFTERWORD_EMAIL_URL"):
        return []
    hint = "Set AFTERWORD_EMAIL_URL. Until then, mail is written to standard error, and administrators set passwords."
    return [checks.Warning("No mail leaves this archive.", hint=hint, id="archive.W005")]


@register("archive")
def check_model(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The language model is there and has the weights that were pinned. Reads one file; does not load it."""
    problem = model_problem(settings.SPACY_MODEL)
    hint = "Install requirements.lock again, or set AFTERWORD_SPACY_MODEL to a model that is installed."
    return [Error(problem, hint=hint, id="archive.E006")] if problem else []


@register("archive")
def check_reading_model(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What is set can be asked. Looks at the settings alone; sends nothing."""
    url, name, key = settings.READING_MODEL_URL, settings.READING_MODEL_NAME, settings.READING_MODEL_KEY
    if not (url or name):
        return []
    if not (url and name):
        missing = "AFTERWORD_READING_MODEL_NAME" if url else "AFTERWORD_READING_MODEL_URL"
        hint = f"Set {missing} as well, or neither: without it no reading model is used."
        return [checks.Warning(f"{missing} is not set.", hint=hint, id="archive.W003")]
    try:
        ReadingModel(url, name, key, calibration=importer.calibration())
    except ValueError as error:
        hint = "Set AFTERWORD_READING_MODEL_URL to an https address, or http to this machine or a private network, "
        hint += "and AFTERWORD_READING_MODEL_CALIBRATION to a table that was made for it, or to nothing."
        return [checks.Warning(f"The reading model cannot be used: {error}.", hint=hint, id="archive.W004")]
    return []


@register("archive", deploy=True)
def check_production(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Run by ``manage.py check --deploy``, as the container does at start."""
    found: list[CheckMessage] = []
    for name, identity, hint in (
        ("AFTERWORD_SECRET_KEY", "archive.E003", "Set it to 50 or more random characters, the same on every machine."),
        ("DATABASE_URL", "archive.E004", "Set it to postgresql://user:password@host:5432/name (Postgres 15 or later)."),
        ("AFTERWORD_HOSTS", "archive.E005", "Set it to the host names that this archive answers to."),
    ):
        if not os.environ.get(name):
            found.append(Error(f"{name} is not set.", hint=hint, id=identity))
    return found
