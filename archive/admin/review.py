"""The page on which an archivist corrects what was recovered, its one endpoint, and the queue of what waits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst

from archive import queries, review, threads
from archive.admin.site import ModelAdmin
from archive.ingest import corrections
from archive.ingest.corrections import Kind, Outline, Question, Remark
from archive.ingest.records import Span
from archive.models import Article

KINDS = {Kind.ARTICLE: "art", Kind.START: "start", Kind.CONTINUES: "more", Kind.LEFT_OUT: "out"}
LINE = (
    '<li id="l{at}" class="{look}"><span class="no">{number}</span><span class="text" dir="auto">{text}</span>'
    '<span class="what"></span>{choice}</li>'
)
CHOICE = '<noscript><input type="radio" form="plain" name="at" value="{at}" aria-label="line {number}"{on}></noscript>'
MASKED = "hidden by a moderator"
MOST_BYTES = 64 * 1024  # of one operation
LISTED = 100  # articles that the queue names; the rest waits its turn
PLAIN = (  # what the page does about a line without JavaScript, besides what it has fields for
    ("start", "Starts a comment"),
    ("join", "Belongs to the one above"),
    ("article_end", "Article ends here"),
    ("leave_out", "Leave out"),
    ("keep", "Take back in"),
    ("indent", "Indent"),
    ("outdent", "Outdent"),
    ("accept", "Is right"),
)
DEEPEST = 12  # levels by which the thread is indented


def review_view(admin: ModelAdmin[Article], request: HttpRequest, pk: int) -> HttpResponse:
    """The page for GET; for POST one operation, as JSON from the page's script or as a form without it."""
    if not queries.may_review(request.user):
        raise PermissionDenied
    article = queries.articles().workable_by(request.user).select_related("site", "source").filter(pk=pk).first()
    if article is None or not queries.may_review(request.user, article.site_id):
        raise Http404
    if request.method != "POST":
        return _page(admin, request, article)
    if request.content_type == "application/json":
        return _answer_script(request, article)
    return _answer_form(request, article)


def _page(admin: ModelAdmin[Article], request: HttpRequest, article: Article) -> HttpResponse:
    state = review.state_of(article)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": f"Review: {article.title}",
        "original": article,
        "state": state,
        "is_open": bool(state and state.is_open),
        "has_readers": article.status == Article.Status.PUBLISHED,
        "impossible": capfirst(review.IMPOSSIBLE),
        "operations": PLAIN,
        "list_url": reverse("admin:archive_article_queue"),
    }
    if state:
        masked = _masked(request, state.outline, article)
        context |= {
            "lines": _lines(state.outline, masked, chosen=request.GET.get("at", "") if state.is_open else None),
            "thread": _thread(state.outline, masked),
            "data": {**_shape(state, masked), "open": _openness(state)},
        }
    return TemplateResponse(request, "admin/archive/article/review.html", context)


def _openness(state: review.State) -> dict[str, int]:
    return {"asked": len(corrections.questions(state.proposal))}


def _masked(request: HttpRequest, outline: Outline, article: Article) -> set[int]:
    """The lines of hidden comments, by offset, for those who may not see what is hidden; and bylines beside them."""
    if queries.may_moderate(request.user, article.site_id):
        return set()
    hidden = review.hidden_spans(article.pk)
    if not hidden:
        return set()
    covered = [any(start < s.end and s.start < end for start, end, _ in hidden) for s in outline.lines]
    for order in (range(1, len(covered)), range(len(covered) - 2, -1, -1)):
        step = order.step
        before = list(covered)
        for number in order:
            out = outline.kinds[number] is Kind.LEFT_OUT
            before[number] = before[number] or (out and before[number - step])
        covered = [a or b for a, b in zip(covered, before, strict=True)]
    return {span.start for span, is_covered in zip(outline.lines, covered, strict=True) if is_covered}


def _lines(outline: Outline, masked: set[int], *, chosen: str | None) -> SafeString:
    """The source, line by line. Joined by hand, because a template would take seconds for a long one.

    ``chosen`` is the offset of the line that is, where there is no script; None where none can be.
    """
    made = []
    numbers = _numbers(outline)
    for span, kind in zip(outline.lines, outline.kinds, strict=True):
        at, number = span.start, numbers[span.start]
        gone = at in masked
        text = MASKED if gone else escape(outline.text[span.start : span.end])
        on = " checked" if str(at) == chosen else ""
        choice = "" if chosen is None else CHOICE.format(at=at, number=number, on=on)
        look = KINDS[kind] + (" gone" if gone else "")
        made.append(LINE.format(at=at, look=look, number=number, text=text, choice=choice))
    return mark_safe("\n".join(made))  # noqa: S308  escaped above


def _numbers(outline: Outline) -> dict[int, int]:
    """The number of each line by its offset, counted in one go: one by one would read the text once a line."""
    numbers = {}
    number, at = 1, 0
    for span in outline.lines:
        number += corrections.line_number(outline.text[at : span.start], span.start - at) - 1
        at = span.start
        numbers[at] = number
    return numbers


def _thread(outline: Outline, masked: set[int]) -> SafeString:
    """The discussion as it would read, for those without a script; with one, the script draws it."""
    parts, numbers = dict(outline.units()), _numbers(outline)
    parents = [None if remark.parent is None else str(remark.parent) for remark in outline.comments.values()]
    order = threads.arrange([str(at) for at in outline.comments], parents)
    comments = sorted(zip(order.rank, order.depth, outline.comments.items(), strict=True))
    made = [f'<div class="article">{_paragraphs(outline, parts.get(None, []), masked)}</div><ol>']
    for _, depth, (at, remark) in comments:
        head = [f"line {numbers[at]}"]
        head.append(remark.author or "author unknown" if at not in masked else MASKED)
        head += [f"{remark.posted_at:%Y-%m-%d %H:%M}"] if remark.posted_at else []
        said = "".join(f"<span>{escape(words)}</span>" for words in head)
        body = _paragraphs(outline, parts.get(at, []), masked)
        made.append(
            f'<li class="d{min(depth, DEEPEST)}"><div class="head">{said}</div><div class="body">{body}</div></li>'
        )
    return mark_safe("".join([*made, "</ol>"]))  # noqa: S308  escaped above


def _paragraphs(outline: Outline, lines: list[Span], masked: set[int]) -> str:
    texts = (MASKED if span.start in masked else escape(outline.text[slice(*span)]) for span in lines)
    return "".join(f'<p dir="auto">{text}</p>' for text in texts)


def _shape(state: review.State, masked: set[int]) -> dict[str, Any]:
    """All that the script draws, without the text, which the page has already."""
    asked = {question.at: question for question in corrections.questions(state.outline)}
    outline = state.outline
    return {
        "version": state.version,
        "undo": state.can_undo,
        "redo": state.can_redo,
        "lines": {span.start: KINDS[kind] for span, kind in zip(outline.lines, outline.kinds, strict=True)},
        "comments": {
            at: _comment(remark, asked.get(at), is_shown=at not in masked) for at, remark in outline.comments.items()
        },
        "none": next(([q.at, q.confidence, q.reason] for q in asked.values() if q.about == "none"), None),
        "unmatched": [str(problem) for problem in state.unmatched],
    }


def _comment(remark: Remark, asked: Question | None, *, is_shown: bool) -> dict[str, Any]:
    return {
        "parent": remark.parent,
        "author": remark.author if is_shown else None,
        "date": f"{remark.posted_at:%Y-%m-%d %H:%M}" if remark.posted_at else None,
        "settled": remark.boundary.basis == remark.parent_claim.basis == "reviewed",
        "asked": [asked.about, asked.confidence, asked.reason] if asked else None,
    }


def _change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The part of ``after`` that is not in ``before``; all of it where the lines were cut anew."""
    if before["lines"].keys() != after["lines"].keys():
        return {**after, "reload": True}
    lines = {at: kind for at, kind in after["lines"].items() if before["lines"][at] != kind}
    comments = {at: made for at, made in after["comments"].items() if before["comments"].get(at) != made}
    gone = [at for at in before["comments"] if at not in after["comments"]]
    return {**after, "lines": lines, "comments": comments, "gone": gone}


def _answer_script(request: HttpRequest, article: Article) -> JsonResponse:
    try:
        given = json.loads(request.body[: MOST_BYTES + 1])
        operation, version = given["operation"], int(given["version"])
        operation["op"]
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"problem": "this is no operation"}, status=400)
    answer = _carry_out(request, article, operation, version)
    if answer.after is None:
        return JsonResponse({"problem": capfirst(answer.problem)}, status=422)
    masked = _masked(request, answer.after.outline, article)
    after = _shape(answer.after, masked)
    if answer.conflict:
        return JsonResponse({**after, "whole": True, "problem": capfirst(answer.problem)}, status=409)
    if answer.problem:
        return JsonResponse({"problem": capfirst(answer.problem)}, status=422)
    if operation["op"] in {"publish", "discard"}:
        return JsonResponse({"go": request.path})
    before = _shape(answer.before, masked) if answer.before else after
    return JsonResponse({**_change(before, after), "said": answer.said})


def _carry_out(request: HttpRequest, article: Article, operation: Mapping[str, Any], version: int) -> review.Answer:
    by: Any = request.user
    match operation["op"]:
        case "publish":
            answer = review.publish(article.pk, version=version, by=by)
            if not answer.problem:
                messages.success(request, "Published. Readers see it now.")
            return answer
        case "discard":
            answer = review.discard(article.pk, version=version, by=by)
            if not answer.problem:
                messages.success(request, "Discarded. Readers see what they saw all along.")
            return answer
        case "reopen":
            return review.reopen(article.pk, by=by)
        case _:
            return review.correct(article.pk, operation, version=version, by=by)


def _answer_form(request: HttpRequest, article: Article) -> HttpResponse:
    """The same operations without the script: one line is chosen by its offset, others are named by their numbers."""
    sent = request.POST
    state = review.state_of(article)
    at = _number(sent.get("at", ""))
    operation: dict[str, Any] = {"op": sent.get("op", ""), "at": at}
    if state:
        operation |= {name: _offset(state.outline, sent.get(name, "")) for name in ("until", "to")}
    operation |= {"author": sent.get("author"), "posted_at": sent.get("posted_at"), "all": sent.get("all")}
    version = _number(sent.get("version", ""))
    answer = _carry_out(request, article, operation, -1 if version is None else version)
    if answer.problem:
        messages.error(request, f"{capfirst(answer.problem)}.")
    elif answer.said and operation["op"] != "discard":
        messages.success(request, f"Saved: {answer.said}.")
    return HttpResponseRedirect(request.path if at is None else f"{request.path}?at={at}#l{at}")


def _number(sent: str) -> int | None:
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else None


def _offset(outline: Outline, number: str) -> int | None:
    """Where the source line with this number starts, or its first part that is in the outline."""
    wanted = _number(number)
    return next((s.start for s in outline.lines if corrections.line_number(outline.text, s.start) == wanted), None)


def queue_view(admin: ModelAdmin[Article], request: HttpRequest) -> HttpResponse:
    """What waits for review, the most uncertain first."""
    if not queries.may_review(request.user):
        raise PermissionDenied
    waiting = queries.reviews().waiting().workable_by(request.user)
    context = {
        **admin.admin_site.each_context(request),
        "opts": admin.opts,
        "title": "To review",
        "waiting": waiting.with_articles()[:LISTED],
        "count": waiting.count(),
        "listed": LISTED,
        "list_url": reverse("admin:archive_article_changelist"),
    }
    return TemplateResponse(request, "admin/archive/article/queue.html", context)
