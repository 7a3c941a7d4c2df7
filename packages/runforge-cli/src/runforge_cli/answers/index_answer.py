"""What ``index check`` and ``index rebuild`` print with ``--json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from runforge_cli.shell.settings import Settings

if TYPE_CHECKING:
    from runforge_contracts.shared_work import WorkWatch
    from runforge_contracts.store.layout import StoreLayout
    from runforge_engine.store.index_diff import IndexReport


def existing_stores(settings: Settings) -> list[StoreLayout]:
    """Return the stores.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND`` if none of them exists.
    """
    stores = settings.stores()
    if not any(store.root.is_dir() for store in stores):
        from runforge_contracts.store.lookup import no_store

        raise no_store(stores[0])
    return stores


def rebuild_indexes(settings: Settings, watch: WorkWatch | None = None) -> list[IndexReport]:
    """Add the runs that are missing from the index of each store, and return the reports.

    Parameters
    ----------
    settings
        The stores.
    watch
        Shows how far it is, if that is to be shown.

    Raises
    ------
    RunForgeError
        ``STORE_NOT_FOUND``, or the errors of
        :func:`~runforge_engine.store.index_repair.rebuild_index`.
    """
    from runforge_contracts.shared_work import unwatched, usable_cores
    from runforge_engine.provenance.signatures import signed_origin
    from runforge_engine.store.index_repair import rebuild_index

    return [
        rebuild_index(store, signed_origin, jobs=usable_cores(), watch=watch or unwatched)
        for store in existing_stores(settings)
    ]


def index_report(reports: Sequence[IndexReport]) -> dict[str, Any]:
    """Return the reports on the stores as an ``index_report.v1``."""
    return {
        "schema_version": "index_report.v1",
        "stores": [_document(report) for report in reports],
    }


def _document(report: IndexReport) -> dict[str, Any]:
    """Return a report with the counts first; unknown values are omitted."""
    fields = asdict(report)
    counts = {name: len(value) for name, value in fields.items() if isinstance(value, tuple)}
    document = {
        "store": fields.pop("store"),
        "index": fields.pop("index"),
        "fits": not report.findings,
        "counts": {"scanned": fields.pop("scanned"), **counts},
        **fields,
    }
    document["findings"] = [
        {name: value for name, value in item.items() if value is not None}
        for item in fields["findings"]
    ]
    for name in ("form", "kept_aside"):
        if document[name] is None:
            del document[name]
    return document
