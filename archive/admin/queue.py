"""The queue: one page with everything that waits for a person, a card of one of them, and one key for each decision.

The server draws rows and cards, with and without a script; the script only asks for them and puts them in place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator, capfirst

from archive import moderation, queries, queue
from archive.admin import saved_views
from archive.admin.cards import CONFIRM, KINDS, Kind, by_rule, kinds_for
from archive.admin.moderation import USUAL_REASONS, lines
from archive.admin.narrowing import AGES, PER_PAGE, Asked, Leaf, leaf
from archive.admin.site import badge, moment
from archive.kinds import counts_for, reaches, within_reach
from archive.models import Article, Comment, Decision, Waiting
from archive.queries import ThreadRow
from archive.text import excerpt, html_to_text
from archive.views.paging import number

Action = Decision.Action
EXCERPT = 120  # code points of a comment in the list
EXCERPT_BESIDE = 400  # of one beside the card's own
ABOVE, BESIDE, BELOW = 6, 2, 5  # comments around the one on the card: answered ones, neighbours, replies
MOST_TEXT = 20_000  # code points of a text that a card shows
MOST_AUTHORED = 1_000  # comments under a name that its history counts
MOST_HISTORY = 20
MOST_LOOKED = 10**9  # that a page says it has looked through
MOST_UNDONE = 50  # decisions that one session can take back with a key
MOST_DECIDED = 5_000  # comments that are hidden with one above them, from the card
DONE = {"confirmed": "found right", "published": "approved", "hidden": "hidden", "spam": "spam", "held": "held"}
SAID = {Action.APPROVE: "Approved", Action.HIDE: "Hidden", Action.SPAM: "Marked as spam"}


class Row(NamedTuple):
    """One line of the list."""

    item: Waiting
    kind: Kind
    who: str
    excerpt: str
    place: str
    what: SafeString
    is_done: bool
    url: str


def rows_of(items: Sequence[Waiting], query: str, user: Any) -> list[Row]:
    """The lines of the list: two queries for what they are about, two for what became of them."""
    targets = {(item.article_id, item.comment_id) for item in items if item.article_id and item.comment_id}
    comments = queries.comments().beginnings(targets, length=EXCERPT * 2)
    articles = (
        queries.articles().with_site().defer("body", "html").in_bulk([i.article_id for i in items if i.article_id])
    )
    whats = whats_of(items, user)
    made = []
    for item in items:
        comment, article = comments.get(item.comment_id or 0), articles.get(item.article_id or 0)
        start = str(getattr(comment, "start", "")) or (article.title if article else "")
        who = (comment.author_name or "author unknown") if comment else ""
        what, is_done = whats[item.pk]
        url = f"?{query}{'&' if query else ''}card={item.pk}"
        place = f"{article.site} · {article.title}" if article and comment else str(article.site) if article else ""
        short = KINDS[item.kind].subject(item) or excerpt(start, EXCERPT) or "(no text)"
        made.append(Row(item, KINDS[item.kind], _cut(who, 40), short, _cut(place, 70), what, is_done, url))
    return made


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def whats_of(items: Iterable[Waiting], user: Any) -> dict[int, tuple[SafeString, bool]]:
    """By id, what became of each since it waits, and whether it is done: what every open page is told."""
    items = list(items)
    numbers = {item.decision_id for item in items if item.decision_id}
    decisions = queries.decisions().in_bulk(numbers) if numbers else {}
    return {item.pk: (_what(item, decisions, user), item.settled_at is not None) for item in items}


def _what(item: Waiting, decisions: dict[int, Decision], user: Any) -> SafeString:
    if item.settled_at is not None:
        entry = decisions.get(item.decision_id or 0)
        if entry is None:
            return badge("done")
        return format_html(
            "{} by {}", badge(entry.to_state, DONE.get(entry.to_state, entry.to_state)), entry.actor_name
        )
    if item.claimed_by_id and item.claimed_at and item.claimed_at > timezone.now() - queue.CLAIM_LASTS:
        mine = item.claimed_by_id == user.pk
        return badge("received", "yours" if mine else f"with {item.claimed_by}")
    return SafeString("")


class Beside(NamedTuple):
    """A comment of the thread around the one on the card."""

    row: ThreadRow
    role: str
    level: int
    state: str
    start: str


def around(here: Comment) -> tuple[list[Beside], list[Beside]]:
    """What stands above a comment and before it, and what replies to it and comes after: two queries."""
    end = here.thread_rank + here.subtree_size
    above = queries.comments().ancestors_of(here.article_id, [here.pk], limit=ABOVE)
    first = max(0, here.thread_rank - BESIDE)
    near = [*range(first, here.thread_rank), *range(here.thread_rank + 1, min(end, here.thread_rank + BELOW) + 1)]
    near += range(end + 1, end + 1 + BESIDE)
    known = {row.id for row in above}
    rows = [row for row in queries.comments().for_ranks(here.article_id, near) if row.id not in known]
    base = min((row.depth for row in above), default=here.depth)
    made = [
        Beside(row, _role(row, here, end, known), max(0, row.depth - base), _state(row), _start(row))
        for row in [*above, *rows]
    ]
    made.sort(key=lambda one: one.row.thread_rank)
    before = [one for one in made if one.row.thread_rank < here.thread_rank]
    return before, [one for one in made if one.row.thread_rank > here.thread_rank]


def _role(row: ThreadRow, here: Comment, end: int, above: set[int]) -> str:
    if row.id in above:
        return "above"
    return "below" if here.thread_rank < row.thread_rank <= end else "beside"


def _start(row: ThreadRow) -> str:
    return excerpt(html_to_text(row.shown_html[: 4 * EXCERPT_BESIDE]), EXCERPT_BESIDE)


def _state(row: ThreadRow) -> str:
    return str(Comment.Status(row.status).label) if row.is_tombstone else ""


def marked(text: str, ranges: Iterable[tuple[int, int]]) -> SafeString:
    """The text, escaped, with these ranges of it in ``<mark>``; ranges that overlap are shown as one."""
    parts, at = [], 0
    for start, end in sorted(ranges):
        start = max(start, at)
        if start < end <= len(text):
            parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
            at = end
    return mark_safe("".join([*parts, escape(text[at:])]))  # noqa: S308  escaped part by part


class Queue:
    """The page and what it asks for, on one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self.site = site

    def urls(self) -> list[URLPattern]:
        guarded = self.site.admin_view
        return [
            path("queue/", guarded(self.page), name="queue"),
            path("queue/news/", guarded(self.news), name="queue-news"),
            path("queue/undo/", guarded(self.undo), name="queue-undo"),
            path("queue/<int:pk>/", guarded(self.one), name="queue-card"),
            path("queue/<int:pk>/decide/", guarded(self.decide), name="queue-decide"),
        ]

    # Looking

    def page(self, request: HttpRequest) -> HttpResponse:
        """The list, narrowed as the address says, and the card that it names or the first."""
        kinds = self._kinds(request)
        asked = Asked.of(request.GET)
        after = _place(request.GET.get("after", ""))
        found = leaf(asked, request.user, after)
        items = found.items
        chosen = number(request.GET.get("card", ""))
        item = self._item(request, chosen) if chosen else items[0] if items else None
        if item and item.pk not in {one.pk for one in items}:
            items.insert(0, item)
        context = {
            **self.site.each_context(request),
            "title": "Queue",
            "rows": rows_of(items, _place_in(request, asked), request.user),
            **_filters(request.user, asked, kinds),
            **_onward(request, asked, found),
            "is_first": not after,
            "may_choose": queries.may_moderate(request.user),
            "may_write_rules": queries.moderates_everywhere(request.user),
            "can_undo": bool(_remembered(request)["undo"]),
            "chosen": item,
            **(self._card(request, item, _next_of(items, item)) if item else {}),
        }
        return TemplateResponse(request, "admin/archive/queue/page.html", context)

    def one(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A card alone, for the script."""
        self._kinds(request)
        item = self._item(request, pk)
        if item is None:
            raise Http404
        return HttpResponse(self._drawn(request, item))

    def news(self, request: HttpRequest) -> HttpResponse:
        """What became of these cards: for a page that is open while others decide."""
        self._kinds(request)
        return JsonResponse({"what": self._whats(request, request.GET.get("ids", "").split(",")[: 2 * PER_PAGE])})

    def _whats(self, request: HttpRequest, ids: Iterable[str]) -> dict[int, list[Any]]:
        names = [kind.name for kind in kinds_for(request.user)]
        wanted = [pk for one in ids if (pk := number(one)) is not None]
        items = queries.waiting().filter(within_reach(request.user), pk__in=wanted, kind__in=names)
        items = items.select_related("claimed_by")
        return {pk: list(what) for pk, what in whats_of(items, request.user).items()}

    def _kinds(self, request: HttpRequest) -> list[Kind]:
        if not (kinds := kinds_for(request.user)):
            raise PermissionDenied
        return kinds

    def _item(self, request: HttpRequest, pk: int) -> Waiting | None:
        found = queries.waiting().select_related("claimed_by").filter(pk=pk).first()
        return found if found and reaches(request.user, found.kind, found.site_id) else None

    def _drawn(self, request: HttpRequest, item: Waiting, problem: str = "") -> str:
        context = {**self._card(request, item, None), "chosen": item, "problem": problem, "is_scripted": True}
        return render_to_string("admin/archive/queue/_card.html", context, request)

    def _card(self, request: HttpRequest, item: Waiting, following: int | None) -> dict[str, Any]:
        """What a card shows: the comment in its thread, why it is here, and what was decided before."""
        kind = KINDS[item.kind]
        article = queries.articles().with_site().defer("html").filter(pk=item.article_id or 0).first()
        comment = queries.comments().for_moderation(item.article_id or 0, item.comment_id) if item.comment_id else None
        subject = kind.subject(item)
        is_gone = not subject and (article is None or (item.comment_id is not None and comment is None))
        what, is_done = whats_of([item], request.user)[item.pk]
        context: dict[str, Any] = {
            "kind": kind,
            "reasons": kind.reasons(item),
            "article": article,
            "comment": comment,
            "is_gone": is_gone,
            "subject": subject,
            "what": what,
            "is_done": is_done,
            "waits_since": moment(item.created_at),
            "actions": ["dismiss"] if is_gone and item.comment_id else [] if is_gone else list(kind.actions(item)),
            "elsewhere": kind.elsewhere(item, request.user),
            "last_reason": _remembered(request)["reason"],
            "usual_reasons": USUAL_REASONS,
            "seen": queries.decisions().last_number(),
            "following": following,
            "query": request.GET.urlencode(),
        }
        if comment is not None and article is not None:
            before, after = around(comment)
            context |= {"before": before, "after": after, "version": comment.version, **_history(comment)}
            reasons = [reason.read_in(comment.body) for reason in context["reasons"]]
            reasons += [] if any(reason.at for reason in reasons) else by_rule(comment)
            places = [place for reason in reasons for place in reason.at]
            context |= {"reasons": reasons, "text": text_of(comment, places), "indent": _indent(before, comment)}
        elif article is not None:
            context |= {"text": Truncator(article.body).chars(2_000), "title": article.title}
        return context

    # Deciding

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One decision on one card; the answer is what changed and, where ``next`` names one, the next card."""
        self._kinds(request)
        item = self._item(request, pk)
        action = request.POST.get("action", "")
        if item is None or request.method != "POST":
            raise Http404
        if action == "claim":
            done = queue.claim(item.pk, by=_person(request))
            return self._answer(
                request, item, "" if done else "somebody else has it, or it is done", "", following=item.pk
            )
        if action == "dismiss" and self._is_gone(item):
            queue.settle([(item.article_id or 0, item.comment_id)], decision_id=None)
            return self._answer(request, item, "", "Taken off the list")
        if action not in KINDS[item.kind].actions(item):
            raise Http404
        result = self._confirmed(request, item) if action == CONFIRM else self._decided(request, item, action)
        problem = "; ".join(problem.why for problem in result.problems)
        if result.decision is None:
            return self._answer(request, item, problem or "nothing changed", "")
        remember(request, result.decision.pk, request.POST.get("reason", "") if action == Action.HIDE else "")
        said = "Found right" if action == CONFIRM else SAID[Action(action)]
        more = f", with {len(result.changed) - 1} below it" if len(result.changed) > 1 else ""
        return self._answer(request, item, "", f"{said}{more}")

    def _is_gone(self, item: Waiting) -> bool:
        return bool(item.comment_id) and not queries.comments().for_moderation(
            item.article_id or 0, item.comment_id or 0
        )

    def _confirmed(self, request: HttpRequest, item: Waiting) -> moderation.Result:
        comment = queries.comments().for_moderation(item.article_id or 0, item.comment_id or 0)
        if comment is None:
            return moderation.Result(None, [], [moderation.Problem("it does not exist any more")])
        return moderation.confirm(comment, by=_person(request), seen=_seen(request))

    def _decided(self, request: HttpRequest, item: Waiting, action: str) -> moderation.Result:
        sent = request.POST
        by, reason = _person(request), sent.get("reason", "").strip()
        if action == Action.SPAM:
            reason = "spam"
        elif action == Action.APPROVE:
            reason = ""
        seen = _seen(request)
        target: Comment | Article | None
        if item.comment_id is None:
            target = queries.articles().filter(pk=item.article_id or 0).first()
        else:
            target = queries.comments().for_moderation(item.article_id or 0, item.comment_id)
        if target is None:
            return moderation.Result(None, [], [moderation.Problem("it does not exist any more")])
        if sent.get("replies") and isinstance(target, Comment) and target.subtree_size and action != Action.APPROVE:
            ids = queries.comments().with_replies(target, limit=MOST_DECIDED + 1)
            if len(ids) > MOST_DECIDED:
                many = f"more than {MOST_DECIDED:,} replies: choose them in the list of comments"
                return moderation.Result(None, [], [moderation.Problem(many)])
            chosen = {target.article_id: ids}
            return moderation.decide_many(chosen, action=action, by=by, reason=reason, seen=seen._replace(version=None))
        return moderation.decide(target, action=action, by=by, reason=reason, seen=seen)

    def undo(self, request: HttpRequest) -> HttpResponse:
        """Take back the last decision of this session; its card is opened again."""
        self._kinds(request)
        if request.method != "POST":
            raise Http404
        numbers = _remembered(request)["undo"]
        entry = queries.decisions().filter(pk=numbers[-1]).first() if numbers else None
        if entry is None or not queries.may_undo(request.user, entry):
            return self._answer(request, None, "there is nothing to undo", "")
        request.session["queue"] = {**_remembered(request), "undo": numbers[:-1]}
        item = queries.waiting().filter(decision_id=entry.pk).order_by("pk").first()
        result = moderation.undo(entry, by=_person(request))
        problem = "; ".join(problem.why for problem in result.problems)
        back = self._item(request, item.pk) if item else None
        return self._answer(request, back, problem, "" if problem else "Undone", following=item.pk if item else None)

    def _answer(
        self, request: HttpRequest, item: Waiting | None, problem: str, said: str, following: int | None = None
    ) -> HttpResponse:
        following = following or number(request.POST.get("next", ""))
        problem = capfirst(problem)
        if "application/json" not in request.headers.get("Accept", ""):
            if problem:
                messages.error(request, f"{problem}.")
            elif said:
                messages.success(request, f"{said}.")
            query = QueryDict(request.POST.get("query", "")[:1000]).copy()
            query.pop("card", None)
            shown = item.pk if item and problem else following
            if shown:
                query["card"] = str(shown)
            return HttpResponseRedirect(f"{reverse('admin:queue')}?{query.urlencode()}")
        shown_item = item if problem else self._item(request, following) if following else None
        if shown_item:  # read again: the decision has changed it
            shown_item = self._item(request, shown_item.pk)
        answer = {
            "what": self._whats(request, [str(item.pk)] if item else []),
            "card": self._drawn(request, shown_item, problem) if shown_item else "",
            "at": shown_item.pk if shown_item else None,
            "said": said,
            "problem": problem,
        }
        return JsonResponse(answer, status=409 if problem else 200)


def _seen(request: HttpRequest) -> moderation.Seen:
    return moderation.Seen(number(request.POST.get("seen", "")) or 0, number(request.POST.get("version", "")))


def _person(request: HttpRequest) -> Any:
    return request.user


def _place(text: str) -> tuple[float, int] | None:
    """Where the page before ended: score and id."""
    score, _, pk = text.partition(",")
    try:
        at = number(pk)
        return None if at is None else (float(score), at)
    except ValueError:
        return None


def _onward(request: HttpRequest, asked: Asked, found: Leaf) -> dict[str, Any]:
    """Where the list goes on, and in how many rows words were looked for on the way here, if not in all."""
    place, looked = found.next_place, 0
    url = f"?{asked.query}&after={place[0]},{place[1]}" if place else ""
    if found.looked_through:
        looked = min((number(request.GET.get("looked", "")) or 0) + found.looked_through, MOST_LOOKED)
        url += f"&looked={looked}"
    return {"next_page": url, "looked_through": looked}


def _place_in(request: HttpRequest, asked: Asked) -> str:
    """The address of this page of the list, so that opening one of its cards does not lead back to the first page."""
    after = request.GET.get("after", "")
    return f"{asked.query}{'&' if asked.query else ''}after={after}" if _place(after) else asked.query


def _next_of(items: Sequence[Waiting], item: Waiting) -> int | None:
    ids = [one.pk for one in items if one.settled_at is None or one.pk == item.pk]
    at = ids.index(item.pk) if item.pk in ids else -1
    return ids[at + 1] if at + 1 < len(ids) else None


def _filters(user: Any, asked: Asked, kinds: Sequence[Kind]) -> dict[str, Any]:
    """What the list can be narrowed to, with the counts that the ledger has: one query for each of four."""
    counted = counts_for(user)
    names = {kind.name for kind in kinds}
    per_site: Counter[int | None] = Counter()
    per_kind: Counter[str] = Counter()
    for (kind, site), n in counted.items():
        if kind in names:
            per_kind[kind] += n
            per_site[site] += n
    views = saved_views.offered_to(user, asked, counted)
    rules = queries.rules_holding(user)
    return {
        "asked": asked,
        "total": per_kind.total(),
        "kinds": [(kind, per_kind[kind.name]) for kind in kinds],
        "sites": [(site, per_site[site.pk]) for site in queries.sites().filter(pk__in=filter(None, per_site))[:200]],
        "rules": rules,
        "holds_nothing": asked.rule is not None and asked.rule not in {rule.pk for rule in rules},
        "ages": [(name, words) for name, (words, _) in AGES.items()],
        "views": views,
        "here": next((view for view in views if view.is_here), None),
    }


def _remembered(request: HttpRequest) -> dict[str, Any]:
    """What this session decided and why, last."""
    return {"undo": [], "reason": "", **request.session.get("queue", {})}


def remember(request: HttpRequest, decision: int, reason: str) -> None:
    before = _remembered(request)
    reason = reason.strip()[: moderation.MAX_REASON] or before["reason"]
    request.session["queue"] = {"undo": [*before["undo"], decision][-MOST_UNDONE:], "reason": reason}


def _history(comment: Comment) -> dict[str, Any]:
    """What was decided on the comment, and on others under its author's name within the site."""
    about = queries.decisions().about(target="comment", article_id=comment.article_id, target_id=comment.pk)
    context: dict[str, Any] = {"decisions": lines(about.newest_first()[:MOST_HISTORY])}
    if comment.author_id is not None:
        states = queries.comments().states_by_author(comment.author_id, among=MOST_AUTHORED)
        on_author = queries.decisions().on_author(comment.author_id, among=200)
        context |= {
            "states": [(badge(state), n) for state, n in sorted(states.items())],
            "written": sum(states.values()),
            "most_authored": MOST_AUTHORED,
            "author_decisions": lines(on_author[:5]),
            "author_url": reverse("author", args=[comment.author_id]),
        }
    return context


def text_of(comment: Comment, ranges: Sequence[tuple[int, int]]) -> SafeString:
    """As readers see it, or with what was matched marked in the plain text."""
    if ranges:
        return format_html('<p class="plain">{}</p>', marked(comment.body[:MOST_TEXT], ranges))
    return mark_safe(comment.html)  # noqa: S308  made safe by archive.text when it was stored


def _indent(before: Sequence[Beside], here: Comment) -> int:
    base = min((one.row.depth for one in before if one.role == "above"), default=here.depth)
    return here.depth - base
