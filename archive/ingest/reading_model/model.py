"""A reading model: plan what would be sent, ask, check, and fall back to the built-in model wherever it fails."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from archive.ingest.reading_model import chat
from archive.ingest.reading_model.answers import Answer, InvalidAnswer, parse, reconcile, recovered, settled
from archive.ingest.reading_model.cache import Cache
from archive.ingest.reading_model.calibration import Table
from archive.ingest.reading_model.limits import Limits
from archive.ingest.reading_model.prompt import (
    PROMPT_VERSION,
    SYSTEM,
    TOKENS_PER_LINE,
    Window,
    lines_shown,
    messages,
    question,
    tokens_of,
    windows,
)
from archive.ingest.records import Problem
from archive.ingest.structure import Recovered, recover
from archive.ingest.structure.lines import split_lines

LONGEST_NAME = 40  # code points of a model's name in reasons and versions
BUILT_IN = "read by the built-in model"


class Plan(NamedTuple):
    """What reading a text would send. ``prompt_tokens`` is estimated; retries come on top, within the limits.

    ``answered`` windows are in the cache and are not sent. ``refusal`` says why nothing would be sent at all.
    ``characters`` are code points of the text in the requests: what two windows share counts twice.
    """

    requests: int = 0
    prompt_tokens: int = 0
    answered: int = 0
    refusal: str = ""
    characters: int = 0


class Taken(NamedTuple):
    """A text taken apart. ``by_model`` is false where the built-in model did it, whether or not it was meant to."""

    found: Recovered
    by_model: bool
    problems: tuple[Problem, ...] = ()


class ReaderModel(Protocol):
    """What a reader may ask instead of ``structure.recover``. ``version`` tells its answers from those of others."""

    @property
    def version(self) -> str: ...
    def take_apart(self, text: str) -> Taken:
        """Take ``text`` apart. Never raises on any text and any answer."""
        ...


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Stands in for a model that was asked for and cannot be: the built-in model reads, and the report says why."""

    why: str
    version: str = "none"

    def take_apart(self, text: str) -> Taken:
        return Taken(recover(text), False, (Problem("whole text", self.why, BUILT_IN),))


@dataclass(frozen=True, slots=True)
class WithComments:
    """The built-in model, told by the archivist that the texts have comments. It asks nobody."""

    version: str = "comments"

    def take_apart(self, text: str) -> Taken:
        return Taken(recover(text, with_comments=True), True)


class _GivenUp(Exception):  # noqa: N818  caught in this module
    """This text is for the built-in model. ``blame`` says whether the server failed, not the answer or the text."""

    def __init__(self, why: str, *, blame: bool = False) -> None:
        super().__init__(why)
        self.blame = blame


@dataclass(slots=True)
class ReadingModel:
    """The model ``name`` behind ``url`` (up to ``/chat/completions``). ValueError where nothing may be sent there.

    One object for a run: after ``limits.failures`` sources in a row that the server failed, it is not asked again.
    """

    url: str
    name: str
    key: str = field(default="", repr=False)
    cache: Cache = field(default_factory=dict[str, str], repr=False)
    limits: Limits = field(default_factory=Limits)
    calibration: Table = ()
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    endpoint: chat.Endpoint = field(init=False)
    failed: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.endpoint = chat.endpoint_of(self.url)
        if not self.name.strip() or not self.name.isprintable():
            raise ValueError("the model must have a name, of printable characters")
        if not (self.key.isascii() and self.key.isprintable()):
            raise ValueError("the key must be printable ASCII")

    @property
    def shown_name(self) -> str:
        """The name, short enough for a reason; a digest keeps two long names apart."""
        if len(self.name) <= LONGEST_NAME:
            return self.name
        return f"{self.name[: LONGEST_NAME - 9]}~{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def version(self) -> str:
        if not self.calibration:
            return f"{PROMPT_VERSION}:{self.shown_name}"
        # Another table gives other confidences: what was read before is read again, from the answers that are kept.
        return f"{PROMPT_VERSION}.{hashlib.sha256(repr(self.calibration).encode()).hexdigest()[:4]}:{self.shown_name}"

    @property
    def label(self) -> str:
        """The model and where it is, as an archivist agrees to it."""
        return f"{self.shown_name} at {self.endpoint.host}"

    def plan(self, text: str) -> Plan:
        """Return what ``take_apart(text)`` would send. Sends nothing."""
        lines = lines_shown(split_lines(text))
        if len(lines) < 2:
            return Plan()
        parts = [(window, question(lines, window)) for window in windows(lines, self.limits)]
        waiting = [(window, each) for window, each in parts if self.cache.get(self._key(each)) is None]
        characters = sum(len(line) for window, _ in waiting for line in lines[window.first - 1 : window.last])
        tokens = sum(tokens_of(SYSTEM) + tokens_of(each) for _, each in waiting)
        for count, most, what in (
            (len(waiting), self.limits.requests, "requests"),
            (tokens, self.limits.tokens, "tokens"),
        ):
            if count > most:
                why = f"too long for the reading model: {count:,} {what}, and at most {most:,} are sent for a source"
                return Plan(refusal=why)
        return Plan(len(waiting), tokens, len(parts) - len(waiting), characters=characters)

    def take_apart(self, text: str) -> Taken:
        """Ask about ``text``, or have the built-in model read it and say why. Never raises on any text and answer."""
        built_in = recover(text)
        lines = split_lines(text)
        if len(lines) < 2:  # an article: there is nothing to ask
            return Taken(built_in, False)
        try:
            answer = self._ask(text, lines_shown(lines))
            found, problems = recovered(text, lines, answer, self.shown_name, self.calibration)
        except InvalidAnswer as error:
            return self._fallen_back(built_in, f"the answer of {self.shown_name} {error}")
        except _GivenUp as error:
            self.failed += error.blame
            return self._fallen_back(built_in, str(error))
        self.failed = 0
        return Taken(settled(found, built_in), True, problems)

    def _fallen_back(self, built_in: Recovered, why: str) -> Taken:
        return Taken(built_in, False, (Problem("whole text", why, BUILT_IN),))

    def _key(self, asked: str) -> str:
        digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()
        return hashlib.sha256(f"{PROMPT_VERSION}\n{self.name}\n{digest}".encode()).hexdigest()

    def _ask(self, text: str, lines: Sequence[str]) -> Answer:
        plan = self.plan(text)
        if plan.refusal:
            raise _GivenUp(plan.refusal)
        budget = _Budget(self.limits)
        parts = list(windows(lines, self.limits))
        return reconcile([self._about(window, question(lines, window), budget) for window in parts], parts)

    def _about(self, window: Window, asked: str, budget: _Budget) -> Answer:
        key = self._key(asked)
        kept = self.cache.get(key)
        if kept is not None:
            try:
                return parse(kept, window)
            except InvalidAnswer:  # somebody else's file, or a damaged one: asked again and overwritten
                pass
        content = self._said(window, asked, budget)
        answer = parse(content, window)
        self.cache[key] = content
        return answer

    def _said(self, window: Window, asked: str, budget: _Budget) -> str:
        """Ask until there is an answer or a limit is reached."""
        if self.failed >= self.limits.failures:
            raise _GivenUp(f"{self.label} is not asked any more: it failed {self.failed} times in a row")
        payload: dict[str, Any] = {"model": self.name, "messages": messages(asked), "stream": False}
        bounds: dict[str, Any] = {
            "temperature": 0,
            "max_tokens": 200 + TOKENS_PER_LINE * (window.last - window.first + 1),
        }
        wait, tries = self.limits.backoff, 0
        while True:
            try:
                timeout = budget.spend()
                body = chat.post(
                    self.endpoint, payload | bounds, key=self.key, timeout=timeout, most=self.limits.answer_bytes
                )
                return chat.content_of(body)
            except chat.Failed as failed:
                if failed.status == 400 and bounds:  # some models take neither; without them the timeout bounds
                    bounds = {}
                    continue
                if not failed.again or tries >= self.limits.retries:
                    raise _GivenUp(f"{self.label} {failed}", blame=True) from failed
                tries += 1
                self.sleep(min(self.limits.longest_wait, max(wait, failed.wait)))
                wait *= 2


class _Budget:
    """The requests and the time that one source may still take."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = limits.requests
        self.until = time.monotonic() + limits.seconds

    def spend(self) -> float:
        """Take one request and return its timeout in seconds. _GivenUp where nothing is left."""
        left = self.until - time.monotonic()
        if self.requests < 1 or left <= 0:
            why = f"more than {self.limits.requests} requests or {self.limits.seconds:g} seconds for one source"
            raise _GivenUp(f"the reading model would take {why}", blame=True)
        self.requests -= 1
        return min(self.limits.timeout, left)
