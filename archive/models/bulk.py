"""Decisions on many comments: what was asked for, and how far it is."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse

RUNNING = models.Q(finished_at__isnull=True)


class Bulk(models.Model):
    """One decision on many comments, or its undoing, carried out in parts. Written by ``archive.bulk``.

    ``ids`` are comments, with their articles beside them; for an undoing, the parts of what it undoes. They are frozen
    when it is asked for, and thrown away when it is done. ``done`` counts those that were gone through, from the first
    on, whether they changed or not. Plain numbers and no foreign keys, as in the log.
    """

    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    asked_at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=16)
    reason = models.CharField(max_length=500, blank=True)
    seen = models.BigIntegerField(null=True, help_text="the log's last entry when it was asked for")
    undoes_id = models.BigIntegerField(null=True)
    trial_id = models.BigIntegerField(null=True, help_text="of a rule, which decides on what it hit")
    article_ids = ArrayField(models.BigIntegerField(), default=list)
    ids = ArrayField(models.BigIntegerField(), default=list)
    total = models.IntegerField()
    done = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    problems = models.JSONField(default=list, help_text="the first that did not change: what, its number, why")
    decision_id = models.BigIntegerField(null=True, help_text="of which all that changed are parts")
    stop = models.BooleanField(default=False, help_text="asked for: no further part is begun")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "bulk"
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["undoes_id"], name="bulk_undone_once", condition=RUNNING)]
        indexes = [models.Index(fields=["decision_id"], name="bulk_by_decision")]

    def __str__(self) -> str:
        return f"{self.action} {self.total}"

    def get_absolute_url(self) -> str:
        return reverse("admin:bulk", args=[self.pk])
