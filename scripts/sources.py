"""Where the schemas of the documents are written down, and what each is called."""

from __future__ import annotations

from pathlib import Path

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"


def schema_sources() -> dict[str, Path]:
    """Return the file of every schema by its name, sorted: ``tfc.config.v1`` is in ``tfc/``."""
    paths = [*SCHEMAS.glob("*.json"), *SCHEMAS.glob("tfc/*.json")]
    return dict(sorted((".".join(path.relative_to(SCHEMAS).parts)[:-5], path) for path in paths))
