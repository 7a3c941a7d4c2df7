"""The modules of the systems have the same functions, and those of Windows do what they should.

What Windows itself does is replaced by stand-ins that behave as its documentation says.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from runforge_contracts.errors import RunForgeError
from runforge_contracts.fs import files
from runforge_contracts.system import (
    windows_api,
    windows_files,
    windows_locks,
    windows_processes,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are for Linux")

if sys.platform != "win32":
    from runforge_contracts.system import posix_files, posix_locks, posix_processes
    from windows_stand_ins import Kernel, is_open, start_as_windows


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    (tmp_path / "objects").mkdir()
    found = Kernel(tmp_path / "objects")
    monkeypatch.setattr(windows_api, "kernel", lambda: found)
    monkeypatch.setattr(windows_api, "last_error", lambda: found.error)
    monkeypatch.setattr(
        windows_api, "native", lambda: SimpleNamespace(NtResumeProcess=lambda handle: 0)
    )
    handles = SimpleNamespace(get_osfhandle=lambda descriptor: descriptor)
    monkeypatch.setattr(windows_api, "runtime", lambda: handles)
    return found


def parameters(function: Callable[..., Any]) -> list[tuple[str, object, object, bool]]:
    found = inspect.signature(function).parameters.values()
    return [(item.name, item.kind, item.annotation, item.default is item.empty) for item in found]


def interface(module: ModuleType) -> dict[str, object]:
    """Return the public names of a module, with the parameters of functions and methods."""
    found: dict[str, object] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", module.__name__) != module.__name__:
            continue
        if inspect.isclass(value):
            members = {key: item for key, item in vars(value).items() if not key.startswith("_")}
            found["a class"] = {
                key: parameters(item) if inspect.isfunction(item) else type(item)
                for key, item in members.items()
            }
        elif inspect.isfunction(value):
            found[name] = parameters(value)
        elif name.isupper() and not inspect.ismodule(value):
            found[name] = type(value)
    return found


@pytest.mark.parametrize("topic", ["files", "locks", "processes"])
def test_both_systems_have_the_same_functions(topic: str) -> None:
    windows = {
        "files": windows_files,
        "locks": windows_locks,
        "processes": windows_processes,
    }[topic]
    posix = {"files": posix_files, "locks": posix_locks, "processes": posix_processes}[topic]
    own = interface(windows)
    own.pop("PATIENCE", None)  # how long a file may be open
    assert own == interface(posix)


def test_structures_have_the_sizes_of_the_system() -> None:
    sizes = [ctypes.sizeof(item) for item in (windows_api.Offset, windows_api.JobLimits)]
    assert [*sizes, ctypes.sizeof(windows_api.JobAccounting)] == [32, 144, 48]


def test_a_folder_is_locked_once_and_found_locked(kernel: Kernel, tmp_path: Path) -> None:
    folder, other = tmp_path / "run", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    locks = [windows_locks.MutexLock.open(path) for path in (folder, folder, other)]
    first, second, third = (lock for lock in locks if lock is not None)
    assert first.take(shared=True) is True
    assert first.take(shared=False) is True
    assert (second.take(shared=False), second.take(shared=True)) == (False, False)
    assert third.take(shared=True) is True
    first.close()
    assert second.take(shared=False) is True
    folder.rename(tmp_path / "renamed")
    renamed = windows_locks.MutexLock.open(tmp_path / "renamed")
    assert renamed is not None
    assert renamed.take(shared=True) is False
    second.close()


def test_what_is_no_folder_has_no_lock(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link", "missing"):
        assert windows_locks.MutexLock.open(tmp_path / name) is None


def test_the_object_of_another_user_is_a_lock(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        kernel.error = windows_api.DENIED

    monkeypatch.setattr(kernel, "OpenMutexW", refused)
    monkeypatch.setattr(kernel, "CreateMutexW", refused)
    lock = windows_locks.MutexLock.open(tmp_path)
    assert lock is not None
    assert (lock.take(shared=True), lock.take(shared=False)) == (False, False)


def test_a_file_tells_whether_its_holder_is_asked(kernel: Kernel, tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_bytes(b"{}")
    with path.open("rb") as running, path.open("r+b") as asking:
        assert not windows_locks.is_asked(running.fileno())
        windows_locks.ask_holder(asking.fileno())
        windows_locks.ask_holder(asking.fileno())
        assert windows_locks.is_asked(running.fileno())
        assert path.read_bytes() == b"{}"
    with path.open("rb") as running:
        assert not windows_locks.is_asked(running.fileno())


@pytest.fixture
def replacing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no file be replaced that is open, and let files be replaced as on Windows."""
    replace = os.replace

    def replaced(source: Any, target: Any) -> None:
        if is_open(target):
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", replaced)
    monkeypatch.setattr(files, "replace_file", windows_files.replace_file)


@pytest.mark.usefixtures("replacing")
def test_a_file_that_is_open_is_replaced_when_its_reader_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(b"old")
    reader = path.open("rb")
    waits = list[float]()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            assert reader.read() == b"old"
            reader.close()

    # Only there: other threads of this process sleep, too.
    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr(windows_files, "time", clock)
    files.write_file(path, b"new")
    assert (path.read_bytes(), len(waits)) == (b"new", 3)


@pytest.mark.usefixtures("replacing")
def test_a_file_that_stays_open_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(windows_files, "PATIENCE", 0.05)
    with path.open("rb"), pytest.raises(RunForgeError, match="access is denied") as caught:
        files.write_file(path, b"new")
    assert "Close the program that has it open" in str(caught.value.hint)
    assert [item.name for item in tmp_path.iterdir()] == ["index.json"]
    assert path.read_bytes() == b"old"


def test_a_path_that_is_too_long_is_reported_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "is_too_long", windows_files.is_too_long)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "absolute", lambda path: path)  # wherever the folder is
    for length, hint in ((100, "no longer exists"), (250, "no longer exists"), (255, "shorter")):
        with pytest.raises(RunForgeError) as caught:
            files.write_file(Path("n" * length, "file"), b"x")
        assert hint in str(caught.value.hint)


def test_no_link_is_followed_on_windows(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "file").symlink_to("folder/file")
    for path in ("link/file", "file"):
        with pytest.raises(OSError) as caught:
            windows_files.open_below(tmp_path / path, tmp_path)
        assert caught.value.errno == errno.ELOOP
    descriptor = windows_files.open_below(tmp_path / "folder/file", tmp_path)
    assert os.read(descriptor, 2) == b"x"
    os.close(descriptor)


@pytest.fixture
def windows_popen(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess.Popen, "__init__", subprocess.Popen.__init__)
    monkeypatch.setattr(os, "kill", os.kill)
    monkeypatch.setitem(vars(os), "set_handle_inheritable", None)
    monkeypatch.setitem(vars(subprocess), "STARTUPINFO", None)
    start_as_windows()


#: Starts a process that writes its number, and waits.
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


@contextlib.contextmanager
def group() -> Iterator[tuple[windows_processes.JobProcess, int]]:
    """Start a process with a child, and yield it and the number of the child."""
    process = windows_processes.JobProcess(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, bound=True
    )
    assert process.stdout is not None
    with process.stdout:
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            process.kill_all()
            process.wait()


def ended(process: int) -> bool:
    """Wait until a process has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


@pytest.mark.usefixtures("windows_popen")
def test_a_job_ends_with_all_its_processes() -> None:
    with group() as (process, child):
        assert not process.has_ended()
        assert process.is_any_alive()
        process.kill_all()
        assert process.wait() == -signal.SIGKILL
        assert ended(child)
        assert process.has_ended()
        assert not process.is_any_alive()
        process.ask(signal.SIGTERM)  # nobody is there


@pytest.mark.usefixtures("windows_popen")
def test_a_group_is_asked_to_end_by_ctrl_break() -> None:
    with group() as (process, child):
        process.ask(signal.SIGINT)
        assert process.wait() == -signal.SIGTERM  # what stands for Ctrl-Break
        assert ended(child)


@pytest.mark.usefixtures("windows_popen")
def test_a_process_inherits_handles() -> None:
    receiving, sending = os.pipe()
    lent, argument = windows_processes.JobProcess.lend(sending)
    script = "import os, sys; os.write(int(sys.argv[1]), b'here')"
    process = windows_processes.JobProcess(
        [sys.executable, "-c", script, argument], inherited=[lent]
    )
    os.close(sending)
    assert os.read(receiving, 10) == b"here"
    os.close(receiving)
    assert process.wait() == 0


def test_a_failure_of_the_system_has_a_name() -> None:
    assert windows_processes.signal_name(0xC0000005) == "STATUS_ACCESS_VIOLATION"
    assert windows_processes.signal_name(0xC0000006) == "status 0xc0000006"
    assert windows_processes.signal_name(3) is None


@pytest.mark.skipif(sys.platform == "darwin", reason="it is the case there")
def test_where_leases_are_missing_a_file_may_be_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("r+b") as file:
        posix_locks.refuse_readers(file.fileno())
        with (tmp_path / "file").open("rb"), pytest.raises(OSError):
            posix_locks.refuse_readers(file.fileno())
        monkeypatch.setattr(sys, "platform", "darwin")
        with pytest.raises(OSError) as caught:
            posix_locks.refuse_readers(file.fileno())
    assert caught.value.errno == errno.ENOTSUP
