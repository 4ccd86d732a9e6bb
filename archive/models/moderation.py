"""The log of decisions, and readers' reports."""

from __future__ import annotations

from django.db import models


class DecisionReason(models.Model):
    """Why something was decided, as it was typed: the one part of the log that an erasure can take away.

    An entry's hash covers the digest of ``salt`` and ``text``, and not these. Written by ``decision_log``; emptied by
    it alone, with the number of the case.
    """

    text = models.CharField(max_length=500, blank=True)
    salt = models.CharField(max_length=32, blank=True)
    case_id = models.BigIntegerField(null=True, help_text="for which it was erased")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"reason {self.pk}"


class Decision(models.Model):
    """One entry of the append-only log. Written by ``moderation`` alone.

    It holds plain numbers and no foreign key that the database knows, so that nothing that is deleted can take log
    entries along. ``hash`` covers every other field and the hash of the entry before: a change or a gap shows.
    """

    class Action(models.TextChoices):
        HIDE = "hide", "hid"
        RESTORE = "restore", "restored"
        BULK = "bulk", "decided on several"
        UNDO = "undo", "undid"
        CORRECT = "correct", "corrected"
        PUBLISH = "publish", "published"
        REOPEN = "reopen", "reopened"
        DISCARD = "discard", "discarded corrections of"
        HOLD = "hold", "held"
        SPAM = "spam", "marked as spam"
        MASK = "mask", "masked words of"
        ERASE = "erase", "erased"
        OPEN = "open", "opened"
        CHANGE = "change", "changed"
        CLOSE = "close", "closed"
        APPROVE = "approve", "approved"

    class Cause(models.TextChoices):
        """Why something is as it is, apart from what it is: a comment may be hidden for a case or by a rule."""

        MODERATOR = "moderator", "a moderator's decision"
        RULE = "rule", "a rule"
        CASE = "case", "a case"
        SOURCE = "source", "the site that it comes from"

    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=16, choices=Action)
    target = models.CharField(max_length=16, help_text="what was decided on: comment, article, structure, case ...")
    article_id = models.BigIntegerField(null=True)
    target_id = models.BigIntegerField(null=True)
    revision = models.IntegerField(null=True, help_text="version of the target that was decided on")
    from_state = models.CharField(max_length=16, blank=True)
    to_state = models.CharField(max_length=16, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="of entries older than ``said``")
    said = models.ForeignKey(
        DecisionReason, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    reason_digest = models.CharField(max_length=64, blank=True)
    parent_id = models.BigIntegerField(null=True, help_text="the bulk decision that this is part of")
    undoes_id = models.BigIntegerField(null=True)
    cause = models.CharField(max_length=16, choices=Cause, blank=True)
    case_id = models.BigIntegerField(null=True)
    detail = models.JSONField(default=dict, help_text="numbers and names that belong to it; no text of a comment")
    site_id = models.BigIntegerField(
        null=True,
        help_text="of the article, which tells it: not a part of the hash",
    )
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["article_id", "target_id"], name="decision_by_target"),
            models.Index(fields=["parent_id"], name="decision_by_parent", condition=models.Q(parent_id__isnull=False)),
            models.Index(fields=["action", "-id"], name="decision_by_action"),
            models.Index(fields=["case_id"], name="decision_by_case", condition=models.Q(case_id__isnull=False)),
            models.Index(fields=["undoes_id"], name="decision_undone_by", condition=models.Q(undoes_id__isnull=False)),
            models.Index(fields=["site_id", "-id"], name="decision_by_site"),
            models.Index(fields=["said"], name="decision_by_said", condition=models.Q(parent_id__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}"

    @property
    def why(self) -> str:
        """The reason as it may be read; that there was one, where it was erased."""
        if self.said is None:
            return self.reason
        return self.said.text or f"(the reason was erased for case {self.said.case_id})"


class Report(models.Model):
    """A reader's flag, with what was flagged as it stood then. Written by ``archive.reports``.

    ``token`` is the unguessable part of the address at which the reader sees what came of it. ``sender`` is a digest of
    the reader's address that changes each day: it tells who reported the same thing twice, and no more.
    """

    article_id = models.BigIntegerField()
    comment_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=500)
    note = models.CharField(max_length=1000, blank=True)
    snapshot = models.TextField()
    token = models.CharField(max_length=43, null=True, unique=True)
    sender = models.BinaryField(max_length=32, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=500, blank=True)
    decision_id = models.BigIntegerField(null=True, help_text="what was decided on it")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["article_id", "comment_id"], name="report_by_target"),
            models.Index(
                fields=["decision_id"], name="report_by_decision", condition=models.Q(decision_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.pk}"


class Sent(models.Model):
    """How many reports came from a sender in an hour. ``archive.reports`` counts; a worker forgets."""

    sender = models.BinaryField(max_length=32)
    hour = models.DateTimeField()
    reports = models.IntegerField()

    class Meta:
        verbose_name_plural = "sent"
        ordering = ["hour"]
        constraints = [models.UniqueConstraint(fields=["sender", "hour"], name="sent_once_an_hour")]

    def __str__(self) -> str:
        return f"{self.reports} reports"
