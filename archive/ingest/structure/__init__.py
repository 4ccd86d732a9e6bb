"""Structure recovery: a flat text in, the article and its comments out. The one door is ``recover``.

This version adds up trees over features of lines, weights of hashed words, and networks that read the lines in order;
and, where it is installed, an encoder that reads their words. What stands behind the interface may change.
"""

from archive.ingest.structure.encoder import is_installed
from archive.ingest.structure.recovered import Recovered, RecoveredComment
from archive.ingest.structure.recovery import recover

VERSION = "8"  # of the answers: grows whenever the same text may be taken apart differently
WITH_ENCODER = "e2"  # behind it where the encoder is installed; grows with its weights


def version() -> str:
    """Return the version of the answers that ``recover`` gives here."""
    return VERSION + WITH_ENCODER if is_installed() else VERSION


__all__ = ["Recovered", "RecoveredComment", "recover", "version"]
