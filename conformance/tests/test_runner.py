"""Whatever a client does, every case has its outcome, within the time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from clients import COMMAND, PYTHON, report_on, requirements_in, suite
from runforge_conformance._generated.report_v1 import Result
from runforge_conformance.case_selection import select
from runforge_conformance.report_files import write_reports
from runforge_conformance.runner import CONCURRENT, GIVE_UP_AFTER, Runner, TimeLimits
from runforge_conformance.suite_report import failures, has_failed, make_report
from runforge_conformance.vectors import all_cases
from runforge_conformance.xfail import ExpectedFailures

CASES = ["request.v1/edit/*"]
HEAD = f"""
import json, os, subprocess, sys, time
sys.path.insert(0, {str(PYTHON.parent)!r})
from harness import Client, serve
"""


def client(folder: Path, body: str) -> Path:
    path = folder / "client.py"
    path.write_text(HEAD + body)
    return path


def test_a_client_that_floods_standard_error_passes(tmp_path: Path) -> None:
    path = client(
        tmp_path,
        "os.write(2, b'x' * 5_000_000 + b'the end')\nserve(Client())\n",
    )
    report = report_on(path, only=CASES)
    assert report.verdict == "partial"
    assert not list(failures(report))
    assert str(report.stderr).endswith("the end")
    assert len(str(report.stderr)) <= 16 * 2**10


@pytest.mark.parametrize(
    ("deed", "outcome"),
    [
        ("os._exit(3)", "crashed"),
        ("os.kill(os.getpid(), 9)", "crashed"),
        ("sys.stdout.close()", "crashed"),
        ("time.sleep(600)", "timed-out"),
        ("os.write(1, b'garbage' + bytes([10]))", "protocol-error"),
        ("os.write(1, bytes([0xff, 0xfe, 10]))", "protocol-error"),
        ("os.write(1, b'[1]' + bytes([10]))", "protocol-error"),
        ('os.write(1, b\'{"seq": 99, "outcome": "accepted"}\' + bytes([10]))', "protocol-error"),
        ("os.write(1, b'[' * 100_000 + bytes([10]))", "protocol-error"),
        ("[os.write(1, b'y' * 65536) for _ in range(200)]", "protocol-error"),
        ("os.write(1, b'no end'); os._exit(0)", "protocol-error"),
    ],
)
def test_one_misdeed_is_one_outcome(deed: str, outcome: str, tmp_path: Path) -> None:
    body = f"""
class Broken(Client):
    def edit(self, message):
        if message["case"] == "request.v1/edit/nested":
            {deed}
        return super().edit(message)
serve(Broken())
"""
    # Only where an answer is waited for in vain is the limit met; the others must not depend on it.
    limits = TimeLimits(answer=3 if outcome == "timed-out" else 60)
    report = report_on(client(tmp_path, body), only=CASES, limits=limits)
    outcomes = {result.case: result.outcome for result in report.results}
    found = outcomes.pop("request.v1/edit/nested")
    assert found == outcome
    assert set(outcomes.values()) == {"passed"}
    assert report.verdict in ("not conformant", "protocol broken")


def test_a_client_that_crashes_at_every_third_message_is_tested_in_full(tmp_path: Path) -> None:
    body = """
class Broken(Client):
    count = 0
    def answer(self, message):
        Broken.count += 1
        return os._exit(1) if Broken.count == 3 else super().answer(message)
serve(Broken())
"""
    report = report_on(client(tmp_path, body), only=CASES)
    outcomes = "".join(result.outcome[0] for result in report.results)
    assert len(outcomes) == 18
    # A case is one message or two: its own, and that of its twin.
    assert set(outcomes) == {"p", "c"}
    assert "ppp" not in outcomes
    assert outcomes.count("c") >= 6


def test_a_client_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = """
class Broken(Client):
    def answer(self, message):
        time.sleep(600)
serve(Broken())
"""
    given_up = 2
    monkeypatch.setitem(GIVE_UP_AFTER, "timed-out", given_up)
    # The handshake must succeed within the same limit.
    report = report_on(client(tmp_path, body), only=CASES, limits=TimeLimits(answer=4))
    assert report.counts == {"timed-out": given_up, "not-run": 18 - given_up}
    assert report.verdict == "not conformant"


def test_the_time_for_everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def an_hour_passes(result: Result) -> None:
        nonlocal now
        now += 3600

    monkeypatch.setattr("runforge_conformance.runner.time.monotonic", lambda: now)
    limits = TimeLimits(answer=60, total=3 * 3600 - 1)
    runner = Runner([sys.executable, str(PYTHON)], limits=limits, progress=an_hour_passes)
    report = make_report(runner.run(select(all_cases(), None, None, CASES)), ExpectedFailures())
    assert [result.outcome for result in report.results] == ["passed"] * 3 + ["not-run"] * 15
    assert report.verdict == "not conformant"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "raise SystemExit(4)",
        "print('hello', flush=True); sys.stdin.read()",
        'print(json.dumps({"protocol": 2}), flush=True); sys.stdin.read()',
        'print(json.dumps({"protocol": 1, "client": {}, "roles": []}), flush=True)',
    ],
)
def test_a_failed_handshake_breaks_the_protocol(body: str, tmp_path: Path) -> None:
    report = report_on(client(tmp_path, body), only=CASES)
    assert report.verdict == "protocol broken"
    assert report.problem
    assert report.results == []


@pytest.mark.parametrize("limits", [TimeLimits(answer=1), TimeLimits(answer=60, total=1)])
def test_the_time_limits_hold_for_the_handshake(limits: TimeLimits, tmp_path: Path) -> None:
    begun = time.monotonic()
    report = report_on(client(tmp_path, "time.sleep(600)"), only=CASES, limits=limits)
    assert report.verdict == "protocol broken"
    assert "no answer in" in str(report.problem)
    assert time.monotonic() - begun < 30


def test_an_empty_list_of_documents_means_none(tmp_path: Path) -> None:
    body = """
client = Client()
client.started = {**client.started, "documents": []}
serve(client)
"""
    report = report_on(client(tmp_path, body), only=CASES)
    assert report.counts == {"skipped": 18}


def test_what_a_client_started_ends_with_it(tmp_path: Path) -> None:
    body = f"""
class Parent(Client):
    def edit(self, message):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open({str(tmp_path / "children")!r}, "a") as file:
            file.write(f"{{child.pid}}\\n")
        return super().edit(message)
serve(Parent())
"""
    report_on(client(tmp_path, body), only=["request.v1/edit/rename"])
    children = [int(line) for line in (tmp_path / "children").read_text().split()]
    assert children
    until(lambda: not any(alive(child) for child in children))


def until(condition: Callable[[], object]) -> None:
    """Wait for what must come; on a machine under load it may take its time."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"


def test_a_skip_of_what_was_declared_fails(tmp_path: Path) -> None:
    body = """
class Lazy(Client):
    def answer(self, message):
        return {"outcome": "skipped", "message": "tired"}
serve(Lazy())
"""
    report = report_on(client(tmp_path, body), only=["request.v1/edit/rename"])
    assert report.counts == {"failed": 1}


def test_undeclared_roles_and_documents_are_skipped(tmp_path: Path) -> None:
    body = """
client = Client()
client.started = {**client.started, "roles": ["reader"], "documents": ["request.v1"]}
serve(client)
"""
    report = report_on(client(tmp_path, body), only=["request.v1/*", "result.v1/*"])
    by_outcome = {
        outcome: {r.case.split("/")[0] for r in report.results if r.outcome == outcome}
        for outcome in ("passed", "skipped")
    }
    assert by_outcome == {"passed": {"request.v1"}, "skipped": {"request.v1", "result.v1"}}
    assert report.verdict == "partial"


def test_a_client_that_is_asked_nothing_has_not_passed(tmp_path: Path) -> None:
    body = """
client = Client()
client.started = {**client.started, "documents": ["metrics.v1"]}
serve(client)
"""
    report = report_on(client(tmp_path, body), only=CASES)
    assert report.counts == {"skipped": 18}
    assert report.problem
    assert has_failed(report)


@pytest.mark.parametrize("wrong", ['{"seq": 1.5}', '{"outcome": "perhaps"}', '{"view": 7}'])
def test_the_protocol_is_held_to_its_schema(wrong: str, tmp_path: Path) -> None:
    body = f"""
class Broken(Client):
    def answer(self, message):
        return {{**super().answer(message), **{wrong}}}
serve(Broken())
"""
    path = client(tmp_path, body)
    report = report_on(path, only=["request.v1/edit/rename"], strict=True)
    assert report.counts == {"protocol-error": 1}
    assert report.verdict == "protocol broken"


def test_the_exit_status_says_what_was_found(tmp_path: Path) -> None:
    sound = ["run", "--only", "request.v1/edit/rename", "--", sys.executable]
    assert suite(*sound, PYTHON).returncode == 0
    broken = PYTHON.parents[1] / "broken/documents"
    assert suite(*sound, broken / "edits_too_much.py").returncode == 1
    assert suite(*sound, broken / "prints_garbage.py").returncode == 3
    assert suite(*sound, tmp_path / "nowhere.py").returncode == 3
    assert suite("run", "--", tmp_path / "no such program").returncode == 3
    assert suite("run", "--only", "nothing/*", "--", "true").returncode == 2
    assert suite("run", "--role", "wizard", "--", "true").returncode == 2
    assert suite("run").returncode == 2


WAITING = """
def wait():
    open({pid!r} + ".new", "w").write(str(os.getpid()))
    os.rename({pid!r} + ".new", {pid!r})
    time.sleep(600)
class Waiting(Client):
    def answer(self, message):
        wait()
{at_once}
serve(Waiting())
"""
#: A signal reaches the thread that waits for it, so that what the runner waits for is not cut
#: short: as where it comes after Python's last look and before the wait begins.
DEAF = """
import signal, sys, threading, time
from runforge_conformance.__main__ import main
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM])
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("at_once", [False, True], ids=["at a case", "at the handshake"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("start", [("-m", "runforge_conformance"), ("-c", DEAF)], ids=["", "deaf"])
def test_an_interrupt_ends_the_run_and_the_client(
    start: tuple[str, str], number: signal.Signals, at_once: bool, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    body = WAITING.format(pid=str(pid), at_once="wait()" if at_once else "")
    command = [sys.executable, *start, "run", "--timeout", "600", "--execute-timeout", "600", "--"]
    process = subprocess.Popen([*command, sys.executable, str(client(tmp_path, body))])
    until(lambda: pid.exists() or process.poll() is not None)
    process.send_signal(number)
    assert process.wait(120) == 130
    assert not alive(int(pid.read_text()))


#: An interrupt comes while a module is imported, in a weak reference's callback, as the import
#: system has them.
EARLY = """
import runpy, signal, sys, weakref

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "runforge_conformance.runner":
            passing = Finder()
            callback = lambda _: signal.raise_signal(signal.SIGINT)
            reference = weakref.ref(passing, callback)
            del passing

sys.meta_path.insert(0, Finder())
runpy.run_module("runforge_conformance", run_name="__main__", alter_sys=True)
"""


def test_an_interrupt_while_modules_load_ends_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EARLY, "list"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_an_interrupt_ends_clients_that_run_at_the_same_time(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    body = f"""
class Waiting(Client):
    started = {{**Client.started, "roles": ["executor"]}}
    def execute(self, message):
        open({str(pids)!r} + f"/{{os.getpid()}}", "w").close()
        time.sleep(600)
serve(Waiting())
"""
    (case,) = (case.id for case in all_cases() if "concurrent" in (case.flags or ()))
    command = [sys.executable, "-m", "runforge_conformance", "run", "--only", case, "--"]
    process = subprocess.Popen([*command, sys.executable, str(client(tmp_path, body))])
    until(lambda: len(list(pids.iterdir())) == CONCURRENT or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert not any(alive(int(path.name)) for path in pids.iterdir())


#: Interrupts the runner at one line of its own after the other, and of what starts a process.
AT_EACH_LINE = """
import os, signal, subprocess, sys, tempfile, threading
from runforge_conformance import client_process
from runforge_conformance import interrupts, runner
from runforge_conformance.case_selection import select
from runforge_conformance.vectors import all_cases

FILES = {module.__file__ for module in (client_process, runner, subprocess)}
cases = select(all_cases(), None, None, ["request.v1/edit/rename"])


def interrupted_at(line):
    left = line

    def look(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename in FILES:
            if event == "line":
                left -= 1
                if left == 0:
                    signal.raise_signal(signal.SIGINT)
            return look

    sys.settrace(look)
    try:
        runner.Runner([sys.executable, sys.argv[1]]).run(cases)
        return False
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)


def children():
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None


signal.signal(signal.SIGINT, signal.default_int_handler)
line, step = int(sys.argv[2]), int(sys.argv[3])
while interrupted_at(line):
    assert children() is None, f"a client was left behind at line {line}"
    line += step
print(line)
"""


@pytest.mark.parametrize(
    "step", [47, pytest.param(1, marks=pytest.mark.storm)], ids=["some", "each"]
)
def test_an_interrupt_at_any_line_is_obeyed_and_leaves_no_client(step: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_EACH_LINE, str(PYTHON), "1", str(step)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 100


LEAVES = """
class Broken(Client):
    def edit(self, message):
        done = super().edit(message)
        if message["case"] == "request.v1/edit/nested":
            path = message["output"]
            os.unlink(path)
            {deed}
        return done
serve(Broken())
"""


@pytest.mark.parametrize(
    "deed",
    [
        "os.mkfifo(path)",
        "os.symlink('/etc/hostname', path)",
        "os.symlink('/dev/zero', path)",
        "os.mkdir(path)",
        "open(path, 'wb').truncate(10**12)",
        "open(path, 'wb').write(b'[' * 10**6)",
        "open(os.path.dirname(path).encode() + b'/bad\\xff.txt', 'w')",
        "os.makedirs(os.path.join(os.path.dirname(path), *['d'] * 500))",
    ],
)
def test_whatever_a_client_leaves_is_a_finding(deed: str, tmp_path: Path) -> None:
    path = client(tmp_path, LEAVES.replace("{deed}", deed))
    report = report_on(path, only=CASES, limits=TimeLimits(answer=60))
    outcomes = {result.case: result.outcome for result in report.results}
    assert outcomes.pop("request.v1/edit/nested") == "failed"
    assert set(outcomes.values()) == {"passed"}
    write_reports(report, tmp_path / "report")


@pytest.mark.parametrize("run_dir", ["'\\0'", "'x' * 5000", "7", "None", "'../..'", "'.'", "''"])
def test_whatever_an_executor_says_is_a_finding(run_dir: str, tmp_path: Path) -> None:
    body = f"""
client = Client()
client.started = {{**client.started, "roles": ["executor"]}}
client.execute = lambda message: {{"outcome": "accepted", "view": {{"run_dir": {run_dir}}}}}
serve(client)
"""
    report = report_on(client(tmp_path, body), only=["runs/complete/linear-svc"])
    assert report.counts == {"failed": 1}


def test_a_store_that_is_a_link_is_a_finding(tmp_path: Path) -> None:
    body = """
def execute(message):
    os.makedirs(message["workspace"] + "/elsewhere/runs/x")
    os.symlink("elsewhere", message["workspace"] + "/.runforge")
    return {"outcome": "accepted", "view": {"run_dir": "elsewhere/runs/x", "status": "succeeded"}}
client = Client()
client.started = {**client.started, "roles": ["executor"]}
client.execute = execute
serve(client)
"""
    report = report_on(client(tmp_path, body), only=["runs/complete/linear-svc"])
    assert report.counts == {"failed": 1}
    assert "run.no-links" in requirements_in(report)


def test_a_crash_says_what_the_client_said(tmp_path: Path) -> None:
    body = """
class Broken(Client):
    def edit(self, message):
        raise KeyError("a slip of the author")
serve(Broken())
"""
    report = report_on(client(tmp_path, body), only=CASES)
    assert report.counts == {"crashed": 18}
    assert "a slip of the author" in report.results[0].problems[0].message


def test_a_view_of_the_wrong_type_fails_its_case_alone(tmp_path: Path) -> None:
    body = """
class Broken(Client):
    def read(self, message):
        return {**super().read(message), "tags": None, "warnings": 7}
serve(Broken())
"""
    report = report_on(client(tmp_path, body), only=["request.v1/view/*"], strict=True)
    assert set(report.counts) == {"failed", "passed"}
    assert report.verdict == "not conformant"


def test_smoke_asks_only_what_the_client_declares(tmp_path: Path) -> None:
    body = """
client = Client()
client.started = {**client.started, "roles": ["reader"], "documents": ["metrics.v1"]}
serve(client)
"""
    done = suite("smoke", "--", sys.executable, client(tmp_path, body))
    assert done.returncode == 0, done.stdout
    assert "smoke: 2 of 2 cases passed" in done.stdout


def test_a_missing_document_is_reported_at_once(tmp_path: Path) -> None:
    body = """
client = Client()
client.started = {**client.started, "documents": ["request"]}
serve(client)
"""
    report = report_on(client(tmp_path, body), only=CASES)
    assert report.verdict == "protocol broken"
    assert "request" in str(report.problem)


EXECUTOR = """
def execute(message):
    run = os.path.join(message["workspace"], ".runforge/runs/20260201-120000-00000000")
    os.makedirs(run)
    {deed}
    return {{"outcome": "accepted", "view": {{"run_dir": run, "status": "succeeded"}}}}
client = Client()
client.started = {{**client.started, "roles": ["executor"]}}
client.execute = execute
serve(client)
"""


@pytest.mark.parametrize(
    "deed",
    ["pass", "time.sleep(600)", "import signal; signal.signal(2, signal.SIG_IGN); time.sleep(5)"],
    ids=["too quick", "ends with its run", "deaf"],
)
def test_an_executor_that_cannot_be_cancelled_is_not_asked(deed: str, tmp_path: Path) -> None:
    path = client(tmp_path, EXECUTOR.format(deed=deed))
    report = report_on(path, only=["runs/cancel/*"])
    assert report.counts == {"not-asked": 1}
    (result,) = report.results
    assert "does not declare `cancel`" in result.problems[0].message


def test_an_executor_that_dies_at_once_has_no_cancelled_run(tmp_path: Path) -> None:
    path = client(tmp_path, EXECUTOR.format(deed="os._exit(1)"))
    assert report_on(path, only=["runs/cancel/*"]).counts == {"not-asked": 1}


@pytest.mark.slow
def test_an_executor_without_capabilities_is_asked_another_way(tmp_path: Path) -> None:
    body = f"""
import sys
sys.path.insert(0, {str(COMMAND.parent)!r})
import harness
del harness.STARTED["capabilities"]
harness.serve()
"""
    (tmp_path / "client.py").write_text(body)
    cases = ["runs/cancel/*", "runs/determinism/linear-svc"]
    assert report_on(tmp_path / "client.py", only=cases).counts == {"passed": 2}


def test_the_clock_is_a_variable_for_a_client_without_the_capability(tmp_path: Path) -> None:
    note = tmp_path / "clock"
    body = EXECUTOR.format(
        deed=f"""open({str(note)!r}, "a").write(os.environ["SOURCE_DATE_EPOCH"] + " ")
    assert "source_date_epoch" not in message["params"]"""
    )
    report = report_on(client(tmp_path, body), only=["runs/determinism/linear-svc"])
    assert report.counts == {"failed": 1}
    assert "run.files" in requirements_in(report)  # an empty folder is no run
    assert set(note.read_text().split()) == {"1769947200"}
