"""What differs between Linux, macOS and Windows is in few modules, and each is there for a reason.

The type checks for each system find a call that one of them lacks; these tests find where the
systems are distinguished.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / f"packages/runforge-{name}/src" for name in ("contracts", "engine", "cli", "web")]
SOURCES.append(ROOT / "conformance/src")

#: Modules of the standard library that one system lacks.
MODULES = {"fcntl", "grp", "msvcrt", "posix", "pty", "pwd", "resource", "termios", "tty", "winreg"}
#: Functions and constants that one system lacks, or that mean another thing there.
NAMES = {
    "os": {
        *("O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "confstr", "execv", "fork", "forkpty"),
        *("fsync", "geteuid", "getuid", "killpg", "link", "mkfifo", "name", "posix_fadvise"),
        *("posix_fallocate", "register_at_fork", "sched_getaffinity", "setsid", "startfile"),
        *("sysconf", "waitid", "waitpid"),
    },
    "signal": {"SIGALRM", "SIGBREAK", "SIGHUP", "SIGKILL", "SIGRTMIN", "setitimer"},
    "select": {"epoll", "kqueue", "poll", "select"},
    "sys": {"platform"},
    "time": {"CLOCK_BOOTTIME", "clock_gettime_ns"},
}
#: Arguments that have no effect on one system, or are refused there.
ARGUMENTS = {
    "creationflags",
    "dir_fd",
    "pass_fds",
    "preexec_fn",
    "start_new_session",
    "startupinfo",
}
#: Folders of files that only Linux has.
FILES = ("/proc/", "/sys/", "/dev/shm")

#: Where the systems are distinguished, and why not in ``system/``.
PLACES = {
    "runforge_contracts/system/": "the place for it",
    "runforge_contracts/shared_work.py": "copies of a process, on Linux only",
    "runforge_contracts/index/kept_index.py": "a copy of the process forgets its cache",
    "runforge_engine/runtime/available_memory.py": "reads what Linux reports on memory",
    "runforge_engine/runtime/clock.py": "the counter that goes on while the machine sleeps",
    "runforge_engine/runtime/platform_info.py": "describes the machine",
    "runforge_engine/runtime/process_copies.py": "copies of a process, on Linux only",
    "runforge_engine/runtime/resource_limits.py": "limits of a process, which Windows lacks",
    "runforge_engine/experiment/run/run_experiment.py": "says what SIGKILL mostly means",
    "runforge_engine/experiment/run/system_info.py": "records the name of the system, and GPUs",
    "runforge_engine/moving/move_store.py": "makes many files durable by one call of Linux",
    "runforge_cli/process/encoding.py": "starts again where arguments are bytes",
    "runforge_cli/process/interruption.py": "imports nothing while a command starts",
    "runforge_cli/commands/editor_python_command.py": "writes the kind of script that runs here",
    "runforge_cli/commands/training_session.py": "a terminal that hangs up",
    "runforge_web/web_server.py": "a port can be shared on Windows, and a terminal hang up",
    "runforge_conformance/judging.py": "permissions of files, which Windows lacks",
    "runforge_conformance/runner.py": "a file system in memory, where there is one",
}


class Differences(ast.NodeVisitor):
    """Collects what a module uses that not all systems have."""

    def __init__(self) -> None:
        self.found = set[str]()

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names if alias.name in MODULES}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module in MODULES:
            self.found.add(str(node.module))
        known = NAMES.get(str(node.module), set())
        self.found |= {f"{node.module}.{item.name}" for item in node.names if item.name in known}

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.attr in NAMES.get(node.value.id, ()):
            self.found.add(f"{node.value.id}.{node.attr}")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(
                func=ast.Name("getattr" | "hasattr"), args=[ast.Name(owner), ast.Constant(name), *_]
            ) if name in NAMES.get(owner, ()):
                self.found.add(f"{owner}.{name}")
        self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg in ARGUMENTS:
            self.found.add(f"{node.arg}=")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            if node.value.startswith(FILES):
                self.found.add(node.value)
            if node.value in ARGUMENTS:
                self.found.add(f"{node.value}=")


def differences(text: str) -> set[str]:
    visitor = Differences()
    visitor.visit(ast.parse(text))
    return visitor.found


def modules() -> Iterator[tuple[str, Path]]:
    for source in SOURCES:
        for path in source.rglob("*.py"):
            if not {"_generated", "template"} & set(path.parts):
                yield path.relative_to(source).as_posix(), path


def test_systems_are_distinguished_where_there_is_a_reason() -> None:
    wrong = {
        name: found
        for name, path in modules()
        if (found := differences(path.read_text("utf-8"))) and not name.startswith(tuple(PLACES))
    }
    assert wrong == {}


def test_no_place_is_named_that_does_without() -> None:
    used = [name for name, path in modules() if differences(path.read_text("utf-8"))]
    assert [place for place in PLACES if not any(name.startswith(place) for name in used)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import fcntl", "fcntl"),
        ("def f():\n    from resource import getrlimit", "resource"),
        ("os.killpg(1, 9)", "os.killpg"),
        ("from os import fork", "os.fork"),
        ("number = getattr(signal, 'SIGKILL', 9)", "signal.SIGKILL"),
        ("if hasattr(os, 'O_NOFOLLOW'): pass", "os.O_NOFOLLOW"),
        ("if sys.platform == 'win32': pass", "sys.platform"),
        ("Popen(command, start_new_session=True)", "start_new_session="),
        ("Popen(command, **{'pass_fds': (3,)})", "pass_fds="),
        ("Path('/proc/self/fd')", "/proc/self/fd"),
    ],
)
def test_what_one_system_lacks_is_found(text: str, found: str) -> None:
    assert differences(text) == {found}
