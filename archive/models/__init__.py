"""Tables only. Everything that reads them is in ``archive.queries``; who writes them is said at each."""

from archive.models.article import Article, Author, Site, Tally
from archive.models.bulk import Bulk
from archive.models.case import Case, CaseNote, Masked, Suppression
from archive.models.comment import Comment, FormerComment, Reason, Revision, ThreadOrder
from archive.models.entity import Alias, Entity, Judgement, Mention
from archive.models.moderation import Decision, DecisionReason, Report, Sent
from archive.models.notice import Subscription, Webhook
from archive.models.queue import SavedView, Waiting, WaitingTally
from archive.models.review import Correction, Review
from archive.models.rule import Rule, RuleVersion, Trial, TrialHit
from archive.models.source import Outbox, SearchDocument, Source

__all__ = [
    "Alias",
    "Article",
    "Author",
    "Bulk",
    "Case",
    "CaseNote",
    "Comment",
    "Correction",
    "Decision",
    "DecisionReason",
    "Entity",
    "FormerComment",
    "Judgement",
    "Masked",
    "Mention",
    "Outbox",
    "Reason",
    "Report",
    "Review",
    "Revision",
    "Rule",
    "RuleVersion",
    "SavedView",
    "SearchDocument",
    "Sent",
    "Site",
    "Source",
    "Subscription",
    "Suppression",
    "Tally",
    "ThreadOrder",
    "Trial",
    "TrialHit",
    "Waiting",
    "WaitingTally",
    "Webhook",
]
