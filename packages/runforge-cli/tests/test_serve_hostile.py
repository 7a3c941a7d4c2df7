"""Broken and hostile messages to ``runforge serve``: an error each, never a hang or a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from runforge_cli.serve.framing import MAX_MESSAGE
from serve_client import ServeClient, ServeError


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Content-Length: 99999999999999999999999\r\n\r\n{}", "not a number"),
        (b"Content-Length: %d\r\n\r\n{}" % (MAX_MESSAGE + 1), "more than"),
        (b"Content-Length: -5\r\n\r\n{}", "not a number"),
        (b"Content-Length: 1_0\r\n\r\n{}", "not a number"),
        (b"Content-Length: \xd9\xa3\r\n\r\n{}", "not a number"),
        (b"Content-Length:\r\n\r\n{}", "not a number"),
        (b"Content-Type: json\r\n\r\n{}", "one Content-Length"),
        (b"\r\n\r\n{}", "one Content-Length"),
        (b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "one Content-Length"),
        (b'{"jsonrpc": "2.0"}\n', "not a field"),
        (b"GET / HTTP/1.1\n", "not a field"),
        (b"x" * 5000, "too long"),
        (b"a: b\r\n" * 100, "too many lines"),
    ],
)
def test_a_broken_header_ends_the_session(tmp_path: Path, data: bytes, reason: str) -> None:
    with ServeClient(tmp_path) as client:
        client.send_bytes(data)
        answer = client.unasked.get(timeout=30)
        assert answer["id"] is None
        assert answer["error"]["code"] == -32700
        assert reason in answer["error"]["message"]
        assert client.process.wait(10) == 1
    assert client.errors == b""


def test_a_stream_that_ends_within_a_message_ends_the_session(tmp_path: Path) -> None:
    with ServeClient(tmp_path) as client:
        client.send_bytes(b'Content-Length: 1000\r\n\r\n{"jsonrpc"')
        client.process.stdin.close()
        assert "ended 990 bytes" in client.unasked.get(timeout=30)["error"]["message"]
        assert client.process.wait(10) == 1


DEEP = b'{"jsonrpc":"2.0","id":1,"method":"list","params":' + b'{"a":' * 500 + b"1" + b"}" * 501


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xc3\x28"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"limit":NaN}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"limit":1e999}}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"list"}', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}', -32700),
        (DEEP, -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"list"}]', -32600),
        (b"null", -32600),
        (b"5", -32600),
        (b'"text"', -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"list","params":[1]}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":[1],"method":"list"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"result":5}', -32600),
        (b'{"jsonrpc":"2.0","id":"a","method":"nothing"}', -32601),
        (b'{"jsonrpc":"2.0","id":"a","method":"__init__"}', -32601),
        (b'{"jsonrpc":"2.0","id":"a","method":"exit"}', -32601),
        (b'{"jsonrpc":"2.0","id":"a","method":"progress","params":{}}', -32601),
        (b'{"jsonrpc":"2.0","id":"a","method":"list"}', -32002),
        (b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{}}', -32602),
    ],
)
def test_a_broken_message_is_answered_and_the_session_goes_on(
    tmp_path: Path, body: bytes, number: int
) -> None:
    with ServeClient(tmp_path) as client:
        client.send_raw(body)
        assert client.unasked.get(timeout=30)["error"]["code"] == number
        assert client.initialize()["workspace"] == str(tmp_path)
        assert client.end() == 0
    assert client.errors == b""


def test_messages_that_are_not_answered_are_ignored(tmp_path: Path) -> None:
    with ServeClient(tmp_path) as client:
        for method in ("$/setTrace", "initialized", "runBegan", "list"):
            client.notify(method, {})
        client.notify("$/cancelRequest", {"id": "none"})
        client.send_raw(b'\xef\xbb\xbf{"jsonrpc":"2.0","method":"initialized"}')
        client.initialize()
        assert client.unasked.empty()


def test_thousands_of_requests_are_all_answered(tmp_path: Path) -> None:
    with ServeClient(tmp_path) as client:
        client.initialize()
        numbers = [client.start("list", {"limit": 5}) for _ in range(3000)]
        assert all(client.answer(number)["total"] == 0 for number in numbers)


def test_an_id_is_used_once_at_a_time(tmp_path: Path) -> None:
    with ServeClient(tmp_path) as client:
        client.initialize()
        for _ in range(50):
            client.send_raw({"jsonrpc": "2.0", "id": "same", "method": "verify"})
        answers = [client.unasked.get(timeout=30) for _ in range(50)]
    refused = [answer for answer in answers if answer.get("id") is None]
    assert all("in progress" in answer["error"]["message"] for answer in refused)
    assert len(refused) < 50


def test_a_session_begins_once_and_ends_once(tmp_path: Path) -> None:
    with ServeClient(tmp_path) as client:
        with pytest.raises(ServeError) as early:
            client.call("list")
        assert early.value.number == -32002
        client.initialize()
        with pytest.raises(ServeError, match="begun already"):
            client.initialize()
        client.call("shutdown")
        with pytest.raises(ServeError, match="has ended"):
            client.call("list")


def test_a_wrong_workspace_is_refused_and_another_may_follow(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with ServeClient(tmp_path) as client:
        for workspace in ("none", "file", "\x1b[31m", "a\x00b"):
            with pytest.raises(ServeError):
                client.initialize(workspace=workspace)
        with pytest.raises(ServeError) as raised:
            client.initialize(store="../x")
        assert raised.value.code == "USAGE_INVALID"
        assert client.initialize(workspace=".")["store"] == ".runforge"


def test_escapes_in_names_pass_through_as_json(tmp_path: Path) -> None:
    name = "\x1b[31mred\x07\u202e.csv"
    (tmp_path / name).write_text("a,b\n1,x\n2,y\n", "utf-8")
    with ServeClient(tmp_path) as client:
        client.initialize()
        assert client.call("inspect", {"dataset": name, "label": "b"})["path"] == name
        with pytest.raises(ServeError) as raised:
            client.call("show", {"run": name})
        assert "\x1b" not in raised.value.error["message"]
        for path in ("a\x00b", "\ud7ff" * 4096, "/", "..", "/etc/passwd"):
            with pytest.raises(ServeError):
                client.call("inspect", {"dataset": path})


def test_the_command_needs_the_kind_of_connection(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-P", "-m", "runforge_cli", "serve", "--json"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "USAGE_INVALID"
