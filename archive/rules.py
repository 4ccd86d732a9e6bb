"""Rules: what is looked for in comments as they come in (``matching``), tried before they are used.

A rule acts under its own name and version (``Machine``), in the transaction that brings a comment in, so that nobody
sees in between what it holds or covers. What a person decided on, no rule touches.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import re2
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive import decision_log, masks, matching, moderation, outbox, queries, queue, redaction
from archive.decision_log import Machine
from archive.matching import Place
from archive.models import Comment, Decision, Masked, Rule, RuleVersion, Trial, TrialHit
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
SHORTEST_REPEATED = 20  # code points: shorter texts are said again without meaning anything by it
COMMENTS_AT_ONCE = 2_000
TRY = "archive.jobs.try_rule"
MASK = "archive.jobs.mask_hits"
GIVE_BACK = "archive.jobs.give_words_back"
_NAMED = re.compile(r"(?s)rule ([0-9]+)\b.*, version ([0-9]+)")  # as _machine and _reason have it
MASKS = (Rule.Kind.WORDS, Rule.Kind.PATTERN)  # what a rule looks for that can be covered


class Hit(NamedTuple):
    comment_id: int
    places: list[Place]


@dataclass(frozen=True)
class Problem:
    """Why a rule cannot be as it was written, in words for the person who wrote it."""

    why: str


# --- Finding ---


def places_in(rule: Rule, text: str) -> list[Place]:
    """Where a rule hits in a text; not for repeated text, which no single text shows.

    A mask hits what it would cover: whole words, all of them; words that follow one another are one place.
    """
    if rule.action == Rule.Action.MASK:
        return redaction.find(text, matching.marks_in(rule.kind, rule.body, text))
    least = rule.most + 1 if rule.kind == Rule.Kind.LINKS else 1
    found = matching.places_in(rule.kind, rule.body, text[:MAX_SEARCHED], most=max(MAX_PLACES, least))
    return found[:MAX_PLACES] if len(found) >= least else []


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
    if action == Rule.Action.MASK and kind not in MASKS:
        return Problem("only words and patterns can be covered: many links or a repeated text are held, or removed")
    if kind in (Rule.Kind.LINKS, Rule.Kind.REPEATED):
        return None if 0 <= most <= 1_000 else Problem("give a number from 0 to 1,000")
    if "\0" in body or not body.strip():
        return Problem("write what is to be looked for")
    if problem := _too_long(kind, body):
        return problem
    try:
        pattern = matching.compiled(kind, body)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        return Problem(f"this pattern cannot be used: {said}")
    return Problem("this pattern hits every text, even an empty one") if pattern.search("") else None


def _too_long(kind: str, body: str) -> Problem | None:
    if kind == Rule.Kind.PATTERN:
        more = len(body) > MAX_PATTERN
        return Problem(f"a pattern has at most {MAX_PATTERN:,} characters: make two rules of it") if more else None
    words = matching.words_of(body)
    if len(words) > MAX_WORDS:
        return Problem(f"a rule has at most {MAX_WORDS:,} words: make two rules of it")
    if long := next((word for word in words if len(word) > MAX_WORD), ""):
        return Problem(f"“{long[:30]}…” is longer than {MAX_WORD} characters")
    return Problem("a star alone would hit every word") if "*" in words else None


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


def switch(rule: Rule, *, on: bool, by: User, give_back: bool = False) -> Problem | None:
    """Use a rule for what is brought in from now on, or no longer. Only what was tried is switched on.

    ``give_back``: a worker takes its mask off all that it covered.
    """
    if on and not tried(rule):
        return Problem("try it on the archive first: it is switched on once you have seen what it would hit")
    with transaction.atomic():
        if not Rule.objects.filter(pk=rule.pk, version=rule.version).exclude(is_on=on).update(is_on=on):
            return Problem("somebody else has changed it since: look at it again")
        _log(rule, Decision.Action.CHANGE, by, "switched on" if on else "switched off", to_state="on" if on else "off")
        if give_back:
            outbox.run_later(GIVE_BACK, rule_id=rule.pk, user_id=by.pk)
    return None


def give_back_later(rule: Rule, *, by: User) -> Problem | None:
    """Have a worker take the mask of a rule that is off from all that it covered."""
    if rule.is_on:
        return Problem("it is switched on: what comes in would be covered again")
    with transaction.atomic():
        outbox.run_later(GIVE_BACK, rule_id=rule.pk, user_id=by.pk)
    return None


def give_words_back(rule: Rule, *, by: User) -> int:
    """Take the mask of a rule that is off from all that it covered, the last first; return how many comments it was."""
    found = Masked.objects.filter(version__rule=rule).order_by().values_list("decision_id", flat=True).distinct()
    count = 0
    for entry in queries.decisions().filter(pk__in=list(found)).order_by("-pk"):
        if Rule.objects.filter(pk=rule.pk, is_on=False).exists():
            reason = f"rule “{rule.name}” was switched off"
            undone = moderation.undo_words(entry, by=by, reason=reason, cause=Decision.Cause.RULE)
            count += len(undone.changed)
    return count


def covered(rule: Rule) -> int:
    """In how many comments the rule's mask covers something."""
    rows = Masked.objects.filter(version__rule=rule, table="comment", field="body").order_by()
    return rows.values("row").distinct().count()


def tried(rule: Rule) -> Trial | None:
    """The last finished trial of the rule as it is now."""
    rows = Trial.objects.filter(rule=rule, version=rule.version, finished_at__isnull=False)
    return rows.order_by("-pk").first()


def _log(rule: Rule, action: str, by: User, words: str, to_state: str = "") -> None:
    entry = Decision(
        action=action, target=RULE, target_id=rule.pk, revision=rule.version, to_state=to_state
    )  # fmt: skip
    decision_log.append([entry], by=by, reason=words)


# --- Using them ---


def apply(article_id: int, site_id: int) -> None:
    """Do what the rules that are on say with what they hit among an article's comments, in the caller's transaction."""
    active = [rule for rule in Rule.objects.filter(is_on=True).order_by("pk") if rule.site_id in (None, site_id)]
    if not active:
        return
    hits = {rule.pk: hits_in(rule, _texts(rule, article_id)) for rule in active}
    for rule in active:  # words are covered first, and looked for by all before
        if rule.action == Rule.Action.MASK:
            _mask(rule, [(article_id, hits.pop(rule.pk))])
    active = [rule for rule in active if rule.pk in hits]
    # What is spam is not held as well; of two rules that do the same, the older one decides and both are named.
    taken: set[int] = set()
    for rule in sorted(active, key=lambda rule: (rule.action != Rule.Action.SPAM, rule.pk)):
        mine = [hit for hit in hits[rule.pk] if hit.comment_id not in taken]
        taken |= {hit.comment_id for hit in mine}
        _decide(rule, {article_id: [hit.comment_id for hit in mine]})
    held = [rule for rule in active if rule.action == Rule.Action.HOLD]
    queue.put(_cards(article_id, [(rule, hit) for rule in held for hit in hits[rule.pk]]))


def _texts(rule: Rule, article_id: int) -> list[tuple[int, str]]:
    """What a rule looks at: what readers see and no person has decided on; a mask, what they may see one day, too."""
    rows = queries.comments()
    found = rows.undecided_in(article_id) if rule.action == Rule.Action.MASK else rows.untouched_in(article_id)
    return list(found.values_list("pk", "body"))


def _decide(
    rule: Rule,
    chosen: dict[int, list[int]],
    seen: moderation.Seen | None = None,
    parent: Decision | None = None,
) -> moderation.Result | None:
    chosen = {article: pks for article, pks in chosen.items() if pks}
    if not chosen:
        return None
    by, reason, cause = _machine(rule), _reason(rule), Decision.Cause.RULE
    known: dict[str, Any] = {"cause": cause, "seen": seen, "parent": parent}
    return moderation.decide_many(chosen, action=rule.action, by=by, reason=reason, **known)


def _machine(rule: Rule) -> Machine:
    """By its number: a name may be somebody's words, and stands in the reason, from which it can be erased."""
    return Machine(f"rule {rule.pk}")


def _reason(rule: Rule) -> str:
    return f"rule “{rule.name}”, version {rule.version}"


def acted_on(comment: Comment) -> tuple[RuleVersion, list[Place]] | None:
    """The rule that made a comment what it is, as it was then, and where it hits in the text as it is now.

    The log names rule and version, and versions never change: so nothing has to be kept of what was found.
    """
    if comment.cause != Decision.Cause.RULE:
        return None
    entries = queries.decisions().about(target="comment", article_id=comment.article_id, target_id=comment.pk)
    entry = entries.filter(actor_id__isnull=True, cause=Decision.Cause.RULE).newest_first().first()
    named = _NAMED.fullmatch(f"{entry.actor_name}\n{entry.why}") if entry else None
    version = RuleVersion.objects.filter(rule_id=named[1], number=named[2]).first() if named else None
    if version is None:
        return None
    rule = Rule(kind=version.kind, action=version.action, body=version.body, most=version.most)
    return version, [] if rule.kind == Rule.Kind.REPEATED else places_in(rule, comment.body)


def _mask(rule: Rule, found: Iterable[tuple[int, Sequence[Hit]]], *, is_read: bool = False) -> Decision | None:
    """Cover what a rule hits, by one entry of the log with one part for each comment; articles are locked.

    ``is_read``: readers may have seen it, so pages and search have to follow.
    """
    kept: list[Masked] = []
    entries: list[Decision] = []
    for article_id, hits in found:
        rows = masks.cover_by(rule, article_id, [hit.comment_id for hit in hits]) if hits else []
        if is_read and rows:
            masks.bring_up_to_date(article_id, rows)
        kept += rows
        entries += [_masked(hit.comment_id, article_id, len(hit.places)) for hit in hits]
    if not entries:
        return None
    told = {"rule": rule.pk, "version": rule.version, "comments": len(entries)}
    whole = _masked(None, None, sum(entry.detail["places"] for entry in entries))
    whole.detail |= told
    decision_log.append_parts(whole, entries, by=_machine(rule), reason=_reason(rule))
    version = RuleVersion.objects.get(rule=rule, number=rule.version)
    masks.keep(kept, version=version, decision_id=whole.pk)
    return whole


def _masked(comment_id: int | None, article_id: int | None, places: int) -> Decision:
    return Decision(
        action=Decision.Action.MASK,
        target=moderation.WORDS,
        article_id=article_id,
        target_id=comment_id,
        to_state="masked",
        cause=Decision.Cause.RULE,
        detail={"places": places},
    )


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
    texts = _texts(rule, article_id)
    hits = hits_in(rule, texts)
    room = max(0, MAX_HITS - trial.hits)
    TrialHit.objects.bulk_create(
        (
            TrialHit(trial=trial, article_id=article_id, comment_id=hit.comment_id, at=hit.places[:MAX_PLACES])
            for hit in hits[:room]
        ),
        batch_size=COMMENTS_AT_ONCE,
    )
    trial.looked_at += len(texts)
    trial.hits += len(hits)
    trial.places += sum(len(hit.places) for hit in hits)


def _cannot_apply(trial: Trial, rule: Rule) -> Problem | None:
    if trial.finished_at is None or trial.version != rule.version:
        return Problem("the rule was changed since: try it again")
    return Problem(f"it hits more than {MAX_HITS:,} comments: make it narrower") if trial.hits > MAX_HITS else None


def mask_later(trial: Trial) -> Problem | None:
    """Have a worker cover what a trial of a mask hit: one decision with one part for each, which is undone as one."""
    rule = Rule.objects.get(pk=trial.rule_id)
    if problem := _cannot_apply(trial, rule):
        return problem
    with transaction.atomic():
        rows = Trial.objects.filter(pk=trial.pk, applied_at=None, hits__gt=0)
        if rule.action != Rule.Action.MASK or not rows.update(applied_at=timezone.now()):
            return Problem("there is nothing to cover, or a worker is at it")
        outbox.run_later(MASK, trial_id=trial.pk)
    return None


def mask_hits(trial_id: int) -> None:
    """Cover what a trial hit and the rule hits still: what a person decided on since is left. All of it, or nothing."""
    with transaction.atomic():
        trial = Trial.objects.select_for_update(of=("self",)).select_related("rule").get(pk=trial_id)
        rule = trial.rule
        if trial.applied_at is None or trial.decision_id or _cannot_apply(trial, rule):
            return
        whole = _mask(rule, _hits_again(trial, rule), is_read=True)
        masked = whole.detail["comments"] if whole else 0
        Trial.objects.filter(pk=trial_id).update(decision_id=whole and whole.pk, skipped=trial.hits - masked)


def _hits_again(trial: Trial, rule: Rule) -> Iterator[tuple[int, list[Hit]]]:
    """Article by article, each locked, what of a trial's hits is one now."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for article_id, pk in TrialHit.objects.filter(trial=trial).values_list("article_id", "comment_id"):
        wanted[article_id].add(pk)
    for article_id in sorted(wanted):
        if queries.articles().filter(pk=article_id).select_for_update(no_key=True).values_list("pk").first():
            texts = [(pk, text) for pk, text in _texts(rule, article_id) if pk in wanted[article_id]]
            yield article_id, hits_in(rule, texts)


def claim_hits(trial_id: int) -> Trial | Problem:
    """Say that what a trial hit is decided on now; once, or the reason why not."""
    trial = Trial.objects.select_related("rule").get(pk=trial_id)
    if problem := _cannot_apply(trial, trial.rule):
        return problem
    rows = Trial.objects.filter(pk=trial_id, applied_at=None, hits__gt=0)
    if trial.rule.action == Rule.Action.MASK or not rows.update(applied_at=timezone.now()):
        return Problem("there is nothing that it hits, or it is being decided on")
    return trial


def decide_hits(
    trial_id: int, chosen: dict[int, list[int]], *, parent: Decision | None = None
) -> moderation.Result | Problem:
    """Decide on these of a trial's hits, in the rule's name: what was decided on since the trial stays as it is."""
    trial = Trial.objects.select_related("rule").get(pk=trial_id)
    if problem := _cannot_apply(trial, trial.rule):
        return problem
    result = _decide(trial.rule, chosen, moderation.Seen(trial.log_entry), parent)
    result = result or moderation.Result(None, [], [])
    decision_id = result.decision and result.decision.pk
    rows = Trial.objects.filter(pk=trial.pk)
    rows.update(decision_id=trial.decision_id or decision_id, skipped=F("skipped") + len(result.problems))
    if trial.rule.action == Rule.Action.HOLD:
        changed = [key.target_id for key in result.changed]
        hits = TrialHit.objects.filter(trial=trial, article_id__in=chosen, comment_id__in=changed).order_by("pk")
        why = ((hit, {"rules": [_named(trial.rule, hit.at)]}) for hit in hits)
        queue.put(Item(queue.HELD, hit.article_id, hit.comment_id, said) for hit, said in why)
    return result
