# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  index_report.v1.json

from __future__ import annotations
from msgspec import Meta, Struct, UNSET, UnsetType
from . import common_v1
from typing import Annotated, Literal


class IndexCounts(Struct, kw_only=True, frozen=True, gc=False):
    """
    Number of entries among the run folders, and number of entries in each list of the report.
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
    archived: common_v1.Count | UnsetType = UNSET
    forgotten: common_v1.Count | UnsetType = UNSET


class SkippedFolder(Struct, kw_only=True, frozen=True, gc=False):
    """
    An entry among the run folders, and why it is ignored.
    """

    name: Annotated[
        str, Meta(description="Its name; bytes that are not UTF-8 are escaped.")
    ]
    reason: str


class IndexFinding(Struct, kw_only=True, frozen=True, gc=False):
    """
    One difference between the index and the run folders.
    """

    kind: Annotated[
        str,
        Meta(
            description="`index_unreadable`, `entry_unreadable`, `entry_missing`, `entry_duplicate`, `entry_disagrees`, `folder_missing` or `folder_unreadable`."
        ),
    ]
    message: Annotated[str, Meta(description="One sentence.")]
    path: Annotated[str, Meta(description="File or folder, relative to the workspace.")]
    pointer: (
        Annotated[str, Meta(description="JSON Pointer into the file, if there is one.")]
        | UnsetType
    ) = UNSET
    run_id: (
        Annotated[str, Meta(description="The affected run, if there is one.")]
        | UnsetType
    ) = UNSET


class StoreReport(Struct, kw_only=True, frozen=True, gc=False):
    """
    The result for one store. Runs are listed by id, or by folder name if the id cannot be read.
    """

    store: Annotated[str, Meta(description="Name of the store's folder.")]
    index: Annotated[str, Meta(description="The index, relative to the workspace.")]
    fits: Annotated[bool, Meta(description="Whether there is no finding.")]
    counts: IndexCounts
    already_indexed: Annotated[
        list[str],
        Meta(description="Runs that were already in the index and have a folder."),
    ]
    recovered: Annotated[
        list[str], Meta(description="Finished runs that were added to the index.")
    ]
    unlisted: Annotated[
        list[str], Meta(description="Finished runs that are missing from the index.")
    ]
    skipped: Annotated[
        list[SkippedFolder],
        Meta(
            description="Entries among the run folders that are not runs or cannot be read."
        ),
    ]
    interrupted: Annotated[
        list[str],
        Meta(description="Runs that stopped without a result; they are not indexed."),
    ]
    running: Annotated[list[str], Meta(description="Running runs.")]
    incomplete: Annotated[
        list[str],
        Meta(
            description="Runs that have not started, or for which it is unknown whether they are running."
        ),
    ]
    cancelled: Annotated[
        list[str], Meta(description="Finished runs that were cancelled.")
    ]
    missing_folders: Annotated[
        list[str], Meta(description="Runs in the index whose folder is missing.")
    ]
    findings: Annotated[
        list[IndexFinding],
        Meta(description="Differences between the index and the run folders."),
    ]
    archived: (
        Annotated[
            list[str],
            Meta(
                description="Runs that were archived: their folders are in an archive, and that is no finding."
            ),
        ]
        | UnsetType
    ) = UNSET
    forgotten: (
        Annotated[
            list[str],
            Meta(
                description="Runs that were forgotten: their folders are gone, and that is no finding."
            ),
        ]
        | UnsetType
    ) = UNSET
    form: (
        Annotated[
            str,
            Meta(
                description="Schema that the index follows: `index.v1`, or that of another client; absent if there is no index that can be read."
            ),
        ]
        | UnsetType
    ) = UNSET
    kept_aside: (
        Annotated[
            str,
            Meta(
                description="Path to which an unreadable index was moved, relative to the workspace."
            ),
        ]
        | UnsetType
    ) = UNSET


class IndexReportV1(Struct, kw_only=True, frozen=True, gc=False):
    """
    The indexes of a workspace compared with the run folders, as `runforge index check --json` and `runforge index rebuild --json` print it. Source: specification, section 5.7.
    """

    schema_version: Literal["index_report.v1"]
    stores: list[StoreReport]
