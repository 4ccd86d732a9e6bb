"""Structure recovery: a flat text in, the article and its comments out. The one door is ``recover``.

This version adds up trees over features of lines, weights of hashed words, and networks that read the lines in order;
what stands behind the interface may change, the interface does not.
"""

from archive.ingest.structure.recovered import Recovered, RecoveredComment
from archive.ingest.structure.recovery import recover

VERSION = "5"  # of the answers: grows whenever the same text may be taken apart differently

__all__ = ["VERSION", "Recovered", "RecoveredComment", "recover"]
