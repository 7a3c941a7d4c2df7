"""Groups of runs: list them, find one, and read its plan, its state and its members.

Nothing here writes, follows a symbolic link, or trusts a path that it finds in a document. Groups
of other clients are read as what they are.

Source: specification, sections 20.6 to 20.10.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from runforge_contracts.display import printable, quote, quote_some
from runforge_contracts.documents import Document, DocumentFolder
from runforge_contracts.errors import ErrorCode, RunForgeError
from runforge_contracts.metrics import Metric, lower_is_better
from runforge_contracts.run_ids import is_any_run_id
from runforge_contracts.store import layout
from runforge_contracts.store.field_documents import CLIENTS, in_utc
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reference_text import without_line_end

#: Schemas that ``group.json`` may follow.
GROUP_FORMS = ("group.v1", "field.desktop_group.v1")
#: How many characters of its name are in the id of a group.
_SLUG_LENGTH = 20


class GroupRow(NamedTuple):
    """One member of a group, as ``group.json`` has it."""

    #: Its number in the plan; its position in ``group.json`` of another client.
    member: int
    #: ``pending``, ``running``, ``succeeded``, ``failed`` or ``canceled``; other clients have more.
    status: str
    run_id: str | None
    #: What the member sets in the request, with the paths as the plan has them; None removes.
    overrides: Mapping[str, Any]
    primary_metric: Metric | None
    #: Path of ``result.json`` relative to the workspace; it may lead anywhere.
    result_ref: str | None
    #: Runs of the member that :attr:`run_id` replaces, oldest first.
    earlier_run_ids: Sequence[str] = ()


class Group(DocumentFolder):
    """One group of runs in its folder; a document is read when it is first needed.

    :attr:`record` and :attr:`plan` are None if the folder has no such document. A document that
    exists but cannot be read raises :class:`~runforge_contracts.errors.RunForgeError`.

    Two groups are equal if they have the same folder.

    Parameters
    ----------
    path
        The folder of the group.

    Source: specification, section 20.7.
    """

    schemas = {  # noqa: RUF012 - a class variable of the base class
        layout.GROUP: GROUP_FORMS,
        layout.PLAN: ("sweep_plan.v1",),
    }

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(Path(path))

    @property
    def id(self) -> str:
        """The id of the group, which is the name of its folder."""
        return self.path.name

    @property
    def store(self) -> StoreLayout:
        """The store that contains the group."""
        root = self.path.parent.parent
        return StoreLayout(root.parent, root.name)

    @property
    def record(self) -> dict[str, Any] | None:
        """``group.json`` without the members that are null; None if there is none."""
        return self.content(layout.GROUP)

    @property
    def plan(self) -> Document[Any] | None:
        """``plan.json``, or None if there is none."""
        return self.document(layout.PLAN)

    @property
    def client_form(self) -> str | None:
        """The other client in whose form ``group.json`` is; None for the contract's."""
        document = self.document(layout.GROUP)
        return None if document is None else CLIENTS.get(document.name)

    @property
    def status(self) -> str:
        """The recorded status; ``incomplete`` without ``group.json``.

        A group that is ``running`` may have been interrupted: only a client that can look at
        processes knows. Other clients have more statuses, such as ``queued`` and ``paused``.
        """
        record = self.record
        return "incomplete" if record is None else str(record["status"])

    @property
    def name(self) -> str | None:
        """The name that the group was given."""
        return self._told("name")

    @property
    def notes(self) -> str | None:
        """The notes of the group."""
        return self._told("notes")

    @property
    def created_at(self) -> str | None:
        """The time when the group was made, in UTC, as ISO 8601; None if none is recorded."""
        time = (self.record or {}).get("created_at")
        return None if time is None else in_utc(time) or time

    def members(self) -> list[GroupRow]:
        """Return the members that are executed, in the order of ``group.json``."""
        document = self.document(layout.GROUP)
        if document is None:
            return []
        own = document.name == GROUP_FORMS[0]
        return [
            _row(raw, raw["member"] if own else number)
            for number, raw in enumerate(document.content["runs"], start=1)
        ]

    def duplicates(self) -> dict[int, int]:
        """Return the members that are not executed, each with the member that it repeats."""
        found = (self.record or {}).get("duplicates", ())
        return {item["member"]: item["same_as"] for item in found}

    def _told(self, name: str) -> str | None:
        document = self.document(layout.GROUP)
        if document is not None:
            told = document.content.get(name)
        else:
            plan = self.plan
            told = None if plan is None else (plan.content.get("group") or {}).get(name)
        return told or None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<Group {printable(self.id)}>"


def best_member(rows: Sequence[GroupRow]) -> GroupRow | None:
    """Return the member with the best primary metric: the one with the lowest number among equals.

    Only members that succeeded count, and of these those whose metric is that of the first of them.

    Source: specification, section 20.8.
    """
    tied = best_members(rows)
    return tied[0] if tied else None


def best_members(rows: Sequence[GroupRow]) -> list[GroupRow]:
    """Return all members that share the best primary metric, by number; as :func:`best_member`."""
    measured = sorted(
        (row for row in rows if row.status == "succeeded" and row.primary_metric is not None),
        key=lambda row: row.member,
    )
    values = [(row, row.primary_metric) for row in measured if row.primary_metric is not None]
    if not values:
        return []
    name = values[0][1].name
    comparable = [(row, metric.value) for row, metric in values if metric.name == name]
    best = (min if lower_is_better(name) else max)(value for _, value in comparable)
    return [row for row, value in comparable if value == best]


def group_id(name: str | None, time: datetime) -> str:
    """Return the id of a group that is made at ``time``, which must have an offset from UTC.

    A client that finds it taken appends ``_2``, ``_3`` and so on.

    Source: specification, section 20.6.
    """
    letters = (
        character if character.isascii() and character.isalnum() else "_"
        for character in (name or "sweep")[:_SLUG_LENGTH]
    )
    return f"grp_{time.astimezone(UTC):%Y%m%d_%H%M%S}_{''.join(letters)}"


def group_ids(store: StoreLayout) -> list[str]:
    """Return the names of the folders of groups in a store, sorted, without links.

    Raises
    ------
    RunForgeError
        ``FILE_UNREADABLE`` if the folder of groups exists and cannot be read.
    """
    groups = store.groups
    try:
        if groups.is_symlink():
            return []
        with os.scandir(groups) as found:
            return sorted(
                entry.name
                for entry in found
                if is_any_run_id(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunForgeError(
            ErrorCode.FILE_UNREADABLE,
            f"The folder {quote(groups, 200)} cannot be read: {error.strerror}.",
            path=str(groups),
        ) from error


def list_groups(store: StoreLayout) -> list[Group]:
    """Return the groups of a store, oldest first; their documents may be unreadable.

    A folder without ``group.json`` and ``plan.json`` is no group and is left out.
    """
    return sorted(groups_by_id(store), key=_time)


def groups_by_id(store: StoreLayout) -> list[Group]:
    """Return the groups of a store, sorted by id; as :func:`list_groups`, but reads no document."""
    groups = [Group(store.group_folder(name)) for name in group_ids(store)]
    return list(filter(_has_documents, groups))


def find_group(reference: str | os.PathLike[str], stores: Sequence[StoreLayout]) -> Group:
    """Return the group that ``reference`` names.

    Parameters
    ----------
    reference
        An id, a unique prefix of one, a name, ``latest``, or the path of the group's folder or of a
        file in it, relative to the current folder or to the workspace.
    stores
        The stores to search; at least one.

    Raises
    ------
    RunForgeError
        ``GROUP_NOT_FOUND``, or ``GROUP_AMBIGUOUS`` with the groups that a prefix or a name fits.
    """
    reference = without_line_end(os.fspath(reference))
    if Path(reference).name != reference:
        return _at(reference, stores)
    groups = [group for store in stores for group in groups_by_id(store)]
    if reference == "latest":
        if groups:
            return max(groups, key=_time)
        raise _no_groups(stores[0])
    named = [group for group in groups if group.id == reference]
    started = [group for group in groups if reference and group.id.startswith(reference)]
    matches = named or started or [group for group in groups if _name_of(group) == reference]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = quote_some([group.id for group in matches])
        raise RunForgeError(
            ErrorCode.GROUP_AMBIGUOUS,
            f"{quote(reference)} matches {len(matches)} groups: {ids}.",
            hint="Give more of the id.",
        )
    if not groups:
        raise _no_groups(stores[0])
    raise RunForgeError(
        ErrorCode.GROUP_NOT_FOUND,
        f"There is no group of runs {quote(reference)} in {quote(stores[0].workspace, 200)}.",
        hint="`runforge sweep list` shows them; `latest` is the newest one.",
        path=str(stores[0].groups),
    )


def _row(raw: dict[str, Any], number: int) -> GroupRow:
    metric = raw.get("primary_metric") or {}
    value = metric.get("value")
    return GroupRow(
        member=number,
        status=raw["status"],
        run_id=raw.get("run_id"),
        overrides=raw.get("request_overrides") or {},
        primary_metric=None if value is None else Metric(str(metric.get("name")), value),
        result_ref=raw.get("result_ref"),
        earlier_run_ids=raw.get("earlier_run_ids") or (),
    )


def _at(reference: str, stores: Sequence[StoreLayout]) -> Group:
    """Return the group in a folder that was given by its path."""
    for base in (Path.cwd(), *dict.fromkeys(store.workspace for store in stores)):
        path = Path(os.path.abspath(base / reference))  # noqa: PTH100 - links are not followed
        if path.name in (layout.GROUP, layout.PLAN) and path.is_file():
            path = path.parent
        group = Group(path)
        if path.is_dir() and not path.is_symlink() and _has_documents(group):
            return group
    raise RunForgeError(
        ErrorCode.GROUP_NOT_FOUND,
        f"There is no folder of a group of runs {quote(reference, 200)}, here or in"
        f" {quote(stores[0].workspace, 200)}.",
        hint="`runforge sweep list` shows the groups; `latest` is the newest one.",
    )


def _no_groups(store: StoreLayout) -> RunForgeError:
    return RunForgeError(
        ErrorCode.GROUP_NOT_FOUND,
        f"There are no groups of runs in {quote(store.workspace, 200)}.",
        hint="`runforge sweep PLAN` makes the first one.",
        path=str(store.groups),
    )


def _has_documents(group: Group) -> bool:
    return any(os.path.lexists(group.path / file) for file in (layout.GROUP, layout.PLAN))


def _time(group: Group) -> tuple[str, str]:
    """Return when a group was made, to the second, and its id; empty if that cannot be read."""
    try:
        return ((group.created_at or "")[:19], group.id)
    except RunForgeError:
        return ("", group.id)


def _name_of(group: Group) -> str | None:
    try:
        return group.name
    except RunForgeError:
        return None
