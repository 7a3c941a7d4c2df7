"""``runforge coefficients``: show the coefficients of a linear model."""

from __future__ import annotations

from runforge_contracts.store.layout import LINEAR_COEFFICIENTS

from runforge_cli.commands.document_command import document_command
from runforge_cli.render.text_pages import coefficients_document, coefficients_page

command = document_command(
    "coefficients",
    LINEAR_COEFFICIENTS,
    coefficients_document,
    coefficients_page,
    "Show the coefficients of a linear model for standardized features.",
)
