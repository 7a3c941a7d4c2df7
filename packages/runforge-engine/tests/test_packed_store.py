"""Archives in one file: the same files give the same tar file, and nothing else is read."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_engine.archiving import packed_store
from runforge_engine.archiving.packed_store import pack, unpack
from runforge_engine.provenance.folder_digest import digest_folder
from runforge_engine.runtime.zstandard import import_zstd

FILES = {
    ".runforge/index.json": b"{}\n",
    ".runforge/runs/20260201-120000-abc12345/artifacts/model.pkl": bytes(range(256)) * 40,
    ".runforge/runs/20260201-120000-abc12345/empty": b"",
    f"runs/{'ü' * 90}/{'deep/' * 30}metrics.json": b"[1]",
}


def folder_of(files: dict[str, bytes], path: Path) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def tar_of(*members: tarfile.TarInfo, content: bytes = b"", end: bytes = bytes(1024)) -> bytes:
    """Return a tar file with some headers, each followed by the same content."""
    body = content + bytes(-len(content) % 512)
    return b"".join(member.tobuf(tarfile.PAX_FORMAT) + body for member in members) + end


def member(name: str, **changes: object) -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    for attribute, value in changes.items():
        setattr(about, attribute, value)
    return about


def unpacked(path: Path, content: bytes, tmp_path: Path) -> RunForgeError:
    """Return the error on a compressed file, after which nothing is outside of the folder."""
    path.write_bytes(content)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(RunForgeError) as caught:
        unpack(path, into)
    assert {item.name for item in tmp_path.iterdir()} <= {path.name, "into"}
    return caught.value


def test_files_come_back_as_they_were(tmp_path: Path) -> None:
    source = folder_of(FILES, tmp_path / "source")
    digest = pack(source, tmp_path / "runs.tar.zst")
    into = tmp_path / "into"
    assert unpack(tmp_path / "runs.tar.zst", into) == digest
    assert digest_folder(into) == digest_folder(source)


def test_the_same_files_give_the_same_tar_file(tmp_path: Path) -> None:
    one = folder_of(FILES, tmp_path / "one")
    other = folder_of(dict(reversed(FILES.items())), tmp_path / "other")
    (other / ".runforge/index.json").chmod(0o600)
    packed = [pack(folder, tmp_path / f"{folder.name}.tar.zst") for folder in (one, other)]
    assert packed[0] == packed[1]


def test_other_programs_read_the_tar_file(tmp_path: Path) -> None:
    pack(folder_of(FILES, tmp_path / "source"), tmp_path / "runs.tar.zst")
    data = import_zstd().decompress((tmp_path / "runs.tar.zst").read_bytes())
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {about.name: about for about in archive}
        assert list(found) == sorted(FILES, key=str.encode)
        for name, content in FILES.items():
            file = archive.extractfile(found[name])
            assert file is not None
            assert file.read() == content
            assert (found[name].mtime, found[name].uid, found[name].mode) == (0, 0, 0o644)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "runs.tar.zst"
    target.write_text("mine")
    with pytest.raises(RunForgeError) as caught:
        pack(folder_of(FILES, tmp_path / "source"), target)
    assert caught.value.code == ErrorCode.STORE_NOT_WRITABLE
    assert target.read_text() == "mine"


def test_a_link_is_not_packed(tmp_path: Path) -> None:
    source = folder_of(FILES, tmp_path / "source")
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(RunForgeError, match="not a regular file") as caught:
        pack(source, tmp_path / "runs.tar.zst")
    assert caught.value.code == ErrorCode.FILE_UNSAFE


HOSTILE: dict[str, tuple[bytes, str]] = {
    "climbs": (tar_of(member("../outside")), "leads out of the file"),
    "deep": (tar_of(member("a/" * 1500 + "b")), "lies in more than 99 folders"),
    "long part": (tar_of(member("ä" * 128)), "has a part of more than 255 bytes"),
    "absolute": (tar_of(member("/tmp/outside")), "leads out of the file"),
    "drive": (tar_of(member("C:/outside")), "some system takes for another one"),
    "device": (tar_of(member("runs/Aux.txt")), "some system takes for another one"),
    "stream": (tar_of(member("runs/model.pkl:other")), "some system takes for another one"),
    "dot at the end": (tar_of(member("runs./a")), "some system takes for another one"),
    "escape": (tar_of(member("a\x1b[2Jb")), "some system takes for another one"),
    "link": (tar_of(member("a", type=tarfile.SYMTYPE, linkname="/etc")), "what no archive needs"),
    "hard link": (tar_of(member("a", type=tarfile.LNKTYPE, linkname="b")), "what no archive needs"),
    "device file": (tar_of(member("a", type=tarfile.CHRTYPE)), "what no archive needs"),
    "folder": (tar_of(member("a", type=tarfile.DIRTYPE)), "or names none"),
    "owner": (tar_of(member("a", uid=1000)), "what no archive needs"),
    "program": (tar_of(member("a", mode=0o4755)), "what no archive needs"),
    "GNU name": (member("n" * 300).tobuf(tarfile.GNU_FORMAT) + bytes(1024), "or names none"),
    "other record": (
        tar_of(member("a", pax_headers={"GNU.sparse.map": "0,1"})),
        "a name is not UTF-8",
    ),
    "twice": (tar_of(member("a"), member("a")), "one name on some systems"),
    "disorder": (tar_of(member("b"), member("a")), "not in the order"),
    "one name": (tar_of(member("A"), member("a")), "one name on some systems"),
    "file and folder": (tar_of(member("a"), member("a/b")), "both a file and a folder"),
    "trailing": (tar_of(member("a"), end=bytes(1536)), "something follows its end"),
    "hidden": (tar_of(member("a", size=1), content=b"a" + b"!" * 9), "between two of its files"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_no_archive_needs_is_refused(name: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[name]
    error = unpacked(tmp_path / "evil.tar.zst", import_zstd().compress(content), tmp_path)
    assert (error.code, reason in error.message) == (ErrorCode.FILE_UNSAFE, True), error.message


DAMAGED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[:-9],
    "followed": lambda data: data + b"more",
    "two frames": lambda data: data * 2,
    "not compressed": lambda data: import_zstd().decompress(data),
    "ends early": lambda data: import_zstd().compress(import_zstd().decompress(data)[:-1024]),
    "one bit": lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_no_archive(name: str, tmp_path: Path) -> None:
    pack(folder_of(FILES, tmp_path / "source"), tmp_path / "good")
    content = DAMAGED[name]((tmp_path / "good").read_bytes())
    (tmp_path / "bad").mkdir()
    error = unpacked(tmp_path / "bad/file.tar.zst", content, tmp_path / "bad")
    assert error.code in (ErrorCode.DOCUMENT_INVALID, ErrorCode.FILE_UNSAFE), error
    assert name == "one bit" or error.code == ErrorCode.DOCUMENT_INVALID


def test_a_file_that_grows_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_store, "_RATIO_FROM", 2**20)
    size = 64 * 2**20
    bomb = import_zstd().compress(tar_of(member("a", size=size), content=bytes(size)))
    error = unpacked(tmp_path / "bomb.tar.zst", bomb, tmp_path)
    assert error.code == ErrorCode.FILE_UNSAFE
    assert "would grow" in error.message
    assert (tmp_path / "into/a").stat().st_size < size


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=2000), st.integers(0, 3000), st.booleans())
def test_no_bytes_do_anything_else_than_be_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, inside: bool
) -> None:
    folder = tmp_path_factory.mktemp("noise")
    whole = tar_of(member("a", size=4), member("b", size=4), content=b"abcd")
    changed = whole[:at] + noise + whole[at + len(noise) :]
    packed = import_zstd().compress(changed) if inside else noise
    (folder / "file.tar.zst").write_bytes(packed)
    (folder / "into").mkdir()
    found = None
    try:
        unpack(folder / "file.tar.zst", folder / "into")
    except RunForgeError as error:
        found = error.code
    assert found in (None, ErrorCode.DOCUMENT_INVALID, ErrorCode.FILE_UNSAFE)
    assert {path.name for path in folder.iterdir()} == {"file.tar.zst", "into"}
