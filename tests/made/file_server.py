"""A real HTTP server on this machine, told page by page how to behave and how to misbehave."""

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """One response: `length` is what Content-Length claims, None for none at all; after `cut`
    bytes the connection ends, or, where there is a `stall`, is silent for so many seconds; `drip`
    is a pause in seconds after every ten bytes."""

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    length: object = "true"
    cut: int | None = None
    stall: float = 0
    endless: bool = False
    drip: float = 0


def ranged(data, etag='"1"', **settings):
    """A server that knows Range and If-Range, as a function of a request's headers."""
    def answer(headers):
        said = headers.get("Range", "")
        whole = headers.get("If-Range", etag) != etag or not said
        start = 0 if whole else int(said.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data):
            return Answer(status=416)
        more = {"ETag": etag} if etag else {}
        if not whole:
            more["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return Answer(data[start:], 200 if whole else 206, more, **settings)
    return answer


class Server:
    """`pages` are {path: [what to answer first, second, ... and from then on]}: an Answer, or a
    function from the request's headers to one. `asked` has (path, headers) of every request."""

    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}"
        self.pages, self.asked = {}, []

    def page(self, path, *answers):
        """Say how a path answers; its address."""
        self.pages[path] = list(answers)
        return self.root + path

    def ranges(self):
        """The Range of each request so far, or None."""
        return [headers.get("Range") for _, headers in self.asked]

    def answer(self, path, headers):
        self.asked.append((path, dict(headers)))
        answers = self.pages.get(path, [Answer(status=404)])
        chosen = answers.pop(0) if len(answers) > 1 else answers[0]
        return chosen(headers) if callable(chosen) else chosen


@contextmanager
def serving():
    """A Server, while it runs."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(BrokenPipeError, ConnectionResetError):  # it has had enough
                _send(self, server.answer(self.path, self.headers))

        def log_message(self, *words):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads, http.block_on_close = True, False
        server = Server(http.server_address[1])
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def _send(handler, answer):
    handler.send_response(answer.status)
    length = len(answer.body) if answer.length == "true" else answer.length
    if length is not None:
        handler.send_header("Content-Length", str(length))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    step = 10 if answer.drip else len(answer.body) + 1
    body = answer.body[:answer.cut]
    for start in range(0, len(body), step):
        handler.wfile.write(body[start:start + step])
        time.sleep(answer.drip)
    while answer.endless:
        handler.wfile.write(bytes(1 << 16))
    for _ in range(round(answer.stall / 0.05)):
        time.sleep(0.05)
        handler.wfile.flush()
