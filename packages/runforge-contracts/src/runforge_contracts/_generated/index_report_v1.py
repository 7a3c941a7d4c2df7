# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  index_report.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1
from typing import Annotated, Literal


class IndexCounts(Struct, kw_only=True, frozen=True, gc=False):
    """
    How many things lie among the run folders, and how many entries each list of the report has.
    """

    scanned: common_v1.Count
    already_indexed: common_v1.Count
    recovered: common_v1.Count
    unlisted: common_v1.Count
    skipped: common_v1.Count
    interrupted: common_v1.Count
    running: common_v1.Count
    incomplete: common_v1.Count
    cancelled: common_v1.Count
    missing_folders: common_v1.Count
    findings: common_v1.Count


class SkippedFolder(Struct, kw_only=True, frozen=True, gc=False):
    """
    Something among the run folders, and why it is left out.
    """

    name: Annotated[
        str, Meta(description="Its name; what is not UTF-8 in it is escaped.")
    ]
    reason: str


class IndexFinding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One place where the index and the run folders do not fit.
    """

    kind: Annotated[
        str,
        Meta(
            description="`index_unreadable`, `entry_missing`, `entry_duplicate`, `entry_disagrees`, `folder_missing` or `folder_unreadable`."
        ),
    ]
    message: Annotated[str, Meta(description="One sentence.")]
    path: Annotated[str, Meta(description="File or folder, relative to the workspace.")]
    pointer: (
        Annotated[
            str, Meta(description="JSON Pointer into the file, where there is one.")
        ]
        | UnsetType
    ) = UNSET
    run_id: (
        Annotated[
            str, Meta(description="The run that it is about, where there is one.")
        ]
        | UnsetType
    ) = UNSET


class StoreReport(Struct, kw_only=True, frozen=True, gc=False):
    """
    What a look at one store gave. Runs by their ids, or by the names of their folders where these cannot be read.
    """

    store: Annotated[str, Meta(description="Name of the store's folder.")]
    index: Annotated[str, Meta(description="The index, relative to the workspace.")]
    fits: Annotated[bool, Meta(description="Whether there is no finding.")]
    counts: IndexCounts
    already_indexed: Annotated[
        list[str], Meta(description="Runs that the index had, with their folders.")
    ]
    recovered: Annotated[
        list[str], Meta(description="Finished runs that the index lacked and has now.")
    ]
    unlisted: Annotated[
        list[str], Meta(description="Finished runs that the index lacks.")
    ]
    skipped: Annotated[
        list[SkippedFolder],
        Meta(
            description="What lies among the run folders and is not taken for a run, or cannot be read as one."
        ),
    ]
    interrupted: Annotated[
        list[str],
        Meta(
            description="Runs that were ended before they had a result; they are not indexed."
        ),
    ]
    running: Annotated[list[str], Meta(description="Runs at work.")]
    incomplete: Annotated[
        list[str],
        Meta(
            description="Runs that have not begun, or of which nobody can tell whether they are at work."
        ),
    ]
    cancelled: Annotated[
        list[str], Meta(description="Finished runs that were cancelled.")
    ]
    missing_folders: Annotated[
        list[str], Meta(description="Runs of the index whose folder is gone.")
    ]
    findings: Annotated[
        list[IndexFinding],
        Meta(description="Where the index and the run folders do not fit."),
    ]
    kept_aside: (
        Annotated[
            str,
            Meta(
                description="Where an index that could not be read was put, relative to the workspace."
            ),
        ]
        | UnsetType
    ) = UNSET


class IndexReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The indexes of a workspace held against the run folders, as `runforge index check --json` and `runforge index rebuild --json` print it. Source: run store contract, section 1.
    """

    schema_version: Literal["index_report.v1"]
    stores: list[StoreReport]
