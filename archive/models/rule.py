"""Rules by which comments are held, removed or masked as they come in, their versions, and what was tried of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from archive.models.article import Site


class Rule(models.Model):
    """What a comment is looked at for. Written by ``archive.rules``; ``version`` is the number of its last version."""

    class Kind(models.TextChoices):
        WORDS = "words", "words"
        PATTERN = "pattern", "pattern"
        LINKS = "links", "many links"
        REPEATED = "repeated", "repeated text"

    class Action(models.TextChoices):
        HOLD = "hold", "hold for a moderator"
        SPAM = "spam", "remove as spam"
        MASK = "mask", "cover the words"

    name = models.CharField(max_length=80)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, null=True, blank=True, db_index=False)
    is_on = models.BooleanField(default=False)
    version = models.IntegerField(default=0)
    kind = models.CharField(max_length=16, choices=Kind)
    action = models.CharField(max_length=16, choices=Action)
    body = models.TextField(blank=True, help_text="words, one a line, or the pattern")
    most = models.IntegerField(default=0, help_text="links, or times a text is said, that are still all right")

    class Meta:
        ordering = ["-is_on", "name", "id"]

    def __str__(self) -> str:
        return self.name


class RuleVersion(models.Model):
    """A rule as it was at some time. Never changed."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE)
    number = models.IntegerField()
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16)
    action = models.CharField(max_length=16)
    body = models.TextField(blank=True)
    most = models.IntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["rule", "-number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"version {self.number} of rule {self.rule_id}"


class Trial(models.Model):
    """A rule tried on the archive: how far that is, how many comments it would hit, and what was done about them."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE)
    version = models.IntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    log_entry = models.BigIntegerField(default=0, help_text="the log's last entry then: what was decided later stays")
    after_article = models.BigIntegerField(default=0, help_text="articles up to this one were looked at")
    looked_at = models.IntegerField(default=0, help_text="comments")
    hits = models.IntegerField(default=0)
    places = models.IntegerField(default=0, help_text="in these, where the rule masks")
    finished_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True, help_text="when a worker was asked to mask the hits")
    skipped = models.IntegerField(default=0, help_text="hits that were no hits any more when it did")
    decision_id = models.BigIntegerField(null=True, help_text="by which the hits were decided on")

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"trial {self.pk} of rule {self.rule_id}"


class TrialHit(models.Model):
    """A comment that a rule would hit, and where: half-open ranges of code points."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE)
    article_id = models.BigIntegerField()
    comment_id = models.BigIntegerField()
    at = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"hit of trial {self.trial_id}"
