"""One request to a server that speaks the chat API, with an end to everything: time, bytes, and no redirects.

``http.client`` and not ``urllib.request``: it follows no redirect and no proxy that nobody set here, and its socket can
be cut when the time is up, which a timeout for each read alone does not do to a server that drips.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


class Failed(Exception):  # noqa: N818  it is what happened, and no error of ours
    """No usable response. ``again`` says whether asking once more may help, ``wait`` after how many seconds."""

    def __init__(self, why: str, *, again: bool = False, wait: float = 0.0, status: int = 0) -> None:
        super().__init__(why)
        self.again, self.wait, self.status = again, wait, status


class Endpoint(NamedTuple):
    """Where the chat API is. ``host`` is as a person reads it, with the port where one was given."""

    scheme: str
    hostname: str
    port: int
    path: str
    host: str


def endpoint_of(url: str) -> Endpoint:
    """Parse the address up to ``/chat/completions``. ValueError, with a sentence, where nothing may be sent there."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address must begin with https:// or http:// and name a host")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address must have no user, password, query or fragment")
    if any(ord(c) <= 32 or ord(c) == 127 for c in url.strip()):
        raise ValueError("the address must have no blanks")
    if parts.scheme == "http" and is_public(parts.hostname):
        raise ValueError(f"plain http is used to private addresses only, and {parts.hostname} is none: use https")
    port = parts.port or (443 if parts.scheme == "https" else 80)  # ValueError of its own where it is no number
    shown = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    host = f"{shown}:{parts.port}" if parts.port else shown
    return Endpoint(parts.scheme, parts.hostname, port, parts.path.rstrip("/") + "/chat/completions", host)


def is_public(hostname: str) -> bool:
    """Say whether the host may be outside: told from its address or name alone, nothing is looked up."""
    try:
        return not ipaddress.ip_address(hostname).is_private  # loopback and link-local are private as well
    except ValueError:
        name = hostname.lower().rstrip(".")
        return "." in name and not name.endswith(_PRIVATE_NAMES)


def post(endpoint: Endpoint, payload: dict[str, Any], *, key: str, timeout: float, most: int) -> bytes:
    """Send ``payload`` and return the body of a 200. Failed otherwise; at most ``most`` bytes of it are read.

    ``timeout`` seconds hold for all of it but the look-up of the name, which has the resolver's own limit.
    """
    connection = _connection(endpoint, timeout)
    sockets: list[socket.socket] = []
    late = threading.Event()

    def cut() -> None:
        late.set()
        for held in sockets or [connection.sock]:
            if held is not None:
                with contextlib.suppress(OSError):
                    # The plain socket's own method: TLS would first take leave, and wait for the other side.
                    socket.socket.shutdown(held, socket.SHUT_RDWR)

    watchdog = threading.Timer(timeout, cut)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.connect()
        sockets.append(connection.sock)  # kept: http.client forgets it as soon as it has the headers
        if late.is_set():  # the time was up before there was a socket to cut
            raise TimeoutError
        body = _exchange(connection, endpoint, payload, key, most)
    except (OSError, http.client.HTTPException, ValueError) as error:
        in_time = not late.is_set() and not isinstance(error, TimeoutError)
        why = "could not be reached or broke off" if in_time else f"did not answer within {timeout:g} seconds"
        raise Failed(why, again=True) from error
    finally:
        watchdog.cancel()
        connection.close()
    if late.is_set():  # the cut looks like the end of the body
        raise Failed(f"did not answer within {timeout:g} seconds", again=True)
    return body


def _connection(endpoint: Endpoint, timeout: float) -> http.client.HTTPConnection:
    if endpoint.scheme == "http":
        return http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=timeout)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(endpoint.hostname, endpoint.port, timeout=timeout, context=context)


def _exchange(
    connection: http.client.HTTPConnection, endpoint: Endpoint, payload: dict[str, Any], key: str, most: int
) -> bytes:
    headers = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection.request("POST", endpoint.path, json.dumps(payload).encode(), headers)
    response = connection.getresponse()
    if response.status != 200:
        raise _refused(response)
    body = response.read(most + 1)
    if len(body) > most:
        raise Failed(f"answered with more than {most:,} bytes")
    return body


def _refused(response: http.client.HTTPResponse) -> Failed:
    status = response.status
    if 300 <= status < 400:
        return Failed(f"answered with a redirect ({status}), which is not followed", status=status)
    after = response.getheader("Retry-After") or ""
    wait = float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else 0.0
    return Failed(f"refused with status {status}", again=status == 429 or status >= 500, wait=wait, status=status)


def content_of(body: bytes) -> str:
    """Return what the model said in a chat completion. Failed where the body is none."""
    try:
        said = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Failed("did not answer in the form of the chat API") from error
    if not isinstance(said, str):
        raise Failed("did not answer in the form of the chat API")
    return said
