"""Many readers at once while other processes train: no error, and no page that is torn."""

from __future__ import annotations

import html
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from web_client import Server, serving
from web_pages import check_page, runs_in

READERS, TRAINERS, MOST_LISTENERS = 50, 3, 10
#: How many pages each reader reads, and how many runs each process trains.
PAGES, RUNS = 8, 2


@pytest.mark.storm
def test_readers_see_whole_pages_while_runs_are_trained(store: Path, tmp_path: Path) -> None:
    pages = int(os.environ.get("RUNFORGE_TEST_STORM_PAGES", PAGES))
    runs = int(os.environ.get("RUNFORGE_TEST_STORM_RUNS", RUNS))
    workspace = tmp_path / "ws"
    shutil.copytree(store, workspace, symlinks=True)
    with serving(workspace) as server:
        trainers = [train(workspace, runs, number) for number in range(TRAINERS)]
        with ThreadPoolExecutor(READERS) as pool:
            reading = [pool.submit(read, server, number, pages) for number in range(READERS)]
            seen = sum((reader.result() for reader in reading), Counter[int]())
        for trainer in trainers:
            _, errors = trainer.communicate(timeout=600)
            assert trainer.returncode == 0, errors
        assert seen == {200: READERS * pages}
        # Each run that was trained is there, and the server is as it was.
        listed = runs_in(server.ask("/runs?limit=500&where=name%7Estorm").text)
        assert len(listed) == TRAINERS * runs
        assert server.process.poll() is None


def train(workspace: Path, runs: int, number: int) -> subprocess.Popen[str]:
    """Start a process that trains one run after the other."""
    program = (
        "import sys\n"
        "from runforge_engine import train\n"
        f"for at in range({runs}):\n"
        f"    train('penguins.csv', label='species', exclude=['island', 'sex', 'year'],"
        f" name=f'storm {number} {{at}}')\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=workspace,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(first: Server, number: int, pages: int) -> Counter[int]:
    """Read pages as one browser does, and return how often each status was answered."""
    server = Server(first.process, first.address)
    server.enter()
    seen = Counter[int]()
    with listening(server) if number < MOST_LISTENERS else nothing():
        address = "/runs"
        for at in range(pages):
            text = slowly(server, address) if number % 10 == 9 else ""
            if not text:
                answer = server.ask(address)
                assert answer.headers["content-length"] == str(len(answer.body))
                text = answer.text
                assert answer.status == 200, f"{address}: {text}"
                seen[answer.status] += 1
            else:
                seen[200] += 1
            assert text.rstrip().endswith("</html>")
            check_page(text)
            address = next_page(text, number + at) or "/runs?sort=accuracy"
    return seen


def next_page(text: str, number: int) -> str | None:
    """Return one of the pages that a page leads to: a run, a comparison, a dataset, the list."""
    found = [name for name in runs_in(text) if name.count("/") == 2]
    if not found:
        return "/runs?status=succeeded&sort=-accuracy"
    kind = number % 4
    if kind == 0 and len(found) > 1:
        names = [html.unescape(name.rpartition("/")[2]) for name in found[:3]]
        return "/compare?" + "&".join(f"run={name}" for name in names)
    if kind == 1:
        dataset = re.search(r'href="(/datasets/[0-9a-f]{64})"', text)
        return dataset[1] if dataset else "/sweeps"
    return found[number % len(found)] if kind == 2 else f"{found[0]}/log"


def slowly(server: Server, address: str) -> str:
    """Return a page of which small pieces are taken, as on a bad line."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        head = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        connection.sendall(f"{head}Cookie: {server.cookie}\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while piece := connection.recv(512):
            received += piece
            threading.Event().wait(0.001)
    begin, _, body = received.partition(b"\r\n\r\n")
    assert begin.startswith(b"HTTP/1.1 200 "), begin
    assert f"content-length: {len(body)}".encode() in begin.lower()
    return body.decode()


@contextmanager
def listening(server: Server) -> Iterator[None]:
    """Keep a connection on which events arrive, and take them."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        head = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        connection.sendall(f"{head}Cookie: {server.cookie}\r\n\r\n".encode())
        assert connection.recv(4_096).startswith(b"HTTP/1.1 200 ")
        yield


@contextmanager
def nothing() -> Iterator[None]:
    """Keep no connection."""
    yield
