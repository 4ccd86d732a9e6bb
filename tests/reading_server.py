"""A server that speaks the chat API on loopback and plays what a test wrote: recorded answers and hostile ones."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

type Play = Callable[[BaseHTTPRequestHandler], None]


def saying(content: str | dict[str, Any]) -> Play:
    """A chat completion with this content; a dict is said as JSON."""
    said = content if isinstance(content, str) else json.dumps(content)
    return sending(json.dumps({"choices": [{"message": {"role": "assistant", "content": said}}]}).encode())


def sending(body: bytes, status: int = 200, **headers: str) -> Play:
    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return play


class ReadingServer(ThreadingHTTPServer):
    """Plays one answer a request, the last one again and again, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self, plays: Sequence[Play]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plays = list(plays)
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.closing = threading.Event()  # lets a silent answer end with its test

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that has heard enough hangs up, and that is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    server: ReadingServer

    def do_POST(self) -> None:
        self.server.headers.append(dict(self.headers.items()) | {"path": self.path})
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        plays = self.server.plays
        (plays.pop(0) if len(plays) > 1 else plays[0])(self)

    def do_GET(self) -> None:  # what a client that follows redirects would send
        self.do_POST()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def serving(*plays: Play) -> Iterator[ReadingServer]:
    server = ReadingServer(plays)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
