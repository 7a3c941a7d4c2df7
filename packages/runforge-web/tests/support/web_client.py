"""The real server in a process of its own, and a client that sends what it is told to."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as a string."""
        return self.body.decode()

    @property
    def csrf(self) -> str:
        """The token in the forms of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert found is not None
        return found[1]


class Server:
    """A running ``runforge ui``."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process, self.address = process, address
        parts = urlsplit(address)
        assert parts.port is not None
        self.port: int = parts.port
        self.origin = f"http://127.0.0.1:{self.port}"
        self.entrance = f"{parts.path}?{parts.query}"
        self.cookie = ""

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str | None] = {},
    ) -> Answer:
        """Send a request with the cookie; a header that is None is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **headers}
        connection.putrequest(method, path, skip_host=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = Answer(response.status, found, response.read())
        connection.close()
        return answer

    def enter(self) -> None:
        """Exchange the token for the cookie."""
        answer = self.ask(self.entrance)
        assert answer.status == 200
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def post(self, path: str, headers: Mapping[str, str | None] = {}, **fields: str) -> Answer:
        """Send a form of a page of the server."""
        csrf = fields.pop("csrf", None) or self.ask("/documents").csrf
        sent = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode({"csrf": csrf, **fields}).encode()
        return self.ask(path, "POST", body, {**sent, **headers})


def start(workspace: Path, *options: str) -> subprocess.Popen[str]:
    """Start ``runforge ui`` in a workspace, without a browser."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RUNFORGE")
    }
    return subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", "ui", "--no-open", *options],
        cwd=workspace,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def serving(workspace: Path, *options: str) -> Iterator[Server]:
    """Give a server with a session, which is ended at the end."""
    process = start(workspace, *options)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("RunForge UI: http://127.0.0.1:"), process.stderr
        server = Server(process, line.split()[-1])
        server.enter()
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
