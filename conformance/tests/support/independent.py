"""The schemas for a second validator, which shares no code with ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from referencing import Registry, Resource

FOLDER = Path(__file__).parents[3] / "schemas"
SCHEMAS: dict[str, Any] = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): json.loads(path.read_text("utf-8"))
    for path in [*FOLDER.glob("*.json"), *FOLDER.glob("tfc/*.json"), *FOLDER.glob("field/*.json")]
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()
)
#: Refused for what the schema cannot say: the text itself, and versions that are no mistake.
BEYOND_SCHEMAS = ("reader.version-warning",)
