"""``runforge importance``: show the feature importances of a forest."""

from __future__ import annotations

from runforge_contracts.store.layout import FEATURE_IMPORTANCE

from runforge_cli.commands.document_command import document_command
from runforge_cli.render.text_pages import importance_document, importance_page

command = document_command(
    "importance",
    FEATURE_IMPORTANCE,
    importance_document,
    importance_page,
    "Show the Gini importance of each feature of a forest; the importances sum to one.",
)
