"""The archivist's and the moderator's workplaces."""

from archive.admin import articles, comments, entities, moderation, sources

__all__ = ["articles", "comments", "entities", "moderation", "sources"]
