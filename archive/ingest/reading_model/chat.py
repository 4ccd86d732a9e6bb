"""The chat API: where it is, what is sent, and what it said."""

from __future__ import annotations

import json
from typing import Any

from archive import outgoing
from archive.outgoing import Endpoint, Failed, is_public

__all__ = ["Endpoint", "Failed", "content_of", "endpoint_of", "is_public", "post"]


def endpoint_of(url: str) -> Endpoint:
    """Parse the address up to ``/chat/completions``. ValueError, with a sentence, where nothing may be sent there."""
    return outgoing.endpoint_of(url, "/chat/completions")


def post(endpoint: Endpoint, payload: dict[str, Any], *, key: str, timeout: float, most: int) -> bytes:
    """Send ``payload`` and return the answer's body; see ``outgoing.post``."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return outgoing.post(endpoint, json.dumps(payload).encode(), headers=headers, timeout=timeout, most=most)


def content_of(body: bytes) -> str:
    """Return what the model said in a chat completion. Failed where the body is none."""
    try:
        said = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Failed("did not answer in the form of the chat API") from error
    if not isinstance(said, str):
        raise Failed("did not answer in the form of the chat API")
    return said
