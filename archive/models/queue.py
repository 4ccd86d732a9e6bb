"""What waits for a person: one row for each thing to look at, and stored counts of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

OPEN = Q(settled_at__isnull=True)
OF_A_RULE = Q(rule_id__isnull=False)
# The place in the list: both parts grow, so that all that comes after a place is one comparison of pairs and one range
# of an index, however many rows have the same score.
PLACE = (-F("score"), F("id"))


class Waiting(models.Model):
    """One card of the moderators' queue. Written by ``archive.queue`` alone, in the transaction of what causes it.

    It is about a comment, an article, or something else with a number (``subject_id``, a case), and each kind has one
    open row at most for each of these. Plain numbers and no foreign keys, as in the log: a comment may be read anew.
    """

    kind = models.CharField(max_length=16, help_text="name of a class in archive.admin.cards")
    site_id = models.BigIntegerField(null=True)
    article_id = models.BigIntegerField(null=True)
    comment_id = models.BigIntegerField(null=True)
    subject_id = models.BigIntegerField(null=True)
    why = models.JSONField(default=dict, help_text="numbers, names and offsets; no text of a comment")
    rule_id = models.BigIntegerField(null=True, help_text="the rule that holds it: the first of those that hit")
    score = models.FloatField(default=0, help_text="the higher, the sooner; it never decides")
    created_at = models.DateTimeField()
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    claimed_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    decision_id = models.BigIntegerField(null=True, help_text="the decision that settled it")

    class Meta:
        verbose_name_plural = "waiting"
        ordering = ["-score", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "article_id", "comment_id", "subject_id"],
                name="waiting_once",
                condition=OPEN,
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(*PLACE, name="waiting_in_order", condition=OPEN),
            models.Index(F("kind"), *PLACE, name="waiting_by_kind", condition=OPEN),
            models.Index(F("site_id"), *PLACE, name="waiting_by_site", condition=OPEN),
            models.Index(F("rule_id"), *PLACE, name="waiting_by_rule", condition=OPEN & OF_A_RULE),
            models.Index(fields=["rule_id", "site_id"], name="waiting_rules_by_site", condition=OPEN & OF_A_RULE),
            models.Index(fields=["article_id", "comment_id"], name="waiting_by_target"),
            models.Index(fields=["decision_id"], name="waiting_by_decision", condition=Q(decision_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SavedView(models.Model):
    """What a person narrows the queue to, under a name. Written by ``archive.admin.saved_views``.

    Plain numbers for site and rule: a view of something that is gone finds nothing. ``words`` may be somebody's name,
    so that an erasure looks for it here as well.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=60)
    is_shared = models.BooleanField(default=False, help_text="everybody who works on the queue sees it")
    kind = models.CharField(max_length=16, blank=True)
    site_id = models.BigIntegerField(null=True)
    rule_id = models.BigIntegerField(null=True)
    age = models.CharField(max_length=16, blank=True)
    words = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="saved_view_once")]
        indexes = [models.Index(fields=["name", "id"], name="saved_view_shared", condition=Q(is_shared=True))]

    def __str__(self) -> str:
        return self.name


class WaitingTally(models.Model):
    """So many more or fewer rows of a kind and a site wait: a ledger, as ``Tally`` is one."""

    kind = models.CharField(max_length=16)
    site_id = models.BigIntegerField(null=True)
    waiting = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "waiting tallies"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.waiting:+} {self.kind}"
