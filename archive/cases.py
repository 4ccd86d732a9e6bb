"""Requests handled as cases: each step of one, and its log entry, in one transaction.

Nothing here raises for what a person may run into: a step returns why it was not taken, in words, or an empty string.
Who may work on cases is settled by the caller. No log entry says what a case is about: numbers alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from archive import decision_log, erasure, masks, moderation, outbox, queries, queue, redaction, scope, suppressions
from archive.decision_log import Machine
from archive.models import Article, Case, CaseNote, Decision
from archive.scope import MOST, Scope

if TYPE_CHECKING:
    from accounts.models import User

MAX_WORDS = 50  # of a mask
MAX_WORD = 200  # code points of each
MAX_NOTE = 20_000
Action, State = Decision.Action, Case.State
OVER = (State.ERASED, State.REFUSED, State.CLOSED)
TOO_WIDE = f"the scope means more than {MOST:,} comments: make it narrower"
WORKER = Machine("worker")


def _logged(case: Case, action: str, by: User | Machine, words: str, *, before: str = "", **detail: int) -> None:
    """An entry about the case; ``words`` are ours, never a person's."""
    entry = Decision(
        action=action,
        target=moderation.CASE,
        target_id=case.pk,
        from_state=before,
        to_state=case.state,
        cause=Decision.Cause.CASE,
        case_id=case.pk,
        detail=detail,
    )
    decision_log.append([entry], by=by, reason=words)


def _locked(case: Case) -> Case:
    return Case.objects.select_for_update(no_key=True).get(pk=case.pk)


def _wait(case: Case) -> None:
    """The case has a card in the queue, until it is over."""
    due = {"deadline": case.deadline.isoformat()} if case.deadline else {}
    queue.put([queue.Item(queue.CASE, None, None, due, subject_id=case.pk)])


def phrase(case: Case) -> str:
    """What has to be typed before a case is erased."""
    return f"erase case {case.pk}"


def open_case(*, by: User, kind: str, requester: str, contact: str, basis: str, deadline: date | None) -> Case:
    with transaction.atomic():
        case = Case.objects.create(
            kind=kind, requester=requester, contact=contact, basis=basis, deadline=deadline, opened_by=by
        )
        _logged(case, Action.OPEN, by, f"a request: {case.get_kind_display()}")
        _wait(case)
    return case


def change(case: Case, *, by: User, **fields: Any) -> str:
    """Correct what is known of the request itself: who asks, why, until when."""
    with transaction.atomic():
        case = _locked(case)
        changed = [name for name, value in fields.items() if getattr(case, name) != value]
        if changed:
            Case.objects.filter(pk=case.pk).update(**fields)
            case.deadline = fields.get("deadline", case.deadline)
            _wait(case)
            _logged(case, Action.CHANGE, by, f"the request’s {', '.join(sorted(changed))}", before=case.state)
    return ""


def note(case: Case, *, by: User, text: str) -> str:
    """Add to the correspondence; what was added stays."""
    text = text.replace("\0", "").strip()
    if not text or len(text) > MAX_NOTE:
        return f"a note has between one and {MAX_NOTE:,} characters"
    with transaction.atomic():
        CaseNote.objects.create(case=case, by=by, by_name=by.get_username(), text=text)
        _logged(case, Action.CHANGE, by, "a note was added", before=case.state)
    return ""


def set_scope(case: Case, wanted: Scope, words: Sequence[str], *, by: User) -> str:
    """What the case is about, and which words are to be masked."""
    words = list(dict.fromkeys(word.strip() for word in words if word.strip()))
    if trouble := _words_trouble(words):
        return trouble
    with transaction.atomic():
        case = _locked(case)
        if case.state in OVER or case.state == State.SCHEDULED:
            return f"it is {case.get_state_display()}: its scope stays as it is"
        if case.state == State.MASKED and words != case.words:
            return "its words are masked: take the mask off first, then change them"
        Case.objects.filter(pk=case.pk).update(scope=wanted.as_json(), words=words)
        _logged(case, Action.CHANGE, by, "its scope", before=case.state)
    return ""


def _words_trouble(words: Sequence[str]) -> str:
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD for word in words):
        return f"at most {MAX_WORDS} words or names of {MAX_WORD} characters each can be masked"
    if any("\0" in word or len("".join(redaction.keys(word))) < 2 for word in words):
        return "each word to be masked needs at least two letters or digits"
    return ""


def leave_out(case: Case, key: str, *, by: User, out: bool) -> str:
    """Take a hit out of the scope by hand, or put it in again. ``key`` as in ``scope.Hit``."""
    kind, _, number = key.partition(":")
    if kind not in {"comment", "article"} or not number.isdecimal() or len(number) > 18:
        return "there is no such place"
    with transaction.atomic():
        case = _locked(case)
        if case.state in OVER or case.state == State.SCHEDULED:
            return f"it is {case.get_state_display()}: its scope stays as it is"
        known = Scope.of(case).as_json()
        left = [one for one in known.get("left_out", []) if one != key] + ([key] if out else [])
        Case.objects.filter(pk=case.pk).update(scope={**known, "left_out": left})
        words = f"{kind} {number} {'taken out of' if out else 'put into'} its scope"
        _logged(case, Action.CHANGE, by, words, before=case.state)
    return ""


# --- Hold ------------------------------------------------------------------------------------------------------------


def hold(case: Case, *, by: User, with_quotes: bool = False) -> tuple[str, moderation.Result | None]:
    """Hide the comments by every door, as one decision that can be undone; their replies stay."""
    with transaction.atomic():
        case = _locked(case)
        found = scope.members(case)
        if with_quotes:
            out = Scope.of(case).ids_left_out("comment")
            for article_id, pks in scope.quotes(found, left_out=out)[0].items():
                found[article_id] = [*found.get(article_id, []), *pks]
        if trouble := _trouble(case, found):
            return trouble, None
        result = moderation.decide_many(
            found,
            action=Action.HIDE,
            by=by,
            reason=f"held for case {case.pk}",
            cause=Decision.Cause.CASE,
            case_id=case.pk,
        )
        articles = list(queries.articles().filter(pk__in=Scope.of(case).own_texts()))
        hidden = [_hide(case, article, by) for article in articles]
        if result.decision is None and not any(one.changed for one in hidden):
            return "nothing was held: none of it is shown", result
        before, case.state = case.state, State.HELD if case.state == State.OPEN else State(case.state)
        Case.objects.filter(pk=case.pk).update(state=case.state)
        _logged(case, Action.HOLD, by, "held", before=before, comments=len(result.changed))
    return "", result


def _hide(case: Case, article: Article, by: User) -> moderation.Result:
    """An article with all its comments: its text alone cannot be hidden."""
    reason, cause = f"held for case {case.pk}", Decision.Cause.CASE
    return moderation.decide(article, action=Action.HIDE, by=by, reason=reason, cause=cause, case_id=case.pk)


def _show(case: Case, article_id: int, by: User | Machine) -> None:
    """What is left of an article that was held and whose text was erased: its discussion can be read again."""
    reason, cause = f"its text was erased for case {case.pk}", Decision.Cause.CASE
    for article in queries.articles().filter(pk=article_id, is_erased=True):
        moderation.decide(article, action=Action.RESTORE, by=by, reason=reason, cause=cause, case_id=case.pk)


def _trouble(case: Case, found: scope.Members) -> str:
    if case.state in OVER:
        return f"it is {case.get_state_display()}"
    if case.work:
        return "a worker is at it: wait until it is done"
    return TOO_WIDE if scope.size(found) > MOST else ""


def release(case: Case, *, by: User) -> str:
    """Show again what the case has hidden, unless somebody decided on it since."""
    with transaction.atomic():
        case = _locked(case)
        if case.state in OVER or case.state == State.SCHEDULED:
            return f"it is {case.get_state_display()}"
        count = 0
        for decision in [*_standing(case, action=Action.BULK, target_id=None), *_articles_held(case)]:
            count += len(moderation.undo(decision, by=by, reason=f"released from case {case.pk}").changed)
        before, case.state = case.state, State.OPEN if case.state == State.HELD else State(case.state)
        Case.objects.filter(pk=case.pk).update(state=case.state)
        _logged(case, Action.UNDO, by, "released", before=before, comments=count)
    return ""


def _standing(case: Case, **which: Any) -> QuerySet[Decision]:
    """What was decided for a case and not undone since, the newest first."""
    found = queries.decisions().filter(case_id=case.pk, **which).order_by("-pk")
    undone = queries.decisions().filter(undoes_id__in=found.order_by().values("pk")).values("undoes_id")
    return found.exclude(pk__in=undone)


def _articles_held(case: Case) -> QuerySet[Decision]:
    return _standing(case, action=Action.HIDE, target=moderation.ARTICLE)


# --- Mask ------------------------------------------------------------------------------------------------------------


def mask(case: Case, *, by: User) -> str:
    """Have a worker cover the case's words wherever readers can see them. Reversible until the case is erased."""
    with transaction.atomic():
        case = _locked(case)
        found = scope.members(case)
        if trouble := _trouble(case, found):
            return trouble
        if not case.words:
            return "say first which words are to be masked"
        if case.state == State.SCHEDULED:
            return "it is scheduled for erasure: call that off first"
        before, case.state = case.state, State.MASKED
        known = {**Scope.of(case).as_json(), "found": _flat(found)}
        Case.objects.filter(pk=case.pk).update(state=State.MASKED, scope=known, work="mask", work_done=0, work_total=0)
        _logged(case, Action.MASK, by, "masked", before=before, names=len(case.words), comments=scope.size(found))
        outbox.work_on_case(case.pk)
    return ""


def unmask(case: Case, *, by: User) -> str:
    """Have a worker give the words back everywhere."""
    with transaction.atomic():
        case = _locked(case)
        if case.work or case.state != State.MASKED:
            return "a worker is at it: wait until it is done" if case.work else "it is not masked"
        case.state = State.HELD if holds(case) else State.OPEN
        Case.objects.filter(pk=case.pk).update(state=case.state, work="unmask", work_done=0, work_total=0)
        _logged(case, Action.UNDO, by, "the mask is taken off", before=State.MASKED)
        outbox.work_on_case(case.pk)
    return ""


def _flat(found: Mapping[int, Sequence[int]]) -> list[int]:
    return sorted(pk for pks in found.values() for pk in pks)


def holds(case: Case) -> bool:
    """Whether some comment is hidden for this case."""
    held = queries.decisions().filter(case_id=case.pk, target="comment", target_id__isnull=False)
    hidden = queries.comments().filter(pk__in=held.order_by().values("target_id"), cause=Decision.Cause.CASE)
    return hidden.exists() or _articles_held(case).exists()


# --- Erase -----------------------------------------------------------------------------------------------------------


def schedule(case: Case, *, by: User, typed: str) -> str:
    """Let the cooling-off period begin, after which everything the case is about is erased for good."""
    with transaction.atomic():
        case = _locked(case)
        found = scope.members(case)
        if trouble := _trouble(case, found):
            return trouble
        if case.state == State.SCHEDULED:
            return "it is scheduled already"
        if not found and not case.words and not Scope.of(case).own_texts():
            return "the scope means no comment and no article, and no words are to be masked"
        if " ".join(typed.split()).casefold() != phrase(case):
            return f"nothing was scheduled: type “{phrase(case)}” to confirm"
        before, case.state = case.state, State.SCHEDULED
        Case.objects.filter(pk=case.pk).update(
            state=State.SCHEDULED,
            scope={**Scope.of(case).as_json(), "found": _flat(found)},
            erase_after=timezone.now() + timedelta(days=settings.ERASE_AFTER_DAYS),
            erase_by=by,
            erase_second=None,
        )
        _logged(case, Action.ERASE, by, "scheduled for erasure", before=before, comments=scope.size(found))
    return ""


def second(case: Case, *, by: User) -> str:
    """Another person agrees to the erasure, where the archive wants two."""
    with transaction.atomic():
        case = _locked(case)
        if case.state != State.SCHEDULED or case.erase_second_id:
            return "there is nothing to agree to"
        if by.pk == case.erase_by_id:
            return "you scheduled it yourself: another person has to agree"
        Case.objects.filter(pk=case.pk).update(erase_second=by)
        _logged(case, Action.CHANGE, by, "a second person agreed to the erasure", before=case.state)
    return ""


def waits_for_second(case: Case) -> bool:
    return bool(settings.ERASE_TWO_PEOPLE) and case.state == State.SCHEDULED and case.erase_second_id is None


def call_off(case: Case, *, by: User) -> str:
    """Not to be erased after all. Possible until a worker begins."""
    with transaction.atomic():
        case = _locked(case)
        if case.state != State.SCHEDULED or case.work:
            return "a worker has begun: it cannot be called off any more" if case.work else "it is not scheduled"
        was_masked = masks.covers(case)
        case.state = State.MASKED if was_masked else State.HELD if holds(case) else State.OPEN
        Case.objects.filter(pk=case.pk).update(state=case.state, erase_after=None, erase_by=None, erase_second=None)
        _logged(case, Action.UNDO, by, "the erasure was called off", before=State.SCHEDULED)
    return ""


def begin_due() -> int:
    """Give the erasures of which the cooling-off period is over to a worker; return how many."""
    due = Q(state=State.SCHEDULED, work="", erase_after__lte=timezone.now())
    if settings.ERASE_TWO_PEOPLE:
        due &= Q(erase_second__isnull=False) & ~Q(erase_second=F("erase_by"))
    begun = 0
    for pk in list(Case.objects.filter(due).order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            if Case.objects.filter(due, pk=pk).update(work="erase", work_done=0, work_total=0):
                outbox.work_on_case(pk)
                begun += 1
    return begun


def close(case: Case, *, by: User, refused: bool, outcome: str) -> str:
    """End a case. What it holds or masks stays as it is."""
    if not outcome.strip():
        return "say what came of it: the requester will ask"
    with transaction.atomic():
        case = _locked(case)
        if case.state in OVER or case.state == State.SCHEDULED or case.work:
            return f"it is {case.get_state_display()}"
        before, case.state = case.state, State.REFUSED if refused else State.CLOSED
        if refused and (masks.covers(case) or holds(case)):
            return "it still holds or masks something: give that back first"
        words = {"outcome": outcome.strip()[:500], "closed_at": timezone.now()}
        Case.objects.filter(pk=case.pk).update(state=case.state, **words)
        queue.settle_subject(queue.CASE, case.pk, decision_id=None)
        _logged(case, Action.CLOSE, by, case.get_state_display(), before=before)
    return ""


# --- What a worker does ----------------------------------------------------------------------------------------------


def carry_out(case_id: int) -> int:
    """Do what the case waits for; return the number of articles. Killed and run again, it goes on where it was."""
    case = Case.objects.filter(pk=case_id).first()
    if case is None or not case.work:
        return 0
    done = {"mask": _mask, "unmask": _unmask, "erase": _erase}[case.work](case)
    Case.objects.filter(pk=case_id).update(work="")
    return done


def _progress(case: Case, *, done: int, total: int | None = None) -> None:
    fields = {"work_done": done} | ({} if total is None else {"work_total": total})
    Case.objects.filter(pk=case.pk).update(**fields)


def _mask(case: Case) -> int:
    articles = sorted({*scope.touched(case, scope.members(case)), *masks.cover_names(case)})
    _progress(case, done=0, total=len(articles))
    for number, article_id in enumerate(articles, 1):
        masks.put_on(case, article_id, left_out=case.scope.get("left_out", ()))
        _progress(case, done=number)
    return len(articles)


def _unmask(case: Case) -> int:
    masks.uncover_names(case)
    articles = masks.articles_of(case)
    _progress(case, done=0, total=len(articles))
    missed = 0
    for number, article_id in enumerate(articles, 1):
        missed += masks.take_off(case, article_id)
        _progress(case, done=number)
    if missed:
        with transaction.atomic():
            _logged(case, Action.CHANGE, WORKER, "some values had changed since, and stay masked", values=missed)
    return len(articles)


def _erase(case: Case) -> int:
    entry = suppressions.find(case.erase_entry) if case.erase_entry else None
    if entry is None:
        entry = _entry(case)
        suppressions.append(entry)  # before anything is wiped: a kill from here on is made good by going on
        Case.objects.filter(pk=case.pk).update(erase_entry=entry.id, work_done=0)
        case.work_done = 0
    _progress(case, done=case.work_done, total=len(entry.articles))
    by = case.erase_by or WORKER
    comments = erasure.follow(entry, by=by, done=case.work_done, progress=lambda done: _progress(case, done=done))
    with transaction.atomic():
        case = _locked(case)
        if case.state != State.ERASED:
            case.state = State.ERASED
            Case.objects.filter(pk=case.pk).update(state=State.ERASED, closed_at=timezone.now())
            words = {"comments": comments, "articles": len(entry.articles), "texts": len(entry.own)}
            for held in _articles_held(case):
                _show(case, held.article_id or 0, by)
            queue.settle_subject(queue.CASE, case.pk, decision_id=None)
            _logged(case, Action.ERASE, by, "erased", before=State.SCHEDULED, **words)
    return len(entry.articles)


def _entry(case: Case) -> suppressions.Entry:
    known = Scope.of(case)
    found = scope.members(case)
    out, texts = known.ids_left_out("comment"), known.own_texts()
    return erasure.entry_for(
        case.pk,
        found,
        touched=scope.touched(case, found),
        quoting=scope.joined(scope.quotes(found, left_out=out)[0], scope.quotes_of_texts(texts, left_out=out)[0]),
        words=case.words,
        left_out=known.left_out,
        entry_id=uuid.uuid4().hex,
        texts_of=texts,
    )
