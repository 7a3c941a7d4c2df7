"""The screen with the list of runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from runforge_contracts.display import printable
from runforge_contracts.metrics import lower_is_better
from runforge_contracts.selection.older_entries import SettingsReader
from runforge_contracts.selection.run_condition import RunCondition
from runforge_contracts.selection.run_values import RunColumn
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from runforge_cli.browse.catalog import PAGE, Catalog, read_all, read_newest, renew, stamp
from runforge_cli.browse.filtering import (
    Filtered,
    chosen,
    ordered,
    reader_facts,
    settings_in,
    ties_in,
)
from runforge_cli.browse.notice import Notice
from runforge_cli.browse.run_table import Heading, RunList
from runforge_cli.browse.screens import SUMMARY, VERIFY, RunScreen, SubjectScreen
from runforge_cli.browse.worker_thread import begin, elsewhere
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.listing.run_rows import METRIC, common_metric, metrics_of
from runforge_cli.listing.run_table_text import TIE
from runforge_cli.terminal.text_layout import plural

if TYPE_CHECKING:
    from runforge_contracts.store.layout import Place

    from runforge_cli.browse.actions import BrowserActions

#: Seconds between two checks for changes, and between a key press and filtering.
_POLL, _PAUSE = 2.0, 0.05
#: Number of runs that are searched for the names of metrics.
_SAMPLE = 1000


class RunsScreen(Screen[None]):
    """The live list of the trained runs and experiment runs, newest first."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that keys pressed right after it reach the filter.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("enter,down", "leave_filter", "Back to the list", priority=True),
        Binding("space", "mark", "Mark", tooltip="Mark or unmark a run for comparison"),
        Binding(
            "c", "compare", "Compare", tooltip="Compare the marked runs; the first is the baseline"
        ),
        Binding("v", "verify", "Verify", tooltip="Check whether the run was changed"),
        Binding(
            "o", "report", "Report", show=False, tooltip="Write a report and open it in the browser"
        ),
        Binding("s", "sort", "Sort", show=False, tooltip="Sort by the next column"),
        Binding("S", "turn", "Reverse", show=False, tooltip="Reverse the order"),
        Binding("m", "metric", "Metric", show=False, tooltip="Show the next metric"),
        Binding(
            "d", "same_data", "Same data", show=False, tooltip="Show only runs on this dataset"
        ),
        Binding(
            "w", "same_group", "Same sweep", show=False, tooltip="Show only runs of this sweep"
        ),
        Binding("y", "copy", "Copy dataset", show=False, tooltip="Copy the dataset's SHA-256"),
        Binding("r", "reread", "Read again", show=False),
        Binding("escape", "clear", "Clear", show=False, tooltip="Clear the filter, then the marks"),
    ]
    DEFAULT_CSS = """
    .title { height: 1; padding: 0 1; text-style: bold; background: $panel; color: $text-primary; }
    .title:ansi { color: ansi_blue; }
    #filter { display: none; padding: 0 1; }
    #state { height: 1; padding: 0 1; color: $text-muted; }
    #problem { display: none; height: auto; max-height: 3; padding: 0 1; color: $text-warning; }
    #problem.-shown { display: block; }
    #problem:ansi { color: ansi_yellow; }
    """

    def __init__(self, browser: BrowserActions) -> None:
        super().__init__()
        self.browser = browser
        self.catalog = Catalog()
        self.marked: dict[tuple[str, str, str], ListedRun] = {}
        self._places: list[Place] = []
        self._stamp: object = None
        self._column, self._turned = "run", False
        self._metric: str | None = None
        self._reading = False
        self._polling = False
        self._pause: Timer | None = None
        self._settings = SettingsReader()
        self._problem = ""
        #: The settings in which the listed runs differ, by their headings.
        self.differing: dict[str, RunColumn] = {}

    def compose(self) -> ComposeResult:
        """Yield the widgets."""
        yield Static(classes="title", markup=False, id="title")
        yield Input(
            placeholder="text, C<0.1, accuracy>=0.9, status:failed, model:forest, …",
            compact=True,
            select_on_focus=False,  # else keys typed before the focus would be overwritten
            id="filter",
        )
        yield Heading()
        yield RunList()
        yield Static(markup=False, id="problem")
        yield Notice()
        yield Static(markup=False, id="state")
        yield Footer(compact=True, show_command_palette=False)

    @property
    def table(self) -> RunList:
        """The list."""
        return self.query_one(RunList)

    @property
    def words(self) -> Input:
        """The input of the filter."""
        return self.query_one("#filter", Input)

    def on_mount(self) -> None:
        """Read the newest runs, and start to check for changes."""
        self.table.focus()
        self._read(lambda places: read_newest(places, PAGE))
        self.set_interval(_POLL, self._poll)

    # Reading

    def _read(self, how: Callable[[list[Place]], Catalog]) -> None:
        if not self._reading:
            self._reading = True
            self._update_status()
            begin(self, partial(self._read_elsewhere, how), group="read")

    async def _read_elsewhere(self, how: Callable[[list[Place]], Catalog]) -> None:
        def work() -> tuple[list[Place], object, Catalog]:
            places = self.browser.settings.places()
            seen = stamp(places)  # before reading, so that later changes are detected
            return places, seen, how(places)

        try:
            self._places, self._stamp, self.catalog = await elsewhere(work)
        finally:
            self._reading = False
        self.query_one("#title", Static).update(f"RunForge  {self._place()}")
        self._choose()

    def _place(self) -> str:
        return printable(str(self._places[0].workspace)) if self._places else ""

    def _poll(self) -> None:
        if not self._polling and not self._reading:
            self._polling = True
            begin(self, self._look, group="poll")

    async def _look(self) -> None:
        try:
            seen = await elsewhere(lambda: stamp(self.browser.settings.places()))
        finally:
            self._polling = False
        if seen != self._stamp:
            self._read(partial(renew, self.catalog))

    @on(RunList.Wanted)
    def read_more(self, event: RunList.Wanted) -> None:
        """Read the runs that have become visible."""
        if not self.catalog.complete:
            count = max(event.count, 4 * len(self.catalog.runs))
            if 2 * count > self.catalog.total:
                self._read(read_all)
            else:
                self._read(lambda places: read_newest(places, count))

    # Choosing

    @property
    def _whole(self) -> bool:
        """Whether all runs have to be read for the filter or the order."""
        return bool(self.words.value.strip()) or self._column != "run" or self._turned

    def _choose(self) -> None:
        if self._whole and not self.catalog.complete:
            self._read(read_all)
        begin(self, self._choose_elsewhere, group="choose")

    async def _choose_elsewhere(self) -> None:
        catalog, text, metric = self.catalog, self.words.value, self.metric
        column, turned, whole = self._column, self._turned, self._whole
        folders = [Path.cwd(), *(place.workspace for place in self._places)]
        before, facts = self.differing, reader_facts(self._settings)

        def completed(runs: list[ListedRun]) -> list[ListedRun]:
            return [ListedRun(*row) for row in self._settings.completed(runs)]

        def work() -> tuple[Filtered, dict[str, RunColumn]]:
            runs, problem = list(catalog.runs), ""
            if whole:
                runs, problem, _ = chosen(runs, text, folders, facts)
            if column in before:
                runs = completed(runs)
            runs = ordered(runs, column, metric, before, turned=turned)
            runs[:_SAMPLE] = completed(runs[:_SAMPLE])
            ties = ties_in(runs, column, metric) if whole else frozenset[tuple[str, str, str]]()
            return Filtered(runs, problem, ties), settings_in(runs[:_SAMPLE])

        found, self.differing = await elsewhere(work)
        runs, self._problem, ties = found
        count = len(runs) if whole else catalog.total
        self.table.show(runs, count, metric, self.differing, ties)
        self._update_status()

    @property
    def metric(self) -> str | None:
        """The metric that is shown; None for the primary metric of each run."""
        return self._metric or common_metric(run.entry for run in self.catalog.runs[:PAGE])

    def _update_status(self) -> None:
        """Update the status line and the message on problems."""
        catalog, shown = self.catalog, len(self.table.runs)
        parts = [plural(catalog.total, "run")]
        if self.words.value.strip():
            parts = [f"{shown:,} of {parts[0]}"]
        if self._reading:
            parts.append("reading…")
        if self.marked:
            parts.append(f"{len(self.marked)} marked")
        if self._metric is not None:
            parts.append(f"metric {printable(self._metric)}")
        if self.table.has_ties:
            parts.append(f"{TIE} as good as another run")
        self.query_one("#state", Static).update(" · ".join(parts))
        problem = self.query_one("#problem", Static)
        problems = [*catalog.problems, *([self._problem] if self._problem else [])]
        problem.update(printable(" ".join(problems)))
        problem.set_class(bool(problems), "-shown")
        self.table.absence = "" if shown else self._absence()

    def _absence(self) -> str:
        """Return the message if no run is listed."""
        if self._reading:
            return ""
        if self.catalog.runs:
            return "No runs match."
        hint = "Create one with `runforge train DATA --label COLUMN`; it will appear here."
        return f"No runs yet in {self._place()}. {hint}"

    @on(RunList.Laid)
    def head(self) -> None:
        """Show the names of the columns."""
        falling = self._turned
        if self._column == "run" or (
            self._column == METRIC and not lower_is_better(self.metric or "")
        ):
            falling = not self._turned
        self.query_one(Heading).show(
            self.table.columns,
            self.metric or METRIC,
            self._column,
            self.table.right,
            falling=falling,
        )

    @on(Heading.Sorted)
    def sort_by(self, event: Heading.Sorted) -> None:
        """Sort by a column, or reverse the order if it is sorted by it already."""
        self._turned = event.column == self._column and not self._turned
        self._column = event.column
        self._choose()

    def action_sort(self) -> None:
        """Sort by the next column."""
        columns = list(self.table.columns)
        at = columns.index(self._column) if self._column in columns else -1
        self._column, self._turned = columns[(at + 1) % len(columns)], False
        self._choose()

    def action_turn(self) -> None:
        """Reverse the order."""
        self._turned = not self._turned
        self._choose()

    def action_metric(self) -> None:
        """Show the next metric."""
        sample = self.catalog.runs[:_SAMPLE]
        names = sorted({name for run in sample for name in metrics_of(run.entry)})
        choices = [None, *names]
        at = choices.index(self._metric) if self._metric in choices else 0
        self._metric = choices[(at + 1) % len(choices)]
        self._choose()

    # Filtering

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Return whether an action is available; a slash typed into the filter is text."""
        if action in ("filter", "leave_filter") and self.is_mounted:
            typing = self.focused is self.words
            return typing == (action == "leave_filter")
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Move the focus to the filter."""
        self.words.display = True
        self.set_focus(self.words)  # immediately, because more keys may be queued

    @on(Input.Changed)
    def choose_soon(self) -> None:
        """Filter again after a short pause without key presses."""
        self.words.display = bool(self.words.value) or self.focused is self.words
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE, self._choose)

    def action_leave_filter(self) -> None:
        """Go back to the list and keep the filter."""
        self.set_focus(self.table)
        self.words.display = bool(self.words.value)

    def action_clear(self) -> None:
        """Clear the filter, or else the marks."""
        if self.words.display:
            self.words.value = ""
            self.action_leave_filter()
        elif self.marked:
            self.marked.clear()
            self._remark()

    def action_same_data(self) -> None:
        """Show only the runs on the same dataset."""
        run = self.table.current
        if run is not None and run.fingerprint is not None:
            self.words.value = f"dataset:{run.fingerprint[:12]}"
            self.words.display = True

    def action_same_group(self) -> None:
        """Show only the runs of the same sweep."""
        run = self.table.current
        group = None if run is None else run.entry.get("group_id")
        if group is None:
            self.notify("The run is not of a sweep.", severity="warning")
            return
        self.words.value = str(RunCondition("group", "=", str(group)))
        self.words.display = True

    # Runs

    def action_mark(self) -> None:
        """Mark or unmark the run under the cursor, and go to the next."""
        run = self.table.current
        if run is not None:
            if self.marked.pop(run.key, None) is None:
                self.marked[run.key] = run
            self._remark()
            self.table.action_move(1)

    def _remark(self) -> None:
        self.table.marked = list(self.marked)
        self.table.refresh()
        self._update_status()

    def action_compare(self) -> None:
        """Compare the marked runs, or the marked run with the one under the cursor."""
        runs, current = list(self.marked.values()), self.table.current
        if len(runs) == 1 and current is not None and current.key not in self.marked:
            runs.append(current)
        if len(runs) < 2:
            self.notify("Mark at least two runs with the space bar.", severity="warning")
            return
        self.app.push_screen(SubjectScreen(f"Comparison of {len(runs):,} runs", runs, self.browser))

    @on(RunList.Opened)
    def open_run(self) -> None:
        """Open the run under the cursor."""
        self._open(SUMMARY)

    def action_verify(self) -> None:
        """Verify the run under the cursor."""
        self._open(VERIFY)

    def _open(self, page: str) -> None:
        if self.table.current is not None:
            self.app.push_screen(RunScreen(self.table.current, self.browser, page))

    def action_report(self) -> None:
        """Write a report on the marked runs, or on the one under the cursor, and open it."""
        current = [] if self.table.current is None else [self.table.current]
        self.browser.open_report(list(self.marked.values()) or current)

    def action_copy(self) -> None:
        """Copy the fingerprint of the dataset of the run under the cursor."""
        if self.table.current is not None:
            self.browser.copy_fingerprint(self.table.current)

    def action_reread(self) -> None:
        """Read everything again."""
        count = len(self.catalog.runs)
        self._read(read_all if self.catalog.complete else lambda s: read_newest(s, count))
