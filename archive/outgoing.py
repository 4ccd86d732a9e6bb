"""One request to another server, with an end to everything: time, bytes, and no redirects.

``http.client`` and not ``urllib.request``: it follows no redirect and no proxy that nobody set here, and its socket can
be cut when the time is up, which a timeout for each read alone does not do to a server that drips.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

_PRIVATE_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


class Failed(Exception):  # noqa: N818  it is what happened, and no error of ours
    """No usable response. ``again`` says whether asking once more may help, ``wait`` after how many seconds."""

    def __init__(self, why: str, *, again: bool = False, wait: float = 0.0, status: int = 0) -> None:
        super().__init__(why)
        self.again, self.wait, self.status = again, wait, status


class Endpoint(NamedTuple):
    """Where to send something. ``host`` is as a person reads it, with the port where one was given."""

    scheme: str
    hostname: str
    port: int
    path: str
    host: str


def endpoint_of(url: str, then: str = "") -> Endpoint:
    """Parse an address, and put ``then`` behind it. ValueError, with a sentence, where nothing may be sent there."""
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
    path = parts.path.rstrip("/") + then if then else parts.path or "/"
    return Endpoint(parts.scheme, parts.hostname, port, path, host)


def is_public(hostname: str) -> bool:
    """Say whether the host may be outside: told from its address or name alone, nothing is looked up."""
    try:
        return not ipaddress.ip_address(hostname).is_private  # loopback and link-local are private as well
    except ValueError:
        name = hostname.lower().rstrip(".")
        return "." in name and not name.endswith(_PRIVATE_NAMES)


def post(endpoint: Endpoint, body: bytes, *, headers: Mapping[str, str], timeout: float, most: int) -> bytes:
    """Send ``body``, which is JSON, and return that of a 2xx. Failed otherwise; at most ``most`` bytes of it are read.

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
        answer = _exchange(connection, endpoint, body, headers, most)
    except (OSError, http.client.HTTPException, ValueError) as error:
        in_time = not late.is_set() and not isinstance(error, TimeoutError)
        why = "could not be reached or broke off" if in_time else f"did not answer within {timeout:g} seconds"
        raise Failed(why, again=True) from error
    finally:
        watchdog.cancel()
        connection.close()
    if late.is_set():  # the cut looks like the end of the body
        raise Failed(f"did not answer within {timeout:g} seconds", again=True)
    return answer


def _connection(endpoint: Endpoint, timeout: float) -> http.client.HTTPConnection:
    if endpoint.scheme == "http":
        return http.client.HTTPConnection(endpoint.hostname, endpoint.port, timeout=timeout)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(endpoint.hostname, endpoint.port, timeout=timeout, context=context)


def _exchange(
    connection: http.client.HTTPConnection, endpoint: Endpoint, body: bytes, headers: Mapping[str, str], most: int
) -> bytes:
    own = {"Content-Type": "application/json", "Accept": "application/json", "Connection": "close"}
    connection.request("POST", endpoint.path, body, {**own, **headers})
    response = connection.getresponse()
    if not 200 <= response.status < 300:
        raise _refused(response)
    answer = response.read(most + 1)
    if len(answer) > most:
        raise Failed(f"answered with more than {most:,} bytes")
    return answer


def _refused(response: http.client.HTTPResponse) -> Failed:
    status = response.status
    if 300 <= status < 400:
        return Failed(f"answered with a redirect ({status}), which is not followed", status=status)
    after = response.getheader("Retry-After") or ""
    wait = float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else 0.0
    return Failed(f"refused with status {status}", again=status == 429 or status >= 500, wait=wait, status=status)
