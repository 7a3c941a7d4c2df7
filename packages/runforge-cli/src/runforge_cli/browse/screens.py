"""The screens with text: the pages of a run, a comparison, and the key bindings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from runforge_contracts.display import printable
from runforge_contracts.selection.run_values import TRAINED
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, Static, Tab, Tabs

from runforge_cli.browse.detail_pages import (
    Page,
    Subject,
    artifacts_page,
    comparison_page,
    diagnostics_page,
    history_page,
    log_page,
    metrics_page,
    model_page,
    origin_page,
    summary_page,
    verification_page,
    weights_page,
)
from runforge_cli.browse.notice import Notice
from runforge_cli.browse.pager import Pager
from runforge_cli.browse.worker_thread import begin, elsewhere
from runforge_cli.listing.run_list import ListedRun
from runforge_cli.listing.run_rows import kind_of
from runforge_cli.terminal.text_layout import pairs, paragraph, within

if TYPE_CHECKING:
    from runforge_cli.browse.actions import BrowserActions

SUMMARY, VERIFY = "summary", "verify"
#: The pages of a trained run, by the name of the tab.
PAGES: dict[str, Page] = {
    SUMMARY: summary_page,
    "metrics": metrics_page,
    "weights": weights_page,
    "diagnostics": diagnostics_page,
    "origin": origin_page,
    "model": model_page,
    VERIFY: verification_page,
}
#: The pages of an experiment run.
EXPERIMENT_PAGES: dict[str, Page] = {
    SUMMARY: summary_page,
    "metrics": history_page,
    "log": log_page,
    "artifacts": artifacts_page,
    "origin": origin_page,
    VERIFY: verification_page,
}


class TextScreen(Screen[None]):
    """A screen with a title and lines of text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "app.pop_screen", "Back", tooltip="Back to the previous screen")
    ]
    DEFAULT_CSS = """
    .title { height: 1; padding: 0 1; text-style: bold; background: $panel; color: $text-primary; }
    .title:ansi { color: ansi_blue; }
    """

    browser: BrowserActions

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """Yield the widgets."""
        yield Static(printable(self._title), classes="title", markup=False)
        yield from self.compose_tabs()
        yield Pager()
        yield Notice()
        yield Footer(compact=True, show_command_palette=False)

    def compose_tabs(self) -> Iterable[Tabs]:
        """Yield the tabs, if there are several pages."""
        return ()

    @property
    def pager(self) -> Pager:
        """The lines."""
        return self.query_one(Pager)

    def on_mount(self) -> None:
        """Move the focus to the lines."""
        self.pager.focus()

    def on_resize(self) -> None:
        """Lay out the lines for the new size."""
        self.call_after_refresh(self.lay_out)

    def lay_out(self, *, top: bool = False) -> None:
        """Show the lines, from the first line or from the current scroll position."""
        raise NotImplementedError


class SubjectScreen(TextScreen):
    """A screen on one or more runs, whose lines are produced in the background."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", "Copy dataset", show=False, tooltip="Copy the dataset's SHA-256"),
        Binding("o", "report", "Report", tooltip="Write a report and open it in the browser"),
        Binding("r", "reread", "Read again", show=False),
    ]

    def __init__(self, title: str, runs: Sequence[ListedRun], browser: BrowserActions) -> None:
        super().__init__(title)
        self.runs = runs
        self.browser = browser
        self.subject = Subject(runs, browser.settings)

    @property
    def page(self) -> Page:
        """The function that produces the lines."""
        return comparison_page

    def lay_out(self, *, top: bool = False) -> None:
        """Show the lines, from the first line or from the current scroll position."""
        work = partial(self._lay_out, self.page, top=top)
        begin(self, work, group="page")

    async def _lay_out(self, page: Page, *, top: bool) -> None:
        subject, room = self.subject, self.pager.room
        if top:
            self.pager.show(["  …"], top=True)
        lines = await elsewhere(partial(subject.lines, page, room))
        self.pager.show(lines, top=top)

    def action_copy(self) -> None:
        """Copy the fingerprint of the dataset."""
        self.browser.copy_fingerprint(self.runs[0])

    def action_report(self) -> None:
        """Write a report and open it."""
        self.browser.open_report(self.runs)

    def action_reread(self) -> None:
        """Read everything again."""
        self.subject = Subject(self.runs, self.browser.settings)
        self.lay_out()


class RunScreen(SubjectScreen):
    """The screen of a run, with several pages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,tab", "turn(1)", "Next page", key_display="→"),
        Binding("left,shift+tab", "turn(-1)", "Previous page", show=False),
        *(
            Binding(str(number), f"page({number - 1})", name.capitalize(), show=False)
            for number, name in enumerate(PAGES, 1)
        ),
        Binding("v", "page(-1)", "Verify", tooltip="Check whether the run was changed"),
    ]
    DEFAULT_CSS = """
    Tabs { height: 2; }
    """

    def __init__(self, run: ListedRun, browser: BrowserActions, page: str = SUMMARY) -> None:
        super().__init__(f"{run.entry['run_id']}  {run.status}", [run], browser)
        self._pages = PAGES if kind_of(run.entry) == TRAINED else EXPERIMENT_PAGES
        self._page = page

    def compose_tabs(self) -> Iterable[Tabs]:
        """Yield the tabs."""
        tabs = Tabs(
            *(Tab(name.capitalize(), id=name) for name in self._pages),
            active=self._page,
            id="pages",
        )
        tabs.can_focus = False
        yield tabs

    @property
    def page(self) -> Page:
        """The function that produces the lines."""
        return self._pages[self._page]

    @on(Tabs.TabActivated)
    def turn_to(self, event: Tabs.TabActivated) -> None:
        """Show the page of a tab."""
        name = event.tab.id or SUMMARY
        if name != self._page:
            self._page = name
            self.lay_out(top=True)

    def action_page(self, number: int) -> None:
        """Go to a page by its number, starting at 0, if it exists; -1 is the verification."""
        names = list(self._pages)
        if self.is_mounted and number < len(names):
            self.query_one(Tabs).active = names[number]

    def action_turn(self, pages: int) -> None:
        """Go forward or back by some pages."""
        names = list(self._pages)
        self.action_page((names.index(self._page) + pages) % len(names))


class HelpScreen(TextScreen):
    """The screen with the key bindings.

    Parameters
    ----------
    sections
        Keys and their descriptions, by title.
    text
        Further paragraphs, by title.
    """

    def __init__(self, sections: dict[str, list[tuple[str, str]]], text: dict[str, str]) -> None:
        super().__init__("Keys and mouse")
        self._sections = sections
        self._text = text

    def lay_out(self, *, top: bool = False) -> None:
        """Show the lines."""
        lines: list[str] = []
        with within(self.pager.room):
            for title, keys in self._sections.items():
                lines += [title, *pairs(keys), ""]
            for title, text in self._text.items():
                lines += [title, *paragraph(text, indent=2), ""]
        self.pager.show(lines[:-1], top=top)
