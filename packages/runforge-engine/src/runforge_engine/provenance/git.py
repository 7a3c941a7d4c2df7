"""Read-only, sandboxed access to the ``git`` program.

Access is read-only: the index is not refreshed, nothing is fetched, and no program named in the
repository's configuration is run (monitors, hooks, filters), as a workspace may be untrusted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from runforge_contracts.display import quote

#: Git's variables that are kept. The others select a repository, an index or a log for another
#: command: inside a hook they would describe the commit being made, not the workspace.
_KEPT = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_", "GIT_EXEC_PATH")

_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "",  # a partial clone fetches missing objects
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_OPTIONS = ("--no-pager", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")

#: Scopes of settings that come with the repository and not from its user.
_FOREIGN_SCOPES = frozenset({b"local", b"worktree"})


class GitUnavailableError(Exception):
    """The workspace is in a repository, but its state is unknown; the message gives the reason."""


class Git:
    """Run the ``git`` program, with one time limit for all commands together.

    Parameters
    ----------
    time_limit
        Time limit for all commands together, in seconds.

    Raises
    ------
    GitUnavailableError
        If the program is missing; in the methods, if it refuses or takes too long.
    """

    def __init__(self, time_limit: float) -> None:
        path = shutil.which("git")
        # A relative entry of PATH may refer to a folder in the workspace.
        if path is None or not Path(path).is_absolute():
            raise GitUnavailableError("git is not installed.")
        self._command = (path, *_OPTIONS)
        self._time_limit = time_limit
        self._deadline = time.monotonic() + time_limit
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name.startswith(_KEPT)
        }
        self._environment = kept | _VARIABLES

    def root_of(self, folder: Path) -> Path | None:
        """Return the top folder of the working tree, or None outside of one."""
        result = self._run(folder, "rev-parse", "--show-toplevel")
        if result.returncode == 0:
            return Path(os.fsdecode(result.stdout.removesuffix(b"\n")))
        if b"not a git repository" in result.stderr or b"in a work tree" in result.stderr:
            return None
        raise _refusal(result)

    def can_read(self, repository: Path) -> bool:
        """Return whether a ``.git`` is a valid repository; one with a broken HEAD is not."""
        result = self._run(repository.parent, f"--git-dir={repository}", "rev-parse", "--git-dir")
        return result.returncode == 0

    def harmless_filters(self, root: Path) -> tuple[str, ...]:
        """Return options that disable the filters that the repository itself defines.

        Git runs filters on files whose timestamps have changed, to compare them. Filters defined by
        the user or the system, such as those of ``git lfs install``, are kept.
        """
        names = r"^filter\..*\.(clean|process|required)$"
        result = self._run(root, "config", "--null", "--show-scope", "--get-regexp", names)
        if result.returncode == 1:
            return ()
        fields = iter(self._output(result).split(b"\0")[:-1])
        foreign: set[str] = set()
        own: dict[str, str] = {}
        for scope, setting in zip(fields, fields, strict=True):
            name, newline, value = os.fsdecode(setting).partition("\n")
            if scope in _FOREIGN_SCOPES:
                foreign.add(name)
            else:
                own[name] = value if newline else "true"
        if any("=" in name for name in foreign):
            raise GitUnavailableError("a filter in the repository's configuration has a `=` in it.")
        values: dict[str, str] = {}
        for name in foreign:
            driver, _, key = name.rpartition(".")
            if key == "required":
                values.setdefault(name, own.get(name, "false"))
            elif name in own:
                values[name] = own[name]
            else:
                # An empty command is the identity filter, which fails if the filter is required.
                values |= {name: "", f"{driver}.required": "false"}
        return tuple(word for name in sorted(values) for word in ("-c", f"{name}={values[name]}"))

    def changes(self, root: Path, settings: tuple[str, ...]) -> tuple[str | None, set[bytes]]:
        """Return the commit, None before the first one, and the paths that differ from it."""
        result = self._run(
            root,
            *settings,
            "status",
            "--porcelain=v2",
            "--branch",
            "-z",
            "--no-ahead-behind",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=dirty",  # else Git enters them with their own settings
        )
        commit: str | None = None
        paths: set[bytes] = set()
        for line in self._output(result).split(b"\0"):
            match line[:2]:
                case b"# " if line.startswith(b"# branch.oid "):
                    name = line.split(b" ")[2].decode("ascii")
                    commit = None if name == "(initial)" else name
                case b"1 ":
                    paths.add(line.split(b" ", 8)[8])
                case b"u ":
                    paths.add(line.split(b" ", 10)[10])
                case b"? ":
                    paths.add(line[2:].removesuffix(b"/"))
        return commit, paths

    def origin(self, root: Path) -> str | None:
        """Return the URL of the remote ``origin``, or None without one."""
        result = self._run(root, "config", "--get", "--local", "remote.origin.url")
        if result.returncode == 1:
            return None
        return self._output(result).removesuffix(b"\n").decode("utf-8", "replace") or None

    def without_lfs(self, root: Path, paths: Sequence[Path]) -> list[Path]:
        """Return those of ``paths`` that Git would store itself: neither ignored nor for Git LFS.

        Parameters
        ----------
        root
            The top folder of the working tree.
        paths
            Files in it.
        """
        names = {os.fsencode(path.relative_to(root).as_posix()): path for path in paths}
        words = b"".join(name + b"\0" for name in names)
        result = self._run(root, "check-ignore", "-z", "--stdin", words=words)
        ignored = set() if result.returncode == 1 else set(self._output(result).split(b"\0"))
        output = self._output(self._run(root, "check-attr", "-z", "--stdin", "filter", words=words))
        fields = iter(output.split(b"\0")[:-1])
        managed = {
            name for name, _, value in zip(fields, fields, fields, strict=True) if value == b"lfs"
        }
        return [path for name, path in names.items() if name not in ignored | managed]

    def submodules(self, root: Path) -> list[bytes]:
        """Return the paths of the submodules that the index names."""
        entries = self._output(self._run(root, "ls-files", "--stage", "-z")).split(b"\0")
        links = (entry for entry in entries if entry.startswith(b"160000 "))
        return sorted({entry.partition(b"\t")[2] for entry in links})

    def _run(
        self, folder: Path, *arguments: str, words: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            with subprocess.Popen(
                (*self._command, *arguments),
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL if words is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            ) as process:
                try:
                    output, errors = process.communicate(
                        words, timeout=max(self._deadline - time.monotonic(), 0)
                    )
                except BaseException:
                    # subprocess.run would then wait for filters that still hold the pipes.
                    process.kill()
                    raise
        except subprocess.TimeoutExpired as late:
            raise GitUnavailableError(f"git took more than {self._time_limit:g} seconds.") from late
        except OSError as error:
            raise GitUnavailableError(f"git could not be started: {error.strerror}.") from error
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    @staticmethod
    def _output(result: subprocess.CompletedProcess[bytes]) -> bytes:
        if result.returncode != 0:
            raise _refusal(result)
        return result.stdout


def _refusal(result: subprocess.CompletedProcess[bytes]) -> GitUnavailableError:
    if result.returncode < 0:
        return GitUnavailableError(f"git was stopped by signal {-result.returncode}.")
    lines = result.stderr.decode("utf-8", "replace").strip().splitlines()
    # Advice follows the reason; warnings come before it.
    reasons = [line for line in lines if line.startswith("fatal: ")] or lines
    reason = quote(reasons[0], 200) if reasons else f"exit status {result.returncode}"
    return GitUnavailableError(f"git failed: {reason}.")
