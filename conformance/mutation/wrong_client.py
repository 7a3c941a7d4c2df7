"""A wrong client: the reference client with one thing exchanged, asked in this process."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from recording import as_answer, load_harness
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance.judging import judge
from runforge_conformance.runner import prepare, question
from runforge_conformance.vectors import requirements

#: An object, the name of one of its attributes, and its value in the wrong client.
Patch = tuple[Any, str, Any]


class Killed(NamedTuple):
    """The case that a wrong client fails, with the requirement that it breaks."""

    case: str
    requirement: str
    level: str


@dataclass(frozen=True)
class Mutant:
    """One wrong client."""

    #: What is wrong with it, as a kind, such as ``wrong type``.
    kind: str
    #: A unique name, such as ``request.v1/seed/takes-boolean``.
    name: str
    #: What makes it wrong; called when the client is needed, because there are thousands.
    patches: Callable[[], Iterable[Patch]]
    #: The cases that can tell it, most telling first.
    cases: Callable[[], Iterable[Case]]
    #: Whether it is only against RunForge's own rules, so that any finding tells it.
    strict: bool = False


@contextlib.contextmanager
def patched(patches: Iterable[Patch]) -> Iterator[None]:
    """Exchange attributes for a while."""
    before = []
    try:
        for owner, name, value in patches:
            before.append((owner, name, owner.__dict__[name]))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)


class Judge:
    """Asks clients for cases, in a folder of its own, and judges what they answer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.harness = load_harness("python")

    def killed(self, mutant: Mutant) -> Killed | None:
        """Return the first case that the wrong client fails, or None."""
        patches = list(mutant.patches())
        for case in mutant.cases():
            found = self.failed(case, patches)
            if found is not None and (mutant.strict or found.level != "strict"):
                return found
        return None

    def failed(self, case: Case, patches: Sequence[Patch] = ()) -> Killed | None:
        """Return what a client with these patches fails in a case, or None."""
        folder = self.folder / "case"
        try:
            place = prepare(case, folder)
            message = question(case, place, 1)
            client = self.harness.Client()
            with patched(patches):  # What cannot be exchanged is our own mistake.
                try:
                    answer = client.answer(message)
                except Exception as error:  # noqa: BLE001 - it is the client's own
                    return Killed(case.id, f"crashed: {type(error).__name__}", "core")
            return told(case, judge(case, as_answer(answer), place))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def told(case: Case, findings: Sequence[Any]) -> Killed | None:
    """Return the most serious of the findings of a case, or None."""
    known = requirements()
    order = ("core", "recommended", "strict")
    broken = [
        Killed(case.id, item.requirement, known[item.requirement].level)
        for item in findings
        if item.requirement in known
    ]
    return min(broken, key=lambda item: order.index(item.level), default=None)
