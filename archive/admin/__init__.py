"""The archivist's and the moderator's workplaces."""

from archive.admin import articles, cases, comments, entities, moderation, notices, sources

__all__ = ["articles", "cases", "comments", "entities", "moderation", "notices", "sources"]
