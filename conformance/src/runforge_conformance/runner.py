"""Run cases against a client, one after the other, and handle every way it can fail.

Every case has an outcome. A client that hangs, crashes or breaks the protocol is stopped and
restarted for the next case.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
from runforge_contracts.display import printable
from runforge_contracts.errors import RunForgeError
from runforge_contracts.schemas import contract_names
from runforge_contracts.store.layout import stores_in
from runforge_contracts.store.reading import run_folders
from runforge_contracts.store.run import Run

from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.protocol_v1 import Answer, Params, Started
from runforge_conformance._generated.protocol_v1 import Run as Message
from runforge_conformance._generated.report_v1 import Finding, Result
from runforge_conformance.answer_comparison import snapshot
from runforge_conformance.client_process import ClientError, ClientProcess
from runforge_conformance.interrupts import LOOK, Interrupt
from runforge_conformance.judging import (
    ScratchFolder,
    bounded,
    finding,
    judge,
    run_folder,
    unequal,
)
from runforge_conformance.run_comparison import without_times
from runforge_conformance.suite_schemas import mistake
from runforge_conformance.variation import twin, twin_first, varied
from runforge_conformance.vectors import ROLE_OF, input_bytes, make_workspace, requirements

PROTOCOL: Final = 1
#: Clients that execute in one workspace at the same time.
CONCURRENT = 4
#: Consecutive timeouts and exits of the client after which the run is abandoned.
GIVE_UP_AFTER = {"timed-out": 5, "crashed": 50}

#: Start of a finding about the twin of a case.
OF_TWIN = "For the second document of this case: "

Progress = Callable[[Result], None]
#: Levels of requirements, the one that counts most first.
LEVELS = ("core", "recommended", "strict")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a client may take, in seconds."""

    #: For the handshake, and for an answer about a document or a store.
    answer: float = 10.0
    #: For the execution of a request.
    execute: float = 120.0
    #: For the whole run.
    total: float = 1800.0


@dataclass(slots=True)
class CaseOutcome:
    """Results of a run of the suite."""

    started: Started | None = None
    results: list[Result] = field(default_factory=list)
    #: Why the client could not be tested at all.
    problem: str | None = None
    stderr: str = ""
    seconds: float = 0.0
    #: What the inputs were varied from.
    seed: int = 0


class Runner:
    """Runs cases against the client that ``command`` starts, with inputs varied from a seed."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        limits: TimeLimits = TimeLimits(),
        strict: bool = False,
        progress: Progress = lambda result: None,
        seed: int | None = None,
    ) -> None:
        #: Every message is validated against the protocol's schema.
        self.strict = strict
        self._command = list(command)
        self._limits = limits
        self._progress = progress
        self._interrupt = Interrupt()
        self._client: ClientProcess | None = None
        #: Drawn if none is given.
        self.seed = secrets.randbelow(2**32) if seed is None else seed
        self._outcome = CaseOutcome(seed=self.seed)
        self._sequence = 0
        #: How the client last failed to answer, and how many times in a row.
        self._unanswered = ("", 0)
        self._end_by = float("inf")
        #: The case that follows, and what is asked in it; made while the client works.
        self._next: Case | None = None
        self._ready: tuple[str, list[Case], Case | None] | None = None

    def run(self, cases: Iterable[Case] | Callable[[Started], Iterable[Case]]) -> CaseOutcome:
        """Run the cases, which may depend on what the client declares, and return their outcome.

        If a signal requests it, stop the clients and raise ``KeyboardInterrupt``.
        """
        begun = time.monotonic()
        with (
            self._interrupt.awaited(),
            # What a client leaves there may refuse to go; the report is worth more than that.
            tempfile.TemporaryDirectory(
                prefix="runforge-conformance-", dir=_memory(), ignore_cleanup_errors=True
            ) as scratch,
        ):
            self._folder = Path(scratch).resolve()
            try:
                self._end_by = begun + self._limits.total
                self._outcome.started = self._start()
                chosen = [*(cases(self._outcome.started) if callable(cases) else cases)]
                for number, case in enumerate(chosen, start=1):
                    self._interrupt.check()
                    self._next = chosen[number] if number < len(chosen) else None
                    late = time.monotonic() - begun > self._limits.total
                    result = self._case(case, number, late=late)
                    self._outcome.results.append(result)
                    self._progress(result)
                self._end()
            except ClientError as failure:
                self._outcome.problem = failure.message
            finally:
                self._end(kill=True)
        self._outcome.seconds = round(time.monotonic() - begun, 3)
        return self._outcome

    def _start(self) -> Started:
        """Start the client and perform the handshake."""
        self._client, started = self._new_client()
        return started

    def _new_client(
        self, environment: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[ClientProcess, Started]:
        client = ClientProcess(self._command, self._interrupt, environment)
        try:
            hello = {"cmd": "start", "protocol": PROTOCOL}
            answer = self._ask(client, hello, "Start", self._left(self._limits.answer))
            started: Started = self._typed(answer, Started, "Started")
            unknown = set(started.documents or ()) - set(contract_names())
            if unknown:
                message = f"The client declares a document that there is not: {sorted(unknown)[0]}."
                raise ClientError("protocol-error", message)
        except BaseException:
            client.kill()
            self._outcome.stderr = client.stderr
            raise
        return client, started

    def _left(self, limit: float) -> float:
        """Return a time limit, or what is left of the time for the whole run."""
        return max(min(limit, self._end_by - time.monotonic()), 0.1)

    def _end(self, *, kill: bool = False) -> None:
        if self._client is not None:
            (self._client.kill if kill else self._client.end)()
            # Keep the standard error of the last client that wrote any.
            self._outcome.stderr = self._client.stderr or self._outcome.stderr
            self._client = None

    def _ask(
        self, client: ClientProcess, message: dict[str, Any], name: str, timeout: float
    ) -> Any:
        if self.strict and (wrong := mistake(message, "protocol.v1", name)):
            raise AssertionError(f"the suite's own message is wrong at {wrong}")
        try:
            return client.ask(message, timeout, self._make_ready)
        except ClientError as failure:
            failure.client = client
            raise

    def _typed(self, answer: Any, type_: Any, name: str) -> Any:
        """Return an answer as ``type_``; raise ``protocol-error`` if it does not match."""
        wrong = mistake(answer, "protocol.v1", name) if self.strict else None
        try:
            typed = msgspec.convert(answer, type_)
        except msgspec.ValidationError as error:
            wrong = wrong or str(error)
        if wrong:
            message = f"The answer is not as the protocol asks: {wrong}"
            raise ClientError("protocol-error", message)
        return typed

    def _case(self, case: Case, number: int, *, late: bool) -> Result:
        begun = time.monotonic()
        reason = self._skipped(case)
        if reason:
            return _result(case, "skipped", [finding(case.requirement, reason)], begun)
        failed, times = self._unanswered
        if late or times >= GIVE_UP_AFTER.get(failed, times + 1):
            why = "The time for the whole run has passed."
            if not late:
                why = f"The client {failed} {times} times in a row; the rest was not tried."
            return _result(case, "not-run", [finding(case.requirement, why)], begun)
        folder = self._folder / str(number)
        try:
            if self._client is None:
                self._start()
            findings, outcome = self._checked(case, folder)
            self._unanswered = ("", 0)
        except ClientError as failure:
            before = self._unanswered
            count = before[1] + 1 if before[0] == failure.outcome else 1
            self._unanswered = (failure.outcome, count)
            self._end(kill=True)
            stderr = self._outcome.stderr
            if failure.client is not None:
                failure.client.kill()  # all that it wrote has been read then
                stderr = failure.client.stderr
            # The end of a message may be a mark under the line that it quotes.
            said = [line for line in stderr.splitlines() if any(map(str.isalnum, line))]
            last = said[-1].strip()[-300:] if said else ""
            told = f" It said: {last}" if last and failure.outcome == "crashed" else ""
            findings = [finding(case.requirement, failure.message + told)]
            result = _result(case, failure.outcome, findings, begun)
            return msgspec.structs.replace(result, stderr=stderr or msgspec.UNSET)
        return _result(case, outcome, findings, begun)

    def _skipped(self, case: Case) -> str | None:
        """Return why a case does not apply to this client, or None."""
        started = self._outcome.started
        assert started is not None  # noqa: S101 - set by the handshake
        role = ROLE_OF[case.op]
        if role not in started.roles:
            return f"The client is no {role}."
        known = started.documents
        if case.document and known is not msgspec.UNSET and case.document not in known:
            return f"The client does not know {case.document}."
        return None

    def _lacks(self, capability: str, case: Case) -> bool:
        """Return whether a case needs what the client does not declare."""
        started = self._outcome.started
        assert started is not None  # noqa: S101 - set by the handshake
        return capability in (case.flags or ()) and capability not in (started.capabilities or ())

    def _checked(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        try:
            return self._judged(case, folder)
        except RunForgeError as error:
            # Anything that a client left is a finding; an error that is raised up to here is a bug.
            message = f"{case.id}: {error.message}"
            raise RuntimeError(message) from error
        except (OSError, MemoryError, RecursionError) as error:
            what = f"What the client left cannot be looked at: {error or type(error).__name__}."
            return [finding(case.requirement, printable(what))], "failed"

    def _judged(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        ready, self._ready = self._ready, None
        if ready is None or ready[0] != case.id:
            ready = self._asked(case)
        _, asked, again = ready
        findings: list[Finding] = []
        for one in asked:
            try:
                found, outcome = self._one(one, folder)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            if outcome not in ("passed", "failed"):
                return found, outcome
            findings += found if one is not again else map(_of_twin, found)
        return findings, "failed" if findings else "passed"

    def _asked(self, case: Case) -> tuple[str, list[Case], Case | None]:
        """Return the id of a case, what is asked in it, and the twin among that."""
        asked = [varied(case, self.seed)]
        if again := twin(case, self.seed):
            asked.insert(0 if twin_first(case, self.seed) else 1, again)
        return case.id, asked, again

    def _make_ready(self) -> None:
        """Make what is asked in the next case."""
        following = self._next
        if self._ready is None and following is not None and self._skipped(following) is None:
            self._ready = self._asked(following)

    def _one(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        """Ask about one document, in the way that the case and the client need."""
        if "concurrent" in (case.flags or ()):
            return self._concurrently(case, folder)
        if self._lacks("cancel", case):
            return self._interrupted(case, folder)
        if self._lacks("source-date-epoch", case):
            return self._with_a_clock(case, folder)
        assert self._client is not None  # noqa: S101 - started by the caller
        place, answer = self._answered(self._client, case, folder)
        if answer.outcome in ("errored", "skipped"):
            return [_gave_up(case, answer)], "errored" if answer.outcome == "errored" else "failed"
        findings = judge(case, answer, place)
        if "twice" in (case.flags or ()) and not findings:
            again = self._answered(self._client, case, folder / "again")
            findings = list(unequal(case, _run_of(place, answer), _run_of(*again)))
        return findings, "failed" if findings else "passed"

    def _answered(
        self, client: ClientProcess, case: Case, folder: Path
    ) -> tuple[ScratchFolder, Answer]:
        place = prepare(case, folder)
        return place, self._question(client, case, place)

    def _with_a_clock(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        """Give the clock to a client as a variable of its environment, not as a parameter.

        The runs of one that ignores the variable are compared without their times.
        """
        params = case.params or Params()
        clock = {"SOURCE_DATE_EPOCH": str(params.source_date_epoch or 0)}
        params = msgspec.structs.replace(params, source_date_epoch=msgspec.UNSET)
        case = msgspec.structs.replace(case, params=params)
        runs = []
        client, _ = self._new_client(clock)
        try:
            for name in ("first", "second")[: 1 + ("twice" in (case.flags or ()))]:
                place, answer = self._answered(client, case, folder / name)
                if answer.outcome in ("errored", "skipped"):
                    return [_gave_up(case, answer)], "failed"
                if findings := judge(case, answer, place):
                    return findings, "failed"
                runs.append(_run_of(place, answer))
            client.end()
        finally:
            client.kill()
        findings = []
        if len(runs) > 1 and list(unequal(case, *runs)):
            findings = list(unequal(case, *map(without_times, runs)))
        return findings, "failed" if findings else "passed"

    def _interrupted(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        """Cancel a run from outside, as Ctrl+C does, once there is one."""
        params = msgspec.structs.replace(case.params or Params(), cancel=msgspec.UNSET)
        place = prepare(msgspec.structs.replace(case, params=params), folder)
        client, _ = self._new_client()
        try:
            with ThreadPoolExecutor(1) as pool:
                asked = pool.submit(self._question, client, case, place)
                try:
                    run = self._interrupted_run(client, asked, place)
                finally:
                    client.kill()
            answer = _answer_of(asked)
        finally:
            client.kill()
        if run is None or (result := Run(run).result) is None or result["status"] != "cancelled":
            message = (
                "The client does not declare `cancel`, and an interrupt of its process group did"
                " not cancel the run."
            )
            return [finding(case.requirement, message)], "not-asked"
        if answer is None or answer.outcome != "accepted":
            # The harness was interrupted too; the run says what came of it.
            view = {"run_dir": str(run), "status": result["status"]}
            answer = Answer(seq=self._sequence, outcome="accepted", view=view)
        findings = judge(case, answer, place)
        return findings, "failed" if findings else "passed"

    def _interrupted_run(
        self, client: ClientProcess, asked: Future[Answer], place: ScratchFolder
    ) -> Path | None:
        """Interrupt the client once there is a run; return the run's folder when it has ended."""
        end, interrupted = time.monotonic() + self._left(self._limits.execute), False
        while time.monotonic() < end:
            self._interrupt.check()
            run = next(iter(_runs_in(place.workspace)), None)
            # A run may outlive the harness that started it.
            if asked.done() and (asked.exception() is None or not client.is_alive):
                return run
            if run is not None and not interrupted:
                time.sleep(LOOK)  # for what comes between the folder and the training
                if not client.can_be_interrupted:
                    return None
                client.interrupt_all()
                interrupted = True
            time.sleep(LOOK / 4)
        return None

    def _question(self, client: ClientProcess, case: Case, place: ScratchFolder) -> Answer:
        self._sequence += 1
        message = question(case, place, self._sequence)
        limit = self._limits.execute if case.op == "execute" else self._limits.answer
        limit = self._left(limit)
        answer: Answer = self._typed(self._ask(client, message, "Run", limit), Answer, "Answer")
        if answer.seq != message["seq"]:
            raise ClientError(
                "protocol-error", f"The answer is to message {answer.seq}, not {message['seq']}."
            )
        return answer

    def _concurrently(self, case: Case, folder: Path) -> tuple[list[Finding], str]:
        """Let several clients execute in one workspace; each must write a separate run."""
        place = prepare(case, folder)
        clients: list[ClientProcess] = []
        try:
            clients += (self._new_client()[0] for _ in range(CONCURRENT))
            with ThreadPoolExecutor(CONCURRENT) as pool:
                asked = [pool.submit(self._question, client, case, place) for client in clients]
                while wait(asked, timeout=LOOK).not_done:
                    continue  # check for signals between waits
                answers = [question.result() for question in asked]
        except BaseException:
            for client in clients:
                client.kill()
            raise
        for client in clients:
            client.end()
        for answer in answers:
            if answer.outcome != "accepted":
                return [_gave_up(case, answer)], "failed"
        findings = judge(case, answers[0], place)
        folders = {run_folder(answer, place.workspace) for answer in answers}
        if len(folders) != CONCURRENT:
            message = "Each of several runs at once has a folder of its own."
            found = len(folders)
            findings.append(finding(case.requirement, message, expected=CONCURRENT, found=found))
        return findings, "failed" if findings else "passed"


def _memory() -> Path | None:
    """Return a folder in memory, which takes half of the time for thousands of small files.

    None, which is the system's folder, where there is none or ``TMPDIR`` names another one.
    """
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is new
    named = any(os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP"))
    return memory if not named and os.access(memory, os.W_OK | os.X_OK) else None


def prepare(case: Case, folder: Path) -> ScratchFolder:
    """Create the files of a case in ``folder``, which does not exist."""
    folder.mkdir(parents=True)
    place = ScratchFolder(folder, case)
    if case.workspace or case.files or case.op == "execute":
        make_workspace(case, place.workspace)
    if case.input:
        data = input_bytes(case.input)
        place.input.write_bytes(data)
        # Permissions that no new file gets, to see whether they are kept.
        place.input.chmod(0o640)
    if case.input and not place.workspace.exists():
        place.before[place.input.name] = data
        place.before.permissions[place.input.name] = stat.S_IMODE(place.input.stat().st_mode)
    else:
        place.remember()
    return place


def question(case: Case, place: ScratchFolder, sequence: int) -> dict[str, Any]:
    """Return the message that sends a case to a client."""
    paths: dict[str, Any] = {}
    if case.input:
        paths["input"] = str(place.input)
    if case.op in ("roundtrip", "edit", "write"):
        paths["output"] = str(place.output)
    if place.workspace.exists():
        paths["workspace"] = str(place.workspace)
    message: dict[str, Any] = msgspec.to_builtins(
        Message(
            cmd="run",
            seq=sequence,
            case=case.id,
            op=case.op,
            document=case.document,
            params=case.params or Params(),
            **paths,
        )
    )
    return message


def _result(case: Case, outcome: str, findings: list[Finding], begun: float) -> Result:
    known = requirements()
    broken = {known[item.requirement].level for item in findings if item.requirement in known}
    return Result(
        case=case.id,
        requirement=case.requirement,
        level=min(broken or {known[case.requirement].level}, key=LEVELS.index),
        outcome=outcome,  # type: ignore[arg-type] # one of the values in the schema
        seconds=round(time.monotonic() - begun, 6),
        problems=[bounded(item) for item in findings],
    )


def _gave_up(case: Case, answer: Answer) -> Finding:
    """Return the finding for a client that did not do what it declared."""
    if answer.outcome == "skipped":
        return finding(case.requirement, f"Skipped, though declared: {answer.message or ''}")
    told = answer.context or (answer.error.message if answer.error else "") or {}
    return finding(case.requirement, f"The client {answer.outcome}: {told}")


def _of_twin(found: Finding) -> Finding:
    """Return a finding about another document that was given under the id of a case."""
    return msgspec.structs.replace(found, message=OF_TWIN + found.message)


def _answer_of(asked: Future[Answer]) -> Answer | None:
    """Return the answer of a client that was interrupted, if it gave one."""
    try:
        return asked.result()
    except ClientError:
        return None


def _run_of(place: ScratchFolder, answer: Answer) -> dict[str, bytes]:
    """Return the files of the run that an answer names."""
    folder = run_folder(answer, place.workspace)
    return snapshot(folder) if folder else {}


def _runs_in(workspace: Path) -> Iterator[Path]:
    for store in stores_in(workspace):
        yield from run_folders(store)
