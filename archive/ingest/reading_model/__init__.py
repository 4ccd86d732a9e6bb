"""The question that ``structure`` answers, asked of a model that the archivist has. Off by default, never needed.

Any server that speaks the OpenAI-compatible chat API, local or hosted. It is shown numbered lines and answers with line
numbers only, checked here, so it can neither rewrite nor invent a character. What it leaves open the built-in model
settles; where it fails, the built-in model answers for that text and a Problem says so.
"""

from archive.ingest.reading_model.answers import InvalidAnswer
from archive.ingest.reading_model.cache import Cache, FileCache
from archive.ingest.reading_model.calibration import Table, parse
from archive.ingest.reading_model.chat import Endpoint, endpoint_of, is_public
from archive.ingest.reading_model.limits import Limits
from archive.ingest.reading_model.model import Plan, ReaderModel, ReadingModel, Taken, Unavailable, WithComments
from archive.ingest.reading_model.prompt import PROMPT_VERSION

__all__ = [
    "PROMPT_VERSION",
    "Cache",
    "Endpoint",
    "FileCache",
    "InvalidAnswer",
    "Limits",
    "Plan",
    "ReaderModel",
    "ReadingModel",
    "Table",
    "Taken",
    "Unavailable",
    "WithComments",
    "endpoint_of",
    "is_public",
    "parse",
]
