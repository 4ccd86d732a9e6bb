"""Rules: what is looked for in comments as they come in, in time linear in their length; tried before they are used.

Patterns are those of RE2, which never backtracks, whatever a person writes. A rule acts under its own name and version
(``Machine``), in the transaction that brings a comment in, so that nobody sees in between what it holds. What a person
decided on, no rule touches.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import re2
from django.db import transaction
from django.utils import timezone

from archive import decision_log, moderation, outbox, queries, queue
from archive.decision_log import Machine
from archive.models import Decision, Rule, RuleVersion, Trial, TrialHit
from archive.queue import Item

if TYPE_CHECKING:
    from accounts.models import User

RULE = moderation.RULE
MAX_RULES = 200
MAX_WORDS, MAX_WORD = 5_000, 100
MAX_PATTERN = 1_000
MAX_SEARCHED = 100_000  # code points of a comment
MAX_PLACES = 50  # of one rule in one comment that are kept
MAX_HITS = 50_000  # of a trial that are kept, and decided on at once
MEMORY = 64 * 1024 * 1024  # bytes for one compiled rule
SHORTEST_REPEATED = 20  # code points: shorter texts are said again without meaning anything by it
COMMENTS_AT_ONCE = 2_000
LINK = r"(?i)https?://|\bwww\."
TRY = "archive.jobs.try_rule"

type Place = tuple[int, int]


class Hit(NamedTuple):
    comment_id: int
    places: list[Place]


@dataclass(frozen=True)
class Problem:
    """Why a rule cannot be as it was written, in words for the person who wrote it."""

    why: str


# --- Finding ---


@lru_cache(maxsize=2 * MAX_RULES)
def compiled(kind: str, body: str) -> Any:
    """The RE2 pattern of a rule; raises ``re2.error``. Words stand between what is no letter and no digit."""
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.case_sensitive = kind == Rule.Kind.PATTERN
    if kind == Rule.Kind.LINKS:
        return re2.compile(LINK, options)
    if kind == Rule.Kind.PATTERN:
        return re2.compile(body, options)
    said = "|".join(_word(word) for word in sorted(words_of(body)))
    return re2.compile(rf"(?:^|[^\pL\pN])({said})(?:$|[^\pL\pN])", options)


def words_of(body: str) -> set[str]:
    return {" ".join(line.split()) for line in body.splitlines() if line.strip()}


def _word(word: str) -> str:
    """A star at the end stands for the rest of a word; space for any white space."""
    stem = word.removesuffix("*")
    return r"\s+".join(re2.escape(part) for part in stem.split()) + (r"[\pL\pN]*" if word.endswith("*") else "")


def places_in(rule: Rule, text: str) -> list[Place]:
    """Where a rule hits in a text; not for repeated text, which no single text shows."""
    group = 1 if rule.kind == Rule.Kind.WORDS else 0
    found: list[Place] = []
    for match in compiled(rule.kind, rule.body).finditer(text[:MAX_SEARCHED]):
        found.append(match.span(group))
        if len(found) > max(MAX_PLACES, rule.most if rule.kind == Rule.Kind.LINKS else 0):
            break
    if rule.kind == Rule.Kind.LINKS and len(found) <= rule.most:
        return []
    return found[:MAX_PLACES]


def hits_in(rule: Rule, texts: Sequence[tuple[int, str]]) -> list[Hit]:
    """Which of an article's comments (id and text) a rule hits."""
    if rule.kind != Rule.Kind.REPEATED:
        return [Hit(pk, places) for pk, text in texts if (places := places_in(rule, text))]
    digests = [(pk, _digest(text)) for pk, text in texts if len(text) >= SHORTEST_REPEATED]
    often = Counter(digest for _, digest in digests)
    seen: Counter[bytes] = Counter()
    hits = []
    for pk, digest in digests:
        seen[digest] += 1
        if often[digest] > rule.most and seen[digest] > rule.most:
            hits.append(Hit(pk, []))
    return hits


def _digest(text: str) -> bytes:
    return hashlib.blake2b(" ".join(text.split()).casefold().encode("utf-8", "surrogatepass"), digest_size=16).digest()


# --- Writing them ---


def problem_of(kind: str, action: str, body: str, most: int) -> Problem | None:
    """Why nobody could use such a rule; None where it is one."""
    if kind not in Rule.Kind.values or action not in Rule.Action.values:
        return Problem("choose what is looked for and what is done")
    if kind in (Rule.Kind.LINKS, Rule.Kind.REPEATED):
        return None if 0 <= most <= 1_000 else Problem("give a number from 0 to 1,000")
    if "\0" in body or not body.strip():
        return Problem("write what is to be looked for")
    if kind == Rule.Kind.PATTERN and len(body) > MAX_PATTERN:
        return Problem(f"a pattern has at most {MAX_PATTERN:,} characters: make two rules of it")
    if kind == Rule.Kind.WORDS:
        words = words_of(body)
        if len(words) > MAX_WORDS:
            return Problem(f"a rule has at most {MAX_WORDS:,} words: make two rules of it")
        if long := next((word for word in words if len(word) > MAX_WORD), ""):
            return Problem(f"“{long[:30]}…” is longer than {MAX_WORD} characters")
        if "*" in words:
            return Problem("a star alone would hit every word")
    try:
        pattern = compiled(kind, body)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        return Problem(f"this pattern cannot be used: {said}")
    return Problem("this pattern hits every text, even an empty one") if pattern.search("") else None


def save(rule: Rule, *, by: User) -> Problem | None:
    """Keep a rule, new or changed, as its next version, switched off until that was tried on the archive."""
    if not rule.name.strip() or len(rule.name) > 80:
        return Problem("give it a name of at most 80 characters")
    if problem := problem_of(rule.kind, rule.action, rule.body, rule.most):
        return problem
    with transaction.atomic():
        if rule.pk is None and Rule.objects.count() >= MAX_RULES:
            return Problem(f"there are {MAX_RULES} rules already: change one of them")
        is_new = rule.pk is None
        if not is_new:
            rule.version = Rule.objects.select_for_update().values_list("version", flat=True).get(pk=rule.pk)
        rule.version, rule.is_on = rule.version + 1, False
        rule.save()
        kept = {name: getattr(rule, name) for name in ("name", "kind", "action", "body", "most")}
        RuleVersion.objects.create(rule=rule, number=rule.version, by=by, by_name=by.get_username(), **kept)
        _log(rule, Decision.Action.OPEN if is_new else Decision.Action.CHANGE, by, f"version {rule.version}")
    return None


def switch(rule: Rule, *, on: bool, by: User) -> Problem | None:
    """Use a rule for what is brought in from now on, or no longer. Only what was tried is switched on."""
    if on and not tried(rule):
        return Problem("try it on the archive first: it is switched on once you have seen what it would hit")
    with transaction.atomic():
        if not Rule.objects.filter(pk=rule.pk, version=rule.version).exclude(is_on=on).update(is_on=on):
            return Problem("somebody else has changed it since: look at it again")
        _log(rule, Decision.Action.CHANGE, by, "switched on" if on else "switched off", to_state="on" if on else "off")
    return None


def tried(rule: Rule) -> Trial | None:
    """The last finished trial of the rule as it is now."""
    rows = Trial.objects.filter(rule=rule, version=rule.version, finished_at__isnull=False)
    return rows.order_by("-pk").first()


def _log(rule: Rule, action: str, by: User, words: str, to_state: str = "") -> None:
    entry = Decision(
        action=action, target=RULE, target_id=rule.pk, revision=rule.version, to_state=to_state,
        detail={"name": rule.name},
    )  # fmt: skip
    decision_log.append([entry], has_parent=False, by=by, reason=words)


# --- Using them ---


def apply(article_id: int, site_id: int) -> None:
    """Hold or take for spam what the rules that are on hit among an article's comments, in the caller's transaction."""
    active = [rule for rule in Rule.objects.filter(is_on=True).order_by("pk") if rule.site_id in (None, site_id)]
    if not active:
        return
    texts = _texts(article_id)
    hits = {rule.pk: hits_in(rule, texts) for rule in active}
    # What is spam is not held as well; of two rules that do the same, the older one decides and both are named.
    taken: set[int] = set()
    for rule in sorted(active, key=lambda rule: (rule.action != Rule.Action.SPAM, rule.pk)):
        mine = [hit for hit in hits[rule.pk] if hit.comment_id not in taken]
        taken |= {hit.comment_id for hit in mine}
        _decide(rule, {article_id: [hit.comment_id for hit in mine]})
    held = [rule for rule in active if rule.action == Rule.Action.HOLD]
    queue.put(_cards(article_id, [(rule, hit) for rule in held for hit in hits[rule.pk]]))


def _texts(article_id: int) -> list[tuple[int, str]]:
    """What rules look at: what readers see and no person has decided on."""
    return list(queries.comments().untouched_in(article_id).values_list("pk", "body"))


def _decide(rule: Rule, chosen: dict[int, list[int]], seen: moderation.Seen | None = None) -> moderation.Result | None:
    chosen = {article: pks for article, pks in chosen.items() if pks}
    if not chosen:
        return None
    by = Machine(f"rule {rule.pk}: {rule.name}"[:150])
    reason = f"rule “{rule.name}”, version {rule.version}"
    cause = Decision.Cause.RULE
    return moderation.decide_many(chosen, action=rule.action, by=by, reason=reason, cause=cause, seen=seen)


def _cards(article_id: int, found: Iterable[tuple[Rule, Hit]]) -> list[Item]:
    """One card for each comment that is held, with every rule that hit it."""
    whys: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for rule, hit in found:
        whys[hit.comment_id].append(_named(rule, hit.places))
    rows = queries.comments().filter(article_id=article_id, pk__in=whys, status="held")
    held = set(rows.values_list("pk", flat=True))
    return [Item(queue.HELD, article_id, pk, {"rules": rules}) for pk, rules in whys.items() if pk in held]


def _named(rule: Rule, places: Iterable[Iterable[int]]) -> dict[str, Any]:
    """What a card says of a hit: which rule, as it was then, and where."""
    return {"rule": rule.pk, "name": rule.name, "version": rule.version, "at": [list(place) for place in places]}


# --- Trying them ---


def start_trial(rule: Rule) -> Trial:
    """Have a worker find what the rule, as it is now, would hit in the archive; nothing is decided."""
    with transaction.atomic():
        last = queries.decisions().last_number()
        trial = Trial.objects.create(rule=rule, version=rule.version, log_entry=last)
        outbox.run_later(TRY, trial_id=trial.pk)
    return trial


def run_trial(trial_id: int) -> None:
    """Go through the articles in the order of their ids; killed and run again, it goes on where it was."""
    trial = Trial.objects.select_related("rule").get(pk=trial_id)
    rule = trial.rule
    while trial.finished_at is None and trial.version == rule.version:
        articles = queries.articles().visible_to(None).filter(pk__gt=trial.after_article).order_by("pk")
        if rule.site_id:
            articles = articles.filter(site_id=rule.site_id)
        batch = list(articles.values_list("pk", "comment_count")[:COMMENTS_AT_ONCE])
        done = 0
        with transaction.atomic():
            for article_id, count in batch:
                _try_on(trial, rule, article_id)
                trial.after_article = article_id
                done += count + 1
                if done >= COMMENTS_AT_ONCE:
                    break
            else:
                trial.finished_at = timezone.now()
            trial.save()
        rule.refresh_from_db(fields=["version"])


def _try_on(trial: Trial, rule: Rule, article_id: int) -> None:
    texts = _texts(article_id)
    hits = hits_in(rule, texts)
    room = max(0, MAX_HITS - trial.hits)
    TrialHit.objects.bulk_create(
        (TrialHit(trial=trial, article_id=article_id, comment_id=hit.comment_id, at=hit.places) for hit in hits[:room]),
        batch_size=COMMENTS_AT_ONCE,
    )
    trial.looked_at += len(texts)
    trial.hits += len(hits)


def apply_trial(trial: Trial) -> moderation.Result | Problem:
    """Decide on everything that a trial hit: one decision with one part for each, which is undone as one."""
    rule = Rule.objects.get(pk=trial.rule_id)
    if trial.finished_at is None or trial.version != rule.version:
        return Problem("the rule was changed since: try it again")
    if trial.hits > MAX_HITS:
        return Problem(f"it hits more than {MAX_HITS:,} comments: make it narrower")
    hits = list(TrialHit.objects.filter(trial=trial).order_by("pk"))
    chosen: dict[int, list[int]] = defaultdict(list)
    for hit in hits:
        chosen[hit.article_id].append(hit.comment_id)
    with transaction.atomic():
        result = _decide(rule, chosen, moderation.Seen(trial.log_entry))
        if result is None or result.decision is None:
            return result or Problem("there is nothing that it hits")
        Trial.objects.filter(pk=trial.pk).update(decision_id=result.decision.pk)
        if rule.action == Rule.Action.HOLD:
            changed = {key.target_id for key in result.changed}
            queue.put(
                Item(queue.HELD, hit.article_id, hit.comment_id, {"rules": [_named(rule, hit.at)]})
                for hit in hits
                if hit.comment_id in changed
            )
    return result
