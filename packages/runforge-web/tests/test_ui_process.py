"""The process of ``runforge ui``: how it begins, prints its address, and ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from web_client import Server, serving, start


@contextmanager
def listening(server: Server) -> Iterator[socket.socket]:
    """Give a connection on which events arrive."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        connection.sendall(f"{head}Cookie: {server.cookie}\r\n\r\n".encode())
        received = b""
        while b": connected" not in received:
            received += connection.recv(4_096)
        yield connection


def is_answered(port: int) -> bool:
    """Return whether something listens on a port of this machine."""
    with socket.socket() as found:
        return found.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_even_while_a_page_listens(tmp_path: Path, name: str) -> None:
    with serving(tmp_path) as server, listening(server):
        server.process.send_signal(getattr(signal, name))
        out, err = server.process.communicate(timeout=30)
        assert (server.process.returncode, out, err) == (0, "", "Press Ctrl-C to stop.\n")
    assert not is_answered(server.port)


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import subprocess, sys
        command = [sys.executable, "-m", "runforge_cli", "ui", "--no-open", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(3):
            print(process.stdout.readline(), end="", flush=True)
        sys.stdin.read()
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    address = json.loads("".join(parent.stdout.readline() for _ in range(3)))["address"]
    port = int(address.split(":")[2].partition("/")[0])
    assert is_answered(port)
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 120
    while is_answered(port):
        assert time.monotonic() < end, "the server goes on without its parent process"
        time.sleep(0.05)


def test_it_answers_this_machine_alone(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        found = Path(f"/proc/{server.process.pid}/net/tcp")
        if not found.exists():
            pytest.skip("the system does not list its sockets")
        port = f"{server.port:04X}"
        lines = [line.split() for line in found.read_text().splitlines()[1:]]
        local = {line[1] for line in lines if line[1].endswith(f":{port}") and line[3] == "0A"}
        assert local == {f"0100007F:{port}"}


def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        other = start(tmp_path, "--port", str(server.port))
        out, err = other.communicate(timeout=60)
        assert (other.returncode, out) == (2, "")
        assert f"The port {server.port} cannot be used: " in err
        assert "Choose another `--port`" in err


def test_a_port_can_be_chosen(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(tmp_path, "--port", str(port)) as server:
        assert server.port == port


def test_the_token_is_not_on_a_command_line(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nprintf "%s" "$*" > {tmp_path}/arguments.part\n'
        f'cp "${{1#file://}}" {tmp_path}/opened.html\n'
        f"mv {tmp_path}/arguments.part {tmp_path}/arguments\n"
    )
    browser.chmod(0o700)
    environment = {**os.environ, "BROWSER": f"{browser} %s &"}
    process = subprocess.Popen(
        [sys.executable, "-m", "runforge_cli", "ui"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    token = process.stdout.readline().strip().rpartition("=")[2]
    while not (tmp_path / "arguments").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    given = (tmp_path / "arguments").read_text()
    assert given.startswith("file:///")
    assert token not in given
    assert token in (tmp_path / "opened.html").read_text()
    assert not Path(given.removeprefix("file://")).exists()


def test_the_extra_is_named_where_it_is_missing(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['runforge', 'ui', '--no-open'];"
        "from runforge_cli.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "error[EXTRA_MISSING]" in done.stderr
    assert "`python -m pip install ./packages/runforge-web`" in done.stderr


def test_other_commands_load_nothing_of_it(tmp_path: Path) -> None:
    program = (
        "import sys; from runforge_cli.shell.app import cli\n"
        "cli.main(['runs'], standalone_mode=False)\n"
        "assert not {'runforge_web', 'starlette', 'uvicorn', 'jinja2'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True)


def test_a_page_hears_of_the_runs_that_begin_and_end(store: Path, tmp_path: Path) -> None:
    import shutil

    from real_store import training

    shutil.copytree(store, tmp_path / "ws", symlinks=True)
    with serving(tmp_path / "ws") as server, listening(server) as connection:
        with training(tmp_path / "ws") as (_, folder):
            began = until(connection, b"event: runBegan")
            assert folder.name.encode() in began
        ended = until(connection, b"event: runEnded")
        assert folder.name.encode() in ended
        page = server.ask(f"/runs/{folder.name}")
        assert "interrupted</span>" in page.text


def until(connection: socket.socket, text: bytes) -> bytes:
    """Return what arrives until an event is complete."""
    received = b""
    while text not in received or b"\n\n" not in received.partition(text)[2]:
        more = connection.recv(4_096)
        assert more, received
        received += more
    return received
