"""A client of ``runforge serve`` for the tests, which checks every message that it receives."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from runforge_cli._generated.methods import MESSAGES
from runforge_cli.serve.message_schemas import message_validator

#: How long the client waits for an answer at most, in seconds; training imports scikit-learn.
PATIENCE = 60.0


class ServeError(Exception):
    """An answer with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.number = error["code"]
        self.error = error["data"]["error"]
        self.code = self.error["code"]


class ServeClient:
    """Starts a server and talks to it."""

    def __init__(
        self, folder: Path, *options: str, environment: dict[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "runforge_cli", "serve", "--stdio", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )
        self._number = 0
        self.errors = b""
        self.sent: dict[int | str, str] = {}
        self.notifications: queue.Queue[dict[str, Any]] = queue.Queue()
        self.unasked: queue.Queue[dict[str, Any]] = queue.Queue()
        self._answers: dict[int | str, queue.Queue[dict[str, Any]]] = {}
        #: What arrived that the schemas do not allow.
        self.invalid: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._error_reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            try:
                self.process.stdin.close()
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self._error_reader.join(5)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()
        assert self.invalid == []

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send_raw(self, message: object) -> None:
        """Send a message with its header."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def start(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request and return its id."""
        self._number += 1
        number = self._number
        self.sent[number] = method
        self._answers[number] = queue.Queue()
        message = {"jsonrpc": "2.0", "id": number, "method": method}
        self.send_raw(message if params is None else {**message, "params": params})
        return number

    def answer(self, number: int, patience: float = PATIENCE) -> Any:
        """Return the result of a request."""
        message = self._answers[number].get(timeout=patience)
        if "error" in message:
            raise ServeError(message["error"])
        return message["result"]

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Send a request and return its result."""
        return self.answer(self.start(method, params))

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Send a notification."""
        self.send_raw({"jsonrpc": "2.0", "method": method, "params": params})

    def initialize(self, **params: Any) -> dict[str, Any]:
        """Begin the session."""
        return self.call("initialize", params)

    def next_notification(self, method: str, patience: float = PATIENCE) -> dict[str, Any]:
        """Return the parameters of the next notification with this name; others are dropped."""
        while True:
            message = self.notifications.get(timeout=patience)
            if message["method"] == method:
                return message["params"]

    def end(self) -> int:
        """Shut down in order, and return the exit code."""
        self.call("shutdown")
        self.notify("exit", {})
        return self.process.wait(10)

    def _read(self) -> None:
        stream = self.process.stdout
        while True:
            head = stream.readline()
            if not head:
                return
            assert head.startswith(b"Content-Length: "), head
            assert stream.readline() == b"\r\n"
            body = stream.read(int(head.split()[1]))
            message = json.loads(body.decode("utf-8"))
            self._check(message)
            if "method" in message:
                self.notifications.put(message)
            elif message["id"] in self._answers:
                self._answers[message["id"]].put(message)
            else:
                self.unasked.put(message)

    def _read_errors(self) -> None:
        self.errors = self.process.stderr.read()

    def _check(self, message: dict[str, Any]) -> None:
        if "method" in message:
            sent = {"method": message["method"], "params": message["params"]}
            self._valid(message, "serve.message.v1", "RpcNotification")
            self._valid(sent, MESSAGES[message["method"]].schema)
        elif "error" in message:
            self._valid(message, "serve.message.v1", "RpcFailure")
        else:
            self._valid(message, "serve.message.v1", "RpcSuccess")
            method = self.sent.get(message["id"])
            if method is not None:
                name = MESSAGES[method].schema
                exchange = {"method": method, "params": {}, "result": message["result"]}
                for error in message_validator(name).iter_errors(exchange):
                    if error.instance_path[:1] == ["result"]:
                        self.invalid.append(
                            f"{method}: {list(error.instance_path)} {error.message}"
                        )

    def _valid(self, value: object, name: str, definition: str | None = None) -> None:
        for error in message_validator(name, definition).iter_errors(value):
            self.invalid.append(f"{name}: {list(error.instance_path)} {error.message}")
