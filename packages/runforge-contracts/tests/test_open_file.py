"""Files below a folder are opened without following any link."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs import files
from runforge_contracts.fs.files import line_blocks, open_file, read_file


def content(path: Path, below: Path) -> bytes:
    """Return what a file contains."""
    with open_file(path, below=below) as file:
        return file.read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file in a folder of it, and what it must not lead to beside it."""
    for name, text in (("run/inner", "ours"), ("outside", "treasure")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "file").write_text(text, "utf-8")
    return tmp_path / "run"


def test_a_link_on_the_way_is_not_followed(folder: Path) -> None:
    assert content(folder / "inner/file", folder) == b"ours"
    (folder / "link").symlink_to(folder.parent / "outside")
    (folder / "inner/link").symlink_to(folder / "inner/file")
    for name in ("link/file", "inner/link"):
        with pytest.raises(RunForgeError) as caught:
            content(folder / name, folder)
        assert caught.value.code is ErrorCode.FILE_UNSAFE
    for name in ("none/file", "inner/file/file", "inner/" * 2_000 + "file"):
        with pytest.raises(RunForgeError) as caught:
            content(folder / name, folder)
        assert caught.value.code is ErrorCode.FILE_NOT_FOUND


@pytest.mark.skipif(os.open not in os.supports_dir_fd, reason="a folder cannot be opened here")
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(folder: Path) -> None:
    inner, aside, ended = folder / "inner", folder / "aside", threading.Event()

    def swap() -> None:
        while not ended.is_set():
            inner.rename(aside)
            inner.symlink_to(folder.parent / "outside")
            inner.unlink()
            aside.rename(inner)

    thread = threading.Thread(target=swap)
    thread.start()
    found = set[bytes]()
    try:
        for _ in range(5_000):
            with suppress(RunForgeError):
                found.add(content(inner / "file", folder))
    finally:
        ended.set()
        thread.join()
    assert found <= {b"ours"}


@pytest.mark.parametrize("size", [0, 1, 2**12 - 1, 2**12, 2**12 + 1, 2**20, 2**20 + 1])
def test_a_file_of_any_size_is_read_as_a_whole(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    assert read_file(path, max_bytes=2**21) == path.read_bytes()
    assert read_file(path, max_bytes=size) == path.read_bytes()
    if size:
        with pytest.raises(RunForgeError, match="more than the"):
            read_file(path, max_bytes=size - 1)


@pytest.mark.parametrize("size", [1, 2, 5, 64])
@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"one", b"one\ntwo\n", b"\n\none\n\ntwo", b"x" * 200 + b"\n" + b"y" * 90],
)
def test_blocks_end_with_a_line(
    content: bytes, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_BLOCK", size)
    path = tmp_path / "file"
    path.write_bytes(content)
    *blocks, last = line_blocks(path, max_bytes=len(content))
    assert b"".join([*blocks, last]) == content
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"\n" not in last
    if content:
        with pytest.raises(RunForgeError, match="more than the"):
            next(line_blocks(path, max_bytes=len(content) - 1))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system has no such file")
def test_a_file_is_read_whose_size_is_not_known_beforehand() -> None:
    path = Path("/proc/self/maps")
    assert path.stat().st_size == 0
    assert read_file(path, max_bytes=2**24).count(b"\n") > 50
