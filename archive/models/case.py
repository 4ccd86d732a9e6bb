"""Requests to take something down, correct or erase it, handled as cases, and what they leave behind."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from archive.models.rule import RuleVersion


def _person() -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )


class Case(models.Model):
    """A request, with who asked, on what ground, until when, what it is about, and how far it has come.

    Written by ``archive.cases``, which logs each step. ``scope`` is what ``cases.Scope`` reads; ``words`` are those
    to be masked. Both are emptied when the case is erased, for they may say what was erased.
    """

    class Kind(models.TextChoices):
        TAKEDOWN = "takedown", "takedown"
        CORRECTION = "correction", "correction"
        ERASURE = "erasure", "erasure"

    class State(models.TextChoices):
        OPEN = "open", "open"
        HELD = "held", "held"
        MASKED = "masked", "masked"
        SCHEDULED = "scheduled", "scheduled for erasure"
        ERASED = "erased", "erased"
        REFUSED = "refused", "refused"
        CLOSED = "closed", "closed"

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    requester = models.CharField(max_length=300, help_text="who asks: a name")
    contact = models.CharField(max_length=300, blank=True, help_text="where an answer reaches them")
    basis = models.TextField(help_text="why it is asked for: a law, a contract, a wish")
    deadline = models.DateField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    scope = models.JSONField(default=dict)
    words = models.JSONField(default=list)
    opened_at = models.DateTimeField(auto_now_add=True)
    opened_by = _person()
    closed_at = models.DateTimeField(null=True)
    erase_after = models.DateTimeField(null=True, help_text="end of the cooling-off period")
    erase_by = _person()
    erase_second = _person()
    erase_entry = models.CharField(max_length=32, blank=True, help_text="its entry in the list of suppressions")
    work = models.CharField(max_length=16, blank=True, help_text="what a worker is doing for it")
    work_done = models.IntegerField(default=0, help_text="articles that are done")
    work_total = models.IntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["deadline", "id"], name="case_open", condition=models.Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("admin:archive_case_change", args=[self.pk])


class CaseNote(models.Model):
    """A letter, a call, a thought: added to a case by a person, and never changed."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    at = models.DateTimeField(auto_now_add=True)
    by = _person()
    by_name = models.CharField(max_length=150)
    text = models.TextField()

    class Meta:
        ordering = ["case_id", "id"]

    def __str__(self) -> str:
        return f"note {self.pk} of case {self.case_id}"


class Masked(models.Model):
    """What a value was before words in it were masked: given back when the mask is taken off, gone when it is erased.

    Masked by a case, or by a rule, as its ``version`` was: ``decision_id`` is then the entry of the log for all that
    was masked together. ``article_id`` is null for what belongs to no article, such as an entity's name. Written by
    ``archive.masks``.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True)
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, null=True)
    decision_id = models.BigIntegerField(null=True)
    comment_id = models.BigIntegerField(null=True, help_text="to which the row belongs, where a rule masked it")
    article_id = models.BigIntegerField(null=True)
    table = models.CharField(max_length=32)
    row = models.BigIntegerField()
    field = models.CharField(max_length=32)
    before = models.TextField()
    after = models.TextField()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "masked"
        indexes = [
            models.Index(fields=["case", "article_id"], name="masked_by_case"),
            models.Index(fields=["article_id", "comment_id"], name="masked_in_article"),
            models.Index(
                fields=["decision_id", "article_id"], name="masked_by_decision", condition=Q(decision_id__isnull=False)
            ),
        ]
        constraints = [models.CheckConstraint(condition=Q(case=None) ^ Q(version=None), name="masked_by_one")]

    def __str__(self) -> str:
        return f"{self.field} of {self.table} {self.row}"


class Suppression(models.Model):
    """An entry of the list of suppressions that this database has applied; one that it lacks came after its backup."""

    entry = models.CharField(max_length=32, unique=True)
    applied_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.entry
