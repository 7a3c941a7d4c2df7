"""A list of problems that are reported together, so that one attempt shows all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runforge_contracts.display import quote
from runforge_contracts.errors import ErrorCode, Problem, RunForgeError


class Problems:
    """The errors found so far in the file ``path``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._errors: list[RunForgeError] = []

    def add(self, error: RunForgeError) -> None:
        """Add an error."""
        self._errors.append(error)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Add an error raised in the block, if any, and continue after the block."""
        try:
            yield
        except RunForgeError as error:
            self.add(error)

    def tell(self) -> None:
        """Raise the collected errors: a single one unchanged, several as one error.

        The code of several is the one that they share, or ``EXPERIMENT_INVALID``.
        """
        problems = [problem for error in self._errors for problem in _problems(error)]
        if not problems:
            return
        if len(self._errors) == 1:
            raise _with_path(self._errors[0], self._path)
        codes = {error.code for error in self._errors}
        raise RunForgeError(
            codes.pop() if len(codes) == 1 else ErrorCode.EXPERIMENT_INVALID,
            f"The experiment {quote(self._path, 200)} cannot be run: there are"
            f" {len(problems)} mistakes.",
            path=self._path,
            problems=problems,
        )


def _with_path(error: RunForgeError, path: str) -> RunForgeError:
    if error.location.pointer is None:
        return error  # the error is not about the file
    place = error.location._replace(path=error.location.path or path)
    return RunForgeError(
        error.code, error.message, hint=error.hint, problems=error.problems, **place._asdict()
    )


def _problems(error: RunForgeError) -> tuple[Problem, ...]:
    return error.problems or (Problem(error.message, error.location, error.hint),)
