"""The stored reading of an article, and what of it must live on in a new one: ids, decisions, what was judged.

``loader`` asks it before it replaces the rows, and has it bring along what belongs to them afterwards.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from archive.ingest import continuity
from archive.ingest.continuity import Known
from archive.ingest.records import Discussion, Span, storable
from archive.models import Article, Comment, Decision, FormerComment, Judgement, Mention, Revision

PUBLISHED = Comment.Status.PUBLISHED.value
OWN = -1  # the article's own text, where a comment's index stands otherwise

ERASED = "something in it was erased"
LOST = "a comment that was decided on is not in the new reading"
SHOWN = "the new reading would show a part of a hidden comment"
SWALLOWED = "the new reading would hide a part of a comment that readers see"
UNPLACED = "a place that somebody judged is not in the new reading"


def sha256(name: str) -> bytes:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()


def known(found: Discussion) -> list[Known]:
    return [Known(sha256(post.external_id), post.span) for post in found.comments]


class StoredReading:
    """What is stored of an article, matched with the new reading ``found``."""

    def __init__(self, article: Article, found: Discussion) -> None:
        self.article = article
        self.found = found
        columns = ("pk", "external_key", "span_start", "span_end", "status", "cause")
        rows = list(Comment.objects.filter(article_id=article.pk).order_by("position").values_list(*columns))
        self.pks = [row[0] for row in rows]
        self.statuses: list[str] = [row[4] for row in rows]
        self.causes: list[str] = [row[5] for row in rows]
        self.earlier = [_known(*row[1:4]) for row in rows]
        self.new = known(found)
        self.shared = continuity.overlaps(self.earlier, self.new)
        self.lives = continuity.match(self.earlier, self.new, self.shared)
        covered = [one for one in self.shared if self.statuses[one.earlier] != PUBLISHED]
        self.hidden_parts = {one.new: one.earlier for one in covered}
        self._match_texts()
        self.revived = self._former()
        self.places = list(self._places())

    def _match_texts(self) -> None:
        """What has neither place nor name in common may still say the same: once here and once there."""
        taken = set(self.lives.values())
        gone = {pk: index for index, pk in enumerate(self.pks) if index not in taken}
        fresh = [index for index in range(len(self.new)) if index not in self.lives]
        if not gone or not fresh:
            return
        said = list(Comment.objects.filter(article_id=self.article.pk, pk__in=gone).values_list("body", "pk"))
        ours, theirs = Counter(body for body, _ in said), Counter(self._text(index) for index in fresh)
        by_text = {body: gone[pk] for body, pk in said if body.strip() and ours[body] == 1}
        for index in fresh:
            text = self._text(index)
            if text in by_text and theirs[text] == 1:
                self.lives[index] = by_text[text]

    def _former(self) -> dict[int, int]:
        """New index -> the id that it had before it was joined into another comment."""
        fresh = [index for index in range(len(self.new)) if index not in self.lives]
        if not fresh:
            return {}
        columns = ("comment_id", "external_key", "span_start", "span_end")
        rows = list(FormerComment.objects.filter(article_id=self.article.pk).order_by("-pk").values_list(*columns))
        former, unknown = [_known(*row[1:]) for row in rows], [self.new[index] for index in fresh]
        back = continuity.match(former, unknown, continuity.overlaps(former, unknown))
        return {fresh[place]: rows[index][0] for place, index in back.items()}

    def ids(self) -> list[int | None]:
        """The id of each new comment that has one already."""
        return [
            self.pks[self.lives[index]] if index in self.lives else self.revived.get(index)
            for index in range(len(self.new))
        ]

    def status_of(self, index: int) -> tuple[str, str]:
        """Status and cause: as decided on the comment, or on one of which it holds a part. Nothing hidden is shown."""
        earlier = self.lives.get(index)
        if earlier is None or self.statuses[earlier] == PUBLISHED:
            earlier = self.hidden_parts.get(index, earlier)
        return (PUBLISHED, "") if earlier is None else (self.statuses[earlier], self.causes[earlier])

    def _text(self, index: int) -> str:
        return storable(self.found.body if index == OWN else self.found.comments[index].text)

    # What a machine's reading must not undo

    def objection(self, text: str) -> str:
        """Why the new reading cannot take the stored one's place without undoing what people decided; empty if it can.

        ``text`` is the decoded source, where it is plain text.
        """
        if self.article.is_erased or Comment.Status.ERASED in self.statuses:
            return ERASED
        about = Decision.objects.filter(article_id=self.article.pk, target="comment", target_id__isnull=False)
        decided = set(about.values_list("target_id", flat=True))
        living = set(self.lives.values())
        if any(pk in decided and index not in living for index, pk in enumerate(self.pks)):
            return LOST
        if mixed := self._mixed(text):
            return mixed
        judged = any(isinstance(row, Judgement) and place is None for row, place in self.places)
        return UNPLACED if judged else ""

    def _mixed(self, text: str) -> str:
        """Whether hidden text would land where readers see it, or the other way round."""
        own = {self.lives[index]: index for index in self.lives}
        hidden = [index for index, status in enumerate(self.statuses) if status != PUBLISHED]
        stays = {own[index] for index in hidden if index in own}
        for one in self.shared:
            if (self.statuses[one.earlier] != PUBLISHED) != (one.new in stays):
                return SWALLOWED if one.new in stays else SHOWN
        spans = sorted(one.span for one in self.new if one.span)
        if any(_uncovered(text, span, spans) for index in hidden if (span := self.earlier[index].span)):
            return SHOWN
        return SHOWN if self._repeated(hidden, stays) else ""

    def _repeated(self, hidden: Sequence[int], stays: set[int]) -> bool:
        """Whether a visible comment would say just what a hidden one says, and did not do so before."""
        if not hidden:
            return False
        bodies = Comment.objects.filter(article_id=self.article.pk)
        secret = set(bodies.filter(pk__in=[self.pks[index] for index in hidden]).values_list("body", flat=True))
        same = [i for i in range(len(self.new)) if i not in stays and self._text(i) in secret and self._text(i).strip()]
        before = [self.pks[self.lives[index]] for index in same if index in self.lives]
        return bodies.filter(pk__in=before, body__in=secret).count() < len(same)

    # What people said of places in the texts

    def _places(self) -> Iterable[tuple[Mention | Judgement, tuple[int, int] | None]]:
        """What somebody looked at, and the text (OWN or an index) and offset where it is now, or None."""
        pk = self.article.pk
        rows: list[Mention | Judgement] = [
            *Mention.objects.filter(article_id=pk).exclude(review=Mention.Review.SUGGESTED).order_by("pk"),
            *Judgement.objects.filter(article_id=pk, scope=Judgement.Scope.HERE).order_by("pk"),
        ]
        wanted = {row.comment_id for row in rows if row.comment_id}
        old = dict(Comment.objects.filter(article_id=pk, pk__in=wanted).values_list("pk", "body"))
        number = {comment: index for index, comment in enumerate(self.pks)}
        for row in rows:
            body = old.get(row.comment_id) if row.comment_id else self.article.body
            start, end = row.start, row.end
            if body is None or start is None or end is None or body[start:end][:300] != row.surface:
                continue  # of an earlier text: the row says nothing of this one
            yield row, self._place(body, start, end, number[row.comment_id] if row.comment_id else None)

    def _place(self, body: str, start: int, end: int, index: int | None) -> tuple[int, int] | None:
        for candidate in self._candidates(index):
            at = continuity.moved(body, self._text(candidate), start, end)
            if at is not None:
                return candidate, at
        return None

    def _candidates(self, index: int | None) -> list[int]:
        """Where the text of an earlier comment, or of the article (None), may be now; what it became first."""
        if index is None:
            span = self.article.span_start, self.article.span_end
            own = continuity.overlaps([_known(b"", *span)], self.new)
            return [OWN, *(one.new for one in own)]
        same = [new for new, earlier in self.lives.items() if earlier == index]
        return [*same, *(one.new for one in self.shared if one.earlier == index and one.new not in same), OWN]

    # Replacing it

    def take_out(self, *, cause: str) -> None:
        """Keep replaced texts as revisions and remove what belongs to comments that live on no more."""
        pk = self.article.pk
        texts = {self.pks[earlier]: self._text(index) for index, earlier in self.lives.items()}
        Revision.objects.filter(article_id=pk, comment_id__in=[gone for gone in self.pks if gone not in texts]).delete()
        bodies = Comment.objects.filter(article_id=pk, pk__in=texts).values_list("pk", "version", "body")
        rows = [
            Revision(article=self.article, comment_id=comment, number=version, cause=cause, body=body)
            for comment, version, body in bodies.iterator()
            if body != texts[comment]
        ]
        if self.article.body != self._text(OWN):
            version = self.article.version
            rows.append(Revision(article=self.article, number=version, cause=cause, body=self.article.body))
        Revision.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
        Mention.objects.filter(article_id=pk).delete()

    def bring_along(self, ids: Sequence[int]) -> None:
        """Put what people said in its new place, and lead old addresses to new ones; ``ids`` are the new comments'."""
        self._bring_places(ids)
        pk = self.article.pk
        taken = set(self.lives.values())
        gone = [index for index in range(len(self.pks)) if index not in taken]
        heirs = continuity.heirs(gone, self.shared)
        leads = {self.pks[index]: None if heir is None else ids[heir] for index, heir in heirs.items()}
        FormerComment.objects.filter(article_id=pk, comment_id__in=self.revived.values()).delete()
        for heir, some in groupby(sorted(leads.items(), key=lambda one: one[1] or 0), itemgetter(1)):
            old = [former for former, _ in some]
            FormerComment.objects.filter(article_id=pk, heir_id__in=old).update(heir_id=heir)
        FormerComment.objects.bulk_create(
            (
                FormerComment(
                    article_id=pk,
                    comment_id=self.pks[index],
                    heir_id=leads[self.pks[index]],
                    external_key=self.earlier[index].key,
                    span_start=span.start if (span := self.earlier[index].span) else None,
                    span_end=span.end if span else None,
                )
                for index in gone
            ),
            batch_size=1000,
        )

    def _bring_places(self, ids: Sequence[int]) -> None:
        targets = {place[0] for _, place in self.places if place}
        wanted = [ids[index] for index in targets if index != OWN]
        rows = Comment.objects.filter(article_id=self.article.pk, pk__in=wanted).values_list("pk", "version")
        versions: dict[int | None, int] = {**dict(rows), None: self.article.version + 1}
        mentions: dict[tuple[object, ...], Mention] = {}
        judgements = []
        for row, place in self.places:
            if place is None or row.start is None or row.end is None:
                continue
            comment_id = None if place[0] == OWN else ids[place[0]]
            row.comment_id, row.start, row.end = comment_id, place[1], place[1] + row.end - row.start
            if isinstance(row, Mention):
                row.revision = versions[comment_id]
                mentions.setdefault((comment_id, row.start, row.end, row.extractor), row)
            else:
                judgements.append(row)
        Judgement.objects.bulk_update(judgements, ["comment_id", "start", "end"], batch_size=1000)
        Mention.objects.bulk_create(mentions.values(), batch_size=1000)


def _known(key: bytes, start: int | None, end: int | None) -> Known:
    return Known(bytes(key), None if start is None or end is None else Span(start, end))


def _uncovered(text: str, span: Span, spans: Sequence[Span]) -> bool:
    """Whether something visible of ``span`` is in none of ``spans``, which are in order."""
    at = span.start
    first = max(0, bisect_right(spans, span.start, key=lambda one: one.start) - 1)
    for one in spans[first:]:
        if one.start >= span.end:
            break
        if text[at : max(at, one.start)].strip():
            return True
        at = max(at, one.end)
    return bool(text[at : span.end].strip())
