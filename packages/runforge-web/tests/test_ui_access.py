"""Who the server answers, and what an answer allows a browser."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from runforge_cli.shell.settings import Settings
from runforge_web.web_access import WebAccess
from runforge_web.web_application import make_application
from web_client import Server, serving

PAGES = (
    "/",
    "/runs",
    "/sweeps",
    "/documents",
    "/events",
    "/report.css",
    "/static/pages.js",
    "/nope",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("cookie", [None, "", "runforge_ui_{port}=x", "other=1; runforge_ui_1=x"])
def test_nothing_is_shown_without_the_cookie(server: Server, path: str, cookie: str | None) -> None:
    sent = None if cookie is None else cookie.format(port=server.port)
    answer = server.ask(path, headers={"Cookie": sent})
    assert answer.status == 401
    assert "needs the address that `runforge ui` printed" in answer.text


@pytest.mark.parametrize(
    "others",
    ['{{"a": "b, c"}}={{1}}', "a[b]=1", "bare", "", "é=é", "runforge_ui_{port}=x", 'a="; b=1'],
)
def test_cookies_of_other_local_servers_lock_nobody_out(server: Server, others: str) -> None:
    other = others.format(port=server.port)
    for cookie in (f"{other}; {server.cookie}", f"{server.cookie}; {other}"):
        assert (
            server.ask("/runs", headers={"Cookie": cookie.encode().decode("latin-1")}).status == 200
        )
    assert server.ask("/runs", headers={"Cookie": f"x{server.cookie}"}).status == 401


def test_the_token_is_exchanged_for_a_cookie_that_scripts_and_other_sites_cannot_use(
    server: Server,
) -> None:
    answer = server.ask(server.entrance, headers={"Cookie": None})
    assert answer.status == 200
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"runforge_ui_{server.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} == set(attributes)
    token = server.entrance.partition("=")[2]
    assert token not in answer.headers["set-cookie"]
    assert token not in answer.text
    assert server.ask("/?token=x", headers={"Cookie": None}).status == 401
    assert server.ask("/?token=%ff%00", headers={"Cookie": None}).status == 401
    assert server.ask(f"/runs?token={token}", headers={"Cookie": None}).status == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "[::1]",
        None,
    ],
)
def test_other_names_of_this_machine_are_refused(server: Server, host: str | None) -> None:
    sent = None if host is None else host.format(port=server.port)
    for path in ("/runs", server.entrance):
        answer = server.ask(path, headers={"Host": sent})
        assert answer.status in (400, 421), answer
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"]
)
def test_requests_of_other_sites_are_refused(server: Server, origin: str) -> None:
    assert server.ask("/runs", headers={"Origin": origin}).status == 403
    assert server.post("/documents/validation", {"Origin": origin}, document="{}").status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_only_a_link_leads_here_from_other_sites(server: Server, site: str) -> None:
    sent = {"Sec-Fetch-Site": site}
    assert server.ask("/runs", headers={**sent, "Sec-Fetch-Mode": "no-cors"}).status == 403
    assert server.ask("/events", headers={**sent, "Sec-Fetch-Mode": "cors"}).status == 403
    assert server.ask("/runs", headers={**sent, "Sec-Fetch-Mode": "navigate"}).status == 200
    posted = server.post("/documents/validation", {**sent, "Sec-Fetch-Mode": "navigate"})
    assert posted.status == 403


@pytest.mark.parametrize("path", ["/events", "/runs", "/runs/latest/files/run.json"])
def test_who_asks_for_the_head_alone_keeps_no_connection(server: Server, path: str) -> None:
    head = f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(f"{head}Cookie: {server.cookie}\r\n\r\n".encode())
        answer = b""
        while piece := connection.recv(2**16):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


def test_a_form_needs_the_token_of_our_pages_and_their_origin(server: Server) -> None:
    assert server.post("/documents/validation", document="{}").status == 422
    for csrf in ("x", server.cookie.partition("=")[2], server.entrance.partition("=")[2]):
        answer = server.post("/documents/validation", csrf=csrf, document="{}")
        assert answer.status == 400
        assert "made by another server" in answer.text
    assert server.post("/documents/validation", {"Origin": None}, document="{}").status == 403
    plain = server.post("/documents/validation", {"Content-Type": "text/plain"}, document="{}")
    assert plain.status == 400
    assert server.ask("/documents/validation").status == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    answer = server.ask("/runs", method, headers={"Origin": server.origin})
    assert answer.status in (400, 405)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", [*PAGES[1:4], *PAGES[5:], "/runs/latest/files/run.json"])
def test_an_answer_forbids_what_the_pages_do_not_need(server: Server, path: str) -> None:
    headers = server.ask(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    if "files" not in path:
        assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]
    assert "server" not in headers


def test_the_pages_have_no_style_and_no_script_of_their_own(server: Server) -> None:
    for path in ("/runs", "/runs/latest", "/sweeps", "/documents", "/runs/latest/log"):
        text = server.ask(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick" not in text
        assert text.count("<script") == 1
        assert "http:" not in text.replace("http://www.w3.org/", "")


def test_a_request_is_bounded(server: Server) -> None:
    sent = {"Origin": server.origin, "Content-Type": "application/x-www-form-urlencoded"}
    path = "/documents/validation"
    claimed = server.ask(path, "POST", None, {**sent, "Content-Length": str(10**9)})
    assert claimed.status == 413
    assert server.ask("/runs?where=" + "x" * 20_000).status == 414
    assert server.ask("/runs", headers={"X-Long": "x" * 40_000}).status == 431
    many = "&".join(f"f{number}=" for number in range(2_000)).encode()
    assert server.ask(path, "POST", many, sent).status == 400
    assert server.ask("/runs").status == 200


@pytest.mark.parametrize(("length", "status"), [(30_000, 200), (40_000, 431)])
def test_a_long_head_is_answered_in_however_many_pieces_it_arrives(
    server: Server, length: int, status: int
) -> None:
    head = f"GET /runs HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {server.cookie}\r\n"
    head += f"X-Long: {'x' * length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(head), 8_000):
            connection.sendall(head[start : start + 8_000].encode())
            time.sleep(0.05)
        assert connection.recv(1_000).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_head_without_an_end_is_not_read_for_ever(server: Server) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /runs HTTP/1.1\r\nX-Long: ")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while sent < 100:
                connection.sendall(b"x" * 2**20)
                sent += 1
    assert sent < 100


def test_a_body_without_an_end_is_not_read_for_ever(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"POST /documents/validation HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        head += f"Cookie: {server.cookie}\r\nOrigin: {server.origin}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        try:
            while sent < 1_000:
                connection.sendall(b"100000\r\n" + b"x" * 2**20 + b"\r\n")
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert sent < 100


def test_bodies_that_do_not_end_take_a_bounded_memory(server: Server) -> None:
    head = f"POST /documents/validation HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    head += f"Cookie: {server.cookie}\r\nOrigin: {server.origin}\r\nContent-Length: {7 * 2**20}\r\n"
    answers = list[bytes]()
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            address = ("127.0.0.1", server.port)
            connection = stack.enter_context(socket.create_connection(address, timeout=60))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(f"{head}\r\n".encode() + b"x" * (5 * 2**20))
            # Nothing comes before the time is over, unless there was no room.
            connection.settimeout(0.5)
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                answers.append(connection.recv(100))
        assert any(b" 413 " in answer for answer in answers)
        assert server.ask("/runs").status == 200
    valid = server.post("/documents/validation", document="{}", schema="request.v1")
    assert valid.status == 422


def test_idle_connections_of_others_lock_nobody_out(server: Server) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(260):
            address = ("127.0.0.1", server.port)
            connection = stack.enter_context(socket.create_connection(address, timeout=60))
            if number % 2:
                connection.sendall(b"GET /runs HTTP/1.1\r\nCookie: a=b\r\n")
        assert server.ask("/runs").status == 200
        assert server.ask("/runs", headers={"Cookie": None}).status == 401


@pytest.mark.slow
def test_a_connection_without_a_request_is_closed(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"GET /runs HTTP/1.1\r\nHost: ")
        assert connection.recv(100) == b""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are not listed here")
def test_who_takes_no_answer_keeps_no_file_and_no_connection(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    run = next((tmp_path / "ws").glob(".runforge/runs/*/run.json")).parent
    with (run / "large").open("wb") as file:
        file.truncate(2**30)
    with serving(tmp_path / "ws") as server:
        opened = Path(f"/proc/{server.process.pid}/fd")
        before = len([*opened.iterdir()])
        head = f"GET /runs/{run.name}/files/large HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        with contextlib.ExitStack() as stack:
            for _ in range(5):
                address = ("127.0.0.1", server.port)
                connection = stack.enter_context(socket.create_connection(address))
                connection.sendall(f"{head}Cookie: {server.cookie}\r\n\r\n".encode())
            # The connection of the last request may be among those before.
            while len([*opened.iterdir()]) < before + 8:
                time.sleep(0.05)
            for _ in range(900):
                if len([*opened.iterdir()]) <= before:
                    break
                time.sleep(0.1)
            assert len([*opened.iterdir()]) <= before


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are not listed here")
def test_costly_pages_are_made_in_turn(server: Server) -> None:
    csrf = server.ask("/documents").csrf
    listed = Path(f"/proc/{server.process.pid}/task")
    with ThreadPoolExecutor() as threads:
        asked = [
            threads.submit(server.post, "/runs/latest:succeeded/curves", csrf=csrf)
            for _ in range(4)
        ]
        most = 0
        while not all(one.done() for one in asked):
            found = 0
            for task in listed.iterdir():
                # A thread may end between the two.
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    found += len((task / "children").read_text().split())
            most = max(most, found)
            time.sleep(0.01)
    assert [one.result().status for one in asked] == [200] * 4
    assert 1 <= most <= 2


def test_a_page_that_fails_sends_the_terminal_no_control_character(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError("\x1b]0;title\x07")

    monkeypatch.setattr("runforge_web.runs_page.runs_page", failing)
    access = WebAccess(1)
    application, *_ = make_application(Settings(), access)
    headers = [(b"host", b"127.0.0.1:1"), (b"cookie", access.cookie.partition(";")[0].encode())]
    scope = {"type": "http", "method": "GET", "path": "/runs", "raw_path": b"/runs"}
    statuses = list[int]()

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(application({**scope, "query_string": b"", "headers": headers}, receive, send))
    assert statuses == [500]
    assert r"ValueError: \x1b]0;title\x07" in caplog.text
    assert "\x1b" not in caplog.text


def test_the_workspace_is_as_it_was(server: Server, store: Path) -> None:
    def state() -> dict[str, tuple[int, bytes]]:
        return {
            path.relative_to(store).as_posix(): (path.lstat().st_mtime_ns, path.read_bytes())
            for path in store.rglob("*")
            if path.is_file()
        }

    before = state()
    for path in ("/runs", "/runs/latest", "/runs/latest/report.html", "/runs?where=accuracy>0"):
        assert server.ask(path).status in (200, 400)
    for path in ("verification", "curves"):
        assert server.post(f"/runs/latest:succeeded/{path}").status == 200
    assert state() == before
