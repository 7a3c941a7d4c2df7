"""The ``runforge-conformance`` command.

Exit status: 0 if no core case failed but those that the list of expected failures names, 1 if one
did or the list is out of date, 2 usage, 3 the client's harness broke the protocol, 4 a bug in the
suite.
"""

from __future__ import annotations

import signal

# Until everything is loaded, an interrupt ends the process at once: an exception would be dropped
# in a callback of the import system, and shown with a traceback elsewhere.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import json
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

import msgspec
from runforge_contracts.codec.strict_json import MAX_BYTES
from runforge_contracts.display import printable
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.fs.files import read_file, writing
from runforge_contracts.invariants.experiment_invariants import check_experiments
from runforge_contracts.invariants.finding import Finding
from runforge_contracts.invariants.run_invariants import check_run, client_of
from runforge_contracts.invariants.store_invariants import check_store
from runforge_contracts.shared_work import usable_cores
from runforge_contracts.store.experiment_runs import experiment_runs
from runforge_contracts.store.layout import EXPERIMENT_RUNS, stores_in

from runforge_conformance import __version__
from runforge_conformance._generated.cases_v1 import Case
from runforge_conformance._generated.report_v1 import Filters, ReportV1, Result
from runforge_conformance._generated.report_v1 import Finding as ReportFinding
from runforge_conformance.case_display import (
    Part,
    description,
    expected,
    given,
    specification_page,
)
from runforge_conformance.case_selection import select, smoke_cases
from runforge_conformance.export import export
from runforge_conformance.markdown_report import markdown
from runforge_conformance.report_files import write_reports
from runforge_conformance.runner import LEVELS, Runner, TimeLimits
from runforge_conformance.suite import faults
from runforge_conformance.suite_report import contradiction, failures, has_failed, make_report
from runforge_conformance.suite_schemas import mistake
from runforge_conformance.terminal_report import findings_report, labelled, terminal_report, wrapped
from runforge_conformance.variation import twin, varied
from runforge_conformance.vectors import ROLE_OF, all_cases, requirements
from runforge_conformance.xfail import ExpectedFailures, write_expected_failures


class Exit(IntEnum):
    """Exit status of the command."""

    CONFORMANT = 0
    NOT_CONFORMANT = 1
    USAGE = 2
    PROTOCOL = 3
    FAULT = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = _parser().parse_args(arguments)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # A client runs in a separate process group and would keep running.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return int(options.command_function(options))
    except RunForgeError as error:
        place = f" ({error.location.path})" if error.location.path else ""
        print(f"error[{error.code}]: {error.message}{place}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return Exit.USAGE
    except BrokenPipeError:
        return Exit.FAULT
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        print(printable(f"error[FILE_UNREADABLE]: {error.filename}: {reason}."), file=sys.stderr)
        return Exit.USAGE
    except Exception:  # noqa: BLE001 - any error here is a bug in the suite
        traceback.print_exc()
        print("error[INTERNAL]: This is a fault of the suite, not of the client.", file=sys.stderr)
        return Exit.FAULT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="runforge-conformance",
        description="Does a client keep the RunForge contract?",
        epilog="Exit status: 0 if no core case failed unexpectedly, 1 if one did, 2 for wrong"
        " usage, 3 if the harness broke the protocol, 4 for a bug in the suite.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser(
        "run",
        help="test a client through its harness",
        usage="runforge-conformance run [OPTION ...] -- COMMAND [ARGUMENT ...]",
    )
    _add_selection(run)
    run.add_argument("--xfail", type=Path, metavar="FILE", help="list of expected failures")
    run.add_argument(
        "--write-xfail",
        type=Path,
        metavar="FILE",
        help="write a list of the failures, to be reviewed",
    )
    run.add_argument("--report", type=Path, metavar="DIR", help="write report.json, junit.xml, ...")
    run.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds for the handshake and for one answer",
    )
    run.add_argument(
        "--execute-timeout",
        type=_seconds,
        default=120.0,
        metavar="S",
        help="seconds for the execution of one request",
    )
    run.add_argument(
        "--time-limit", type=_seconds, default=1800.0, metavar="S", help="seconds for the whole run"
    )
    run.add_argument(
        "--seed", type=_seed, metavar="N", help="vary the inputs as the run with this seed did"
    )
    run.add_argument(
        "--validate-protocol", action="store_true", help="hold every message to its schema"
    )
    run.add_argument("command", nargs="+", metavar="COMMAND", help="what starts the harness")
    run.set_defaults(command_function=_run)

    smoke = commands.add_parser(
        "smoke",
        help="is the harness wired up?",
        usage="runforge-conformance smoke -- COMMAND [ARGUMENT ...]",
    )
    smoke.add_argument("command", nargs="+", metavar="COMMAND", help="what starts the harness")
    smoke.set_defaults(command_function=_smoke)

    check_one = commands.add_parser("check-run", help="is this run folder conformant?")
    check_one.add_argument("folders", nargs="+", type=Path, metavar="RUN_DIR")
    check_one.add_argument("--json", action="store_true")
    check_one.set_defaults(command_function=_check_run)

    check_all = commands.add_parser("check-store", help="is everything in this workspace?")
    check_all.add_argument("workspace", type=Path, metavar="WORKSPACE")
    check_all.add_argument("--json", action="store_true")
    check_all.set_defaults(command_function=_check_store)

    listing = commands.add_parser("list", help="list the cases")
    _add_selection(listing)
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(command_function=_list)

    show = commands.add_parser("show", help="show a case: what it gives, and what must come of it")
    show.add_argument("cases", nargs="+", metavar="CASE", help="id of a case, or a pattern of ids")
    show.add_argument(
        "--seed", type=_seed, metavar="N", help="with the input that the run with this seed gave"
    )
    show.set_defaults(command_function=_show)

    exporting = commands.add_parser("export", help="write every case out as plain files")
    exporting.add_argument("folder", type=Path, metavar="DIR")
    exporting.set_defaults(command_function=_export)

    own = commands.add_parser("check", help="is the suite itself whole?")
    own.set_defaults(command_function=_check)

    summary = commands.add_parser("summary", help="print a report.json as Markdown")
    summary.add_argument("report", type=Path, metavar="REPORT")
    summary.set_defaults(command_function=_summary)
    return parser


def _add_selection(parser: argparse.ArgumentParser) -> None:
    roles = sorted(set(ROLE_OF.values()))
    parser.add_argument("--role", action="append", choices=roles, help="only cases of this role")
    parser.add_argument("--level", choices=LEVELS, help="only cases of this level")
    parser.add_argument("--only", action="append", metavar="GLOB", help="only cases with such ids")


def _filters(options: argparse.Namespace) -> Filters | None:
    """Return the filters of the command line, or None for a whole run."""
    given = {"roles": options.role, "level": options.level, "only": options.only}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value}
    return Filters(**chosen) if chosen else None


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**53:
        message = "a seed is a whole number from 0 to 2^53 - 1"
        raise argparse.ArgumentTypeError(message)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        message = "seconds, more than 0"
        raise argparse.ArgumentTypeError(message)
    return value


def _run(options: argparse.Namespace) -> Exit:
    xfails = ExpectedFailures.read(options.xfail) if options.xfail else ExpectedFailures()
    cases = select(all_cases(), options.role, options.level, options.only)
    if options.write_xfail and options.write_xfail.exists():
        raise RunForgeError(
            ErrorCode.USAGE_INVALID,
            "The file for the list of failures exists, and may hold reasons.",
            hint="Name one that does not exist.",
            path=str(options.write_xfail),
        )
    if options.report:
        with writing(options.report):
            options.report.mkdir(parents=True, exist_ok=True)
    limits = TimeLimits(options.timeout, options.execute_timeout, options.time_limit)
    count = 0

    def progress(result: Result) -> None:
        nonlocal count
        count += 1
        if sys.stderr.isatty():
            print(f"\r{count}/{len(cases)} ", end="", file=sys.stderr, flush=True)

    runner = Runner(
        options.command,
        limits=limits,
        strict=options.validate_protocol,
        progress=progress,
        seed=options.seed,
    )
    report = make_report(
        runner.run(cases), xfails, filters=_filters(options), command=options.command
    )
    if sys.stderr.isatty():
        print("\r" + " " * 20 + "\r", end="", file=sys.stderr)
    if options.report:
        write_reports(report, options.report)
    print(terminal_report(report))
    if options.write_xfail and report.verdict != "protocol broken":
        _write_xfail(options.write_xfail, report)
    return _exit_status(report)


def _exit_status(report: ReportV1) -> Exit:
    if report.verdict == "protocol broken":
        return Exit.PROTOCOL
    return Exit.NOT_CONFORMANT if has_failed(report) else Exit.CONFORMANT


def _write_xfail(path: Path, report: ReportV1) -> None:
    failing = list(failures(report))
    if not failing:
        print("No list of failures is written: nothing failed unexpectedly.")
        return
    with writing(path):
        count = write_expected_failures(path, failing)
    entries = "1 entry" if count == 1 else f"{count} entries"
    print(wrapped(f"{path}: {entries}; write a reason for each in place of TODO.", "", "  "))


def _smoke(options: argparse.Namespace) -> Exit:
    report = make_report(
        Runner(options.command, strict=True).run(smoke_cases),
        ExpectedFailures(),
        command=options.command,
    )
    for result in report.results:
        if result.outcome != "skipped":
            print(f"{result.outcome:<15} {result.case}")
    print(terminal_report(report, smoke=True))
    return _exit_status(report)


def _check_run(options: argparse.Namespace) -> Exit:
    found = {str(folder): check_run(folder) for folder in options.folders}
    clients = {str(folder): client_of(folder) for folder in options.folders}
    return _print_findings(found, clients, as_json=options.json)


def _check_store(options: argparse.Namespace) -> Exit:
    workspace, stores = options.workspace, stores_in(options.workspace)
    experiments = bool(experiment_runs(workspace))
    found = {
        str(store.root): check_store(store, jobs=usable_cores())
        for store in stores
        if store.root.exists() or not experiments
    }
    if experiments:
        found[str(workspace / EXPERIMENT_RUNS)] = check_experiments(workspace)
    return _print_findings(found, {}, as_json=options.json)


def _print_findings(
    found: dict[str, list[Finding]], clients: Mapping[str, str | None], *, as_json: bool
) -> Exit:
    known = requirements()
    levels = [known[item.rule].level for findings in found.values() for item in findings]
    if as_json:
        listed = {
            place: [_as_json(item, known[item.rule].level) for item in findings]
            for place, findings in found.items()
        }
        print(json.dumps(listed, indent=2))
    else:
        for place, findings in found.items():
            listed_findings = [_of_report(item) for item in findings]
            print(findings_report(place, listed_findings, clients.get(place)))
    return Exit.NOT_CONFORMANT if "core" in levels else Exit.CONFORMANT


def _as_json(item: Finding, level: str) -> dict[str, Any]:
    """Return a finding in the form of the reports."""
    parts = item.to_dict()
    return {"requirement": parts.pop("rule"), "level": level, **parts}


def _of_report(item: Finding) -> ReportFinding:
    parts = item.to_dict()
    return ReportFinding(requirement=parts.pop("rule"), **parts)


def _list(options: argparse.Namespace) -> Exit:
    cases = select(all_cases(), options.role, options.level, options.only)
    if options.json:
        print(json.dumps([msgspec.to_builtins(case) for case in cases], indent=2))
    else:
        for case in cases:
            print(case.id)
            print(wrapped(f"{description(case)} [{case.requirement}]", "    "))
        print(f"{len(cases)} cases")
    return Exit.CONFORMANT


def _show(options: argparse.Namespace) -> Exit:
    cases = select(all_cases(), patterns=options.cases)
    known = requirements()
    for number, case in enumerate(cases):
        requirement = known[case.requirement]
        blank = "" if number == 0 else "\n"
        print(f"{blank}{case.id}")
        print(wrapped(description(case), "    "))
        stated = f"{requirement.id} ({requirement.level}): {requirement.statement}"
        print(*labelled("requires", [stated]), sep="\n")
        page = f"{specification_page(requirement)} (section {requirement.section})"
        print(*labelled("source", [page]), sep="\n")
        operation = f"{case.op} {case.document}" if case.document else case.op
        how = ", ".join([f"role {ROLE_OF[case.op]}", *(case.flags or ())])
        print(*labelled("asks", [f"{operation} ({how})"]), sep="\n")
        for name, lines in _asked(case, options.seed):
            # A document that is broken into lines elsewhere is another one.
            print(*labelled(name, lines, wrap=name != "input"), sep="\n")
    return Exit.CONFORMANT


def _asked(case: Case, seed: int | None) -> Iterator[Part]:
    """Yield what is asked under the id of a case, and what is expected."""
    yield from given(case, seed=seed, whole=True)
    yield Part("expected", expected(case if seed is None else varied(case, seed)))
    again = None if seed is None else twin(case, seed)
    if again is not None:
        yield from given(case, seed=seed, of_twin=True, whole=True)
        yield Part("expected", expected(again))


def _export(options: argparse.Namespace) -> Exit:
    count = export(options.folder)
    print(printable(f"{count} cases in {options.folder}"))
    return Exit.CONFORMANT


def _check(options: argparse.Namespace) -> Exit:
    found = faults()
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{len(all_cases())} cases, {len(requirements())} requirements, {len(found)} faults")
    return Exit.FAULT if found else Exit.CONFORMANT


def _summary(options: argparse.Namespace) -> Exit:
    data = read_file(options.report, max_bytes=MAX_BYTES, too_large=ErrorCode.JSON_TOO_LARGE)
    try:
        raw = msgspec.json.decode(data)
        wrong = mistake(raw, "report.v1")
        report = msgspec.convert(raw, ReportV1)
        wrong = wrong or contradiction(report)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        wrong = str(error)
    if wrong:
        print(printable(f"error[DOCUMENT_INVALID]: This is no report: {wrong}"), file=sys.stderr)
        return Exit.USAGE
    print(markdown(report), end="")
    return Exit.CONFORMANT


if __name__ == "__main__":
    sys.exit(main())
