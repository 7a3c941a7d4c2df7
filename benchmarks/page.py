"""What was measured, as the page ``docs/benchmarks.md``."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from growth import Study
from growth import table_of as growth_table
from large_store import Measurement
from large_store import table_of as large_table
from pairing import Spread, spread
from prepare import Prepared
from prepare import table_of as prepared_table
from resident import Resident
from resident import table_of as resident_table
from runforge_contracts.shared_work import usable_cores
from runforge_engine.runtime.platform_info import describe_platform
from stages import Breakdown
from stages import table_of as stage_table
from sweeps import Many
from sweeps import figure as many_figure
from sweeps import table_of as many_table
from train import Bar, Measured

#: Share of the processors that others may use meanwhile without being mentioned.
_QUIET = 0.05
_PACKAGES = ("runforge-cli", "scikit-learn", "numpy", "scipy", "pandas", "pyarrow", "joblib")


@dataclass(frozen=True)
class Report:
    """Everything that was measured."""

    measured: Sequence[Measured]
    breakdowns: Sequence[Breakdown]
    residents: Sequence[Resident]
    studies: Sequence[Study]
    many: Sequence[Many]
    #: Share of the processors that others used meanwhile, where the system tells.
    others: float | None
    #: Version of MLflow, where it was measured.
    mlflow: str | None = None
    #: What commands took with large stores.
    large: Sequence[Measurement] = ()
    #: What it took to prepare a raw table, if that was measured.
    prepared: Prepared | None = None

    def failures(self) -> list[str]:
        """Return a sentence for each bar that is not met."""
        found = [
            f"{item.name}: {_text(ratio)} against {bar.most:g}; {self._reason(item)}"
            for item in self.measured
            for bar, ratio in item.verdicts()
            if not bar.is_met(ratio)
        ]
        found += [
            f"{item.name}: {many_figure(item)} {item.unit} against {item.bar:g}"
            for item in self.many
            if not item.is_met()
        ]
        found += [failure for item in self.large for failure in item.failures()]
        found += self.prepared.failures() if self.prepared else []
        for study in self.studies:
            for size in study.too_steep():
                found.append(
                    f"growth over {study.over}: what we add grows faster than table and estimator"
                    f" up to {size:,}"
                )
        return found

    def _reason(self, item: Measured) -> str:
        work = item.against_rival("processor")
        note = f"the processors work {_text(work)} of what they do for the rival"
        if self.others is not None and self.others > _QUIET:
            note += f", and others used {self.others:.0%} of them meanwhile"
        return note


def page(report: Report) -> str:
    """Return the report as Markdown."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterable[str]:
    yield from (
        "<!-- Written by `make bench`; edit benchmarks/page.py instead. -->",
        "",
        "# How fast",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench`, which writes this page.",
        "",
        f"* {machine()}",
        f"* {_versions(report.mlflow)}",
        "",
    )
    if report.others is not None and report.others > _QUIET:
        yield from (
            f"**Provisional**: others used {report.others:.0%} of the processors meanwhile.",
            "",
        )
    failures = report.failures()
    yield "Every bar is met." if not failures else "Not met:"
    yield ""
    if failures:
        yield from (f"* {failure}" for failure in failures)
        yield ""
    yield from _bars(report)
    yield from _many(report)
    yield from _large(report)
    yield from _prepared(report)
    yield from _stages(report)
    yield from _memory(report)
    yield from _growth(report)
    yield from _METHOD.splitlines()


def _bars(report: Report) -> Iterable[str]:
    others = sorted({name for item in report.measured for name in item.others})
    yield from (
        "## The bars",
        "",
        "Whole processes, from start to end, in pairs that take turns; the ratio is the median",
        "over the pairs, with the least and the greatest. Training is compared with a script",
        "written by hand ([`bare_script.py`](../benchmarks/bare_script.py): pandas and",
        "scikit-learn, no checks, no record), everything else against `python -c pass`.",
        "[On other processors](benchmarks/processors.md) they are not the same.",
        "",
    )
    header = ["", "we take", "the rival takes", "ratio", "bar", "", *others]
    yield from table_lines([header, *_bar_rows(report, others)])
    yield ""


def _bar_rows(report: Report, others: Sequence[str]) -> Iterable[list[str]]:
    for item in report.measured:
        for bar, found in item.verdicts():
            beside = []
            for name in others:
                costs = item.others.get(name)
                if costs is None:
                    beside.append("")
                    continue
                against = item.against_rival(bar.figure, costs).median
                beside.append(f"{_amount(bar, spread(costs, bar.figure))} ({against:.2f})")
            yield [
                item.name + ("; peak memory" if bar.figure == "memory" else ""),
                _amount(bar, spread(item.ours, bar.figure)),
                _amount(bar, spread(item.rival, bar.figure)),
                _text(found),
                f"{bar.most:g}",
                "met" if bar.is_met(found) else "**not met**",
                *beside,
            ]


def _many(report: Report) -> Iterable[str]:
    if report.many:
        yield from _MANY.splitlines()
        yield from table_lines(many_table(report.many))
        yield ""


def _prepared(report: Report) -> Iterable[str]:
    if report.prepared:
        yield from _PREPARED.splitlines()
        yield from table_lines(prepared_table(report.prepared))
        yield ""


def _large(report: Report) -> Iterable[str]:
    if report.large:
        yield from _LARGE.splitlines()
        yield from table_lines(large_table(report.large))
        yield ""


def _stages(report: Report) -> Iterable[str]:
    yield from (
        "## Where the time goes",
        "",
        "A logistic regression on three tables, by the events of the run itself. The libraries",
        "load in a thread of their own from before the file is read until they are waited for.",
        "The floor is what no program could leave out that trains the same model with the same",
        "libraries: a process that loads them, to bring the file into memory and to hash it, and",
        "the fit. Parsing is above it.",
        "",
    )
    yield from table_lines(stage_table(report.breakdowns))
    yield ""


def _memory(report: Report) -> Iterable[str]:
    yield from _MEMORY.splitlines()
    if report.residents:
        yield from table_lines(resident_table(report.residents))
        yield ""


def _growth(report: Report) -> Iterable[str]:
    yield from (
        "## How it grows",
        "",
        "The whole process, what scikit-learn takes of it to scale and to fit, and the peak of",
        "memory beside the estimate by which a table is refused that is too large.",
        "",
    )
    for study in report.studies:
        yield f"![Time and memory over {study.over}](benchmarks/{study.over}.svg)"
        yield ""
        yield from table_lines(growth_table(study))
        yield ""
        if study.left_out:
            sizes = ", ".join(f"{size:,}" for size in study.left_out)
            yield f"Too large for this machine: {sizes}."
            yield ""


_MANY = """\
## Many runs

Whole commands on two cores: `runforge sweep`, where every run is sealed and listed, against a
script that fits the same grid with scikit-learn and joblib and keeps no record
([`grid_script.py`](../benchmarks/grid_script.py)), and against MLflow's autolog in one process
([`mlflow_grid.py`](../benchmarks/mlflow_grid.py)). What one more run takes is the time of the
command less that of a sweep of one run, for each of the others. Memory is that of all processes
together, with what they share counted once. The last rows are `runforge serve --stdio`, asked by a
client on the same machine.

"""
_LARGE = """\
## A store over years

Whole commands in stores of real runs, copied with ids and digests of their own so that all of them
verify, and in an index of as many entries where a command reads only that; medians, beside a bare
Python in turns with them (x), and the peak of memory of the largest process.

"""
_PREPARED = """\
## Raw tables

Whole processes, for a table of 1,000,000 rows with eight columns of text, of 20 categories each:
`runforge prepare`, which writes the prepared table of 160 columns and the label, beside pandas
([`dummies_script.py`](../benchmarks/dummies_script.py)), once with the table in memory alone, and
once with the same table in a file. A ratio is the median over the rounds of what RunForge takes,
with a proposal, to what the other takes.

"""
_MEMORY = """\
## Memory

| while | in memory, beside the libraries |
|---|---|
| reading | the bytes of the file |
| parsing | the bytes, and the columns that are parsed so far |
| making the matrix | the columns, and the matrix: rows to train with, then those to validate with |
| scaling | the matrix, and a copy of the rows to train with that scikit-learn makes |
| fitting | the matrix, with the rows to train with scaled in place |
| evaluating | the matrix, and a scaled copy of the rows to validate with |

A table that would not fit is refused before it is read, with an estimate of what it takes; the
environment variable `RUNFORGE_MEMORY_LIMIT` (such as `12G`) stands for what is free, and 0 lets
everything be tried.

"""
_METHOD = """\
## How it is done

None of this changes a byte of a run, leaves a check out or a line of the record: tests hold the
folder that the command writes, on one core and on all, against that of a plain program.

* scikit-learn takes longer to import than to train on a small table. A process of the command
  loads it in a thread while the data is read and hashed, without looking for garbage meanwhile,
  and not all of it: what it imports for other uses, such as `scipy.stats`, is loaded when it is
  used, and pandas and rich, which it imports wherever they are installed, are not there.
* Arrow parses on all cores, a portion of the text after the other, in pieces that fit a processor's
  own memory, and reports what it cannot read; the columns become the matrix on all cores, a few
  thousand rows at a time, each in its place: it is drawn before which rows are to be trained with.
* The columns of a wide table are scaled on all cores.
* One thread for linear algebra: the bits need it, and it is faster.
* The trees of a forest grow on all cores, each thread with the next few that nobody has taken, and
  are those that a single thread grows. What is predicted with them is added up by one.
* The metrics that depend only on how often which label was taken for which are computed by
  scikit-learn from those counts.

## Repeat it

    make bench           everything on this page
    make bench-rivals    with MLflow, in an environment of its own

The tables come from [`tables.py`](../benchmarks/tables.py), from a fixed seed, and are removed
when all is done.
"""


def table_lines(cells: Iterable[Sequence[str]]) -> Iterable[str]:
    """Yield the lines of a table in Markdown; its first row is the header."""
    header, *body = cells
    yield f"| {' | '.join(header)} |"
    yield "|---" + "|---:" * (len(header) - 1) + "|"
    for row in body:
        yield f"| {' | '.join(row)} |"


def _text(found: Spread) -> str:
    return f"{found.median:.2f} ({found.least:.2f} to {found.greatest:.2f})"


def _amount(bar: Bar, found: Spread) -> str:
    if bar.figure == "memory":
        return f"{found.median / 2**20:,.0f} MiB"
    if found.median < 1:
        return f"{1000 * found.median:.0f} ms"
    return f"{found.median:.2f} s"


def machine() -> str:
    """Return what is measured on, in words."""
    described = describe_platform()
    return f"{usable_cores()} cores of {described.get('cpu', 'a processor')}, {described['os']}"


def _versions(mlflow: str | None) -> str:
    named = [f"{name} {version(name)}" for name in _PACKAGES]
    named += [f"MLflow {mlflow}"] if mlflow else []
    return f"Python {platform.python_version()}, {', '.join(named)}"
