"""What the public pages' templates can call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils.html import json_script
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from archive.models.entity import entity_slug
from archive.text import excerpt

MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def stored(html: str) -> Markup:
    """HTML that ``archive.text`` made and nothing else: the one door through which markup reaches a page unescaped."""
    return Markup(html)  # noqa: S704  made by archive.text from escaped or allow-listed text


def day(at: datetime) -> str:
    """``14 Mar 2017``."""
    return f"{at.day} {MONTHS[at.month]} {at.year}"


def moment(at: datetime) -> str:
    """``14 Mar 2017, 21:07 UTC``; only the day where it is exactly midnight: sources often know no more."""
    if not (at.hour or at.minute or at.second):
        return day(at)
    return f"{day(at)}, {at.hour:02}:{at.minute:02} UTC"


def month(name: str) -> str:
    """``Mar 2017`` for ``2017-03``."""
    return f"{MONTHS[int(name[5:7])]} {name[:4]}"


def number(count: int) -> str:
    """``5,312``."""
    return f"{count:,}"


def counted(count: int, one: str, many: str) -> str:
    """``1 comment``, ``5,312 comments``."""
    return f"1 {one}" if count == 1 else f"{count:,} {many}"


def url(name: str, args: Sequence[int | str] = ()) -> str:
    """As Django's ``reverse``, which takes longer for the forty links of a page than the template does."""
    return _address(name, tuple(args), get_script_prefix())


@lru_cache(maxsize=4096)
def _address(name: str, args: tuple[int | str, ...], prefix: str) -> str:
    return reverse(name, args=args)


def entity_url(identity: int, name: str) -> str:
    """As ``Entity.get_absolute_url``, for the rows of a count, which are not entities."""
    return url("entity", [identity, entity_slug(name)])


def environment(**options: Any) -> Environment:
    """Jinja2's environment: autoescaping on, undefined names are errors."""
    options["undefined"] = StrictUndefined
    made = Environment(**options, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  Django sets autoescape in options
    made.globals.update(
        static=static,
        url=url,
        entity_url=entity_url,
        counted=counted,
        site_name=settings.SITE_NAME,
        public_log=settings.PUBLIC_LOG,
    )
    made.filters.update(stored=stored, excerpt=excerpt, day=day, month=month, moment=moment, number=number)
    made.filters.update(json_script=json_script)
    return made
