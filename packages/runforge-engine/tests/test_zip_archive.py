"""The ZIP files of bundles: one meaning, bounded sizes, and names that lead nowhere else."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.bundles import zip_archive
from runforge_engine.bundles.zip_archive import Archive, write_archive

CONTENT = {"bundle.json": b"{}", "run/größe.json": b"[1]" * 100, "run/a/b": b""}


def written(path: Path, members: dict[str, bytes]) -> Path:
    with path.open("xb") as file:
        write_archive(file, dict(members))
    return path


def content_of(path: Path) -> dict[str, bytes]:
    with Archive(path) as archive:
        found = {}
        for name in archive.members:
            target = BytesIO()
            archive.extract(name, target)
            found[name] = target.getvalue()
    return found


def refusal(path: Path) -> RunForgeError:
    with pytest.raises(RunForgeError) as caught:
        content_of(path)
    return caught.value


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a", CONTENT)
    assert content_of(path) == CONTENT
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == sorted(CONTENT)
        assert {name: archive.read(name) for name in CONTENT} == CONTENT


def test_the_same_members_give_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path / "a", CONTENT)
    file = tmp_path / "content"
    file.write_bytes(CONTENT["run/größe.json"])
    os.utime(file, (1, 1))
    with (tmp_path / "b").open("xb") as second:
        others: dict[str, bytes | Path] = dict(reversed(CONTENT.items()))
        write_archive(second, {**others, "run/größe.json": file})
    assert first.read_bytes() == (tmp_path / "b").read_bytes()


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in CONTENT.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    assert content_of(tmp_path / "a") == CONTENT


@pytest.mark.needs("unzip")
def test_another_program_unpacks_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a", CONTENT)
    subprocess.run(["unzip", "-q", str(path), "-d", str(tmp_path / "out")], check=True)
    assert (tmp_path / "out/run/größe.json").read_bytes() == CONTENT["run/größe.json"]


def made(path: Path, change: Callable[[zipfile.ZipFile], object]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("bundle.json"), b"{}")
        change(archive)
    return path


def member(name: str, data: bytes = b"x", **attributes: int) -> Callable[[zipfile.ZipFile], object]:
    def add(archive: zipfile.ZipFile) -> None:
        about = zipfile.ZipInfo(name)
        for key, value in attributes.items():
            setattr(about, key, value)
        archive.writestr(about, data)

    return add


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "../escape", "run/../../escape", "run/./a", "run//a", "run/"),
        *("run\\a", "C:/a", "run/a\x1b[31m", "run/a\nb", "..", "."),
        *("run/model.pkl:other", "run/nul", "run/Com1.txt", "run/con .txt", "run/a.", "run/a /b"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a", {"bundle.json": b"{}", "placeholder": b"x"})
    # Written by hand: libraries correct some of these names.
    encoded = name.encode()
    data = path.read_bytes()
    head, _, rest = data.partition(b"placeholder")
    size = struct.pack("<H", len(encoded))
    start = head.rindex(b"PK\x03\x04")
    head = head[: start + 26] + size + head[start + 28 :]
    middle, _, end = rest.partition(b"placeholder")
    start = middle.rindex(b"PK\x01\x02")
    middle = middle[: start + 28] + size + middle[start + 30 :]
    grown = len(encoded) - len(b"placeholder")
    tail = end[:-6] + struct.pack("<L", struct.unpack("<L", end[-6:-2])[0] + grown) + end[-2:]
    tail = tail[:-10] + struct.pack("<L", struct.unpack("<L", tail[-10:-6])[0] + grown) + tail[-6:]
    path.write_bytes(head + encoded + middle + encoded + tail)
    error = refusal(path)
    assert error.code is ErrorCode.FILE_UNSAFE, error
    assert "\x1b" not in error.message
    assert "leads out" in error.message or "some system" in error.message


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["run/a", "run/A"], "one name"),
        (["run/\u00e9", "run/e\u0301"], "one name"),
        (["run/stra\u00dfe", "run/STRASSE"], "one name"),
        (["run/a", "run/a/b"], "both a file and a folder"),
        (["run/A", "run/a/b"], "both a file and a folder"),
    ],
)
def test_names_that_are_one_on_some_systems_are_refused(
    names: list[str], what: str, tmp_path: Path
) -> None:
    error = refusal(written(tmp_path / "a", dict.fromkeys(names, b"x")))
    assert (error.code, what in error.message) == (ErrorCode.FILE_UNSAFE, True)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (member("bundle.json"), "one name"),
        (member("run/link", external_attr=0o120777 << 16), "a link"),
        (member("run/fifo", external_attr=0o010644 << 16), "a device"),
        (member("run/device", external_attr=0o060644 << 16), "a device"),
        (member("run/folder", external_attr=0o040755 << 16), "a folder"),
        (member("run/folder", create_system=0, external_attr=0x10), "a folder"),
        (member("run/a", compress_type=zipfile.ZIP_BZIP2), "a form that is not read"),
        (member("run/a", compress_type=zipfile.ZIP_LZMA), "a form that is not read"),
        (lambda archive: setattr(archive, "comment", b"hello"), "something follows"),
        (member("run/bomb", bytes(2**24), compress_type=zipfile.ZIP_DEFLATED), "would grow"),
    ],
)
def test_what_no_bundle_needs_is_refused(
    change: Callable[[zipfile.ZipFile], object], what: str, tmp_path: Path
) -> None:
    error = refusal(made(tmp_path / "a", change))
    assert error.code in (ErrorCode.FILE_UNSAFE, ErrorCode.DOCUMENT_INVALID)
    assert what in error.message


def test_extra_fields_are_refused(tmp_path: Path) -> None:
    def add(archive: zipfile.ZipFile) -> None:
        about = zipfile.ZipInfo("run/a")
        about.extra = struct.pack("<HH", 0x7075, 5) + b"\x01abcd"
        archive.writestr(about, b"x")

    assert "an extra field" in refusal(made(tmp_path / "a", add)).message


def test_a_large_file_form_is_refused(tmp_path: Path) -> None:
    def add(archive: zipfile.ZipFile) -> None:
        with archive.open(zipfile.ZipInfo("run/a"), "w", force_zip64=True) as file:
            file.write(b"x")

    assert refusal(made(tmp_path / "a", add)).code is ErrorCode.FILE_UNSAFE


def test_a_streamed_file_is_refused(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: object) -> int:
            raise io.UnsupportedOperation

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("run/a", b"x")
    (tmp_path / "a").write_bytes(pipe.getvalue())
    assert refusal(tmp_path / "a").code is ErrorCode.FILE_UNSAFE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: b"", ErrorCode.DOCUMENT_INVALID),
        (lambda data: b"not a ZIP file at all, but some text", ErrorCode.DOCUMENT_INVALID),
        (lambda data: data[:-1], ErrorCode.DOCUMENT_INVALID),
        (lambda data: data[: len(data) // 2], ErrorCode.DOCUMENT_INVALID),
        (lambda data: data + b"\n", ErrorCode.DOCUMENT_INVALID),
        (lambda data: b"#!/bin/sh\n" + data, ErrorCode.FILE_UNSAFE),
        (lambda data: data + data, ErrorCode.FILE_UNSAFE),
        (lambda data: data.replace(b"[1][1]", b"[2][2]", 1), ErrorCode.DOCUMENT_INVALID),
        # The encryption flag in the local header alone, and in both.
        (lambda data: data[:6] + b"\x01" + data[7:], ErrorCode.FILE_UNSAFE),
        (lambda data: data.replace(b"PK\x01\x02\x14\x03\x14\0\0", b"PK\x01\x02\x14\x03\x14\0\1"),
         ErrorCode.FILE_UNSAFE),
        # Another name in the local header than in the directory.
        (lambda data: data.replace(b"run/a/b", b"run/a/c", 1), ErrorCode.FILE_UNSAFE),
    ],
)  # fmt: skip
def test_a_file_with_two_meanings_is_refused(
    change: Callable[[bytes], bytes], code: ErrorCode, tmp_path: Path
) -> None:
    path = written(tmp_path / "a", CONTENT)
    before = path.read_bytes()
    path.write_bytes(change(before))
    assert path.read_bytes() != before
    assert refusal(path).code is code


def test_a_member_that_is_larger_than_it_states_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(bytes(2**22)) + packer.flush()
    name = b"run/a"
    same = (8, 0, 33, zlib.crc32(b"x"), len(packed), 1, len(name))
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, *same, 0) + name + packed
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, *same, 0, 0, 0, 0, 0, 0) + name
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    (tmp_path / "a").write_bytes(local + central + end)
    error = refusal(tmp_path / "a")
    assert (error.code, "is larger than" in error.message) == (ErrorCode.DOCUMENT_INVALID, True)


def test_the_number_and_the_size_of_members_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a", CONTENT)
    monkeypatch.setattr(zip_archive, "MAX_MEMBERS", 2)
    assert "3 members" in refusal(path).message
    monkeypatch.undo()
    monkeypatch.setattr(zip_archive, "MAX_BYTES", 300)
    assert "302 bytes" in refusal(path).message


def test_every_flipped_byte_is_refused_or_harmless(tmp_path: Path) -> None:
    path = written(tmp_path / "a", CONTENT)
    data = path.read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        try:
            found = content_of(path)
        except RunForgeError:
            continue
        # Times, versions and modes mean nothing here.
        assert found == CONTENT, place


def test_a_link_or_a_folder_is_no_archive(tmp_path: Path) -> None:
    path = written(tmp_path / "a", CONTENT)
    (tmp_path / "link").symlink_to(path)
    assert refusal(tmp_path / "link").code is ErrorCode.FILE_UNSAFE
    assert refusal(tmp_path).code is ErrorCode.FILE_UNSAFE
    assert refusal(tmp_path / "none").code is ErrorCode.FILE_NOT_FOUND
