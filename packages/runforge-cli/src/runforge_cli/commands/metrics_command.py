"""``runforge metrics``: show every metric of a run."""

from __future__ import annotations

from runforge_contracts.store.layout import METRICS

from runforge_cli.commands.document_command import document_command
from runforge_cli.render.text_pages import metrics_document, metrics_page

command = document_command(
    "metrics",
    METRICS,
    metrics_document,
    metrics_page,
    "Show the metrics of RUN on its validation rows, with the confusion matrix.",
)
